"""Masters and nodes in tests: databases on clusters of their own, with a line that can be cut."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO, cast

import psycopg
from psycopg.sql import SQL, Identifier

from robbieblocks import sync
from robbieblocks.settings import Settings, SyncSettings, SyncTransport
from robbieblocks.worker import open_log
from tests import clusters, proxy
from tests.clusters import Cluster
from tests.commands import Installation
from tests.proxy import Proxy
from tests.workers import Worker, fill, until

NODES = ("vengeance-local", "aurora-town-local")
MIXED: tuple[SyncTransport, ...] = ("auto", "poll")
_TEMPLATE = "robbieblocks_template"
_NUMBERS = itertools.count(1)


@dataclass
class Clusters:
    """A master's server and two nodes'; each has a database with our schema to copy."""

    master: Cluster
    nodes: tuple[Cluster, Cluster]

    def all(self) -> tuple[Cluster, ...]:
        """Every one."""
        return (self.master, *self.nodes)


@dataclass
class Place:
    """One database of a sync: on which server, and how programs reach it."""

    name: str
    cluster: Cluster
    dbname: str
    settings: Settings
    line: Proxy | None = None

    def connect(self) -> psycopg.Connection:
        """A connection of the owner that commits each statement."""
        return psycopg.connect(self.settings.database_url or "", autocommit=True)

    def value(self, query: str, *values: object) -> object:
        """The first value of a query's first row."""
        with self.connect() as connection:
            row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query."""
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    @property
    def installation(self) -> Installation:
        """What commands find in their environment."""
        return Installation(
            home=self.settings.home,
            database_url=self.settings.database_url,
            variables={"ROBBIEBLOCKS_SYNC_MASTER_URL": self.settings.sync.master or ""},
        )

    def by(self, transport: SyncTransport) -> None:
        """Have changes come to a node in this way, once its sync is started anew."""
        self.settings = replace(
            self.settings, sync=replace(self.settings.sync, transport=transport)
        )
        file = self.settings.home / "robbieblocks.toml"
        file.write_text(f'[sync]\ntransport = "{transport}"\n')

    def syncing(self, *, crash: str = "", prelude: str = "") -> Worker:
        """A `sync run` of this database; it is started by `running`."""
        return Worker(
            self.settings,
            self.name,
            command=("sync", "run"),
            crash=crash,
            prelude=_QUICK + prelude,
            # Its folder is the one with the project's file.
            cwd=self.settings.home,
            environment={"ROBBIEBLOCKS_SYNC_MASTER_URL": self.settings.sync.master or ""},
        )


@dataclass(eq=False)
class Thread:
    """A sync that runs as a thread of the test's process, and its log."""

    place: Place
    lines: list[dict[str, Any]] = field(default_factory=list)
    health: sync.SyncHealth | None = None

    def write(self, text: str) -> None:
        """Take what the log writes."""
        self.lines += [json.loads(line) for line in text.splitlines() if line]

    def flush(self) -> None:
        """There is nothing to flush."""

    def logged(self, event: str, **values: Any) -> list[dict[str, Any]]:
        """The lines so far with this event and these values."""
        found = list(self.lines)
        return [e for e in found if e["event"] == event and values.items() <= e.items()]

    def wait_for(self, event: str, **values: Any) -> None:
        """Wait until it has logged an event."""
        until(lambda: self.logged(event, **values), f"{event} {values} in {self.lines}")


@contextmanager
def syncing(*places: Place, interval_s: float = 0.5) -> Generator[list[Thread]]:
    """Syncs of databases, as a worker has them beside itself."""
    timing = sync.SyncTiming(interval_s=interval_s, poll_s=0.2, refused_s=0.2, reconnect_max_s=0.2)
    with ExitStack() as stack:
        found = [Thread(place) for place in places]
        for each in found:
            log = open_log("json", cast("TextIO", each))
            each.health = stack.enter_context(
                sync.beside(each.place.settings, each.place.name, log, timing=timing)
            )
        yield found


# What a person waits for in minutes is looked at in a moment.
_QUICK = """
from dataclasses import replace
from robbieblocks.sync import lifecycle
_usual = lifecycle.timing_of
def _quick(settings):
    return replace(_usual(settings), poll_s=0.3, refused_s=0.3, reconnect_max_s=0.3,
                   interval_s={interval_s})
lifecycle.timing_of = _quick
""".replace("{interval_s}", "2.0")


