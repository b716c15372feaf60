"""Reads runs: what each did to which page and why, and the changes that it took along."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import dict_row

from robbieblocks.database import translated
from robbieblocks.errors import UsageError
from robbieblocks.history import journal
from robbieblocks.history.journal import Change
from robbieblocks.messages import printable
from robbieblocks.model import Json
from robbieblocks.pipeline import Cause

# Runs, the newest first; rows of an earlier version may lack a node and a time. Python has no time
# before the year 1, after 9999, or infinite.
_RUNS: LiteralString = """
    SELECT *
      FROM (SELECT id, node_id AS node, app_namespace AS app, deploy_status AS status, build_hash,
                   pages_count AS pages, components_count AS components,
                   build_duration_ms AS build_ms, deploy_duration_ms AS deploy_ms,
                   error_message AS error, build_log AS log, triggered_by, worker,
                   ARRAY(SELECT unnest(trigger_ids)) AS trigger_ids, details::text AS details,
                   least(greatest(coalesce(started_at, '1970-01-01Z'), '0001-01-02Z'),
                         '9999-12-30Z') AT TIME ZONE 'UTC' AS started,
                   least(greatest(completed_at, '0001-01-02Z'), '9999-12-30Z')
                       AT TIME ZONE 'UTC' AS completed
              FROM robbieblocks_deploys) AS run
     WHERE (%(node)s::text IS NULL OR node = %(node)s)
       AND (%(app)s::text IS NULL OR app = %(app)s)
       AND (%(status)s::text IS NULL OR status = %(status)s)
       AND (%(since)s::timestamptz IS NULL OR started >= %(since)s AT TIME ZONE 'UTC')
       AND (%(after)s::timestamptz IS NULL OR started > %(after)s AT TIME ZONE 'UTC')
       AND (%(until)s::timestamptz IS NULL OR started <= %(until)s AT TIME ZONE 'UTC')
       AND (%(id)s::text IS NULL OR starts_with(id::text, %(id)s))
     ORDER BY started DESC, id
     LIMIT %(limit)s
"""

_BETWEEN_MAX: Final = 1000
_CAUSE_PARTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTouched:
    """A page that a run added, changed, removed or held back, and why."""

    key: str
    change: str
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A row of robbieblocks_deploys. Durations are in milliseconds; None is not known.

    `plan`, `hash_before`, `touched` and `phases_ms` are empty for runs of an earlier version, and
    while a run goes on. `more_pages` were touched beside those of `touched`.
    """

    id: UUID
    node: str | None
    app: str
    status: str
    build_hash: str
    started: datetime
    completed: datetime | None
    triggered_by: str
    worker: str | None
    pages: int | None
    components: int | None
    build_ms: int | None
    deploy_ms: int | None
    error: str
    log: str
    change_ids: tuple[UUID, ...]
    plan: str = ""
    hash_before: str = ""
    touched: tuple[PageTouched, ...] = ()
    more_pages: int = 0
    phases_ms: Mapping[str, float]

    @property
    def target(self) -> str:
        """Node and app, as messages name them."""
        return f"{self.node or '(no node)'}/{self.app}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedRuns:
    """Which runs: None is any."""

    node: str | None = None
    app: str | None = None
    status: str | None = None
    since: datetime | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """What went out between two runs of one app on one node, after the first and up to the second.

    `touched` is what became of each page in the end, `changes` what people did, the oldest first.
    """

    first: Run
    second: Run
    runs: tuple[Run, ...]
    touched: tuple[PageTouched, ...]
    changes: tuple[Change, ...]


def runs(connection: Connection, asked: AskedRuns) -> tuple[Run, ...]:
    """The runs that are asked for, the newest first. Raises DatabaseUnavailable."""
    return _read(
        connection,
        node=asked.node,
        app=asked.app,
        status=asked.status,
        since=asked.since,
        limit=asked.limit,
    )


