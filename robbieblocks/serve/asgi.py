"""The ASGI app of one node, and the live releases that it answers from."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from types import MappingProxyType
from typing import Protocol, Self
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from robbieblocks import release, response_headers
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import (
    ASSET_PREFIX,
    GONE,
    HEADERS_FILE,
    REDIRECTS_FILE,
    SHARED_APP,
    Manifest,
    Redirect,
    Redirects,
    is_sheet_file,
    read_headers_text,
    read_redirects_text,
)
from robbieblocks.release import SiteRoot
from robbieblocks.serve import files
from robbieblocks.serve.applications import application_routes

_METHODS = ["GET", "HEAD"]


class Releases(Protocol):
    """What a node shows."""

    def read(self) -> Iterator[Release]:
        """Each app's release; the shared app last, so that an app's own page wins."""
        ...

    def asset(self, name: str) -> bytes:
        """An asset, by a name that `release.is_asset_name`. Raises FileNotFoundError."""
        ...


def app(
    site_root: SiteRoot, node: str, applications: Mapping[str, str] = MappingProxyType({})
) -> Starlette:
    """The ASGI app of one node's live releases, and of the applications at their paths."""
    return app_of(LiveReleases(site_root, node), node, application_routes(applications))


def app_of(releases: Releases, node: str, before: Sequence[BaseRoute] = ()) -> Starlette:
    """The ASGI app of one node: routes that come before, its pages, `/_rb/` and `/healthz`."""
    site = _Site(releases, node)
    return Starlette(
        routes=[
            *before,
            Route("/healthz", site.health, methods=_METHODS),
            Route(ASSET_PREFIX + "{name:path}", site.asset, methods=_METHODS),
            Route("/{path:path}", site.page, methods=_METHODS),
        ],
        exception_handlers={SiteUnavailable: _unavailable},
    )


async def _unavailable(_request: Request, _error: Exception) -> Response:
    # The error names paths and causes, which are the operator's business, not a visitor's.
    return files.plain(503, "the site can't be read at the moment")


class _Site:
    """Answers requests to one node."""

    def __init__(self, releases: Releases, node: str) -> None:
        self._node = node
        self._releases = releases
        self._files = files.FileResponder()

    async def health(self, _request: Request) -> Response:
        """The build hash of each app's live release, as JSON."""
        hashes = {found.manifest.app: found.manifest.build_hash for found in self._releases.read()}
        headers = {**response_headers.SECURITY, **response_headers.NO_STORE}
        return JSONResponse({"node": self._node, "live": hashes}, headers=headers)

    async def asset(self, request: Request) -> Response:
        """An asset, whose name holds a hash of its content, or a plain 404 that is not stored."""
        name = str(request.path_params["name"])
        if release.is_asset_name(name):
            with contextlib.suppress(FileNotFoundError):
                content = self._releases.asset(name)
                return self._files.respond(
                    request,
                    name,
                    content,
                    name,
                    response_headers.ONE_YEAR,
                    copy=partial(self._copy, name),
                )
        return files.plain(404, "no such asset")

    def _copy(self, name: str, coding: str) -> bytes | None:
        """The compressed copy of an asset, where there is one."""
        with contextlib.suppress(FileNotFoundError):
            return self._releases.asset(name + release.SUFFIXES[coding])
        return None

    async def page(self, request: Request) -> Response:
        """A page or other file of a live release, a redirect to a page, or a 404 page."""
        for _attempt in range(2):
            # A release may be pruned between reading its manifest and reading its file.
            with contextlib.suppress(FileNotFoundError):
                return self._find(request)
        return files.plain(503, "this page's file is damaged; the next full build repairs it")

    def _find(self, request: Request) -> Response:
        path = str(request.scope["path"])
        releases = list(self._releases.read())
        for found in releases:
            if (file := found.routes.get(path)) is not None:
                return self._file(request, found, file)
        for found in releases:
            if (route := found.redirects.get(path)) is not None:
                query = request.url.query
                location = quote(route) + (f"?{query}" if query else "")
                return RedirectResponse(
                    location, 308, {**response_headers.SECURITY, **response_headers.REVALIDATE}
                )
        moved = _moved(releases, path)
        if moved is not None and moved.status != GONE:
            location = moved.location(path, request.url.query)
            headers = {**response_headers.SECURITY, **response_headers.REVALIDATE}
            return RedirectResponse(location, moved.status, headers)
        status, text = (404, "not found") if moved is None else (GONE, "gone")
        missed = _not_found(releases, path)
        if missed is not None:
            return self._file(request, *missed, status=status)
        return files.plain(status, text)

    def _file(self, request: Request, found: Release, file: str, *, status: int = 200) -> Response:
        caching = response_headers.REVALIDATE if status == 200 else response_headers.NO_STORE
        if is_sheet_file(file):
            caching = response_headers.SHOWN_WHILE_ASKED
        build = {release.BUILD_HEADER: found.manifest.build_hash}
        headers = {**found.headers(), **build, **caching}
        tag = found.manifest.files[file] + found.edition
        content = found.content(file)
        return self._files.respond(request, file, content, tag, headers, status=status)


