"""Workers and servers that are frozen, gone, in between, or out of room."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from robbieblocks.settings import Settings
from tests.chaos.pgbouncer import pooling
from tests.workers import NODES, Worker, edit, running, shown, until, until_shown

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.chaos]

NODE = NODES[0]
Db = psycopg.Connection

# The times of a worker that is quick to notice; set in the program, as no option reaches them.
QUICK = """
import dataclasses
from robbieblocks.worker import timing
class Quick(timing.Timing):
    def __init__(self, **given):
        super().__init__(**{"ping_interval_s": 0.3, "ping_timeout_s": 0.7, "query_timeout_s": 1.0,
                            "retry_max_s": 0.5, "reconnect_max_s": 0.3, **given})
import robbieblocks.cli.running.worker as command
command.Timing = Quick
"""

# A compiler that is missing for as long as a file says so.
_VANISH = """
import pathlib
from robbieblocks.process import running
start = running.start
def vanish(argv, *rest, **options):
    gone = "esbuild" in str(argv[0]) and pathlib.Path({marker!r}).exists()
    return start(["/nowhere/esbuild"] if gone else argv, *rest, **options)
running.start = vanish
"""

# A build stays between its rendering and its publishing for as long as a file is there.
_HOLD = """
import pathlib, sys, time
from robbieblocks import failpoints
there = pathlib.Path({hold!r}).exists
def hold(step):
    if step == "compose" and there():
        print('{{"event": "held"}}', file=sys.stderr, flush=True)
        while there():
            time.sleep(0.01)
failpoints.hook = hold
"""

# A site root that is a small disk, mounted where only this worker (and /proc) sees it: nothing is
# left behind, however the test ends. Where namespaces are forbidden, writing fails as it would on
# a full disk for as long as a file is there, so that the test is never skipped.
_SMALL_DISK = """
import ctypes, errno, os, pathlib, sys
libc, site = ctypes.CDLL(None, use_errno=True), {site!r}
NEWNS, NEWUSER, PRIVATE = 0x20000, 0x10000000, 0x4000 | 0x40000
user, group = os.getuid(), os.getgid()
done = libc.unshare(NEWNS if user == 0 else NEWNS | NEWUSER) == 0
if done and user:
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"{{user}} {{user}} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"{{group}} {{group}} 1")
done = done and libc.mount(b"none", b"/", None, PRIVATE, None) == 0
done = done and libc.mount(b"tmpfs", site.encode(), b"tmpfs", 0, b"size=16m") == 0
print('{{"event": "small disk", "mounted": %s}}' % str(done).lower(), file=sys.stderr, flush=True)
if not done:
    from robbieblocks.release.files import disk
    written = disk.write_new
    def write_new(name, content, *, dir_fd, modified_ns=None):
        if pathlib.Path(site, "filler").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), name)
        return written(name, content, dir_fd=dir_fd, modified_ns=modified_ns)
    disk.write_new = write_new
