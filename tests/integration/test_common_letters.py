"""The common letters of the toolchain's fonts are those of the packages that are locked."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from robbieblocks.toolchain import Toolchain
from robbieblocks.toolchain.common_letters import (
    COMMON_RANGE,
    FOLDER,
    PACKAGED_RANGE,
    with_common_letters,
)
from tools.fonts import common_letters, packaged, reserves_its_name


def letters(ranges: str) -> set[int]:
    """The code points of a unicode-range."""
    found: set[int] = set()
    for part in ranges.split(","):
        first, _, last = part.strip().upper().removeprefix("U+").partition("-")
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def test_every_font_has_its_common_letters_or_reserves_its_name(toolchain: Toolchain) -> None:
    """After a change of the lock `make fonts` was run: no file is of another version, none is left
    over, each package has its licence."""
    free = [file for file in packaged(toolchain.modules) if not reserves_its_name(file)]
    names = {f"{file.parents[1].name}/{file.name.replace('-latin-', '-common-')}" for file in free}
    assert names == json.loads((FOLDER / "made-of.json").read_text()).keys()
    assert names == {str(path.relative_to(FOLDER)) for path in FOLDER.glob("*/*.woff2")}
    for file in free:
        faces = toolchain.fonts(file.parents[1].name.replace("-", " "))
        whole, common = (
            next(each for each in faces if each.file == name)
            for name in (file.name, file.name.replace("-latin-", "-common-"))
        )
        assert (whole.is_common, common.is_common) == (False, True)
        assert (whole.style, whole.weight) == (common.style, common.weight)
        assert len(common.content) < len(whole.content)
        assert faces.index(common) == faces.index(whole) + 1, "browsers take the later one"
        assert letters(whole.unicode_range) | letters(COMMON_RANGE) == letters(PACKAGED_RANGE)
        licence = (FOLDER / file.parents[1].name / "LICENSE").read_bytes()
        assert licence == (file.parents[1] / "LICENSE").read_bytes()


def test_a_font_that_reserves_its_name_is_published_whole(toolchain: Toolchain) -> None:
    """Those of Adobe do, by what the files say of themselves."""
    reserved = {file.parents[1].name for file in packaged(toolchain.modules)} - {
        path.name for path in FOLDER.iterdir() if path.is_dir()
    }
    assert reserved == {"source-sans-3", "source-serif-4"}
    for name in reserved:
        faces = toolchain.fonts(name.replace("-", " "))
        assert {face.file for face in faces if "-latin-wght-" in face.file}
        assert not any(face.is_common for face in faces)


def test_the_same_bytes_are_made_again(toolchain: Toolchain) -> None:
    """Of the smallest font, with the packages of the lock."""
    (file,) = (each for each in packaged(toolchain.modules) if each.name.startswith("tektur-"))
    assert common_letters(file) == (FOLDER / "tektur/tektur-common-wght-normal.woff2").read_bytes()


def test_letters_of_another_version_of_a_font_are_not_mixed_with_it(toolchain: Toolchain) -> None:
    """Such a face comes alone, as one of other ranges does: as its package has it."""
    package = Path("tektur")
    (latin,) = (face for face in toolchain.fonts("Tektur") if "-latin-wght" in face.file)
    as_packaged = replace(latin, unicode_range=PACKAGED_RANGE)
    assert len(tuple(with_common_letters(package, as_packaged))) == 2
    others = (
        replace(as_packaged, content=latin.content + b" "),
        replace(as_packaged, unicode_range="U+0-FF"),
        replace(as_packaged, file="tektur-latin-400-normal.woff2"),
    )
    for face in others:
        assert tuple(with_common_letters(package, face)) == (face,)
