"""Personal placeholders: `{{name}}` and `{{name|fallback}}` in texts; `{{{{` stands for `{{`.

The name is an ASCII identifier of at most 64 characters; blanks around the name and the fallback
are ignored; a fallback holds no braces. Everything else in braces (`{{`, `{{}}`, `{% if %}`,
`{{a.b}}`) is plain text. The browser fills placeholders from the URL's query; its two scripts have
the same pattern, which a test compares with this one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json, JsonObject

PLACEHOLDER = re.compile(
    r"\{\{\{\{|\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*(?:\|([^{}]*))?\}\}"
)

# Placeholders as other templates write them: a part of each is one here, or its fallback no text.
_FOREIGN = re.compile(
    r"(?<!\{)\{\{(?:"
    r"[ \t]*+(?P<outer>[A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*+\|[^{}]*+\{\{"
    r"|[ \t]*+(?P<filtered>[A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*+\|[ \t]*+(?:\||default[ \t]*+[:(]"
    r"|(?:capitalize|(?:low|upp)er(?:case)?|(?:up|down)case|escape|raw|safe|strip|trim)[ \t]*+\})"
    r"|\{[ \t]*+(?P<tripled>[A-Za-z_][A-Za-z0-9_]{0,63})[ \t]*+(?:\|[^{}]*+)?\}\}\})",
    re.ASCII,
)


def with_fallbacks(text: str) -> str:
    """The text with each placeholder replaced by its fallback or nothing, and `{{{{` by `{{`."""
    if "{{" not in text:
        return text
    return PLACEHOLDER.sub(lambda found: (found[2] or "").strip() if found[1] else "{{", text)


def has_placeholder(text: str) -> bool:
    """Whether a text holds a placeholder that the browser may fill."""
    return "{{" in text and any(found[1] for found in PLACEHOLDER.finditer(text))


def resolved_object(value: JsonObject) -> JsonObject:
    """A JSON object with the placeholders of all its strings replaced; keys stay as they are.

    Returns the very object where it holds no placeholder.
    """
    fresh = {name: resolved(part) for name, part in value.items()}
    return fresh if any(fresh[name] is not part for name, part in value.items()) else value


def resolved(value: Json) -> Json:
    """Any JSON value, as `resolved_object`."""
    if isinstance(value, str):
        return with_fallbacks(value)
    if isinstance(value, dict):
        return resolved_object(value)
    if isinstance(value, list):
        items = [resolved(part) for part in value]
        changed = any(new is not old for new, old in zip(items, value, strict=True))
        return items if changed else value
    return value


def placeholder_doubts(value: Json, at: str = "") -> Iterator[ValueProblem]:
    """Texts of a value that show braces or words of a template, since they are no placeholders.

    `at` is the JSON pointer to the value.
    """
    if isinstance(value, str):
        found = _FOREIGN.search(value) if "{{" in value else None
        if found is not None:
            yield ValueProblem(at, *_meant(found))
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from placeholder_doubts(part, at + json_pointer(name))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from placeholder_doubts(part, at + json_pointer(index))


def _meant(found: re.Match[str]) -> tuple[str, str]:
    name = printable(found[found.lastgroup or 0])
    if found.lastgroup == "outer":
        what = f"the placeholder {name} has another one in it: its braces stay as they are"
        return what, f"write a text as the fallback: {{{{{name}|text}}}}"
    if found.lastgroup == "filtered":
        return f"the fallback of {name} begins as in other templates", f"write {{{{{name}|text}}}}"
    return f"{name} stands in three braces: one of them is text", f"write {{{{{name}}}}}"
