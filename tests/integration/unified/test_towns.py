"""Two towns that attack each other: what a session of one can see and write of the other."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres


def _companies(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT name FROM companies ORDER BY name").fetchall()
    return [name for (name,) in rows]


def test_the_application_sees_the_town_that_it_sets_and_nothing_without_one(towns: str) -> None:
    """No town, an unknown one and `*` show nothing to a role that does not own the tables."""
    with psycopg.connect(make_conninfo(towns, user="test_application")) as connection:
        assert _companies(connection) == []
        for town, seen in {"aurora": ["aurora"], "fluenti": ["fluenti"], "*": [], "x": []}.items():
            connection.execute("SELECT set_config('app.town', %s, true)", [town])
            assert _companies(connection) == seen
            assert connection.execute("SELECT count(*) FROM towns").fetchone() == (len(seen),)


def test_a_towns_own_role_has_that_town_whatever_it_sets(towns: str) -> None:
    """Setting another town, or all, shows nothing; a row can't be written into another town."""
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        assert _companies(connection) == ["fluenti"]
        for town in ("aurora", "*"):
            connection.execute("SELECT set_config('app.town', %s, false)", [town])
            assert _companies(connection) == []
        connection.execute("RESET app.town")
        for statement in (
            "INSERT INTO companies (hubspot_id, town_id) VALUES ('stolen', NULL)",
            "INSERT INTO companies (hubspot_id, town_id) VALUES ('stolen', gen_random_uuid())",
            "UPDATE companies SET town_id = NULL",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        connection.execute("UPDATE companies SET name = 'changed'")
        connection.execute("DELETE FROM companies WHERE name <> 'changed'")
        connection.execute("INSERT INTO companies (hubspot_id, name) VALUES ('new', 'new')")
        assert _companies(connection) == ["changed", "new"]
        for statement in (
            "UPDATE towns SET database_roles = '{}'",
            "UPDATE town_quotas SET allowed = 11",
            "DELETE FROM town_quotas",
        ):
            assert connection.execute(statement.encode()).rowcount == 0
        assert connection.execute("SELECT allowed FROM town_quotas").fetchall() == [(10,)]
        for statement in ("SET ROLE test_application", "SET SESSION AUTHORIZATION robbieblocks"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with psycopg.connect(as_superuser(towns)) as connection:
        assert _companies(connection) == ["aurora", "changed", "new", "of no town"]


def test_the_owner_is_bound_until_it_asks_for_every_town(towns: str) -> None:
    """The owner of the tables without a town sees nothing; with `*` every row, of no town too, but
    not where it has taken the role of somebody else."""
    with psycopg.connect(towns) as connection:
        assert _companies(connection) == []
        connection.execute("SET app.town = 'aurora'")
        assert _companies(connection) == ["aurora"]
        connection.execute("SET app.town = '*'")
        assert _companies(connection) == ["aurora", "fluenti", "of no town"]
    with psycopg.connect(as_superuser(towns)) as connection:
        connection.execute("SET app.town = '*'; SET ROLE test_application")
        assert _companies(connection) == []


def test_logins_are_seen_by_their_user_alone(towns: str) -> None:
    """Hashes, sessions and keys of other users are not there for a role that is not the owner; a
    town's own role sees those of nobody, whom it names as its user."""
    with psycopg.connect(as_superuser(towns)) as connection:
        connection.execute(
            """
            INSERT INTO users (username, email, password_hash)
            VALUES ('a', 'a@x', 'h'), ('b', 'b@x', 'h');
            INSERT INTO sessions (user_id, token_hash, expires_at) SELECT id, 't', now() FROM users;
            INSERT INTO api_keys (user_id, key_hash, name) SELECT id, 'k', 'n' FROM users;
            """
        )
        user = connection.execute("SELECT id FROM users WHERE username = 'a'").fetchone()
    assert user
    columns = {"users": "id", "sessions": "user_id", "api_keys": "user_id"}
    for role, seen in {"test_application": [user], "test_fluenti": []}.items():
        with psycopg.connect(make_conninfo(towns, user=role)) as connection:
            for table in columns:
                assert connection.execute(f"SELECT FROM {table}".encode()).fetchall() == []
            connection.execute("SELECT set_config('app.user_id', %s, true)", [str(user[0])])
            for table, column in columns.items():
                found = connection.execute(f"SELECT {column} FROM {table}".encode())
                assert found.fetchall() == seen
            assert connection.execute("UPDATE users SET role = 'admin'").rowcount == 0


def test_a_town_writes_itself_into_no_company_of_another(towns: str) -> None:
    """Not as a town of the company, nor as its member, knowing the company's key."""
    with psycopg.connect(as_superuser(towns)) as connection:
        key = connection.execute("SELECT uid FROM companies WHERE name = 'aurora'").fetchone()
        user = connection.execute(
            "INSERT INTO users (username, email, password_hash) VALUES ('a', 'a', 'h') RETURNING id"
        ).fetchone()
    assert key
    assert user
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO company_towns (company_id, town_id) VALUES (%s, current_town_id())",
                key,
            )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO company_members (company_id, user_id, role) VALUES (%s, %s, 'owner')",
                (*key, *user),
            )
        connection.execute(
            "INSERT INTO company_towns (company_id, town_id) SELECT uid, town_id FROM companies"
        )
        told = connection.execute(
            "SELECT data ->> 'name' FROM get_town_data('aurora', 'companies')"
        )
        assert told.fetchall() == []
        told = connection.execute(
            "SELECT data ->> 'name' FROM get_town_data('fluenti', 'companies')"
        )
        assert told.fetchall() == [("fluenti",)]


