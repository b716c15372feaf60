"""The packets of esbuild's stdio protocol (cmd/esbuild/stdio_protocol.go in esbuild's sources).

A packet is a length and as many bytes: an id, whose lowest bit is set in answers, and one value.
Integers have 32 bits, little-endian. Values are None, bool, int, str, bytes, and lists and
dictionaries of these.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

_INTEGER: Final = struct.Struct("<I")


def packet(number: int, value: Mapping[str, object]) -> bytes:
    """One packet with its length."""
    body = _INTEGER.pack(number) + b"".join(_encoded(value))
    return _INTEGER.pack(len(body)) + body


def expecting(packets: int, most_bytes: int) -> Callable[[bytearray], bool]:
    """Whether as many packets were received; asked again and again while bytes arrive.

    Raises ValueError where there are more bytes than `most_bytes`.
    """
    place = found = 0

    def whole(received: bytearray) -> bool:
        nonlocal place, found
        if len(received) > most_bytes:
            raise ValueError(f"it answered with more than {most_bytes >> 20} MiB")
        while found < packets and len(received) - place >= _INTEGER.size:
            end = place + _INTEGER.size + _integer(received, place)
            if end > len(received):
                break
            place, found = end, found + 1
        return found >= packets

    return whole


def bodies(received: bytes) -> Iterator[bytes]:
    """The packets without their lengths."""
    place = 0
    while place < len(received):
        length = _integer(received, place)
        place += _INTEGER.size
        yield received[place : place + length]
        place += length


def answer(body: bytes) -> tuple[int, dict[str, Any]]:
    """A request's number and its answer. Raises ValueError where the packet is no answer."""
    number = _integer(body, 0)
    value, _ = decoded(body, _INTEGER.size)
    if not number & 1 or not isinstance(value, dict):
        raise ValueError("it is a request, or its value is no object")
    return number >> 1, cast("dict[str, Any]", value)


def decoded(body: bytes, place: int) -> tuple[object, int]:
    """The value at that place of a packet, and the place of the next one.

    Raises ValueError, IndexError or struct.error for what is no such value.
    """
    kind, place = body[place], place + 1
    if kind == 0:
        return None, place
    if kind == 1:
        return body[place] != 0, place + 1
    number, place = _integer(body, place), place + _INTEGER.size
    if kind == 2:
        return number, place
    if kind in (3, 4):
        data = body[place : place + number]
        return (data.decode("utf-8", "replace") if kind == 3 else data), place + number
    if kind == 5:
        items: list[object] = []
        for _ in range(number):
            item, place = decoded(body, place)
            items.append(item)
        return items, place
    if kind == 6:
        found: dict[str, object] = {}
        for _ in range(number):
            length, place = _integer(body, place), place + _INTEGER.size
            key = body[place : place + length].decode()
            found[key], place = decoded(body, place + length)
        return found, place
    raise ValueError(f"there is no value of kind {kind}")


def _integer(data: bytes | bytearray, place: int) -> int:
    return int(_INTEGER.unpack_from(data, place)[0])


def _encoded(value: object) -> Iterator[bytes]:
    match value:
        case None:
            yield b"\0"
        case bool():
            yield b"\1\1" if value else b"\1\0"
        case int():
            yield b"\2" + _INTEGER.pack(value)
        case str():
            yield b"\3" + _counted(value.encode())
        case bytes():
            yield b"\4" + _counted(value)
        case list() | tuple():
            items = cast("Sequence[object]", value)
            yield b"\5" + _INTEGER.pack(len(items))
            for each in items:
                yield from _encoded(each)
        case _:
            entries = cast("Mapping[str, object]", value)
            yield b"\6" + _INTEGER.pack(len(entries))
            for key, each in entries.items():
                yield _counted(key.encode())
                yield from _encoded(each)


def _counted(data: bytes) -> bytes:
    return _INTEGER.pack(len(data)) + data
