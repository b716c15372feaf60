"""Copies, hashes and repairs; the queue of a node; a log that is polled; rules by column."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

from tests.clusters import Cluster
from tests.integration.sync import sites
from tests.integration.sync.pages import (
    apart,
    block,
    component,
    key,
    page,
    remove,
    retitle,
    title,
)
from tests.integration.sync.sites import Fleet, Site
from tests.workers import until

pytestmark = pytest.mark.postgres

_TABLES = (
    "robbieblocks_components",
    "robbieblocks_pages",
    "robbieblocks_page_blocks",
    "robbieblocks_style_tokens",
    "robbieblocks_node_branding",
)


def _ask(node: Site, query: str, *values: Any) -> list[tuple[Any, ...]]:
    assert node.calls is not None
    return node.calls.execute(query.encode(), values).fetchall()


def _copy(node: Site, table: str, limit: int = 3) -> list[Any]:
    entries: list[Any] = []
    while True:
        after = entries[-1]["row_key"] if entries else None
        [(page_of,)] = _ask(
            node, "SELECT sync_copy(%s, %s, %s, NULL, %s)", node.name, table, after, limit
        )
        entries += page_of
        if len(page_of) < limit:
            return entries


def _differing(node: Site, table: str) -> list[tuple[Any, Any]]:
    """The ranges of keys whose hashes are not the master's."""
    [(parts,)] = _ask(
        node, "SELECT jsonb_agg(h) FROM sync_hashes(%s, %s, NULL, NULL, 4) h", node.name, table
    )
    own = {
        row["part"]: (row["row_count"], row["hash"])
        for row in node.rows("SELECT * FROM sync_hashes_of(%s, %s)", table, json.dumps(parts))
    }
    return [
        (part["from_key"], part["to_key"])
        for part in parts
        if own[part["part"]] != (part["row_count"], part["hash"])
    ]


def _repair(node: Site, table: str, horizon: str = "now()") -> dict[str, int]:
    done: dict[str, int] = {}
    for first, last in _differing(node, table):
        [(entries,)] = _ask(
            node, "SELECT sync_copy(%s, %s, %s, %s, 10000)", node.name, table, first, last
        )
        result = node.value(
            f"SELECT sync_repair(%s, %s, %s, %s, {horizon})",
            table,
            first,
            last,
            json.dumps(entries),
        )
        result.pop("alone")
        done = {name: done.get(name, 0) + count for name, count in result.items()}
    return done


def test_equal_tables_have_equal_hashes_and_what_differs_is_found(fleet: Fleet) -> None:
    """Only the range with the row that differs; a repair makes it the master's again."""
    aurora = fleet.nodes[0]
    made = sorted(page(fleet.master) for _ in range(20))
    fleet.settle()
    assert [_differing(aurora, table) for table in _TABLES] == [[]] * 5
    with aurora.owner.transaction():
        aurora.run("SET LOCAL session_replication_role = replica")
        retitle(aurora, made[3], "damaged")
        remove(aurora, "pages", made[4])
    [(first, last)] = _differing(aurora, "robbieblocks_pages")
    assert (first or "") < made[3] <= (last or "g")
    assert _repair(aurora, "robbieblocks_pages")["changed"] == 2
    assert fleet.master.content() == aurora.content()


