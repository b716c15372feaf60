"""Problems in a component's code."""

from __future__ import annotations

from robbieblocks.bundle.analysis.syntax import SourcePosition
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow


def code_problem(
    row: ComponentRow, position: SourcePosition | None, what: str, remedy: str = ""
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
    )
