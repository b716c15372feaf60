"""Who may call the master, and what a node may write; without rights, nothing is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from typing import Any

import psycopg
import pytest

from robbieblocks.database import schema
from tests.integration.sync.pages import page, retitle, title
from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres


def _call(site: Site, query: str, *values: Any) -> Any:
    assert site.calls is not None
    row = site.calls.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]


def _entry(node: str, **changes: Any) -> dict[str, Any]:
    row = str(uuid.uuid4())
    return {
        "id": str(uuid.uuid4()),
        "table": "robbieblocks_style_tokens",
        "row_key": row,
        "operation": "UPSERT",
        "data": {"id": row, "token_key": row, "token_category": "color", "default_value": "red"},
        "version": f"01a0000000000000@{node}",
        "base_version": "",
        **changes,
    }


def test_a_node_speaks_for_itself_alone(fleet: Fleet) -> None:
    """Another node's name, an unknown one and none are refused alike."""
    aurora = fleet.nodes[0]
    for name in ("vengeance", "nobody", None):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not sync the node"):
            _call(aurora, "SELECT sync_apply(%s, '[]')", name)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _call(aurora, "SELECT sync_copy(%s, 'robbieblocks_pages')", name)


def test_a_nodes_role_has_no_right_but_to_call(fleet: Fleet) -> None:
    """It reads and writes no table of the master, and calls no function of the owner's."""
    aurora = fleet.nodes[0]
    for statement in (
        "SELECT * FROM robbieblocks_pages",
        "SELECT * FROM sync_log",
        "DELETE FROM sync_nodes",
        "SELECT sync_lock_out('vengeance')",
        "SELECT sync_write('robbieblocks_pages', '', NULL, true)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            _call(aurora, statement)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"table": "sync_nodes"}, "may not write the table"),
        ({"table": "robbieblocks_change_triggers"}, "may not write the table"),
        ({"table": "pg_authid"}, "may not write the table"),
        ({"table": None}, "may not write the table"),
        ({"version": "01a0000000000000@vengeance"}, "no change that the node"),
        ({"version": "ffffffffffffffff@aurora"}, "no change that the node"),
        ({"version": "@aurora"}, "no change that the node"),
        ({"row_key": "another"}, "no change that the node"),
        ({"operation": "TRUNCATE"}, "no change that the node"),
        ({"data": None}, "no change that the node"),
        ({"data": [1]}, "no change that the node"),
    ],
)
def test_what_a_node_may_not_write_is_refused(
    changes: dict[str, Any], reason: str, fleet: Fleet
) -> None:
    """Each has its reason, and the change beside it is applied."""
    good = _entry("aurora")
    results = fleet.hand_over(fleet.nodes[0], [_entry("aurora", **changes), good], settle=False)
    assert [r["outcome"] for r in results] == ["refused", "applied"]
    assert reason in results[0]["reason"]


def test_a_column_that_the_master_lacks_is_named(fleet: Fleet) -> None:
    """Nothing of such a row is written: it would lose the column."""
    entry = _entry("aurora")
    entry["data"]["novel"] = 1
    [result] = fleet.hand_over(fleet.nodes[0], [entry], settle=False)
    assert (result["outcome"], result["sqlstate"]) == ("refused", "42703")
    assert "has no column novel" in result["reason"]


def test_a_batch_that_is_none_is_refused(fleet: Fleet) -> None:
    """An object, null and text are no batch; an entry that is no object stops no other."""
    aurora = fleet.nodes[0]
    for batch in ("{}", "null", '"x"', None):
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            _call(aurora, "SELECT sync_apply('aurora', %s)", batch)
    results = fleet.hand_over(aurora, [7, {"id": "x"}, _entry("aurora")], settle=False)
    assert [r["outcome"] for r in results] == ["refused", "refused", "applied"]


@pytest.fixture
def locked_out(fleet: Fleet) -> Generator[Site]:
    """A node that was locked out, and is let in again afterwards."""
    aurora = fleet.nodes[0]
    fleet.master.run("SELECT sync_lock_out('aurora')")
    yield aurora
    fleet.master.run("SELECT sync_let_in('aurora', true)")


