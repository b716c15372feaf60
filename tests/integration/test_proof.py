"""What visitors get, asked at a node's address: what is wrong is named with who is at fault."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Manifest
from robbieblocks.release import AppFolder, NotServed, SiteRoot, live
from robbieblocks.release.proof.proving import prove
from robbieblocks.settings import Address
from tests import loopback
from tests.integration import proofs
from tests.integration.proofs import APPS, NODES, answering, files_below, put, put_all
from tests.integration.releases import manifest, publish
from tests.sites import served

NODE, OTHER = NODES


@pytest.fixture
def root(tmp_path: Path) -> SiteRoot:
    """Two nodes with two apps each, live in their second version."""
    site_root = SiteRoot(tmp_path / "site")
    put_all(site_root, 1)
    put_all(site_root, 2)
    return site_root


def proof(
    root: SiteRoot, url: str, *, node: str = NODE, app: str = "play", **more: str
) -> tuple[NotServed, ...]:
    """What is not served of an app at an address, asked without a pause."""
    manifest = live(root, node, app)
    assert manifest is not None
    address = Address(url=url, **more)  # type: ignore[arg-type] # of tests' own
    return prove(address, AppFolder.of(root, node, app), manifest, pause_s=0.0)


def culprits(found: tuple[NotServed, ...]) -> set[str]:
    """Who is at fault; every finding says what to do."""
    assert all(each.remedy and "\n" not in str(each) for each in found)
    return {each.culprit for each in found}


@pytest.mark.parametrize("app", APPS)
@pytest.mark.parametrize("node", NODES)
def test_all_is_right_where_the_release_is_served(root: SiteRoot, node: str, app: str) -> None:
    """By `serve`, which names the build, and by a plain server, which does not."""
    with served(root.path, node) as ours, answering(files_below(root.path / node)) as plain:
        for url in (ours, plain):
            assert proof(root, url, node=node, app=app) == ()
            assert proof(root, url, node=node, app=app, compare="build") == ()


def test_a_byte_that_flips_is_the_disk_s_fault(root: SiteRoot) -> None:
    """Whatever serves it: the file is not what was published."""
    page = root.path / NODE / "play" / "current" / "play" / "home" / "index.html"
    content = page.read_bytes().replace(b"Welcome", b"Velcome")
    page.unlink()
    page.write_bytes(content)
    with answering(files_below(root.path / NODE)) as url:
        (found,) = proof(root, url)
    assert found.culprit == "the disk"
    assert found.url.endswith("/play/home/")
    assert "robbieblocks build" in found.remedy


@pytest.mark.parametrize("name", ["react", "style"])
def test_an_asset_that_is_gone_is_the_disk_s_fault(root: SiteRoot, name: str) -> None:
    """A page without its script or its stylesheet is not served as it was published."""
    (asset,) = (
        (root.path / NODE / "assets").glob(f"{name}-*2?*")
        if name == "react"
        else [root.path / NODE / "assets" / proofs.assets(NODE, 2)[1].name]
    )
    asset.unlink()
    with answering(files_below(root.path / NODE)) as url:
        (found,) = proof(root, url)
    assert (found.culprit, found.problem) == ("the disk", "answered 404")
    assert asset.name in found.url


def test_another_node_s_folder_is_another_root(root: SiteRoot) -> None:
    """Its branding, its release: told by the header, and by the bytes where there is none."""
    with served(root.path, OTHER) as ours, answering(files_below(root.path / OTHER)) as plain:
        for url in (ours, plain):
            for app in APPS:
                found = proof(root, url, app=app)
                assert culprits(found) == {"another root"}
                assert f"of {OTHER}/{app}" in found[0].why
                assert str(root.path / NODE) in found[0].remedy


def test_a_folder_of_another_site_root_is_another_root(root: SiteRoot, tmp_path: Path) -> None:
    """A build that this site root does not know, with the header and without."""
    strange = SiteRoot(tmp_path / "strange")
    put_all(strange, 9)
    with (
        served(strange.path, NODE) as ours,
        answering(files_below(strange.path / NODE)) as plain,
        answering(lambda _path: (200, {"Server": "apache"}, b"<h1>It works!</h1>")) as default,
    ):
        for url in (ours, plain, default):
            assert culprits(proof(root, url)) == {"another root"}
        assert "apache" in proof(root, default)[0].why


def test_an_empty_folder_is_another_root(root: SiteRoot, tmp_path: Path) -> None:
    """What answers has no such page at all."""
    with answering(files_below(tmp_path / "empty")) as url:
        (first, *_) = proof(root, url)
    assert (first.culprit, first.problem) == ("another root", "answered 404")


@contextmanager
def _opened_before(folder: Path) -> Generator[str]:
    """A server that opened a folder when it started, as a container's mount does."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with answering(files_below(Path(f"/proc/self/fd/{fd}"))) as url:
            yield url
    finally:
        os.close(fd)


