"""Claims: of many nodes that need an entry at the same moment one makes it, and the others wait.

A claim is an entry that says when it was written. It is a hint, bounded by time: whoever finds an
old one, none, or one that can't be read makes the entry itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import Final

from robbieblocks.objectstore import Bucket, Overtaken, Stored
from robbieblocks.shared_cache.sealing import Sealing

_KIND: Final = "claim"
_BYTES_MAX: Final = 1_000
# A claim is as old as two clocks say, which may differ by so much.
_SKEW_S: Final = 5.0
_WAIT_MIN_S: Final = 5.0
WAIT_MAX_S: Final = 20.0
_PAUSES_S: Final = (0.02, 0.25)


def wait_s(made_in_ms: float) -> float:
    """How long another node is waited for: twice what it takes here, within reason.

    It may have more to do at that moment than this one, and what it makes has to be written.
    """
    return min(max(2 * made_in_ms / 1_000, _WAIT_MIN_S), WAIT_MAX_S)


def claim(bucket: Bucket, sealing: Sealing, key_of: Callable[[str], str], name: str) -> bool:
    """Whether this node is to make an entry: no other one has said so a moment ago.

    Raises BucketUnavailable.
    """
    claimed = sealing.name(_KIND, name)
    stored = Stored(
        key=key_of(claimed),
        data=sealing.sealed(claimed, f"{time.time():.3f}".encode()),
        content_type="application/octet-stream",
        cache_control="no-store",
    )
    try:
        bucket.put_bound(stored, None)
    except Overtaken:
        found = bucket.get(stored.key, bytes_max=_BYTES_MAX)
        if found is not None and _is_fresh(sealing.opened(claimed, found.data)):
            return False
        try:
            bucket.put_bound(stored, None if found is None else found.etag)
        except Overtaken:
            return False
    return True


def _is_fresh(content: bytes | None) -> bool:
    try:
        age_s = time.time() - float(content or b"")
    except ValueError:
        return False
    return -_SKEW_S <= age_s <= WAIT_MAX_S + _SKEW_S


def await_others(
    ask: Callable[[Collection[str]], Mapping[str, bytes] | None],
    claimed: str,
    names: Collection[str],
    bound_s: float,
    stopped: threading.Event,
) -> dict[str, bytes]:
    """The entries that another node writes in time; it claimed one of them.

    `ask` gives what is there now, or None where the bucket fails. The others of the entries may be
    nobody's: once the claimed one is there, each of them has a quarter of the time to come.
    """
    found: dict[str, bytes] = {}
    began = time.monotonic()
    until, pause_s = began + bound_s, min(max(bound_s / 40, _PAUSES_S[0]), _PAUSES_S[1])
    while len(found) < len(names) and time.monotonic() < until and not stopped.wait(pause_s):
        some = [each for each in names if each not in found] if claimed in found else [claimed]
        came = ask(some)
        if came is None:
            break
        if came:
            found.update(came)
            until = min(began + bound_s, time.monotonic() + bound_s / 4)
    return found
