"""`robbieblocks systemd`: the unit of a worker, with the folders and settings of this shell."""

from __future__ import annotations

import getpass
import os
import pwd
import re
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from psycopg.conninfo import conninfo_to_dict

from robbieblocks import database, worker
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import RightsMissing, SchemaOutdated, Transient, UsageError
from robbieblocks.settings import SHARED_CACHE_KEY, Settings
from robbieblocks.worker import Timing

# What may hold a password or a key: every user of the machine may read a unit.
_SECRETS: Final = (
    "ROBBIEBLOCKS_DATABASE_URL",
    "ROBBIEBLOCKS_SYNC_MASTER_URL",
    "ROBBIEBLOCKS_SECRETS_KEYS",
    SHARED_CACHE_KEY,
    "PGPASSWORD",
)
Process = Literal["worker", "sync run", "forms receive"]
# The option of this command that asks for each.
_OPTION: Final[Mapping[Process, tuple[str, ...]]] = {
    "worker": (),
    "sync run": ("--sync",),
    "forms receive": ("--forms",),
}
# robbieblocks worker --node NODE, where the process is called `worker`
_WORDS_MIN: Final = 4
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 -- where a server's socket may be


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCommand:
    """The options of `robbieblocks systemd` with which a unit was, or is to be, printed."""

    node: str
    user: str
    options: tuple[str, ...] = ()
    runs: Process = "worker"

    def __str__(self) -> str:
        words = ["robbieblocks", "systemd", "--node", self.node, "--user", self.user]
        return shlex.join([*words, *_OPTION[self.runs], *self.options])


def run(*, node: str, user: str | None, options: Sequence[str], sync: bool, forms: bool) -> None:
    """Print a systemd unit for a worker, or a node's sync or receiver of forms.

    Raises UsageError for an unknown node or account.
    """
    settings = Settings.from_environment()
    if sync and forms:
        raise UsageError("--sync and --forms are two units: print one after the other")
    runs: Process = "sync run" if sync else "forms receive" if forms else "worker"
    if runs != "worker" and "--create-root" in options:
        raise UsageError(f"--create-root is for a worker: `{runs}` makes no site root")
    command = UnitCommand(
        node=node, user=user or getpass.getuser(), options=tuple(options), runs=runs
    )
    text = unit(settings, command)
    if session.is_named(settings):
        _check_node(settings, node)
    for secret in filter(os.environ.get, _SECRETS):
        print_progress(
            f"{secret} is not in the unit, which everybody may read: put it into "
            f"/etc/robbieblocks/{node}.env (mode 0600)"
        )
    print_result(text.removesuffix("\n"))


def unit(settings: Settings, command: UnitCommand) -> str:
    """The text of a unit, with this process's environment. Raises UsageError for an account."""
    toolchain_cache = _toolchain_cache(settings, command.user)
    environment = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(("ROBBIEBLOCKS_", "PG")) and name not in _SECRETS
    }
    environment |= {
        "ROBBIEBLOCKS_HOME": str(settings.home),
        "ROBBIEBLOCKS_SITE_ROOT": str(settings.site_root),
        "ROBBIEBLOCKS_CACHE": str(settings.cache),
        "ROBBIEBLOCKS_TOOLCHAIN_CACHE": str(toolchain_cache),
    }
    if os.environ.get("ROBBIEBLOCKS_TEMPLATES"):
        environment["ROBBIEBLOCKS_TEMPLATES"] = str(settings.templates[0])
    writable = (settings.home, settings.site_root, settings.cache, toolchain_cache)
    named = session.is_named(settings)
    return worker.render_unit(
        worker.UnitSettings(
            node=command.node,
            program=Path(shutil.which("robbieblocks") or Path(sys.argv[0]).absolute()),
            command=tuple(command.runs.split()),
            options=command.options,
            site_root=settings.site_root,
            # A worker finds the project's file from there; a folder below may go.
            folder=settings.project.parent if settings.project else Path.cwd(),
            writable=_outermost(writable),
            user=command.user,
            environment=environment,
            private_tmp=not _may_use_tmp(settings)
            if named
            else "--embedded" not in command.options,
            grace_s=Timing().grace_s,
        )
    )


