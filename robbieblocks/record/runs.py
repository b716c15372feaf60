"""The deploys row of every run."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, LiteralString
from uuid import UUID, uuid4

from psycopg import Connection

from robbieblocks.database import translated
from robbieblocks.errors import Permanent
from robbieblocks.messages import visible
from robbieblocks.record.leases import Leases

NOTHING_LIVE: Final = "none"
"""The build_hash, which is never null, while nothing of an app is live on a node."""

PROCESS_ID: Final = uuid4()
"""This process: a new value at each start, while a pid is used again."""

# The states of a run that has not ended. `pending` is the column's default; no run is given it.
UNFINISHED: Final = ["pending", "building", "deploying"]

# Begin a run.
_START: LiteralString = """
    INSERT INTO robbieblocks_deploys
           (id, node_id, app_namespace, build_hash, deploy_status, triggered_by, trigger_ids,
            incarnation, worker, started_at, heartbeat_at)
    VALUES (%(id)s, %(node)s, %(app)s, %(hash)s, 'building', %(by)s, %(triggers)s,
            %(process)s, %(worker)s, clock_timestamp(), clock_timestamp())
"""

# Note the state of a run, and that it is alive. A run that has ended keeps its state.
_PHASE: LiteralString = """
    UPDATE robbieblocks_deploys
       SET deploy_status = %(status)s, heartbeat_at = clock_timestamp()
     WHERE id = %(id)s AND deploy_status = ANY (%(unfinished)s)
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
           details = coalesce(%(details)s::jsonb, details),
           heartbeat_at = clock_timestamp(),
           completed_at = clock_timestamp()
     WHERE id = %(id)s AND deploy_status = ANY (%(unfinished)s)
"""

# End the unfinished runs of a node's app: their processes are gone.
_CLOSE_DEAD: LiteralString = """
    UPDATE robbieblocks_deploys
       SET deploy_status = 'failed',
           completed_at = clock_timestamp(),
           error_message = concat(
               'The process that ran this ended without finishing it (',
               coalesce(worker, 'worker unknown'), ', last sign of life ',
               coalesce(heartbeat_at, started_at)::text, '). What was live before is live still, ',
               'or what it had swapped in; the next run builds what is missing.')
     WHERE node_id IS NOT DISTINCT FROM %(node)s AND app_namespace = %(app)s
       AND deploy_status = ANY (%(unfinished)s)
"""

# Note that every unfinished run of a process is alive.
_HEARTBEATS: LiteralString = """
    UPDATE robbieblocks_deploys SET heartbeat_at = clock_timestamp()
     WHERE incarnation = %(process)s AND deploy_status = ANY (%(unfinished)s)
