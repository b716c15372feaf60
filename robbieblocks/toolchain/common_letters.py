"""The letters that nearly every page needs, as files of their own beside the packaged fonts.

`make fonts` makes them of the packages (`tools/fonts.py`), and they travel with the program: where
pages are built, nothing is made of a font.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from robbieblocks.model import FontFace, sha256

FOLDER: Final = Path(__file__).resolve().parent / "fonts"
"""A folder for each package, with its licence; `made-of.json` has the hash of what each file is of.
"""

PACKAGED_RANGE: Final = (
    "U+0-FF,U+131,U+152-153,U+2BB-2BC,U+2C6,U+2DA,U+2DC,U+304,U+308,U+329,U+2000-206F,U+20AC,"
    "U+2122,U+2191,U+2193,U+2212,U+2215,U+FEFF,U+FFFD"
)
"""The `unicode-range` of the latin files in the packages, as tinycss2 writes it."""

COMMON_RANGE: Final = (
    "U+0-A1,U+A3,U+A7,U+A9-AB,U+AD-AE,U+B0-B3,U+B5,U+B7,U+BA-BB,U+BF-FF,U+131,U+152-153,"
    "U+2000-206F,U+20AC,U+2122,U+2191,U+2193,U+2212,U+FEFF,U+FFFD"
)
"""The letters of Western European languages, their punctuation, and signs that many pages show.

A sign that is left out makes a page fetch the whole file too: it must be rare.
"""

# With the letters once more: a browser draws a letter and the accent on it in one font.
_WHOLE_RANGE: Final = "U+0-FF,U+2BB-2BC,U+2C6,U+2DA,U+2DC,U+304,U+308,U+329,U+2215"


def with_common_letters(package: Path, latin: FontFace) -> Iterator[FontFace]:
    """A latin face of a package's folder, and behind it the face of its common letters.

    Of two faces that have a letter browsers take the later one, and fetch the other where a page
    shows what that lacks (CSS Fonts 4, 11.5, composite faces). The face comes alone where nothing
    was made of its file.
    """
    name = f"{package.name}/{latin.file.replace('-latin-', '-common-')}"
    if latin.unicode_range != PACKAGED_RANGE or _made_of().get(name) != sha256(latin.content):
        yield latin
        return
    yield replace(latin, unicode_range=_WHOLE_RANGE)
    file = FOLDER / name
    content = file.read_bytes()
    yield replace(
        latin, unicode_range=COMMON_RANGE, content=content, file=file.name, is_common=True
    )


@functools.lru_cache(maxsize=1)
def _made_of() -> dict[str, str]:
    """By file, the SHA-256 of the packaged file that it was made of."""
    made: dict[str, str] = json.loads((FOLDER / "made-of.json").read_text(encoding="utf-8"))
    return made
