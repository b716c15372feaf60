"""The properties that CSS has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from robbieblocks.messages import nearest, printable

# Written by tools/css_properties.py.
PROPERTIES_FILE: Final = Path(__file__).with_name("css_properties.txt")

# What others than browsers make something of.
_OF_OTHERS: Final = {
    "composes": "write both classes in className",
    "margin-x": "write margin-inline",
    "margin-y": "write margin-block",
    "padding-x": "write padding-inline",
    "padding-y": "write padding-block",
    "size": "write width and height",
    "font-color": "write color",
    "text-color": "write color",
    "align": "write text-align, or align-items",
    "rounded": "write border-radius",
}


@lru_cache(maxsize=1)
def known_properties() -> frozenset[str]:
    """The CSS properties that any browser has, without those of a vendor and custom ones."""
    return frozenset(PROPERTIES_FILE.read_text(encoding="utf-8").split())


def is_known_property(name: str) -> bool:
    """Whether a property, in lower case, exists, is a vendor's, or a custom one."""
    return name.startswith("-") or name in known_properties()


def property_message(name: str) -> tuple[str, str]:
    """What is said of a property that no browser has, and what to do."""
    if name in _OF_OTHERS:
        return f"no CSS property is named {printable(name)}", _OF_OTHERS[name]
    near = nearest(name, known_properties(), most=1)
    remedy = f"did you mean {near[0]}?" if near else "browsers pass it over: remove it"
    return f"no CSS property is named {printable(name)}", remedy