def test_a_repair_takes_no_edit_that_waits(fleet: Fleet) -> None:
    """What the node has not sent stays; rows that only it has are sent; the queue is told."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        retitle(fleet.master, the_page, "earlier")
        retitle(aurora, the_page, "waits")
        lonely = page(aurora)
        # As after a restored backup of the master: sent, and not there.
        aurora.run("UPDATE pending_sync SET synced_at = now() WHERE row_key = %s", lonely)
        result = _repair(aurora, "robbieblocks_pages")
        assert result["sent"] == 1
        assert title(aurora, the_page) == "waits"
    fleet.settle()
    assert title(fleet.master, the_page) == "waits"
    assert fleet.master.content() == aurora.content()


def _restore(master: Site, rows: dict[str, str]) -> None:
    """Bring pages of the master back to earlier versions, as the restore of a backup does."""
    master.admin.execute("SET session_replication_role = replica")
    for row, version in rows.items():
        master.admin.execute(
            "UPDATE robbieblocks_pages SET meta_title = 'restored' WHERE id = %s", [row]
        )
        master.admin.execute("UPDATE sync_rows SET version = %s WHERE row_key = %s", [version, row])
    master.admin.execute("RESET session_replication_role")


def test_what_a_restored_master_lacks_is_sent_again(fleet: Fleet) -> None:
    """A node sends its own changes by itself, those of others where somebody asks it to, and what
    was changed a moment ago not yet."""
    aurora, vengeance = fleet.nodes
    version = "SELECT version FROM sync_rows WHERE row_key = %s"
    pages = [page(fleet.master) for _ in range(3)]
    fleet.settle()
    before = {row: str(fleet.master.value(version, row)) for row in pages}
    for row, site in zip(pages, (aurora, vengeance, fleet.master), strict=True):
        retitle(site, row, f"of {site.name}")
    fleet.settle()
    _restore(fleet.master, before)
    assert _repair(aurora, "robbieblocks_pages")["sent"] == 0
    aurora.run("UPDATE sync_rows SET changed_at = now() - interval '1 hour'")
    result = _repair(aurora, "robbieblocks_pages")
    assert (result["sent"], result["lost"]) == (1, 2)
    fleet.settle()
    assert [title(fleet.master, row) for row in pages] == ["of aurora", "restored", "restored"]
    result = _repair(aurora, "robbieblocks_pages", "now(), true")
    assert (result["sent"], result["lost"]) == (2, 0)
    fleet.settle()
    assert title(fleet.master, pages[2]) == "of master"
    assert fleet.master.content() == aurora.content() == vengeance.content()


def test_a_large_table_is_compared_in_steps(fleet: Fleet) -> None:
    """Each begins behind the row at which the one before ended, and reads no other rows."""
    aurora = fleet.nodes[0]
    pages = sorted(page(fleet.master) for _ in range(5))
    fleet.settle()
    keys = sorted(row["id"] for row in aurora.rows("SELECT id::text FROM robbieblocks_pages"))
    assert set(pages) <= set(keys)
    step = "SELECT sync_step('robbieblocks_pages', %s, %s)"
    assert aurora.value(step, None, 2) == keys[1]
    assert aurora.value(step, keys[1], 2) == keys[3]
    assert aurora.value(step, keys[-2], 2) is None
    parts = [{"part": 1, "from_key": keys[0], "to_key": keys[1]}]
    parts += [{"part": 2, "from_key": keys[1], "to_key": keys[3]}]
    found = aurora.rows(
        "SELECT row_count FROM sync_hashes_of('robbieblocks_pages', %s)", json.dumps(parts)
    )
    assert [row["row_count"] for row in found] == [1, 2]


def test_keys_that_went_away_long_ago_are_removed(fleet: Fleet) -> None:
    """A row of another's that is older than the tombstones, and that the master lacks, goes."""
    aurora = fleet.nodes[0]
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora):
        remove(fleet.master, "pages", the_page)
        fleet.master.run("DELETE FROM sync_rows WHERE row_key = %s", the_page)
        # Younger than what the master remembers, it may just be on its way.
        assert _repair(aurora, "robbieblocks_pages", "now() - interval '1 day'")["removed"] == 0
        assert _repair(aurora, "robbieblocks_pages")["removed"] == 1
        assert title(aurora, the_page) is None


