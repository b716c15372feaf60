"""A master and its nodes, each a database of a cluster of its own.

A node has a way down: it subscribes, or it asks for changes, as the program does. The same tests
run with both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import psycopg

from robbieblocks.database import schema
from robbieblocks.settings import SyncSettings
from robbieblocks.sync.health import SyncHealth
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.way_down import WayDown
from robbieblocks.worker import open_log
from tests import clusters, postgres_servers
from tests.clusters import Cluster
from tests.workers import until

OWNER = "owner"
DATABASE = "site"
Way = Literal["stream", "poll", "none"]
# Each rule has to hold for a node that subscribes and for one that asks. Most tests edit on the
# first node; the other one only takes what comes.
WAYS: tuple[tuple[Way, Way], ...] = (("stream", "poll"), ("poll", "stream"))
NO_WAY: tuple[Way, Way] = ("none", "none")
# The master, and the nodes that there may be.
_NAMES = ("master", "aurora", "vengeance", "collab")
_CONTENT = {
    "pages": "SELECT id::text, to_jsonb(t) FROM robbieblocks_pages t",
    "components": "SELECT id::text, to_jsonb(t) FROM robbieblocks_components t",
    "blocks": "SELECT id::text, to_jsonb(t) FROM robbieblocks_page_blocks t",
    "tokens": "SELECT id::text, to_jsonb(t) FROM robbieblocks_style_tokens t",
    "nodes": "SELECT id::text, to_jsonb(t) FROM robbieblocks_node_branding t",
}


@dataclass
class Site:
    """One database: its owner's connection, and its administrator's."""

    name: str
    cluster: Cluster
    database: str
    owner: psycopg.Connection
    admin: psycopg.Connection
    role: str = ""
    calls: psycopg.Connection | None = None
    way: Way = "none"

    def run(self, statement: str, *values: Any) -> None:
        """Run a statement as the owner."""
        self.owner.execute(statement.encode(), values or None)

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query, as the owner sees them."""
        cursor = self.owner.execute(query.encode(), values or None)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, query: str, *values: Any) -> Any:
        """The one value of a query."""
        row = self.owner.execute(query.encode(), values or None).fetchone()
        return None if row is None else row[0]

    def content(self) -> dict[str, Any]:
        """Every row of the content tables."""
        return {
            name: dict(self.owner.execute(query.encode()).fetchall())
            for name, query in _CONTENT.items()
        }

    def conninfo(self, user: str = OWNER) -> str:
        """Where to reach it."""
        return self.cluster.conninfo(self.database, user)


@dataclass
class Fleet:
    """A master and its nodes."""

    master: Site
    nodes: list[Site]

    def send(self, node: Site) -> list[dict[str, Any]]:
        """Send what waits in a node's outbox, once; the master's answers."""
        entries = node.value("SELECT sync_outbox_take()")
        return self.hand_over(node, entries)

    def hand_over(self, node: Site, entries: list[Any], *, settle: bool = True) -> list[Any]:
        """Call the master's sync_apply() as the node's role."""
        assert node.calls is not None
        row = node.calls.execute(
            "SELECT sync_apply(%s, %s)", [node.name, json.dumps(entries)]
        ).fetchone()
        assert row is not None
        results: list[dict[str, Any]] = row[0]
        if settle:
            node.run("SELECT sync_outbox_settle(%s)", json.dumps(results))
        return results

    def poll(self, node: Site, after: dict[str, Any] | None, limit: int = 500) -> dict[str, Any]:
        """Have a node take the master's log from a place on, by pages; the place after it."""
        assert node.calls is not None
        while True:
            row = node.calls.execute(
                "SELECT sync_changes(%s, %s, %s)",
                [node.name, None if after is None else json.dumps(after), limit],
            ).fetchone()
            assert row is not None
            node.run("SELECT sync_receive(%s)", json.dumps(row[0]["entries"]))
            after = row[0]["after"]
            if not row[0]["is_more"]:
                assert after is not None
                return after

    def arrived(self) -> None:
        """Have every node that has a way apply all that the master's log has."""
        at = self.master.value("SELECT pg_current_wal_lsn()")
        for node in self.nodes:
            if node.way == "poll":
                self._ask(node)
            elif node.way == "stream":
                until(partial(self._has, node, at), f"{node.name} to arrive at {at}")

    def bring(self, node: Site) -> None:
        """Have one node apply all that the log has, which gets nothing before and after it."""
        if node.way == "poll":
            self._ask(node)
            return
        at = self.master.value("SELECT pg_current_wal_lsn()")
        node.admin.execute(f"ALTER SUBSCRIPTION {node.role} ENABLE".encode())
        until(partial(self._has, node, at), f"{node.name} to arrive at {at}")
        self.hold(node)

    def hold(self, node: Site) -> None:
        """Have nothing come to a node until it is brought."""
        if node.way == "stream":
            node.admin.execute(f"ALTER SUBSCRIPTION {node.role} DISABLE".encode())
            reads = "SELECT active FROM pg_replication_slots WHERE slot_name = %s"
            slot = f"{self.master.database}_{node.role}"
            until(
                lambda: self.master.admin.execute(reads.encode(), [slot]).fetchone() == (False,),
                f"{node.name} to read no more",
            )

    def _ask(self, node: Site) -> None:
        assert node.calls is not None
        way = WayDown(
            node=NodeDatabase(node.owner),
            link=MasterLink(node.calls, node.name),
            address="",
            settings=SyncSettings(transport="poll"),
            health=SyncHealth(node=node.name, progress_timeout_s=60),
            log=open_log("json"),
            push_all=lambda: None,
            find=lambda _topic, _what: None,
        )
        while way.receive():
            pass

    def _has(self, node: Site, at: str) -> bool:
        return bool(
            self.master.admin.execute(
                "SELECT confirmed_flush_lsn >= %s::pg_lsn FROM pg_replication_slots"
                " WHERE slot_name = %s",
                [at, f"{self.master.database}_{node.role}"],
            ).fetchone()
            == (True,)
        )

    def settle(self) -> None:
        """Bring everything everywhere."""
        for _ in range(20):
            self.arrived()
            sent = [self.send(node) for node in self.nodes]
            if not any(sent):
                self.arrived()
                return
        raise AssertionError("the outboxes do not become empty")

    def conflicts(self) -> list[dict[str, Any]]:
        """The master's conflicts, the oldest first."""
        return self.master.rows("SELECT * FROM sync_conflicts ORDER BY created_at, id")


