"""Headers of all responses, and responses of plain text."""

from __future__ import annotations

from typing import Final

from starlette.responses import PlainTextResponse, Response

SECURITY: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The page's own policy is in the page; this directive only works in a header.
    "Content-Security-Policy": "frame-ancestors 'self'",
}
NO_STORE: Final = {"Cache-Control": "no-store"}
REVALIDATE: Final = {"Cache-Control": "no-cache"}
ONE_YEAR: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


def plain(status: int, text: str) -> Response:
    """A line of plain text, which caches must not store."""
    return PlainTextResponse(text + "\n", status, {**SECURITY, **NO_STORE})
