"""The bucket of a shared cache: asked within a bound of time, written to in a thread.

After a failure it is left alone for a while. A bucket that is away, slow, full, that lies or that
refuses costs a build one bound, and then nothing until the pause is over.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from robbieblocks.errors import BucketUnavailable
from robbieblocks.messages import visible_line
from robbieblocks.objectstore import Address, Bucket, Content, Overtaken, Patience, Stored
from robbieblocks.settings import SHARED_CACHE_KEY, SharedCacheSettings
from robbieblocks.shared_cache.sealing import Sealing, sealing_with
from robbieblocks.shared_cache.trouble import Doing, Pauses

# A command has no log; the worker's takes these records.
SHARED_CACHE_LOGGER: Final = logging.getLogger(__name__)
SHARED_CACHE_LOGGER.addHandler(logging.NullHandler())
SHARED_CACHE_LOGGER.propagate = False
SHARED_CACHE_LOGGER.setLevel(logging.INFO)

# So long a build waits for an answer, and a command at its end for what it has to write.
_ASK_S: Final = 3.0
_LAST_WRITES_S: Final = 5.0
_AT_ONCE: Final = 8
# Larger ones take longer to fetch than the bound. All that are asked at once fit into memory.
_ENTRY_BYTES_MAX: Final = 16 << 20
_WAITING_BYTES_MAX: Final = 64 << 20
_AGE_MAX: Final = timedelta(days=30)
# Nothing else below the prefix is ever removed.
_OWN_KEY: Final = re.compile(r"[0-9a-f]{16}/(?:[0-9a-f]{2}/[0-9a-f]{62}|trial/[0-9a-f]{64})")


@dataclass(slots=True)
class SharedCounts:
    """Entries since the process began: `found` and `absent` when asked for, `refused` for their
    seal, `written`, and `dropped` where they could not be. `failures` are pauses that began.
    """

    found: int = 0
    absent: int = 0
    refused: int = 0
    written: int = 0
    dropped: int = 0
    failures: int = 0


class SharedCache:
    """Entries by kind and key that any of the nodes made. Threads may share one; nothing is raised.

    It reads from `bucket`, and writes to it with more patience, for which nobody waits. `folder` is
    that of the cache, where troubles are noted for other processes.
    """

    def __init__(
        self,
        bucket: Bucket,
        patient: Bucket,
        sealing: Sealing,
        folder: Path,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = SharedCounts()
        self._bucket = bucket
        self._patient = patient
        self._sealing = sealing
        self._pauses = Pauses(folder, monotonic)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="shared-cache")
        self._lock = threading.Lock()
        self._waiting = deque[tuple[str, bytes]]()
        self._waiting_bytes = 0
        self._refused = set[str]()
        self._writer: threading.Thread | None = None

    def get_many(self, kind: str, keys: Iterable[str]) -> dict[str, bytes]:
        """The entries that the bucket gave in time, by key."""
        wanted = {self._sealing.name(kind, key): key for key in keys}
        with self._lock:
            if not wanted or self._pauses.has("read"):
                return {}
        asked = {
            self._pool.submit(self._bucket.get, self._key(name), bytes_max=_ENTRY_BYTES_MAX): name
            for name in wanted
        }
        done, late = wait(asked, _ASK_S, FIRST_EXCEPTION)
        for future in late:
            future.cancel()
        found: dict[str, bytes] = {}
        why = ""
        for future in done:
            name = asked[future]
            content, wrong = self._answer(name, future)
            why = why or wrong
            if content is not None:
                found[wanted[name]] = content
        if late and not why:
            why = f"{len(late)} of {len(asked)} entries took longer than {_ASK_S:.0f} s"
        with self._lock:
            self.counts.found += len(found)
            self.counts.absent += len(wanted) - len(found)
        self._ended("read", why)
        return found

    def put_many(self, kind: str, items: Mapping[str, bytes]) -> None:
        """Have entries written soon; returns at once. What can't be written is dropped."""
        with self._lock:
            for key, content in items.items():
                if len(content) > _ENTRY_BYTES_MAX:
                    continue
                full = self._waiting_bytes + len(content) > _WAITING_BYTES_MAX
                if full or self._pauses.has("write"):
                    self.counts.dropped += 1
                    continue
                self._waiting.append((self._sealing.name(kind, key), content))
                self._waiting_bytes += len(content)
            if self._waiting and self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_all, name="shared-cache-writer", daemon=True
                )
                self._writer.start()

    def close(self) -> None:
        """Wait a few seconds for what is still to be written; the rest is dropped."""
        with self._lock:
            writer = self._writer
        if writer is not None:
            writer.join(_LAST_WRITES_S)
        with self._lock:
            self._drop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, name: str, future: Future[Content | None]) -> tuple[bytes | None, str]:
        """What an entry holds, and what is wrong with the answer."""
        error = future.exception()
        if error is not None:
            return None, _reason(error)
        read = future.result()
        if read is None:
            return None, ""
        content = self._sealing.opened(name, read.data)
        if content is None:
            with self._lock:
                self.counts.refused += 1
                self._refused.add(name)
            return (
                None,
                f"{self._bucket.address}{self._key(name)} was sealed by no node: mend the "
                "rights to the bucket, or give all nodes the same key",
            )
        return content, ""

    def _write_all(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._writer = None
                    return
                name, content = self._waiting.popleft()
                self._waiting_bytes -= len(content)
                mend = name in self._refused
                self._refused.discard(name)
            why = self._write(name, content, mend=mend)
            self._ended("write", why)

    def _write(self, name: str, content: bytes, *, mend: bool) -> str:
        """Write an entry, unless another node did before; why that failed, else empty."""
        stored = Stored(
            key=self._key(name),
            data=self._sealing.sealed(name, content),
            content_type="application/octet-stream",
            cache_control="no-store",
        )
        try:
            if mend:
                self._patient.put(stored)
            else:
                self._patient.put_bound(stored, None)
        except Overtaken:
            return ""
        except Exception as error:  # noqa: BLE001 -- no answer of a bucket may end the thread
            return _reason(error)
        with self._lock:
            self.counts.written += 1
        return ""

    def _ended(self, doing: Doing, why: str) -> None:
        """Note how a request ended, and tell it where that is new."""
        with self._lock:
            if why:
                self.counts.failures += 1
                is_new = self._pauses.failed(doing, why)
                if doing == "write":
                    self._drop()
            else:
                is_new = self._pauses.succeeded(doing)
        if not is_new:
            return
        if why:
            SHARED_CACHE_LOGGER.warning(
                "the shared cache is not %s for a while: %s", _PAST[doing], why
            )
        else:
            SHARED_CACHE_LOGGER.info("the shared cache is %s again", _PAST[doing])

    def _drop(self) -> None:
        self.counts.dropped += len(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _key(self, name: str) -> str:
        return f"{self._sealing.folder}/{name[:2]}/{name[2:]}"


_PAST: Final[Mapping[Doing, str]] = {"read": "read", "write": "written to"}


def open_shared_cache(settings: SharedCacheSettings, folder: Path) -> SharedCache:
    """The shared cache that settings name, behind the cache in a folder.

    Raises UsageError for an address, a key or a package that is wrong or missing.
    """
    address, sealing = _read(settings)
    return SharedCache(Bucket(address, _hasty()), Bucket(address), sealing, folder)


def try_out(settings: SharedCacheSettings) -> None:
    """Write, read and remove an entry. Raises BucketUnavailable, and UsageError as opening does."""
    address, sealing = _read(settings)
    bucket = Bucket(address, _hasty())
    name = sealing.name("trial", f"{os.getpid()} {time.time()}")
    key = f"{sealing.folder}/trial/{name}"
    data = sealing.sealed(name, b"")
    stored = Stored(key=key, data=data, content_type="text/plain", cache_control="no-store")
    bucket.put_bound(stored, None)
    read = bucket.get(key, bytes_max=_ENTRY_BYTES_MAX)
    if read is None or sealing.opened(name, read.data) is None:
        raise BucketUnavailable(
            f"{bucket.address} gives other bytes than were written\n"
            "  -> name another bucket in cache.shared"
        )
    bucket.delete([key])


def remove_old(settings: SharedCacheSettings) -> int:
    """Remove the entries that were written over 30 days ago, under any key; how many went.

    What is needed on is written again by whoever makes it. Raises BucketUnavailable, and UsageError
    as opening does.
    """
    bucket = Bucket(_read(settings)[0])
    before = datetime.now(UTC) - _AGE_MAX
    old = [
        each.key
        for each in bucket.list()
        if each.modified < before and _OWN_KEY.fullmatch(each.key)
    ]
    bucket.delete(old)
    return len(old)


def _read(settings: SharedCacheSettings) -> tuple[Address, Sealing]:
    sealing = sealing_with(os.environ.get(SHARED_CACHE_KEY))
    return Address.parse(settings.url, endpoint=settings.endpoint, region=settings.region), sealing


def _hasty() -> Patience:
    bound = timedelta(seconds=_ASK_S)
    connect = min(bound, timedelta(seconds=1))
    return Patience(timeout=bound, connect_timeout=connect, retries=0, retry_timeout=bound)


def _reason(error: BaseException) -> str:
    if isinstance(error, BucketUnavailable):
        return visible_line(str(error).replace("\n", " "))
    return f"it answered what can't be read ({type(error).__name__})"
