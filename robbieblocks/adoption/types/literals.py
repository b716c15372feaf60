"""Reads values that are written down in code, as far as JSON has them too."""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node

from robbieblocks.adoption.sources.syntax import parts_of, text_of
from robbieblocks.model import Json

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


class NotPlain(Exception):
    """A type that JSON has no values for; the text says which."""


class TooManyTypes(Exception):
    """Types that name each other multiply beyond what anyone reads."""


def members(node: Node | None) -> tuple[dict[str, Node], bool]:
    """The items of an array by their number, or the values of an object by their key.

    Beside them, whether `as const` says that they stay as they are. Raises NotPlain.
    """
    is_const = False
    while node is not None and node.type in ("as_expression", "satisfies_expression"):
        is_const = is_const or any(each.type == "const" for each in node.children)
        node = node.named_children[0]
    inner = parts_of(node)
    if node is not None and node.type == "array":
        return {str(number): each for number, each in enumerate(inner)}, is_const
    if node is None or node.type != "object" or any(each.type != "pair" for each in inner):
        raise NotPlain("what is listed is not written down")
    found: dict[str, Node] = {}
    for pair in inner:
        value = pair.child_by_field_name("value")
        if value is not None:
            found[text_of(pair.child_by_field_name("key")).strip("\"'")] = value
    return found, is_const


def literal(node: Node) -> Json:
    """The value of a literal. Raises NotPlain for what is none."""
    text = text_of(node)
    match node.type:
        case "string" if "\\" not in text:
            return text[1:-1]
        case "template_string" if "\\" not in text and "${" not in text:
            return text[1:-1]
        case "number" | "unary_expression" if _NUMBER.fullmatch(text) and len(text) < 16:
            return float(text) if "." in text else int(text)
        case "true" | "false":
            return text == "true"
        case "null":
            return None
        case "array" if not node.named_children:
            return []
        case "object" if not node.named_children:
            return {}
        case _:
            raise NotPlain(f"{text[:60]} is no plain value")
