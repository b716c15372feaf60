"""The unified schema: how long it takes to apply, and what its queries, policies and audit cost."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any, Final, LiteralString

import psycopg
from psycopg.conninfo import make_conninfo

from benchmarks import machine
from benchmarks.scenarios import Bench
from benchmarks.targets import Result
from robbieblocks.database import embedded, schema
from tools.fill_schema import fill

_REPEATS: Final = 20
_NEAREST: Final = 10
# What pages ask for again and again. Without row level security the town is a condition.
_QUERIES: Final[dict[str, tuple[LiteralString, LiteralString]]] = {
    "the newest 50 messages of a conversation": (
        "SELECT * FROM messages WHERE conversation_id = (SELECT id FROM busy) {}"
        " ORDER BY created_at DESC LIMIT 50",
        "AND town_id = (SELECT uid FROM busy)",
    ),
    "a company's contacts": (
        "SELECT * FROM contacts WHERE company_id = (SELECT company FROM busy) {}",
        "AND town_id = (SELECT uid FROM busy)",
    ),
    "a town's deals by stage": (
        "SELECT dealstage, count(*), sum(amount) FROM deals WHERE NOT is_closed {} GROUP BY 1",
        "AND town_id = (SELECT uid FROM busy)",
    ),
    "a town's rows of a large table, counted": (
        "SELECT count(*) FROM interactions WHERE true {}",
        "AND town_id = (SELECT uid FROM busy)",
    ),
}
_BUSY: Final = """
    SET app.town = '*';
    CREATE TABLE busy AS
    SELECT t.uid, (SELECT conversation_id AS id FROM messages m WHERE m.town_id = t.uid
                    GROUP BY 1 ORDER BY count(*) DESC LIMIT 1),
           (SELECT company_id AS company FROM contacts c WHERE c.town_id = t.uid
             GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)
      FROM towns t WHERE name = 'aurora';
    CREATE ROLE bench_town;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO bench_town;
"""
# Embeddings near the middle of fifty topics; the number of a row is its random part.
_EMBED: Final = """
    SET app.town = '*';
    WITH chosen AS (SELECT id, row_number() OVER (ORDER BY id) AS i FROM embeddings LIMIT %s)
    UPDATE embeddings e SET embedding = (
           SELECT array_agg(sin((i %% 50 + 1) * d)
                            + (hashint8extended(i * 1536 + d, 1) & 65535) / 32768.0 - 1)::vector
             FROM generate_series(1, 1536) AS d)
      FROM chosen WHERE chosen.id = e.id
"""
_NEARBY: Final = """
    SELECT array_agg(id) FROM (SELECT id FROM embeddings
     WHERE embedding IS NOT NULL ORDER BY embedding <=> %s::vector LIMIT 10) AS nearest
"""
_AUDITED: Final = "UPDATE companies SET name = name || ' ' WHERE id = %s"


def unified_schema(bench: Bench) -> None:
    """A full init, one that changes nothing, and a filled database's queries, search and writes."""
    pace = [machine.pace()]
    made: list[float] = []
    again: list[float] = []
    for number in bench.rounds(3, 5):
        with _empty(bench, f"init_{number}") as owner:
            made.append(_timed(partial(schema.apply, owner, unified=True)))
            again.append(_timed(partial(schema.apply, owner, unified=True)))
        pace.append(machine.pace())
    bench.add(Result.of("schema-init", made, median(pace)))
    bench.add(Result.of("schema-again", again, median(pace)))
    with _empty(bench, "filled") as owner:
        schema.apply(owner, unified=True)
        bench.details["unified"] = _costs(bench, owner)