@dataclass
class Sync:
    """A master and its nodes."""

    master: Place
    nodes: list[Place] = field(default_factory=list)

    @property
    def places(self) -> list[Place]:
        """Every database."""
        return [self.master, *self.nodes]

    def until_sent(self, patience: float = 60.0) -> None:
        """Wait until no node has anything left to send."""
        query = "SELECT waiting FROM sync_outbox_state()"
        until(
            lambda: all(_quietly(node, query) == 0 for node in self.nodes),
            "the outboxes empty",
            patience,
        )

    def until_equal(self, table: str, columns: str = "*", patience: float = 60.0) -> None:
        """Wait until a table has equal rows everywhere."""
        query = f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM (SELECT {columns} FROM {table}) t"  # noqa: E501 -- ours
        until(
            lambda: len({_quietly(place, query) for place in self.places}) == 1,
            f"{table} equal everywhere",
            patience,
        )


def _quietly(place: Place, query: str) -> object:
    try:
        return place.value(query)
    except psycopg.OperationalError:
        return object()


@contextmanager
def started(
    folder: Path, *, master_version: int = clusters.EMBEDDED, **settings: str
) -> Generator[Clusters]:
    """Three clusters, each with a database that has our schema and the small site; `settings` come
    over those that tests have for servers.
    """
    with ExitStack() as stack:
        templates: dict[int, Path] = {}
        made: list[Cluster] = []
        for number, version in enumerate((master_version, clusters.EMBEDDED, clusters.EMBEDDED)):
            if version not in templates:
                templates[version] = stack.enter_context(clusters.made(version, folder))
            place = folder / f"cluster-{number}"
            place.mkdir()
            running = clusters.running(version, templates[version], place, **settings)
            made.append(stack.enter_context(running))
        for cluster in made:
            _prepare(cluster)
        yield Clusters(made[0], (made[1], made[2]))


def _make_for(owner: str, cluster: Cluster, dbname: str) -> None:
    """A database of a role that is no superuser."""
    role = Identifier(owner)
    with cluster.connect() as connection:
        there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (owner,)).fetchone()
        if there is not None:
            # Another test's in the same cluster, and its right to the parameter with it.
            connection.execute(SQL("DROP OWNED BY {}").format(role))
            connection.execute(SQL("DROP ROLE {}").format(role))
        connection.execute(SQL("CREATE ROLE {} LOGIN").format(role))
        connection.execute(SQL("CREATE DATABASE {} OWNER {}").format(Identifier(dbname), role))
        connection.execute(
            SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(role)
        )
    _fill(cluster, dbname, owner)


def _prepare(cluster: Cluster) -> None:
    with cluster.connect() as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(_TEMPLATE)))
    _fill(cluster, _TEMPLATE, "postgres")


def _fill(cluster: Cluster, dbname: str, owner: str) -> None:
    schema = Settings.from_environment().schema / "unified-schema" / "21-robbieblocks-cms.sql"
    with cluster.connect(dbname, owner) as connection:
        connection.execute("SET robbieblocks.demo = 'off'")
        connection.execute(schema.read_bytes())
        connection.execute(
            "INSERT INTO robbieblocks_node_branding "
            "(id, node_id, node_name, style_overrides, enabled_apps) "
            "SELECT md5(n)::uuid, n, n, '{}', '{play}' "
            "FROM unnest(%s::text[]) AS n ON CONFLICT DO NOTHING",
            [list(NODES)],
        )


