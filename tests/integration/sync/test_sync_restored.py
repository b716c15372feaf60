"""A master that has lost what nodes know: out of a backup, or a standby that was promoted."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.settings import Settings, SyncTransport
from tests import postgres_servers, sync_sites
from tests.integration.sync.pages import block, component, orders, page, remove, title
from tests.integration.sync.sites import Fleet, Site
from tests.sync_sites import Clusters, Place, Sync, synced, syncing
from tests.workers import until

pytestmark = pytest.mark.postgres
MakeSettings = Callable[..., Settings]
PAGES = "robbieblocks_pages"


def _bring_back(master: Site, table: str, rows: dict[str, dict[str, Any]]) -> None:
    """Have the master know nothing of a delete, as the restore of a backup does."""
    master.admin.execute("SET session_replication_role = replica")
    for row, was in rows.items():
        master.admin.execute(
            f"INSERT INTO {table} SELECT * FROM jsonb_populate_record(NULL::{table}, %s)".encode(),
            [json.dumps(was["data"], default=str)],
        )
        master.admin.execute(
            "UPDATE sync_rows SET version = %s, is_deleted = false WHERE row_key = %s",
            [was["version"], row],
        )
    master.admin.execute("RESET session_replication_role")


def _known(master: Site, table: str, row: str) -> dict[str, Any]:
    (found,) = master.rows(
        f"SELECT to_jsonb(t) AS data, r.version FROM {table} t JOIN sync_rows r"
        f" ON r.row_key = t.id::text WHERE t.id = %s",
        row,
    )
    return found


def _repair(node: Site, table: str, *, sends_lost: bool = False) -> dict[str, int]:
    assert node.calls is not None
    copied = "SELECT sync_copy(%s, %s, NULL, NULL, 10000)"
    row = node.calls.execute(copied, [node.name, table]).fetchone()
    found: dict[str, int] = node.value(
        "SELECT sync_repair(%s, NULL, NULL, %s, now(), %s)",
        table,
        json.dumps(row and row[0]),
        sends_lost,
    )
    return found


def test_a_delete_that_a_restored_master_lacks_is_sent_again(fleet: Fleet) -> None:
    """A node sends its own by itself, and those of others where somebody asks it to: what was
    deleted is gone everywhere, and what went with it."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget = component(master)
    mine, others = page(master), page(master)
    placed = block(master, mine, widget, 1)
    fleet.settle()
    was = {row: _known(master, PAGES, row) for row in (mine, others)}
    blocks = {placed: _known(master, "robbieblocks_page_blocks", placed)}
    remove(aurora, "pages", mine)
    remove(master, "pages", others)
    fleet.settle()
    _bring_back(master, PAGES, was)
    _bring_back(master, "robbieblocks_page_blocks", blocks)
    aurora.run("UPDATE sync_rows SET changed_at = now() - interval '1 hour'")
    result = _repair(aurora, PAGES)
    assert (result["sent"], result["lost"]) == (1, 1)
    fleet.settle()
    assert (title(master, mine), title(master, others)) == (None, "new")
    assert orders(master, mine) == {}
    result = _repair(aurora, PAGES, sends_lost=True)
    assert (result["sent"], result["lost"]) == (1, 0)
    fleet.settle()
    assert title(master, others) is None
    assert master.content() == aurora.content()


@pytest.fixture(scope="module")
def old_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """A master of PostgreSQL 15, and nodes of 18."""
    with sync_sites.started(tmp_path_factory.mktemp("promoted"), master_version=15) as found:
        yield found


def _rename(place: Place, text: str) -> None:
    with place.connect() as connection:
        connection.execute("UPDATE robbieblocks_pages SET page_name = %s", (text,))


def _promoted(servers: Clusters, backup: Path) -> None:
    """Put a standby that was copied earlier in the master's place, and promote it."""
    servers.master.kill()
    shutil.rmtree(servers.master.data)
    subprocess.run(["cp", "-a", backup, servers.master.data], check=True)
    (servers.master.data / "standby.signal").touch()
    servers.master.start()
    with servers.master.connect() as connection:
        connection.execute("SELECT pg_promote()")


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_a_standby_that_is_promoted_takes_the_masters_place(
    old_servers: Clusters, make_settings: MakeSettings, tmp_path: Path, transport: SyncTransport
) -> None:
    """It has no slots, another timeline, and not the last commits: nodes go on with it, what they
    had sent comes to be there again, and what it lost of others' changes is told.
    """
    with synced(old_servers, make_settings, transports=(transport, transport)) as found:
        node, other = found.nodes
        backup = tmp_path / "standby"
        with syncing(*found.nodes) as processes:
            for process in processes:
                process.wait_for("sync.state", state="active")
            _rename(found.master, "before")
            found.until_equal(PAGES)
            _copy(old_servers, backup)
            _rename(node, "lost by the master")
            found.until_equal(PAGES)
            found.until_sent()
        _promoted(old_servers, backup)
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "before"
        with found.master.connect() as connection:
            # It has more transactions by now than nodes have seen of the one before.
            for _ in range(200):
                connection.execute("SELECT pg_current_xact_id()")
            connection.execute("DELETE FROM robbieblocks_style_tokens")
        _long_ago(found)
        with syncing(node, interval_s=0.5) as (process,):
            process.wait_for("sync.state", state="active")
            until(
                lambda: (
                    found.master.value("SELECT page_name FROM robbieblocks_pages")
                    == "lost by the master"
                ),
                "it is sent again",
            )
            with syncing(other):
                found.until_equal(PAGES)
                _rename(found.master, "after")
                found.until_equal(PAGES)
                _rename(node, "after that")
                found.until_equal(PAGES)
            found.until_sent()


def _copy(servers: Clusters, backup: Path) -> None:
    """A standby of the master as it is now."""
    binaries, environment = postgres_servers.programs(servers.master.version)
    account = postgres_servers.account(backup.parent)
    command = [str(binaries / "pg_basebackup"), "-D", str(backup), "-cfast"]
    command += ["-d", servers.master.conninfo()]
    subprocess.run(command, env=environment, check=True)
    if account:
        owned = f"{account.uid}:{account.gid}"
        subprocess.run(["chown", "-R", owned, backup], check=True)


def _long_ago(found: Sync) -> None:
    """What nodes have changed was so long ago that nothing of it is on its way."""
    for node in found.nodes:
        with node.connect() as connection:
            connection.execute("UPDATE sync_rows SET changed_at = now() - interval '1 hour'")


def test_who_asks_a_standby_that_was_promoted_begins_anew(
    old_servers: Clusters, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Its transactions have the numbers of others that the node has seen."""
    with synced(old_servers, make_settings, count=1, transports=("poll",)) as found:
        (node,) = found.nodes
        backup = tmp_path / "standby"
        _copy(old_servers, backup)
        with found.master.connect() as connection:
            asked = "SELECT sync_changes(%s, %s)"
            ((first,),) = connection.execute(asked, (node.name, None)).fetchall()
        _promoted(old_servers, backup)
        with found.master.connect() as connection:
            for _ in range(200):
                connection.execute("SELECT pg_current_xact_id()")
            place = json.dumps(first["after"])
            ((answer,),) = connection.execute(asked, (node.name, place)).fetchall()
            assert answer["is_anew"]
            place = json.dumps(answer["after"])
            ((answer,),) = connection.execute(asked, (node.name, place)).fetchall()
            assert not answer["is_anew"]
