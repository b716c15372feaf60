"""What a build did, as values: the CLI renders them, the deploys row keeps them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal
from uuid import UUID

from robbieblocks import failpoints
from robbieblocks.errors import Problem
from robbieblocks.model import PageEntry, TriggerRow

Outcome = Literal["published", "unchanged", "failed"]
PageChange = Literal["added", "changed", "removed", "unchanged", "held back"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReport:
    """What happened (or, in a dry run, would happen) to one page. Sizes are in bytes."""

    key: str
    route: str
    change: PageChange
    size: int | None = None
    size_before: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run: one app on one node. Durations are in milliseconds, sizes in bytes.

    `news` are the pages of which there is something to tell, by key; `stays` those that are what
    they were, the very entries of the live manifest: of ten thousand pages all but a few.
    """

    node: str
    app: str
    outcome: Outcome
    build_hash: str
    hash_before: str
    news: tuple[PageReport, ...] = ()
    stays: tuple[PageEntry, ...] = ()
    components: int = 0
    files_written: int = 0
    bytes_written: int = 0
    build_ms: int = 0
    deploy_ms: int = 0
    problems: tuple[Problem, ...] = ()
    error: str = ""
    transient: bool = False
    run: UUID | None = None

    @property
    def pages(self) -> tuple[PageReport, ...]:
        """What became of every page, by key."""
        return tuple(sorted((*self.news, *map(_unchanged, self.stays)), key=attrgetter("key")))

    @property
    def page_count(self) -> int:
        """How many pages there are, removed ones too."""
        return len(self.news) + len(self.stays)

    @property
    def changed(self) -> tuple[PageReport, ...]:
        """The pages that are not as they were."""
        return tuple(page for page in self.news if page.change not in ("unchanged", "held back"))

    @property
    def held_back(self) -> tuple[PageReport, ...]:
        """The pages that keep their last good version because the new one has an error."""
        return tuple(page for page in self.news if page.change == "held back")

    def as_json(self) -> dict[str, Any]:
        """The stable form that `--format json` prints, one object a run."""
        return {
            "node": self.node,
            "app": self.app,
            "outcome": self.outcome,
            "build_hash": self.build_hash,
            "hash_before": self.hash_before,
            "pages": [
                {
                    "key": page.key,
                    "route": page.route,
                    "change": page.change,
                    "size": page.size,
                    "size_before": page.size_before,
                }
                for page in self.pages
            ],
            "components": self.components,
            "files_written": self.files_written,
            "bytes_written": self.bytes_written,
            "build_ms": self.build_ms,
            "deploy_ms": self.deploy_ms,
            "problems": [problem.as_json() for problem in self.problems],
            "error": self.error,
        }


def _unchanged(entry: PageEntry) -> PageReport:
    return PageReport(key=entry.key, route=entry.route, change="unchanged")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """All runs of one build, and the work they shared.

    `triggers` are the queue rows that its snapshot held, `answered` those of them that it
    acknowledged for every node of the build that they concern. `carried` are the apps of each node.
    `boundaries` says for each app when its content next changes by itself.
    """

    runs: tuple[RunReport, ...]
    triggers: tuple[TriggerRow, ...] = ()
    answered: frozenset[UUID] = frozenset()
    carried: Mapping[str, frozenset[str]] = field(default_factory=dict)
    boundaries: Mapping[str, datetime | None] = field(default_factory=dict)
    compiled: tuple[str, ...] = ()
    blocks_rendered: int = 0
    dry_run: bool = False
    out: str = ""
    phases: dict[str, float] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """0 done, 1 the content is at fault somewhere, 3 infrastructure failed somewhere."""
        if any(run.transient for run in self.runs):
            return 3
        return 1 if any(run.outcome == "failed" for run in self.runs) else 0

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every distinct problem of all runs, in order."""
        return tuple(dict.fromkeys(problem for run in self.runs for problem in run.problems))

    def as_json(self) -> dict[str, Any]:
        """The stable form that `--format json` prints."""
        return {
            "version": 1,
            "dry_run": self.dry_run,
            "out": self.out,
            "runs": [run.as_json() for run in self.runs],
            "compiled": list(self.compiled),
            "blocks_rendered": self.blocks_rendered,
            "phases_ms": {name: round(value, 1) for name, value in self.phases.items()},
            "exit_code": self.exit_code,
        }


class Stopwatch:
    """Adds up the wall time of named phases, in milliseconds."""

    def __init__(self) -> None:
        self.phases: dict[str, float] = {}
        self._started = time.perf_counter()
        self._inside = 0.0

    @property
    def total_ms(self) -> int:
        """Since the stopwatch was made."""
        return round((time.perf_counter() - self._started) * 1000)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Count the time inside the block to `name`."""
        with self.part(name):
            yield
        failpoints.reached(name)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time inside the block to `name`, and not to the phase that it is part of."""
        before, self._inside = self._inside, 0.0
        began = time.perf_counter()
        try:
            yield
        finally:
            took = (time.perf_counter() - began) * 1000
            self.add(name, took - self._inside)
            self._inside = before + took

    def add(self, name: str, milliseconds: float) -> None:
        """Count time that was measured elsewhere."""
        self.phases[name] = self.phases.get(name, 0.0) + milliseconds
