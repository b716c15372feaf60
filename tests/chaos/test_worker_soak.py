"""Months in a minute: many builds leave a worker as small as it was."""

from __future__ import annotations

import os

import psutil
import psycopg
import pytest

from robbieblocks.settings import Settings
from tests.workers import NODES, Worker, edit, running, until, until_shown

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.chaos, pytest.mark.timeout(900)]

# `make test` has no time for more; SOAK_BUILDS=2000 is the real thing.
BUILDS = int(os.environ.get("SOAK_BUILDS", "200"))
WARM_UP = 50
# What a build may keep: without a leak it keeps a fifth of that. In all, at most a quarter is kept.
LEAK_BYTES = 75_000

# A worker waits for the end of a burst of edits: that pause is half of the time, and keeps nothing.
NO_PAUSE = """
from robbieblocks.worker import timing
import robbieblocks.cli.running.worker as command
class Quick(timing.Timing):
    def __init__(self, **given):
        super().__init__(**{"quiet_s": 0.005, **given})
command.Timing = Quick
"""


def test_many_builds_leave_no_trace(small_site: Settings, editor: psycopg.Connection) -> None:
    """Memory, descriptors, threads and releases after many builds are as after a few."""
    # A process from scratch: a fork would share memory with another one.
    with running(worker := Worker(small_site, NODES[0], prelude=NO_PAUSE, prefix=("env",))):
        worker.wait_until_ready()
        before = None
        for version in range(1, BUILDS + 1):
            edit(editor, "play", version)
            until_shown(small_site.site_root, NODES[0], version)
            if version == WARM_UP:
                # What compiled the first build ends once it was idle for a while.
                until(lambda: len(worker.children()) == 1, "the isolate alone")
                before = _size(worker)
        after = _size(worker)
        assert before is not None
        for (name, was), (_, now) in zip(before.items(), after.items(), strict=True):
            more = min(was // 4, (BUILDS - WARM_UP) * LEAK_BYTES) if name.endswith("bytes") else 2
            allowed = was + more
            assert now <= allowed, f"{name}: {was} after {WARM_UP} builds, {now} after {BUILDS}"
        assert len(list((small_site.site_root / NODES[0] / "play" / "releases").iterdir())) <= 8
        assert worker.stop() == 0


def _size(worker: Worker) -> dict[str, int]:
    assert worker.process is not None
    own = psutil.Process(worker.process.pid)
    children = worker.children()
    return {
        "bytes": own.memory_info().rss,
        "child bytes": sum(child.memory_info().rss for child in children),
        "descriptors": own.num_fds(),
        "threads": own.num_threads(),
        "children": len(children),
    }
