"""Where in the rows a text stands that a page shows: a prop, or a component's code or schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer
from robbieblocks.model import AssembledPage, BlockRow, ComponentRow, Json, PageRow
from robbieblocks.pipeline import Inspection

_IMPORTED: Final = re.compile(r"@robbieblocks/([\w.-]+)")
_WORD: Final = re.compile(r"[\w-]*")
# Strings are passed over, so that `//` in an address begins no comment. What is not closed goes to
# its end: no text is read twice.
_COMMENT: Final = re.compile(
    r"""("(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?)"""
    r"""|//[^\n]*|/\*(?:.*?\*/|.*)""",
    re.DOTALL,
)


class Place(NamedTuple):
    """A row and a place in it, as `Problem` names them."""

    entity: str
    key: str
    field: str = ""
    pointer: str = ""
    line: int | None = None
    column: int | None = None
    source: str = ""
    page: str = ""
    block: int | None = None

    def problem(self, what: str, remedy: str) -> Problem:
        """A problem at this place."""
        return Problem(what=what, remedy=remedy, **self._asdict())


def in_text(entity: str, key: str, field: str, text: str, offset: int) -> Place:
    """The place of an offset in the text of a row."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    return Place(
        entity=entity,
        key=key,
        field=field,
        line=text.count("\n", 0, offset) + 1,
        column=offset - start + 1,
        source=text[start : end if end >= 0 else len(text)],
    )


@lru_cache(maxsize=512)
def without_comments(code: str) -> str:
    """Code with blanks in place of its comments, so that offsets stay."""
    return _COMMENT.sub(lambda found: found[1] or re.sub(r"[^\n]", " ", found[0]), code)


class Sources:
    """Finds where the texts of rendered blocks come from."""

    def __init__(self, inspection: Inspection) -> None:
        self._components = inspection.content.components
        self._blocks: Mapping[tuple[str, int | None], BlockRow] = {
            (page.key, block.order): block
            for page in inspection.content.pages
            for block in page.blocks
        }
        self._keys = {page.route: page.key for page in inspection.content.pages}

    def of(self, text: str, page: PageRow | AssembledPage, order: int | None) -> Place:
        """Where a block of a page has a text from: as near as can be told, else the block.

        Outside of blocks it is from the layout.
        """
        block = self._blocks.get((page.key, order))
        if block is None:
            return Place("template", f"layouts/{page.layout}.html.j2")
        # In a page's HTML addresses of Markdown are encoded, and stand for pages that it names.
        for written in dict.fromkeys((text, unquote(text), *self._by_page(text))):
            if (found := _found(block.props, written)) is not None:
                return _in_prop(block.frame or page.key, block, found, written)
        for component in self.reached(block.component):
            if (place := _in_component(component, text)) is not None:
                return place
        row = block.frame or page.key
        return Place("component", block.component, page=row, block=block.own_order)

    def _by_page(self, address: str) -> Iterator[str]:
        """The address as a link by page."""
        whole = unquote(address)
        route = whole.partition("#")[0].partition("?")[0]
        if (key := self._keys.get(route)) is not None:
            yield f"page:{key}{whole.removeprefix(route)}"

    def reached(self, key: str) -> Iterator[ComponentRow]:
        """A component and all that it imports, by the texts: broken ones import, too."""
        return with_imported({key}, self._components)


def with_imported(keys: set[str], components: Mapping[str, ComponentRow]) -> Iterator[ComponentRow]:
    """The components of these keys and all that they import."""
    known: set[str] = set()
    pending = sorted(keys)
    while pending:
        key = pending.pop(0)
        if key in components and key not in known:
            known.add(key)
            yield components[key]
            pending += _IMPORTED.findall(components[key].code)


class _Text(NamedTuple):
    """A string of a JSON value, and where it is in it."""

    pointer: str
    text: str


def _found(value: Json, text: str) -> _Text | None:
    """The first string that is a text, else the first that holds it.

    A single word is found as a whole only: it may stand in any sentence.
    """
    within: _Text | None = None
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, str):
            if inner == text:
                return _Text(json_pointer(*path), inner)
            if within is None and text in inner and not _WORD.fullmatch(text):
                within = _Text(json_pointer(*path), inner)
        elif isinstance(inner, Mapping):
            waiting += reversed([((*path, name), part) for name, part in inner.items()])
        elif isinstance(inner, list):
            waiting += reversed([((*path, index), part) for index, part in enumerate(inner)])
    return within


def _in_prop(page: str, block: BlockRow, found: _Text, written: str) -> Place:
    """The place of a text in a prop; its line, where the prop has several."""
    place = Place("page", page, "props")
    if "\n" in found.text:
        place = in_text("page", page, "props", found.text, found.text.find(written))
    return place._replace(pointer=found.pointer, page=page, block=block.own_order)


def _in_component(row: ComponentRow, text: str) -> Place | None:
    code = without_comments(row.code)
    bare = () if _WORD.fullmatch(text) else (text,)
    for written in (f'"{text}"', f"'{text}'", f"`{text}`", *bare):
        at = code.find(written)
        if at >= 0:
            return in_text("component", row.key, "react_code", row.code, at)
    found = _found(row.props_schema, text)
    return None if found is None else Place("component", row.key, "props_schema", found.pointer)
