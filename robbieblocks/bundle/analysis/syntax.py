"""The syntax of a component's text: its imports, declarations, exports, identifiers, problems."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from robbieblocks.errors import Problem, Severity
from robbieblocks.model import ComponentRow

# Whether a declaration may be a component, as far as its syntax tells.
Likelihood = Literal["component", "perhaps", "no"]


@dataclass(frozen=True, slots=True)
class SourcePosition:
    """A position in the stored text: line and column count from 1, `offset` is in UTF-8 bytes."""

    line: int
    column: int
    offset: int = 0


_START: Final = SourcePosition(1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import (or re-export) of values.

    `names` are the imported names, `default` among them; None stands for the whole namespace.
    `local` maps local names to imported ones. `start` and `end` enclose the specifier's text,
    without its quotes, in UTF-8 bytes; `statement` are the same of the whole statement.
    """

    specifier: str
    names: frozenset[str] | None
    position: SourcePosition
    start: int
    end: int
    escaped: bool = False
    local: Mapping[str, str] = field(default_factory=dict[str, str])
    statement: tuple[int, int] = (0, 0)


class DoubtfulCode(NamedTuple):
    """A place in a text, in UTF-8 bytes, what is doubtful about it, and what to write."""

    offset: int
    what: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A name declared at the top level; `start` and `end` enclose its whole statement."""

    name: str
    likelihood: Likelihood
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression that is a statement of its own; the offsets are the expression's."""

    kind: Literal["jsx", "component", "other"]
    start: int
    end: int
    position: SourcePosition


@dataclass(slots=True, kw_only=True)
class Syntax:
    """What was read of one text.

    `exports` maps exported names to local ones (None: from another module). With `exports_all`
    there are further exports, of another module. `returns` is where a `return` stands in no
    function. `identifiers` are (name, offset), and
    `jsx_offsets` those of JSX elements, in order. `words` may be class names, and `classes` stand
    where class names stand. `doubts` are code that does not do what it seems to. `styles` are the
    texts of its <style> elements; with `computes_styles` there are others that only running it
    tells. Of a text that is `too_deep` nothing else is read: compilers would run out of stack.
    """

    text: bytes
    broken: bool
    imports: list[Import] = field(default_factory=list[Import])
    unused_imports: list[Import] = field(default_factory=list[Import])
    imported: set[str] = field(default_factory=set[str])
    declarations: list[Declaration] = field(default_factory=list[Declaration])
    exports: dict[str, str | None] = field(default_factory=dict[str, str | None])
    exports_all: bool = False
    expressions: list[Expression] = field(default_factory=list[Expression])
    returns: SourcePosition | None = None
    identifiers: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    dynamic_imports: list[SourcePosition] = field(default_factory=list[SourcePosition])
    import_metas: list[SourcePosition] = field(default_factory=list[SourcePosition])
    common_js: Mapping[str, list[SourcePosition]] = field(
        default_factory=dict[str, list[SourcePosition]]
    )
    jsx_offsets: list[int] = field(default_factory=list[int])
    words: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    doubts: Sequence[DoubtfulCode] = ()
    styles: frozenset[str] = frozenset()
    computes_styles: bool = False
    too_deep: bool = False
    _last: SourcePosition = _START

    @property
    def top_level(self) -> frozenset[str]:
        """Names that are taken at the top level."""
        return frozenset(self.imported | {each.name for each in self.declarations})

    def has_jsx(self, declared: Declaration) -> bool:
        """Whether there is JSX in a declaration."""
        index = bisect_left(self.jsx_offsets, declared.start)
        return index < len(self.jsx_offsets) and self.jsx_offsets[index] < declared.end

    def position(self, offset: int) -> SourcePosition:
        """The line and column of a byte offset: found from the last one that was asked for."""
        last = self._last if self._last.offset <= offset else _START
        between = self.text[last.offset : offset]
        line = between[between.rfind(b"\n") + 1 :]
        lines = between.count(b"\n")
        column = len(line.decode("utf-8", "replace")) + (1 if lines else last.column)
        self._last = SourcePosition(last.line + lines, column, offset)
        return self._last


def code_problem(
    row: ComponentRow,
    position: SourcePosition | None,
    what: str,
    remedy: str = "",
    severity: Severity = "error",
) -> Problem:
    """A Problem in the component's code, with the stored line quoted where there is a position."""
    line = column = None
    source = ""
    if position is not None:
        line, column = position.line, position.column
        lines = row.code.split("\n")
        source = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
    return Problem(
        entity="component",
        key=row.key,
        field="react_code",
        what=what,
        remedy=remedy,
        line=line,
        column=column,
        source=source,
        severity=severity,
    )