def test_a_row_that_the_node_refuses_stops_no_other(fleet: Fleet) -> None:
    """Its reason stands in sync_status; later rows arrive; a repair brings it once it may."""
    aurora = fleet.nodes[0]
    aurora.run(
        "ALTER TABLE robbieblocks_pages ADD CONSTRAINT odd_check CHECK (meta_title <> 'odd')"
    )
    odd, after = page(fleet.master, title="odd"), page(fleet.master)
    fleet.settle()
    error = "SELECT last_error FROM sync_status WHERE table_name = 'robbieblocks_pages'"
    assert f"this node refused the row {odd}" in aurora.value(error)
    assert "odd_check" in aurora.value(error)
    assert [title(aurora, each) for each in (odd, after)] == [None, "new"]
    assert _repair(aurora, "robbieblocks_pages")["refused"] == 1
    aurora.run("ALTER TABLE robbieblocks_pages DROP CONSTRAINT odd_check")
    assert _repair(aurora, "robbieblocks_pages")["changed"] == 1
    assert aurora.value(error) is None
    assert fleet.master.content() == aurora.content()


def test_a_column_that_the_node_lacks_holds_the_log_until_it_is_there(fleet: Fleet) -> None:
    """Nothing is lost meanwhile: the subscription waits, and goes on by itself."""
    aurora = fleet.nodes[0]
    add = "ALTER TABLE robbieblocks_style_tokens ADD COLUMN novel text"
    fleet.master.run(add)
    named = key()
    fleet.master.run(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value, novel)"
        " VALUES (%s, 'color', 'red', 'new')",
        named,
    )
    until(lambda: "has no column novel" in aurora.cluster.said(), "the node to say what it lacks")
    for node in fleet.nodes:
        node.run(add)
    fleet.settle()
    value = "SELECT novel FROM robbieblocks_style_tokens WHERE token_key = %s"
    assert [aurora.value(value, named), fleet.master.value(value, named)] == ["new", "new"]
    for site in (fleet.master, *fleet.nodes):
        site.run("ALTER TABLE robbieblocks_style_tokens DROP COLUMN novel")


def test_a_subscription_made_anew_loses_nothing(fleet: Fleet) -> None:
    """After a lost slot: no TRUNCATE, local edits stay, and keys that went away meanwhile go."""
    aurora = fleet.nodes[0]
    kept, edited, gone = (page(fleet.master) for _ in range(3))
    fleet.settle()
    aurora.admin.execute(f"DROP SUBSCRIPTION {aurora.role}".encode())
    retitle(fleet.master, kept, "while it was away")
    retitle(aurora, edited, "of the node")
    remove(fleet.master, "pages", gone)
    new = page(aurora)
    sites.subscribe(fleet.master, aurora)
    for table in _TABLES:
        _repair(aurora, table)
    assert [title(aurora, each) for each in (kept, edited, gone, new)] == [
        "while it was away",
        "of the node",
        None,
        "new",
    ]
    fleet.settle()
    assert title(fleet.master, edited) == "of the node"
    assert fleet.master.content() == aurora.content()
    assert fleet.conflicts() == []


def _queue(node: Site, entity: str) -> list[dict[str, Any]]:
    return node.rows(
        "SELECT trigger_type, changed_by, before IS NULL AS is_new"
        " FROM robbieblocks_change_triggers WHERE entity_id = %s ORDER BY created_at",
        entity,
    )


def test_an_edit_is_queued_once_on_each_node(fleet: Fleet) -> None:
    """The master's edit wakes a node once, with its author; a node's own is not queued again."""
    aurora, vengeance = fleet.nodes
    listening = psycopg.connect(aurora.conninfo(), autocommit=True)
    listening.execute("LISTEN robbieblocks_change")
    the_page = page(fleet.master)
    fleet.settle()
    [told] = listening.notifies(timeout=10, stop_after=1)
    assert told.channel == "robbieblocks_change"
    listening.close()
    [queued] = _queue(aurora, the_page)
    assert queued == _queue(fleet.master, the_page)[0]
    retitle(aurora, the_page, "by aurora")
    fleet.settle()
    assert [len(_queue(site, the_page)) for site in (fleet.master, aurora, vengeance)] == [2, 2, 2]
    # Also where it comes back together with what others have changed.
    other = page(fleet.master)
    retitle(vengeance, the_page, "by vengeance")
    fleet.send(vengeance)
    fleet.settle()
    assert [len(_queue(site, the_page)) for site in (fleet.master, aurora, vengeance)] == [3, 3, 3]
    assert [len(_queue(site, other)) for site in fleet.nodes] == [1, 1]


