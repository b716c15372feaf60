"""The ASGI app of one node, out of three responders."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import ASSET_PREFIX, SHARED_APP
from robbieblocks.release import SiteRoot
from robbieblocks.serve.files import FileResponder, read_file
from robbieblocks.serve.headers import NO_STORE, ONE_YEAR, REVALIDATE, SECURITY, plain
from robbieblocks.serve.live import LiveRelease, LiveReleases

_METHODS = ["GET", "HEAD"]
_NOT_FOUND_PAGE = "404.html"


def app(site_root: SiteRoot, node: str) -> Starlette:
    """The ASGI app of one node: its apps' pages, `/_rb/` assets and `/healthz`."""
    live, files = LiveReleases(site_root, node), FileResponder()
    health, assets = HealthResponder(node, live), AssetResponder(site_root, node, files)
    pages = PageResponder(live, files)
    return Starlette(
        routes=[
            Route("/healthz", health.respond, methods=_METHODS),
            Route(ASSET_PREFIX + "{name:path}", assets.respond, methods=_METHODS),
            Route("/{path:path}", pages.respond, methods=_METHODS),
        ],
        exception_handlers={SiteUnavailable: _unavailable},
    )


async def _unavailable(_request: Request, _error: Exception) -> Response:
    # The error names paths and causes, which are the operator's business, not a visitor's.
    return plain(503, "the site can't be read at the moment")


@dataclass(frozen=True, slots=True)
class HealthResponder:
    """Says which release of each app is live."""

    node: str
    live: LiveReleases

    async def respond(self, _request: Request) -> Response:
        """The build hash of each app, as JSON."""
        hashes = {found.manifest.app: found.manifest.build_hash for found in self.live.read()}
        headers = {**SECURITY, **NO_STORE}
        return JSONResponse({"node": self.node, "live": hashes}, headers=headers)


@dataclass(frozen=True, slots=True)
class AssetResponder:
    """Answers with files of the node's asset folder, whose names hold a hash of their content."""

    site_root: SiteRoot
    node: str
    files: FileResponder

    async def respond(self, request: Request) -> Response:
        """The asset, or a plain 404 that is not stored."""
        name = str(request.path_params["name"])
        if not release.is_asset_name(name):
            return plain(404, "no such asset")
        try:
            content = read_file(self.site_root.path / self.node / "assets" / name)
        except FileNotFoundError:
            return plain(404, "no such asset")
        return self.files.respond(request, name, content, tag=name, headers=ONE_YEAR)


@dataclass(frozen=True, slots=True)
class PageResponder:
    """Answers with pages and other files of the live releases."""

    live: LiveReleases
    files: FileResponder

    async def respond(self, request: Request) -> Response:
        """The page, a redirect to its route, or the node's 404 page."""
        for _attempt in range(2):
            # A release may be pruned between reading its manifest and reading its file.
            with contextlib.suppress(FileNotFoundError):
                return self._find(request)
        return plain(503, "this page's file is damaged; the next full build repairs it")

    def _find(self, request: Request) -> Response:
        path = str(request.scope["path"])
        releases = list(self.live.read())
        for found in releases:
            if (file := found.routes.get(path)) is not None:
                return self._file(request, found, file)
        for found in releases:
            if (route := found.redirects.get(path)) is not None:
                query = request.url.query
                location = quote(route) + (f"?{query}" if query else "")
                return RedirectResponse(location, 308, {**SECURITY, **REVALIDATE})
        for found in releases:
            if found.manifest.app == SHARED_APP and _NOT_FOUND_PAGE in found.manifest.files:
                return self._file(request, found, _NOT_FOUND_PAGE, status=404)
        return plain(404, "not found")

    def _file(
        self, request: Request, found: LiveRelease, file: str, *, status: int = 200
    ) -> Response:
        caching = REVALIDATE if status == 200 else NO_STORE
        headers = {release.BUILD_HEADER: found.manifest.build_hash, **caching}
        content, tag = read_file(found.folder / file), found.manifest.files[file]
        return self.files.respond(request, file, content, tag=tag, headers=headers, status=status)
