"""`robbieblocks doctor`: whether what commands rely on is there, and what to do where it is not."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final, Literal, TypeAlias

import typer
from psycopg import Connection

from robbieblocks import database, release, snapshot, toolchain
from robbieblocks.cli import session
from robbieblocks.cli.content import templates
from robbieblocks.cli.operating.given import given, misspelt
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.version import version
from robbieblocks.database import schema
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.messages import visible_line
from robbieblocks.ownership import distrust
from robbieblocks.release import SiteRoot
from robbieblocks.settings import PROJECT_FILE, Settings

_ARROW: Final = "\n  -> "
_OLDEST_SERVER: Final = 150000

State: TypeAlias = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that commands rely on: `ok`, `broken`, or a `note` on what is not as usual."""

    about: str
    state: State
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{self.state:7} {self.about:10} {visible_line(self.what)}"
        return line + (f"\n{'':19}-> {visible_line(self.remedy)}" if self.remedy else "")


def run(*, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print what was found, and exit with 1 where something is broken."""
    try:
        settings = Settings.from_environment(database_url=database_url)
    except UsageError as error:
        found, known = [_failed("settings", error, f"correct {PROJECT_FILE}")], []
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
    yield _ok("version", f"RobbieBlocks {version()}, Python {platform.python_version()}")
    yield _project(settings)
    for variable, meant in misspelt():
        what = f"{variable} is set, and is no setting"
        yield Finding(about="settings", state="note", what=what, remedy=f"did you mean {meant}?")
    yield from _guarded("database", _stored(settings))
    yield from _guarded("web server", _web_server(settings))
    yield from _guarded("toolchain", _toolchain(settings))
    yield from _guarded("cache", _cache(settings))
    yield from _guarded("templates", _templates(settings))


def _guarded(about: str, found: Iterator[Finding]) -> Iterator[Finding]:
    """What is found, and last a file on the way that can't be read."""
    try:
        yield from found
    except OSError as error:
        what = f"{error.filename} can't be read: {error.strerror}"
        remedy = "make it a file or folder that this account may read"
        yield Finding(about=about, state="broken", what=what, remedy=remedy)


def _ok(about: str, what: str) -> Finding:
    return Finding(about=about, state="ok", what=what)


def _note(about: str, what: str, remedy: str) -> Finding:
    return Finding(about=about, state="note", what=what, remedy=remedy)


def _failed(about: str, error: RobbieBlocksError, remedy: str) -> Finding:
    """A broken thing by its error, which may name the remedy itself."""
    what, _, named = str(error).partition(_ARROW)
    return Finding(about=about, state="broken", what=what, remedy=named or remedy)


def _project(settings: Settings) -> Finding:
    if settings.project:
        return _ok("project", str(settings.project))
    what = f"no {PROJECT_FILE} here or in a folder above: the current folder takes its place"
    return _note("project", what, "robbieblocks new DIR makes a project")


# --- database and site root --------------------------------------------------------------------


def _stored(settings: Settings) -> Iterator[Finding]:
    """What is found out about the database, and the site root that goes with it."""
    folder = settings.home / "postgres"
    if not session.is_named(settings) and not (folder / "seeded").exists():
        what = f"none is named, and there is no embedded one in {folder} yet"
        yield _note("database", what, "the first command that needs it makes it: db init, build")
        yield _site_root(settings, None)
        return
    try:
        with session.opened(settings) as connection:
            number = connection.info.server_version
            place = database.described(connection.info.dsn)
            yield _ok("database", f"{place}, PostgreSQL {number // 10_000}.{number % 10_000}")
            yield from _content(connection)
            yield _site_root(settings, database.identity(connection))
    except RobbieBlocksError as error:
        yield _failed("database", error, "correct its address: database.url below")


def _content(connection: Connection) -> Iterator[Finding]:
    if connection.info.server_version < _OLDEST_SERVER:
        yield Finding(
            about="database",
            state="broken",
            what="the server is older than PostgreSQL 15",
            remedy="use a server of 15 to 18",
        )
    differences = schema.verify(connection)
    for each in differences:
        what, _, remedy = str(each).partition(" -> ")
        yield Finding(about="schema", state="broken", what=what, remedy=remedy)
    if differences:
        return
    yield _ok("schema", "is as it should be")
    grants = database.missing_roles(connection)
    for role, may in _MAY.items():
        yield _right(may, connection.info.user, grants[role])
    if grants["robbieblocks_reviewer"]:
        return
    if not snapshot.nodes(connection):
        what = "there is no node, so nothing is built"
        yield _note("content", what, "robbieblocks content import, or db init --demo")
    if database.is_pooled(connection):
        what = "a pooler stands in between: a worker hears no notification through it"
        yield _note("database", what, "give workers the address of the server itself")


_MAY: Final = {
    "robbieblocks_reviewer": "read",
    "robbieblocks_editor": "edit content",
    "robbieblocks_worker": "publish",
}


def _right(may: str, user: str, grant: str) -> Finding:
    if not grant:
        return _ok("rights", f"{user} may {may}")
    state: State = "broken" if may == "read" else "note"
    remedy = f"{grant} (schema/roles.sql makes the role)"
    return Finding(about="rights", state=state, what=f"{user} may not {may}", remedy=remedy)


def _site_root(settings: Settings, identity: str | None) -> Finding:
    root = SiteRoot(settings.site_root)
    try:
        unclaimed = release.claim(root, identity, create=True, note=False)
        nodes = release.nodes(root)
    except RobbieBlocksError as error:
        return _failed("site root", error, "name another in ROBBIEBLOCKS_SITE_ROOT")
    if unclaimed and not nodes:
        what = f"nothing was published to {root.path} yet"
        return _note("site root", what, "robbieblocks build")
    if not os.access(root.path, os.W_OK):
        what = f"{root.path} may not be written"
        remedy = "give this account the folder, or name another in ROBBIEBLOCKS_SITE_ROOT"
        return Finding(about="site root", state="broken", what=what, remedy=remedy)
    return _ok("site root", f"{root.path}, with the nodes {', '.join(nodes)}")


def _web_server(settings: Settings) -> Iterator[Finding]:
    """Whether nginx or Caddy can read what is live; where nothing is, there is nothing to say."""
    root = SiteRoot(settings.site_root)
    try:
        closed = release.closed_to_others(root) if release.nodes(root) else None
    except RobbieBlocksError:
        return  # the site root's own finding says so
    if closed is not None:
        what = f"{closed} may be entered by its owner and group alone"
        remedy = f"for nginx or Caddy: chmod o+x {closed}, or put their account into its group"
        yield _note("web server", what, remedy)


# --- what is fetched, kept and overridden ------------------------------------------------------


def _toolchain(settings: Settings) -> Iterator[Finding]:
    if not toolchain.is_fetched(settings):
        what = f"esbuild, React and the fonts are not in {settings.toolchain_cache} yet"
        yield _note("toolchain", what, "the first build fetches them; it needs the npm registry")
        return
    try:
        found = toolchain.ensure(settings, print_progress)
    except RobbieBlocksError as error:
        yield _failed("toolchain", error, "correct what it names")
    else:
        yield _ok("toolchain", f"{found.root}; no Node and no browser need be installed")


def _cache(settings: Settings) -> Iterator[Finding]:
    path = settings.cache
    if not path.exists():
        yield _ok("cache", f"{path}, which the first build makes")
        return
    why = distrust(path)
    if not why and not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        why = f"{path} may not be written"
    if not why:
        yield _ok("cache", str(path))
        return
    remedy = "make it your own, with mode 0700, or name another in ROBBIEBLOCKS_CACHE"
    what = f"nothing is kept, so builds take longer: {why}"
    yield Finding(about="cache", state="broken", what=what, remedy=remedy)


def _templates(settings: Settings) -> Iterator[Finding]:
    for folder in settings.templates:
        if not folder.is_dir():
            remedy = "make it, or correct ROBBIEBLOCKS_TEMPLATES or project.templates"
            what = f"{folder} is not a folder"
            yield Finding(about="templates", state="broken", what=what, remedy=remedy)
            return
    found = list(templates.overrides(settings))
    if not found:
        yield _ok("templates", "none of the package's is overridden")
    for each in found:
        yield _override(each)


def _override(each: templates.Override) -> Finding:
    compare = f"diff {each.packaged} {each.own}"
    if each.equal:
        return _note("templates", f"{each.name} is the package's, unchanged", f"remove {each.own}")
    if each.outdated is None:
        what = f"{each.name} takes the place of the package's; what it was copied from is not known"
        return _note("templates", what, f"{compare}; `templates copy` notes it")
    if each.outdated:
        what = f"{each.name} was copied from {each.version}, and the package's has changed since"
        return _note("templates", what, compare)
    return _ok("templates", f"{each.name} was copied from {each.version}, which is as it was")
