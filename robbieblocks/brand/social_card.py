"""How a node's social cards look: its colours as numbers, and the font files of its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.brand.fonts import HostedFonts
from robbieblocks.brand.tokens import node_problem
from robbieblocks.errors import Problem
from robbieblocks.model import CardStyle, NodeRow

_SITE_LENGTH: Final = 100
# By theme: the ground, headings, texts, and what stands out.
_DEFAULTS: Final = {
    "light": ("#ffffff", "#14161a", "#585d66", "#1f5fa8"),
    "dark": ("#101318", "#f4f6fa", "#a8b0bd", "#8ab8e8"),
}
_TOKENS: Final = (
    ("color.background",),
    ("color.heading", "color.text"),
    ("color.text-muted", "color.text"),
    ("color.primary", "color.accent"),
)


def card_style(
    node: NodeRow, tokens: Mapping[str, str], hosted: HostedFonts, problems: list[Problem]
) -> CardStyle | None:
    """The style; None, with a warning, where nothing can be drawn or nobody would find it.

    A colour that can't be computed, and one of a token that is not there, is one for the theme.
    """
    titles, texts = hosted.upright("heading", 700), hosted.upright("body", 400)
    if not node.base_url.strip().startswith("https://"):
        what = "social cards need an address of the node on https: networks take no other"
        problems.append(_warning(node, what, "write base_url, or leave social_card out"))
        return None
    if not titles and not texts:
        what = "social cards need a font: neither headings nor texts have one of the toolchain"
        problems.append(_warning(node, what, "name one in font.heading or font.body"))
        return None
    ground, heading, text, accent = _colors(tokens, _DEFAULTS[node.theme])
    return CardStyle(
        site=node.name[:_SITE_LENGTH],
        background=ground,
        heading=heading,
        text=text,
        accent=accent,
        # What one lacks, the other may have.
        title_fonts=(*titles, *texts),
        text_fonts=(*texts, *titles),
    )


def _colors(tokens: Mapping[str, str], defaults: tuple[str, ...]) -> list[str]:
    # Imported only where cards are made: it takes time.
    from robbieblocks.css_colors import Color, color

    found: list[str] = []
    ground: Color | None = None
    for keys, default in zip(_TOKENS, defaults, strict=True):
        named = (color(tokens[key]) for key in keys if key in tokens)
        one = next(filter(None, named), None) or color(default) or Color(0.0, 0.0, 0.0, 1.0)
        one = one.over(ground or Color(1.0, 1.0, 1.0, 1.0))
        ground = ground or one
        parts = [round(min(max(part, 0.0), 1.0) * 255) for part in one[:3]]
        found.append("#" + bytes(parts).hex())
    return found


def _warning(node: NodeRow, what: str, remedy: str) -> Problem:
    problem = node_problem(node, "settings", what, remedy)
    return replace(problem, severity="warning", pointer="/social_card")
