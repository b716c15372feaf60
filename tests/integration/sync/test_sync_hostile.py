"""What a node may do to the master and to its own batches by sending what no node of ours sends."""

from __future__ import annotations

import contextlib
import json
import os
import re
import threading
import uuid
from collections.abc import Callable, Generator
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from robbieblocks.database import decoded_json
from robbieblocks.sync import master_watch
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.subscription import slot_name
from tests.hostile_texts import json_text
from tests.integration.sync.pages import apart, block, component, key, page, retitle, title
from tests.integration.sync.sites import Fleet, Site
from tests.workers import until

pytestmark = pytest.mark.postgres


def _entry(**changes: Any) -> dict[str, Any]:
    row = str(uuid.uuid4())
    return {
        "id": str(uuid.uuid4()),
        "table": "robbieblocks_style_tokens",
        "row_key": row,
        "operation": "UPSERT",
        "data": {"id": row, "token_key": key(), "token_category": "color", "default_value": "red"},
        "version": "0100000000000000@aurora",
        "base_version": "",
        **changes,
    }


def _send(fleet: Fleet, *entries: dict[str, Any]) -> list[str]:
    results = fleet.hand_over(fleet.nodes[0], list(entries), settle=False)
    return [result["outcome"] for result in results]


@pytest.mark.parametrize(
    "changes",
    [
        {"is_cascade": True, "table": None},
        {"is_cascade": True, "table": "t" * 300},
        {"is_cascade": True, "table": "sync_nodes"},
        {"is_cascade": True, "row_key": None},
        {"column_versions": [1]},
        {"column_versions": "x"},
    ],
)
def test_a_change_of_no_kind_is_refused_alone(changes: dict[str, Any], fleet: Fleet) -> None:
    """It stops no other: the batch is answered, and the change beside it is applied."""
    assert sorted(_send(fleet, _entry(**changes), _entry())) == ["applied", "refused"]


def _page_entry(changes: dict[str, Any]) -> dict[str, Any]:
    entry, named = _entry(table="robbieblocks_pages"), key()
    data = {"id": entry["row_key"], "page_key": named, "app_namespace": "play", "page_name": "x"}
    data |= {"page_route": f"/{named}", "layout_template": "default", "status": "published"}
    return entry | {"data": data | changes}


def _token_entry(changes: dict[str, Any]) -> dict[str, Any]:
    entry = _entry()
    return entry | {"data": entry["data"] | changes}


# As in test_fuzz: without the variable the same is tried every time.
_BY_HAND = "FUZZ_EXAMPLES" in os.environ
_EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))
_NAMES = ["robbieblocks_pages", "sync_nodes", "metadata", "id", "page_key", "turn", "cache_key"]
# Of longer texts no JSON is made here.
_ANY = json_text(_NAMES).filter(lambda text: len(text) < 100_000).map(decoded_json)
_SAID = st.one_of(
    _ANY,
    st.sampled_from(["robbieblocks_pages", "robbieblocks_style_tokens", "DELETE", "", "x" * 300]),
    st.sampled_from(["ffffffffffffffff@aurora", "0100000000000000@vengeance", "zz", 10**4_000]),
)
_FIELDS = [
    *("id", "table", "row_key", "operation", "data", "version", "base_version", "parked"),
    *("column_versions", "base_columns", "is_cascade"),
]
_TOKEN = ["token_key", "token_category", "default_value", "id", "created_at", "x"]
_PAGE = ["page_key", "page_name", "metadata", "app_namespace", "status", "published_at", "id"]


def _some(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), _SAID, min_size=1, max_size=3)


_ENTRIES = st.one_of(
    _ANY,
    _some(_FIELDS).map(lambda changes: _entry(**changes)),
    _some(_TOKEN).map(_token_entry),
    _some(_PAGE).map(_page_entry),
)


