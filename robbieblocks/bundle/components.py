"""Compiled components, as the cache keeps them: all that a row and the toolchain decide.

There is one entry a component, which is read without parsing any text again. So where nothing
changed, hundreds of components cost their hashes and one query of the cache.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple

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
from robbieblocks.bundle.tailwind import NO_CLASSES, NamedClasses, classes_of_css, variables_in
from robbieblocks.cache import Cache
from robbieblocks.errors import Problem
from robbieblocks.model import Asset, ComponentRow, Module, component_specifier, sha256
from robbieblocks.row_faults import blame, is_passing
from robbieblocks.toolchain import Toolchain

_KIND: Final = "component"
_MAX_CODE_CHARACTERS: Final = 1_000_000
# An editor needs no more of them, and finding what is like a name takes time.
MAX_PROBLEMS: Final = 20
# How many components of earlier versions, and of other apps, stay in memory.
_MAX_SPARE: Final = 2000
# What compiling one takes until it was measured, and from how many at once on it is.
_USUAL_MS_EACH: Final = 9.0
_LEARNED_MIN: Final = 8
_COMPONENTS: Final = component_specifier("")
_NOT_COMPILED: Final = CompiledComponent()
# Of a text over which the analysis failed: it is not compiled.
_UNREAD: Final = Analysis(source="")


class ComponentImport(NamedTuple):
    """An import of another component, and where the text has it.

    `names` are the names that it imports, None for all of them.
    """

    key: str
    line: int
    column: int
    names: Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A component as it was compiled, or what is wrong with it.

    `imports` are the keys of the components that it imports itself. `classes` are those that its
    text and its CSS name. `unplaceable` is why no block can show it, although others may import it.
    """

    module: Module
    imports: tuple[str, ...] = ()
    exports: frozenset[str] = frozenset()
    component_imports: tuple[ComponentImport, ...] = ()
    package_parts: tuple[PackagePart, ...] = ()
    problems: tuple[Problem, ...] = ()
    classes: NamedClasses = NO_CLASSES
    unplaceable: Problem | None = None

    @property
    def broken(self) -> bool:
        """Whether it has an error, so that blocks can't show it."""
        return any(each.severity == "error" for each in self.problems)

    @property
    def passing(self) -> Component:
        """The same, where its problems may be gone with the next look."""
        return replace(self, problems=tuple([replace(p, passing=True) for p in self.problems]))


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
        self._faulty: list[str] = []
        self._ms_each = _USUAL_MS_EACH

    def of(self, rows: Collection[ComponentRow]) -> dict[str, Component]:
        """The compiled component of each row, by component key. Raises Transient."""
        # Where memory was short, reading a row again helps.
        for key in self._faulty:
            self._memory.pop(key, None)
        self._faulty = []
        keys = {row.key: self.key(row) for row in rows}
        absent = [key for key in keys.values() if key not in self._memory]
        for key, content in self._cache.get_many(versioned(_KIND), absent).items():
            self._memory[key] = _read(content)
        absent = [key for key in absent if key not in self._memory]
        if absent:
            expected_ms = self._ms_each * len(absent)
            fetched = self._cache.fetch(versioned(_KIND), absent, expected_ms)
            self._cache.put_many(versioned(_KIND), fetched)
            self._memory.update((key, _read(content)) for key, content in fetched.items())
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

    def key(self, row: ComponentRow) -> str:
        """The cache key of what a row and the toolchain decide."""
        kind = "module" if row.is_module else "component"
        parts = (self._toolchain.id, kind, row.key, row.name, row.code, row.css)
        return sha256("\0".join((*parts, *row.dependencies)))

    def _compile(self, rows: Sequence[ComponentRow], keys: Mapping[str, str]) -> None:
        is_shared = self._cache.is_shared(self._ms_each * len(rows), len(rows))
        began = time.perf_counter()
        faults = defaultdict[str, list[Problem]](list)
        analyses = {row.key: self.analysis(row, faults[row.key].append) for row in rows}
        units = [
            CompileUnit(row=row, analysis=analyses[row.key])
            for row in rows
            if not faults[row.key] and _can_be_compiled(analyses[row.key])
        ]
        with component_compilation(units, self._esbuild) as compilation:
            sheets = {row.key: _stylesheet(row, faults[row.key].append) for row in rows}
            results = compilation()
        made = {
            keys[row.key]: _entry(
                row,
                analyses[row.key],
                (sheets[row.key][0], [*sheets[row.key][1], *faults[row.key]]),
                results.get(row.key, _NOT_COMPILED),
            )
            for row in rows
        }
        self._memory.update((key, _read(content)) for key, content in made.items())
        self._compiled += [row.key for row in rows]
        self._faulty = [keys[key] for key, found in faults.items() if found]
        shaky = {keys[key] for key, result in results.items() if not result.lasting}
        lasting = {key: made[key] for key in made.keys() - shaky.union(self._faulty)}
        for key, result in results.items():
            if is_passing((*result.problems, *faults[key])):
                self._faulty.append(keys[key])
                self._memory[keys[key]] = self._memory[keys[key]].passing
        self._cache.put_many(versioned(_KIND), lasting)
        if len(rows) >= _LEARNED_MIN:
            took_ms = (time.perf_counter() - began) * 1_000
            self._ms_each += (took_ms / len(rows) - self._ms_each) / 2
        if is_shared:
            self._cache.share(versioned(_KIND), lasting)

    def analysis(
        self, row: ComponentRow, fault: Callable[[Problem], object] = lambda _: None
    ) -> Analysis:
        """What the row's text says; `fault` is told of what fails over it."""
        if len(row.code) > _MAX_CODE_CHARACTERS:
            what = f"the text has {len(row.code):,} characters; a component may have 1,000,000"
            problem = code_problem(row, None, what, "split it into parts")
            return Analysis(source="", problems=(problem,))
        analysis = _UNREAD
        problems: list[Problem] = []
        with blame(fault, "component", row.key, "react_code"):
            analysis = analyse(row, self._packages.names("react"), self._toolchain.by_name)
            stated = (*analysis.imports, *analysis.unused_imports)
            imports = check_imports(row, stated, self._packages.names, self._toolchain)
            problems = [*analysis.problems, *islice(imports, MAX_PROBLEMS)]
        with blame(fault, "component", row.key, "dependencies"):
            problems += islice(check_dependencies(row, self._toolchain), MAX_PROBLEMS)
        return replace(analysis, problems=tuple(problems))


