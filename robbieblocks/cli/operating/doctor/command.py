"""Prints what was found: version, project and settings, and then what the other modules find."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import asdict
from typing import Literal

import typer

from robbieblocks.cli.operating.doctor import kept, machine, site_root, stored, web_server
from robbieblocks.cli.operating.doctor.findings import Finding, failed, guarded, note, ok
from robbieblocks.cli.operating.given import given, misspelt
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.version import version
from robbieblocks.errors import UsageError
from robbieblocks.settings import PROJECT_FILE, Settings


def run(*, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print what was found, and exit with 1 where something is broken."""
    try:
        settings = Settings.from_environment(database_url=database_url)
    except UsageError as error:
        found, known = [failed("settings", error, f"correct {PROJECT_FILE}")], []
    else:
        found, known = list(_findings(settings)), given(settings, database_url)
    if format_ == "json":
        findings = [asdict(each) for each in found]
        values = [asdict(each) for each in known]
        print_result(as_json({"version": 1, "settings": values, "findings": findings}))
    else:
        print_result("\n".join((*map(str, found), "", *map(str, known))).rstrip())
        print_progress("what nodes serve, and should serve: robbieblocks status --check")
    if any(each.state == "broken" for each in found):
        raise typer.Exit(1)


def _findings(settings: Settings) -> Iterator[Finding]:
    yield ok("version", f"RobbieBlocks {version()}, Python {platform.python_version()}")
    yield _project(settings)
    for variable, meant in misspelt():
        yield note("settings", f"{variable} is set, and is no setting", f"did you mean {meant}?")
    identity = stored.Identity()
    yield from guarded("database", stored.look(settings, identity))
    yield from guarded("site root", site_root.look(settings, identity.known))
    yield from guarded("clock", machine.clock())
    yield from guarded("web server", web_server.look(settings))
    yield from guarded("health", machine.health(settings))
    yield from guarded("events", machine.told(settings))
    yield from guarded("systemd", machine.units(settings))
    yield from guarded("toolchain", kept.toolchain_(settings))
    yield from guarded("cache", kept.cache(settings))
    yield from guarded("cache", kept.shared(settings))
    yield from guarded("media", kept.media_bucket(settings))
    yield from guarded("templates", kept.templates_(settings))


def _project(settings: Settings) -> Finding:
    if settings.project:
        return ok("project", str(settings.project))
    what = f"no {PROJECT_FILE} here or in a folder above: the current folder takes its place"
    return note("project", what, "robbieblocks new DIR makes a project")
