"""esbuild as a service: builds asked for over its stdin, answered over its stdout.

This is the protocol of esbuild's own JavaScript API (cmd/esbuild/stdio_protocol.go). It belongs to
one version of esbuild, which both sides state; the toolchain's lock file pins it. A packet is a
length and as many bytes: an id, its lowest bit set in answers, and one value. Integers have 32
bits, little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from robbieblocks.bundle.aside import aside
from robbieblocks.bundle.kept import Kept, Program
from robbieblocks.errors import ProcessFailed
from robbieblocks.process import Child, TimedOut
from robbieblocks.toolchain import Toolchain

_WORD: Final = struct.Struct("<I")
# Where a build is small, starting the program is most of its cost, so it is kept for the next.
# Then it goes: an idle worker is to be small.
_SMALL: Final = 20
_KEPT_S: Final = 5.0
# A process that soon ends need not collect its garbage: half the CPU time of 200 components. Past
# the limit Go's runtime collects after all.
_UNCOLLECTED: Final = {"GOGC": "off", "GOMEMLIMIT": "512MiB"}

Request = Mapping[str, Any]
Answer = dict[str, Any]


class Service(Program):
    """One running esbuild."""

    def __init__(self, toolchain: Toolchain, *, brief: bool) -> None:
        argv = (toolchain.esbuild, f"--service={toolchain.tools['esbuild']}")
        env = {"PATH": "/usr/bin:/bin", **(_UNCOLLECTED if brief else {})}
        super().__init__(Child(argv, env, foreign=True))
        self._greeted = False

    def begin(self, requests: Sequence[Request], timeout: float) -> Callable[[], list[Answer]]:
        """Ask; what is returned waits for the answers. Raises as `ask` does when it is called."""
        said = self._aside(lambda: self._said(requests, timeout))
        return lambda: self._read(len(requests), said.result())

    def ask(self, requests: Sequence[Request], timeout: float) -> list[Answer]:
        """The answers to requests that are worked on at once, in their order.

        Raises ProcessFailed where esbuild crashed, hung, or is of another version.
        """
        return self._read(len(requests), self._said(requests, timeout))

    def _said(self, requests: Sequence[Request], timeout: float) -> bytes:
        asked = b"".join(packet(number << 1, value) for number, value in enumerate(requests))
        wanted = len(requests) + (0 if self._greeted else 1)
        return self._child.converse(asked, lambda heard: _count(heard) >= wanted, timeout)

    def _read(self, asked: int, said: bytes) -> list[Answer]:
        packets = list(_packets(said))
        if not self._greeted:
            # The first packet is no answer: it is esbuild's version.
            packets = packets[1:]
            self._greeted = True
        try:
            answers = dict(map(_answer, packets))
        except (struct.error, IndexError, UnicodeDecodeError, ValueError) as error:
            self._child.kill()
            raise ProcessFailed(f"esbuild answered something unreadable: {error}") from error
        if answers.keys() != set(range(asked)):
            self._child.kill()
            raise ProcessFailed("esbuild answered something that was not asked")
        return [answers[number] for number in range(asked)]


_KEPT: Final = Kept[Service](_KEPT_S)


def _is_small(inputs: int) -> bool:
    """Whether a build of that many inputs shares the service that is kept."""
    return inputs <= _SMALL


@contextmanager
def begun(
    toolchain: Toolchain, inputs: int, requests: Sequence[Request], timeout: float
) -> Iterator[Callable[[], list[Answer]]]:
    """Lends what gives the answers to build requests over that many inputs.

    Where they are many, they are worked on already, by a process that ends with the block. Raises
    ProcessFailed when it is called.
    """
    if _is_small(inputs):
        yield lambda: ask(toolchain, inputs, requests, timeout)
        return
    own = Service(toolchain, brief=True)
    try:
        yield own.begin(requests, timeout)
    finally:
        # Its memory takes the system a while to clear away.
        aside(own.close)


def ask(
    toolchain: Toolchain, inputs: int, requests: Sequence[Request], timeout: float
) -> list[Answer]:
    """The answers to build requests over that many inputs. Raises ProcessFailed."""
    answers = _asked_of_kept(toolchain, requests, timeout) if _is_small(inputs) else None
    if answers is not None:
        return answers
    own = Service(toolchain, brief=True)
    try:
        return own.ask(requests, timeout)
    finally:
        own.close()


def _asked_of_kept(
    toolchain: Toolchain, requests: Sequence[Request], timeout: float
) -> list[Answer] | None:
    """The answers of the service that small builds share; None where it failed.

    It may have been ended while it waited: no component is to blame for that.
    """
    try:
        with _KEPT.lent(toolchain.id, lambda: Service(toolchain, brief=False)) as kept:
            return kept.ask(requests, timeout)
    except TimedOut:
        raise
    except ProcessFailed:
        return None


# --- packets ---------------------------------------------------------------------------------


def packet(number: int, value: Request) -> bytes:
    """One packet, its length first."""
    body = _WORD.pack(number) + b"".join(_encoded(value))
    return _WORD.pack(len(body)) + body


def _count(heard: bytearray) -> int:
    """How many whole packets there are."""
    found = place = 0
    while len(heard) - place >= _WORD.size:
        place += _WORD.size + int(_WORD.unpack_from(heard, place)[0])
        found += place <= len(heard)
    return found


def _packets(heard: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(heard):
        length = int(_WORD.unpack_from(heard, place)[0])
        place += _WORD.size
        yield heard[place : place + length]
        place += length


def _answer(body: bytes) -> tuple[int, Answer]:
    number = int(_WORD.unpack_from(body)[0])
    value, _ = decoded(body, _WORD.size)
    if not number & 1 or not isinstance(value, dict):
        raise ValueError("a question, or no object")
    return number >> 1, value


def _encoded(value: Any) -> Iterator[bytes]:
    match value:
        case None:
            yield b"\0"
        case bool():
            yield b"\1\1" if value else b"\1\0"
        case int():
            yield b"\2" + _WORD.pack(value)
        case str():
            yield b"\3" + _counted(value.encode())
        case bytes():
            yield b"\4" + _counted(value)
        case list() | tuple():
            yield b"\5" + _WORD.pack(len(value))
            for each in value:
                yield from _encoded(each)
        case _:
            yield b"\6" + _WORD.pack(len(value))
            for key, each in value.items():
                yield _counted(key.encode())
                yield from _encoded(each)


def _counted(data: bytes) -> bytes:
    return _WORD.pack(len(data)) + data


def decoded(body: bytes, place: int) -> tuple[Any, int]:
    """The value at that place of a packet, and where the next begins."""
    kind, place = body[place], place + 1
    if kind == 0:
        return None, place
    if kind == 1:
        return body[place] != 0, place + 1
    number, place = int(_WORD.unpack_from(body, place)[0]), place + _WORD.size
    if kind == 2:
        return number, place
    if kind in (3, 4):
        data = body[place : place + number]
        return (data.decode("utf-8", "replace") if kind == 3 else data), place + number
    if kind == 5:
        items = []
        for _ in range(number):
            item, place = decoded(body, place)
            items.append(item)
        return items, place
    if kind == 6:
        found: dict[str, Any] = {}
        for _ in range(number):
            length, place = int(_WORD.unpack_from(body, place)[0]), place + _WORD.size
            key = body[place : place + length].decode()
            found[key], place = decoded(body, place + length)
        return found, place
    raise ValueError(f"a value of kind {kind}")
