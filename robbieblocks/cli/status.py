"""`robbieblocks status`: what should be live, what was built, what is served."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import typer
from psycopg import Connection

from robbieblocks import change, record, release, snapshot
from robbieblocks.cli import session
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.model import NodeRow
from robbieblocks.pipeline import Place, Request, Workshop, build
from robbieblocks.settings import Settings

_SHORT = 12
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


def run(*, nodes: Sequence[str], quick: bool, format_: str, database_url: str | None) -> None:
    """Print the state of nodes."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        known = snapshot.nodes(connection)
        chosen = [node for node in known if not nodes or node.id in nodes]
        if strange := sorted(set(nodes) - {node.id for node in known}):
            raise UsageError(
                f"there is no node {strange[0]!r} (known: {', '.join(n.id for n in known)})"
            )
        desired = {} if quick else _desired(settings, connection, [node.id for node in chosen])
        states = _states(settings, connection, chosen, desired)
    if format_ == "json":
        typer.echo(json.dumps(as_json(states), indent=2, default=str))
    else:
        typer.echo(as_text(states, datetime.now(UTC), color=sys.stdout.isatty()))


def _desired(
    settings: Settings, connection: Connection[Any], nodes: Sequence[str]
) -> dict[tuple[str, str], tuple[str, tuple[str, ...]]]:
    """What a build would make live now, and the pages that it would hold back; by a dry run."""
    try:
        with Workshop.open(settings, session.progress) as workshop:
            report = build(
                Request(nodes=tuple(nodes), dry_run=True, heal=False),
                workshop=workshop,
                connection=connection,
                place=Place(site_root=settings.site_root),
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
    settings: Settings,
    connection: Connection[Any],
    nodes: Sequence[NodeRow],
    desired: dict[tuple[str, str], tuple[str, tuple[str, ...]]],
) -> list[AppStatus]:
    runs = record.latest(connection)
    states = []
    for node in nodes:
        waiting = change.waiting(connection, node.id)
        here = (settings.site_root / node.id).is_dir()
        for app in node.apps:
            queued = [group for group in waiting.groups if app in group.apps]
            oldest = min((group.oldest for group in queued), default=None)
            last = runs.get((node.id, app))
            wanted, held_back = desired.get((node.id, app), (_UNKNOWN, ()))
            live = release.live(settings.site_root, node.id, app) if here else None
            states.append(
                AppStatus(
                    node=node.id,
                    app=app,
                    desired=wanted,
                    built=last.built if last else None,
                    served=live.build_hash if live else (None if here else _UNKNOWN),
                    pinned=release.pinned(settings.site_root, node.id, app) if here else None,
                    held_back=held_back,
                    waiting=sum(group.waits for group in queued),
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


def as_text(states: Sequence[AppStatus], now: datetime, *, color: bool = False) -> str:
    """A table, nodes one under the other; an app that two nodes share stands in the same order."""
    header = ("node", "app", "state", "should be", "built", "served", "waiting", "last run")
    rows = [header, *(_row(state, now) for state in states)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = []
    for row, state in zip(rows, [None, *states], strict=True):
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        if color and state is not None:
            cells[2] = typer.style(cells[2], fg=_color(state))
        lines.append("  ".join(cells).rstrip())
    if any(_UNKNOWN in (state.served, state.desired) for state in states):
        lines.append("? is not known here: another machine serves it, or --quick left it out")
    return "\n".join(lines)


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
