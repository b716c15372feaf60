"""Secrets, sessions of nodes and jobs: what is refused, and who sees what."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

_SEALED = "rbs1:first:" + "A" * 38
_SECRET = "INSERT INTO secrets (service, key_name, key_value_encrypted, scope, scope_id) "


def _set(connection: Connection, value: str, scope: str, scope_id: str | None) -> None:
    connection.execute(
        (_SECRET + "VALUES ('mail', 'token', %s, %s, %s)").encode(), [value, scope, scope_id]
    )


@pytest.mark.parametrize("user", ["robbieblocks", "postgres"])
def test_a_secret_that_is_not_sealed_is_refused_and_not_shown(
    user: str, unified_database: str
) -> None:
    """Neither the error nor its detail has the text, for the owner and for a superuser."""
    conninfo = make_conninfo(unified_database, user=user)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for value in ("hunter2", "rbs1:hunter2", _SEALED + "=", f"{_SEALED}\nhunter2", "rbs1::x"):
            with pytest.raises(psycopg.errors.CheckViolation) as refused:
                _set(connection, value, "global", None)
            assert "hunter2" not in str(refused.value)
            assert "robbieblocks secrets set" in str(refused.value.diag.message_hint)
        _set(connection, _SEALED, "global", None)
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE secrets SET key_value_encrypted = 'hunter2'")
        assert connection.execute("SELECT key_id FROM secrets").fetchall() == [("first",)]
        connection.execute("SET session_replication_role = replica") if user == "postgres" else None
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE secrets SET key_value_encrypted = 'hunter2'")


def test_a_secret_stands_once_and_has_a_known_scope(unified_database: str) -> None:
    """A second global one of the same name is refused; so is a scope without whom it is of."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        _set(connection, _SEALED, "global", None)
        with pytest.raises(psycopg.errors.UniqueViolation):
            _set(connection, _SEALED, "global", None)
        for scope, scope_id in (("town", None), ("global", "aurora"), ("planet", "earth")):
            with pytest.raises(psycopg.errors.CheckViolation):
                _set(connection, _SEALED, scope, scope_id)


def test_a_secret_is_seen_by_whose_it_is(towns: str) -> None:
    """A town's by the town, a user's by the user, a global one by the owner, who sees all."""
    user = "00000000-0000-0000-0000-000000000001"
    with psycopg.connect(towns) as connection:
        for scope, scope_id in (
            ("global", None),
            ("town", "aurora"),
            ("town", "fluenti"),
            ("user", user),
        ):
            _set(connection, _SEALED, scope, scope_id)
        assert len(connection.execute("SELECT FROM secrets").fetchall()) == 4
    for role, town, seen in (
        ("test_application", "aurora", ["aurora", user]),
        ("test_application", "*", [user]),
        ("test_fluenti", "", ["fluenti"]),
        ("test_fluenti", "aurora", []),
    ):
        options = f"-c app.town={town} -c app.user_id={user}"
        with psycopg.connect(make_conninfo(towns, user=role, options=options)) as connection:
            rows = connection.execute("SELECT scope_id FROM secrets ORDER BY scope").fetchall()
            assert [scope_id for (scope_id,) in rows] == seen, (role, town)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                _set(connection, _SEALED, "town", "collaboration")


def test_the_log_has_no_sealed_secret_either(towns: str) -> None:
    """A change of a secret is logged by its id and key, without what is stored."""
    with psycopg.connect(towns, autocommit=True) as connection:
        _set(connection, _SEALED, "global", None)
        connection.execute(
            "UPDATE secrets SET key_value_encrypted = replace(key_value_encrypted, 'first', 'next')"
        )
    with psycopg.connect(as_superuser(towns)) as connection:
        log = connection.execute(
            "SELECT action, old_values, new_values FROM audit_log WHERE entity_type = 'secrets'"
            " ORDER BY action DESC"
        ).fetchall()
    assert log[0] == ("UPDATE", {"key_id": "first"}, {"key_id": "next"})
    assert len(log) == 2
    assert "AAAA" not in str(log)


