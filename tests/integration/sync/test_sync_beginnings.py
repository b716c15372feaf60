"""How a node begins: with an empty database, and beside another sync on the same servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from psycopg.sql import SQL, Identifier

from robbieblocks import sync
from robbieblocks.settings import Settings
from robbieblocks.worker import open_log
from tests.sync_sites import Clusters, Place, synced, syncing

pytestmark = pytest.mark.postgres
BLOCKS = "robbieblocks_page_blocks"
MakeSettings = Callable[..., Settings]


def join(node: Place, said: list[str]) -> None:
    """Have a node join; what it says is added to `said`."""
    with node.connect() as connection:
        sync.join(node.settings, connection, node.name, log=open_log("json"), progress=said.append)


def test_an_empty_database_that_joins_has_the_masters_rows_alone(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """No row of the demo is made there first, of which versions would lose and others stay."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        with node.cluster.connect() as connection:
            connection.execute(SQL("DROP DATABASE {}").format(Identifier(node.dbname)))
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(node.dbname)))
        join(node, [])
        found.until_equal(BLOCKS)
        found.until_equal("robbieblocks_style_tokens")
        assert node.value("SELECT count(*) FROM sync_conflicts") == 0


def test_nodes_of_one_name_in_two_databases_of_a_server_disturb_each_other_nowhere(
    clusters: Clusters, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Slots are the master's server's: the second node asks for changes, and says why, and the slot
    of the first is that one's, also where the second leaves or is locked out.
    """

    def beside(address: str) -> Settings:
        return replace(make_settings(address), home=tmp_path / "beside" / "installation")

    with (
        synced(clusters, make_settings, count=1, transports=("auto",)) as first,
        syncing(*first.nodes) as (process,),
        synced(clusters, beside, count=1, transports=("auto",), join=False) as second,
    ):
        process.wait_for("sync.state", state="active")
        (node,) = second.nodes
        slots = "SELECT slot_name, database FROM pg_replication_slots"
        before = first.master.rows(slots)
        said: list[str] = []
        join(node, said)
        assert "changes come by asking for them" in said
        with node.connect() as connection:
            why = sync.status(node.settings, connection).transport_why
            assert f"the database {first.master.dbname} of the master's server" in why
            assert sync.leave(node.settings, connection, force=True).why_kept == ""
        with second.master.connect() as master:
            sync.lock_out(master, node.name)
            master.execute(f'ALTER ROLE "sync_{node.name}" LOGIN'.encode())
        assert first.master.rows(slots) == before
        assert len(before) == 1


def test_what_a_restored_master_lost_is_sent_as_soon_as_somebody_asks(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """A comparison by hand sends it two minutes later, where one of the sync itself would wait for
    a quarter of an hour.
    """
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        with found.master.connect() as master, node.connect() as connection:
            master.execute("UPDATE robbieblocks_pages SET page_name = 'lost'")
            found.until_equal("robbieblocks_pages")
            master.execute("SET session_replication_role = replica")
            master.execute("UPDATE robbieblocks_pages SET page_name = 'before'")
            master.execute(
                "UPDATE sync_rows SET version = '0000000000010000@master'"
                " WHERE table_name = 'robbieblocks_pages'"
            )
            connection.execute("UPDATE sync_rows SET changed_at = now() - interval '2 minutes'")
            done = sync.resync(node.settings, connection, "robbieblocks_pages")
            assert done.sent == 1
            with syncing(node):
                found.until_equal("robbieblocks_pages")
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "lost"


def test_masters_of_one_server_have_a_role_for_each_of_their_nodes(
    clusters: Clusters, make_settings: MakeSettings, tmp_path: Path
) -> None:
    """Roles are the server's: what locks a node of one out leaves that of the other alone, which
    keeps its own role where it is admitted again, and none sees what is the other's."""

    def beside(address: str) -> Settings:
        return replace(make_settings(address), home=tmp_path / "beside" / "installation")

    with (
        synced(clusters, make_settings, count=0) as first,
        synced(clusters, beside, count=0) as second,
        first.master.connect() as one,
        second.master.connect() as other,
    ):
        name = f"n{'x' * 50}"
        roles = [sync.admit(each, name).role for each in (one, other)]
        try:
            assert roles[0] == f"robbieblocks_sync_{name}"[:63] or len(roles[0]) == 63
            assert len({*roles}) == 2
            assert [sync.admit(each, name).role for each in (one, other)] == roles
            sync.lock_out(one, name)
            may = "SELECT rolcanlogin FROM pg_roles WHERE rolname = %s"
            found = [one.execute(may, (role,)).fetchone() for role in roles]
            assert found == [(False,), (True,)]
        finally:
            for each, role in zip((one, other), roles, strict=True):
                each.execute(f'DROP OWNED BY "{role}"'.encode())
            for role in {*roles}:
                one.execute(f'DROP ROLE "{role}"'.encode())
