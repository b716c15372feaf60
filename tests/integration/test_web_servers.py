"""The real nginx and Caddy, with the configurations printed for them: as `serve` answers."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY

import httpx
import pytest

from robbieblocks import release, serve
from robbieblocks.errors import UsageError
from robbieblocks.model import HEADER_NAMES, Asset, Redirect, headers_text, redirects_text
from robbieblocks.release import SiteRoot
from robbieblocks.response_headers import SECURITY, SHOWN_WHILE_ASKED
from robbieblocks.serve import WebServer, WebSite
from tests import loopback, web_servers
from tests.commands import Installation
from tests.integration.releases import (
    NODE,
    app_folder,
    assets,
    manifest,
    pages,
    publish,
    put,
    put_version,
)
from tests.sites import on_port
from tests.web_servers import SERVERS

pytestmark = pytest.mark.slow

OPERATOR = Path(__file__).resolve().parents[2] / "docs" / "operator.md"

SCRIPT = Asset.of("react", "js", "// react\n" * 500)
FONT = Asset.of("orbitron", "woff2", bytes(2000))
NOT_FOUND = b"<h1>lost in branding</h1>"
# 404 pages of the app that is no shared one, for folders of it.
LOST = {"play/404.html": b"<h1>lost in play</h1>", "play/de/x/404.html": b"<h1>weg</h1>"}
LONG = "a" * 60
# What settings of the shared app ask for; the other app has none.
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'self' https://portal.example; report-to site",
    "Content-Security-Policy-Report-Only": "default-src 'none'; img-src 'self' data: https:",
    # More than one line of nginx's configuration holds.
    "Permissions-Policy": ", ".join(
        f"{name}=(self " + " ".join(f'"https://{LONG}{n}.example"' for n in range(10)) + ")"
        for name in ("camera", "fullscreen", "geolocation", "microphone", "payment", "usb")
    ),
    "Referrer-Policy": "no-referrer",
    "Reporting-Endpoints": 'site="https://reports.example/csp?a=1&b=%20"',
}
SHARED = {
    "headers.json": headers_text(HEADERS),
    "about/index.html": b"<h1>about</h1>",
    "old.html": b"<h1>old</h1>",
    "404.html": NOT_FOUND,
    "index.html": b"<h1>the apps</h1>",
    "robots.txt": b"User-agent: *\n",
    ".well-known/security.txt": b"Contact: mailto:a@example.com\n",
    "sitemap.xml": b"<urlset/>",
    "styles-shared.css": b"a{color:red}",
    "caf\u00e9/index.html": b"<h1>caf\xc3\xa9</h1>",
    "redirects.json": redirects_text(
        [
            Redirect("/gone/", "", 410, "a"),
            Redirect("/was.html", "/about/", 302, "a"),
            Redirect("/\u00e4lter/", "/caf\u00e9/", 308, "a"),
            Redirect("/ask/", "https://away.example/?a=1#there", 307, "a"),
            Redirect("/about/", "/nowhere/", 301, "a"),
            Redirect("/blog/*", "/posts/*", 301, "a"),
            Redirect("/blog/old/*", "/about/", 301, "a"),
            Redirect("/w.x/*", "/*", 301, "a"),
            Redirect("/away/*", "https://away.example/x/*", 301, "a"),
        ]
    ),
}


def text_of(server: WebServer, root: Path, listen: str, **more: object) -> str:
    """The configuration for what is live below a site root."""
    given: dict[str, object] = {"applications": {}, "name": "", "brotli": True, **more}
    apps = release.apps(SiteRoot(root), NODE)
    given["redirects"] = serve.live_redirects(SiteRoot(root), NODE)
    given["headers"] = serve.live_headers(SiteRoot(root), NODE)
    site = WebSite.of(node=NODE, site_root=root, apps=apps, listen=listen, **given)  # type: ignore[arg-type] # of tests' own
    return serve.render(server, site)


@pytest.fixture(scope="module")
def site_root(tmp_path_factory: pytest.TempPathFactory) -> SiteRoot:
    """A node with two apps live, in a folder whose name needs quotes."""
    root = SiteRoot(tmp_path_factory.mktemp("web") / "it's; a #site\u00e9")
    put(root, {**pages(1), **LOST}, assets(1))
    put(root, SHARED, [SCRIPT, FONT], app="shared")
    release.compress_assets(root, NODE, "shared")
    return root


@pytest.fixture(scope="module", params=SERVERS)
def served(
    request: pytest.FixtureRequest, site_root: SiteRoot, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A client of a running server."""
    server, port = request.param, web_servers.free_port()
    text = text_of(server, site_root.path, f"127.0.0.1:{port}")
    folder = tmp_path_factory.mktemp(server)
    with (
        web_servers.running(server, text, folder, port) as url,
        loopback.client(base_url=url, headers={"Accept-Encoding": "identity"}) as client,
    ):
        client.headers["X-Server"] = server
        yield client


