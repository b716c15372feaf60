"""`node_branding/<node-id>.toml`, the reviewed source of a node's branding: text to row and back.

    node_id = "vengeance-local"
    node_name = "Vengeance"
    theme = "dark"
    base_url = "https://vengeance.example"
    enabled_apps = ["play", "code"]
    custom_css = '''
    ...'''
    custom_scripts = '''
    ...'''

    [tokens]
    "color.primary" = "#e5484d"

`node_id` and `node_name` are required. Tokens may be nested (`color = { primary = "..." }`).
Reading what `format_toml` wrote gives an equal row, but for overrides that are null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError
from tomlkit.items import Key, KeyType, SingleKey, String, StringType, Trivia

from robbieblocks.brand.tokens import THEMES, flattened, token_key_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import did_you_mean, printable
from robbieblocks.model import Json, NodeRow
from robbieblocks.names import NAME_REMEDY, NODE_LENGTH, app_problem, name_problem, text_problem

_TEXTS = ("node_id", "node_name", "theme", "base_url", "custom_css", "custom_scripts")
_KNOWN = frozenset({*_TEXTS, "enabled_apps", "tokens"})


def parse_toml(text: str, name: str) -> tuple[NodeRow | None, tuple[Problem, ...]]:
    """The row that a file describes, and what is wrong with it; None where an error was found.

    `name` is the file's name, for messages. Values of tokens and CSS are checked by `brand`.
    """
    reader = _Reader(text, name)
    row = reader.row()
    failed = any(problem.severity == "error" for problem in reader.problems)
    return (None if failed else row), tuple(reader.problems)


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self.problems: list[Problem] = []

    def row(self) -> NodeRow | None:
        values = self._values()
        if values is None:
            return None
        for key in values.keys() - _KNOWN:
            self._say(key, f"unknown key `{printable(key)}`", did_you_mean(key, _KNOWN))
        texts = {key: self._take_text(values, key) for key in _TEXTS}
        apps = self._apps(values.get("enabled_apps", []))
        overrides = self._tokens(values.get("tokens", {}))
        if texts["theme"]:
            overrides = {"theme": texts["theme"], **overrides}
        self._check(texts)
        return NodeRow(
            id=texts["node_id"],
            name=texts["node_name"],
            overrides=overrides,
            enabled_apps=apps,
            custom_css=texts["custom_css"],
            custom_scripts=texts["custom_scripts"],
            base_url=texts["base_url"],
        )

    def _values(self) -> dict[str, Any] | None:
        try:
            values: dict[str, Any] = tomlkit.parse(self._text).unwrap()
        except ParseError as error:
            what = re.sub(r" at line [0-9]+ col [0-9]+$", "", str(error))
            self._at(error.line, f"not TOML: {what}", "see https://toml.io", error.col + 1)
            return None
        except (TOMLKitError, ValueError, RecursionError) as error:
            self._at(None, f"not TOML: {error}", "see https://toml.io")
            return None
        return values

    def _check(self, texts: Mapping[str, str]) -> None:
        wrong = name_problem(texts["node_id"], longest=NODE_LENGTH)
        if wrong:
            self._say("node_id", f"node_id {wrong}", NAME_REMEDY)
        if not texts["node_name"].strip():
            self._say("node_name", "node_name is missing", 'such as node_name = "Vengeance"')
        if texts["theme"] and texts["theme"] not in THEMES:
            self._say(
                "theme",
                f"unknown theme: {printable(texts['theme'])}",
                f"known: {', '.join(THEMES)}",
            )

    def _take_text(self, values: Mapping[str, Any], key: str) -> str:
        value = values.get(key, "")
        if not isinstance(value, str):
            self._say(key, f"{key} is not a text", "put it in quotes")
            return ""
        wrong = text_problem(value)
        if wrong:
            self._say(key, f"{key} {wrong}", "remove it")
        return value

    def _apps(self, value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(app, str) for app in value):
            self._say(
                "enabled_apps", "enabled_apps is not a list of texts", 'such as ["play", "code"]'
            )
            return ()
        for app in value:
            wrong = app_problem(app)
            if wrong:
                self._say("enabled_apps", f"the app's name `{printable(app)}` {wrong}", NAME_REMEDY)
        return tuple(value)

    def _tokens(self, value: Any) -> dict[str, Json]:
        if not isinstance(value, dict):
            self._say(
                "tokens", "tokens is not a table", "write [tokens], and a line for each below it"
            )
            return {}
        try:
            flat = flattened(value)
        except ValueError as error:
            self._say("tokens", str(error), "say it once")
            return {}
        for key, token in flat.items():
            last = key.rpartition(".")[2]
            wrong = token_key_problem(key)
            if wrong or key == "theme":
                what = f"the token's key `{printable(key)}` {wrong or 'stands above [tokens]'}"
                self._say(
                    key, what, "use letters and digits, joined by single dots or dashes", last
                )
            elif not isinstance(token, str | int | float) or isinstance(token, bool):
                self._say(key, f"token {key} is not a text", "put the value in quotes", last)
        return value

    def _say(self, key: str, what: str, remedy: str, short: str | None = None) -> None:
        self._at(self._line_of(key) or (self._line_of(short) if short else None), what, remedy)

    def _at(self, line: int | None, what: str, remedy: str, column: int | None = None) -> None:
        lines = self._text.split("\n")
        self.problems.append(
            Problem(
                entity="node_branding",
                key=printable(self._name),
                what=what,
                remedy=remedy,
                line=line,
                column=column,
                source=lines[line - 1] if line and line <= len(lines) else "",
            )
        )

    def _line_of(self, key: str) -> int | None:
        """The first line that sets the key or opens its table; good enough to find it by."""
        quoted = re.escape(key)
        found = re.search(rf"""(?m)^\s*\[?\s*["']?{quoted}["']?\s*[\]=]""", self._text)
        found = found or re.search(rf"""["']?\b{quoted}["']?\s*=""", self._text)
        return self._text.count("\n", 0, found.start() + len(found[0])) + 1 if found else None


def format_toml(node: NodeRow) -> str:
    """The file that describes a row; equal rows give equal texts."""
    document = tomlkit.document()
    document["node_id"] = node.id
    document["node_name"] = node.name
    if "theme" in node.overrides:
        document["theme"] = node.overrides["theme"]
    if node.base_url:
        document["base_url"] = node.base_url
    document["enabled_apps"] = list(node.enabled_apps)
    for key, text in (("custom_css", node.custom_css), ("custom_scripts", node.custom_scripts)):
        if text:
            document[key] = _long_text(text)
    tokens = {key: value for key, value in node.overrides.items() if key != "theme"}
    if tokens:
        table = tomlkit.table()
        for key in sorted(tokens):
            if tokens[key] is not None:
                table.add(_quoted(key), _without_nulls(tokens[key]))
        document.add(tomlkit.nl())
        document["tokens"] = table
    return tomlkit.dumps(document)


def _quoted(key: str) -> Key:
    return SingleKey(key, t=KeyType.Basic)


def _without_nulls(value: Json) -> Json:
    if not isinstance(value, dict):
        return value
    table = tomlkit.inline_table()
    for key, part in sorted(value.items()):
        if part is not None:
            table.add(_quoted(key), _without_nulls(part))
    return table


def _long_text(text: str) -> String:
    """A text as a block between ''' lines where TOML can hold it so, else escaped in one line.

    TOML drops a line break right after the quotes, so one is written. A carriage return would come
    back changed, other control characters not at all.
    """
    plain = (
        "'''" not in text
        and not text.endswith("'")
        and not re.search(r"[^\n\t\x20-\x7e\x80-\U0010ffff]", text)
    )
    if plain and "\n" in text:
        return String(StringType.MLL, text, "\n" + text, Trivia())
    return tomlkit.string(text)


@dataclass(frozen=True, slots=True)
class Change:
    """One field of a node's branding that differs; None where it is not there."""

    field: str
    before: Json
    after: Json

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.field} = {_shown(self.after)}"
        if self.after is None:
            return f"- {self.field} = {_shown(self.before)}"
        return f"~ {self.field}: {_shown(self.before)} -> {_shown(self.after)}"


def diff(before: NodeRow | None, after: NodeRow | None) -> tuple[Change, ...]:
    """What changes from one row to another, field by field and token by token, sorted."""
    return tuple(_changes(_fields(before), _fields(after)))


def _changes(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[Change]:
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Change(name, before.get(name), after.get(name))


def _fields(node: NodeRow | None) -> dict[str, Json]:
    if node is None:
        return {}
    try:
        overrides = flattened(node.overrides)
    except ValueError:
        overrides = dict(node.overrides)
    fields: dict[str, Json] = {
        "node_id": node.id,
        "node_name": node.name,
        "base_url": node.base_url or None,
        "enabled_apps": list(node.enabled_apps) or None,
        "custom_css": node.custom_css or None,
        "custom_scripts": node.custom_scripts or None,
        "theme": overrides.pop("theme", None),
    }
    fields |= {f"tokens.{key}": value for key, value in overrides.items()}
    return {name: value for name, value in fields.items() if value is not None}


def _shown(value: Json) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_shown, value)) + "]"
    text = str(value)
    lines = text.count("\n")
    return f"{lines} lines" if lines > 1 else printable(text)
