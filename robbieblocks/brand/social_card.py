"""How a node's social cards look: its colours as numbers, and the font files of its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from robbieblocks.brand.fonts import HostedFonts, distance
from robbieblocks.brand.own_fonts import OwnFonts
from robbieblocks.brand.tokens import node_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import ASSET_PREFIX, Asset, CardStyle, NodeRow

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


# A font in parts has a face for each alphabet.
_OWN_FILES: Final = 12


def card_style(
    node: NodeRow,
    tokens: Mapping[str, str],
    hosted: HostedFonts,
    own: OwnFonts,
    problems: list[Problem],
) -> CardStyle | None:
    """The style; None, with a warning, where nothing can be drawn or nobody would find it.

    A colour that can't be computed, and one of a token that is not there, is one for the theme. Of
    fonts of media there are the names alone: who draws has their bytes.
    """
    titles, texts = _fonts(hosted, own, "heading", 700), _fonts(hosted, own, "body", 400)
    if not node.base_url.strip().startswith("https://"):
        what = "social cards need an address of the node on https: networks take no other"
        problems.append(_warning(node, what, "write base_url, or leave social_card out"))
        return None
    if not titles and not texts:
        what = "social cards need a font: neither headings nor texts have one of the toolchain"
        remedy = (
            "name one in font.heading or font.body, or put the file of yours into content/media/"
        )
        problems.append(_warning(node, what, remedy))
        return None
    for role in ("heading", "body"):
        if (family := hosted.own_family(role)) and family not in own.faces:
            what = f"social cards can't be drawn in {printable(family)}: its faces name no media"
            remedy = "put its file into content/media/, and name it in the face: url(media:<key>)"
            problems.append(_warning(node, what, remedy))
            break
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


def _fonts(hosted: HostedFonts, own: OwnFonts, role: str, weight: int) -> tuple[Asset, ...]:
    """The upright files of a role, those of media first."""
    faces = own.faces.get(hosted.own_family(role), ())
    nearest = min((distance(face.weight, weight) for face in faces), default=0)
    urls = [face.url for face in faces if distance(face.weight, weight) == nearest]
    names = [url.removeprefix(ASSET_PREFIX) for url in dict.fromkeys(urls)]
    return (*[Asset(name, b"") for name in names[:_OWN_FILES]], *hosted.upright(role, weight))


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