def test_a_server_that_holds_the_old_root_is_an_old_server(root: SiteRoot) -> None:
    """The folder was copied and renamed beneath it; it goes on with what it opened."""
    folder = root.path / NODE
    with _opened_before(folder) as url:
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy, symlinks=True)
        folder.rename(root.path.parent / "before")
        copy.rename(folder)
        assert proof(root, url) == ()
        with pytest.raises(SiteUnavailable, match=r"\(an old server\); swapped back"):
            put(root, NODE, "play", 3, address=Address(url=url))
        put(root, NODE, "play", 3, address=Address(url=url, swap_back=False))
        found = proof(root, url)
    assert culprits(found) == {"an old server"}
    assert "the earlier release" in found[0].why
    assert "start it anew" in found[0].remedy


class Cache:
    """A caching proxy that never asks again for what it has; `by_query` keeps queries apart."""

    def __init__(self, behind: proofs.Respond, *, by_query: bool, says: Mapping[str, str]) -> None:
        self._behind, self._by_query, self._says = behind, by_query, says
        self._kept: dict[str, tuple[int, Mapping[str, str], bytes]] = {}

    def respond(self, path: str) -> tuple[int, Mapping[str, str], bytes]:
        """The first answer, for ever."""
        key = path if self._by_query else path.partition("?")[0]
        is_kept = key in self._kept
        status, headers, body = self._kept.setdefault(key, self._behind(path))
        return status, {**headers, **(self._says if is_kept else {})}, body


@pytest.mark.parametrize("with_origin", [True, False])
@pytest.mark.parametrize("by_query", [True, False])
def test_a_stale_cache_is_a_cache_in_between(
    root: SiteRoot, *, by_query: bool, with_origin: bool
) -> None:
    """Found by asking past it, by asking the origin, or by its own headers."""
    plain = files_below(root.path / NODE)
    cache = Cache(plain, by_query=by_query, says={"Age": "700", "Via": "1.1 edge"})
    with answering(plain) as origin, answering(cache.respond) as url:
        given = {"origin": origin} if with_origin else {}
        assert proof(root, url, **given) == ()
        put(root, NODE, "play", 3)
        found = proof(root, url, **given)
    assert culprits(found) == {"a cache in between"}
    assert "Age: 700, Via: 1.1 edge" in found[0].why
    assert "purge" in found[0].remedy


def test_a_removed_page_is_asked_for_until_nobody_gives_it(root: SiteRoot) -> None:
    """404 and 410 are right; a cache that goes on with it is named, and so is an old server."""
    files, given = proofs.pages(NODE, "play", 3), proofs.assets(NODE, 3)
    put(root, NODE, "play", 3)
    before = live(root, NODE, "play")
    kept = {path: text for path, text in files.items() if "about" not in path}
    plain = files_below(root.path / NODE)
    cache = Cache(plain, by_query=False, says={"Age": "700"})
    with answering(plain) as url, answering(cache.respond) as stale:
        gone = next(each.route for each in before.pages if "about" in each.route) if before else ""
        assert loopback.get(f"{stale}{gone}").status_code == 200
        publish(root, manifest(kept, given, node=NODE), {}, given, address=Address(url=url))
        found = proof_after(root, stale, before)
        assert proof_after(root, url, before) == ()
        publish(root, manifest(files, given, node=NODE), files, given)
        with pytest.raises(SiteUnavailable, match=r"it was removed, and the answer is 200"):
            publish(root, manifest(kept, given, node=NODE), {}, given, address=Address(url=stale))
    assert [each.problem for each in found if gone in each.url] == [
        "it was removed, and the answer is 200"
    ]
    assert culprits(tuple(each for each in found if gone in each.url)) <= {
        "a cache in between",
        "an old server",
    }


