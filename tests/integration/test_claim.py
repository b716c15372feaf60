"""Acknowledgement: which nodes have handled a queue row, and when it is processed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from robbieblocks import claim, snapshot
from robbieblocks.errors import DatabaseUnavailable
from tests.integration.rows import Db

pytestmark = pytest.mark.postgres

NODES = ("aurora-town-local", "collaboration-local", "fluenti-local", "vengeance-local")


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """A connection to a database with four nodes and an empty queue."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def queued(db: Db, nodes: list[str] | None = None) -> UUID:
    row = db.execute(
        "INSERT INTO robbieblocks_change_triggers"
        " (trigger_type, entity_type, entity_id, affected_nodes)"
        " VALUES ('page_update', 'page', gen_random_uuid(), %s) RETURNING id",
        (nodes,),
    ).fetchone()
    assert row is not None
    return UUID(str(row[0]))


def waiting(db: Db) -> set[UUID]:
    read: LiteralString = "SELECT id FROM robbieblocks_change_triggers WHERE processed_at IS NULL"
    return {row[0] for row in db.execute(read)}


def test_processed_when_all_have_handled_it(db: Db) -> None:
    """A row for all nodes waits until the last of them has handled it."""
    row = queued(db)
    for node in NODES:
        assert waiting(db) == {row}
        assert claim.acknowledge(db, node, [row]) == 1
        assert node not in {n for n in NODES if snapshot.triggers(db, nodes=[n])}
    assert waiting(db) == set()


def test_only_nodes_that_it_concerns(db: Db) -> None:
    """A row for two nodes waits for those two."""
    row = queued(db, ["fluenti-local", "vengeance-local"])
    claim.acknowledge(db, "vengeance-local", [row])
    assert waiting(db) == {row}
    claim.acknowledge(db, "fluenti-local", [row])
    assert waiting(db) == set()


def test_removed_node(db: Db) -> None:
    """A row for a node that has no branding any more is processed at the next acknowledgement."""
    kept = queued(db)
    orphan = queued(db, ["gone-local"])
    assert claim.acknowledge(db, "vengeance-local", [kept]) == 1
    assert orphan not in waiting(db)
    assert waiting(db) == {kept}


def test_node_that_joins(db: Db) -> None:
    """A node that joins while a row for all waits has to handle it too."""
    row = queued(db)
    db.execute(
        "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides)"
        " VALUES ('new-local', 'New', '{}')"
    )
    for node in NODES:
        claim.acknowledge(db, node, [row])
    assert row in waiting(db)
    claim.acknowledge(db, "new-local", [row])
    assert row not in waiting(db)


def test_again(db: Db) -> None:
    """Acknowledging again, an unknown row or none at all changes nothing."""
    row = queued(db)
    assert claim.acknowledge(db, "vengeance-local", [row, row]) == 1
    assert claim.acknowledge(db, "vengeance-local", [row]) == 0
    assert claim.acknowledge(db, "vengeance-local", [uuid4()]) == 0
    assert claim.acknowledge(db, "vengeance-local", []) == 0
    read: LiteralString = "SELECT handled_nodes FROM robbieblocks_change_triggers"
    assert db.execute(read).fetchall() == [(["vengeance-local"],)]


def test_processed_stays(db: Db) -> None:
    """A row that is processed is not touched again."""
    row = queued(db, ["vengeance-local"])
    claim.acknowledge(db, "vengeance-local", [row])
    assert claim.acknowledge(db, "fluenti-local", [row]) == 0


def test_nodes_at_the_same_time(db: Db, database: str) -> None:
    """Nodes that acknowledge the same rows at once, in any order, lose none and never deadlock."""
    rows = [queued(db) for _ in range(200)]
    ready = threading.Barrier(len(NODES))
    failures: list[BaseException] = []

    def work(node: str, mine: list[UUID]) -> None:
        try:
            with psycopg.connect(database, autocommit=True) as connection:
                ready.wait()
                for start in range(0, len(mine), 50):
                    claim.acknowledge(connection, node, mine[start : start + 100])
        except BaseException as error:  # noqa: BLE001  # a thread's failure is the test's
            failures.append(error)

    threads = [
        threading.Thread(target=work, args=(node, rows[::-1] if index % 2 else rows))
        for index, node in enumerate(NODES)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert waiting(db) == set()
    read: LiteralString = (
        "SELECT DISTINCT cardinality(handled_nodes) FROM robbieblocks_change_triggers"
    )
    assert db.execute(read).fetchall() == [(len(NODES),)]


def test_forget(db: Db) -> None:
    """Rows that were processed more than 30 days ago go, longest ago first, a bounded number."""
    kept = {queued(db), queued(db)}
    old = [queued(db) for _ in range(3)]
    age: LiteralString = (
        "UPDATE robbieblocks_change_triggers SET created_at = now() - interval '90 days',"
        " processed_at = now() - %s * interval '1 day' WHERE id = %s"
    )
    # One that waits goes at no age, nor one that was handled yesterday.
    db.execute(age, (None, min(kept)))
    db.execute(age, (29, max(kept)))
    for days, row in enumerate(old, start=31):
        db.execute(age, (days, row))

    def left() -> set[UUID]:
        return {row[0] for row in db.execute("SELECT id FROM robbieblocks_change_triggers")}

    assert claim.forget(db, at_most=2) == 2
    assert left() == {*kept, old[0]}
    assert claim.forget(db) == 1
    assert claim.forget(db) == 0
    assert left() == kept


def test_lost_connection(db: Db) -> None:
    """A connection that is gone is DatabaseUnavailable."""
    db.close()
    with pytest.raises(DatabaseUnavailable, match="acknowledge 1 changes for vengeance-local"):
        claim.acknowledge(db, "vengeance-local", [uuid4()])
