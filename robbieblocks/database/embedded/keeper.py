"""The process that makes and starts the embedded Postgres, and stops it after its last user.

It is run by file name and uses the standard library alone, so that it starts in a few milliseconds
and stays small. What it does depends on locks (flock), which the kernel releases with the process
that holds them, however it ends, and never on a pid in a file.

    users    shared: held by every command that uses the server; the keeper waits until it is free
    keeper   exclusive: held by the keeper, inherited from the command that starts it
    server   exclusive: inherited by every process of the server; free when none of them is left

Where the socket lies among the temporary files, its folder is locked, too: shared, by the keeper
and every process of the server, so that whoever comes next removes that of a killed one.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

OWNER = "robbieblocks"
ADMINISTRATOR = "postgres"
PORT = 5432

# A small server for one machine's own use; durability stays as Postgres ships it.
_SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "60",
    "shared_buffers": "32MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    "io_method": "sync",
    "huge_pages": "off",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "unix_socket_permissions": "0700",
}
_INITDB = (
    f"--username={ADMINISTRATOR}",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--no-sync",
    "--no-instructions",
)
_OWNER_AND_DATABASE = f"""
CREATE ROLE {OWNER} LOGIN CREATEDB;
CREATE DATABASE {OWNER} OWNER {OWNER};
"""

_STOP_SIGNALS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
_PID_TIMEOUT_S = 5.0
_ACCOUNTS = ("postgres", "nobody")

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2


class Keeper:
    """The server in `folder`, whose socket is in the folder `sockets`."""

    def __init__(self, binaries: Path, folder: Path, sockets: Path) -> None:
        self.binaries = binaries
        self.folder = folder
        self.sockets = sockets
        self.data = folder / "data"
        self.account = _account(folder)
        self.users = _open_lock(folder / "users")
        self.server = _open_lock(folder / "server")
        self.held = () if sockets.parent == folder else (_held(sockets),)

    def run(self) -> int:
        """Run the server, or take over one whose keeper died, until no command uses it."""
        if _try_lock(self.server):
            self.start()
        users_gone = _exits_when_locked(self.users)
        while True:
            server_gone = _exits_when_locked(self.server)
            while (ended := os.wait()[0]) not in (users_gone, server_gone):
                pass
            if ended == users_gone:
                return self.stop(server_gone)
            if not self.was_ready():
                self.clear()
                return 1
            _log("the server is gone while it is in use: starting it again")
            self.start()

    def start(self) -> None:
        """Start the server; `self.server` must be locked. Then only the server holds that lock."""
        if not (self.data / "PG_VERSION").exists():
            self.create()
        # The lock was free, so no process of this server is left, and these files are stale.
        # Postgres would refuse to start where another process has the pid now.
        for stale in (self.data / "postmaster.pid", *self.sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        quoted = str(self.sockets).replace('"', '""')
        settings = {**_SERVER_SETTINGS, "unix_socket_directories": f'"{quoted}"'}
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        subprocess.Popen(  # noqa: S603 -- our own binary, every word is ours
            [self.binaries / "postgres", "-D", self.data, *words],
            stdin=subprocess.DEVNULL,
            pass_fds=(self.server, *self.held),
            start_new_session=True,
            preexec_fn=self.account,
            env=_environment(),
        )
        os.close(self.server)
        self.server = _open_lock(self.folder / "server")

    def create(self) -> None:
        """Make the cluster under a temporary name, and rename it when it is complete."""
        import shutil  # loads every compressor; needed only where there is no cluster yet

        for leftover in self.folder.glob("new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = self.folder / f"new-{os.getpid()}"
        new.mkdir(mode=0o700)
        if self.account:
            os.chown(new, self.account.uid, self.account.gid)
        self.tool("initdb", "-D", new, *_INITDB)
        single = ("--single", "-F", "-D", new, "-c", "log_checkpoints=off", "postgres")
        self.tool("postgres", *single, feed=_OWNER_AND_DATABASE.encode())
        self.tool("initdb", "-D", new, "--sync-only", "--sync-method=syncfs")
        new.rename(self.data)
        _sync(self.folder)

    def tool(self, name: str, *arguments: str | Path, feed: bytes = b"") -> None:
        """Run one of Postgres' programs to its end; it is killed if the keeper ends."""
        subprocess.run(  # noqa: S603 -- our own binary, every word is ours
            [self.binaries / name, *arguments],
            input=feed,
            stdout=subprocess.DEVNULL,
            preexec_fn=_call_each(self.account, _end_with_parent),
            env=_environment(),
            check=True,
        )

    def stop(self, server_gone: int) -> int:
        """Stop the server, with one signal after the other until the process `server_gone` ends."""
        started = time.monotonic()
        for number, timeout_s in _STOP_SIGNALS:
            # One that was started a moment ago has no pid file yet.
            while not (pid := self.pid()) and time.monotonic() < started + _PID_TIMEOUT_S:
                if _ends_within(server_gone, 0.02):
                    self.clear()
                    return 0
            if pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            if _ends_within(server_gone, timeout_s):
                self.clear()
                return 0
        return 1

    def clear(self) -> None:
        """Remove the socket's folder, and what a killed server left in it, once no server is left.

        Only if it was made because the usual path is too long.
        """
        if self.held:
            with contextlib.suppress(OSError):
                for stale in self.sockets.glob(".s.PGSQL.*"):
                    stale.unlink(missing_ok=True)
                self.sockets.rmdir()

    def pid(self) -> int | None:
        """The postmaster's pid; right only while the `server` lock is held."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            return int((self.data / "postmaster.pid").read_text().splitlines()[0])
        return None

    def was_ready(self) -> bool:
        """Whether the server had started: one that can't start is not started again for ever."""
        try:
            return (self.data / "postmaster.pid").read_text().rstrip().endswith("ready")
        except OSError:
            return False


