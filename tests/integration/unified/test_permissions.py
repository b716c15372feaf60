"""Roles, permissions and privacy rules, for users of two towns."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

_USERS = """
    SET app.town = '*';
    INSERT INTO towns (name, display_name) VALUES ('aurora', 'Aurora'), ('fluenti', 'Fluenti');
    INSERT INTO users (id, username, email, password_hash, is_active)
         SELECT md5(name)::uuid, name, name, 'h', name <> 'gone'
           FROM unnest('{boss, seller, gone}'::text[]) AS name;
    INSERT INTO roles (name, is_boss) VALUES ('boss', true), ('seller', false);
    INSERT INTO permissions (name) VALUES ('deals.write'), ('people.phone'), ('roles.grant');
    INSERT INTO role_permissions (role_id, permission_id)
         SELECT r.id, p.id FROM roles r, permissions p
          WHERE (r.name, p.name) = ('seller', 'deals.write');
    INSERT INTO user_roles (user_id, role_id, town_id)
         SELECT u.id, r.id, t.uid FROM users u, roles r, towns t
          WHERE t.name = 'aurora'
            AND r.name = CASE u.username WHEN 'seller' THEN 'seller' ELSE 'boss' END;
    INSERT INTO privacy_rules (town_id, table_name, column_name, permission_id)
         SELECT t.uid, 'contacts', 'phone', p.id FROM towns t, permissions p
          WHERE p.name = 'people.phone';
"""


@pytest.fixture
def application(unified_database: str) -> Iterator[Connection]:
    """A connection of an application's role to a database with users of a town."""
    with psycopg.connect(as_superuser(unified_database)) as connection:
        connection.execute(_USERS)
        connection.execute(
            """
            CREATE ROLE test_permissions LOGIN;
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO test_permissions;
            """
        )
    conninfo = make_conninfo(unified_database, user="test_permissions")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection
    with psycopg.connect(as_superuser(unified_database)) as connection:
        connection.execute("DROP OWNED BY test_permissions")
        connection.execute("DROP ROLE test_permissions")


def _be(connection: Connection, town: str, user: str) -> None:
    connection.execute(
        """
        SELECT set_config('app.town', %s, false),
               set_config('app.user_id', md5(%s)::uuid::text, false)
        """,
        [town, user],
    )


def _may(connection: Connection) -> object:
    return connection.execute(
        "SELECT app_has_permission('deals.write'), app_has_permission('roles.grant'), "
        "app_has_boss_access()"
    ).fetchone()


def test_a_permission_holds_for_the_user_and_the_town_that_have_it(application: Connection) -> None:
    """Not in another town, not for somebody inactive, not without a user or a town."""
    assert _may(application) == (False, False, False)
    for town, user, may in (
        ("aurora", "boss", (True, True, True)),
        ("aurora", "seller", (True, False, False)),
        ("aurora", "gone", (False, False, False)),
        ("fluenti", "boss", (False, False, False)),
        ("*", "boss", (False, False, False)),
    ):
        _be(application, town, user)
        assert _may(application) == may, (town, user)


def test_nobody_gives_himself_a_role(application: Connection) -> None:
    """Only who may grant roles gives one, in that town alone; nobody changes what a role allows."""
    take = (
        "INSERT INTO user_roles (user_id, role_id) "
        "SELECT app_user_id(), id FROM roles WHERE name = 'boss'"
    )
    for town, user in (("aurora", "seller"), ("fluenti", "boss")):
        _be(application, town, user)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute(take.encode())
        assert application.execute("UPDATE user_roles SET expires_at = NULL").rowcount == 0
        assert application.execute("DELETE FROM privacy_rules").rowcount == 0
    _be(application, "aurora", "boss")
    assert application.execute("UPDATE roles SET is_boss = true").rowcount == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        application.execute("INSERT INTO roles (name, is_boss) VALUES ('mine', true)")
    given = (
        "UPDATE user_roles SET expires_at = now() - interval '1 day' WHERE user_id <> app_user_id()"
    )
    assert application.execute(given.encode()).rowcount == 2
    _be(application, "aurora", "seller")
    assert _may(application) == (False, False, False)


def test_a_column_is_shown_to_who_may_read_it(application: Connection) -> None:
    """A privacy rule takes the column out of a row for everybody else."""
    shown = """SELECT app_readable('contacts', '{"name": "x", "phone": "1"}')"""
    _be(application, "aurora", "boss")
    assert application.execute(shown).fetchone() == ({"name": "x", "phone": "1"},)
    _be(application, "aurora", "seller")
    assert application.execute(shown).fetchone() == ({"name": "x"},)
