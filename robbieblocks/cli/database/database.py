"""`robbieblocks db ...`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer
from psycopg import Connection

from robbieblocks.cli import session
from robbieblocks.cli.output import print_result
from robbieblocks.database import embedded, schema
from robbieblocks.settings import Settings, resource_dir

if TYPE_CHECKING:
    from robbieblocks.content import RowMerge


def upgrade(
    database_url: str | None, *, demo: bool = False, unified: bool = False, vectors: bool = True
) -> None:
    """Apply the schema and print what this made, or each change to what was there.

    With `demo` add the demo content. With `unified` apply every file of the unified schema, but
    without `vectors` the one that needs pgvector, and print what is not sound in it.
    The embedded database gets pgvector.
    """
    settings = Settings.from_environment(database_url=database_url)
    with session.located(settings) as located, session.opened(located) as connection:
        if unified and vectors and located is not settings:
            embedded.install_extension(connection.info.dsn, "vector")
        # The schema file seeds new tables for those who apply it with psql alone.
        connection.execute("SET robbieblocks.demo = 'off'")
        done = schema.upgrade(connection, settings.schema, unified=unified, vectors=vectors)
        merged = _with_demo(connection, settings) if demo else ()
        found = schema.unsound(connection, vectors=vectors) if unified else ()
    if done.created:
        print_result(f"created the schema: {done.summary}")
        if not demo:
            print_result("next: `robbieblocks content import` for yours, or `db init --demo`")
    else:
        for change in done.changes:
            print_result(change)
        print_result(f"{len(done.changes)} changed" if done.changes else "the schema is up to date")
    if demo:
        _print_demo(merged)
    if done.remaining or found:
        _print((*done.remaining, *found))
        raise typer.Exit(1)
    if unified:
        without = "" if vectors else " but the one that needs pgvector"
        print_result(f"every file of the unified schema{without} is applied")


def _with_demo(connection: Connection, settings: Settings) -> tuple[RowMerge, ...]:
    # This import takes long, and no other command of this module needs it.
    from robbieblocks import content

    demo = content.load(settings.schema / "content", resource_dir("node_branding"))
    return content.import_(connection, demo)


def _print_demo(merged: tuple[RowMerge, ...]) -> None:
    conflicts = [str(row.name) for row in merged if row.action == "conflict"]
    if conflicts:
        print_result(
            f"the demo content was not added: other rows have the keys {', '.join(conflicts)}"
        )
        raise typer.Exit(1)
    added = sum(row.action in ("add", "update") for row in merged)
    print_result(f"the demo content: {added} rows written")


def _print(differences: Iterable[schema.Difference | str]) -> None:
    for difference in differences:
        print_result(str(difference))


def verify(database_url: str | None, *, unified: bool = False, vectors: bool = True) -> None:
    """Print each difference from the needed schema; exit 1 where there is one.

    With `unified` also print what is missing or not sound in the unified schema; without `vectors`
    the tables that need pgvector may be missing.
    """
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        differences: list[schema.Difference | str] = [*schema.verify(connection)]
        if unified:
            differences += schema.unsound(connection, vectors=vectors)
    _print(differences)
    if differences:
        raise typer.Exit(1)
    print_result("the schema is as it should be")