class Account:
    """The account that Postgres runs as where the keeper is root: it refuses to run as root.

    Called in the child process, which keeps the right to enter the user's folders. So nothing has
    to be made readable for everyone: a checkout under root's home stays closed.
    """

    def __init__(self, uid: int, gid: int) -> None:
        self.uid = uid
        self.gid = gid

    def __call__(self) -> None:
        """Switch to the account, between fork and exec."""
        libc = ctypes.CDLL(None, use_errno=True)
        linux = sys.platform == "linux"
        if linux:
            libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if linux:
            _keep_capabilities(libc)


def _keep_capabilities(libc: ctypes.CDLL) -> None:
    """Keep two capabilities, as far as permitted, across exec (capabilities(7), ambient)."""
    status = Path("/proc/self/status").read_text()
    permitted = int(status.split("CapPrm:")[1].split()[0], 16)
    kept = permitted & (1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    libc.capset(header, (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0))
    for capability in (_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH):
        if kept >> capability & 1:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _account(folder: Path) -> Account | None:
    """The account for the server: the owner of its data, else one that every system has.

    None where this process is not root: then the server runs as the same user.
    """
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(FileNotFoundError):
        owner = (folder / "data").stat()
        if owner.st_uid:
            return Account(owner.st_uid, owner.st_gid)
    for name in _ACCOUNTS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    sys.exit(f"Postgres does not run as root, and there is no account {' or '.join(_ACCOUNTS)}")


def _call_each(*calls: Callable[[], None] | None) -> Callable[[], None]:
    def run() -> None:
        for call in calls:
            if call:
                call()

    return run


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _environment() -> dict[str, str]:
    """The server's environment: the user's PG* variables and locale would alter its behaviour."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _held(folder: Path) -> int:
    """The descriptor of a folder, locked as long as somebody has it open."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _exits_when_locked(descriptor: int) -> int:
    """Fork a process that waits for the lock, takes it and ends; return its pid.

    The two share the descriptor, so this process holds the lock from then on.
    """
    pid = os.fork()
    if pid:
        return pid
    _end_with_parent()
    # Any other lock that it has inherited would stay held for as long as it waits for this one.
    os.closerange(3, descriptor)
    os.closerange(descriptor + 1, os.sysconf("SC_OPEN_MAX"))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os._exit(0)


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)[0]) not in (0, pid):
                pass
            if ended == pid:
                return True
        time.sleep(0.005)
    return False


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _log(text: str) -> None:
    sys.stderr.write(text + "\n")


def _exit_on_signal(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def main(arguments: Sequence[str]) -> int:
    """`keeper.py BINARIES FOLDER SOCKETS`, with the `keeper` lock inherited."""
    if os.fork():
        # The command that started this has no child to wait for, and Ctrl-C does not reach it.
        os._exit(0)
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit_on_signal)
    keeper = Keeper(*(Path(argument) for argument in arguments))
    try:
        return keeper.run()
    except SystemExit:
        keeper.stop(_exits_when_locked(keeper.server))
        raise
    except (OSError, subprocess.CalledProcessError) as error:
        _log(str(error))
        if _try_lock(keeper.server):
            keeper.clear()
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