@pytest.mark.parametrize("path", ["/", "/play/", "/play", "/about", "/caf%C3%A9/", "/old.html"])
def test_a_page_is_served_at_its_route(served: httpx.Client, path: str) -> None:
    """With or without a slash, its bytes are the release's, and are asked for again each time."""
    answer = served.get(path)
    file = httpx.URL(path).path.strip("/")
    file = file if file.endswith(".html") else f"{file}/index.html".lstrip("/")
    assert answer.status_code == 200
    assert answer.content == {**pages(1), **SHARED}[file]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    wanted = {**serve.SECURITY, **(HEADERS if file in SHARED else {})}
    for name in {*serve.SECURITY, *HEADER_NAMES}:
        assert ", ".join(answer.headers.get_list(name)) == wanted.get(name, "")
    assert "last-modified" not in answer.headers
    assert "server" not in answer.headers or answer.headers["server"] == "nginx"


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/index.html", "/"),
        ("/play/index.html", "/play/"),
        ("/play/index.html?a=b%20c&d", "/play/?a=b%20c&d"),
    ],
)
def test_a_file_leads_to_its_route(served: httpx.Client, path: str, leads_to: str) -> None:
    """The query goes along."""
    answer = served.get(path)
    assert (answer.status_code, answer.headers["location"]) == (308, leads_to)


@pytest.mark.parametrize(
    "path", ["//evil.example/index.html", "/%5Cevil.example/index.html", "/%0d%0aX:1/index.html"]
)
def test_a_redirect_never_leads_to_another_site(served: httpx.Client, path: str) -> None:
    """Nor does it hold a header of the visitor's."""
    answer = served.get(str(served.base_url).rstrip("/") + path)
    assert "x" not in answer.headers
    assert not answer.headers.get("location", "/").startswith(("//", "/\\", "http"))


@pytest.mark.parametrize(
    ("path", "status", "leads_to"),
    [
        ("/gone/", 410, None),
        ("/was.html?a=b%20c&d", 302, "/about/?a=b%20c&d"),
        ("/%C3%A4lter", 308, "/caf%C3%A9/"),
        ("/%c3%a4lter/", 308, "/caf%C3%A9/"),
        ("/ask/?b=2", 307, "https://away.example/?a=1&b=2#there"),
        ("/about/", 200, None),
        ("/blog", 301, "/posts/"),
        ("/blog/a%20b/%0d%0aX:1/?q", 301, "/posts/a%20b/%0d%0aX:1/?q"),
        ("/blog/old/x", 301, "/about/"),
        ("/blog/older", 301, "/posts/older"),
        ("/blogs/", 404, None),
        ("/w.x//evil.example/", 301, "/evil.example/"),
        ("/w.x/%2F/evil.example/", 301, "/%2F/evil.example/"),
        ("/wyx/", 404, None),
        ("/away/a%2Fb", 301, "https://away.example/x/a%2Fb"),
    ],
)
def test_what_rows_redirect_is_led_there(
    served: httpx.Client, path: str, status: int, leads_to: str | None
) -> None:
    """With the rest of its path and its query; a page comes first, and no rest names a host."""
    answer = served.get(path)
    assert (answer.status_code, answer.headers.get("location")) == (status, leads_to)
    assert answer.headers["cache-control"] == ("no-cache" if status == 200 else ANY)
    assert "x" not in answer.headers


def test_files_have_their_types(served: httpx.Client) -> None:
    """The ones that `serve` says."""
    for path, wanted in {
        "/robots.txt": "text/plain; charset=utf-8",
        "/.well-known/security.txt": "text/plain; charset=utf-8",
        "/sitemap.xml": "application/xml; charset=utf-8",
        "/tokens.json": "application/json",
        SCRIPT.url: "text/javascript; charset=utf-8",
        FONT.url: "font/woff2",
    }.items():
        assert served.get(path).headers["content-type"] == wanted, path