def test_a_node_is_told_where_the_master_made_something_else_of_its_edit(fleet: Fleet) -> None:
    """A block that had to move to another place is queued on the node that placed it."""
    aurora, vengeance = fleet.nodes
    widget = component(fleet.master)
    the_page = page(fleet.master)
    fleet.settle()
    with apart(aurora), apart(vengeance):
        block(vengeance, the_page, widget, 1)
        block(aurora, the_page, widget, 1)
        fleet.send(vengeance)
        fleet.send(aurora)
    before = len(_queue(aurora, the_page))
    fleet.settle()
    assert len(_queue(aurora, the_page)) > before


def test_nobody_waits_for_a_node_that_has_a_database_of_its_own(fleet: Fleet) -> None:
    """A queue row is done with where the database's own node has handled it."""
    aurora, vengeance = fleet.nodes
    for name in ("aurora", "vengeance"):
        fleet.master.run(
            "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides,"
            " enabled_apps) VALUES (%s, %s, '{}', '{play}')",
            name,
            name,
        )
    fleet.settle()
    the_page = page(fleet.master)
    fleet.settle()
    handled = "SELECT handled_nodes FROM robbieblocks_change_triggers WHERE entity_id = %s"
    assert sorted(fleet.master.value(handled, the_page)) == ["aurora", "vengeance"]
    assert aurora.value(handled, the_page) == ["vengeance"]
    assert vengeance.value(handled, the_page) == ["aurora"]


def test_runs_go_up_and_no_further(fleet: Fleet) -> None:
    """The master sees every node's deploys; no other node does, and each removes its own."""
    aurora, vengeance = fleet.nodes
    run = aurora.value(
        "INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, triggered_by)"
        " VALUES ('aurora', 'play', 'x', 'test') RETURNING id::text"
    )
    aurora.run("UPDATE robbieblocks_deploys SET deploy_status = 'success' WHERE id = %s", run)
    fleet.settle()
    status = "SELECT deploy_status FROM robbieblocks_deploys WHERE id = %s"
    assert fleet.master.value(status, run) == "success"
    assert vengeance.value(status, run) is None
    aurora.run("DELETE FROM robbieblocks_deploys WHERE id = %s", run)
    fleet.settle()
    assert fleet.master.value(status, run) == "success"


@pytest.fixture(scope="module")
def newcomers(servers: list[Cluster]) -> Generator[Fleet]:
    """A master and two nodes that had pages of their own before they took part, not subscribed."""

    def prepare(each: Site) -> None:
        for named in ("home", f"of-{each.name}"):
            block(each, page(each, named, f"{named} of {each.name}"), component(each), 1)
        each.run(
            "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
            " VALUES ('color.primary', 'color', %s)",
            each.name,
        )

    with sites.fleet(servers, 77, prepare, ways=sites.NO_WAY) as made:
        yield made


def test_a_node_that_joins_takes_over_what_the_master_has(newcomers: Fleet) -> None:
    """By pages of three rows: the master's rows stand, the node's that were in the way are kept
    in its conflicts, those that only it has stay, and can be sent."""
    aurora = newcomers.nodes[0]
    place = newcomers.poll(aurora, None)
    for table in _TABLES:
        aurora.run("SELECT sync_receive(%s)", json.dumps(_copy(aurora, table)))
    master = newcomers.master.content()
    own = aurora.content()
    assert all(master[table].items() <= own[table].items() for table in master)
    kept = aurora.rows("SELECT table_name, replica_data, rule FROM sync_conflicts")
    assert {row["rule"] for row in kept} == {"before the sync"}
    assert sorted(row["table_name"] for row in kept) == [
        "robbieblocks_page_blocks",
        "robbieblocks_pages",
        "robbieblocks_style_tokens",
    ]
    # A page that only the node had.
    assert len(own["pages"]) == len(master["pages"]) + 1
    for table in _TABLES[:3]:
        unknown = [
            row
            for row in own[table.removeprefix("robbieblocks_").removeprefix("page_")]
            if row not in master[table.removeprefix("robbieblocks_").removeprefix("page_")]
        ]
        assert aurora.value("SELECT sync_send(%s, %s)", table, unknown) == len(unknown)
    assert {r["outcome"] for r in newcomers.send(aurora)} == {"applied"}
    newcomers.poll(aurora, place)
    assert newcomers.master.content() == aurora.content()


