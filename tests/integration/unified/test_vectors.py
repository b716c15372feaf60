"""Documents, knowledge and search by meaning: who sees them, what is found, what is refused."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import conninfo_to_dict

from robbieblocks.database import schema
from robbieblocks.errors import Permanent
from robbieblocks.settings import resource_dir
from tests.databases import Databases
from tests.integration.unified import sessions
from tests.integration.unified.conftest import FILES, apply, as_superuser

pytestmark = pytest.mark.postgres

_INIT = resource_dir("schema") / "init-unified-schema.sql"
_TABLES = {
    "documents": "filename",
    "embeddings": "content",
    "embedding_collections": "name",
    "embedding_collection_items": "notes",
    "knowledge_base": "topic",
    "search_history": "query",
    "embedding_cache": "cache_key",
}
# A vector of 1536 numbers that points a given angle away from the first axis.
_VECTOR = "(ARRAY[cos({0}), sin({0})] || array_fill(0::float8, ARRAY[1534]))::vector(1536)"
_FILL = """
    INSERT INTO documents (filename, file_hash) VALUES ('{user}', '{file}');
    INSERT INTO embeddings (id, content, embedding)
         VALUES (md5('{user}')::uuid, '{user}', {vector});
    INSERT INTO embedding_collections (id, name) VALUES (md5('{user}')::uuid, 'same');
    INSERT INTO embedding_collection_items VALUES (md5('{user}')::uuid, md5('{user}')::uuid);
    INSERT INTO knowledge_base (topic, content, is_public) VALUES ('{user}', 'text', false);
    INSERT INTO search_history (query) VALUES ('{user}');
