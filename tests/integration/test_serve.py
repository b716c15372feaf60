"""Serving: what is live, with headers that keep caches right, and nothing else."""

from __future__ import annotations

import asyncio
import gzip
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from robbieblocks import serve
from robbieblocks.errors import UsageError
from robbieblocks.model import Asset, Manifest, PageEntry, sha256
from robbieblocks.release import SiteRoot, compress_assets
from robbieblocks.serve.files import FileResponder
from tests import loopback
from tests.integration.releases import NODE, assets, pages, publish, put, put_version

SCRIPT = Asset.of("react", "js", "// react\n" * 500)
FONT = Asset.of("orbitron", "woff2", bytes(2000))
NOT_FOUND = b"<h1>lost in branding</h1>"

Get = Callable[..., httpx.Response]


@pytest.fixture
def site_root(tmp_path: Path) -> SiteRoot:
    """A node with two apps live."""
    site_root = SiteRoot(tmp_path / "site")
    put_version(site_root, 1)
    files = {
        "about.html": b"<h1>about</h1>",
        "404.html": NOT_FOUND,
        "index.html": b"<h1>the apps</h1>",
        "robots.txt": b"User-agent: *\n",
        "sitemap.xml": b"<urlset/>",
        "styles-shared.css": b"a{color:red}",
        "caf\u00e9/index.html": b"<h1>caf\xc3\xa9</h1>",
    }
    put(site_root, files, [SCRIPT, FONT], app="shared")
    return site_root


@pytest.fixture
def get(site_root: SiteRoot) -> Get:
    """A request to the node's app, without a server."""
    app = serve.app(site_root, NODE)

    def request(path: str, *, method: str = "GET", **headers: str) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://n") as client:
                names = {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.request(method, path, headers=names)

        return asyncio.run(send())

    return request


def test_a_stylesheet_at_a_fixed_address_is_shown_while_a_browser_asks(get: Get) -> None:
    """Caches of many visitors ask first. What a browser has is not sent again."""
    answer = get("/styles-shared.css?v=1")
    caching = answer.headers["cache-control"]
    assert caching == "max-age=10, s-maxage=0, stale-while-revalidate=86400"
    again = get("/styles-shared.css?v=1", if_none_match=answer.headers["etag"])
    assert (again.status_code, again.headers["cache-control"]) == (304, caching)
    assert get("/styles-play.css").headers["cache-control"] == "no-store"


def test_a_page_is_served_by_its_route(get: Get) -> None:
    """The bytes are the release's, never stored without asking again, and say which build."""
    answer = get("/play/")
    assert answer.status_code == 200
    assert answer.content == pages(1)["play/index.html"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers["x-robbieblocks-build"]) == 64


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/play", "/play/"),
        ("/play?ref=a%20b&x=1", "/play/?ref=a%20b&x=1"),
        ("/play/index.html", "/play/"),
        ("/about/", "/about"),
        ("/about.html", "/about"),
        ("/play/p3", "/play/p3/"),
    ],
)
def test_another_form_leads_to_the_route(get: Get, path: str, leads_to: str) -> None:
    """One page has one address; the query goes along."""
    answer = get(path)
    assert (answer.status_code, answer.headers["location"]) == (308, leads_to)


def test_a_route_in_any_script(get: Get) -> None:
    """It may be asked for percent-encoded, as browsers do."""
    assert get("/caf%C3%A9/").content == b"<h1>caf\xc3\xa9</h1>"
    assert get("/caf%C3%A9").headers["location"] == "/caf%C3%A9/"


def test_files_that_are_no_pages(get: Get) -> None:
    """robots.txt and the sitemap have their own types."""
    assert get("/robots.txt").headers["content-type"] == "text/plain; charset=utf-8"
    assert get("/sitemap.xml").headers["content-type"] == "application/xml; charset=utf-8"
    assert get("/tokens.json").headers["content-type"] == "application/json"


def test_an_asset_is_kept_for_a_year(get: Get) -> None:
    """Its name is its content, so nobody has to ask again."""
    answer = get(SCRIPT.url)
    assert answer.content == SCRIPT.content
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert get(FONT.url).headers["content-type"] == "font/woff2"