def test_by_column_both_edits_stay(newcomers: Fleet) -> None:
    """Edits of different columns are both kept without a conflict; of one the newer value wins."""
    node = newcomers.nodes[1]
    table = "robbieblocks_style_tokens"
    for each in (newcomers.master, node):
        each.run("SELECT sync_configure(%s, 'both', 'column')", table)
    newcomers.master.run("DELETE FROM sync_conflicts")
    place = newcomers.poll(node, None)
    token = newcomers.master.value(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
        " VALUES (%s, 'color', 'red') RETURNING id::text",
        key(),
    )
    place = newcomers.poll(node, place)
    change = "UPDATE robbieblocks_style_tokens SET {} = %s WHERE id = %s"
    newcomers.master.run(change.format("default_value"), "green", token)
    node.run(change.format("description"), "of the node", token)
    newcomers.send(node)
    place = newcomers.poll(node, place)
    rows = [each.content()["tokens"][token] for each in (newcomers.master, node)]
    assert (rows[0]["default_value"], rows[0]["description"]) == ("green", "of the node")
    assert rows[0] == rows[1]
    columns = [c["rule"] for c in newcomers.conflicts()]
    node.run(change.format("default_value"), "blue", token)
    newcomers.master.run(change.format("default_value"), "black", token)
    newcomers.send(node)
    place = newcomers.poll(node, place)
    assert newcomers.master.content()["tokens"][token] == node.content()["tokens"][token]
    assert node.content()["tokens"][token]["default_value"] == "black"
    [kept] = newcomers.conflicts()[len(columns) :]
    assert (kept["resolution"], kept["replica_data"]["default_value"]) == ("merge", "blue")


@contextmanager
def _slow(master: Site) -> Generator[psycopg.Connection]:
    """A session at the master whose transaction runs on until it is committed."""
    with master.cluster.connect(master.database, "owner") as session:
        session.autocommit = False
        session.execute("INSERT INTO sync_metrics (metric_name, metric_value) VALUES ('x', 1)")
        yield session


def test_a_transaction_that_runs_on_holds_up_nobody(newcomers: Fleet) -> None:
    """What others commit comes at once, what it wrote comes once, when it has ended."""
    master, node = newcomers.master, newcomers.nodes[1]
    slowly = "UPDATE robbieblocks_pages SET meta_title = 'slow' WHERE page_key = 'of-master'"
    told = "SELECT count(*) FROM jsonb_array_elements(sync_changes(%s, %s) -> 'entries')"
    place = newcomers.poll(node, None)
    with _slow(master) as slow:
        slow.execute(slowly.encode())
        quick = page(master)
        place = newcomers.poll(node, place)
        assert title(node, quick) == "new"
        # A place without news stays: there is nothing to note.
        assert newcomers.poll(node, place) == place
        later = page(master)
        slow.commit()
    after = newcomers.poll(node, place)
    assert title(node, later) == "new"
    here = node.value("SELECT meta_title FROM robbieblocks_pages WHERE page_key = 'of-master'")
    assert here == "slow"
    # Two pages, and their rows in the queue; and nothing is told twice.
    assert _ask(node, told, node.name, json.dumps(place)) == [(4,)]
    assert _ask(node, told, node.name, json.dumps(after)) == [(0,)]


