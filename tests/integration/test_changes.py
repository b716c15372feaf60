"""The change queue: what waits, notifications, acknowledging and removing rows."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest

from robbieblocks import changes, snapshot
from robbieblocks.errors import DatabaseUnavailable
from tests.integration.rows import Db
from tests.workers import NODES as SITE_NODES
from tests.workers import edit, fill, until

pytestmark = pytest.mark.postgres

NODES = ("aurora-town-local", "collaboration-local", "fluenti-local", "vengeance-local")
NODE, OTHER = SITE_NODES


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """A connection to a database with four nodes and an empty queue."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def site(db: Db) -> Db:
    """The same, with the small site of tests/workers.py in it."""
    fill(db)
    return db


@pytest.fixture
def listener(database: str) -> Iterator[Db]:
    """Another connection to the same database."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def ids(db: Db) -> list[UUID]:
    return [row[0] for row in db.execute("SELECT id FROM robbieblocks_change_triggers")]


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


# --- waiting ---------------------------------------------------------------------------------


def test_waiting_rows_are_grouped_by_apps(site: Db) -> None:
    """Rows are counted by the apps that they affect, only for nodes that they concern."""
    edit(site, "play", 1)
    edit(site, "code", 1)
    edit(site, "code", 2)
    site.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = '1px' WHERE token_key = 'radius.none'"
    )
    site.execute(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) VALUES ('x', 'x', '1')"
    )
    here = changes.waiting(site, NODE)
    assert here.apps == ("code", "play", "shared")
    found = {tuple(sorted(group.apps)): group.count for group in here.groups}
    assert found[("play",)] == 1
    assert found[("code",)] == 2
    assert found[("code", "play", "shared")] >= 1
    there = changes.waiting(site, OTHER)
    assert ("play",) not in {tuple(sorted(group.apps)) for group in there.groups}


def test_rows_that_are_handled_known_or_a_persons_are_left_out(site: Db) -> None:
    """Rows that the node has handled, that are known, or that wait for a person do not count."""
    for version in range(3):
        edit(site, "code", version + 1)
    first, second, third = ids(site)
    changes.acknowledge(site, NODE, [first])
    site.execute(
        "UPDATE robbieblocks_change_triggers SET auto_deploy = false WHERE id = %s", [second]
    )
    assert changes.waiting(site, NODE).count == 1
    assert changes.waiting(site, NODE, [third]).count == 0
    assert changes.waiting(site, OTHER).count == 2


def test_a_node_without_branding_has_no_apps(site: Db) -> None:
    """For a node without a branding row there are no apps, not even the shared one."""
    assert changes.waiting(site, "nowhere").apps is None


def test_ten_thousand_rows_are_one_group(site: Db) -> None:
    """A bulk insert is one group with one count."""
    site.execute(
        """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
           SELECT 'p' || n, 'play', 'p', '/p' || n, 'single-column', 'published' FROM generate_series(1, 10000) n"""
    )
    assert [group.count for group in changes.waiting(site, NODE).groups] == [10000]


# --- notifications ---------------------------------------------------------------------------


def test_one_commit_is_one_notification(site: Db, listener: Db) -> None:
    """However many rows a transaction changes, one short notification arrives, after the commit."""
    changes.listen(listener)
    with site.transaction():
        for app in ("play", "code", "work"):
            edit(site, app, 1)
        assert changes.receive(listener, 0.05) == []
    assert changes.receive(listener, 10) == [
        (changes.CHANNEL, '{"table": "robbieblocks_change_triggers"}')
    ]
    assert changes.receive(listener, 0.05) == []


def test_every_notification_of_a_packet_is_returned(site: Db, listener: Db) -> None:
    """Notifications that arrive together are all returned: none is dropped with the packet."""
    changes.listen(listener)
    with site.transaction():
        for number in range(50):
            changes.ping(site, str(number))
    received: list[str] = []
    while len(received) < 50:
        received += [payload for _, payload in changes.receive(listener, 10.0)]
    assert received == [str(number) for number in range(50)]


def test_waiting_for_notifications_wakes_nobody(listener: Db) -> None:
    """While nothing arrives, the thread that listens sleeps: an idle worker costs no CPU."""
    changes.listen(listener)
    assert changes.receive(listener, 0.0) == []
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    assert changes.receive(listener, 1.0) == []
    assert resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before <= 4


def test_a_listener_is_not_ended_for_being_idle(site: Db, database: str) -> None:
    """A server that ends idle sessions spares the one that listens."""
    site.execute(f"ALTER DATABASE {site.info.dbname} SET idle_session_timeout = '150ms'".encode())
    listener, idle = psycopg.connect(database, autocommit=True), psycopg.connect(database)
    changes.listen(listener)

    def over() -> bool:
        found = site.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", [idle.info.backend_pid]
        ).fetchone()
        return found == (0,)

    until(over)
    changes.ping(site, "still there")
    assert changes.receive(listener, 10) == [("robbieblocks_ping", "still there")]
    listener.close()
    idle.close()


# --- acknowledging ---------------------------------------------------------------------------


def test_processed_when_all_have_handled_it(db: Db) -> None:
    """A row for all nodes waits until the last of them has handled it."""
    row = queued(db)
    for node in NODES:
        assert waiting(db) == {row}
        assert changes.acknowledge(db, node, [row]).count == 1
        assert node not in {n for n in NODES if snapshot.triggers(db, nodes=[n])}
    assert waiting(db) == set()


def test_only_nodes_that_it_concerns(db: Db) -> None:
    """A row for two nodes waits for those two."""
    row = queued(db, ["fluenti-local", "vengeance-local"])
    changes.acknowledge(db, "vengeance-local", [row])
    assert waiting(db) == {row}
    changes.acknowledge(db, "fluenti-local", [row])
    assert waiting(db) == set()


def test_removed_node(db: Db) -> None:
    """A row for a node that has no branding any more is processed at the next acknowledgement."""
    kept = queued(db)
    orphan = queued(db, ["gone-local"])
    assert changes.acknowledge(db, "vengeance-local", [kept]).count == 1
    assert orphan not in waiting(db)
    assert waiting(db) == {kept}


def test_node_removed_while_another_acknowledges(db: Db, database: str) -> None:
    """Neither sees what the other does; the row is marked when the queue is looked at next."""
    row = queued(db)
    with psycopg.connect(database) as worker:
        with worker.transaction():
            for node in ("vengeance-local", "fluenti-local"):
                changes.acknowledge(worker, node, [row])
            db.execute(
                "DELETE FROM robbieblocks_node_branding WHERE node_id <> ALL (%s)",
                [["vengeance-local", "fluenti-local"]],
            )
        assert row in waiting(db)
        changes.mark_processed(worker)
        worker.commit()
    assert row not in waiting(db)


def test_node_that_joins(db: Db) -> None:
    """A node that joins while a row for all waits has to handle it too."""
    row = queued(db)
    db.execute(
        "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides)"
        " VALUES ('new-local', 'New', '{}')"
    )
    for node in NODES:
        changes.acknowledge(db, node, [row])
    assert row in waiting(db)
    changes.acknowledge(db, "new-local", [row])
    assert row not in waiting(db)


def test_again(db: Db) -> None:
    """Acknowledging again, an unknown row or none at all changes nothing."""
    row = queued(db)
    assert changes.acknowledge(db, "vengeance-local", [row, row]).count == 1
    assert changes.acknowledge(db, "vengeance-local", [row]).count == 0
    assert changes.acknowledge(db, "vengeance-local", [uuid4()]).count == 0
    assert changes.acknowledge(db, "vengeance-local", []).count == 0
    read: LiteralString = "SELECT handled_nodes FROM robbieblocks_change_triggers"
    assert db.execute(read).fetchall() == [(["vengeance-local"],)]


def test_processed_stays(db: Db) -> None:
    """A row that is processed is not touched again."""
    row = queued(db, ["vengeance-local"])
    changes.acknowledge(db, "vengeance-local", [row])
    assert changes.acknowledge(db, "fluenti-local", [row]).count == 0


def test_nodes_at_the_same_time(db: Db, database: str) -> None:
    """Nodes that acknowledge the same rows at once, in any order, lose none and never deadlock."""
    rows = [queued(db) for _ in range(200)]
    ready = threading.Barrier(len(NODES))

    def work(node: str, mine: list[UUID]) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            ready.wait(30)
            for start in range(0, len(mine), 50):
                changes.acknowledge(connection, node, mine[start : start + 100])

    with ThreadPoolExecutor(len(NODES)) as threads:
        both_ways = [rows[::-1] if index % 2 else rows for index, _ in enumerate(NODES)]
        list(threads.map(work, NODES, both_ways))
    assert waiting(db) == set()
    read: LiteralString = (
        "SELECT DISTINCT cardinality(handled_nodes) FROM robbieblocks_change_triggers"
    )
    assert db.execute(read).fetchall() == [(len(NODES),)]


# --- removing --------------------------------------------------------------------------------


def test_remove_processed(db: Db) -> None:
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

    assert changes.remove_processed(db, {}, limit=2) == 2
    assert left() == {*kept, old[0]}
    assert changes.remove_processed(db, {}) == 1
    assert changes.remove_processed(db, {}) == 0
    assert left() == kept


def test_what_a_kept_release_is_of_stays(db: Db) -> None:
    """A row of long ago stays that a run took along, of whatever outcome, since the history of its
    app on its node is needed; what another app's runs, or earlier ones, took along goes."""
    rows = [queued(db) for _ in range(7)]
    db.execute("UPDATE robbieblocks_change_triggers SET processed_at = now() - interval '90 days'")
    for number, row in enumerate(rows):
        db.execute(
            "INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, triggered_by,"
            " deploy_status, started_at, trigger_ids) VALUES ('n', %s, 'x', 'cli', %s,"
            " now() - %s * interval '1 day', ARRAY[%s, NULL]::uuid[])",
            (
                "work" if number == 6 else "play",
                ("failed", "success")[number % 2],
                91 + number,
                row,
            ),
        )
    since = datetime.now(UTC) - timedelta(days=94.5)
    assert changes.remove_processed(db, {("n", "play"): since, ("m", "work"): since}) == 3
    left = {row[0] for row in db.execute("SELECT id FROM robbieblocks_change_triggers")}
    assert left == set(rows[:4])


