"""A TOML file as a table whose values are taken by name and kind.

Every mistake becomes a problem with file and line; so does every key that nobody took.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import TypeAlias, TypeVar

from robbieblocks.messages import did_you_mean, nearest, printable
from robbieblocks.model import Json, JsonObject
from robbieblocks.source_files.lines import Place, line_of
from robbieblocks.source_files.problems import ProblemCollector, source_line

_NUL = "holds a NUL character, which Postgres can't store"

TomlValue: TypeAlias = (
    "str | bool | int | float | datetime | date | time | list[TomlValue] | dict[str, TomlValue]"
)
TomlTable: TypeAlias = dict[str, TomlValue]
T = TypeVar("T")
_UNKNOWN_MAX = 20
_OF_A_VALUE = frozenset({"value", "category", "description"})


@dataclass(slots=True)
class Table:
    """A TOML table. `finish` reports the keys that were not taken.

    `source` is the file's text, `places` the lines of its keys, `path` this table's place in it.
    """

    values: TomlTable
    collector: ProblemCollector
    file: Path
    source: str
    places: dict[Place, int]
    path: Place
    taken: set[str] = field(default_factory=set[str])

    def string(self, name: str, *, required: bool = False, most: int | None = None) -> str | None:
        """A string of at most `most` characters, or None where it is not there."""
        value = self._of_type(name, str, f'a string, e.g. {name} = "..."', required=required)
        if value is None:
            return None
        if "\0" in value:
            self.report(name, _NUL)
            return None
        if most is not None and len(value) > most:
            self.report(name, f"is {len(value)} characters long; its column holds {most}")
        return value

    def integer(self, name: str, *, required: bool = False) -> int | None:
        """A whole number that fits a Postgres integer."""
        value = self._of_type(name, int, f"a whole number, e.g. {name} = 1", required=required)
        if value is not None and not -(2**31) <= value < 2**31:
            self.report(name, "is out of the range of a Postgres integer")
            return None
        return value

    def boolean(self, name: str, *, default: bool) -> bool:
        """`true` or `false`."""
        value = self._of_type(name, bool, "true or false")
        return default if value is None else value

    def strings(self, name: str) -> tuple[str, ...]:
        """An array of strings; empty where it is not there."""
        found = self._list_of(name, str, f'an array of strings, e.g. {name} = ["..."]')
        if any("\0" in each for each in found):
            self.report(name, _NUL)
            return ()
        return tuple(found)

    def texts(self, name: str) -> dict[str, str]:
        """A table of strings by name; empty where it is not there."""
        value = self._take(name)
        items = value if isinstance(value, dict) else {}
        found = {key: text for key, text in items.items() if isinstance(text, str)}
        if value is not None and (not isinstance(value, dict) or len(found) < len(items)):
            self.report(name, f'must be a table of strings, e.g. {name} = {{ key = "..." }}')
            return {}
        return found

    def moment(self, name: str) -> datetime | None:
        """A time with its offset, as TOML writes it (RFC 3339)."""
        expected = "a time with its offset, e.g. 2025-01-09T12:00:00Z"
        value = self._of_type(name, datetime, expected)
        if value is not None and value.tzinfo is None:
            self.report(name, f"must be {expected}")
            return None
        return value

    def json_object(self, name: str) -> JsonObject:
        """A table as a JSON object; `<name>_json` may hold it as JSON text instead."""
        value = self.json(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.report(name, f"must be a table, e.g. {name} = {{ }}")
            return {}
        return value

    def json(self, name: str) -> Json:
        """A JSON value, from `<name>` or from the JSON text in `<name>_json`."""
        text_name = f"{name}_json"
        if text_name in self.values:
            if name in self.values:
                self.report(text_name, f"and {name} can't both be given")
            text = self.string(text_name)
            line = line_of(self.places, (*self.path, text_name)) or 1
            if text is None:
                return None
            return self.collector.parse_row_json(self.file, text, first_line=line)
        value = self._take(name)
        return None if value is None else self._as_json((name,), value)

    def table(self, name: str) -> Table:
        """A table (`[name]`); one without keys where it is not there."""
        value = self._take(name)
        if value is not None and not isinstance(value, dict):
            self.report(name, f"must be a table: [{name}]")
        return self._inner(value if isinstance(value, dict) else {}, name)

    def tables(self, name: str) -> list[Table]:
        """The tables of an array (`[[name]]`)."""
        found: list[TomlTable] = self._list_of(name, dict, f"an array of tables: [[{name}]]")
        return [self._inner(values, name, index) for index, values in enumerate(found)]

    def _inner(self, values: TomlTable, *path: str | int) -> Table:
        return Table(
            values, self.collector, self.file, self.source, self.places, (*self.path, *path)
        )

    def named_tables(self, *, dotted: bool = True) -> dict[str, Table]:
        """Every key of this table as a table, `{ value = ... }`; what is none is a problem.

        Where keys may be `dotted`, one that is not quoted is a problem.
        """
        found: dict[str, Table] = {}
        self._check_keys((), self.values)
        for name in self.values:
            value = self._take(name)
            if isinstance(value, dict) and dotted and _is_split(name, value):
                inner = next(iter(value))
                said = printable(f"{name}.{inner}")
                what = "is split at its dot, which makes it two keys"
                self.report(name, what, f'quote the key: "{said}" = ...', inside=inner)
            elif isinstance(value, dict):
                found[name] = self._inner(value, name)
            else:
                self.report(name, 'must be a table, e.g. { value = "...", description = "..." }')
        return found

    def finish(self) -> None:
        """Report every key that was not taken: a misspelt key must not be ignored silently."""
        unknown = [name for name in self.values if name not in self.taken]
        # Finding what is like a name takes time, and a file may have very many.
        for name in unknown[:_UNKNOWN_MAX]:
            self.report(name, "is unknown here", did_you_mean(name, self.taken))
        if more := len(unknown[_UNKNOWN_MAX:]):
            self.report(unknown[_UNKNOWN_MAX], f"is unknown here, and so are {more - 1:,} after it")

    @property
    def line(self) -> int | None:
        """The line on which this table starts."""
        return line_of(self.places, self.path)

    def report(self, name: str, what: str, remedy: str = "", *, inside: str = "") -> None:
        """Collect what is wrong with the value of a key.

        `inside` is a dotted key in a table value; the line is that of the key, if it has one.
        """
        place: Place = (*self.path, name)
        if inside:
            quoted = (*place, inside)
            place = quoted if quoted in self.places else (*place, *inside.split("."))
        self._add(place, f"{name} {what}", remedy or "mend the value")

    def _add(self, place: Place, what: str, remedy: str) -> None:
        line = line_of(self.places, place)
        source = source_line(self.source, line)
        self.collector.add(self.file, what, remedy, line=line, source=source)

    def _of_type(
        self, name: str, kind: type[T], expected: str, *, required: bool = False
    ) -> T | None:
        value = self._take(name, required=required)
        # To Python, a bool is an int too.
        if isinstance(value, bool) == (kind is bool) and isinstance(value, kind):
            return value
        if value is not None:
            self.report(name, f"must be {expected}")
        return None

    def _list_of(self, name: str, kind: type[T], expected: str) -> list[T]:
        value = self._take(name)
        items = value if isinstance(value, list) else []
        found: list[T] = [item for item in items if isinstance(item, kind)]
        if value is not None and (not isinstance(value, list) or len(found) < len(items)):
            self.report(name, f"must be {expected}")
            return []
        return found

    def _take(self, name: str, *, required: bool = False) -> TomlValue | None:
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

    def _as_json(self, path: Place, value: TomlValue) -> Json:
        """The value as JSON; None in place of what JSON can't hold, with a problem."""
        if isinstance(value, dict):
            self._check_keys(path, value)
            return {key: self._as_json((*path, key), inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self._as_json((*path, index), inner) for index, inner in enumerate(value)]
        if isinstance(value, float) and not math.isfinite(value):
            what = "is not a finite number, which JSON can't hold"
        elif isinstance(value, str) and "\0" in value:
            what = _NUL
        elif isinstance(value, str | bool | int | float):
            return value
        else:
            what = "is a TOML date or time, which JSON can't hold; write it in quotes"
        name = ".".join(map(str, path))
        self._add((*self.path, *path), f"{name} {what}", "write another value")
        return None

    def _check_keys(self, path: Place, values: TomlTable) -> None:
        for key in values:
            if "\0" in key:
                place = (*self.path, *path, key)
                self._add(place, f"the key {printable(key)} {_NUL}", "rename it")


def _is_split(name: str, value: TomlTable) -> bool:
    """Whether a table is the first part of an unquoted key, as in `color.leaf = ...`."""
    misspelt = any(nearest(key, _OF_A_VALUE) for key in islice(value, _UNKNOWN_MAX))
    return bool(value) and "." not in name and not misspelt