def test_sessions_of_nodes_and_what_other_systems_have_are_not_anybodys(towns: str) -> None:
    """A session is its user's, the registry the owner's alone; a town's role sees neither."""
    user = "00000000-0000-0000-0000-000000000001"
    with psycopg.connect(as_superuser(towns)) as connection:
        connection.execute(
            f"""
            INSERT INTO users (id, username, email, password_hash) VALUES
                ('{user}', 'a', 'a', 'h'), (gen_random_uuid(), 'b', 'b', 'h');
            INSERT INTO user_sessions (user_id, token_jti, expires_at)
                 SELECT id, username, now() + interval '1 hour' FROM users;
            INSERT INTO sync_registry (local_id, external_system, entity_type)
                 VALUES ('1', 'hubspot', 'contact');
            """.encode()
        )
    for role, seen in {"test_application": ["a"], "test_fluenti": []}.items():
        options = f"-c app.town=fluenti -c app.user_id={user}"
        with psycopg.connect(make_conninfo(towns, user=role, options=options)) as connection:
            rows = connection.execute("SELECT token_jti FROM user_sessions").fetchall()
            assert [jti for (jti,) in rows] == seen
            assert connection.execute("SELECT FROM sync_registry").fetchall() == []
            assert connection.execute("UPDATE sync_registry SET local_version = 2").rowcount == 0
    with psycopg.connect(towns) as connection:
        assert connection.execute("SELECT local_id FROM sync_registry").fetchall() == [("1",)]


_REFUSED = (
    "INSERT INTO user_sessions (token_jti, expires_at) VALUES ('x', '2020-01-01')",
    "INSERT INTO widget_usage (usage_count) VALUES (-1)",
    "INSERT INTO api_connectivity_status (node_name, service, status, response_time_ms)"
    " VALUES ('n', 's', 'ok', -1)",
    "INSERT INTO training_jobs (model_name, base_model, training_data, epochs, learning_rate)"
    " VALUES ('m', 'b', 'd', 0, 0.1)",
    "INSERT INTO training_jobs (model_name, base_model, training_data, epochs, learning_rate,"
    " progress) VALUES ('m', 'b', 'd', 1, 0.1, 101)",
    "INSERT INTO sync_registry (local_id, external_system, entity_type, local_version)"
    " VALUES ('1', 'x', 'x', -1)",
)


def test_what_can_not_be_is_refused(unified_database: str) -> None:
    """A session that ended before it began, negative counts, more than all of a job."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute("SET app.town = '*'")
        for statement in _REFUSED:
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())


def test_use_of_a_widget_goes_with_it(unified_database: str) -> None:
    """A widget that is removed leaves no count behind."""
    with psycopg.connect(unified_database) as connection:
        connection.execute(
            """
            INSERT INTO widgets (name) VALUES ('clock');
            INSERT INTO widget_usage (widget_id, site_name) SELECT id, 'play' FROM widgets;
            DELETE FROM widgets;
            """
        )
        assert connection.execute("SELECT FROM widget_usage").fetchall() == []


def test_an_index_is_used_under_row_level_security(towns: str) -> None:
    """A company is found by its name, and sorted by it, without reading all."""
    with psycopg.connect(as_superuser(towns)) as connection:
        connection.execute(
            """
            INSERT INTO companies (hubspot_id, name, town_id)
                 SELECT n, n, uid FROM towns, generate_series(1, 3000) AS n
                  WHERE towns.name = 'aurora'
            """
        )
        connection.execute("ANALYZE companies")
    conninfo = make_conninfo(towns, user="test_application", options="-c app.town=aurora")
    with psycopg.connect(conninfo) as connection:
        for query in ("WHERE name = '7'", "ORDER BY name LIMIT 3"):
            plan = connection.execute(f"EXPLAIN SELECT FROM companies {query}".encode()).fetchall()
            assert "companies_name_idx" in str(plan), plan
