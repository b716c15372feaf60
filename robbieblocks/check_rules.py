"""The rules of `robbieblocks check`: their names, their levels, and what each of them finds.

`robbieblocks.toml` names a rule below `[checks]`; a name is never given to another rule.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

Level = Literal["error", "warning", "off"]
LEVELS: Final = ("error", "warning", "off")


class Rule(NamedTuple):
    """A rule. `level` holds where the project names no other; `finds` is one line of Markdown."""

    name: str
    level: Level
    finds: str


RULES: Final = (
    Rule("build-error", "error", "what holds a page back, or a whole node"),
    Rule("build-warning", "warning", "what a build warns of"),
    Rule(
        "unused-component",
        "warning",
        "a component that no page places, and that none of the placed ones imports",
    ),
)