def test_what_comes_by_pages_comes_in_the_order_in_which_it_was_written(newcomers: Fleet) -> None:
    """Whoever began first may write last: who takes a key that another row had for a while has it
    in the end, though each transaction comes with a page of its own.
    """
    master, node = newcomers.master, newcomers.nodes[1]
    begun = newcomers.poll(node, None)
    one, other, taken = page(master), page(master), key()
    place = newcomers.poll(node, begun)
    rekey = "UPDATE robbieblocks_pages SET page_key = %s WHERE id = %s"
    with _slow(master) as slow:
        master.run(rekey, taken, other)
        master.run(rekey, key(), other)
        slow.execute(rekey.encode(), [taken, one])
        slow.commit()
    newcomers.poll(node, place, limit=1)
    keys = "SELECT id::text, page_key FROM robbieblocks_pages WHERE id = ANY (%s::uuid[])"
    assert len(master.rows(keys, [one, other])) == 2
    assert node.rows(f"{keys} ORDER BY 1", [one, other]) == master.rows(
        f"{keys} ORDER BY 1", [one, other]
    )


def test_rounds_of_all_sizes_give_each_row_once(narrow: Fleet) -> None:
    """Long and short transactions that overlap, and one that comes in parts, by pages of few rows:
    each row is told once, each transaction in one piece where it fits, and in the end all is there;
    also what was committed while the round was read.
    """
    master, node = narrow.master, narrow.nodes[1]
    place = narrow.poll(node, None)
    first = master.value("SELECT max(position) FROM sync_log")
    many = (
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
        " SELECT gen_random_uuid(), 'color', repeat('x', 100)"
    )
    chance = random.Random(15)
    with ExitStack() as stack:
        sessions = [stack.enter_context(_slow(master)) for _ in range(4)]
        for _ in range(60):
            session = chance.choice(sessions)
            session.execute(f"{many} FROM generate_series(1, {chance.choice((1, 3))})".encode())
            if chance.random() < 0.4:
                session.commit()
            if chance.random() < 0.1:
                session.execute(f"{many} FROM generate_series(1, 60)".encode())
        told: list[tuple[str, str, int]] = []
        for number in itertools.count():
            asked = "SELECT sync_changes(%s, %s, %s)"
            limit = chance.choice((1, 3, 10))
            [(answer,)] = _ask(node, asked, node.name, json.dumps(place), limit)
            told += [(each["xid"], each["row_key"], number) for each in answer["entries"]]
            place = answer["after"]
            if number < len(sessions):
                sessions[number].commit()
            elif not answer["is_more"]:
                break
    kept = master.rows(
        "SELECT xid::text, row_key, position,"
        " sum(octet_length(data::text)) OVER (PARTITION BY xid) < 10000 AS fits"
        " FROM sync_log WHERE position > %s",
        first,
    )
    assert sorted(each[:2] for each in told) == sorted((k["xid"], k["row_key"]) for k in kept)
    asked_in = {xid: {each[2] for each in told if each[0] == xid} for xid, _, _ in told}
    assert {len(asked_in[each["xid"]]) for each in kept if each["fits"]} == {1}
    assert {len(asked_in[each["xid"]]) > 1 for each in kept if not each["fits"]} == {True}
    ends = {xid: max(k["position"] for k in kept if k["xid"] == xid) for xid in asked_in}
    assert list(asked_in) != sorted(asked_in, key=int)
    within = [xid for xid, rounds in asked_in.items() if max(rounds) == 0]
    assert within == sorted(within, key=lambda xid: ends[xid])


def test_a_place_of_an_earlier_version_goes_on(newcomers: Fleet) -> None:
    """A master that was upgraded first knows it; one that is not yet begins anew with a new one."""
    master, node = newcomers.master, newcomers.nodes[1]
    before = master.value("SELECT pg_snapshot_xmin(pg_current_snapshot())::text")
    made = page(master)
    place = newcomers.poll(node, {"xid": before, "position": 0})
    assert title(node, made) == "new"
    assert "xid" not in place
    later = page(master)
    newcomers.poll(node, place)
    assert title(node, later) == "new"


def test_who_can_not_know_what_runs_gives_nothing(newcomers: Fleet) -> None:
    """In a transaction that has written, its own number is in no snapshot."""
    node = newcomers.nodes[1]
    assert node.calls is not None
    with node.calls.transaction(force_rollback=True):
        _ask(node, "SELECT pg_current_xact_id()")
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="what is settled"):
            _ask(node, "SELECT sync_changes(%s)", node.name)


