"""Values of style tokens that no declaration can take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import tinycss2

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.values import in_value

# What a token stands for, by its category and key. Others may hold anything.
_LENGTHS: Final = frozenset({"spacing", "space", "radius", "border-radius", "size", "sizes"})
_JUDGED: Final = frozenset({"color", "shadow", "font", "animation"}) | _LENGTHS
_FONT_LENGTH: Final = re.compile(r"(?:^|[._-])(?:size|tracking|letter-spacing)(?:[._-]|$)")
_TIME: Final = re.compile(r"(?:^|[._-])(?:duration|delay|fast|normal|slow|speed)(?:[._-]|$)")


def in_token(value: str, category: str, key: str) -> Iterator[Doubt]:
    """What browsers pass over wherever this token's value is used."""
    if category not in _JUDGED:
        return
    nodes = tinycss2.parse_component_value_list(value)
    is_length = category in _LENGTHS or (category == "font" and _FONT_LENGTH.search(key))
    # `in_value` asks which property it is only where a length needs its unit.
    declared = "box-shadow" if category == "shadow" else "padding" if is_length else ""
    yield from in_value(nodes, declared)
    lone = nodes[0] if len(nodes) == 1 else None
    is_number = lone is not None and lone.type == "number" and lone.value != 0
    if category == "animation" and lone is not None and is_number and _TIME.search(key):
        number = lone.representation[:20]
        what = f"{number} has no unit: browsers pass the declaration over"
        yield Doubt(lone, what, f"write {number}ms")
