"""Finds in a block's HTML what JavaScript makes of values that are not there, or are no text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

# Names of classes may have it: there it harms nobody.
_CLASS: Final = re.compile(r' class="[^"]*+"')
_SHOWN: Final = re.compile(
    r"\[object (?P<object>[A-Za-z]++)\]|(?P<date>\bInvalid Date\b)|(?P<absent>\bundefined\b)"
    r"|(?P<number>\bNaN(?=(?:px|r?em|deg|m?s|v[hw])?\b))",
    re.ASCII,
)
_SAID: Final = {
    "object": (
        "an object shows as text",
        "show a member of it, such as {it.title}; a text of Markdown is dangerouslySetInnerHTML's",
    ),
    "date": ("a date could not be read", "write dates as 2025-01-31, or 2025-01-31T09:00:00Z"),
    "number": ("a sum has no number", "give each of its props a number, or a default"),
    "absent": ("a value is not there", "give the prop, a default, or write {it && ...}"),
}


def shown_by_mistake(html: str, told: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What a block shows so, each kind once, and what to do.

    Where `told`, its code and its props, have the same word it may be meant.
    """
    if not any(word in html for word in ("[object ", "Invalid Date", "NaN", "undefined")):
        return
    said = set[str]()
    for found in _SHOWN.finditer(_CLASS.sub("", html)):
        kind = found.lastgroup or ""
        if kind not in said and not any(found[0] in text or "typeof" in text for text in told):
            said.add(kind)
            what, remedy = _SAID[kind]
            yield f"{what}: visitors see {found[0]}", remedy