def command_of(written: str) -> UnitCommand | None:
    """The command that would print a unit; None for a unit that runs nothing of ours."""
    values = dict(re.findall(r"^(ExecStart|User)=(.*)$", written, re.MULTILINE))
    try:
        words = shlex.split(values.get("ExecStart", ""))
    except ValueError:
        return None
    runs: Process = "worker"
    for each in _OPTION:
        if words[1:3] == each.split():
            runs, words[1:3] = each, ["worker"]
    if words[1:3] != ["worker", "--node"] or len(words) < _WORDS_MIN:
        return None
    known = ("--embedded", "--create-root")
    return UnitCommand(
        node=words[3].replace("$$", "$").replace("%%", "%"),
        user=values.get("User", "root"),
        options=tuple(word for word in words[4:] if word in known),
        runs=runs,
    )


def differences(written: str, printed: str) -> list[str]:
    """What a unit says otherwise than it would be printed; comments don't count.

    Last, by their names, come variables that only the unit has, or only this process.
    """
    here, there = _lines(written), _lines(printed)
    ours, others = variables(written), variables(printed)
    shared = {"", *(ours & others)}
    return [
        *(
            f"it {verb} {line}"
            for verb, lines, compared in (("has", here, there), ("lacks", there, here))
            for line in lines
            if line not in compared and _variable(line) in shared
        ),
        *(f"it has {name}, which this shell lacks" for name in sorted(ours - others)),
        *(f"it lacks {name}, which this shell has" for name in sorted(others - ours)),
    ]


def variables(unit: str) -> set[str]:
    """The names of the variables that a unit sets itself."""
    return {_variable(line) for line in _lines(unit)} - {""}


def _lines(text: str) -> list[str]:
    return [line for line in map(str.strip, text.splitlines()) if line and line[0] not in "#;"]


def _variable(line: str) -> str:
    """The name of the variable that a line sets; empty where it sets none."""
    return line.partition('"')[2].partition("=")[0] if line.startswith("Environment=") else ""


def _toolchain_cache(settings: Settings, account: str) -> Path:
    """Where the account that runs the worker keeps the toolchain: in its own home, not in ours."""
    if account == getpass.getuser() or os.environ.get("ROBBIEBLOCKS_TOOLCHAIN_CACHE"):
        return settings.toolchain_cache
    try:
        home = Path(pwd.getpwnam(account).pw_dir)
    except KeyError:
        raise UsageError(
            f"there is no account {account!r} on this machine: make it, or name another with --user"
        ) from None
    # An account of a service has no home, often.
    return home / ".cache/robbieblocks/toolchain" if home.is_dir() else settings.home / "toolchain"


def _check_node(settings: Settings, node: str) -> None:
    """Raise UsageError for a node that the database does not have, where it can be asked."""
    try:
        with database.connect(settings, application_name="robbieblocks") as connection:
            worker.check_node(connection, node)
    except (Transient, SchemaOutdated, RightsMissing) as error:
        print_progress(f"whether there is a node {node} is not known: {error}")


def _may_use_tmp(settings: Settings) -> bool:
    """Whether the server's socket may be in a folder that PrivateTmp hides. libpq's default is."""
    named = conninfo_to_dict(settings.database_url or "")
    host = named.get("host") or named.get("hostaddr")
    host = host or os.environ.get("PGHOST") or os.environ.get("PGHOSTADDR") or _TEMPORARY[0]
    return any(each.startswith(_TEMPORARY) for each in str(host).split(","))


def _outermost(folders: tuple[Path, ...]) -> tuple[Path, ...]:
    """The folders without those that lie in another one."""
    return tuple(
        folder
        for folder in dict.fromkeys(folders)
        if not any(other in folder.parents for other in folders)
    )
