"""What a node makes of the answers of the master, whatever brings what is there."""

from __future__ import annotations

import json

import pytest

from tests.integration.sync.pages import apart, page, retitle, title
from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres
PAGES = "robbieblocks_pages"


def _compare(node: Site) -> dict[str, int]:
    """Bring all pages to what the master has by a copy, as where the log of then is not read."""
    assert node.calls is not None
    row = node.calls.execute(
        "SELECT sync_copy(%s, %s, NULL, NULL, 10000)", [node.name, PAGES]
    ).fetchone()
    # Of an hour ago: nothing of it is on its way.
    node.run("UPDATE sync_rows SET changed_at = now() - interval '1 hour'")
    found: dict[str, int] = node.value(
        "SELECT sync_repair(%s, NULL, NULL, %s, now())", PAGES, json.dumps(row and row[0])
    )
    return found


@pytest.mark.parametrize("answer", ["comes", "is lost"])
@pytest.mark.parametrize("why", ["older", "locked out"])
@pytest.mark.parametrize("edits", [1, 2])
def test_a_version_of_a_clock_that_is_ahead_gives_way_to_a_copy(
    fleet: Fleet, edits: int, why: str, answer: str
) -> None:
    """The master refused it, and the time that it has is later than that of what stands: it is
    neither kept nor sent again, though a comparison alone says so."""
    master, aurora = fleet.master, fleet.nodes[0]
    the_page = page(master)
    fleet.settle()
    with apart(aurora):
        aurora.run("UPDATE sync_self SET clock_offset_ms = 90 * 60000")
        retitle(aurora, the_page, "ahead")
        if edits == 2:
            aurora.run("UPDATE pending_sync SET sent_at = now() WHERE synced_at IS NULL")
            retitle(aurora, the_page, "ahead, too")
        if why == "locked out":
            master.run("UPDATE sync_nodes SET let_in_at = 'infinity' WHERE node_id = 'aurora'")
        else:
            master.run("UPDATE sync_self SET clock_offset_ms = 5 * 60000")
            retitle(master, the_page, "stands")
            master.run("UPDATE sync_self SET clock_offset_ms = 0")
        entries = aurora.value("SELECT sync_outbox_take()")
        if answer == "is lost":
            fleet.hand_over(aurora, entries, settle=False)
        fleet.hand_over(aurora, entries)
        aurora.run("UPDATE sync_self SET clock_offset_ms = 0")
        master.run("UPDATE sync_nodes SET let_in_at = NULL")
        assert _compare(aurora)["sent"] == 0
        stands = "stands" if why == "older" else "new"
        assert title(aurora, the_page) == title(master, the_page) == stands
        # What is made of it from here on is newer, also where the clock is right.
        retitle(aurora, the_page, "after")
    fleet.settle()
    assert title(master, the_page) == title(aurora, the_page) == "after"
    rules = ["newer row" if why == "older" else "locked out"] * edits
    assert [kept["rule"] for kept in fleet.conflicts()] == rules


def test_a_version_of_a_clock_that_is_ahead_gives_way_to_a_later_one(fleet: Fleet) -> None:
    """The master took it, under an earlier time, and somebody wrote over it: a comparison
    brings that, and nothing is sent again."""
    master, aurora = fleet.master, fleet.nodes[0]
    the_page = page(master)
    fleet.settle()
    with apart(aurora):
        aurora.run("UPDATE sync_self SET clock_offset_ms = 90 * 60000")
        retitle(aurora, the_page, "ahead")
        fleet.send(aurora)
        aurora.run("UPDATE sync_self SET clock_offset_ms = 0")
        assert title(master, the_page) == "ahead"
        retitle(master, the_page, "later")
        assert _compare(aurora)["sent"] == 0
        assert title(aurora, the_page) == "later"
    fleet.settle()
    assert title(master, the_page) == "later"
    assert fleet.conflicts() == []
