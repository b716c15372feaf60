"""What a statement costs does not grow with what its transaction has done before it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from robbieblocks.database import schema
from tests import clusters, postgres_servers
from tests.databases import Databases
from tests.integration.rows import CONTENT, Db, one

pytestmark = pytest.mark.postgres

_SIDES: LiteralString = """
    SELECT before, after, pending, affected_apps, affected_nodes FROM robbieblocks_change_triggers
     WHERE entity_id = %s
"""
_PLACE: LiteralString = """
    INSERT INTO robbieblocks_page_blocks
           (id, page_id, component_id, block_order, zone, props, created_at)
    SELECT %s, %s, id, %s, 'main', jsonb_build_object('text', %s::text), '2026-01-01Z'
      FROM robbieblocks_components WHERE component_key = 'bar'
"""
_HOME: LiteralString = "SELECT id FROM robbieblocks_pages WHERE page_key = 'home'"
_EMPTIED: tuple[LiteralString, ...] = (
    "TRUNCATE robbieblocks_change_triggers",
    "VACUUM ANALYZE robbieblocks_change_triggers",
)


@pytest.fixture(scope="module", params=[clusters.EMBEDDED, 15])
def server(
    request: pytest.FixtureRequest,
    databases: Databases,
    schema_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A database with a little content, on the embedded server and on one of 15."""
    with ExitStack() as stack:
        if request.param == clusters.EMBEDDED:
            conninfo = stack.enter_context(databases.copy(schema_template))
        else:
            folder = tmp_path_factory.mktemp("pg")
            conninfo = stack.enter_context(postgres_servers.running(request.param, folder))
        with psycopg.connect(conninfo, autocommit=True) as connection:
            schema.apply(connection)
            connection.execute(CONTENT)
        yield conninfo


@pytest.fixture
def session(server: str) -> Iterator[Db]:
    """A new session, which has planned nothing, and an empty queue."""
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("TRUNCATE robbieblocks_change_triggers")
        yield connection


def text(made: random.Random, characters: int) -> str:
    """A text that hardly becomes shorter."""
    return "".join(made.choices("abcdefghijklmnopqrstuvwxyz0123456789 .,;:!?", k=characters))


@pytest.mark.parametrize("planned", ["at once", "for an empty queue"])
def test_a_statement_reads_no_more_of_the_queue_the_longer_its_transaction(
    session: Db, planned: str
) -> None:
    """Thousands of pages may be written one by one. A queue that is known to be empty tempts a plan
    to read all of it, and the plan is kept."""
    insert: LiteralString = """
        INSERT INTO robbieblocks_pages
               (page_key, app_namespace, page_name, page_route, layout_template, status)
        VALUES (%(key)s, 'q', 'Q', %(key)s, 'single-column', 'published')"""
    update: LiteralString = "UPDATE robbieblocks_pages SET page_name = 'R' WHERE page_key = %(key)s"
    delete: LiteralString = "DELETE FROM robbieblocks_pages WHERE page_key = %(key)s"
    read: LiteralString = """
        SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables
         WHERE relname = 'robbieblocks_change_triggers'"""
    pages = [{"key": f"q{number}"} for number in range(300)]
    if planned != "at once":
        for statement in _EMPTIED:
            session.execute(statement)
        with session.transaction(force_rollback=True):
            for edit in (insert, update, delete):
                for page in pages[:10]:
                    session.execute(edit, page)
        for statement in _EMPTIED:
            session.execute(statement)
    with session.transaction(force_rollback=True):
        for edit in (insert, update, delete):
            before = one(session, read)
            for page in pages:
                session.execute(edit, page)
            assert one(session, read) - before <= 2 * len(pages)
        assert one(session, "SELECT count(*) FROM robbieblocks_change_triggers") == len(pages)


def test_a_block_more_costs_no_more_the_more_there_are(session: Db) -> None:
    """What a transaction writes for each block that it places, by the bytes of the server's log."""
    made, home = random.Random(1), one(session, _HOME)
    at: LiteralString = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
    written: list[Any] = []
    with session.transaction(force_rollback=True):
        for number in range(600):
            if number % 200 == 0:
                written.append(one(session, at))
            place = (UUID(int=number), home, number + 10, text(made, 300))
            session.execute(_PLACE, place)
        written.append(one(session, at))
    first, _, last = (end - start for start, end in itertools.pairwise(written))
    assert last < 2 * first


