"""What a reader takes from a TOML table, as a JSON Schema, so that an editor checks the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from robbieblocks.model import Json, JsonObject
from robbieblocks.source_files.problems import ProblemCollector
from robbieblocks.source_files.table import Table

_ANY_NAME: Final = "*"
_INTEGER: Final = {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1}


def outline(read: Callable[[Table], object]) -> dict[str, Any]:
    """The JSON Schema of the tables that a function reads: it is called once, with an empty one.

    All that it may take has to be taken of an empty table, too.
    """
    table = _Outline()
    read(table)
    return table.schema()


class _Outline(Table):
    """A table without values, which notes what is taken from it, and how."""

    def __init__(self) -> None:
        super().__init__({}, ProblemCollector(Path(), ()), Path(), "", {}, ())
        self._properties: dict[str, Any] = {}
        self._required: list[str] = []
        self._inner_tables: dict[str, tuple[_Outline, bool]] = {}

    def schema(self) -> dict[str, Any]:
        found = dict(self._properties)
        for name, (inner, is_list) in self._inner_tables.items():
            schema = inner.schema()
            found[name] = {"type": "array", "items": schema} if is_list else schema
        others = found.pop(_ANY_NAME, False)
        required = {"required": self._required} if self._required else {}
        return {"type": "object", "properties": found, "additionalProperties": others, **required}

    def _note(self, name: str, schema: dict[str, Any], *, required: bool = False) -> None:
        self._properties[name] = schema
        if required:
            self._required.append(name)

    def string(self, name: str, *, required: bool = False, most: int | None = None) -> str | None:
        longest = {} if most is None else {"maxLength": most}
        self._note(name, {"type": "string", **longest}, required=required)
        return None

    def integer(self, name: str, *, required: bool = False) -> int | None:
        self._note(name, {**_INTEGER}, required=required)
        return None

    def boolean(self, name: str, *, default: bool) -> bool:
        self._note(name, {"type": "boolean", "default": default})
        return default

    def strings(self, name: str) -> tuple[str, ...]:
        self._note(name, {"type": "array", "items": {"type": "string"}})
        return ()

    def texts(self, name: str) -> dict[str, str]:
        self._note(name, {"type": "object", "additionalProperties": {"type": "string"}})
        return {}

    def moment(self, name: str) -> datetime | None:
        self._note(name, {"type": "string", "format": "date-time"})
        return None

    def json_object(self, name: str) -> JsonObject:
        self.json(name)
        self._note(name, {"type": "object"})
        return {}

    def json(self, name: str) -> Json:
        self._note(name, {})
        self._note(f"{name}_json", {"type": "string"})
        return None

    def table(self, name: str) -> Table:
        inner, _ = self._inner_tables.setdefault(name, (_Outline(), False))
        return inner

    def tables(self, name: str) -> list[Table]:
        inner, _ = self._inner_tables.setdefault(name, (_Outline(), True))
        return [inner]

    def named_tables(self, *, dotted: bool = True) -> dict[str, Table]:  # noqa: ARG002 - the table's
        return {_ANY_NAME: self.table(_ANY_NAME)}

    def finish(self) -> None:
        """Nothing is left over."""

    def report(self, name: str, what: str, remedy: str = "", *, inside: str = "") -> None:
        """Nothing is wrong with no values."""
