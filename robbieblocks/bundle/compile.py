"""Compiles components: one esbuild process a format for all that are not in the cache.

Imports stay as they are; the page's import map, or the isolate's `require`, resolves them. A
component with an error is taken out and named, and the others are compiled without it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from robbieblocks.bundle import esbuild
from robbieblocks.bundle.findings import Place
from robbieblocks.bundle.shape import Shape, problem
from robbieblocks.bundle.sourcemap import to_stored
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import ComponentRow, sha256
from robbieblocks.toolchain import Toolchain

_OPTIONS = ("--external:*", "--loader:.tsx=tsx", "--legal-comments=none")
_BROWSER = (*_OPTIONS, "--format=esm", "--minify")
_ISOLATE = (*_OPTIONS, "--format=cjs", "--sourcemap=external", "--sources-content=false")
_Outputs = Callable[[], list[esbuild.Output]]
# Bounds the memory that one esbuild takes.
_BATCH = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A component to compile."""

    row: ComponentRow
    shape: Shape

    @property
    def path(self) -> str:
        """Its file in esbuild's folder: keys are hostile, so the name is a hash."""
        return f"c/{sha256(self.row.key)[:20]}.tsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What came of one unit; with an error among `problems` the rest is empty."""

    module: bytes = b""
    script: str = ""
    source_map: str = ""
    imports: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


@contextmanager
def begun(
    units: Sequence[Unit], toolchain: Toolchain
) -> Iterator[Callable[[], dict[str, Compiled]]]:
    """Lends what gives each unit's result, by component key; many are compiled meanwhile.

    Raises ProcessFailed when it is called, where esbuild can't run.
    """
    first = list(units[:_BATCH])
    with esbuild.begun(toolchain, *_asked(first)) as outputs:
        yield lambda: _all(units, toolchain, outputs)


def _all(units: Sequence[Unit], toolchain: Toolchain, first: _Outputs) -> dict[str, Compiled]:
    results = _batch(list(units[:_BATCH]), toolchain, first)
    for start in range(_BATCH, len(units), _BATCH):
        results.update(_batch(list(units[start : start + _BATCH]), toolchain))
    return results


def _batch(
    units: list[Unit], toolchain: Toolchain, outputs: _Outputs | None = None
) -> dict[str, Compiled]:
    """Each unit's result; `outputs` gives the batch's where it is being compiled already."""
    results: dict[str, Compiled] = {}
    while units:
        try:
            browser, isolate = outputs() if outputs else _both(units, toolchain)
        except ProcessFailed as error:
            return results | _halves(units, toolchain, error)
        if browser.ok and isolate.ok:
            results.update(_collected(units, browser, isolate))
            break
        blamed = _blamed(units, [*browser.messages, *isolate.messages])
        if not blamed:
            raise ProcessFailed("esbuild named an error in none of its inputs")
        results.update(blamed)
        units = [unit for unit in units if unit.row.key not in blamed]
        outputs = None
    return results


def _both(units: Sequence[Unit], toolchain: Toolchain) -> list[esbuild.Output]:
    return esbuild.run_each(toolchain, *_asked(units))


def _asked(
    units: Sequence[Unit],
) -> tuple[dict[str, str], Iterable[str], Sequence[Sequence[str]]]:
    """Sources, entries and sets of options for both formats."""
    sources = {unit.path: unit.shape.source for unit in units}
    return sources, sources, [_BROWSER, _ISOLATE]


def _halves(units: list[Unit], toolchain: Toolchain, error: ProcessFailed) -> dict[str, Compiled]:
    """After a crash: finds the component that esbuild can't survive, and compiles the others.

    Where esbuild survives nothing at all, no component is to blame.
    """
    if len(units) == 1:
        harmless = Unit(row=units[0].row, shape=Shape(source="export default 1"))
        _both([harmless], toolchain)
        what = f"esbuild could not compile the text: {str(error)[:200]}"
        remedy = "make it smaller, or nest it less deeply"
        return {units[0].row.key: Compiled(problems=(problem(units[0].row, None, what, remedy),))}
    middle = len(units) // 2
    return _batch(units[:middle], toolchain) | _batch(units[middle:], toolchain)


def _blamed(units: Iterable[Unit], messages: Iterable[esbuild.Message]) -> dict[str, Compiled]:
    by_path = {unit.path: unit for unit in units}
    found: dict[str, dict[Problem, None]] = {}
    for message in messages:
        unit = by_path.get(message.file)
        if unit is not None and message.severity == "error":
            found.setdefault(unit.row.key, {})[_problem(unit, message)] = None
    return {key: Compiled(problems=tuple(problems)) for key, problems in found.items()}


def _problem(unit: Unit, message: esbuild.Message) -> Problem:
    return problem(unit.row, _stored_place(unit, message), message.text, _remedy(message.text))


_REMEDIES = (
    (
        re.compile(r"Cannot assign to import"),
        "all blocks share what is imported: leave it as it is",
    ),
    (re.compile(r"Multiple exports|already been declared"), "keep one of the two, or rename one"),
    (re.compile(r"clos(?:ing|e)|end of file|Unterminated"), "close what is open before this place"),
    (re.compile(r"top-level await|await"), "load data in useEffect, or give it as props"),
)


def _remedy(said: str) -> str:
    for pattern, remedy in _REMEDIES:
        if pattern.search(said):
            return remedy
    return "write TypeScript or JavaScript with JSX: something before this place does not parse"


def _stored_place(unit: Unit, message: esbuild.Message) -> Place:
    """Where a message's place is in the stored text, which may end before what was appended."""
    compiled = unit.shape.source.split("\n")
    stored = unit.row.code.split("\n")
    if message.line > len(stored):
        last = max((n for n, line in enumerate(stored) if line.strip()), default=0)
        return Place(last + 1, max(1, len(stored[last].rstrip())), 0)
    line = compiled[message.line - 1].encode("utf-8", "replace")
    column = len(line[: message.column].decode("utf-8", "replace")) + 1
    shift = unit.shape.shift
    if shift is not None and message.line == shift.line and column >= shift.column:
        column = max(shift.column, column - shift.by)
    return Place(message.line, column, 0)


def _collected(
    units: Iterable[Unit], browser: esbuild.Output, isolate: esbuild.Output
) -> dict[str, Compiled]:
    results: dict[str, Compiled] = {}
    for unit in units:
        stem = unit.path.removesuffix(".tsx")
        source_map = isolate.files[f"{stem}.js.map"].decode()
        results[unit.row.key] = Compiled(
            module=browser.files[f"{stem}.js"],
            script=isolate.files[f"{stem}.js"].decode(),
            source_map=to_stored(source_map, unit.row.key, unit.shape.shift),
            imports=tuple(dict.fromkeys(name for name, _ in browser.imports[unit.path])),
        )
    return results
