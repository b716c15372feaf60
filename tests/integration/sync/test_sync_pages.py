"""From a commit to a page: what is edited on one database is live on a node of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from robbieblocks.settings import Settings
from tests.sync_sites import Clusters, synced
from tests.workers import Worker, edit, running, until, until_shown, warm

__all__ = ["warm"]

pytestmark = pytest.mark.postgres


def test_an_edit_is_live_on_every_node(
    clusters: Clusters, make_settings: Callable[..., Settings], warm: Path
) -> None:
    """One of the master on both nodes, one of a node on the other; each builds once for it. A
    worker with `--with-sync` needs no other process.
    """
    with synced(clusters, make_settings) as found:
        workers = [
            Worker(
                replace(place.settings, cache=warm / place.name),
                place.name,
                ("--with-sync", "--health", "127.0.0.1:0"),
                environment={"ROBBIEBLOCKS_SYNC_MASTER_URL": place.settings.sync.master or ""},
            )
            for place in found.nodes
        ]
        sites = [worker.settings.site_root for worker in workers]
        first, second = found.nodes
        with running(*workers):
            for worker in workers:
                worker.wait_for("sync.state", state="active")
                worker.wait_until_ready()
            for site, place in zip(sites, found.nodes, strict=True):
                until_shown(site, place.name, 0)
            found.until_sent()
            builds = [len(worker.logged("run.finished")) for worker in workers]
            with found.master.connect() as master:
                edit(master, "play", 1)
            for site, place in zip(sites, found.nodes, strict=True):
                until_shown(site, place.name, 1)
            with first.connect() as node:
                edit(node, "play", 2)
            until_shown(sites[0], first.name, 2)
            until_shown(sites[1], second.name, 2)
            # Runs go up: the master knows what each node has published.
            runs = "SELECT count(DISTINCT node_id) FROM robbieblocks_deploys"
            until(lambda: found.master.value(runs) == 2, "the runs to go up")
            assert [worker.stop() for worker in workers] == [0, 0]
            # One for each edit.
            assert [len(worker.logged("run.finished")) for worker in workers] == [
                count + 2 for count in builds
            ]
