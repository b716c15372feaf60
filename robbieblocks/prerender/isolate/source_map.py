"""From a position in compiled code to the one in the stored code (source map, ECMA-426)."""

from __future__ import annotations

import bisect
import functools
import json
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES: Final = {digit: value for value, digit in enumerate(_BASE64)}
_CONTINUES: Final = 32


@dataclass(frozen=True, slots=True)
class Position:
    """A position in the stored code, counted from 1, and that line of it ("" where unknown)."""

    line: int
    column: int
    text: str


def locate(source_map: str, line: int, column: int) -> Position | None:
    """The stored position of a compiled one, both counted from 1; None where the map has none.

    A map that can't be read gives None too: positions only make error messages better.
    """
    try:
        return _find(source_map, line, column)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def _find(source_map: str, line: int, column: int) -> Position | None:
    lines, texts, shift = _decode(source_map)
    if not 1 <= line <= len(lines):
        return None
    segments = lines[line - 1]
    at = bisect.bisect_right(segments, (column - 1, 1 << 30, 0, 0)) - 1
    if at < 0:
        return None
    _, source, original_line, original_column = segments[at]
    if source < 0:
        return None
    stored = texts[source] if source < len(texts) else ()
    text = stored[original_line] if original_line < len(stored) else ""
    if shift is not None:
        original_column = shift.stored_column(original_line, original_column)
    return Position(original_line + 1, original_column + 1, text)


class _Shift(NamedTuple):
    """On `line`, the text was compiled with `by` more characters in front of `column`.

    Line and column count from 1; `stored_column` takes and gives those of maps, from 0.
    """

    line: int
    column: int
    by: int

    def stored_column(self, line: int, column: int) -> int:
        if line != self.line - 1 or column < self.column - 1:
            return column
        return max(self.column - 1, column - self.by)


# Column, index of the source or -1, line and column in it; all count from 0.
_Segment = tuple[int, int, int, int]


@functools.lru_cache(maxsize=32)
def _decode(source_map: str) -> tuple[list[list[_Segment]], list[list[str]], _Shift | None]:
    """Each compiled line's segments, each source's lines, and the shift that bundling put into the
    map.
    """
    document: dict[str, Any] = json.loads(source_map)  # unchecked: `locate` catches what it raises
    contents: list[str | None] = document.get("sourcesContent") or []
    texts = [(text or "").split("\n") for text in contents]
    source = line = column = 0
    lines: list[list[_Segment]] = []
    for group in document["mappings"].split(";"):
        start = 0
        segments: list[_Segment] = []
        for text in filter(None, group.split(",")):
            fields = vlq_numbers(text)
            start += fields[0]
            if len(fields) < 4:  # a segment of one field has no source
                segments.append((start, -1, 0, 0))
                continue
            source, line, column = source + fields[1], line + fields[2], column + fields[3]
            segments.append((start, source, line, column))
        lines.append(sorted(segments))
    shift = document.get("x_robbieblocks_shift")
    return lines, texts, _Shift(**shift) if shift else None


def vlq_numbers(text: str) -> list[int]:
    """The numbers of one segment: base64 VLQ, 5 bits a digit, lowest first, then the sign.

    Raises KeyError for what is no digit.
    """
    numbers: list[int] = []
    value = bits = 0
    for digit in text:
        part = _VALUES[digit]
        value |= (part & (_CONTINUES - 1)) << bits
        bits += 5
        if not part & _CONTINUES:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = bits = 0
    return numbers
