"""`robbieblocks bisect`."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Literal

import typer

from robbieblocks import history, review
from robbieblocks.cli import session
from robbieblocks.cli.history.changes import as_object
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.history import Search
from robbieblocks.messages import printable, visible_line
from robbieblocks.pipeline import BuildContext
from robbieblocks.settings import Settings


def run(
    page: str,
    command: str,
    *,
    nodes: tuple[str, ...],
    format_: Literal["text", "json"],
    database_url: str | None,
) -> None:
    """Find the change that broke a page, and print it; exit 1 where several can't be told apart."""
    try:
        argv = shlex.split(command)
    except ValueError as error:
        raise UsageError(f"--run {printable(command)} can't be read: {error}") from None
    if not argv:
        raise UsageError("--run is empty: name a program, such as --run 'grep -q Deal page'")
    settings = Settings.from_environment(database_url=database_url)
    with (
        session.opened(settings) as connection,
        BuildContext.open(settings, print_progress) as context,
    ):
        found = history.bisect(
            Search(page=page, command=argv, nodes=nodes),
            connection=connection,
            context=context,
            now=datetime.now(UTC),
            progress=print_progress,
        )
    if format_ == "json":
        changes = list(map(as_object, found.changes))
        told = {"changes": changes, "runs": found.runs, "states": found.states}
        print_result(as_json({"version": 1, "bisected": told}))
    else:
        for change in found.changes:
            differs = history.difference(change)
            said = "is the first bad one" if len(found.changes) == 1 else "may be the first bad one"
            print_result(
                visible_line(
                    f"change {str(change.id)[:8]} {said}: {change.at:%Y-%m-%d %H:%M:%S}Z, "
                    f"by {change.by or '(unknown)'}"
                )
            )
            print_result(review.row_text(differs) if differs else visible_line(change.key))
    if len(found.changes) != 1:
        raise typer.Exit(1)
