"""Policies (row-level security) of an owner's own on our tables: no row that one hides is taken for
deleted, and one that fails is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from robbieblocks import content, database, history
from robbieblocks.content import media_objects, needed_media
from robbieblocks.errors import Permanent, RightsMissing
from robbieblocks.forms.store import form_of
from robbieblocks.history import Asked
from robbieblocks.settings import Settings
from tests.commands import Installation

pytestmark = pytest.mark.postgres


def with_policy(connection: psycopg.Connection, table: str, expression: str) -> None:
    """Have a policy hold for the owner, too."""
    for statement in (
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        f'CREATE POLICY "by length" ON {table} USING ({expression})',
    ):
        connection.execute(statement.encode())


@pytest.fixture
def db(settings: Settings) -> Iterator[Connection]:
    """A connection as commands have it, to a database with one page."""
    with database.connect(settings, application_name="test") as connection:
        connection.execute(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status) VALUES ('home', 'play', '', '/', 'single-column',"
            " 'published')"
        )
        yield connection


def read_form(connection: Connection) -> object:
    """What the receiver of forms asks."""
    return form_of(connection, "home", "contact")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("1 / length(page_name) > 0", "division by zero"),
        ("page_key::integer > 0", "invalid input syntax"),
        ("page_key = (SELECT page_key FROM robbieblocks_pages)", "infinite recursion"),
    ],
)
@pytest.mark.parametrize("read", [content.stored, read_form])
def test_a_policy_whose_expression_fails_is_named(
    db: Connection, expression: str, said: str, read: Callable[[Connection], object]
) -> None:
    """The error says what it said, of which table it is, and what to do."""
    with_policy(db, "robbieblocks_pages", expression)
    with pytest.raises(Permanent) as raised:
        read(db)
    told = str(raised.value)
    assert said in told
    assert "policy (row-level security) of the table robbieblocks_pages" in told
    assert "ALTER POLICY" in told
    assert '"by length"' in told


def test_what_is_wrong_beside_a_policy_is_not_said_of_it(db: Connection) -> None:
    """A policy that reads each row without an error is named by nothing."""
    with_policy(db, "robbieblocks_change_triggers", "true")
    with pytest.raises(psycopg.DataError) as raised:
        db.execute("SELECT 1 / 0 FROM robbieblocks_change_triggers")
    assert not hasattr(raised.value, "__notes__")
    assert history.changes(db, Asked())


def test_objects_of_hidden_rows_are_needed(db: Connection) -> None:
    """Who may not see all rows of media can't say what of a bucket nobody needs."""
    for table in ("media_assets", "earlier_media", "robbieblocks_change_triggers"):
        with db.transaction(force_rollback=True):
            with_policy(db, table, "false")
            assert media_objects(db) == {}
            with pytest.raises(RightsMissing, match="BYPASSRLS"):
                needed_media(db)


def test_files_of_hidden_rows_are_not_removed(installation: Installation, tmp_path: Path) -> None:
    """An export with --prune refuses; without, it lists them and removes none."""
    folder = tmp_path / "exported"
    assert installation.run("content", "export", folder).code == 0
    files = sorted(folder.rglob("*"))
    with psycopg.connect(installation.database_url or "", autocommit=True) as connection:
        with_policy(connection, "robbieblocks_components", "component_key = 'hero'")
    ran = installation.run("content", "export", folder, "--prune")
    assert "row-level security" in ran.error
    assert "BYPASSRLS" in ran.error
    assert "no row is kept there" in installation.run("content", "export", folder).out
    assert sorted(folder.rglob("*")) == files
