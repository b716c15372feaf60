"""A worker as an operator runs it: a process, a database, a site root."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from robbieblocks.settings import Settings
from tests import loopback
from tests.workers import FILES, NODES, PAGES, Worker, edit, fill, running, shown, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE, OTHER = NODES
NEVER = "3600"
# The tests share a cache of rendered blocks; these versions are rendered by one test alone.
NEW = 1_000_000
Db = psycopg.Connection


def rows(editor: Db, query: str, *values: Any) -> list[Any]:
    return editor.execute(query.encode(), values).fetchall()


def unfinished(editor: Db) -> int:
    found = rows(
        editor,
        "SELECT count(*) FROM robbieblocks_deploys WHERE deploy_status NOT IN ('success', 'failed')",
    )
    count: int = found[0][0]
    return count


def is_live(small_site: Settings, node: str, app: str, version: int) -> Callable[[], bool]:
    return lambda: shown(small_site.site_root, node, app) == version


def test_a_commit_is_live_by_notification_alone(small_site: Settings, editor: Db) -> None:
    """With no poll for an hour, an edit of every app is served on each node that carries it."""
    workers = [Worker(small_site, node, ("--poll", NEVER)) for node in NODES]
    with running(*workers):
        for worker in workers:
            worker.wait_until_ready()
        for app in PAGES:
            edit(editor, app, 1)
        for node, app in ((NODE, "play"), (NODE, "code"), (OTHER, "work"), (OTHER, "code")):
            until(is_live(small_site, node, app, 1), f"{app} on {node}")
        until(is_live(small_site, NODE, "shared", 1))
        until(is_live(small_site, OTHER, "shared", 1))
        until(
            lambda: (
                not rows(
                    editor, "SELECT 1 FROM robbieblocks_change_triggers WHERE processed_at IS NULL"
                )
            )
        )
        assert [worker.stop() for worker in workers] == [0, 0]
    asked = rows(
        editor,
        "SELECT triggered_by, trigger_ids, deploy_status FROM robbieblocks_deploys WHERE app_namespace = 'play' ORDER BY started_at",
    )
    assert [row[0] for row in asked] == ["start", "page_update"]
    assert len(asked[1][1]) == 1
    assert unfinished(editor) == 0


def test_without_notifications_polling_is_enough(small_site: Settings, editor: Db) -> None:
    """With NOTIFY cut off, edits are live within the poll floor."""
    editor.execute("ALTER TABLE robbieblocks_change_triggers DISABLE TRIGGER robbieblocks_notify")
    with running(worker := Worker(small_site, NODE, ("--poll", "0.2"))):
        worker.wait_until_ready()
        edit(editor, "play", 1)
        until(is_live(small_site, NODE, "play", 1))


def test_sigterm_ends_an_idle_worker(small_site: Settings, editor: Db) -> None:
    """Asked to stop it exits with 0, leaves no child and no unfinished row."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        edit(editor, "play", NEW)
        worker.wait_for("run.finished", app="play", outcome="published", triggered_by="page_update")
        children = worker.children()
        assert children, "the isolate's process is kept warm"
        assert worker.stop() == 0
    until(lambda: not any(child.is_running() for child in children))
    assert unfinished(editor) == 0


def test_sigterm_cuts_a_build_short_after_the_grace(small_site: Settings, editor: Db) -> None:
    """A build that does not end is killed; its row says failed, the old page stays, exit is 0."""
    with running(first := Worker(small_site, NODE)):
        first.wait_until_ready()
        assert first.stop() == 0
    edit(editor, "play", 1)
    with running(worker := Worker(small_site, NODE, ("--grace", "0.1"), stall="render")):
        worker.wait_for("stalled")
        assert worker.stop() == 0
        assert worker.logged("worker.cut_short")
    assert is_live(small_site, NODE, "play", 0)()
    assert unfinished(editor) == 0
    with running(last := Worker(small_site, NODE)):
        last.wait_until_ready()
        until(is_live(small_site, NODE, "play", 1))


def test_a_running_build_is_finished_within_the_grace(small_site: Settings, editor: Db) -> None:
    """SIGTERM in the middle of work does not throw the work away."""
    edit(editor, "play", 1)
    with running(worker := Worker(small_site, NODE)):
        worker.wait_for("worker.state", state="active")
        assert worker.stop() == 0
    assert unfinished(editor) == 0


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_sigkill_at_every_phase_loses_nothing(small_site: Settings, editor: Db) -> None:
    """Killed at each named point in turn, no page is ever missing, torn or older; all ends well."""
    with running(first := Worker(small_site, NODE)):
        first.wait_until_ready()
        first.stop()
    points = ["read", "assemble", "compile", "brand", "plan", "render", "compose"]
    points += ["assets", "written", "named", "synced", "fenced", "previous", "swapped", "checked"]
    points += ["verified", "record"]
    for version, point in enumerate(points, 1):
        before = shown(small_site.site_root, NODE, "play")
        edit(editor, "play", version)
        with running(worker := Worker(small_site, NODE, crash=point)):
            assert worker.wait_for_exit() == -signal.SIGKILL, point
        after = shown(small_site.site_root, NODE, "play")
        assert before is not None
        assert after is not None
        assert before <= after <= version, point
    with running(last := Worker(small_site, NODE)):
        last.wait_until_ready()
        until(is_live(small_site, NODE, "play", len(points)))
        until(lambda: unfinished(editor) == 0)
        until(
            lambda: (
                not rows(
                    editor,
                    "SELECT 1 FROM robbieblocks_change_triggers WHERE processed_at IS NULL AND %s = ANY (affected_nodes)",
                    NODE,
                )
            )
        )
        assert last.stop() == 0
    assert list((small_site.site_root / NODE / "play").rglob(".tmp*")) == []


