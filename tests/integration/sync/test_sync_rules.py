"""Deletes, parents, unique keys, places and clocks: what the rules make of two edits at once."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.sync.pages import (
    apart,
    block,
    component,
    key,
    orders,
    page,
    remove,
    retitle,
    title,
)
from tests.integration.sync.sites import WAYS, Fleet, Way

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def ways(request: pytest.FixtureRequest) -> tuple[Way, Way]:
    """Each rule holds for a node that subscribes, and for one that asks for changes."""
    given: tuple[Way, Way] = request.param
    return given


def _equal(fleet: Fleet) -> None:
    fleet.settle()
    contents = [site.content() for site in (fleet.master, *fleet.nodes)]
    assert contents[0] == contents[1] == contents[2]


@pytest.mark.parametrize("deleted_at", ["master", "node"])
def test_an_update_after_a_delete_brings_the_row_back(deleted_at: str, fleet: Fleet) -> None:
    """The later update wins over a delete elsewhere, with the blocks that went along."""
    aurora = fleet.nodes[0]
    here, there = (fleet.master, aurora) if deleted_at == "master" else (aurora, fleet.master)
    widget = component(fleet.master)
    the_page = page(fleet.master)
    placed = block(fleet.master, the_page, widget, 1)
    fleet.settle()
    with apart(aurora):
        remove(here, "pages", the_page)
        retitle(there, the_page, "later")
        fleet.send(aurora)
    _equal(fleet)
    assert title(fleet.master, the_page) == "later"
    kept = [c for c in fleet.conflicts() if c["table_name"] == "robbieblocks_pages"]
    assert len(kept) == 1
    # The page was deleted with its blocks: both are back.
    assert orders(aurora, the_page) == orders(fleet.master, the_page) == {placed: 1}


@pytest.mark.parametrize("deleted_at", ["master", "node"])
def test_a_delete_after_an_update_wins(deleted_at: str, fleet: Fleet) -> None:
    """The row is gone everywhere, and the update that lost is kept."""
    aurora = fleet.nodes[0]
    here, there = (fleet.master, aurora) if deleted_at == "master" else (aurora, fleet.master)
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        retitle(there, the_page, "earlier")
        remove(here, "pages", the_page)
        fleet.send(aurora)
    _equal(fleet)
    assert title(fleet.master, the_page) is None
    [kept] = fleet.conflicts()
    gone, lost = (
        ("master_data", "replica_data")
        if here is fleet.master
        else (
            "replica_data",
            "master_data",
        )
    )
    assert kept[gone] is None
    assert kept[lost]["meta_title"] == "earlier"


def test_a_block_of_a_page_that_is_gone_goes_to_the_audit(fleet: Fleet) -> None:
    """A block that a node adds to a page which the master deletes is gone everywhere, and kept."""
    aurora = fleet.nodes[0]
    widget = component(fleet.master)
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        remove(fleet.master, "pages", the_page)
        placed = block(aurora, the_page, widget, 1, '{"text": "kept"}')
        [result] = fleet.send(aurora)
        assert result["outcome"] == "lost"
    _equal(fleet)
    [kept] = fleet.conflicts()
    assert (kept["rule"], kept["row_key"]) == ("parent is gone", placed)
    assert kept["replica_data"]["props"] == {"text": "kept"}


def test_a_block_that_the_node_did_not_know_is_kept(fleet: Fleet) -> None:
    """Where a node deletes a page, a block that was added meanwhile goes, and is in the audit."""
    aurora = fleet.nodes[0]
    widget = component(fleet.master)
    the_page = page(fleet.master)
    block(fleet.master, the_page, widget, 1)
    fleet.settle()
    with apart(aurora):
        unknown = block(fleet.master, the_page, widget, 2)
        remove(aurora, "pages", the_page)
        fleet.send(aurora)
    _equal(fleet)
    assert title(fleet.master, the_page) is None
    assert [kept["row_key"] for kept in fleet.conflicts()] == [unknown]


def test_a_row_that_is_in_use_is_not_deleted(fleet: Fleet) -> None:
    """A component that the master has placed meanwhile comes back to the node that deleted it, and
    the node builds: with its block came a page that could not be built without it.
    """
    aurora = fleet.nodes[0]
    widget = component(fleet.master)
    the_page = page(fleet.master)
    aurora.run(
        "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps)"
        " VALUES ('aurora', 'Aurora', '{}', '{play}')"
    )
    fleet.settle()
    looks = (
        "SELECT count(*) FROM robbieblocks_change_triggers"
        " WHERE changed_by = 'sync' AND affected_nodes = '{aurora}'"
    )
    before = aurora.value(looks)
    with apart(aurora):
        block(fleet.master, the_page, widget, 1)
        remove(aurora, "components", widget)
        [result] = fleet.send(aurora)
        assert result["outcome"] == "lost"
    _equal(fleet)
    assert widget in aurora.content()["components"]
    assert aurora.value(looks) == before + 1
    [kept] = fleet.conflicts()
    assert (kept["rule"], kept["replica_data"]) == ("in use", None)
    remove(aurora, "node_branding", aurora.value("SELECT id FROM robbieblocks_node_branding"))


def test_a_name_that_two_have_taken_stays_with_the_master(fleet: Fleet) -> None:
    """The row that reaches the master second is kept in the audit, with what belongs to it."""
    aurora, vengeance = fleet.nodes
    named = key()
    widget = component(fleet.master)
    fleet.settle()
    with apart(aurora), apart(vengeance):
        first, second = page(aurora, named), page(vengeance, named)
        placed = block(vengeance, second, widget, 1)
        fleet.send(aurora)
        results = fleet.send(vengeance)
        assert [r["outcome"] for r in results] == ["lost", "lost"]
    _equal(fleet)
    pages = fleet.master.content()["pages"]
    assert first in pages
    assert second not in pages
    kept = fleet.conflicts()
    assert [(c["rule"], c["row_key"]) for c in kept] == [
        ("unique key", second),
        ("parent is gone", placed),
    ]


def test_blocks_at_one_place_both_stay(fleet: Fleet) -> None:
    """Two blocks at one order: the second to arrive moves to the end, on every database."""
    aurora, vengeance = fleet.nodes
    widget = component(fleet.master)
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora), apart(vengeance):
        first = block(aurora, the_page, widget, 1)
        second = block(vengeance, the_page, widget, 1)
        fleet.send(aurora)
        fleet.send(vengeance)
    _equal(fleet)
    assert orders(vengeance, the_page) == {first: 1, second: 2}
    [kept] = fleet.conflicts()
    assert (kept["resolution"], kept["resolved_data"]["block_order"]) == ("merge", 2)


def test_a_change_that_loses_its_place_and_wins_is_kept_once(fleet: Fleet) -> None:
    """A block that both sides moved, whose place another one has: one conflict with both sides."""
    aurora = fleet.nodes[0]
    widget, the_page = component(fleet.master), page(fleet.master)
    moved, other = (block(fleet.master, the_page, widget, order) for order in (1, 2))
    fleet.settle()
    move = "UPDATE robbieblocks_page_blocks SET block_order = %s WHERE id = %s"
    with apart(aurora):
        fleet.master.run(move, 5, moved)
        fleet.master.run(move, 7, other)
        aurora.run(move, 7, moved)
        fleet.send(aurora)
    _equal(fleet)
    places = orders(aurora, the_page)
    assert places[moved] > places[other] == 7
    [kept] = fleet.conflicts()
    assert kept["rule"] == "newer row"
    sides = (kept[side]["block_order"] for side in ("master_data", "replica_data", "resolved_data"))
    assert tuple(sides) == (5, 7, places[moved])


def test_blocks_change_their_places_in_one_batch(fleet: Fleet) -> None:
    """Moving a block on a node is moved at the master, though no single step of it is possible."""
    aurora = fleet.nodes[0]
    widget = component(fleet.master)
    named = key()
    the_page = page(fleet.master, named)
    placed = [block(fleet.master, the_page, widget, order) for order in range(1, 5)]
    fleet.settle()
    aurora.run("SELECT robbieblocks_move_block(%s, 4, 1)", named)
    assert {r["outcome"] for r in fleet.send(aurora)} == {"applied"}
    _equal(fleet)
    assert orders(fleet.master, the_page) == {
        placed[3]: 1,
        placed[0]: 2,
        placed[1]: 3,
        placed[2]: 4,
    }
    fleet.master.run("SELECT robbieblocks_move_block(%s, 1, 3)", named)
    _equal(fleet)
    assert orders(aurora, the_page)[placed[3]] == 3
    assert fleet.conflicts() == []


def test_a_row_may_refer_to_one_that_comes_later_in_the_batch(fleet: Fleet) -> None:
    """An edit that joins an earlier change may name a row that was made in between."""
    aurora = fleet.nodes[0]
    old = component(aurora)
    the_page = page(aurora)
    placed = block(aurora, the_page, old, 1)
    new = component(aurora)
    aurora.run("UPDATE robbieblocks_page_blocks SET component_id = %s WHERE id = %s", new, placed)
    assert {r["outcome"] for r in fleet.send(aurora)} == {"applied"}
    _equal(fleet)


def test_a_clock_that_is_ahead_is_held_to_a_minute(fleet: Fleet) -> None:
    """Its edits count as a minute ahead and keep their order; later edits of others win."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    aurora.run("UPDATE sync_self SET clock_offset_ms = 3600000")
    try:
        retitle(aurora, the_page, "from the future")
        fleet.send(aurora)
        retitle(aurora, the_page, "from the future again")
        fleet.send(aurora)
        assert title(fleet.master, the_page) == "from the future again"
        ahead = fleet.master.value(
            "SELECT sync_version_at(version) - now() FROM sync_rows WHERE row_key = %s", the_page
        )
        assert ahead.total_seconds() < 62
        _equal(fleet)
        retitle(fleet.master, the_page, "by one who has seen it")
        _equal(fleet)
        assert title(aurora, the_page) == "by one who has seen it"
        assert fleet.conflicts() == []
        # Told to the node, and noted.
        assert aurora.calls is not None
        row = aurora.calls.execute(
            "SELECT sync_hello('aurora', now() + interval '1 hour')"
        ).fetchone()
        assert row is not None
        assert row[0]["is_skewed"] is True
        skew = "SELECT clock_skew_ms / 60000 FROM sync_nodes WHERE node_id = 'aurora'"
        assert fleet.master.value(skew) in (59, 60)
    finally:
        aurora.run("UPDATE sync_self SET clock_offset_ms = 0")


