"""Servers and roles that allow less than a sync would like: it goes on as far as it can, and says
what is missing and what to do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks import database, sync
from robbieblocks.errors import RightsMissing, RobbieBlocksError, UsageError
from robbieblocks.settings import Settings
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.patience import open_own
from robbieblocks.worker import open_log
from tests import sync_sites
from tests.chaos.pgbouncer import pooling
from tests.sync_sites import Clusters, Place, Sync, synced, syncing
from tests.workers import edit, until

pytestmark = pytest.mark.postgres
BLOCKS = "robbieblocks_page_blocks"
MakeSettings = Callable[..., Settings]


def status(place: Place) -> sync.SyncStatus:
    """What `robbieblocks sync status` shows, by a connection as the command has it."""
    with database.connect(place.settings, application_name="test") as connection:
        return sync.status(place.settings, connection)


def goes_both_ways(found: Sync, node: Place, number: int) -> None:
    """An edit of the master comes to a node, and one of the node to the master."""
    for place, version in ((found.master, number), (node, number + 1)):
        with place.connect() as connection:
            edit(connection, "play", version)
        for other in (found.master, node):
            until(partial(_shows, other, version), f"version {version} on {other.name}")


def _shows(place: Place, version: int) -> bool:
    shown = "SELECT DISTINCT props ->> 'version' FROM robbieblocks_page_blocks"
    return place.rows(shown) == [(f"v{version}",)]


def test_where_a_server_has_no_room_for_a_subscription_changes_are_asked_for(
    tmp_path: Path, make_settings: MakeSettings
) -> None:
    """No slot is left on the master, or no worker on the node's server: both are said, with the
    setting, and edits go both ways.
    """

    def beside(address: str) -> Settings:
        return replace(make_settings(address), home=tmp_path / "beside" / "installation")

    with (
        sync_sites.started(
            tmp_path, max_replication_slots="1", max_logical_replication_workers="1"
        ) as servers,
        synced(servers, make_settings, count=1, transports=("auto",)) as first,
        syncing(first.nodes[0]) as (subscriber,),
        synced(servers, beside, transports=("auto", "auto")) as found,
    ):
        subscriber.wait_for("sync.state", state="active")
        assert subscriber.health is not None
        assert subscriber.health.transport == "stream"
        with syncing(*found.nodes) as processes:
            for number, (process, setting) in enumerate(
                zip(
                    processes,
                    ("max_logical_replication_workers", "max_replication_slots"),
                    strict=True,
                )
            ):
                process.wait_for("sync.state", state="active")
                assert process.health is not None
                assert process.health.transport == "poll"
                goes_both_ways(found, process.place, 2 * number + 1)
                assert setting in str(process.health.findings)
                assert setting in status(process.place).transport_why


def test_a_transaction_that_runs_on_keeps_no_node_from_syncing(
    clusters: Clusters, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slot can't be made before its end: changes are asked for meanwhile, and it says why."""
    monkeypatch.setattr("robbieblocks.sync.master_slots._WAIT", "300ms")
    with synced(clusters, make_settings, count=1, transports=("auto",), join=False) as found:
        (node,) = found.nodes
        with clusters.master.connect() as other, other.transaction(force_rollback=True):
            other.execute("SELECT pg_current_xact_id()")
            _join(node)
            with syncing(node) as (process,):
                process.wait_for("sync.state", state="active")
                assert process.health is not None
                assert process.health.transport == "poll"
                assert "has not ended" in process.health.findings_now["transport"]
                goes_both_ways(found, node, 1)
        slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
        assert found.master.value(slots) == 0
        _join(node)
        assert found.master.value(slots) == 1


