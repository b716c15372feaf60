"""Notes an act in an audit log so that a kill leaves both the act and its entry, or neither.

The entry is written first, and durably; then the act is done; then its end is written. An entry
without an end is judged by what is in force: an act of which nothing is in force was not done, and
nobody is shown its entry. Whoever writes next writes down that judgement before anything changes.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.audit import log_file
from robbieblocks.release.audit.entries import Ended, Entry, Outcome, is_window
from robbieblocks.release.audit.log_file import Line
from robbieblocks.release.places.site_root import SiteRoot

GOING_BACK = "rolled_back"
"""The kind of an act that also moves what visitors get."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What is in force now, by subject: entries whose `now` is the mark of it.

    Of subjects that begin with one of `unknown` nothing can be read. `has_moved` says whether
    visitors get what an entry says that they get since.
    """

    entries: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    unknown: tuple[str, ...] = ()
    has_moved: Callable[[Entry], bool] = lambda _entry: True

    def mark(self, subject: str) -> str:
        """The mark of what is in force of a subject; empty for nothing."""
        found = self.entries.get(subject)
        return found.now if found else ""


Asked: TypeAlias = "Callable[[], InForce]"


@dataclass(frozen=True, slots=True)
class AuditLog:
    """The audit log in a folder, for who holds the lock of what it is about.

    `in_force` and `needed_since` are asked when it is written; the second is since when the history
    is needed, None where nothing needs it.
    """

    site_root: SiteRoot
    folder: Path
    in_force: Asked
    needed_since: Callable[[], datetime | None]

    @contextmanager
    def noted(self, *entries: Entry) -> Generator[None]:
        """Note entries around the block that does what they tell of.

        A log that can't be written stops nobody: `SiteRoot.unnoted` gets the error then.
        """
        if not entries:
            self.settle()
            yield
            return
        begun = self._begin(entries)
        failpoints.reached("entry written")
        try:
            yield
        except Exception:
            self.settle()
            raise
        failpoints.reached("acted")
        if begun:
            self._write([Ended(entry.id, "done") for entry in entries])

    def settle(self) -> None:
        """Write down how acts ended of which that is not known, before something changes."""
        if log_file.ends_settled(self.folder):
            return
        with suppress(SiteUnavailable):
            lines = log_file.read(self.folder)
            if ended := _judged(lines, self.in_force):
                self._write(ended)

    def _begin(self, entries: Sequence[Entry]) -> bool:
        try:
            lines = log_file.read(self.folder)
            now = self.in_force()
            marked = [
                entry if is_window(entry) else replace(entry, was=now.mark(entry.subject))
                for entry in entries
            ]
            log_file.append(
                self.folder,
                [*_judged(lines, lambda: now), *marked],
                lines,
                stay=[entry.now for entry in now.entries.values()],
                now=self._now,
                needed_since=self.needed_since,
            )
        except SiteUnavailable as error:
            self.site_root.unnoted.append(error)
            return False
        return True

    def _write(self, ended: Sequence[Ended]) -> None:
        """Write ends. Where that fails, whoever looks judges by what is in force."""
        with suppress(SiteUnavailable):
            log_file.append(
                self.folder, ended, (), stay=(), now=self._now, needed_since=self.needed_since
            )

    @property
    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.site_root.clock(), UTC)


def outcomes(lines: Sequence[Line], in_force: InForce) -> Mapping[str, Outcome]:
    """How the act of each entry ended, by id: as it was written down, or as it is judged."""
    known: dict[str, Outcome] = {
        line.record.of: line.record.outcome for line in lines if isinstance(line.record, Ended)
    }
    for line in lines:
        if isinstance(line.record, Entry) and line.record.id not in known:
            known[line.record.id] = _judge(line.record, in_force)
    return known


def _judged(lines: Sequence[Line], in_force: Asked) -> list[Ended]:
    ended = {line.record.of for line in lines if isinstance(line.record, Ended)}
    open_ = [
        line.record
        for line in lines
        if isinstance(line.record, Entry) and line.record.id not in ended
    ]
    if not open_:
        return []
    now = in_force()
    return [Ended(entry.id, _judge(entry, now)) for entry in open_]


def _judge(entry: Entry, now: InForce) -> Outcome:
    if is_window(entry):
        return "done"
    if now.unknown and entry.subject.startswith(now.unknown):
        return "unknown"
    mark = now.mark(entry.subject)
    if mark == entry.now:
        moved = entry.kind != GOING_BACK or now.has_moved(entry)
        return "done" if moved else "cut short"
    return "void" if mark == entry.was else "unknown"
