"""Scopes a stylesheet that has nothing but plain rules as a text, without taking it apart.

Most stylesheets are such, and that takes a tenth of the time. What is plain is less than CSS has:
no escapes, no url(), nothing nested but in one condition, no keyframes, no name of the page's
root. Of any other stylesheet `css` reads every token; the two give the same text, to the byte.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

_BLANK: Final = " \t\n"
_SPACE: Final = r"[ \t\n]"
_NAME: Final = r"-{0,2}[a-z_][\w-]*+"
_NUMBER: Final = r"[+-]?(?:\d++(?:\.\d++)?|\.\d++)(?:%|[a-df-z][a-z]*+|e[a-z]++)?"
# Brackets that were read already stand for something whole.
_READ: Final = "\0"
_ATOM: Final = rf"(?:{_READ}|{_NAME}|#[\w-]++|{_NUMBER})"
_DEEPEST: Final = 4


def _series(atom: str, mark: str) -> str:
    """Atoms with space or one mark between them."""
    return rf"{atom}(?:(?:{_SPACE}*+(?:{mark}){_SPACE}*+|{_SPACE}++){atom})*"


def _bracketed(series: str) -> str:
    """A series in round brackets, or as a function's arguments."""
    return rf"(?:(?<![\w-])(?!url\(){_NAME})?\({_SPACE}*+{series}{_SPACE}*+\)"


_VALUE: Final = _series(_ATOM, rf"[,/]|(?<={_SPACE})[*+-](?={_SPACE})")
_CONDITION: Final = _series(_ATOM, "[,:/=]|[<>]=?")

# The page's root, and what a page says of itself there, has a meaning of its own in a selector.
_TYPE: Final = rf"(?!(?:html|body)(?![\w-]))(?:{_NAME}|\*)"
_ATTRIBUTE: Final = rf'\[(?!data-theme){_NAME}(?:[~|^$*]?=(?:{_NAME}|"[\w .:#/-]*+"))?\]'
_STATE: Final = rf"::?(?!root|scope|host){_NAME}"
_ASKED: Final = rf"\((?:\d++|[.]?{_NAME}|{_ATTRIBUTE}|{_STATE})\)"
_PART: Final = rf"(?:[.#]{_NAME}|{_ATTRIBUTE}|{_STATE}(?:{_ASKED})?)"
_SELECTOR: Final = _series(rf"(?:{_TYPE}{_PART}*|{_PART}+)", "[>+~]")

# Only single characters repeat possessively: of groups, Python before 3.11.5 gets that wrong.
_COMMENT: Final = r"/\*[^*]*+\*++(?:[^/*][^*]*+\*++)*/"
_IGNORED: Final = rf"(?:{_SPACE}++|{_COMMENT})*"
_STEP: Final = (
    r"(?:@(?P<group>media|supports|container)(?P<condition>[ \t\n][^{};]*+)\{"
    r"|(?P<selectors>[^{}@;]++)\{(?P<content>[^{}]*+)\}"
    r"|(?P<end>\})|\Z)"
)


class _NotPlainError(ValueError):
    """The stylesheet has something that is not plain."""


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """Compiled when it is needed: that takes milliseconds, and most builds scope nothing."""
    return re.compile(pattern, re.ASCII | re.IGNORECASE | re.DOTALL)


def scoped(css: str, wrapper: str) -> str | None:
    """The rules, each behind `wrapper`; None where the stylesheet has more than plain ones."""
    if _READ in css:
        return None
    try:
        return "".join(_steps(css.replace("\r\n", "\n"), wrapper))
    except _NotPlainError:
        return None


def _steps(css: str, wrapper: str) -> Iterator[str]:
    place, inside = 0, False
    while place < len(css):
        ignored = _compiled(_IGNORED).match(css, place)
        step = _compiled(_STEP).match(css, ignored.end() if ignored else place)
        if step is None or (inside if step["group"] else step["end"] and not inside):
            raise _NotPlainError
        place = step.end()
        if step["group"]:
            inside = True
            yield f"@{step['group'].lower()} {_series_of(step['condition'], _CONDITION)}{{"
        elif step["end"]:
            inside = False
            yield "}"
        elif step["selectors"]:
            yield _rule(step["selectors"], step["content"], wrapper)
    if inside:
        raise _NotPlainError


def _rule(selectors: str, content: str, wrapper: str) -> str:
    """A style rule; nothing where it declares nothing."""
    written = [f"{wrapper} {_taken(_SELECTOR, each)}" for each in selectors.split(",")]
    said = [_declaration(each) for each in content.split(";") if each.strip(_BLANK)]
    return f"{','.join(written)}{{{''.join(said)}}}" if said else ""


def _declaration(text: str) -> str:
    name, _, value = text.partition(":")
    value, important, rest = value.partition("!")
    if important and rest.strip(_BLANK) != "important":
        raise _NotPlainError
    return f"{_taken(_NAME, name)}:{_series_of(value, _VALUE)}{'!important' if important else ''};"


def _series_of(text: str, series: str) -> str:
    """The text, which is such a series, its brackets too."""
    text = read = text.strip(_BLANK)
    for _ in range(_DEEPEST):
        if "(" not in read:
            break
        read = _compiled(_bracketed(series)).sub(_READ, read)
    _taken(series, read)
    return text


def _taken(pattern: str, text: str) -> str:
    """The text without the space around it, where it is as the pattern says."""
    text = text.strip(_BLANK)
    if _compiled(pattern).fullmatch(text) is None:
        raise _NotPlainError
    return text
