"""`robbieblocks templates`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

templates = typer.Typer(
    name="templates",
    help="The project's own layouts and base styles.",
    no_args_is_help=True,
)


@templates.callback()
def _group() -> None:
    """Without it, the group's only command would be the group."""


@templates.command("copy")
def templates_copy(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME...", help="A file by its path in the package's templates."),
    ],
) -> None:
    """Copy templates of the package into the project, to be changed there.

    The first line notes what each was copied from: `robbieblocks doctor` tells when the package's
    has changed since. Changes the project's templates/ only, and no file that is there.

    Example: robbieblocks templates copy layouts/_footer.html.j2
    """
    from robbieblocks.cli.content import templates as command

    command.copy(names)
