"""The commands `preview` and `preview-comment`, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from robbieblocks.cli.options import Apps, DatabaseUrl, Drafts, Nodes, Pages


def preview(
    against: Annotated[
        str,
        typer.Option(
            metavar="REF|live|FOLDER",
            help="What to compare with: a git revision of this project, the rows of the database "
            "(live), or another project's or export's folder.",
        ),
    ] = "HEAD",
    page: Pages = None,
    app_: Apps = None,
    node: Nodes = None,
    drafts: Drafts = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="With --against live: without imported rows whose files are gone."
        ),
    ] = False,
    format_: Annotated[
        Literal["text", "json", "markdown", "html"],
        typer.Option("--format", help="Form of the result."),
    ] = "text",
    out: Annotated[
        Path | None,
        typer.Option(
            help="A new folder for the report, and the pages before and after, to look at."
        ),
    ] = None,
    comment_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write a pull request's comment too, in Markdown; empty where nothing changes.",
            show_default=False,
        ),
    ] = None,
    screenshots: Annotated[
        bool,
        typer.Option(
            "--screenshots",
            help="Pictures of pages that differ, before and after, on a phone and a desktop. Needs "
            "robbieblocks[pictures] and a Chromium.",
        ),
    ] = False,
    pictures_url: Annotated[
        str,
        typer.Option(
            metavar="URL",
            help="Where the folder of --out will be seen: Markdown then shows the pictures.",
            show_default=False,
        ),
    ] = "",
    no_sandbox: Annotated[
        bool,
        typer.Option(
            "--no-sandbox",
            help="Take pictures without the browser's sandbox: scripts of pages that break out of "
            "the browser then have your rights.",
        ),
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Show what the project's files change for visitors, on which node, and why.

    Both sites are really built, in memory. Changes nothing: neither rows nor sites nor the git
    repository. Only --against live uses a database, and only reads it.

    Example: robbieblocks preview --against main --format markdown
    """
    from robbieblocks.cli import ahead
    from robbieblocks.settings import Settings

    settings = Settings.from_environment(database_url=database_url)
    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli.previewing import preview as command
        from robbieblocks.review import Asked

        asked = Asked(
            against=against,
            pages=tuple(page or ()),
            apps=tuple(app_ or ()),
            nodes=tuple(node or ()),
            drafts=drafts,
            prune=prune,
        )
        shown = command.Shown(
            form=format_,
            out=out,
            comment_file=comment_file,
            screenshots=screenshots,
            sandbox=not no_sandbox,
            pictures_url=pictures_url,
        )
        command.run(asked, shown, settings, prerenderer)


def preview_comment(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="What preview --comment-file wrote; an empty one says that nothing changes.",
        ),
    ] = None,
    state: Annotated[
        Literal["building", "failed", "closed"] | None,
        typer.Option(
            help="Instead of a file: that the preview is being built, has failed, or is gone with "
            "the closed request. Alters a comment that is there, and makes none.",
            show_default=False,
        ),
    ] = None,
    link: Annotated[
        str, typer.Option(metavar="URL", help="Where the pages of the preview can be seen.")
    ] = "",
    environment: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Tell the state of a deployment too: that of NAME-<number>."
        ),
    ] = "",
    repository: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="Default: GITHUB_REPOSITORY.", show_default=False),
    ] = None,
    pull_request: Annotated[
        int | None,
        typer.Option(
            metavar="NUMBER", help="Default: that of GitHub Actions' event.", show_default=False
        ),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option(
            metavar="COMMIT",
            help="The request's commit that was previewed. Default: that of the event.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say in one comment of a pull request on GitHub what it changes.

    Changes that comment alone, and with --environment the state of a deployment. The token is that
    of GITHUB_TOKEN; without one, nothing is done. A run of an older commit says nothing.

    Example: robbieblocks preview-comment comment.md --environment preview
    """
    from robbieblocks.cli.previewing import preview_comment as command
    from robbieblocks.pull_request import PullRequest

    command.run(
        file,
        state,
        lambda variables: PullRequest.given(
            variables, repository=repository, number=pull_request, head=head
        ),
        link=link,
        environment=environment,
    )
