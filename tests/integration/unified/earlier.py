"""A database as the earlier schema files left it, with rows in every table, from its inventory."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Placeholder

from tools.fill_schema.catalogue import allowed_words

_INVENTORY = Path(__file__).parents[2] / "fixtures" / "earlier-unified-schema.json"
_ROWS = (1, 2)
_DEFAULT = re.compile(r"^(\w+) (.+?)( not null)?(?: default (.*))?$")
_SERIAL = re.compile(r"^(\w+) integer not null default nextval\(.*$")
# The inventory tells a generated column as a default that names columns.
_GENERATED = re.compile(r" default (.*COALESCE.*)$", re.DOTALL)
# What makes a table, and the columns that a view shows.
_VIEW_COLUMN = re.compile(r", (?=[a-z_]+ [a-z])")
_TOWN_VIEW = re.compile(r"(aurora|collaboration|fluenti|vengeance)_(\w+)")

Inventory = dict[str, Any]


def inventory() -> Inventory:
    """The inventory: tables by file with columns, keys and references; views; functions."""
    return cast("Inventory", json.loads(_INVENTORY.read_text(encoding="utf-8")))


def tables(found: Inventory, *, as_left: bool) -> dict[str, Any]:
    """The tables by name; those alone that the files made as they were, or all."""
    everything = {name: table for file in found["files"].values() for name, table in file.items()}
    return {
        name: table for name, table in everything.items() if not as_left or name in found["as_left"]
    }


def column_types(table: Any) -> dict[str, str]:
    """The type of each column by name, without its default."""
    matches = [_DEFAULT.match(column) for column in table["columns"]]
    return {match[1]: match[2] for match in matches if match}


def create(connection: Connection, *, as_left: bool) -> None:
    """Make the tables, two rows in each, references, views, functions and triggers."""
    found = inventory()
    made = tables(found, as_left=as_left)
    run = connection.execute
    run(
        "CREATE FUNCTION uuid_generate_v4() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'"
    )
    for signature in found["functions"]:
        run(_function(signature).encode())
    for name, table in made.items():
        parts = [
            _GENERATED.sub(r" GENERATED ALWAYS AS (\1) STORED", _SERIAL.sub(r"\1 serial", column))
            for column in table["columns"]
        ]
        run(f"CREATE TABLE {name} ({', '.join([*parts, *table['keys']])})".encode())
        _fill(connection, name, table)
    for name, reference in _references(made):
        run(f"ALTER TABLE {name} ADD FOREIGN KEY {reference}".encode())
    for name, table in made.items():
        for trigger in table["triggers"]:
            its_name, _, function = trigger.partition(" -> ")
            run(
                f"CREATE TRIGGER {its_name} BEFORE UPDATE ON {name} FOR EACH ROW "
                f"EXECUTE FUNCTION {function}()".encode()
            )
    for view in found["views"]:
        if not view.startswith("robbieblocks"):
            run(_view(view, made).encode())


def rows(connection: Connection, *, as_left: bool) -> dict[str, list[dict[str, Any]]]:
    """Every row of the earlier tables, in their columns of then; times in UTC."""
    connection.execute("SET TimeZone = 'UTC'")
    return {
        name: sorted(
            ({key: _plain(row[0][key]) for key in column_types(table)} for row in rows_),
            key=str,
        )
        for name, table in tables(inventory(), as_left=as_left).items()
        for rows_ in [
            connection.execute(
                SQL("SELECT to_jsonb(t) FROM {} t").format(Identifier(name))
            ).fetchall()
        ]
    }


def _plain(value: Any) -> Any:
    return value.removesuffix("+00:00") if isinstance(value, str) else value


def _function(signature: str) -> str:
    head, _, returns = signature.rpartition(" returns ")
    body = "RETURN NEW;" if returns == "trigger" else "RETURN NULL;"
    body = "RETURN;" if returns.startswith("TABLE") or returns == "void" else body
    return f"CREATE FUNCTION {head} RETURNS {returns} LANGUAGE plpgsql AS 'BEGIN {body} END'"


def _view(told: str, made: dict[str, Any]) -> str:
    name, _, columns = told.partition(": ")
    bare, _, materialized = name.partition(" ")
    kind = "MATERIALIZED VIEW" if materialized else "VIEW"
    if (match := _TOWN_VIEW.fullmatch(bare)) and match[2] in made:
        return f"CREATE VIEW {bare} AS SELECT * FROM {match[2]}"
    shown = [column.split(" ", 1) for column in _VIEW_COLUMN.split(columns)]
    return f"CREATE {kind} {bare} AS SELECT " + ", ".join(f"NULL::{t} AS {c}" for c, t in shown)


def _references(made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The references between columns of one type: `town_id) REFERENCES towns(id) ...`."""
    for name, table in made.items():
        for reference in table["references"]:
            column, _, rest = reference.partition(" -> ")
            match = re.match(r"(\w+)\((\w+)\)", rest)
            if match is None or match[1] not in made:
                continue
            if column_types(table)[column] == column_types(made[match[1]])[match[2]]:
                yield name, f"({column}) REFERENCES {rest}"


def _fill(connection: Connection, name: str, table: Any) -> None:
    words = allowed_words("\n".join(table["keys"]))
    given = {**table, "columns": [c for c in table["columns"] if not _GENERATED.search(c)]}
    types = column_types(given)
    for number in _ROWS:
        values = {
            column: words[column][number % len(words[column])]
            if column in words
            else _value(kind, number)
            for column, kind in types.items()
        }
        connection.execute(
            SQL("INSERT INTO {} ({}) VALUES ({})").format(
                Identifier(name),
                SQL(", ").join(map(Identifier, values)),
                SQL(", ").join(Placeholder() * len(values)),
            ),
            list(values.values()),
        )
    if _SERIAL.match(table["columns"][0]):
        connection.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), 2)", [name])


def _value(kind: str, number: int) -> Any:
    """A value of a type; the same for the same number, so references hold."""
    if kind == "uuid":
        return uuid.UUID(int=number)
    if kind.endswith("[]"):
        return [_value(kind.removesuffix("[]"), number)]
    if kind.startswith("vector"):
        return str([float(number)] * int(kind[7:-1]))
    if kind.startswith(("character varying", "text", "character")):
        width = re.search(r"\d+", kind)
        return f"x{number}"[: int(width[0]) if width else None]
    for start, value in {
        "jsonb": json.dumps({"n": number}),
        "timestamp": f"2024-03-0{number} 12:30:00",
        "date": f"2024-03-0{number}",
        "time": f"12:30:0{number}",
        "boolean": number == 1,
        "inet": f"10.0.0.{number}",
        "numeric": 0.5,
        "double": 0.5,
        "real": 0.5,
    }.items():
        if kind.startswith(start):
            return value
    return number
