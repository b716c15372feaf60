"""Where an error of React or of the HTML stands that has no place in a component's code.

React throws it from its own code, when the component has returned. But it names an attribute or an
element, and where a component's code has that but once, there it is.
"""

from __future__ import annotations

import re
from typing import Final

from robbieblocks.model import Bundle, component_specifier, reachable
from robbieblocks.source_maps import Position, locate

# By a pattern in the message: what stands in compiled code, with what the pattern's group found.
_IN_CODE: Final = {
    r"a style must be an object": r'\bstyle: (?="|`)',
    r"dangerouslySetInnerHTML": r"\bdangerouslySetInnerHTML:",
    r"it renders <([\w-]+)": r'\("{0}"',
    r"^a <([\w-]+)> (?:has|can't)": r'\("{0}"',
    r"^<([\w-]+)> can't have children": r'\("{0}"',
    r"it uses the (?:attribute|id) \"?([\w-]+)": r"\b{0}\b",
}


def named_place(component: str, message: str, bundle: Bundle) -> tuple[str, Position] | None:
    """The component and the place that a message is about; None where that can't be told.

    It may be a component that this one imports.
    """
    pattern = _pattern(message)
    found: list[tuple[str, int, int]] = []
    for specifier in reachable([component_specifier(component)], bundle.modules):
        if pattern is not None and specifier.startswith(component_specifier("")):
            script = bundle.modules[specifier].script
            found += [
                (specifier, *_place(script, each.start())) for each in pattern.finditer(script)
            ]
    if len(found) != 1:
        return None
    ((specifier, line, column),) = found
    position = locate(bundle.modules[specifier].source_map, line, column)
    return None if position is None else (specifier.removeprefix(component_specifier("")), position)


def _pattern(message: str) -> re.Pattern[str] | None:
    for said, code in _IN_CODE.items():
        if match := re.search(said, message):
            name = re.escape(match[1]) if match.groups() else ""
            return re.compile(code.replace("{0}", name))
    return None


def _place(script: str, offset: int) -> tuple[int, int]:
    """The line and column, from 1, of a character."""
    before = script[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
