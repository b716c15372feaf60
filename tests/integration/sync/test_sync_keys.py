"""The keys with which nodes sign what they share: each is told of at once, by the master alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from robbieblocks import sync
from robbieblocks.settings import Settings, SharedCacheSettings
from robbieblocks.shared_cache import public_key
from tests.integration.sync.sites import Fleet
from tests.sync_sites import Clusters, Place, Sync, synced, syncing
from tests.workers import until

pytestmark = pytest.mark.postgres
MakeSettings = Callable[..., Settings]
# No comparison comes in between.
FAR_S = 3_600.0


@pytest.fixture
def sharing(clusters: Clusters, make_settings: MakeSettings) -> Iterator[Sync]:
    """A master, a node that subscribes and one that asks for changes, each with a cache."""
    with synced(clusters, make_settings) as found:
        for place in found.places:
            cache = place.settings.home / "cache"
            shared = SharedCacheSettings(url="s3://nobody/asks/it", has_master=True)
            place.settings = replace(place.settings, cache=cache, shared_cache=shared)
        asking = found.nodes[1]
        how = replace(asking.settings.sync, transport="poll")
        asking.settings = replace(asking.settings, sync=how)
        yield found


def believed(place: Place) -> dict[str, str]:
    """The keys that the processes of an installation believe."""
    path = place.settings.cache / "shared-nodes.json"
    found: dict[str, str] = json.loads(path.read_bytes()) if path.exists() else {}
    return found


def signs(*places: Place) -> dict[str, str]:
    """The keys with which these sign."""
    return {place.name: public_key(place.settings.cache) for place in places}


@contextmanager
def started(*places: Place) -> Generator[None]:
    """Have these sync one after the other, each once the one before has looked at everything."""
    with ExitStack() as stack:
        for place in places:
            (process,) = stack.enter_context(syncing(place, interval_s=FAR_S))
            process.wait_for("sync.state", state="active")
        yield


def until_believed(keys: dict[str, str], *places: Place) -> None:
    """Wait until exactly these are believed at all places."""
    until(
        lambda: all(believed(place) == keys for place in places),
        f"{keys.keys()} believed: {[believed(place).keys() for place in places]}",
    )


def test_a_node_that_joins_is_believed_long_before_the_next_look(sharing: Sync) -> None:
    """By the master, by one that subscribes and by one that asks; and whoever is locked out is
    believed no more by any of them, until he is let in and has said his key anew."""
    streams, asks = sharing.nodes
    everybody = signs(sharing.master, streams, asks)
    with started(sharing.master, streams):
        with started(asks):
            until_believed(everybody, *sharing.places)
            with sharing.master.connect() as connection:
                sync.lock_out(connection, streams.name)
            others = signs(sharing.master, asks)
            until_believed(others, sharing.master, asks)
            # Its session ends a moment after its key has gone: of that it may have heard.
            assert believed(streams) in (everybody, others), "what is locked out is told nothing"
        with sharing.master.connect() as connection:
            sync.lock_out(connection, asks.name)
            until_believed(signs(sharing.master), sharing.master)
            connection.execute("SELECT sync_let_in(%s)", [asks.name])
            for node in sharing.nodes:
                role = Identifier(f"sync_{node.name}")
                connection.execute(SQL("ALTER ROLE {} LOGIN").format(role))
        assert believed(asks) == others
        with started(asks):
            until_believed(others, sharing.master, asks)


def test_no_notification_makes_a_node_believe_what_the_master_does_not_say(sharing: Sync) -> None:
    """Whoever can write to the log of a node, or notify there, brings no key, takes none away, and
    stops nothing; nor does a key that stands where the master would keep it."""
    streams, asks = sharing.nodes
    stranger = "cd" * 32
    with started(*sharing.nodes):
        until_believed(signs(streams, asks), streams, asks)
        for place in sharing.nodes:
            with place.connect() as connection:
                connection.execute(
                    "INSERT INTO sync_nodes (node_id, node_name, node_type, metadata) "
                    "VALUES ('stranger', '', 'replica', %s)",
                    [json.dumps({"report": {"cache_key": stranger}})],
                )
                connection.execute(
                    "UPDATE sync_nodes SET metadata = jsonb_set(metadata, '{report}', %s, true)",
                    [json.dumps({"cache_key": stranger})],
                )
                connection.execute("SET session_replication_role = 'replica'")
                connection.execute(
                    "INSERT INTO sync_log (table_name, row_key, operation, data, version, origin) "
                    "SELECT 'sync_nodes', name, 'UPSERT', %s, repeat('f', 16) || '@x', 'x' "
                    "FROM unnest(%s::text[]) AS name",
                    [json.dumps({"cache_key": stranger}), ["stranger", streams.name, asks.name]],
                )
                for number in range(200):
                    connection.execute("SELECT pg_notify('sync_keys', %s)", [f"n'\"{number} {{x"])
        with started(sharing.master):
            until_believed(signs(*sharing.places), *sharing.places)


def test_the_log_names_whose_key_changed_and_has_no_key(fleet: Fleet) -> None:
    """It is written where a key comes, changes or goes, and nowhere else; whoever is locked out, or
    speaks for another, is told none."""
    aurora, vengeance = fleet.nodes
    ask = "SELECT sync_keys_of(%s, %s)"
    fleet.master.run("DELETE FROM sync_log")

    def says(key: str, **more: str) -> None:
        assert aurora.calls is not None
        report = json.dumps({"cache_key": key} | more)
        aurora.calls.execute("SELECT sync_hello('aurora', now(), %s)", [report])

    def told(of: list[str] | None) -> object:
        assert vengeance.calls is not None
        row = vengeance.calls.execute(ask, ["vengeance", of]).fetchone()
        return row[0] if row else None

    def noted() -> list[dict[str, object]]:
        found = fleet.master.rows("SELECT table_name, row_key, data FROM sync_log")
        fleet.master.run("DELETE FROM sync_log")
        return found

    one = [{"table_name": "sync_nodes", "row_key": "aurora", "data": None}]
    says("ab" * 32)
    assert noted() == one
    says("ab" * 32, waiting="7")
    fleet.master.run("UPDATE sync_nodes SET metadata = metadata || '{\"x\": 1}', last_seen = now()")
    assert noted() == []
    assert told(None) == told(["aurora", "nobody"]) == {"aurora": "ab" * 32}
    assert told(["vengeance"]) == told([]) == {}
    says("cd" * 32)
    assert noted() == one
    says("no key at all")
    assert noted() == one
    says("cd" * 32)
    fleet.master.run("SELECT sync_lock_out('aurora')")
    assert noted() == one * 2
    assert told(["aurora"]) == {}
    assert aurora.calls is not None
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="is locked out since"):
        aurora.calls.execute(ask, ["aurora", None])
    fleet.master.run("SELECT sync_let_in('aurora', true)")
    assert noted() == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="does not sync the node"):
        aurora.calls.execute(ask, ["vengeance", None])


def test_a_key_is_asked_for_as_it_is_after_the_change_that_was_told(fleet: Fleet) -> None:
    """A stream brings a commit a moment before others see it at the master: the answer waits for
    it. What nobody will ever see is not waited for for long."""
    aurora, vengeance = fleet.nodes
    assert vengeance.calls is not None
    calls = vengeance.calls
    ask = "SELECT sync_keys_of('vengeance', ARRAY['aurora'], ARRAY[%s]::text[]::xid8[])"
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = %s"

    def answer(xid: str) -> object:
        row = calls.execute(ask, [xid]).fetchone()
        return row[0] if row else None

    def sleeps() -> bool:
        row = fleet.master.admin.execute(waits, [vengeance.role]).fetchone()
        return row == (1,)

    def told_while_it_commits(key: str) -> object:
        report = json.dumps({"report": {"cache_key": key}})
        with (
            ThreadPoolExecutor(1) as pool,
            psycopg.connect(fleet.master.conninfo()) as writer,
        ):
            writer.execute("UPDATE sync_nodes SET metadata = %s WHERE node_id = 'aurora'", [report])
            row = writer.execute("SELECT pg_current_xact_id()::text").fetchone()
            asked = pool.submit(answer, row[0] if row else "")
            until(lambda: asked.done() or sleeps())
            writer.commit()
            return asked.result()

    # A second is all that it waits: where this process is not run for so long, once more.
    keys = [f"{number:064x}" for number in range(5)]
    assert any(told_while_it_commits(key) == {aurora.name: key} for key in keys)
    now = vengeance.calls.execute("SELECT sync_keys_of('vengeance')").fetchone()
    assert now == (answer("999999999999999"),)
