"""The table `form_submissions`, and the rows that state forms.

Every function raises DatabaseUnavailable, SchemaOutdated or RightsMissing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.types.json import Jsonb

from robbieblocks.assemble import Form, stated_form
from robbieblocks.database import translated
from robbieblocks.errors import Problem
from robbieblocks.model import CollectionSource, Json, JsonObject, made_key, template_of
from robbieblocks.row_faults import blame
from robbieblocks.snapshot import row_of

_SPAM_DAYS: Final = 30

# The blocks of a published page whose component may state a form.
_BLOCKS: Final[LiteralString] = """
    WITH page AS MATERIALIZED (
        SELECT p.id, p.app_namespace,
               coalesce(nullif(p.metadata ->> 'lang', ''),
                        (SELECT f.metadata #>> '{settings,languages,default}'
                           FROM robbieblocks_pages f
                          WHERE f.app_namespace IN (p.app_namespace, 'shared')
                            AND f.status = 'published'
                            AND f.metadata -> 'frame' = 'true'
                            AND f.metadata #> '{settings,languages,default}' IS NOT NULL
                          ORDER BY f.app_namespace <> p.app_namespace, f.page_key LIMIT 1), '')
               AS lang
          FROM robbieblocks_pages p
         WHERE p.page_key = %s AND p.status = 'published'
    )
    SELECT page.app_namespace, page.lang, b.block_order, c.component_key, c.props_schema, b.props
      FROM page
      JOIN robbieblocks_page_blocks b ON b.page_id = page.id
      JOIN robbieblocks_components c ON c.id = b.component_id
     WHERE c.props_schema::text LIKE '%%"form"%%'
     ORDER BY b.block_order LIMIT 200
"""
# Stores nothing, and needs the rights to store and to read.
_TRY: Final[LiteralString] = """
    INSERT INTO form_submissions SELECT * FROM form_submissions WHERE false
"""
_INSERT: Final[LiteralString] = """
    INSERT INTO form_submissions (form_name, node_id, app, page_key, fields, state)
    VALUES (%s, %s, %s, %s, %s, %s)
"""
_LIST: Final[LiteralString] = """
    SELECT id, form_name, node_id, app, page_key, fields, state, received_at
      FROM form_submissions
     WHERE (%(form)s::text IS NULL OR form_name = %(form)s)
       AND (%(id)s::uuid IS NULL OR id = %(id)s)
       AND (%(spam)s OR state = 'received')
     ORDER BY received_at DESC, id LIMIT %(most)s
"""
_DELETE: Final[LiteralString] = "DELETE FROM form_submissions WHERE id = ANY(%s)"
# Of those that nobody was told of, the oldest.
_UNTOLD: Final[LiteralString] = """
    SELECT id, form_name, node_id, app, page_key, fields, state, received_at
      FROM form_submissions
     WHERE node_id = %s AND state = 'received' AND told_at IS NULL
     ORDER BY received_at, id LIMIT %s
"""
_TOLD: Final[LiteralString] = "UPDATE form_submissions SET told_at = now() WHERE id = %s"
_PRUNE: Final[LiteralString] = """
    DELETE FROM form_submissions
     WHERE received_at < now() - make_interval(days => %(days)s)
        OR (state = 'spam' AND received_at < now() - make_interval(days => %(spam_days)s))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What one visitor sent. `fields` has the answers by field."""

    id: UUID
    form: str
    node: str
    app: str
    page: str
    fields: JsonObject
    state: str
    received_at: datetime


def form_of(
    connection: Connection, page: str, name: str, collections: Sequence[CollectionSource] = ()
) -> tuple[str, str, Form] | None:
    """The app of a published page, its language, and the form that it states by this name; None
    without one. The language is "" where neither the page nor a frame of its app states one.

    A page that is made of a row of `collections` states what its template does. Raises
    ContentError where its row can't be read. Of a block whose row can't be read the log tells.
    """
    template = template_of(page)
    columns: JsonObject = {}
    if template:
        source = next((it for it in collections if it.template_page == template), None)
        key = page.removeprefix(made_key(template, ""))
        row = None if source is None else row_of(connection, source, key)
        if row is None:
            return None
        columns = row.values
    with translated("read the form"):
        rows = connection.execute(_BLOCKS, (template or page,)).fetchall()
    for app, lang, order, component, schema, props in rows:
        found = None
        # A block over which a library fails is no reason to refuse the form of another.
        with blame(_logged, "component", component, "props", page=page, block=order):
            found = stated_form(schema, props, name, columns)
        if found is not None:
            return app, lang, found
    return None


def check(connection: Connection) -> None:
    """See that submissions can be stored."""
    with translated("store submissions"):
        connection.execute(_TRY)


def keep(
    connection: Connection,
    *,
    form: str,
    node: str,
    app: str,
    page: str,
    fields: JsonObject,
    is_spam: bool,
) -> None:
    """Store a submission."""
    state = "spam" if is_spam else "received"
    with translated("store the submission"):
        connection.execute(_INSERT, (form, node, app, page, Jsonb(fields), state))


def submissions(
    connection: Connection,
    *,
    form: str | None = None,
    identity: UUID | None = None,
    with_spam: bool = False,
    most: int | None = None,
) -> list[Submission]:
    """What was sent, the newest first."""
    given = {"form": form, "id": identity, "spam": with_spam, "most": most}
    with translated("read the submissions"):
        return [_submission(*row) for row in connection.execute(_LIST, given).fetchall()]


def delete(connection: Connection, identities: Sequence[UUID]) -> int:
    """Remove submissions for good; how many were there."""
    with translated("remove the submissions"):
        return connection.execute(_DELETE, (list(identities),)).rowcount


def untold(connection: Connection, node: str, most: int) -> list[Submission]:
    """The oldest submissions to a node that nobody was told of."""
    with translated("read the submissions"):
        return [_submission(*row) for row in connection.execute(_UNTOLD, (node, most)).fetchall()]


def mark_told(connection: Connection, identity: UUID) -> None:
    """Note that the event which tells of a submission is in the outbox."""
    with translated("note what was told"):
        connection.execute(_TOLD, (identity,))


def prune(connection: Connection, keep_days: int) -> int:
    """Remove what is older than it may be; how many."""
    with translated("remove old submissions"):
        given = {"days": keep_days, "spam_days": _SPAM_DAYS}
        return connection.execute(_PRUNE, given).rowcount


def _logged(_problem: Problem) -> None:
    """Nobody is told besides the log: a build holds the block's page back, and says why."""


def _submission(
    identity: UUID,
    form: str,
    node: str,
    app: str,
    page: str,
    fields: Json,
    state: str,
    received_at: datetime,
) -> Submission:
    return Submission(
        id=identity,
        form=form,
        node=node,
        app=app,
        page=page,
        # Whoever may write the table may write anything into it.
        fields=fields if isinstance(fields, dict) else {},
        state=state,
        received_at=received_at,
    )
