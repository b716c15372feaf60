"""Why the master publishes a log and not its tables: what either makes of edits that meet.

Two servers of one version. "Tables" is logical replication of the tables themselves, with triggers
on the node that let no older row in, make an update of an insert whose row is there, and make room
for a unique key; "whole rows" is the same with REPLICA IDENTITY FULL. "Log" is this project's sync.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final, Literal

import psycopg
from psycopg.sql import SQL, Identifier
from psycopg.sql import Literal as Quoted

from benchmarks.scenarios import Bench
from robbieblocks.settings import Settings
from tests import sync_sites
from tests.clusters import Cluster
from tests.sync_sites import Clusters
from tests.workers import edit, fill, until

Way = Literal["tables", "tables with whole rows", "log"]
WAYS: Final[tuple[Way, ...]] = ("tables", "tables with whole rows", "log")
_ROWS: Final = 100
_EDITS: Final = 200
_PATIENCE_S: Final = 15.0
_TABLES: Final = (
    "robbieblocks_pages",
    "robbieblocks_components",
    "robbieblocks_page_blocks",
    "robbieblocks_style_tokens",
    "robbieblocks_node_branding",
    "robbieblocks_change_triggers",
)
# What the node's triggers can do: they run before each row that arrives, and see its old and new.
_GUARD: Final = """
    CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
    DECLARE
        here record;
    BEGIN
        EXECUTE format('SELECT * FROM %I WHERE id = $1', TG_TABLE_NAME) INTO here USING NEW.id;
        IF here.id IS NULL THEN
            IF TG_TABLE_NAME = 'robbieblocks_pages' THEN
                EXECUTE 'DELETE FROM robbieblocks_pages WHERE page_key = $1.page_key' USING NEW;
            END IF;
            RETURN NEW;
        ELSIF here.updated_at > NEW.updated_at THEN
            RETURN NULL;
        ELSIF TG_OP = 'INSERT' THEN
            EXECUTE format('DELETE FROM %I WHERE id = $1', TG_TABLE_NAME) USING NEW.id;
        END IF;
        RETURN NEW;
    END $$
"""
# Components whose code is too long to lie in the row, and pages.
_COMPONENTS: Final = """
    INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code,
                                         props_schema)
    SELECT 'c' || c, 'C', 'text',
           (SELECT string_agg(md5(n::text || c::text), '') FROM generate_series(1, 400) AS n), '{}'
      FROM generate_series(1, %s) AS c
"""
_PAGES: Final = """
    INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template)
    SELECT %(prefix)s || '-' || n, 'play', 'P', '/' || %(prefix)s || '-' || n, 'default'
      FROM generate_series(1, %(rows)s) AS n
"""


@dataclass
class Pair:
    """A master and a node, and how the line between them is cut and mended."""

    master: psycopg.Connection
    node: psycopg.Connection
    cut: Callable[[], None]
    mend: Callable[[], None]


def published_tables(bench: Bench) -> list[dict[str, Any]]:
    """Of 100 rows each, how many differ on the node once all has arrived; and what an edit costs.

    Both servers and this program share the machine.
    """
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="published-") as name:
        folder = Path(name)
        # Postgres runs as an account of its own where this program is root.
        folder.chmod(0o711)
        with sync_sites.started(folder) as servers:
            for way in WAYS:
                with _pair(way, servers, folder / way.replace(" ", "-")) as pair:
                    for what, value in {**_meetings(pair), **_costs(pair)}.items():
                        rows.append({"way": way, "what": what, "value": value})
                        bench.say(f"  {way}: {what}: {value:,.2f}")
    return rows


def _meetings(pair: Pair) -> dict[str, float]:
    """What becomes of edits on both sides of a cut line, of which the master's is the later one."""
    with pair.master.transaction():
        pair.master.execute(_COMPONENTS, [_ROWS])
        pair.master.execute(_PAGES, {"prefix": "p", "rows": _ROWS})
    _arrive(pair)
    pair.cut()
    pair.node.execute("UPDATE robbieblocks_components SET react_code = 'short'")
    pair.node.execute("DELETE FROM robbieblocks_pages WHERE page_key LIKE 'p-%'")
    pair.node.execute(_PAGES, {"prefix": "k", "rows": _ROWS})
    pair.master.execute("UPDATE robbieblocks_components SET component_name = 'later'")
    pair.master.execute("UPDATE robbieblocks_pages SET page_name = 'later' WHERE page_key ~ '^p-'")
    pair.master.execute(_PAGES, {"prefix": "k", "rows": _ROWS})
    pair.mend()
    has_arrived = _arrive(pair)
    mixed = "SELECT id, react_code, component_name FROM robbieblocks_components"
    pages = "SELECT id, page_name FROM robbieblocks_pages WHERE page_key ~ %s"
    return {
        "a large value edited on the node, another column later": _differ(pair, mixed),
        "deleted on the node, changed later": _differ(pair, pages, "^p-"),
        "a key that both took": _differ(pair, pages, "^k-"),
        "the way down goes on": float(has_arrived),
    }


