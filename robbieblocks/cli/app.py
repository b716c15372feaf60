"""The commands and their options.

Each command imports what it needs when it runs, so that `--help` and small commands start fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from robbieblocks.cli.building.commands import build, check, types
from robbieblocks.cli.content.collections_commands import collections
from robbieblocks.cli.content.commands import branding, content
from robbieblocks.cli.content.templates_commands import templates
from robbieblocks.cli.content.tokens_commands import tokens
from robbieblocks.cli.database.commands import db
from robbieblocks.cli.database.secrets_commands import secrets
from robbieblocks.cli.events.commands import events
from robbieblocks.cli.forms.commands import forms
from robbieblocks.cli.history.commands import audit, bisect, changes, deploys, why
from robbieblocks.cli.media.commands import media
from robbieblocks.cli.operating.bucket_commands import bucket
from robbieblocks.cli.operating.commands import (
    doctor,
    gc,
    prune,
    status,
    systemd,
    toolchain,
    webserver,
)
from robbieblocks.cli.output import discard_output, print_progress, print_result
from robbieblocks.cli.pinning.commands import (
    freeze,
    hold,
    pin,
    release,
    rollback,
    unfreeze,
    unpin,
)
from robbieblocks.cli.previewing.commands import preview, preview_comment
from robbieblocks.cli.running.commands import dev, serve, worker
from robbieblocks.cli.sync.commands import sync


class Commands(TyperGroup):
    """The commands, and how each ends when it is interrupted or nobody reads its output."""

    # `ctx` is click's Context: click is a dependency of typer, and not of this package.
    def invoke(self, ctx: Any) -> object:
        """Run the chosen command; typer alone prints nothing on Ctrl-C, and fails on `| head`."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            print_progress("interrupted: nothing more was changed")
            raise typer.Exit(130) from None
        except BrokenPipeError:
            discard_output()
            raise typer.Exit(0) from None


app = typer.Typer(
    name="robbieblocks",
    cls=Commands,
    help="React pages kept in Postgres, published by themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(changes)
app.add_typer(deploys)
app.add_typer(events)
app.add_typer(forms)
app.add_typer(db)
app.add_typer(content)
app.add_typer(collections)
app.add_typer(templates)
app.add_typer(branding)
app.add_typer(tokens)
app.add_typer(secrets)
app.add_typer(media)
app.add_typer(bucket)
app.add_typer(sync)


def _version(asked: bool) -> None:
    if asked:
        from robbieblocks.cli.version import version

        print_result(f"robbieblocks {version()}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """React pages kept in Postgres, published by themselves."""


@app.command()
def new(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to make it: a new folder, or an empty one.")
    ],
    app_: Annotated[
        str | None,
        typer.Option("--app", help="The site's app: the first part of its pages' address."),
    ] = None,
    node: Annotated[
        list[str] | None, typer.Option(help="A node that shows it; repeatable.")
    ] = None,
) -> None:
    """Make a project: settings, a first page with a component, tokens, and each node's branding.

    Asks for the names that no option gives. Changes no folder that has files, and no database.

    Example: robbieblocks new mysite --app site --node day --node night
    """
    from robbieblocks.cli import new as command

    command.run(folder=folder, app=app_, nodes=node or ())


_COMMANDS = (
    build,
    dev,
    serve,
    worker,
    preview,
    preview_comment,
    check,
    types,
    status,
    audit,
    why,
    bisect,
    rollback,
    pin,
    unpin,
    hold,
    release,
    freeze,
    unfreeze,
    doctor,
    toolchain,
    gc,
    prune,
    systemd,
    webserver,
)
for each in _COMMANDS:
    app.command()(each)
