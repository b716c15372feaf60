"""Compiles components with esbuild: for browsers as ES modules, for the isolate as CommonJS.

Imports stay as they are; the page's import map, or the isolate's `require`, resolves them. Each
component is a build of its own: what esbuild says of it, and whether esbuild survives it, concerns
that component alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Final
from urllib.parse import quote

from robbieblocks.bundle.analysis import Analysis, ColumnShift, SourcePosition, code_problem
from robbieblocks.bundle.compile.esbuild import Esbuild, Message, Output, Outputs
from robbieblocks.bundle.compile.remedies import in_one, remedy_of
from robbieblocks.errors import Problem, ProcessFailed
from robbieblocks.model import ComponentRow, sha256
from robbieblocks.process import Killed

# Names that only CommonJS has. Whatever gets past the analysis finds no such variable.
_COMMON_JS: Final = ("require", "module", "exports", "arguments")
_REFUSED: Final = ("assign-to-import", "empty-import-meta", "unsupported-dynamic-import")
_OPTIONS: Final = (
    "--legal-comments=none",
    *(f"--define:{name}={name}_is_not_available_here" for name in _COMMON_JS),
    *(f"--log-override:{name}=error" for name in _REFUSED),
)
_BROWSER: Final = (*_OPTIONS, "--format=esm", "--minify")
# Its module has the same bytes as that of `_BROWSER`: a comment names no map.
_BROWSER_MAPPED: Final = (*_BROWSER, "--sourcemap=external", "--sources-content=false")
# The script gets a `require` of its own, which loads what the text imports and nothing else.
_ISOLATE: Final = (
    *_OPTIONS,
    "--format=cjs",
    "--sourcemap=external",
    "--sources-content=false",
    "--banner:js=(function(require){",
)
# Limit the memory that one esbuild takes.
_MAX_BATCH: Final = 4000
_MAX_BATCH_CHARACTERS: Final = 4_000_000
# A batch that esbuild does not survive is compiled in so many parts, and so on.
_PARTS: Final = 16
_MAX_COMPILED_BYTES: Final = 8_000_000
_OF_LARGE: Final = "make it smaller, or nest it less deeply: compiling it may take 1 GiB of memory"
_OF_CUT: Final = "close what is open, or store the rest of it: it may be cut off"
_OF_KILLED: Final = "see what this machine is short of, mostly memory; it is tried again by itself"


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
    """The result for one component; with an error among `problems` the rest is empty.

    A result that is not `lasting` may be another one in the next process: esbuild ended over it.
    """

    module: bytes = b""
    script: str = ""
    source_map: str = ""
    imports: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    lasting: bool = True


Results = dict[str, CompiledComponent]


@contextmanager
def component_compilation(
    units: Sequence[CompileUnit], esbuild: Esbuild
) -> Generator[Callable[[], Results]]:
    """A function that returns each unit's result, by component key; many are compiled meanwhile.

    It raises ProcessFailed where esbuild can't run.
    """
    first, *others = _batches(units) or [[]]
    with _begun(first, esbuild) as outputs:

        def results() -> Results:
            found = _batch(first, esbuild, outputs)
            for batch in others:
                found |= _compiled(batch, esbuild)
            return found

        yield results


def browser_maps(units: Sequence[CompileUnit], esbuild: Esbuild) -> dict[str, str]:
    """The source map of each unit's module, by component key, with the stored text in it.

    One that esbuild does not compile has none. Raises ProcessFailed where esbuild can't run.
    """
    found: dict[str, str] = {}
    for batch in _batches(units):
        texts = {unit.path: unit.analysis.source for unit in batch}
        with esbuild.begun(texts, [_BROWSER_MAPPED]) as outputs:
            made = outputs()
        for unit in batch:
            (output,) = made[unit.path]
            if not output.errors:
                found[unit.row.key] = _browser_map(unit, output.files["stdin.js.map"].decode())
    return found


def _browser_map(unit: CompileUnit, source_map: str) -> str:
    # A key may hold anything, and browsers resolve the name as an address.
    name = f"{quote(unit.row.key, safe='')}.tsx"
    own = {"sources": [name], "sourcesContent": [unit.row.code]}
    text = json.dumps({**json.loads(source_map), **own}, separators=(",", ":"))
    return _with_shift(text, unit.analysis.shift)


def _batches(units: Iterable[CompileUnit]) -> list[list[CompileUnit]]:
    batches: list[list[CompileUnit]] = []
    left = 0
    for unit in units:
        left -= len(unit.analysis.source)
        if left < 0 or len(batches[-1]) == _MAX_BATCH:
            batches.append([])
            left = _MAX_BATCH_CHARACTERS - len(unit.analysis.source)
        batches[-1].append(unit)
    return batches


def _begun(units: Iterable[CompileUnit], esbuild: Esbuild) -> AbstractContextManager[Outputs]:
    texts = {unit.path: unit.analysis.source for unit in units}
    return esbuild.begun(texts, [_BROWSER, _ISOLATE])


def _compiled(units: Sequence[CompileUnit], esbuild: Esbuild) -> Results:
    with _begun(units, esbuild) as outputs:
        return _batch(units, esbuild, outputs)


def _batch(units: Sequence[CompileUnit], esbuild: Esbuild, outputs: Outputs) -> Results:
    if not units:
        return {}
    try:
        found = outputs()
    except ProcessFailed as error:
        return _apart(units, esbuild, error)
    return {unit.row.key: _result(unit, *found[unit.path]) for unit in units}


def _apart(units: Sequence[CompileUnit], esbuild: Esbuild, error: ProcessFailed) -> Results:
    """Find the components that esbuild does not survive, and compile the others.

    Raises ProcessFailed where esbuild survives no input, so that no component is the cause.
    """
    if len(units) > 1:
        size = -(-len(units) // _PARTS)
        parts = [units[start : start + size] for start in range(0, len(units), size)]
        return {key: each for part in parts for key, each in _compiled(part, esbuild).items()}
    row = units[0].row
    harmless = CompileUnit(row=row, analysis=Analysis(source="export default 1"))
    with _begun([harmless], esbuild) as outputs:
        outputs()
    why = str(error).split("\n")[0].removesuffix("; its last words:")
    what = f"esbuild could not compile the text: {why}"
    is_killed = isinstance(error, Killed)
    remedy = _OF_KILLED if is_killed else _OF_LARGE
    problem = replace(code_problem(row, None, what, remedy), passing=is_killed)
    return {row.key: CompiledComponent(problems=(problem,), lasting=False)}


def _result(unit: CompileUnit, browser: Output, isolate: Output) -> CompiledComponent:
    problems = dict.fromkeys(
        _problem(unit, message)
        for output in (browser, isolate)
        for message in in_one(output.errors)
    )
    if problems:
        return CompiledComponent(problems=tuple(problems))
    longest = max(map(len, (*browser.files.values(), *isolate.files.values())))
    if longest > _MAX_COMPILED_BYTES:
        what = f"compiled, the text has {longest:,} bytes; {_MAX_COMPILED_BYTES:,} are allowed"
        problem = code_problem(unit.row, None, what, "make it smaller")
        return CompiledComponent(problems=(problem,))
    imported = dict.fromkeys(name for name, _ in browser.imports[unit.path])
    required = dict.fromkeys(name for name, _ in isolate.imports[unit.path])
    source_map = isolate.files["stdin.js.map"].decode()
    return CompiledComponent(
        module=browser.files["stdin.js"],
        script=f"{isolate.files['stdin.js'].decode()}}})({_own_require(required)});",
        source_map=_with_shift(source_map, unit.analysis.shift),
        imports=tuple(imported),
    )


def _own_require(names: Iterable[str]) -> str:
    """A function that loads these modules only; comparing runs nothing of the text's."""
    allowed = "||".join(f"n==={json.dumps(name)}" for name in names)
    return f"n=>{allowed or 'false'}?require(n):void 0"


