"""Markdown as HTML, with anchors and highlighted code.

HTML in it is text, comments are left out. Two braces are text: no placeholder can be in the HTML.
What rows say is bounded: their length, the pieces that are made of them, and the HTML's size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from html import escape
from itertools import islice
from typing import Any, Final, NamedTuple

from markdown_it.token import Token

from robbieblocks.assemble.markdown.anchors import PageAnchors, set_anchors
from robbieblocks.assemble.markdown.highlighting import highlighted
from robbieblocks.assemble.markdown.parsing import (
    parser_of,
    set_tasks,
    without_empty_headers,
)
from robbieblocks.assemble.values import MAX_PROBLEMS, MAX_VALUE_BYTES, ValueProblem
from robbieblocks.messages import printable

MAX_CHARACTERS: Final = 100_000
# Units of work, as a page's budget has them: ten nanoseconds each.
_CHARACTER_UNITS: Final = 4_000
_TOKEN_UNITS: Final = 5_000
# One that nothing ends goes to the end of the text, as in a browser.
_COMMENT: Final = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)


class Rendered(NamedTuple):
    """The HTML of a Markdown text and what making it cost, or what is wrong with the text.

    `ids` are those of its headings; `has_notes` says whether it has footnotes.
    """

    html: str
    units: int
    problems: tuple[ValueProblem, ...] = ()
    ids: tuple[str, ...] = ()
    has_notes: bool = False


def rendered_on(anchors: PageAnchors, text: str) -> Rendered:
    """The HTML of a Markdown text on a page, with ids that no text before it has."""
    made = rendered(text)
    if anchors.take(made.ids, has_notes=made.has_notes):
        return made
    again = _rendered(text, anchors)
    return again._replace(units=made.units + again.units)


# A page that changes has the texts of its other blocks rendered again.
@lru_cache(maxsize=64)
def rendered(text: str) -> Rendered:
    """The HTML of a Markdown text by itself, which is the same for the same text."""
    return _rendered(text, PageAnchors())


def _rendered(text: str, anchors: PageAnchors) -> Rendered:
    if len(text) > MAX_CHARACTERS:
        what = f"the Markdown has {len(text):,} characters, at most {MAX_CHARACTERS:,} are allowed"
        return Rendered("", 0, (ValueProblem("", what, "split the block"),))
    refused: dict[str, None] = {}
    parser = parser_of(refused)
    for name, rule in _RULES.items():
        parser.add_render_rule(name, rule)
    notes: dict[str, Any] = {}
    tokens = without_empty_headers(parser.parse(text, notes))
    set_tasks(tokens)
    ids = set_anchors(tokens, anchors)
    every = [inner for token in tokens for inner in (token, *(token.children or ()))]
    units = _CHARACTER_UNITS * len(text) + _TOKEN_UNITS * len(every)
    if first := list(islice(refused, MAX_PROBLEMS)):
        return Rendered("", units, tuple(_refused(each, text) for each in first))
    has_notes = any(token.type == "footnote_block_open" for token in tokens)
    if has_notes:
        anchors.notes += 1
        notes["docId"] = str(anchors.notes) if anchors.notes > 1 else None
    html = ""
    # A link of many bytes may be named by many references.
    size = sum(len(token.content) + sum(map(_length, token.attrs.values())) for token in every)
    if size <= MAX_VALUE_BYTES:
        html = parser.renderer.render(tokens, parser.options, notes).replace("{{", "{&#123;")
    if max(size, len(html)) > MAX_VALUE_BYTES:
        what = f"the Markdown makes more than {MAX_VALUE_BYTES:,} bytes of HTML"
        return Rendered("", units, (ValueProblem("", what, "split the block"),))
    return Rendered(html, units, ids=ids, has_notes=has_notes)


def _html_block(_: object, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    text = without_comments(tokens[index].content).strip()
    return f"<p>{escape(text)}</p>\n" if text else ""


def _html_inline(_: object, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    return escape(without_comments(tokens[index].content))


def without_comments(text: str) -> str:
    """A text without its HTML comments; one that doesn't end stays."""
    # Behind the last end no comment can end: looking for one from each start is quadratic.
    head, end, rest = text.rpartition("-->")
    return _COMMENT.sub("", head + end) + rest


def _code(_: object, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    language = (tokens[index].info.split() or [""])[0]
    name = f' class="language-{escape(language)}"' if language else ""
    code = highlighted(tokens[index].content, language)
    # What scrolls must have the keyboard.
    return f'<pre tabindex="0"><code{name}>{code}</code></pre>\n'


def _heading_close(_: object, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    meta, tag = tokens[index].meta, tokens[index].tag
    if tag == "h1":
        return "</h1>\n"
    anchor, label = escape(meta["id"]), escape(meta["text"])
    return f'<a class="anchor" href="#{anchor}" aria-label="{label}"></a></{tag}>\n'


def _table_open(*_: object) -> str:
    # No name of a utility: `table` would be one, and then nothing would scroll.
    return '<div class="rb-table" tabindex="0">\n<table>\n'


def _table_close(*_: object) -> str:
    return "</table>\n</div>\n"


def _task_open(_: object, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    done = " checked" if tokens[index].meta["done"] else ""
    return f'<label><input type="checkbox" disabled{done} /> '


def _task_close(*_: object) -> str:
    return "</label>"


def _notes_open(*_: object) -> str:
    return '<section class="footnotes">\n<ol>\n'


def _note_open(renderer: Any, *given: Any) -> str:
    return f'<li id="fn{renderer.rules["footnote_anchor_name"](*given)}">'


def _note_back(renderer: Any, tokens: Sequence[Token], index: int, *others: Any) -> str:
    """The link from a footnote back to where it is named."""
    name = renderer.rules["footnote_anchor_name"](tokens, index, *others)
    times = tokens[index].meta["subId"]
    place, which = (f"{name}:{times}", f":{times + 1}") if times else (name, "")
    label = f"[{tokens[index].meta['id'] + 1}{which}]"
    return f' <a href="#fnref{place}" aria-label="{label}">\u2191</a>'


def _note_number(_: object, tokens: Sequence[Token], index: int, *_others: Any) -> str:
    return f"[{tokens[index].meta['id'] + 1}]"


# How tokens become HTML that the parser's own renderer writes otherwise.
_RULES: Final[dict[str, Callable[..., str]]] = {
    "code_block": _code,
    "fence": _code,
    "footnote_anchor": _note_back,
    "footnote_block_open": _notes_open,
    "footnote_caption": _note_number,
    "footnote_open": _note_open,
    "heading_close": _heading_close,
    "html_block": _html_block,
    "html_inline": _html_inline,
    "table_close": _table_close,
    "table_open": _table_open,
    "task_close": _task_close,
    "task_open": _task_open,
}


def _refused(url: str, text: str) -> ValueProblem:
    """The problem with an address; its line is known where it stands in the text as it is."""
    at = text.find(url)
    return ValueProblem(
        "",
        f"a link may not have the address {printable(url)}",
        "write an http, https or mailto address, or one of the site",
        line=text.count("\n", 0, at) + 1 if at >= 0 else None,
    )


def _length(value: str | float) -> int:
    return len(value) if isinstance(value, str) else 0
