"""Cache entries: their kinds, which name the code that made them, their layout and their place."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from robbieblocks import css_faults, css_text
from robbieblocks.cache import Cache
from robbieblocks.source_hash import source_hash
from robbieblocks.toolchain import Toolchain

# The code that decides the bytes, besides the toolchain.
_SOURCES: Final = (
    Path(__file__).resolve().parent,
    Path(css_faults.__file__).resolve().parent,
    Path(css_text.__file__).resolve(),
)
_CODE: Final = source_hash(*_SOURCES)

# All packages take 1 MB beside the toolchain; the rest is for those of other versions of this code.
_MAX_BYTES: Final = 32 << 20


def versioned(kind: str) -> str:
    """A kind of entries, with the version of the code that makes them."""
    return f"{kind} of {_CODE}"


def packed(head: str, *parts: bytes) -> bytes:
    """A JSON head and blobs as one value: whoever reads it parses only the head."""
    blobs = [head.encode(), *parts]
    lengths = struct.pack(f">B{len(blobs)}I", len(blobs), *map(len, blobs))
    return lengths + b"".join(blobs)


def unpacked(content: bytes) -> list[bytes]:
    """The head and the blobs that `packed` was given."""
    reader = io.BytesIO(content)
    count = reader.read(1)[0]
    lengths = struct.unpack(f">{count}I", reader.read(4 * count))
    return [reader.read(length) for length in lengths]


class ToolchainCache:
    """Bytes by kind and key, as a Cache keeps them; no method raises for what the disk does.

    Where the folder beside the toolchain can't be written (it is another user's, its disk is full),
    the site's own cache is used. Close it after use: a later call opens it again.
    """

    def __init__(self, toolchain: Toolchain, site_cache: Cache) -> None:
        self._shared = Cache(toolchain.compiled)
        self._site_cache = site_cache

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The entries that are there, by key."""
        wanted, kind = list(keys), versioned(kind)
        found = self._shared.get_many(kind, wanted)
        return found | self._site_cache.get_many(kind, [key for key in wanted if key not in found])

    def put_many(self, kind: str, items: Mapping[str, bytes]) -> None:
        """Keep the items, wherever that is possible."""
        kind = versioned(kind)
        self._shared.put_many(kind, items)
        self._shared.prune(_MAX_BYTES)
        stored = self._shared.get_many(kind, items)
        self._site_cache.put_many(kind, {key: items[key] for key in items if key not in stored})

    def get_or_make(self, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
        """The entry of that key; where there is none, what `make` returns, which is then kept."""
        found = self.get_many(kind, [key]).get(key)
        if found is None:
            found = make()
            self.put_many(kind, {key: found})
        return found

    def close(self) -> None:
        """Close the file beside the toolchain; the site's cache stays open."""
        self._shared.close()
