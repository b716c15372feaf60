"""What is known of a component's text once it is read: imports, declarations, exports, names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Likeness = Literal["component", "perhaps", "no"]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the stored text: line and column count from 1, `offset` is in UTF-8 bytes."""

    line: int
    column: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import (or re-export) of values.

    `names` are the imported names, `default` among them; None stands for the whole namespace.
    `local` maps local names to imported ones. `start` and `end` enclose the specifier's text,
    without its quotes, in UTF-8 bytes.
    """

    specifier: str
    names: frozenset[str] | None
    place: Place
    start: int
    end: int
    escaped: bool = False
    local: Mapping[str, str] = field(default_factory=dict)
    statement: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A name declared at the top level; `start` and `end` enclose its whole statement."""

    name: str
    likeness: Likeness
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """An expression that stands as a statement of its own; the offsets are the expression's."""

    kind: Literal["jsx", "component", "other"]
    start: int
    end: int
    place: Place


@dataclass(slots=True, kw_only=True)
class Syntax:
    """A read text. `exports` maps exported names to local ones (None: from elsewhere).

    `exports_all` says that names of another module are exported as well. `styles` are the texts of
    its <style> elements, and `computes_styles` says that there are others that only running tells.
    Of a text that is `too_deep` nothing else is read: compilers would run out of stack over it.
    """

    text: bytes
    broken: bool
    imports: list[Import] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    declarations: list[Declaration] = field(default_factory=list)
    exports: dict[str, str | None] = field(default_factory=dict)
    exports_all: bool = False
    expressions: list[Expression] = field(default_factory=list)
    names: list[tuple[str, int]] = field(default_factory=list)
    dynamic: list[Place] = field(default_factory=list)
    requires: list[Place] = field(default_factory=list)
    meta: list[Place] = field(default_factory=list)
    common_js: Place | None = None
    jsx: list[int] = field(default_factory=list)
    words: frozenset[str] = frozenset()
    styles: frozenset[str] = frozenset()
    computes_styles: bool = False
    too_deep: bool = False

    @property
    def top_level(self) -> frozenset[str]:
        """Names that are taken at the top level."""
        return frozenset(self.imported | {each.name for each in self.declarations})

    def has_jsx(self, declared: Declaration) -> bool:
        """Whether there is JSX in a declaration."""
        return any(declared.start <= offset < declared.end for offset in self.jsx)
