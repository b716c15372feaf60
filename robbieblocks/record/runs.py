"""The deploys row of every run."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final, Literal, LiteralString
from uuid import UUID, uuid4

from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.types.json import Jsonb

from robbieblocks.database import translated
from robbieblocks.model import JsonObject
from robbieblocks.record.leases import lease

NOTHING_LIVE: Final = "none"
"""What stands as build_hash (never null) while nothing of an app is live on a node."""

# Begin a run.
_START: LiteralString = """
    INSERT INTO robbieblocks_deploys
           (id, node_id, app_namespace, build_hash, pages_count, components_count, deploy_status,
            triggered_by, trigger_ids, incarnation, worker, started_at, heartbeat_at)
    VALUES (%(id)s, %(node)s, %(app)s, %(hash)s, %(pages)s, %(components)s, 'building',
            %(by)s, %(triggers)s, %(incarnation)s, %(worker)s, clock_timestamp(), clock_timestamp())
"""

# Move a run on; also its sign of life. A run that was closed stays closed.
_PHASE: LiteralString = """
    UPDATE robbieblocks_deploys
       SET deploy_status = coalesce(%(status)s, deploy_status), heartbeat_at = clock_timestamp()
     WHERE id = %(id)s AND deploy_status IN ('pending', 'building', 'deploying')
"""

# End a run. The hash is left as it was where none is given, and so are the counts.
_FINISH: LiteralString = """
    UPDATE robbieblocks_deploys
       SET deploy_status = %(status)s,
           build_hash = coalesce(%(hash)s, build_hash),
           build_duration_ms = %(build_ms)s,
           deploy_duration_ms = %(deploy_ms)s,
           pages_count = coalesce(%(pages)s, pages_count),
           components_count = coalesce(%(components)s, components_count),
           error_message = %(error)s,
           build_log = %(log)s,
           details = coalesce(%(details)s, details),
           heartbeat_at = clock_timestamp(),
           completed_at = clock_timestamp()
     WHERE id = %(id)s AND deploy_status IN ('pending', 'building', 'deploying')
"""

# End the runs of a node's app whose process is gone.
_CLOSE_DEAD: LiteralString = """
    UPDATE robbieblocks_deploys
       SET deploy_status = 'failed',
           completed_at = clock_timestamp(),
           error_message = concat(
               'The process that ran this ended without finishing it (',
               coalesce(worker, 'worker unknown'), ', last sign of life ',
               coalesce(heartbeat_at, started_at)::text, '). What was live before is live still, ',
               'or what it had swapped in; the next run builds what is missing.')
     WHERE node_id = %(node)s AND app_namespace = %(app)s
       AND deploy_status IN ('pending', 'building', 'deploying')
"""

# A sign of life of every run of a process.
_BEAT: LiteralString = """
    UPDATE robbieblocks_deploys SET heartbeat_at = clock_timestamp()
     WHERE incarnation = %(incarnation)s AND deploy_status IN ('pending', 'building', 'deploying')
"""

# Nodes and apps with a run that was silent for too long.
_SILENT: LiteralString = """
    SELECT DISTINCT node_id, app_namespace
      FROM robbieblocks_deploys
     WHERE deploy_status IN ('pending', 'building', 'deploying')
       AND coalesce(heartbeat_at, started_at)
           < clock_timestamp() - make_interval(secs => %(seconds)s)
"""

# The latest run of every app, and what the latest good one made.
_LATEST: LiteralString = """
    SELECT DISTINCT ON (run.node_id, run.app_namespace)
           run.node_id, run.app_namespace, run.deploy_status,
           coalesce(run.completed_at, run.started_at, '1970-01-01Z') AT TIME ZONE 'UTC',
           run.triggered_by, run.worker, run.error_message, good.build_hash
      FROM robbieblocks_deploys AS run
      LEFT JOIN LATERAL (
           SELECT build_hash FROM robbieblocks_deploys
            WHERE node_id = run.node_id AND app_namespace = run.app_namespace
              AND deploy_status = 'success'
            ORDER BY started_at DESC LIMIT 1
           ) AS good ON true
     ORDER BY run.node_id, run.app_namespace, run.started_at DESC