def _can_be_compiled(analysis: Analysis) -> bool:
    """Whether no error was found, or those that esbuild has the messages for."""
    return analysis.broken or all(each.severity != "error" for each in analysis.problems)


def _stylesheet(
    row: ComponentRow, fault: Callable[[Problem], object]
) -> tuple[str, Sequence[Problem]]:
    with blame(fault, "component", row.key, "css_styles"):
        return scoped_stylesheet(row)
    return "", ()


def _entry(
    row: ComponentRow,
    analysis: Analysis,
    sheet: tuple[str, Sequence[Problem]],
    result: CompiledComponent,
) -> bytes:
    """A component as the cache keeps it; `result` is empty for what could not be compiled at all.

    Modules, scripts, source maps and stylesheets follow the JSON head.
    """
    css, problems = sheet[0], [*sheet[1]]
    problems += result.problems
    # The tree of a text with syntax errors may be wrong, and its problems with it.
    if not (analysis.broken and result.problems):
        problems += analysis.problems
    problems += _unseen_imports(row, analysis, result.imports)
    head = {
        "key": row.key,
        "exports": sorted(analysis.exports),
        "component_imports": _component_imports(analysis),
        "package_parts": [
            (specifier, package, sorted(names))
            for specifier, (package, names) in sorted(analysis.subsets.items())
        ],
        "imports": result.imports,
        "styles": sorted(analysis.styles),
        "computes_styles": analysis.computes_styles,
        "candidates": sorted(analysis.words | variables_in((row.code, row.css))),
        "classes": sorted(analysis.classes),
        "styled": sorted(classes_of_css(row.css)),
        "problems": [each.as_json() for each in problems],
        "unplaceable": analysis.unplaceable.as_json() if analysis.unplaceable else None,
    }
    texts = (result.script, result.source_map, css)
    return packed(json.dumps(head), result.module, *(text.encode() for text in texts))


def _component_imports(analysis: Analysis) -> list[ComponentImport]:
    return [
        ComponentImport(
            each.specifier.removeprefix(_COMPONENTS),
            *(each.position.line, each.position.column),
            None if each.names is None else sorted(each.names),
        )
        for each in (*analysis.imports, *analysis.unused_imports)
        if each.specifier.startswith(_COMPONENTS)
    ]


def _unseen_imports(
    row: ComponentRow, analysis: Analysis, imports: Collection[str]
) -> list[Problem]:
    """Problems with imports that esbuild left and the tree did not have, such as a JSX pragma's."""
    named = (each.specifier for each in analysis.imports)
    known = {"react", "react/jsx-runtime", *analysis.subsets, *named}
    return [unseen_import(row, name) for name in imports if name not in known]


def _read(content: bytes) -> Component:
    head_text, module, script, source_map, css = unpacked(content)
    key = (head := json.loads(head_text))["key"]
    imports = tuple(ComponentImport(*each) for each in head["component_imports"])
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
        imports=tuple(each.key for each in imports),
        exports=frozenset(head["exports"]),
        component_imports=imports,
        package_parts=tuple(
            PackagePart(specifier, package, frozenset(names))
            for specifier, package, names in head["package_parts"]
        ),
        problems=tuple(Problem(**each) for each in head["problems"]),
        unplaceable=Problem(**head["unplaceable"]) if head["unplaceable"] else None,
        classes=NamedClasses(named=frozenset(head["classes"]), styled=frozenset(head["styled"])),
    )
