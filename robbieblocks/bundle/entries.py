"""Cache entries: their kinds, which name the code that made them, and their layout."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

from robbieblocks import css_text
from robbieblocks.cache import source_hash

# The code that decides the bytes, besides the toolchain.
_SOURCES: Final = (Path(__file__).resolve().parent, Path(css_text.__file__).resolve())


def versioned(kind: str) -> str:
    """A kind of entries, with the version of the code that makes them."""
    return f"{kind} of {source_hash(*_SOURCES)}"


def packed(head: str, *parts: bytes) -> bytes:
    """A JSON head and blobs as one value: whoever reads it parses only the head."""
    blobs = [head.encode(), *parts]
    lengths = struct.pack(f">B{len(blobs)}I", len(blobs), *map(len, blobs))
    return lengths + b"".join(blobs)


def unpacked(content: bytes) -> list[bytes]:
    """The head and the blobs that `packed` was given."""
    count = content[0]
    lengths = struct.unpack_from(f">{count}I", content, 1)
    start = 1 + 4 * count
    blobs: list[bytes] = []
    for length in lengths:
        blobs.append(content[start : start + length])
        start += length
    return blobs
