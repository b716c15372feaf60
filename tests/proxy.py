"""A TCP proxy between a test's two servers: it cuts, delays and stalls what passes."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_CHUNK = 65_536
_TICK = 0.02


@dataclass(eq=False)
class _Pair:
    """One connection: the side that dialled, and the side that was dialled."""

    near: socket.socket
    far: socket.socket
    # What was read and is not passed on yet, with when it may be.
    late: list[tuple[float, socket.socket, bytes]] = field(default_factory=list)

    def other(self, side: socket.socket) -> socket.socket:
        return self.far if side is self.near else self.near

    def close(self) -> None:
        for side in (self.near, self.far):
            with contextlib.suppress(OSError):
                # At once, as a line that breaks: no waiting for what is under way.
                side.shutdown(socket.SHUT_RDWR)
            side.close()


class Proxy:
    """Passes connections to `port` on to a port of this machine, until it is closed.

    `delay` is in seconds, each way. While `stalled`, connections stay open and nothing passes. Once
    `cut_after` bytes have passed, every connection breaks, and the count ends.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay = 0.0
        self.stalled = False
        self.cut_after: int | None = None
        self.opened = 0
        self._is_cut = False
        self._pairs: set[_Pair] = set()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection, and refuse new ones until `mend`."""
        with self._lock:
            self._is_cut = True
            self._break()

    def mend(self) -> None:
        """Pass everything again, at once."""
        with self._lock:
            self._is_cut = self.stalled = False
            self.delay, self.cut_after = 0.0, None

    def close(self) -> None:
        """End the proxy and its connections."""
        self._ended.set()
        self._thread.join(5)
        with self._lock:
            self._break()
        self._listener.close()

    def _break(self) -> None:
        for pair in self._pairs:
            pair.close()
        self._pairs.clear()

    def _run(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                pairs = [] if self.stalled else list(self._pairs)
                late = any(pair.late for pair in pairs)
            # Without the lock: whoever cuts must not wait for the line to be busy.
            with selectors.DefaultSelector() as waiting:
                waiting.register(self._listener, selectors.EVENT_READ)
                for pair in pairs:
                    with contextlib.suppress(ValueError, KeyError):
                        waiting.register(pair.near, selectors.EVENT_READ, pair)
                        waiting.register(pair.far, selectors.EVENT_READ, pair)
                try:
                    ready = waiting.select(0.002 if late else _TICK)
                except OSError:
                    continue
            with self._lock:
                for key, _ in ready:
                    if key.data is None:
                        self._accept()
                    elif key.data in self._pairs and not self.stalled:
                        self._read(key.data, key.fileobj)  # type: ignore[arg-type]  # ours
                if not self.stalled:
                    for pair in list(self._pairs):
                        self._send_late(pair)

    def _accept(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return
        if self._is_cut:
            near.close()
            return
        try:
            far = socket.create_connection(("127.0.0.1", self.target), timeout=5)
        except OSError:
            near.close()
            return
        for side in (near, far):
            side.setblocking(True)
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.opened += 1
        self._pairs.add(_Pair(near, far))

    def _read(self, pair: _Pair, side: socket.socket) -> None:
        try:
            chunk = side.recv(_CHUNK)
        except OSError:
            chunk = b""
        if not chunk:
            self._drop(pair)
            return
        if self.cut_after is not None:
            self.cut_after -= len(chunk)
            if self.cut_after <= 0:
                self.cut_after = None
                self._break()
                return
        pair.late.append((time.monotonic() + self.delay, pair.other(side), chunk))

    def _send_late(self, pair: _Pair) -> None:
        now = time.monotonic()
        while pair.late and pair.late[0][0] <= now:
            _, side, chunk = pair.late.pop(0)
            try:
                side.sendall(chunk)
            except OSError:
                self._drop(pair)
                return

    def _drop(self, pair: _Pair) -> None:
        self._pairs.discard(pair)
        pair.close()


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A proxy to a port of this machine."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