"""
_OWN = dict.fromkeys(_TABLES, 1)
_USERS = (("aurora", "ann"), ("aurora", "bob"), ("fluenti", "flo"))


@pytest.fixture
def library(unified_database: str) -> Iterator[str]:
    """A database in which each user has one row in each table, each town one in the cache."""
    with sessions.two_towns(unified_database) as conninfo:
        for town, user in _USERS:
            with sessions.session(conninfo, town, user) as connection:
                file = "bobs" if user == "bob" else "same"
                connection.execute(
                    _FILL.format(user=user, file=file, vector=_VECTOR.format(0)).encode()
                )
        for town in ("aurora", "fluenti"):
            with sessions.session(conninfo, town) as connection:
                connection.execute(
                    "INSERT INTO embedding_cache (cache_key, expires_at) VALUES ('k', now())"
                )
        yield conninfo


def _found(connection: Connection, limit: int = 10) -> list[str]:
    rows = connection.execute(
        f"SELECT content FROM find_similar_embeddings({_VECTOR.format(0)}, {limit}, 0.5)".encode()
    ).fetchall()
    return [content for (content,) in rows]


def test_a_row_is_its_users_until_it_is_public_in_its_town(library: str) -> None:
    """Read, altered, deleted or found by nobody else; when public, read by the town alone."""
    for town, user in _USERS:
        for role, connection in sessions.everyones(library, town, user):
            assert sessions.seen(connection, _TABLES) == _OWN, (role, user)
            assert _found(connection) == [user], role
    tables = dict(_TABLES)
    tables.pop("embedding_cache")
    for town, user in (("aurora", ""), ("fluenti", "ann"), ("", "ann"), ("*", "ann")):
        with sessions.session(library, town, user) as connection:
            assert sessions.seen(connection, tables) == {}, (town, user)
            assert sessions.changed(connection, tables) == {}, (town, user)
            assert _found(connection) == []
    with sessions.session(library, "aurora", "ann") as connection:
        for table in ("documents", "embeddings", "embedding_collections", "knowledge_base"):
            connection.execute(f"UPDATE {table} SET is_public = true".encode())
    shared = dict.fromkeys(tables.keys() - {"search_history"}, 1)
    with sessions.session(library, "aurora") as connection:
        assert sessions.seen(connection, tables) == shared
        assert sessions.changed(connection, tables) == {}
        assert _found(connection) == ["ann"]
    for _, connection in sessions.everyones(library, "fluenti", "flo"):
        assert sessions.seen(connection, _TABLES) == _OWN
        assert _found(connection) == ["flo"]


def test_a_public_row_is_written_by_its_user_alone(library: str) -> None:
    """Nobody writes in another's name, nor hides what is of no user; a reference goes to what the
    session sees."""
    with sessions.session(library, "aurora", "ann") as connection:
        connection.execute("INSERT INTO documents (user_id, is_public) VALUES (NULL, true)")
        connection.execute("UPDATE embeddings SET is_public = true")
        for statement in (
            "INSERT INTO documents (user_id, is_public) VALUES (%(bob)s, true)",
            "INSERT INTO documents (user_id) VALUES (NULL)",
            "UPDATE documents SET is_public = false WHERE user_id IS NULL",
            "UPDATE knowledge_base SET user_id = %(bob)s",
            "UPDATE knowledge_base SET town_id = gen_random_uuid()",
            "UPDATE embedding_collection_items SET embedding_id = md5('bob')::uuid",
            "UPDATE embedding_collection_items SET collection_id = md5('flo')::uuid",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), sessions.USERS)
    with sessions.session(library, "aurora", "bob") as connection:
        # Another's public text goes into a collection of one's own, and into nobody else's.
        connection.execute(
            "INSERT INTO embedding_collection_items VALUES (md5('bob')::uuid, md5('ann')::uuid)"
        )
        assert (
            connection.execute("UPDATE embeddings SET content = 'x' WHERE is_public").rowcount == 0
        )


def test_what_is_unique_is_unique_in_a_town(library: str) -> None:
    """A town can't tell by a key that is taken what another town has; without one, the owner can't
    have it twice either."""
    again = (
        "INSERT INTO documents (file_hash) VALUES ('same')",
        "INSERT INTO embedding_collections (name) VALUES ('same')",
        "INSERT INTO embedding_cache (cache_key, expires_at) VALUES ('k', now())",
    )
    for town, user, role in (
        ("aurora", "ann", sessions.APPLICATION),
        ("*", "flo", "robbieblocks"),
    ):
        with sessions.session(library, town, user, role=role) as connection:
            for statement in again:
                if town == "*":
                    connection.execute(statement.encode())
                with pytest.raises(psycopg.errors.UniqueViolation):
                    connection.execute(statement.encode())


def test_documents_of_a_deleted_user_stay_hidden(library: str) -> None:
    """They are kept, without a user; only the owner of the tables sees them."""
    with sessions.session(library, "*", role="robbieblocks") as connection:
        connection.execute("DELETE FROM users WHERE username = 'ann'")
        row = connection.execute("SELECT user_id FROM documents WHERE filename = 'ann'").fetchone()
        assert row == (None,)
    with sessions.session(library, "aurora") as connection:
        assert sessions.seen(connection, _TABLES) == {"embedding_cache": 1}


def test_a_search_goes_on_past_what_the_session_may_not_see(library: str) -> None:
    """However many texts of another town are nearer, a town finds its own, the best first, by the
    index; no more than asked for, and none below the threshold."""
    with sessions.session(library, "*", role="robbieblocks") as connection:
        connection.execute(
            f"""
            INSERT INTO embeddings (content, embedding, is_public, town_id)
            SELECT 'nearer', {_VECTOR.format("n * 1e-4")}, true, uid
              FROM towns, generate_series(1, 150) n WHERE name = 'fluenti';
            INSERT INTO embeddings (content, embedding, is_public, town_id)
            SELECT 'at ' || n, {_VECTOR.format("n * 0.25")}, true, uid
              FROM towns, generate_series(1, 6) n WHERE name = 'aurora';
            """.encode()
        )
    expected = ["ann", "at 1", "at 2", "at 3", "at 4"]  # cos(1.25) is below 0.5
    with sessions.session(library, "aurora", "ann") as connection:
        assert _found(connection) == expected
        connection.execute("SET enable_seqscan = off; SET enable_sort = off")
        assert _found(connection) == expected
        assert _found(connection, 2) == expected[:2]
        assert _found(connection, 0) == []
        nearest = f"SELECT FROM embeddings ORDER BY embedding <=> {_VECTOR.format(0)} LIMIT 5"
        plan = connection.execute(f"EXPLAIN {nearest}".encode()).fetchall()
        assert "embeddings_embedding_idx" in str(plan)


def test_the_cache_is_cleaned_of_the_town(library: str) -> None:
    """What has expired goes, what has not stays, and other towns' stays."""
    with sessions.session(library, "aurora") as connection:
        connection.execute(
            "INSERT INTO embedding_cache (cache_key, expires_at) VALUES ('new', now() + '1 day')"
        )
        assert connection.execute("SELECT clean_expired_cache()").fetchone() == (1,)
        assert connection.execute("SELECT cache_key FROM embedding_cache").fetchall() == [("new",)]
    with sessions.session(library, "fluenti") as connection:
        assert connection.execute("SELECT cache_key FROM embedding_cache").fetchall() == [("k",)]