def _problem(unit: CompileUnit, message: Message) -> Problem:
    position = _stored_position(unit, message) if message.line else None
    remedy = remedy_of(unit.row.code, message.text, position.line if position else 0)
    what = message.text
    if message.line > len(unit.row.code.split("\n")):
        # The compiler stumbles over what was appended.
        what, remedy = "the text ends before all of it is closed", _OF_CUT
    return code_problem(unit.row, position, what, remedy)


def _stored_position(unit: CompileUnit, message: Message) -> SourcePosition:
    """The message's position in the stored text; its end for what stands in appended lines."""
    stored = unit.row.code.split("\n")
    if message.line > len(stored):
        last = max((n for n, line in enumerate(stored) if line.strip()), default=0)
        return SourcePosition(last + 1, max(1, len(stored[last].rstrip())))
    line = unit.analysis.source.split("\n")[message.line - 1].encode("utf-8", "replace")
    column = len(line[: message.column].decode("utf-8", "replace")) + 1
    if (shift := unit.analysis.shift) is not None:
        column = shift.stored_column(message.line, column)
    return SourcePosition(message.line, column)


def _with_shift(source_map: str, shift: ColumnShift | None) -> str:
    """The source map, with the column shift that whoever looks a position up has to undo.

    The member's name begins as ECMA-426 asks of extensions.
    """
    if shift is None:
        return source_map
    return json.dumps({**json.loads(source_map), "x_robbieblocks_shift": asdict(shift)})
