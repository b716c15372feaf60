"""Where props hold Markdown, HTML or an embed, or name media and forms, as their schema says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple, TypeAlias

import jsonschema_rs

from robbieblocks.model import Json, JsonObject

Path: TypeAlias = tuple[str | int, ...]

MARKDOWN: Final = "markdown"
MEDIA: Final = "media"
FORM: Final = "form"
EMBED: Final = "embed"
HTML: Final = "html"
# Any text fits. A validator notes the formats that it knows. In the order of `Places`.
OWN_FORMATS: Final[dict[str, Callable[[str], bool]]] = {
    MARKDOWN: lambda _: True,
    MEDIA: lambda _: True,
    FORM: lambda _: True,
    EMBED: lambda _: True,
    HTML: lambda _: True,
}


class Places(NamedTuple):
    """The paths of texts that something else takes the place of, and of those that a page shows in
    frames.
    """

    markdown: tuple[Path, ...] = ()
    media: tuple[Path, ...] = ()
    forms: tuple[Path, ...] = ()
    embeds: tuple[Path, ...] = ()
    html: tuple[Path, ...] = ()


def places_of(validator: jsonschema_rs.Draft202012Validator, value: JsonObject) -> Places:
    """The path of each text of a valid value that its schema says is one of these.

    Of a choice (`anyOf`) the branches count that fit the value.
    """
    notes = validator.evaluate(value).annotations()
    found: dict[str, dict[Path, None]] = {name: {} for name in OWN_FORMATS}
    for note in notes:
        said = note["annotations"]
        # A title can be that word, too.
        if isinstance(said, str) and said in found and note["schemaLocation"].endswith("/format"):
            path, text = _place(value, note["instanceLocation"])
            if isinstance(text, str):
                found[said][path] = None
    return Places(*(tuple(paths) for paths in found.values()))


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
