"""What becomes of one file: a component or a module, before it is compiled and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.sources.syntax import Name
from robbieblocks.errors import Problem
from robbieblocks.model import JsonObject

Kind = Literal["component", "module"]


@dataclass(frozen=True, slots=True)
class MissingPackage:
    """An import of a package that the toolchain has not, and where it stands."""

    name: str
    remedy: str
    line: int


@dataclass(slots=True, kw_only=True)
class Draft:
    """A file as it is adopted. `file` is its path in the folder, `code_file` its name then.

    `name` is what it exports as its component. `rewritten` says in a few words what is not as in
    the file. `props` is the schema of its props, None where there is none; `notes` say why.
    `css_from` are the stylesheets that `css` was made of. `import_places` are the lines and columns
    of imports with a problem, which is none where only a type is imported.
    """

    file: str
    key: str
    kind: Kind
    name: str
    code_file: str
    code: str = ""
    css: str = ""
    css_from: list[str] = field(default_factory=list[str])
    props: JsonObject | None = None
    rewritten: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    problems: list[Problem] = field(default_factory=list[Problem])
    import_places: set[tuple[int, int]] = field(default_factory=set[tuple[int, int]])
    missing: list[MissingPackage] = field(default_factory=list[MissingPackage])


@dataclass(slots=True, kw_only=True)
class Plan:
    """What files need of each other: `keys` by file, and the sheets that stand for whole pages.

    `missing_package` tells the remedy for a package that the toolchain has not, or nothing.
    """

    modules: SourceModules
    keys: Mapping[str, str]
    missing_package: Callable[[str], str]
    page_sheets: set[str] = field(default_factory=set[str])
    used_sheets: set[str] = field(default_factory=set[str])

    def target(self, name: Name, origin: str) -> tuple[str, str]:
        """Where a name of `origin` comes from: a file with a key, and the name there."""
        file, imported = self.modules.origin(origin, name.imported)
        return (file, imported) if file in self.keys else (origin, name.imported)
