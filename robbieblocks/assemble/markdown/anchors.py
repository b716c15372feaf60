"""The ids of headings and footnotes: GitHub's, each once on a page, whatever other texts it has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from markdown_it.token import Token

# The page's own ids, those of footnotes, and an empty one.
_RESERVED_ID: Final = re.compile(r"((?:f\d+)?b-?\d+|rb-.*|fn(?:ref)?[-\d].*)?", re.DOTALL)


@dataclass(slots=True)
class PageAnchors:
    """The ids that the texts of a page have so far; `notes` counts its texts with footnotes."""

    notes: int = 0
    _taken: dict[str, int] = field(default_factory=dict[str, int])

    def take(self, ids: Iterable[str], *, has_notes: bool) -> bool:
        """Take ids that a text has by itself; False where another text has one of them."""
        wanted = tuple(ids)
        if any(each in self._taken for each in wanted) or (has_notes and self.notes):
            return False
        self._taken |= dict.fromkeys(wanted, 1)
        self.notes += has_notes
        return True

    def free(self, slug: str) -> str:
        """An id made of a slug that no other heading has: the slug, or with a number behind it."""
        anchor = slug
        while anchor in self._taken:
            anchor = f"{slug}-{self._taken[slug]}"
            self._taken[slug] += 1
        self._taken[anchor] = 1
        return anchor


def set_anchors(tokens: Sequence[Token], anchors: PageAnchors) -> tuple[str, ...]:
    """Give each heading an id made of its text, and give these ids.

    A text's links to its own headings lead there, also where another text of the page has the id.
    """
    alone = PageAnchors()
    ids: list[str] = []
    renamed: dict[str, str] = {}
    for index, token in enumerate(tokens):
        if token.type != "heading_open":
            continue
        text = "".join(part.content for part in tokens[index + 1].children or ()).strip()
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        if _RESERVED_ID.fullmatch(slug):
            slug = f"section-{slug}".rstrip("-")
        anchor, own = anchors.free(slug), alone.free(slug)
        if anchor != own:
            renamed[own] = anchor
        ids.append(anchor)
        token.attrSet("id", anchor)
        tokens[index + 2].meta = {"id": anchor, "text": text}
    if renamed:
        _redirect(tokens, renamed)
    return tuple(ids)


def _redirect(tokens: Sequence[Token], renamed: dict[str, str]) -> None:
    for token in (part for each in tokens for part in each.children or ()):
        address = str(token.attrs.get("href", ""))
        if address.startswith("#") and (anchor := renamed.get(unquote(address[1:]))):
            token.attrSet("href", f"#{quote(anchor)}")