def test_a_transaction_comes_whole(newcomers: Fleet) -> None:
    """Where changes are asked for, as by a subscription: also beyond the limit."""
    node = newcomers.nodes[1]
    place = newcomers.poll(node, None)
    with newcomers.master.owner.transaction():
        made = [page(newcomers.master) for _ in range(5)]
    other = page(newcomers.master)
    asked = "SELECT sync_changes(%s, %s, 2)"
    ((answer,),) = _ask(node, asked, node.name, json.dumps(place))
    keys = [entry["row_key"] for entry in answer["entries"]]
    assert set(made) <= set(keys)
    assert other not in keys
    assert answer["is_more"] is True
    ((answer,),) = _ask(node, asked, node.name, json.dumps(answer["after"]))
    assert other in [entry["row_key"] for entry in answer["entries"]]
    assert answer["is_more"] is False


@pytest.fixture
def narrow(newcomers: Fleet) -> Generator[Fleet]:
    """A fleet in which 10,000 bytes travel together, and no more."""
    sized = (
        "CREATE OR REPLACE FUNCTION sync_bytes() RETURNS bigint LANGUAGE sql IMMUTABLE AS"
        " 'SELECT {}::bigint'"
    )
    every = (newcomers.master, *newcomers.nodes)
    usual = newcomers.master.value("SELECT sync_bytes()")
    for each in every:
        each.run(sized.format(10_000))
    yield newcomers
    for each in every:
        each.run(sized.format(usual))


def test_large_rows_travel_by_themselves(narrow: Fleet) -> None:
    """Whatever compresses well, a batch, a page of a copy and one of the log are bounded."""
    master, aurora, vengeance = narrow.master, *narrow.nodes
    after = narrow.poll(vengeance, None)
    with aurora.owner.transaction():
        for _ in range(5):
            component(aurora, code="// large" * 2000)
    batches = 0
    while results := narrow.send(aurora):
        assert [result["outcome"] for result in results] == ["applied"]
        batches += 1
    assert batches == 5
    answer = _ask(vengeance, "SELECT sync_changes(%s, %s)", vengeance.name, json.dumps(after))[0][0]
    assert (len(answer["entries"]), answer["is_more"]) == (1, True)
    narrow.poll(vengeance, after)
    large = "SELECT count(*) FROM robbieblocks_components WHERE length(react_code) = 16000"
    assert (vengeance.value(large), master.value(large)) == (5, 5)
    pages: list[list[dict[str, Any]]] = []
    last = None
    while not pages or pages[-1][-1]["is_more"]:
        [(copied,)] = _ask(
            vengeance,
            "SELECT sync_copy(%s, 'robbieblocks_components', %s)",
            vengeance.name,
            last,
        )
        pages.append(copied)
        last = copied[-1]["row_key"]
    keys = [entry["row_key"] for copied in pages for entry in copied]
    assert keys == [
        row["id"] for row in master.rows("SELECT id::text FROM robbieblocks_components ORDER BY id")
    ]
    assert len(pages) >= 5


@pytest.fixture
def spans(fleet: Fleet) -> Generator[Fleet]:
    """A table whose keys and values have several spellings, and a node that has its own."""
    every = (fleet.master, *fleet.nodes)
    settings = {
        "TimeZone": "Asia/Tokyo",
        "DateStyle": "SQL, DMY",
        "IntervalStyle": "iso_8601",
        "extra_float_digits": "-6",
        "bytea_output": "escape",
    }
    for each in every:
        each.run(
            "CREATE TABLE spans (id uuid, at timestamptz, days daterange, took interval,"
            " share float8, bytes bytea, PRIMARY KEY (id, at))"
        )
        each.run("SELECT sync_configure('spans', 'both')")
    for name, value in settings.items():
        fleet.nodes[0].run("SELECT set_config(%s, %s, false)", name, value)
    yield fleet
    for name in settings:
        fleet.nodes[0].run(f"RESET {name}")
    for each in every:
        each.run("SELECT sync_configure('spans', 'never')")
        each.run("DROP TABLE spans")


