"""Reads the journal: the rows of the change queue, with the runs that they went out in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, LiteralString, cast
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from robbieblocks.database import translated
from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.model import JsonObject
from robbieblocks.source_files import exact_json

ENTITIES: Final = {
    "page": "page",
    "component": "component",
    "style_token": "token",
    "node_branding": "node",
    "media": "media",
    "collection": "collection",
}
"""The entities of queue rows, by the words of commands."""

# Changes, the newest first. The key is the latest that the journal knows; rows that nobody kept
# the sides of have the key of today. JSON is read as text: a number may be beyond what a float
# holds. Python has no time before the year 1, after 9999, or infinite.
_CHANGES: LiteralString = """
    SELECT *
      FROM (SELECT q.id, q.entity_type AS entity, q.entity_id, q.changed_by AS by,
                   least(greatest(coalesce(q.created_at, '1970-01-01Z'), '0001-01-02Z'),
                         '9999-12-30Z') AT TIME ZONE 'UTC' AS at,
                   q.before::text AS before, q.after::text AS after,
                   q.processed_at IS NOT NULL AS processed,
                   ARRAY(SELECT unnest(q.handled_nodes)) AS handled_nodes,
                   coalesce(
                       q.after ->> kind.key_column, q.before ->> kind.key_column,
                       (SELECT page_key FROM robbieblocks_pages WHERE id = q.entity_id),
                       (SELECT component_key FROM robbieblocks_components WHERE id = q.entity_id),
                       (SELECT token_key FROM robbieblocks_style_tokens WHERE id = q.entity_id),
                       (SELECT node_id FROM robbieblocks_node_branding WHERE id = q.entity_id),
                       q.entity_id::text) AS key,
                   q.before ->> kind.key_column AS key_before, q.change_xid::text::numeric AS turn
              FROM robbieblocks_change_triggers AS q
              LEFT JOIN (VALUES ('page', 'page_key'), ('component', 'component_key'),
                                ('style_token', 'token_key'), ('node_branding', 'node_id'),
                                ('media', 'media_key'), ('collection', 'name'))
                        AS kind (entity, key_column) ON kind.entity = q.entity_type
           ) AS change
     WHERE (%(entity)s::text IS NULL OR entity = %(entity)s)
       AND (%(key)s::text IS NULL OR key = %(key)s OR key_before = %(key)s)
       AND (%(since)s::timestamptz IS NULL OR at >= %(since)s AT TIME ZONE 'UTC')
       AND (%(by)s::text IS NULL OR strpos(lower(by), lower(%(by)s)) > 0)
       AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s))
       AND (%(id)s::text IS NULL OR starts_with(id::text, %(id)s))
     ORDER BY at DESC, turn DESC NULLS LAST, id
     LIMIT %(limit)s
"""

# The runs that name changes among what asked for them, the first of each app on each node first.
_RUNS: LiteralString = """
    SELECT id, node_id AS node, app_namespace AS app, deploy_status AS status, build_hash,
           least(greatest(coalesce(completed_at, started_at, '1970-01-01Z'), '0001-01-02Z'),
                 '9999-12-30Z') AT TIME ZONE 'UTC' AS at,
           ARRAY(SELECT unnest(trigger_ids)) AS trigger_ids
      FROM robbieblocks_deploys
     WHERE trigger_ids && %(ids)s
     ORDER BY at, id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A run that a change was among the reasons for; `node` is None in rows of long ago."""

    run: UUID
    node: str | None
    app: str
    status: str
    build_hash: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a transaction did to a row.

    `before` and `after` are None where the row was not there, or both where nobody kept them.
    `entity` is a key of ENTITIES, or what a queue row of an earlier version says. `transaction` is
    its number on this server; None for rows that another server or an earlier version wrote.
    """

    id: UUID
    at: datetime
    entity: str
    entity_id: UUID
    key: str
    by: str | None
    before: JsonObject | None
    after: JsonObject | None
    processed: bool
    handled_nodes: tuple[str, ...] = ()
    runs: tuple[Published, ...] = ()
    unreadable: bool = False
    transaction: int | None = None

    @property
    def kept(self) -> bool:
        """Whether the journal has what the row was and is."""
        return not self.unreadable and not (self.before is None and self.after is None)

    @property
    def action(self) -> str:
        """What was done to the row: `added`, `removed`, `changed`, or `touched` where not kept."""
        if not self.kept:
            return "touched"
        return "added" if self.before is None else "removed" if self.after is None else "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which changes: None is any. `by` is part of who made it, in either case."""

    entity: str | None = None
    key: str | None = None
    since: datetime | None = None
    by: str | None = None
    ids: tuple[UUID, ...] | None = None
    limit: int = 50


def changes(connection: Connection, asked: Asked) -> tuple[Change, ...]:
    """The changes that are asked for, the newest first. Raises DatabaseUnavailable."""
    values = {
        "entity": asked.entity,
        "key": asked.key,
        "since": asked.since,
        "by": asked.by,
        "ids": None if asked.ids is None else list(asked.ids),
        "id": None,
        "limit": asked.limit,
    }
    return _read(connection, values)


def change(connection: Connection, id_: str) -> Change:
    """The change of this id, or of the only one that begins so.

    Raises UsageError where there is none, or several, and DatabaseUnavailable.
    """
    values = dict.fromkeys(("entity", "key", "since", "by", "ids"))
    found = _read(connection, {**values, "id": id_.strip().lower(), "limit": 2}) if id_ else ()
    if len(found) == 1:
        return found[0]
    several = "more than one change begins" if found else "no change begins"
    raise UsageError(
        f"{several} with {printable(id_)}: `robbieblocks changes list` names them; they are kept "
        "for 30 days"
    )


def _read(connection: Connection, values: dict[str, Any]) -> tuple[Change, ...]:
    with (
        translated("read the journal"),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        rows = cursor.execute(_CHANGES, values).fetchall()
        ids = [row["id"] for row in rows]
        runs = cursor.execute(_RUNS, {"ids": ids}).fetchall() if ids else []
    published: dict[UUID, list[Published]] = {}
    for row in runs:
        run = Published(
            run=row["id"],
            node=row["node"],
            app=row["app"],
            status=row["status"],
            build_hash=row["build_hash"],
            at=row["at"].replace(tzinfo=UTC),
        )
        for id_ in row["trigger_ids"]:
            published.setdefault(id_, []).append(run)
    return tuple(_change(row, published.get(row["id"], ())) for row in rows)


def json_object(text: str | None) -> dict[str, Any] | None:
    """An object from a row's JSON; None where there is none.

    Whoever may write the table may write anything into it.
    """
    try:
        value: Any = None if text is None else exact_json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _change(row: dict[str, Any], runs: Sequence[Published]) -> Change:
    before, after = json_object(row["before"]), json_object(row["after"])
    unreadable = (before is None) != (row["before"] is None)
    unreadable |= (after is None) != (row["after"] is None)
    return Change(
        id=row["id"],
        at=row["at"].replace(tzinfo=UTC),
        entity=row["entity"],
        entity_id=row["entity_id"],
        key=row["key"],
        by=row["by"],
        before=None if unreadable else before,
        after=None if unreadable else after,
        processed=row["processed"],
        handled_nodes=tuple(node for node in row["handled_nodes"] if node),
        runs=tuple(runs),
        unreadable=unreadable,
        transaction=None if row["turn"] is None else int(row["turn"]),
    )