def test_a_stolen_node_is_locked_out_by_one_call(fleet: Fleet, locked_out: Site) -> None:
    """From then on the master takes nothing of it and gives it nothing; let in, it goes on."""
    the_page = page(locked_out)
    entries = json.dumps(locked_out.value("SELECT sync_outbox_take()"))
    for call in (
        "SELECT sync_hello('aurora', now())",
        "SELECT sync_copy('aurora', 'robbieblocks_pages')",
        "SELECT sync_changes('aurora')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is locked out since"):
            _call(locked_out, call)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is locked out since"):
        _call(locked_out, "SELECT sync_apply('aurora', %s)", entries)
    assert title(fleet.master, the_page) is None
    fleet.master.run("SELECT sync_let_in('aurora', true)")
    assert {r["outcome"] for r in fleet.send(locked_out)} == {"applied"}


def test_what_a_locked_out_node_signs_is_believed_no_more(fleet: Fleet) -> None:
    """Its key goes from what the master tells the others, and comes back by its own word alone."""
    aurora, vengeance = fleet.nodes
    ask = "SELECT sync_hello(%s, now(), %s) -> 'cache_keys'"
    key = "ab" * 32

    def told(node: Site, said: dict[str, str]) -> dict[str, str]:
        found: dict[str, str] = _call(node, ask, node.name, json.dumps(said))
        return found

    assert told(aurora, {"cache_key": key}) == {"aurora": key}
    assert told(vengeance, {"cache_key": "no key"}) == {"aurora": key}
    fleet.master.run("SELECT sync_lock_out('aurora')")
    assert told(vengeance, {}) == {}
    fleet.master.run("SELECT sync_let_in('aurora', true)")
    assert told(vengeance, {}) == {}


def test_lock_out_says_what_it_could_not_do(fleet: Fleet) -> None:
    """An owner that may not alter roles gets each step with the statement for one who may."""
    steps = fleet.master.rows("SELECT * FROM sync_lock_out('vengeance')")
    fleet.master.run("SELECT sync_let_in('vengeance', true)")
    assert steps[0]["is_done"] is True
    refused = {step["step"]: step["detail"] for step in steps if not step["is_done"]}
    assert "ALTER ROLE" in refused["its role may not log in"]


def test_a_node_writes_the_tables_that_it_was_given(fleet: Fleet) -> None:
    """A table that sync_admit() does not name is refused, and not copied."""
    aurora = fleet.nodes[0]
    admit = "SELECT sync_admit('aurora', 'Aurora', %s, %s)"
    fleet.master.run(admit, aurora.role, ["robbieblocks_pages"])
    try:
        [result] = fleet.hand_over(aurora, [_entry("aurora")], settle=False)
        assert result["outcome"] == "refused"
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not get the table"):
            _call(aurora, "SELECT sync_copy('aurora', 'robbieblocks_style_tokens')")
    finally:
        fleet.master.run(admit, aurora.role, None)


def test_a_database_that_syncs_is_as_the_schema_files_make_it(fleet: Fleet) -> None:
    """db verify finds nothing, on the master and on a node; an upgrade changes nothing."""
    for site in (fleet.master, *fleet.nodes):
        assert schema.verify(site.owner) == ()
        assert schema.upgrade(site.owner).changes == ()
    seven = "SELECT count(*) FROM pg_tables WHERE tablename LIKE 'robbieblocks%%'"
    assert fleet.master.value(seven) == 7


def test_an_upgrade_renews_triggers(fleet: Fleet) -> None:
    """Those that an earlier version of the file made have fewer arguments, and work until then."""
    aurora = fleet.nodes[0]
    given = (
        "SELECT tgnargs FROM pg_trigger WHERE tgname = 'sync_capture' AND tgrelid = %s::regclass"
    )
    before = aurora.value(given, "robbieblocks_pages")
    aurora.run(
        "CREATE OR REPLACE TRIGGER sync_capture AFTER INSERT OR UPDATE OR DELETE ON "
        "robbieblocks_pages FOR EACH ROW EXECUTE FUNCTION "
        "sync_capture('aurora', 'false', 'both', 'row', 'true', '{id}')"
    )
    retitle(aurora, page(aurora), "edited")
    assert {r["outcome"] for r in fleet.send(aurora)} == {"applied"}
    schema.apply(aurora.owner, sync=True)
    assert aurora.value(given, "robbieblocks_pages") == before


def test_a_database_has_one_part_in_a_sync(fleet: Fleet) -> None:
    """Another name, and calls that belong to the other part, are refused with what to do."""
    aurora = fleet.nodes[0]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="'aurora' already"):
        aurora.run("SELECT sync_start('collab', false)")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="not the master"):
        aurora.run("SELECT sync_apply('aurora', '[]')")
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="not a node"):
        fleet.master.run("SELECT sync_receive('[]')")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="is no name of a node"):
        fleet.master.run("SELECT sync_start('No Name', true)")
