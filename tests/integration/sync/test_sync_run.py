"""`sync run`: what is edited anywhere comes to be everywhere, whatever is cut or killed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import psycopg
import pytest

from robbieblocks import sync
from robbieblocks.settings import Settings, SyncTransport
from tests import loopback
from tests.sync_sites import Clusters, Place, Sync, copied, synced, syncing
from tests.workers import edit, running, until

pytestmark = pytest.mark.postgres
BLOCKS = "robbieblocks_page_blocks"
PAGES = "robbieblocks_pages"
COMPONENTS = "robbieblocks_components"
MakeSettings = Callable[..., Settings]


def waiting(place: Place) -> object:
    """How many changes wait in a node's outbox."""
    return place.value("SELECT waiting FROM sync_outbox_state()")


def rename(place: Place, name: str) -> None:
    """Give the page another name."""
    with place.connect() as connection:
        connection.execute("UPDATE robbieblocks_pages SET page_name = %s", [name])


def lost(found: Sync, field: str) -> set[object]:
    """What one side had in a field of each row that was in a conflict."""
    with found.master.connect() as connection:
        rows = connection.execute(
            "SELECT master_data ->> %(f)s, replica_data ->> %(f)s FROM sync_conflicts",
            {"f": field},
        ).fetchall()
    return {value for row in rows for value in row}


def test_an_edit_comes_to_be_everywhere(clusters: Clusters, make_settings: MakeSettings) -> None:
    """One of the master comes to both nodes, one of a node to the master and the other node."""
    with synced(clusters, make_settings) as found:
        first, second = found.nodes
        found.until_equal(BLOCKS)
        with syncing(first, second), found.master.connect() as master:
            edit(master, "play", 1)
            found.until_equal(BLOCKS)
            with first.connect() as node:
                edit(node, "play", 2)
            found.until_equal(BLOCKS)
            shown = second.rows("SELECT props ->> 'version' FROM robbieblocks_page_blocks")
            assert shown == [("v2",), ("v2",)]
            until(lambda: waiting(first) == 0, "the outbox to be empty")
        assert found.master.value("SELECT count(*) FROM sync_conflicts") == 0


@pytest.mark.chaos
def test_a_kill_at_any_step_loses_nothing(clusters: Clusters, make_settings: MakeSettings) -> None:
    """Of each batch that was taken, applied or settled when it was killed, every change goes up
    once. What came down and was not noted comes again; a way down that was just begun goes on.
    """
    steps: tuple[tuple[str, SyncTransport], ...] = (
        ("taken", "auto"),
        ("applied", "auto"),
        ("settled", "poll"),
        ("received", "poll"),
        ("subscribed", "auto"),
    )
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        wants_all = (
            "SELECT nullif(metadata -> 'compare_all', 'null')::boolean FROM sync_nodes"
            " WHERE node_id = (SELECT node_id FROM sync_self)"
        )
        for number, (step, transport) in enumerate(steps, start=1):
            node.by(transport)
            rename(node, f"name {number}")
            with node.connect() as connection:
                edit(connection, "play", number)
            with found.master.connect() as connection:
                connection.execute("UPDATE robbieblocks_components SET component_name = %s", [step])
            killed = node.syncing(crash=f"sync: {step}")
            with running(killed):
                killed.wait_for_exit()
            # A way down was begun with `settled`, and what was before it is not compared yet.
            is_begun = step in ("settled", "received", "subscribed")
            assert node.value(wants_all) is (True if is_begun else None)
        with syncing(node):
            found.until_equal(BLOCKS)
            found.until_equal(PAGES)
            found.until_equal(COMPONENTS)
            until(lambda: waiting(node) == 0, "the outbox to be empty")
            until(lambda: node.value(wants_all) is None, "all compared")
        assert node.value("SELECT page_name FROM robbieblocks_pages") == "name 5"
        assert node.value("SELECT component_name FROM robbieblocks_components") == "subscribed"
        assert found.master.value("SELECT count(*) FROM sync_conflicts") == 0
        twice = (
            "SELECT count(*) FROM (SELECT id FROM sync_received GROUP BY id HAVING count(*) > 1)"
        )
        assert found.master.value(f"{twice} AS twice") == 0


