"""`robbieblocks db maintain`: what each cadence does, what it leaves, and how it ends badly."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from robbieblocks.database import maintenance, schema
from robbieblocks.errors import DatabaseUnavailable, RightsMissing, SchemaOutdated
from robbieblocks.settings import resource_dir
from tests.commands import Installation
from tests.integration.unified.conftest import as_superuser
from tests.workers import until

pytestmark = pytest.mark.postgres

_OFF = "WITH (autovacuum_enabled = off)"
_LISTING = (resource_dir("schema") / "scripts" / "describe-schema.sql").read_bytes()
# The beginning of the month that many months before this one.
_MONTH = "date_trunc('month', now(), 'UTC') - interval '{} months'"


@pytest.fixture
def owner(unified_database: str) -> Iterator[Connection]:
    """A connection of the tables' owner, in autocommit."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        yield connection


def _run(connection: Connection, *statements: str) -> None:
    for statement in statements:
        connection.execute("SELECT pg_stat_force_next_flush()")
        connection.execute(statement.encode())
    connection.execute("SELECT pg_stat_force_next_flush()")


def _did(
    connection: Connection, cadence: maintenance.Cadence, keep: int | None = None
) -> tuple[dict[str, maintenance.Done], list[str]]:
    """What was done by its statement, in a session of its own, and what was said besides."""
    with psycopg.connect(connection.info.dsn, autocommit=True) as own:
        found = list(maintenance.maintain(own, cadence, keep_audit_months=keep))
    done = {each.statement: each for each in found if isinstance(each, maintenance.Done)}
    return done, [str(each) for each in found if not isinstance(each, maintenance.Done)]


def _one(connection: Connection, query: str) -> object:
    ((value,),) = connection.execute(query.encode()).fetchall()
    return value


def test_daily_makes_partitions_refreshes_views_and_analyzes_what_changed(
    owner: Connection,
) -> None:
    """Once done, the partition and the statistics are no task; views are one every day."""
    next_month = _one(owner, f"SELECT 'audit_log_' || to_char({_MONTH.format(-1)}, 'YYYY_MM')")
    _run(
        owner,
        f"DROP TABLE {next_month}",
        f"CREATE TABLE notes (id integer PRIMARY KEY, words text) {_OFF}",
        "INSERT INTO notes SELECT n FROM generate_series(1, 1000) n",
        "CREATE MATERIALIZED VIEW plain AS SELECT count(*) AS number FROM notes",
        "CREATE MATERIALIZED VIEW keyed AS SELECT id FROM notes",
        "CREATE UNIQUE INDEX keyed_id_idx ON keyed (id)",
        "CREATE MATERIALIZED VIEW above AS SELECT count(*) AS number FROM keyed",
        "INSERT INTO notes VALUES (0)",
    )
    done, _ = _did(owner, "daily")
    refreshed = [statement for statement in done if "REFRESH" in statement]
    assert refreshed == [
        'REFRESH MATERIALIZED VIEW "plain"',
        'REFRESH MATERIALIZED VIEW CONCURRENTLY "keyed"',
        'REFRESH MATERIALIZED VIEW "above"',
    ]
    assert done.keys() - set(refreshed) >= {
        "SELECT audit_log_make_partitions()",
        'ANALYZE (SKIP_LOCKED) "notes"',
    }
    assert not [each.error for each in done.values() if each.error]
    assert _one(owner, f"SELECT to_regclass('{next_month}') IS NOT NULL")
    assert _one(owner, "SELECT reltuples FROM pg_class WHERE relname = 'notes'") == 1001
    assert _one(owner, "SELECT number FROM above") == 1001
    assert list(_did(owner, "daily")[0]) == refreshed


