"""Finds places of the compiler in the text as it is stored."""

from __future__ import annotations

import re
from itertools import accumulate, pairwise
from typing import Final

from robbieblocks.bundle import TypedText

# What ends a line to TypeScript; to people and in rows only the newline does.
_LINE_END: Final = re.compile("\r\n|[\n\r\u2028\u2029]")


class Places:
    """The places of one component. `lines` are those of the stored text.

    The compiler's are in the completed text, with columns in UTF-16 units. All count from 1.
    """

    def __init__(self, text: TypedText, code: str) -> None:
        self.lines = code.split("\n")
        self._text = text
        source = text.source
        self._units = source.encode("utf-16-le", "surrogatepass")
        ends = [0, *(found.end() for found in _LINE_END.finditer(source))]
        # In bytes of `_units`. There may be as many lines as characters: each is encoded once.
        pieces = (source[start:end] for start, end in pairwise(ends))
        sizes = (len(each.encode("utf-16-le", "surrogatepass")) for each in pieces)
        self._starts = list(accumulate(sizes, initial=0))

    def _offset(self, line: int, column: int) -> int:
        start = self._starts[min(line, len(self._starts)) - 1]
        return min(start + 2 * (column - 1), len(self._units))

    def comes_after(self, words: str, line: int, column: int) -> bool:
        """Whether these words stand right before a place of the compiler's."""
        return self._units.endswith(words.encode("utf-16-le"), 0, self._offset(line, column))

    def stored(self, line: int, column: int) -> tuple[int, int] | None:
        """A place of the compiler's in the stored text; None for what was only appended to it."""
        before = self._units[: self._offset(line, column)].decode("utf-16-le", "surrogatepass")
        found_line = before.count("\n") + 1
        found_column = len(before) - (before.rfind("\n") + 1) + 1
        if self._text.shift is not None:
            found_column = self._text.shift.stored_column(found_line, found_column)
        if found_line > len(self.lines):
            return None
        return found_line, min(found_column, len(self.lines[found_line - 1]) + 1)