def test_an_asset_is_kept_for_a_year(served: httpx.Client) -> None:
    """Its name is its content, so nobody has to ask again; a known one is not sent again."""
    answer = served.get(SCRIPT.url)
    assert answer.content == SCRIPT.content
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    for name, value in serve.SECURITY.items():
        assert answer.headers[name] == value
    again = served.get(SCRIPT.url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


def test_a_stylesheet_at_a_fixed_address_is_shown_while_a_browser_asks(
    served: httpx.Client,
) -> None:
    """It is kept as `serve` says, and one that is not there is not stored."""
    answer = served.get("/styles-shared.css?v=1")
    assert answer.content == SHARED["styles-shared.css"]
    assert answer.headers.get_list("cache-control") == [SHOWN_WHILE_ASKED["Cache-Control"]]
    assert served.get("/styles-play.css").headers.get_list("cache-control") == ["no-store"]


@pytest.mark.parametrize(
    "path",
    [
        "/_rb/none-0123456789abcdef.js",
        "/_rb/none-0123456789abcdef.css",
        "/_rb/",
        "/_rb/.assets.lock",
        "/_rb/..%2fplay/current/manifest.json",
        "/_rb/" + "a" * 300,
    ],
)
def test_a_missing_asset_is_never_html_nor_stored(served: httpx.Client, path: str) -> None:
    """An HTML 200 in its place would poison caches for a year."""
    answer = served.get(path)
    assert answer.status_code == 404
    assert answer.headers.get_list("cache-control") == ["no-store"]
    if ".." not in httpx.URL(path).path:
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == "no such asset\n"


@pytest.mark.parametrize(
    "path",
    [
        "/none",
        "/none.css",
        "/manifest.json",
        "/.well-known/.seal",
        "/.well-known/none",
        "/.seal",
        "/.verified",
        "/current/play/index.html",
        "/assets/",
        "/play/..%2fmanifest.json",
        "/..%2f..%2f..%2f..%2fetc/passwd",
    ],
)
def test_what_is_no_page_is_not_found_in_branding(served: httpx.Client, path: str) -> None:
    """The shared release's 404 page, with that status, and not stored."""
    answer = served.get(path, follow_redirects=True)
    if answer.status_code == 400:  # a path that leads out of the root, to nginx
        assert "etc/passwd" in path
        return
    assert (answer.status_code, answer.content) == (404, NOT_FOUND)
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for name, value in HEADERS.items():
        assert ", ".join(answer.headers.get_list(name)) == value
    assert "etag" not in answer.headers
    assert "last-modified" not in answer.headers


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/play/none", "play/404.html"),
        ("/play/none/deeper/than/servers/look.css", "play/404.html"),
        ("/play/.seal", "play/404.html"),
        ("/play/current/manifest.json", "play/404.html"),
        ("/play/releases/", "play/404.html"),
        ("/play/de/none?a=b", "play/404.html"),
        ("/play/de/x/none", "play/de/x/404.html"),
        ("/play/de/x/", "play/de/x/404.html"),
        ("/play/de/x", "play/de/x/404.html"),
        ("/playing/none", ""),
        ("/[p]lay/none", ""),
        ("/play*/none", ""),
    ],
)
def test_an_app_has_its_own_404_page_below_its_folder(
    served: httpx.Client, site_root: SiteRoot, path: str, file: str
) -> None:
    """That of the deepest folder, with its app's headers; `serve` answers alike."""
    answer = served.get(path)
    expected = LOST[file] if file else NOT_FOUND
    assert (answer.status_code, answer.content) == (404, expected)
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == (
        SECURITY["Referrer-Policy"] if file else HEADERS["Referrer-Policy"]
    )
    assert "etag" not in answer.headers
    with on_port(serve.app(site_root, NODE)) as url:
        assert httpx.get(url + path, headers={"Accept-Encoding": "identity"}).content == expected


def test_no_release_but_the_live_one_is_served(served: httpx.Client, site_root: SiteRoot) -> None:
    """Not by any form of its path."""
    name = app_folder(site_root).live_name
    for path in (f"/play/releases/{name}/play/index.html", f"/releases/{name}/manifest.json"):
        assert served.get(path, follow_redirects=True).status_code == 404