def test_daily_says_how_the_queues_stand_and_what_autovacuum_leaves(owner: Connection) -> None:
    """Changes that wait, a sync that failed, dead rows."""
    _run(
        owner,
        "DELETE FROM robbieblocks_change_triggers",
        "INSERT INTO robbieblocks_change_triggers"
        " (trigger_type, entity_type, entity_id, created_at)"
        " VALUES ('update', 'page', gen_random_uuid(), '2024-05-06 07:08+00')",
        "CREATE TABLE IF NOT EXISTS sync_status (table_name text, last_error text)",
        "SET app.town = '*'",
        "INSERT INTO sync_status (table_name, last_error) VALUES ('contacts', 'no answer')",
        f"CREATE TABLE notes (id integer) {_OFF}",
        "INSERT INTO notes SELECT generate_series(1, 1000)",
        "ANALYZE notes",
        "DELETE FROM notes",
    )
    _, said = _did(owner, "daily")
    assert "change queue: 1 waiting, the oldest since 2024-05-06 07:08 UTC" in said
    assert "sync of contacts failed: no answer" in said
    assert any(line.startswith("autovacuum behind: notes: 1000 dead rows") for line in said)


def test_a_view_over_rows_of_towns_is_not_refreshed(owner: Connection) -> None:
    """Directly or through a view: it would show every town's rows to all who may read it."""
    _run(
        owner,
        "CREATE MATERIALIZED VIEW direct AS SELECT name FROM companies WITH NO DATA",
        "CREATE VIEW between WITH (security_invoker = true) AS SELECT name FROM companies",
        "CREATE MATERIALIZED VIEW through AS SELECT name FROM between WITH NO DATA",
    )
    done, said = _did(owner, "daily")
    assert not [statement for statement in done if "REFRESH" in statement]
    assert {line.split(" ")[0] for line in said if "is not refreshed" in line} == {
        "direct",
        "through",
    }


def test_weekly_vacuums_what_changed_and_says_what_indexes_are_worth(owner: Connection) -> None:
    """A table that did not change since is left alone; one that is locked is skipped, and named."""
    _run(
        owner,
        f"CREATE TABLE notes (id integer, other integer REFERENCES towns (id)) {_OFF}",
        "INSERT INTO notes SELECT generate_series(1, 1000)",
        "DELETE FROM notes WHERE id > 500",
        f"CREATE TABLE busy (id integer) {_OFF}",
        "INSERT INTO busy VALUES (1)",
    )
    with psycopg.connect(owner.info.dsn) as other:
        other.execute("LOCK TABLE busy")
        done, said = _did(owner, "weekly")
    assert done['VACUUM (ANALYZE, SKIP_LOCKED) "notes"'].task.why.startswith("500 dead rows, ")
    assert "skipping" in done['VACUUM (ANALYZE, SKIP_LOCKED) "busy"'].remarks[0]
    assert 'ANALYZE (SKIP_LOCKED) "audit_log"' in done or not _one(
        owner, "SELECT exists(SELECT FROM audit_log)"
    )
    assert any(line.startswith("foreign key without an index: notes.") for line in said)
    assert _one(owner, "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'notes'") == 0
    assert list(_did(owner, "weekly")[0]) == ['VACUUM (ANALYZE, SKIP_LOCKED) "busy"']


def test_weekly_analyzes_tables_with_partitions(owner: Connection) -> None:
    """Autovacuum never does; after this week's run it is no task."""
    _run(
        owner,
        "CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at)",
        "CREATE TABLE events_all PARTITION OF events DEFAULT",
        "INSERT INTO events SELECT current_date FROM generate_series(1, 100)",
    )
    assert 'ANALYZE (SKIP_LOCKED) "events"' in _did(owner, "weekly")[0]
    assert _one(owner, "SELECT reltuples FROM pg_class WHERE relname = 'events'") == 100
    assert 'ANALYZE (SKIP_LOCKED) "events"' not in _did(owner, "weekly")[0]


