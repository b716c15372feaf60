"""The values of tokens, as rows have them."""

from __future__ import annotations

from collections.abc import Iterator

from robbieblocks.checks.finding import Checked
from robbieblocks.checks.sources import Place
from robbieblocks.messages import json_pointer
from robbieblocks.model import Json


def each_token(checked: Checked, category: str = "") -> Iterator[tuple[str, Place]]:
    """Each text, with its place: defaults, and what nodes have in their place, nested ones too.

    `category` leaves the tokens of all others out.
    """
    content = checked.inspection.content
    wanted = {token.key for token in content.tokens if category in ("", token.category)}
    for token in content.tokens:
        if token.key in wanted:
            yield token.default, Place("style_token", token.key, "default_value")
    for node in content.nodes:
        pending: list[tuple[tuple[str, ...], Json]] = [((), node.overrides)]
        while pending:
            path, value = pending.pop()
            if isinstance(value, dict):
                pending += reversed([((*path, name), inner) for name, inner in value.items()])
            elif isinstance(value, str) and (not category or ".".join(path) in wanted):
                pointer = json_pointer(*path)
                yield value, Place("node_branding", node.id, "style_overrides", pointer)
