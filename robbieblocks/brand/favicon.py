"""A favicon made of a node's branding, so that tabs of two nodes can be told apart."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from robbieblocks.model import Asset

_DEFAULTS: Final = {"color.primary": "#5b5bd6", "color.on-primary": "#fff"}
# Where the letters stand on the square of 32, and how large they are, by their number.
_PLACES: Final = {1: (22.5, 19), 2: (21.5, 16)}


def branded_favicon(name: str, tokens: Mapping[str, str]) -> Asset:
    """A square in the node's first colour, with its initials.

    A token that names another property counts as its default: a picture has no stylesheet.
    """
    letters = _initials(name)
    ground, ink = (_color(tokens, key) for key in _DEFAULTS)
    drawn = f'<rect width="32" height="32" rx="7" fill="{ground}"/>'
    if letters:
        y, size = _PLACES[len(letters)]
        fit = ' textLength="22" lengthAdjust="spacingAndGlyphs"' if len(letters) == 2 else ""
        drawn += (
            f'<text x="16" y="{y}" font-family="system-ui,sans-serif" font-size="{size}"'
            f' font-weight="700" text-anchor="middle" fill="{ink}"{fit}>{escape(letters)}</text>'
        )
    else:
        drawn += f'<circle cx="16" cy="16" r="7" fill="{ink}"/>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{drawn}</svg>'
    return Asset.of("favicon", "svg", svg)


def _initials(name: str) -> str:
    """The first letters or digits of the first and the last word; of one word its first."""
    words = ("".join(filter(str.isalnum, word)) for word in name.split())
    first = [word[0].upper()[:1] for word in words if word]
    return "".join([*first[:1], *first[1:][-1:]])


def _color(tokens: Mapping[str, str], key: str) -> str:
    value = tokens.get(key, "")
    return escape(value if value and "var(" not in value else _DEFAULTS[key])