@pytest.mark.timeout(0 if _BY_HAND else 120)
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
def test_whatever_a_node_sends_stops_nobody(fleet: Fleet) -> None:
    """Each batch is answered, the change beside what nobody would send is applied, and the other
    node gets it; the same for what a node says of itself."""
    aurora, vengeance = fleet.nodes
    assert aurora.calls is not None
    good: list[str] = []

    @settings(
        max_examples=_EXAMPLES,
        derandomize=not _BY_HAND,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.data_too_large,
            HealthCheck.filter_too_much,
            HealthCheck.large_base_example,
            HealthCheck.function_scoped_fixture,
        ],
    )
    @given(_ENTRIES, _ANY)
    def check(sent: Any, report: Any) -> None:
        entry = _entry()
        try:
            answers = fleet.hand_over(aurora, [sent, entry], settle=False)
        except psycopg.DataError:
            # NUL and half a character are no jsonb: no database holds them, and so no outbox.
            assert re.search(r"\\u(0000|d[89a-f])", json.dumps(sent))
            return
        good.append(entry["row_key"])
        assert len(answers) == 2
        (own,) = [answer for answer in answers if answer["id"] == entry["id"]]
        assert own["outcome"] == "applied"
        assert aurora.calls is not None
        with contextlib.suppress(psycopg.DataError):
            aurora.calls.execute("SELECT sync_hello('aurora', now(), %s)", [json.dumps(report)])

    check()
    fleet.arrived()
    for site in (fleet.master, vengeance):
        there = site.value(
            "SELECT count(*) FROM robbieblocks_style_tokens WHERE id = ANY (%s::uuid[])", good
        )
        assert there == len(good)
    node = NodeDatabase(fleet.master.owner)
    assert {each.node for each in master_watch.nodes(node)} == {"aurora", "vengeance"}
    assert isinstance(master_watch.findings(master_watch.nodes(node)), dict)


@pytest.mark.parametrize("said", ["perhaps", [1], {}])
def test_what_is_not_said_to_go_with_its_parent_is_a_change(said: Any, fleet: Fleet) -> None:
    """`is_cascade` is true or it is not."""
    assert _send(fleet, _entry(is_cascade=said)) == ["applied"]


@pytest.mark.parametrize("spelled", [str.upper, "{{{}}}".format])
def test_a_key_has_one_spelling(spelled: Callable[[str], str], fleet: Fleet) -> None:
    """A row under another spelling of its key would pass by its version, and leave no conflict."""
    first = _entry()
    assert _send(fleet, first) == ["applied"]
    row, other = first["row_key"], spelled(first["row_key"])
    fleet.master.run(
        "UPDATE robbieblocks_style_tokens SET default_value = 'blue' WHERE id = %s", row
    )
    again = _entry(row_key=other, data=first["data"] | {"id": other})
    assert _send(fleet, again) == ["refused"]
    assert _send(fleet, again | {"operation": "DELETE"}) == ["refused"]
    query = "SELECT default_value FROM robbieblocks_style_tokens WHERE id = %s"
    assert fleet.master.value(query, row) == "blue"


def test_no_column_is_newer_than_its_row(fleet: Fleet) -> None:
    """Else a clock that is ahead would keep a column for as long as it is ahead."""
    entry = _entry(column_versions={"default_value": "7000000000000000@aurora"})
    assert _send(fleet, entry) == ["applied"]
    [kept] = fleet.master.rows(
        "SELECT version, column_versions FROM sync_rows WHERE row_key = %s", entry["row_key"]
    )
    assert kept["column_versions"] == {"default_value": kept["version"]}


@pytest.fixture
def things(fleet: Fleet) -> Generator[Site]:
    """A table of which a town is the default, and a node that may write another town's rows."""
    master, aurora = fleet.master, fleet.nodes[0]
    master.run("CREATE TABLE towns (id text PRIMARY KEY, uid uuid, name text)")
    master.run("INSERT INTO towns VALUES ('1', NULL, 'aurora'), ('2', NULL, 'fluenti')")
    master.run("CREATE TABLE things (id uuid PRIMARY KEY, town_id text DEFAULT '2')")
    master.run("SELECT sync_configure('things', 'up')")
    admit = "SELECT sync_admit('aurora', 'Aurora', %s, NULL, %s)"
    master.run(admit, aurora.role, ["aurora"])
    yield master
    master.run(admit, aurora.role, None)
    master.run("SELECT sync_configure('things', 'never')")
    master.run("DROP TABLE things, towns")


def test_a_row_without_a_town_is_not_written_by_a_node_of_some_towns(
    things: Site, fleet: Fleet
) -> None:
    """The table's default would give it the town of others."""
    row = str(uuid.uuid4())
    outcomes = [
        _send(fleet, _entry(table="things", row_key=row, data={"id": row, **town}))
        for town in ({}, {"town_id": None}, {"town_id": "2"}, {"town_id": "1"})
    ]
    assert outcomes == [["refused"], ["refused"], ["refused"], ["applied"]]
    assert things.value("SELECT town_id FROM things") == "1"


