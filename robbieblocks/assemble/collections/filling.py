"""Fills a row's values into routes, texts and metadata of the page that is made of it.

In texts `{$row.name}` is the row's column `name`; in metadata `{"$row": "name"}` is its value, of
whatever type. Neither can be mistaken for a visitor's placeholder, which has two braces, and what a
row says never becomes one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.assemble.placeholders import PLACEHOLDER
from robbieblocks.assemble.values import MAX_DEPTH, ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import COLUMN_IN_ROUTE, CollectionRow, Json, JsonObject, doubled_text

ROW: Final = "$row"
IN_TEXT: Final = re.compile(r"\{\$row\.([A-Za-z_][A-Za-z0-9_]{0,62})\}")


@dataclass(slots=True)
class Filling:
    """Fills the values of one row into texts; `problems` are what is wrong with a template's.

    With `placeholders` the texts hold those for visitors: the template's own stay, and `{{` of
    anything else is doubled.
    """

    row: CollectionRow
    placeholders: bool = False
    problems: list[ValueProblem] = field(default_factory=list[ValueProblem])

    def text(self, text: str, at: str = "") -> str:
        """A text with values in place of the names of columns."""
        if "{$row." not in text:
            return text
        if not self.placeholders:
            return self._filled(text, at)
        made = plain = ""
        end = 0
        for found in PLACEHOLDER.finditer(text):
            plain += self._filled(text[end : found.start()], at)
            end = found.end()
            if found[1]:
                made, plain = f"{made}{doubled_text(plain)}{found[0]}", ""
            else:
                plain += "{{"
        # Two values, or a value and a brace of the template, may make a placeholder together.
        return made + doubled_text(plain + self._filled(text[end:], at))

    def json(self, value: Json, at: str = "", depth: int = 0) -> Json:
        """A value of metadata, filled at any depth; the very value where it names no column."""
        if isinstance(value, str):
            return self.text(value, at)
        if depth > MAX_DEPTH:
            return value
        if isinstance(value, dict):
            if [*value] == [ROW]:
                return self.column(value[ROW], at)
            fresh = {
                name: self.json(part, at + json_pointer(name), depth + 1)
                for name, part in value.items()
            }
            return fresh if any(fresh[name] is not part for name, part in value.items()) else value
        if isinstance(value, list):
            items = [self.json(part, f"{at}/{n}", depth + 1) for n, part in enumerate(value)]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        return value

    def column(self, name: Json, at: str) -> Json:
        """The value of a column; null, with a problem, where the row has none of that name."""
        values = self.row.shown if self.placeholders else self.row.values
        if isinstance(name, str) and name in values:
            return values[name]
        self.problems.append(no_column(name, values, at))
        return None

    def _filled(self, text: str, at: str) -> str:
        return IN_TEXT.sub(lambda found: self._as_text(found[1], at), text)

    def _as_text(self, name: str, at: str) -> str:
        values = self.row.values
        if name not in values:
            self.problems.append(no_column(name, values, at))
            return ""
        value = values[name]
        if isinstance(value, str):
            return value
        if value is None or isinstance(value, bool):
            return {None: "", True: "true", False: "false"}[value]
        if isinstance(value, int | float):
            return str(value)
        kind = "a list" if isinstance(value, list) else "an object"
        what = f"the column {printable(name)} is {kind}, and no text"
        self.problems.append(ValueProblem(at, what, "name another column"))
        return ""


def with_columns(props: Json, columns: JsonObject, depth: int = 0) -> Json:
    """Stored props with a row's values in place of the names of its columns."""
    if depth > MAX_DEPTH:
        return props
    if isinstance(props, dict):
        if [*props] == [ROW] and isinstance(name := props[ROW], str):
            return columns.get(name, props)
        return {key: with_columns(part, columns, depth + 1) for key, part in props.items()}
    if isinstance(props, list):
        return [with_columns(part, columns, depth + 1) for part in props]
    return props


def no_column(name: Json, columns: JsonObject, at: str) -> ValueProblem:
    """That a row has no such column."""
    said = printable(name) if isinstance(name, str) else "anything but a text names"
    remedy = did_you_mean(name, columns) if isinstance(name, str) else "write a column's name"
    return ValueProblem(at, f"the collection has no column {said}", remedy)


def filled_route(route: str, values: JsonObject) -> str | tuple[str, str, str]:
    """A collection's route with a row's values; or the column at fault, what, and the remedy.

    Each column fills a part of the route, or some of one: no value leads to another folder.
    """
    for name in COLUMN_IN_ROUTE.findall(route):
        value = values.get(name)
        if value is None or value == "":
            return name, "is empty, and the route needs it", "fill it in, or leave the row out"
        if isinstance(value, bool) or not isinstance(value, str | int):
            return name, "is neither a text nor a whole number", "name another column in the route"
        if "/" in str(value):
            what = f"is `{printable(str(value))}`, which would be several parts of the route"
            return name, what, "take / out of it"
    return COLUMN_IN_ROUTE.sub(lambda found: str(values[found[1]]), route)
