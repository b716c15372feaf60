"""`robbieblocks sync`: each command does what it says, and each error names its remedy."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from typer.main import get_command

from robbieblocks import failpoints, sync
from robbieblocks.cli import app
from robbieblocks.errors import MasterUnavailable, RightsMissing, RobbieBlocksError
from robbieblocks.settings import Settings
from robbieblocks.worker import open_log
from tests.commands import Installation, released
from tests.sync_sites import NODES, Clusters, Place, Sync, Thread, neighbour, synced, syncing
from tests.workers import until

pytestmark = pytest.mark.postgres
MakeSettings = Callable[..., Settings]


@dataclass
class CommandLine:
    """Runs commands in this process, with the environment of one database."""

    patch: pytest.MonkeyPatch
    output: pytest.CaptureFixture[str]
    errors: str = ""

    def __call__(self, place: Place, *words: str) -> str:
        """What a command prints as its result. Raises what it raises, and SystemExit."""
        self.output.readouterr()
        for name, value in {
            "ROBBIEBLOCKS_HOME": str(place.settings.home),
            "ROBBIEBLOCKS_DATABASE_URL": place.settings.database_url or "",
            "ROBBIEBLOCKS_SYNC_MASTER_URL": place.settings.sync.master or "",
        }.items():
            self.patch.setenv(name, value)
        code = get_command(app)(["sync", *words], standalone_mode=False)
        said, self.errors = self.output.readouterr()
        if code:
            raise SystemExit(said)
        return said


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line."""
    return CommandLine(monkeypatch, capsys)


def conflicting(found: Sync) -> None:
    """Have the master and the node rename the page apart, the node last."""
    (node,) = found.nodes
    assert node.line is not None
    node.line.cut()
    for place, name in ((found.master, "the master's"), (node, "the node's")):
        with place.connect() as connection:
            connection.execute("UPDATE robbieblocks_pages SET page_name = %s", [name])
    node.line.mend()
    with syncing(node):
        found.until_equal("robbieblocks_pages")
        until(lambda: node.value("SELECT waiting FROM sync_outbox_state()") == 0, "it went up")


