"""Databases of the unified schema: empty with pgvector, with all files, and as the earlier left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from robbieblocks.settings import resource_dir
from tests.databases import Databases
from tests.integration.unified import earlier

FILES = sorted((resource_dir("schema") / "unified-schema").glob("*.sql"))
_TOWNS = """
    SET app.town = '*';
    INSERT INTO towns (name, display_name, database_roles) VALUES
        ('aurora', 'Aurora', '{}'), ('fluenti', 'Fluenti', '{test_fluenti}');
    INSERT INTO companies (hubspot_id, name, town_id)
         SELECT name, name, uid FROM towns;
    INSERT INTO companies (hubspot_id, name) VALUES ('none', 'of no town');
    INSERT INTO town_quotas (town_id, resource, allowed) SELECT uid, 'pages', 10 FROM towns;
"""
_ROLES = """
    DO $$ BEGIN
        CREATE ROLE test_fluenti LOGIN; CREATE ROLE test_application LOGIN;
    EXCEPTION WHEN duplicate_object THEN NULL; END $$;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public
       TO test_fluenti, test_application;
"""


def apply(conninfo: str, *files: Path) -> None:
    """Run files as psql does, each in its own transaction."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for file in files:
            try:
                connection.execute(file.read_bytes())
            except psycopg.Error as error:
                error.add_note(f"{file.name}: {error.diag.context}")
                raise


def as_superuser(conninfo: str) -> str:
    """The same database for a role that row level security does not bind."""
    return make_conninfo(conninfo, user="postgres")


@pytest.fixture(scope="session")
def vector_template(databases: Databases) -> Iterator[str]:
    """The name of an empty database in which an administrator has installed pgvector."""
    with databases.copy() as conninfo:
        with psycopg.connect(as_superuser(conninfo)) as connection:
            connection.execute("CREATE EXTENSION vector")
        yield str(conninfo_to_dict(conninfo)["dbname"])


@pytest.fixture(scope="session")
def unified_template(databases: Databases, vector_template: str) -> Iterator[str]:
    """The name of a database to which every file was applied once."""
    with databases.copy(vector_template) as conninfo:
        apply(conninfo, *FILES)
        yield str(conninfo_to_dict(conninfo)["dbname"])


@pytest.fixture
def unified_database(databases: Databases, unified_template: str) -> Iterator[str]:
    """The conninfo of a database of the test's own with every file applied."""
    with databases.copy(unified_template) as conninfo:
        yield conninfo


@pytest.fixture(scope="session", params=["as left", "whole"])
def upgraded(
    request: pytest.FixtureRequest, databases: Databases, vector_template: str
) -> Iterator[tuple[str, bool, dict[str, list[dict[str, object]]]]]:
    """A database from the earlier files, upgraded: conninfo, whether as left, its rows before."""
    as_left = request.param == "as left"
    with databases.copy(vector_template) as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            earlier.create(connection, as_left=as_left)
            before = earlier.rows(connection, as_left=as_left)
        apply(conninfo, *FILES)
        yield conninfo, as_left, before


@pytest.fixture
def towns(unified_database: str) -> Iterator[str]:
    """The conninfo of a database with two towns, a role of one and a role of the application."""
    with psycopg.connect(unified_database) as connection:
        connection.execute(_TOWNS)
    with psycopg.connect(as_superuser(unified_database)) as connection:
        connection.execute(_ROLES)
    yield unified_database
    with psycopg.connect(as_superuser(unified_database)) as connection:
        connection.execute("DROP OWNED BY test_fluenti, test_application")
        connection.execute("DROP ROLE test_fluenti, test_application")
