"""What a run of the benchmarks says: a table for people, JSON for machines, and the budget."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.targets import BY_ID, Result, figure

BUDGET: Final = Path(__file__).resolve().parent / "budget.json"
# A row is worse when it costs this much more than the budget, the machine's speed taken out.
TOLERANCE: Final = 1.5
_HEAD: Final = ("what", "to reach", "median", "spread", "of it", "reached")


def table(results: Sequence[Result]) -> str:
    """The rows, aligned; below them what each was compared with."""
    rows = [_HEAD, *(_row(result) for result in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    notes = [f"{result.target.what}: {result.note}" for result in results if result.note]
    return "\n".join([*lines, "", *notes])


def _row(result: Result) -> tuple[str, ...]:
    target = result.target
    spread = f"{figure(min(result.runs), target.unit)} to {figure(max(result.runs), target.unit)}"
    return (
        target.what,
        target.text,
        figure(result.value, target.unit),
        spread,
        f"{result.value / target.bound:.2f}",
        "yes" if result.reached else "NO",
    )


def as_json(
    results: Sequence[Result], machine: Mapping[str, Any], date: str, details: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that was measured, with the machine and the date."""
    return {
        "version": 1,
        "date": date,
        "machine": dict(machine),
        "results": [result.as_json() for result in results],
        "details": dict(details),
    }


def joined(before: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """A run of some parts, with what an earlier run on the same machine and day has of the others.

    Of another machine or day nothing is taken: their figures don't belong beside these.
    """
    same = ("processor", "processors", "python")
    if (
        before.get("quick") != measured.get("quick")
        or before["date"][:10] != measured["date"][:10]
        or any(before["machine"][name] != measured["machine"][name] for name in same)
    ):
        return dict(measured)
    results = {row["id"]: row for row in (*before["results"], *measured["results"])}
    return {
        **measured,
        "results": [results[name] for name in BY_ID if name in results],
        "details": {**before["details"], **measured["details"]},
    }


def budget_of(measured: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a run's JSON that later runs are held against."""
    kept = ("id", "unit", "value", "machine_ms")
    return {
        "date": measured["date"],
        "machine": measured["machine"],
        "results": [{name: row[name] for name in kept} for row in measured["results"]],
    }


def regressions(results: Sequence[Result], budget: Mapping[str, Any]) -> list[str]:
    """What became worse than the budget by more than the tolerance.

    Times are compared as multiples of the fixed piece of work that was timed beside them, so that
    another machine, or a busy one, is no regression. Shares, counts and sizes are taken as they
    are.
    """
    said = []
    before = {row["id"]: row for row in budget["results"]}
    for result in results:
        row = before.get(result.id)
        if row is None:
            continue
        factor = _factor(result, row)
        if factor > TOLERANCE:
            unit = BY_ID[result.id].unit
            said.append(
                f"{result.target.what}: {figure(result.value, unit)}, was "
                f"{figure(row['value'], unit)}: {factor:.1f} times worse on a machine of one speed"
            )
    return said


def _factor(result: Result, row: Mapping[str, Any]) -> float:
    now, then = result.value, float(row["value"])
    if result.target.unit == "ms":
        now, then = now / result.machine, then / float(row["machine_ms"])
    if result.target.least:
        now, then = then, now
    # A share of nothing can't grow by a factor: what is within the target is good enough.
    if result.reached and result.target.unit in ("%", "builds", "MB"):
        return 1.0
    return now / then if then else float("inf")


def write(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON that is pleasant to compare."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
