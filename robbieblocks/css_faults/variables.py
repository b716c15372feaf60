"""Custom properties that are read, and which known one a name is almost."""

from __future__ import annotations

import re
from collections.abc import Collection
from difflib import SequenceMatcher
from typing import Final

from robbieblocks.messages import nearest, printable

# The property, and the comma before a fallback or the bracket that ends it; in a utility the
# property stands by itself (`bg-(--x)`, `w-(length:--x)`). A name that code puts together is none
# (`var(--color-${name})`).
USE: Final = re.compile(
    r"(?:\bvar|-)\((?:[a-z-]++:)?\s*+(--[A-Za-z0-9_-]++)\s*+(,|\)|(?![$\"'`\\+{]))"
)
_LIKENESS: Final = 0.85


def meant_variable(name: str, known: Collection[str]) -> str | None:
    """The custom property of `known` that `name` almost is, if there is one."""
    near = nearest(name, known, most=1)
    alike = near and SequenceMatcher(None, name, near[0]).ratio() >= _LIKENESS
    return near[0] if alike else None


def unknown_variable(name: str) -> str:
    """What is said of a custom property that nothing sets."""
    return f"no token or custom property is named {printable(name)}"
