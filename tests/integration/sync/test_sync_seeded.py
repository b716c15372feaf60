"""Databases that were restored from a dump of another one of the sync."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace

import pytest

from robbieblocks import sync
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings, SyncSettings
from robbieblocks.worker import open_log
from tests.sync_sites import NODES, Clusters, Place, copied, synced, syncing

pytestmark = pytest.mark.postgres
_PAGES = "robbieblocks_pages"


def _join(place: Place) -> None:
    with place.connect() as connection:
        sync.join(
            place.settings,
            connection,
            place.name,
            log=open_log("json", sys.stderr),
            progress=lambda _: None,
        )


def _rename(place: Place, name: str) -> None:
    with place.connect() as connection:
        connection.execute("UPDATE robbieblocks_pages SET page_name = %s", [name])


def test_a_node_may_begin_with_a_dump_of_the_master(
    clusters: Clusters, make_settings: Callable[..., Settings]
) -> None:
    """It is told that it is no master any more, and how; then it takes what changed since, and what
    it edits goes up. The master and its nodes go on."""
    with synced(clusters, make_settings, count=1, transports=("poll",)) as found:
        (node,) = found.nodes
        with found.master.connect() as connection:
            role = sync.admit(connection, NODES[1], role=f"sync_{NODES[1]}").role
        with copied(found.master) as place:
            address = found.master.cluster.conninfo(found.master.dbname, role)
            seeded = replace(
                place,
                name=NODES[1],
                settings=replace(place.settings, sync=SyncSettings(master=address)),
            )
            seeded.by("poll")
            _rename(found.master, "since the dump")
            _rename(seeded, "before it joined")
            with pytest.raises(UsageError, match=r"(?s)is the master master.*leave.*--force"):
                _join(seeded)
            with seeded.connect() as connection:
                sync.leave(seeded.settings, connection, force=True)
            _join(seeded)
            shown = "SELECT page_name FROM robbieblocks_pages"
            assert seeded.value(shown) == "since the dump"
            kept = "SELECT replica_data ->> 'page_name' FROM sync_conflicts WHERE rule = %s"
            assert seeded.value(kept, "before the sync") == "before it joined"
            assert set(seeded.rows("SELECT node_id FROM sync_nodes")) == {
                ("master",),
                (NODES[1],),
            }
            found.nodes.append(seeded)
            with syncing(node, seeded):
                _rename(seeded, "by the new node")
                found.until_sent()
                found.until_equal(_PAGES)
                _rename(found.master, "by the master")
                found.until_equal(_PAGES)
            found.nodes.remove(seeded)
        assert found.master.value("SELECT count(*) FROM pg_publication") == 1


def test_the_master_does_not_join_itself(
    clusters: Clusters, make_settings: Callable[..., Settings]
) -> None:
    """An address that leads to the database that is to join is refused before anything is done."""
    with synced(clusters, make_settings, count=1, transports=("poll",)) as found:
        (node,) = found.nodes
        itself = replace(
            found.master,
            settings=replace(found.master.settings, sync=node.settings.sync),
            name=node.name,
        )
        with pytest.raises(UsageError, match="the one to which the address of the master leads"):
            _join(itself)


def test_a_copy_of_a_node_leaves_by_itself(
    clusters: Clusters, make_settings: Callable[..., Settings]
) -> None:
    """The master is not told that the node has left, which goes on."""
    with synced(clusters, make_settings, count=1, transports=("poll",)) as found:
        (node,) = found.nodes
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
        with copied(node) as copy:
            with syncing(node) as (process,):
                process.wait_for("sync.state", state="active")
            with copy.connect() as connection:
                left = sync.leave(copy.settings, connection, force=True)
            assert "another database has synced as" in left.why_kept
            assert copy.value("SELECT count(*) FROM sync_self") == 0
        with found.master.connect() as connection:
            (seen,) = sync.status(found.master.settings, connection).nodes
        assert not seen.has_left
