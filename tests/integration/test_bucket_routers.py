"""The printed routers answer from a bucket as `serve` answers from the site root."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from robbieblocks import serve
from robbieblocks.bucket import open_publisher, router_of
from robbieblocks.model import HEADER_NAMES, Redirect, headers_text, redirects_text
from robbieblocks.objectstore import Address
from robbieblocks.release import BUILD_HEADER, SiteRoot
from robbieblocks.settings import BucketSettings
from robbieblocks.toolchain import npm
from tests import debian_packages
from tests.integration.releases import NODE, assets, pages, put
from tests.s3_server import Front
from tests.web_servers import free_port
from tests.workers import until

REDIRECTS = [
    Redirect("/gone/", "", 410, "a"),
    Redirect("/was.html", "/café/", 302, "a"),
    Redirect("/ask/", "https://away.example/?a=1#there", 307, "a"),
    Redirect("/play/", "/nowhere/", 301, "a"),
    Redirect("/blog/*", "/posts/*", 301, "a"),
    Redirect("/blog/old/*", "/play/", 301, "a"),
    Redirect("/w/*", "/*", 301, "a"),
]
ODD = {
    "café/index.html": b"<p>caf\xc3\xa9</p>",
    "data.constructor": b"\0",
    "play/404.html": b"<h1>nothing here in play</h1>",
    "play/de/404.html": b"<h1>nichts</h1>",
    "styles-play.css": b"a{color:red}",
    "headers.json": headers_text(
        {"Referrer-Policy": "no-referrer", "Reporting-Endpoints": 'site="https://a.example/"'}
    ),
    "redirects.json": redirects_text(REDIRECTS),
}
NOT_FOUND = b"<h1>nothing here</h1>"
MALFORMED = "/none%E0%A4%A"
UPWARDS = "/_rb/..%2Fpointer.json"
PATHS = (
    "/play/",
    "/play",
    "/play/index.html",
    "/play/p1/",
    "/play/p1?a=b",
    "/tokens.json",
    "/data.constructor",
    "/styles-play.css?v=1",
    "/styles-none.css",
    "/none",
    "/play/none",
    "/play/none" * 200,
    "/play/de/none/",
    "/play/de",
    "/playing",
    MALFORMED,
    "/caf%C3%A9/",
    "/constructor",
    "/gone",
    "/was.html?a=b%20c",
    "/ask/?b=2",
    "/blog",
    "/blog/a%20b/?q",
    "/blog/old/x",
    "/blog/older",
    "/w/x/",
    "/manifest.json",
    f"/_rb/{assets(1)[0].name}",
    "/_rb/none-0123456789abcdef.js",
    UPWARDS,
)
# Reads requests, a line each, and answers them by the Worker with the bucket's objects.
HARNESS = """
import { readFileSync } from "node:fs";
const objects = JSON.parse(readFileSync(process.argv[2], "utf8"));
const BUCKET = {
  get: async (key) => {
    if (!Object.hasOwn(objects, key)) return null;
    const response = new Response(Buffer.from(objects[key], "base64"));
    return { body: response.body, json: () => response.json() };
  },
};
const { default: worker } = await import(process.argv[3]);
const answers = [];
for (const [path, headers] of JSON.parse(process.argv[4])) {
  const request = new Request(`http://site.test${path}`, { headers });
  const answer = await worker.fetch(request, { BUCKET });
  const body = Buffer.from(await answer.arrayBuffer()).toString("base64");
  answers.push([answer.status, Object.fromEntries(answer.headers), body]);
}
console.log(JSON.stringify(answers));
"""
_NGINX = """
load_module "{root}/usr/lib/nginx/modules/ngx_http_js_module.so";
daemon off;
{user}
pid {folder}/pid;
error_log {folder}/errors.log notice;
events {{ worker_connections 64; }}
http {{
    access_log off;
    {http}
    proxy_temp_path {folder}/proxy;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {server}
    }}
}}
"""

Answer = tuple[int, dict[str, str], bytes]


@pytest.fixture
def published(s3: Front, tmp_path: Path) -> tuple[Front, SiteRoot]:
    """A bucket with a play app and the node's page for what is not there."""
    site_root = SiteRoot(tmp_path / "site")
    put(site_root, {**pages(1), **ODD}, assets(1))
    put(site_root, {"404.html": NOT_FOUND, "index.html": b"the apps"}, assets(1), app="shared")
    given = {"bucket.url": s3.url, "bucket.endpoint": s3.address, "bucket.nodes": NODE}
    settings = BucketSettings.of(given)
    assert settings is not None
    open_publisher(settings, site_root, NODE).push()
    return s3, site_root


async def by_serve(site_root: SiteRoot) -> dict[str, httpx.Response]:
    transport = httpx.ASGITransport(serve.app(site_root, NODE))
    async with httpx.AsyncClient(transport=transport, base_url="http://site.test") as client:
        plain = {"Accept-Encoding": "identity"}
        return {path: await client.get(path, headers=plain) for path in PATHS}


def same_as_serve(
    site_root: SiteRoot,
    ask: Callable[[list[tuple[str, dict[str, str]]]], list[Answer]],
    paths: Sequence[str] = PATHS,
) -> None:
    """Status, body and headers are those of `serve`; an ETag that is sent back is a 304."""
    answers = ask([(path, {}) for path in paths])
    all_expected = asyncio.run(by_serve(site_root))
    for path, (status, headers, body) in zip(paths, answers, strict=True):
        expected = all_expected[path]
        assert status == expected.status_code, path
        if not 300 < status < 400:
            assert body == expected.content, path
        names = {*serve.SECURITY, *HEADER_NAMES, "Cache-Control", "Location", BUILD_HEADER}
        for name in names:
            assert headers.get(name.lower()) == expected.headers.get(name), (path, name)
        kind = headers.get("content-type", "").partition(";")[0]
        if not 300 < status < 400:
            assert kind == expected.headers["content-type"].partition(";")[0], path
    tag = answers[0][1]["etag"]
    again = ask([("/play/", {"If-None-Match": tag})])[0]
    assert (again[0], again[2]) == (304, b"")


