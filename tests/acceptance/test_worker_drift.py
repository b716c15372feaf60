"""A worker that finds drift: on the disk, which it mends, and at its address, which it tells."""

from __future__ import annotations

import pytest

from robbieblocks.settings import Settings
from tests.integration.releases import overwrite
from tests.sites import served
from tests.workers import FILES, NODES, Worker, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_a_worker_tells_of_drift_and_mends_what_it_can(small_site: Settings) -> None:
    """A page that is edited on the disk is written again; an address that another node answers at
    is told of, with who is at fault, and changes go out all the same."""
    node, other = NODES
    site = small_site.site_root
    quick = ("--poll", "0.2", "--reconcile", "1")
    first = Worker(small_site, other, quick)
    second = Worker(small_site, node, quick)
    with running(first, second):
        first.wait_for("worker.reconciled")
        second.wait_for("worker.reconciled")
        page = site / node / "play" / "current" / FILES["play"]
        before = page.read_bytes()
        overwrite(page, before + b"<!-- mine -->")
        second.wait_for("drift.detected", app="play", kind="disk")
        until(lambda: page.read_bytes() == before, "the repair")
    with served(site, other) as url:
        third = Worker(small_site, node, quick, environment={"ROBBIEBLOCKS_SMOKE_URL": url})
        with running(third):
            third.wait_for("drift.detected", app="play", kind="serving")
        (found, *_) = third.logged("drift.detected", app="play", kind="serving")
        assert "another root" in found["what"][0]
        assert found["remedy"]
        assert third.logged("run.finished", outcome="failed") == []
