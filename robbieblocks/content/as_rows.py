"""Content as the rows that a snapshot of a database with it would hold, without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID, uuid5

from robbieblocks.content.shape import Block, Component, Content, Media, Page
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import (
    SHARED_APP,
    BlockRow,
    CollectionSource,
    ComponentRow,
    Json,
    MediaBytes,
    MediaRow,
    NodeRow,
    PageRow,
    RowCollection,
    Snapshot,
    TokenRow,
    same,
)
from robbieblocks.snapshot import json_value
from robbieblocks.source_files import exact_json

# A row that no database has given an id gets one by its key.
_IDS: Final = UUID("6f1d0a52-6c7e-4c57-9a37-0f3f6f2b8d11")

Row = TypeVar("Row", PageRow, ComponentRow, NodeRow, TokenRow)


def as_rows(
    content: Content,
    *,
    taken_at: datetime,
    drafts: bool = False,
    previous: Snapshot | None = None,
    sources: Iterable[CollectionSource] = (),
) -> Snapshot:
    """The snapshot that `snapshot.take` would give of a database with this content.

    Rows that are equal to those of `previous` are its own objects. With `drafts` drafts are there
    too, and each component counts as published. Files have no rows of the collections `sources`: no
    page is made of their templates.
    """
    before = previous or Snapshot(pages=(), components={}, tokens=(), nodes=(), taken_at=taken_at)
    nodes = _shared(map(_node, content.nodes), before.nodes, lambda row: row.id)
    apps = {SHARED_APP}.union(*(node.apps for node in nodes))
    pages = (
        _page(row)
        for row in content.pages
        if row.app in apps and (row.status == "published" or (drafts and row.status == "draft"))
    )
    tokens = (
        TokenRow(key=row.key, category=row.category, default=row.value) for row in content.tokens
    )
    made = (_component(row, drafts=drafts) for row in content.components)
    known = tuple(before.components.values())
    components = _shared(made, known, lambda row: row.key)
    media = {row.key: _media(row) for row in content.media}
    return Snapshot(
        pages=_shared(pages, before.pages, lambda row: row.key),
        components=(
            before.components if same(components, known) else {row.key: row for row in components}
        ),
        tokens=_shared(tokens, before.tokens, lambda row: row.key),
        nodes=nodes,
        collections=_shared_empty(sources, before.collections),
        media=before.media if before.media == media else media,
        media_content=partial(_content_of, {row.key: row for row in content.media}),
        taken_at=taken_at,
    )


def _shared(
    rows: Iterable[Row], before: tuple[Row, ...], key: Callable[[Row], str]
) -> tuple[Row, ...]:
    known = {key(row): row for row in before}
    found: list[Row] = []
    for row in sorted(rows, key=key):
        held = known.get(key(row))
        found.append(row if held is None or held != row else held)
    unchanged = len(found) == len(before) and all(map(same, found, before))
    return before if unchanged else tuple(found)


def _shared_empty(
    sources: Iterable[CollectionSource], before: tuple[RowCollection, ...]
) -> tuple[RowCollection, ...]:
    made = tuple([RowCollection(source=source, columns=(source.key,)) for source in sources])
    return before if made == before else made


def _node(row: NodeRow) -> NodeRow:
    return replace(
        row,
        overrides=_stored(row.overrides, "node_branding", row.id, "style_overrides"),
        settings=_stored(row.settings, "node_branding", row.id, "settings"),
    )


def _page(row: Page) -> PageRow:
    draft = row.status == "draft"
    moment = row.published_at
    return PageRow(
        id=uuid5(_IDS, f"page/{row.key}"),
        key=row.key,
        app=row.app,
        name=row.name,
        route=row.route,
        layout=row.layout,
        meta_title=row.title,
        meta_description=row.description,
        published_at=None if draft or moment is None else moment.astimezone(UTC),
        metadata=_stored(row.metadata, "page", row.key, "metadata"),
        blocks=tuple([_block(row.key, block) for block in row.blocks]),
        draft=draft,
    )


def _block(page: str, block: Block) -> BlockRow:
    return BlockRow(
        block.order,
        block.zone,
        block.component,
        _stored(block.props, "page", page, "props"),
        _stored(block.conditions, "page", page, "conditions"),
    )


def _component(row: Component, *, drafts: bool) -> ComponentRow:
    return ComponentRow(
        id=uuid5(_IDS, f"component/{row.key}"),
        key=row.key,
        name=row.name,
        type=row.type,
        code=row.code,
        css=row.css or "",
        props_schema=_stored(row.props_schema, "component", row.key, "props_schema"),
        dependencies=row.dependencies,
        published=row.published or drafts,
        metadata=_stored(row.metadata, "component", row.key, "metadata"),
        draft=drafts and not row.published,
    )


def _media(row: Media) -> MediaRow:
    return MediaRow(
        key=row.key,
        file_name=row.file_name,
        type=row.type,
        hash=row.hash,
        size=row.size,
        alt=row.alt or "",
        is_decorative=row.is_decorative,
        focal_point=row.focal_point or "",
        served_path=row.served_path or "",
    )


def _content_of(rows: Mapping[str, Media], key: str) -> MediaBytes:
    row = rows[key]
    try:
        return row.read()
    except OSError as error:
        raise SiteUnavailable(f"can't read {row.file}: {error.strerror or error}") from error


def _stored(value: Json, entity: str, key: str, field: str) -> Json:
    """A value as it comes back from a jsonb column."""
    if isinstance(value, Mapping) and not value:
        return {}
    return json_value(exact_json.dumps(value), entity, key, field)
