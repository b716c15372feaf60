"""A toolchain on disk: what it holds, and where. Its fonts come in @fontsource packages."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict, cast

import tinycss2
import tinycss2.ast

from robbieblocks.model import FontFace
from robbieblocks.toolchain.common_letters import with_common_letters

_SUBSETS = ("latin", "latin-ext")


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The pinned packages of one version of this program, unpacked in a folder.

    Equal `id`s build equal bytes. `packages` maps each package that a component may import to its
    version, `tools` the packages that build. `by_name` holds the packages of which a page gets only
    the names that it imports. `paths` are paths inside packages that may be imported too; such a
    module shares no state with the module of its package.
    """

    id: str
    root: Path
    esbuild: Path
    packages: Mapping[str, str]
    tools: Mapping[str, str] = field(default_factory=dict[str, str])
    by_name: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    @property
    def modules(self) -> Path:
        """The node_modules folder."""
        return self.root / "node_modules"

    @property
    def compiled(self) -> Path:
        """The folder for what is compiled from this toolchain alone; it may not exist."""
        return compiled_beside(self.root)

    def may_import(self, specifier: str) -> bool:
        """Whether a component can import this package or path."""
        return specifier in self.packages or specifier in self.paths

    def fonts(self, family: str) -> tuple[FontFace, ...]:
        """The files of a font family (any case) for latin and latin-ext; empty where unknown.

        Of two that have a letter, browsers take the later one.
        """
        package = _font_packages(self.modules, tuple(self.tools)).get(_family_key(family))
        return () if package is None else _faces(package)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeScript:
    """TypeScript's checker, and a node_modules folder with types that the toolchain lacks."""

    program: Path
    modules: Path


def compiled_beside(root: Path) -> Path:
    """The folder of compiled files: beside the packages, which stay as they were fetched."""
    return root.with_name(f"{root.name}.compiled")


class _FontPackage(TypedDict):
    """What metadata.json of a @fontsource package says, as far as it is used."""

    family: str
    weights: list[int]
    subsets: list[str]


def _family_key(family: str) -> str:
    """A family's name in the form in which names are compared."""
    return " ".join(family.strip().strip("\"'").lower().split()).removesuffix(" variable")


@functools.lru_cache(maxsize=8)
def _font_packages(modules: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    """Package folders by family key; a variable font is preferred to a static one."""
    found: dict[str, Path] = {}
    for name in sorted(packages):
        if name.startswith("@fontsource"):
            folder = modules / name
            family = _family_key(_metadata(folder)["family"])
            found[family] = folder if "-variable" in name else found.get(family, folder)
    return found


def _metadata(folder: Path) -> _FontPackage:
    return cast("_FontPackage", json.loads((folder / "metadata.json").read_text(encoding="utf-8")))


@functools.lru_cache(maxsize=64)
def _faces(folder: Path) -> tuple[FontFace, ...]:
    """The files of one package for latin and latin-ext."""
    metadata = _metadata(folder)
    variable = folder.parent.name.endswith("-variable")
    stems = ["wght"] if variable else [str(weight) for weight in metadata["weights"]]
    if variable and not (folder / "wght.css").is_file():
        stems = ["index"]
    sheets = [folder / f"{stem}{slant}.css" for stem in stems for slant in ("", "-italic")]
    return tuple(
        face for sheet in sheets if sheet.is_file() for face in _sheet_faces(sheet, metadata)
    )


def _sheet_faces(sheet: Path, package: _FontPackage) -> Iterator[FontFace]:
    """The @font-face rules of one of the package's stylesheets, in its order."""
    rules = tinycss2.parse_stylesheet(sheet.read_text(encoding="utf-8"), True, True)
    for rule in rules:
        if not (isinstance(rule, tinycss2.ast.AtRule) and rule.at_keyword == "font-face"):
            continue
        descriptors = _descriptors(rule)
        file = sheet.parent / _first_woff2(descriptors.get("src", ""))
        rest = file.name.removeprefix(sheet.parent.name + "-")
        subsets = (subset for subset in package["subsets"] if rest.startswith(subset + "-"))
        subset = max(subsets, key=len, default="latin")
        if subset in _SUBSETS and file.is_file():
            face = FontFace(
                family=package["family"],
                style=descriptors.get("font-style", "normal"),
                weight=descriptors.get("font-weight", "400"),
                unicode_range=descriptors.get("unicode-range", ""),
                content=file.read_bytes(),
                file=file.name,
            )
            yield from with_common_letters(sheet.parent, face) if subset == "latin" else (face,)


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
