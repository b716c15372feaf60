"""What a toolchain alone decides, remembered beside it: every site of the user finds it there."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from robbieblocks.cache import Cache
from robbieblocks.model import Sha256, sha256
from robbieblocks.toolchain import Toolchain

_HERE: Final = Path(__file__).resolve().parent
# The code that decides the bytes, besides the toolchain. Versions of it meet at one shelf.
_MAKERS: Final = ("bundling.py", "esbuild.py", "tailwind.py", "vendors.py")
# All packages take 1 MB; the rest is room for those of other versions.
_LARGEST: Final = 32 << 20


class Shelf:
    """Bytes by kind and key, as a Cache keeps them; no method raises for what the disk does.

    Where the toolchain's place takes nothing (it is another user's, its disk is full), the site's
    own cache does. Close it after use: a later call opens it again.
    """

    def __init__(self, toolchain: Toolchain, cache: Cache) -> None:
        self._shared = Cache(toolchain.compiled)
        self._cache = cache

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The entries that are there, by key."""
        wanted, kind = list(keys), _versioned(kind)
        found = self._shared.get_many(kind, wanted)
        return found | self._cache.get_many(kind, [key for key in wanted if key not in found])

    def put_many(self, kind: str, items: Mapping[str, bytes]) -> None:
        """Keep the items, wherever that is possible."""
        kind = _versioned(kind)
        self._shared.put_many(kind, items)
        self._shared.prune(_LARGEST)
        taken = self._shared.get_many(kind, items)
        self._cache.put_many(kind, {key: items[key] for key in items if key not in taken})

    def kept(self, kind: str, key: str, make: Callable[[], bytes]) -> bytes:
        """The entry of that key; where there is none, what `make` gives, from now on."""
        found = self.get_many(kind, [key]).get(key)
        if found is None:
            found = make()
            self.put_many(kind, {key: found})
        return found

    def close(self) -> None:
        """Close the file beside the toolchain; the site's cache is another's."""
        self._shared.close()


def _versioned(kind: str) -> str:
    return f"{kind} of {_version()}"


@functools.cache
def _version() -> Sha256:
    return sha256(b"\0".join((_HERE / name).read_bytes() for name in _MAKERS))
