"""Finds a control that stands in another one: a button in a link, a label in a label.

HTML does not allow it (4.5.1, 4.10.4, 4.10.6), and a parser leaves most of it as it is written.
Browsers decide what a click does then, and keyboards and screen readers reach one of the two.
"""

from __future__ import annotations

from typing import Final

from selectolax.lexbor import LexborHTMLParser

from robbieblocks.prerender.isolate.html_check import block_node

# Interactive content (HTML 3.2.5.2.7), and what a tabindex makes of others.
_OPERATED: Final = (
    *("a[href]", "button", "details", "embed", "iframe", "label", "select", "textarea"),
    *('input:not([type="hidden" i])', "audio[controls]", "video[controls]", "img[usemap]"),
    '[tabindex]:not([tabindex="-1"])',
)
# Lexbor finds nothing below `:is(a, button)`.
_INSIDE: Final = ", ".join(
    [*(f"{outer} :is({', '.join(_OPERATED)})" for outer in ("a", "button")), "label label"]
)
_OUTER: Final = {"label": frozenset({"a", "button", "label"})}
_ANY_OUTER: Final = frozenset({"a", "button"})


def nested_controls_in(document: LexborHTMLParser) -> str:
    """The names of two elements that a visitor operates, the second in the first; or ""."""
    wrapper = block_node(document)
    found = wrapper.css_first(_INSIDE) if wrapper is not None else None
    if found is None:
        return ""
    inner = found.tag or ""
    outer = found.parent
    while outer is not None and outer.tag not in _OUTER.get(inner, _ANY_OUTER):
        outer = outer.parent
    return f"{outer.tag} {inner}" if outer is not None else ""