@pytest.mark.parametrize("status", [301, 308])
def test_a_removed_page_may_lead_on(root: SiteRoot, status: int) -> None:
    """To its new place, or to the other form of its route: nobody gets the page there."""
    before, plain = live(root, NODE, "play"), files_below(root.path / NODE)
    files, given = proofs.pages(NODE, "play", 2), proofs.assets(NODE, 2)
    kept = {path: text for path, text in files.items() if "about" not in path}

    def respond(path: str) -> tuple[int, Mapping[str, str], bytes]:
        return (status, {"Location": "/play/"}, b"") if "about" in path else plain(path)

    with answering(respond) as url:
        address = Address(url=url, swap_back=True)
        done = publish(root, manifest(kept, given, node=NODE), {}, given, address=address)
        assert done.swapped
        assert proof_after(root, url, before) == ()


def test_a_route_that_another_app_has_now_is_not_thought_removed(root: SiteRoot) -> None:
    """It answers, and rightly so."""
    before = live(root, NODE, "play")
    assert before is not None
    files, given = proofs.pages(NODE, "play", 2), proofs.assets(NODE, 2)
    kept = {path: text for path, text in files.items() if "about" not in path}
    shared = {**proofs.pages(NODE, "shared", 2), "play/about/index.html": b"<h1>moved</h1>"}
    publish(root, manifest(shared, given, app="shared", node=NODE), shared, given)
    with served(root.path, NODE) as url:
        publish(root, manifest(kept, given, node=NODE), {}, given)
        assert proof_after(root, url, before) == ()


def proof_after(root: SiteRoot, url: str, before: Manifest | None) -> tuple[NotServed, ...]:
    """What is not served after another release was live before."""
    manifest_now = live(root, NODE, "play")
    assert manifest_now is not None
    folder = AppFolder.of(root, NODE, "play")
    return prove(Address(url=url), folder, manifest_now, ["none"], before=before, pause_s=0.0)


def test_a_cache_that_hides_is_found_by_the_origin(root: SiteRoot) -> None:
    """Without a header of its own; it gives what an earlier release had."""
    plain = files_below(root.path / NODE)
    cache = Cache(plain, by_query=False, says={})
    with answering(plain) as origin, answering(cache.respond) as url:
        assert proof(root, url) == ()
        put(root, NODE, "play", 3)
        assert culprits(proof(root, url, origin=origin)) == {"a cache in between"}
        # Nobody can tell it from an old server without that.
        assert culprits(proof(root, url)) == {"an old server"}


def test_a_cache_that_catches_up_is_waited_for(root: SiteRoot) -> None:
    """Five attempts: one that is a moment old is right in the end."""
    plain, asked = files_below(root.path / NODE), list[str]()

    def late(path: str) -> tuple[int, Mapping[str, str], bytes]:
        asked.append(path)
        return plain(path) if asked.count(path) > 3 else (200, {}, b"old")

    with answering(late) as url:
        assert proof(root, url) == ()
    assert max(map(asked.count, asked)) == 4


def _minified(body: bytes) -> bytes:
    return b" ".join(body.split()).replace(b"> <", b"><")


def _with_script(body: bytes) -> bytes:
    return body.replace(b"</body>", b'<script src="/cdn/beacon.js"></script></body>')


def _with_banner(body: bytes) -> bytes:
    return body.replace(b"</h1>", b"</h1><div>This site uses cookies</div>")


@pytest.mark.parametrize("alter", [_minified, _with_script, _with_banner])
def test_a_proxy_that_alters_pages_is_named_and_can_be_lived_with(
    root: SiteRoot, alter: Callable[[bytes], bytes]
) -> None:
    """By its build a page is right that visitors read as it was published; an older one is not."""
    plain = files_below(root.path / NODE)

    def altering(path: str) -> tuple[int, Mapping[str, str], bytes]:
        status, headers, body = plain(path)
        return status, headers, alter(body) if path.startswith("/play") else body

    with answering(altering) as url, answering(plain) as origin:
        for given in ({}, {"origin": origin}):
            found = proof(root, url, **given)
            assert culprits(found) == {"a proxy that alters answers"}
            assert "site.compare" in found[0].remedy
        by_build = proof(root, url, compare="build")
        assert bool(by_build) == (alter is _with_banner)
        put(root, NODE, "play", 3)
        old = Cache(altering, by_query=False, says={})
        with answering(old.respond) as cached:
            assert bool(proof(root, cached, compare="build")) == (alter is _with_banner)
            put(root, NODE, "play", 4)
            assert proof(root, cached, compare="build")


