"""The history of runs: the latest of each app, and how long the others are kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import Connection
from psycopg.sql import SQL

from robbieblocks.database import translated
from robbieblocks.record.runs import UNFINISHED

# The nodes and apps that have runs: one step in the index of the history for each, however many
# runs it has. Rows of an earlier version without a node are left out.
_APPS: Final = SQL("""
    WITH RECURSIVE app AS (
        (SELECT node_id, app_namespace FROM robbieblocks_deploys
          WHERE node_id IS NOT NULL ORDER BY node_id, app_namespace LIMIT 1)
        UNION ALL
        SELECT following.* FROM app CROSS JOIN LATERAL (
            SELECT node_id, app_namespace FROM robbieblocks_deploys
             WHERE (node_id, app_namespace) > (app.node_id, app.app_namespace)
             ORDER BY node_id, app_namespace LIMIT 1) AS following
    )
""")

# The latest run of every app on every node, and what its latest successful run published. Times
# that Python can't hold (BC) become the nearest that it can. Rows of an earlier version without a
# time are left out.
_LATEST: Final = _APPS + SQL("""
    SELECT run.node_id, run.app_namespace, run.deploy_status,
           least(greatest(coalesce(run.completed_at, run.started_at, '1970-01-01Z'),
                          '0001-01-02Z'), '9999-12-30Z') AT TIME ZONE 'UTC',
           run.triggered_by, run.worker, run.error_message, good.build_hash
      FROM app
     CROSS JOIN LATERAL (
           SELECT * FROM robbieblocks_deploys
            WHERE node_id = app.node_id AND app_namespace = app.app_namespace
              AND started_at > '-infinity' AND started_at < 'infinity'
            ORDER BY started_at DESC LIMIT 1
           ) AS run
      LEFT JOIN LATERAL (
           SELECT build_hash FROM robbieblocks_deploys
            WHERE node_id = app.node_id AND app_namespace = app.app_namespace
              AND started_at > '-infinity' AND started_at < 'infinity'
              AND deploy_status = 'success'
            ORDER BY started_at DESC LIMIT 1
           ) AS good ON true
""")

# Remove runs of more than 90 days ago that are not among the last 50 of their app on their node. A
# run that has not ended stays, and so does the last one that published something. ANY (ARRAY):
# joined in one plan the whole history would be read.
_REMOVE_OLD: Final = _APPS + SQL("""
    DELETE FROM robbieblocks_deploys
     WHERE id = ANY (ARRAY(
           SELECT old.id
             FROM app
            CROSS JOIN LATERAL (
                  SELECT started_at FROM robbieblocks_deploys
                   WHERE node_id = app.node_id AND app_namespace = app.app_namespace
                     AND started_at IS NOT NULL
                   ORDER BY started_at DESC OFFSET 49 LIMIT 1
                  ) AS fiftieth
            CROSS JOIN LATERAL (
                  SELECT id FROM robbieblocks_deploys
                   WHERE node_id = app.node_id AND app_namespace = app.app_namespace
                     AND started_at < least(fiftieth.started_at, now() - interval '90 days')
                     AND deploy_status <> ALL (%(unfinished)s)
                     AND id IS DISTINCT FROM (
                         SELECT id FROM robbieblocks_deploys
                          WHERE node_id = app.node_id AND app_namespace = app.app_namespace
                            AND started_at IS NOT NULL AND deploy_status = 'success'
                          ORDER BY started_at DESC LIMIT 1)
                   ORDER BY started_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
                  ) AS old
            LIMIT %(limit)s))
""")

_REMOVED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LastRun:
    """The latest run of an app on a node; `built` is the hash of the latest successful one."""

    status: str
    at: datetime
    triggered_by: str
    worker: str | None
    error: str | None
    built: str | None


def latest(connection: Connection) -> dict[tuple[str, str], LastRun]:
    """Return the latest run of every app, by node and app. Raises DatabaseUnavailable."""
    with translated("read the latest runs"):
        rows = connection.execute(_LATEST).fetchall()
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


def remove_old(connection: Connection, *, limit: int = _REMOVED_AT_ONCE) -> int:
    """Remove up to `limit` runs of more than 90 days ago; return how many.

    The last 50 of each app on each node stay, unfinished ones, and the last that published
    something. Raises DatabaseUnavailable and RightsMissing.
    """
    with translated("remove the records of runs of long ago"):
        values = {"limit": limit, "unfinished": UNFINISHED}
        return connection.execute(_REMOVE_OLD, values).rowcount
