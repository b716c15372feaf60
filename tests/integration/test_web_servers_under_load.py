"""The real nginx and Caddy under load, while releases are swapped below both."""

from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from robbieblocks import release
from robbieblocks.model import Asset
from robbieblocks.release import SiteRoot
from tests import loopback, web_servers
from tests.integration.releases import NODE, app_folder, keeping, manifest, put
from tests.integration.test_web_servers import text_of
from tests.web_servers import SERVERS

pytestmark = pytest.mark.slow

SWAPS = 200
VERSIONS = 40
FILES = {"/play/": "play/index.html", "/play/about/": "play/about/index.html"}
FUTURE = "Sun, 01 Jan 2034 00:00:00 GMT"


def files(version: int) -> dict[str, bytes]:
    """Two pages of a version: as long as those of any other, and written within a second."""
    said = b"<h1>version %02d</h1> %s end" % (version, b"x" * 30_000)
    return {path: b"%s of %s" % (said, path.encode()) for path in FILES.values()}


def asset(version: int) -> Asset:
    """The script of a version."""
    return Asset.of("c", "js", f"// version {version:02}")


def version_in(content: bytes) -> int:
    """The version that a page says."""
    return int(content[len(b"<h1>version ") :][:2])


@dataclass
class Swaps:
    """The versions that were made live one after the other: how many were begun, and finished."""

    versions: list[int]
    begun: int = 1
    finished: int = 1

    def lived(self, since: int) -> list[int]:
        """What was live at some time since so many swaps were finished."""
        return self.versions[since - 1 : self.begun]


@dataclass
class Visitor:
    """Reads pages and their scripts again and again, most times with the ETag just seen."""

    url: str
    swaps: Swaps
    seen: dict[str, tuple[str, bytes]] = field(default_factory=dict[str, tuple[str, bytes]])
    answers: int = 0
    known: int = 0
    faults: list[str] = field(default_factory=list[str])

    def visit(self, done: threading.Event) -> None:
        """Until it is done; what is wrong is in `faults`."""
        with loopback.client(base_url=self.url, headers={"Accept-Encoding": "identity"}) as client:
            while not done.is_set():
                for path in FILES:
                    self._read(client, path)

    def _read(self, client: httpx.Client, path: str) -> None:
        tag, known = self.seen.get(path, ("", b""))
        since = self.swaps.finished
        answer = client.get(path, headers={"If-None-Match": tag} if tag else {})
        lived = self.swaps.lived(since)
        content = known if answer.status_code == 304 else answer.content
        self.answers += 1
        self.known += answer.status_code == 304
        if answer.status_code not in (200, 304):
            self.faults.append(f"{path}: {answer.status_code}")
            return
        version = version_in(content)
        if content != files(version)[FILES[path]]:
            self.faults.append(f"{path} is not whole: {content[:40]!r}")
        if version not in lived:
            self.faults.append(f"{path}: {answer.status_code} for {version}, live were {lived}")
        build = answer.headers.get(release.BUILD_HEADER)
        if build and build != manifest(files(version), [asset(version)]).build_hash:
            self.faults.append(f"{path}: {build} is not the build of version {version}")
        if found := answer.headers.get("etag"):
            self.seen[path] = found, content
        script = client.get(asset(version).url)
        if (script.status_code, script.content) != (200, asset(version).content):
            self.faults.append(f"the script of {version}: {script.status_code}")


@dataclass
class Returning:
    """A visitor who kept the last pages that it was sent, each with its ETag."""

    client: httpx.Client
    kept: dict[str, bytes] = field(default_factory=dict[str, bytes])

    def check(self, live: bytes) -> None:
        """Whichever page the visitor has: it gets the live one, or is told that it has it."""
        for tag, content in [*list(self.kept.items())[-3:], ("", b"")]:
            sent = {"If-None-Match": tag} if tag else {"If-Modified-Since": FUTURE}
            answer = self.client.get("/play/", headers=sent)
            got = content if answer.status_code == 304 else answer.content
            assert got == live
            if found := answer.headers.get("etag"):
                assert self.kept.setdefault(found, got) == got


@contextmanager
def both(root: SiteRoot, folder: Path) -> Generator[list[str]]:
    """The addresses of both servers over one site root."""
    with ExitStack() as running:
        urls: list[str] = []
        for server in SERVERS:
            port = web_servers.free_port()
            text = text_of(server, root.path, f"127.0.0.1:{port}")
            server_runs = web_servers.running(server, text, folder / server, port)
            urls.append(running.enter_context(server_runs))
        yield urls


def test_200_swaps_under_load_tear_no_answer_and_leave_none_stale(tmp_path: Path) -> None:
    """From nginx and Caddy over one site root: each answer is whole and of one release, which was
    live while it was asked for; a 304 is for who has that; the disk stays bounded."""
    root = SiteRoot(tmp_path / "site")
    swaps = Swaps([0])
    put(root, files(0), [asset(0)])
    folders: list[int] = []
    with both(root, tmp_path) as urls, ThreadPoolExecutor() as threads, ExitStack() as clients:
        returning = [
            Returning(clients.enter_context(loopback.client(base_url=url))) for url in urls
        ]
        visitors = [Visitor(url, swaps) for url in urls]
        done = threading.Event()
        visits = [threads.submit(each.visit, done) for each in visitors]
        try:
            for number in range(1, SWAPS + 1):
                # Each fifth goes back to what was live two swaps ago.
                version = (number - 2 if number % 5 == 0 else number) % VERSIONS
                swaps.versions.append(version)
                swaps.begun += 1
                put(root, files(version), [asset(version)])
                swaps.finished += 1
                release.prune(root, NODE, "play", sweep_hours=0.0)
                folders.append(len(list(app_folder(root).releases.iterdir())))
                for each in returning:
                    each.check(files(version)["play/index.html"])
        finally:
            done.set()
        for visit in visits:
            visit.result()
    assert [fault for each in visitors for fault in each.faults] == []
    assert min(each.answers for each in visitors) > SWAPS
    # Caddy's time of a file is no version's: it is given none to ask with.
    assert [each.known > 0 for each in visitors] == [True, False]
    assert max(folders) <= 8
    release.prune(keeping(root, asset_days=0.0), NODE, "play", sweep_hours=0.0)
    assert len(list((root.path / NODE / "assets").iterdir())) <= 8
