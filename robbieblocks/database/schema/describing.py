"""Describes what a schema of the database holds, from the catalog, as texts to be compared."""

from __future__ import annotations

import re
from typing import LiteralString

from psycopg import Connection
from psycopg.sql import SQL, Identifier

# The schema that holds our tables, else the one in which this session creates things.
_HOME: LiteralString = """
    SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.oid = to_regclass('robbieblocks_pages')),
                    current_schema())
"""

# Our tables in the first schema of the search path with what belongs to them, and its functions:
# kind and name, and the definition as Postgres writes it. Names of that schema come unqualified. An
# index that belongs to a constraint is described by the constraint, a function's body by a digest.
# Each database's id is its own.
_DESCRIBE: LiteralString = """
    WITH ours AS (
        SELECT c.oid, c.relname::text AS name, c.relkind
          FROM pg_class c
         WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
           AND (c.relname LIKE 'robbieblocks\\_%' OR c.relname LIKE 'media\\_assets%'
                OR c.relname LIKE 'form\\_submissions%' OR c.relname LIKE 'earlier\\_media%')
    )
    SELECT 'table ' || name, 'table' FROM ours WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'column ' || name || '.' || a.attname,
           format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'constraint ' || name || '.' || k.conname,
           replace(pg_get_constraintdef(k.oid), ' NOT VALID', '')
      FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype IN ('p', 'u', 'f', 'c')
    UNION ALL
    SELECT 'index ' || name,
           regexp_replace(pg_get_indexdef(oid), ' ON .*? USING', ' ON table USING')
           || CASE WHEN (SELECT indisvalid FROM pg_index WHERE indexrelid = ours.oid)
                   THEN '' ELSE ' INVALID' END
      FROM ours
     WHERE relkind = 'i' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = ours.oid)
    UNION ALL
    SELECT 'view ' || name, pg_get_viewdef(oid) FROM ours WHERE relkind = 'v'
    UNION ALL
    SELECT 'trigger ' || name || '.' || t.tgname,
           pg_get_triggerdef(t.oid, true)
           || CASE t.tgenabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA'
                               WHEN 'D' THEN ' DISABLED' ELSE '' END
      FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'function ' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')',
           concat_ws(E'\\n', pg_get_function_result(p.oid), l.lanname, p.provolatile,
                     CASE WHEN p.prosecdef THEN 'security definer' END,
                     array_to_string(p.proconfig, ' '),
                     CASE WHEN p.proname <> 'robbieblocks_database_id' THEN md5(p.prosrc) END)
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE p.pronamespace = quote_ident(current_schema())::regnamespace AND p.prokind = 'f'
"""


def home(connection: Connection) -> str:
    """The schema that holds our tables, or that would hold them."""
    row = connection.execute(_HOME).fetchone()
    return str(row[0]) if row and row[0] else "public"


def use_schema(connection: Connection, schema: str) -> None:
    """Create and look up things in one schema, for the rest of the transaction."""
    connection.execute(SQL("SET LOCAL search_path TO {}").format(Identifier(schema)))


def describe(connection: Connection, schema: str) -> dict[str, str]:
    """The definition of each thing in a schema, without the schema's name, by kind and name.

    A key is `column robbieblocks_pages.page_key`, its value `character varying(255) not null`.
    """
    use_schema(connection, schema)
    rows = connection.execute(_DESCRIBE).fetchall()
    named = re.compile(rf'(?<![\w"])"?{re.escape(schema)}"?(?=[.,])')
    return {what: named.sub("home", definition) for what, definition in rows}
