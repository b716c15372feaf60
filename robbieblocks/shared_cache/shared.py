"""The bucket of a shared cache: asked within a bound of time, written to in a thread.

After a failure it is left alone for a while. A bucket that is away, slow, full, that lies or that
refuses costs a build one bound, and then nothing until the pause is over.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Final

from robbieblocks.objectstore import Bucket, Content, Overtaken
from robbieblocks.shared_cache.claimants import Claimant
from robbieblocks.shared_cache.claims import Claims, await_others, wait_s
from robbieblocks.shared_cache.counts import SharedCounts
from robbieblocks.shared_cache.newcomers import Newcomers
from robbieblocks.shared_cache.pace import Pace
from robbieblocks.shared_cache.sealing import Sealing
from robbieblocks.shared_cache.trouble import Doing, Pauses, reason, tell
from robbieblocks.shared_cache.turns import turns
from robbieblocks.shared_cache.vault import Vault

# So long a build waits for an answer, and a command at its end for what it has to write.
ASK_S: Final = 3.0
_LAST_WRITES_S: Final = 5.0
_AT_ONCE: Final = 8
# Larger ones take longer to fetch than the bound. All that are asked at once fit into memory.
_ENTRY_BYTES_MAX: Final = 16 << 20
_WAITING_BYTES_MAX: Final = 64 << 20


class SharedCache:
    """Entries by kind and key that any of the nodes made. Threads may share one; nothing is raised.

    It reads from `bucket`, and writes to it with more patience, for which nobody waits. `folder` is
    that of the cache, where troubles are noted for other processes. Once `stopped` is set nobody is
    waited for: what is not there is made here.
    """

    def __init__(
        self,
        bucket: Bucket,
        patient: Bucket,
        sealing: Sealing,
        folder: Path,
        *,
        stopped: threading.Event | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counts = SharedCounts()
        self._bucket = bucket
        self._patient = patient
        self._stopped = stopped or threading.Event()
        self._vault = Vault(sealing, Newcomers(sealing.signing, self._is_over, monotonic))
        self._claimant = Claimant(folder)
        self._claims = Claims(bucket, self._vault, self._claimant, monotonic)
        self._pauses = Pauses(folder, monotonic)
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="shared-cache")
        self._lock = threading.Lock()
        self._pace = Pace(_AT_ONCE)
        self._closed = threading.Event()
        self._waiting = deque[tuple[str, bytes]]()
        self._waiting_bytes = 0
        self._refused = set[str]()
        self._writer: threading.Thread | None = None

    def is_worth(self, made_in_ms: float, requests: int) -> bool:
        """Whether entries that take so long to make should be asked for, and shared."""
        with self._lock:
            return self._pace.is_worth(made_in_ms, requests)

    def get_many(self, kind: str, keys: Iterable[str], made_in_ms: float) -> dict[str, bytes]:
        """The entries that the bucket gave in time, by key. To make all takes `made_in_ms` here.

        Of what takes long one node makes what is absent, and the others wait for it for a while.
        """
        wanted = {self._vault.name(kind, key): key for key in keys}
        if not wanted or not self.is_worth(made_in_ms, len(wanted)):
            return {}
        bound_s = made_in_ms / 1_000
        found = self._asked(wanted, bound_s)
        if found is None:
            return {}
        absent = wanted.keys() - found.keys()
        left_ms = made_in_ms * len(absent) / len(wanted)
        if absent and not self._has_refused(absent) and self._is_another_s(min(absent), left_ms):
            came = await_others(
                self._asked_again, min(absent), absent, wait_s(left_ms), self._is_over
            )
            found |= came
            with self._lock:
                self.counts.awaited += len(came)
        with self._lock:
            self.counts.found += len(found)
            self.counts.absent += len(wanted) - len(found)
        return {wanted[name]: content for name, content in found.items()}

    def turns(
        self, kind: str, keys: Iterable[str], made_in_ms: float
    ) -> Iterator[tuple[str, bytes | None]]:
        """Each entry by key, in an order of this process: what another node made, or None for one
        to make now, and to put, before the next is taken. To make one takes `made_in_ms` here.

        Nodes that need the same ones at the same time share them out.
        """
        wanted = {self._vault.name(kind, key): key for key in keys}
        if not wanted or not self.is_worth(made_in_ms * len(wanted), len(wanted)):
            yield from ((key, None) for key in wanted.values())
            return
        own = self._claimant.name() or secrets.token_hex(8)
        for name, content in turns(
            wanted,
            own,
            lambda names: self._asked(names, made_in_ms / 1_000),
            lambda name: not self._has_refused([name]) and self._is_another_s(name, made_in_ms),
            lambda name: self._awaited(name, made_in_ms),
        ):
            with self._lock:
                self.counts.found += content is not None
                self.counts.absent += content is None
            yield wanted[name], content

    def _awaited(self, name: str, made_in_ms: float) -> bytes | None:
        came = await_others(self._asked_again, name, [name], wait_s(made_in_ms), self._is_over)
        with self._lock:
            self.counts.awaited += len(came)
        return came.get(name)

    def _asked_again(self, names: Collection[str]) -> dict[str, bytes] | None:
        """As `_asked`; None, too, where one has come of a node that is not believed."""
        found = self._asked(names, 0.0)
        return None if self._has_refused(names) else found

    def _has_refused(self, names: Collection[str]) -> bool:
        with self._lock:
            return not self._refused.isdisjoint(names)

    def _is_another_s(self, name: str, made_in_ms: float) -> bool:
        """Whether another node has said that it makes an entry; else this one says so.

        It says nothing where it could not write the entry, and does not wait for itself.
        """
        with self._lock:
            if self._pauses.has("write") or not self._pace.is_for_one(made_in_ms):
                return False
        is_another_s = self._claims.is_another_s(name, made_in_ms / 1_000)
        with self._lock:
            self.counts.claimed += is_another_s is False
        return is_another_s is True

    def _asked(self, wanted: Collection[str], bound_s: float) -> dict[str, bytes] | None:
        """What the bucket has of these names now; None where it is left alone.

        For the key of a node that has just joined it waits so long at most.
        """
        with self._lock:
            if self._pauses.has("read"):
                return None
        asked = {self._pool.submit(self._read, name): name for name in wanted}
        done, late = wait(asked, ASK_S, FIRST_EXCEPTION)
        for future in late:
            future.cancel()
        found: dict[str, bytes] = {}
        why = ""
        for future in done:
            name = asked[future]
            content, wrong = self._answer(name, future, bound_s)
            why = why or wrong
            if content is not None:
                found[name] = content
        if late and not why:
            why = f"{len(late)} of {len(asked)} entries took longer than {ASK_S:.0f} s"
        self._ended("read", why)
        return found

    def _read(self, name: str) -> Content | None:
        began = time.perf_counter()
        try:
            return self._bucket.get(self._vault.key(name), bytes_max=_ENTRY_BYTES_MAX)
        finally:
            with self._lock:
                self._pace.took((time.perf_counter() - began) * 1_000)

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
                self._waiting.append((self._vault.name(kind, key), content))
                self._waiting_bytes += len(content)
            if self._waiting and self._writer is None:
                self._writer = threading.Thread(
                    target=self._write_all, name="shared-cache-writer", daemon=True
                )
                self._writer.start()

    def hurry(self) -> None:
        """Wait for no other node from now on, in any thread."""
        self._closed.set()

    def close(self) -> None:
        """Wait a few seconds for what is still to be written; the rest is dropped."""
        self.hurry()
        with self._lock:
            writer = self._writer
        if writer is not None:
            writer.join(_LAST_WRITES_S)
        with self._lock:
            self._drop()
        self._claimant.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(
        self, name: str, future: Future[Content | None], bound_s: float
    ) -> tuple[bytes | None, str]:
        """What an entry holds, and what is wrong with the answer."""
        error = future.exception()
        if error is not None:
            return None, reason(error)
        read = future.result()
        if read is None:
            return None, ""
        content = self._vault.opened(name, read.data, wait_s=bound_s)
        if content is None:
            with self._lock:
                self.counts.refused += 1
                self._refused.add(name)
            if self._vault.is_sealed(name, read.data):
                # Of a node that was locked out, or whose key has not come: it is made here.
                return None, ""
            return (
                None,
                f"{self._bucket.address}{self._vault.key(name)} was sealed by no node: mend the "
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
        try:
            stored = self._vault.stored(name, content)
            if mend:
                self._patient.put(stored)
            else:
                self._patient.put_bound(stored, None)
        except Overtaken:
            return ""
        except Exception as error:  # noqa: BLE001 -- no answer, and no lost key, may end the thread
            return reason(error)
        self._claims.made(name)
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
        if is_new:
            tell(doing, why)

    def _drop(self) -> None:
        self.counts.dropped += len(self._waiting)
        self._waiting.clear()
        self._waiting_bytes = 0

    def _is_over(self) -> bool:
        return self._stopped.is_set() or self._closed.is_set()
