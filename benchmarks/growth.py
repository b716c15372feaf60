"""How costs grow: with pages, with nodes, and for each kind of edit; and the peers' full builds."""

from __future__ import annotations

from statistics import median
from typing import Any, Final

from benchmarks import edits, machine, peers
from benchmarks.apps import Size
from benchmarks.scenarios import Bench

PAGES: Final = (10, 100, 1_000, 10_000)
NODES: Final = (1, 10, 100)
_ROUNDS: Final = 5
_COMPONENTS: Final = 200


def by_pages(bench: Bench) -> list[dict[str, Any]]:
    """Full builds and edits of apps that grow; peers where they end within minutes."""
    rows = []
    for pages in PAGES:
        size = Size(pages=pages, components=min(_COMPONENTS, pages + 2))
        row: dict[str, Any] = {"pages": pages, "machine_ms": machine.pace()}
        with bench.ground.site(size) as site:
            runs = []
            for _ in range(1 if pages == PAGES[-1] else 3):
                site.clear()
                runs.append(site.build(timeout=600))
            row["full"] = median(run.wall for run in runs)
            row["peak_mb"] = max(run.peak for run in runs)
            row["again"] = site.build(timeout=600).wall
            with site.worker() as worker:
                for name, edit in edits.EDITS.items():
                    worker.until_live(edit)
                    row[name] = median(worker.until_live(edit) for _ in range(_ROUNDS))
        if pages <= 1_000:
            for name in peers.VERSIONS:
                peer = peers.prepare(name, size, bench.ground.folder / f"{name}-{pages}-growth")
                row[name] = median(peer.build().wall for _ in range(2))
        bench.say("  " + ", ".join(f"{key} {value:,.0f}" for key, value in row.items()))
        rows.append(row)
    return rows


def by_nodes(bench: Bench) -> list[dict[str, Any]]:
    """An app of 100 pages on more and more nodes: whole builds after each kind of edit."""
    rows = []
    for count in NODES:
        row: dict[str, Any] = {"nodes": count, "machine_ms": machine.pace()}
        with bench.ground.site(Size(pages=100, components=102, nodes=count)) as site:
            first = site.build(timeout=600)
            row["full"], row["peak_mb"] = first.wall, first.peak
            row["again"] = site.build(timeout=600).wall
            for name, edit in edits.EDITS.items():
                with site.connect() as connection:
                    edit(connection)
                row[name] = site.build(timeout=600).wall
        bench.say("  " + ", ".join(f"{key} {value:,.0f}" for key, value in row.items()))
        rows.append(row)
    return rows