def test_a_node_joins_and_leaves_by_commands(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """init-master, admit, join, status, pause, resume, resync and leave say what they did."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        said = command(found.master, "init-master")
        assert "this database is the master master" in said
        assert "max_slot_wal_keep_size" in said
        address = command(found.master, "admit", node.name, "--role", "sync_by_command")
        assert address.startswith("postgresql://sync_by_command:")
        assert "sslmode=verify-full" in address
        role = f"sync_{node.name}"
        table = ("--table", "robbieblocks_pages")
        assert "sync_by_command:" not in command(
            found.master, "admit", node.name, "--role", role, *table
        )
        assert f"{node.name} is in step" in command(node, "join", "--node", node.name)
        assert node.value("SELECT count(*) FROM robbieblocks_pages") == 1
        assert node.value("SELECT count(*) FROM robbieblocks_page_blocks") == 0
        # Another password gives it no more than it had.
        command(found.master, "admit", node.name, "--new-password")
        assert f"{node.name} is in step" in command(node, "join", "--node", node.name)
        assert node.value("SELECT count(*) FROM robbieblocks_page_blocks") == 0
        command(found.master, "admit", node.name, "--table", "*")
        assert f"{node.name} is in step" in command(node, "join", "--node", node.name)
        assert node.value("SELECT count(*) FROM robbieblocks_pages") == 1
        assert node.value("SELECT count(*) > 0 FROM robbieblocks_page_blocks") is True
        # Again: nothing is left to do.
        assert "nothing differed" in command(node, "join", "--node", node.name)
        shown = json.loads(command(node, "status", "--format", "json"))
        assert (shown["node"], shown["transport"], shown["waiting"]) == (node.name, "stream", 0)
        assert not shown["is_running"]
        with pytest.raises(SystemExit, match="sync run --node"):
            command(node, "status", "--check")
        assert "the sync is paused" in command(node, "pause")
        assert node.value("SELECT subenabled FROM pg_subscription LIMIT 1") is False
        assert "paused already" in command(node, "pause")
        assert "going on" in command(node, "resume")
        assert "nothing differed" in command(node, "resync", "robbieblocks_pages")
        assert node.name in command(found.master, "status")
        with node.connect() as connection:
            connection.execute("UPDATE robbieblocks_pages SET page_name = 'unsent'")
        with pytest.raises(RobbieBlocksError, match=r"(?s)1 change not gone up .*--force"):
            command(node, "leave")
        assert "has left the sync" in command(node, "leave", "--force")
        assert node.value("SELECT count(*) FROM pg_trigger WHERE tgname = 'sync_capture'") == 0
        slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
        assert found.master.value(slots) == 0
        with pytest.raises(RobbieBlocksError, match="takes no part in a sync"):
            command(node, "status")
        assert "left" in command(found.master, "status")
        assert not [f for f in findings(command, found.master) if node.name in f]


def findings(command: CommandLine, place: Place) -> list[str]:
    """What is not as it should be."""
    shown = json.loads(command(place, "status", "--format", "json"))
    return [str(each) for each in shown["findings"]]


def test_a_node_that_left_without_the_master_joins_as_a_new_one(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """What the master keeps of it is said. Joined again, it sends nothing that was given up, and
    what was edited since is among its conflicts.
    """
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        assert node.line is not None
        with node.connect() as connection:
            connection.execute("UPDATE robbieblocks_pages SET page_name = 'given up'")
            node.line.cut()
            command(node, "leave", "--force")
            assert f"sync lock-out {node.name}" in command.errors
            assert node.value("SELECT count(*) FROM pg_subscription") == 0
            connection.execute("UPDATE robbieblocks_components SET component_name = 'since'")
            node.line.mend()
            command(node, "join", "--node", node.name)
            kept = connection.execute(
                "SELECT coalesce(replica_data ->> 'page_name', replica_data ->> 'component_name') "
                "FROM sync_conflicts WHERE rule = 'before the sync'"
            ).fetchall()
        assert {("given up",), ("since",)} <= set(kept)
        found.until_equal("robbieblocks_components")
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "play"


@pytest.mark.parametrize("how", ["cut off", "killed"])
def test_a_node_that_left_tells_the_master_where_it_leaves_again(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine, how: str
) -> None:
    """Whether the master was out of reach or the command was killed in between: until then its slot
    stays there. Told once, the node takes no part any more.
    """
    slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        assert node.line is not None
        if how == "cut off":
            node.line.cut()
            command(node, "leave", "--force")
            assert "`robbieblocks sync leave` again" in command.errors
            node.line.mend()
        else:
            command.patch.setattr(failpoints, "hook", _killed)
            with pytest.raises(SystemExit):
                command(node, "leave", "--force")
            command.patch.undo()
        assert found.master.value(slots) == 1
        assert f"{node.name} has left the sync" in command(node, "leave")
        assert found.master.value(slots) == 0
        assert "left" in command(found.master, "status")
        with pytest.raises(RobbieBlocksError, match="takes no part in a sync"):
            command(node, "leave")


def _killed(step: str) -> None:
    if step == "sync: stopped":
        raise KeyboardInterrupt


def test_a_node_that_joins_again_has_not_left(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """What it did not tell the master before is not told any more."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        assert node.line is not None
        node.line.cut()
        command(node, "leave", "--force")
        node.line.mend()
        command(node, "join", "--node", node.name)
        assert f"{node.name} has left the sync" in command(node, "leave")
        with pytest.raises(RobbieBlocksError, match="takes no part in a sync"):
            command(node, "leave")


def test_the_embedded_database_is_a_node_by_asking(
    clusters: Clusters,
    make_settings: MakeSettings,
    tmp_path: Path,
) -> None:
    """It joins without any preparation, gets the master's rows, and sends its own."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (place,) = found.nodes
        own = Installation(
            home=tmp_path / "embedded" / "home",
            variables={
                "ROBBIEBLOCKS_SYNC_MASTER_URL": place.settings.sync.master or "",
            },
        )
        own.home.mkdir(parents=True)
        joined = own.run("sync", "join", "--node", place.name, "--embedded", cwd=tmp_path)
        assert "in step with the master" in joined.out, joined.err
        assert "changes come by asking for them" in joined.err
        query = "SELECT page_key FROM robbieblocks_pages WHERE page_key = 'play'"
        assert own.run("db", "psql", "--", "-Atc", query, cwd=tmp_path).out.strip() == "play"
        released(own.home)


def test_a_version_that_lost_is_shown_and_brought_back(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """conflicts list names it, show has both sides, and restore makes it live everywhere, once."""
    with synced(clusters, make_settings, count=1) as found:
        conflicting(found)
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") == "the node's"
        (listed,) = json.loads(command(found.master, "conflicts", "list", "--format", "json"))
        shown = command(found.master, "conflicts", "show", listed["id"])
        assert "the master's" in shown
        assert "the node's" in shown
        command(found.master, "conflicts", "restore", listed["id"])
        with syncing(*found.nodes):
            found.until_equal("robbieblocks_pages")
        assert found.nodes[0].value("SELECT page_name FROM robbieblocks_pages") == "the master's"
        assert command(found.master, "conflicts", "list").strip() == "no version has lost"
        with pytest.raises(RobbieBlocksError, match="restored"):
            command(found.master, "conflicts", "restore", listed["id"])
        with pytest.raises(RobbieBlocksError, match="no id of a conflict"):
            command(found.master, "conflicts", "show", "nonsense")
        # A block that is edited while its page is deleted brings the page with it.
        (node,) = found.nodes
        with node.connect() as connection:
            connection.execute("UPDATE robbieblocks_page_blocks SET block_order = block_order + 10")
        with found.master.connect() as connection:
            connection.execute("DELETE FROM robbieblocks_pages")
        with syncing(node):
            found.until_sent()
            found.until_equal("robbieblocks_pages")
        lost, *others = json.loads(command(found.master, "conflicts", "list", "--format", "json"))
        assert "1 row of robbieblocks_pages" in command(
            found.master, "conflicts", "show", lost["id"]
        )
        said = command(found.master, "conflicts", "restore", lost["id"])
        assert f"{1 + len(others)} row" in said
        assert found.master.value("SELECT count(*) FROM robbieblocks_pages") == 1


def test_a_node_that_is_locked_out_is_answered_no_more(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """Its sync says so, and what it edits reaches nobody."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        role = found.master.value(
            "SELECT database_role FROM sync_nodes WHERE node_type <> 'master'"
        )
        with syncing(node) as (process,):
            process.wait_for("sync.state", state="active")
            assert "TO DO" not in command(found.master, "lock-out", node.name)
            with node.connect() as connection:
                connection.execute("UPDATE robbieblocks_pages SET page_name = 'stolen'")
            process.wait_for("sync.state", state="cut off")
            assert node.value("SELECT waiting FROM sync_outbox_state()") == 1
        assert found.master.value("SELECT page_name FROM robbieblocks_pages") != "stolen"
        assert "locked out" in command(found.master, "status")
        with found.master.connect() as connection:
            connection.execute(f'ALTER ROLE "{role}" LOGIN'.encode())
            slots = connection.execute(
                "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
            ).fetchone()
        assert slots == (0,)
        role = f"sync_{node.name}"
        with pytest.raises(RobbieBlocksError, match=r"(?s)is locked out.*--new-password"):
            command(found.master, "admit", node.name, "--role", role)
        command(found.master, "admit", node.name, "--role", role, "--new-password")
        with syncing(node):
            found.until_equal("robbieblocks_pages")


