"""Waits for the key of a node that has just joined, before what it wrote is made here again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from robbieblocks.shared_cache.signing import Signing

# `sync run` has a new key within a second of the node that signs with it.
_WAIT_S: Final = 1.0
_LOOK_S: Final = 0.02
# Who was locked out has entries in the bucket for days: it may cost a second now and then.
_AGAIN_S: Final = 60.0
# Whoever has the seal's key can sign with any number of keys.
_STRANGERS_MAX: Final = 1_000


class Newcomers:
    """Keys that are not in the master's list here: each is waited for once, one at a time.

    `is_over` says that nothing is waited for any more. Threads may share it.
    """

    def __init__(
        self, signing: Signing, is_over: Callable[[], bool], monotonic: Callable[[], float]
    ) -> None:
        self._signing = signing
        self._is_over = is_over
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._strangers = set[bytes]()
        self._next_at = -_AGAIN_S

    def has_come(self, stamp: bytes, bound_s: float) -> bool:
        """Whether whoever signed with a key is believed by now; waits for that within a bound."""
        public = self._signing.signer(stamp)
        if public is None:
            return False
        if self._signing.knows(public):
            # Its key has come since, or its signature is another's.
            return True
        with self._lock:
            now = self._monotonic()
            if public in self._strangers or now < self._next_at:
                return False
            self._next_at = now + _AGAIN_S
            if len(self._strangers) < _STRANGERS_MAX:
                self._strangers.add(public)
        until = time.monotonic() + min(bound_s, _WAIT_S)
        while time.monotonic() < until and not self._is_over():
            time.sleep(_LOOK_S)
            if self._signing.knows(public):
                with self._lock:
                    self._strangers.discard(public)
                return True
        return False