def test_what_was_written_last_stays_though_its_transaction_began_first(fleet: Fleet) -> None:
    """Over a version that was clamped: no node ends with the one that was written over."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    aurora.run("UPDATE sync_self SET clock_offset_ms = 3600000")
    try:
        with fleet.master.cluster.connect(fleet.master.database, "owner") as slow:
            slow.autocommit = False
            slow.execute("INSERT INTO sync_metrics (metric_name, metric_value) VALUES ('x', 1)")
            retitle(aurora, the_page, "from the future")
            assert [each["outcome"] for each in fleet.send(aurora)] == ["applied"]
            slow.execute(
                "UPDATE robbieblocks_pages SET meta_title = 'seen' WHERE id = %s", [the_page]
            )
            slow.commit()
        _equal(fleet)
        assert title(aurora, the_page) == "seen"
    finally:
        aurora.run("UPDATE sync_self SET clock_offset_ms = 0")


def test_a_future_edit_that_loses_gives_way_on_its_node(fleet: Fleet) -> None:
    """Two clocks ahead: the one whose edit loses at the master gets the master's version."""
    aurora, vengeance = fleet.nodes
    the_page = page(fleet.master)
    fleet.settle()
    for node in fleet.nodes:
        node.run("UPDATE sync_self SET clock_offset_ms = 3600000")
    try:
        with apart(aurora), apart(vengeance):
            retitle(aurora, the_page, "aurora")
            retitle(vengeance, the_page, "vengeance")
            fleet.send(vengeance)
            fleet.send(aurora)
        _equal(fleet)
        assert len(fleet.conflicts()) == 1
    finally:
        for node in fleet.nodes:
            node.run("UPDATE sync_self SET clock_offset_ms = 0")


