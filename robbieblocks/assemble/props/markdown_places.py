"""Where props hold Markdown: each text to which the schema gives `"format": "markdown"`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import jsonschema_rs

from robbieblocks.model import Json, JsonObject

Path: TypeAlias = tuple[str | int, ...]

MARKDOWN: Final = "markdown"
# Any text is Markdown. A validator notes the formats that it knows.
MARKDOWN_FORMAT: Final[dict[str, Callable[[str], bool]]] = {MARKDOWN: lambda _: True}


def markdown_paths(
    validator: jsonschema_rs.Draft202012Validator, value: JsonObject
) -> tuple[Path, ...]:
    """The path of each text of a valid value that its schema says is Markdown.

    Of a choice (`anyOf`) the branches count that fit the value.
    """
    notes = validator.evaluate(value).annotations()
    found = {
        note["instanceLocation"]: None
        for note in notes
        # A title can be that word, too.
        if note["annotations"] == MARKDOWN and note["schemaLocation"].endswith("/format")
    }
    places = (_place(value, pointer) for pointer in found)
    return tuple(path for path, text in places if isinstance(text, str))


def _place(value: Json, pointer: str) -> tuple[Path, Json]:
    """A JSON pointer as a path into a value, and what is there."""
    path: list[str | int] = []
    for part in pointer.split("/")[1:]:
        if isinstance(value, list):
            path.append(int(part))
            value = value[int(part)]
        elif isinstance(value, dict):
            name = part.replace("~1", "/").replace("~0", "~")
            path.append(name)
            value = value[name]
    return tuple(path), value