@pytest.mark.parametrize(
    ("master", "message"),
    [
        ("", "(?s)no master is named.*ROBBIEBLOCKS_SYNC_MASTER_URL"),
        ("postgresql://me:hidden@db.example.org/site?sslmode=prefer", "sslmode=prefer allows"),
        ("postgresql://me:hidden@127.0.0.1:1/site", "the master can't be reached"),
    ],
)
def test_a_master_that_can_not_be_used_is_one_clear_error(
    clusters: Clusters,
    make_settings: MakeSettings,
    command: CommandLine,
    master: str,
    message: str,
) -> None:
    """It names the cause and the remedy, never the password; the database is as it was."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        node.settings = replace(
            node.settings, sync=replace(node.settings.sync, master=master or None)
        )
        with pytest.raises(RobbieBlocksError, match=message) as raised:
            command(node, "join", "--node", node.name)
        assert "hidden" not in str(raised.value)
        assert node.value("SELECT to_regclass('sync_self')") is None


def test_errors_of_membership_name_their_remedy(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """A name that was not admitted or that no site has, another name than before, a table that is
    not synced or not there, a database that is no master or takes part in no sync.
    """
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        own = f"(?s)does not sync the node '{NODES[1]}'.*is of the node '{node.name}'"
        with pytest.raises(RobbieBlocksError, match=own):
            command(node, "join", "--node", NODES[1])
        right = node.settings.sync
        node.settings = replace(
            node.settings, sync=replace(right, master=clusters.master.conninfo())
        )
        with pytest.raises(RobbieBlocksError, match=r"'postgres'.*in no sync.*init-master"):
            command(node, "join", "--node", node.name)
        node.settings = replace(node.settings, sync=right)
        command(node, "join", "--node", node.name)
        assert "note:" not in command.errors
        with found.master.connect() as connection, connection.transaction(force_rollback=True):
            # A name that no site has, as one that was mistyped.
            doubt = sync.admit(connection, "vengance-local").doubt
            assert doubt.startswith("robbieblocks_node_branding has no node vengance-local")
            assert "did you mean vengeance-local?" in doubt
        with found.master.connect() as connection:
            connection.execute(
                "DELETE FROM robbieblocks_node_branding WHERE node_id = %s", [node.name]
            )
        command(node, "join", "--node", node.name)
        assert f"note: robbieblocks_node_branding has no node {node.name}" in command.errors
        with pytest.raises(RobbieBlocksError, match=r"no table page is kept.*robbieblocks_pages"):
            command(found.master, "conflicts", "list", "--table", "page")
        with pytest.raises(RobbieBlocksError, match="sync leave"):
            command(node, "join", "--node", NODES[1])
        with pytest.raises(RobbieBlocksError, match=r"name one of .*robbieblocks_pages"):
            command(node, "resync", "robbieblocks_deploys")
        with pytest.raises(RobbieBlocksError, match="is no name of a node"):
            command(found.master, "admit", "Ünode 1")
        with pytest.raises(RobbieBlocksError, match="init-master"):
            command(node, "admit", NODES[1])


def test_a_mistake_of_the_masters_owner_is_refused_with_its_remedy(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """Nothing is said to be done that was not, and nobody locks the owner or the master out."""
    with synced(clusters, make_settings, count=1) as found:
        (node,) = found.nodes
        admit = ("admit", NODES[1])
        for place, words, message in (
            (found.master, (*admit, "--role", f"sync_{node.name}"), "that of the node"),
            (found.master, (*admit, "--role", "postgres"), "all that the owner .* a role of its"),
            (found.master, (*admit, "--table", "nonsense"), "'nonsense' is not kept in step"),
            (found.master, (*admit, "--town", "Nowhere"), "no town 'Nowhere': .* FROM towns"),
            (found.master, ("lock-out", "master"), "the master itself"),
            (found.master, ("lock-out", "nobody"), "no node 'nobody'"),
            (node, ("lock-out", node.name), "not the master .* on the master"),
            (found.master, ("pause",), "(?s)is the master.*pause the nodes"),
            (found.master, ("leave",), f"(?s)the master of {node.name}.*--force"),
        ):
            with pytest.raises(RobbieBlocksError, match=message):
                command(place, *words)
        # Nothing of it has changed anything.
        lists = "SELECT count(*) FROM sync_nodes WHERE locked_out_at IS NULL"
        assert [found.master.value(lists), node.value(lists)] == [2, 2]
        assert found.master.value("SELECT paused_at FROM sync_self") is None
        assert command(found.master, "leave", "--force").startswith("master has left the sync")


@pytest.mark.parametrize(
    ("table", "how", "message"),
    [
        ("nonsense", "both", "no table 'nonsense' in the schema public"),
        ("public.robbieblocks_pages", "both", "without its schema"),
        ("pg_class", "both", "no table 'pg_class'"),
        ("sync_rows", "both", "is the sync's own"),
        ("robbieblocks_change_triggers", "both", "goes down alone"),
        ("robbieblocks_change_triggers", "never", "by it nodes build"),
        ("secrets", "down", "never travels"),
        ("user_sessions", "both", 'write "never"'),
    ],
)
def test_a_table_that_can_not_be_kept_in_step_is_refused(
    clusters: Clusters, make_settings: MakeSettings, table: str, how: str, message: str
) -> None:
    """It is named with the remedy, and no setting of the others is brought in."""
    with synced(clusters, make_settings, count=0) as found:
        tables = {"robbieblocks_pages": ("down", "row"), table: (how, "row")}
        settings = replace(
            found.master.settings, sync=replace(found.master.settings.sync, tables=tables)
        )
        with (
            found.master.connect() as connection,
            pytest.raises(RobbieBlocksError, match=message),
        ):
            sync.init_master(settings, connection, "master")
        how_now = "SELECT direction FROM sync_tables WHERE table_name = 'robbieblocks_pages'"
        assert found.master.value(how_now) == "both"


def test_a_node_in_the_server_of_the_master_joins(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """Making the slot waits for no transaction that waits for the slot."""
    with (
        synced(clusters, make_settings, count=0) as found,
        neighbour(clusters, found, make_settings) as node,
    ):
        with node.connect() as connection:
            connection.execute("SET statement_timeout = '20s'")
            sync.join(
                node.settings,
                connection,
                node.name,
                log=open_log("json"),
                progress=lambda _: None,
            )
        with found.master.connect() as connection:
            connection.execute("UPDATE robbieblocks_pages SET page_name = 'next door'")
        query = "SELECT page_name FROM robbieblocks_pages"
        until(lambda: node.value(query) == "next door", "the edit comes")
        with node.connect() as connection:
            sync.leave(node.settings, connection, force=True)


def test_a_server_that_can_not_connect_to_the_master_asks_for_changes(
    clusters: Clusters, make_settings: MakeSettings, command: CommandLine
) -> None:
    """The node reaches the master and its server may not: who wants a subscription is told how, and
    nothing is kept on the master for it. By itself it asks, says why, and subscribes once it can,
    an hour later or where it is joined again; and back.
    """
    with synced(clusters, make_settings, count=1, join=False, owner="plain") as found:
        (node,) = found.nodes
        slots = "SELECT count(*) FROM pg_replication_slots WHERE database = current_database()"
        subscriptions = "SELECT count(*) FROM pg_subscription WHERE subname = 'robbieblocks_sync'"

        def way(process: Thread) -> str:
            assert process.health is not None
            return process.health.transport

        def edited(name: str) -> None:
            with found.master.connect() as connection:
                connection.execute("UPDATE robbieblocks_pages SET page_name = %s", [name])
            query = "SELECT page_name FROM robbieblocks_pages"
            until(lambda: node.value(query) == name, f"the edit {name!r} comes")

        with node.cluster.connect(node.dbname) as administrator:
            # Its owner may subscribe, by a password alone; the master asks none of anybody.
            administrator.execute("GRANT pg_create_subscription TO plain")
            administrator.execute(f"GRANT CREATE ON DATABASE {node.dbname} TO plain".encode())
            join = ("join", "--node", node.name)
            node.by("stream")
            with (
                contextlib.chdir(node.settings.home),
                pytest.raises(RightsMissing, match=r"(?s)password.*sync.transport"),
            ):
                command(node, *join)
            assert found.master.value(slots) == 0
            node.by("auto")
            command(node, *join)
            assert "changes come by asking for them" in command.errors
            assert found.master.value(slots) == 0
            shown = command(node, "status")
            assert "changes are asked for: the server of this database can't" in shown
            assert f"UTC, or at once by `robbieblocks sync join --node {node.name}`" in shown
            with syncing(node) as (process,):
                process.wait_for("sync.finding", topic="transport")
                edited("by asking")
                administrator.execute("ALTER ROLE plain SUPERUSER")
                try:
                    until(lambda: len(process.logged("sync.state")) > 0, "it looks")
                    assert node.value(subscriptions) == 0
                    with node.connect() as connection:
                        connection.execute("UPDATE sync_self SET clock_offset_ms = 3700000")
                    until(lambda: way(process) == "stream", "it heals by itself")
                    edited("by a subscription")
                    with node.connect() as connection:
                        connection.execute("UPDATE sync_self SET clock_offset_ms = 0")
                finally:
                    administrator.execute("ALTER ROLE plain NOSUPERUSER")
                # Its server goes on until its session ends, and can't connect again.
                found.master.value(
                    "SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots"
                    " WHERE database = current_database()"
                )
                until(lambda: way(process) == "poll", "it asks again")
                edited("by asking again")
                until(lambda: found.master.value(slots) == 0, "its slot gone")
            administrator.execute("ALTER ROLE plain SUPERUSER")
            try:
                command(node, *join)
                assert "changes come by subscription" in command.errors
                assert "asked for" not in command(node, "status")
            finally:
                administrator.execute("ALTER ROLE plain NOSUPERUSER")
            command(node, *join)
            assert "changes come by asking for them" in command.errors


def test_nodes_with_long_names_have_roles_of_their_own(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """PostgreSQL cuts names at 63 characters; who was let in before keeps the role that it has."""
    with (
        synced(clusters, make_settings, count=0) as found,
        found.master.connect() as connection,
    ):
        names = [f"{'n' * 60}-{number}" for number in (1, 2)]
        roles = [sync.admit(connection, name).role for name in names]
        try:
            assert len({*roles}) == 2
            assert all(len(role) == 63 for role in roles)
            assert [sync.admit(connection, name).role for name in names] == roles
            assert sync.admit(connection, NODES[0], role=roles[0][:60]).role == roles[0][:60]
            assert sync.admit(connection, NODES[0]).role == roles[0][:60]
        finally:
            for role in (*roles, roles[0][:60]):
                connection.execute(f'DROP OWNED BY "{role}"'.encode())
                connection.execute(f'DROP ROLE "{role}"'.encode())


def test_a_role_that_the_master_lacks_is_made_by_admit(
    clusters: Clusters, make_settings: MakeSettings
) -> None:
    """The remedy is the command that makes it on the master, and not PostgreSQL's own."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        assert node.line is not None
        master = clusters.master.conninfo(node.dbname, "nobody_knows", node.line.port)
        settings = replace(node.settings, sync=replace(node.settings.sync, master=master))
        with (
            node.connect() as connection,
            pytest.raises(MasterUnavailable, match=f"sync admit {node.name}"),
        ):
            sync.join(
                settings, connection, node.name, log=open_log("json"), progress=lambda _: None
            )
