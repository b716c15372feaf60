"""What waits in an outbox goes up in the order in which rows come, go, and hand their keys on."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import pytest

from tests.integration.sync import pages, sites
from tests.integration.sync.pages import apart
from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres
_RENAME = "UPDATE robbieblocks_pages SET page_key = %s WHERE id = %s"


def _equal(fleet: Fleet) -> None:
    fleet.settle()
    contents = [site.content() for site in (fleet.master, *fleet.nodes)]
    assert contents[0] == contents[1] == contents[2]


def _send_one_by_one(fleet: Fleet, node: Site) -> list[str]:
    """Send what waits, each transaction by itself; what became of each change."""
    outcomes: list[str] = []
    while entries := node.value("SELECT sync_outbox_take(1)"):
        outcomes += [result["outcome"] for result in fleet.hand_over(node, entries)]
    return outcomes


@contextmanager
def _beside(site: Site) -> Generator[psycopg.Connection]:
    """Another session of a site's owner, in a transaction."""
    with site.cluster.connect(site.database, sites.OWNER) as session:
        session.autocommit = False
        yield session


def test_a_block_that_left_a_page_outlives_it(fleet: Fleet) -> None:
    """A page that was edited before goes after the block that was moved off it meanwhile."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget = pages.component(master)
    old, new = pages.page(master), pages.page(master)
    moved = pages.block(master, old, widget, 1)
    fleet.settle()
    with apart(aurora):
        pages.retitle(aurora, old, "edited")
        aurora.run("UPDATE robbieblocks_page_blocks SET page_id = %s WHERE id = %s", new, moved)
        pages.remove(aurora, "pages", old)
        fleet.send(aurora)
    _equal(fleet)
    assert pages.orders(master, new) == {moved: 1}
    assert pages.title(master, old) is None
    assert fleet.conflicts() == []


def test_a_row_that_is_in_use_no_more_goes(fleet: Fleet) -> None:
    """A component that was edited before goes after its last block has got another one."""
    master, aurora = fleet.master, fleet.nodes[0]
    old, new = pages.component(master), pages.component(master)
    placed = pages.block(master, pages.page(master), old, 1)
    fleet.settle()
    with apart(aurora):
        aurora.run("UPDATE robbieblocks_components SET react_code = 'x' WHERE id = %s", old)
        aurora.run(
            "UPDATE robbieblocks_page_blocks SET component_id = %s WHERE id = %s", new, placed
        )
        pages.remove(aurora, "components", old)
        assert set(_send_one_by_one(fleet, aurora)) == {"applied"}
    _equal(fleet)
    assert old not in master.content()["components"]
    assert fleet.conflicts() == []


def test_keys_change_hands_in_one_transaction(fleet: Fleet) -> None:
    """Two pages exchange their names on a node: so they do everywhere, and nothing is lost."""
    aurora = fleet.nodes[0]
    names = pages.key(), pages.key()
    first, second = (pages.page(fleet.master, name) for name in names)
    fleet.settle()
    with apart(aurora):
        with aurora.owner.transaction():
            aurora.run(_RENAME, pages.key(), first)
            aurora.run(_RENAME, names[0], second)
            aurora.run(_RENAME, names[1], first)
        fleet.send(aurora)
    _equal(fleet)
    found = fleet.master.content()["pages"]
    assert (found[first]["page_key"], found[second]["page_key"]) == (names[1], names[0])
    assert fleet.conflicts() == []


def test_a_key_is_taken_after_it_was_left(fleet: Fleet) -> None:
    """What comes before the end of a transaction goes with it, also beyond a batch's limit."""
    aurora = fleet.nodes[0]
    name = pages.key()
    first = pages.page(fleet.master, name)
    fleet.settle()
    with apart(aurora):
        with _beside(aurora) as slow:
            slow.execute(
                "INSERT INTO robbieblocks_components (component_key, component_name,"
                " component_type, react_code, props_schema) VALUES"
                " (md5(random()::text), 'C', 'widget', '', '{}')"
            )
            aurora.run(_RENAME, pages.key(), first)
            slow.execute(
                "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name,"
                " page_route, layout_template) VALUES (%s, 'play', 'n', '/n', 'default')",
                [name],
            )
            slow.commit()
        assert _send_one_by_one(fleet, aurora) == ["applied"] * 3
    _equal(fleet)
    assert fleet.conflicts() == []


