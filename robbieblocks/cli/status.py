"""`robbieblocks status`: what should be live, what was built, what is served."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import typer
from psycopg import Connection

from robbieblocks import changes, record, release, snapshot
from robbieblocks.cli import session
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.model import NodeRow
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings

_SHORT = 12
_SHORTER = 8
_GAP = "  "
_UNKNOWN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """One app on one node. A hash is None where nothing is there, `?` where it can't be known."""

    node: str
    app: str
    desired: str | None
    built: str | None
    served: str | None
    pinned: str | None
    held_back: tuple[str, ...] = ()
    waiting: int = 0
    oldest_seconds: float | None = None
    last_run: record.LastRun | None = None

    @property
    def verdict(self) -> str:
        """The state in a word or two."""
        if self.pinned:
            return "pinned"
        if self.last_run and self.last_run.status in ("pending", "building", "deploying"):
            return self.last_run.status
        if self.held_back:
            return f"{len(self.held_back)} held back"
        if self.waiting:
            return f"{self.waiting} waiting"
        if self.last_run and self.last_run.status == "failed":
            return "failed"
        if _UNKNOWN not in (self.desired, self.served) and self.desired != self.served:
            return "behind"
        return "up to date" if self.served else "nothing live"

    @property
    def at_rest(self) -> bool:
        """Whether all that is known of it is one hash: what should be, was built and is served."""
        known = {self.desired, self.built, self.served} - {_UNKNOWN}
        return self.verdict == "up to date" and len(known) <= 1


