"""The table of media: what a row is measured as, and what the change queue tells of it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import psycopg
import pytest

from robbieblocks.database import check_whole, schema
from robbieblocks.settings import resource_dir

if TYPE_CHECKING:
    from tests.integration.rows import Db

pytestmark = pytest.mark.postgres

_ADD = (
    "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash)"
    " VALUES ('notes', 'notes.txt', 'text/plain', %s, 'wrong')"
)
_QUEUE = (
    "SELECT trigger_type, entity_type, affected_apps, affected_nodes,"
    " before ->> 'content_hash', after ->> 'content_hash', after ? 'content'"
    " FROM robbieblocks_change_triggers ORDER BY created_at, change_xid"
)


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_hash_and_size_follow_the_bytes(db: Db) -> None:
    """Whatever a statement says of them."""
    db.execute(_ADD, [b"first"])
    measured = "SELECT content_hash, size_bytes FROM media_assets"
    assert db.execute(measured).fetchone() == (_hash(b"first"), 5)
    db.execute("UPDATE media_assets SET content = 'second', size_bytes = 1")
    assert db.execute(measured).fetchone() == (_hash(b"second"), 6)


def test_a_change_leaves_one_queue_row_without_the_bytes(db: Db) -> None:
    """Each statement that changes a file; not one that changes nothing, or notes an import."""
    db.execute(_ADD, [b"first"])
    db.execute("UPDATE media_assets SET alt = alt")
    db.execute("UPDATE media_assets SET imported_hash = 'x'")
    db.execute("UPDATE media_assets SET content = 'second'")
    db.execute("DELETE FROM media_assets")
    everywhere = ("media_update", "media", None, None)
    assert db.execute(_QUEUE).fetchall() == [
        (*everywhere, None, _hash(b"first"), False),
        (*everywhere, _hash(b"first"), _hash(b"second"), False),
        (*everywhere, _hash(b"second"), None, None),
    ]


def test_truncating_is_a_change_of_every_file(db: Db) -> None:
    """TRUNCATE leaves a queue row for each file that it removes."""
    db.execute(_ADD, [b"first"])
    db.execute("TRUNCATE robbieblocks_change_triggers")
    db.execute("TRUNCATE media_assets")
    assert [row[4] for row in db.execute(_QUEUE)] == [_hash(b"first")]


def test_a_database_without_media_is_whole(db: Db) -> None:
    """Without file 22 nothing is held up; `db verify` names the table, and an upgrade makes it."""
    db.execute("DROP TABLE media_assets")
    with db.cursor() as cursor:
        check_whole(cursor)
    assert "table media_assets" in {each.what for each in schema.verify(db)}
    assert "added table media_assets" in schema.upgrade(db).changes
    assert schema.verify(db) == ()


def test_the_file_needs_file_21(empty_database: str) -> None:
    """Alone it says which file comes first, and makes nothing."""
    file = resource_dir("schema") / "unified-schema" / "22-media.sql"
    with psycopg.connect(empty_database, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.RaiseException, match="21-robbieblocks-cms"):
            connection.execute(file.read_bytes())
        connection.rollback()
        assert connection.execute("SELECT to_regclass('media_assets')").fetchone() == (None,)