def test_a_role_that_may_replicate_no_more_asks_for_changes(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Its slot, which it may not remove, is said with the statement; and it subscribes again once
    it may.
    """
    with synced(clusters, make_settings, count=1, transports=("auto",)) as found:
        (node,) = found.nodes
        role = f'"sync_{node.name}"'
        with found.master.connect() as master:
            master.execute(f"ALTER ROLE {role} NOREPLICATION".encode())
            try:
                with syncing(node) as (process,):
                    process.wait_for("sync.state", state="active")
                    process.wait_for("sync.finding", topic="slot")
                    assert process.health is not None
                    assert process.health.transport == "poll"
                    said = process.health.findings_now["slot"]
                    statement = said[said.index("SELECT pg_drop_replication_slot(") :]
                    goes_both_ways(found, node, 1)
                    master.execute(statement.encode())
                    until(lambda: "slot" not in _topics(process), "it is said no more")
            finally:
                master.execute(f"ALTER ROLE {role} REPLICATION".encode())
        with syncing(node) as (process,):
            process.wait_for("sync.subscribed")
            goes_both_ways(found, node, 3)


def _topics(process: sync_sites.Thread) -> set[str]:
    return set(process.health.findings_now) if process.health else set()


def test_limits_that_roles_have_are_not_those_of_a_sync(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """A short time for statements or idle sessions, and another way to write times."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        for place in (found.master, node):
            with place.connect() as connection:
                for setting in (
                    "statement_timeout = '9s'",
                    "idle_session_timeout = '8s'",
                    "idle_in_transaction_session_timeout = '7s'",
                    "datestyle = 'SQL, DMY'",
                ):
                    alter = f"ALTER DATABASE {place.dbname} SET {setting}"
                    connection.execute(alter.encode())
        _join(node)
        own = open_own(node.settings, node.name, lambda _: None, lambda _: None)
        link = MasterLink.open(node.settings, node.name)
        try:
            for connection in (own.connection, link.connection):
                row = connection.execute(
                    "SELECT current_setting('statement_timeout'),"
                    " current_setting('idle_session_timeout'),"
                    " current_setting('idle_in_transaction_session_timeout')"
                ).fetchone()
                assert row == ("0", "0", "0")
        finally:
            link.close()
            own.close()
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            goes_both_ways(found, node, 1)
        assert status(node).findings[0].startswith("nothing syncs it")


@pytest.mark.parametrize("lacks", ["the right", "the place"])
def test_a_schema_that_a_nodes_role_does_not_look_into_is_named(
    clusters: Clusters, make_settings: MakeSettings, lacks: str
) -> None:
    """It is not said that the database takes part in no sync, and what is said to do helps."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        role, dbname = f'"sync_{node.name}"', found.master.dbname
        with found.master.connect() as master:
            if lacks == "the right":
                master.execute(f"REVOKE USAGE ON SCHEMA public FROM PUBLIC, {role}".encode())
            else:
                alter = f"ALTER ROLE {role} IN DATABASE {dbname} SET search_path = other"
                master.execute(alter.encode())
            message = "GRANT USAGE" if lacks == "the right" else "SET search_path"
            with pytest.raises(RobbieBlocksError, match=message):
                _asks_the_time(node)
            with pytest.raises(RobbieBlocksError, match=message) as error:
                _join(node)
            said = str(error.value)
            statement = said[said.index("there, ") + len("there, ") :].split(", or ")[0]
            master.execute(statement.encode())
        _join(node)


def _asks_the_time(node: Place) -> None:
    link = MasterLink.open(node.settings, node.name)
    try:
        link.clock()
    finally:
        link.close()


def _join(node: Place) -> None:
    with database.connect(node.settings, application_name="test") as connection:
        sync.join(
            node.settings,
            connection,
            node.name,
            log=open_log("json"),
            progress=lambda _: None,
        )


def test_a_subscription_of_another_role_is_named(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Whoever may not look after it is told whose it is, before anything is changed."""
    with synced(clusters, make_settings, count=1, owner="plain", join=False) as found:
        (node,) = found.nodes
        with node.cluster.connect(node.dbname) as administrator:
            administrator.execute("ALTER ROLE plain SUPERUSER")
            _join(node)
            administrator.execute("ALTER SUBSCRIPTION robbieblocks_sync OWNER TO postgres")
            administrator.execute("ALTER ROLE plain NOSUPERUSER")
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="refused")
            assert "belongs to the role postgres" in str(process.health and process.health.why)
        with node.connect() as connection, pytest.raises(RightsMissing, match="OWNER TO"):
            sync.pause(connection, paused=True)
        assert node.value("SELECT paused_at FROM sync_self") is None


def test_a_master_that_answers_and_takes_no_writes_is_told(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Whoever asks for the status reaches it: what stops the sync is said all the same."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        setting = f'ALTER ROLE "sync_{node.name}" IN DATABASE {found.master.dbname} SET '
        with found.master.connect() as master, syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            assert node.line is not None
            master.execute(f"{setting} default_transaction_read_only = on".encode())
            node.line.cut()
            node.line.mend()
            until(
                lambda: "default_transaction_read_only" in str(status(node).findings),
                "it is said what the master refuses",
            )
            master.execute(f"{setting} default_transaction_read_only = off".encode())
            until(lambda: not status(node).findings, "it goes on")


@pytest.mark.chaos
def test_a_pooler_before_a_database_is_told(
    clusters: Clusters, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Before the node's own database a sync ends with what to do; a master is asked through one."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with pooling(clusters.nodes[0].conninfo(node.dbname), tmp_path / "own") as pooled:
            through = replace(node.settings, database_url=pooled)
            with (
                pytest.raises(UsageError, match=r"(?s)pooler.*the server itself"),
                syncing(replace(node, settings=through)),
            ):
                pass
        role = f"sync_{node.name}"
        there = clusters.master.conninfo(found.master.dbname, role)
        with pooling(there, tmp_path / "master") as pooled:
            address = make_conninfo(pooled)
            node.by("poll")
            node.settings = replace(node.settings, sync=replace(node.settings.sync, master=address))
            with syncing(node) as (process,):
                process.wait_for("sync.state", state="active")
                assert process.health is not None
                assert process.health.transport == "poll"
                goes_both_ways(found, node, 1)