def test_monthly_makes_bloated_indexes_anew_and_keeps_the_audit_log(owner: Connection) -> None:
    """The index shrinks; without an option no month of the log goes, and that is said."""
    _run(
        owner,
        f"CREATE TABLE notes (id integer PRIMARY KEY) {_OFF}",
        "INSERT INTO notes SELECT generate_series(1, 100000)",
        "DELETE FROM notes WHERE id % 10 <> 0",
        "VACUUM (ANALYZE) notes",
        f"SELECT audit_log_make_partition({_MONTH.format(30)})",
    )
    before = _one(owner, "SELECT pg_relation_size('notes_pkey')")
    done, said = _did(owner, "monthly")
    assert done['REINDEX INDEX CONCURRENTLY "notes_pkey"'].error == ""
    after = _one(owner, "SELECT pg_relation_size('notes_pkey')")
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after < before / 5
    assert not [statement for statement in done if "audit_log_drop" in statement]
    assert any(line.startswith("the audit log has 5 months, from ") for line in said)
    assert any(line.startswith("statements unknown") for line in said)
    again, _ = _did(owner, "monthly")
    assert not [statement for statement in again if not statement.startswith("ANALYZE")]


def test_monthly_drops_the_months_of_the_audit_log_that_are_too_old(owner: Connection) -> None:
    """The month that is exactly so old stays, and so do rows of months before that have none."""
    _run(
        owner,
        *(f"SELECT audit_log_make_partition({_MONTH.format(n)})" for n in (1, 12, 13, 30)),
    )
    done, said = _did(owner, "monthly", keep=12)
    (dropped,) = [each for text, each in done.items() if "audit_log_drop_before" in text]
    assert dropped.error == ""
    assert "are older than 12 months" in dropped.task.why
    assert not any("the audit log has" in line for line in said)
    left = _one(
        owner,
        "SELECT array_agg(relname::text) FROM pg_class"
        " WHERE relname ~ '^audit_log_[0-9_]+$' AND relkind = 'r'",
    )
    months = [_one(owner, f"SELECT to_char({_MONTH.format(n)}, 'YYYY_MM')") for n in (1, 12)]
    assert isinstance(left, list)
    assert {f"audit_log_{month}" for month in months} < set(left)
    assert len(left) == 6
    assert not [text for text in _did(owner, "monthly", keep=12)[0] if "audit_log_drop" in text]


def test_a_task_that_fails_keeps_no_other_from_being_done(
    owner: Connection, unified_database: str, tmp_path: Path
) -> None:
    """The command says which failed and why, goes on, and ends with code 3."""
    _run(
        owner,
        "CREATE TABLE notes (id integer)",
        "CREATE MATERIALIZED VIEW broken AS SELECT 1 / count(*) AS share FROM notes WITH NO DATA",
        "CREATE MATERIALIZED VIEW whole AS SELECT count(*) AS number FROM notes WITH NO DATA",
    )
    ran = Installation(home=tmp_path, database_url=unified_database).run("db", "maintain", "daily")
    assert ran.code == 3
    assert 'failed: REFRESH MATERIALIZED VIEW "broken": division by zero' in ran.out
    assert 'ran REFRESH MATERIALIZED VIEW "whole" in ' in ran.out
    assert "1 of 2 tasks failed" in ran.error
    assert _one(owner, "SELECT number FROM whole") == 0


def test_a_dry_run_says_what_it_would_do_and_does_nothing(
    owner: Connection, unified_database: str, tmp_path: Path
) -> None:
    """The same statements as without; nothing of the database differs afterwards."""
    _run(
        owner,
        f"CREATE TABLE notes (id integer) {_OFF}",
        "INSERT INTO notes SELECT generate_series(1, 1000)",
        f"SELECT audit_log_make_partition({_MONTH.format(13)})",
    )
    before = owner.execute(_LISTING).fetchall()
    command = Installation(home=tmp_path, database_url=unified_database)
    for words, told in (
        (("daily",), 'would run ANALYZE (SKIP_LOCKED) "notes": 1000 of 0 rows changed'),
        (("weekly",), 'would run VACUUM (ANALYZE, SKIP_LOCKED) "notes": '),
        (("monthly", "--keep-audit-months", "12"), "would run SELECT audit_log_drop_before("),
    ):
        ran = command.run("db", "maintain", *words, "--dry-run")
        assert (ran.code, ran.err) == (0, "")
        assert told in ran.out
        assert f"\n{words[0]}: " in ran.out
        assert "to do" in ran.out
    assert owner.execute(_LISTING).fetchall() == before
    assert _one(owner, "SELECT reltuples FROM pg_class WHERE relname = 'notes'") == -1


