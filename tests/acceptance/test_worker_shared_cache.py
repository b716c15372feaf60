"""A worker that shares results: it stops while it waits for another node, and goes on where it was
killed."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
import pytest

from robbieblocks.objectstore import Address, Bucket
from robbieblocks.settings import SHARED_CACHE_KEY, Settings
from robbieblocks.shared_cache import SharedCache
from robbieblocks.shared_cache.sealing import Sealing
from robbieblocks.shared_cache.signing import Signing
from tests.media_files import png
from tests.s3_server import Answer, Front, Request
from tests.workers import NODES, Worker, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
NODE = NODES[0]
SECRET = b"k" * 32
# Whoever waits for a claim waits for good.
PATIENT = """
from robbieblocks.shared_cache import claims
claims._WAIT_MIN_S = claims.WAIT_MAX_S = 3600.0
"""


@pytest.fixture
def worker_of(s3: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Worker]:
    """A worker of a project whose file names the shared cache."""
    project = tmp_path / "project"
    project.mkdir()
    (project / "robbieblocks.toml").write_text(
        f'[cache]\nshared = "{s3.url}"\nendpoint = "{s3.address}"\n'
    )
    monkeypatch.setenv(SHARED_CACHE_KEY, base64.b64encode(SECRET).decode())
    there = f"os.chdir({str(project)!r})"
    return lambda settings: Worker(settings, NODE, prelude=f"{there}\n{PATIENT}")


def upload(editor: psycopg.Connection, name: str, width: int) -> None:
    """Add a picture and have the page show it, at once: else it is made before it is needed."""
    with editor.transaction():
        editor.execute(
            "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash, "
            "is_decorative) VALUES (%s, 'p.png', '', %s, '', true)",
            [name, png(width, 20)],
        )
        editor.execute(
            "UPDATE robbieblocks_components SET css_styles = %s WHERE component_key = 'label'",
            [f".a {{ background: url(media:{name}) }}"],
        )


@dataclass
class Claimed:
    """What is done with claims that a worker writes: the first is held up until `go_on`, and once
    `is_second` is set another node's stands where it wants to write one.
    """

    other: SharedCache
    bucket: Bucket
    held: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    asked_again: threading.Event = field(default_factory=threading.Event)
    is_second: bool = False
    names: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer | None:
        """Look at a request before it is passed on."""
        name = "".join(request.key.split("/")[-2:])
        if request.method == "PUT" and not self.names:
            self.names.append(name)
            self.held.set()
            self.go_on.wait(60)
        elif request.method == "PUT" and self.is_second and len(self.names) == 1:
            self.names.append(name)
            said = f"{time.time():.3f} {self.other._claimant.name()}".encode()
            self.bucket.put(self.other._vault.stored(name, said))
        elif request.method == "GET" and len(self.names) == 2 and name not in self.names:
            # The claim itself is read once, then the entry is asked for, again and again.
            self.asked_again.set()
        return None


def test_a_worker_waits_for_others_and_neither_for_its_end_nor_for_its_dead(
    s3: Front,
    small_site: Settings,
    editor: psycopg.Connection,
    worker_of: Callable[[Settings], Worker],
    tmp_path: Path,
) -> None:
    """Killed at its claim, it makes the picture as soon as it is back. While it waits for another
    node's it ends in order on SIGTERM, with the picture made here."""
    settings = replace(small_site, cache=tmp_path / "cache")
    bucket = Bucket(Address.parse(s3.url, endpoint=s3.server))
    other = SharedCache(bucket, bucket, Sealing(SECRET, Signing(tmp_path)), tmp_path / "other")
    s3.refuse = claimed = Claimed(other, bucket)
    upload(editor, "dusk", 40)
    first, second = worker_of(settings), worker_of(settings)
    with running(first):
        assert claimed.held.wait(60)
        first.kill()
    # Whoever wrote it is there no more to be answered.
    s3.lose = lambda _request: True
    claimed.go_on.set()
    until(lambda: bucket.get(other._vault.key(claimed.names[0])), "the claim written")
    s3.lose = lambda _request: False
    with running(second):
        second.wait_until_ready()
        until(lambda: len(list(bucket.list())) == 2, "the picture in the bucket, and its claim")
        claimed.is_second = True
        upload(editor, "dawn", 50)
        assert claimed.asked_again.wait(60)
        code = second.stop()
    assert code == 0, second.lines
    assert second.logged("worker.stopped")
    assert not second.logged("worker.cut_short")
    assert list((settings.site_root / NODE / "assets").glob("dawn*"))
    other.close()