def test_a_row_does_not_wait_for_ever_for_a_node_without_a_worker(db: Db) -> None:
    """After seven days a row is processed though a node has not handled it; unless for a person."""
    new, old, older, held = (queued(db, ["vengeance-local", "fluenti-local"]) for _ in range(4))
    age: LiteralString = (
        "UPDATE robbieblocks_change_triggers SET created_at = now() - %s * interval '1 day',"
        " auto_deploy = %s WHERE id = %s"
    )
    for row, days, auto in ((new, 6, True), (old, 8, True), (older, 9, None), (held, 9, False)):
        db.execute(age, (days, auto, row))
    assert changes.remove_processed(db, {}) == 0
    assert waiting(db) == {new, held}
    changes.acknowledge(db, "vengeance-local", [new])
    assert waiting(db) == {new, held}


def test_an_old_row_that_is_refused_keeps_no_other_waiting(db: Db) -> None:
    """A row that the installation's own check does not let go leaves the others to be processed."""
    rows = [queued(db, ["fluenti-local"]) for _ in range(3)]
    db.execute("UPDATE robbieblocks_change_triggers SET created_at = now() - interval '8 days'")
    refused = (
        "ALTER TABLE robbieblocks_change_triggers ADD CHECK (id <> '{}' OR processed_at IS NULL)"
    )
    db.execute(refused.format(rows[1]).encode())
    changes.remove_processed(db, {})
    assert waiting(db) == {rows[1]}


def test_a_row_whose_update_a_trigger_drops_is_refused(db: Db) -> None:
    """It waits on, and nobody would build for it without end and say nothing."""
    kept, dropped = (queued(db, ["vengeance-local"]) for _ in range(2))
    db.execute(
        "CREATE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
        "CREATE TRIGGER theirs BEFORE UPDATE ON robbieblocks_change_triggers FOR EACH ROW"
        f" WHEN (OLD.id = '{dropped}') EXECUTE FUNCTION theirs()".encode()
    )
    done = changes.acknowledge(db, "vengeance-local", [kept, dropped])
    assert (done.count, list(done.refused)) == (1, [dropped])
    assert "a trigger of the table drops the update" in done.refused[dropped].what
    assert changes.acknowledge(db, "vengeance-local", [kept]).refused == {}


def test_lost_connection(db: Db) -> None:
    """A connection that is gone is DatabaseUnavailable."""
    db.close()
    with pytest.raises(DatabaseUnavailable, match="acknowledge 1 change for vengeance-local"):
        changes.acknowledge(db, "vengeance-local", [uuid4()])