"""


def start(
    connection: Connection,
    *,
    node: str,
    app: str,
    triggered_by: str,
    live_hash: str | None,
    pages: int | None = None,
    components: int | None = None,
    trigger_ids: Collection[UUID] = (),
) -> UUID:
    """Write a run's row, before any of its work, and return its id.

    `live_hash` is what is live now, None for nothing: it stands as the row's hash until the run is
    finished, so that a run that dies names what visitors see. Raises DatabaseUnavailable.
    """
    run = uuid4()
    values = {
        "id": run,
        "node": node,
        "app": app,
        "hash": live_hash or NOTHING_LIVE,
        "pages": pages,
        "components": components,
        "by": triggered_by,
        "triggers": list(trigger_ids) or None,
        "incarnation": incarnation(),
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }
    with translated(f"record the start of a run of {app} on {node}"):
        connection.execute(_START, values)
    return run


def phase(connection: Connection, run: UUID, status: Literal["building", "deploying"]) -> bool:
    """Move a run on, which is also a sign of life. False: it is closed, by a peer perhaps."""
    with translated(f"record that run {run} is {status}"):
        return connection.execute(_PHASE, {"id": run, "status": status}).rowcount == 1


def heartbeat(connection: Connection, run: UUID) -> bool:
    """Note that a run is alive. False: it is closed, by a peer perhaps."""
    with translated(f"record that run {run} is alive"):
        return connection.execute(_PHASE, {"id": run, "status": None}).rowcount == 1


def heartbeats(connection: Connection) -> int:
    """Note that every unfinished run of this process is alive; how many."""
    with translated("record that this process is alive"):
        return connection.execute(_BEAT, {"incarnation": incarnation()}).rowcount


def close_abandoned(connection: Connection, seconds: float) -> int:
    """Close runs, of any node, that gave no sign of life for `seconds` and whose lease is free.

    What a worker does for peers that never came back; how many.
    """
    with (
        translated("look for abandoned runs"),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        silent = cursor.execute(_SILENT, {"seconds": seconds}).fetchall()
    return sum(close_dead(connection, node, app) for node, app in silent)


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The latest run of an app on a node; `built` is the hash of the latest that succeeded."""

    status: str
    at: datetime
    triggered_by: str
    worker: str | None
    error: str | None
    built: str | None


def latest(connection: Connection) -> dict[tuple[str, str], LastRun]:
    """The latest run of every app, by node and app."""
    with translated("read the latest runs"), connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_LATEST).fetchall()
    return {
        (node, app): LastRun(
            status=status,
            at=at.replace(tzinfo=UTC),
            triggered_by=by,
            worker=worker,
            error=error,
            built=built,
        )
        for node, app, status, at, by, worker, error, built in rows
    }


def finish(
    connection: Connection,
    run: UUID,
    *,
    status: Literal["success", "failed"],
    build_hash: str | None = None,
    build_ms: int | None = None,
    deploy_ms: int | None = None,
    pages: int | None = None,
    components: int | None = None,
    error: str | None = None,
    log: str | None = None,
    details: JsonObject | None = None,
) -> bool:
    """End a run. False: it was ended before, and what that said stands.

    `build_hash` is what is live now; None leaves what was live at the start. Characters that
    Postgres can't store are replaced; a text of more than a million characters loses its middle.
    Raises DatabaseUnavailable; the row is then closed by whoever takes the lease next.
    """
    values = {
        "id": run,
        "status": status,
        "hash": build_hash,
        "build_ms": _milliseconds(build_ms),
        "deploy_ms": _milliseconds(deploy_ms),
        "pages": pages,
        "components": components,
        "error": _storable(error),
        "log": _storable(log),
        "details": None if details is None else Jsonb(details),
    }
    with translated(f"record the end of run {run}"):
        return connection.execute(_FINISH, values).rowcount == 1


def close_dead(connection: Connection, node: str, app: str, *, leased: bool = True) -> int:
    """Close the runs of a node's app that died; how many.

    Closes nothing while another session holds the lease, for then one of them may be alive. Call it
    before `start`, which writes an unfinished row that belongs to the caller. Without `leased` the
    caller knows by other means that nobody else runs: through a pooler no lease can be had.
    """
    values = {"node": node, "app": app}
    what = f"close dead runs of {app} on {node}"
    if not leased:
        with translated(what):
            return connection.execute(_CLOSE_DEAD, values).rowcount
    with lease(connection, node, app) as held, translated(what):
        return connection.execute(_CLOSE_DEAD, values).rowcount if held else 0


@cache
def incarnation() -> UUID:
    """This process: a new value at each start."""
    return uuid4()


_LONGEST = 1_000_000
_MOST_MILLISECONDS = 2**31 - 1


def _milliseconds(value: float | None) -> int | None:
    """A duration as the integer column holds it; a clock that was set back gives none below 0."""
    return None if value is None else max(0, min(round(value), _MOST_MILLISECONDS))


def _storable(text: str | None) -> str | None:
    """A text without NUL and lone surrogates, which Postgres refuses, and of bearable length."""
    if text is None:
        return None
    if len(text) > _LONGEST:
        half = _LONGEST // 2
        text = f"{text[:half]}\n... {len(text) - _LONGEST} characters left out ...\n{text[-half:]}"
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
