"""Triggers on tables that are none of ours: they queue which rows of a collection changed.

A table's row is a row of the collection where the view takes its key from that table alone, and
nothing in the view makes one row depend on others. Else a change of the table is one of the
collection as a whole, which is then read whole: its pages are rewritten where their rows differ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg import Connection, sql

from robbieblocks.database import translated
from robbieblocks.errors import UsageError
from robbieblocks.model import CollectionSource

FUNCTION: Final = "robbieblocks_capture_collection"

# What a collection's rows are read from: of each table its name, whether it can have triggers, and
# the column that is the key of the rows, where a row of the table is one of the collection.
#
# The parse tree of a view says from which column of which table each of its columns is. Its form is
# the server's own: where it is not as expected, no row is named, and all are read again. A table
# that stands in the view twice, a view in the view, and what makes rows depend on other rows (a
# window, a limit, DISTINCT ON, a union) name no row either. Builds write into our own tables,
# so a trigger there would have each ask for another.
_TABLES: LiteralString = """
    WITH RECURSIVE used (oid) AS (
        SELECT to_regclass(%(view)s)::oid
        UNION
        SELECT d.refobjid
          FROM used
          JOIN pg_rewrite AS r ON r.ev_class = used.oid
          JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
                             AND d.refclassid = 'pg_class'::regclass
    ), tree AS (
        SELECT r.ev_action::text AS text,
               regexp_match(r.ev_action::text,
                            ' :resname ' || %(key)s || ' :ressortgroupref [0-9]+ :resorigtbl '
                            '([0-9]+) :resorigcol ([0-9]+) :resjunk false') AS origin
          FROM pg_rewrite AS r
         WHERE r.ev_class = to_regclass(%(view)s) AND r.rulename = '_RETURN'
           AND NOT EXISTS (SELECT FROM used JOIN pg_class AS c USING (oid)
                            WHERE c.relkind = 'v' AND c.oid <> to_regclass(%(view)s))
    )
    SELECT n.nspname::text, c.relname::text,
           c.relkind IN ('r', 'p') AND NOT starts_with(c.relname, 'robbieblocks_'),
           CASE WHEN c.oid = to_regclass(%(view)s) THEN %(key)s::text
                ELSE (SELECT a.attname::text
                        FROM tree
                        JOIN pg_attribute AS a ON a.attrelid = tree.origin[1]::oid
                                              AND a.attnum = tree.origin[2]::int
                       WHERE tree.origin[1]::oid = c.oid
                         AND regexp_count(tree.text, ':rtekind 0 :relid ' || c.oid || ' ') = 1
                         AND tree.text LIKE '%%:hasWindowFuncs false%%'
                         AND tree.text LIKE '%%:hasDistinctOn false%%'
                         AND tree.text LIKE '%%:limitOffset <> :limitCount <>%%'
                         AND tree.text LIKE '%%:setOperations <>%%'
                         AND tree.text !~ ':(hasWindowFuncs|hasDistinctOn|hasRecursive) true'
                         AND tree.text !~ ':(limitOffset|limitCount|setOperations) [{(]')
                END
      FROM used
      JOIN pg_class AS c USING (oid)
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'm', 'f')
     ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
"""

# The triggers of a collection that are there: the table, the name, what the function is told, and
# whether it is enabled.
_TRIGGERS: LiteralString = """
    SELECT n.nspname::text, c.relname::text, t.tgname::text,
           encode(t.tgargs, 'escape'), t.tgenabled IN ('O', 'A')
      FROM pg_trigger AS t
      JOIN pg_class AS c ON c.oid = t.tgrelid
      JOIN pg_namespace AS n ON n.oid = c.relnamespace
      JOIN pg_proc AS p ON p.oid = t.tgfoid
     WHERE NOT t.tgisinternal AND p.proname = %(function)s
       AND starts_with(encode(t.tgargs, 'escape'), %(name)s || '\\000')
"""

# Whether the function of the triggers is there, and its schema.
_HOME: LiteralString = """
    SELECT n.nspname::text FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE p.proname = %(function)s AND p.pronamespace = (
           SELECT relnamespace FROM pg_class
            WHERE oid = to_regclass('robbieblocks_change_triggers'))