def run(connection: Connection, id_: str) -> Run:
    """The run of this id, or of the only one that begins so.

    Raises UsageError where there is none, or several, and DatabaseUnavailable.
    """
    found = _read(connection, id=id_.strip().lower(), limit=2) if id_ else ()
    if len(found) == 1:
        return found[0]
    several = "more than one run begins" if found else "no run begins"
    raise UsageError(f"{several} with {printable(id_)}: `robbieblocks deploys list` names them")


def changes_of(connection: Connection, *of: Run) -> tuple[Change, ...]:
    """The changes that runs took along, the oldest first, as far as the journal has them."""
    ids = {id_ for each in of for id_ in each.change_ids}
    asked = journal.Asked(ids=tuple(ids), limit=max(1, len(ids)))
    return journal.changes(connection, asked)[::-1]


def between(connection: Connection, first: Run, second: Run) -> Between:
    """What differs between what two runs left, the older first.

    Raises UsageError for runs of different apps or nodes, and DatabaseUnavailable.
    """
    if (first.node, first.app) != (second.node, second.app):
        raise UsageError(
            f"{printable(first.target)} and {printable(second.target)} are two sites: name two "
            "runs of one app on one node"
        )
    first, second = sorted((first, second), key=lambda each: each.started)
    found = _read(
        connection,
        node=first.node,
        app=first.app,
        after=first.started,
        until=second.started,
        limit=_BETWEEN_MAX,
    )[::-1]
    if first.build_hash == second.build_hash:
        return Between(first=first, second=second, runs=found, touched=(), changes=())
    return Between(
        first=first,
        second=second,
        runs=found,
        touched=_in_the_end(found),
        changes=changes_of(connection, *found),
    )


def _in_the_end(found: tuple[Run, ...]) -> tuple[PageTouched, ...]:
    """What became of each page over several runs, with the causes of all."""
    pages: dict[str, PageTouched | None] = {}
    for page in (page for each in found for page in each.touched):
        if page.change == "held back":
            continue
        before = pages.get(page.key)
        change = page.change
        if before is not None and before.change == "added":
            change = "added" if change != "removed" else ""
        elif before is not None and before.change == "removed" and change == "added":
            change = "changed"
        causes = dict.fromkeys((*(before.causes if before else ()), *page.causes))
        pages[page.key] = (
            PageTouched(key=page.key, change=change, causes=tuple(causes)) if change else None
        )
    return tuple(page for _, page in sorted(pages.items()) if page is not None)


def _read(connection: Connection, **values: Any) -> tuple[Run, ...]:
    given = dict.fromkeys(("node", "app", "status", "since", "after", "until", "id")) | values
    with (
        translated("read the history of runs"),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return tuple(map(_run, cursor.execute(_RUNS, given).fetchall()))


def _run(row: dict[str, Any]) -> Run:
    details = journal.json_object(row.pop("details")) or {}
    values: dict[str, Any] = {
        **row,
        "error": row["error"] or "",
        "log": row["log"] or "",
        "started": row["started"].replace(tzinfo=UTC),
        "completed": row["completed"] and row["completed"].replace(tzinfo=UTC),
        "change_ids": tuple(id_ for id_ in row["trigger_ids"] if id_),
        "touched": tuple(map(_touched, _listed(details.get("pages")))),
        "more_pages": more if isinstance(more := details.get("more_pages"), int) else 0,
        "phases_ms": phases if isinstance(phases := details.get("phases_ms"), dict) else {},
        "plan": str(details.get("plan") or ""),
        "hash_before": str(details.get("hash_before") or ""),
    }
    del values["trigger_ids"]
    return Run(**values)


def _touched(given: Json) -> PageTouched:
    page: Mapping[str, Json] = given if isinstance(given, Mapping) else {}
    named = [_listed(cause)[:3] for cause in _listed(page.get("causes"))]
    causes = [Cause(*map(str, cause)) for cause in named if len(cause) == _CAUSE_PARTS]
    return PageTouched(
        key=str(page.get("key", "")), change=str(page.get("change", "")), causes=tuple(causes)
    )


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
