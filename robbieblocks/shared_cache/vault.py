"""Entries as the bucket has them: under their keys, sealed, signed, and believed or not."""

from __future__ import annotations

from robbieblocks.objectstore import Stored
from robbieblocks.shared_cache.newcomers import Newcomers
from robbieblocks.shared_cache.sealing import Sealing


class Vault:
    """Puts entries into the bucket's form, and takes them out of it."""

    def __init__(self, sealing: Sealing, newcomers: Newcomers) -> None:
        self._sealing = sealing
        self._newcomers = newcomers

    def name(self, kind: str, key: str) -> str:
        """The name of an entry."""
        return self._sealing.name(kind, key)

    def key(self, name: str) -> str:
        """Where in the bucket an entry is."""
        return f"{self._sealing.folder}/{name[:2]}/{name[2:]}"

    def stored(self, name: str, content: bytes) -> Stored:
        """An entry to write. Raises UsageError and SiteUnavailable where it can't be signed."""
        return Stored(
            key=self.key(name),
            data=self._sealing.sealed(name, content),
            content_type="application/octet-stream",
            cache_control="no-store",
        )

    def opened(self, name: str, data: bytes, *, wait_s: float) -> bytes | None:
        """The content of what was read under a name; None where no node that is believed wrote it.

        For the key of whoever has just joined it waits so long.
        """
        content = self._sealing.opened(name, data)
        if content is not None or not self.is_sealed(name, data):
            return content
        if not self._newcomers.has_come(self._sealing.stamp(data), wait_s):
            return None
        return self._sealing.opened(name, data)

    def is_sealed(self, name: str, data: bytes) -> bool:
        """Whether somebody with the nodes' key wrote this, under this name."""
        return self._sealing.is_sealed(name, data)
