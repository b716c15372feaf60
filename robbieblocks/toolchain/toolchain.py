"""A toolchain on disk: what it holds, and where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.model import FontFace
from robbieblocks.toolchain.fonts import faces, family_key, font_packages


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
        """The files of a font family (any case) for latin and latin-ext; empty where unknown."""
        package = font_packages(self.modules, tuple(self.tools)).get(family_key(family))
        return () if package is None else faces(package)


def compiled_beside(root: Path) -> Path:
    """The folder of compiled files: beside the packages, which stay as they were fetched."""
    return root.with_name(f"{root.name}.compiled")