def test_an_edit_over_one_that_was_seen_wins_whatever_the_clock(fleet: Fleet) -> None:
    """A clock that is an hour behind writes a greater version than the one that it changes."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    aurora.run("UPDATE sync_self SET clock_offset_ms = -3600000")
    try:
        retitle(aurora, the_page, "by a slow clock")
        _equal(fleet)
        assert title(fleet.master, the_page) == "by a slow clock"
        assert fleet.conflicts() == []
    finally:
        aurora.run("UPDATE sync_self SET clock_offset_ms = 0")


def test_a_truncate_is_a_delete_of_each_row(fleet: Fleet) -> None:
    """It goes down and up as deletes."""
    aurora = fleet.nodes[0]
    for site in (aurora, fleet.master):
        widget, the_page = component(site), page(site)
        block(site, the_page, widget, 1)
        _equal(fleet)
        assert len(fleet.master.content()["blocks"]) > 0
        site.run("TRUNCATE robbieblocks_page_blocks")
        _equal(fleet)
        assert fleet.master.content()["blocks"] == {}


def test_a_conflict_is_restored_by_one_call(fleet: Fleet) -> None:
    """The version that lost is everywhere again, as a new edit; a second time is refused."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        retitle(aurora, the_page, "lost")
        retitle(fleet.master, the_page, "won")
        fleet.send(aurora)
    fleet.settle()
    [kept] = fleet.conflicts()
    assert fleet.master.value("SELECT sync_conflicts_restore(%s)", kept["id"]) == the_page
    _equal(fleet)
    assert title(aurora, the_page) == "lost"
    with pytest.raises(Exception, match="was restored at"):
        fleet.master.value("SELECT sync_conflicts_restore(%s)", kept["id"])


