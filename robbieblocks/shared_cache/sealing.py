"""Seals entries, so that nobody without the nodes' key can make one, or give it another's name."""

from __future__ import annotations

import base64
import binascii
import hmac
from typing import Final

from robbieblocks.errors import UsageError
from robbieblocks.settings import SHARED_CACHE_KEY
from robbieblocks.shared_cache.signing import STAMP_BYTES, Signing

_HASH: Final = "sha256"
_SEAL_BYTES: Final = 32
_KEY_BYTES_MIN: Final = 32
# Part of every name and seal: another layout is another cache.
_LAYOUT: Final = b"robbieblocks shared cache 2: "


class Sealing:
    """Names and seals under one key (HMAC-SHA-256, RFC 2104).

    Names are keyed, too: the bucket's keys say nothing of what is in it. Under another key there
    are other names in another `folder`, so that nodes with a new key start with an empty cache.
    """

    def __init__(self, secret: bytes, signing: Signing) -> None:
        self.signing = signing
        self._names, self._seals, folder = (
            hmac.digest(secret, _LAYOUT + use, _HASH) for use in (b"names", b"seals", b"folder")
        )
        self.folder = folder.hex()[:16]

    def name(self, kind: str, key: str) -> str:
        """The name of an entry, which its seal holds, too."""
        return hmac.digest(self._names, f"{kind}\0{key}".encode(), _HASH).hex()

    def sealed(self, name: str, content: bytes) -> bytes:
        """The bytes to write under a name: seal, signature, content."""
        body = self.signing.stamp(_message(name, content)) + content
        return self._seal(name, body) + body

    def is_sealed(self, name: str, sealed: bytes) -> bool:
        """Whether somebody with the key wrote this, under this name."""
        seal, body = sealed[:_SEAL_BYTES], sealed[_SEAL_BYTES:]
        return hmac.compare_digest(seal, self._seal(name, body)) and len(body) >= STAMP_BYTES

    def stamp(self, sealed: bytes) -> bytes:
        """By whom it says it is signed: to be believed only with its signature."""
        return sealed[_SEAL_BYTES : _SEAL_BYTES + STAMP_BYTES]

    def opened(self, name: str, sealed: bytes) -> bytes | None:
        """The content of what was read under a name; None where no node of ours wrote it there."""
        body = sealed[_SEAL_BYTES:]
        stamp, content = body[:STAMP_BYTES], body[STAMP_BYTES:]
        if not self.is_sealed(name, sealed):
            return None
        return content if self.signing.believes(stamp, _message(name, content)) else None

    def _seal(self, name: str, content: bytes) -> bytes:
        return hmac.digest(self._seals, bytes.fromhex(name) + content, _HASH)


def _message(name: str, content: bytes) -> bytes:
    return _LAYOUT + bytes.fromhex(name) + content


def sealing_with(key: str | None, signing: Signing) -> Sealing:
    """The sealing under a key in base64. Raises UsageError, which does not show it."""
    remedy = f"\n  -> `openssl rand -base64 32` prints a key for {SHARED_CACHE_KEY} of every node"
    if not key:
        raise UsageError(f"cache.shared is named, and {SHARED_CACHE_KEY} is not set{remedy}")
    try:
        secret = base64.b64decode(key.strip(), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if len(secret) < _KEY_BYTES_MIN:
        raise UsageError(
            f"{SHARED_CACHE_KEY} is not {_KEY_BYTES_MIN} bytes or more in base64{remedy}"
        )
    return Sealing(secret, signing)