"""


def backend(editor: Db, name: str) -> int:
    """The pid of the server's process for one of the worker's connections."""
    found: list[int] = []

    def there() -> bool:
        rows = editor.execute(
            "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s ORDER BY backend_start DESC",
            [f"robbieblocks {name} %"],
        ).fetchall()
        found[:] = [row[0] for row in rows]
        return bool(found)

    until(there)
    return found[0]


@pytest.mark.parametrize("name", ["listener", "ping", "work"])
def test_a_frozen_backend_is_left_behind(small_site: Settings, editor: Db, name: str) -> None:
    """Whichever of its sessions the server stops serving, the worker connects anew and goes on."""
    with running(worker := Worker(small_site, NODE, ("--poll", "30"), prelude=QUICK)):
        worker.wait_until_ready()
        pid = backend(editor, name)
        os.kill(pid, signal.SIGSTOP)
        try:
            edit(editor, "play", 1)
            until(lambda: shown(small_site.site_root, NODE, "play") == 1, "the edit")
            until(lambda: backend(editor, name) != pid, "a new session")
            edit(editor, "play", 2)
            until(lambda: shown(small_site.site_root, NODE, "play") == 2, "the next edit")
        finally:
            os.kill(pid, signal.SIGCONT)
        assert worker.stop() == 0


def test_terminated_sessions_cost_no_change(small_site: Settings, editor: Db) -> None:
    """All sessions ended at once, again and again: each edit still goes out, by notification."""
    with running(worker := Worker(small_site, NODE, ("--poll", "30"), prelude=QUICK)):
        worker.wait_until_ready()
        for version in range(1, 6):
            editor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'robbieblocks %'"
            )
            edit(editor, "play", version)
            until_shown(small_site.site_root, NODE, version)
        assert worker.stop() == 0


def test_through_a_pooler_changes_still_go_out(
    small_site: Settings, editor: Db, tmp_path: Path
) -> None:
    """PgBouncer in transaction mode passes on no notification: polling finds the edits, and the
    worker says what it misses."""
    with pooling(small_site.database_url or "", tmp_path / "pooler") as conninfo:
        pooled = replace(small_site, database_url=conninfo)
        with running(worker := Worker(pooled, NODE, ("--poll", "1"), prelude=QUICK)):
            worker.wait_for("database.pooled")
            worker.wait_for("worker.reconciled")
            for version in (1, 2, 3):
                edit(editor, "play", version)
                until_shown(small_site.site_root, NODE, version)
            worker.wait_for("listener.lost")
            assert worker.stop() == 0
    unfinished = editor.execute(
        "SELECT count(*) FROM robbieblocks_deploys WHERE deploy_status NOT IN ('success', 'failed')"
    ).fetchone()
    assert unfinished == (0,)


def test_a_site_root_that_can_not_be_written_is_waited_for(
    small_site: Settings, editor: Db
) -> None:
    """While releases can't be written the old page stays and the app is tried again; then it goes out."""
    with running(worker := Worker(small_site, NODE, prelude=QUICK)):
        worker.wait_until_ready()
        # A file where the folder was: unlike rights and mounts, that stops root too.
        releases = small_site.site_root / NODE / "play" / "releases"
        parked = releases.with_name("parked")
        current = releases.with_name("current")
        target = current.readlink()
        releases.rename(parked)
        current.unlink()
        current.symlink_to(Path("parked") / target.name)
        releases.write_text("in the way")
        edit(editor, "play", 1)
        worker.wait_for("run.finished", app="play", outcome="failed", count=2)
        assert shown(small_site.site_root, NODE, "play") == 0
        releases.unlink()
        parked.rename(releases)
        current.unlink()
        current.symlink_to(target)
        until(lambda: shown(small_site.site_root, NODE, "play") == 1)
        assert worker.stop() == 0


# A failed publish leaves its standby tree to be swept, whose room is enough for the next try.
_NO_STANDBY_TREES = """
from robbieblocks import release
release.prepare_standby_trees = lambda *_, **__: None
"""


def test_a_full_disk_is_waited_out(small_site: Settings, editor: Db) -> None:
    """Out of space while it publishes, the last good page stays, the run fails and is tried again
    with pauses; when there is room again the edit goes out by itself."""
    small_site.site_root.mkdir(parents=True)
    prelude = QUICK + _NO_STANDBY_TREES + _SMALL_DISK.format(site=str(small_site.site_root))
    with running(worker := Worker(small_site, NODE, prelude=prelude)):
        worker.wait_until_ready()
        assert worker.process is not None
        seen = Path(f"/proc/{worker.process.pid}/root{small_site.site_root}")
        assert shown(seen, NODE, "play") == 0
        _fill_up(seen / "filler", mounted=worker.logged("small disk")[0]["mounted"])
        edit(editor, "play", 1)
        worker.wait_for("run.finished", app="play", outcome="failed", count=3)
        said = worker.logged("run.finished", app="play", outcome="failed")[0]["error"]
        assert "No space left on device" in said
        assert "free space" in said
        assert shown(seen, NODE, "play") == 0
        failed = editor.execute(
            "SELECT error_message, build_hash FROM robbieblocks_deploys WHERE deploy_status = 'failed'"
        ).fetchall()
        assert all("No space left" in row[0] for row in failed)
        assert {row[1] for row in failed} == {(seen / NODE / "play" / "current").readlink().name}
        (seen / "filler").unlink()
        until(lambda: shown(seen, NODE, "play") == 1, "the edit")
        until(lambda: _unfinished(editor) == 0)
        waiting = (
            "SELECT count(*) FROM robbieblocks_change_triggers WHERE %s <> ALL (handled_nodes)"
        )
        until(lambda: editor.execute(waiting, [NODE]).fetchone() == (0,))
        assert worker.stop() == 0


