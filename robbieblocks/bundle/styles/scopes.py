"""What `@scope` says of a part of a component (CSS Cascading and Inheritance 6)."""

from __future__ import annotations

from collections.abc import Sequence

import tinycss2
from tinycss2.ast import Node

from robbieblocks.bundle.styles.selectors import BadSelector, Tokens, scoped, split


def scope_prelude(prelude: Tokens, wrapper: str, *, is_inner: bool) -> str:
    """`(.card) to (.content)`, limited to the inside of `wrapper`, which is what no selector means.

    That of an inner `@scope` is limited by the outer one. Raises BadSelector.
    """
    said = [token for token in prelude if token.type not in ("whitespace", "comment")]
    start = said.pop(0) if said and said[0].type == "() block" else None
    head = wrapper
    if start is not None:
        parts = split(start.content)
        texts = [tinycss2.serialize(each) if is_inner else scoped(each, wrapper) for each in parts]
        head = ",".join(texts)
    return f"({head}){_end(said)}"


def _end(said: Sequence[Node]) -> str:
    if not said:
        return ""
    word, *rest = said
    is_to = word.type == "ident" and word.lower_value == "to"
    if not is_to or [each.type for each in rest] != ["() block"]:
        what = "no browser reads what stands behind @scope"
        raise BadSelector(what, "write @scope (.card) to (.content)")
    return f" to ({','.join(map(tinycss2.serialize, split(rest[0].content)))})"