@pytest.mark.chaos
def test_days_apart_end_equal_and_keep_what_lost(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Edits of both sides of a cut line meet when it is mended, though it breaks again and again:
    the latest stays, the others' last versions are in the audit.
    """
    with synced(clusters, make_settings) as found:
        first, second = found.nodes
        assert first.line is not None
        assert second.line is not None
        with syncing(first, second) as workers:
            for each in workers:
                each.wait_for("sync.state", state="active")
            for place in (first, second):
                place.line.cut()  # type: ignore[union-attr]  # it has one
            for number in range(40):
                rename(first, f"first {number}")
                with second.connect() as connection:
                    connection.execute(
                        "INSERT INTO robbieblocks_components (component_key, component_name, "
                        "component_type, react_code, props_schema) "
                        "VALUES (%s, %s, 'text', %s, '{}')",
                        [f"apart-{number}", f"Apart {number}", f"<p>{'x' * 2000}</p>"],
                    )
            rename(found.master, "the master's")
            rename(second, "the last")
            with first.connect() as connection:
                connection.execute("DELETE FROM robbieblocks_page_blocks WHERE block_order = 2")
            for each in workers:
                each.wait_for("sync.state", state="cut off")
            first.line.mend()
            second.line.mend()
            second.line.cut_after = 30_000
            found.until_equal(PAGES)
            found.until_equal(COMPONENTS)
            found.until_equal(BLOCKS)
            until(lambda: waiting(first) == waiting(second) == 0, "the outboxes to be empty")
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "the last"
        assert {"first 39", "the master's"} <= lost(found, "page_name")
        assert found.master.value("SELECT count(*) FROM robbieblocks_components") == 41


@pytest.mark.chaos
def test_a_killed_server_comes_back_in_step(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """The master, then each node, is killed while edits go both ways: all end equal."""
    with synced(clusters, make_settings) as found:
        with syncing(*found.nodes) as processes:
            for each in processes:
                each.wait_for("sync.state", state="active")
            for number, place in enumerate(found.places):
                node = found.nodes[max(0, number - 1)]
                rename(node, f"before {place.name}")
                place.cluster.kill()
                for each in processes:
                    if place is found.master:
                        each.wait_for("sync.state", state="cut off")
                    elif place is each.place:
                        each.wait_for("sync.state", state="unreachable")
                if place is found.master:
                    rename(node, "while the master is away")
                place.cluster.start()
                with found.master.connect() as connection:
                    edit(connection, "play", 7 + number)
                found.until_equal(PAGES)
                found.until_equal(BLOCKS)
        last = found.nodes[-1]
        assert last.value("SELECT page_name FROM robbieblocks_pages") == f"before {last.name}"


@pytest.mark.parametrize("how", ["dropped", "discarded"])
def test_a_lost_slot_is_made_anew(
    clusters: Clusters, make_settings: MakeSettings, how: str
) -> None:
    """Where the master has dropped a node's slot, or has discarded what it had not read, the
    subscription begins anew, what the node had not sent goes up, and what was deleted meanwhile
    goes.
    """
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        found.until_equal(BLOCKS)
        assert node.line is not None
        node.line.cut()
        with found.master.connect() as master:
            master.execute("DELETE FROM robbieblocks_page_blocks WHERE block_order = 2")
            edit(master, "play", 5)
            until(lambda: lose(master, how), f"the slot {how}")
        rename(node, "edited meanwhile")
        node.line.mend()
        with syncing(node) as (process,):
            process.wait_for("sync.subscription_lost")
            found.until_equal(BLOCKS)
            found.until_equal(PAGES)
            process.wait_for("sync.state", state="active")
            with found.master.connect() as master:
                edit(master, "play", 6)
            found.until_equal(BLOCKS)
        assert node.value("SELECT count(*) FROM robbieblocks_page_blocks") == 1
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "edited meanwhile"


def lose(master: psycopg.Connection, how: str) -> bool:
    """Have the master lose the slot of its database; whether it has."""
    row = master.execute(
        "SELECT slot_name, active_pid, wal_status FROM pg_replication_slots "
        "WHERE database = current_database()"
    ).fetchone()
    if row is None or row[2] == "lost":
        return True
    if row[1] is not None:
        master.execute("SELECT pg_terminate_backend(%s)", [row[1]])
    elif how == "dropped":
        master.execute("SELECT pg_drop_replication_slot(%s)", [row[0]])
    else:
        master.execute("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        master.execute("SELECT pg_reload_conf()")
        for _ in range(4):
            master.execute("SELECT pg_logical_emit_message(false, 'x', repeat('x', 9000000))")
            master.execute("SELECT pg_switch_wal()")
        master.execute("CHECKPOINT")
        master.execute("ALTER SYSTEM RESET max_slot_wal_keep_size")
        master.execute("SELECT pg_reload_conf()")
    return False


@pytest.mark.parametrize("rows", [100_000, 1], ids=["whole", "in steps"])
def test_damage_is_found_and_repaired(
    clusters: Clusters, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    """A row that was altered behind the sync's back, on a node, is put right by the comparison."""
    monkeypatch.setattr("robbieblocks.sync.comparing._ROWS_A_LOOK", rows)
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with node.connect() as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute("DELETE FROM robbieblocks_page_blocks WHERE block_order = 1")
            connection.execute("UPDATE robbieblocks_components SET component_name = 'damaged'")
        with syncing(node) as (process,):
            process.wait_for("sync.repaired")
            found.until_equal(BLOCKS)
            found.until_equal(COMPONENTS)
        assert found.master.value("SELECT component_name FROM robbieblocks_components") == "Label"


def test_a_clock_that_is_off_is_told(clusters: Clusters, make_settings: MakeSettings) -> None:
    """A node five minutes ahead is told, and its edit does not win over a later one for long."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with node.connect() as connection:
            connection.execute("UPDATE sync_self SET clock_offset_ms = 300000")
        with syncing(node) as (process,):
            process.wait_for("sync.finding", topic="clock")
            rename(node, "from the future")
            until(
                lambda: (
                    found.master.value("SELECT page_name FROM robbieblocks_pages")
                    == "from the future"
                ),
                "the edit to go up",
            )
            rename(found.master, "later")
            found.until_equal(PAGES)
        assert node.value("SELECT page_name FROM robbieblocks_pages") == "later"


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_a_node_whose_schema_is_behind_waits(
    clusters: Clusters, make_settings: MakeSettings, transport: SyncTransport
) -> None:
    """It says which column it lacks, changes nothing, and goes on once it has it."""
    with synced(clusters, make_settings, count=1, transports=(transport,)) as found:
        (node,) = found.nodes
        added = "ALTER TABLE robbieblocks_pages ADD COLUMN added text"
        with found.master.connect() as master:
            master.execute(added)
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="behind")
            (line,) = process.logged("sync.state", state="behind")
            assert "robbieblocks_pages.added is missing" in line["why"]
            with found.master.connect() as master:
                master.execute("UPDATE robbieblocks_pages SET added = 'new', page_name = 'new'")
            rename(node, "waits")
            assert waiting(node) == 1
            with node.connect() as connection:
                connection.execute(added)
            process.wait_for("sync.state", state="active")
            found.until_equal(PAGES)


def test_a_node_without_the_right_to_subscribe_asks_for_changes(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Its owner is no superuser: the same comes to it, also after the line was cut, and while a
    transaction of the master's server runs on.
    """
    with synced(clusters, make_settings, count=1, owner="plain") as found:
        (node,) = found.nodes
        assert node.line is not None
        with syncing(node, interval_s=60) as (process,):
            process.wait_for("sync.state", state="active")
            assert process.health is not None
            assert process.health.transport == "poll"
            with found.master.connect() as master:
                edit(master, "play", 1)
            found.until_equal(BLOCKS)
            node.line.cut()
            with found.master.connect() as master:
                edit(master, "play", 2)
                master.execute("DELETE FROM robbieblocks_page_blocks WHERE block_order = 2")
            rename(node, "apart")
            process.wait_for("sync.state", state="cut off")
            node.line.mend()
            found.until_equal(BLOCKS)
            found.until_equal(PAGES)
            assert "may make no subscription" in str(process.health.findings)
            with found.master.connect() as slow, slow.transaction():
                slow.execute("UPDATE robbieblocks_components SET component_name = 'slow'")
                rename(found.master, "quick")
                found.until_equal(PAGES)
            found.until_equal(COMPONENTS)
        assert node.value("SELECT count(*) FROM pg_subscription") == 0


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_a_paused_node_waits(
    clusters: Clusters, make_settings: MakeSettings, transport: SyncTransport
) -> None:
    """While it is paused nothing goes up or comes down; then both do."""
    with synced(clusters, make_settings, count=1, transports=(transport,)) as found:
        (node,) = found.nodes
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            with node.connect() as connection:
                sync.pause(connection, paused=True)
            process.wait_for("sync.state", state="paused")
            rename(node, "not sent")
            with found.master.connect() as master:
                edit(master, "play", 3)
            assert waiting(node) == 1
            assert process.health is not None
            until(lambda: process.health and process.health.outbox.waiting == 1, "it is seen")
            assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "play"
            assert node.value("SELECT props ->> 'version' FROM robbieblocks_page_blocks") == "v0"
            with node.connect() as connection:
                sync.pause(connection, paused=False)
            found.until_equal(PAGES)
            found.until_equal(BLOCKS)


def test_one_process_syncs_a_database(clusters: Clusters, make_settings: MakeSettings) -> None:
    """A second one stands by, and takes over when the first is gone."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with ExitStack() as later:
            with syncing(node, interval_s=60) as (first,):
                first.wait_for("sync.state", state="active")
                (second,) = later.enter_context(syncing(node, interval_s=60))
                second.wait_for("sync.state", state="standby")
            second.wait_for("sync.state", state="active")
            rename(node, "by the second")
            found.until_equal(PAGES)


def test_a_line_that_ends_is_noticed_at_once(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Also where nothing is sent, long before the next comparison; and it is connected again."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        assert node.line is not None
        with syncing(node, interval_s=3600) as (process,):
            process.wait_for("sync.state", state="active")
            node.line.cut()
            process.wait_for("sync.state", state="cut off")
            node.line.mend()
            until(lambda: len(process.logged("sync.state", state="active")) == 2, "it is back")


def test_two_databases_that_sync_as_one_node_are_told(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """A copy of a node's database at work beside it is a finding there and on the master."""
    with synced(clusters, make_settings, count=1, transports=("poll",)) as found:
        (node,) = found.nodes
        with syncing(node, interval_s=3600) as (process,):
            process.wait_for("sync.state", state="active")
        with copied(node) as copy, syncing(node, copy) as (first, second):
            second.wait_for("sync.finding", topic="twin")
            first.wait_for("sync.finding", topic="twin")
            with found.master.connect() as connection:
                shown = sync.status(found.master.settings, connection).findings
            assert any(f"two databases sync as {node.name}" in each for each in shown)
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            until(
                lambda: process.health and "twin" not in process.health.findings_now,
                "the one that is left is told no more",
            )


def test_what_the_master_refuses_does_not_hold_up_the_rest(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """A change of a table that the node may not write waits with the reason; others go up."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with found.master.connect() as master:
            master.execute(
                "UPDATE sync_nodes SET tables = '{robbieblocks_pages}' WHERE node_id = %s",
                [node.name],
            )
        with node.connect() as connection:
            connection.execute("UPDATE robbieblocks_components SET component_name = 'not mine'")
        rename(node, "mine")
        with syncing(node) as (process,):
            process.wait_for("sync.refused")
            process.wait_for("sync.state", state="active")
            found.until_equal(PAGES)
            assert process.health is not None
            until(lambda: process.health and process.health.outbox.refused == 1, "it is counted")
            assert "the master refuses 1 change:" in str(process.health.findings)
        shown = sync_status(node)
        assert any("robbieblocks_components" in each for each in shown.findings)


def sync_status(place: Place) -> sync.SyncStatus:
    """What `sync status` shows."""
    with place.connect() as connection:
        return sync.status(place.settings, connection)


def test_the_master_knows_its_nodes(clusters: Clusters, make_settings: MakeSettings) -> None:
    """Its own process notes who is there and who is not, and the score of health follows."""
    with synced(clusters, make_settings, count=2) as found:
        first, second = found.nodes
        online = "SELECT count(*) FROM sync_nodes WHERE is_online"
        with syncing(first, second), syncing(found.master, interval_s=30) as (process,):
            process.wait_for("sync.state", state="active")
            until(lambda: found.master.value(online) == 3, "all online")
            assert "max_slot_wal_keep_size" in str(process.logged("sync.finding"))
        report = "SELECT (is_online, metadata) FROM sync_nodes WHERE node_type <> 'master' LIMIT 1"
        with found.master.connect() as connection:
            connection.execute(
                "UPDATE sync_nodes SET is_online = false WHERE node_type <> 'master'"
            )
            before = found.master.value(report)
            # To look at a node whose sync has ended does not bring it online.
            sync_status(first)
            assert found.master.value(report) == before
            connection.execute("UPDATE sync_nodes SET is_online = true")
        assert found.master.value("SELECT get_sync_health_score()") == 100
        with found.master.connect() as connection:
            connection.execute(
                "UPDATE sync_nodes SET last_seen = now() - interval '1 hour' WHERE node_id = %s",
                [second.name],
            )
        with syncing(found.master, interval_s=30) as (process,):
            process.wait_for("sync.finding", topic=f"{second.name} away")
        assert found.master.value(online) == 2
        assert found.master.value("SELECT get_sync_health_score()") == 90
        left = "UPDATE sync_nodes SET metadata = jsonb_build_object('report', %s::jsonb)"
        locked = "UPDATE sync_nodes SET metadata = '{}', locked_out_at = now()"
        with found.master.connect() as connection:
            connection.execute(f"{left} WHERE NOT is_online".encode(), ['{"has_left": true}'])
            assert found.master.value("SELECT get_sync_health_score()") == 100
            connection.execute(f"{locked} WHERE NOT is_online".encode())
            assert found.master.value("SELECT get_sync_health_score()") == 100


def test_health_is_what_a_monitor_reads(clusters: Clusters, make_settings: MakeSettings) -> None:
    """A real process answers /healthz, /readyz and /metrics; neither they nor its log have the
    password, also where the master can't be reached.
    """
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        assert node.line is not None
        assert node.settings.sync.master is not None
        secret = "hidden-word"
        node.settings = replace(
            node.settings,
            sync=replace(
                node.settings.sync, master=f"{node.settings.sync.master} password={secret}"
            ),
        )
        with node.connect() as connection:
            # A server that logs what it is told.
            connection.execute(f"ALTER DATABASE {node.dbname} SET log_statement = 'all'".encode())
        process = node.syncing()
        process.arguments = ("--health", "127.0.0.1:0")
        with running(process):
            process.wait_for("sync.state", state="active")
            address = process.logged("sync.started")[0]["health"]
            until(
                lambda: loopback.get(f"http://{address}/readyz").status_code == 200, "it is ready"
            )
            assert loopback.get(f"http://{address}/healthz").json()["transport"] == "stream"
            metrics = loopback.get(f"http://{address}/metrics").text
            assert f'robbieblocks_sync_up{{node="{node.name}"}} 1.0' in metrics
            node.line.cut()
            rename(node, "waits")
            process.wait_for("sync.state", state="cut off")
            until(
                lambda: loopback.get(f"http://{address}/readyz").json()["waiting"] == 1, "it waits"
            )
            assert loopback.get(f"http://{address}/readyz").status_code == 503
            assert loopback.get(f"http://{address}/healthz").status_code == 200
            assert process.stop() == 0
        assert secret not in str(process.lines)
        assert secret not in node.cluster.said()


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_what_a_node_does_not_let_in_is_told_until_it_does(
    clusters: Clusters, make_settings: MakeSettings, transport: SyncTransport
) -> None:
    """A row that a constraint of the node alone refuses is a finding; the others come."""
    with synced(clusters, make_settings, count=1, transports=(transport,)) as found:
        (node,) = found.nodes
        with node.connect() as connection:
            connection.execute(
                "ALTER TABLE robbieblocks_pages ADD CONSTRAINT own CHECK (page_name <> 'no')"
            )
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            rename(found.master, "no")
            with found.master.connect() as master:
                edit(master, "play", 4)
            found.until_equal(BLOCKS)
            process.wait_for("sync.finding", topic="rows")
            assert any("robbieblocks_pages" in each for each in sync_status(node).findings)
            with node.connect() as connection:
                connection.execute("ALTER TABLE robbieblocks_pages DROP CONSTRAINT own")
            found.until_equal(PAGES)
            assert process.health is not None
            until(
                lambda: process.health and "rows" not in process.health.findings_now,
                "the finding ends",
            )
