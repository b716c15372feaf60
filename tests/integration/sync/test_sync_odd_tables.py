"""Tables as others make them: late constraints, partitions, given numbers, keys of two columns."""

from __future__ import annotations

import itertools
import json
import threading
import uuid
from collections.abc import Iterator

import pytest

from tests.clusters import Cluster
from tests.integration.sync import sites
from tests.integration.sync.pages import apart
from tests.integration.sync.sites import Fleet, Site, Way
from tests.workers import until

pytestmark = pytest.mark.postgres
_TABLES = """
    CREATE TABLE shelves (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
    CREATE TABLE books (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text,
                        shelf_id uuid REFERENCES shelves DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text,
                        number bigint GENERATED ALWAYS AS IDENTITY);
    CREATE TABLE seats (row_id uuid, number integer, name text, PRIMARY KEY (row_id, number));
    CREATE TABLE visits (id uuid DEFAULT gen_random_uuid(), year integer, name text,
                         PRIMARY KEY (id, year)) PARTITION BY RANGE (year);
    CREATE TABLE visits_old PARTITION OF visits FOR VALUES FROM (2000) TO (2020);
    CREATE TABLE visits_new PARTITION OF visits FOR VALUES FROM (2020) TO (2040);
"""
_NAMES = ("shelves", "books", "notes", "seats", "visits")
_WAITS = b"""
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%sync_apply%'
"""
_numbers = itertools.count(820)


@pytest.fixture(scope="module")
def shared_fleet(servers: list[Cluster], ways: tuple[Way, Way]) -> Iterator[Fleet]:
    """A fleet with these tables."""

    def prepare(site: Site) -> None:
        site.run(_TABLES)
        for name in _NAMES:
            site.run("SELECT sync_configure(%s, 'both')", name)

    with sites.fleet(servers, next(_numbers), prepare, ways=ways) as made:
        yield made


def _equal(fleet: Fleet, table: str) -> None:
    fleet.settle()
    query = f"SELECT to_jsonb(t) FROM {table} t ORDER BY 1"
    found = [site.rows(query) for site in (fleet.master, *fleet.nodes)]
    assert found[0] == found[1] == found[2]


def test_a_constraint_that_is_checked_late_refuses_one_row(fleet: Fleet) -> None:
    """And not the batch: what is beside it is applied."""
    aurora = fleet.nodes[0]
    aurora.run("SET session_replication_role = replica")
    shelf = aurora.value("INSERT INTO shelves DEFAULT VALUES RETURNING id")
    aurora.run("RESET session_replication_role")
    aurora.run("INSERT INTO books (shelf_id) VALUES (%s)", shelf)
    aurora.run("INSERT INTO books DEFAULT VALUES")
    assert {result["outcome"] for result in fleet.send(aurora)} == {"refused", "applied"}
    aurora.value("SELECT sync_send('shelves', ARRAY[%s])", str(shelf))
    _equal(fleet, "books")


def test_a_row_with_a_number_that_was_given_is_edited_everywhere(fleet: Fleet) -> None:
    """Its number, which no update may write, stays."""
    master, aurora = fleet.master, fleet.nodes[0]
    note = master.value("INSERT INTO notes (name) VALUES ('new') RETURNING id")
    fleet.settle()
    aurora.run("UPDATE notes SET name = 'by a node' WHERE id = %s", note)
    _equal(fleet, "notes")
    master.run("UPDATE notes SET name = name || ', by the master' WHERE id = %s", note)
    _equal(fleet, "notes")
    read = "SELECT name FROM notes WHERE id = %s"
    assert aurora.value(read, note) == "by a node, by the master"
    assert aurora.value("SELECT waiting FROM sync_outbox_state()") == 0


def test_rows_of_partitions_go_as_those_of_their_table(fleet: Fleet) -> None:
    """From a node and from the master; also where a row moves to another partition, and where the
    table is configured again."""
    master, aurora = fleet.master, fleet.nodes[0]
    for site in (master, *fleet.nodes):
        site.run("SELECT sync_configure('visits', 'both')")
    first = aurora.value("INSERT INTO visits (year, name) VALUES (2010, 'a') RETURNING id")
    master.run("INSERT INTO visits (year, name) VALUES (2030, 'b')")
    _equal(fleet, "visits")
    assert master.value("SELECT count(*) FROM visits") == 2
    aurora.run("UPDATE visits SET year = 2030 WHERE id = %s", first)
    master.run("DELETE FROM visits WHERE name = 'b'")
    _equal(fleet, "visits")
    assert master.rows("SELECT name, year FROM visits_new") == [{"name": "a", "year": 2030}]
    master.run("TRUNCATE visits")
    _equal(fleet, "visits")
    assert fleet.conflicts() == []


