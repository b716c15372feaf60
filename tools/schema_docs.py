"""Writes docs/schema/: a page and a diagram for each file of the unified schema.

python -m tools.schema_docs          apply the files in the embedded Postgres, and write
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, LiteralString

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg.rows import class_row

from robbieblocks.database import embedded
from robbieblocks.settings import resource_dir
from robbieblocks.toolchain import npm
from tools import npm_packages

ROOT: Final = Path(__file__).resolve().parent.parent
FILES: Final = tuple(sorted((resource_dir("schema") / "unified-schema").glob("*.sql")))
DOCS: Final = ROOT / "docs" / "schema"
_DIAGRAMS: Final = ROOT / "tools" / "diagrams"
_MADE: Final = "_This page is made from a live database by `make schemadocs`._"
# What tells of a thing that a file makes.
_MAKES: Final = {
    "table": re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE),
    "view": re.compile(r"^COMMENT ON VIEW (\w+)", re.MULTILINE),
    "function": re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)"),
}

# Tables and views with their comment and whether row level security is forced; no partitions.
_RELATIONS: LiteralString = """
    SELECT c.oid, c.relname AS name, c.relkind IN ('v', 'm') AS is_view,
           coalesce(obj_description(c.oid, 'pg_class'), '') AS comment,
           c.relforcerowsecurity AS is_forced
      FROM pg_class c
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
       AND NOT c.relispartition
       AND NOT EXISTS (SELECT FROM pg_depend d
                        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                          AND d.deptype = 'e')
     ORDER BY c.relname
"""

# The columns of all relations, in order.
_COLUMNS: LiteralString = """
    SELECT a.attrelid AS oid, a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
           NOT a.attnotnull AS is_nullable,
           CASE WHEN a.attidentity <> '' THEN 'identity'
                ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '') END AS default_value,
           coalesce(col_description(a.attrelid, a.attnum), '') AS comment
      FROM pg_attribute a
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE a.attrelid = ANY (%s) AND a.attnum > 0 AND NOT a.attisdropped
     ORDER BY a.attrelid, a.attnum
"""

# Keys, references and checks, by relation and kind: p, u, f, c, x.
_CONSTRAINTS: LiteralString = """
    SELECT k.conrelid AS oid, k.contype::text AS kind, k.conname AS name,
           pg_get_constraintdef(k.oid) AS definition,
           coalesce((SELECT relname FROM pg_class WHERE oid = k.confrelid), '') AS target,
           ARRAY(SELECT attname::text FROM unnest(k.conkey) WITH ORDINALITY AS key (number, place)
                   JOIN pg_attribute ON attrelid = k.conrelid AND attnum = number
                  ORDER BY place) AS columns
      FROM pg_constraint k
     WHERE k.conrelid = ANY (%s) AND k.contype IN ('p', 'u', 'f', 'c', 'x')
     ORDER BY k.conrelid, k.contype, k.conname
"""

# Functions with their arguments, result and comment.
_FUNCTIONS: LiteralString = """
    SELECT p.proname AS name, pg_get_function_arguments(p.oid) AS arguments,
           pg_get_function_result(p.oid) AS result,
           coalesce(obj_description(p.oid, 'pg_proc'), '') AS comment
      FROM pg_proc p
     WHERE p.pronamespace = 'public'::regnamespace
     ORDER BY p.proname, 2
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationRow:
    """A row of `_RELATIONS`."""

    oid: int
    name: str
    is_view: bool
    comment: str
    is_forced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnRow:
    """A row of `_COLUMNS`."""

    oid: int
    name: str
    type: str
    is_nullable: bool
    default_value: str
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstraintRow:
    """A row of `_CONSTRAINTS`."""

    oid: int
    kind: str
    name: str
    definition: str
    target: str
    columns: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column; `key` is PK, UK or FK as Mermaid says it, or empty."""

    name: str
    type: str
    is_nullable: bool
    default: str
    comment: str
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A foreign key: its columns, and the table that it refers to."""

    columns: tuple[str, ...]
    target: str
    definition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A table or view of one of the files."""

    name: str
    is_view: bool
    comment: str
    is_forced: bool
    columns: tuple[Column, ...]
    references: tuple[Reference, ...] = ()
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that a file makes."""

    name: str
    arguments: str
    result: str
    comment: str


@dataclass(slots=True, kw_only=True)
class SchemaFile:
    """One file: what it says of itself, and what it makes."""

    name: str
    about: str
    tables: list[Relation] = field(default_factory=list[Relation])
    views: list[Relation] = field(default_factory=list[Relation])
    functions: list[Function] = field(default_factory=list[Function])


