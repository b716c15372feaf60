"""`robbieblocks tokens ...`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from robbieblocks import content
from robbieblocks.cli import session
from robbieblocks.cli.content.content import Form, print_import, sides
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.content import Content, RowName
from robbieblocks.settings import Settings


def export(file: Path | None, *, database_url: str | None) -> None:
    """Print the tokens as a design token file, or write it."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        found = content.stored(connection)
    if file is None:
        print_result(as_json(content.design_tokens(found.content.tokens)))
    else:
        changed = content.export_design_tokens(found, file)
        print_result(f"{'wrote ' if changed else 'as it was '} {file}")


def import_(
    file: Path,
    *,
    dry_run: bool,
    theirs: Iterable[str],
    ours: Iterable[str],
    format_: Form,
    database_url: str | None,
) -> None:
    """Merge a design token file into the tokens; exit 1 where one is in conflict or left out."""
    side = sides(theirs, ours)
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        held = content.stored(connection).only("token")
        rows = held.content.tokens
        found = content.read_design_tokens(file, {row.key: row.category for row in rows})
        names = (RowName("token", row.key) for row in found.tokens)
        side.check((*names, *held.content.rows(), *held.unreadable))
        merged = content.import_(
            connection,
            Content(tokens=found.tokens),
            side=side,
            dry_run=dry_run,
            only="token",
            source="design tokens",
        )
    for problem in found.problems:
        print_progress(str(problem))
    in_file = (row for row in merged if row.theirs is not None)
    print_import(in_file, dry_run=dry_run, format_=format_)
    if any(problem.severity == "error" for problem in found.problems):
        raise typer.Exit(1)
