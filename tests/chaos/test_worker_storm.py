"""Two workers, one editor, visitors that never look away, and a monkey."""

from __future__ import annotations

import fcntl
import os
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from robbieblocks.database import embedded, schema
from robbieblocks.settings import Settings
from tests.chaos.monkey import Editor, Monkey, Visitor
from tests.workers import NODES, Worker, fill, running, shown, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.chaos, pytest.mark.timeout(400)]

EDITS = int(os.environ.get("CHAOS_EDITS", "300"))
SEED = int(os.environ.get("CHAOS_SEED", "20261122"))
CARRIED = {NODES[0]: ("code", "play", "shared"), NODES[1]: ("code", "shared", "work")}
POINTS = (
    *("read", "compile", "render", "cleared", "written"),
    *("fenced", "previous", "swapped", "record"),
)


@pytest.fixture
def installation(tmp_path: Path, toolchain: object) -> Iterator[Settings]:
    """A server of the test's own, which it may break, with the small site in it."""
    assert toolchain
    home = tmp_path / "home"
    settings = replace(
        Settings.from_environment(), home=home, site_root=home / "site", cache=home / "cache"
    )
    with embedded.server(home, progress=lambda _: None) as conninfo:
        settings = replace(settings, database_url=conninfo)
        with psycopg.connect(conninfo, autocommit=True) as connection:
            schema.apply(connection, settings.schema)
        with psycopg.connect(conninfo) as connection:
            fill(connection)
        yield settings
    with (home / "postgres" / "keeper").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def test_every_edit_is_live_whatever_breaks(installation: Settings) -> None:
    """Through kills of workers, sessions and server, every edit goes out, and no visitor ever meets
    a page that is missing, torn or older than before; every run is closed, and nothing runs on."""
    conninfo = installation.database_url or ""
    workers = [Worker(installation, node, ("--poll", "1", "--reconcile", "10")) for node in NODES]
    visitors = [Visitor(installation.site_root, node, CARRIED[node]) for node in NODES]
    editor = Editor(conninfo)
    choice = random.Random(SEED)
    with ExitStack() as servers, running(*workers):
        monkey = Monkey(SEED, conninfo, installation.home, servers, workers, POINTS)
        for worker in workers:
            worker.wait_until_ready()
        for visitor in visitors:
            visitor.start()
        try:
            for number in range(EDITS):
                editor.edit(choice.choice(["play", "work", "code", "shared"]))
                if number % 12 == 11:
                    monkey.trick()
                elif number % 5 == 0:
                    monkey.restart_dead()
                time.sleep(choice.random() * 0.08)
            wanted = {
                (node, app): editor.last[app] for node, apps in CARRIED.items() for app in apps
            }

            def all_live() -> bool:
                monkey.restart_dead()
                return wanted == {
                    (node, app): shown(installation.site_root, node, app) for node, app in wanted
                }

            def all_settled() -> bool:
                # One may have been killed after its swap, when all was live.
                monkey.restart_dead()
                return _settled(conninfo)

            until(all_live, f"the last edit of every app ({wanted})", 90)
            until(all_settled, "the end of every run and row", 90)
        finally:
            for visitor in visitors:
                visitor.stop()
            editor.close()
        assert [worker.stop() for worker in workers] == [0, 0]
    for visitor in visitors:
        assert visitor.faults == [], f"seed {SEED}, {monkey.did}"
        assert visitor.reads > EDITS
        assert visitor.newest == {app: editor.last[app] for app in visitor.apps}
    assert not any(line for worker in workers for line in worker.logged("build.broken"))
    assert not any(line for worker in workers for line in worker.logged("listener.broken"))


def _settled(conninfo: str) -> bool:
    with psycopg.connect(conninfo) as connection:
        row = connection.execute(
            """SELECT (SELECT count(*) FROM robbieblocks_change_triggers
                        WHERE processed_at IS NULL),
                      (SELECT count(*) FROM robbieblocks_deploys
                        WHERE deploy_status NOT IN ('success', 'failed') OR completed_at IS NULL)"""
        ).fetchone()
    return row == (0, 0)
