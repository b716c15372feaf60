"""A node's live releases over HTTP, for one machine; the same rules as the nginx and Caddy ones.

Pages are found by the routes of the live manifests, so no request's path ever reaches the file
system: what no manifest names is a 404. `current` is read at each request, so a swap is seen at
once, and each answer comes from one release.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gzip
import os
import signal
import socket
import stat
import threading
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.model import ASSET_PREFIX, SHARED_APP, Manifest

_SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The page's own policy is in the page; this directive only works in a header.
    "Content-Security-Policy": "frame-ancestors 'self'",
}
_NO_STORE: Final = {"Cache-Control": "no-store"}
_REVALIDATE: Final = {"Cache-Control": "no-cache"}
_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "json": "application/json",
    "map": "application/json",
    "txt": "text/plain; charset=utf-8",
    "xml": "application/xml; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "avif": "image/avif",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "woff": "font/woff",
    "wasm": "application/wasm",
}
_COMPRESSED: Final = frozenset(
    {"html", "css", "js", "mjs", "json", "map", "txt", "xml", "svg", "wasm"}
)
_SMALLEST_COMPRESSED: Final = 1024
_MEMORY: Final = 32 << 20
_NOT_A_FILE: Final = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG})
_LAST_PORT: Final = 65_535
_BACKLOG: Final = 512
_GRACE_SECONDS: Final = 3


def app(site_root: release.SiteRoot, node: str) -> Starlette:
    """The ASGI app of one node: its apps' pages, `/_rb/` assets and `/healthz`."""
    site = _Site(site_root, node)

    async def answer(request: Request) -> Response:
        try:
            return site.answer(request)
        except SiteUnavailable:
            # Paths and causes are the operator's business, not a visitor's.
            return _plain(503, "the site can't be read at the moment")

    return Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "HEAD"])])


def serve_nodes(
    site_root: release.SiteRoot,
    nodes: Sequence[tuple[str, int]],
    host: str = "127.0.0.1",
    *,
    started: Callable[[Mapping[str, str]], None] = lambda _urls: None,
) -> None:
    """Serve each node on its port until SIGINT or SIGTERM, then let open requests end (3 s).

    Port 0 takes any free one. `started` gets the URL of each node once connections are accepted.
    Raises UsageError where a port can't be had.
    """
    with contextlib.ExitStack() as open_sockets:
        servers: list[tuple[_Server, socket.socket]] = []
        urls: dict[str, str] = {}
        for node, port in nodes:
            listener = open_sockets.enter_context(_listen(node, host, port))
            config = uvicorn.Config(
                app(site_root, node),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
            servers.append((_Server(config), listener))
            urls[node] = _url(host, listener)
        started(urls)
        asyncio.run(_run(servers))


class _Server(uvicorn.Server):
    """A server that leaves signals to the loop: there are several in one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def _run(servers: Sequence[tuple[_Server, socket.socket]]) -> None:
    def stop() -> None:
        for server, _listener in servers:
            server.should_exit = True

    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))


def _listen(node: str, host: str, port: int) -> socket.socket:
    # getaddrinfo(3) would take 70000 for 4464.
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"could not serve {node} on {host} port {port}: there is no such port")
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(
            f"could not serve {node} on {host} port {port}: "
            f"{getattr(error, 'strerror', None) or error}\n"
            "  -> stop what listens there, or choose another port"
        ) from error
    return listener


def _url(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


@dataclass(frozen=True, slots=True)
class _Live:
    """One app's live release: its folder, and which file answers which path."""

    folder: Path
    stamp: tuple[str, int, int]
    manifest: Manifest
    build_hash: str
    routes: Mapping[str, str]
    elsewhere: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, stamp: tuple[str, int, int], manifest: Manifest) -> _Live:
        """`routes` has pages by route and other files by path; `elsewhere` leads to routes."""
        pages = {unquote(page.route): page for page in manifest.pages}
        of_pages = {page.path for page in manifest.pages}
        routes = {f"/{path}": path for path in manifest.files if path not in of_pages}
        elsewhere: dict[str, str] = {}
        for route, page in pages.items():
            other = route.removesuffix("/") if route.endswith("/") else route + "/"
            elsewhere[other] = elsewhere[f"/{page.path}"] = route
        routes |= {route: page.path for route, page in pages.items()}
        return cls(folder, stamp, manifest, manifest.build_hash, routes, elsewhere)


