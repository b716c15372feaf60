"""The ASGI app of one node: its previewed pages, and what the development client asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from robbieblocks.dev.builder import Builder, View
from robbieblocks.dev.failures import Failures
from robbieblocks.dev.problems import as_said, as_shown
from robbieblocks.dev.requests import HEADERS, same_site, sent_object
from robbieblocks.dev.site import PREFIX, NodeSite, with_client
from robbieblocks.dev.workshop import Workshop, WorkshopServer, workshop_routes
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import read_instant
from robbieblocks.serve import Release, app_of, application_routes, plain

_SCRIPTS: Final = {
    f"{path.stem}.js": path.read_bytes()
    for path in (Path(__file__).resolve().parent / "client").glob("*.js")
}
# A name that leads here, but is another site's, could read what is shown (DNS rebinding).
_HOSTS: Final = ["127.0.0.1", "localhost"]
_SETTINGS_MAX_BYTES: Final = 1_000
_FAILURE_MAX_BYTES: Final = 100_000
_OWN_PAGE: Final = (
    "default-src 'none'; script-src 'self'; style-src-attr 'unsafe-inline'; frame-src 'self'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def dev_app(builder: Builder, node: str, urls: Mapping[str, str]) -> Starlette:
    """The app of a node. `urls` has the address of each node, once they listen."""
    own = _Own(builder, node, urls)
    return Starlette(
        routes=[
            Route(f"{PREFIX}events", same_site(own.events)),
            Route(f"{PREFIX}view", same_site(own.view), methods=["POST"]),
            Route(f"{PREFIX}failed", same_site(own.failed), methods=["POST"]),
            Route(f"{PREFIX}frame", own.frame),
            Route(f"{PREFIX}{{name}}", own.script),
            *workshop_routes(own.workshop),
            *application_routes(builder.settings.applications),
            Mount("/", own.pages),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_HOSTS)],
    )


class _Own:
    """Answers of the development server itself, for one node."""

    def __init__(self, builder: Builder, node: str, urls: Mapping[str, str]) -> None:
        self._builder = builder
        self._node = node
        self._urls = urls
        self._site = builder.sites[node]
        site = _WithStages(self._site, builder.workshop)
        self._pages = app_of(site, node)
        self._failures = Failures(site.asset)
        self.workshop = WorkshopServer(
            workshop=builder.workshop,
            settings=builder.settings,
            events=builder.events,
            node=node,
            urls=urls,
            wake=builder.stage,
            say=builder.say,
        )

    async def events(self, _request: Request) -> Response:
        """The node's state, now and whenever it changes."""
        return StreamingResponse(
            self._builder.events.stream(self._state),
            media_type="text/event-stream",
            headers=HEADERS,
        )

    def _state(self) -> str:
        nodes = [{"id": node, "url": url} for node, url in self._urls.items()]
        return json.dumps({**self._builder.state(self._node), "node": self._node, "nodes": nodes})

    async def view(self, request: Request) -> Response:
        """Show all browsers another view: `{"drafts": true, "at": "2026-12-24T17:00Z"}`."""
        wanted = await sent_object(request, _SETTINGS_MAX_BYTES)
        if isinstance(wanted, Response):
            return wanted
        try:
            at = str(wanted["at"])
            view = View(drafts=wanted["drafts"] is True, at=read_instant(at) if at else None)
        except KeyError:
            return plain(400, "expected drafts and at")
        except UsageError as error:
            return JSONResponse({"error": str(error)}, 400, HEADERS)
        self._builder.show(view)
        return Response(status_code=204, headers=HEADERS)

    async def failed(self, request: Request) -> Response:
        """The row's line that failed in a browser, of what that says about the error."""
        sent = await sent_object(request, _FAILURE_MAX_BYTES)
        if isinstance(sent, Response):
            return sent
        problem = self._failures.problem(sent)
        if problem is None:
            return Response(status_code=204, headers=HEADERS)
        if self._failures.is_new(problem, self._site.version):
            self._builder.say(as_said(problem, self._builder.places))
        shown = as_shown(problem, self._builder.places)
        return JSONResponse({**shown, "component": problem.key}, headers=HEADERS)

    async def frame(self, _request: Request) -> Response:
        """A page of the client's own, in which another is shown at a chosen width."""
        return HTMLResponse(
            _page("Width"), headers={**HEADERS, "Content-Security-Policy": _OWN_PAGE}
        )

    async def script(self, request: Request) -> Response:
        """A part of the development client."""
        found = _SCRIPTS.get(str(request.path_params["name"]))
        if found is None:
            return plain(404, "no such script")
        return Response(found, media_type="text/javascript", headers=HEADERS)

    async def pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The node's pages; before there are any, one that waits for them."""
        path = str(scope.get("path", ""))
        if scope["type"] == "http" and not self._site.version and not path.startswith("/_rb/"):
            headers = {**HEADERS, "Content-Security-Policy": _OWN_PAGE}
            waiting = HTMLResponse(_page("Nothing is built yet"), 503, headers)
            await waiting(scope, receive, send)
            return
        await self._pages(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _WithStages:
    """A node's pages; its assets are those of stages, too, which show every node."""

    site: NodeSite
    workshop: Workshop

    def read(self) -> Iterator[Release]:
        """The node's releases."""
        return self.site.read()

    def asset(self, name: str) -> bytes:
        """An asset of a page or a stage. Raises FileNotFoundError."""
        try:
            return self.site.asset(name)
        except FileNotFoundError:
            return self.workshop.asset(name)


def _page(title: str) -> bytes:
    return with_client(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f"<body><p>{title}</p></body></html>".encode()
    )
