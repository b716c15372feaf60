"""Edits go up and down, once; the newer row wins, and what loses is kept."""

from __future__ import annotations

import pytest

from tests.integration.sync.pages import apart, block, component, page, remove, retitle, title
from tests.integration.sync.sites import WAYS, Fleet, Way

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def ways(request: pytest.FixtureRequest) -> tuple[Way, Way]:
    """Each rule holds for a node that subscribes, and for one that asks for changes."""
    given: tuple[Way, Way] = request.param
    return given


def test_an_edit_reaches_every_database_once(fleet: Fleet) -> None:
    """What is inserted, updated and deleted at the master or a node is so everywhere."""
    aurora, vengeance = fleet.nodes
    first = page(fleet.master)
    second = page(aurora)
    fleet.settle()
    retitle(vengeance, first, "by vengeance")
    retitle(fleet.master, second, "by the master")
    fleet.settle()
    assert fleet.master.content() == aurora.content() == vengeance.content()
    assert [title(site, first) for site in (fleet.master, aurora)] == ["by vengeance"] * 2
    assert title(vengeance, second) == "by the master"
    remove(aurora, "pages", first)
    remove(fleet.master, "pages", second)
    fleet.settle()
    assert fleet.master.content() == aurora.content() == vengeance.content()
    assert {first, second}.isdisjoint(fleet.master.content()["pages"])
    assert fleet.conflicts() == []


@pytest.mark.parametrize("resolution", ["master_wins", "replica_wins"])
def test_the_newer_row_wins_and_the_older_is_kept(resolution: str, fleet: Fleet) -> None:
    """Of two edits of one row the later one is everywhere, and both are in the audit."""
    aurora = fleet.nodes[0]
    order = [fleet.master, aurora] if resolution == "replica_wins" else [aurora, fleet.master]
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        retitle(order[0], the_page, "first")
        retitle(order[1], the_page, "second")
        fleet.send(aurora)
    fleet.settle()
    assert [title(site, the_page) for site in (fleet.master, *fleet.nodes)] == ["second"] * 3
    [kept] = fleet.conflicts()
    assert (kept["resolution"], kept["rule"]) == (resolution, "newer row")
    assert (kept["source_node"], kept["row_key"]) == ("aurora", the_page)
    titles = {kept["master_data"]["meta_title"], kept["replica_data"]["meta_title"]}
    assert titles == {"first", "second"}
    assert fleet.master.content() == aurora.content()


def test_a_large_value_that_did_not_change_is_of_the_version_that_won(fleet: Fleet) -> None:
    """A row never mixes two versions, also where a column is stored out of line."""
    aurora = fleet.nodes[0]
    # Random text is not compressed away.
    code = fleet.master.value("SELECT string_agg(md5(n::text), '') FROM generate_series(1, 400) n")
    widget = component(fleet.master, code=code)
    fleet.settle()
    with apart(aurora):
        aurora.run("UPDATE robbieblocks_components SET react_code = 'short' WHERE id = %s", widget)
        fleet.master.run(
            "UPDATE robbieblocks_components SET component_name = 'New' WHERE id = %s", widget
        )
        fleet.send(aurora)
    fleet.settle()
    assert fleet.master.content() == aurora.content()
    assert aurora.content()["components"][widget]["react_code"] == code
    [kept] = fleet.conflicts()
    assert kept["replica_data"]["react_code"] == "short"


def test_later_edits_join_one_that_has_not_left(fleet: Fleet) -> None:
    """What waits of a row is one change with the row as it is; after it was sent, another."""
    aurora = fleet.nodes[0]
    the_page = page(aurora)
    for number in range(5):
        retitle(aurora, the_page, f"title {number}")
    [entry] = aurora.value("SELECT sync_outbox_take()")
    assert entry["data"]["meta_title"] == "title 4"
    retitle(aurora, the_page, "after it was sent")
    fleet.hand_over(aurora, [entry])
    assert title(fleet.master, the_page) == "title 4"
    assert [result["outcome"] for result in fleet.send(aurora)] == ["applied"]
    assert title(fleet.master, the_page) == "after it was sent"
    assert fleet.conflicts() == []


