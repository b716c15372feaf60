"""A node that was locked out and is let in again: what was edited on it meanwhile is not taken."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from tests.integration.sync import pages
from tests.integration.sync.sites import Fleet, Site
from tests.workers import until

pytestmark = pytest.mark.postgres
_LATER = 365 * 86_400_000
_WAITS = b"""
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%sync_apply%'
"""


def _hello(fleet: Fleet, node: Site) -> None:
    """As `sync run` says it."""
    assert node.calls is not None
    waiting = node.value("SELECT waiting FROM sync_outbox_state()")
    node.calls.execute(
        "SELECT sync_hello(%s, now(), jsonb_build_object('waiting', %s::bigint))",
        [node.name, waiting],
    )


def _outcomes(fleet: Fleet, node: Site) -> list[str]:
    return [result["outcome"] for result in fleet.send(node)]


@pytest.fixture
def stolen(fleet: Fleet) -> Iterator[Site]:
    """A node that is locked out."""
    aurora = fleet.nodes[0]
    fleet.master.run("SELECT sync_lock_out('aurora')")
    yield aurora
    aurora.run("UPDATE sync_self SET clock_offset_ms = 0")
    fleet.master.run("SELECT sync_let_in('aurora', true)")
    fleet.settle()


def test_what_a_thief_edited_is_kept_and_not_taken(fleet: Fleet, stolen: Site) -> None:
    """Edits, rows and deletes, also with times that lie ahead; what is edited once the node was
    heard again goes up. Each can be brought back."""
    master = fleet.master
    fleet.master.run("SELECT sync_let_in('aurora', true)")
    edited, deleted, ahead = (pages.page(master) for _ in range(3))
    fleet.settle()
    fleet.master.run("SELECT sync_lock_out('aurora')")
    before = master.content()
    pages.retitle(stolen, edited, "stolen")
    pages.remove(stolen, "pages", deleted)
    made = pages.page(stolen)
    stolen.run("UPDATE sync_self SET clock_offset_ms = %s", _LATER)
    pages.retitle(stolen, ahead, "stolen")
    stolen.run("UPDATE sync_self SET clock_offset_ms = 0")
    master.run("SELECT sync_let_in('aurora')")
    _hello(fleet, stolen)
    pages.retitle(stolen, pages.page(stolen), "of its owner")
    *lost, taken = _outcomes(fleet, stolen)
    assert (set(lost), taken) == ({"lost"}, "applied")
    fleet.settle()
    after = master.content()
    new = set(after["pages"]) - set(before["pages"])
    assert [after["pages"][each]["meta_title"] for each in new] == ["of its owner"]
    assert {name: rows for name, rows in after["pages"].items() if name not in new} == (
        before["pages"]
    )
    assert stolen.content() == after
    kept = fleet.conflicts()
    assert [each["row_key"] for each in kept] == [edited, deleted, made, ahead]
    assert {each["rule"] for each in kept} == {"locked out"}
    for each in kept:
        master.run("SELECT sync_conflicts_restore(%s)", each["id"])
    assert [pages.title(master, each) for each in (edited, deleted, made, ahead)] == [
        "stolen",
        None,
        "new",
        "stolen",
    ]


def test_it_ends_once_nothing_waits(fleet: Fleet, stolen: Site) -> None:
    """Then also an edit counts whose time lies ahead, as of a clock that is off."""
    held = "SELECT let_in_at::text FROM sync_nodes WHERE node_id = 'aurora'"
    first = pages.page(stolen)
    fleet.master.run("SELECT sync_let_in('aurora')")
    fleet.master.run("SELECT sync_let_in('aurora')")
    assert fleet.master.value(held) is not None
    assert _outcomes(fleet, stolen) == ["lost"]
    _hello(fleet, stolen)
    assert fleet.master.value(held) is None
    stolen.run("UPDATE sync_self SET clock_offset_ms = %s", _LATER)
    second = pages.page(stolen)
    assert _outcomes(fleet, stolen) == ["applied"]
    found = fleet.master.content()["pages"]
    assert (first in found, second in found) == (False, True)


def test_its_owner_may_have_them_taken(fleet: Fleet, stolen: Site) -> None:
    """As they are let in, or as long as they wait."""
    first = pages.page(stolen)
    fleet.master.run("SELECT sync_let_in('aurora')")
    fleet.master.run("SELECT sync_let_in('aurora', true)")
    assert _outcomes(fleet, stolen) == ["applied"]
    assert pages.title(fleet.master, first) == "new"


def test_a_batch_that_waits_as_its_node_is_locked_out_is_refused(fleet: Fleet) -> None:
    """Also where its session could not be ended."""
    master, aurora = fleet.master, fleet.nodes[0]
    the_page = pages.page(aurora)
    refused: list[psycopg.Error] = []

    def send() -> None:
        try:
            fleet.send(aurora)
        except psycopg.Error as error:
            refused.append(error)

    try:
        with master.cluster.connect(master.database) as holder:
            holder.execute("SELECT pg_advisory_lock(hashtextextended('sync_apply aurora', 0))")
            thread = threading.Thread(target=send, daemon=True)
            thread.start()
            until(lambda: master.admin.execute(_WAITS).fetchone() != (0,), "it waits")
            master.run("SELECT sync_lock_out('aurora')")
        thread.join()
        [error] = refused
        assert isinstance(error, psycopg.errors.InsufficientPrivilege)
        assert "is locked out since" in str(error)
        assert pages.title(master, the_page) is None
    finally:
        master.run("SELECT sync_let_in('aurora', true)")
    fleet.settle()
    assert pages.title(master, the_page) == "new"
