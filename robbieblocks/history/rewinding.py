"""Rows as they were before each change: the journal taken back in memory, one change at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

from psycopg import Connection

from robbieblocks.content import Content, ContentRow, Page
from robbieblocks.database import translated
from robbieblocks.errors import UsageError
from robbieblocks.history import journal
from robbieblocks.history.journal import Asked, Change
from robbieblocks.history.sides import content_row, left_out, part
from robbieblocks.history.undoing import changed
from robbieblocks.messages import printable
from robbieblocks.model import Json, JsonObject, NodeRow
from robbieblocks.source_files import exact_json

# The rows that a page can be made from, as the journal has them: the page itself, and all others.
_ROWS: LiteralString = """
    SELECT 'page', id, (to_jsonb(t) || jsonb_build_object('blocks', coalesce(
               (SELECT jsonb_object_agg(b.id, to_jsonb(b) || jsonb_build_object(
                           'component_key', c.component_key))
                  FROM robbieblocks_page_blocks b
                  LEFT JOIN robbieblocks_components c ON c.id = b.component_id
                 WHERE b.page_id = t.id), '{}')))::text
      FROM robbieblocks_pages t WHERE page_key = %(page)s
    UNION ALL SELECT 'component', id, to_jsonb(t)::text FROM robbieblocks_components t
    UNION ALL SELECT 'style_token', id, to_jsonb(t)::text FROM robbieblocks_style_tokens t
    UNION ALL SELECT 'node_branding', id, to_jsonb(t)::text FROM robbieblocks_node_branding t
"""
# The zone that the journal has times in.
_ZONE: LiteralString = "SELECT set_config('TimeZone', 'UTC', true)"
_CHANGES_MAX: Final = 10_000


class RowId(NamedTuple):
    """A row by its entity and id."""

    entity: str
    id: UUID


Rows = Mapping[RowId, JsonObject]


class Rewound(NamedTuple):
    """The rows before a change, and the change."""

    change: Change
    rows: Rows


def rows_now(connection: Connection, page: str) -> Rows:
    """The rows that a page can be made from. Raises UsageError where there is no such page."""
    with translated("read the rows of a page"), connection.transaction():
        connection.execute(_ZONE)
        found = connection.execute(_ROWS, {"page": page}).fetchall()
    rows = {RowId(entity, id_): journal.json_object(text) or {} for entity, id_, text in found}
    if not any(name.entity == "page" for name in rows):
        raise UsageError(f"there is no page {printable(page)} to look at: it must be there today")
    return rows


def rewound(connection: Connection, rows: Rows) -> Iterator[Rewound]:
    """The rows before each change that concerns them, the newest first.

    Ends where the journal does, or has not kept what was there: as with drafts.
    """
    page = next(name for name in rows if name.entity == "page")
    for change in journal.changes(connection, Asked(limit=_CHANGES_MAX)):
        if change.entity == "page" and change.entity_id != page.id:
            continue
        before = _before(rows, change)
        if before is None:
            return
        rows = before
        yield Rewound(change, rows)
        if page not in rows:
            return


def content_of(rows: Rows) -> Content:
    """The rows as content; a page whose time can't be told is a draft."""
    found = [row for name, side in rows.items() if (row := content_row(name.entity, side))]
    return Content.of(sorted(map(_timed, found), key=_key))


def _timed(row: ContentRow) -> ContentRow:
    if not isinstance(row, Page) or row.published_at is None:
        return row
    try:
        return replace(row, published_at=datetime.fromisoformat(str(row.published_at)))
    except ValueError:
        return replace(row, published_at=None, status="draft")


def _key(row: ContentRow) -> str:
    return row.id if isinstance(row, NodeRow) else row.key


def _before(rows: Rows, change: Change) -> Rows | None:
    """The rows before a change; None where they are not as it left them, or it is not kept."""
    name = RowId(change.entity, change.entity_id)
    now, before, after = rows.get(name), change.before, change.after
    if not change.kept or left_out(before) or left_out(after) or (now is None) != (after is None):
        return None
    others = {key: row for key, row in rows.items() if key != name}
    if before is None:
        return others
    if now is None or after is None:
        return {**others, name: before}
    row = _altered(now, before, after)
    if row is None:
        return None
    if "blocks" in now:
        blocks = _blocks_before(now, before, after)
        if blocks is None:
            return None
        row = {**row, "blocks": blocks}
    return {**others, name: row}


def _altered(
    now: Mapping[str, Json], before: Mapping[str, Json], after: Mapping[str, Json]
) -> dict[str, Json] | None:
    """A row with the fields that a change altered as they were; None where they differ since."""
    fields = changed(before, after)
    if any(exact_json.dumps(now.get(each)) != exact_json.dumps(after.get(each)) for each in fields):
        return None
    return {**now, **{each: before.get(each) for each in fields}}


def _blocks_before(
    now: Mapping[str, Json], before: Mapping[str, Json], after: Mapping[str, Json]
) -> dict[str, Json] | None:
    blocks: dict[str, Json] = dict(part(now, "blocks"))
    old, new = part(before, "blocks"), part(after, "blocks")
    for key in old.keys() | new.keys():
        if (key in blocks) != (key in new):
            return None
        if key not in old:
            del blocks[key]
        elif key not in blocks:
            blocks[key] = old[key]
        else:
            row = _altered(part(blocks, key), part(old, key), part(new, key))
            if row is None:
                return None
            blocks[key] = row
    return blocks