def test_the_log_tells_a_town_of_its_own_changes_and_is_never_changed(towns: str) -> None:
    """Old and new values, who and whence; no hash; no other town's; no forged or altered entry."""
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        connection.execute(
            """
            SET app.ip_address = '10.1.2.3';
            UPDATE companies SET industry = 'i';
            INSERT INTO town_settings (key, value) VALUES ('lang', '1'), ('hours', '1');
            UPDATE town_settings SET value = '2' WHERE key = 'hours';
            """
        )
        assert connection.execute(
            """
            SELECT action, old_values, new_values, host(ip_address), database_role
              FROM audit_log WHERE entity_type = 'companies' AND action = 'UPDATE'
            """
        ).fetchall() == [
            ("UPDATE", {"industry": None}, {"industry": "i"}, "10.1.2.3", "test_fluenti")
        ]
        # Which row it was, also where the table has no id.
        assert connection.execute(
            "SELECT entity_id, new_values FROM audit_log"
            " WHERE entity_type = 'town_settings' AND action = 'UPDATE'"
        ).fetchall() == [("hours", {"value": 2})]
        assert connection.execute(
            "SELECT DISTINCT coalesce(new_values ->> 'name', 'fluenti') FROM audit_log"
        ).fetchall() == [("fluenti",)]
        partitions = connection.execute(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r'"
        ).fetchall()
        for (partition,) in partitions:
            assert not connection.execute(f"SELECT FROM {partition}".encode()).fetchall()
    for role in ("test_fluenti", "robbieblocks", "postgres"):
        with psycopg.connect(make_conninfo(towns, user=role), autocommit=True) as connection:
            for statement in (
                "UPDATE audit_log SET action = 'x'",
                "DELETE FROM audit_log",
                "TRUNCATE audit_log",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE forged (id integer, town_id uuid)")
        for statement in (
            "INSERT INTO audit_log (action) VALUES ('forged')",
            "CREATE TRIGGER forge AFTER INSERT ON forged FOR EACH ROW"
            " EXECUTE FUNCTION audit_change()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with psycopg.connect(as_superuser(towns), autocommit=True) as connection:
        connection.execute("UPDATE users SET password_hash = 'secret', role = 'admin'")
        connection.execute(
            "INSERT INTO users (username, email, password_hash) VALUES ('s', 's', 'secret')"
        )
        log = connection.execute("SELECT a::text FROM audit_log a").fetchall()
        assert log
        assert "secret" not in str(log)


def test_old_months_of_the_log_go_whole(unified_database: str) -> None:
    """Dropping what ended before a time leaves this month and those to come."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute("SELECT audit_log_make_partition('2020-02-10')")
        connection.execute("INSERT INTO audit_log (action, created_at) VALUES ('x', '2020-02-29')")
        count = "SELECT audit_log_drop_before(%s)"
        assert connection.execute(count, ["2020-02-29 23:00+00"]).fetchone() == (0,)
        assert connection.execute(count, ["2020-03-01 00:00+00"]).fetchone() == (1,)
        connection.execute("SET app.town = '*'")
        assert connection.execute("SELECT FROM audit_log WHERE action = 'x'").fetchall() == []


def test_a_towns_rows_are_read_by_an_index(towns: str) -> None:
    """Not among those of all; with `*` the owner sees rows of a town that is not there, too."""
    with psycopg.connect(as_superuser(towns)) as connection:
        connection.execute(
            """
            INSERT INTO towns (name, display_name)
                 SELECT 't' || n, 't' FROM generate_series(1, 50) AS n;
            INSERT INTO companies (hubspot_id, town_id)
                 SELECT n, uid FROM towns, generate_series(1, 200) AS n;
            ALTER TABLE companies DROP CONSTRAINT companies_town_id_fkey;
            INSERT INTO companies (hubspot_id, name, town_id) VALUES
                ('lost', 'lowest', '00000000-0000-0000-0000-000000000000'),
                ('lost', 'highest', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
            ANALYZE companies;
            """
        )
    for role, town in (("test_fluenti", "fluenti"), ("test_application", "t7")):
        options = f"-c app.town={town}"
        with psycopg.connect(make_conninfo(towns, user=role, options=options)) as connection:
            plan = connection.execute("EXPLAIN SELECT FROM companies").fetchall()
            assert "Seq Scan on companies" not in str(plan), plan
            assert "companies_town_id_idx" in str(plan), plan
    with psycopg.connect(make_conninfo(towns, options="-c app.town=*")) as connection:
        assert connection.execute("SELECT count(*) FROM companies").fetchone() == (52 * 200 + 5,)


def test_settings_of_the_whole_system_are_written_by_the_owner_alone(towns: str) -> None:
    """A town reads those that are not sensitive, and changes none."""
    with psycopg.connect(towns) as connection:
        connection.execute(
            """
            INSERT INTO system_config (key, value, category, is_sensitive)
            VALUES ('open', '1', 'c', false), ('hidden', '2', 'c', true), ('unsaid', '3', 'c', NULL)
            """
        )
        assert connection.execute("SELECT count(*) FROM system_config").fetchone() == (3,)
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        assert connection.execute("SELECT key FROM system_config").fetchall() == [("open",)]
        assert connection.execute("UPDATE system_config SET value = '9'").rowcount == 0
        assert connection.execute("DELETE FROM system_config").rowcount == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO system_config (key, value, category) VALUES ('mine', '1', 'c')"
            )


def test_the_log_tells_a_town_nothing_of_users_and_of_the_owner(towns: str) -> None:
    """Though the session that wrote it has the town: a town's own role sees no such row either."""
    in_town = "-c app.town=fluenti"
    with psycopg.connect(make_conninfo(towns, options=in_town)) as connection:
        connection.execute(
            """
            INSERT INTO users (username, email, password_hash) VALUES ('a', 'a@x', 'h');
            INSERT INTO api_keys (user_id, key_hash, name) SELECT id, 'k', 'mine' FROM users;
            INSERT INTO system_config (key, value, category) VALUES ('k', '1', 'c');
            INSERT INTO sync_nodes (node_id, node_name, node_type) VALUES ('n', 'n', 'master');
            INSERT INTO secrets (service, key_name, scope, scope_id, key_value_encrypted)
            SELECT scope, 'k', scope, scope_id, 'rbs1:a:' || repeat('x', 40)
              FROM (SELECT 'global', NULL UNION ALL SELECT 'user', id::text FROM users UNION ALL
                    SELECT 'town', name FROM towns) AS s (scope, scope_id);
            """
        )
    with psycopg.connect(make_conninfo(towns, user="test_fluenti")) as connection:
        told = connection.execute(
            "SELECT entity_type, new_values ->> 'scope_id' FROM audit_log"
            " WHERE entity_type NOT IN ('towns', 'companies', 'town_quotas')"
        ).fetchall()
    assert told == [("secrets", "fluenti")]
    with psycopg.connect(make_conninfo(towns, options="-c app.town=*")) as connection:
        kept = connection.execute(
            "SELECT count(*) FROM audit_log WHERE entity_type ~ '^(users|api_|system_|sync_|secr)'"
        )
        assert kept.fetchone() == (8,)


def test_a_town_does_not_prove_a_domain_to_itself(towns: str) -> None:
    """It may claim one that another claims; the owner says whose it is, once."""
    claim = "INSERT INTO town_domains (domain, verified_at) VALUES ('a.example', %s)"
    for user, town in (("test_fluenti", "fluenti"), ("test_application", "aurora")):
        conninfo = make_conninfo(towns, user=user, options=f"-c app.town={town}")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            connection.execute(claim, [None])
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(claim, [None])
            for statement in (
                "UPDATE town_domains SET verified_at = now()",
                "INSERT INTO town_domains (domain, verified_at) VALUES ('b.example', now())",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
    everywhere = make_conninfo(towns, options="-c app.town=*")
    with psycopg.connect(everywhere) as owner, pytest.raises(psycopg.errors.UniqueViolation):
        owner.execute("UPDATE town_domains SET verified_at = now()")
