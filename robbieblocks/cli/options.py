"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="libpq URL or conninfo. Default: ROBBIEBLOCKS_DATABASE_URL, then the PG* variables, "
        "then robbieblocks.toml, then an embedded Postgres in .robbieblocks/.",
        show_default=False,
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
