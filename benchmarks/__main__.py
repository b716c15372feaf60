"""`python -m benchmarks [--quick] [--check] [--keep-budget] [--only SCENARIO]...`."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks import database_side, growth, machine, performance_page, plot, report, scenarios
from benchmarks.content import content
from benchmarks.databases_in_step import databases_in_step
from benchmarks.fleet import fleet
from benchmarks.fleet_of_workers import fleet_of_workers
from benchmarks.lighthouse import lighthouse
from benchmarks.processes import ROOT, FailedError
from benchmarks.published_tables import published_tables
from benchmarks.scenarios import Bench
from benchmarks.sites import ground
from benchmarks.targets import BY_ID
from benchmarks.unified_schema import unified_schema
from benchmarks.visitor import visitor
from robbieblocks import toolchain
from robbieblocks.settings import Settings

IMAGES = ROOT / "docs" / "images"
LINES = {
    "full": "full build",
    "one component": "component edit",
    "one page": "page edit",
    "one token": "token edit",
    "one branding": "branding edit",
    "vite": "Vite 8, full",
    "astro": "Astro 7, full",
}


def main() -> int:
    """Measure, print the table, keep JSON and drawings. 1: a row became worse (--check)."""
    asked = _asked()
    # As Ctrl-C does: servers are stopped and folders removed on the way out.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _say(f"measuring on {machine.describe()['processor']}, load {os.getloadavg()[0]:.1f}")
    toolchain.ensure(Settings.from_environment(), _say)
    began = time.monotonic()
    about = machine.describe()
    with ground() as place:
        bench = Bench(ground=place, quick=asked.quick, say=_say)
        own = scenarios.QUICK if asked.quick else scenarios.FULL
        for scenario in (*own, content, unified_schema, visitor):
            if not asked.only or scenario.__name__ in asked.only:
                _timed(bench, scenario.__name__.replace("_", " "), partial(scenario, bench))
        if not asked.quick:
            _details(bench, asked.only)
        # Before the folders go: removing 10,000 pages takes minutes on a slow disk.
        about["load at the end"] = round(os.getloadavg()[0], 2)
        measured = report.as_json(
            bench.results, about, datetime.now(UTC).isoformat(timespec="seconds"), bench.details
        )
        measured["quick"] = asked.quick
        if asked.only and asked.out.exists():
            measured = report.joined(json.loads(asked.out.read_text()), measured)
        absent = {*performance_page.HEADLINES} - {row["id"] for row in measured["results"]}
        if asked.keep_budget and absent:
            lacking = ", ".join(sorted(absent))
            _say(f"README.md and docs/ stay, since {lacking} were not measured today")
            bench.failures.append("what README tells")
        _keep(bench, measured, asked.out, keep_budget=asked.keep_budget and not absent)
    print(report.table(bench.results))
    _say(f"took {time.monotonic() - began:.0f} s")
    worse = report.regressions(bench.results, json.loads(report.BUDGET.read_text()))
    for line in worse:
        _say(f"worse than the budget: {line}")
    if bench.failures:
        _say(f"not measured: {', '.join(bench.failures)}")
        return 2
    return 1 if worse and asked.check else 0


def _asked(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        default=os.environ.get("QUICK", "") not in ("", "0"),
        help="the short form, about three minutes; also by QUICK=1",
    )
    parser.add_argument(
        "--check", action="store_true", help="fail where a row is worse than budget.json"
    )
    parser.add_argument(
        "--keep-budget",
        action="store_true",
        help="make what was measured the new budget, and the figures of README.md and docs/",
    )
    parser.add_argument(
        "--only",
        action="append",
        help="some scenarios alone, by their functions' names: their figures join the last run's, "
        "if that was on the same machine and day",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=ROOT / ".robbieblocks" / "bench.json",
        help="where the JSON goes (default: %(default)s)",
    )
    return parser.parse_args(arguments)


def _details(bench: Bench, only: Sequence[str] | None) -> None:
    """What the full form adds to the table: growth, and the editor's side."""
    parts: dict[str, Callable[[Bench], Any]] = {
        "growth_by_pages": growth.by_pages,
        "growth_by_nodes": growth.by_nodes,
        "capture": database_side.capture,
        "queue": database_side.queue,
        "databases_in_step": databases_in_step,
        "fleet": fleet,
        "fleet_of_workers": fleet_of_workers,
        "published_tables": published_tables,
        "lighthouse": lighthouse,
    }
    for name, part in parts.items():
        if not only or name in only:
            _timed(bench, name.replace("_", " "), partial(_into, bench, name, part))


def _into(bench: Bench, key: str, part: Callable[[Bench], Any]) -> None:
    bench.details[key] = part(bench)


def _timed(bench: Bench, what: str, work: Callable[[], None]) -> None:
    """Do one part; what fails is said and told by the exit status, and the others are measured."""
    _say(f"{what} ...")
    began = time.monotonic()
    try:
        work()
    except (FailedError, psycopg.Error) as error:
        bench.failures.append(what)
        _say(f"{what} FAILED: {error}")
    _say(f"{what}: {time.monotonic() - began:.0f} s")


def _keep(bench: Bench, measured: dict[str, Any], out: Path, *, keep_budget: bool) -> None:
    report.write(out, measured)
    if keep_budget:
        report.write(report.BUDGET, report.budget_of(measured))
        performance_page.write(measured)
    if bench.quick and not keep_budget:
        return
    IMAGES.mkdir(parents=True, exist_ok=True)
    ratio = next((row.value for row in bench.results if row.id == "vite"), None)
    if bench.live and ratio:
        targets = (BY_ID["live-p50"].bound, BY_ID["live-p95"].bound)
        drawing = plot.distribution(bench.live, ratio * median(bench.live), targets)
        (IMAGES / "bench-live.svg").write_text(drawing)
    if "growth_by_pages" in bench.details:
        (IMAGES / "bench-growth.svg").write_text(
            plot.growth(bench.details["growth_by_pages"], LINES)
        )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
