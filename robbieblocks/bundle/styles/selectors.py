"""Limits a selector to a component's blocks, and writes nested selectors out.

Whatever the selector says, the result selects the block's wrapper or something in it: all of it
stands behind the wrapper and a descendant combinator, with no sibling combinator directly behind
the wrapper (Selectors Level 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import pairwise

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_faults import names_transition
from robbieblocks.css_text import by_comma, walk

Tokens = Sequence[Node]

_ROOTS = frozenset({"html", "body"})
_PSEUDO_ROOTS = frozenset({"root", "scope", "host"})
_ALLOWED = frozenset({"ident", "hash", "whitespace", "[] block", "function", "comment"})
_MARKS = frozenset(".:*>+~|&,")
_MAX_CHARACTERS = 20_000
_MAX_TOKENS = 4_000


# What texts for other tools have in their selectors, or before them.
_INSTEAD = {
    "/": "write comments as /* ... */, and leave /deep/ out",
    "$": "write tokens, such as var(--color-primary): this is CSS",
    "`": "take away the lines with ```",
    "<": "store the CSS alone, without HTML around it",
    "-->": "leave it out: comments of CSS are /* ... */",
    "#": "write the name out: this is CSS",
    "%": "write a class: this is CSS",
}


class BadSelector(ValueError):
    """The selector can't be limited to the component, or is no selector."""

    def __init__(self, what: str, remedy: str = "mend the selector") -> None:
        super().__init__(what)
        self.remedy = remedy


def split(prelude: Tokens) -> list[list[Node]]:
    """The complex selectors of a list. Raises BadSelector for what no selector has."""
    for token in prelude:
        if token.type not in _ALLOWED and not (token.type == "literal" and token.value in _MARKS):
            what = f"{token.serialize()!r} does not belong into a selector"
            remedy = _INSTEAD.get(token.serialize(), "mend the selector")
            if token.type == "dimension":
                remedy = "begin the name of a class with a letter"
            raise BadSelector(what, remedy)
    stripped = [_trimmed(part) for part in by_comma(prelude)]
    if not all(stripped):
        raise BadSelector("a selector is missing", "take a comma away, or write a selector")
    if max(map(len, stripped)) > _MAX_TOKENS:
        raise BadSelector(f"a selector has more than {_MAX_TOKENS:,} parts")
    return stripped


class Parents:
    """The selectors of a rule with rules in it, as one text: `:is(...)` where they are several."""

    def __init__(self, selectors: Sequence[Tokens]) -> None:
        texts = [tinycss2.serialize(each) for each in selectors]
        self.alone = len(texts) == 1
        *before, last = selectors[0]
        is_pseudo = bool(before) and before[-1].type == "literal" and before[-1].value == ":"
        self.ends_in_name = self.alone and last.type in ("ident", "hash") and not is_pseudo
        self.text = texts[0] if self.alone else f":is({','.join(texts)})"


def nested(parents: Parents, selector: Tokens) -> list[Node]:
    """A nested selector written out (CSS Nesting): `&` stands for the parents' rule."""
    parent, alone = parents.text, parents.alone
    # Not even made where it is too long: thousands of `&` may each stand for thousands of letters.
    if len(parent) * max(1, _ampersands(selector)) > _MAX_CHARACTERS:
        raise BadSelector("a nested selector grows too long when it is written out")
    if not _has_ampersand(selector):
        text = f"{parent} {tinycss2.serialize(selector)}"
    elif _is(selector[0], "&") and not _has_ampersand(selector[1:]):
        if len(selector) > 1 and selector[1].type == "ident" and not parents.ends_in_name:
            # Browsers read another element in it, and Sass a longer name.
            what = f"&{selector[1].value} is no selector here"
            raise BadSelector(what, "write the whole name of the class in a rule of its own")
        text = parent + tinycss2.serialize(selector[1:])
    else:
        text = _replaced(selector, f":is({parent})" if alone else parent)
    if len(text) > _MAX_CHARACTERS:
        raise BadSelector("a nested selector grows too long when it is written out")
    tokens: list[Node] = tinycss2.parse_component_value_list(text)
    return tokens


def scoped(selector: Tokens, wrapper: str) -> str:
    """The selector, limited to the inside of `wrapper`. Raises BadSelector where it can't be.

    `:root`, `html`, `body`, `:host` and `:scope` mean the wrapper. With a condition of their own
    (`html.dark`, `:root[data-theme="dark"]`) they stay in front of it, and so does a bare
    `[data-theme]`: these are set on the page's root element. What shows a transition of views is a
    part of that element, and stays as it is: it names what moves.
    """
    rest = _trimmed(selector)
    if transition(rest):
        return tinycss2.serialize(rest)
    outside: list[str] = []
    at_wrapper = ""
    while rest:
        size = _compound(rest)
        compound, after = rest[:size], _trimmed(rest[size:])
        plain = _root_length(compound)
        if plain == 0 and not _is_theme(compound):
            break
        extra = compound[plain:]
        if not extra:
            pass
        elif _is_host(compound) or _has_pseudo_element(extra):
            at_wrapper += tinycss2.serialize(extra)
        else:
            outside.append(tinycss2.serialize(compound).replace(":scope", ":root"))
        if after and after[0].type == "literal" and after[0].value in "+~|":
            raise BadSelector("a selector reaches beside the component's block")
        if after and _is(after[0], ">"):
            after = _trimmed(after[1:])
            if after and not _root_length(after[: _compound(after)]):
                return _joined(outside, wrapper + at_wrapper, ">" + tinycss2.serialize(after))
        rest = after
        if at_wrapper:
            break
    return _joined(outside, wrapper + at_wrapper, tinycss2.serialize(rest))


