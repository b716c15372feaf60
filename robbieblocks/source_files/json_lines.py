"""The lines of keys in a JSON text, so that a mistake can be shown with its line."""

from __future__ import annotations

import json
import re

from robbieblocks.source_files.lines import Place

_PART = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},\n]')


def json_lines(text: str) -> tuple[dict[Place, int], set[Place]]:
    """The line (from 1) of each key and item of a valid JSON text, and the keys that come twice.

    An object that has a key twice means the last one to every reader.
    """
    found: dict[Place, int] = {}
    twice: set[Place] = set()
    path: list[str | int] = []
    # For each level, whether it is an object that expects a key next; None for an array.
    expects: list[bool | None] = []
    line = 1
    for match in _PART.finditer(text):
        part = match[0]
        if part == "\n":
            line += 1
        elif part in "{[":
            expects.append(True if part == "{" else None)
            path.append("" if part == "{" else 0)
            if part == "[":
                found[tuple(path)] = line
        elif part in "}]":
            expects.pop()
            path.pop()
        elif part == ",":
            last = path[-1]
            if isinstance(last, int):
                path[-1] = last + 1
                found[tuple(path)] = line
            else:
                expects[-1] = True
        elif expects and expects[-1]:
            path[-1] = json.loads(part)
            expects[-1] = False
            if tuple(path) in found:
                twice.add(tuple(path))
            found[tuple(path)] = line
    return found, twice