"""

# The nodes and apps with an unfinished run that was not noted as alive for some time. Runs of an
# earlier version may have neither a node nor a time.
_SILENT: LiteralString = """
    SELECT DISTINCT node_id, app_namespace
      FROM robbieblocks_deploys
     WHERE deploy_status = ANY (%(unfinished)s)
       AND coalesce(heartbeat_at, nullif(started_at, 'infinity'), '-infinity')
           < clock_timestamp() - make_interval(secs => %(seconds)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How a run ended.

    `build_hash` is what is live now; None, as for the counts, keeps what stood in the row when the
    run started. Texts are made `visible`; one of more than a million characters loses its middle.
    `details` is JSON that Postgres can store.
    """

    status: Literal["success", "failed"]
    build_hash: str | None = None
    build_ms: int | None = None
    deploy_ms: int | None = None
    pages: int | None = None
    components: int | None = None
    error: str | None = None
    log: str | None = None
    details: str | None = None


def start(
    connection: Connection,
    *,
    node: str,
    app: str,
    triggered_by: str,
    live_hash: str | None,
    trigger_ids: Collection[UUID] = (),
    id_: UUID | None = None,
) -> UUID:
    """Write a run's row, before any of its work, and return its id: a new one, or `id_`.

    `live_hash` is what is live now, None for nothing. It stands as the row's hash until the run is
    finished, so that a run that dies names what visitors see. Raises DatabaseUnavailable, and
    Permanent where a trigger drops the row.
    """
    run = id_ or uuid4()
    values = {
        "id": run,
        "node": node,
        "app": app,
        "hash": live_hash or NOTHING_LIVE,
        "by": triggered_by,
        "triggers": list(trigger_ids) or None,
        "process": PROCESS_ID,
        "worker": f"{socket.gethostname()}:{os.getpid()}",
    }
    with translated(f"record the start of a run of {app} on {node}"):
        written = connection.execute(_START, values).rowcount
    if written != 1:
        raise Permanent(
            f"could not record the start of a run of {app} on {node}: the row is dropped as it is "
            "written: look at the triggers of robbieblocks_deploys that are none of RobbieBlocks's"
        )
    return run


def phase(connection: Connection, run: UUID, status: Literal["building", "deploying"]) -> bool:
    """Note the state of a run, and that it is alive. Return False where it has ended.

    Another process may have ended it with `close_abandoned`. Raises DatabaseUnavailable.
    """
    with translated(f"record that run {run} is {status}"):
        return (
            connection.execute(
                _PHASE, {"id": run, "status": status, "unfinished": UNFINISHED}
            ).rowcount
            == 1
        )


def heartbeats(connection: Connection) -> int:
    """Note that every unfinished run of this process is alive; return how many there are.

    Raises DatabaseUnavailable.
    """
    with translated("record that this process is alive"):
        return connection.execute(
            _HEARTBEATS, {"process": PROCESS_ID, "unfinished": UNFINISHED}
        ).rowcount


def finish(connection: Connection, run: UUID, end: RunEnd) -> bool:
    """End a run. Return False where it has ended before; its row is then left as it is.

    Raises DatabaseUnavailable: then whoever takes the lease next closes the row.
    """
    values = {
        "id": run,
        "status": end.status,
        "hash": end.build_hash,
        "build_ms": _milliseconds(end.build_ms),
        "deploy_ms": _milliseconds(end.deploy_ms),
        "pages": end.pages,
        "components": end.components,
        "error": _storable(end.error),
        "log": _storable(end.log),
        "details": end.details,
        "unfinished": UNFINISHED,
    }
    with translated(f"record the end of run {run}"):
        return connection.execute(_FINISH, values).rowcount == 1


def note(
    connection: Connection,
    *,
    id_: UUID,
    node: str,
    app: str,
    triggered_by: str,
    build_hash: str,
    log: str,
) -> None:
    """Write the row of a run that is over already: what was done without the database.

    `id_` is that of its entry in the audit log. Raises DatabaseUnavailable.
    """
    with translated(f"record what was done to {app} on {node}"), connection.transaction():
        run = start(
            connection,
            id_=id_,
            node=node,
            app=app,
            triggered_by=triggered_by,
            live_hash=build_hash,
        )
        finish(connection, run, RunEnd(status="success", build_hash=build_hash, log=log))


def close_dead(connection: Connection, node: str | None, app: str) -> int:
    """End the unfinished runs of a node's app as failed; return how many there were.

    The caller holds the app's lease, or knows otherwise that none of these runs is alive. Call it
    before `start`, which writes such a row for the caller itself. Raises DatabaseUnavailable.
    """
    with translated(f"close dead runs of {app} on {node}"):
        values = {"node": node, "app": app, "unfinished": UNFINISHED}
        return connection.execute(_CLOSE_DEAD, values).rowcount


def close_abandoned(connection: Connection, silent_s: float) -> int:
    """Close runs, of any node, that were not noted as alive for `silent_s` and whose lease is free.

    A worker does this for workers that never came back. Returns how many. Raises
    DatabaseUnavailable.
    """
    with translated("look for abandoned runs"):
        values = {"seconds": silent_s, "unfinished": UNFINISHED}
        silent = connection.execute(_SILENT, values).fetchall()
    closed = 0
    # These are not the runs of this process, which are noted as alive: it has no stale sessions
    # that could hold their leases.
    leases = Leases()
    for node, app in silent:
        if node is None:
            # Only an earlier version wrote runs without a node: none of them is alive.
            closed += close_dead(connection, node, app)
            continue
        with leases.hold(connection, node, app) as lease:
            closed += close_dead(connection, node, app) if lease else 0
    return closed


_TEXT_MAX: Final = 1_000_000
_INTEGER_MAX: Final = 2**31 - 1


def _milliseconds(value: float | None) -> int | None:
    """A duration as the integer column can hold it: not below 0, as after a clock was set back."""
    return None if value is None else max(0, min(round(value), _INTEGER_MAX))


def _storable(text: str | None) -> str | None:
    """A text as Postgres can store it and psql can show it on a terminal, cut where it is long."""
    if text is None:
        return None
    if len(text) > _TEXT_MAX:
        half = _TEXT_MAX // 2
        text = f"{text[:half]}\n... {len(text) - _TEXT_MAX} characters left out ...\n{text[-half:]}"
    return visible(text)
