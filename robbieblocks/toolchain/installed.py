"""A toolchain that is on disk: where things are in it, and what it holds."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tinycss2
import tinycss2.ast

from robbieblocks.model import FontFace

_SUBSETS = ("latin", "latin-ext")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """What builds, at one set of versions.

    `id` is equal wherever the same bytes come out. `packages` maps each package that a component
    may import to its version, `tools` the rest of the reviewed list, and `by_name` holds the
    packages of which a page gets only the names that it imports. `paths` are the inner paths of
    packages that may be imported too: such a module shares no state with its package's.
    """

    id: str
    root: Path
    esbuild: Path
    packages: Mapping[str, str]
    tools: Mapping[str, str] = field(default_factory=dict)
    by_name: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    @property
    def modules(self) -> Path:
        """The node_modules folder."""
        return self.root / "node_modules"

    @property
    def compiled(self) -> Path:
        """The folder for what is compiled from this toolchain alone; it may not be there."""
        return compiled_beside(self.root)

    def may_import(self, specifier: str) -> bool:
        """Whether a component can import this package or path."""
        return specifier in self.packages or specifier in self.paths

    def fonts(self, family: str) -> tuple[FontFace, ...]:
        """The files of a font family (any case) for latin and latin-ext; empty where unknown."""
        package = _font_packages(self.modules, tuple(self.tools)).get(_plain(family))
        return () if package is None else _faces(package)


def compiled_beside(root: Path) -> Path:
    """Beside the packages and not among them: those stay as they were fetched."""
    return root.with_name(f"{root.name}.compiled")


def _plain(family: str) -> str:
    name = " ".join(family.strip().strip("\"'").lower().split())
    return name.removesuffix(" variable")


@functools.lru_cache(maxsize=8)
def _font_packages(modules: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    """Family in lower case to package folder; a variable font wins over a static one."""
    found: dict[str, Path] = {}
    for name in sorted(packages):
        if name.startswith("@fontsource"):
            folder = modules / name
            family = _plain(_metadata(folder)["family"])
            found[family] = folder if "-variable" in name else found.get(family, folder)
    return found


def _metadata(folder: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    return loaded


@functools.lru_cache(maxsize=64)
def _faces(folder: Path) -> tuple[FontFace, ...]:
    metadata = _metadata(folder)
    variable = folder.parent.name.endswith("-variable")
    stems = ["wght"] if variable else [str(weight) for weight in metadata["weights"]]
    if variable and not (folder / "wght.css").is_file():
        stems = ["index"]
    sheets = [folder / f"{stem}{slant}.css" for stem in stems for slant in ("", "-italic")]
    faces = [
        face
        for sheet in sheets
        if sheet.is_file()
        for face in _sheet_faces(sheet, metadata["family"], metadata["subsets"])
    ]
    return tuple(faces)


def _sheet_faces(sheet: Path, family: str, subsets: list[str]) -> Iterator[FontFace]:
    """The @font-face rules of one of the package's stylesheets, in its order."""
    prefix = sheet.parent.name + "-"
    rules = tinycss2.parse_stylesheet(sheet.read_text(encoding="utf-8"), True, True)
    for rule in rules:
        if not (isinstance(rule, tinycss2.ast.AtRule) and rule.at_keyword == "font-face"):
            continue
        said = _descriptors(rule)
        file = sheet.parent / _first_woff2(said.get("src", ""))
        rest = file.name.removeprefix(prefix)
        subset = max((s for s in subsets if rest.startswith(s + "-")), key=len, default="latin")
        if subset in _SUBSETS and file.is_file():
            yield FontFace(
                family=family,
                style=said.get("font-style", "normal"),
                weight=said.get("font-weight", "400"),
                unicode_range=said.get("unicode-range", ""),
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
