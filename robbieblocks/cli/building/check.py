"""`robbieblocks check`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import typer

from robbieblocks import checks
from robbieblocks.checks import Checked, Finding
from robbieblocks.cli import session
from robbieblocks.cli.building.findings import ReportedFinding, as_annotations, as_object, as_text
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.content import ContentPlaces, media_objects, outdated
from robbieblocks.pipeline import BuildContext, Request, inspect
from robbieblocks.prerender import Prerenderer
from robbieblocks.settings import Settings


def run(
    request: Request,
    format_: Literal["text", "json", "github"],
    settings: Settings,
    prerenderer: Prerenderer,
) -> None:
    """Check, print what was found, and exit with 1 where an error is among it."""
    with (
        session.opened(settings) as connection,
        BuildContext.open(settings, print_progress, prerenderer=prerenderer) as context,
    ):
        inspection = inspect(
            request,
            context=context,
            connection=connection,
            clock=lambda: datetime.now(UTC),
            progress=print_progress,
        )
        old = outdated(connection, settings.content, settings.node_branding)
        objects = media_objects(connection)
    findings = checks.run(
        Checked(
            inspection=inspection,
            settings=settings,
            progress=print_progress,
            request=request,
            outdated=old,
            objects=objects,
        )
    )
    places = ContentPlaces(settings.content, settings.node_branding, *settings.templates)
    project = settings.project.parent if settings.project else Path.cwd()
    report = [ReportedFinding.of(each, places, project) for each in findings]
    if format_ == "json":
        print_result(as_json(as_object(report)))
    else:
        print_result((as_annotations if format_ == "github" else as_text)(report))
    raise typer.Exit(_exit_code(findings))


def _exit_code(findings: Sequence[Finding]) -> int:
    return 1 if any(each.problem.severity == "error" for each in findings) else 0
