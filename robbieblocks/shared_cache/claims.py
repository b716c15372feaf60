"""Claims: of many nodes that need an entry at the same moment one makes it, and the others wait.

A claim is an entry that says when it was written, and by which process. It is a hint, bounded by
time: whoever finds an old one, none, or one that can't be read makes the entry itself. So does who
finds that of a process with his own cache that has ended.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from robbieblocks.objectstore import Bucket, Overtaken
from robbieblocks.shared_cache.claimants import Claimant
from robbieblocks.shared_cache.vault import Vault

_KIND: Final = "claim"
_BYTES_MAX: Final = 1_000
# A claim is as old as two clocks say, which may differ by so much.
_SKEW_S: Final = 5.0
_WAIT_MIN_S: Final = 5.0
WAIT_MAX_S: Final = 20.0
_PAUSES_S: Final = (0.02, 0.25)
_NO_CLAIMS_S: Final = 60.0


def wait_s(made_in_ms: float) -> float:
    """How long another node is waited for: twice what it takes here, within reason.

    It may have more to do at that moment than this one, and what it makes has to be written.
    """
    return min(max(2 * made_in_ms / 1_000, _WAIT_MIN_S), WAIT_MAX_S)


class Claims:
    """The claims of one process, and what it finds of others'. Threads may share it."""

    def __init__(
        self, bucket: Bucket, vault: Vault, claimant: Claimant, monotonic: Callable[[], float]
    ) -> None:
        self._bucket = bucket
        self._vault = vault
        self._claimant = claimant
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._none_until = 0.0
        self._own = set[str]()

    def is_another_s(self, name: str, wait_s: float) -> bool | None:
        """Whether another process makes an entry; else this one claims it: False, or None where it
        claims nothing, since it did before or may not write.

        For the key of one that has just joined it waits so long.
        """
        with self._lock:
            now = self._monotonic()
            if now < self._none_until or name in self._own:
                return None
        try:
            is_ours = self._claim(name, wait_s)
        except Exception:  # noqa: BLE001 -- no answer of a bucket may fail a build
            # As a node that may only read: it makes things itself, and entries are another matter.
            with self._lock:
                self._none_until = now + _NO_CLAIMS_S
            return None
        if is_ours:
            with self._lock:
                self._own.add(name)
        return not is_ours

    def made(self, name: str) -> None:
        """The entry is in the bucket."""
        with self._lock:
            self._own.discard(name)

    def _claim(self, name: str, wait_s: float) -> bool:
        """Write a claim where no other one stands. Raises BucketUnavailable."""
        claimed = self._vault.name(_KIND, name)
        said = f"{time.time():.3f} {self._claimant.name()}".encode()
        stored = self._vault.stored(claimed, said)
        try:
            self._bucket.put_bound(stored, None)
        except Overtaken:
            found = self._bucket.get(stored.key, bytes_max=_BYTES_MAX)
            if found and self._holds(self._vault.opened(claimed, found.data, wait_s=wait_s)):
                return False
            try:
                self._bucket.put_bound(stored, None if found is None else found.etag)
            except Overtaken:
                return False
        return True

    def _holds(self, content: bytes | None) -> bool:
        """Whether somebody who claimed an entry may still be making it."""
        try:
            moment, _, claimant = (content or b"").decode().partition(" ")
            age_s = time.time() - float(moment)
        except ValueError:
            return False
        is_young = -_SKEW_S <= age_s <= WAIT_MAX_S + _SKEW_S
        return is_young and not self._claimant.is_dead(claimant)


def await_others(
    ask: Callable[[Collection[str]], Mapping[str, bytes] | None],
    claimed: str,
    names: Collection[str],
    bound_s: float,
    is_over: Callable[[], bool],
) -> dict[str, bytes]:
    """The entries that another node writes in time; it claimed one of them.

    `ask` gives what is there now, or None where the bucket fails. The others of the entries may be
    nobody's: once the claimed one is there, each of them has a quarter of the time to come.
    """
    found: dict[str, bytes] = {}
    began = time.monotonic()
    until, pause_s = began + bound_s, min(max(bound_s / 40, _PAUSES_S[0]), _PAUSES_S[1])
    while len(found) < len(names) and time.monotonic() < until:
        time.sleep(pause_s)
        if is_over():
            break
        some = [each for each in names if each not in found] if claimed in found else [claimed]
        came = ask(some)
        if came is None:
            break
        if came:
            found.update(came)
            until = min(began + bound_s, time.monotonic() + bound_s / 4)
    return found
