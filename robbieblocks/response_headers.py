"""The headers and types with which files are served, by whatever serves them."""

from __future__ import annotations

from typing import Final

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
# Of stylesheets at a fixed address: a browser shows the one that it has, and asks for a new one
# meanwhile. Caches of many visitors must ask first (RFC 9111, 5.2.2.10).
SHOWN_WHILE_ASKED: Final = {"Cache-Control": "max-age=10, s-maxage=0, stale-while-revalidate=86400"}
ONE_YEAR: Final = {"Cache-Control": "public, max-age=31536000, immutable"}

TYPES: Final = {
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
    "gif": "image/gif",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "webmanifest": "application/manifest+json",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mp3": "audio/mpeg",
    "zip": "application/zip",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "woff": "font/woff",
    "wasm": "application/wasm",
}


def type_of(name: str) -> str:
    """The type of a file by its name."""
    return TYPES.get(name.rpartition(".")[2], "application/octet-stream")
