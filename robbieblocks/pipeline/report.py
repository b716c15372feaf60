"""What a build did, as values: the command line prints them, the deploys row keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, Literal
from uuid import UUID

import orjson

from robbieblocks.errors import Problem
from robbieblocks.messages import visible_line
from robbieblocks.model import JsonObject, PageEntry, TriggerRow
from robbieblocks.pipeline.behind import Behind
from robbieblocks.pipeline.planning import Cause, PageChange, Plan
from robbieblocks.pipeline.request import BreakGlass
from robbieblocks.release import Freeze, Pin

Outcome = Literal["published", "unchanged", "failed"]

# What the row of a run keeps of each.
_PAGES_MAX: Final = 1000
_CAUSES_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReport:
    """What happened (or, in a dry run, would happen) to one page, and why. Sizes are in bytes.

    A page that was planned to change, and whose new bytes are the live ones, is `unchanged`.
    """

    key: str
    route: str
    change: PageChange
    causes: tuple[Cause, ...] = ()
    size: int | None = None
    size_before: int | None = None

    def as_json(self) -> JsonObject:
        """The stable form that `--format json` prints."""
        return {
            "key": self.key,
            "route": self.route,
            "change": self.change,
            "causes": [cause.as_json() for cause in self.causes],
            "size": self.size,
            "size_before": self.size_before,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """One run: one app on one node. Durations are in milliseconds, sizes in bytes.

    `planned` are the pages for which the plan had something to do, by key; `unchanged` the entries
    of the live manifest that stay: of ten thousand pages all but a few. `drafts` are the keys of
    pages that are drafts. Under a `pin` the changes wait, and under a `freeze`, unless
    `during_freeze` says who had them go out all the same.
    `damaged` is what of the live release was not as it was published. `styles` says why the
    stylesheet at a fixed address is not as it was.
    """

    node: str
    app: str
    outcome: Outcome
    build_hash: str
    hash_before: str
    planned: tuple[PageReport, ...] = ()
    unchanged: tuple[PageEntry, ...] = ()
    components: int = 0
    files_written: int = 0
    bytes_written: int = 0
    build_ms: int = 0
    deploy_ms: int = 0
    problems: tuple[Problem, ...] = ()
    error: str = ""
    transient: bool = False
    pin: Pin | None = None
    freeze: Freeze | None = None
    during_freeze: BreakGlass | None = None
    run: UUID | None = None
    drafts: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()
    styles: tuple[Cause, ...] = ()

    @property
    def pages(self) -> tuple[PageReport, ...]:
        """What became of every page, by key."""
        return tuple(
            sorted((*self.planned, *map(_unchanged, self.unchanged)), key=attrgetter("key"))
        )

    @property
    def page_count(self) -> int:
        """How many pages there are, removed ones too."""
        return len(self.planned) + len(self.unchanged)

    @property
    def pages_live(self) -> int:
        """How many pages there are without the removed ones."""
        return self.page_count - sum(page.change == "removed" for page in self.planned)

    @property
    def changed(self) -> tuple[PageReport, ...]:
        """The pages that are not as they were."""
        return tuple(page for page in self.planned if page.change not in ("unchanged", "held back"))

    @property
    def held_back(self) -> tuple[PageReport, ...]:
        """The pages that keep their last good version because the new one has an error."""
        return tuple(page for page in self.planned if page.change == "held back")

    def is_at_rest(self, live_hash: str) -> bool:
        """Whether what is live is what the rows ask for, so that no change has to wait for it."""
        return self.build_hash == live_hash and not self.error and not self.waits

    @property
    def waits(self) -> bool:
        """Whether its changes wait for the end of a pin or a freeze."""
        return self.waits_until is not None

    @property
    def waits_until(self) -> Pin | Freeze | None:
        """What its changes wait for the end of."""
        return self.pin or (None if self.during_freeze else self.freeze)

    @property
    def is_held(self) -> bool:
        """Whether the brake holds the run, until a person approves its plan."""
        return self.error.startswith("held:")

    @property
    def explained(self) -> str:
        """The error; where pages are held back, they with the first problem and its remedy."""
        first = next((str(each) for each in self.problems if each.severity == "error"), "")
        pages, _, _ = self.error.partition("\n")
        return f"{pages}: {first}" if self.held_back and first else self.error

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Everything that styles and pages of the run differ by, each once."""
        of_pages = (cause for page in self.changed for cause in page.causes)
        return tuple(dict.fromkeys((*self.styles, *of_pages)))

    def as_json(self) -> JsonObject:
        """The stable form that `--format json` prints, one object a run."""
        return {
            "node": self.node,
            "app": self.app,
            "outcome": self.outcome,
            "build_hash": self.build_hash,
            "hash_before": self.hash_before,
            "pages": [page.as_json() for page in self.pages],
            "styles": [cause.as_json() for cause in self.styles],
            "components": self.components,
            "files_written": self.files_written,
            "bytes_written": self.bytes_written,
            "build_ms": self.build_ms,
            "deploy_ms": self.deploy_ms,
            "problems": [problem.as_json() for problem in self.problems],
            "error": self.error,
            "drafts": list(self.drafts),
            "pin": self.pin.as_json() if self.pin else None,
            "freeze": self.freeze.as_json() if self.freeze else None,
            "during_freeze": self.during_freeze.as_json() if self.during_freeze else None,
        }


