"""Columns that one side has, and what was refused for the want of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from robbieblocks import sync
from robbieblocks.settings import Settings
from robbieblocks.sync import comparing
from tests.sync_sites import Clusters, synced, syncing
from tests.workers import until

pytestmark = pytest.mark.postgres
PAGES = "robbieblocks_pages"
MakeSettings = Callable[..., Settings]


def test_a_column_that_the_master_gets_later_lets_up_what_it_refused(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """A node has the column first, as it should: its edits go up once the master has it, too, and
    not when the next try would be due.
    """
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        added = "ALTER TABLE robbieblocks_pages ADD COLUMN added text"
        refused = "SELECT refused FROM sync_outbox_state()"
        with node.connect() as connection:
            connection.execute(added)
            connection.execute("UPDATE robbieblocks_pages SET added = 'early'")
        with syncing(node) as (process,):
            process.wait_for("sync.refused")
            until(lambda: node.value(refused) == 1, "it is noted")
            with node.connect() as connection:
                # As after a day of tries.
                connection.execute(
                    "UPDATE pending_sync SET retry_count = 9 WHERE synced_at IS NULL"
                )
            with found.master.connect() as master:
                master.execute(added)
            until(lambda: node.value(refused) == 0, "it goes up", 20)
            found.until_equal(PAGES)
        assert found.master.value("SELECT added FROM robbieblocks_pages") == "early"


def test_a_column_of_the_nodes_own_costs_no_comparison(
    clusters: Clusters, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are equal in what the master has are equal: none is fetched at each look."""
    fetched: list[str] = []
    fetch = vars(comparing)["_fetch"]

    def counted(node: Any, link: Any, table: str, *rest: Any, **named: Any) -> Any:
        fetched.append(table)
        return fetch(node, link, table, *rest, **named)

    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with node.connect() as connection:
            connection.execute("ALTER TABLE robbieblocks_pages ADD COLUMN mine text DEFAULT 'my'")
            monkeypatch.setattr(comparing, "_fetch", counted)
            assert sync.resync(node.settings, connection, PAGES).count == 0
            assert fetched == []
            connection.execute("SET session_replication_role = replica")
            connection.execute("UPDATE robbieblocks_pages SET page_name = 'damaged'")
            connection.execute("RESET session_replication_role")
            assert sync.resync(node.settings, connection, PAGES).changed == 1
        assert node.value("SELECT page_name || mine FROM robbieblocks_pages") == "playmy"


def test_a_comparison_by_hand_tries_again_what_was_refused(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Once the node may write the table, nobody has to wait for the next try."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with found.master.connect() as master, node.connect() as connection:
            sync.admit(master, node.name, tables=["robbieblocks_components"])
            connection.execute("UPDATE robbieblocks_pages SET page_name = 'refused'")
            with syncing(node, interval_s=3600) as (process,):
                process.wait_for("sync.refused")
                sync.admit(master, node.name, tables=["*"])
                assert sync.resync(node.settings, connection, PAGES).retried == 1
                found.until_equal(PAGES)
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "refused"
