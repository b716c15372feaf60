"""`robbieblocks build`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import typer

from robbieblocks.cli import session
from robbieblocks.cli.asking import asking_account, reason_of
from robbieblocks.cli.building.render import as_markdown, as_text
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import BreakGlass, BuildContext, Request, Site, build
from robbieblocks.prerender import Prerenderer
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings


def break_glass(*, during_freeze: bool, reason: str | None) -> BreakGlass | None:
    """Who wants to publish during a freeze, and why. Raises UsageError for half of it."""
    if not during_freeze:
        if reason is not None:
            raise UsageError("--reason goes with --during-freeze: add it, or leave the reason out")
        return None
    if reason is None:
        raise UsageError("--during-freeze needs --reason: why can it not wait?")
    return BreakGlass(who=asking_account(), why=reason_of(reason))


def run(
    request: Request,
    format_: Literal["text", "json", "markdown"],
    settings: Settings,
    prerenderer: Prerenderer,
    *,
    adopt: bool,
) -> None:
    """Build, print the result, and exit with its code."""
    if request.out is not None and not request.dry_run:
        raise UsageError("--out writes a preview and goes with --dry-run: add --dry-run")
    if (request.drafts or request.at is not None) and not request.dry_run:
        raise UsageError(
            "--drafts and --at show what is not published yet, and go with --dry-run: add it"
        )
    with (
        session.opened(settings) as connection,
        BuildContext.open(settings, print_progress, prerenderer=prerenderer) as context,
    ):
        report = build(
            request,
            context=context,
            connection=connection,
            site=Site(
                root=SiteRoot.of(settings),
                addresses=settings.addresses,
                create=True,
                adopt=adopt,
                freeze_windows=settings.freeze_windows,
            ),
            clock=lambda: datetime.now(UTC),
            progress=print_progress,
        )
    if format_ == "json":
        print_result(as_json(report.as_json()))
    else:
        render = as_markdown if format_ == "markdown" else as_text
        print_result(render(report))
    raise typer.Exit(report.exit_code)