def site(cluster: Cluster, database: str, name: str, *, demo: bool = False) -> Site:
    """Make a database with the schema and the sync's file."""
    with cluster.connect() as administrator:
        administrator.execute(f"CREATE DATABASE {database} OWNER {OWNER}".encode())
    owner = cluster.connect(database, OWNER)
    if not demo:
        owner.execute("SET robbieblocks.demo = off")
    schema.apply(owner, sync=True)
    owner.execute("SET TimeZone = 'UTC'")
    return Site(name, cluster, database, owner, cluster.connect(database))


def join(master: Site, node: Site) -> None:
    """Make a site a node of the master."""
    node.role = f"{node.name}_{master.database}"
    master.admin.execute(f"CREATE ROLE {node.role} LOGIN REPLICATION".encode())
    master.run("SELECT sync_admit(%s, %s, %s)", node.name, node.name.title(), node.role)
    node.calls = psycopg.connect(master.conninfo(node.role), autocommit=True)
    node.run("SELECT sync_start(%s, false)", node.name)
    NodeDatabase(node.owner).seen(master.name)


def subscribe(master: Site, node: Site) -> None:
    """Let the node subscribe to the master's log."""
    node.admin.execute(
        f"CREATE SUBSCRIPTION {node.role} CONNECTION '{master.conninfo(node.role)}'"
        f" PUBLICATION sync_publication WITH (copy_data = false,"
        f" slot_name = '{master.database}_{node.role}')".encode()
    )


@contextmanager
def fleet(
    servers: list[Cluster],
    number: int,
    prepare: Callable[[Site], None] = lambda _: None,
    *,
    ways: tuple[Way, ...] = WAYS[0],
) -> Generator[Fleet]:
    """Lend a master, on the first server, and nodes on the others; a third one shares the last.

    `prepare` is called with each before triggers are attached. `ways` are how changes come down to
    each node; with "none" a test brings them.
    """
    with ExitStack() as stack:
        sites = [
            site(server, f"site_{number}{'' if place < len(servers) else f'_{name}'}", name)
            for place, (server, name) in enumerate(
                zip([*servers, servers[-1]], _NAMES[: len(ways) + 1], strict=False)
            )
        ]
        for each in sites:
            stack.callback(_close, each)
            prepare(each)
        master, *nodes = sites
        master.run("SELECT sync_start('master', true)")
        master.run(
            "CREATE PUBLICATION sync_publication FOR TABLE sync_log WITH (publish = 'insert')"
        )
        for node, way in zip(nodes, ways, strict=True):
            node.way = way
            join(master, node)
            stack.callback(_leave, node)
            if node.way == "stream":
                subscribe(master, node)
        made = Fleet(master, nodes)
        made.arrived()
        yield made


def _leave(node: Site) -> None:
    node.admin.execute(f"DROP SUBSCRIPTION IF EXISTS {node.role}".encode())
    if node.calls is not None:
        node.calls.close()


def _close(each: Site) -> None:
    each.owner.close()
    each.admin.close()
    with each.cluster.connect() as administrator:
        administrator.execute(f"DROP DATABASE {each.database} WITH (FORCE)".encode())


@contextmanager
def servers(folder: Path, versions: tuple[int, ...]) -> Generator[list[Cluster]]:
    """Lend clusters of some versions, with the owner's role."""
    with ExitStack() as stack:
        templates = {
            version: stack.enter_context(clusters.made(version, folder))
            for version in set(versions)
        }
        account = postgres_servers.account(folder)
        made: list[Cluster] = []
        for place, version in enumerate(versions):
            home = folder / f"{version}-{place}"
            home.mkdir()
            if account:
                os.chown(home, account.uid, account.gid)
            made.append(stack.enter_context(clusters.running(version, templates[version], home)))
            with made[-1].connect() as administrator:
                administrator.execute(f"CREATE ROLE {OWNER} LOGIN".encode())
                administrator.execute(
                    f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}".encode()
                )
        yield made