def test_blocks_change_places_behind_the_last_number(fleet: Fleet) -> None:
    """Where no number is greater, the last one that is free is the end of the page."""
    aurora = fleet.nodes[0]
    the_page, widget = page(aurora), component(aurora)
    first, second, _ = (block(aurora, the_page, widget, n) for n in (1, 2, 2**31 - 1))
    fleet.settle()
    with aurora.owner.transaction():
        for row, order in ((first, 9), (second, 1), (first, 2)):
            aurora.run(
                "UPDATE robbieblocks_page_blocks SET block_order = %s WHERE id = %s", order, row
            )
    assert {r["outcome"] for r in fleet.send(aurora)} == {"applied"}
    query = "SELECT block_order FROM robbieblocks_page_blocks WHERE id = %s"
    assert [fleet.master.value(query, row) for row in (first, second)] == [2, 1]
    # Placed in two databases at the last number that is free.
    with apart(aurora):
        block(fleet.master, the_page, widget, 2**31 - 2)
        block(aurora, the_page, widget, 2**31 - 2)
    fleet.settle()
    assert fleet.master.value(
        "SELECT array_agg(block_order ORDER BY block_order) FROM robbieblocks_page_blocks"
        " WHERE page_id = %s",
        the_page,
    ) == [1, 2, 2**31 - 3, 2**31 - 2, 2**31 - 1]


def test_a_batch_that_still_runs_may_be_sent_again(fleet: Fleet) -> None:
    """The second call waits for the first, and finds all of it applied."""
    aurora = fleet.nodes[0]
    the_page = page(aurora)
    fleet.settle()
    retitle(aurora, the_page, "one")
    aurora.value("SELECT sync_outbox_take()")
    retitle(aurora, the_page, "two")
    batch = json.dumps(aurora.value("SELECT sync_outbox_take()"))
    answers: list[Any] = []
    call = "SELECT sync_apply('aurora', %s)"
    address = fleet.master.conninfo(aurora.role)
    with psycopg.connect(address) as first, psycopg.connect(address, autocommit=True) as second:
        first.execute(call, [batch])
        other = threading.Thread(
            target=lambda: answers.extend(second.execute(call, [batch]).fetchall())
        )
        other.start()
        waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
        pid = second.info.backend_pid
        until(
            lambda: fleet.master.admin.execute(waits, [pid]).fetchone() == (1,),
            "the second call to wait",
        )
        first.commit()
        other.join()
    assert [result["outcome"] for result in answers[0][0]] == ["duplicate", "duplicate"]
    assert fleet.conflicts() == []


def test_a_session_of_the_node_does_not_hold_up_its_lock_out(fleet: Fleet) -> None:
    """Who may not end that session is told at once who may, and how."""
    aurora = fleet.nodes[0]
    with psycopg.connect(fleet.master.conninfo(aurora.role)) as held:
        held.execute("SELECT sync_hello('aurora', now())")
        with pytest.raises(
            psycopg.errors.InsufficientPrivilege, match="a session of its role"
        ) as e:
            fleet.master.run("SELECT sync_lock_out('aurora')")
    assert f"usename = '{aurora.role}'" in str(e.value.diag.message_hint)
    fleet.master.run("SELECT sync_lock_out('aurora')")
    fleet.master.run("SELECT sync_let_in('aurora', true)")


def test_a_place_in_another_servers_log_begins_anew(fleet: Fleet) -> None:
    """A master that was restored on a new server numbers its transactions from the start."""
    aurora = fleet.nodes[0]

    def changes(after: dict[str, Any]) -> dict[str, Any]:
        assert aurora.calls is not None
        row = aurora.calls.execute(
            "SELECT sync_changes('aurora', %s)", [json.dumps(after)]
        ).fetchone()
        assert row is not None
        answer: dict[str, Any] = row[0]
        return answer

    far = 2**40 + 5
    for place in (
        {"xid": str(far), "position": 0},
        {"seen": f"{far}:{far}:"},
        {"seen": "5:5:", "reading": f"{far}:{far}:", "low": 1},
        {"seen": None},
        {},
    ):
        answer = changes(place)
        assert answer["is_anew"], place
        the_page = page(fleet.master)
        told = changes(answer["after"])["entries"]
        assert the_page in [entry["row_key"] for entry in told]


def test_what_a_node_says_of_itself_is_kept_up_to_a_bound(fleet: Fleet) -> None:
    """A report of megabytes stops no sync: what is short stays, and a finding says so."""
    calls = fleet.nodes[0].calls
    assert calls is not None
    said = {
        **{f"what nobody asked {n}": "x" * 150 for n in range(10_000)},
        "findings": ["y" * 10_000] * 1000,
        "schema_version": "z" * 1000,
        "refused": 3,
        "turn": "word",
    }
    calls.execute("SELECT sync_hello('aurora', now(), %s)", [json.dumps(said)])
    kept = fleet.master.value("SELECT metadata FROM sync_nodes WHERE node_id = 'aurora'")
    assert len(json.dumps(kept)) < 20_000
    assert "of which the master keeps 16384" in kept["report"]["findings"][0]
    assert (kept["report"]["refused"], kept["turn"]) == (3, "word")
    for odd in ([1] * 20_000, "x" * 20_000):
        calls.execute("SELECT sync_hello('aurora', now(), %s)", [json.dumps(odd)])
    calls.execute("SELECT sync_hello('aurora', now(), %s)", ['{"has_left": false}'])