def test_text_is_compressed_for_who_takes_it(served: httpx.Client) -> None:
    """Caches are told, and fonts stay as they are."""
    for path, plain in ((SCRIPT.url, SCRIPT.content), ("/play/p3", pages(1)["play/p3/index.html"])):
        packed = served.get(path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert "Accept-Encoding" in packed.headers["vary"]
        assert packed.content == plain
    font = served.get(FONT.url, headers={"Accept-Encoding": "gzip"})
    assert "content-encoding" not in font.headers


def test_a_kept_copy_is_sent_as_it_is(served: httpx.Client, site_root: SiteRoot) -> None:
    """By nginx's static modules and Caddy's file server, in the best coding that they know."""
    kept = Path(site_root.path / NODE / "assets" / SCRIPT.name)
    codings = {"br, gzip": ("br", ".br"), "gzip": ("gzip", ".gz")}
    if served.headers["X-Server"] == "caddy":
        codings["zstd, gzip"] = ("zstd", ".zst")
    for accepted, (coding, suffix) in codings.items():
        with served.stream("GET", SCRIPT.url, headers={"Accept-Encoding": accepted}) as answer:
            assert b"".join(answer.iter_raw()) == Path(f"{kept}{suffix}").read_bytes()
            assert answer.headers["content-encoding"] == coding
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert "Accept-Encoding" in answer.headers["vary"]


def test_head_says_what_get_would(served: httpx.Client) -> None:
    """The same status and caching, and no body."""
    for path in ("/play/", "/none", SCRIPT.url):
        head, full = served.head(path), served.get(path)
        assert (head.status_code, head.content) == (full.status_code, b"")
        assert head.headers["cache-control"] == full.headers["cache-control"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/play/", "/play", SCRIPT.url])
def test_what_is_no_reading_is_refused(served: httpx.Client, path: str, method: str) -> None:
    """A page and an asset can only be read; the refusal shows no page."""
    answer = served.request(method, path, content=b"text")
    assert answer.status_code == 405
    assert b"home" not in answer.content
    if served.headers["X-Server"] == "caddy":
        assert answer.headers["allow"] == "GET, HEAD"


HOSTILE = [
    "with space",
    "it's",
    'say "x"',
    "semi;colon",
    "hash#",
    "b{r}ace",
    "back\\slash",
    "$uri",
    "100%",
    "\u0416\u00e9\u732b",
    "star*",
    "[a]",
    "`tick`",
    "new\nline",
    "~tilde",
]


@pytest.mark.parametrize("server", SERVERS)
def test_a_redirect_or_header_that_is_younger_than_a_configuration_is_told(
    server: WebServer, site_root: SiteRoot
) -> None:
    """What was printed before lacks its lines, and what is printed now lacks none."""
    now = text_of(server, site_root.path, "8080")
    before = now.replace("gone", "other")
    (printed,) = serve.Printed.read(now)

    def lacking(text: str) -> list[str]:
        apps = release.apps(site_root, NODE)
        redirects = serve.live_redirects(site_root, NODE)
        headers = serve.live_headers(site_root, NODE)
        return printed.lacking(text, site_root.path, apps, {}, redirects, headers)

    assert lacking(now) == []
    assert "gone" in lacking(before)[0]
    assert "portal.example" in lacking(now.replace("portal", "other"))[0]
    for line in {each for each in now.splitlines() if "portal.example" in each}:
        more = line.replace("portal", "withdrawn")
        assert lacking(now.replace(line, f"{line}\n{more}")) == [f"no {more.strip()}"]
        assert lacking(f"{now}\n# {more}\n{more}") == [], "what an operator wrote elsewhere"


@pytest.mark.parametrize("server", SERVERS)
def test_a_folder_is_quoted_or_refused(server: WebServer, tmp_path: Path) -> None:
    """Whatever its name: the server itself takes the configuration and serves that folder."""
    refused = []
    taken: dict[str, tuple[str, int]] = {}
    port = 0
    put_version(SiteRoot(tmp_path / "published"), 1)
    for name in HOSTILE:
        root = SiteRoot(tmp_path / "sites" / name)
        shutil.copytree(tmp_path / "published", root.path, symlinks=True)
        port = web_servers.free_port()
        try:
            taken[name] = text_of(server, root.path, f"127.0.0.1:{port}"), port
        except UsageError:
            refused.append(name)
    assert (
        refused
        == {
            "nginx": ["$uri", "new\nline"],
            "caddy": ["b{r}ace", "back\\slash", "star*", "[a]", "`tick`", "new\nline"],
        }[server]
    )
    whole = "\n".join(text for text, _port in taken.values())
    with (
        web_servers.running(server, whole, tmp_path / server, port),
        loopback.client() as client,
    ):
        for name, (_text, at) in taken.items():
            for path, content in (
                ("/play/", pages(1)["play/index.html"]),
                (assets(1)[0].url, assets(1)[0].content),
            ):
                assert client.get(f"http://127.0.0.1:{at}{path}").content == content, name


@pytest.mark.parametrize("server", SERVERS)
def test_what_can_not_be_read_is_unavailable_not_gone(server: WebServer, tmp_path: Path) -> None:
    """A 404 for every page would have search engines forget them all."""
    root = SiteRoot(tmp_path / "site")
    put_version(root, 1)
    port = web_servers.free_port()
    text = text_of(server, root.path, f"127.0.0.1:{port}")
    with web_servers.running(server, text, tmp_path / server, port) as url:
        assert loopback.get(f"{url}/none").status_code == 404
        root.path.rename(tmp_path / "unmounted")
        answer = loopback.get(f"{url}/play/")
        assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "play.example.org; deny all"}, "is no host name"),
        ({"name": "{$HOME}"}, "is no host name"),
        ({"listen": "80; deny all"}, "can't listen on"),
        ({"listen": "70000"}, "can't listen on"),
        ({"listen": "\u0661"}, "can't listen on"),
    ],
)
def test_what_would_be_no_word_is_refused(
    site_root: SiteRoot, wrong: dict[str, str], said: str
) -> None:
    """It could end a directive and begin another."""
    with pytest.raises(UsageError, match=said):
        text_of("nginx", site_root.path, **{"listen": "80", **wrong})


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("name", "listen"), [("play.example.org", ""), ("", ""), ("*.example.org", "[::1]:8080")]
)
def test_the_server_takes_each_form_of_an_address(
    server: WebServer, site_root: SiteRoot, tmp_path: Path, name: str, listen: str
) -> None:
    """By its own check of a configuration, several nodes' in one included."""
    text = text_of(server, site_root.path, listen, name=name)
    assert web_servers.check(server, text, tmp_path / server) == ""


