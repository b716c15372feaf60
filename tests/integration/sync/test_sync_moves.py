"""A row that moves to another town goes from the nodes that get its old town alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from typing import Any

import pytest

from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres

_THINGS = (
    "CREATE TABLE things (id uuid PRIMARY KEY, town_id text, body text DEFAULT '', moved_to text)"
)


# Aurora's own site: what has to be looked at stands in its queue.
_SITE = (
    "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps)"
    " VALUES ('aurora', 'Aurora', '{}', '{play}')"
)


@pytest.fixture
def things(fleet: Fleet) -> Generator[dict[str, Any]]:
    """A table with towns on the master and on aurora, which polls for its own town's rows alone.

    Lends the place in the master's log up to which aurora has read.
    """
    master, aurora = fleet.master, fleet.nodes[0]
    admit = "SELECT sync_admit('aurora', 'Aurora', %s, NULL, %s)"
    aurora.run(_SITE)
    fleet.settle()
    aurora.admin.execute(f"ALTER SUBSCRIPTION {aurora.role} DISABLE".encode())
    master.run("CREATE TABLE towns (id text PRIMARY KEY, uid uuid, name text)")
    master.run("INSERT INTO towns VALUES ('1', NULL, 'aurora'), ('2', NULL, 'fluenti')")
    for site in (master, *fleet.nodes):
        site.run(_THINGS)
        site.run("SELECT sync_configure('things', 'both')")
    master.run(admit, aurora.role, ["aurora"])
    yield fleet.poll(aurora, None)
    master.run(admit, aurora.role, None)
    for site in (master, *fleet.nodes):
        site.run("SELECT sync_configure('things', 'never')")
        site.run("DELETE FROM sync_rows WHERE table_name = 'things'")
        site.run("DROP TABLE things")
    master.run("DROP TABLE towns")
    aurora.run("DELETE FROM robbieblocks_node_branding WHERE node_id = 'aurora'")
    aurora.admin.execute(f"ALTER SUBSCRIPTION {aurora.role} ENABLE".encode())


def _made(master: Site, town: str) -> str:
    row = str(uuid.uuid4())
    # A column of that name is nothing that the sync says.
    master.run("INSERT INTO things VALUES (%s, %s, 'first', '1')", row, town)
    return row


def _towns(site: Site) -> dict[str, str]:
    return {row["id"].hex: row["town_id"] for row in site.rows("SELECT id, town_id FROM things")}


def _move(master: Site, row: str, town: str | None) -> None:
    master.run("UPDATE things SET town_id = %s, body = body || '.' WHERE id = %s", town, row)


def _told(fleet: Fleet, place: dict[str, Any]) -> str:
    calls = fleet.nodes[0].calls
    assert calls is not None
    ((told,),) = calls.execute(
        "SELECT sync_changes('aurora', %s)::text", [json.dumps(place)]
    ).fetchall()
    return str(told)


@pytest.mark.parametrize("to", ["2", None])
def test_a_row_that_moves_goes_and_comes_back(
    fleet: Fleet, things: dict[str, Any], to: str | None
) -> None:
    """Its old node loses it, and is told nothing of what becomes of it there; a node of all towns
    keeps it; back in its town it is whole again."""
    master, aurora, vengeance = fleet.master, *fleet.nodes
    queued = aurora.value("SELECT count(*) FROM robbieblocks_change_triggers")
    row, other = _made(master, "1"), _made(master, "2")
    place = fleet.poll(aurora, things)
    assert _towns(aurora) == {uuid.UUID(row).hex: "1"}
    # No page is made of these rows: nothing has the node build for them.
    assert aurora.value("SELECT count(*) FROM robbieblocks_change_triggers") == queued
    _move(master, row, to)
    place = fleet.poll(aurora, place)
    assert _towns(aurora) == {}
    master.run("UPDATE things SET body = 'secret'")
    assert row not in _told(fleet, place)
    place = fleet.poll(aurora, place)
    _move(master, row, "1")
    _move(master, other, "1")
    _move(master, other, "2")
    fleet.poll(aurora, place)
    assert _towns(aurora) == {uuid.UUID(row).hex: "1"}
    assert aurora.value("SELECT body FROM things") == "secret."
    until_there = "SELECT pg_current_wal_lsn()"
    assert master.value(until_there)
    fleet.nodes.remove(aurora)
    try:
        fleet.arrived()
    finally:
        fleet.nodes.insert(0, aurora)
    assert _towns(vengeance) == _towns(master)


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_comparison_finds_what_moved_while_a_node_was_away(
    fleet: Fleet, things: dict[str, Any], is_gone: bool
) -> None:
    """Also where the row was deleted in its new town; of others it is told no key."""
    master, aurora = fleet.master, fleet.nodes[0]
    row, stays = _made(master, "1"), _made(master, "1")
    fleet.poll(aurora, things)
    _move(master, row, "2")
    other = _made(master, "2")
    if is_gone:
        master.run("DELETE FROM things WHERE id = %s", row)
    assert aurora.calls is not None
    ((entries,),) = aurora.calls.execute("SELECT sync_copy('aurora', 'things')").fetchall()
    assert {each["row_key"]: each["operation"] for each in entries} == {
        row: "DELETE",
        stays: "UPSERT",
    }
    assert other not in json.dumps(entries)
    done = aurora.value(
        "SELECT sync_repair('things', NULL, NULL, %s, '-infinity')", json.dumps(entries)
    )
    assert (done["lost"], done["unknown"], done["sent"]) == (0, 0, 0)
    assert _towns(aurora) == {uuid.UUID(stays).hex: "1"}


@pytest.mark.parametrize("edit", ["UPDATE things SET body = 'mine'", "DELETE FROM things"])
def test_an_edit_of_a_row_that_has_moved_is_kept_and_ends(
    fleet: Fleet, things: dict[str, Any], edit: str
) -> None:
    """What its old node did to it meanwhile is a conflict, and the row goes from there."""
    master, aurora = fleet.master, fleet.nodes[0]
    row = _made(master, "1")
    place = fleet.poll(aurora, things)
    _move(master, row, "2")
    aurora.run(edit)
    (answer,) = fleet.send(aurora)
    assert (answer["outcome"], answer["reason"]) == ("lost", "the row is in another town now")
    (kept,) = fleet.conflicts()
    assert kept["rule"] == "moved away"
    fleet.poll(aurora, place)
    assert _towns(aurora) == {}
    assert _towns(master) == {uuid.UUID(row).hex: "2"}
    assert fleet.send(aurora) == []


def test_a_node_of_both_towns_moves_a_row(fleet: Fleet, things: dict[str, Any]) -> None:
    """Nodes of the old town alone are told by what the node sends, too."""
    master, aurora, vengeance = fleet.master, *fleet.nodes
    row = _made(master, "1")
    place = fleet.poll(aurora, things)
    fleet.nodes.remove(aurora)
    try:
        fleet.arrived()
    finally:
        fleet.nodes.insert(0, aurora)
    _move(vengeance, row, "2")
    assert [each["outcome"] for each in fleet.send(vengeance)] == ["applied"]
    fleet.poll(aurora, place)
    assert _towns(aurora) == {}
    assert _towns(master) == {uuid.UUID(row).hex: "2"}
