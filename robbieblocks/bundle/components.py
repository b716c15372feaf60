"""Compiled components, as the cache keeps them: all that a row and the toolchain decide.

There is one entry a component, which is read without parsing any text again. So where nothing
changed, hundreds of components cost their hashes and one query of the cache.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypedDict

from robbieblocks.bundle.analysis import (
    Analysis,
    analyse,
    check_dependencies,
    check_imports,
    code_problem,
    unseen_import,
)
from robbieblocks.bundle.compile import (
    CompiledComponent,
    CompileUnit,
    Esbuild,
    component_compilation,
)
from robbieblocks.bundle.entries import packed, unpacked, versioned
from robbieblocks.bundle.packages import PackagePart, Packages
from robbieblocks.bundle.styles import scoped_stylesheet
from robbieblocks.bundle.tailwind import variables_in
from robbieblocks.cache import Cache
from robbieblocks.errors import Problem
from robbieblocks.model import Asset, ComponentRow, Module, component_specifier, sha256
from robbieblocks.toolchain import Toolchain

_KIND: Final = "component"
_MAX_CODE_CHARACTERS: Final = 1_000_000
# How many components of earlier versions, and of other apps, stay in memory.
_MAX_SPARE: Final = 2000
_COMPONENTS: Final = component_specifier("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentImport:
    """An import of another component, and where the text has it.

    `names` are the names that it imports, None for all of them.
    """

    key: str
    line: int
    column: int
    source: str
    names: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component as it was compiled, or what is wrong with it.

    `imports` are the keys of the components that it imports itself.
    """

    module: Module
    imports: tuple[str, ...] = ()
    exports: frozenset[str] = frozenset()
    component_imports: tuple[ComponentImport, ...] = ()
    package_parts: tuple[PackagePart, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether it has an error, so that blocks can't show it."""
        return any(each.severity == "error" for each in self.problems)


class Components:
    """The components of one toolchain: from memory, from the cache, or compiled now."""

    def __init__(
        self, toolchain: Toolchain, esbuild: Esbuild, cache: Cache, packages: Packages
    ) -> None:
        self._toolchain = toolchain
        self._esbuild = esbuild
        self._cache = cache
        self._packages = packages
        self._memory: dict[str, Component] = {}
        self._compiled: list[str] = []

    def of(self, rows: Collection[ComponentRow]) -> dict[str, Component]:
        """The compiled component of each row, by component key. Raises Transient."""
        keys = {row.key: self._key(row) for row in rows}
        absent = [key for key in keys.values() if key not in self._memory]
        for key, content in self._cache.get_many(versioned(_KIND), absent).items():
            self._memory[key] = _read(content)
        if len(self._memory) > 2 * len(keys) + _MAX_SPARE:
            self._memory = {key: self._memory[key] for key in keys.values() if key in self._memory}
        missing = [row for row in rows if keys[row.key] not in self._memory]
        if missing:
            self._compile(missing, keys)
        return {key: self._memory[hashed] for key, hashed in keys.items()}

    def take_compiled(self) -> list[str]:
        """The keys of the components that were compiled since the last call."""
        compiled, self._compiled = self._compiled, []
        return compiled

    def _key(self, row: ComponentRow) -> str:
        parts = (self._toolchain.id, row.key, row.name, row.code, row.css)
        return sha256("\0".join((*parts, *row.dependencies)))

    def _compile(self, rows: Sequence[ComponentRow], keys: Mapping[str, str]) -> None:
        analyses = {row.key: self._analysis(row) for row in rows}
        units = [
            CompileUnit(row=row, analysis=analyses[row.key])
            for row in rows
            if not analyses[row.key].problems or analyses[row.key].broken
        ]
        with component_compilation(units, self._esbuild) as compilation:
            sheets = {row.key: scoped_stylesheet(row) for row in rows}
            results = compilation()
        made = {
            keys[row.key]: _entry(row, analyses[row.key], sheets[row.key], results.get(row.key))
            for row in rows
        }
        self._memory.update((key, _read(content)) for key, content in made.items())
        self._compiled += [row.key for row in rows]
        self._cache.put_many(versioned(_KIND), made)

    def _analysis(self, row: ComponentRow) -> Analysis:
        if len(row.code) > _MAX_CODE_CHARACTERS:
            what = f"the text has {len(row.code):,} characters; a component may have 1,000,000"
            problem = code_problem(row, None, what, "split it into parts")
            return Analysis(source="", problems=(problem,))
        analysis = analyse(row, self._packages.names("react"), self._toolchain.by_name)
        problems = [
            *analysis.problems,
            *check_imports(row, analysis.imports, self._packages.names, self._toolchain),
            *check_dependencies(row, self._toolchain),
        ]
        return replace(analysis, problems=tuple(problems))


class _ListedImport(TypedDict):
    key: str
    line: int
    column: int
    source: str
    names: list[str] | None


class _Head(TypedDict):
    """The JSON head of an entry; modules, scripts, source maps and stylesheets follow it."""

    key: str
    exports: list[str]
    component_imports: list[_ListedImport]
    package_parts: list[tuple[str, str, list[str]]]
    imports: list[str]
    styles: list[str]
    computes_styles: bool
    candidates: list[str]
    problems: list[dict[str, str | int]]


def _entry(
    row: ComponentRow,
    analysis: Analysis,
    sheet: tuple[str, Sequence[Problem]],
    result: CompiledComponent | None,
) -> bytes:
    """A component as the cache keeps it; `result` is None for what could not be compiled at all."""
    css, problems = sheet[0], [*sheet[1]]
    if result is None or result.problems:
        problems += result.problems if result else ()
        # The tree of a text with syntax errors may be wrong, and its problems with it.
        problems += () if analysis.broken and result else analysis.problems
    else:
        problems += analysis.problems
        problems += _unseen_imports(row, analysis, result.imports)
    head: _Head = {
        "key": row.key,
        "exports": sorted(analysis.exports),
        "component_imports": _listed_imports(row, analysis),
        "package_parts": [
            (specifier, package, sorted(names))
            for specifier, (package, names) in sorted(analysis.subsets.items())
        ],
        "imports": [*result.imports] if result else [],
        "styles": sorted(analysis.styles),
        "computes_styles": analysis.computes_styles,
        "candidates": sorted(analysis.words | variables_in((row.code, row.css))),
        "problems": [each.as_json() for each in problems],
    }
    return packed(
        json.dumps(head),
        result.module if result else b"",
        (result.script if result else "").encode(),
        (result.source_map if result else "").encode(),
        css.encode(),
    )


def _listed_imports(row: ComponentRow, analysis: Analysis) -> list[_ListedImport]:
    lines = row.code.split("\n")
    return [
        {
            "key": each.specifier.removeprefix(_COMPONENTS),
            "line": each.position.line,
            "column": each.position.column,
            "source": lines[each.position.line - 1].rstrip("\r"),
            "names": None if each.names is None else sorted(each.names),
        }
        for each in analysis.imports
        if each.specifier.startswith(_COMPONENTS)
    ]


def _unseen_imports(
    row: ComponentRow, analysis: Analysis, imports: Collection[str]
) -> list[Problem]:
    """Problems with imports that esbuild left and the tree did not have, such as a JSX pragma's."""
    known = {"react", "react/jsx-runtime", *analysis.subsets}
    known.update(each.specifier for each in analysis.imports)
    return [unseen_import(row, name) for name in imports if name not in known]


def _read(content: bytes) -> Component:
    head_text, module, script, source_map, css = unpacked(content)
    head: _Head = json.loads(head_text)
    key = head["key"]
    return Component(
        module=Module(
            specifier=component_specifier(key),
            asset=Asset.of(key, "js", module),
            script=script.decode(),
            imports=tuple(head["imports"]),
            source_map=source_map.decode(),
            stylesheet=Asset.of(key, "css", css) if css else None,
            candidates=frozenset(head["candidates"]),
            styles=tuple(head["styles"]),
            computes_styles=head["computes_styles"],
        ),
        imports=tuple(each["key"] for each in head["component_imports"]),
        exports=frozenset(head["exports"]),
        component_imports=tuple(map(_read_import, head["component_imports"])),
        package_parts=tuple(
            PackagePart(specifier, package, frozenset(names))
            for specifier, package, names in head["package_parts"]
        ),
        problems=tuple(Problem(**each) for each in head["problems"]),  # type: ignore[arg-type]  # what as_json gave
    )


def _read_import(listed: _ListedImport) -> ComponentImport:
    names = listed["names"]
    return ComponentImport(
        key=listed["key"],
        line=listed["line"],
        column=listed["column"],
        source=listed["source"],
        names=None if names is None else tuple(names),
    )
