"""`robbieblocks systemd`: the unit of a worker, with the folders and settings of this shell."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from robbieblocks import database, worker
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import RightsMissing, SchemaOutdated, Transient, UsageError
from robbieblocks.settings import Settings
from robbieblocks.worker import Timing

# What may hold a password: every user of the machine may read a unit.
_SECRETS: Final = ("ROBBIEBLOCKS_DATABASE_URL", "PGPASSWORD")
_TEMPORARY: Final = ("/tmp", "/var/tmp")  # noqa: S108 -- where a server's socket may be


def run(*, node: str, user: str | None, options: Sequence[str]) -> None:
    """Print a systemd unit for a worker. Raises UsageError for an unknown node or account."""
    settings = Settings.from_environment()
    account = user or getpass.getuser()
    toolchain_cache = _toolchain_cache(settings, account)
    named = session.is_named(settings)
    if named:
        _check_node(settings, node)
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
    for secret in filter(os.environ.get, _SECRETS):
        print_progress(
            f"{secret} is not in the unit, which everybody may read: put it into "
            f"/etc/robbieblocks/{node}.env (mode 0600)"
        )
    writable = (settings.home, settings.site_root, settings.cache, toolchain_cache)
    text = worker.render_unit(
        worker.UnitSettings(
            node=node,
            program=Path(shutil.which("robbieblocks") or Path(sys.argv[0]).absolute()),
            options=tuple(options),
            site_root=settings.site_root,
            # A worker finds the project's file from there; a folder below may go.
            folder=settings.project.parent if settings.project else Path.cwd(),
            writable=_outermost(writable),
            user=account,
            environment=environment,
            private_tmp=not _may_use_tmp(settings) if named else "--embedded" not in options,
            grace_s=Timing().grace_s,
        )
    )
    print_result(text.removesuffix("\n"))


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
