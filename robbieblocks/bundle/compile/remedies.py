"""What to do about a syntax error: what is meant, and not what the compiler stumbles over."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from robbieblocks.bundle.analysis import JSON_REMEDY, is_json
from robbieblocks.bundle.compile.esbuild import Message

_FENCE: Final = re.compile(r"(?:\A|\n)[ \t]*+```")
_NO_CODE: Final = "keep the code alone: take away what was written around it"
FENCED: Final = "take away the lines with ```, and what was written around them"
# What is no TypeScript, in the line of a syntax error.
_OF_OTHERS: Final = {
    "<!--|-->": "write {/* ... */}: JSX has no HTML comments",
    r"^(?:<{7}|={7}|>{7})": "keep one side of the merge, and take its marks (<<<<<<<) away",
    r"^(?:---|\+\+\+|@@) |^\+ ?(?:import|export|const|let|function|return|<)": (
        "store the text as it is after the change: this is a diff"
    ),
    "[\u201c-\u201f\u2018-\u201b\u00ab\u00bb]": "write straight quotation marks: \"...\" or '...'",
    "[\u200b-\u200d\u2060\ufeff\u00ad]": (
        "type the line anew: it has a letter that nobody sees, such as a zero-width space"
    ),
    r"<(?:!DOCTYPE|!doctype|\?)": "store the component alone: the page has its own document",
    r"<%|%>": "write {props.title} in place of <%= title %>",
    r"\{%|%\}": "write {on && <p />} or {items.map((it) => <p key={it}>{it}</p>)}",
    r"\{[#/:@](?:if|each|else|await|key|html|snippet|render)\b": (
        "write {on ? <p /> : null} or {items.map((it) => <p key={it}>{it}</p>)}: this is Svelte's"
    ),
    r"(?:^|[^=({,:\s])\s*+\{\{": "write {props.title} in place of {{ title }}",
    r"=\s*+<\w+>\s*+\(": "write <T,>(...) for a type: <T> alone begins an element",
    r"^\s*+[.#][A-Za-z][\w-]*+\s*+\{": "put CSS into css_styles: this is code",
    r"^(?:#{1,6} |\*\*)\w": _NO_CODE,
    r"^\s*+\.\.\.(?!\w+\s*+[,}\])])": "write the text out: a part of it was left out here",
}
_UNREAD: Final = re.compile(r"^(?:Unexpected|Expected|Unterminated|The character)\b")
# What begins a file that is compiled by another program.
_SINGLE_FILE: Final = re.compile(r"\s*+<(?:template|script|style)\b[^>]*+>")
_OF_FILES: Final = (
    "write it for React, and the CSS into css_styles: this is a file of Vue or Svelte"
)
_FLOW: Final = re.compile(r"\s*+(?://|/\*+)\s*+@flow\b")
_PROSE: Final = re.compile(r"\s*[A-Z][\w'\u2019]*[!,.:]?(?: [\w'\u2019`*,-]+){2}")
_BESIDE_PROSE: Final = re.compile(r'Expected ";" but found|Unterminated string')
_REMEDIES: Final = {
    r"is an import": "all blocks share what is imported: leave it as it is",
    r"Multiple exports|already been declared": "keep one of the two, or rename one",
    r'opening "(?:area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr)" tag': (
        "write <br />, <img ... />: JSX closes every element"
    ),
    r"Unterminated regular expression": (
        "close what is open before this place; elements side by side need one around them: <>...</>"
    ),
    r'Unexpected "(?:if|for|while|switch|const|let|var)"': (
        "JSX braces hold one value: write {a ? b : c}, {a && b} or {items.map(...)}"
    ),
    r'character "[>}]" is not valid inside': (
        """write {">"} or {"}"} for the sign itself, or close the element before it"""
    ),
    r'Expected identifier but found "[^\w]"|Expected identifier but found "\d': (
        """write {"<"} or {"{"} for the sign itself"""
    ),
    r'Expected ">" but found "[@*:#([]': (
        "write attributes as React does: onClick={...}, title={...}"
    ),
    r'Expected ">" but found "[^\w]': """write {"<"} for the sign itself""",
    r'Unexpected "[})\]]"': "take it away, or open before it what it closes",
    r"clos(?:ing|e)|end of file|Unterminated": "close what is open before this place",
    r"top-level await|await": "load data in useEffect, or give it as props",
    r"import\.meta": "leave it out: a component has no address",
    r'"import" expression': 'import at the top instead: `import x from "..."`',
    r"": "write TypeScript or JavaScript with JSX: something before this place does not parse",
}


def remedy_of(code: str, message: str, line: int) -> str:
    """What to do about the compiler's `message` on a line (from 1) of the stored text.

    `line` is 0 where the message has none.
    """
    by_message = (text for it, text in _REMEDIES.items() if re.search(it, message))
    return remedy_of_text(code, message, line) or next(by_message)


def in_one(messages: Sequence[Message]) -> list[Message]:
    """The messages without those that follow from an earlier one: a text that does not parse is
    told of once.
    """
    found: list[Message] = []
    unread = False
    for each in messages:
        follows = _UNREAD.search(each.text) is not None
        if not (follows and unread):
            found.append(each)
        unread = unread or follows
    return found


def remedy_of_text(code: str, message: str, line: int) -> str:
    """What to do where the text is none of JavaScript's at all, or has something else on the line;
    "" where nothing of the kind is there.
    """
    if _FENCE.search(code):
        return FENCED
    if _SINGLE_FILE.match(code):
        return _OF_FILES
    if is_json(code):
        return JSON_REMEDY
    if _FLOW.match(code):
        return "write TypeScript's types: these are Flow's"
    lines = code.split("\n")
    shown = lines[line - 1] if 0 < line <= len(lines) else ""
    if _PROSE.match(shown) and _BESIDE_PROSE.search(message):
        return _NO_CODE
    return next((text for sign, text in _OF_OTHERS.items() if re.search(sign, shown)), "")
