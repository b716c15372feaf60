"""Font families that a token's value names."""

from __future__ import annotations

from collections.abc import Sequence

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_text import by_comma, css_string

GENERIC_FAMILIES = frozenset(
    {"serif", "sans-serif", "monospace", "cursive", "fantasy", "math", "emoji", "fangsong"}
    | {"system-ui", "ui-serif", "ui-sans-serif", "ui-monospace", "ui-rounded", "inherit", "initial"}
)
_SYSTEM_FAMILIES = frozenset(
    {"-apple-system", "blinkmacsystemfont", "segoe ui", "helvetica neue", "helvetica", "arial"}
    | {"georgia", "times new roman", "times", "courier new", "courier", "verdana", "tahoma"}
    | {"menlo", "monaco", "consolas", "sf mono", "cambria", "palatino", "trebuchet ms", "impact"}
)


# What a bare family's words may be: `Press Start 2P` ends in a dimension.
_FAMILY_WORDS = frozenset({"ident", "number", "dimension"})


def families(value: str) -> list[str]:
    """The families of a `font-family` value, in order; empty where the value is another one.

    It is taken for `font-family` where an item is quoted, generic, or written as names are, with a
    capital (`Inter`, `Press Start 2P`): `16px` and `bold` are not.
    """
    names: list[str] = []
    certain = False
    for nodes in by_comma(tinycss2.parse_component_value_list(value)):
        words = [node for node in nodes if node.type != "whitespace"]
        if len(words) == 1 and words[0].type == "string":
            names.append(words[0].value)
            certain = True
        elif (
            words and words[0].type == "ident" and all(node.type in _FAMILY_WORDS for node in words)
        ):
            names.append(" ".join(map(_word, words)))
            generic = names[-1].lower() in GENERIC_FAMILIES
            certain = certain or generic or any(map(str.isupper, words[0].value))
        else:
            return []
    return names if certain else []


def valid_families(value: str) -> str:
    """A `font-family` value as CSS takes it: a bare name with a number in it gets its quotes."""
    parts = by_comma(tinycss2.parse_component_value_list(value))
    names = families(value)
    if all(node.type in ("ident", "string", "whitespace") for nodes in parts for node in nodes):
        return value
    return (
        ", ".join(
            css_string(name)
            if any(node.type in ("number", "dimension") for node in nodes)
            else tinycss2.serialize(nodes).strip()
            for name, nodes in zip(names, parts, strict=True)
        )
        if names
        else value
    )


def _word(node: Node) -> str:
    text: str = node.value if node.type == "ident" else node.serialize()
    return text


def not_installed(names: Sequence[str]) -> list[str]:
    """The families of a list that are neither generic nor common on visitors' machines."""
    return [name for name in names if name.lower() not in GENERIC_FAMILIES | _SYSTEM_FAMILIES]
