"""The editor's side: what change capture adds to statements, and a queue of a million rows."""

from __future__ import annotations

import time
from statistics import median
from typing import Any, Final

import psycopg

from benchmarks.apps import Size
from benchmarks.scenarios import Bench
from robbieblocks import changes, snapshot

_ROUNDS: Final = 5
_TABLES: Final = ("robbieblocks_pages", "robbieblocks_page_blocks", "robbieblocks_components")
# Statements that editors run, from one row to ten thousand, with and without the triggers.
_STATEMENTS: Final = {
    "one block's props": "UPDATE robbieblocks_page_blocks SET props = props || "
    "jsonb_build_object('count', (random() * 1e9)::int) "
    "WHERE id = (SELECT id FROM robbieblocks_page_blocks LIMIT 1)",
    "100 blocks' props": "UPDATE robbieblocks_page_blocks SET props = props || "
    "jsonb_build_object('count', (random() * 1e9)::int) "
    "WHERE id IN (SELECT id FROM robbieblocks_page_blocks LIMIT 100)",
    "10,000 blocks' props": "UPDATE robbieblocks_page_blocks SET props = props || "
    "jsonb_build_object('count', (random() * 1e9)::int) "
    "WHERE id IN (SELECT id FROM robbieblocks_page_blocks LIMIT 10000)",
    "one component's code": "UPDATE robbieblocks_components SET react_code = react_code || ' ' "
    "WHERE component_key = 'part-0001'",
    "1,000 pages' names": "UPDATE robbieblocks_pages SET page_name = page_name || ' '"
    " WHERE id IN (SELECT id FROM robbieblocks_pages LIMIT 1000)",
}


def capture(bench: Bench) -> list[dict[str, Any]]:
    """Milliseconds of each statement with change capture and without, rolled back each time."""
    rows = []
    with bench.ground.site(Size(pages=1_500, components=200)) as site, site.connect() as connection:
        for what, statement in _STATEMENTS.items():
            times: dict[bool, list[float]] = {True: [], False: []}
            for _ in range(_ROUNDS + 1):
                for captured in (True, False):
                    times[captured].append(_timed(connection, statement, captured))
            with_it, without = (median(times[kept][1:]) for kept in (True, False))
            rows.append({"statement": what, "with_ms": with_it, "without_ms": without})
            bench.say(f"  {what}: {with_it:.2f} ms with change capture, {without:.2f} ms without")
    return rows


def _timed(connection: psycopg.Connection, statement: str, captured: bool) -> float:
    cursor = connection.cursor()
    if not captured:
        for table in _TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    began = time.perf_counter()
    cursor.execute(statement)
    took = (time.perf_counter() - began) * 1000
    connection.rollback()
    return took


def queue(bench: Bench, processed: int = 1_000_000) -> dict[str, Any]:
    """Looking at the queue and acknowledging, with a million rows that are processed."""
    found: dict[str, Any] = {"processed_rows": processed}
    with bench.ground.site(Size(pages=10, components=12)) as site, site.connect() as connection:
        for label, rows in (("empty", 0), ("full", processed)):
            connection.execute(_FILL, (rows,))
            connection.commit()
            connection.autocommit = True
            connection.execute("VACUUM ANALYZE robbieblocks_change_triggers")
            look, answer = [], []
            for number in range(20):
                connection.execute(
                    "UPDATE robbieblocks_pages SET page_name = %s WHERE page_key = 'page-00003'",
                    (f"{label} {number}",),
                )
                began = time.perf_counter()
                waiting = snapshot.triggers(connection, nodes=["node-000"])
                look.append((time.perf_counter() - began) * 1000)
                began = time.perf_counter()
                changes.acknowledge(connection, "node-000", [row.id for row in waiting])
                answer.append((time.perf_counter() - began) * 1000)
            connection.autocommit = False
            found |= {f"look_{label}_ms": median(look), f"acknowledge_{label}_ms": median(answer)}
        size = connection.execute(
            "SELECT pg_total_relation_size('robbieblocks_change_triggers') / 1e6"
        ).fetchone()
        found["size_mb"] = float(size[0]) if size else 0.0
    bench.say("  " + ", ".join(f"{name} {value:,.2f}" for name, value in found.items()))
    return found


# Rows that were handled over the last year.
_FILL: Final = """
    INSERT INTO robbieblocks_change_triggers
           (trigger_type, entity_type, entity_id, affected_apps, created_at, processed_at)
    SELECT 'page_update', 'page', gen_random_uuid(), '{bench}',
           now() - n * interval '30 seconds', now() - n * interval '30 seconds'
      FROM generate_series(1, %s) AS n
"""
