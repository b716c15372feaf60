"""Markdown as tokens: CommonMark with tables, strikethrough, footnotes and task lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.common.normalize_url import validateLink
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.footnote.index import footnote_ref

# The plugin looks for a label's end up to the end of the text, from each beginning.
_LABEL_MAX: Final = 100
_TASK: Final = re.compile(r"\[([ xX])\][ \t]+")


def parser_of(refused: dict[str, None]) -> MarkdownIt:
    """A parser that notes each address that could run a script, once, in `refused`."""
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    footnote_plugin(parser, inline=False)
    parser.inline.ruler.at("footnote_ref", _footnote_ref)

    def is_allowed(url: str) -> bool:
        allowed = validateLink(url)
        if not allowed:
            refused[url] = None
        return allowed

    # It is meant to be replaced, as in markdown-it.
    hooks: Any = parser
    hooks.validateLink = is_allowed
    return parser


def _footnote_ref(state: StateInline, silent: bool) -> bool:
    begins = state.src.startswith("[^", state.pos)
    ends = begins and state.src.find("]", state.pos, state.pos + _LABEL_MAX) >= 0
    return ends and footnote_ref(state, silent)


def set_tasks(tokens: Sequence[Token]) -> None:
    """Have items of lists that begin with `[ ]` or `[x]` be tasks: a box, and its label."""
    for index, item in enumerate(tokens[:-2]):
        if item.type != "list_item_open" or tokens[index + 1].type != "paragraph_open":
            continue
        parts = tokens[index + 2].children or []
        box = _TASK.match(parts[0].content) if parts and parts[0].type == "text" else None
        if box is None:
            continue
        item.attrSet("class", "rb-task")
        parts[0].content = parts[0].content[box.end() :]
        is_done = box[1] != " "
        parts.insert(0, Token("task_open", "label", 1, meta={"done": is_done}))
        parts.append(Token("task_close", "label", -1))


def without_empty_headers(tokens: Sequence[Token]) -> list[Token]:
    """The tokens, with cells for headers of tables that say nothing, and no row of such alone.

    Markdown has no tables without a first row, and a screen reader would read out an empty header.
    """
    found: list[Token] = []
    begins, has_header = 0, False
    for index, token in enumerate(tokens):
        if token.type == "thead_open":
            begins, has_header = len(found), False
        elif token.type == "th_open":
            if tokens[index + 1].content.strip():
                has_header = True
            else:
                token.tag = tokens[index + 2].tag = "td"
        found.append(token)
        if token.type == "thead_close" and not has_header:
            del found[begins:]
    return found