def documents(connection: Connection) -> dict[str, str]:
    """The text of each page, by its name in docs/schema/, from a database with every file."""
    files = read(connection)
    referring = _referring(files)
    pages = {f"{file.name}.md": _page(file, referring) for file in files}
    return {"README.md": _index(files), **pages}


def diagrams(files: Sequence[SchemaFile]) -> dict[str, str]:
    """The Mermaid text of each file that has tables, by the file's name."""
    keys = {
        table.name: [column for column in table.columns if column.key]
        for file in files
        for table in file.tables
    }
    return {file.name: _diagram(file, keys) for file in files if file.tables}


def read(connection: Connection) -> list[SchemaFile]:
    """What a database with every file has, file by file."""
    with (
        connection.cursor(row_factory=class_row(RelationRow)) as relation_rows,
        connection.cursor(row_factory=class_row(ColumnRow)) as column_rows,
        connection.cursor(row_factory=class_row(ConstraintRow)) as constraint_rows,
        connection.cursor(row_factory=class_row(Function)) as function_rows,
    ):
        relations = relation_rows.execute(_RELATIONS).fetchall()
        oids = [each.oid for each in relations]
        columns = column_rows.execute(_COLUMNS, (oids,)).fetchall()
        constraints = constraint_rows.execute(_CONSTRAINTS, (oids,)).fetchall()
        functions = function_rows.execute(_FUNCTIONS).fetchall()
    known = {
        each.name: _relation(
            each,
            [column for column in columns if column.oid == each.oid],
            [constraint for constraint in constraints if constraint.oid == each.oid],
        )
        for each in relations
    }
    files: list[SchemaFile] = []
    taken: set[str] = set()
    for path in FILES:
        text = path.read_text("utf-8")
        file = SchemaFile(name=path.stem, about=_about(text))
        names = [n for n in (*_made("table", text), *_made("view", text)) if n not in taken]
        taken.update(names)
        found = [known[name] for name in dict.fromkeys(names) if name in known]
        file.tables = [each for each in found if not each.is_view]
        file.views = [each for each in found if each.is_view]
        own = {name for name in _made("function", text) if name not in taken}
        taken.update(own)
        file.functions = [each for each in functions if each.name in own]
        files.append(file)
    return files


def _made(kind: str, text: str) -> list[str]:
    return _MAKES[kind].findall(text)


def _about(text: str) -> str:
    """The first paragraph of a file's first comment."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.startswith("-- "):
            break
        lines.append(line.removeprefix("-- ").strip())
    return " ".join(lines)


def _relation(
    row: RelationRow, columns: Sequence[ColumnRow], constraints: Sequence[ConstraintRow]
) -> Relation:
    keys: dict[str, str] = {}
    for kind, mark in (("f", "FK"), ("u", "UK"), ("p", "PK")):
        for each in constraints:
            if each.kind == kind and (kind != "u" or len(each.columns) == 1):
                keys |= dict.fromkeys(each.columns, mark)
    return Relation(
        name=row.name,
        is_view=row.is_view,
        comment=row.comment,
        is_forced=row.is_forced,
        columns=tuple(
            Column(
                name=each.name,
                type=each.type,
                is_nullable=each.is_nullable,
                default=each.default_value,
                comment=each.comment,
                key=keys.get(each.name, ""),
            )
            for each in columns
        ),
        references=tuple(
            Reference(columns=tuple(each.columns), target=each.target, definition=each.definition)
            for each in constraints
            if each.kind == "f"
        ),
        rules=tuple(each.definition for each in constraints if each.kind != "f"),
    )


def _referring(files: Iterable[SchemaFile]) -> dict[str, list[str]]:
    """Who refers to each table, as `table.column`."""
    found: dict[str, list[str]] = {}
    for file in files:
        for table in file.tables:
            for each in table.references:
                found.setdefault(each.target, []).append(f"{table.name}.{', '.join(each.columns)}")
    return found


# --- pages -------------------------------------------------------------------------------------


def _index(files: Iterable[SchemaFile]) -> str:
    rows = [
        (
            f"[{file.name}]({file.name}.md)",
            str(len(file.tables)),
            str(len(file.views)),
            ", ".join(f"`{table.name}`" for table in file.tables),
        )
        for file in files
    ]
    total = sum(len(file.tables) for file in files)
    parts = (
        "# The files of the unified schema",
        _MADE,
        f"{total} tables. What holds for all of them is in [schema.md](../schema.md).",
        _table(("file", "tables", "views", "which"), rows),
    )
    return "\n\n".join(parts) + "\n"


def _page(file: SchemaFile, referring: Mapping[str, Sequence[str]]) -> str:
    parts = [f"# {file.name}", _MADE, _escaped(file.about)]
    if file.tables:
        parts += [
            f"![The tables of {file.name}]({file.name}.svg)",
            f"Drawn from [{file.name}.mmd]({file.name}.mmd), which is Mermaid.",
        ]
    for table in file.tables:
        parts += _relation_parts(table, referring.get(table.name, ()))
    for view in file.views:
        parts += _relation_parts(view, ())
    if file.functions:
        rows = [
            (f"`{each.name}({each.arguments})`", f"`{each.result}`", _escaped(each.comment))
            for each in file.functions
        ]
        parts += ["## Functions", _table(("function", "gives", "what it does"), rows)]
    return "\n\n".join(parts) + "\n"


def _relation_parts(relation: Relation, referring: Sequence[str]) -> list[str]:
    kind = "View" if relation.is_view else "Table"
    parts = [f"## {kind} {relation.name}"]
    if relation.comment:
        parts.append(_escaped(relation.comment))
    rows = [
        (
            f"`{column.name}`",
            column.type,
            "" if relation.is_view or column.is_nullable else "not null",
            f"`{column.default}`" if column.default else "",
            _escaped(column.comment),
        )
        for column in relation.columns
    ]
    parts.append(_table(("column", "type", "", "default", "what it is"), rows))
    facts = [f"- `{rule}`" for rule in relation.rules]
    facts += [f"- `{each.definition}`" for each in relation.references]
    if relation.is_forced:
        facts.append("- Row level security is forced.")
    if referring:
        facts.append(f"- Referred to by {', '.join(f'`{each}`' for each in referring)}.")
    if facts:
        parts.append("\n".join(facts))
    return parts


def _diagram(file: SchemaFile, keys: Mapping[str, Sequence[Column]]) -> str:
    """The keys of a file's tables, those that they refer to elsewhere, and what refers to what."""
    own = [table.name for table in file.tables]
    targets = {each.target for table in file.tables for each in table.references}
    lines = ["erDiagram"]
    for name in (*own, *sorted(targets.difference(own))):
        lines.append(f"    {name} {{")
        lines += [f"        {_word(each.type)} {each.name} {each.key}" for each in keys[name]]
        lines.append("    }")
    lines += [
        f'    {each.target} ||--o{{ {table.name} : "{", ".join(each.columns)}"'
        for table in file.tables
        for each in table.references
    ]
    return "\n".join(lines) + "\n"