def test_a_restored_page_brings_the_blocks_that_went_with_it(fleet: Fleet) -> None:
    """One that was edited on a node is deleted on the master: restored, it is no empty page. A
    component that has gone since takes its blocks with it alone."""
    aurora, master = fleet.nodes[0], fleet.master
    the_page, stays, goes = page(master), component(master), component(master)
    kept = block(master, the_page, stays, 1)
    block(master, the_page, goes, 2)
    fleet.settle()
    with apart(aurora):
        retitle(aurora, the_page, "edited")
        remove(master, "pages", the_page)
        remove(master, "components", goes)
        fleet.send(aurora)
    fleet.settle()
    [lost] = fleet.conflicts()
    master.run("SELECT sync_conflicts_restore(%s)", lost["id"])
    _equal(fleet)
    assert title(aurora, the_page) == "edited"
    assert orders(aurora, the_page) == {kept: 1}


def test_restored_rows_find_their_key_and_their_parent(fleet: Fleet) -> None:
    """A page that lost its name becomes the page that has it, and its blocks go there, whichever is
    restored first, behind the blocks that are there.
    """
    aurora = fleet.nodes[0]
    named = key()
    widget = component(fleet.master)
    fleet.settle()
    with apart(aurora):
        holder = page(fleet.master, named, "of the master")
        lost = page(aurora, named, "of the node")
        block(fleet.master, holder, widget, 1)
        for order in (1, 2):
            block(aurora, lost, widget, order)
        fleet.send(aurora)
    fleet.settle()
    of_page, *of_blocks = fleet.conflicts()
    bring_back = "SELECT sync_conflicts_restore(%s)"
    assert fleet.master.value(bring_back, of_blocks[0]["id"]) == of_blocks[0]["row_key"]
    assert title(fleet.master, holder) == "of the master"
    assert fleet.master.value(bring_back, of_page["id"]) == holder
    assert fleet.master.value(bring_back, of_blocks[1]["id"]) == of_blocks[1]["row_key"]
    _equal(fleet)
    assert title(aurora, holder) == "of the node"
    placed = {of_blocks[n]["row_key"]: n + 2 for n in (0, 1)}
    assert orders(aurora, holder).items() >= placed.items()


def test_a_restore_writes_over_no_other_row_that_took_its_key_since(fleet: Fleet) -> None:
    """It is refused and says so; once the key is free the row itself has it again."""
    master, aurora = fleet.master, fleet.nodes[0]
    the_page, named = page(master), key()
    fleet.settle()
    rename = "UPDATE robbieblocks_pages SET page_key = %s WHERE id = %s"
    with apart(aurora):
        aurora.run(rename, named, the_page)
        master.run(rename, key(), the_page)
        fleet.send(aurora)
    fleet.settle()
    [kept] = fleet.conflicts()
    other = page(master, named, "of another page")
    restore = "SELECT sync_conflicts_restore(%s)"
    with pytest.raises(psycopg.errors.UniqueViolation, match="has its page_key now"):
        master.run(restore, kept["id"])
    assert title(master, other) == "of another page"
    remove(master, "pages", other)
    assert master.value(restore, kept["id"]) == the_page
    _equal(fleet)
    assert master.content()["pages"][the_page]["page_key"] == named


def test_a_delete_that_lost_is_brought_back_once_nothing_refers_to_the_row(fleet: Fleet) -> None:
    """Until then it is refused, and the conflict stays open: nothing is said to be done."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget, the_page = component(master), page(master)
    fleet.settle()
    with apart(aurora):
        placed = block(master, the_page, widget, 1)
        remove(aurora, "components", widget)
        fleet.send(aurora)
    fleet.settle()
    [kept] = fleet.conflicts()
    assert kept["rule"] == "in use"
    restore = "SELECT sync_conflicts_restore(%s)"
    with pytest.raises(psycopg.errors.ForeignKeyViolation) as refused:
        master.run(restore, kept["id"])
    assert "remove the rows of robbieblocks_page_blocks" in str(refused.value.diag.message_hint)
    assert fleet.conflicts()[0]["restored_at"] is None
    remove(master, "page_blocks", placed)
    master.run(restore, kept["id"])
    _equal(fleet)
    assert widget not in aurora.content()["components"]