@pytest.mark.parametrize("is_sent", [False, True])
def test_a_page_that_is_made_anew_has_no_blocks_of_before(is_sent: bool, fleet: Fleet) -> None:
    """A node deletes a page and inserts it again without its blocks, before or after the delete has
    left: no database brings them back."""
    master, aurora = fleet.master, fleet.nodes[0]
    the_page = pages.page(master)
    pages.block(master, the_page, pages.component(master), 1)
    fleet.settle()
    named = aurora.content()["pages"][the_page]["page_key"]
    with apart(aurora):
        pages.remove(aurora, "pages", the_page)
        if is_sent:
            fleet.send(aurora)
        pages.again(aurora, the_page, named, "anew")
        fleet.send(aurora)
    _equal(fleet)
    assert pages.title(master, the_page) == "anew"
    assert pages.orders(master, the_page) == {}
    assert fleet.conflicts() == []


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_page_that_is_brought_back_has_its_blocks(is_renamed: bool, fleet: Fleet) -> None:
    """A node deletes a page and brings it back with its blocks, before the delete has left."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget, the_page = pages.component(master), pages.page(master)
    placed = pages.block(master, the_page, widget, 1)
    fleet.settle()
    named = aurora.content()["pages"][the_page]["page_key"]
    with apart(aurora):
        pages.remove(aurora, "pages", the_page)
        pages.again(aurora, the_page, pages.key() if is_renamed else named, "new")
        aurora.run(
            "INSERT INTO robbieblocks_page_blocks (id, page_id, component_id, block_order, zone)"
            " VALUES (%s, %s, %s, 1, 'main')",
            placed,
            the_page,
            widget,
        )
        fleet.send(aurora)
    _equal(fleet)
    assert pages.orders(master, the_page) == {placed: 1}
    if not is_renamed:
        assert fleet.conflicts() == []


def test_an_edit_over_one_that_was_sent_is_sent_itself(fleet: Fleet) -> None:
    """A database was restored from a backup in which a change waits that the master has: an edit of
    that row joins it, and goes up."""
    aurora = fleet.nodes[0]
    the_page = pages.page(aurora)
    fleet.hand_over(aurora, aurora.value("SELECT sync_outbox_take()"), settle=False)
    aurora.run("UPDATE pending_sync SET sent_at = NULL WHERE synced_at IS NULL")
    pages.retitle(aurora, the_page, "after the restore")
    fleet.send(aurora)
    assert pages.title(fleet.master, the_page) == "after the restore"
    _equal(fleet)


def test_what_is_being_changed_waits_and_what_is_behind_it(fleet: Fleet) -> None:
    """A transaction that runs on holds up its rows and later ones; what is before it goes."""
    aurora = fleet.nodes[0]
    before, held, behind = (pages.page(fleet.master) for _ in range(3))
    fleet.settle()
    for each in (before, held, behind):
        pages.retitle(aurora, each, "first")
    with _beside(aurora) as slow:
        slow.execute("UPDATE robbieblocks_pages SET meta_title = 'last' WHERE id = %s", [held])
        with aurora.owner.transaction():
            aurora.run("SET LOCAL lock_timeout = '2s'")
            entries = aurora.value("SELECT sync_outbox_take()")
        assert [entry["row_key"] for entry in entries] == [before]
        fleet.hand_over(aurora, entries)
        slow.commit()
    _equal(fleet)
    titles = [pages.title(fleet.master, each) for each in (before, held, behind)]
    assert titles == ["first", "last", "first"]


def test_changes_of_one_row_are_applied_one_after_the_other(fleet: Fleet) -> None:
    """Also where the first waits for another row's place, and comes again with the later."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget, name = pages.component(master), pages.key()
    the_page = pages.page(master, name)
    first, second = (pages.block(master, the_page, widget, order) for order in (1, 2))
    fleet.settle()
    with apart(aurora):
        aurora.run("SELECT robbieblocks_move_block(%s, 1, 2)", name)
        assert len(aurora.value("SELECT sync_outbox_take()")) == 2
        edit = "UPDATE robbieblocks_page_blocks SET zone = 'header' WHERE id = %s"
        for each in (first, second):
            aurora.run(edit, each)
        assert [result["outcome"] for result in fleet.send(aurora)] == ["applied"] * 4
    _equal(fleet)
    assert pages.orders(master, the_page) == {first: 2, second: 1}
    assert fleet.conflicts() == []


def test_a_row_without_its_parent_is_deleted_by_itself(fleet: Fleet) -> None:
    """A node that did not let a page in deletes its block: it is gone everywhere."""
    master, aurora = fleet.master, fleet.nodes[0]
    aurora.run("ALTER TABLE robbieblocks_pages ADD CHECK (meta_title <> 'not here')")
    try:
        the_page = pages.page(master, title="not here")
        placed = pages.block(master, the_page, pages.component(master), 1)
        fleet.settle()
        assert pages.title(aurora, the_page) is None
        pages.remove(aurora, "page_blocks", placed)
        fleet.settle()
        assert pages.orders(master, the_page) == {}
        pages.remove(master, "pages", the_page)
        _equal(fleet)
    finally:
        aurora.run(
            "ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_meta_title_check"
        )


def test_a_row_goes_up_once_the_master_has_its_parent(fleet: Fleet) -> None:
    """One that was refused for a page which the master lacked is tried again as it has that: by
    this node, or by others."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget = pages.component(master)
    fleet.settle()
    for by_others in (False, True):
        aurora.run("SET session_replication_role = replica")
        the_page = pages.page(aurora)
        aurora.run("RESET session_replication_role")
        placed = pages.block(aurora, the_page, widget, 1)
        assert [result["outcome"] for result in fleet.send(aurora)] == ["refused"]
        assert aurora.value("SELECT sync_outbox_take()") == []
        if by_others:
            pages.again(master, the_page, pages.key(), "of others")
            fleet.arrived()
        else:
            aurora.run("SELECT sync_send('robbieblocks_pages', ARRAY[%s])", the_page)
            fleet.send(aurora)
        assert [result["outcome"] for result in fleet.send(aurora)] == ["applied"]
        assert pages.orders(master, the_page) == {placed: 1}
    _equal(fleet)
