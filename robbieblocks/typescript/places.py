"""Finds a place of the compiler in the text as it is stored."""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.bundle import TypedText

# What ends a line to TypeScript; to people and in rows only the newline does.
_LINE_END: Final = re.compile("\r\n|[\n\r\u2028\u2029]")


def stored_place(text: TypedText, code: str, line: int, column: int) -> tuple[int, int] | None:
    """Line and column in the stored text, from 1, or None for what was only appended to it.

    `line` and `column` are the compiler's: in the completed text, with columns in UTF-16 units.
    """
    ends = [found.end() for found in _LINE_END.finditer(text.source)]
    start = ([0, *ends])[min(line - 1, len(ends))]
    rest = text.source[start:].encode("utf-16-le", "surrogatepass")
    offset = start + len(rest[: 2 * (column - 1)].decode("utf-16-le", "ignore"))
    before = text.source[:offset]
    found_line = before.count("\n") + 1
    found_column = offset - (before.rfind("\n") + 1) + 1
    if text.shift is not None:
        found_column = text.shift.stored_column(found_line, found_column)
    lines = code.split("\n")
    if found_line > len(lines):
        return None
    return found_line, min(found_column, len(lines[found_line - 1]) + 1)
