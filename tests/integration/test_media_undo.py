"""Changes of media are taken back with their bytes, which are kept once and for a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks import changes, history
from robbieblocks.database import check_whole, schema
from robbieblocks.errors import ContentError, DatabaseUnavailable
from robbieblocks.history import Asked, Change, undoing
from tests.integration.rows import one

if TYPE_CHECKING:
    from tests.databases import Databases
    from tests.integration.rows import Db

pytestmark = pytest.mark.postgres

ROW = (
    "SELECT id, media_key, file_name, media_type, content, content_hash, size_bytes, alt,"
    " is_decorative, focal_point, served_path FROM media_assets ORDER BY media_key"
)
KEPT = "SELECT content FROM earlier_media ORDER BY content"


@pytest.fixture
def edited(databases: Databases, schema_template: str) -> Iterator[Db]:
    """A database with one file, in which each statement is a transaction."""
    with (
        databases.copy(schema_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True, application_name="psql") as connection,
    ):
        connection.execute(
            "INSERT INTO media_assets (media_key, file_name, media_type, content, alt, focal_point)"
            " VALUES ('menu', 'menu.txt', 'text/plain', 'first', 'The menu', '50% 20%')"
        )
        yield connection


def newest(db: Db) -> Change:
    """The latest change."""
    return history.changes(db, Asked(limit=1))[0]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE media_assets SET content = 'second'",
        "UPDATE media_assets SET content = 'second', file_name = 'menu.md', alt = NULL",
        "UPDATE media_assets SET alt = 'Dinner', served_path = '/menu.txt'",
        "UPDATE media_assets SET media_key = 'card'",
        "DELETE FROM media_assets",
        "TRUNCATE media_assets",
    ],
)
def test_a_change_of_a_file_is_told_and_undone(edited: Db, statement: str) -> None:
    """Its bytes, too, whatever was done to it; and the undo itself can be undone."""
    before = edited.execute(ROW).fetchall()
    edited.execute(statement)
    after = edited.execute(ROW).fetchall()
    change = newest(edited)
    told = history.difference(change)
    assert told is not None
    assert (told.entity, told.key) == ("media", change.key)
    history.undo(edited, change, dry_run=True)
    assert edited.execute(ROW).fetchall() == after
    history.undo(edited, change)
    assert edited.execute(ROW).fetchall() == before
    history.undo(edited, newest(edited))
    assert edited.execute(ROW).fetchall() == after


def test_a_file_that_was_added_is_removed_and_comes_back(edited: Db) -> None:
    """With the bytes that the removal kept."""
    before = edited.execute(ROW).fetchall()
    history.undo(edited, newest(edited))
    assert edited.execute(ROW).fetchall() == []
    history.undo(edited, newest(edited))
    assert edited.execute(ROW).fetchall() == before


def test_equal_bytes_are_kept_once(edited: Db) -> None:
    """Of files that are there, and of each that was; what stays as it is keeps nothing."""
    for number in range(3):
        edited.execute(
            "INSERT INTO media_assets (media_key, file_name, media_type, content)"
            " VALUES (%s, 'a.txt', 'text/plain', 'first')",
            [f"copy{number}"],
        )
    edited.execute("UPDATE media_assets SET alt = 'a', content = content")
    assert edited.execute(KEPT).fetchall() == []
    edited.execute("DELETE FROM media_assets")
    assert edited.execute(KEPT).fetchall() == [(b"first",)]


def test_an_undo_is_refused_where_the_file_changed_since(edited: Db) -> None:
    """With both versions, and nothing is written."""
    edited.execute("UPDATE media_assets SET content = 'second'")
    change = newest(edited)
    edited.execute("UPDATE media_assets SET content = 'third'")
    before = edited.execute(ROW).fetchall()
    with pytest.raises(ContentError, match="the change left") as refused:
        history.undo(edited, change)
    assert {problem.field for problem in refused.value.problems} == {"content_hash", "size_bytes"}
    assert edited.execute(ROW).fetchall() == before


@pytest.mark.parametrize("error", [None, "lock_timeout"])
def test_an_undo_that_the_database_ends_has_written_nothing(
    edited: Db, monkeypatch: pytest.MonkeyPatch, error: str | None
) -> None:
    """Neither where the connection is lost after the last row is written, nor where somebody else
    holds the row for too long: one error, and the same undo goes well afterwards."""
    edited.execute("UPDATE media_assets SET content = 'second'")
    change, real = newest(edited), undoing._Undo.write
    before = edited.execute(ROW).fetchall()
    conninfo = make_conninfo(edited.info.dsn, user="postgres")

    def write(undo: undoing._Undo) -> None:
        real(undo)
        with psycopg.connect(conninfo, autocommit=True) as administrator:
            pid = undo._cursor.connection.info.backend_pid
            administrator.execute("SELECT pg_terminate_backend(%s)", [pid])

    with psycopg.connect(edited.info.dsn, autocommit=True) as other:
        if error is None:
            with monkeypatch.context() as patch:
                patch.setattr(undoing._Undo, "write", write)
                with pytest.raises(DatabaseUnavailable, match="try again"):
                    history.undo(other, change)
        else:
            other.execute("SET lock_timeout = '10ms'")
            with edited.transaction():
                edited.execute("SELECT FROM media_assets FOR UPDATE")
                with pytest.raises(DatabaseUnavailable, match="try again"):
                    history.undo(other, change)
    assert edited.execute(ROW).fetchall() == before
    history.undo(edited, change)
    assert edited.execute("SELECT content FROM media_assets").fetchall() == [(b"first",)]


def test_bytes_that_are_gone_are_one_clear_error(edited: Db) -> None:
    """But for those that another file has still."""
    edited.execute("DELETE FROM media_assets")
    edited.execute("DELETE FROM earlier_media")
    removed = newest(edited)
    with pytest.raises(ContentError, match="not kept any more"):
        history.undo(edited, removed)
    edited.execute(
        "INSERT INTO media_assets (media_key, file_name, media_type, content)"
        " VALUES ('copy', 'a.txt', 'text/plain', 'first')"
    )
    history.undo(edited, removed)
    assert [row[4] for row in edited.execute(ROW).fetchall()] == [b"first", b"first"]


def test_bytes_go_after_thirty_days_or_above_a_gibibyte(edited: Db) -> None:
    """Those that were kept longest first; a worker removes them with the journal."""
    for content in ("second", "third", "fourth"):
        edited.execute("UPDATE media_assets SET content = %s", [content.encode()])
    aged = "UPDATE earlier_media SET kept_at = now() - %s::interval WHERE content = %s"
    edited.execute(aged, ["31 days", b"first"])
    edited.execute(aged, ["1 day", b"second"])
    changes.remove_processed(edited, {})
    assert edited.execute(KEPT).fetchall() == [(b"second",), (b"third",)]
    edited.execute("UPDATE earlier_media SET size_bytes = 1073741824 - 10 WHERE content = 'third'")
    edited.execute("UPDATE media_assets SET content = 'fifth'")
    assert edited.execute(KEPT).fetchall() == [(b"fourth",), (b"third",)]


def test_what_replication_brings_is_kept_as_well(edited: Db) -> None:
    """Each database keeps its own: no bytes are sent twice, and an undo works on every node."""
    superuser = make_conninfo(edited.info.dsn, user="postgres")
    with psycopg.connect(superuser, autocommit=True) as replica:
        replica.execute("SET session_replication_role = replica")
        replica.execute("UPDATE media_assets SET content = 'second', content_hash = 'other'")
    assert edited.execute(KEPT).fetchall() == [(b"first",)]


def test_a_database_from_before_gets_it_by_an_upgrade(edited: Db) -> None:
    """Nothing of it is missed meanwhile, and `db verify` is silent afterwards."""
    edited.execute(
        "DROP TABLE earlier_media; DROP FUNCTION earlier_media_forget CASCADE;"
        " DROP FUNCTION media_assets_keep CASCADE"
    )
    edited.execute("UPDATE media_assets SET content = 'second'")
    with edited.cursor() as cursor:
        check_whole(cursor)
    changes.remove_processed(edited, {})
    assert "table earlier_media" in {each.what for each in schema.verify(edited)}
    schema.upgrade(edited)
    assert schema.verify(edited) == ()
    edited.execute("UPDATE media_assets SET content = 'third'")
    assert edited.execute(KEPT).fetchall() == [(b"second",)]
    edited.execute("ALTER TABLE media_assets ENABLE TRIGGER media_assets_keep_replaced")
    assert schema.verify(edited) != ()
    schema.upgrade(edited)
    assert schema.verify(edited) == ()
    assert one(edited, "SELECT count(*) FROM earlier_media") == 1