def test_of_two_at_once_the_second_says_so(owner: Connection, unified_database: str) -> None:
    """It does nothing, and names the process that works; when that has ended, it works."""
    with psycopg.connect(unified_database, autocommit=True) as first:
        going = maintenance.maintain(first, "monthly")
        next(going)
        with pytest.raises(DatabaseUnavailable, match=rf"process {first.info.backend_pid} of"):
            _did(owner, "daily")
        assert list(going)
        _did(owner, "daily")


def test_killed_in_the_middle_the_next_run_goes_on(
    owner: Connection, unified_database: str, tmp_path: Path
) -> None:
    """A killed REINDEX leaves a copy, which goes; the index is made, and the lock is free."""
    _run(owner, "CREATE TABLE notes (id integer)", "INSERT INTO notes VALUES (1), (1)")
    with pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("CREATE UNIQUE INDEX CONCURRENTLY notes_id_idx ON notes (id)")
    _run(owner, "DELETE FROM notes")
    command = Installation(home=tmp_path, database_url=unified_database)
    with psycopg.connect(unified_database) as other:
        # REINDEX waits for this transaction, with its copy begun.
        other.execute("INSERT INTO notes VALUES (2)")
        with command.running("db", "maintain", "monthly") as process:
            until(lambda: _one(owner, "SELECT to_regclass('notes_id_idx_ccnew') IS NOT NULL"))
            process.send_signal(signal.SIGKILL)
            process.wait()
            # The server notices, and nobody waits there any more.
            until(
                lambda: (
                    _one(
                        owner,
                        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        " AND application_name = 'robbieblocks'",
                    )
                    == 0
                )
            )
    ran = command.run("db", "maintain", "monthly")
    assert ran.code == 0, ran
    assert 'ran DROP INDEX CONCURRENTLY "notes_id_idx_ccnew"' in ran.out
    assert 'ran REINDEX INDEX CONCURRENTLY "notes_id_idx"' in ran.out
    assert _one(owner, "SELECT bool_and(indisvalid) FROM pg_index") is True


def test_who_does_not_own_the_tables_is_told_the_grant(
    owner: Connection, unified_database: str
) -> None:
    """Nothing is done by halves: VACUUM alone would skip the tables with a warning."""
    with psycopg.connect(as_superuser(unified_database), autocommit=True) as superuser:
        superuser.execute("CREATE ROLE test_maintenance LOGIN")
        conninfo = make_conninfo(unified_database, user="test_maintenance")
        try:
            with psycopg.connect(conninfo, autocommit=True) as connection:
                with pytest.raises(RightsMissing, match="GRANT robbieblocks TO test_maintenance;"):
                    list(maintenance.maintain(connection, "weekly"))
                superuser.execute("GRANT robbieblocks TO test_maintenance")
                assert list(maintenance.maintain(connection, "monthly"))
        finally:
            superuser.execute("DROP ROLE test_maintenance")


def test_a_database_without_tables_is_refused(empty_database: str) -> None:
    """A wrong address is not a maintained database; ours alone, without the other files, is one."""
    with psycopg.connect(empty_database, autocommit=True) as connection:
        with pytest.raises(SchemaOutdated, match="has no tables"):
            list(maintenance.maintain(connection, "daily"))
        schema.apply(connection)
        for cadence in ("daily", "weekly", "monthly"):
            done = [
                each
                for each in maintenance.maintain(connection, cadence, keep_audit_months=1)
                if isinstance(each, maintenance.Done)
            ]
            assert not [each.error for each in done if each.error]
