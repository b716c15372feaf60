"""`robbieblocks changes list`, `show` and `undo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Literal

from robbieblocks import history, review
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.errors import UsageError
from robbieblocks.history import ENTITIES, Asked, Change
from robbieblocks.messages import counted, listed, visible_line
from robbieblocks.pipeline import read_instant
from robbieblocks.settings import Settings

Form = Literal["text", "json"]

_MARKS: Final = {"added": "+", "removed": "-", "changed": "~", "touched": "?"}


def chosen_row(given: Mapping[str, str | None]) -> tuple[str | None, str | None]:
    """The entity and key of the one row that is named; None and None for all."""
    named = [(entity, key) for entity, key in given.items() if key is not None]
    if len(named) > 1:
        options = " and ".join(f"--{ENTITIES[entity]}" for entity, _ in named)
        raise UsageError(f"{options} name two rows: name one, or list all with --since")
    return named[0] if named else (None, None)


def list_(
    row: tuple[str | None, str | None],
    *,
    since: str | None,
    by: str | None,
    limit: int,
    format_: Form,
    database_url: str | None,
) -> None:
    """Print changes, the newest first."""
    asked = Asked(
        entity=row[0],
        key=row[1],
        since=None if since is None else read_instant(since),
        by=by,
        limit=limit,
    )
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        found = history.changes(connection, asked)
    if format_ == "json":
        print_result(as_json({"version": 1, "changes": list(map(as_object, found))}))
    elif not found:
        print_result("no change: the journal keeps 30 days of what is published")
    else:
        print_result("\n".join(aligned([_line(change) for change in found])))
        if len(found) == limit:
            print_result(f"{limit} shown; --limit shows more")


def show(id_: str, *, format_: Form, database_url: str | None) -> None:
    """Print one change."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        change = history.change(connection, id_)
    if format_ == "json":
        print_result(as_json({"version": 1, "change": as_object(change)}))
    else:
        print_result("\n".join(_told(change)))


def undo(id_: str, *, dry_run: bool, format_: Form, database_url: str | None) -> None:
    """Write a row back as it was before a change, and print what that does."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        change = history.change(connection, id_)
        history.undo(connection, change, dry_run=dry_run)
    if format_ == "json":
        print_result(as_json({"version": 1, "dry_run": dry_run, "undone": as_object(change)}))
        return
    said = "would undo" if dry_run else "undone"
    print_result(f"{said}: change {str(change.id)[:8]} of {_name(change)}")
    found = history.difference(replace(change, before=change.after, after=change.before))
    if found is not None:
        print_result(review.row_text(found))


def as_object(change: Change) -> dict[str, object]:
    """The stable form that `--format json` prints; docs/output.md describes it."""
    found = history.difference(change)
    differs = review.row_object(found) if found else None
    return {
        "id": str(change.id),
        "at": change.at.isoformat(),
        "by": change.by,
        "entity": ENTITIES.get(change.entity, change.entity),
        "entity_id": str(change.entity_id),
        "key": change.key,
        "action": change.action,
        "fields": differs["fields"] if differs else [],
        "before": change.before,
        "after": change.after,
        "processed": change.processed,
        "runs": [
            {
                "id": str(run.run),
                "node": run.node,
                "app": run.app,
                "status": run.status,
                "build_hash": run.build_hash,
                "at": run.at.isoformat(),
            }
            for run in change.runs
        ],
    }


def _name(change: Change) -> str:
    return f"{ENTITIES.get(change.entity, change.entity)} {change.key}"


def _line(change: Change) -> tuple[str, ...]:
    return (
        str(change.id)[:8],
        f"{change.at:%Y-%m-%d %H:%M:%S}Z",
        f"{_MARKS[change.action]} {_name(change)}",
        change.by or "(unknown)",
        _went_out(change),
    )


def _went_out(change: Change) -> str:
    good = [run for run in change.runs if run.status == "success"]
    if good:
        nodes = sorted({run.node or "(no node)" for run in good})
        return f"out on {listed(nodes, 3)}"
    if change.runs:
        return f"in {counted(len(change.runs), 'run')}, not out"
    return "handled" if change.processed else "waits"


def _told(change: Change) -> list[str]:
    lines = [
        f"change {change.id}",
        f"at {change.at:%Y-%m-%d %H:%M:%S}Z, by {visible_line(change.by or '(unknown)')}",
    ]
    found = history.difference(change)
    if found is not None:
        lines.append(review.row_text(found))
    elif change.kept:
        lines.append(f"{visible_line(_name(change))}: as it was")
    else:
        lines.append(f"{visible_line(_name(change))}: the journal has not kept what was done to it")
    lines += [
        visible_line(
            f"run {str(run.run)[:8]}: {run.status}, {run.app} on {run.node}, "
            f"{run.at:%Y-%m-%d %H:%M:%S}Z, release {run.build_hash[:12]}"
        )
        for run in change.runs
    ]
    if not change.runs:
        lines.append("no run yet: it waits" if not change.processed else "no run names it")
    return lines