def _edits(session: Db, seed: int) -> Iterator[None]:
    """Makes two hundred edits of the page home and its blocks, one each time."""
    made, home = random.Random(seed), one(session, _HOME)
    there = list[int]()
    for number in range(200):
        kind = made.choice(("place", "place", "place", "change", "take", "move", "page"))
        if kind == "page":
            values = (text(made, 40), home)
            session.execute("UPDATE robbieblocks_pages SET meta_title = %s WHERE id = %s", values)
        elif kind == "place" or not there:
            again = made.choice([number, made.randrange(number + 1)])
            if again not in there:
                there.append(again)
                block = (UUID(int=again + 1), home, again + 1000, text(made, 900))
                session.execute(_PLACE, block)
        else:
            chosen = UUID(int=made.choice(there) + 1)
            if kind == "take":
                there.remove(chosen.int - 1)
                session.execute("DELETE FROM robbieblocks_page_blocks WHERE id = %s", (chosen,))
            elif kind == "change":
                edit: LiteralString = """
                    UPDATE robbieblocks_page_blocks SET props = %s::jsonb WHERE id = %s"""
                session.execute(edit, (f'{{"text": "{text(made, 30)}"}}', chosen))
            else:
                session.execute(
                    "UPDATE robbieblocks_page_blocks SET zone = %s WHERE id = %s",
                    (made.choice(("main", "header", "footer")), chosen),
                )
        yield


@pytest.mark.parametrize("seed", range(4))
def test_what_waits_for_the_end_is_as_if_it_had_not(session: Db, seed: int) -> None:
    """The journal has of many edits what it has where each is laid over those before it at once."""
    home = one(session, _HOME)
    session.execute("SET TimeZone = 'UTC'")
    found: list[Any] = []
    for when in ("IMMEDIATE", "DEFERRED"):
        with session.transaction(force_rollback=True):
            session.execute(f"SET CONSTRAINTS ALL {when}".encode())
            place = (UUID(int=777_000 + seed), home, 999, text(random.Random(seed), 40_000))
            session.execute(_PLACE, place)
            waits: LiteralString = "SELECT pending IS NOT NULL FROM robbieblocks_change_triggers"
            has_waited = {one(session, waits) for _ in _edits(session, seed)}
            assert (True in has_waited) is (when == "DEFERRED")
            session.execute("SET CONSTRAINTS ALL IMMEDIATE")
            found.append(session.execute(_SIDES, (home,)).fetchall())
    assert len(found[0]) == 1
    assert found[0] == found[1]
    assert found[0][0][2] is None


def test_nothing_waits_once_the_transaction_has_ended(session: Db) -> None:
    """Also of a page that it deletes after all; and who was told of none before is told of one."""
    made, home = random.Random(2), one(session, _HOME)
    taken: LiteralString = "DELETE FROM robbieblocks_page_blocks WHERE block_order >= 1000"
    try:
        with session.transaction():
            for number in range(60):
                block = (UUID(int=number + 1), home, number + 1000, text(made, 900))
                session.execute(_PLACE, block)
            (_, seen, waiting, _, _) = session.execute(_SIDES, (home,)).fetchall()[0]
            assert waiting is not None
            assert len(seen["blocks"]) < 60
        ((before, after, waiting, _, _),) = session.execute(_SIDES, (home,)).fetchall()
        assert (len(before["blocks"]), len(after["blocks"]), waiting) == (0, 60, None)
    finally:
        session.execute(taken)
    with session.transaction(force_rollback=True):
        session.execute("TRUNCATE robbieblocks_change_triggers")
        for number in range(60):
            block = (UUID(int=number + 1), home, number + 1000, text(made, 900))
            session.execute(_PLACE, block)
        session.execute("DELETE FROM robbieblocks_pages WHERE id = %s", (home,))
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        ((before, after, waiting, _, _),) = session.execute(_SIDES, (home,)).fetchall()
        assert (sorted(each["block_order"] for each in before["blocks"].values())) == [1, 2]
        assert (after, waiting) == (None, None)


def test_a_row_that_was_processed_waits_again(session: Db) -> None:
    """A transaction removes the one node that a change waited for, and then edits on."""
    with session.transaction(force_rollback=True):
        session.execute("DELETE FROM robbieblocks_node_branding WHERE node_id <> 'fluenti-local'")
        session.execute("TRUNCATE robbieblocks_change_triggers")
        session.execute("UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'desk'")
        session.execute("DELETE FROM robbieblocks_node_branding")
        state: LiteralString = """
            SELECT processed_at IS NOT NULL, after ->> 'page_name', before ->> 'page_name'
              FROM robbieblocks_change_triggers WHERE entity_type = 'page'"""
        assert session.execute(state).fetchall() == [(True, "x", "desk")]
        session.execute("UPDATE robbieblocks_pages SET page_name = 'y' WHERE page_key = 'desk'")
        assert session.execute(state).fetchall() == [(False, "y", "desk")]