def test_an_altered_page_passes_by_the_header_alone(root: SiteRoot) -> None:
    """Where the server names the build, that decides."""
    plain = files_below(root.path / NODE)
    builds = {version: proofs.release_of(NODE, "play", version).build_hash for version in (1, 2)}

    def naming(version: int) -> proofs.Respond:
        def respond(path: str) -> tuple[int, Mapping[str, str], bytes]:
            status, headers, body = plain(path)
            named = {**headers, "X-RobbieBlocks-Build": builds[version]}
            return status, named, _with_banner(body)

        return respond

    with answering(naming(2)) as right, answering(naming(1)) as wrong:
        assert proof(root, right, compare="build") == ()
        assert culprits(proof(root, wrong, compare="build")) == {"an old server"}


def test_a_proxy_that_alters_a_script_is_named(root: SiteRoot) -> None:
    """Browsers refuse it, so no way of comparing lets it pass."""
    plain = files_below(root.path / NODE)

    def altering(path: str) -> tuple[int, Mapping[str, str], bytes]:
        status, headers, body = plain(path)
        return status, headers, body.replace(b"\n", b"") if ".js" in path else body

    with answering(altering) as url, answering(plain) as origin:
        (found,) = proof(root, url, origin=origin, compare="build")
    assert found.culprit == "a proxy that alters answers"
    assert "/_rb/" in found.remedy


def test_a_type_that_browsers_refuse_is_told(root: SiteRoot) -> None:
    """A script that is sent as text does not run, though its bytes are right."""
    plain = files_below(root.path / NODE)

    def mistyped(path: str) -> tuple[int, Mapping[str, str], bytes]:
        status, headers, body = plain(path)
        return status, {**headers, "Content-Type": "text/plain"} if ".js" in path else headers, body

    with answering(mistyped) as url:
        (found,) = proof(root, url)
    assert found.problem == "its type is text/plain, not text/javascript"
    assert found.culprit == "the web server"


def test_a_compressed_copy_that_is_damaged_is_told(root: SiteRoot) -> None:
    """Visitors get that one, not the file beside it."""
    plain = files_below(root.path / NODE)

    def broken(path: str) -> tuple[int, Mapping[str, str], bytes]:
        status, headers, body = plain(path)
        if ".css" in path:
            return status, {**headers, "Content-Encoding": "gzip"}, gzip.compress(b"other")
        return status, headers, body

    with answering(broken) as url:
        (found,) = proof(root, url)
    assert found.problem == "its bytes are not those of its name"
    assert found.culprit == "the web server"


@pytest.mark.parametrize(
    ("status", "headers", "culprit", "said"),
    [
        (301, {"Location": "https://www.example.org/"}, "the address", "https://www.example.org/"),
        (401, {}, "the web server", "password"),
        (403, {}, "the web server", "refuses"),
        (429, {}, "the web server", "too often"),
        (500, {}, "the web server", "fails"),
        (503, {}, "the web server", "fails"),
        (502, {"Server": "edge"}, "the network", "does not reach the server behind it"),
        (504, {}, "the network", "does not reach the server behind it"),
    ],
)
def test_a_status_names_who_is_at_fault(
    root: SiteRoot, status: int, headers: Mapping[str, str], culprit: str, said: str
) -> None:
    """Each with what to do."""
    with answering(lambda _path: (status, headers, b"")) as url:
        (first, *_) = proof(root, url)
    assert (first.culprit, first.problem) == (culprit, f"answered {status}")
    assert said in first.why


