"""Columns that one side has, and what was refused for the want of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from robbieblocks import sync
from robbieblocks.settings import Settings, SyncTransport
from robbieblocks.sync import comparing
from tests.integration.sync.pages import apart, key
from tests.integration.sync.sites import Fleet, Site
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


@pytest.mark.parametrize("transport", ["auto", "poll"])
def test_a_column_that_the_master_had_for_a_while_holds_up_nobody(
    clusters: Clusters, make_settings: MakeSettings, transport: SyncTransport
) -> None:
    """Rows of the log have it, and no database: they are compared in place of being merged."""
    with synced(clusters, make_settings, count=1, transports=(transport,)) as found:
        (node,) = found.nodes
        with syncing(node, interval_s=0.5) as (process,):
            process.wait_for("sync.state", state="active")
            with found.master.connect() as master:
                with master.transaction():
                    master.execute("ALTER TABLE robbieblocks_pages ADD COLUMN brief text")
                    master.execute("UPDATE robbieblocks_pages SET brief = 'x', page_name = 'brief'")
                    master.execute("ALTER TABLE robbieblocks_pages DROP COLUMN brief")
                found.until_equal(PAGES)
                if transport == "auto":
                    process.wait_for("sync.subscription_lost")
                runs = "SELECT pid IS NOT NULL FROM pg_stat_subscription WHERE relid IS NULL"
                until(
                    lambda: (
                        process.health is not None
                        and process.health.state == "active"
                        and (transport == "poll" or node.value(runs) is True)
                    ),
                    "changes come down again",
                )
                received = "SELECT count(*) FROM robbieblocks_change_triggers WHERE id = %s"
                told = master.execute(
                    "INSERT INTO robbieblocks_change_triggers"
                    " (trigger_type, entity_type, entity_id)"
                    " SELECT 'page_change', 'page', id FROM robbieblocks_pages RETURNING id"
                ).fetchone()
                # No comparison brings this one.
                until(lambda: node.value(received, *(told or ())) == 1, "the log is read on")


def test_a_column_that_a_node_has_no_more_is_sent_no_more(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """A node had a column that the master never got: what was edited meanwhile goes up without."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with node.connect() as connection, syncing(node, interval_s=3600) as (process,):
            process.wait_for("sync.state", state="active")
            connection.execute("ALTER TABLE robbieblocks_pages ADD COLUMN brief text")
            connection.execute("UPDATE robbieblocks_pages SET brief = 'x', page_name = 'brief'")
            process.wait_for("sync.refused")
            connection.execute("ALTER TABLE robbieblocks_pages DROP COLUMN brief")
            assert sync.resync(node.settings, connection, PAGES).retried == 1
            found.until_sent()
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "brief"


@pytest.fixture
def by_column(fleet: Fleet) -> Iterator[Fleet]:
    """A fleet whose tokens are merged by column."""
    sites = (fleet.master, *fleet.nodes)
    configure = "SELECT sync_configure('robbieblocks_style_tokens', 'both', %s)"
    for site in sites:
        site.run(configure, "column")
    yield fleet
    fleet.settle()
    for site in sites:
        site.run(configure, "row")


def _token(fleet: Fleet) -> str:
    made = fleet.master.value(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
        " VALUES (%s, 'color', 'red') RETURNING id::text",
        key(),
    )
    fleet.settle()
    return str(made)


def _paint(site: Site, token: str, **columns: str) -> None:
    for name, value in columns.items():
        site.run(f"UPDATE robbieblocks_style_tokens SET {name} = %s WHERE id = %s", value, token)


def _values(site: Site, token: str) -> tuple[Any, ...]:
    (row,) = site.rows(
        "SELECT default_value, description, token_category FROM robbieblocks_style_tokens"
        " WHERE id = %s",
        token,
    )
    return tuple(row.values())


def test_edits_of_different_columns_are_no_conflict(by_column: Fleet) -> None:
    """When the row was written differs, and says nothing of what was."""
    master, aurora = by_column.master, by_column.nodes[0]
    token = _token(by_column)
    with apart(aurora):
        _paint(master, token, default_value="green")
        _paint(aurora, token, description="of the node")
        by_column.send(aurora)
    by_column.settle()
    assert _values(master, token) == _values(aurora, token) == ("green", "of the node", "color")
    assert by_column.conflicts() == []


@pytest.mark.parametrize("later", ["master", "node"])
def test_of_merged_columns_the_values_that_lost_are_brought_back_alone(
    by_column: Fleet, later: str
) -> None:
    """Of two values of a column the earlier comes back; what only one side edited, then or since,
    stays as it is."""
    master, aurora = by_column.master, by_column.nodes[0]
    token = _token(by_column)
    with apart(aurora):
        for site in (aurora, master) if later == "master" else (master, aurora):
            _paint(site, token, default_value=f"of {site.name}")
        _paint(master, token, token_category="the master's alone")
        _paint(aurora, token, description="the node's alone")
        by_column.send(aurora)
    by_column.settle()
    won, lost = ("master", "aurora") if later == "master" else ("aurora", "master")
    assert _values(aurora, token) == (f"of {won}", "the node's alone", "the master's alone")
    [kept] = by_column.conflicts()
    sides = [kept[side]["default_value"] for side in ("master_data", "replica_data")]
    assert sides == ["of master", "of aurora"]
    _paint(master, token, description="edited since")
    master.run("SELECT sync_conflicts_restore(%s)", kept["id"])
    by_column.settle()
    expected = (f"of {lost}", "edited since", "the master's alone")
    assert _values(master, token) == _values(aurora, token) == expected