def test_how_a_server_writes_values_makes_no_difference(spans: Fleet) -> None:
    """Rows of both sides have one key and one hash; a comparison takes none for another."""
    master, aurora = spans.master, spans.nodes[0]
    for each in (master, aurora):
        each.run(
            "INSERT INTO spans SELECT gen_random_uuid(), now() - '1 day'::interval,"
            " daterange('2026-02-01', '2026-03-04'), '1 day -02:00'::interval, 0.1::float8 + 0.2,"
            " '\\xff00'::bytea"
        )
    spans.settle()
    assert _differing(aurora, "spans") == []
    master_copy = _copy(aurora, "spans")
    assert len(master_copy) == 2
    done = aurora.value(
        "SELECT sync_repair('spans', NULL, NULL, %s, now() + interval '1 day')",
        json.dumps(master_copy),
    )
    assert {name: count for name, count in done.items() if count} == {"same": 2}


def test_a_large_table_is_hashed_once_for_all_nodes_while_it_stays_as_it_is(fleet: Fleet) -> None:
    """A change makes it anew, also one that no trigger saw; a small table's is never kept."""
    master = fleet.master
    kept = "SELECT count(*), min(created_at) FROM sync_hashed"

    def asked(node: Site, table: str = "lots", after: str | None = None) -> Any:
        query = "SELECT jsonb_agg(h) FROM sync_hashes(%s, %s, %s) h"
        assert node.calls is not None
        return node.calls.execute(query, [node.name, table, after]).fetchone()

    master.run("CREATE TABLE lots (id text PRIMARY KEY, body text)")
    try:
        master.run("INSERT INTO lots SELECT gen_random_uuid(), n FROM generate_series(1, 10000) n")
        master.run("ANALYZE lots")
        master.run("SELECT sync_configure('lots', 'down')")
        master.run("SELECT pg_stat_force_next_flush()")
        first, at = asked(fleet.nodes[0]), master.rows(kept)
        assert at[0]["count"] == 1
        assert asked(fleet.nodes[1]) == first
        assert master.rows(kept) == at
        master.run("ALTER TABLE lots DISABLE TRIGGER USER")
        master.run("UPDATE lots SET body = 'x' WHERE body = '5'")
        master.run("SELECT pg_stat_force_next_flush()")
        assert asked(fleet.nodes[1]) != first
        assert master.rows(kept)[0]["count"] == 1
        asked(fleet.nodes[0], "robbieblocks_pages")
        assert master.rows(kept)[0]["count"] == 1
        _hold_up(fleet, asked)
        assert master.rows(kept)[0]["count"] == 1
        asked(fleet.nodes[0], after="!" + random.Random(1).randbytes(3000).hex())
        assert master.rows(kept)[0]["count"] == 2, "however long the keys are"
    finally:
        master.run("SELECT sync_configure('lots', 'never')")
        master.run("DROP TABLE lots")
        master.run("DELETE FROM sync_hashed")


def _hold_up(fleet: Fleet, asked: Callable[[Site], Any]) -> None:
    """A node whose transaction never ends holds up no other one, and one that looks at an older
    state of the table leaves no hashes of that."""
    stalled, other = fleet.nodes[0].calls, fleet.nodes[1].calls
    assert stalled is not None
    assert other is not None
    with stalled.transaction(force_rollback=True), other.transaction(force_rollback=True):
        now = asked(fleet.nodes[0])
        other.execute("SET LOCAL lock_timeout = 50")
        assert asked(fleet.nodes[1]) == now
    with stalled.transaction():
        stalled.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        before = asked(fleet.nodes[0])
        fleet.master.run("UPDATE lots SET body = 'y' WHERE body = '6'")
        fleet.master.run("SELECT pg_stat_force_next_flush()")
        assert asked(fleet.nodes[0]) == before
    assert asked(fleet.nodes[1]) != before
