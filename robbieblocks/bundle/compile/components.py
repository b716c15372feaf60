"""Compiles components with esbuild: for browsers as ES modules, for the isolate as CommonJS.

Imports stay as they are; the page's import map, or the isolate's `require`, resolves them. A
component with an error is left out, and the others are compiled without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Final

from robbieblocks.bundle.analysis import Analysis, ColumnShift, SourcePosition, code_problem
from robbieblocks.bundle.compile.esbuild import (
    Esbuild,
    Message,
    OptionSets,
    Output,
    Outputs,
    Sources,
)
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import ComponentRow, sha256

_OPTIONS: Final = ("--external:*", "--loader:.tsx=tsx", "--legal-comments=none")
_BROWSER: Final = (*_OPTIONS, "--format=esm", "--minify")
_ISOLATE: Final = (*_OPTIONS, "--format=cjs", "--sourcemap=external", "--sources-content=false")
# Limits the memory that one esbuild takes.
_MAX_BATCH: Final = 4000
_REMEDIES: Final = {
    r"Cannot assign to import": "all blocks share what is imported: leave it as it is",
    r"Multiple exports|already been declared": "keep one of the two, or rename one",
    r"clos(?:ing|e)|end of file|Unterminated": "close what is open before this place",
    r"top-level await|await": "load data in useEffect, or give it as props",
    r"": "write TypeScript or JavaScript with JSX: something before this place does not parse",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileUnit:
    """A component to compile."""

    row: ComponentRow
    analysis: Analysis

    @property
    def path(self) -> str:
        """Its file in esbuild's folder: a key may hold anything, so the name is a hash."""
        return f"c/{sha256(self.row.key)[:20]}.tsx"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledComponent:
    """The result for one component; with an error among `problems` the rest is empty."""

    module: bytes = b""
    script: str = ""
    source_map: str = ""
    imports: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


Results = dict[str, CompiledComponent]


@contextmanager
def component_compilation(
    units: Sequence[CompileUnit], esbuild: Esbuild
) -> Generator[Callable[[], Results]]:
    """A function that returns each unit's result, by component key; many are compiled meanwhile.

    It raises ProcessFailed where esbuild can't run.
    """
    with esbuild.begun(*_build(units[:_MAX_BATCH])) as outputs:
        yield lambda: _results(units, esbuild, outputs)


def _results(units: Sequence[CompileUnit], esbuild: Esbuild, first: Outputs) -> Results:
    results = _batch(units[:_MAX_BATCH], esbuild, first)
    for start in range(_MAX_BATCH, len(units), _MAX_BATCH):
        results |= _batch(units[start : start + _MAX_BATCH], esbuild)
    return results


def _batch(
    units: Sequence[CompileUnit], esbuild: Esbuild, outputs: Outputs | None = None
) -> Results:
    """Each unit's result; `outputs` is the batch's first compilation where that has begun."""
    results: Results = {}
    while units:
        try:
            browser, isolate = outputs() if outputs else esbuild.run_each(*_build(units))
        except ProcessFailed as error:
            return results | _halves(units, esbuild, error)
        if not browser.errors and not isolate.errors:
            return results | _collected(units, browser, isolate)
        failed = _failed(units, (browser, isolate))
        if not failed:
            raise ProcessFailed("esbuild named an error in none of its inputs")
        results |= failed
        units = [unit for unit in units if unit.row.key not in failed]
        outputs = None
    return results


def _build(units: Sequence[CompileUnit]) -> tuple[Sources, Iterable[str], OptionSets]:
    sources = {unit.path: unit.analysis.source for unit in units}
    return sources, sources, [_BROWSER, _ISOLATE]


def _halves(units: Sequence[CompileUnit], esbuild: Esbuild, error: ProcessFailed) -> Results:
    """After a crash: find the component that crashes esbuild, and compile the others.

    Raises ProcessFailed where esbuild crashes on any input, so that no component is the cause.
    """
    if len(units) == 1:
        row = units[0].row
        harmless = CompileUnit(row=row, analysis=Analysis(source="export default 1"))
        esbuild.run_each(*_build([harmless]))
        what = f"esbuild could not compile the text: {str(error)[:200]}"
        problem = code_problem(row, None, what, "make it smaller, or nest it less deeply")
        return {row.key: CompiledComponent(problems=(problem,))}
    middle = len(units) // 2
    return _batch(units[:middle], esbuild) | _batch(units[middle:], esbuild)


def _failed(units: Iterable[CompileUnit], outputs: Iterable[Output]) -> Results:
    by_path = {unit.path: unit for unit in units}
    found: dict[str, dict[Problem, None]] = {}
    for message in (each for output in outputs for each in output.errors):
        unit = by_path.get(message.file)
        if unit is not None:
            remedy = next(text for it, text in _REMEDIES.items() if re.search(it, message.text))
            position = _stored_position(unit, message)
            problem = code_problem(unit.row, position, message.text, remedy)
            found.setdefault(unit.row.key, {})[problem] = None
    return {key: CompiledComponent(problems=tuple(problems)) for key, problems in found.items()}


def _stored_position(unit: CompileUnit, message: Message) -> SourcePosition:
    """The message's position in the stored text; its end for what stands in appended lines."""
    stored = unit.row.code.split("\n")
    if message.line > len(stored):
        last = max((n for n, line in enumerate(stored) if line.strip()), default=0)
        return SourcePosition(last + 1, max(1, len(stored[last].rstrip())))
    line = unit.analysis.source.split("\n")[message.line - 1].encode("utf-8", "replace")
    column = len(line[: message.column].decode("utf-8", "replace")) + 1
    shift = unit.analysis.shift
    if shift is not None and message.line == shift.line and column >= shift.column:
        column = max(shift.column, column - shift.by)
    return SourcePosition(message.line, column)


def _collected(units: Iterable[CompileUnit], browser: Output, isolate: Output) -> Results:
    results: Results = {}
    for unit in units:
        stem = unit.path.removesuffix(".tsx")
        source_map = isolate.files[f"{stem}.js.map"].decode()
        results[unit.row.key] = CompiledComponent(
            module=browser.files[f"{stem}.js"],
            script=isolate.files[f"{stem}.js"].decode(),
            source_map=_with_shift(source_map, unit.analysis.shift),
            imports=tuple(dict.fromkeys(name for name, _ in browser.imports[unit.path])),
        )
    return results


def _with_shift(source_map: str, shift: ColumnShift | None) -> str:
    """The source map, with the column shift that whoever looks a position up has to undo.

    The member's name begins as ECMA-426 asks of extensions.
    """
    if shift is None:
        return source_map
    return json.dumps({**json.loads(source_map), "x_robbieblocks_shift": asdict(shift)})
