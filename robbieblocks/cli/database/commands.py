"""`robbieblocks db`: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from robbieblocks.cli.options import DatabaseUrl, DryRun, ResultFormat

db = typer.Typer(
    name="db",
    help="The database: its schema, the demo's content, and psql.",
    no_args_is_help=True,
)


Unified = Annotated[
    bool, typer.Option("--unified", help="All files of the unified schema, not ours alone.")
]

WithoutVectors = Annotated[
    bool,
    typer.Option("--without-vectors", help="Leave out the file that needs the extension vector."),
]


@db.command("init")
def db_init(
    demo: Annotated[
        bool, typer.Option("--demo", help="Add the demo's components, pages, tokens and nodes.")
    ] = False,
    unified: Unified = False,
    without_vectors: WithoutVectors = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Create the schema, or bring an earlier one up to date; adds no content but with --demo.

    Changes tables, functions and triggers of the database, and no row that is there.

    Example: robbieblocks db init --demo
    """
    from robbieblocks.cli.database import database as command

    command.upgrade(database_url, demo=demo, unified=unified, vectors=not without_vectors)


@db.command("verify")
def db_verify(
    unified: Unified = False,
    without_vectors: WithoutVectors = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Compare the database's schema with the one this version needs. Changes nothing.

    Example: robbieblocks db verify
    """
    from robbieblocks.cli.database import database as command

    command.verify(database_url, unified=unified, vectors=not without_vectors)


@db.command("upgrade")
def db_upgrade(
    unified: Unified = False,
    without_vectors: WithoutVectors = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring an earlier schema up to date and say what changed.

    Changes tables, functions and triggers of the database, and no row that is there.

    Example: robbieblocks db upgrade
    """
    from robbieblocks.cli.database import database as command

    command.upgrade(database_url, unified=unified, vectors=not without_vectors)


@db.command("test", context_settings={"ignore_unknown_options": True})
def db_test(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGS...", help="What psql gets, such as -v and a variable."),
    ] = None,
    earlier: Annotated[
        Path | None,
        typer.Option(
            help="A dump, as text, of a database to try the files on.", show_default=False
        ),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            help="Copy this database, which has the extensions, for each trial.", show_default=False
        ),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Try every file of the unified schema: over nothing, alone, again, over an earlier database.

    It makes databases on the server for that, for which the role needs CREATEDB, and drops them.
    Changes no database that is there. Exits with 1 where a file fails.

    Example: robbieblocks db test --earlier backup.sql
    """
    from robbieblocks.cli.database import psql as command

    command.test_schema(arguments or (), database_url, earlier=earlier, template=template)


@db.command("analyze")
def db_analyze(format_: ResultFormat = "text", database_url: DatabaseUrl = None) -> None:
    """Say what may make the database slow: indexes, bloat, vacuum, caches, slow statements.

    Each finding has its numbers and a remedy. Changes nothing.

    Example: robbieblocks db analyze --format json
    """
    from robbieblocks.cli.database import maintenance as command

    command.analyze(database_url, format_)


@db.command("maintain")
def db_maintain(
    cadence: Annotated[
        Literal["daily", "weekly", "monthly"],
        typer.Argument(help="Which tasks; each has its own."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")
    ] = False,
    keep_audit_months: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="With monthly: drop the audit log's months before these. Default: keep all.",
            show_default=False,
        ),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Do the regular tasks that keep the database fast, as the owner of its tables.

    Changes partitions of the audit log, materialized views and indexes, and vacuums and analyzes
    tables; no row changes, and none goes but with --keep-audit-months. Exits with 3 where a task
    failed, or another session maintains the database.

    Example: robbieblocks db maintain weekly --dry-run
    """
    from robbieblocks.cli.database import maintenance as command

    command.maintain(database_url, cadence, keep_audit_months=keep_audit_months, dry_run=dry_run)


@db.command("migrate-legacy")
def db_migrate_legacy(
    archive: Annotated[
        str, typer.Option("--archive", help="The schema with the tables of the archive.")
    ] = "legacy",
    town: Annotated[
        str | None,
        typer.Option(help="The town that gets the rows. Default: none.", show_default=False),
    ] = None,
    dry_run: DryRun = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Take users, conversations, sticky notes and moods from an archive into the unified schema.

    Prints the rows in and out of each table, and each row that is refused with its reason; may be
    repeated. Changes rows of the unified schema alone: none that is there, but for moods. Exits
    with 3 where rows are refused.

    Example: robbieblocks db migrate-legacy --town aurora --dry-run
    """
    from robbieblocks.cli.database import psql as command

    command.migrate_legacy(database_url, archive=archive, town=town, dry_run=dry_run)


@db.command("psql", context_settings={"ignore_unknown_options": True})
def db_psql(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(metavar="ARGS...", help="What psql gets: its options, as psql has them."),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Open psql on the database, and keep the embedded server running meanwhile.

    Exits with psql's code. Changes what you tell psql to change: workers publish it, and
    `robbieblocks build` does.

    Example: robbieblocks db psql -c "SELECT page_key FROM robbieblocks_pages"
    """
    from robbieblocks.cli.database import psql as command

    command.run(arguments or (), database_url)


@db.command("url")
def db_url(
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the embedded server running until Ctrl-C.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the database's URL for other programs, with the password if the address has one.

    The embedded server stops with the last command that uses it, unless --keep holds it.
    Changes nothing.

    Example: robbieblocks db url --keep
    """
    from robbieblocks.cli.database import psql as command

    command.url(database_url, keep=keep)
