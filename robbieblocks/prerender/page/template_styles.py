"""What a page needs of the base styles: not the rules of layouts that it has not got."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from robbieblocks.model import Asset

# Classes that templates alone write. Others a block's script may add at any time.
_NAMES: Final = r"rb-(?:layout-|lost|index|node-)[\w-]*"
_NAME: Final = re.compile(_NAMES)
_CLASS: Final = re.compile(rf"\.({_NAMES})")
_COMMENT: Final = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_MARK: Final = re.compile(
    r"""/\*.*?(?:\*/|\Z)|"(?:[^"\\]|\\.)*+(?:"|\Z)|'(?:[^'\\]|\\.)*+(?:'|\Z)|\\.|[{};]""", re.DOTALL
)
_PLAIN: Final = re.compile(r"[^\\\"']*+")
_BRACKET: Final = re.compile(r"(?::([\w-]+))?\(|[\[\]),]")
# At-rules that hold rules; of those that are layers the place among the others is kept.
_HOLDERS: Final = ("@layer", "@media", "@supports", "@container")


def template_classes(text: str) -> frozenset[str]:
    """The classes of templates that a text names: a page's HTML, or a block's code."""
    return frozenset(_NAME.findall(text)) if "rb-" in text else frozenset()


def needed_styles(base: Asset, names: frozenset[str]) -> Asset:
    """The base styles without the rules that only pages with other classes of templates need.

    `names` are those of the page and of what its scripts may add (`template_classes`).
    """
    return _needed(base, names & _known(base))


@functools.lru_cache(maxsize=16)
def _known(base: Asset) -> frozenset[str]:
    return template_classes(base.content.decode())


@functools.lru_cache(maxsize=256)
def _needed(base: Asset, names: frozenset[str]) -> Asset:
    return Asset.of("base", "css", _without(base.content.decode(), names))


def _without(css: str, names: frozenset[str]) -> str:
    kept: list[str] = []
    for prelude, body in _rules(css):
        begin = _COMMENT.sub("", prelude).lstrip()
        if body is None:
            kept.append(prelude)
        elif not begin.startswith("@"):
            kept += [f"{prelude}{{{body}}}"] if _can_match(begin, names) else []
        elif begin.startswith(_HOLDERS):
            inner = _without(body, names)
            kept += [f"{prelude}{{{inner}}}"] if inner.strip() or begin[1] == "l" else []
        else:
            kept.append(f"{prelude}{{{body}}}")
    return "".join(kept)


def _rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Each rule before and between its braces; a statement, or what is left, has none."""
    start = opened = depth = 0
    for mark in _MARK.finditer(css):
        if mark[0] == "{":
            opened = opened if depth else mark.start()
            depth += 1
        elif mark[0] == "}":
            depth -= 1
            if depth == 0:
                yield css[start:opened], css[opened + 1 : mark.start()]
                start = mark.end()
        elif mark[0] == ";" and depth == 0:
            yield css[start : mark.end()], None
            start = mark.end()
    if css[start:]:
        yield css[start:], None


def _can_match(selectors: str, names: frozenset[str]) -> bool:
    """Whether one of the selectors can match where of these classes only `names` are.

    What `:is` and `:where` list is looked into; all else in brackets (`:not`, `:has`, attributes)
    is taken for what can be. So is what has an escape or a string.
    """
    if not _PLAIN.fullmatch(selectors) or not _CLASS.search(selectors):
        return True
    return any(_one_can_match(each, names) for each in _arms(selectors))


def _one_can_match(selector: str, names: frozenset[str]) -> bool:
    outside, lists = "", list[str]()
    start = depth = 0
    asked: str | None = None
    for mark in _BRACKET.finditer(selector):
        if mark[0][-1] in "([":
            if depth == 0:
                outside += selector[start : mark.start()]
                asked, start = mark[1], mark.end()
            depth += 1
        elif mark[0] in ")]":
            depth -= 1
            if depth == 0:
                if asked in ("is", "where"):
                    lists.append(selector[start : mark.start()])
                start = mark.end()
    outside += selector[start:]
    return names.issuperset(_CLASS.findall(outside)) and all(
        any(_one_can_match(each, names) for each in _arms(each_list)) for each_list in lists
    )


def _arms(selectors: str) -> Iterator[str]:
    """The selectors of a list, at its commas outside of brackets."""
    start = depth = 0
    for mark in _BRACKET.finditer(selectors):
        if mark[0] == ",":
            if depth == 0:
                yield selectors[start : mark.start()]
                start = mark.end()
        else:
            depth += 1 if mark[0][-1] in "([" else -1
    yield selectors[start:]
