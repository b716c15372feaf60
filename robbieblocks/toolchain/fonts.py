"""The fonts of a toolchain: the files in its @fontsource packages."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict, cast

import tinycss2
import tinycss2.ast

from robbieblocks.model import FontFace

_SUBSETS = ("latin", "latin-ext")


class _Metadata(TypedDict):
    """What metadata.json of a @fontsource package says, as far as it is used."""

    family: str
    weights: list[int]
    subsets: list[str]


def family_key(family: str) -> str:
    """A family's name in the form in which names are compared."""
    name = " ".join(family.strip().strip("\"'").lower().split())
    return name.removesuffix(" variable")


@functools.lru_cache(maxsize=8)
def font_packages(modules: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    """Package folders by family key; a variable font is preferred to a static one."""
    found: dict[str, Path] = {}
    for name in sorted(packages):
        if name.startswith("@fontsource"):
            folder = modules / name
            family = family_key(_metadata(folder)["family"])
            found[family] = folder if "-variable" in name else found.get(family, folder)
    return found


def _metadata(folder: Path) -> _Metadata:
    return cast("_Metadata", json.loads((folder / "metadata.json").read_text(encoding="utf-8")))


@functools.lru_cache(maxsize=64)
def faces(folder: Path) -> tuple[FontFace, ...]:
    """The files of one package for latin and latin-ext."""
    metadata = _metadata(folder)
    variable = folder.parent.name.endswith("-variable")
    stems = ["wght"] if variable else [str(weight) for weight in metadata["weights"]]
    if variable and not (folder / "wght.css").is_file():
        stems = ["index"]
    sheets = [folder / f"{stem}{slant}.css" for stem in stems for slant in ("", "-italic")]
    found = [
        face
        for sheet in sheets
        if sheet.is_file()
        for face in _sheet_faces(sheet, metadata["family"], metadata["subsets"])
    ]
    return tuple(found)


def _sheet_faces(sheet: Path, family: str, subsets: list[str]) -> Iterator[FontFace]:
    """The @font-face rules of one of the package's stylesheets, in its order."""
    prefix = sheet.parent.name + "-"
    rules = tinycss2.parse_stylesheet(sheet.read_text(encoding="utf-8"), True, True)
    for rule in rules:
        if not (isinstance(rule, tinycss2.ast.AtRule) and rule.at_keyword == "font-face"):
            continue
        descriptors = _descriptors(rule)
        file = sheet.parent / _first_woff2(descriptors.get("src", ""))
        rest = file.name.removeprefix(prefix)
        subset = max((s for s in subsets if rest.startswith(s + "-")), key=len, default="latin")
        if subset in _SUBSETS and file.is_file():
            yield FontFace(
                family=family,
                style=descriptors.get("font-style", "normal"),
                weight=descriptors.get("font-weight", "400"),
                unicode_range=descriptors.get("unicode-range", ""),
                content=file.read_bytes(),
                file=file.name,
            )


def _descriptors(rule: tinycss2.ast.AtRule) -> dict[str, str]:
    parsed = tinycss2.parse_blocks_contents(rule.content or [], True, True)
    return {
        each.lower_name: tinycss2.serialize(each.value).strip()
        for each in parsed
        if isinstance(each, tinycss2.ast.Declaration)
    }


def _first_woff2(src: str) -> str:
    for token in tinycss2.parse_component_value_list(src):
        if isinstance(token, tinycss2.ast.URLToken) and token.value.endswith(".woff2"):
            return str(token.value).removeprefix("./")
    return "missing.woff2"