def _costs(bench: Bench, owner: psycopg.Connection) -> list[dict[str, Any]]:
    asked = 20_000 if bench.quick else 200_000
    began = time.perf_counter()
    rows = sum(fill(owner, asked, vectors=0).values())
    seconds = time.perf_counter() - began
    found = [{"what": f"{rows:,} rows made", "with": f"{seconds:.1f} s", "without": ""}]
    administrator = make_conninfo(owner.info.dsn, user="postgres")
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute(_BUSY)
        connection.execute("ANALYZE")
        found += [_policy_cost(connection, what) for what in _QUERIES]
        found.append(_search(connection, 1_000 if bench.quick else 5_000))
        found.append(_audit_cost(connection))
        connection.execute("DROP OWNED BY bench_town; DROP ROLE bench_town")
    for row in found:
        bench.say(f"  {row['what']}: {row['with']} {row['without']}")
    return found


def _policy_cost(connection: psycopg.Connection, what: str) -> dict[str, Any]:
    """A query of a town's session, and the same as the administrator, whom no policy binds."""
    query, condition = _QUERIES[what]
    times: list[float] = []
    for role, part in (("bench_town", ""), ("postgres", condition)):
        connection.execute(f"SET ROLE {role}; SET app.town = 'aurora'".encode())
        times.append(_median(partial(_ask, connection, query.replace("{}", part))))
        connection.execute("RESET ROLE")
    return {"what": what, "with": f"{times[0]:.2f} ms", "without": f"{times[1]:.2f} ms"}


def _search(connection: psycopg.Connection, size: int) -> dict[str, Any]:
    """The ten nearest by the index and exactly: times, and how many of the exact were found."""
    connection.execute(_EMBED.replace("%s", str(size)).replace("%%", "%").encode())
    wanted = connection.execute(
        "SELECT embedding::text FROM embeddings WHERE embedding IS NOT NULL ORDER BY id LIMIT 20"
    ).fetchall()
    sets: list[list[set[Any]]] = []
    times: list[float] = []
    for avoided in (b"enable_seqscan", b"enable_indexscan"):
        connection.execute(b"SET " + avoided + b" = off")
        took: list[float] = []
        ids: list[set[Any]] = []
        for (vector,) in wanted:
            began = time.perf_counter()
            row = connection.execute(_NEARBY, [vector]).fetchone()
            took.append((time.perf_counter() - began) * 1000)
            ids.append({*row[0]} if row else set())
        sets.append(ids)
        times.append(median(took))
        connection.execute(b"RESET " + avoided)
    hits = sum(len(near & exact) for near, exact in zip(*sets, strict=True))
    recall = hits / (len(wanted) * _NEAREST) * 100
    what = f"the 10 nearest of {size:,} embeddings, recall {recall:.0f}%; without the index"
    return {"what": what, "with": f"{times[0]:.2f} ms", "without": f"{times[1]:.2f} ms"}


def _audit_cost(connection: psycopg.Connection) -> dict[str, Any]:
    """One row's update with the audit's trigger and without, rolled back."""
    times: list[float] = []
    for audited in (True, False):
        with connection.transaction(force_rollback=True):
            if not audited:
                connection.execute("ALTER TABLE companies DISABLE TRIGGER audit_change")
            connection.execute("SET LOCAL app.town = '*'")
            row = connection.execute("SELECT min(id) FROM companies").fetchone()
            times.append(_median(partial(connection.execute, _AUDITED, row)))
    what = "one row's update, with the audit and without"
    return {"what": what, "with": f"{times[0]:.2f} ms", "without": f"{times[1]:.2f} ms"}


@contextmanager
def _empty(bench: Bench, name: str) -> Generator[psycopg.Connection]:
    """An owner's connection to an empty database that has pgvector."""
    with psycopg.connect(
        make_conninfo(bench.ground.conninfo, user="postgres"), autocommit=True
    ) as administrator:
        administrator.execute(f"CREATE DATABASE {name} OWNER robbieblocks".encode())
        conninfo = make_conninfo(bench.ground.conninfo, dbname=name)
        try:
            embedded.install_extension(conninfo, "vector")
            with psycopg.connect(conninfo, autocommit=True) as owner:
                yield owner
        finally:
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _ask(connection: psycopg.Connection, query: str) -> None:
    connection.execute(query.encode()).fetchall()


def _median(work: Callable[[], object]) -> float:
    return median(_timed(work) for _ in range(_REPEATS))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000
