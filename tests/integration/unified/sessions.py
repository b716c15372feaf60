"""Sessions of two towns, as the application and as the towns' own roles have them."""

from __future__ import annotations

import uuid
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import as_superuser

APPLICATION = "test_app"
OWN_ROLES = {"aurora": "test_own_aurora", "fluenti": "test_own_fluenti"}
# Two users in aurora, one in fluenti; each town has a company.
USERS = {name: uuid.UUID(int=number) for number, name in enumerate(("ann", "bob", "flo"), start=1)}
_TOWNS = """
    SET app.town = '*';
    INSERT INTO towns (name, display_name, database_roles) VALUES
        ('aurora', 'Aurora', '{test_own_aurora}'), ('fluenti', 'Fluenti', '{test_own_fluenti}');
    INSERT INTO companies (hubspot_id, name, town_id) SELECT name, name, uid FROM towns;
"""
_ROLES = """
    CREATE ROLE test_app LOGIN;
    CREATE ROLE test_own_aurora LOGIN;
    CREATE ROLE test_own_fluenti LOGIN;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public
       TO test_app, test_own_aurora, test_own_fluenti;
"""
_ALL_ROLES = "test_app, test_own_aurora, test_own_fluenti"


@contextmanager
def two_towns(conninfo: str) -> Generator[str]:
    """Put the towns, users, companies and roles into a database with every file applied."""
    with psycopg.connect(conninfo) as connection:
        connection.execute(_TOWNS)
        connection.cursor().executemany(
            "INSERT INTO users (id, username, email, password_hash) VALUES (%s, %s, %s, 'h')",
            [(key, name, name) for name, key in USERS.items()],
        )
    with psycopg.connect(as_superuser(conninfo)) as connection:
        connection.execute(_ROLES)
    try:
        yield conninfo
    finally:
        with psycopg.connect(as_superuser(conninfo)) as connection:
            connection.execute(f"DROP OWNED BY {_ALL_ROLES}".encode())
            connection.execute(f"DROP ROLE {_ALL_ROLES}".encode())


@contextmanager
def session(
    conninfo: str, town: str, user: str = "", *, role: str = APPLICATION
) -> Generator[Connection]:
    """Connect as a role whose application named a town and, by name, a user."""
    options = f"-c app.town={town} -c app.user_id={USERS.get(user, '')}"
    with psycopg.connect(
        make_conninfo(conninfo, user=role, options=options), autocommit=True
    ) as connection:
        yield connection


def everyones(conninfo: str, town: str, user: str) -> Iterator[tuple[str, Connection]]:
    """Each session that a town can have, with what to call it: the application's, its own."""
    for role in dict.fromkeys((APPLICATION, OWN_ROLES.get(town, APPLICATION))):
        with session(conninfo, town, user, role=role) as connection:
            yield role, connection


def seen(connection: Connection, tables: Iterable[str]) -> dict[str, int]:
    """How many rows the session sees of each table that shows it any."""
    counts: dict[str, int] = {}
    for table in tables:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()
        assert row is not None
        if row[0]:
            counts[table] = row[0]
    return counts


def changed(connection: Connection, tables: dict[str, str]) -> dict[str, int]:
    """How many rows the session updates, by a column of each table, and deletes; of each table."""
    counts: dict[str, int] = {}
    for table, column in tables.items():
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            if rows := connection.execute(statement.encode()).rowcount:
                counts[statement] = rows
    return counts
