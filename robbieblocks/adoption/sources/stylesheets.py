"""Stylesheets of the adopted code: CSS modules, and sheets that are meant for whole pages."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_text import css_string, walk

_PAGE_RULES: Final = frozenset({"tailwind", "theme", "plugin", "config", "custom-variant"})
_PAGE_NAMES: Final = re.compile(
    r"(globals?|index|main|app|base|reset|normalize|theme|tokens|variables|styles?)\.css",
    re.IGNORECASE,
)
_ROOTS: Final = frozenset({"html", "body", "root"})


@dataclass(slots=True)
class CssModule:
    """A CSS module as plain CSS: `classes` maps the names that code uses to those that stay.

    `problems` are (what, remedy, line).
    """

    css: str
    classes: dict[str, str] = field(default_factory=dict[str, str])
    problems: list[tuple[str, str, int]] = field(default_factory=list[tuple[str, str, int]])


def is_for_pages(path: str, css: str) -> bool:
    """Whether a stylesheet sets up whole pages, so that it belongs to no component."""
    rules = tinycss2.parse_stylesheet(css, True, True)
    plain = _PAGE_NAMES.fullmatch(posixpath.basename(path)) is not None
    at_rules = [rule for rule in rules if rule.type == "at-rule"]
    if any(rule.lower_at_keyword in _PAGE_RULES for rule in at_rules):
        return True
    imports = [rule for rule in at_rules if rule.lower_at_keyword == "import"]
    if any(plain or "tailwind" in tinycss2.serialize(rule.prelude) for rule in imports):
        return True
    names = (
        token.value
        for rule in rules
        if rule.type == "qualified-rule"
        for token in rule.prelude
        if token.type == "ident"
    )
    return plain and any(name in _ROOTS for name in names)


def with_images(css: str, inlined: Callable[[str], str]) -> str:
    """The sheet with those addresses replaced for which `inlined` gives another one."""
    css = _with_plain_lines(css)
    starts = _line_starts(css)
    edits: list[tuple[int, int, str]] = []
    for token in walk(tinycss2.parse_component_value_list(css)):
        if token.type == "url" and (url := inlined(token.value)):
            start = starts[token.source_line - 1] + token.source_column - 1
            if css.startswith(token.representation, start):
                edits.append((start, start + len(token.representation), f"url({css_string(url)})"))
    return _edited(css, edits)


def _with_plain_lines(css: str) -> str:
    """The text as the parser counts its lines."""
    return re.sub(r"\r\n?|\f", "\n", css)


def _line_starts(css: str) -> list[int]:
    return [0, *(found.end() for found in re.finditer("\n", css))]


def _edited(css: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, text in sorted(edits):
        parts += (css[done:start], text)
        done = end
    return "".join((*parts, css[done:]))


# At-rules that hold style rules.
_GROUPS: Final = frozenset({"media", "supports", "container", "layer", "starting-style"})
_GLOBAL: Final = "write :global(.name)"


def css_module(css: str, prefix: str) -> CssModule:
    """A CSS module with `prefix_` before each class, so that no other component's is meant."""
    return _Renaming(_with_plain_lines(css), prefix).result()


class _Renaming:
    """Reads a sheet rule by rule and puts the prefix before the classes of its selectors."""

    def __init__(self, css: str, prefix: str) -> None:
        self._css = css
        self._prefix = prefix
        self._starts = _line_starts(css)
        self._edits: list[tuple[int, int, str]] = []
        self._composed: dict[str, list[str]] = {}
        self._made = CssModule(css="")

    def result(self) -> CssModule:
        tokens: list[Node] = tinycss2.parse_component_value_list(self._css)
        pending: list[tuple[list[Node], list[str]]] = [(tokens, [])]
        while pending:
            nodes, classes = pending.pop()
            pending += self._rules(nodes, classes)
        made = self._made
        made.css = _edited(self._css, self._edits)
        for name in made.classes:
            others = [made.classes.get(each, each) for each in self._composed.get(name, ())]
            made.classes[name] = " ".join(dict.fromkeys((*made.classes[name].split(), *others)))
        return made

    def _rules(
        self, nodes: list[Node], classes: list[str]
    ) -> Iterator[tuple[list[Node], list[str]]]:
        """The blocks inside of a list of rules and declarations, each with its classes."""
        part: list[Node] = []
        for node in nodes:
            if node.type == "{} block":
                words = [each for each in part if each.type not in ("whitespace", "comment")]
                if not words or words[0].type != "at-keyword":
                    yield node.content, list(self._selector([*part, node]))
                elif words[0].lower_value in _GROUPS:
                    yield node.content, classes
                part = []
            elif node.type == "literal" and node.value == ";":
                self._declaration(part, self._offset(node) + 1, classes)
                part = []
            else:
                part.append(node)
        if part:
            last = part[-1]
            self._declaration(part, self._offset(last) + len(last.serialize()), classes)

    def _selector(self, nodes: list[Node]) -> Iterator[str]:
        for number, node in enumerate(nodes[:-1]):
            before = nodes[number - 1] if number else None
            mark = before.value if before is not None and before.type == "literal" else ""
            if node.type == "ident" and mark == ".":
                self._edits.append((self._offset(node), self._offset(node), f"{self._prefix}_"))
                self._made.classes.setdefault(node.value, f"{self._prefix}_{node.value}")
                yield node.value
            elif node.type == "ident" and mark == ":" and node.lower_value in ("global", "local"):
                what = f":{node.lower_value} stands without brackets"
                self._made.problems.append((what, _GLOBAL, node.source_line))
            elif node.type == "function" and mark == ":" and node.lower_name in ("global", "local"):
                start, after = self._offset(node), self._offset(nodes[number + 1])
                self._edits.append((start - 1, start + len(node.name) + 1, ""))
                self._edits.append((after - 1, after, ""))
                if node.lower_name == "local":
                    yield from self._selector([*node.arguments, node])
            elif node.type == "function":
                yield from self._selector([*node.arguments, node])

    def _declaration(self, nodes: list[Node], end: int, classes: list[str]) -> None:
        words = [each for each in nodes if each.type not in ("whitespace", "comment")]
        if not words or words[0].type != "ident" or words[0].lower_value != "composes":
            return
        names = [each.value for each in words if each.type == "ident"][1:]
        if "from" in names:
            what = "composes takes classes from another file"
            remedy = "name both classes in the component: className={`${a.x} ${b.y}`}"
            self._made.problems.append((what, remedy, words[0].source_line))
        for name in classes:
            self._composed.setdefault(name, []).extend(names)
        self._edits.append((self._offset(words[0]), end, ""))

    def _offset(self, node: Node) -> int:
        return self._starts[node.source_line - 1] + node.source_column - 1
