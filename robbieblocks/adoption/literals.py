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
