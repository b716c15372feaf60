"""Looks at the database: version, schema, triggers, rights, clock, and a pooler in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from psycopg import Connection

from robbieblocks import database, snapshot
from robbieblocks.cli import session
from robbieblocks.cli.operating.doctor.findings import Finding, broken, failed, note, ok
from robbieblocks.database import embedded, schema
from robbieblocks.errors import RobbieBlocksError, SchemaIncomplete
from robbieblocks.settings import Settings

_OLDEST_SERVER: Final = 150000
# From the first on it is told; from the second on a worker that runs is taken for a silent one.
_SKEW_NOTED_S: Final = 2.0
_SKEW_BROKEN_S: Final = 30.0
_TRIGGER: Final = "trigger "
_NAMED_MAX: Final = 3
_NOT_HEARD: Final = "workers may learn of changes by looking alone, every second"
_MAY: Final = {
    "robbieblocks_reviewer": "read",
    "robbieblocks_editor": "edit content",
    "robbieblocks_worker": "publish",
}


@dataclass(slots=True)
class Identity:
    """The id of the database, once it was asked for; None where that is not known."""

    known: str | None = None


def look(settings: Settings, identity: Identity) -> Iterator[Finding]:
    """What is found out about the database; its id is left in `identity`."""
    folder = settings.home / "postgres"
    if not session.is_named(settings) and not (folder / "seeded").exists():
        what = f"none is named, and there is no embedded one in {folder} yet"
        if embedded.is_installed():
            yield note("database", what, "the first command that needs it makes it: db init, build")
        else:
            remedy = "name one in ROBBIEBLOCKS_DATABASE_URL, or pip install 'robbieblocks[local]'"
            yield broken("database", what, remedy, why="the embedded one is not installed, either")
        return
    try:
        with session.opened(settings) as connection:
            number = connection.info.server_version
            place = database.described(connection.info.dsn)
            yield ok("database", f"{place}, PostgreSQL {number // 10_000}.{number % 10_000}")
            identity.known = database.identity(connection)
            yield from _server(connection)
            yield from _content(connection)
    except RobbieBlocksError as error:
        yield failed("database", error, "correct its address: database.url below")


def _server(connection: Connection) -> Iterator[Finding]:
    if connection.info.server_version < _OLDEST_SERVER:
        what = "the server is older than PostgreSQL 15"
        yield broken("database", what, "use a server of 15 to 18")
    if database.is_read_only(connection):
        yield broken(
            "database",
            "it takes no writes: a standby, or default_transaction_read_only is set",
            "name the primary; of several hosts target_session_attrs=read-write finds it",
            why="a build records its run, and a worker what it has published",
        )
    if database.is_pooled(connection):
        yield note(
            "database",
            "a pooler stands in between",
            "give workers the address of the server itself",
            why="a worker hears no notification through it, and looks every second instead",
        )
    yield _skew(database.clock_ahead_s(connection, lambda: datetime.now(UTC)))


def _skew(ahead_s: float) -> Finding:
    """How far the clock of the database is ahead of this machine's."""
    differs = abs(ahead_s)
    what = f"the database's is {differs:.1f} s {'ahead of' if ahead_s > 0 else 'behind'} this one"
    if differs < _SKEW_NOTED_S:
        return ok("clock", "the database's agrees with this one")
    why = (
        "what waits, and whether a worker is silent, is judged by the database's; schedules, pins "
        "and freezes by this one"
    )
    remedy = "have both machines set their clock by NTP (timedatectl set-ntp true)"
    found = broken if differs >= _SKEW_BROKEN_S else note
    return found("clock", what, remedy, why=why)


def _content(connection: Connection) -> Iterator[Finding]:
    differences = schema.verify(connection)
    others = [each for each in differences if not each.what.startswith(_TRIGGER)]
    for each in others[:_NAMED_MAX]:
        what, _, remedy = str(each).partition(" -> ")
        yield broken("schema", what, remedy)
    if more := others[_NAMED_MAX:]:
        what = f"{len(more)} other things are missing or differ, too"
        yield broken("schema", what, "robbieblocks db verify has each")
    if not others:
        yield ok("schema", "is as it should be")
    triggers = [each.what.removeprefix(_TRIGGER) for each in differences if each not in others]
    yield from _triggers(connection, triggers, told=bool(others))
    if others:
        return
    grants = database.missing_roles(connection)
    for role, may in _MAY.items():
        yield _right(may, connection.info.user, grants[role])
    if grants["robbieblocks_reviewer"]:
        return
    if not snapshot.nodes(connection):
        what = "there is no node, so nothing is built"
        yield note("content", what, "robbieblocks content import, or db init --demo")


def _triggers(connection: Connection, different: list[str], *, told: bool) -> Iterator[Finding]:
    """The triggers that differ, in one finding; `told` says that other things are lacking, too."""
    lacking = ""
    try:
        with connection.cursor() as cursor:
            database.check_whole(cursor)
    except SchemaIncomplete as error:
        lacking = str(error).partition(": nothing is")[0]
    remedy = "wait until a restore that runs has ended, or run robbieblocks db upgrade"
    why = "what editors change is not noticed, and nothing is published until they are back"
    if different:
        more = len(different) - _NAMED_MAX
        named = ", ".join(different[:_NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
        what = f"missing, disabled or altered: {named}; robbieblocks db verify has each"
        yield broken("triggers", what, remedy, why=why if lacking else _NOT_HEARD)
    elif not lacking:
        yield ok("triggers", "all are there and enabled")
    elif not told:
        yield broken("triggers", lacking, remedy, why=why)


def _right(may: str, user: str, grant: str) -> Finding:
    if not grant:
        return ok("rights", f"{user} may {may}")
    found = broken if may == "read" else note
    return found("rights", f"{user} may not {may}", f"{grant} (schema/roles.sql makes the role)")
