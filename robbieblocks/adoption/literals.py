"""Reads values that are written down in code, as far as JSON has them too."""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node

from robbieblocks.adoption.syntax import text_of
from robbieblocks.model import Json

_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?")


class NotPlain(Exception):
    """A type that JSON has no values for; the text says which."""


def listed(node: Node | None, *, keys: bool) -> list[Json]:
    """The items of an array or the values of an object, or its keys. Raises NotPlain."""
    while node is not None and node.type in ("as_expression", "satisfies_expression"):
        node = node.named_children[0]
    inner = node.named_children if node is not None else []
    if node is not None and node.type == "array" and not keys:
        return [literal(each) for each in inner]
    if node is None or node.type != "object" or any(each.type != "pair" for each in inner):
        raise NotPlain("what is listed is not written down")
    names = [text_of(each.child_by_field_name("key")).strip("\"'") for each in inner]
    values = [each.child_by_field_name("value") for each in inner]
    return list(names) if keys else [literal(each) for each in values if each is not None]


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
