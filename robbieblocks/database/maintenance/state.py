"""Reads what the tasks are decided by."""

from __future__ import annotations

from typing import LiteralString

from psycopg import Connection
from psycopg.rows import class_row

from robbieblocks.database.errors import translated
from robbieblocks.database.maintenance.analysis import Analysis
from robbieblocks.database.maintenance.tasks import State, Table, View

# Each table with what happened since it was vacuumed and analyzed; a partitioned one has no
# numbers of its own, and its partitions' count since it was analyzed itself.
_TABLES: LiteralString = """
    SELECT c.relname AS name, c.relkind = 'p' AS is_partitioned,
           greatest(c.reltuples, 0)::bigint AS rows, s.n_dead_tup AS dead,
           s.n_ins_since_vacuum AS inserted,
           CASE WHEN c.relkind <> 'p' THEN s.n_mod_since_analyze
                ELSE (SELECT coalesce(sum(part.n_tup_ins + part.n_tup_upd + part.n_tup_del), 0)
                        FROM pg_inherits i JOIN pg_stat_user_tables part ON part.relid = i.inhrelid
                       WHERE i.inhparent = c.oid
                         AND (s.last_analyze IS NULL OR s.last_analyze < now() - interval '6 days'))
           END AS changed
      FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
     ORDER BY c.relname
"""

# The materialized views, those first that others may read. Readers can go on where a whole unique
# index tells the rows apart. One over rows of towns would show them to all who may read it.
_VIEWS: LiteralString = """
    WITH RECURSIVE reads (view, oid) AS (
        SELECT oid, oid FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind = 'm'
        UNION
        SELECT reads.view, d.refobjid
          FROM reads
          JOIN pg_rewrite r ON r.ev_class = reads.oid
          JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                          AND d.refclassid = 'pg_class'::regclass
    )
    SELECT c.relname AS name,
           EXISTS (SELECT FROM reads JOIN pg_class base ON base.oid = reads.oid
                    WHERE reads.view = c.oid AND base.relrowsecurity) AS has_secured_rows,
           c.relispopulated AND EXISTS (
               SELECT FROM pg_index i
                WHERE i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indpred IS NULL
                  AND NOT 0 = ANY (i.indkey::smallint[])) AS can_go_on
      FROM pg_class c
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'm'
     ORDER BY c.oid
"""

# Indexes that are not valid and that nobody is making now, and whether REINDEX left them: they are
# copies, which are made anew.
_INVALID: LiteralString = """
    SELECT c.relname, c.relname ~ '_cc(new|old)[0-9]*$'
      FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
     WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'i' AND NOT i.indisvalid
       AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)
     ORDER BY c.relname
"""

# The audit log's months: those that have a partition, and of this one and the next three those
# that have none. Nothing where there is no audit log.
_MONTHS: LiteralString = """
    SELECT replace(substr(c.relname, 11), '_', '-'), true
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = to_regclass('audit_log') AND c.relname ~ '^audit_log_[0-9]{4}_[0-9]{2}$'
    UNION ALL
    SELECT to_char(month, 'YYYY-MM'), false
      FROM generate_series(0, 3) AS ahead (months),
           LATERAL (SELECT date_trunc('month', now() AT TIME ZONE 'UTC')
                           + months * interval '1 month') AS m (month)
     WHERE to_regprocedure('audit_log_make_partitions(integer)') IS NOT NULL
       AND to_regclass('audit_log_' || to_char(month, 'YYYY_MM')) IS NULL
     ORDER BY 1
"""

# The beginning of this month; the session's time zone is UTC.
_THIS_MONTH: LiteralString = "SELECT date_trunc('month', now())"


def read_state(connection: Connection, schema: str, analysis: Analysis) -> State:
    """What the tasks are decided by, of the tables in the current schema.

    Raises DatabaseUnavailable.
    """
    with translated("read what there is to maintain"):
        with connection.cursor(row_factory=class_row(Table)) as cursor:
            tables = tuple(cursor.execute(_TABLES))
        with connection.cursor(row_factory=class_row(View)) as cursor:
            views = tuple(cursor.execute(_VIEWS))
        invalid = connection.execute(_INVALID).fetchall()
        months = connection.execute(_MONTHS).fetchall()
        ((this_month,),) = connection.execute(_THIS_MONTH).fetchall()
    return State(
        tables=tables,
        views=views,
        invalid_indexes=tuple(name for name, is_leftover in invalid if not is_leftover),
        leftover_indexes=tuple(name for name, is_leftover in invalid if is_leftover),
        bloated_indexes={
            found.measures["name"]: found
            for found in analysis.findings
            if found.check == "bloated index" and found.measures["schema"] == schema
        },
        months_missing=tuple(month for month, is_there in months if not is_there),
        months_kept=tuple(month for month, is_there in months if is_there),
        this_month=this_month,
    )
