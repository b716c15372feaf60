"""Checks CSS from rows: a value must not end its declaration, a stylesheet must not end its layer,
and neither may name an address on another site (CSS Syntax Module Level 3, as tinycss2 reads it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple

import tinycss2
import tinycss2.color4
from tinycss2.ast import Node

from robbieblocks.css_faults import (
    USE,
    in_sheet,
    in_token,
    meant_variable,
    unknown_variable,
)
from robbieblocks.css_text import (
    address_text,
    foreign_urls,
    inner_nodes,
    long_number,
    missing_media,
    walk,
)
from robbieblocks.messages import printable
from robbieblocks.names import text_problem

_MAX_VALUE_CHARACTERS = 10_000
_MAX_SHEET_CHARACTERS = 1024 * 1024
_MAX_NESTING = 32
_MAX_PROBLEMS = 20

_REFUSED_AT = {
    "import": "put the rules themselves here",
    "charset": "leave it out: stylesheets are UTF-8",
    "namespace": "leave it out",
}
_BLANKS = re.compile(r"[\t\n\r\f ]+")


class CssProblem(NamedTuple):
    """What is wrong, the remedy, and the line and column where they are known."""

    what: str
    remedy: str
    line: int | None = None
    column: int | None = None


def value_problem(value: str) -> CssProblem | None:
    """What keeps a text from being the value of one custom property, or None.

    It must not end its declaration or rule (`;`, `}`, an open bracket, quote or escape), and holds
    no comment, no at-rule, no `!important`, no markup and no address elsewhere.
    """
    if not value.strip():
        return CssProblem("the value is empty", "write a value, or drop the override")
    if len(value) > _MAX_VALUE_CHARACTERS:
        return CssProblem(
            f"the value has {len(value):,} characters", f"use at most {_MAX_VALUE_CHARACTERS:,}"
        )
    if wrong := text_problem(value):
        return CssProblem(f"the value {wrong}", "remove it")
    control = next((c for c in value if c not in "\t\n\r " and not c.isprintable()), None)
    if control:
        return CssProblem(
            f"the value holds an invisible character: {printable(control)}", "remove it"
        )
    if number := long_number(value):
        return CssProblem(f"the value holds a number of {len(number[0]):,} digits", "shorten it")
    stripped, written = value.strip(), as_written(value)
    problem = _read_problem(stripped)
    return problem if problem is not None or written == stripped else _read_problem(written)


# Most nodes have the same values for most tokens.
@lru_cache(maxsize=1024)
def _read_problem(value: str) -> CssProblem | None:
    """What is wrong with a value that stands in front of the `;` of its declaration."""
    # A value that takes this `;` into itself would take the rule's.
    nodes = tinycss2.parse_component_value_list(value + ";")
    end = nodes.pop() if nodes else None
    taken_in = end is None or end.type != "literal" or end.value != ";"
    problem = next(_value_problems(nodes), None)
    if problem is None and taken_in:
        problem = CssProblem(
            "the value leaves a bracket, quote, comment or escape open", "close it"
        )
    return problem or next(_url_problems(nodes), None)


def as_written(value: str) -> str:
    """The value as it stands in a rule: on one line, without blanks around it.

    Quoted texts can't hold a line break, so they stay as they are.
    """
    return _BLANKS.sub(" ", value).strip() if re.search(r"[\n\r\f]", value) else value.strip()


def _value_problems(nodes: Iterable[Node]) -> Iterator[CssProblem]:
    for node in walk(nodes):
        match node.type:
            case "error":
                yield CssProblem(_syntax(node), "write one CSS value")
            case "{} block":
                yield CssProblem(
                    "the value holds { }, which would end its rule",
                    "leave them out, or name a token in them: {color.primary}",
                )
            case "comment":
                yield CssProblem("the value holds a comment", "leave it out")
            case "at-keyword":
                yield CssProblem(f"the value holds @{printable(node.value)}", "leave it out")
            case "literal" if node.value in (";", "!", "<!--", "-->", "<"):
                yield CssProblem(
                    f"the value holds `{node.value}`, which doesn't belong in one value",
                    "leave it out",
                )
            case "string" if "</" in node.value:
                yield CssProblem("the value holds `</`, which ends markup", "leave it out")
            case _:
                pass


def _url_problems(nodes: Iterable[Node]) -> Iterator[CssProblem]:
    """Addresses that lead to another server, or that mean nothing in a stylesheet of ours."""
    for node in foreign_urls(nodes):
        if missing := missing_media(address_text(node)):
            yield CssProblem(*missing, node.source_line, node.source_column)
            continue
        yield CssProblem(
            f"{printable(address_text(node))} leads elsewhere, or may",
            "use a path of this site (/...), a data: image or font, or #id",
            node.source_line,
            node.source_column,
        )


def _syntax(node: Node) -> str:
    named = {
        ")": "a ) without its (",
        "]": "a ] without its [",
        "}": "a } without its {, which would end the rule",
        "bad-string": "a quote that is not closed on its line",
        "bad-url": "a url( ) that is not well-formed",
        "eof-in-string": "a quote that is never closed",
        "eof-in-url": "a url( that is never closed",
    }
    return f"there is {named[node.kind]}" if node.kind in named else str(node.message)


def sheet_problems(css: str) -> list[CssProblem]:
    """What keeps a stylesheet from being wrapped in `@layer node { ... }`, with lines."""
    if wrong := text_problem(css):
        line = next(i for i, text in enumerate(css.split("\n"), 1) if text_problem(text))
        return [CssProblem(f"the stylesheet {wrong}", "remove it", line)]
    if len(css) > _MAX_SHEET_CHARACTERS:
        return [
            CssProblem(
                f"the stylesheet has {len(css):,} characters",
                f"use at most {_MAX_SHEET_CHARACTERS:,}",
            )
        ]
    if number := long_number(css):
        what = f"the stylesheet holds a number of {len(number[0]):,} digits"
        start = number.start()
        column = start - css.rfind("\n", 0, start)
        return [CssProblem(what, "shorten it", css.count("\n", 0, start) + 1, column)]
    nodes = tinycss2.parse_component_value_list(css)
    if _too_deep(nodes):
        return [CssProblem(f"rules nest deeper than {_MAX_NESTING} levels", "nest less")]
    found = list(islice(chain(_node_problems(nodes), _url_problems(nodes)), _MAX_PROBLEMS))
    unclosed = _unclosed(css)
    if unclosed is not None:
        found.append(unclosed)
    if not found:
        rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
        found += islice(_rule_problems(rules), _MAX_PROBLEMS)
    return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0))


@lru_cache(maxsize=64)
def sheet_doubts(css: str) -> tuple[CssProblem, ...]:
    """What browsers pass over of a sound stylesheet, with lines; of very much the first."""
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return tuple(
        CssProblem(what, remedy, node.source_line, node.source_column)
        for node, what, remedy in islice(in_sheet(rules, None), _MAX_PROBLEMS)
    )


@lru_cache(maxsize=64)
def variable_doubts(css: str, known: frozenset[str]) -> tuple[CssProblem, ...]:
    """Custom properties that a stylesheet reads, and that are almost those of `known`."""
    found: dict[str, CssProblem] = {}
    # Comparing a name with those of all tokens takes a millisecond.
    asked: set[str] = set()
    for use in USE.finditer(css):
        name = use[1]
        if name in known or name in asked or len(asked) >= _MAX_PROBLEMS:
            continue
        asked.add(name)
        if f"{name}:" in css:
            continue
        if (near := meant_variable(name, known)) is not None:
            line = css.count("\n", 0, use.start()) + 1
            column = use.start() - css.rfind("\n", 0, use.start())
            found[name] = CssProblem(unknown_variable(name), f"did you mean {near}?", line, column)
    return tuple(found.values())


# Most nodes have the same values for most tokens.
@lru_cache(maxsize=4096)
def token_doubt(value: str, category: str, key: str) -> CssProblem | None:
    """The first thing for which browsers pass over whatever is given this token's value."""
    doubt = next(in_token(value, category, key), None)
    return CssProblem(doubt.what, doubt.remedy) if doubt is not None else None


