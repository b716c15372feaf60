"""The stylesheets that people write: templates, components, and what a node adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.checks.sources import Place, in_text
from robbieblocks.css_faults import KEYFRAMES_DEFINED
from robbieblocks.css_text import by_comma, walk
from robbieblocks.errors import Problem
from robbieblocks.pipeline import Inspection
from robbieblocks.row_faults import blame

_SIZES: Final = frozenset({"height", "block-size", "aspect-ratio"})


@dataclass(frozen=True, slots=True)
class StyleRule:
    """A rule's own declarations. `around` are the at-rules that it is in, as `@media (...)`.

    A nested rule has the selectors around it before its own, with spaces between.
    """

    selector: str
    declarations: tuple[Node, ...]
    around: tuple[str, ...]

    def last(self, *names: str) -> Node | None:
        """The last declaration of one of these properties."""
        found = (each for each in reversed(self.declarations) if each.lower_name in names)
        return next(found, None)


@dataclass(frozen=True)
class Sheet:
    """The CSS of one field of a row, or of a template. `node` is the one that alone has it."""

    entity: str
    key: str
    field: str
    text: str
    node: str = ""

    @cached_property
    def parsed(self) -> tuple[Node, ...]:
        """The rules as the parser has them; none where it can't read the text."""
        with blame(list[Problem]().append, self.entity, self.key, self.field):
            return tuple(tinycss2.parse_stylesheet(self.text, True, True))
        return ()

    @cached_property
    def rules(self) -> tuple[StyleRule, ...]:
        """The style rules, nested ones too; none where the text can't be read, as a build tells."""
        with blame(list[Problem]().append, self.entity, self.key, self.field):
            return tuple(_rules(self.parsed, "", ()))
        return ()

    @cached_property
    def keyframes(self) -> frozenset[str]:
        """The names of its `@keyframes`."""
        return frozenset(KEYFRAMES_DEFINED.findall(self.text))

    @cached_property
    def classes(self) -> frozenset[str]:
        """Every class that a selector names."""
        selectors = {rule.selector for rule in self.rules}
        return frozenset(name for selector in selectors for name in class_names(selector))

    def at(self, node: Node) -> Place:
        """The place of a node of the sheet."""
        lines = self.text.split("\n")
        before = sum(len(line) + 1 for line in lines[: node.source_line - 1])
        return in_text(
            self.entity, self.key, self.field, self.text, before + node.source_column - 1
        )


def sheets(inspection: Inspection) -> tuple[Sheet, ...]:
    """Every stylesheet of templates, components and nodes."""
    content = inspection.content
    found = [Sheet("template", name, "", text) for name, text in inspection.base_styles.items()]
    found += [
        Sheet("component", key, "css_styles", row.css)
        for key, row in sorted(content.components.items())
        if row.css.strip()
    ]
    found += [
        Sheet("node_branding", node.id, "custom_css", node.custom_css, node.id)
        for node in content.nodes
        if node.custom_css.strip()
    ]
    return tuple(found)


def variables(nodes: Iterable[Node]) -> Iterator[tuple[Node, str, bool]]:
    """Each `var(--x)` in values: its node, the custom property, and whether it has a fallback."""
    for node in walk(nodes):
        if node.type == "function" and node.lower_name == "var":
            named = [each for each in node.arguments if each.type not in ("whitespace", "comment")]
            if named and named[0].type == "ident" and named[0].value.startswith("--"):
                yield node, named[0].value, len(named) > 1


def _rules(nodes: Iterable[Node], outer: str, around: tuple[str, ...]) -> Iterator[StyleRule]:
    """The rules of a sheet or block, the declarations of a block's own first."""
    declarations: list[Node] = []
    inner: list[StyleRule] = []
    for node in nodes:
        if node.type == "declaration":
            declarations.append(node)
        elif node.type in ("qualified-rule", "at-rule") and node.content is not None:
            selector, groups = outer, around
            prelude = tinycss2.serialize(node.prelude).strip()
            if node.type == "qualified-rule":
                selector = f"{outer} {prelude}".strip()
            else:
                groups = (*around, f"@{node.lower_at_keyword} {prelude}".strip())
            inside = tinycss2.parse_blocks_contents(node.content, True, True)
            inner += _rules(inside, selector, groups)
    if declarations:
        yield StyleRule(outer, tuple(declarations), around)
    yield from inner


def class_names(selector: str) -> Iterator[str]:
    """The classes that a selector names, without escapes."""
    for before, node in pairwise(walk(tinycss2.parse_component_value_list(selector))):
        if node.type == "ident" and before.type == "literal" and before.value == ".":
            yield node.value


def subjects(selector: str) -> Iterator[set[str]]:
    """For each selector of a list, the classes (`.x`) and the element that it styles."""
    for part in by_comma(tinycss2.parse_component_value_list(selector)):
        names: set[str] = set()
        before: Node | None = None
        for node in part:
            if node.type == "whitespace" or (node.type == "literal" and node.value in ">+~"):
                names = set()
            elif node.type == "ident" and before is not None and before.type == "literal":
                if before.value == ".":
                    names.add(f".{node.value}")
            elif node.type == "ident":
                names.add(node.lower_value)
            before = node
        yield names


def sized(sheets_: Iterable[Sheet]) -> Iterator[tuple[str, str]]:
    """The classes and elements that get a height or a shape, each with its component's key."""
    for sheet in sheets_:
        key = sheet.key if sheet.entity == "component" else ""
        for rule in sheet.rules:
            if any(
                each.lower_name in _SIZES and tinycss2.serialize(each.value).strip() != "auto"
                for each in rule.declarations
            ):
                yield from ((key, name) for names in subjects(rule.selector) for name in names)