"""

_EVENTS: Final[dict[str, LiteralString]] = {
    "insert": "AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows",
    "update": "AFTER UPDATE ON {table} REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows",
    "truncate": "AFTER TRUNCATE ON {table}",
}
# What each trigger does, after its name and its event: it calls the function once a statement.
_CREATE: LiteralString = (
    " FOR EACH STATEMENT EXECUTE FUNCTION {function}({collection}, {template}, {key});"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CapturedTable:
    """A table that a collection's rows are read from.

    `key` is the column that names the row of the collection that changes with one of the table;
    empty where that is the collection as a whole. `can_capture`: it can have triggers, which
    materialized views, foreign tables and our own can't. `is_captured`: it has them all.
    """

    schema: str
    name: str
    key: str
    can_capture: bool
    is_captured: bool

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """The tables of a collection, and the statements that give them the triggers they lack.

    They also take triggers from tables that the view does not use any more.
    """

    tables: tuple[CapturedTable, ...]
    statements: tuple[str, ...]


def collection_capture(connection: Connection, source: CollectionSource) -> Capture:
    """How changes of a collection reach the queue; nothing is altered.

    Raises UsageError where the function of the triggers is not there, and DatabaseUnavailable.
    """
    view = ".".join('"' + part.replace('"', '""') + '"' for part in source.view)
    with translated(f"look from which tables {source.name} is read"):
        homes = connection.execute(_HOME, {"function": FUNCTION}).fetchall()
        found = connection.execute(_TABLES, {"view": view, "key": source.key}).fetchall()
        there = connection.execute(
            _TRIGGERS, {"function": FUNCTION, "name": source.name}
        ).fetchall()
        if not homes:
            raise UsageError(
                f"the database has no function {FUNCTION}\n  -> run `robbieblocks db upgrade`"
            )
        function = sql.Identifier(homes[0][0], FUNCTION)
        enabled = {
            (schema, table, name): arguments
            for schema, table, name, arguments, is_on in there
            if is_on
        }
        tables: list[CapturedTable] = []
        statements: list[str] = []
        wanted: set[tuple[str, str, str]] = set()
        for schema, table, can_capture, key in found:
            arguments = "".join(f"{each}\\000" for each in (*_told(source), key or ""))
            names = {(schema, table, _name(source, event)) for event in _EVENTS}
            is_captured = all(enabled.get(name) == arguments for name in names)
            tables.append(
                CapturedTable(
                    schema=schema,
                    name=table,
                    key=key or "",
                    can_capture=can_capture,
                    is_captured=is_captured,
                )
            )
            wanted |= names
            if can_capture and not is_captured:
                statements += _created(connection, source, tables[-1], function)
        for schema, table, name, *_ in there:
            if (schema, table, name) not in wanted:
                dropped = sql.SQL("DROP TRIGGER {} ON {};").format(
                    sql.Identifier(name), sql.Identifier(schema, table)
                )
                statements.append(dropped.as_string(connection))
    return Capture(tables=tuple(tables), statements=tuple(statements))


def install_capture(connection: Connection, capture: Capture) -> None:
    """Run the statements, all or none. Raises RightsMissing and DatabaseUnavailable."""
    with translated("make the triggers of a collection"), connection.transaction():
        for statement in capture.statements:
            connection.execute(statement.encode())


def _told(source: CollectionSource) -> tuple[str, str]:
    return source.name, source.template_page


def _name(source: CollectionSource, event: str) -> str:
    return f"robbieblocks_collection_{source.name}_{event}"


def _created(
    connection: Connection,
    source: CollectionSource,
    table: CapturedTable,
    function: sql.Identifier,
) -> Iterator[str]:
    collection, template = map(sql.Literal, _told(source))
    for event, timing in _EVENTS.items():
        statement = sql.SQL("CREATE OR REPLACE TRIGGER {name} " + timing + _CREATE).format(
            name=sql.Identifier(_name(source, event)),
            table=sql.Identifier(table.schema, table.name),
            function=function,
            collection=collection,
            template=template,
            key=sql.Literal(table.key),
        )
        yield statement.as_string(connection)
