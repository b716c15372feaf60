"""Seals a secret, and opens what is stored: `rbs1:<key>:<base64url of nonce, text and tag>`."""

from __future__ import annotations

import base64
import json
import os
import re
from dataclasses import dataclass
from typing import Final, Literal

from cryptography.exceptions import InvalidTag

from robbieblocks.errors import ContentError, Problem
from robbieblocks.messages import printable
from robbieblocks.sealed_secrets.keyring import VARIABLE, Keyring

Scope = Literal["global", "town", "user"]
# The same as the table's check.
_SEALED: Final = re.compile(r"rbs1:([a-z0-9-]{1,32}):([A-Za-z0-9_-]{38,})")
# NIST SP 800-38D: 96 random bits; one key seals 2^32 values safely.
_NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretName:
    """Which secret: of what service, and whose. `scope_id` is a town's name or a users.id."""

    service: str
    key_name: str
    scope: str = "global"
    scope_id: str | None = None

    def __str__(self) -> str:
        whose = "" if self.scope_id is None else f" of {self.scope} {printable(self.scope_id)}"
        return f"{printable(self.service)}/{printable(self.key_name)}{whose}"

    def problem(self, what: str, remedy: str) -> ContentError:
        """The error of this secret's row."""
        return ContentError([Problem(entity="secret", key=str(self), what=what, remedy=remedy)])

    @property
    def bound(self) -> bytes:
        """What a sealed value is bound to."""
        return json.dumps([self.service, self.key_name, self.scope, self.scope_id]).encode()


def sealed(value: str, name: SecretName, keyring: Keyring) -> str:
    """The value as it is stored, sealed by the keyring's first key."""
    nonce = os.urandom(_NONCE_BYTES)
    text = keyring.ciphers[keyring.first].encrypt(nonce, value.encode(), name.bound)
    return f"rbs1:{keyring.first}:{base64.urlsafe_b64encode(nonce + text).decode().rstrip('=')}"


def opened(stored: str, name: SecretName, keyring: Keyring) -> str:
    """The value of what is stored. Raises ContentError, which shows nothing of it."""
    parts = _SEALED.fullmatch(stored)
    if parts is None:
        raise name.problem("it is not sealed", "set it anew: `robbieblocks secrets set`")
    key_id, text = parts.groups()
    cipher = keyring.ciphers.get(key_id)
    if cipher is None:
        raise name.problem(f"the key {key_id} is not there", f"add the key to {VARIABLE}")
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    try:
        value = cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], name.bound)
    except InvalidTag:
        raise name.problem(
            f"it does not open with the key {key_id}",
            f"it was altered or moved, or {VARIABLE} has another key by that id; set it anew",
        ) from None
    return value.decode()
