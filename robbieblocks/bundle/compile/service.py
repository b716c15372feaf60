"""A running esbuild that answers build requests over its stdin and stdout.

This is the protocol of esbuild's own JavaScript API. It belongs to one version of esbuild, which
both sides state; the toolchain's lock file pins that version. An edit of one component takes 20 ms
less, of about 50, where esbuild runs already, so the process is kept for the next build.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, Final

from robbieblocks.bundle.compile import packets
from robbieblocks.bundle.processes import ChildProgram, KeepAlive, in_background
from robbieblocks.errors import ProcessFailed
from robbieblocks.process import ROWS_MEMORY_BYTES, Child, TimedOut
from robbieblocks.toolchain import Toolchain

# For larger builds, starting esbuild is a small part of the time.
_SMALL_BUILD_INPUTS: Final = 20
# Above the limit Go's runtime collects garbage more often.
_GO: Final = {"GOMEMLIMIT": "512MiB"}
# A process that ends after one build collects none below its limit, which saves a quarter of the
# CPU time of 200 components. They leave 200 MB of garbage, which would be the most that any process
# of a build takes; a limit that is lower still costs more time.
_LITTLE_GARBAGE_COLLECTION: Final = {"GOGC": "off", "GOMEMLIMIT": "160MiB"}
_MAX_ANSWER_BYTES: Final = 256 << 20

Request = Mapping[str, object]
# Which members it has depends on the request.
Answer = dict[str, Any]
Answers = Callable[[], list[Answer]]


class EsbuildService(ChildProgram):
    """One running esbuild. With `one_build` it serves one build, and collects little garbage."""

    def __init__(self, toolchain: Toolchain, *, one_build: bool) -> None:
        argv = (toolchain.esbuild, f"--service={toolchain.tools['esbuild']}")
        env = {"PATH": "/usr/bin:/bin", **_GO, **(_LITTLE_GARBAGE_COLLECTION if one_build else {})}
        super().__init__(Child(argv, env, foreign=True, memory_bytes=ROWS_MEMORY_BYTES))
        self._version_read = False

    def begin(self, requests: Sequence[Request], timeout_s: float) -> Answers:
        """Send the requests now; the function waits for the answers, and raises as `ask` does."""
        received = self._in_background(lambda: self._exchanged(requests, timeout_s))
        return lambda: self._read(len(requests), received.result())

    def ask(self, requests: Sequence[Request], timeout_s: float) -> list[Answer]:
        """The answers, in the order of the requests; esbuild works on all of them at once.

        Raises ProcessFailed where esbuild crashed, hung, or is of another version.
        """
        return self._read(len(requests), self._exchanged(requests, timeout_s))

    def _exchanged(self, requests: Sequence[Request], timeout_s: float) -> bytes:
        sent = b"".join(packets.packet(number << 1, value) for number, value in enumerate(requests))
        expected = len(requests) + (0 if self._version_read else 1)
        whole = packets.expecting(expected, _MAX_ANSWER_BYTES)
        return self._child.converse(sent, whole, timeout_s)

    def _read(self, requests: int, received: bytes) -> list[Answer]:
        found = list(packets.bodies(received))
        if not self._version_read:
            # esbuild's first packet is its version, and answers no request.
            found = found[1:]
            self._version_read = True
        try:
            answers = dict(map(packets.answer, found))
        except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
            self._child.kill()
            raise ProcessFailed(f"esbuild gave an answer that can't be read: {error}") from error
        if answers.keys() != set(range(requests)):
            self._child.kill()
            raise ProcessFailed("esbuild's answers are not those to the requests")
        return [answers[number] for number in range(requests)]


class EsbuildServices:
    """The processes that serve the builds of one toolchain.

    Small builds share the one that `shared` keeps; each larger build has a process of its own,
    whose memory goes with it.
    """

    def __init__(self, toolchain: Toolchain, shared: KeepAlive[EsbuildService]) -> None:
        self._toolchain = toolchain
        self._shared = shared

    @contextmanager
    def begun(
        self, inputs: int, requests: Sequence[Request], timeout_s: float
    ) -> Generator[Answers]:
        """A function that returns the answers to the requests, or raises ProcessFailed.

        A large build runs meanwhile, in a process that ends with the block.
        """
        if inputs <= _SMALL_BUILD_INPUTS:
            yield lambda: self._ask_shared(requests, timeout_s)
            return
        own = EsbuildService(self._toolchain, one_build=True)
        try:
            yield own.begin(requests, timeout_s)
        finally:
            # The system takes a while to free the process' memory.
            in_background(own.close)

    def _ask_shared(self, requests: Sequence[Request], timeout_s: float) -> list[Answer]:
        """The shared process' answers, or those of a new one.

        The shared process may have been killed while it was idle, which says nothing of the
        components.
        """
        start = partial(EsbuildService, self._toolchain, one_build=False)
        try:
            with self._shared.borrow(self._toolchain.id, start) as service:
                return service.ask(requests, timeout_s)
        except TimedOut:
            raise
        except ProcessFailed:
            with closing(EsbuildService(self._toolchain, one_build=True)) as own:
                return own.ask(requests, timeout_s)