@contextmanager
def synced(
    servers: Clusters,
    make_settings: Callable[..., Settings],
    *,
    count: int = 2,
    transports: tuple[SyncTransport, ...] = MIXED,
    join: bool = True,
    owner: str = "postgres",
) -> Generator[Sync]:
    """A master with the small site, and `count` nodes that have joined it through proxies.

    `transports` are how changes come down to each: of two nodes one subscribes, and one asks.
    The nodes' databases belong to `owner`, who is no superuser where he is not postgres.
    """
    number = next(_NUMBERS)
    with ExitStack() as stack:
        dbname = f"sync_{number}"
        master = stack.enter_context(_place("master", servers.master, dbname, make_settings))
        with master.connect() as connection:
            fill(connection, ("play",))
            sync.init_master(master.settings, connection, "master")
        found = Sync(master)
        each = zip(NODES[:count], servers.nodes, transports, strict=False)
        for name, cluster, transport in each:
            place = stack.enter_context(_place(name, cluster, dbname, make_settings, owner))
            with master.connect() as connection:
                admitted = sync.admit(connection, name, role=f"sync_{name}")
            place.line = stack.enter_context(proxy.proxied(servers.master.port))
            place.settings = replace(
                place.settings,
                sync=SyncSettings(
                    master=servers.master.conninfo(dbname, admitted.role, place.line.port),
                ),
            )
            place.by(transport)
            found.nodes.append(place)
            if join:
                with place.connect() as connection:
                    sync.join(
                        place.settings,
                        connection,
                        name,
                        log=open_log("json", sys.stderr),
                        progress=lambda _: None,
                    )
        yield found


@contextmanager
def neighbour(
    servers: Clusters, found: Sync, make_settings: Callable[..., Settings]
) -> Generator[Place]:
    """A node that was admitted, whose database is in the master's own server."""
    name, dbname = NODES[0], f"{found.master.dbname}_beside"
    with _place(name, servers.master, dbname, make_settings) as place:
        with found.master.connect() as connection:
            role = sync.admit(connection, name, role=f"sync_{name}").role
        master = servers.master.conninfo(found.master.dbname, role)
        place.settings = replace(place.settings, sync=SyncSettings(master=master))
        yield place


@contextmanager
def _place(
    name: str,
    cluster: Cluster,
    dbname: str,
    make_settings: Callable[..., Settings],
    owner: str = "postgres",
) -> Generator[Place]:
    if owner == "postgres":
        with cluster.connect() as connection:
            connection.execute(
                SQL("CREATE DATABASE {} TEMPLATE {}").format(
                    Identifier(dbname), Identifier(_TEMPLATE)
                )
            )
    else:
        _make_for(owner, cluster, dbname)
    settings = make_settings(cluster.conninfo(dbname, owner))
    home = settings.home.parent / f"installation-{name}"
    home.mkdir(parents=True)
    settings = replace(settings, home=home, site_root=home / "site")
    try:
        yield Place(name, cluster, dbname, settings)
    finally:
        drop(cluster, dbname)


@contextmanager
def copied(place: Place) -> Generator[Place]:
    """A copy of a node's database, as it is restored from a backup beside it."""
    dbname = f"{place.dbname}_copy"
    statement = SQL("CREATE DATABASE {} TEMPLATE {}").format(
        Identifier(dbname), Identifier(place.dbname)
    )

    def made() -> bool:
        # A session of the one that is copied goes in its own time.
        with place.cluster.connect() as connection, suppress(psycopg.errors.ObjectInUse):
            connection.execute(statement)
            return True
        return False

    until(made, "the database copied")
    home = place.settings.home.with_name("copy")
    home.mkdir()
    address = place.cluster.conninfo(dbname)
    settings = replace(place.settings, home=home, site_root=home / "site", database_url=address)
    try:
        yield Place(place.name, place.cluster, dbname, settings, place.line)
    finally:
        drop(place.cluster, dbname)


def drop(cluster: Cluster, dbname: str) -> None:
    """Drop a database with what belongs to its part in a sync."""
    with suppress(psycopg.OperationalError), cluster.connect(dbname) as connection:
        for (name,) in connection.execute(
            "SELECT subname FROM pg_subscription WHERE subdbid = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall():
            for action in ("DISABLE", "SET (slot_name = NONE)"):
                connection.execute(
                    SQL("ALTER SUBSCRIPTION {} ").format(Identifier(name)) + SQL(action)
                )
            connection.execute(SQL("DROP SUBSCRIPTION {}").format(Identifier(name)))
    with cluster.connect() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots "
            "WHERE database = %s AND active",
            [dbname],
        )
        drop = (
            "SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots "
            "WHERE database = %s AND NOT active"
        )
        left = "SELECT count(*) FROM pg_replication_slots WHERE database = %s"

        def dropped() -> bool:
            connection.execute(drop.encode(), [dbname])
            return connection.execute(left.encode(), [dbname]).fetchone() == (0,)

        until(dropped, "slots dropped")
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(dbname)))
