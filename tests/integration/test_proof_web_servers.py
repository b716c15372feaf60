"""Proof of serving through the real nginx and Caddy, and a real cache and filter in front."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from robbieblocks import release, serve
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import AppFolder, NotServed, SiteRoot
from robbieblocks.serve import WebServer, WebSite
from robbieblocks.settings import Address
from tests import web_servers
from tests.integration.proofs import APPS, NODES, put, put_all
from tests.integration.releases import overwrite
from tests.web_servers import SERVERS

pytestmark = pytest.mark.slow

NODE, OTHER = NODES

_CACHE = """
proxy_cache_path "{folder}/cache" keys_zone=kept:1m;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass {origin};
        proxy_cache kept;
        proxy_cache_key {key};
        proxy_cache_valid 200 10m;
        proxy_ignore_headers Cache-Control Expires Vary;
        add_header X-Cache $upstream_cache_status;
    }}
}}
"""
_FILTER = """
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass {origin};
        proxy_set_header Accept-Encoding "";
        sub_filter '</body>' '<script src="/cdn/beacon.js"></script></body>';
    }}
}}
"""


@pytest.fixture
def root(tmp_path: Path) -> SiteRoot:
    """Two nodes with two apps each, live in their second version."""
    site_root = SiteRoot(tmp_path / "site")
    put_all(site_root, 1)
    put_all(site_root, 2)
    return site_root


@contextmanager
def _serving(server: WebServer, root: SiteRoot, node: str, folder: Path) -> Generator[str]:
    """The address of a server with the configuration that is printed for a node."""
    port = web_servers.free_port()
    site = WebSite.of(
        node=node,
        site_root=root.path,
        apps=APPS,
        applications={},
        name="",
        listen=f"127.0.0.1:{port}",
        brotli=False,
    )
    with web_servers.running(server, serve.render(server, site), folder, port) as url:
        yield url


@contextmanager
def _in_front(template: str, origin: str, folder: Path, key: str = "") -> Generator[str]:
    """The address of an nginx in front of an origin."""
    port = web_servers.free_port()
    text = template.format(folder=folder, port=port, origin=origin, key=key)
    with web_servers.running("nginx", text, folder, port) as url:
        yield url


def proof(root: SiteRoot, url: str, app: str = "play", **more: str) -> tuple[NotServed, ...]:
    """What is not served of an app of the node, asked without a pause."""
    from robbieblocks.release.proof.proving import prove

    manifest = release.live(root, NODE, app)
    assert manifest is not None
    address = Address(url=url, **more)  # type: ignore[arg-type] # of tests' own
    return prove(address, AppFolder.of(root, NODE, app), manifest, pause_s=0.0)


@pytest.mark.parametrize("server", SERVERS)
def test_each_culprit_is_named_rightly(server: WebServer, root: SiteRoot, tmp_path: Path) -> None:
    """A byte that flips, a file that is gone, another node's root; all is right otherwise."""
    with (
        _serving(server, root, NODE, tmp_path / "own") as url,
        _serving(server, root, OTHER, tmp_path / "other") as other,
    ):
        for app in APPS:
            assert proof(root, url, app) == ()
            assert proof(root, url, app, compare="build") == ()
            assert {each.culprit for each in proof(root, other, app)} == {"another root"}
            assert {each.culprit for each in proof(root, other, app, origin=url)} == {"the address"}
        with pytest.raises(SiteUnavailable, match=r"\(another root\); swapped back"):
            put(root, NODE, "play", 3, address=Address(url=other))
        put(root, NODE, "play", 3, address=Address(url=url))
        home = root.path / NODE / "play" / "current" / "play" / "home" / "index.html"
        content = home.read_bytes()
        overwrite(home, content.replace(b"Welcome", b"Velcome"))
        (flipped,) = proof(root, url)
        home.unlink()
        (removed,) = proof(root, url)
        assert (flipped.culprit, removed.culprit) == ("the disk", "the disk")
        assert proof(root, url, "shared") == ()
        home.write_bytes(content)
        assert proof(root, url) == ()


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("key", ["$uri", "$request_uri"])
def test_a_stale_proxy_is_a_cache_in_between(
    server: WebServer, key: str, root: SiteRoot, tmp_path: Path
) -> None:
    """nginx that keeps pages though they are sent with no-cache; one that looks at the query, and
    one that does not. The release is swapped back, or kept where the address says so."""
    with (
        _serving(server, root, NODE, tmp_path / "own") as origin,
        _in_front(_CACHE, origin, tmp_path / "front", key) as url,
    ):
        assert proof(root, url) == ()
        address = Address(url=url, origin=origin)
        with pytest.raises(SiteUnavailable, match=r"\(a cache in between\); swapped back"):
            put(root, NODE, "play", 3, address=address)
        put(root, NODE, "play", 3, address=Address(url=url, origin=origin, swap_back=False))
        found = proof(root, url, origin=origin)
        assert {each.culprit for each in found} == {"a cache in between"}
        assert "X-Cache: HIT" in found[0].why
        assert {each.culprit for each in proof(root, url)} == {"a cache in between"}


@pytest.mark.parametrize("server", SERVERS)
def test_a_filter_that_adds_a_script_is_named_and_can_be_lived_with(
    server: WebServer, root: SiteRoot, tmp_path: Path
) -> None:
    """By the build's header from nginx, by what visitors read from Caddy, which sends none."""
    with (
        _serving(server, root, NODE, tmp_path / "own") as origin,
        _in_front(_FILTER, origin, tmp_path / "front") as url,
    ):
        for given in ({}, {"origin": origin}):
            found = proof(root, url, **given)
            assert {each.culprit for each in found} == {"a proxy that alters answers"}
        assert proof(root, url, compare="build") == ()
        put(root, NODE, "play", 3, address=Address(url=url, compare="build"))
