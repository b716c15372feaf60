"""`robbieblocks db psql` and `db url`, and the edit with which the README begins."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.commands import COMMAND, Installation, released
from tests.unit.test_repository import read, shell_lines
from tests.workers import until

pytestmark = pytest.mark.postgres

EDIT_BY_HAND = "Open late"
_AT_WORK = """
    SELECT 1 FROM pg_stat_activity WHERE application_name = 'by hand' AND state = 'active'
"""


def test_the_first_edit_of_the_readme_works_word_for_word(
    toolchain: object, tmp_path: Path, warm_cache: Path
) -> None:
    """After `make demo` its lines change a page's row and publish it; psql has the embedded server
    for as long as it runs, and then the server ends."""
    assert toolchain
    home = tmp_path / "home"
    demo = Installation(home=home, variables={"ROBBIEBLOCKS_CACHE": str(warm_cache)})
    assert demo.run("build").code == 0
    lines = [words[1:] for words in shell_lines(read("README.md")) if words[0] == "robbieblocks"]
    before, edit, after = lines[:3]
    assert before == after == ["build", "--page", "robbie-play-home"]
    ran = demo.run(*before)
    assert ran.code == 0
    assert "0 blocks rendered" in ran.out
    assert demo.run(*edit).out == "UPDATE 1\n"
    ran = demo.run(*after)
    assert (ran.code, "changed    robbie-play-home" in ran.out) == (0, True), ran.out
    page = demo.site / "vengeance-local" / "play" / "current" / "play" / "index.html"
    assert f"<title>{EDIT_BY_HAND} · " in page.read_text()

    with (
        subprocess.Popen(
            [*COMMAND, "db", "psql", "-At"],
            env=demo.environment,
            cwd=tmp_path,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as psql,
        (home / "postgres" / "users").open("a") as users,
    ):
        assert psql.stdin is not None
        assert psql.stdout is not None
        psql.stdin.write(b"SELECT count(*) FROM robbieblocks_pages;\n")
        psql.stdin.flush()
        assert psql.stdout.readline() == b"6\n"
        with pytest.raises(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        psql.stdin.close()
        assert psql.wait() == 0
    released(home)

    with demo.running("db", "url", "--keep") as url:
        assert url.stdout is not None
        with psycopg.connect(url.stdout.readline().strip()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        url.send_signal(signal.SIGINT)
        assert url.wait() == 0
    released(home)
    assert "--keep" in demo.run("db", "url").err


def test_psql_has_the_signals_the_exit_code_and_no_password_in_sight(
    database: str, tmp_path: Path
) -> None:
    """Ctrl-C ends a query and not psql, a closed pipe what writes to it; `-c` and its exit code are
    psql's; the arguments, which every user of the machine sees, hold no password."""
    address = f"{database} password=geheim sslpassword=geheimer"
    home = Installation(home=tmp_path / "home", database_url=address)
    assert home.run("db", "psql", "-v", "ON_ERROR_STOP=1", "-c", "selec").code == 1
    assert home.run("db", "psql", "-X", "-Atc", "SELECT 6 * 7").out == "42\n"
    assert home.run("db", "psql", "-X", "-Atc", "SELECT 6 * 7", PATH="/nowhere").out == "42\n"
    shell = home.run("db", "psql", "-X", "-c", r"\! grep SigIgn /proc/self/status")
    assert int(shell.out.split()[1], 16) & 1 << signal.SIGPIPE - 1 == 0
    ran = home.run("db", "url", "--keep")
    assert (ran.code, ran.err) == (0, "")
    assert "geheim" in ran.out
    with psycopg.connect(ran.out.strip()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    terminal, inner = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "db", "psql", "-X", "-At", "-P", "pager=off"],
        env=home.environment | {"PGAPPNAME": "by hand", "TERM": "dumb"},
        cwd=tmp_path,
        stdin=inner,
        stdout=inner,
        stderr=inner,
        start_new_session=True,
    ) as psql:
        os.close(inner)
        os.write(terminal, b"SELECT pg_sleep(100);\n")
        with psycopg.connect(database, autocommit=True) as other:
            until(lambda: other.execute(_AT_WORK).fetchone(), "the query")
        seen = Path(f"/proc/{psql.pid}/cmdline")
        if seen.exists():
            assert b"psql" in seen.read_bytes()
            assert b"geheim" not in seen.read_bytes()
        os.killpg(psql.pid, signal.SIGINT)
        os.write(terminal, b"SELECT 6 * 7;\n\\q\n")
        said = b"".join(iter(lambda: _read(terminal), b""))
        assert psql.wait() == 0
    os.close(terminal)
    assert b"canceling statement due to user request" in said
    assert b"42\r\n" in said


def _read(terminal: int) -> bytes:
    """What a program wrote to its terminal; nothing once it has ended (EIO, on Linux)."""
    try:
        return os.read(terminal, 1000)
    except OSError:
        return b""