def run(*, nodes: Sequence[str], quick: bool, format_: str, database_url: str | None) -> None:
    """Print the state of nodes."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot(settings.site_root)
    with session.opened(settings) as connection:
        known = snapshot.nodes(connection)
        chosen = [node for node in known if not nodes or node.id in nodes]
        if strange := sorted(set(nodes) - {node.id for node in known}):
            raise UsageError(
                f"there is no node {strange[0]!r} (known: {', '.join(n.id for n in known)})"
            )
        ids = [node.id for node in chosen]
        desired = {} if quick else _desired(settings, site_root, connection, ids)
        states = _states(site_root, connection, chosen, desired)
    if format_ == "json":
        typer.echo(json.dumps(as_json(states), indent=2, default=str))
    else:
        # A pipe has no edge: there an app is one line, however many nodes there are.
        person = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if person else sys.maxsize
        typer.echo(as_text(states, datetime.now(UTC), width=width, color=person))


def _desired(
    settings: Settings, site_root: SiteRoot, connection: Connection, nodes: Sequence[str]
) -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    """What a build would make live now, and the pages that it would hold back; by a dry run."""
    # All that a build needs takes long to import, and with --quick none is made.
    from robbieblocks.pipeline import BuildContext, Request, Site, build

    try:
        with BuildContext.open(settings, session.progress) as context:
            report = build(
                Request(nodes=tuple(nodes), dry_run=True, repair=False),
                context=context,
                connection=connection,
                site=Site(root=site_root),
                clock=lambda: datetime.now(UTC),
                progress=lambda _: None,
            )
    except RobbieBlocksError as error:
        session.progress(f"what should be live is not known: {error}")
        return {}
    return {
        (one.node, one.app): (one.build_hash, tuple(page.key for page in one.held_back))
        for one in report.runs
    }


def _states(
    site_root: SiteRoot,
    connection: Connection,
    nodes: Sequence[NodeRow],
    desired: dict[tuple[str, str], tuple[str, tuple[str, ...]]],
) -> list[AppStatus]:
    runs = record.latest(connection)
    states = []
    for node in nodes:
        waiting = changes.waiting(connection, node.id)
        here = (site_root.path / node.id).is_dir()
        for app in node.apps:
            queued = [group for group in waiting.groups if app in group.apps]
            oldest = min((group.oldest for group in queued), default=None)
            last = runs.get((node.id, app))
            wanted, held_back = desired.get((node.id, app), (_UNKNOWN, ()))
            live = release.live(site_root, node.id, app) if here else None
            states.append(
                AppStatus(
                    node=node.id,
                    app=app,
                    desired=wanted,
                    built=last.built if last else None,
                    served=live.build_hash if live else (None if here else _UNKNOWN),
                    pinned=release.pinned(site_root, node.id, app) if here else None,
                    held_back=held_back,
                    waiting=sum(group.count for group in queued),
                    oldest_seconds=(
                        (datetime.now(UTC) - oldest).total_seconds() if oldest else None
                    ),
                    last_run=last,
                )
            )
    return states


def as_json(states: Collection[AppStatus]) -> dict[str, Any]:
    """The stable form of `--format json`."""
    return {
        "version": 1,
        "apps": [
            {
                **asdict(state),
                "last_run": state.last_run and asdict(state.last_run),
                "verdict": state.verdict,
            }
            for state in states
        ],
    }


def as_text(
    states: Sequence[AppStatus], now: datetime, *, width: int = sys.maxsize, color: bool = False
) -> str:
    """A line an app, nodes side by side; below it every fact of those that are not at rest.

    A single node has every fact on its lines. As many nodes stand in one table as `width` columns
    hold; the others follow in tables of their own.
    """
    nodes = list(dict.fromkeys(state.node for state in states))
    if len(nodes) < 2:
        lines = _facts(states, now, color=color)
    else:
        lines = _side_by_side(states, nodes, now, width, color=color)
        if restless := [state for state in states if not state.at_rest]:
            lines += ["", *_facts(restless, now, color=color)]
    if any(_UNKNOWN in (state.served, state.desired) for state in states):
        lines.append("? is not known here: another machine serves it, or --quick left it out")
    return "\n".join(lines)


def _facts(states: Sequence[AppStatus], now: datetime, *, color: bool) -> list[str]:
    """A line for each app of each node, with everything that is known about it."""
    header = ("node", "app", "state", "should be", "built", "served", "waiting", "last run")
    rows = [header, *(_row(state, now) for state in states)]
    colors = [{2: _color(state)} for state in states] if color else [{} for _ in states]
    return _table(rows, [{}, *colors])


def _side_by_side(
    states: Sequence[AppStatus], nodes: Sequence[str], now: datetime, width: int, *, color: bool
) -> list[str]:
    """A line an app and a column a node; a new table where the next node would not fit."""
    apps = list(dict.fromkeys(state.app for state in states))
    at = {(state.node, state.app): state for state in states}
    cells = {place: _cell(state, now) for place, state in at.items()}
    first = max(map(len, ("app", *apps)))
    panels: list[list[str]] = []
    room = 0
    for node in nodes:
        needs = len(_GAP) + max(len(node), *(len(cells.get((node, app), "")) for app in apps))
        if not panels or needs > room:
            panels.append([])
            room = width - first
        panels[-1].append(node)
        room -= needs
    lines: list[str] = []
    for panel in panels:
        rows = [("app", *panel)]
        rows += [(app, *(cells.get((node, app), "-") for node in panel)) for app in apps]
        colors: list[dict[int, str]] = [{}]
        for app in apps:
            here = enumerate((at.get((node, app)) for node in panel), 1)
            colors.append({n: _color(state) for n, state in here if color and state})
        lines += ["", *_table(rows, colors)] if lines else _table(rows, colors)
    return lines


def _cell(state: AppStatus, now: datetime) -> str:
    """What one node says of one app: its state, what it serves, when it last ran."""
    said = [state.verdict, (state.served or "-")[:_SHORTER]]
    if state.waiting:
        said.append(f"oldest {_age(state.oldest_seconds or 0)}")
    elif state.last_run is not None:
        said.append(f"{_age((now - state.last_run.at).total_seconds())} ago")
    return " ".join(said)


def _table(rows: Sequence[Sequence[str]], colors: Sequence[dict[int, str]]) -> list[str]:
    """Rows as lines with aligned columns; `colors` names for each row those of its columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row, painted in zip(rows, colors, strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        for column, name in painted.items():
            cells[column] = typer.style(cells[column], fg=name)
        lines.append(_GAP.join(cells).rstrip())
    return lines


def _color(state: AppStatus) -> str:
    if state.verdict == "up to date":
        return "green"
    return "red" if state.verdict in ("failed", "behind") or state.held_back else "yellow"


def _row(state: AppStatus, now: datetime) -> tuple[str, ...]:
    last = state.last_run
    waits = ""
    if state.waiting:
        waits = f"{state.waiting}, {_age(state.oldest_seconds or 0)}"
    said = "never"
    if last is not None:
        said = f"{last.status} {_age((now - last.at).total_seconds())} ago ({last.triggered_by})"
    return (
        state.node,
        state.app,
        state.verdict,
        *((digest or "-")[:_SHORT] for digest in (state.desired, state.built, state.served)),
        waits,
        said,
    )


def _age(seconds: float) -> str:
    """A duration as people say it: `4 s`, `12 min`, `3 h`, `9 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