def test_children_end_with_a_killed_worker(small_site: Settings, editor: Db) -> None:
    """SIGKILL of the worker takes the isolate's process with it."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        edit(editor, "play", NEW + 1)
        until(worker.children, "the isolate's process")
        children = worker.children()
        worker.kill()
        until(lambda: not any(_alive(child) for child in children))


def _alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_second_worker_stands_by_and_takes_over(small_site: Settings, editor: Db) -> None:
    """One worker has the node; when it is killed the other goes on from where it was."""
    first, second = Worker(small_site, NODE), Worker(small_site, NODE)
    with running(first):
        first.wait_until_ready()
        with running(second):
            second.wait_for("worker.state", state="standby")
            edit(editor, "play", 1)
            until(is_live(small_site, NODE, "play", 1))
            assert not second.logged("run.finished")
            first.kill()
            edit(editor, "play", 2)
            until(is_live(small_site, NODE, "play", 2))
            second.wait_for("worker.state", state="active")


def test_the_first_connect_fails_fast(small_site: Settings, tmp_path: Path) -> None:
    """Without a database the worker does not start: it says why and exits with 3."""
    settings = Settings(
        **{
            **{name: getattr(small_site, name) for name in Settings.__dataclass_fields__},
            "database_url": f"host={tmp_path} dbname=nowhere",
        }
    )
    with running(worker := Worker(settings, NODE)):
        assert worker.wait_for_exit() == 3
        worker.wait_for("text")
        assert "can't connect" in worker.lines[-1]["text"]


def test_an_unknown_node_is_a_mistake(small_site: Settings) -> None:
    """A node that branding does not know ends the start with 2 and the known ones."""
    with running(worker := Worker(small_site, "vengance-local")):
        assert worker.wait_for_exit() == 2
        worker.wait_for("text")
        assert NODE in str(worker.lines)


def test_a_broken_component_leaves_the_old_page_and_is_not_tried_again(
    small_site: Settings, editor: Db
) -> None:
    """A content error is one failed row; the page is served as before, until the row is mended."""
    with running(worker := Worker(small_site, NODE, ("--poll", "0.2", "--reconcile", "0.5"))):
        worker.wait_until_ready()
        code = rows(editor, "SELECT react_code FROM robbieblocks_components")[0][0]
        editor.execute(
            "UPDATE robbieblocks_components SET react_code = %s", ["<p>{props.version</p>"]
        )
        worker.wait_for("run.finished", app="play", outcome="failed")
        failed = "SELECT count(*) FROM robbieblocks_deploys WHERE deploy_status = 'failed' AND app_namespace = 'play'"
        edit(editor, "work", 1)
        looks = len(worker.lines)
        edit(editor, "code", 1)
        worker.wait_for("run.finished", count=2, app="code", outcome="failed")
        assert len(worker.lines) > looks
        assert rows(editor, failed) == [(1,)]
        assert is_live(small_site, NODE, "play", 0)()
        editor.execute("UPDATE robbieblocks_components SET react_code = %s", [code])
        edit(editor, "play", 3)
        until(is_live(small_site, NODE, "play", 3))


def test_a_damaged_release_heals_by_itself(small_site: Settings, editor: Db) -> None:
    """A page that somebody edited or deleted on disk is put right, without any row."""
    with running(worker := Worker(small_site, NODE, ("--reconcile", "0.3"))):
        worker.wait_until_ready()
        page = small_site.site_root / NODE / "play" / "current" / FILES["play"]
        right = page.read_bytes()
        page.chmod(0o644)  # nobody but root writes over it as it is
        page.write_bytes(b"defaced")
        until(lambda: page.exists() and page.read_bytes() == right)
        page.unlink()
        until(lambda: page.exists() and page.read_bytes() == right)
        worker.wait_for("run.finished", app="play", reason="reconcile")


def test_a_page_comes_out_at_its_time(small_site: Settings, editor: Db) -> None:
    """A page whose published_at is ahead goes live then, and the row says `schedule`."""
    with running(worker := Worker(small_site, NODE, ("--poll", NEVER))):
        worker.wait_until_ready()
        at = datetime.now(UTC) + timedelta(seconds=2)
        editor.execute(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status, published_at)"
            " VALUES ('soon', 'play', 'Soon', '/soon/', 'single-column', 'published', %s)",
            [at],
        )
        worker.wait_for("run.finished", app="play", triggered_by="page_update")
        page = small_site.site_root / NODE / "play" / "current" / "soon" / "index.html"
        until(page.exists, "its coming out")
        assert datetime.now(UTC) >= at
        worker.wait_for("run.finished", app="play", triggered_by="schedule")


def test_rows_that_wait_for_a_person_are_left_to_one(small_site: Settings, editor: Db) -> None:
    """A row with auto_deploy false is passed over, and released to the worker by setting it."""
    with running(worker := Worker(small_site, NODE, ("--poll", NEVER))):
        worker.wait_until_ready()
        editor.execute("BEGIN")
        edit(editor, "play", 1)
        editor.execute("UPDATE robbieblocks_change_triggers SET auto_deploy = false")
        editor.execute("COMMIT")
        edit(editor, "code", 1)
        until(is_live(small_site, NODE, "code", 1))
        assert is_live(small_site, NODE, "play", 0)()
        editor.execute("UPDATE robbieblocks_change_triggers SET auto_deploy = true")
        until(is_live(small_site, NODE, "play", 1))


def test_a_node_may_join_and_leave(small_site: Settings, editor: Db) -> None:
    """A node that is inserted gets everything; one that is removed holds up no row."""
    editor.execute("DELETE FROM robbieblocks_node_branding WHERE node_id = %s", [OTHER])
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        edit(editor, "code", 1)
        until(is_live(small_site, NODE, "code", 1))
        editor.execute(
            "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps) VALUES (%s, 'Other', '{}', '{work,code}')",
            [OTHER],
        )
        with running(other := Worker(small_site, OTHER)):
            other.wait_until_ready()
            until(is_live(small_site, OTHER, "code", 1))
            until(is_live(small_site, OTHER, "work", 0))
        edit(editor, "code", 2)
        until(is_live(small_site, NODE, "code", 2))
        waiting = "SELECT count(*) FROM robbieblocks_change_triggers WHERE processed_at IS NULL"
        assert rows(editor, waiting) != [(0,)]
        editor.execute("DELETE FROM robbieblocks_node_branding WHERE node_id = %s", [OTHER])
        until(lambda: rows(editor, waiting) == [(0,)])


def test_two_databases_each_have_their_node(
    make_settings: Callable[..., Settings],
    databases: Any,
    schema_template: str,
    warm: Path,
    tmp_path: Path,
) -> None:
    """Workers of two databases don't know of each other."""
    with databases.copy(schema_template) as one, databases.copy(schema_template) as two:
        for conninfo in (one, two):
            with psycopg.connect(conninfo) as connection:
                fill(connection)
        sites = [
            make_settings(conninfo, cache=warm, site_root=tmp_path / name)
            for name, conninfo in (("one", one), ("two", two))
        ]
        workers = [Worker(settings, NODE) for settings in sites]
        with running(*workers):
            for worker in workers:
                worker.wait_until_ready()
            with psycopg.connect(two) as connection:
                edit(connection, "play", 5)
            until(is_live(sites[1], NODE, "play", 5))
            assert is_live(sites[0], NODE, "play", 0)()