def of_scope(selector: Tokens) -> list[Node]:
    """A selector of a rule right in a `@scope`; what begins with a combinator is written out."""
    if selector[0].type != "literal" or selector[0].value not in ">+~":
        return list(selector)
    text = f":where(:scope) {tinycss2.serialize(selector)}"
    tokens: list[Node] = tinycss2.parse_component_value_list(text)
    return tokens


def transition(selector: Tokens) -> bool:
    """Whether it selects what shows the transition of something with a name of its own."""
    return any(
        _is(one, ":") and _is(two, ":") and names_transition(pseudo)
        for one, two, pseudo in zip(selector, selector[1:], selector[2:], strict=False)
    )


def keyframe(prelude: Tokens) -> str | None:
    """Keyframe selectors: `from`, `to`, percentages; None for anything else."""
    types = ("ident", "percentage", "whitespace", "comment")
    if not all(t.type in types or (t.type == "literal" and t.value == ",") for t in prelude):
        return None
    return tinycss2.serialize([t for t in prelude if t.type != "comment"]).strip() or None


def _joined(outside: list[str], wrapper: str, rest: str) -> str:
    return " ".join(part for part in (*outside, wrapper, rest.strip()) if part)


def _trimmed(tokens: Tokens) -> list[Node]:
    """The tokens without comments, and without whitespace at both ends."""
    trimmed = [token for token in tokens if token.type != "comment"]
    while trimmed and trimmed[0].type == "whitespace":
        trimmed.pop(0)
    while trimmed and trimmed[-1].type == "whitespace":
        trimmed.pop()
    return trimmed


def _is(token: Node, mark: str) -> bool:
    return bool(token.type == "literal" and token.value == mark)


def _ampersands(tokens: Tokens) -> int:
    return sum(_is(token, "&") for token in walk(tokens))


def _has_ampersand(tokens: Tokens) -> bool:
    return _ampersands(tokens) > 0


def _replaced(tokens: Tokens, parent: str) -> str:
    """The tokens as text, with the parent for each `&`, also in `:not(&)`."""
    parts: list[str] = []
    for token in tokens:
        if _is(token, "&"):
            parts.append(parent)
        elif token.type == "function" and _has_ampersand(token.arguments):
            name = tinycss2.serialize([token]).partition("(")[0]
            parts.append(f"{name}({_replaced(token.arguments, parent)})")
        else:
            parts.append(token.serialize())
    return "".join(parts)


def _compound(tokens: Tokens) -> int:
    """How many tokens the first compound selector has."""
    for index, token in enumerate(tokens):
        if token.type == "whitespace" or (token.type == "literal" and token.value in ">+~"):
            return index
    return len(tokens)


def _root_length(compound: Tokens) -> int:
    """How many tokens at its start name the page's root: 0, 1 (`html`, `&`) or 2 (`:root`)."""
    if not compound:
        return 0
    first = compound[0]
    if first.type == "ident" and first.lower_value in _ROOTS:
        return 1
    if _is(first, "&"):
        return 1
    if _is(first, ":") and len(compound) > 1:
        second = compound[1]
        if second.type == "ident" and second.lower_value in _PSEUDO_ROOTS:
            return 2
    return 0


def _is_host(compound: Tokens) -> bool:
    if _is(compound[0], "&"):
        return True
    return len(compound) > 1 and compound[1].type == "ident" and compound[1].lower_value == "host"


def _is_theme(compound: Tokens) -> bool:
    """A lone `[data-theme="..."]`."""
    if len(compound) != 1 or compound[0].type != "[] block":
        return False
    inner = _trimmed(compound[0].content)
    return bool(inner and inner[0].type == "ident" and inner[0].lower_value == "data-theme")


def _has_pseudo_element(tokens: Tokens) -> bool:
    return any(_is(one, ":") and _is(two, ":") for one, two in pairwise(tokens))


class Written:
    """The selectors of a style rule, and what stands for them in rules nested in it."""

    def __init__(self, selectors: Sequence[Tokens]) -> None:
        self.selectors = selectors

    @cached_property
    def parents(self) -> Parents:
        """As rules nested in it need them: written once for all of them."""
        return Parents(self.selectors)
