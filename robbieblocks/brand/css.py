"""What CSS from rows may hold: values that can't leave their declaration, sheets that can't leave
their layer, and no address elsewhere (CSS Syntax Module Level 3, as tinycss2 reads it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_text import foreign_urls, walk
from robbieblocks.messages import printable
from robbieblocks.names import text_problem

MAX_VALUE = 10_000
MAX_SHEET = 1024 * 1024

_REFUSED_AT = {
    "import": "put the rules themselves here",
    "charset": "leave it out: stylesheets are UTF-8",
    "namespace": "leave it out",
}
_BLANKS = re.compile(r"[\t\n\r\f ]+")


class CssFault(NamedTuple):
    """What is wrong, the remedy, and the line and column where they are known."""

    what: str
    remedy: str
    line: int | None = None
    column: int | None = None


def value_fault(value: str) -> CssFault | None:
    """What keeps a text from being the value of one custom property, or None.

    It must not end its declaration or rule (`;`, `}`, an open bracket, quote or escape), and holds
    no comment, no at-rule, no `!important`, no markup and no address elsewhere.
    """
    if not value.strip():
        return CssFault("the value is empty", "write a value, or drop the override")
    if len(value) > MAX_VALUE:
        return CssFault(f"the value has {len(value):,} characters", f"use at most {MAX_VALUE:,}")
    wrong = text_problem(value)
    if wrong:
        return CssFault(f"the value {wrong}", "remove it")
    control = next((c for c in value if c not in "\t\n\r " and not c.isprintable()), None)
    if control:
        return CssFault(
            f"the value holds an invisible character: {printable(control)}", "remove it"
        )
    stripped, written = value.strip(), as_written(value)
    fault = _read_fault(stripped)
    return fault if fault is not None or written == stripped else _read_fault(written)


# Nodes share the defaults of most tokens.
@lru_cache(maxsize=1024)
def _read_fault(value: str) -> CssFault | None:
    """What is wrong with a value that stands in front of the `;` of its declaration."""
    # Whatever swallows this `;` would swallow the rule's.
    nodes = tinycss2.parse_component_value_list(value + ";")
    end = nodes.pop() if nodes else None
    swallowed = end is None or end.type != "literal" or end.value != ";"
    fault = next(_value_faults(nodes), None)
    if fault is None and swallowed:
        fault = CssFault("the value leaves a bracket, quote, comment or escape open", "close it")
    return fault or next(_url_faults(nodes), None)


def as_written(value: str) -> str:
    """The value as it stands in a rule: on one line, without blanks around it.

    Quoted texts can't hold a line break, so they stay as they are.
    """
    return _BLANKS.sub(" ", value).strip() if re.search(r"[\n\r\f]", value) else value.strip()


def _value_faults(nodes: Iterable[Node]) -> Iterator[CssFault]:
    for node in walk(nodes):
        match node.type:
            case "error":
                yield CssFault(_syntax(node), "write one CSS value")
            case "{} block":
                yield CssFault("the value holds { }, which would end its rule", "leave them out")
            case "comment":
                yield CssFault("the value holds a comment", "leave it out")
            case "at-keyword":
                yield CssFault(f"the value holds @{printable(node.value)}", "leave it out")
            case "literal" if node.value in (";", "!", "<!--", "-->", "<"):
                yield CssFault(
                    f"the value holds `{node.value}`, which doesn't belong in one value",
                    "leave it out",
                )
            case "string" if "</" in node.value:
                yield CssFault("the value holds `</`, which ends markup", "leave it out")
            case _:
                pass


def _url_faults(nodes: Iterable[Node]) -> Iterator[CssFault]:
    """Addresses that lead to another server, or that mean nothing in a stylesheet of ours."""
    for node in foreign_urls(nodes):
        yield CssFault(
            f"url({printable(node.value)}) leads elsewhere",
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


def sheet_faults(css: str) -> list[CssFault]:
    """What keeps a stylesheet from being wrapped in `@layer node { ... }`, with lines."""
    wrong = text_problem(css)
    if wrong:
        line = next(i for i, text in enumerate(css.split("\n"), 1) if text_problem(text))
        return [CssFault(f"the stylesheet {wrong}", "remove it", line)]
    if len(css) > MAX_SHEET:
        return [
            CssFault(f"the stylesheet has {len(css):,} characters", f"use at most {MAX_SHEET:,}")
        ]
    nodes = tinycss2.parse_component_value_list(css)
    if _too_deep(nodes):
        return [CssFault(f"rules nest deeper than {MAX_NESTING} levels", "nest less")]
    found = [*_node_faults(nodes), *_url_faults(nodes)]
    unclosed = _unclosed(css)
    if unclosed is not None:
        found.append(unclosed)
    if not found:
        rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
        found += _rule_faults(rules)
    return sorted(found, key=lambda fault: (fault.line or 0, fault.column or 0))


MAX_NESTING = 32


def _too_deep(nodes: list[Node]) -> bool:
    level = nodes
    for _ in range(MAX_NESTING):
        level = [
            inner
            for node in level
            for inner in (getattr(node, "content", None) or getattr(node, "arguments", None) or [])
        ]
        if not level:
            return False
    return True


def _node_faults(nodes: list[Node]) -> Iterator[CssFault]:
    for node in walk(nodes):
        at = (node.source_line, node.source_column)
        if node.type == "error":
            yield CssFault(_syntax(node), "mend it", *at)
        elif node.type == "at-keyword" and node.lower_value in _REFUSED_AT:
            yield CssFault(f"@{node.lower_value} is refused", _REFUSED_AT[node.lower_value], *at)
        elif node.type in ("comment", "string", "url") and "</style" in node.value.lower():
            yield CssFault("there is `</style`, which ends markup", "leave it out", *at)


def _unclosed(css: str) -> CssFault | None:
    """The last block that is opened at the top level, where something in it is never closed."""
    nodes = tinycss2.parse_component_value_list(css + "}")
    last = nodes[-1]
    if last.type == "error" and last.kind == "}":
        return None
    opened = last
    while True:
        inner = getattr(opened, "content", None) or getattr(opened, "arguments", None)
        blocks = [
            node for node in inner or [] if node.type.endswith("block") or node.type == "function"
        ]
        if not blocks or inner is None or inner[-1] is not blocks[-1]:
            break
        opened = blocks[-1]
    names = {"{} block": "a { is", "() block": "a ( is", "[] block": "a [ is", "function": "a ( is"}
    what = names.get(opened.type, "a comment, quote, bracket or escape is")
    return CssFault(f"{what} never closed", "close it", opened.source_line, opened.source_column)


def _rule_faults(rules: Iterable[Node]) -> Iterator[CssFault]:
    """Rules and declarations that browsers would drop without a word."""
    for rule in rules:
        if rule.type == "error":
            at = (rule.source_line, rule.source_column)
            yield CssFault(f"not CSS: {rule.message}", "mend it", *at)
        elif rule.type in ("qualified-rule", "at-rule") and rule.content is not None:
            inside = tinycss2.parse_blocks_contents(
                rule.content, skip_comments=True, skip_whitespace=True
            )
            yield from _rule_faults(inside)
