"""Why a bucket is left alone for a while; noted beside the cache, so that other processes know."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from robbieblocks.errors import RobbieBlocksError
from robbieblocks.messages import visible_line

Doing = Literal["read", "write"]
DOINGS: Final[tuple[Doing, ...]] = ("read", "write")
_PAST: Final[Mapping[Doing, str]] = {"read": "read", "write": "written to"}
# A command has no log; the worker's takes these records.
SHARED_CACHE_LOGGER: Final = logging.getLogger(__name__)
SHARED_CACHE_LOGGER.addHandler(logging.NullHandler())
SHARED_CACHE_LOGGER.propagate = False
SHARED_CACHE_LOGGER.setLevel(logging.INFO)
_FIRST_PAUSE_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 900.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nothing can be read or written, and since when (RFC 3339)."""

    doing: Doing
    why: str
    since: str


class Pauses:
    """Leaves a bucket alone after a failure: for a minute, then for twice as long each time.

    Reading and writing are apart: an account may have the right to one of them. Whoever calls has a
    lock. `monotonic` is the clock, in seconds.
    """

    def __init__(self, folder: Path, monotonic: Callable[[], float]) -> None:
        self._folder = folder
        self._monotonic = monotonic
        self._until: dict[Doing, float] = {}
        self._length_s: dict[Doing, float] = {}
        # What the process before left has to go, too.
        self.troubles: dict[Doing, Trouble] = {each.doing: each for each in troubles(folder)}

    def has(self, doing: Doing) -> bool:
        """Whether the bucket is left alone now."""
        return self._monotonic() < self._until.get(doing, 0.0)

    def failed(self, doing: Doing, why: str) -> bool:
        """Begin a pause. Whether there was no trouble before."""
        length_s = min(2 * self._length_s.get(doing, _FIRST_PAUSE_S / 2), _LONGEST_PAUSE_S)
        self._length_s[doing] = length_s
        self._until[doing] = self._monotonic() + length_s
        known = self.troubles.get(doing)
        since = known.since if known else datetime.now(UTC).isoformat(timespec="seconds")
        self.troubles[doing] = Trouble(doing, why, since)
        _note(self._folder, doing, self.troubles[doing])
        return known is None

    def succeeded(self, doing: Doing) -> bool:
        """Whether that ends a trouble."""
        self._length_s.pop(doing, None)
        self._until.pop(doing, None)
        if self.troubles.pop(doing, None) is None:
            return False
        _note(self._folder, doing, None)
        return True


def reason(error: BaseException) -> str:
    """Why a request failed, on one line."""
    if isinstance(error, RobbieBlocksError):
        return visible_line(str(error).replace("\n", " "))
    return f"it answered what can't be read ({type(error).__name__})"


def tell(doing: Doing, why: str) -> None:
    """Log that a pause has begun; without a reason, that a trouble is over."""
    if why:
        SHARED_CACHE_LOGGER.warning("the shared cache is not %s for a while: %s", _PAST[doing], why)
    else:
        SHARED_CACHE_LOGGER.info("the shared cache is %s again", _PAST[doing])


def troubles(folder: Path) -> list[Trouble]:
    """What processes that use the cache in a folder noted; of a garbled file nothing."""
    found: list[Trouble] = []
    for doing in DOINGS:
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            given: dict[str, Any] = json.loads(_path(folder, doing).read_bytes())
            found.append(Trouble(doing, str(given["why"]), str(given["since"])))
    return found


def _note(folder: Path, doing: Doing, trouble: Trouble | None) -> None:
    """Have other processes know; where the disk fails they don't."""
    path = _path(folder, doing)
    with contextlib.suppress(OSError):
        if trouble is None:
            path.unlink(missing_ok=True)
            return
        aside = path.with_name(f"{path.name}.{os.getpid()}")
        aside.write_text(json.dumps(asdict(trouble)))
        aside.replace(path)


def _path(folder: Path, doing: Doing) -> Path:
    return folder / f"shared-{doing}.json"