def _too_deep(nodes: list[Node]) -> bool:
    level = nodes
    for _ in range(_MAX_NESTING):
        level = [inner for node in level for inner in inner_nodes(node)]
        if not level:
            return False
    return True


def _node_problems(nodes: list[Node]) -> Iterator[CssProblem]:
    for node in walk(nodes):
        at = (node.source_line, node.source_column)
        if node.type == "error":
            yield CssProblem(_syntax(node), "mend it", *at)
        elif node.type == "at-keyword" and node.lower_value in _REFUSED_AT:
            yield CssProblem(f"@{node.lower_value} is refused", _REFUSED_AT[node.lower_value], *at)
        elif node.type in ("comment", "string", "url") and "</style" in node.value.lower():
            yield CssProblem("there is `</style`, which ends markup", "leave it out", *at)


def _unclosed(css: str) -> CssProblem | None:
    """The innermost block that is still open at the end of the text, if one is."""
    nodes = tinycss2.parse_component_value_list(css + "}")
    last = nodes[-1]
    if last.type == "error" and last.kind == "}":
        return None
    opened = last
    while True:
        inner = inner_nodes(opened)
        if not inner or not (inner[-1].type.endswith("block") or inner[-1].type == "function"):
            break
        opened = inner[-1]
    names = {"{} block": "a { is", "() block": "a ( is", "[] block": "a [ is", "function": "a ( is"}
    what = names.get(opened.type, "a comment, quote, bracket or escape is")
    return CssProblem(f"{what} never closed", "close it", opened.source_line, opened.source_column)


def _rule_problems(rules: Iterable[Node]) -> Iterator[CssProblem]:
    """Rules and declarations that browsers would ignore."""
    for rule in rules:
        if rule.type == "error":
            at = (rule.source_line, rule.source_column)
            yield CssProblem(f"not CSS: {rule.message}", "mend it", *at)
        elif rule.type in ("qualified-rule", "at-rule") and rule.content is not None:
            inside = tinycss2.parse_blocks_contents(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            yield from _rule_problems(inside)


# Functions whose colour depends on other values, or that tinycss2 can't read.
_OTHER_COLORS = frozenset(
    {"var", "color-mix", "light-dark", "linear-gradient", "radial-gradient", "conic-gradient"}
    | {"repeating-linear-gradient", "color", "rgb", "hsl", "oklch", "oklab", "lab", "lch", "hwb"}
)


@lru_cache(maxsize=1024)
def is_color(value: str) -> bool:
    """Whether CSS knows this colour, or may once it is computed."""
    nodes = tinycss2.parse_component_value_list(value.strip())
    if any(node.type == "function" and node.lower_name in _OTHER_COLORS for node in nodes):
        return True
    return tinycss2.color4.parse_color(value) is not None