def test_a_version_that_lost_here_is_not_joined(fleet: Fleet) -> None:
    """An edit over the master's version leaves the node's own earlier one to the audit."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        retitle(aurora, the_page, "lost")
        retitle(fleet.master, the_page, "of the master")
    fleet.arrived()
    assert title(aurora, the_page) == "of the master"
    retitle(aurora, the_page, "seen and changed")
    fleet.settle()
    assert title(fleet.master, the_page) == "seen and changed"
    [kept] = fleet.conflicts()
    assert kept["replica_data"]["meta_title"] == "lost"


def test_what_was_applied_is_not_applied_again(fleet: Fleet) -> None:
    """A batch whose answer was lost is answered again; later edits of the master stay."""
    aurora = fleet.nodes[0]
    the_page = page(aurora)
    entries = aurora.value("SELECT sync_outbox_take()")
    assert [r["outcome"] for r in fleet.hand_over(aurora, entries, settle=False)] == ["applied"]
    retitle(fleet.master, the_page, "later")
    # Taken again, since nobody settled it.
    again = aurora.value("SELECT sync_outbox_take()")
    assert again == entries
    assert [r["outcome"] for r in fleet.hand_over(aurora, again)] == ["duplicate"]
    fleet.settle()
    assert title(aurora, the_page) == title(fleet.master, the_page) == "later"
    assert fleet.conflicts() == []


def test_a_refused_row_stops_no_other(fleet: Fleet) -> None:
    """Its reason comes back and it waits; the others are applied; once mended it goes at once."""
    aurora = fleet.nodes[0]
    before, after = page(aurora), ""
    aurora.run("ALTER TABLE robbieblocks_pages DROP CONSTRAINT robbieblocks_pages_status_check")
    try:
        bad = page(aurora)
        aurora.run("UPDATE robbieblocks_pages SET status = 'odd' WHERE id = %s", bad)
        after = page(aurora)
        results = fleet.send(aurora)
        assert [r["outcome"] for r in results] == ["applied", "refused", "applied"]
        assert results[1]["sqlstate"] == "23514"
        assert "robbieblocks_pages_status_check" in results[1]["reason"]
        assert {before, after} <= set(fleet.master.content()["pages"])
        waiting = "SELECT waiting, refused FROM sync_outbox_state()"
        assert aurora.rows(waiting) == [{"waiting": 1, "refused": 1}]
        # It is not tried again at once, but a later edit of the row is.
        assert aurora.value("SELECT sync_outbox_take()") == []
        aurora.run("UPDATE robbieblocks_pages SET status = 'draft' WHERE id = %s", bad)
        assert [r["outcome"] for r in fleet.send(aurora)] == ["applied"]
    finally:
        aurora.run(
            "ALTER TABLE robbieblocks_pages ADD CONSTRAINT robbieblocks_pages_status_check"
            " CHECK (status IN ('draft', 'published', 'archived'))"
        )
    fleet.settle()
    assert fleet.master.content() == aurora.content()


def test_a_transaction_goes_up_whole(fleet: Fleet) -> None:
    """A batch has all rows of a transaction, also beyond its limit."""
    aurora = fleet.nodes[0]
    widget = component(aurora)
    fleet.send(aurora)
    with aurora.owner.transaction():
        the_page = page(aurora)
        for order in range(5):
            block(aurora, the_page, widget, order)
    page(aurora)
    assert len(aurora.value("SELECT sync_outbox_take(2)")) == 6
    fleet.settle()
    assert fleet.master.content() == aurora.content()


@pytest.mark.parametrize("at", ["master", "node"])
def test_a_write_scans_no_table_of_the_sync(at: str, fleet: Fleet) -> None:
    """However many rows it knows: what an edit and a delete look up is found by an index."""
    site = fleet.master if at == "master" else fleet.nodes[0]
    the_page = page(fleet.master)
    block(fleet.master, the_page, component(fleet.master), 1)
    fleet.settle()
    tables = ("sync_rows", "pending_sync", "sync_received", "sync_gone_rows")
    scans = "SELECT pg_stat_get_xact_numscans(%s::text::regclass)"
    with site.owner.transaction(force_rollback=True):
        for statement in (
            "INSERT INTO sync_rows (table_name, row_key) VALUES ('t', %s)",
            "INSERT INTO pending_sync (table_name, row_key, operation, data)"
            " VALUES ('t', %s, 'UPSERT', '{}')",
            "INSERT INTO sync_received (id, node_id, table_name, row_key, outcome, is_cascade)"
            " VALUES (gen_random_uuid(), 'n', 't', %s, '', true)",
            "INSERT INTO sync_gone_rows (table_name, row_key, data, is_taken_along)"
            " VALUES ('t', %s, '{}', true)",
        ):
            many = statement.replace("VALUES (", "SELECT ")[:-1].replace("%s", "n::text")
            site.run(f"{many} FROM generate_series(1, 3000) AS n")
        site.run(f"ANALYZE {', '.join(tables)}")
        before = [site.value(scans, table) for table in tables]
        retitle(site, the_page, "edited")
        remove(site, "pages", the_page)
        assert [site.value(scans, table) for table in tables] == before
