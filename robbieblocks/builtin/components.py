"""The components `@robbieblocks/<key>` that are in the package."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from robbieblocks.model import INDEX_READER, MODULE, ComponentRow, Json, component_specifier, same


def _component(
    key: str, name: str, identity: str, type_: str = MODULE, **metadata: Json
) -> ComponentRow:
    """A component of the files beside this one: its code, and styles and props where it has some.

    Pages can place it where `type_` is not that of a module.
    """
    code = Path(__file__).with_name(f"{key}.tsx")
    styles, schema = code.with_suffix(".css"), code.with_suffix(".schema.json")
    return ComponentRow(
        id=UUID(identity),
        key=key,
        name=name,
        type=type_,
        code=code.read_text("utf-8"),
        css=styles.read_text("utf-8") if styles.exists() else "",
        props_schema=json.loads(schema.read_text("utf-8")) if schema.exists() else {},
        metadata=metadata,
        packaged=True,
    )


BUILTIN: Final[Mapping[str, ComponentRow]] = {
    row.key: row
    for row in (
        _component("form", "Form", "f2b7c9e4-6a1d-4f0b-8c35-19d8a7e20b64"),
        _component("image", "Image", "7c1f4a2e-2d53-4a86-9d53-0c6e51b0a6f1"),
        _component(
            "markdown", "Markdown", "3413c752-234e-4b1c-b874-3c8a3f873afe", "content", reset=True
        ),
        _component(
            "embed", "Embed", "e0d3f4b6-51c8-4b0f-9a27-6a1c9b6f7d02", "content", hydrate="visible"
        ),
        _component("search", "Search", "5b8e1d70-93c2-4f6a-8a41-0d7c2e9f3b18", "content"),
        # No import makes its row: so it is always that of the package that makes the indexes.
        _component(INDEX_READER, "Search index", "c4f0a9d2-7b16-4e83-9a5c-2e81d60f7b93"),
    )
}


def with_builtin(components: Mapping[str, ComponentRow]) -> Mapping[str, ComponentRow]:
    """The components, with those of these that one of them imports and no row has the key of.

    So with those that these import.
    """
    imported = _imported(components, components.values())
    return {**components, **imported} if imported else components


def _imported(
    known: Mapping[str, ComponentRow], importers: Collection[ComponentRow]
) -> dict[str, ComponentRow]:
    found = {
        key: row
        for key, row in BUILTIN.items()
        if key not in known and any(component_specifier(key) in each.code for each in importers)
    }
    return {**found, **_imported({**known, **found}, found.values())} if found else {}


def is_builtin(row: ComponentRow) -> bool:
    """Whether a component is one of these, and no row."""
    return same(row, BUILTIN.get(row.key))
