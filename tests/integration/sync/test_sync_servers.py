"""Servers that are not as they were: a master of PostgreSQL 15, and databases out of a dump."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robbieblocks.settings import Settings
from tests import postgres_servers, sync_sites
from tests.sync_sites import Clusters, Place, synced, syncing
from tests.workers import edit, running, until

pytestmark = pytest.mark.postgres
MakeSettings = Callable[..., Settings]

BLOCKS = "robbieblocks_page_blocks"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """A master of PostgreSQL 15, and nodes of 18."""
    with sync_sites.started(tmp_path_factory.mktemp("clusters"), master_version=15) as found:
        yield found


def test_edits_go_both_ways_with_a_master_of_15(
    servers: Clusters, make_settings: MakeSettings
) -> None:
    """A node's process subscribes to it, sends to it, and compares itself with it."""
    with synced(servers, make_settings, count=1) as found, syncing(*found.nodes) as (process,):
        process.wait_for("sync.state", state="active")
        assert process.health is not None
        assert process.health.transport == "stream"
        for place, number in ((found.master, 1), (found.nodes[0], 2)):
            with place.connect() as connection:
                edit(connection, "play", number)
            found.until_equal(BLOCKS)
        found.until_sent()
        assert found.master.value("SELECT count(*) FROM sync_conflicts") == 0


def test_the_process_syncs_with_a_master_of_15(
    servers: Clusters, make_settings: MakeSettings
) -> None:
    """`sync run` of a node and that of the master: edits go both ways, and both end in order."""
    with synced(servers, make_settings, count=1) as found:
        (node,) = found.nodes
        processes = [node.syncing(), found.master.syncing()]
        with running(*processes):
            for process in processes:
                process.wait_for("sync.state", state="active")
            for place, number in ((found.master, 1), (node, 2)):
                with place.connect() as connection:
                    edit(connection, "play", number)
                found.until_equal(BLOCKS)
            found.until_sent()
            assert [process.stop() for process in processes] == [0, 0]
            assert not [p.logged("sync.broken") for p in processes if p.logged("sync.broken")]


def _dumped_and_restored(place: Place, folder: Path) -> None:
    """Put a database into a dump, drop it with all that belongs to it, and restore it."""
    binaries, environment = postgres_servers.programs(place.cluster.version)
    conninfo, dump = place.cluster.conninfo(place.dbname), folder / f"{place.name}.dump"
    subprocess.run([binaries / "pg_dump", "-Fc", "-f", dump, conninfo], env=environment, check=True)
    sync_sites.drop(place.cluster, place.dbname)
    with place.cluster.connect() as connection:
        connection.execute(f"CREATE DATABASE {place.dbname}".encode())
    subprocess.run(
        [binaries / "pg_restore", "--exit-on-error", "-d", conninfo, dump],
        env=environment,
        check=True,
    )


@pytest.mark.parametrize("which", ["master", "node"])
def test_a_database_out_of_a_dump_goes_on(
    servers: Clusters, make_settings: MakeSettings, tmp_path: Path, which: str
) -> None:
    """What waited in it goes up, what comes down goes on, and no edit conflicts."""
    with synced(servers, make_settings, count=1) as found:
        (node,) = found.nodes
        with node.connect() as connection:
            edit(connection, "play", 1)
        _dumped_and_restored(found.master if which == "master" else node, tmp_path)
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            found.until_equal(BLOCKS)
            with found.master.connect() as connection:
                edit(connection, "play", 2)
            found.until_equal(BLOCKS)
        found.until_sent()
        assert found.master.value("SELECT count(*) FROM sync_conflicts") == 0


def test_a_master_that_was_put_back_with_its_disk_is_subscribed_to_anew(
    servers: Clusters, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Its slots are those of then, and nodes have read more of its log than there is: what is
    edited there comes at once all the same, and not with the next comparison.
    """
    with synced(servers, make_settings, count=1) as found:
        (node,) = found.nodes
        backup = tmp_path / "backup"
        servers.master.stop()
        subprocess.run(["cp", "-a", servers.master.data, backup], check=True)
        servers.master.start()
        with syncing(node) as (process,):
            with found.master.connect() as connection:
                connection.execute(
                    "SELECT pg_logical_emit_message(false, 'x', repeat('x', 2000000))"
                )
                edit(connection, "play", 1)
            found.until_equal(BLOCKS)
            process.wait_for("sync.state", state="active")
            log_bytes = found.master.value(
                "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
            )
            looked = (
                f"SELECT (metadata ->> 'log_bytes')::bigint >= {log_bytes} FROM sync_nodes"
                " WHERE node_id = (SELECT node_id FROM sync_self)"
            )
            until(lambda: node.value(looked), "it has looked since")
        servers.master.stop()
        shutil.rmtree(servers.master.data)
        subprocess.run(["cp", "-a", backup, servers.master.data], check=True)
        servers.master.start()
        with syncing(node, interval_s=3600) as (process,):
            process.wait_for("sync.subscription_lost")
            process.wait_for("sync.state", state="active")
            with found.master.connect() as connection:
                edit(connection, "play", 2)
            found.until_equal(BLOCKS)
