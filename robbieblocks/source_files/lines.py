"""The lines of keys in a TOML text, so that a mistake can be shown with its line.

`tomllib` reports where a text is not TOML, but not where a value stands. This reads just enough of
the grammar (https://toml.io/en/v1.0.0) to find headers and keys in a text that is valid.
"""

from __future__ import annotations

import re

Place = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)([^\[\]]+)\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""^\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")


def key_lines(text: str) -> dict[Place, int]:
    """The line (from 1) of each header and key, by its path; the n-th `[[x]]` is `("x", n)`."""
    found: dict[Place, int] = {}
    table: Place = ()
    counts: dict[str, int] = {}
    closing = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if closing:
            closing = _open_string(line, closing)
            continue
        if header := _HEADER.match(line):
            path = _parts(header[2])
            if header[1] == "[[":
                index = counts.get(header[2], -1) + 1
                counts[header[2]] = index
                table = (*path, index)
            else:
                table = _within_arrays(path, counts)
            found.setdefault(table, number)
        elif key := _KEY.match(line):
            found.setdefault((*table, *_parts(key[1])), number)
            line = line[key.end() :]
        closing = _open_string(line, "")
    return found


def line_of(places: dict[Place, int], place: Place) -> int | None:
    """The line of a path, or of the innermost table around it that has a line."""
    while place:
        if place in places:
            return places[place]
        place = place[:-1]
    return None


def _parts(dotted: str) -> Place:
    return tuple(
        _ESCAPE.sub(lambda code: chr(int(code[1], 16)), one) or two or three
        for one, two, three in _PART.findall(dotted)
    )


def _within_arrays(path: Place, counts: dict[str, int]) -> Place:
    """`[blocks.props]` after the third `[[blocks]]` is `("blocks", 2, "props")`."""
    head = str(path[0]) if path else ""
    return (head, counts[head], *path[1:]) if head in counts and len(path) > 1 else path


def _open_string(line: str, closing: str) -> str:
    """The delimiter of the multi-line string that is still open at the end of a line, or ''."""
    position = 0
    while True:
        if closing:
            end = line.find(closing, position)
            if end < 0:
                return closing
            position, closing = end + 3, ""
        starts = [(at, mark) for mark in ('"""', "'''") if (at := line.find(mark, position)) >= 0]
        if not starts:
            return ""
        position, closing = min(starts)
        position += 3
