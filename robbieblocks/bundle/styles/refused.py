"""At-rules that a component's stylesheet can't have."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

_OF_PAGES: Final = "put it into a node's custom_css: it holds for the whole page"
# With what to do instead.
REFUSED: Final = {
    "import": "put the rules here; fonts come from the style tokens",
    "charset": "leave it out: the text is Unicode already",
    "namespace": "leave it out",
    "font-face": "name the font in a style token (font.*): it is hosted for every page",
    "apply": "put the classes into className, or write what they do",
    "tailwind": "leave it out: utility classes are there",
    "theme": "add tokens: they are Tailwind's theme",
    "utility": "write a class",
    "variant": "write what it stands for: a media query, :hover, or [data-theme]",
    "custom-variant": "write what it stands for: a media query, :hover, or [data-theme]",
    "screen": "write a media query, such as @media (width >= 40rem)",
    "mixin": "write its declarations: this is CSS",
    "include": "write its declarations: this is CSS",
    "use": "leave it out: this is CSS",
    "extend": "write the declarations: this is CSS",
    **dict.fromkeys(("if", "else", "each", "for", "while"), "write the rules out: this is CSS"),
    **dict.fromkeys(("function", "return"), "write the values out: this is CSS"),
    **dict.fromkeys(("forward", "plugin", "config", "source", "reference"), "leave it out"),
    **dict.fromkeys(("variants", "responsive"), "write media queries and :hover"),
    **dict.fromkeys(("debug", "warn", "error", "at-root"), "leave it out: this is CSS"),
    **dict.fromkeys(("view-transition", "page", "font-feature-values", "color-profile"), _OF_PAGES),
    "custom-selector": "write the selector out",
    "nest": "write the selector with & alone",
    "position-fallback": "write @position-try --name { ... } for each position",
    "custom-media": "write the condition out, such as @media (width < 30em)",
}
# What a component's stylesheet can have.
_KNOWN: Final = (
    *("media", "supports", "container", "layer", "starting-style", "keyframes", "property"),
    *("scope", "counter-style", "position-try", "font-palette-values"),
)
_LIKENESS: Final = 0.8


def instead_of(name: str) -> str:
    """What to do about an at-rule that is refused, by its name in lower case."""
    if name in REFUSED:
        return REFUSED[name]
    near = get_close_matches(name[:40], _KNOWN, n=1, cutoff=_LIKENESS)
    return f"did you mean @{near[0]}?" if near else "leave it out: it would hold for the whole page"