@pytest.mark.parametrize(
    "path",
    [
        "/_rb/none-0123456789abcdef.js",
        "/_rb/",
        "/_rb/../play/current/manifest.json",
        "/_rb/%2e%2e/play/current/manifest.json",
        "/_rb/..%2f..%2fsecret",
        "/_rb/.assets.lock",
        "/_rb/a%00b.js",
        "/_rb/" + "a" * 5000,
    ],
)
def test_a_missing_asset_is_never_html_nor_stored(get: Get, path: str) -> None:
    """An HTML 200 in its place would poison caches for a year."""
    answer = get(path)
    assert answer.status_code == 404
    if "play" not in answer.request.url.path:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/manifest.json",
        "/.seal",
        "/.verified",
        "/play/../manifest.json",
        "/..%2f..%2f..%2fetc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/play/%00",
        "/play//",
        "/current/play/index.html",
    ],
)
def test_what_no_manifest_names_is_not_found_in_branding(get: Get, path: str) -> None:
    """The shared release's 404 page, with that status, and not stored."""
    answer = get(path)
    assert (answer.status_code, answer.content) == (404, NOT_FOUND)
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_without_a_shared_release_it_is_plain(tmp_path: Path, get: Get) -> None:
    """A node where nothing is live answers too."""
    assert get("/none").status_code == 404
    app = serve.app(SiteRoot(tmp_path / "nothing"), NODE)

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://n") as client:
            return await client.get("/")

    assert asyncio.run(send()).text == "not found\n"


def test_a_known_page_is_not_sent_again(get: Get) -> None:
    """If-None-Match with the ETag gives 304, in any of its forms."""
    for path in ("/play/", SCRIPT.url):
        tag = get(path).headers["etag"]
        for match in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            answer = get(path, if_none_match=match)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert "cache-control" in answer.headers
        assert get(path, if_none_match='"x"').status_code == 200


def test_a_missing_page_is_never_304(get: Get) -> None:
    """A 404 has no ETag."""
    assert get("/none", if_none_match="*").status_code == 404


def test_head_says_what_get_would(get: Get) -> None:
    """The same headers and no body."""
    for path in ("/play/", "/none", SCRIPT.url, "/play"):
        head, full = get(path, method="HEAD"), get(path)
        assert (head.status_code, head.content) == (full.status_code, b"")
        assert head.headers == full.headers


def test_other_methods_are_refused(get: Get) -> None:
    """Nothing can be changed here."""
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert get("/play/", method=method).status_code == 405


def test_text_is_compressed_for_who_takes_it(get: Get) -> None:
    """The ETag differs, caches are told, and fonts stay as they are."""
    plain = get(SCRIPT.url, accept_encoding="identity")
    packed = get(SCRIPT.url, accept_encoding="br, gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content) / 10
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] != plain.headers["etag"]
    assert "content-encoding" not in get(SCRIPT.url, accept_encoding="gzip;q=0").headers
    assert "content-encoding" not in get(FONT.url, accept_encoding="gzip").headers


def test_a_kept_copy_is_sent_in_the_best_coding_that_is_taken(
    site_root: SiteRoot, get: Get
) -> None:
    """Brotli, then zstd, then gzip; each has an ETag of its own; no coding is sent unasked."""
    compress_assets(site_root, NODE, "shared")
    tags = set()
    for accepted, coding in {
        "gzip, deflate, br, zstd": "br",
        "gzip, zstd": "zstd",
        "br;q=0, gzip;q=0.5": "gzip",
        "*": "gzip",
        "*, gzip;q=0": None,
        "identity": None,
    }.items():
        answer = get(SCRIPT.url, accept_encoding=accepted)
        assert answer.headers.get("content-encoding") == coding
        assert answer.content == SCRIPT.content
        assert answer.headers["vary"] == "Accept-Encoding"
        tags.add(answer.headers["etag"])
        again = get(SCRIPT.url, accept_encoding=accepted, if_none_match=answer.headers["etag"])
        assert again.status_code == 304
    assert len(tags) == 4


