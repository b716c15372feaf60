"""The files that hold a row of content: canonical, so that equal rows give equal bytes.

A text of a file that exists is amended: what says the same already stays as it is written, with its
comments and its order. `load` of what is written gives the same row; `canonical` is checked for
that by the tests over rows of every kind.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, InlineTable
from tomlkit.items import Table as TomlTable

from robbieblocks.brand import THEMES, node_text_problem
from robbieblocks.content.shape import Component, Example, Media, Token
from robbieblocks.model import NODE_KEYS, Json, NodeRow
from robbieblocks.source_files import exact_json

Values = Mapping[str, Any]

# Deeper values are written as JSON: readers of TOML have a limit of their own.
_DEEPEST = 30


def component_files(
    row: Component, name: str, code_file: str, existing: str = ""
) -> dict[str, str | None]:
    """The files of a component in the folder `name`; None for one that is not there.

    `existing` is the text that `component.toml` has.
    """
    return {
        "component.toml": component_toml(row, name, existing),
        code_file: row.code,
        "component.css": row.css,
        "props.schema.json": props_schema(row) or None,
    }


def component_toml(row: Component, name: str, existing: str = "") -> str:
    """`component.toml` of a component whose folder is called `name`."""
    values = {
        **key_values(row.key, name),
        "name": row.name,
        "type": row.type,
        **unless("version", row.version, "1.0.0"),
        **unless("published", row.published, True),
        **unless("dependencies", list(row.dependencies), []),
        **unless("preview_url", row.preview_url, None),
        **json_values("metadata", row.metadata),
    }
    return amended(existing, values)


def example_toml(row: Example, existing: str = "") -> str:
    """`examples/<name>.toml` of a component."""
    values = {
        **unless("title", row.title, None),
        **unless("description", row.description, None),
        **json_values("props", row.props),
    }
    return amended(existing, values)


def props_schema(row: Component) -> str:
    """`props.schema.json` of a component; empty where any props are valid."""
    if row.props_schema == {}:
        return ""
    if exact_json.is_plain(_without_null(row.props_schema)):
        return json.dumps(row.props_schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    return exact_json.dumps(row.props_schema) + "\n"


def tokens_toml(rows: Iterable[Token], existing: str = "") -> str:
    """`tokens.toml`, a line for each token."""
    return amended(existing, {row.key: _Inline(_token(row)) for row in rows})


def media_toml(row: Media, name: str, existing: str = "") -> str:
    """What stands beside the file `name` of a row; empty where there is nothing to say."""
    values = {
        **key_values(row.key, name.rpartition(".")[0] or name),
        **unless("file_name", row.file_name, name),
        **unless("alt", row.alt, None),
        **unless("is_decorative", row.is_decorative, False),
        **unless("focal_point", row.focal_point, None),
        **unless("served_path", row.served_path, None),
    }
    return amended(existing, values) if values else ""


def _is_sound(key: str, value: Json) -> bool:
    """Whether a key of a node that is no token can stand above `[tokens]`."""
    if not value:
        return False
    return value in THEMES if key == "theme" else node_text_problem(key, value) is None


def node_toml(row: NodeRow, existing: str = "") -> str:
    """`node_branding/<node-id>.toml` of a node."""
    overrides = row.overrides
    own: dict[str, Json] = {}
    if isinstance(overrides, Mapping):
        own = {key: overrides[key] for key in NODE_KEYS if _is_sound(key, overrides.get(key))}
        overrides = {key: value for key, value in overrides.items() if key not in own}
    values = {
        "node_id": row.id,
        "node_name": row.name,
        **own,
        **unless("base_url", row.base_url, ""),
        **unless("enabled_apps", list(row.enabled_apps), []),
        **unless("custom_css", row.custom_css, ""),
        **unless("custom_scripts", row.custom_scripts, ""),
        **json_values("settings", row.settings),
        **json_values("tokens", overrides),
    }
    return amended(existing, values)


def key_values(key: str, name: str) -> Values:
    """What a file called `name` states of its row's key."""
    return {} if key == name else {"key": key}


def unless(name: str, value: object, default: object) -> Values:
    """A value under its name, where it is not the default."""
    return {} if value == default else {name: value}


def json_values(name: str, value: Json) -> Values:
    """A JSON column: a table, or JSON text under `<name>_json` where TOML can't hold it."""
    if value == {}:
        return {}
    if isinstance(value, Mapping) and exact_json.is_plain(value) and not _deep(value, _DEEPEST):
        return {name: _sorted(value)}
    return {f"{name}_json": exact_json.dumps(value)}