def test_a_node_does_not_say_which_slot_its_lock_out_drops(fleet: Fleet) -> None:
    """Else it could name another's, and keep its own."""
    query = "SELECT array_agg(slot_name ORDER BY slot_name) FROM pg_replication_slots"
    make = "SELECT pg_create_logical_replication_slot(%s, 'pgoutput')"
    of_vengeance = slot_name("vengeance")
    fleet.master.admin.execute(make, [of_vengeance])
    before = fleet.master.value(query)
    fleet.master.admin.execute(make, [slot_name("aurora")])
    said = json.dumps({"slot_name": of_vengeance})
    calls = fleet.nodes[0].calls
    assert calls is not None
    calls.execute("SELECT sync_hello('aurora', now(), %s)", [said])
    # The owner may do all of it for this once.
    fleet.master.admin.execute("ALTER ROLE owner REPLICATION")
    try:
        fleet.master.run("SELECT sync_lock_out('aurora')")
        fleet.master.run("SELECT sync_let_in('aurora', true)")
        assert fleet.master.value(query) == before
    finally:
        fleet.master.admin.execute("ALTER ROLE owner NOREPLICATION")
        fleet.master.admin.execute("SELECT pg_drop_replication_slot(%s)", [of_vengeance])


def test_versions_that_lost_are_the_owners_to_see(fleet: Fleet) -> None:
    """Whoever may read every table of the schema reads no conflict and no outbox."""
    master = fleet.master
    fleet.master.run(
        "INSERT INTO sync_conflicts (table_name, record_id, source_node, master_data,"
        " replica_data, resolution) VALUES ('t', gen_random_uuid(), 'n', '{}', '{}', 'merge')"
    )
    master.admin.execute("CREATE ROLE sync_reader")
    master.admin.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO sync_reader")
    try:
        master.admin.execute("SET ROLE sync_reader")
        for table in (
            *(
                "sync_conflicts",
                "pending_sync",
                "sync_rows",
                "sync_log",
                "sync_self",
                "sync_gone_rows",
            ),
        ):
            count = master.admin.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
            assert count == (0,)
    finally:
        master.admin.execute("RESET ROLE")
        master.admin.execute("DROP OWNED BY sync_reader")
        master.admin.execute("DROP ROLE sync_reader")


def test_a_node_of_one_town_is_told_no_keys_of_others(things: Site, fleet: Fleet) -> None:
    """Not of rows that are there, nor of rows that are gone, whoever removed them."""
    aurora = fleet.nodes[0]
    things.run("SELECT sync_configure('things', 'both')")
    place = fleet.master.value("SELECT jsonb_build_object('xid', txid_current(), 'position', 0)")
    rows = {town: str(uuid.uuid4()) for town in ("1", "2")}
    for town, row in rows.items():
        things.run("INSERT INTO things VALUES (%s, %s)", row, town)
    own = things.value("SELECT version FROM sync_rows WHERE row_key = %s", rows["1"])
    gone = {"operation": "DELETE", "base_version": own, "version": "7000000000000000@aurora"}
    data = {"id": rows["1"], "town_id": "1"}
    assert _send(fleet, _entry(table="things", row_key=rows["1"], data=data, **gone)) == ["applied"]
    things.run("DELETE FROM things")
    assert aurora.calls is not None
    for call in ("sync_copy('aurora', 'things')", f"sync_changes('aurora', '{json.dumps(place)}')"):
        ((told,),) = aurora.calls.execute(f"SELECT {call}::text".encode()).fetchall()
        assert rows["1"] in told
        assert rows["2"] not in told


def test_nobody_makes_an_edit_look_like_a_nodes(fleet: Fleet) -> None:
    """The setting by which sync_apply() says whose changes it brings counts within it alone."""
    origin = "SELECT origin FROM sync_log ORDER BY position DESC LIMIT 1"
    with fleet.master.owner.transaction():
        fleet.master.run("SELECT set_config('sync.origin', 'vengeance', true)")
        page(fleet.master)
    assert fleet.master.value(origin) == "master"
    made = page(fleet.nodes[0])
    fleet.settle()
    assert title(fleet.master, made) is not None
    assert fleet.master.value(origin) == "aurora"
