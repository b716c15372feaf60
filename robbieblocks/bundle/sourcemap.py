"""Source maps (ECMA-426): corrects the columns of a line in front of which text was put."""

from __future__ import annotations

import json
from typing import Any

from robbieblocks import vlq
from robbieblocks.bundle.shape import Shift

_SHORTEST_WITH_SOURCE = 4


def to_stored(source_map: str, name: str, shift: Shift | None) -> str:
    """The map with one source called `name`, its columns those of the stored text."""
    loaded: dict[str, Any] = json.loads(source_map)
    loaded["sources"] = [name]
    loaded.pop("sourcesContent", None)
    if shift is not None:
        loaded["mappings"] = _moved(loaded["mappings"], shift)
    return json.dumps(loaded, separators=(",", ":"), ensure_ascii=False)


def _moved(mappings: str, shift: Shift) -> str:
    lines: list[str] = []
    line = column = written = 0
    for compiled_line in mappings.split(";"):
        segments: list[str] = []
        for segment in filter(None, compiled_line.split(",")):
            fields = vlq.decode(segment)
            if len(fields) >= _SHORTEST_WITH_SOURCE:
                line += fields[2]
                column += fields[3]
                stored = _stored(line, column, shift)
                fields[3] = stored - written
                written = stored
            segments.append(vlq.encode(fields))
        lines.append(",".join(segments))
    return ";".join(lines)


def _stored(line: int, column: int, shift: Shift) -> int:
    """Maps count lines and columns from 0."""
    if line != shift.line - 1 or column < shift.column - 1:
        return column
    return max(shift.column - 1, column - shift.by)
