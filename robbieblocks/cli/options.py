"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids, page_keys

Pages = Annotated[
    list[str] | None,
    typer.Option(autocompletion=page_keys, help="Only this page (by page_key); repeatable."),
]
Apps = Annotated[
    list[str] | None, typer.Option("--app", help="Only this app namespace; repeatable.")
]
Nodes = Annotated[
    list[str] | None,
    typer.Option(autocompletion=node_ids, help="Only this node; repeatable. Default: all."),
]
Drafts = Annotated[
    bool, typer.Option("--drafts", help="Draft pages and unpublished components too.")
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="libpq URL or conninfo. Default: ROBBIEBLOCKS_DATABASE_URL, then the PG* variables, "
        "then robbieblocks.toml, then an embedded Postgres in .robbieblocks/.",
        show_default=False,
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")
]
PruneFiles = Annotated[bool, typer.Option("--prune", help="Remove files in which no row is kept.")]
PruneRows = Annotated[
    bool, typer.Option("--prune", help="Remove imported rows whose files are gone.")
]
CheckDifferences = Annotated[
    bool, typer.Option("--check", help="Exit 1 where the files and the rows differ.")
]
Theirs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ROW",
        help="Let the file win this row's conflict: page/KEY, component/KEY, token/KEY, node/ID, "
        "or all; repeatable.",
    ),
]
Ours = Annotated[
    list[str] | None,
    typer.Option(metavar="ROW", help="Let the database win this row's conflict; repeatable."),
]
KeptFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--theirs",
        metavar="ROW",
        help="Keep this row's edited file: page/KEY, component/KEY, token/KEY, node/ID, or all; "
        "repeatable.",
    ),
]
ReplacedFiles = Annotated[
    list[str] | None,
    typer.Option(
        "--ours", metavar="ROW", help="Overwrite this row's edited file; all for each; repeatable."
    ),
]
ResultFormat = Annotated[
    Literal["text", "json"], typer.Option("--format", help="Form of the result.")
]
Embedded = Annotated[
    bool, typer.Option("--embedded", help="Use the embedded Postgres where none is named.")
]
CreateRoot = Annotated[
    bool, typer.Option("--create-root", help="At its start, make the site root if it is missing.")
]
Adopt = Annotated[
    bool,
    typer.Option("--adopt", help="Let this database take over a site root of another database."),
]
