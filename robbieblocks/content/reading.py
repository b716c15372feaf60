"""Reading one file of a content folder: every mistake becomes a Problem with file and line."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from robbieblocks.content.lines import Place, key_lines, line_of
from robbieblocks.errors import Problem
from robbieblocks.model import Json, JsonObject

_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")


@dataclass(slots=True)
class ProblemCollector:
    """Collects what is wrong, so that one load reports all of it. `root` shortens the paths."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def shown(self, file: Path) -> str:
        """A file as messages name it."""
        return (
            file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else str(file)
        )

    def text(self, file: Path) -> str | None:
        """A file's UTF-8, byte for byte (no newline translation), or None with a Problem."""
        try:
            text = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            self._add(
                file,
                f"is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}",
                "save the file as UTF-8",
            )
            return None
        except OSError as error:
            self._add(
                file,
                f"can't be read: {error.strerror or error}",
                "check the file and its permissions",
            )
            return None
        if "\0" in text:
            self._add(
                file,
                "holds a NUL character, which Postgres can't store",
                "remove it",
                line=text[: text.index("\0")].count("\n") + 1,
            )
            return None
        return text

    def toml(self, file: Path) -> Table | None:
        """A TOML file as a table to take values from, or None with a Problem."""
        text = self.text(file)
        if text is None:
            return None
        try:
            values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            line, column, what = _syntax_place(str(error), text)
            self._add(
                file,
                f"is not valid TOML: {what}",
                "see https://toml.io/en/v1.0.0",
                line=line,
                column=column,
                source=_line(text, line),
            )
            return None
        return Table(values, self, file, text, key_lines(text), ())

    def json(self, file: Path) -> Json:
        """A JSON file's value, or None with a Problem."""
        text = self.text(file)
        return None if text is None else self.parse_json(file, text)

    def parse_json(self, file: Path, text: str, *, first_line: int = 1) -> Json:
        """The value of a JSON text that starts on a line of a file, or None with a Problem."""
        try:
            return json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            self._add(
                file,
                f"is not valid JSON: {error.msg}",
                "see RFC 8259",
                line=first_line + error.lineno - 1,
                column=error.colno,
                source=_line(text, error.lineno),
            )
        except (ValueError, RecursionError) as error:
            self._add(file, f"is not valid JSON: {error}", "see RFC 8259")
        return None

    def _add(
        self,
        file: Path,
        what: str,
        remedy: str,
        *,
        line: int | None = None,
        column: int | None = None,
        source: str = "",
    ) -> None:
        self.problems.append(
            Problem(
                entity="file",
                key=self.shown(file),
                what=what,
                remedy=remedy,
                line=line,
                column=column,
                source=source,
            )
        )

    def add(
        self, file: Path, what: str, remedy: str, *, line: int | None = None, source: str = ""
    ) -> None:
        """Notes one mistake in a file."""
        self._add(file, what, remedy, line=line, source=source)