def test_what_makes_no_sense_is_refused(library: str) -> None:
    """Unknown kinds, and numbers out of their range; a vector of another length is no value."""
    with sessions.session(library, "*", role="robbieblocks") as connection:
        for statement in (
            "UPDATE documents SET file_size_bytes = -1",
            "UPDATE documents SET processing_status = 'lost'",
            "UPDATE embeddings SET chunk_index = -1",
            "UPDATE embeddings SET source_type = 'dream'",
            "UPDATE knowledge_base SET confidence_score = 1.1",
            "UPDATE knowledge_base SET view_count = -1",
            "UPDATE search_history SET execution_time_ms = -1",
            "UPDATE embedding_cache SET hit_count = -1",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())
        with pytest.raises(psycopg.errors.DataException):
            connection.execute("UPDATE embeddings SET embedding = '[1,2]'")


def test_an_earlier_index_by_lists_and_function_are_replaced(library: str) -> None:
    """ivfflat gives way to HNSW, and a function with other defaults to this version's."""
    with sessions.session(library, "*", role="robbieblocks") as connection:
        connection.execute(
            """
            DROP INDEX embeddings_embedding_idx;
            CREATE INDEX idx_embeddings_embedding ON embeddings
             USING ivfflat (embedding vector_cosine_ops) WITH (lists = 1);
            DROP FUNCTION find_similar_embeddings;
            CREATE FUNCTION find_similar_embeddings(
                query_embedding vector, limit_count integer DEFAULT 5,
                threshold double precision DEFAULT 0.8)
            RETURNS TABLE (id uuid, content text, similarity double precision, metadata jsonb)
            LANGUAGE plpgsql AS 'BEGIN RETURN; END';
            """
        )
    apply(library, next(file for file in FILES if file.name.startswith("03")))
    with sessions.session(library, "aurora", "ann") as connection:
        assert _found(connection) == ["ann"]
        methods = connection.execute(
            "SELECT amname FROM pg_index JOIN pg_class ON oid = indexrelid JOIN pg_am ON pg_am.oid"
            " = relam WHERE indrelid = 'embeddings'::regclass AND amname IN ('hnsw', 'ivfflat')"
        )
        assert methods.fetchall() == [("hnsw",)]


def _init(conninfo: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["psql", "-X", conninfo, *options, "-f", _INIT], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("extensions", "told"),
    [
        ("/nowhere", "and this server does not have it"),
        ("$system", "and robbieblocks may not install it"),
    ],
)
def test_without_the_extension_all_goes_on_where_it_is_told_to(
    extensions: str, told: str, databases: Databases
) -> None:
    """The one error names the package or the administrator, and how to go on; then there is all but
    file 03, and with the extension a later run adds what was left out."""
    with databases.copy() as conninfo:
        name = conninfo_to_dict(conninfo)["dbname"]
        with psycopg.connect(as_superuser(conninfo)) as connection:
            connection.execute(
                f"ALTER DATABASE {name} SET extension_control_path = '{extensions}'".encode()
            )
            connection.execute(f"ALTER DATABASE {name} OWNER TO postgres".encode())
            connection.execute("GRANT CREATE ON SCHEMA public TO robbieblocks")
        done = _init(conninfo)
        assert done.returncode == 3
        assert f"03-vectors-rag.sql needs the extension vector, {told}" in done.stderr
        assert done.stderr.count("ERROR") == 1
        assert "psql -v without_vectors=1" in done.stderr
        with (
            psycopg.connect(conninfo, autocommit=True) as connection,
            pytest.raises(Permanent, match=r"03-vectors-rag.* --without-vectors"),
        ):
            schema.upgrade(connection, unified=True)
        done = _init(conninfo, "-v", "without_vectors=1")
        assert (done.returncode, done.stderr) == (0, "")
        with psycopg.connect(conninfo, autocommit=True) as connection:
            schema.upgrade(connection, unified=True, vectors=False)
            assert schema.unsound(connection, vectors=False) == ()
            assert any("table documents is missing" in it for it in schema.unsound(connection))
        with psycopg.connect(as_superuser(conninfo), autocommit=True) as connection:
            connection.execute("SET extension_control_path = '$system'; CREATE EXTENSION vector")
        assert _init(conninfo).returncode == 0
        with psycopg.connect(conninfo, autocommit=True) as connection:
            assert schema.unsound(connection) == ()
            for table in ("companies", "messages", "ai_memories", "embeddings"):
                connection.execute(f"SELECT embedding FROM {table}".encode())
