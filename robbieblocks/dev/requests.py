"""Requests to the development server itself: who may ask, and how much they may send."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from robbieblocks.model import Json, JsonObject
from robbieblocks.serve import NO_STORE, SECURITY, plain

HEADERS: Final = {**SECURITY, **NO_STORE}

Answer = Callable[[Request], Awaitable[Response]]


def same_site(answer: Answer) -> Answer:
    """Refuse what a page of another origin asks for."""

    async def guarded(request: Request) -> Response:
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "same-origin")
        own = f"http://{request.headers.get('host', '')}"
        if origin not in (None, own) or site not in ("same-origin", "none"):
            return plain(403, "only pages of this server may ask for this")
        return await answer(request)

    return guarded


async def sent_object(request: Request, most: int) -> JsonObject | Response:
    """The JSON object that was sent, or the answer to what is none, or has over `most` bytes."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > most:
            return plain(413, "this is too long")
    try:
        found: Json = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else plain(400, "expected a JSON object")