def test_a_swap_is_seen_at_once_and_old_assets_stay(site_root: SiteRoot, get: Get) -> None:
    """Open tabs still find what their page needs."""
    before = get("/play/")
    put_version(site_root, 2)
    after = get("/play/")
    assert after.content == pages(2)["play/index.html"]
    assert before.headers["x-robbieblocks-build"] != after.headers["x-robbieblocks-build"]
    assert get(assets(1)[1].url).status_code == 200
    assert get(assets(2)[1].url).status_code == 200


def test_an_apps_own_page_wins_over_a_shared_one(site_root: SiteRoot, get: Get) -> None:
    """Where both claim a route, the order is fixed."""
    content = b"<h1>of play</h1>"
    wanted = Manifest(
        node=NODE,
        app="play",
        files={"about.html": sha256(content)},
        pages=(PageEntry(key="a", route="/about", path="about.html", inputs=sha256("")),),
    )
    publish(site_root, wanted, {"about.html": content}, [])
    assert get("/about").content == content


def test_a_symlink_in_a_release_is_not_followed(
    site_root: SiteRoot, tmp_path: Path, get: Get
) -> None:
    """Not even one that a person made."""
    secret = tmp_path / "secret"
    secret.write_text("mine")
    file = site_root.path / NODE / "play" / "current" / "tokens.json"
    file.unlink()
    file.symlink_to(secret)
    (site_root.path / NODE / "assets" / "secret.txt").symlink_to(secret)
    for path in ("/tokens.json", "/_rb/secret.txt"):
        assert b"mine" not in get(path).content
    assert get("/_rb/secret.txt").status_code == 404


def test_a_damaged_page_is_unavailable_not_gone(site_root: SiteRoot, get: Get) -> None:
    """A 404 would tell caches and search engines that the page was removed."""
    (site_root.path / NODE / "play" / "current" / "play/index.html").unlink()
    answer = get("/play/")
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


def test_health_names_what_is_live(get: Get) -> None:
    """The build hash of each app."""
    answer = get("/healthz")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["node"] == NODE
    assert set(answer.json()["live"]) == {"play", "shared"}


def test_a_port_in_use_is_a_usage_error(site_root: SiteRoot) -> None:
    """It names node, host and port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"{NODE} on 127\.0\.0\.1 port {port}"):
            serve.serve_nodes(site_root, [(NODE, port)])


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("no.such.host.invalid", 0)])
def test_an_impossible_address_is_a_usage_error(site_root: SiteRoot, host: str, port: int) -> None:
    """It is told before anything starts."""
    with pytest.raises(UsageError, match="could not serve"):
        serve.serve_nodes(site_root, [(NODE, port)], host)


SERVER = """
import json, sys
from pathlib import Path
from robbieblocks.release import SiteRoot
from robbieblocks.serve import serve_nodes
nodes = [(name, 0) for name in sys.argv[2:]]
site_root = SiteRoot(Path(sys.argv[1]))
serve_nodes(site_root, nodes, started=lambda urls: print(json.dumps(urls), flush=True))
print("stopped")
"""


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_several_nodes_in_one_process(site_root: SiteRoot, stop: signal.Signals) -> None:
    """Each on its own port, over real sockets, until a signal; then it ends by itself."""
    argv = [sys.executable, "-c", SERVER, str(site_root.path), NODE, "other-node"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            urls = json.loads(server.stdout.readline())
            answer = loopback.get(urls[NODE] + "/play/", follow_redirects=True)
            assert answer.content == pages(1)["play/index.html"]
            assert loopback.get(urls["other-node"] + "/play/").status_code == 404
            raw = loopback.get(urls[NODE] + SCRIPT.url, headers={"Accept-Encoding": "gzip"})
            assert raw.content == SCRIPT.content
            server.send_signal(stop)
            assert server.stdout.read() == "stopped\n"
            assert server.wait(20) == 0
        finally:
            server.kill()


def test_what_is_kept_compressed_is_bounded() -> None:
    """Memory does not grow with the number of releases served."""
    kept = FileResponder(10_000)
    for number in range(100):
        body = kept.gzipped(str(number), number.to_bytes(2, "big") * 50_000)
        assert gzip.decompress(body) == number.to_bytes(2, "big") * 50_000
    assert kept.size_bytes <= 10_000
