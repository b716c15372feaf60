"""Child processes that bundling speaks to, and how long they stay for the next build."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from robbieblocks.errors import ProcessFailed
from robbieblocks.process import ROWS_MEMORY_BYTES, Child

_T = TypeVar("_T")
_P = TypeVar("_P", bound="ChildProgram")
_ISOLATE_CHILD: Final = Path(__file__).resolve().with_name("script_isolate_child.py")
_PACKAGE_PARENT: Final = str(_ISOLATE_CHILD.parents[2])
# Added to the scripts' own time: for starting on a busy machine, and for reporting a timeout.
_MARGIN_S: Final = 30.0


def in_background(work: Callable[[], _T]) -> Future[_T]:
    """Start `work` in a daemon thread; the future gets its result or its exception.

    The thread does not keep the process alive. Child processes that `work` started end with the
    process.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            future.set_exception(error)

    threading.Thread(target=run, name="bundle background", daemon=True).start()
    return future


class ChildProgram:
    """A child process that answers requests. Any failed request ends it."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._exchange: Future[Any] | None = None  # each request has a type of its own

    @property
    def alive(self) -> bool:
        """Whether it can take a request, now or after the one that runs in the background."""
        # During a background exchange the child belongs to the thread that talks to it.
        return self._exchanging or self._child.alive

    def close(self) -> None:
        """End the process; an unanswered request in the background fails."""
        if self._exchange is not None and self._exchanging:
            self._child.interrupt()
            wait([self._exchange])
        self._child.close()

    @property
    def _exchanging(self) -> bool:
        return self._exchange is not None and not self._exchange.done()

    def _in_background(self, exchange: Callable[[], _T]) -> Future[_T]:
        """Talk to the child in a background thread; nothing else may talk to it until that ends."""
        self._exchange = future = in_background(exchange)
        return future


class KeepAlive(Generic[_P]):
    """At most one running program, lent to one user at a time.

    It ends when nobody has used it for `idle_s` seconds.
    """

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._program: _P | None = None
        self._key = ""
        self._timer: threading.Timer | None = None

    @contextmanager
    def borrow(self, key: str, start: Callable[[], _P]) -> Generator[_P]:
        """The running program of that key; `start` makes one where there is none.

        An exception in the block ends the program: an answer that is still on its way must not be
        taken for the answer to the next request.
        """
        with self._lock:
            self._cancel_timer()
            program = self._program
            if program is None or self._key != key or not program.alive:
                self._end()
                program = self._program = start()
                self._key = key
            try:
                yield program
            except BaseException:
                self._end()
                raise
            self._timer = threading.Timer(self._idle_s, self.stop)
            self._timer.daemon = True
            self._timer.start()

    def stop(self) -> None:
        """End the program as soon as nobody uses it. The next `borrow` starts another."""
        with self._lock:
            self._cancel_timer()
            self._end()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            program.close()


class ScriptIsolate(ChildProgram):
    """A V8 isolate in a child process, for scripts of the toolchain.

    V8 takes tens of megabytes that a process never returns to the system, and a script that
    crashes V8 ends its process. So it does not run in the process that builds. The child gets no
    variable of this process' environment.

    `scripts` are run at once, in the background. Each script, also those of `run`, may take
    `timeout_s` seconds.
    """

    def __init__(self, scripts: Sequence[str], timeout_s: float) -> None:
        env = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_PACKAGE_PARENT, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # Started by its path: by its name, Python would import all of this package first.
        argv = (sys.executable, "-X", "utf8", "-P", _ISOLATE_CHILD)
        super().__init__(Child(argv, env, memory_bytes=ROWS_MEMORY_BYTES))
        self._timeout_s = timeout_s
        self._first_result = self._in_background(lambda: self._run(scripts))

    def first_result(self) -> object:
        """The result of the last of the first scripts; waits for it. Raises as `run` does."""
        return self._first_result.result()

    def run(self, script: str) -> object:
        """The value of a script: a text, a number, or None.

        Raises ProcessFailed where it throws, takes too long, takes all memory, or ends the process.
        """
        self.first_result()
        return self._run([script])

    def _run(self, scripts: Sequence[str]) -> object:
        request = json.dumps({"scripts": scripts, "timeout_s": self._timeout_s}).encode()
        timeout_s = len(scripts) * self._timeout_s + _MARGIN_S
        reply: dict[str, object] = json.loads(self._child.call(request, timeout_s))
        if "error" in reply:
            self._child.kill()
            raise ProcessFailed(f"a script failed in the isolate: {reply['error']}")
        return reply.get("result")
