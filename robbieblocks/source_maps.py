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
    """A position in the stored code, counted from 1, and that line of it ("" where unknown).

    `name` is what the stored code calls what the compiled one has another name for; "" elsewhere.
    """

    line: int
    column: int
    text: str
    name: str = ""


def locate(source_map: str, line: int, column: int) -> Position | None:
    """The stored position of a compiled one, both counted from 1; None where the map has none.

    A map that can't be read gives None too: positions only make error messages better.
    """
    try:
        return _find(source_map, line, column)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None


def source_of(source_map: str) -> str:
    """The name of the map's only source; "" where the map can't be read, or has several."""
    try:
        (source,) = _map_of(json.loads(source_map))[0]["sources"]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""
    return source if isinstance(source, str) else ""


def moved(source_map: str, by: int) -> str:
    """The map of a module with `by` more characters at the start of its first line.

    An index map (ECMA-426, 10): the segments stay as they are.
    """
    offset = f'{{"line":0,"column":{by}}}'
    return f'{{"version":3,"sections":[{{"offset":{offset},"map":{source_map}}}]}}'


def _map_of(document: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The map itself, and by how much its first line is moved."""
    if "sections" not in document:
        return document, 0
    (section,) = document["sections"]
    return section["map"], section["offset"]["column"]


def _find(source_map: str, line: int, column: int) -> Position | None:
    found = _decode(source_map)
    if not 1 <= line <= len(found.lines):
        return None
    if line == 1:
        column -= found.moved_by
    segments = found.lines[line - 1]
    at = bisect.bisect_right(segments, (column - 1, 1 << 30, 0, 0, 0)) - 1
    if at < 0:
        return None
    _, source, original_line, original_column, name = segments[at]
    if source < 0:
        return None
    stored = found.texts[source] if source < len(found.texts) else ()
    text = stored[original_line] if original_line < len(stored) else ""
    if found.shift is not None:
        original_column = found.shift.stored_column(original_line, original_column)
    called = found.names[name] if 0 <= name < len(found.names) else ""
    return Position(original_line + 1, original_column + 1, text, called)


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


# Column, index of the source or -1, line and column in it, index of the name or -1; from 0.
_Segment = tuple[int, int, int, int, int]


class _Decoded(NamedTuple):
    """Each compiled line's segments, each source's lines, the names of the stored code, the shift
    that bundling put into the map, and by how much the first line is moved.
    """

    lines: list[list[_Segment]]
    texts: list[list[str]]
    names: list[str]
    shift: _Shift | None
    moved_by: int


@functools.lru_cache(maxsize=32)
def _decode(source_map: str) -> _Decoded:
    # Unchecked: `locate` catches what it raises.
    document, moved_by = _map_of(json.loads(source_map))
    contents: list[str | None] = document.get("sourcesContent") or []
    texts = [(text or "").split("\n") for text in contents]
    source = line = column = name = 0
    lines: list[list[_Segment]] = []
    for group in document["mappings"].split(";"):
        start = 0
        segments: list[_Segment] = []
        for text in filter(None, group.split(",")):
            fields = vlq_numbers(text)
            start += fields[0]
            if len(fields) < 4:  # a segment of one field has no source
                segments.append((start, -1, 0, 0, -1))
                continue
            source, line, column = source + fields[1], line + fields[2], column + fields[3]
            if named := len(fields) > 4:
                name += fields[4]
            segments.append((start, source, line, column, name if named else -1))
        lines.append(sorted(segments))
    shift = document.get("x_robbieblocks_shift")
    names: list[str] = document.get("names") or []
    return _Decoded(lines, texts, names, _Shift(**shift) if shift else None, moved_by)


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
