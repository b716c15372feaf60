"""What is to be reached: one target a row, and how a figure is held against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """A row: what is done, what is to be reached, and the bound of its figure in `unit`.

    `least` turns the bound round: the figure must be at least that.
    """

    id: str
    what: str
    bound: float
    unit: str
    least: bool = False

    @property
    def text(self) -> str:
        """The bound as people write it."""
        sign = "≥" if self.least else "≤"
        return f"{sign} {figure(self.bound, self.unit)}"

    def reached_by(self, value: float) -> bool:
        """Whether a figure is within the bound."""
        return value >= self.bound if self.least else value <= self.bound


TARGETS: tuple[Target, ...] = (
    Target("live-p50", "component edit, commit to live, 10 pages, worker running: p50", 60, "ms"),
    Target("live-p95", "component edit, commit to live, 10 pages, worker running: p95", 150, "ms"),
    Target("vite", "the same against a warm `vite build` of the same app", 10, "x", least=True),
    Target("dev", "saved file to changed pixel, 10 pages, `robbieblocks dev` running", 150, "ms"),
    Target("edit-1000", "component edit, commit to live, 1,000 pages, 200 components", 250, "ms"),
    Target("edit-10000", "page edit, commit to live, 10,000 pages", 500, "ms"),
    Target("post-10000", "post published in a blog of 10,000, commit to live", 200, "ms"),
    Target("row-10000", "row changed in a view of 10,000, commit to live", 200, "ms"),
    Target("full-1000", "full build from nothing, 1,000 pages x 8 blocks", 1500, "ms"),
    Target("full-10000", "full build from nothing, 10,000 pages x 8 blocks", 12_000, "ms"),
    Target("nodes", "each further node of the same app, of the first", 5, "%"),
    Target("storm", "10,000 row edits in one transaction: builds per affected app", 1, "builds"),
    Target(
        "preview-seed", "preview of a page edit to its comment, the seed, base known", 2_000, "ms"
    ),
    Target("preview-1000", "the same, 1,000 pages x 8 blocks", 6_000, "ms"),
    Target("preview-1000-cold", "the same with an empty cache", 10_000, "ms"),
    Target("rollback", "rollback, the whole command, 10 pages", 1_000, "ms"),
    Target("idle-memory", "idle worker with its prerender child: memory (PSS)", 160, "MB"),
    Target("idle-cpu", "idle worker with its prerender child: CPU", 0.5, "%"),
    Target(
        "visitor-lcp", "a visitor's first page over HTTP/2 on a slow phone: LCP to Astro's", 1, "x"
    ),
    Target("schema-init", "all files of the unified schema, over nothing", 2_000, "ms"),
    Target("schema-again", "the same again, where nothing changes", 500, "ms"),
)
BY_ID = {target.id: target for target in TARGETS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A measured row. `value` is what is held against the target, `runs` what it came from.

    `machine` is how long a fixed piece of work took beside it (see machine.py), in ms: figures of
    two runs are compared by their ratios to that. `note` says with what else it was compared.
    """

    id: str
    value: float
    runs: tuple[float, ...]
    machine: float
    note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, key: str, runs: Sequence[float], machine: float, note: str = "") -> Result:
        """A row whose figure is the median of its runs."""
        return cls(id=key, value=median(runs), runs=tuple(runs), machine=machine, note=note)

    @property
    def target(self) -> Target:
        """The row it belongs to."""
        return BY_ID[self.id]

    @property
    def reached(self) -> bool:
        """Whether the target is reached."""
        return self.target.reached_by(self.value)

    def as_json(self) -> dict[str, Any]:
        """The form in which results are kept."""
        return {
            "id": self.id,
            "what": self.target.what,
            "unit": self.target.unit,
            "target": self.target.bound,
            "value": round(self.value, 3),
            "min": round(min(self.runs), 3),
            "max": round(max(self.runs), 3),
            "runs": [round(run, 3) for run in self.runs],
            "reached": self.reached,
            "machine_ms": round(self.machine, 3),
            "note": self.note,
            **self.extra,
        }


def figure(value: float, unit: str) -> str:
    """A figure with its unit, with as many digits as mean something."""
    if unit == "ms" and value >= 10_000:
        return f"{value / 1000:.1f} s"
    if unit == "x":
        return f"{value:.1f} times"
    digits = 0 if value >= 100 or value == int(value) else 1
    if unit == "%" and value < 1:
        digits = 2
    return f"{value:,.{digits}f} {unit}".replace(" %", "%")


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]