def test_the_worker_for_cloudflare_answers_as_serve_does(
    published: tuple[Front, SiteRoot], tmp_path: Path
) -> None:
    """Run by Node with the objects of the bucket: each path is answered alike."""
    s3, site_root = published
    bucket = s3.bucket()
    objects: dict[str, Any] = {}
    for found in bucket.list():
        stored = bucket.get(found.key)
        assert stored is not None
        objects[bucket.address.prefix + found.key] = base64.b64encode(stored.data).decode()
    (tmp_path / "objects.json").write_text(json.dumps(objects))
    router = tmp_path / "router.mjs"
    router.write_text(router_of("cloudflare", Address.parse(s3.url)))
    (tmp_path / "harness.mjs").write_text(HARNESS)

    def ask(asked: list[tuple[str, dict[str, str]]]) -> list[Answer]:
        argv = [npm.node_program(), str(tmp_path / "harness.mjs"), str(tmp_path / "objects.json")]
        done = subprocess.run(
            [*argv, router.as_uri(), json.dumps(asked)], capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return [(s, h, base64.b64decode(b)) for s, h, b in json.loads(done.stdout)]

    same_as_serve(site_root, ask)


def told(router: str, folder: Path, bucket: str) -> dict[str, str]:
    """What the printed router says that nginx is told, by the block that it belongs into."""
    places = {
        "/etc/nginx/robbieblocks.js": f"{folder}/router.js",
        "/var/cache/nginx/robbieblocks": f"{folder}/cache",
        "http://BUCKET-ENDPOINT/BUCKET": bucket,
    }
    said = router.partition("// An endpoint with https")[0]
    for there, here in places.items():
        assert there in said
        said = said.replace(there, here)
    lines: dict[str, list[str]] = {"http": [], "server": []}
    block = "http"
    for line in said.splitlines():
        block = next((each for each in lines if f"{each} {{}}" in line), block)
        if line.startswith("//   "):
            lines[block].append(line.removeprefix("//   "))
    return {name: "\n".join(each) for name, each in lines.items()}


@contextmanager
def open_bucket(s3: Front, asked: list[str]) -> Generator[str]:
    """The bucket as nginx may read it: without a signature, from this machine alone.

    Each key that it is asked for is added to `asked`.
    """
    bucket = s3.bucket()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path.removeprefix(f"/{bucket.address.prefix}"))
            found = bucket.get(asked[-1])
            self.send_response_only(200 if found else 404)
            self.end_headers()
            self.wfile.write(found.data if found else b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def nginx(
    published: tuple[Front, SiteRoot], tmp_path: Path
) -> Iterator[tuple[str, SiteRoot, list[str]]]:
    """nginx of Debian's packages with the printed router, and the bucket behind it."""
    packages = ("nginx", "libnginx-mod-http-js", "libpcre2-8-0", "libxml2", "libxslt1.1")
    root = debian_packages.unpacked("nginx-js", packages, "install libnginx-mod-http-js")
    yield from _nginx(published, tmp_path, root)


def _nginx(
    published: tuple[Front, SiteRoot], tmp_path: Path, root: Path
) -> Iterator[tuple[str, SiteRoot, list[str]]]:
    s3, site_root = published
    asked: list[str] = []
    folder = tmp_path / "nginx"
    folder.mkdir()
    router = router_of("nginx", Address.parse(s3.url))
    (folder / "router.js").write_text(router)
    port = free_port()
    user = "user root root;" if os.geteuid() == 0 else ""
    with open_bucket(s3, asked) as bucket:
        blocks = told(router, folder, bucket)
        text = _NGINX.format(root=root, folder=folder, port=port, user=user, **blocks)
        (folder / "main.conf").write_text(text)
        argv = [str(root / "usr/sbin/nginx"), "-e", "stderr", "-c", str(folder / "main.conf")]
        environment = {**os.environ, "LD_LIBRARY_PATH": debian_packages.libraries(root)}
        with (
            (folder / "said.log").open("w") as said,
            subprocess.Popen(argv, env=environment, stdout=said, stderr=said) as process,
        ):
            address = f"http://127.0.0.1:{port}"

            def answers() -> bool:
                assert process.poll() is None, (folder / "said.log").read_text()
                try:
                    return bool(httpx.get(f"{address}/_rb/none").status_code)
                except httpx.TransportError:
                    return False

            try:
                until(answers, "nginx", 20.0)
                yield address, site_root, asked
            finally:
                process.terminate()


def test_nginx_answers_as_serve_does(nginx: tuple[str, SiteRoot, list[str]]) -> None:
    """By the printed router, installed as it says: each path is answered alike.

    What the pointer names is asked of the bucket once, and the pointer each time.
    """
    address, site_root, asked = nginx

    def ask(asked: list[tuple[str, dict[str, str]]]) -> list[Answer]:
        answers: list[Answer] = []
        for path, headers in asked:
            got = httpx.get(address + path, headers={"Accept-Encoding": "identity", **headers})
            answers.append((got.status_code, dict(got.headers), got.content))
        return answers

    # nginx itself refuses what is no path, and resolves `..`.
    same_as_serve(site_root, ask, [path for path in PATHS if path not in (MALFORMED, UPWARDS)])
    asked.clear()
    httpx.get(f"{address}/play/p1/").raise_for_status()
    assert asked == ["pointer.json"]
