"""Finds the change that broke a page, as `git bisect run` finds a commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from psycopg import Connection

from robbieblocks import content, process
from robbieblocks.content import Content
from robbieblocks.errors import UsageError
from robbieblocks.history import rewinding
from robbieblocks.history.journal import Change
from robbieblocks.messages import counted
from robbieblocks.model import ASSET_PREFIX, sha256
from robbieblocks.pipeline import BuildContext, ComposedRun, propose

Verdict = Literal["good", "bad", "skip"]

# As `git bisect run` has it: 125 can't tell, from 128 on the program itself failed.
_SKIP: Final = 125
_FAILED: Final = 128
# Of what the command writes to stderr, the last lines say what went wrong.
_SAID_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisected:
    """What was found: the first bad change; several where those between could not be told apart.

    `runs` is how often the command ran, `states` how many versions there were.
    """

    changes: tuple[Change, ...]
    runs: int
    states: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for: a page on some nodes (none: all), and the command that judges it."""

    page: str
    command: Sequence[str]
    nodes: tuple[str, ...] = ()
    timeout_s: float = 300.0


def bisect(
    search: Search,
    *,
    connection: Connection,
    context: BuildContext,
    now: datetime,
    progress: Callable[[str], None],
) -> Bisected:
    """Build the page as it was at changes of the journal, and find the first that is bad.

    The command gets the page's file as ROBBIEBLOCKS_BISECT_PAGE and the folder with it, its assets
    and a folder for each node as ROBBIEBLOCKS_BISECT_FOLDER. Nothing is written elsewhere. Raises
    UsageError where today's page is good, or the oldest one bad.
    """
    rows = rewinding.rows_now(connection, search.page)
    found = list(rewinding.rewound(connection, rows))[::-1]
    versions = [*(each.rows for each in found), rows]
    judge = _Judge(search, context, now, progress)
    if not found:
        raise UsageError("the journal has no change that this page could be made from")

    def verdict(index: int) -> Verdict:
        return judge.verdict(rewinding.content_of(versions[index]), f"{index}/{len(found)}")

    newest = verdict(len(found))
    if newest != "bad":
        raise UsageError(f"the page as it is today is {newest}, not bad: nothing is to be found")
    # Nobody saw what was in between of a transaction: its ends decide which one it was.
    ends = _ends([each.change for each in found])

    def verdict_at(end: int) -> Verdict:
        return verdict(ends[end])

    oldest = first_told(verdict_at, len(ends) - 1)
    if oldest is None:
        raise UsageError(
            f"the page was bad in the oldest version that the journal has, "
            f"{counted(len(found), 'change')} ago"
        )
    low, high = halve(oldest, len(ends) - 1, verdict_at)
    first, last = ends[low], ends[high]
    if high - low == 1:
        first, last = halve(first, last, verdict)
    changes = tuple(each.change for each in found[first:last])
    return Bisected(changes=changes, runs=judge.runs, states=len(versions))


def _ends(changes: Sequence[Change]) -> list[int]:
    """The versions that were committed, of those before each change and after the last."""
    made = [_transaction(change) for change in changes]
    inner = (at for at in range(1, len(made)) if made[at - 1] != made[at])
    return [0, *inner, len(made)]


def _transaction(change: Change) -> object:
    return change.id if change.transaction is None else (change.at, change.transaction)


def first_told(verdict: Callable[[int], Verdict], newest: int) -> int | None:
    """The oldest version that is good; None where the first that can be told is bad."""
    for index in range(newest):
        told = verdict(index)
        if told != "skip":
            return index if told == "good" else None
    return None


def halve(good: int, bad: int, verdict: Callable[[int], Verdict]) -> tuple[int, int]:
    """The narrowest bounds of the first bad version, of which the first is good and the last bad.

    More than one apart where all in between are skipped.
    """
    skipped: set[int] = set()
    while True:
        middle = (good + bad) // 2
        between = [each for each in range(good + 1, bad) if each not in skipped]
        if not between:
            return good, bad
        chosen = min(between, key=lambda each: abs(each - middle))
        match verdict(chosen):
            case "good":
                good = chosen
            case "bad":
                bad = chosen
            case "skip":
                skipped.add(chosen)


class _Judge:
    """Builds versions and runs the command over them; over equal pages once."""

    def __init__(
        self,
        search: Search,
        context: BuildContext,
        now: datetime,
        progress: Callable[[str], None],
    ) -> None:
        self._search, self._context, self._now = search, context, now
        self._progress = progress
        self._known: dict[str, Verdict] = {}
        self.runs = 0

    def verdict(self, version: Content, place: str) -> Verdict:
        """What the command says of a version; `skip` where the page can't be built."""
        rows = content.as_rows(
            version, taken_at=self._now, sources=self._context.settings.collections
        )
        made = propose(rows, context=self._context, now=self._now)
        runs = [
            run
            for target, run in sorted(made.composed.items())
            if (not self._search.nodes or target.node in self._search.nodes) and run.manifest.pages
        ]
        if not runs:
            self._progress(f"version {place}: the page can't be built: skipped")
            return "skip"
        key = sha256(" ".join(run.manifest.build_hash for run in runs))
        if key not in self._known:
            self._known[key] = self._run(runs)
        self._progress(f"version {place}: {self._known[key]}")
        return self._known[key]

    def _run(self, runs: Sequence[ComposedRun]) -> Verdict:
        self.runs += 1
        with process.temporary_folder() as folder:
            for run in runs:
                _write(folder / run.manifest.node, run)
            page = folder / runs[0].manifest.node / runs[0].manifest.pages[0].path
            variables = {
                "ROBBIEBLOCKS_BISECT_FOLDER": str(folder),
                "ROBBIEBLOCKS_BISECT_PAGE": str(page),
            }
            ended = process.run(
                self._search.command,
                env={**os.environ, **variables},
                timeout=self._search.timeout_s,
            )
        for line in ended.stderr.decode(errors="replace").splitlines()[-_SAID_MAX:]:
            self._progress(f"  {Path(self._search.command[0]).name}: {line}")
        if ended.returncode < 0 or ended.returncode >= _FAILED:
            raise UsageError(
                f"{self._search.command[0]} ended with {ended.returncode}: 0 says good, 1 to 127 "
                "bad, 125 skip; anything else stops the search"
            )
        if ended.returncode == _SKIP:
            return "skip"
        return "bad" if ended.returncode else "good"


def _write(folder: Path, run: ComposedRun) -> None:
    """Write a run's files into a folder of our own; their paths are those of releases."""
    files = {path: run.contents[path] for path in run.manifest.files}
    files |= {
        f"{ASSET_PREFIX.strip('/')}/{name}": each.content for name, each in run.assets.items()
    }
    for path, body in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