def test_a_name_that_nobody_knows_and_a_port_where_nobody_listens(root: SiteRoot) -> None:
    """DNS, a refused connection, and a server that speaks no TLS are told apart."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        free = probe.getsockname()[1]
    with answering(lambda _path: (200, {}, b"")) as plain:
        cases = {
            "http://nobody.invalid": "is not known",
            f"http://127.0.0.1:{free}": "nothing listens at",
            plain.replace("http:", "https:"): "no certificate",
        }
        for url, said in cases.items():
            (first, *_) = proof(root, url)
            assert first.culprit == "the network"
            assert said in first.why, first
    with answering(files_below(root.path / NODE)) as origin:
        (first, *_) = proof(root, f"http://127.0.0.1:{free}", origin=origin)
    assert "its origin gives the right page" in first.why


def test_an_address_that_leads_elsewhere_is_told_by_the_origin(root: SiteRoot) -> None:
    """The node's own server is right, and visitors get another node's."""
    with (
        answering(files_below(root.path / NODE)) as origin,
        answering(files_below(root.path / OTHER)) as url,
    ):
        found = proof(root, url, origin=origin)
    assert culprits(found) == {"the address"}
    assert f"of {OTHER}/play" in found[0].why


def test_the_origin_is_at_fault_before_what_stands_in_front(root: SiteRoot) -> None:
    """A cache can't be right while the server behind it is wrong."""
    with answering(files_below(root.path / OTHER)) as origin:
        says = {"Age": "1", "X-Cache": "HIT"}
        cache = Cache(files_below(root.path / OTHER), by_query=False, says=says)
        with answering(cache.respond) as url:
            found = proof(root, url, origin=origin)
    assert culprits(found) == {"another root"}


def test_what_a_server_says_is_safe_to_print(root: SiteRoot) -> None:
    """Escapes of its headers don't reach the terminal."""
    with answering(lambda _path: (500, {"Server": "\x1b[31mred"}, b"")) as url:
        assert "\x1b" not in str(proof(root, url)[0])


def test_an_answer_without_an_end_is_given_up(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many bytes."""
    monkeypatch.setattr("robbieblocks.release.proof.answers._BODY_MAX_BYTES", 1000)
    with answering(lambda _path: (200, {}, bytes(100_000))) as url:
        (first, *_) = proof(root, url)
    assert first.culprit == "the network"
    assert "did not end" in first.why


def test_a_server_that_is_slow_holds_up_no_run(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once the time is over nothing more is asked for but what explains the first fault."""
    monkeypatch.setattr("robbieblocks.release.proof.at_once.AT_ONCE", 1)
    monkeypatch.setattr("robbieblocks.release.proof.proving._GIVEN_UP_S", 0.0)
    asked = list[str]()

    def failing(path: str) -> tuple[int, Mapping[str, str], bytes]:
        asked.append(path.partition("?")[0])
        return 500, {}, b""

    with answering(failing) as url:
        assert len(proof(root, url)) == 1
    assert len(set(asked)) == 1


def test_a_server_that_never_answers_is_explained_once(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cause is not the page's, and each question takes its time."""
    monkeypatch.setattr("robbieblocks.release.proof.answers._TIMEOUT_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        (found,) = proof(root, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert found.culprit == "the network"
    assert "no answer in time" in found.why


def test_no_process_waits_for_an_answer_when_it_ends(root: SiteRoot) -> None:
    """A worker that is stopped ends, though a server is silent."""
    before = set(threading.enumerate())
    asking = set[threading.Thread]()
    plain = files_below(root.path / NODE)

    def watched(path: str) -> tuple[int, Mapping[str, str], bytes]:
        asking.update(threading.enumerate())
        return plain(path)

    with answering(watched) as url:
        server = {each for each in threading.enumerate() if not each.daemon}
        assert proof(root, url) == ()
    new = asking - before
    assert {each.name for each in new if each.name == "proof"}
    assert [each for each in new - server if not each.daemon] == []


def test_each_node_is_asked_at_its_own_address(root: SiteRoot) -> None:
    """And its pages alone: nothing is wrong with either."""
    with ExitStack() as stack:
        urls = {
            node: stack.enter_context(answering(files_below(root.path / node))) for node in NODES
        }
        for node in NODES:
            for app in APPS:
                put(root, node, app, 3, address=Address(url=urls[node]))