def test_a_storm_on_one_app_does_not_hold_up_another(small_site: Settings, editor: Db) -> None:
    """While one app is edited without pause, another's edit goes out; the storm's last does too."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        version, other = 0, False
        while not other or version < 200:
            version += 1
            edit(editor, "play", version)
            if version == 50:
                edit(editor, "code", 1)
            other = version > 50 and is_live(small_site, NODE, "code", 1)()
            assert version < 20_000, "the storm held it up"
        until(is_live(small_site, NODE, "play", version))
        builds = rows(
            editor, "SELECT count(*) FROM robbieblocks_deploys WHERE app_namespace = 'play'"
        )
        assert builds[0][0] < version / 3, "a storm is gathered into few builds"


def test_it_answers_health_and_its_manager(small_site: Settings, editor: Db) -> None:
    """READY and watchdog signs reach systemd; /healthz, /readyz and /metrics answer."""
    received: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        address = f"\0robbieblocks-test-{os.getpid()}"
        manager.bind(address)

        def read() -> None:
            # All the time, as systemd does: a full queue would hold up the worker.
            while message := manager.recv(1000):
                received.append(message)

        reader = threading.Thread(target=read)
        reader.start()
        environment = {"NOTIFY_SOCKET": "@" + address[1:], "WATCHDOG_USEC": "300000"}
        worker = Worker(small_site, NODE, ("--health", "127.0.0.1:0"), environment=environment)
        try:
            with running(worker):
                until(lambda: b"WATCHDOG=1" in received, "a sign of life")
                assert any(b"READY=1" in message for message in received)
                worker.wait_until_ready()
                at = worker.logged("worker.started")[0]["health"]
                for path in ("healthz", "readyz", "metrics"):
                    assert loopback.get(f"http://{at}/{path}", timeout=10).status_code == 200, path
                assert worker.stop() == 0
            until(lambda: b"STOPPING=1" in received, "the end")
        finally:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
                last.sendto(b"", address)
            reader.join()
