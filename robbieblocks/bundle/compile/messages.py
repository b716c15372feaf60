"""esbuild's messages as problems of the component, at positions of the stored text."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from robbieblocks.bundle.analysis import ColumnShift, SourcePosition, code_problem
from robbieblocks.bundle.compile.esbuild import Message
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow

_REMEDIES: Final = (
    (
        re.compile(r"Cannot assign to import"),
        "all blocks share what is imported: leave it as it is",
    ),
    (re.compile(r"Multiple exports|already been declared"), "keep one of the two, or rename one"),
    (re.compile(r"clos(?:ing|e)|end of file|Unterminated"), "close what is open before this place"),
    (re.compile(r"top-level await|await"), "load data in useEffect, or give it as props"),
)


class Source(NamedTuple):
    """A component with the text that was compiled, and how its columns differ from stored ones."""

    row: ComponentRow
    compiled: str
    shift: ColumnShift | None


def message_problem(source: Source, message: Message) -> Problem:
    """A message about a component's compiled text as a problem of the component."""
    position = _stored_position(source, message)
    return code_problem(source.row, position, message.text, _remedy(message.text))


def _remedy(message: str) -> str:
    for pattern, remedy in _REMEDIES:
        if pattern.search(message):
            return remedy
    return "write TypeScript or JavaScript with JSX: something before this place does not parse"


def _stored_position(source: Source, message: Message) -> SourcePosition:
    """The message's position in the stored text; its end for what stands in appended lines."""
    stored = source.row.code.split("\n")
    if message.line > len(stored):
        last = max((n for n, line in enumerate(stored) if line.strip()), default=0)
        return SourcePosition(last + 1, max(1, len(stored[last].rstrip())))
    line = source.compiled.split("\n")[message.line - 1].encode("utf-8", "replace")
    column = len(line[: message.column].decode("utf-8", "replace")) + 1
    shift = source.shift
    if shift is not None and message.line == shift.line and column >= shift.column:
        column = max(shift.column, column - shift.by)
    return SourcePosition(message.line, column)