def _moved(releases: Iterable[Release], path: str) -> Redirect | None:
    """The redirect of a path: of any app one for this path alone, else the longest wildcard."""
    found = [each for given in releases if (each := given.moved(path)) is not None]
    return min(found, key=lambda each: (each.covers_all, -len(each.source)), default=None)


def _not_found(releases: Iterable[Release], path: str) -> tuple[Release, str] | None:
    """The 404 page of a path, with its release: of the deepest folder that the path is in."""
    found = [
        (len(folder), given, file)
        for given in releases
        for folder, file in given.not_found.items()
        if f"{path}/".startswith(f"{folder}/")
    ]
    # Of two releases the first has it: the shared one is the last.
    return max(found, key=itemgetter(0))[1:] if found else None


@dataclass(frozen=True, slots=True)
class Release:
    """One app's release: which file answers which path, and the files' content.

    `routes` has pages by their route and other files by their path. `redirects` leads from other
    forms of a page's address to its route, `not_found` from a folder to its 404 page. `content`
    reads a file; it raises FileNotFoundError and SiteUnavailable. `edition` tells files apart that
    are sent otherwise than they are stored; such files are sent without the headers that settings
    ask for.
    """

    manifest: Manifest
    routes: Mapping[str, str]
    redirects: Mapping[str, str]
    not_found: Mapping[str, str]
    content: Callable[[str], bytes]
    edition: str = ""
    _headers: list[Mapping[str, str]] = field(
        default_factory=list[Mapping[str, str]], compare=False
    )
    _stated: list[Redirects] = field(default_factory=list[Redirects], compare=False)

    @classmethod
    def of(cls, manifest: Manifest, content: Callable[[str], bytes], *, edition: str = "") -> Self:
        """Work out routes and redirects from a manifest."""
        routes, redirects = release.routes_of(manifest)
        return cls(manifest, routes, redirects, release.not_found_files(manifest), content, edition)

    def headers(self) -> Mapping[str, str]:
        """The headers that settings ask for. The release's file is read once, when needed.

        Raises FileNotFoundError and SiteUnavailable.
        """
        if HEADERS_FILE not in self.manifest.files or self.edition:
            return {}
        if not self._headers:
            self._headers.append(read_headers_text(self.content(HEADERS_FILE)))
        return self._headers[0]

    def moved(self, path: str) -> Redirect | None:
        """The redirect that rows state for a path. The release's file is read once, when needed.

        Raises FileNotFoundError and SiteUnavailable.
        """
        if REDIRECTS_FILE not in self.manifest.files:
            return None
        if not self._stated:
            self._stated.append(Redirects.of(read_redirects_text(self.content(REDIRECTS_FILE))))
        return self._stated[0].find(path)


class LiveReleases:
    """The live releases of one node; what was read of them is kept while they stay live.

    That is by the release's name with inode and mtime (ns) of its manifest.
    """

    def __init__(self, site_root: SiteRoot, node: str) -> None:
        self._site_root = site_root
        self._node = node
        self._known: dict[str, tuple[tuple[str, int, int], Release]] = {}

    def read(self) -> Iterator[Release]:
        """The live release of each app; the shared app last, so that an app's own page wins."""
        apps = release.apps(self._site_root, self._node)
        for name in sorted(apps, key=lambda app: (app == SHARED_APP, app)):
            if (found := self._read(name)) is not None:
                yield found

    def asset(self, name: str) -> bytes:
        """An asset. Raises FileNotFoundError and SiteUnavailable."""
        return files.read(self._site_root.path / self._node / "assets" / name)

    def _read(self, app: str) -> Release | None:
        app_folder = release.AppFolder.of(self._site_root, self._node, app)
        live_name = app_folder.live_name
        if live_name is None:
            return None
        folder = app_folder.releases / live_name
        try:
            status = (folder / "manifest.json").stat()
        except OSError:
            return None
        version = (live_name, status.st_ino, status.st_mtime_ns)
        known = self._known.get(app)
        if known is None or known[0] != version:
            manifest = release.manifest_of(app_folder, live_name)
            if manifest is None:
                return None
            read = Release.of(manifest, lambda file: files.read(folder / file))
            known = self._known[app] = (version, read)
        return known[1]
