"""Passes requests below some paths on to applications of their own, and their answers back.

Only an address of the settings is ever asked: a request's path and query are put behind it as they
came, and a redirect is the visitor's to follow. No cookie and no answer is kept here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote_from_bytes

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from robbieblocks.serve import files
from robbieblocks.serve.configuration.site import longest_first

if TYPE_CHECKING:
    import httpx

_LOG: Final = logging.getLogger(__name__)
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 60.0
# What concerns one connection alone (RFC 9110, 7.6.1), and what is said anew.
_OF_ONE_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
_OF_SERVERS: Final = frozenset({"CONNECT", "TRACE"})
# What programs take for the word of the server before them.
_SAID_BY_SERVERS: Final = frozenset({b"forwarded", b"x-real-ip"})
_SAID_BY_SERVERS_PREFIX: Final = b"x-forwarded-"

# Bytes that no URL has are encoded; all others stay as the visitor's program wrote them.
_AS_IT_CAME: Final = "".join(map(chr, range(0x21, 0x7F)))

Headers = list[tuple[bytes, bytes]]


def application_routes(applications: Mapping[str, str]) -> list[BaseRoute]:
    """A route for each application, by its path; the longest path first."""
    return [ApplicationRoute(path, address) for path, address in longest_first(applications)]


@dataclass
class ApplicationRoute(BaseRoute):
    """What is at a path, and below it, goes to an address."""

    path: str
    address: str
    _transport: httpx.AsyncHTTPTransport | None = field(default=None, init=False)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is the application's. One with `..` in its path never is, nor is one
        of a method that is meant for a server itself.
        """
        path = str(scope.get("path", ""))
        is_below = path == self.path or path.startswith(f"{self.path}/")
        is_plain = ".." not in path.split("/")
        is_http = scope["type"] == "http" and scope["method"] not in _OF_SERVERS
        is_ours = is_http and is_below and is_plain
        return (Match.FULL if is_ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; where the application does not answer, 502 or 504."""
        # Loading it takes 100 ms, and few sites have applications.
        import httpx

        with contextlib.suppress(ClientDisconnect):
            try:
                answer = await self._ask(Request(scope, receive))
            except httpx.ReadTimeout as error:
                await self._failed(504, error)(scope, receive, send)
            except (httpx.TransportError, httpx.InvalidURL) as error:
                await self._failed(502, error)(scope, receive, send)
            else:
                await self._pass_back(answer, scope, receive, send)

    async def _pass_back(
        self, answer: httpx.Response, scope: Scope, receive: Receive, send: Send
    ) -> None:
        import httpx

        try:
            await _streamed(answer)(scope, receive, send)
        except httpx.TransportError as error:
            # An answer that is not ended has the server cut the visitor's connection off, so that
            # nobody takes a part for the whole.
            _LOG.warning("%s at %s broke off its answer: %r", self.path, self.address, error)
        finally:
            await answer.aclose()

    async def _ask(self, request: Request) -> httpx.Response:
        import httpx

        if self._transport is None:
            # No client: that would keep one visitor's cookies, and send them with another's.
            # A connection is not used twice: the application might end it just then, and the
            # request would fail. As many as there are visitors may be open.
            limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
            self._transport = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
        raw_path: bytes = request.scope.get("raw_path") or request.url.path.encode()
        query: bytes = request.scope.get("query_string", b"")
        target = quote_from_bytes(raw_path + (b"?" + query if query else b""), safe=_AS_IT_CAME)
        has_body = not {"content-length", "transfer-encoding"}.isdisjoint(request.headers.keys())
        timeouts = {"connect": _CONNECT_S, "read": _ANSWER_S, "write": _ANSWER_S}
        return await self._transport.handle_async_request(
            httpx.Request(
                request.method,
                self.address,
                headers=_asked(request),
                content=request.stream() if has_body else None,
                # In the URL it would be made another: without `/./`, for instance.
                extensions={"timeout": timeouts, "target": target.encode()},
            )
        )

    def _failed(self, status: int, error: Exception) -> Response:
        """The address is the operator's business, not a visitor's."""
        _LOG.warning("%s at %s does not answer: %r", self.path, self.address, error)
        return files.plain(status, f"the application at {self.path} does not answer")


def _asked(request: Request) -> Headers:
    """The headers that an application gets: the visitor's, and who that is."""
    sent = [each for each in _passed_on(request.headers.raw) if _may_be_a_visitor_s(each[0])]
    host = request.headers.get("host", "").encode("latin-1")
    client = request.client.host if request.client else ""
    return [
        *sent,
        (b"x-forwarded-for", client.encode()),
        (b"x-forwarded-host", host),
        (b"x-forwarded-proto", request.url.scheme.encode()),
    ]


def _may_be_a_visitor_s(name: bytes) -> bool:
    """Whether a visitor may say this to an application.

    A name with `_` is left out, as nginx leaves it out: to CGI and WSGI it is the one with `-`.
    """
    is_a_server_s = name in _SAID_BY_SERVERS or name.startswith(_SAID_BY_SERVERS_PREFIX)
    return not is_a_server_s and b"_" not in name


def _passed_on(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The headers without those of one connection, which `Connection` may add names to.

    Beside `Transfer-Encoding` a length says nothing (RFC 9112, 6.3), and would be a second one.
    """
    given = [(name.lower(), value) for name, value in headers]
    named = {
        each.strip().lower()
        for name, value in given
        if name == b"connection"
        for each in value.split(b",")
    }
    if any(name == b"transfer-encoding" for name, _value in given):
        named.add(b"content-length")
    return [(name, value) for name, value in given if name not in _OF_ONE_HOP | named]


def _streamed(answer: httpx.Response) -> StreamingResponse:
    """The answer, passed on as it comes, in the coding in which it comes."""

    async def body() -> AsyncIterator[bytes]:
        async for chunk in answer.aiter_raw():
            yield chunk

    response = StreamingResponse(body(), answer.status_code)
    response.raw_headers = _passed_on(answer.headers.raw)
    return response
