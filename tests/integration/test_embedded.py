"""The embedded Postgres: made once, shared, and gone after its last user."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from robbieblocks import database
from robbieblocks.cli import session
from robbieblocks.database import embedded
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.process import sweep_temporary_folders
from robbieblocks.settings import Settings

pytestmark = pytest.mark.postgres

_PATIENCE = 30.0
_USER = """
import sys
from pathlib import Path
from robbieblocks.database import embedded
with embedded.server(Path(sys.argv[1]), progress=lambda _: None) as conninfo:
    print(conninfo, flush=True)
    sys.stdin.read()
"""


def until(condition: Callable[[], bool]) -> None:
    """Wait for something another process brings about."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def is_free(lock: Path) -> bool:
    """Tell whether no process holds the lock."""
    with lock.open("a") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def is_over(home: Path) -> bool:
    """Tell whether neither a server nor a keeper is left."""
    return is_free(home / "postgres" / "server") and is_free(home / "postgres" / "keeper")


def pid_of_server(home: Path) -> int:
    """The postmaster's pid."""
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def pid_of_keeper(home: Path) -> int:
    """The keeper's pid: of all that run keeper.py over this home, the one that no other started."""
    parents = {
        process.pid: process.info["ppid"]
        for process in psutil.process_iter(["cmdline", "ppid"])
        if any(word.endswith("keeper.py") for word in process.info["cmdline"] or ())
        and str(home) in " ".join(process.info["cmdline"])
    }
    # Its helpers have the same words, and, where pids have begun anew, may have lower ones.
    (keeper,) = [pid for pid, parent in parents.items() if parent not in parents]
    return int(keeper)


