"""The history of runs: the latest of each app, and how long the others are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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

# Since when each app's history is needed: since the run that brought the oldest release that is
# kept. Other machines keep releases, too, of which this one knows no more than the history says:
# the last that succeeded, what was live when the days of the retention began, what is live now. Of
# a hash that was live several times the last time counts. A run that found nothing to do, one that
# failed (it has the hash of what stayed live) and a rollback brought nothing; where no other is
# left, the first of them stands for it: a process may be killed right after the swap.
_KEPT_SINCE: Final = _APPS + SQL("""
    SELECT app.node_id, app.app_namespace,
           least(greatest(least(by_number.at, by_day.at, by_hash.at), '0001-01-02Z'),
                 '9999-12-30Z') AT TIME ZONE 'UTC'
      FROM app
     CROSS JOIN LATERAL (
           SELECT min(started_at) AS at, (array_agg(build_hash ORDER BY started_at DESC))[1] AS live
             FROM (SELECT started_at, build_hash FROM robbieblocks_deploys
                    WHERE node_id = app.node_id AND app_namespace = app.app_namespace
                      AND started_at IS NOT NULL AND deploy_status = 'success'
                    ORDER BY started_at DESC LIMIT %(releases)s) AS last
           ) AS by_number
     CROSS JOIN LATERAL (
           SELECT max(started_at) AS at FROM robbieblocks_deploys
            WHERE node_id = app.node_id AND app_namespace = app.app_namespace
              AND deploy_status = 'success' AND %(days)s > 0
              AND started_at < (date_trunc('day', now() AT TIME ZONE 'UTC')
                                - make_interval(days => %(days)s - 1)) AT TIME ZONE 'UTC'
           ) AS by_day
     CROSS JOIN LATERAL (
           SELECT min(coalesce(
                  (SELECT max(started_at) FROM robbieblocks_deploys AS run
                    WHERE run.node_id = app.node_id AND run.app_namespace = app.app_namespace
                      AND run.build_hash = kept.hash AND run.triggered_by <> 'rollback'
                      AND run.deploy_status = 'success'
                      AND run.details ->> 'hash_before' IS DISTINCT FROM run.build_hash),
                  (SELECT min(started_at) FROM robbieblocks_deploys AS run
                    WHERE run.node_id = app.node_id AND run.app_namespace = app.app_namespace
                      AND run.build_hash = kept.hash))) AS at
             FROM (SELECT hash FROM unnest(%(nodes)s::text[], %(apps)s::text[], %(hashes)s::text[])
                                    AS given (node, app, hash)
                    WHERE given.node = app.node_id AND given.app = app.app_namespace
                    UNION SELECT by_number.live) AS kept
           ) AS by_hash
     WHERE least(by_number.at, by_day.at, by_hash.at) IS NOT NULL
""")

# Remove runs of more than 90 days ago that are not among the last 50 of their app on their node,
# nor needed by a release that is kept. A run that has not ended stays, and so does the last one
# that published something. ANY (ARRAY): joined in one plan the whole history would be read.
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
             LEFT JOIN unnest(%(nodes)s::text[], %(apps)s::text[], %(since)s::timestamptz[])
                       AS kept (node, app, since)
                    ON kept.node = app.node_id AND kept.app = app.app_namespace
            CROSS JOIN LATERAL (
                  SELECT id FROM robbieblocks_deploys
                   WHERE node_id = app.node_id AND app_namespace = app.app_namespace
                     AND started_at < least(fiftieth.started_at, now() - interval '90 days',
                                             kept.since)
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


def kept_since(
    connection: Connection,
    kept: Mapping[tuple[str, str], Collection[str]],
    *,
    releases: int,
    days: int,
) -> dict[tuple[str, str], datetime]:
    """Since when the history of each app is needed, by node and app.

    `kept` has the build hashes that are kept on this machine. Of other machines `releases` and
    `days` tell, which say what stays there by number and by day. Raises DatabaseUnavailable.
    """
    given = [(*place, each) for place, hashes in kept.items() for each in hashes]
    values = {
        "nodes": [node for node, _, _ in given],
        "apps": [app for _, app, _ in given],
        "hashes": [each for _, _, each in given],
        "releases": releases,
        "days": days,
    }
    with translated("read since when the history is needed"):
        rows = connection.execute(_KEPT_SINCE, values).fetchall()
    return {(node, app): at.replace(tzinfo=UTC) for node, app, at in rows}


def remove_old(
    connection: Connection,
    needed_since: Mapping[tuple[str, str], datetime],
    *,
    limit: int = _REMOVED_AT_ONCE,
) -> int:
    """Remove up to `limit` runs of more than 90 days ago; return how many.

    The last 50 of each app on each node stay, those since when its history is needed, unfinished
    ones, and the last that published something. Raises DatabaseUnavailable and RightsMissing.
    """
    with translated("remove the records of runs of long ago"):
        values = {
            "limit": limit,
            "unfinished": UNFINISHED,
            "nodes": [node for node, _ in needed_since],
            "apps": [app for _, app in needed_since],
            "since": list(needed_since.values()),
        }
        return connection.execute(_REMOVE_OLD, values).rowcount
