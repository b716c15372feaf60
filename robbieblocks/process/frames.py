"""Frames: a 4-byte big-endian length, and as many bytes. Their meaning is the caller's."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import Final

from robbieblocks.process.parent_death import die_with_parent
from robbieblocks.process.running import CHUNK_BYTES

HEADER: Final = struct.Struct(">I")
FRAME_MAX_BYTES: Final = 1 << 30


def frame(payload: bytes) -> bytes:
    """A payload with its length before it."""
    return HEADER.pack(len(payload)) + payload


def is_complete(received: bytearray) -> bool:
    """Whether a whole frame was received. Raises ValueError for what is no frame."""
    if len(received) < HEADER.size:
        return False
    length: int = HEADER.size + HEADER.unpack_from(received)[0]
    if length > FRAME_MAX_BYTES or len(received) > length:
        raise ValueError("it wrote something that is not a frame to stdout")
    return len(received) == length


def answer(handle: Callable[[bytes], bytes]) -> None:
    """The child's side of `Child`: answer frames until the end of input, then return.

    What the program prints meanwhile goes to stderr, so that it is not taken for an answer.
    """
    die_with_parent()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    with open(source, "rb", buffering=CHUNK_BYTES) as frames:  # noqa: PTH123 - a descriptor, not a path
        while header := frames.read(HEADER.size):
            payload = frames.read(HEADER.unpack(header)[0])
            outgoing = memoryview(frame(handle(payload)))
            while outgoing:
                outgoing = outgoing[os.write(sink, outgoing) :]
    os.close(sink)