def answer(conninfo: str, query: str = "select 1") -> object:
    """The first value of a query over a connection of its own."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


@contextmanager
def another_command(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A second process that uses the server until it is told to end; its conninfo."""
    with subprocess.Popen(
        [sys.executable, "-c", _USER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A home whose server is over when the test is."""
    place = tmp_path / "home"
    yield place
    if (place / "postgres").exists():
        until(lambda: is_over(place))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose database was made, and whose server is over."""
    place = tmp_path_factory.mktemp("made") / "home"
    with embedded.server(place, progress=quiet):
        pass
    until(lambda: is_over(place))
    return place


@pytest.fixture
def used_home(made_once: Path, home: Path) -> Path:
    """A copy of it: what a command finds that is not the first. Making takes most of a start."""
    shutil.copytree(made_once, home, symlinks=True)
    for path in (made_once, *made_once.rglob("*")):
        owner = path.lstat()
        copy = home / path.relative_to(made_once)
        os.chown(copy, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return home


def quiet(_: str) -> None:
    """Progress nobody reads."""


def test_the_database_is_owned_by_a_role_without_superuser_rights(home: Path) -> None:
    """The database is there at once, and its owner is no superuser."""
    with embedded.server(home, progress=quiet) as conninfo:
        assert answer(conninfo, "select current_database()") == "robbieblocks"
        assert (
            answer(conninfo, "select rolsuper from pg_roles where rolname = current_user") is False
        )
        assert answer(conninfo, "show fsync") == "on"
        assert answer(conninfo, "show listen_addresses") == ""


def test_the_server_runs_no_process_that_nobody_uses(used_home: Path) -> None:
    """Beside sessions and what keeps the data there is none, such as one that replicates."""
    with embedded.server(used_home, progress=quiet) as conninfo:
        kinds = answer(
            make_conninfo(conninfo, user="postgres"),
            "SELECT array_agg(backend_type ORDER BY backend_type) FROM pg_stat_activity"
            " WHERE backend_type <> 'client backend'",
        )
    assert isinstance(kinds, list)
    assert not [kind for kind in kinds if "replication" in kind or "wal sender" in kind]
    assert "checkpointer" in kinds


def test_a_command_connects_once_to_a_database_that_is_there(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a database without its first content is connected to before the command does it."""
    connections: list[str] = []

    def connect(settings: Settings, *, application_name: str) -> Connection:
        connections.append(application_name)
        return database.connect(settings, application_name=application_name)

    for variable in session.LIBPQ_VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr("robbieblocks.cli.session.database", SimpleNamespace(connect=connect))
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "seeded").touch()
    settings = replace(Settings.from_environment(), database_url=None, home=home)
    with session.opened(settings) as connection:
        connection.execute("SELECT 1")
    assert len(connections) == 1


def test_what_was_stored_is_there_the_next_time(used_home: Path) -> None:
    """Rows outlive the server, which is gone between two commands."""
    with (
        embedded.server(used_home, progress=quiet) as conninfo,
        psycopg.connect(conninfo) as connection,
    ):
        connection.execute("create table kept as select 42 as value")
    until(lambda: is_over(used_home))
    with embedded.server(used_home, progress=quiet) as conninfo:
        assert answer(conninfo, "select value from kept") == 42


def test_progress_is_told_only_when_the_database_is_made(home: Path) -> None:
    """The first start says what takes the time; a later one is too quick to mention."""
    said: list[str] = []
    for _ in range(2):
        with embedded.server(home, progress=said.append):
            pass
        until(lambda: is_over(home))
    assert len(said) == 1
    assert str(home) in said[0]


def test_a_path_with_spaces_and_quotes_works(tmp_path: Path) -> None:
    """Nothing in a path is read as syntax by Postgres or libpq."""
    home = tmp_path / 'it\'s a "home"'
    with embedded.server(home, progress=quiet) as conninfo:
        assert answer(conninfo) == 1
    until(lambda: is_over(home))


@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "TMPDIR"])
def test_a_path_too_long_for_a_socket_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The socket then lives in a short private folder, which goes with the server."""
    home = tmp_path / ("long" * 30)
    short = Path(tempfile.gettempdir()) / "short"
    short.mkdir()
    for name in ("HOME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, str(short))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with embedded.server(home, progress=quiet) as conninfo:
        assert answer(conninfo) == 1
        sockets = next(short.iterdir())
        assert str(sockets) in conninfo
        assert sockets.stat().st_mode & 0o077 == 0
    until(lambda: is_over(home))
    short.rmdir()


def test_a_server_that_does_not_start_leaves_no_folder_for_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The short one lies among the temporary files, where nobody would look for it."""
    home = tmp_path / ("long" * 30)
    (home / "postgres").mkdir(parents=True)
    # No new cluster can take the place of this.
    (home / "postgres" / "data").symlink_to("nowhere")
    # That of pytest would be too long for a socket itself.
    short = Path(tempfile.gettempdir()) / "short"
    short.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    with pytest.raises(DatabaseUnavailable), embedded.server(home, progress=quiet):
        pass
    short.rmdir()


@pytest.fixture
def far_home(used_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """A home whose socket lies among the temporary files, and the folder for those."""
    home = used_home.rename(used_home.parent / ("long" * 30))
    short = Path(tempfile.gettempdir()) / "short"
    short.mkdir()
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setenv("TMPDIR", str(short))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield home, short
    until(lambda: is_over(home))
    short.rmdir()


def test_a_folder_for_a_socket_goes_with_a_killed_server(far_home: tuple[Path, Path]) -> None:
    """While it is used nobody sweeps it; of a server that was killed with its keeper and its user
    the next sweep removes it."""
    home, short = far_home

    def swept() -> bool:
        sweep_temporary_folders()
        return not [*short.iterdir()]

    with another_command(home) as (process, conninfo):
        sweep_temporary_folders()
        assert answer(conninfo) == 1
        (sockets,) = short.iterdir()
        # Whoever has another place for temporary files finds the server, too.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(tempfile, "tempdir", "/var/tmp")
            with embedded.server(home, progress=quiet) as same:
                assert same == conninfo
        for pid in (pid_of_keeper(home), process.pid):
            os.kill(pid, signal.SIGKILL)
        until(lambda: is_free(home / "postgres" / "keeper"))
        sweep_temporary_folders()
        assert answer(conninfo) == 1
        os.kill(pid_of_server(home), signal.SIGKILL)
    until(lambda: is_over(home))
    assert [*sockets.iterdir()]
    # Its last process closes one lock after the other.
    until(swept)


def test_a_server_that_nobody_uses_when_it_is_started_again_is_stopped(
    far_home: tuple[Path, Path],
) -> None:
    """Its user was killed with it. The keeper, which may see its end first, starts it once more."""
    home, _ = far_home
    for _ in range(3):
        with another_command(home) as (process, _):
            server = pid_of_server(home)
            os.kill(server, signal.SIGKILL)
            os.kill(process.pid, signal.SIGKILL)
        until(lambda: is_over(home))


def test_libpq_variables_of_the_user_do_not_reach_in(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PGHOST, PGPORT and their like name another database, not this one."""
    for name, value in {
        "PGHOST": "nowhere.invalid",
        "PGPORT": "1",
        "PGDATABASE": "other",
        "PGUSER": "other",
        "PGDATA": "/nonexistent",
    }.items():
        monkeypatch.setenv(name, value)
    with embedded.server(home, progress=quiet) as conninfo:
        assert answer(conninfo, "select current_database()") == "robbieblocks"


def test_two_commands_share_one_server_and_the_last_one_ends_it(used_home: Path) -> None:
    """The server stays while anyone uses it."""
    with (
        another_command(used_home) as (first, conninfo),
        embedded.server(used_home, progress=quiet) as same,
    ):
        assert same == conninfo
        pid = pid_of_server(used_home)
        first.communicate()
        assert answer(conninfo) == 1
        assert pid_of_server(used_home) == pid
    until(lambda: is_over(used_home))


def test_commands_that_start_at_once_start_one_server(home: Path) -> None:
    """Whoever comes second waits for the first one's server."""
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", _USER, str(home)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(4)
        ]
        conninfos = set()
        for process in processes:
            assert process.stdout is not None
            conninfos.add(process.stdout.readline().strip())
        assert len(conninfos) == 1
        assert answer(conninfos.pop()) == 1
        for process in processes:
            process.communicate()
    log = (home / "postgres" / "log").read_text()
    assert log.count("starting PostgreSQL") == 1


def test_a_killed_command_leaves_no_server(used_home: Path) -> None:
    """SIGKILL of the last user ends the server as a clean exit does."""
    with another_command(used_home) as (process, conninfo):
        assert answer(conninfo) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: is_over(used_home))


def test_a_killed_keeper_is_replaced(used_home: Path) -> None:
    """The server outlives its keeper, the next command adopts it, and it still ends in the end."""
    with embedded.server(used_home, progress=quiet) as conninfo:
        os.kill(pid_of_keeper(used_home), signal.SIGKILL)
        until(lambda: is_free(used_home / "postgres" / "keeper"))
        pid = pid_of_server(used_home)
        assert answer(conninfo) == 1
        with embedded.server(used_home, progress=quiet) as same:
            assert answer(same) == 1
            assert pid_of_server(used_home) == pid
    until(lambda: is_over(used_home))


def test_a_server_without_keeper_ends_with_its_user(used_home: Path) -> None:
    """A command that ends after the keeper was killed sees to it that the server stops."""
    with embedded.server(used_home, progress=quiet):
        os.kill(pid_of_keeper(used_home), signal.SIGKILL)
        until(lambda: is_free(used_home / "postgres" / "keeper"))
    until(lambda: is_over(used_home))


def test_a_killed_server_comes_back_while_it_is_in_use(used_home: Path) -> None:
    """A crash of the server costs its users a reconnect, not a restart of their own."""

    def answers() -> bool:
        with contextlib.suppress(psycopg.OperationalError):
            return answer(conninfo, "select value from kept") == 42
        return False

    with embedded.server(used_home, progress=quiet) as conninfo:
        with psycopg.connect(conninfo) as connection:
            connection.execute("create table kept as select 42 as value")
        # Twice: what waits meanwhile must not hold the lock by which the second end is noticed.
        for _ in range(2):
            pid = pid_of_server(used_home)
            os.kill(pid, signal.SIGKILL)
            until(answers)
            assert pid_of_server(used_home) != pid


def test_everything_killed_leaves_nothing_in_the_way(used_home: Path) -> None:
    """After a power cut, with pid and socket files left behind, the next start works."""
    with another_command(used_home) as (process, conninfo):
        assert answer(conninfo) == 1
        keeper, server = pid_of_keeper(used_home), pid_of_server(used_home)
        for pid in (keeper, server, process.pid):
            os.kill(pid, signal.SIGKILL)
    until(lambda: is_over(used_home))
    pid_file = used_home / "postgres" / "data" / "postmaster.pid"
    # The pid belongs to someone else after a reboot: here, to this very process.
    pid_file.write_text(pid_file.read_text().replace(str(server), str(os.getpid()), 1))
    with embedded.server(used_home, progress=quiet) as conninfo:
        assert answer(conninfo) == 1


def test_a_kill_while_the_database_is_made_leaves_nothing_in_the_way(home: Path) -> None:
    """A half-made cluster is never taken for one; the next command makes it anew."""
    with subprocess.Popen(
        [sys.executable, "-c", _USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        until(lambda: any((home / "postgres").glob("new-*/base")))
        os.kill(pid_of_keeper(home), signal.SIGKILL)
        process.kill()
    assert not (home / "postgres" / "data").exists()
    until(lambda: is_over(home))
    with embedded.server(home, progress=quiet) as conninfo:
        assert answer(conninfo) == 1
    assert not list((home / "postgres").glob("new-*"))


def test_data_of_another_postgres_version_is_refused_with_the_remedy(used_home: Path) -> None:
    """The error carries what the server said, and what to do."""
    (used_home / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
    with (
        pytest.raises(DatabaseUnavailable, match=r"(?s)9\.6.*--database-url"),
        embedded.server(used_home, progress=quiet),
    ):
        pass


def test_a_home_that_can_not_be_made_is_told(tmp_path: Path) -> None:
    """A file in the way is an infrastructure error that names the place."""
    (tmp_path / "home").write_text("in the way")
    with (
        pytest.raises(DatabaseUnavailable, match="home"),
        embedded.server(tmp_path / "home", progress=quiet),
    ):
        pass
