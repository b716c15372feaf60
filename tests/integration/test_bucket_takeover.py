"""When a worker may take over a bucket from another site root."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from robbieblocks.pipeline import BreakGlass, RunReport
from robbieblocks.release import Freeze, Pin, SiteRoot
from robbieblocks.worker.bucket_thread import BucketThread
from robbieblocks.worker.ports import BuildResult
from tests.integration.releases import NODE, put_version

_NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
FREEZE = Freeze(who="ann", why="fair", until=_NOW)
PIN = Pin(build_hash="a" * 64, who="ann", why="fair", since=_NOW)


def _yes(*_: object) -> bool:
    return True


@pytest.mark.parametrize(
    ("kept", "may"),
    [
        ({}, True),
        ({"pin": PIN}, False),
        ({"freeze": FREEZE}, False),
        ({"freeze": FREEZE, "during_freeze": BreakGlass(who="bob", why="price")}, True),
    ],
)
def test_who_waits_takes_over_nothing(site_root: SiteRoot, kept: dict[str, Any], may: bool) -> None:
    """What is live of an app whose changes a pin or a freeze keeps may be older than the bucket."""
    put_version(site_root, 1)
    # A bucket and a server are not needed to tell.
    own = SimpleNamespace(
        publisher=SimpleNamespace(site_root=site_root, node=NODE),
        leader_lock=SimpleNamespace(session=object(), is_held=_yes),
        health=SimpleNamespace(state="active"),
    )
    thread = BucketThread(
        publisher=own.publisher,
        leader_lock=own.leader_lock,
        connect=cast("Any", nullcontext),
        health=own.health,
        log=cast("Any", None),
        stopped=cast("Any", SimpleNamespace(is_set=bool)),
    )
    run = RunReport(
        node=NODE, app="play", outcome="unchanged", build_hash="a", hash_before="a", **kept
    )
    thread.built(BuildResult(runs=(run,)))
    assert own.publisher.may_take_over() is may
