"""What of the owner's a statement failed over: a missing GRANT, or a policy that raises an error.

Postgres names neither: they are found out once it has refused a statement.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, LiteralString, Self

import psycopg
from psycopg import Connection, errors
from psycopg.abc import Params, Query
from psycopg.conninfo import make_conninfo
from psycopg.rows import Row
from psycopg.sql import SQL, Composable, Identifier

from robbieblocks.database.errors import translated

# The grants that a role lacks on whatever has a name, tables and schemas before others. A table on
# which no right is missing wants its owner. `hidden` asks for schemas alone that hold such a table
# and can't be looked into.
_MISSING: LiteralString = """
    SELECT format('GRANT %%s TO %%I;', lacking.privilege, current_user)
      FROM (SELECT 1, format('USAGE ON SCHEMA %%I', n.nspname)
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relname = %(name)s AND NOT has_schema_privilege(n.oid, 'USAGE')
            UNION ALL
            SELECT 2, coalesce((SELECT string_agg(needed, ', ' ORDER BY ordinality)
                                  FROM unnest(%(needed)s::text[]) WITH ORDINALITY AS it (needed)
                                 WHERE NOT has_table_privilege(c.oid, needed))
                               || format(' ON %%s', c.oid::regclass),
                               quote_ident(pg_get_userbyid(c.relowner)))
              FROM pg_class c
             WHERE c.relname = %(name)s AND c.relkind IN ('r', 'p', 'v') AND NOT %(hidden)s
            UNION ALL
            SELECT 3, format('EXECUTE ON FUNCTION %%s', p.oid::regprocedure)
              FROM pg_proc p
             WHERE p.proname = %(name)s AND NOT has_function_privilege(p.oid, 'EXECUTE')
               AND NOT %(hidden)s
            UNION ALL
            SELECT 4, format('%%s ON SCHEMA %%I',
                             CASE WHEN has_schema_privilege(n.oid, 'USAGE')
                                  THEN 'CREATE' ELSE 'USAGE' END, n.nspname)
              FROM pg_namespace n WHERE n.nspname = %(name)s AND NOT %(hidden)s
            UNION ALL
            SELECT 5, format('CREATE ON DATABASE %%I', d.datname)
              FROM pg_database d WHERE d.datname = %(name)s AND NOT %(hidden)s
           ) AS lacking (place, privilege)
     ORDER BY place LIMIT 1
"""

# Each right, and the parts of statements about a table that need it.
_NEEDS: Final = {
    "SELECT": (
        r"\b(?:FROM|JOIN|USING|UPDATE)\s+{table}\b",
        r"\bINSERT\s+INTO\s+{table}\b.*(?:RETURNING|ON\s+CONFLICT)",
    ),
    "INSERT": (r"\bINSERT\s+INTO\s+{table}\b",),
    "UPDATE": (
        r"\bUPDATE\s+{table}\b",
        r"\bINSERT\s+INTO\s+{table}\b.*DO\s+UPDATE",
        r"\bFROM\s+{table}\b.*FOR\s+(?:NO\s+KEY\s+)?UPDATE",
    ),
    "DELETE": (r"\bDELETE\s+FROM\s+{table}\b",),
}
# Has a policy (row-level security) that would hide rows be an error in this transaction.
ALL_ROWS: LiteralString = "SET LOCAL row_security = off"

# Of these tables those whose policies (row-level security) hold for the session's role where it
# reads, with the policies.
_POLICIES: LiteralString = """
    SELECT n.nspname, c.relname, string_agg(format('%%I', p.polname), ', ' ORDER BY p.polname)
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_policy p ON p.polrelid = c.oid
     WHERE c.relname = ANY(%(names)s) AND row_security_active(c.oid) AND p.polcmd IN ('r', '*')
       AND EXISTS (SELECT FROM unnest(p.polroles) AS role (id)
                    WHERE role.id = 0 OR pg_has_role(role.id, 'USAGE'))
     GROUP BY n.nspname, c.relname ORDER BY n.nspname, c.relname
"""

# Has the policies of a table look at each of its rows.
_EACH_ROW: LiteralString = "SELECT count(*) FROM {}"

# A note is worth no long wait.
_SHORT: LiteralString = "SET statement_timeout = '5s'"

_WORD = re.compile(r"\w+")
_INNER_STATEMENT = re.compile(r'^SQL statement "(.*?)"$', re.MULTILINE | re.DOTALL)


# For each role of schema/roles.sql the GRANT of it, empty where the session's role has its rights,
# as far as they tell the roles apart.
_OF_ROLES: LiteralString = """
    SELECT given.role,
           CASE WHEN bool_and(has_table_privilege('robbieblocks_' || name, given.privilege))
                THEN '' ELSE format('GRANT %I TO %I;', given.role, current_user) END
      FROM (VALUES
          ('robbieblocks_reviewer', 'SELECT',
           '{pages,components,page_blocks,style_tokens,node_branding,deploys,change_triggers}'),
          ('robbieblocks_editor', 'INSERT',
           '{pages,components,page_blocks,style_tokens,node_branding}'),
          ('robbieblocks_worker', 'INSERT', '{deploys}'),
          ('robbieblocks_worker', 'UPDATE', '{change_triggers}')
      ) AS given (role, privilege, names), unnest(given.names::text[]) AS name
     GROUP BY given.role
