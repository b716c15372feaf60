"""The component `@robbieblocks/image`, which a site has without a row of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from robbieblocks.model import MODULE, ComponentRow

_KEY: Final = "image"
_SPECIFIER: Final = "@robbieblocks/image"

IMAGE: Final = ComponentRow(
    id=UUID("7c1f4a2e-2d53-4a86-9d53-0c6e51b0a6f1"),
    key=_KEY,
    name="Image",
    type=MODULE,
    code=(Path(__file__).parent / "image.tsx").read_text("utf-8"),
)


def with_image(components: Mapping[str, ComponentRow]) -> Mapping[str, ComponentRow]:
    """The components, with this one where one of them imports it and no row has its key."""
    if _KEY in components or not any(_SPECIFIER in row.code for row in components.values()):
        return components
    return {**components, _KEY: IMAGE}