def test_a_row_that_both_insert_at_once_keeps_its_key(fleet: Fleet) -> None:
    """The master's session is not done yet as the node's row comes: there is one row then, and
    the other version is kept."""
    master, aurora = fleet.master, fleet.nodes[0]
    row = str(uuid.uuid4())
    insert = "INSERT INTO seats VALUES (%s, 1, %s)"
    with apart(aurora), master.cluster.connect(master.database, sites.OWNER) as session:
        session.autocommit = False
        session.execute(insert, [row, "master"])
        aurora.run(insert, row, "aurora")
        thread = threading.Thread(target=fleet.send, args=[aurora], daemon=True)
        thread.start()
        until(lambda: master.admin.execute(_WAITS).fetchone() != (0,), "it waits")
        session.commit()
        thread.join()
    _equal(fleet, "seats")
    assert master.rows("SELECT number, name FROM seats WHERE row_id = %s", row) == [
        {"number": 1, "name": "aurora"}
    ]
    [kept] = fleet.conflicts()
    assert kept["master_data"]["name"] == "master"


def test_a_row_too_large_for_an_index_of_a_node_stops_no_other(fleet: Fleet) -> None:
    """It is named as one that this node refused."""
    master, vengeance = fleet.master, fleet.nodes[1]
    vengeance.run("CREATE INDEX books_name ON books (name)")
    try:
        large = "SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) AS n"
        master.run(f"INSERT INTO books (name) SELECT ({large})")
        small = master.value("INSERT INTO books (name) VALUES ('small') RETURNING id")
        fleet.arrived()
        assert vengeance.value("SELECT name FROM books WHERE id = %s", small) == "small"
        said = vengeance.value("SELECT last_error FROM sync_status WHERE table_name = 'books'")
        assert "this node refused the row" in said
    finally:
        vengeance.run("DROP INDEX books_name")
        master.run("DELETE FROM books WHERE length(name) > 1000")
    _equal(fleet, "books")


def _compare(fleet: Fleet, node: Site, table: str) -> None:
    """Bring a table to what the master has, as a comparison does."""
    assert node.calls is not None
    copied = "SELECT sync_copy(%s, %s, NULL, NULL, 10000)"
    row = node.calls.execute(copied, [node.name, table]).fetchone()
    node.run(
        "SELECT sync_repair(%s, NULL, NULL, %s, '2000-01-01')", table, json.dumps(row and row[0])
    )


def test_a_table_that_is_kept_in_step_again_begins_anew(fleet: Fleet) -> None:
    """What was edited meanwhile is not known: the master's rows stand, and the others are kept; so
    is what waits on a node that heard of nothing."""
    master, (aurora, vengeance) = fleet.master, fleet.nodes
    insert = "INSERT INTO shelves (name) VALUES ('first') RETURNING id"
    edited, waits, gone = (master.value(insert) for _ in range(3))
    fleet.settle()
    edit = "UPDATE shelves SET name = %s WHERE id = %s"
    vengeance.run(edit, "by vengeance", waits)
    for site in (master, aurora):
        site.run("SELECT sync_configure('shelves', 'never')")
    aurora.run(edit, "by aurora", edited)
    master.run(edit, "by the master", edited)
    master.run(edit, "by the master", waits)
    master.run("DELETE FROM shelves WHERE id = %s", gone)
    for site in (master, aurora):
        site.run("SELECT sync_configure('shelves', 'both')")
    fleet.settle()
    for node in fleet.nodes:
        _compare(fleet, node, "shelves")
    _equal(fleet, "shelves")
    read = "SELECT name FROM shelves WHERE id = %s"
    assert [master.value(read, each) for each in (edited, waits, gone)] == [
        "by the master",
        "by the master",
        None,
    ]
    kept = "SELECT replica_data ->> 'name' AS name FROM sync_conflicts"
    assert master.rows(kept) == [{"name": "by vengeance"}]
    assert {"name": "by aurora"} in aurora.rows(kept)
