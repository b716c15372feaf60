"""The state of one app on one node, and of many as text: tables for people."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final, Literal

import typer

from robbieblocks import record
from robbieblocks.messages import counted, visible_line
from robbieblocks.model import WAITING_CARD
from robbieblocks.release import Freeze, Hold, NotServed, Pin

UNKNOWN: Final = "?"
_HASH_DIGITS: Final = 12
_CELL_HASH_DIGITS: Final = 8
_NAMED_AT_MOST: Final = 5
_GAP: Final = "  "
_AT_FAULT: Final = frozenset({"failed", "behind", "edited", "not served"})

State = Literal[
    "pinned",
    "frozen",
    "running",
    "edited",
    "held back",
    "waiting",
    "failed",
    "behind",
    "not served",
    "up to date",
    "nothing live",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """One app on one node. A hash is None where nothing is there, `?` where it is not known.

    `unreadable` is why its pin, its holds or what is frozen can't be read: then nothing of it goes
    out. `would_change` says of pages what the first release after a `freeze` does to them, None
    where that was not worked out.
    `edited` is what of the live release is not as it was published, `differing` the pages that are
    not as the rows say, `not_served` what its address answers wrongly. `without_card` says of pages
    why their social card is missing, or is one from before.
    """

    node: str
    app: str
    desired: str | None
    built: str | None
    served: str | None
    pin: Pin | None
    freeze: Freeze | None = None
    would_change: Mapping[str, str] | None = None
    held: Mapping[str, Hold] = field(default_factory=dict[str, Hold])
    unreadable: str = ""
    held_back: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    not_served: tuple[NotServed, ...] = ()
    without_card: Mapping[str, str] = field(default_factory=dict[str, str])
    waiting: int = 0
    oldest_seconds: float | None = None
    last_run: record.LastRun | None = None

    @property
    def state(self) -> State:
        """The most pressing thing about it."""
        last_status = self.last_run.status if self.last_run else None
        by_urgency: tuple[tuple[object, State], ...] = (
            (self.unreadable, "failed"),
            (self.pin, "pinned"),
            (last_status in record.UNFINISHED, "running"),
            (self.edited, "edited"),
            (self.freeze and self.has_waiting, "frozen"),
            (self.held_back, "held back"),
            (self.waiting, "waiting"),
            (last_status == "failed", "failed"),
            (self.has_waiting, "behind"),
            (self.not_served, "not served"),
            (self.served, "up to date"),
            (True, "nothing live"),
        )
        return next(state for is_so, state in by_urgency if is_so)

    @property
    def is_behind(self) -> bool:
        """Whether it is older than the rows, and nothing else is known that brings it forward."""
        is_known = UNKNOWN not in (self.desired, self.served)
        is_older = is_known and self.desired != self.served
        return self.state in ("behind", "edited") and is_older and not self.freeze

    @property
    def has_waiting(self) -> bool:
        """Whether a change waits, as far as known."""
        differs = UNKNOWN not in (self.desired, self.served) and self.desired != self.served
        return bool(self.waiting or differs)

    @property
    def verdict(self) -> str:
        """The state with its number; for a run, how far it is."""
        state = self.state
        if state == "running" and self.last_run:
            return self.last_run.status
        if state == "held back":
            return f"{len(self.held_back)} held back"
        if state in ("pinned", "frozen") and self.waiting:
            return f"{state}, {self.waiting} waiting"
        if state == "edited":
            return "edited on the disk"
        return f"{self.waiting} waiting" if state == "waiting" else state

    def as_json(self) -> dict[str, object]:
        """The stable form; `pinned` is the hash of the pin."""
        facts: dict[str, object] = asdict(self)
        facts["last_run"] = asdict(self.last_run) if self.last_run else None
        facts["pinned"] = self.pin.build_hash if self.pin else None
        facts["pin"] = self.pin.as_json() if self.pin else None
        facts["freeze"] = self.freeze.as_json() if self.freeze else None
        facts["would_change"] = None if self.would_change is None else dict(self.would_change)
        facts["without_card"] = dict(self.without_card)
        facts["held"] = {key: hold.as_json() for key, hold in self.held.items()}
        return facts | {"verdict": self.verdict}

    @property
    def consistent(self) -> bool:
        """Whether what should be live, was built and is served is the same, as far as known."""
        known = {self.desired, self.built, self.served} - {UNKNOWN}
        return self.state == "up to date" and len(known) <= 1


def as_text(
    statuses: Sequence[AppStatus], now: datetime, *, width: int = sys.maxsize, color: bool = False
) -> str:
    """Apps as lines and nodes as columns; below that every fact of apps that are not consistent.

    A single node has every fact on its lines. One table has as many nodes as fit into `width`
    columns of text; the other nodes follow in tables of their own.
    """
    nodes = list(dict.fromkeys(status.node for status in statuses))
    if len(nodes) < 2:
        lines = _facts(statuses, now, color=color)
    else:
        lines = _side_by_side(statuses, nodes, now, width, color=color)
        if others := [status for status in statuses if not status.consistent]:
            lines += ["", *_facts(others, now, color=color)]
    if kept := [line for status in statuses for line in _kept(status)]:
        lines += ["", *kept]
    if any(UNKNOWN in (status.served, status.desired) for status in statuses):
        lines.append("? is not known here: another machine serves it, or --quick left it out")
    return "\n".join(lines)


def _kept(status: AppStatus) -> Iterator[str]:
    """What people hold of an app, why, how much waits, and what ends it, and what is not drawn yet.

    A line each.
    """
    place = f"{status.node}/{status.app}"
    options = f"--node {status.node} --app {status.app}"
    if status.pin:
        waits = f", {counted(status.waiting, 'change')} waiting" if status.waiting else ""
        yield visible_line(f"{place}: {status.pin}{waits} -> robbieblocks unpin {options}")
    if status.freeze:
        waits = f", {counted(status.waiting, 'change')} waiting" if status.waiting else ""
        yield visible_line(f"{place}: {status.freeze}{waits}{_afterwards(status)}")
    for key, hold in status.held.items():
        yield visible_line(f"{place}: {key} is {hold} -> robbieblocks release {key} {options}")
    if waiting := [*status.without_card.values()].count(WAITING_CARD):
        yield f"{place}: {counted(waiting, 'social card')} to be drawn once builds rest"


def _afterwards(status: AppStatus) -> str:
    """What the one release does that follows a freeze, in short."""
    if status.would_change is None:
        return ""
    if not status.would_change:
        return "; nothing would change" if status.waiting else ""
    kinds = Counter(status.would_change.values())
    counts = ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))
    named = list(status.would_change)
    more = len(named) - _NAMED_AT_MOST
    names = ", ".join(named[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
    return f"; the release that follows: {counts} ({names})"


def workers_text(workers: Sequence[record.WorkerSeen]) -> str:
    """Who holds a node: `active host:pid 3 s ago`, and standbys; times are of the last sign."""
    words: list[str] = []
    for each in workers:
        seen = f" {_age(each.silent_s)} ago" if each.silent_s is not None else ""
        words.append(visible_line(f"{each.state} {each.host}:{each.pid}{seen}"))
    return ", ".join(words) or "no worker"


def _facts(statuses: Sequence[AppStatus], now: datetime, *, color: bool) -> list[str]:
    """A line for each app of each node, with everything that is known about it."""
    header = ("node", "app", "state", "should be", "built", "served", "waiting", "last run")
    rows = [header, *(_row(status, now) for status in statuses)]
    colors = [{2: _color(status)} if color else {} for status in statuses]
    return _table(rows, [{}, *colors])


def _row(status: AppStatus, now: datetime) -> tuple[str, ...]:
    hashes = (status.desired, status.built, status.served)
    waiting = f"{status.waiting}, {_age(status.oldest_seconds or 0)}" if status.waiting else ""
    last, ran = status.last_run, "never"
    if last is not None:
        ran = f"{last.status} {_age((now - last.at).total_seconds())} ago ({last.triggered_by})"
    return (
        status.node,
        status.app,
        status.verdict,
        *((digest or "-")[:_HASH_DIGITS] for digest in hashes),
        waiting,
        ran,
    )


def _side_by_side(
    statuses: Sequence[AppStatus], nodes: Sequence[str], now: datetime, width: int, *, color: bool
) -> list[str]:
    """A line an app and a column a node; a new table where the next node would not fit."""
    apps = list(dict.fromkeys(status.app for status in statuses))
    by_place = {(status.node, status.app): status for status in statuses}
    cells = {place: _cell(status, now) for place, status in by_place.items()}
    app_width = max(map(len, ("app", *apps)))
    node_widths = {
        node: max(len(node), *(len(cells.get((node, app), "")) for app in apps)) for node in nodes
    }
    lines: list[str] = []
    for group in _groups(node_widths, width - app_width):
        rows = [("app", *group)]
        rows += [(app, *(cells.get((node, app), "-") for node in group)) for app in apps]
        colors: list[dict[int, str]] = [{}]
        for app in apps:
            found = enumerate((by_place.get((node, app)) for node in group), 1)
            colors.append({n: _color(status) for n, status in found if color and status})
        lines += ["", *_table(rows, colors)] if lines else _table(rows, colors)
    return lines


def _groups(node_widths: Mapping[str, int], width: int) -> list[list[str]]:
    """The nodes in groups that fit into `width` columns of text; one that never fits is alone."""
    groups: list[list[str]] = []
    left = 0
    for node, node_width in node_widths.items():
        needed = len(_GAP) + node_width
        if not groups or needed > left:
            groups.append([])
            left = width
        groups[-1].append(node)
        left -= needed
    return groups


def _cell(status: AppStatus, now: datetime) -> str:
    """One app on one node: its state, what is served, and its age or that of the last run."""
    words = [status.verdict, (status.served or "-")[:_CELL_HASH_DIGITS]]
    if status.waiting:
        words.append(f"oldest {_age(status.oldest_seconds or 0)}")
    elif status.last_run is not None:
        words.append(f"{_age((now - status.last_run.at).total_seconds())} ago")
    return " ".join(words)


def _table(rows: Sequence[Sequence[str]], colors: Sequence[Mapping[int, str]]) -> list[str]:
    """Rows as lines with aligned columns; `colors` has the color of columns, row by row."""
    rows = [[visible_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines: list[str] = []
    for row, row_colors in zip(rows, colors, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        for column, name in row_colors.items():
            cells[column] = typer.style(cells[column], fg=name)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _color(status: AppStatus) -> str:
    if status.state == "up to date":
        return "green"
    return "red" if status.held_back or status.state in _AT_FAULT else "yellow"


def _age(seconds: float) -> str:
    """A duration as people say it: `4 s`, `12 min`, `3 h`, `9 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
