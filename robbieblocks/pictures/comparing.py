"""Compares two pictures, pixel by pixel, with odiff."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from robbieblocks import process
from robbieblocks.errors import ProcessFailed

_TIMEOUT_S: Final = 60.0
_SAME: Final = 0
_DIFFERENT: Final = 22
# PNG (W3C, 3rd edition), 5.2 and 11.2.1: the signature, then a chunk with width and height.
_SIZE: Final = struct.Struct(">16xII")
# Edges that are only drawn a little otherwise don't count.
_OPTIONS: Final = ("--parsable-stdout", "--antialiasing", "--diff-mask", "--diff-color=#e0218a")


@dataclass(frozen=True, slots=True)
class Difference:
    """How many pixels differ, of how many, and a picture of those alone on nothing (PNG).

    Where the pictures are not equally high, what only one has differs.
    """

    pixels: int
    of: int
    picture: bytes | None = field(default=None, repr=False)

    @property
    def percent(self) -> float:
        """The share of pixels that differ, from 0 to 100."""
        return 100 * self.pixels / self.of if self.of else 0.0


def size_of(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG, in pixels."""
    width, height = _SIZE.unpack_from(picture)
    return width, height


def compare(odiff: Path, before: bytes, after: bytes) -> Difference:
    """What differs between two pictures of one width. Raises ProcessFailed."""
    width, height = max(size_of(before), size_of(after))
    if before == after:
        return Difference(0, width * height)
    with process.temporary_folder() as folder:
        # The picture of the difference is as high as the first one.
        higher = sorted((before, after), key=size_of, reverse=True)
        files = [folder / name for name in ("first.png", "second.png", "difference.png")]
        for file, picture in zip(files, higher, strict=False):
            file.write_bytes(picture)
        done = process.run([odiff, *files, *_OPTIONS], timeout=_TIMEOUT_S)
        if done.returncode not in (_SAME, _DIFFERENT):
            said = (done.stderr or done.stdout).decode(errors="replace").strip()
            raise ProcessFailed(f"odiff did not compare two pictures: {said[:500]}")
        pixels = int(done.stdout.decode().strip().split(";")[0])
        found = files[-1].read_bytes() if pixels else None
    return Difference(pixels, width * height, found)