"""


def missing_roles(connection: Connection[Any]) -> dict[str, str]:
    """For each role of schema/roles.sql the GRANT of it; empty where its rights are held.

    All tables must be there. Raises DatabaseUnavailable.
    """
    with translated("find out the role's rights"):
        return dict(connection.execute(_OF_ROLES).fetchall())


class RightsCursor(psycopg.Cursor[Row]):
    """A cursor that adds the missing GRANT, or the policy that raised it, as a note to an error."""

    # Any: the driver overloads it for template strings, which we don't use.
    def execute(self, query: Any, *values: Any, **options: Any) -> Self:
        """Execute a query, as the driver does."""
        with _noted(self.connection, query):
            return super().execute(query, *values, **options)

    def stream(
        self,
        query: Query,
        params: Params | None = None,
        *,
        binary: bool | None = None,
        size: int = 1,
    ) -> Iterator[Row]:
        """Stream a query's rows, as the driver does."""
        with _noted(self.connection, query):
            yield from super().stream(query, params, binary=binary, size=size)


@contextmanager
def _noted(connection: Connection[Any], query: Query) -> Generator[None]:
    try:
        yield
    except (errors.InsufficientPrivilege, errors.UndefinedTable) as error:
        # Asked over another connection: this one's transaction is aborted.
        with suppress(psycopg.Error):
            grant = _missing_grant(connection, error, _text(query, connection))
            if grant:
                error.add_note(grant)
        raise
    except (psycopg.DataError, psycopg.ProgrammingError, psycopg.InternalError) as error:
        with suppress(psycopg.Error):
            policy = _failing_policy(connection, error, _text(query, connection))
            if policy:
                error.add_note(policy)
        raise


def _failing_policy(connection: Connection[Any], error: psycopg.Error, statement: str) -> str:
    """The table whose policy's own expression raised an error, with what to do; empty where none
    did: then reading all of the table raises no such error.
    """
    with _asking(connection) as asking:
        names = sorted(set(_WORD.findall(statement)))
        for schema, table, policies in asking.execute(_POLICIES, {"names": names}).fetchall():
            try:
                asking.execute(SQL(_EACH_ROW).format(Identifier(schema, table)))
            except psycopg.Error as again:
                if again.sqlstate == error.sqlstate:
                    return (
                        f"a policy (row-level security) of the table {table} fails over a row: "
                        f"mend its expression with ALTER POLICY, or the row, or ALTER ROLE ... "
                        f"BYPASSRLS for this role. Its policies: {policies}"
                    )
    return ""


def _missing_grant(connection: Connection[Any], error: psycopg.Error, statement: str) -> str:
    """The GRANT that a statement was refused for; empty where none can be named.

    Messages name the object last or in quotes, in every language.
    """
    said = error.diag.message_primary or ""
    quoted = re.search(r'"([^"]+)"', said)
    name = quoted[1] if quoted else said.rpartition(" ")[2]
    # Inside a function, its own statement was refused, and not the one that called it.
    inner = _INNER_STATEMENT.search(error.diag.context or "")
    with _asking(connection) as asking:
        found = asking.execute(
            _MISSING,
            {
                "name": name,
                "needed": needed_rights(inner[1] if inner else statement, name),
                "hidden": isinstance(error, errors.UndefinedTable),
            },
        ).fetchone()
    return str(found[0]) if found else ""


@contextmanager
def _asking(connection: Connection[Any]) -> Generator[Connection]:
    """Another connection: in this one's transaction nothing can be asked any more."""
    info = connection.info
    with psycopg.connect(
        make_conninfo(info.dsn, password=info.password), autocommit=True, connect_timeout=5
    ) as asking:
        asking.execute(_SHORT)
        yield asking


def needed_rights(statement: str, table: str) -> list[str]:
    """The rights on a table that a statement needs."""
    name = re.escape(table)
    return [
        right
        for right, patterns in _NEEDS.items()
        if any(
            re.search(pattern.format(table=name), statement, re.DOTALL | re.IGNORECASE)
            for pattern in patterns
        )
    ]


def _text(query: Query, connection: Connection[Any]) -> str:
    if isinstance(query, Composable):
        return query.as_string(connection)
    return query.decode() if isinstance(query, bytes) else str(query)