@dataclass(slots=True)
class Table:
    """A TOML table whose values are taken by name and kind; what is left over is a mistake."""

    values: dict[str, Any]
    collector: ProblemCollector
    file: Path
    source: str
    places: dict[Place, int]
    path: Place
    taken: set[str] = field(default_factory=set)

    def string(self, name: str, *, required: bool = False, most: int | None = None) -> str | None:
        """A string of at most `most` characters, or None where it is not there."""
        value = self._take(name, required=required)
        if value is None:
            return None
        if not isinstance(value, str):
            self._wrong(name, f'must be a string, e.g. {name} = "..."')
            return None
        if "\0" in value:
            self._wrong(name, "holds a NUL character, which Postgres can't store")
            return None
        if required and not value.strip():
            self._wrong(name, "must not be empty")
        if most is not None and len(value) > most:
            self._wrong(name, f"is {len(value)} characters long; its column holds {most}")
        return value

    def integer(
        self, name: str, *, default: int | None = None, required: bool = False
    ) -> int | None:
        """A whole number that fits a Postgres integer."""
        value = self._take(name, required=required)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(name, f"must be a whole number, e.g. {name} = 1")
            return default
        if not -(2**31) <= value < 2**31:
            self._wrong(name, "is out of the range of a Postgres integer")
            return default
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        """`true` or `false`."""
        value = self._take(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self._wrong(name, "must be true or false")
            return default
        return value

    def strings(self, name: str) -> tuple[str, ...]:
        """An array of strings; empty where it is not there."""
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._wrong(name, f'must be an array of strings, e.g. {name} = ["..."]')
            return ()
        return tuple(value)

    def moment(self, name: str) -> datetime | None:
        """A time with its offset, as TOML writes it (RFC 3339)."""
        value = self._take(name)
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            self._wrong(name, "must be a time with its offset, e.g. 2025-01-09T12:00:00Z")
            return None
        return value

    def json_object(self, name: str) -> JsonObject:
        """A table as a JSON object; `<name>_json` may hold it as JSON text instead."""
        value = self.json(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._wrong(name, f"must be a table, e.g. {name} = {{ }}")
            return {}
        return value

    def json(self, name: str) -> Json:
        """Any value that JSON has a word for, from `<name>` or as text from `<name>_json`."""
        text_name = f"{name}_json"
        if text_name in self.values:
            if name in self.values:
                self._wrong(text_name, f"and {name} can't both be given")
            text = self.string(text_name)
            line = self._line(text_name) or 1
            return (
                None
                if text is None
                else self.collector.parse_json(self.file, text, first_line=line)
            )
        value = self._take(name)
        return None if value is None else self._as_json((name,), value)

    def tables(self, name: str) -> list[Table]:
        """An array of tables (`[[name]]`), each to be taken from in its turn."""
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self._wrong(name, f"must be an array of tables: [[{name}]]")
            return []
        return [self.inner(item, name, index) for index, item in enumerate(value)]

    def inner(self, values: dict[str, Any], *path: str | int) -> Table:
        """A table inside this one."""
        return Table(
            values, self.collector, self.file, self.source, self.places, (*self.path, *path)
        )

    def named_tables(self) -> dict[str, Table]:
        """Every key of this table as a table of its own; what is no table is a Problem."""
        found = {}
        for name in self.values:
            value = self._take(name)
            if isinstance(value, dict):
                found[name] = self.inner(value, name)
            else:
                self._wrong(name, 'must be a table, e.g. { value = "...", description = "..." }')
        return found

    def finish(self) -> None:
        """Notes every key that nobody took: a misspelt key must not be lost in silence."""
        for name in self.values:
            if name not in self.taken:
                self._wrong(name, "is unknown here", f"known are: {', '.join(sorted(self.taken))}")

    @property
    def line(self) -> int | None:
        """The line on which this table starts."""
        return line_of(self.places, self.path)

    def wrong(self, name: str, what: str, remedy: str = "") -> None:
        """Notes what is wrong with the value of a key."""
        self._wrong(name, what, remedy)

    def _take(self, name: str, *, required: bool = False) -> Any:
        self.taken.add(name)
        value = self.values.get(name)
        if value is None and required:
            where = ".".join(str(part) for part in self.path)
            self.collector.add(
                self.file,
                f"lacks {name}" + (f" in {where}" if where else ""),
                f'add {name} = "..."',
                line=self.line,
            )
        return value

    def _wrong(self, name: str, what: str, remedy: str = "") -> None:
        line = self._line(name)
        self.collector.add(
            self.file,
            f"{name} {what}",
            remedy or "mend the value",
            line=line,
            source=_line(self.source, line),
        )

    def _line(self, name: str) -> int | None:
        return line_of(self.places, (*self.path, name))

    def _as_json(self, path: Place, value: Any) -> Json:
        """The value with nothing in it that JSON can't say, such as TOML's times."""
        if isinstance(value, dict):
            return {key: self._as_json((*path, key), inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._as_json((*path, index), inner) for index, inner in enumerate(value)]
        if isinstance(value, float) and (value != value or abs(value) == float("inf")):
            return self._unsayable(path, "is not a finite number, which JSON can't hold")
        if isinstance(value, str) and "\0" in value:
            return self._unsayable(path, "holds a NUL character, which Postgres can't store")
        if isinstance(value, str | bool | int | float):
            return value
        return self._unsayable(
            path, "is a TOML date or time, which JSON can't hold; write it in quotes"
        )

    def _unsayable(self, path: Place, what: str) -> None:
        line = line_of(self.places, (*self.path, *path))
        self.collector.add(
            self.file,
            f"{'.'.join(map(str, path))} {what}",
            "write another value",
            line=line,
            source=_line(self.source, line),
        )


def _syntax_place(message: str, text: str) -> tuple[int, int | None, str]:
    """Line and column out of tomllib's message, and the message without them."""
    match = _AT_LINE.search(message)
    what = _AT_LINE.sub("", message)
    if match is None or match[1] is None:
        return text.rstrip("\n").count("\n") + 1, None, what + " at the end of the file"
    return int(match[1]), int(match[2]), what


def _line(text: str, number: int | None) -> str:
    lines = text.split("\n")
    return lines[number - 1].rstrip("\r") if number is not None and number <= len(lines) else ""


def _no_constant(name: str) -> Callable[[], None]:
    raise ValueError(f"{name} is no JSON number")
