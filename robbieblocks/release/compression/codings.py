"""The codings of HTTP in which assets are kept (RFC 9110, 8.4.1; RFC 7932; RFC 8878)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# The names that nginx's static modules and Caddy's file server look for; the best coding first.
SUFFIXES: Final[Mapping[str, str]] = {"br": ".br", "zstd": ".zst", "gzip": ".gz"}

COMPRESSED: Final = frozenset(
    {"html", "css", "js", "mjs", "json", "map", "txt", "xml", "svg", "wasm"}
)
COMPRESSED_MIN_BYTES: Final = 1024


def is_compressible(name: str, size_bytes: int) -> bool:
    """Whether an asset of this name and size is worth a compressed copy."""
    return name.rpartition(".")[2] in COMPRESSED and size_bytes >= COMPRESSED_MIN_BYTES


def original_of(name: str) -> str | None:
    """The asset of which a file of this name would be a copy; None where it can be none."""
    suffix = next((each for each in SUFFIXES.values() if name.endswith(each)), "")
    return name.removesuffix(suffix) if suffix else None