def _unchanged(entry: PageEntry) -> PageReport:
    return PageReport(key=entry.key, route=entry.route, change="unchanged")


def log_of(report: RunReport, phases: Mapping[str, float]) -> str:
    """A run in lines: what it did to which page and why, and where the time went."""
    lines = [f"{report.outcome} {report.build_hash} (before: {report.hash_before})"]
    lines += (
        f"{page.change}: {page.key}{causes_text(page.causes)}"
        for page in report.planned
        if page.change != "unchanged"
    )
    lines += [f"changed: styles{causes_text(report.styles)}"] if report.styles else []
    lines += (str(problem) for problem in report.problems)
    if report.error:
        lines.append(report.error)
    spent = ", ".join(f"{name} {value:.1f}" for name, value in phases.items())
    lines.append(f"phases in ms, so far in this build: {spent}")
    return "\n".join(lines)


def details_of(report: RunReport, plan: str, phases: Mapping[str, float]) -> str:
    """What a run did, as JSON for its row: the plan's hash, each page that it touched and why.

    Of more than 1,000 pages the others are counted only.
    """
    touched = [page for page in report.planned if page.change != "unchanged"]
    details: dict[str, object] = {
        "plan": plan,
        "hash_before": report.hash_before,
        "pages": [
            {
                "key": visible_line(page.key),
                "change": page.change,
                "causes": _listed(page.causes),
            }
            for page in touched[:_PAGES_MAX]
        ],
        "styles": _listed(report.styles),
        "more_pages": len(touched[_PAGES_MAX:]),
        "phases_ms": {name: round(value, 1) for name, value in phases.items()},
    }
    if report.freeze:
        details["freeze"] = _visible(report.freeze.as_json())
    if report.during_freeze:
        details["during_freeze"] = _visible(report.during_freeze.as_json())
    return orjson.dumps(details).decode()


def _listed(causes: tuple[Cause, ...]) -> list[list[str]]:
    return [list(map(visible_line, cause)) for cause in causes[:_CAUSES_MAX]]


def _visible(texts: Mapping[str, str | None]) -> dict[str, str | None]:
    return {key: text and visible_line(text) for key, text in texts.items()}


def causes_text(causes: tuple[Cause, ...], most: int = 3) -> str:
    """Causes in a few words, in brackets: ` (block 2, token color.primary and 4 more)`."""
    if not causes:
        return ""
    listed = ", ".join(map(str, causes[:most]))
    more = len(causes) - most
    return f" ({listed} and {more} more)" if more > 0 else f" ({listed})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """All runs of one build, and the work they shared.

    `triggers` are the queue rows that its snapshot held, `handled` those of them that it
    acknowledged for every node of the build that they concern; `refused` says of others why they
    could not be. `node_apps` are the apps of each node. `behind` has, by node, the apps that list
    pages of others and do not show what is live now.
    """

    plan: Plan
    runs: tuple[RunReport, ...]
    triggers: tuple[TriggerRow, ...] = ()
    handled: frozenset[UUID] = frozenset()
    refused: tuple[Problem, ...] = ()
    node_apps: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    behind: Mapping[str, Behind] = field(default_factory=dict[str, Behind])
    compiled: tuple[str, ...] = ()
    blocks_rendered: int = 0
    dry_run: bool = False
    out: str = ""
    phases: Mapping[str, float] = field(default_factory=dict[str, float])

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

    def as_json(self) -> JsonObject:
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