def _word(type_: str) -> str:
    """A type as one word, as Mermaid wants it."""
    return re.sub(r"\W+", "_", type_.replace("character varying", "varchar")).strip("_")


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    cells = [tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    lines = [heads, ("---",) * len(heads), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("<", "\\<").replace("*", "\\*")


# --- pictures ----------------------------------------------------------------------------------


def mark(text: str) -> str:
    """The comment at the end of a picture that says from which text it was drawn."""
    return f"<!-- of {hashlib.sha256(text.encode()).hexdigest()} -->\n"


def _drawn(texts: Mapping[str, str]) -> dict[str, str]:
    """An SVG of each Mermaid text; it loads nothing from elsewhere."""
    packages = npm_packages.ensure(_DIAGRAMS, "diagrams") / "node_modules"
    module = packages / "beautiful-mermaid" / "dist" / "index.js"
    done = subprocess.run(
        [npm.node_program(), str(_DIAGRAMS / "render.mjs"), str(module)],
        input=json.dumps(texts).encode(),
        stdout=subprocess.PIPE,
        check=True,
    )
    drawn: dict[str, str] = json.loads(done.stdout)
    return {name: _still(svg) + mark(texts[name]) for name, svg in drawn.items()}


def _still(svg: str) -> str:
    """A picture that loads nothing from elsewhere, and whose size is whole pixels."""
    svg = re.sub(r"^ *@import .*\n", "", svg, flags=re.MULTILINE)
    head, bracket, rest = svg.partition(">")
    head = re.sub(r"\d+\.\d+", lambda found: str(math.ceil(float(found[0]))), head)
    return head + bracket + rest.rstrip() + "\n"


def main() -> int:
    """Write the pages and the pictures, and remove what is no file's any more."""
    with (
        tempfile.TemporaryDirectory() as home,
        embedded.server(Path(home), progress=lambda _: None) as address,
        psycopg.connect(make_conninfo(address, user="postgres"), autocommit=True) as connection,
    ):
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
        with psycopg.connect(address, autocommit=True) as own:
            for path in FILES:
                own.execute(path.read_bytes())
            wanted = documents(own)
            texts = diagrams(read(own))
    wanted |= {f"{name}.mmd": text for name, text in texts.items()}
    wanted |= {f"{name}.svg": svg for name, svg in _drawn(texts).items()}
    DOCS.mkdir(exist_ok=True)
    for path in DOCS.iterdir():
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
