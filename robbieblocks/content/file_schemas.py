"""JSON Schemas of the files of a project, for editors: made from the functions that read them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from robbieblocks.brand import THEMES
from robbieblocks.content.reading.branding import node_of
from robbieblocks.content.reading.examples import example_of
from robbieblocks.content.reading.folder import component_of, tokens_of
from robbieblocks.content.reading.media_files import media_values
from robbieblocks.content.reading.page_files import page_of
from robbieblocks.content.shape import STATUSES
from robbieblocks.settings import file_schema
from robbieblocks.source_files import outline

# A component's schema may lie beside its table; here nothing does.
_NO_FOLDER: Final = Path(os.devnull)
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def _says(name: str) -> dict[str, Any]:
    """A page whose metadata has `true` under a name."""
    says = {"required": [name], "properties": {name: {"const": True}}}
    return {"required": ["metadata"], "properties": {"metadata": says}}


# A frame has neither a route nor a layout, a 404 page no route.
_NEEDED: Final = {
    "if": _says("frame"),
    "else": {
        "required": ["layout"],
        "if": _says("not_found"),
        "else": {"required": ["route"]},
    },
}


def file_schemas() -> dict[str, dict[str, Any]]:
    """The schema of each kind of file, by the kind: `page`, `component` and so on.

    A file that fits its schema can still have mistakes that no schema can say, such as a key twice.
    """
    page = outline(page_of)
    page["properties"]["status"]["enum"] = list(STATUSES)
    page |= _NEEDED
    page["required"] = [name for name in page["required"] if name not in ("route", "layout")]
    node = outline(node_of)
    node["properties"]["theme"]["enum"] = ["", *THEMES]
    schema = {"$ref": _DRAFT}
    kinds = {
        "page": page,
        "component": outline(lambda table: component_of(table, _NO_FOLDER)),
        "example": outline(example_of),
        "tokens": outline(tokens_of),
        "media": outline(media_values),
        "node": node,
        # A JSON Schema, or a bare map of property to schema.
        "props": {"anyOf": [schema, {"type": "object", "additionalProperties": schema}]},
        "project": file_schema(),
    }
    return {kind: {"$schema": _DRAFT, **made} for kind, made in kinds.items()}
