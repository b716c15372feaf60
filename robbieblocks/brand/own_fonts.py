"""Fonts of media in a node's CSS: a face of the common letters behind each, and what takes its
place until it is there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from robbieblocks.brand.families import families
from robbieblocks.brand.fonts import measured_rules, names_for
from robbieblocks.model import OwnFont

_FACE: Final = re.compile(r"@font-face[ \t\r\n\f]{0,9}\{([^{}]*)\}", re.IGNORECASE)
_URL: Final = re.compile(r"""url\("(/_rb/[A-Za-z0-9._-]{1,300})"\)""")
_WEIGHT: Final = re.compile(r"[A-Za-z0-9 ]{1,20}")
NO_FONTS: Final[Mapping[str, OwnFont]] = {}


class OwnFace(NamedTuple):
    """An upright face of a font of media: the address of its file, and the weights that it states,
    empty where it states none.
    """

    url: str
    weight: str


@dataclass(frozen=True, slots=True)
class OwnFonts:
    """A node's CSS with what was added to its faces. `fallbacks` has, by each family that it states
    a face of, in lower case, the names of what takes its place: none where it was not measured.
    `faces` has those of which the file is one of media, by family, too.
    """

    css: str
    fallbacks: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    faces: Mapping[str, tuple[OwnFace, ...]] = field(default_factory=dict[str, tuple[OwnFace, ...]])

    @classmethod
    def of(cls, css: str, fonts: Mapping[str, OwnFont]) -> OwnFonts:
        """Of CSS in which media have their addresses. No line of it moves."""
        fallbacks: dict[str, tuple[str, ...]] = {}
        faces: dict[str, tuple[OwnFace, ...]] = {}

        def with_more(face: re.Match[str]) -> str:
            said = _descriptors(face[1])
            stated = said.get("font-family", "")
            family = (families(stated) or [stated])[0].lower()
            found = _URL.search(face[1])
            font = fonts.get(found[1]) if found else None
            known = fallbacks.setdefault(family, ())
            if font is None or found is None:
                return face[0]
            if _is_upright(said):
                upright = OwnFace(found[1], said.get("font-weight", ""))
                faces[family] = (*faces.get(family, ()), upright)
            parts = [face[0]]
            if font.common and "unicode-range" not in said:
                common = face[0].replace(found[0], f'url("{font.common}")').removesuffix("}")
                parts.append(f"{common};unicode-range:{font.common_range}}}")
            rules = list(_fallback(family, font, said)) if family else []
            if rules and font.kind:
                fallbacks[family] = known or names_for(family, font.kind)
            return "".join([*parts, *rules])

        made = _FACE.sub(with_more, css) if "@" in css else css
        return cls(made, {name: found for name, found in fallbacks.items() if name}, faces)


def _descriptors(body: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in body.split(";"):
        name, _, value = part.rpartition("*/")[2].partition(":")
        found[name.strip().lower()] = " ".join(value.split())
    return found


def _is_upright(said: Mapping[str, str]) -> bool:
    return said.get("font-style", "normal").lower() == "normal"


def _fallback(family: str, font: OwnFont, said: Mapping[str, str]) -> Iterator[str]:
    """The faces that take the place of an upright one. One file for all weights has measures of
    two, a file of one weight is measured at that.
    """
    weights = said.get("font-weight", "")
    if font.kind is None or not _is_upright(said) or (weights and not _WEIGHT.fullmatch(weights)):
        return
    for measure in font.measures:
        stated = "" if len(font.measures) > 1 else weights or "1 1000"
        yield from measured_rules(family, font.kind, measure, stated)
