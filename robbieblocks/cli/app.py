"""The commands and their options.

Each command imports what it needs when it runs, so that `--help` and small commands start fast.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from typer.core import TyperGroup

from robbieblocks.cli.check_command import check, types
from robbieblocks.cli.completion import node_ids, page_keys
from robbieblocks.cli.content_commands import branding, content
from robbieblocks.cli.db_commands import db
from robbieblocks.cli.history_commands import bisect, changes, deploys, why
from robbieblocks.cli.operator_commands import doctor, prune, status, systemd, webserver
from robbieblocks.cli.options import Adopt, Apps, DatabaseUrl
from robbieblocks.cli.output import discard_output, print_progress, print_result
from robbieblocks.cli.pin_commands import hold, pin, release, rollback, unpin
from robbieblocks.cli.preview_command import preview, preview_comment
from robbieblocks.cli.running_commands import serve, worker
from robbieblocks.cli.secrets_commands import secrets
from robbieblocks.cli.templates_commands import templates
from robbieblocks.cli.tokens_commands import tokens


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
app.add_typer(db)
app.add_typer(content)
app.add_typer(templates)
app.add_typer(branding)
app.add_typer(tokens)
app.add_typer(secrets)


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


@app.command()
def build(
    page: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=page_keys, help="Publish this page alone (by page_key); repeatable."
        ),
    ] = None,
    app_: Apps = None,
    node: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=node_ids,
            help="Only this node; repeatable. Default: every node that enables the app.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write neither rows nor site.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="With --dry-run: write a browsable copy into this folder.")
    ] = None,
    drafts: Annotated[
        bool,
        typer.Option(
            "--drafts", help="With --dry-run: draft pages and unpublished components too."
        ),
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --dry-run: as it will be then, such as 2026-12-24T18:00+01:00.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A page with an error stops its whole app.")
    ] = False,
    approve: Annotated[
        list[str] | None,
        typer.Option(
            help="Publish only if the plan has this hash, which preview or a held run tells: "
            "the whole plan's, or a run's; repeatable."
        ),
    ] = None,
    adopt: Adopt = False,
    format_: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--format", help="Form of the result.")
    ] = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Build pages and publish them to their nodes.

    Changes the site root, and the history of runs in the database; with --dry-run nothing.

    Example: robbieblocks build --page robbie-play-home --node vengeance-local
    """
    from robbieblocks.cli import ahead
    from robbieblocks.settings import Settings

    settings = Settings.from_environment(database_url=database_url)
    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli import build as command
        from robbieblocks.pipeline import Request, read_instant

        request = Request(
            pages=tuple(page or ()),
            apps=tuple(app_ or ()),
            nodes=tuple(node or ()),
            dry_run=dry_run,
            out=out,
            drafts=drafts,
            at=None if at is None else read_instant(at),
            strict=strict,
            approved=tuple(approve or ()),
        )
        command.run(request, format_, settings, prerenderer, adopt=adopt)


@app.command()
def dev(
    node: Annotated[
        list[str] | None,
        typer.Option(autocompletion=node_ids, help="Show this node; repeatable. Default: all."),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port of the first node; the others take the next ones.")
    ] = 8000,
    database_url: DatabaseUrl = None,
) -> None:
    """Show what is saved in the browser, at once: drafts too, and every node on a port of its own.

    Changes rows in the database, as `content import` does, when a file is saved; publishes nothing.

    Example: robbieblocks dev --node vengeance-local
    """
    from robbieblocks.cli import dev as command

    command.run(nodes=node or [], port=port, database_url=database_url)


_COMMANDS = (
    serve,
    worker,
    preview,
    preview_comment,
    check,
    types,
    status,
    why,
    bisect,
    rollback,
    pin,
    unpin,
    hold,
    release,
    doctor,
    prune,
    systemd,
    webserver,
)
for each in _COMMANDS:
    app.command()(each)
