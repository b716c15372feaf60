"""What was compiled from a toolchain alone, cached beside it: all sites of a user share it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from robbieblocks.bundle.entries import versioned
from robbieblocks.cache import Cache
from robbieblocks.toolchain import Toolchain

# All packages take 1 MB; the rest is for those of other versions of this package.
_MAX_BYTES: Final = 32 << 20


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