def _costs(pair: Pair) -> dict[str, float]:
    writes: list[float] = []
    heard: list[float] = []
    with psycopg.connect(pair.node.info.dsn, autocommit=True) as listener:
        listener.execute("LISTEN robbieblocks_change")
        before = _lsn(pair.master)
        for number in range(_EDITS):
            began = time.perf_counter()
            edit(pair.master, "play", number + 1)
            writes.append((time.perf_counter() - began) * 1000)
            began = time.perf_counter()
            if list(listener.notifies(timeout=2, stop_after=1)):
                heard.append((time.perf_counter() - began) * 1000)
            for _ in listener.notifies(timeout=0.02):
                pass
        written = _lsn(pair.master) - before
    return {
        "ms of a write": median(writes),
        "ms from commit to notification": median(heard) if heard else float("nan"),
        "bytes of WAL an edit": written / _EDITS,
    }


def _lsn(connection: psycopg.Connection) -> float:
    row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    return float(row[0]) if row else 0.0


def _differ(pair: Pair, query: str, *values: str) -> float:
    """How many rows of the master the node has otherwise, or not at all."""
    there, here = (
        set(each.execute(query.encode(), values or None).fetchall())
        for each in (pair.master, pair.node)
    )
    return float(len(there - here))


def _arrive(pair: Pair) -> bool:
    """Wait until what the master has said by now has arrived; whether it has."""
    mark = f"mark-{time.monotonic_ns()}"
    pair.master.execute(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) "
        "VALUES (%s, 'color', 'red')",
        [mark],
    )
    found = "SELECT 1 FROM robbieblocks_style_tokens WHERE token_key = %s"
    with suppress(AssertionError):
        until(lambda: pair.node.execute(found, [mark]).fetchone(), "it arrives", _PATIENCE_S)
        return True
    return False


@contextmanager
def _pair(way: Way, servers: Clusters, folder: Path) -> Iterator[Pair]:
    if way != "log":
        with _replicated(servers, whole=way != "tables") as pair:
            yield pair
        return

    def settings(database_url: str) -> Settings:
        made = Settings.from_environment(database_url=database_url)
        return replace(made, home=folder / "installation", cache=folder / "cache")

    with (
        sync_sites.synced(servers, settings, count=1, transports=("stream",)) as found,
        sync_sites.syncing(*found.nodes, interval_s=300) as (process,),
        found.master.connect() as master,
        found.nodes[0].connect() as node,
    ):
        process.wait_for("sync.state", state="active")
        line = found.nodes[0].line
        if line is None:
            raise AssertionError("the node has a line")
        yield Pair(master, node, line.cut, line.mend)


@contextmanager
def _replicated(servers: Clusters, *, whole: bool) -> Iterator[Pair]:
    name = f"tables_{int(whole)}"
    with ExitStack() as stack:
        master, node = (
            stack.enter_context(_database(cluster, name))
            for cluster in (servers.master, servers.nodes[0])
        )
        fill(master, ("play",))
        # The node begins with the same rows.
        node.execute("TRUNCATE robbieblocks_node_branding")
        for table in _TABLES if whole else ():
            master.execute(SQL("ALTER TABLE {} REPLICA IDENTITY FULL").format(Identifier(table)))
        master.execute(
            SQL("CREATE PUBLICATION p FOR TABLE {}").format(
                SQL(", ").join(map(Identifier, _TABLES))
            )
        )
        node.execute(_GUARD)
        for table in _TABLES[:-1]:
            node.execute(
                SQL(
                    "CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON {0} FOR EACH ROW "
                    "EXECUTE FUNCTION guard(); ALTER TABLE {0} ENABLE REPLICA TRIGGER guard"
                ).format(Identifier(table))
            )
        node.execute(
            SQL("CREATE SUBSCRIPTION {} CONNECTION {} PUBLICATION p").format(
                Identifier(name), Quoted(servers.master.conninfo(name))
            )
        )
        ready = "SELECT count(*) FROM pg_subscription_rel WHERE srsubstate <> 'r'"
        until(lambda: node.execute(ready).fetchone() == (0,), "the first copy")

        def altered(how: str) -> Callable[[], None]:
            statement = f"ALTER SUBSCRIPTION {name} {how}".encode()

            def alter() -> None:
                node.execute(statement)

            return alter

        try:
            yield Pair(master, node, altered("DISABLE"), altered("ENABLE"))
        finally:
            node.execute(SQL("DROP SUBSCRIPTION {}").format(Identifier(name)))


@contextmanager
def _database(cluster: Cluster, name: str) -> Iterator[psycopg.Connection]:
    with cluster.connect() as connection:
        connection.execute(
            SQL("CREATE DATABASE {} TEMPLATE robbieblocks_template").format(Identifier(name))
        )
    with cluster.connect(name) as connection:
        yield connection
