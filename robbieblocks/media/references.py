"""Which media rows refer to, and the addresses of these in stylesheets and of nodes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, TypeVar, cast
from uuid import UUID

from robbieblocks.media_names import REFERENCE, URL_IN_CSS
from robbieblocks.model import (
    ComponentRow,
    Json,
    MediaLibrary,
    NodeRow,
    PageRow,
    Snapshot,
    TokenRow,
    canonical_json,
    same,
)

_Row: TypeAlias = ComponentRow | NodeRow | TokenRow
_AnyRow = TypeVar("_AnyRow", ComponentRow, NodeRow, TokenRow)
_NONE: Final = frozenset[str]()
_SIGN: Final = "media:"


@dataclass(slots=True)
class References:
    """The keys of media that rows refer to; what is known of a page holds while it is unchanged."""

    _pages: dict[UUID, tuple[PageRow, frozenset[str]]] = field(
        default_factory=dict[UUID, tuple[PageRow, frozenset[str]]]
    )

    def of(self, content: Snapshot) -> set[str]:
        """The keys that any row names, and those of files with an address of their own."""
        found = {row.key for row in content.media.values() if row.served_path}
        pages: dict[UUID, tuple[PageRow, frozenset[str]]] = {}
        for page in content.pages:
            known = self._pages.get(page.id)
            if known is None or not same(known[0], page):
                known = page, _of_page(page)
            pages[page.id] = known
            found |= known[1]
        self._pages = pages
        found.update(*(each.media for each in content.collections))
        for component in content.components.values():
            found |= _keys(component.css) | _keys_in(component.props_schema)
        for node in content.nodes:
            found |= _keys(node.custom_css) | _keys_in(node.overrides) | _keys_in(node.settings)
        for token in content.tokens:
            found |= _keys(token.default)
        return found


def _of_page(page: PageRow) -> frozenset[str]:
    return _NONE.union(_keys_in(page.metadata), *(_keys_in(block.props) for block in page.blocks))


def _keys_in(value: Json) -> frozenset[str]:
    try:
        return _keys(canonical_json(value)) if value else _NONE
    except (ValueError, TypeError, RecursionError):
        # Whoever checks the value says what is wrong with it.
        return _NONE


def _keys(text: str) -> frozenset[str]:
    return frozenset(REFERENCE.findall(text)) if _SIGN in text else _NONE


def keys_in_styles(content: Snapshot) -> frozenset[str]:
    """The keys that stylesheets, tokens and nodes name, those of nodes' icons among them."""
    texts = [
        *(row.css for row in content.components.values()),
        *(text for node in content.nodes for text in _texts_of(node)),
        *(row.default for row in content.tokens),
    ]
    found = (found[2] for text in texts if _SIGN in text for found in URL_IN_CSS.finditer(text))
    of_settings = (key for node in content.nodes for key in _keys_in(node.settings))
    return frozenset((*found, *of_settings, *filter(None, map(_image_of, content.nodes))))


def _image_of(node: NodeRow) -> str:
    """The key of the picture for pages without one; empty where it is none of media."""
    named = REFERENCE.fullmatch(node.og_image.strip())
    return named[1] if named else ""


def _texts_of(node: NodeRow) -> Iterable[str]:
    yield node.custom_css
    if isinstance(node.overrides, Mapping):
        yield from (value for value in node.overrides.values() if isinstance(value, str))


@dataclass(slots=True)
class Styles:
    """Rows with addresses in place of `url(media:<key>)`, and of a node's `og_image`: the same
    objects for the same rows.
    """

    _urls: Mapping[str, str] = field(default_factory=dict[str, str])
    _photos: Set[str] = _NONE
    _rows: dict[int, tuple[_Row, _Row]] = field(default_factory=dict[int, tuple[_Row, _Row]])
    _components: tuple[Mapping[str, ComponentRow], Mapping[str, ComponentRow]] | None = None
    _nodes: tuple[tuple[NodeRow, ...], tuple[NodeRow, ...]] | None = None
    _tokens: tuple[tuple[TokenRow, ...], tuple[TokenRow, ...]] | None = None

    def resolved(self, content: Snapshot, library: MediaLibrary) -> Snapshot:
        """The content with its stylesheets resolved; itself where none refers to media.

        A key that is not there stays as it is: the checks of stylesheets name it.
        """
        keys = keys_in_styles(content)
        urls = {key: library.media[key].url for key in sorted(keys) if key in library.media}
        photos = {key for key in urls if library.media[key].is_photo}
        if not urls:
            return content
        if (urls, photos) != (self._urls, self._photos):
            self._urls, self._photos = urls, photos
            self._rows.clear()
            self._components = self._nodes = self._tokens = None
        if self._components is None or not same(self._components[0], content.components):
            made = {key: self._of(row) for key, row in content.components.items()}
            self._components = content.components, made
        if self._nodes is None or not same(self._nodes[0], content.nodes):
            self._nodes = content.nodes, tuple([self._of(row) for row in content.nodes])
        if self._tokens is None or not same(self._tokens[0], content.tokens):
            self._tokens = content.tokens, tuple([self._of(row) for row in content.tokens])
        return replace(
            content,
            components=self._components[1],
            nodes=self._nodes[1],
            tokens=self._tokens[1],
        )

    def _of(self, row: _AnyRow) -> _AnyRow:
        known = self._rows.get(id(row))
        if known is None or not same(known[0], row):
            known = self._rows[id(row)] = row, self._replaced(row)
        return cast("_AnyRow", known[1])

    def _replaced(self, row: _Row) -> _Row:
        if isinstance(row, ComponentRow):
            return replace(row, css=self._text(row.css)) if _SIGN in row.css else row
        if isinstance(row, TokenRow):
            return replace(row, default=self._text(row.default)) if _SIGN in row.default else row
        if not any(_SIGN in text for text in _texts_of(row)):
            return row
        overrides = row.overrides
        if isinstance(overrides, Mapping):
            overrides = {
                name: self._text(value) if isinstance(value, str) else value
                for name, value in overrides.items()
            }
            if (key := _image_of(row)) in self._photos:
                overrides["og_image"] = self._urls[key]
        return replace(row, custom_css=self._text(row.custom_css), overrides=overrides)

    def _text(self, text: str) -> str:
        def address(it: re.Match[str]) -> str:
            url = self._urls.get(it[2])
            return f'url("{url}")' if url else it[0]

        return URL_IN_CSS.sub(address, text)
