"""What browsers pass over of CSS without a word, one list for builds and for `robbieblocks check`.

`in_sheet` goes through a stylesheet, `in_declaration`, `in_selector`, `in_media` and `in_sizes`
(`@container`) judge a part of one, `in_descriptors` an at-rule without rules in it, `in_token` a
token's value. `unknown_keyframes` judges
animations, of which `shorthand_keywords` are no names, `names_transition` a pseudo-element,
`meant_variable` the name of a custom property.
"""

from robbieblocks.css_faults.animations import DEFINED as KEYFRAMES_DEFINED
from robbieblocks.css_faults.animations import shorthand_keywords, unknown_keyframes
from robbieblocks.css_faults.descriptors import in_descriptors
from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.properties import PROPERTIES_FILE
from robbieblocks.css_faults.queries import in_media, in_sizes
from robbieblocks.css_faults.selectors import in_selector, names_transition
from robbieblocks.css_faults.sheets import KEYFRAMES, in_sheet
from robbieblocks.css_faults.token_values import in_token
from robbieblocks.css_faults.values import in_declaration
from robbieblocks.css_faults.variables import USE, meant_variable, unknown_variable

__all__ = [
    "KEYFRAMES",
    "KEYFRAMES_DEFINED",
    "PROPERTIES_FILE",
    "USE",
    "Doubt",
    "in_declaration",
    "in_descriptors",
    "in_media",
    "in_selector",
    "in_sheet",
    "in_sizes",
    "in_token",
    "meant_variable",
    "names_transition",
    "shorthand_keywords",
    "unknown_keyframes",
    "unknown_variable",
]
