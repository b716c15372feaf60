"""Writes the parts of docs/ that the code itself tells: settings, commands, errors and columns.

python -m tools.reference
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import typer.main

from robbieblocks import errors, events, settings
from robbieblocks.cli import app
from robbieblocks.database.catalogue import stored
from robbieblocks.settings import resource_dir

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"


def documents() -> dict[str, str]:
    """The text of each document, by its name in docs/."""
    return {
        "settings.md": settings.reference(),
        "commands.md": _commands(),
        "errors.md": _errors(),
        "columns.md": _columns(),
        "events-schema.json": json.dumps(events.payload_schema(), indent=2) + "\n",
    }


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    cells = [tuple(cell.replace("|", "\\|").replace("<", "\\<") for cell in row) for row in rows]
    lines = [heads, ("---",) * len(heads), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _document(title: str, *parts: str) -> str:
    made = "_This page is made from the code by `make reference`._"
    return "\n\n".join((f"# {title}", made, *parts)) + "\n"


# --- commands ----------------------------------------------------------------------------------


def _commands() -> str:
    parts = [
        part
        for name, command in commands("robbieblocks", typer.main.get_command(app))
        for part in _command(name, command)
    ]
    return _document("Commands", *_COMMANDS, *parts)


_COMMANDS: Final = (
    "Every command has `--help`. What commands print, and their exit codes, is in "
    "[output.md](output.md). Their settings are in [settings.md](settings.md).",
    "`--database-url` takes a libpq URL or conninfo. Without it the database is that of "
    "`ROBBIEBLOCKS_DATABASE_URL`, then of the `PG*` variables, then of `robbieblocks.toml`, then "
    "an embedded Postgres in `.robbieblocks/`.",
)


def commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command below one that does something, by its whole name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for part, each in inner.items():
        yield from commands(f"{name} {part}", each)


def _command(name: str, command: Any) -> Iterator[str]:
    yield f"## `{name}`"
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    for paragraph in paragraphs:
        example = paragraph.removeprefix("Example:").strip()
        shown = paragraph.startswith("Example:")
        yield f"```sh\n{textwrap.dedent(example)}\n```" if shown else _prose(paragraph)
    if command.params:
        heads = ("option", "meaning", "default")
        yield _table(heads, (_parameter(each) for each in command.params))


def _prose(text: str) -> str:
    return re.sub(r"(?<![\w`])(robbieblocks_\w+|--[a-z-]+)", r"`\1`", " ".join(text.split()))


def _parameter(parameter: Any) -> tuple[str, str, str]:
    choices = getattr(parameter.type, "choices", None)
    value = parameter.metavar or ("|".join(choices) if choices else parameter.type.name)
    if parameter.param_type_name == "argument":
        shown = f"`{parameter.metavar or parameter.name.upper()}`"
    elif parameter.is_flag:
        shown = f"`{'`, `'.join(parameter.opts)}`"
    else:
        shown = f"`{'`, `'.join(parameter.opts)} {value}`"
    said_above = "--database-url" in parameter.opts
    meaning = "Which database." if said_above else _prose(parameter.help or "")
    return shown, meaning, _default(parameter)


def _default(parameter: Any) -> str:
    if parameter.required:
        return "required"
    plain = parameter.default in (None, (), False) or getattr(parameter, "multiple", False)
    return "" if plain else f"`{parameter.default}`"


# --- errors ------------------------------------------------------------------------------------


def _errors() -> str:
    rows = (
        (f"`{each.__name__}`", str(each.exit_code), *_meaning(each))
        for each in _tree(errors.RobbieBlocksError)
    )
    return _document(
        "Errors",
        "On a failure stderr ends with one `error: ...`, which names the row, file or address, and "
        "the remedy. The exit code tells the kind.",
        _table(("class", "exit code", "means", "what to do"), rows),
        "In code, all of them are in `robbieblocks.errors`. A `Problem` is what is wrong with one "
        "row; a `ContentError` has them in `problems`.",
    )


def _tree(root: type[errors.RobbieBlocksError]) -> Iterator[type[errors.RobbieBlocksError]]:
    yield root
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield from _tree(each)


def _meaning(error: type[errors.RobbieBlocksError]) -> tuple[str, str]:
    means, _, to_do = inspect.cleandoc(error.__doc__ or "").partition("\n\nTo do: ")
    if not to_do:
        raise SystemExit(f"errors.{error.__name__} does not say what `To do:`")
    return means.rstrip("."), to_do.rstrip(".")


# --- columns -----------------------------------------------------------------------------------

_COMMENT: Final = re.compile(
    r"^COMMENT ON (TABLE|COLUMN|VIEW|FUNCTION) (\S.*?) IS\s+('.*?');$", re.DOTALL | re.MULTILINE
)
_SQL_FILES: Final = ("21-robbieblocks-cms.sql", "22-media.sql", "24-forms.sql")
# Of each table.
_ID: Final = {"id": "The row's own; it never leaves the database."}
_TIMES: Final = {
    "created_at": "When the row was written.",
    "updated_at": "When it last changed; a trigger sets it.",
}


def _columns() -> str:
    folder = resource_dir("schema") / "unified-schema"
    sources = [folder / name for name in _SQL_FILES]
    found = [it for file in sources for it in _COMMENT.findall(file.read_text(encoding="utf-8"))]
    told = {(kind, name): _unquoted(text) for kind, name, text in found}
    parts: list[str] = []
    for table in [name for kind, name in told if kind == "TABLE"]:
        own = [
            (name, meaning)
            for (kind, name), meaning in told.items()
            if kind == "COLUMN" and name.startswith(f"{table}.")
        ]
        listed = [*_common(table, _ID), *own, *_common(table, _TIMES)]
        there = {name for name in stored() if name.startswith(f"column {table}.")}
        silent = there - {f"column {name}" for name, _ in listed}
        if silent:
            raise SystemExit(f"no COMMENT in {', '.join(_SQL_FILES)}: {', '.join(sorted(silent))}")
        rows = (_column(name, meaning) for name, meaning in listed)
        heads = ("column", "type", "default", "meaning")
        parts += [f"## `{table}`", told["TABLE", table], _table(heads, rows)]
    others = (
        (f"`{name}`", kind.lower(), meaning)
        for (kind, name), meaning in told.items()
        if kind in ("VIEW", "FUNCTION")
    )
    parts += ["## Views and functions", _table(("name", "is a", "what it does"), others)]
    return _document("Tables and columns", _TABLES, *parts)


_TABLES: Final = (
    "The seven tables of `schema/unified-schema/21-robbieblocks-cms.sql`. Editors write the first "
    "five; the other two are the program's. `media_assets` and `earlier_media` are made by "
    "`schema/unified-schema/22-media.sql`; editors write the first, and its triggers the other. "
    "`form_submissions` is made by "
    "`schema/unified-schema/24-forms.sql`; the program writes it."
)


def _common(table: str, meanings: Mapping[str, str]) -> list[tuple[str, str]]:
    """Those of some columns that many tables have which a table has, with what they mean."""
    return [
        (f"{table}.{name}", meaning)
        for name, meaning in meanings.items()
        if f"column {table}.{name}" in stored()
    ]


def _column(name: str, meaning: str) -> tuple[str, str, str, str]:
    column = name.partition(".")[2]
    kind, _, default = stored()[f"column {name}"].partition(" default ")
    shown = re.sub(r"::[a-z ]+(\[\])?$", "", default)
    kind = kind.replace("character varying", "varchar").replace(
        "timestamp with time zone", "timestamptz"
    )
    required = kind.endswith(" not null")
    return (
        f"`{column}`" + (", required" if required and not default else ""),
        f"`{kind.removesuffix(' not null')}`",
        f"`{shown}`" if shown else "",
        meaning,
    )


def _unquoted(literals: str) -> str:
    return "".join(re.findall(r"'((?:[^']|'')*)'", literals)).replace("''", "'")


if __name__ == "__main__":
    for document, written in documents().items():
        (DOCS / document).write_text(written, encoding="utf-8")
