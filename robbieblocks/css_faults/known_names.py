"""Names that CSS has: pseudo-classes, pseudo-elements, functions, units, and properties of lengths.

From W3C's webref (@webref/css 8) and MDN's data (csstype), older names that browsers still take
included. What begins with a hyphen is a vendor's, and is not in these lists.
"""

from __future__ import annotations

from typing import Final

PSEUDO_CLASSES: Final = frozenset(
    """
active active-view-transition active-view-transition-type after animated-image any-link autofill
before blank buffering checked current default defined dir disabled empty enabled first first-child
first-letter first-line first-of-type focus focus-visible focus-within fullscreen future has
has-slotted heading high-value host host-context hover in-range indeterminate interest-source
interest-target invalid is lang last-child last-of-type left link link-to local-link low-value
matches modal muted navigation-source not nth-child nth-col nth-last-child nth-last-col
nth-last-of-type nth-of-type only-child only-of-type open optimal-value optional out-of-range past
paused picture-in-picture placeholder-shown playing popover-open read-only read-write required
right root scope seeking snapped snapped-block snapped-inline snapped-x snapped-y stalled state
target target-after target-before target-current target-within unchecked user-invalid user-valid
valid visited volume-locked where xr-overlay
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)
PSEUDO_ELEMENTS: Final = frozenset(
    """
after backdrop before checkmark clear-icon color-swatch column cue cue-region details-content
field-component field-content field-separator file-selector-button first-letter first-line
grammar-error highlight marker nth-fragment part picker picker-icon placeholder reveal-icon
scroll-button scroll-marker scroll-marker-group search-text selection slider-fill slider-thumb
slider-track slotted spelling-error step-control step-down step-up target-text view-transition
view-transition-group view-transition-group-children view-transition-image-pair
view-transition-new view-transition-old
""".split()  # noqa: SIM905 - as above
)
FUNCTIONS: Final = frozenset(
    """
abs acos alpha anchor anchor-size asin atan atan2 attr blur brightness calc calc-interpolate
calc-mix calc-size circle clamp color color-interpolate color-layers color-mix conic-gradient
content contrast contrast-color control-value cos counter counters cross-fade cross-origin
cubic-bezier cycle device-cmyk drop-shadow dynamic-range-limit-mix element ellipse env exp fade
filter first-valid fit-content grayscale hdr-color hsl hsla hue-rotate hwb hypot ictcp ident if
image image-set inherit inset integrity interpolate invert jzazbz jzczhz lab lch leader light-dark
linear linear-gradient log matrix matrix3d max media min minmax mod oklab oklch opacity paint
palette-mix param path perspective pointer polygon pow progress radial-gradient random random-item
ray rect referrer-policy rem repeat reversed repeating-conic-gradient repeating-linear-gradient
repeating-radial-gradient rgb rgba rotate rotate3d rotatex rotatey rotatez round running saturate
scale scale3d scalex scaley scalez scroll sepia shape sibling-count sibling-index sign sin skew
skewx skewy snap-block snap-inline sqrt src steps string stripes style superellipse supports
symbols tan target-counter target-counters target-text toggle transform-interpolate transform-mix
translate translate3d translatex translatey translatez type url url-pattern var view xywh
annotation character-variant historical-forms ornaments styleset stylistic swash
""".split()  # noqa: SIM905 - as above
)
# No value of these is a number without a unit, zero excepted.
LENGTHS: Final = frozenset(
    """
block-size border border-block border-block-end border-block-start border-bottom
border-bottom-left-radius border-bottom-right-radius border-bottom-width border-inline
border-inline-end border-inline-start border-left border-left-width border-radius border-right
border-right-width border-top border-top-left-radius border-top-right-radius border-top-width
border-width bottom box-shadow column-gap column-width flex-basis font-size gap height inline-size
inset inset-block inset-inline left letter-spacing margin margin-block margin-block-end
margin-block-start margin-bottom margin-inline margin-inline-end margin-inline-start margin-left
margin-right margin-top max-block-size max-height max-inline-size max-width min-block-size
min-height min-inline-size min-width outline outline-offset outline-width padding padding-block
padding-block-end padding-block-start padding-bottom padding-inline padding-inline-end
padding-inline-start padding-left padding-right padding-top right row-gap scroll-margin
scroll-padding text-indent text-underline-offset top translate width word-spacing
""".split()  # noqa: SIM905 - as above
)
UNITS: Final = frozenset(
    """
cap ch cm cqb cqh cqi cqmax cqmin cqw db deg dpcm dpi dppx dvb dvh dvi dvmax dvmin dvw em ex fr grad
hz ic in khz lh lvb lvh lvi lvmax lvmin lvw mm ms pc pt px q rad rcap rch rem rex ric rlh s st svb
svh svi svmax svmin svw turn vb vh vi vmax vmin vw x
""".split()  # noqa: SIM905 - as above
)