def _token(row: Token) -> Values:
    return {
        "value": row.value,
        **unless("category", row.category, row.key.split(".")[0][:50]),
        **unless("description", row.description, None),
    }


def _without_null(value: Json) -> Json:
    """The value with null replaced, which JSON can hold and TOML can't."""
    if isinstance(value, Mapping):
        return {key: _without_null(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_without_null(inner) for inner in value]
    return False if value is None else value


def _sorted(value: object) -> Any:
    if _is_table(value):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return list(map(_sorted, value)) if _is_list(value) else value


def _deep(value: object, levels: int) -> bool:
    inner = value.values() if _is_table(value) else value if _is_list(value) else ()
    return bool(inner) and (levels == 0 or any(_deep(one, levels - 1) for one in inner))


def _is_table(value: object) -> TypeGuard[Values]:
    return isinstance(value, Mapping)


def _is_inline(value: object) -> bool:
    return isinstance(value, InlineTable)


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def amended(existing: str, values: Values) -> str:
    """The text with these values; the existing one where it says the same already."""
    if 0 < existing.count("\r\n") == existing.count("\n"):
        # TOML reads both ends of lines as one, tomlkit does not.
        plain = existing.replace("\r\n", "\n")
        new = amended(plain, values)
        return existing if new == plain else new.replace("\n", "\r\n")
    if existing:
        try:
            if tomllib.loads(existing) == values:
                return existing
            document = tomlkit.parse(existing)
            _merge(document, values)
            new = tomlkit.dumps(document)
            if tomllib.loads(new) == values:
                return new
        except (TOMLKitError, ValueError, RecursionError):
            pass  # It is not TOML, or has a number of thousands of digits: written anew.
    document = tomlkit.document()
    _merge(document, values)
    return tomlkit.dumps(document)


def _merge(table: Any, values: Values) -> None:
    """Bring a table of a document to these values, touching only what differs."""
    for name in [name for name in table if name not in values]:
        del table[name]
    new = _inline if _is_inline(table) else _item
    for name, value in values.items():
        held: Any = table.get(name)
        is_array = isinstance(held, AoT)
        # A table gives true and false as they are.
        if held is not None and (held if isinstance(held, bool) else held.unwrap()) == value:
            continue
        if isinstance(held, TomlTable | InlineTable) and _is_table(value):
            _merge(held, value)
        elif is_array and _is_list(value) and value:
            _merge_tables(held, value)
        else:
            table[name] = new(value)


def _merge_tables(held: Any, values: list[Any]) -> None:
    while len(held) > len(values):
        del held[-1]
    for index, value in enumerate(values):
        if index < len(held):
            _merge(held[index], value)
        else:
            held.append(_table(value))


def _item(value: object) -> Any:
    """The value of a key in a document or a table."""
    if isinstance(value, Tables):
        tables: Any = tomlkit.aot()
        for one in value:
            tables.append(_table(one))
        return tables
    if isinstance(value, _Inline):
        return _inline(value)
    if _is_table(value):
        return _table(value)
    if _is_list(value):
        return _inline(value).multiline(any(isinstance(one, dict | list) for one in value))
    if isinstance(value, str) and "\n" in value and "\r" not in value:
        quoted = tomlkit.string(value, multiline=True)
        # A reader drops a newline after the opening quotes.
        raw = quoted.as_string()
        return quoted if raw[3] == "\n" else tomlkit.value(raw[:3] + "\n" + raw[3:])
    return tomlkit.item(value)


def _table(values: Values) -> Any:
    table: Any = tomlkit.table()
    for key, value in values.items():
        inner = _inline(value) if _is_table(value) and key not in _TABLES else _item(value)
        table.append(key, inner)
    return table


def _inline(value: object) -> Any:
    """A value on one line."""
    if _is_table(value):
        table: Any = tomlkit.inline_table()
        for key, inner in value.items():
            table.append(key, _inline(inner))
        return table
    if _is_list(value):
        array: Any = tomlkit.array()
        for one in value:
            array.append(_inline(one))
        return array
    return tomlkit.item(value)


class Tables(list[Any]):
    """A list that is written as `[[tables]]`."""


class _Inline(dict[str, Any]):
    """A table that is written on one line."""


# Tables inside a `[[table]]` that are written as tables of their own.
_TABLES = frozenset({"props", "conditions"})