def test_the_command_prints_it(site_root: SiteRoot, tmp_path: Path) -> None:
    """For the apps that are live; a node without any is refused."""
    shell = Installation(
        home=tmp_path / "home", variables={"ROBBIEBLOCKS_SITE_ROOT": str(site_root.path)}
    )
    ran = shell.run("webserver", "nginx", "--node", NODE)
    assert ran.code == 0, ran.err
    assert "play, shared" in ran.err
    for node in ("nowhere", "../x", "a; b"):
        refused = shell.run("webserver", "caddy", "--node", node)
        assert (refused.code, refused.out) == (2, "")
        assert "no live release" in refused.error


@pytest.mark.parametrize("server", SERVERS)
def test_the_command_of_the_handbook_is_taken(
    server: WebServer, site_root: SiteRoot, tmp_path: Path
) -> None:
    """What docs/operator.md pipes into the server's file is a configuration that it accepts."""
    line = re.search(
        rf"^robbieblocks (webserver {server} .*?) \|", OPERATOR.read_text(), re.MULTILINE
    )
    assert line is not None
    shell = Installation(
        home=tmp_path / "home", variables={"ROBBIEBLOCKS_SITE_ROOT": str(site_root.path)}
    )
    ran = shell.run(*line[1].split())
    assert ran.code == 0, ran.err
    assert web_servers.check(server, ran.out, tmp_path / server) == ""


@pytest.mark.parametrize("server", SERVERS)
def test_a_publish_is_checked_through_the_server(server: WebServer, tmp_path: Path) -> None:
    """The smoke check, which wants the bytes and, where it is sent, the hash of the new build."""
    root = SiteRoot(tmp_path / "site")
    put_version(root, 1)
    port = web_servers.free_port()
    text = text_of(server, root.path, f"127.0.0.1:{port}")
    with web_servers.running(server, text, tmp_path / server, port) as url:
        files = pages(2)
        new = manifest(files, assets(2))
        assert publish(root, new, files, assets(2), smoke_url=url).swapped
        sent = loopback.get(f"{url}/play/").headers.get(release.BUILD_HEADER)
        assert sent == (new.build_hash if server == "nginx" else None)