class _Site:
    """What one node serves."""

    def __init__(self, site_root: release.SiteRoot, node: str) -> None:
        self._site_root = site_root
        self._node = node
        self._known: dict[str, _Live] = {}
        self._bodies = _Compressed(_MEMORY)

    def answer(self, request: Request) -> Response:
        """The answer to a GET or HEAD."""
        path = str(request.scope["path"])
        if path == "/healthz":
            return self._health()
        if path.startswith(ASSET_PREFIX):
            return self._asset(request, path.removeprefix(ASSET_PREFIX))
        for _attempt in range(2):
            # A release that was pruned between finding it and reading from it is not live.
            with contextlib.suppress(FileNotFoundError):
                return self._page(request, path)
        return _plain(503, "this page's file is damaged; the next look at the site heals it")

    def _health(self) -> Response:
        hashes = {live.manifest.app: live.build_hash for live in self._releases()}
        headers = {**_SECURITY, **_NO_STORE}
        return JSONResponse({"node": self._node, "live": hashes}, headers=headers)

    def _page(self, request: Request, path: str) -> Response:
        releases = list(self._releases())
        for live in releases:
            if (file := live.routes.get(path)) is not None:
                return self._file(request, live, file)
        for live in releases:
            if (route := live.elsewhere.get(path)) is not None:
                query = request.url.query
                location = quote(route) + (f"?{query}" if query else "")
                return RedirectResponse(location, 308, {**_SECURITY, **_REVALIDATE})
        for live in releases:
            if live.manifest.app == SHARED_APP and "404.html" in live.manifest.files:
                return self._file(request, live, "404.html", status=404)
        return _plain(404, "not found")

    def _file(self, request: Request, live: _Live, file: str, *, status: int = 200) -> Response:
        content = _read(live.folder / file)
        headers = {release.BUILD_HEADER: live.build_hash}
        headers |= _REVALIDATE if status == 200 else _NO_STORE
        return self._body(request, file, live.manifest.files[file], content, headers, status)

    def _asset(self, request: Request, name: str) -> Response:
        if not release.is_asset_name(name):
            return _plain(404, "no such asset")
        try:
            content = _read(self._site_root.path / self._node / "assets" / name)
        except FileNotFoundError:
            return _plain(404, "no such asset")
        return self._body(request, name, name, content, dict(_FOR_EVER), 200)

    def _body(
        self,
        request: Request,
        name: str,
        tag: str,
        content: bytes,
        headers: dict[str, str],
        status: int,
    ) -> Response:
        extension = name.rpartition(".")[2]
        headers |= _SECURITY
        headers["Content-Type"] = _TYPES.get(extension, "application/octet-stream")
        if extension in _COMPRESSED and len(content) >= _SMALLEST_COMPRESSED:
            headers["Vary"] = "Accept-Encoding"
            if _takes_gzip(request.headers.get("accept-encoding", "")):
                content = self._bodies.get(tag, content)
                headers["Content-Encoding"] = "gzip"
                tag += "-gzip"
        if status == 200:
            headers["ETag"] = f'"{tag}"'
            if _matches(request.headers.get("if-none-match", ""), tag):
                del headers["Content-Type"]
                return Response(status_code=304, headers=headers)
        return Response(content, status, headers)

    def _releases(self) -> Iterator[_Live]:
        """The live release of each app; the shared one last, so that an app's own page wins."""
        found = release.apps(self._site_root, self._node)
        for name in sorted(found, key=lambda app: (app == SHARED_APP, app)):
            if (live := self._live(name)) is not None:
                yield live

    def _live(self, name: str) -> _Live | None:
        app_folder = release.AppFolder.of(self._site_root, self._node, name)
        live_name = app_folder.live_name
        if live_name is None:
            return None
        folder = app_folder.releases / live_name
        try:
            status = (folder / "manifest.json").stat()
        except OSError:
            return None
        stamp = (live_name, status.st_ino, status.st_mtime_ns)
        known = self._known.get(name)
        if known is None or known.stamp != stamp:
            manifest = release.manifest_of(app_folder, live_name)
            if manifest is None:
                return None
            known = self._known[name] = _Live.of(folder, stamp, manifest)
        return known


class _Compressed:
    """gzip bodies by tag, the latest used up to so many bytes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def get(self, tag: str, content: bytes) -> bytes:
        """The compressed content that a tag stands for."""
        body = self._bodies.get(tag)
        if body is None:
            body = self._bodies[tag] = gzip.compress(content, compresslevel=6, mtime=0)
            self._size += len(body)
            while self._size > self._most and len(self._bodies) > 1:
                self._size -= len(self._bodies.popitem(last=False)[1])
        self._bodies.move_to_end(tag)
        return body


def _read(path: Path) -> bytes:
    """A regular file's bytes; FileNotFoundError for anything else in its place, a link included."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
            if stat.S_ISREG(os.fstat(fd).st_mode):
                return file.read()
    except OSError as error:
        if error.errno not in _NOT_A_FILE:
            raise SiteUnavailable(f"could not read {path}: {error.strerror}") from error
    raise FileNotFoundError(path)


def _takes_gzip(accepted: str) -> bool:
    """Whether an Accept-Encoding header (RFC 9110, 12.5.3) allows gzip."""
    for offer in accepted.lower().split(","):
        coding, _, weight = offer.replace(" ", "").partition(";q=")
        if coding in ("gzip", "*"):
            return weight.strip("0.") != "" or weight == ""
    return False


def _matches(header: str, tag: str) -> bool:
    """Whether If-None-Match (RFC 9110, 13.1.2) names the tag, compared weakly."""
    tags = {part.strip().removeprefix("W/") for part in header.split(",")}
    return "*" in tags or f'"{tag}"' in tags


def _plain(status: int, text: str) -> Response:
    return PlainTextResponse(text + "\n", status, {**_SECURITY, **_NO_STORE})
