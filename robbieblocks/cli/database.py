"""`robbieblocks db ...`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from robbieblocks.cli import session
from robbieblocks.cli.output import print_result
from robbieblocks.database import schema
from robbieblocks.settings import Settings


def upgrade(database_url: str | None) -> None:
    """Apply the schema and print what this made, or each change to what was there."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        done = schema.upgrade(connection, settings.schema)
    if done.created:
        print_result(f"created the schema: {done.summary}")
        print_result(
            "next: `robbieblocks db seed` for the content that comes along, or insert yours"
        )
    else:
        for change in done.changes:
            print_result(change)
        print_result(f"{len(done.changes)} changed" if done.changes else "the schema is up to date")
    if done.remaining:
        _print(done.remaining)
        raise typer.Exit(1)


def _print(differences: Iterable[schema.Difference]) -> None:
    for difference in differences:
        print_result(str(difference))


def verify(database_url: str | None) -> None:
    """Print each difference from the needed schema; exit 1 where there is one."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        differences = schema.verify(connection)
    _print(differences)
    if differences:
        raise typer.Exit(1)
    print_result("the schema is as it should be")


def seed(database_url: str | None, folder: Path | None) -> None:
    """Upsert the seed content and print what was written."""
    # This import takes long, and no other command of this module needs it.
    from robbieblocks import content

    settings = Settings.from_environment(database_url=database_url)
    found = content.load(folder or settings.schema / "content", settings.node_branding)
    with session.opened(settings) as connection:
        counts = content.seed(connection, found)
    print_result(str(counts))
