"""Checks the rules that Tailwind makes of a class name.

Class names come from stored texts and may be hostile. A rule is used only if it styles the element
that has the class, or what is in it, and names no address on another site.
"""

from __future__ import annotations

from collections.abc import Sequence

import tinycss2
from tinycss2.ast import AtRule, Node, QualifiedRule

from robbieblocks.css_text import by_comma, foreign_urls

_GROUPS = frozenset({"media", "supports", "container", "starting-style"})


def safe_rules(word: str, css: str) -> tuple[str, dict[str, str]] | None:
    """A class's rules, and the @property rules they need by name; None where one is not safe."""
    rules: list[str] = []
    properties: dict[str, str] = {}
    for rule in tinycss2.parse_stylesheet(css, True, True):
        if isinstance(rule, AtRule) and rule.lower_at_keyword == "property":
            name = tinycss2.serialize(rule.prelude).strip()
            if not name.startswith("--tw-"):
                return None
            properties[name] = rule.serialize()
        elif _safe(word, rule):
            rules.append(flat(rule))
        else:
            return None
    return ("".join(rules), properties) if rules else None


def flat(rule: Node) -> str:
    """The rule with conditions around it that were nested in it, as older browsers need it."""
    if not isinstance(rule, QualifiedRule):
        return str(rule.serialize())
    selector = tinycss2.serialize(rule.prelude).strip()

    def written(content: Sequence[Node]) -> str:
        parts: list[str] = []
        declarations = ""
        for each in tinycss2.parse_blocks_contents(content, True, True):
            if isinstance(each, AtRule):
                condition = tinycss2.serialize(each.prelude).strip()
                parts.append(
                    f"@{each.lower_at_keyword} {condition}{{{written(each.content or ())}}}"
                )
            else:
                declarations += each.serialize() + ";"
        return (f"{selector}{{{declarations}}}" if declarations else "") + "".join(parts)

    return written(rule.content)


def _safe(word: str, rule: Node, *, inside: bool = False) -> bool:
    """Whether a rule styles only the element with the class, or what it holds."""
    if isinstance(rule, QualifiedRule):
        selects = inside or _selects(word, rule.prelude)
        return selects and not _ends_early(rule.prelude) and _safe_content(word, rule.content)
    if isinstance(rule, AtRule) and rule.lower_at_keyword in _GROUPS and rule.content is not None:
        if any(token.type == "error" for token in rule.prelude) or any(foreign_urls(rule.prelude)):
            return False
        if inside:
            return _safe_content(word, rule.content)
        found = tinycss2.parse_blocks_contents(rule.content, True, True)
        return all(_safe(word, each) for each in found)
    return False


def _safe_content(word: str, content: Sequence[Node]) -> bool:
    if any(foreign_urls(content)):
        return False
    for each in tinycss2.parse_blocks_contents(content, True, True):
        if each.type == "declaration":
            if any(token.type == "error" for token in each.value):
                return False
        elif not (isinstance(each, AtRule) and _safe(word, each, inside=True)):
            return False
    return True


def _ends_early(prelude: Sequence[Node]) -> bool:
    return any(t.type == "error" or (t.type == "literal" and t.value == ";") for t in prelude)


def _selects(word: str, selector: Sequence[Node]) -> bool:
    """Whether each selector of the list applies to an element only where it has the class.

    `body:has(.x)` names the class and styles the body, so the inside of `:has` and `:not` does not
    count.
    """
    return all(_names(word, part) for part in by_comma(selector))


def _names(word: str, part: Sequence[Node]) -> bool:
    for before, token in zip([None, *part], part, strict=False):
        if token.type == "ident" and token.value == word:
            named = before is not None and before.type == "literal" and before.value == "."
        else:
            named = (
                token.type == "function"
                and token.lower_name in ("is", "where")
                and _selects(word, token.arguments)
            )
        if named:
            return True
    return False
