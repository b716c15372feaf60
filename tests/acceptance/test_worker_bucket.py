"""A worker that publishes to a bucket, too: after each build, and again after failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from robbieblocks.settings import Settings
from tests.s3_server import Front
from tests.workers import FILES, NODES, Worker, edit, running, shown, until, versions

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]


def in_bucket(s3: Front, app: str = "play") -> int | None:
    """The version of an app's page that a router would answer with."""
    bucket = s3.bucket()
    pointer = bucket.get("pointer.json")
    if pointer is None:
        return None
    table = bucket.get(json.loads(pointer.data)["table"])
    assert table is not None
    route = "/" + FILES[app].removesuffix("index.html")
    named = json.loads(table.data)["files"].get(route)
    if named is None:
        return None
    page = bucket.get(named[0])
    assert page is not None
    found = versions(page.data.decode())
    assert len(set(found)) == 1
    return found[0]


@pytest.fixture
def project(s3: Front, tmp_path: Path) -> Path:
    """A project whose file names the bucket."""
    folder = tmp_path / "project"
    folder.mkdir()
    text = f'[bucket]\nurl = "{s3.url}"\nendpoint = "{s3.address}"\nnodes = "{NODE}"\n'
    (folder / "robbieblocks.toml").write_text(text)
    return folder


@pytest.fixture
def worker_of(project: Path) -> Callable[..., Worker]:
    """A worker that is started in the project's folder."""
    return lambda settings: Worker(settings, NODE, prelude=f"os.chdir({str(project)!r})")


def test_an_edit_reaches_the_bucket_and_no_failure_of_it_the_site(
    s3: Front,
    small_site: Settings,
    editor: psycopg.Connection,
    worker_of: Callable[[Settings], Worker],
) -> None:
    """While the bucket refuses, edits are live here; the newest is there once it takes them."""
    worker = worker_of(small_site)
    with running(worker):
        worker.wait_until_ready()
        worker.wait_for("bucket.published")
        edit(editor, "play", 1)
        until(lambda: in_bucket(s3) == 1, "version 1 in the bucket")
        s3.refuse = lambda _request: (503, "SlowDown")
        for version in (2, 3):
            edit(editor, "play", version)
            until(lambda: shown(small_site.site_root, NODE, "play") == version)  # noqa: B023 -- waited for here
        worker.wait_for("bucket.failed")
        s3.refuse = lambda _request: None
        assert in_bucket(s3) == 1
        until(lambda: in_bucket(s3) == 3, "version 3 in the bucket")
        assert worker.stop() == 0
    (failed,) = worker.logged("bucket.failed")
    assert "SlowDown" in failed["error"]
    assert not worker.logged("build.failed")


def test_another_machine_s_worker_takes_the_bucket_over_once_it_has_built(
    s3: Front,
    small_site: Settings,
    editor: psycopg.Connection,
    worker_of: Callable[[Settings], Worker],
    tmp_path: Path,
) -> None:
    """The first is killed; the second, whose site root is empty, publishes what it has built."""
    first = worker_of(small_site)
    other_place = replace(
        small_site, home=tmp_path / "other", site_root=tmp_path / "other" / "site"
    )
    second = worker_of(other_place)
    with running(first):
        first.wait_until_ready()
        until(lambda: in_bucket(s3) == 0, "the first version")
        with running(second):
            second.wait_for("worker.state", state="standby")
            first.kill()
            edit(editor, "play", 5)
            second.wait_for("bucket.published", taken_over=True)
            until(lambda: in_bucket(s3) == 5, "version 5 in the bucket")
            assert second.stop() == 0
