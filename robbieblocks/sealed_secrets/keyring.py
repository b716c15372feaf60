"""The keys that seal and open secrets, from the environment alone."""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from robbieblocks.errors import UsageError

VARIABLE: Final = "ROBBIEBLOCKS_SECRETS_KEYS"
_KEY_BITS: Final = 256
# Also in the check of secrets.key_value_encrypted.
_ID: Final = re.compile(r"[a-z0-9-]{1,32}")
_REMEDY: Final = f"\n  -> `robbieblocks secrets new-key` prints a key for {VARIABLE}"


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by their id. The first seals; all of them open."""

    first: str
    ciphers: dict[str, AESGCM] = field(repr=False)

    @classmethod
    def from_environment(cls) -> Keyring:
        """The keys of ROBBIEBLOCKS_SECRETS_KEYS: `ID:KEY` of each, with spaces between.

        Raises UsageError, which shows no key, where there is none or one is not as `new_key` makes
        it.
        """
        entries = os.environ.get(VARIABLE, "").split()
        if not entries:
            raise UsageError(f"{VARIABLE} is not set: secrets can't be sealed or opened{_REMEDY}")
        ciphers: dict[str, AESGCM] = {}
        for place, entry in enumerate(entries, start=1):
            key_id, cipher = _read(entry, place)
            if key_id in ciphers:
                raise UsageError(f"{VARIABLE} has two keys {key_id}: leave one out")
            ciphers[key_id] = cipher
        return cls(next(iter(ciphers)), ciphers)


def new_key() -> str:
    """A new random key, as ROBBIEBLOCKS_SECRETS_KEYS takes it."""
    key = base64.urlsafe_b64encode(AESGCM.generate_key(_KEY_BITS)).decode().rstrip("=")
    return f"{secrets.token_hex(4)}:{key}"


def _read(entry: str, place: int) -> tuple[str, AESGCM]:
    """The id and the cipher of one entry; `place` counts from 1 and names it in messages."""
    key_id, _, text = entry.partition(":")
    # The id is not repeated: where the colon is missing, it is the key.
    if not text or not _ID.fullmatch(key_id):
        raise UsageError(
            f"{VARIABLE}: entry {place} does not begin with an id of a-z, 0-9 and -, up to 32, "
            f"and a colon{_REMEDY}"
        )
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) * 8 != _KEY_BITS:
        raise UsageError(
            f"{VARIABLE}: the key {key_id} is not {_KEY_BITS} bits as base64url{_REMEDY}"
        )
    return key_id, AESGCM(key)
