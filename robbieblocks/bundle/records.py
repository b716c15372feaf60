"""What the cache keeps of a component: everything that its row and the toolchain decide.

One entry a component and no text in it is parsed again: a warm call over hundreds of components
costs their hashes and one look into the cache.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from robbieblocks.bundle.compile import Compiled, Unit, begun
from robbieblocks.bundle.css import scoped
from robbieblocks.bundle.shape import Shape, analyse, problem
from robbieblocks.bundle.tailwind import variables_in
from robbieblocks.bundle.vendors import Part, Vendors, packed, unpacked
from robbieblocks.bundle.wanted import check_dependencies, check_imports
from robbieblocks.cache import Cache
from robbieblocks.errors import Problem
from robbieblocks.model import Asset, ComponentRow, Module, component_specifier, sha256
from robbieblocks.toolchain import Toolchain

# What decides the bytes besides the toolchain and the row: raise it with any change to the code
# that makes them.
_RECIPE = "3"
_KIND = "component"
_LONGEST_CODE = 1_000_000
# How many records of earlier versions, and of other apps, a process keeps in memory.
_SPARE = 2000

OWN = "@robbieblocks/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """Another component that one imports, and where its text says so.

    `names` are the names that it imports, None for all of them.
    """

    key: str
    line: int
    column: int
    source: str
    names: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A component as it was compiled, or what is wrong with it."""

    module: Module
    exports: frozenset[str] = frozenset()
    uses: tuple[Used, ...] = ()
    parts: tuple[Part, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def broken(self) -> bool:
        """Whether there is nothing to show of it."""
        return any(each.severity == "error" for each in self.problems)


@dataclass(slots=True, kw_only=True)
class Records:
    """The records of one toolchain, from memory, the cache, or compiled now."""

    toolchain: Toolchain
    cache: Cache
    vendors: Vendors
    compiled: list[str] = field(default_factory=list)
    _memory: dict[str, Record] = field(default_factory=dict)

    def of(self, rows: Collection[ComponentRow]) -> dict[str, Record]:
        """The record of each row, by component key."""
        keys = {row.key: self._key(row) for row in rows}
        absent = [key for key in keys.values() if key not in self._memory]
        for key, content in self.cache.get_many(_KIND, absent).items():
            self._memory[key] = _read(content)
        if len(self._memory) > 2 * len(keys) + _SPARE:
            self._memory = {key: self._memory[key] for key in keys.values() if key in self._memory}
        missing = [row for row in rows if keys[row.key] not in self._memory]
        if missing:
            self._compile(missing, keys)
        return {key: self._memory[hashed] for key, hashed in keys.items()}

    def _key(self, row: ComponentRow) -> str:
        parts = (_RECIPE, self.toolchain.id, row.key, row.name, row.code, row.css)
        return sha256("\0".join((*parts, *row.dependencies)))

    def _compile(self, rows: Sequence[ComponentRow], keys: Mapping[str, str]) -> None:
        shapes = {row.key: self._shape(row) for row in rows}
        units = [
            Unit(row=row, shape=shapes[row.key])
            for row in rows
            if not shapes[row.key].problems or shapes[row.key].broken
        ]
        with begun(units, self.toolchain) as compiled:
            sheets = {row.key: scoped(row) for row in rows}
            results = compiled()
        fresh = {
            keys[row.key]: _packed(row, shapes[row.key], sheets[row.key], results.get(row.key))
            for row in rows
        }
        self._memory.update((key, _read(content)) for key, content in fresh.items())
        self.compiled += [row.key for row in rows]
        self.cache.put_many(_KIND, fresh)

    def _shape(self, row: ComponentRow) -> Shape:
        if len(row.code) > _LONGEST_CODE:
            what = f"the text has {len(row.code):,} characters; a component may have 1,000,000"
            return Shape(source="", problems=(problem(row, None, what, "split it into parts"),))
        shape = analyse(row, self.vendors.names("react"), self.toolchain.by_name)
        found = [
            *shape.problems,
            *check_imports(row, shape.imports, self.vendors, self.toolchain),
            *check_dependencies(row, self.toolchain),
        ]
        return replace(shape, problems=tuple(found))


def _packed(
    row: ComponentRow,
    shape: Shape,
    sheet: tuple[str, Sequence[Problem]],
    result: Compiled | None,
) -> bytes:
    """A record as the cache keeps it; `result` is None for what could not be compiled at all."""
    css, problems = sheet[0], [*sheet[1]]
    if result is None or result.problems:
        problems += result.problems if result else ()
        # What the tree says of a text that does not parse may be wrong.
        problems += () if shape.broken and result else shape.problems
    else:
        problems += shape.problems
        problems += _unseen(row, shape, result.imports)
    head = {
        "key": row.key,
        "exports": sorted(shape.exports),
        "uses": [asdict(each) for each in _uses(row, shape)],
        "parts": [
            [specifier, package, sorted(names)]
            for specifier, (package, names) in sorted(shape.subsets.items())
        ],
        "imports": result.imports if result else (),
        "styles": sorted(shape.styles),
        "computes_styles": shape.computes_styles,
        "candidates": sorted(shape.candidates | variables_in((row.code, row.css))),
        "problems": [each.as_json() for each in problems],
    }
    return packed(
        json.dumps(head),
        result.module if result else b"",
        (result.script if result else "").encode(),
        (result.source_map if result else "").encode(),
        css.encode(),
    )


def _uses(row: ComponentRow, shape: Shape) -> list[Used]:
    lines = row.code.split("\n")
    return [
        Used(
            key=each.specifier.removeprefix(OWN),
            line=each.place.line,
            column=each.place.column,
            source=lines[each.place.line - 1].rstrip("\r"),
            names=None if each.names is None else tuple(sorted(each.names)),
        )
        for each in shape.imports
        if each.specifier.startswith(OWN)
    ]


def _unseen(row: ComponentRow, shape: Shape, imports: Collection[str]) -> list[Problem]:
    """Imports that esbuild left and the tree did not show, such as a JSX pragma's."""
    known = {"react", "react/jsx-runtime", *shape.subsets}
    known.update(each.specifier for each in shape.imports)
    return [
        problem(row, None, f"the text makes use of {name}, which is not available", _PRAGMA)
        for name in imports
        if name not in known
    ]


_PRAGMA = "remove the @jsx pragma comment; JSX is React's here"


def _read(content: bytes) -> Record:
    head_text, module, script, source_map, css = unpacked(content)
    head = json.loads(head_text)
    key = head["key"]
    return Record(
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
        exports=frozenset(head["exports"]),
        uses=tuple(map(_used, head["uses"])),
        parts=tuple(Part(s, package, frozenset(names)) for s, package, names in head["parts"]),
        problems=tuple(Problem(**each) for each in head["problems"]),
    )


def _used(listed: dict[str, Any]) -> Used:
    names = listed.pop("names")
    return Used(**listed, names=None if names is None else tuple(names))
