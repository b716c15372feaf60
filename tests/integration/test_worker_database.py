"""The worker's connection for reading and building: leader lock, queue, query watchdog."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from robbieblocks.database import translated
from robbieblocks.errors import DatabaseUnavailable, SiteUnavailable
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.connections import LeaderLock, QueryWatchdog, WorkerDatabase
from tests.worker_doubles import RecordingLog
from tests.workers import NODES, until

pytestmark = pytest.mark.postgres

NODE = NODES[0]
Db = Connection
Connect = Callable[[str], Connection]


def test_a_query_without_answer_is_ended(open_connection: Connect) -> None:
    """The watchdog ends the wait for a server that does not answer; the error is a transient one."""
    log = RecordingLog()
    watchdog = QueryWatchdog(0.1, log)
    connection = open_connection("work")
    watchdog.watch("work", connection)
    over = threading.Event()

    def check() -> None:
        while not over.wait(0.02):
            watchdog.check()

    thread = threading.Thread(target=check)
    thread.start()
    try:
        with pytest.raises(DatabaseUnavailable), translated("sleep"):
            connection.execute("SELECT pg_sleep(60)")
    finally:
        over.set()
        thread.join()
    assert [values["connection"] for values in log.named("database.unresponsive")] == ["work"]


def database(
    settings: Settings, open_connection: Connect, root: Path | None = None
) -> WorkerDatabase:
    site_root = SiteRoot(root or settings.site_root)
    return WorkerDatabase(
        node=NODE,
        site_root=site_root,
        create_root=True,
        open_connection=open_connection,
        leader_lock=LeaderLock(site_root, NODE),
        log=RecordingLog(),
    )


def test_one_worker_a_node(settings: Settings, open_connection: Connect, tmp_path: Path) -> None:
    """On one machine the file lock, from two machines the advisory lock lets one work alone."""
    first, same, far = (
        database(settings, open_connection),
        database(settings, open_connection),
        database(settings, open_connection, tmp_path / "far"),
    )
    assert first.is_leader()
    assert not same.is_leader()
    assert not far.is_leader()
    first.close()
    # The server ends a session, and frees its locks, a moment after the connection is closed.
    until(far.is_leader, "the other machine's worker has the lock")
    far.close()
    until(same.is_leader, "the other worker of this machine has the lock")
    same.close()


def test_a_lost_connection_does_not_lock_its_own_worker_out(
    settings: Settings, open_connection: Connect
) -> None:
    """An earlier session that the server still keeps is ended, and not waited for."""
    mine = database(settings, open_connection)
    assert mine.is_leader()
    kept = mine.connect()
    # As after a broken network: the server still has the session, and with it the lock.
    mine._connection = psycopg.connect(settings.database_url or "")
    mine.disconnect()
    assert mine.is_leader()
    with pytest.raises(psycopg.OperationalError):
        until(lambda: kept.execute("SELECT 1") is None)
    mine.close()


def test_a_site_root_that_can_not_be_written_is_told(
    settings: Settings, open_connection: Connect, tmp_path: Path
) -> None:
    """The error names the file and what to do."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SiteUnavailable, match="ROBBIEBLOCKS_SITE_ROOT"):
        database(settings, open_connection, tmp_path / "file").is_leader()


def test_rows_of_apps_that_the_node_lacks_are_acknowledged(
    editor: Db, settings: Settings, open_connection: Connect
) -> None:
    """A row that names the node and no app of its own is acknowledged, not left to wait for ever."""
    editor.execute(
        "INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, affected_apps, affected_nodes)"
        " VALUES ('page_update', 'page', gen_random_uuid(), '{nothing}', %s)",
        [[NODE]],
    )
    mine = database(settings, open_connection)
    assert mine.read_queue([]).irrelevant
    assert not mine.read_queue([]).irrelevant
    mine.close()