def _fill_up(filler: Path, *, mounted: bool) -> None:
    """Leave no byte free; the stand-in only asks whether the file is there."""
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while mounted:
            file.write(bytes(4096))


def test_a_compiler_that_fails_stops_only_what_needs_it(
    small_site: Settings, editor: Db, tmp_path: Path
) -> None:
    """Without esbuild a changed component waits and is tried again; what is live stays."""
    gone = tmp_path / "gone"
    vanish = _VANISH.format(marker=str(gone))
    with running(worker := Worker(small_site, NODE, prelude=QUICK + vanish)):
        worker.wait_until_ready()
        gone.touch()
        # One that compiled for the first build may still be running, and would do this edit.
        for child in worker.children():
            if "esbuild" in child.name():
                child.kill()
        code = f"<p data-version={{props.version}}>{{props.version}} {time.time_ns()}</p>"
        editor.execute("UPDATE robbieblocks_components SET react_code = %s", [code])
        worker.wait_for("build.failed", count=2)
        assert shown(small_site.site_root, NODE, "play") == 0
        gone.unlink()
        worker.wait_for("run.finished", app="play", outcome="published", reason="retry")
        assert worker.stop() == 0


def test_a_session_frozen_in_the_middle_of_a_build_gives_its_lease_back(
    small_site: Settings, editor: Db, tmp_path: Path
) -> None:
    """The build waits on a session that the server never serves again, with its app's lease in it:
    the worker cuts it off and builds the app on a new one, thawed or not."""
    hold = tmp_path / "hold"
    with running(
        worker := Worker(
            small_site, NODE, ("--poll", "30"), prelude=QUICK + _HOLD.format(hold=str(hold))
        )
    ):
        worker.wait_until_ready()
        hold.touch()
        edit(editor, "play", 1)
        worker.wait_for("held")
        pid = backend(editor, "work")
        assert _leases(editor, pid), "a build is under way, and its session has the lease"
        os.kill(pid, signal.SIGSTOP)
        try:
            hold.unlink()
            worker.wait_for("database.unresponsive", connection="work")
            until(lambda: shown(small_site.site_root, NODE, "play") == 1, "the edit")
            assert _leases(editor, pid), "the frozen session still has it"
            edit(editor, "play", 2)
            until(lambda: shown(small_site.site_root, NODE, "play") == 2, "the next edit")
        finally:
            os.kill(pid, signal.SIGCONT)
        until(lambda: not _leases(editor, pid), "the end of the frozen session")
        until(lambda: _unfinished(editor) == 0)
        assert worker.stop() == 0


def _leases(editor: Db, pid: int) -> int:
    """The advisory locks of a session: the node's, and one for each app that it builds."""
    row = editor.execute(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = %s", [pid]
    ).fetchone()
    return max(0, row[0] - 1) if row else 0


def _unfinished(editor: Db) -> int:
    row = editor.execute(
        "SELECT count(*) FROM robbieblocks_deploys WHERE deploy_status NOT IN ('success', 'failed')"
    ).fetchone()
    assert row is not None
    count: int = row[0]
    return count
