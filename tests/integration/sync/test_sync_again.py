"""Tables and masters that were out of the sync for a while, and are in it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import pytest

from robbieblocks import sync
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.settings import Settings, SyncTransport
from tests.clusters import Cluster
from tests.integration.sync import sites
from tests.integration.sync.sites import Fleet, Site, Way
from tests.sync_sites import Clusters, synced, syncing

pytestmark = pytest.mark.postgres
MakeSettings = Callable[..., Settings]
PAGES = "robbieblocks_pages"
_numbers = count(860)


@pytest.fixture(scope="module")
def shared_fleet(servers: list[Cluster], ways: tuple[Way, Way]) -> Iterator[Fleet]:
    """A fleet with a table of its own."""

    def prepare(site: Site) -> None:
        site.run("CREATE TABLE shelves (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text)")
        site.run("SELECT sync_configure('shelves', 'both')")

    with sites.fleet(servers, next(_numbers), prepare, ways=ways) as made:
        yield made


def test_what_was_made_of_a_row_that_waits_goes_up_too(fleet: Fleet) -> None:
    """A table is kept in step again on a node: of a row whose edit waits nobody lost the later one,
    which no trigger saw."""
    master, aurora = fleet.master, fleet.nodes[0]
    insert = "INSERT INTO shelves (name) VALUES ('first') RETURNING id"
    edited, gone, still = (master.value(insert) for _ in range(3))
    fleet.settle()
    edit = "UPDATE shelves SET name = %s WHERE id = %s"
    for row in (edited, gone, still):
        aurora.run(edit, "waits", row)
    aurora.run("SELECT sync_configure('shelves', 'never')")
    aurora.run(edit, "unseen", edited)
    aurora.run("DELETE FROM shelves WHERE id = %s", gone)
    aurora.run("SELECT sync_configure('shelves', 'both')")
    fleet.settle()
    for site in (master, *fleet.nodes):
        rows = site.rows("SELECT id, name FROM shelves ORDER BY name")
        assert {row["id"]: row["name"] for row in rows} == {edited: "unseen", still: "waits"}
    assert fleet.conflicts() == []


def test_rows_that_nobody_wrote_meanwhile_are_as_old_as_they_were(fleet: Fleet) -> None:
    """A table is kept in step again at the master: an edit that waits on a node loses to what was
    written there since, and not to a row that only stood there."""
    master, aurora = fleet.master, fleet.nodes[0]
    insert = "INSERT INTO shelves (name) VALUES ('first') RETURNING id"
    written, stood, from_before = (master.value(insert) for _ in range(3))
    fleet.settle()
    for site in (master, *fleet.nodes):
        site.run("DELETE FROM sync_rows WHERE row_key = %s", str(from_before))
    edit = "UPDATE shelves SET name = %s WHERE id = %s"
    for row in (written, stood, from_before):
        aurora.run(edit, "by aurora", row)
    master.run("SELECT sync_configure('shelves', 'never')")
    for row in (written, from_before):
        master.run(edit, "by the master", row)
    master.run("SELECT sync_configure('shelves', 'both')")
    fleet.settle()
    read = "SELECT name FROM shelves WHERE id = %s"
    names = [master.value(read, row) for row in (written, stood, from_before)]
    assert names == ["by the master", "by aurora", "by the master"]
    kept = {c["row_key"]: c["replica_data"]["name"] for c in fleet.conflicts()}
    assert kept == {str(row): "by aurora" for row in (written, from_before)}


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_a_master_that_left_and_is_one_again_keeps_what_was_edited_meanwhile(
    clusters: Clusters, make_settings: MakeSettings, transport: SyncTransport
) -> None:
    """An edit of the master that no trigger saw, and one of a node: the later wins, and the other
    is kept. What was deleted there stays so, and nodes go on by themselves."""
    with synced(clusters, make_settings, count=1, transports=(transport,)) as found:
        (node,) = found.nodes
        with found.master.connect() as master:
            master.execute(
                "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
                " layout_template)"
                " VALUES ('other', 'other', 'other', '/other', 'default')"
            )
        with syncing(node) as (process,):
            found.until_equal(PAGES)
            process.wait_for("sync.state", state="active")
            with found.master.connect() as master, node.connect() as own:
                sync.leave(found.master.settings, master, force=True)
                process.wait_for("sync.state", state="refused")
                own.execute("UPDATE robbieblocks_pages SET page_name = 'the node''s'")
                master.execute(
                    "UPDATE robbieblocks_pages SET page_name = 'the master''s'"
                    " WHERE app_namespace = 'play'"
                )
                master.execute("DELETE FROM robbieblocks_pages WHERE app_namespace = 'other'")
                sync.init_master(found.master.settings, master, "master")
            found.until_sent()
            found.until_equal(PAGES)
            names = found.master.rows("SELECT page_name FROM robbieblocks_pages")
            assert names == [("the master's",)]
            kept = "SELECT DISTINCT replica_data ->> 'page_name' FROM sync_conflicts"
            assert found.master.rows(kept) == [("the node's",)]
            with found.master.connect() as master:
                master.execute("UPDATE robbieblocks_pages SET page_name = 'later'")
            found.until_equal(PAGES)


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_a_table_that_was_dropped_holds_up_no_other(
    clusters: Clusters, make_settings: MakeSettings, transport: SyncTransport
) -> None:
    """At the master first, then at the node: what else there is goes on, both ways, and what lost
    of that table can't be brought back, and says so."""
    with synced(clusters, make_settings, count=1, transports=(transport,)) as found:
        (node,) = found.nodes
        made = "CREATE TABLE shelves (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text)"
        with found.master.connect() as master, node.connect() as own:
            own.execute(made)
            master.execute(made)
            master.execute("SELECT sync_configure('shelves', 'both')")
            with syncing(node, interval_s=0.3) as (process,):
                process.wait_for("sync.state", state="active")
                for place in (own, master):
                    place.execute("INSERT INTO shelves (name) VALUES ('a')")
                found.until_sent()
                found.until_equal("shelves")
                for number, place in enumerate((master, own)):
                    place.execute("DROP TABLE shelves")
                    for other, text in ((master, "master"), (own, "node")):
                        other.execute(
                            "UPDATE robbieblocks_pages SET page_name = %s", (f"{text} {number}",)
                        )
                        found.until_equal(PAGES)
                        found.until_sent()
                assert process.health is not None
                assert process.health.state == "active"
            lost = master.execute(
                "INSERT INTO sync_conflicts (table_name, record_id, row_key, source_node,"
                " master_data, replica_data, resolution) SELECT 'shelves', id, id::text, 'x',"
                " 'null', '{}', 'master_wins' FROM gen_random_uuid() AS id RETURNING id::text"
            ).fetchone()
            assert lost is not None
            assert sync.together(master, sync.one(master, *lost)) == {}
            with pytest.raises(RobbieBlocksError, match=r"no table shelves .* Make it again"):
                sync.restore(master, *lost)
