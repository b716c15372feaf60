"""The journal: what a queue row says of who changed a row, what it was and what it became."""
# ruff: noqa: E501  # statements read best on one line

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg
import pytest

from tests.databases import Databases
from tests.integration.rows import CONTENT, Db, one

pytestmark = pytest.mark.postgres

Side = dict[str, Any] | None

HOME: LiteralString = "(SELECT id FROM robbieblocks_pages WHERE page_key = 'home')"
# Puts a block on the page home.
PLACE: LiteralString = f"""
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
    SELECT {HOME}, id, %s, 'main', '{{"n": 1}}' FROM robbieblocks_components WHERE component_key = 'bar'"""


@pytest.fixture(scope="module")
def shared(databases: Databases, schema_template: str) -> Iterator[Db]:
    """A connection to a database with a little content."""
    with (
        databases.copy(schema_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True, application_name="an editor") as connection,
    ):
        connection.execute(CONTENT)
        yield connection


@pytest.fixture
def edited(shared: Db) -> Iterator[Db]:
    """The same in a transaction that is rolled back, with an empty queue."""
    with shared.transaction(force_rollback=True):
        yield shared


def journal(db: Db) -> list[tuple[Side, Side]]:
    """What every queue row has before and after."""
    return db.execute("SELECT before, after FROM robbieblocks_change_triggers").fetchall()


def only(db: Db) -> tuple[Side, Side]:
    """Of the one queue row."""
    (row,) = journal(db)
    return row


def orders(side: Side) -> list[tuple[int, Any]]:
    """The blocks of a side by order, each with its props."""
    assert side is not None
    return sorted((block["block_order"], block["props"]) for block in side["blocks"].values())


def test_an_edit_says_who_made_it_and_what_the_row_was(edited: Db) -> None:
    """An update is kept with the row before and after it, and the session's user and name."""
    edited.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = 'red' WHERE token_key = 'color.primary'"
    )
    before, after = only(edited)
    assert before is not None
    assert after is not None
    assert after == before | {"default_value": "red"}
    assert before["default_value"] == "#1f5fa8"
    assert {"updated_at", "imported_hash"}.isdisjoint(before)
    assert one(edited, "SELECT changed_by FROM robbieblocks_change_triggers") == (
        f"{one(edited, 'SELECT session_user')} (an editor)"
    )


@pytest.mark.parametrize(
    ("statement", "before", "after"),
    [
        ("INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) VALUES ('a', 'b', 'c')", None, "token_key"),
        ("DELETE FROM robbieblocks_style_tokens WHERE token_key = 'color.primary'", "token_key", None),
        ("DELETE FROM robbieblocks_node_branding WHERE node_id = 'fluenti-local'", "node_id", None),
        ("UPDATE robbieblocks_node_branding SET custom_css = 'b{}' WHERE node_id = 'fluenti-local'", "node_id", "node_id"),
        ("DELETE FROM robbieblocks_components WHERE component_key = 'alone'", "component_key", None),
        ("UPDATE robbieblocks_components SET is_published = false WHERE component_key = 'alone'", "component_key", "component_key"),
        ("DELETE FROM robbieblocks_pages WHERE page_key = 'home'", "page_key", None),
        ("UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = 'draft'", "page_key", "page_key"),
    ],
)  # fmt: skip
def test_a_side_is_null_where_the_row_was_not_there(
    edited: Db, statement: LiteralString, before: str | None, after: str | None
) -> None:
    """An insert has no row before, a delete none after, for every kind of row."""
    edited.execute(statement)
    sides = only(edited)
    assert [(side is not None and key in side) if key else side for side, key in zip(sides, (before, after), strict=True)] == [bool(before) or None, bool(after) or None]  # fmt: skip


def test_a_block_is_kept_with_its_page(edited: Db) -> None:
    """Of a page the blocks are kept that changed, by id, with the keys of their components."""
    edited.execute(
        f"UPDATE robbieblocks_page_blocks SET props = '{{\"a\": 1}}' WHERE block_order = 2 AND page_id = {HOME}"
    )
    before, after = only(edited)
    assert before is not None
    assert after is not None
    assert (before["page_key"], orders(before)) == ("home", [(2, {})])
    assert orders(after) == [(2, {"a": 1})]
    assert next(iter(after["blocks"].values()))["component_key"] == "bar"


def test_a_transaction_is_one_change(edited: Db) -> None:
    """A page that is inserted, filled and changed at once has one row, as the transaction left it."""
    edited.execute("""
        INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
        VALUES ('new', 'play', 'New', '/new', 'single-column', 'published')""")
    edited.execute("""
        INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone)
        SELECT p.id, c.id, n, 'main' FROM robbieblocks_pages p, robbieblocks_components c, generate_series(1, 3) n
         WHERE page_key = 'new' AND component_key = 'bar'""")
    edited.execute("UPDATE robbieblocks_pages SET page_name = 'Newer' WHERE page_key = 'new'")
    edited.execute("""
        DELETE FROM robbieblocks_page_blocks b USING robbieblocks_pages p
         WHERE p.id = b.page_id AND page_key = 'new' AND block_order = 2""")
    before, after = only(edited)
    assert before is None
    assert after is not None
    assert after["page_name"] == "Newer"
    assert orders(after) == [(1, {}), (3, {})]


def test_a_block_that_came_and_changed_was_not_there_before(edited: Db) -> None:
    """Placing a block and changing it in one transaction leaves it out of the page before."""
    edited.execute(PLACE, (7,))
    edited.execute(f"UPDATE robbieblocks_page_blocks SET zone = 'footer' WHERE page_id = {HOME}")
    before, after = only(edited)
    assert orders(before) == [(1, {}), (2, {})]
    assert orders(after) == [(1, {}), (2, {}), (7, {"n": 1})]


def test_a_deleted_page_is_kept_with_all_its_blocks(edited: Db) -> None:
    """Also those that the same transaction had changed are as they were before it."""
    edited.execute(
        f"UPDATE robbieblocks_page_blocks SET props = '{{\"a\": 1}}' WHERE block_order = 2 AND page_id = {HOME}"
    )
    edited.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'home'")
    before, after = only(edited)
    assert orders(before) == [(1, {}), (2, {})]
    assert after is None


def test_a_truncate_keeps_what_it_takes(edited: Db) -> None:
    """The blocks of every published page are kept, and the pages themselves."""
    edited.execute("TRUNCATE robbieblocks_page_blocks")
    placed = [before for before, _ in journal(edited) if before and before["page_key"] == "home"]
    assert [orders(side) for side in placed] == [[(1, {}), (2, {})]]


def test_a_savepoint_that_is_rolled_back_leaves_nothing(edited: Db) -> None:
    """What a transaction takes back is in no side of its row."""
    edited.execute("UPDATE robbieblocks_pages SET page_name = 'a' WHERE page_key = 'home'")
    with edited.transaction(force_rollback=True):
        edited.execute("UPDATE robbieblocks_pages SET page_name = 'b' WHERE page_key = 'home'")
    before, after = only(edited)
    assert before is not None
    assert after is not None
    assert (before["page_name"], after["page_name"]) == ("home", "a")


def test_a_moved_block_is_one_change(edited: Db) -> None:
    """All blocks that a move pushes stand in one row, with their orders before and after."""
    for order in (3, 4):
        edited.execute(PLACE, (order,))
    edited.execute("DELETE FROM robbieblocks_change_triggers")
    edited.execute("SELECT robbieblocks_move_block('home', 4, 1)")
    before, after = only(edited)
    assert before is not None
    assert after is not None
    moved = {
        block["block_order"]: after["blocks"][key]["block_order"]
        for key, block in before["blocks"].items()
    }
    assert moved == {1: 2, 2: 3, 3: 4, 4: 1}


def test_long_texts_that_stay_are_kept_by_their_hash(edited: Db) -> None:
    """A text of 2 MB that an edit leaves alone costs the journal 64 characters."""
    code = "x" * 2_000_000
    edited.execute("UPDATE robbieblocks_components SET react_code = %s WHERE component_key = 'alone'", (code,))  # fmt: skip
    edited.execute("DELETE FROM robbieblocks_change_triggers")
    edited.execute(
        "UPDATE robbieblocks_components SET component_name = 'b' WHERE component_key = 'alone'"
    )
    for side in only(edited):
        assert side is not None
        assert "react_code" not in side
        assert side["by_hash"] == {"react_code": hashlib.sha256(code.encode()).hexdigest()}


def test_a_text_that_changes_after_another_field_is_kept(edited: Db) -> None:
    """A hash gives way to the text as soon as a statement of the transaction changes the text."""
    old = "<i/>" * 3000
    edited.execute("UPDATE robbieblocks_components SET react_code = %s WHERE component_key = 'alone'", (old,))  # fmt: skip
    edited.execute("DELETE FROM robbieblocks_change_triggers")
    for statement in ("component_name = 'b'", "react_code = '<b/>'", "component_name = 'c'"):
        edited.execute(f"UPDATE robbieblocks_components SET {statement} WHERE component_key = 'alone'")  # fmt: skip
    before, after = only(edited)
    assert before is not None
    assert after is not None
    assert (before["react_code"], after["react_code"]) == (old, "<b/>")
    assert (before["component_name"], after["component_name"]) == ("alone", "c")
    assert "by_hash" not in before
    assert "by_hash" not in after


def test_a_row_that_is_too_large_is_named_only(edited: Db) -> None:
    """A version of more than 4 MB is not kept, and its size is; the edit itself succeeds."""
    edited.execute(
        "UPDATE robbieblocks_components SET react_code = repeat('x', 5000000) WHERE component_key = 'alone'"
    )
    before, after = only(edited)
    assert before is not None
    assert after is not None
    assert before["react_code"] == "<i/>"
    assert set(after) == {"id", "component_key", "left_out"}


def test_a_statement_that_is_too_large_is_not_refused(edited: Db) -> None:
    """Rows beyond 64 MB of one statement are named only."""
    edited.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = repeat('xyz ', 9000000) WHERE token_key IN ('color.text', 'color.link')"
    )
    beyond = [after["left_out"] for _, after in journal(edited) if after is not None]
    assert sorted(size > 30_000_000 for size in beyond) == [True, True]


def test_rows_that_an_update_leaves_as_they_are_take_no_room(edited: Db) -> None:
    """A statement over rows of more than 64 MB keeps those that it alters."""
    edited.execute("ALTER TABLE robbieblocks_style_tokens DISABLE TRIGGER USER")
    edited.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 1030000) AS n) WHERE token_key IN ('color.text', 'color.link')"
    )
    edited.execute(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) SELECT 'a' || n, 'b', 'old' FROM generate_series(1, 40) AS n"
    )
    edited.execute("ALTER TABLE robbieblocks_style_tokens ENABLE TRIGGER USER")
    edited.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = CASE default_value WHEN 'old' THEN 'new' ELSE default_value END"
    )
    values = {(b["default_value"], a["default_value"]) for b, a in journal(edited) if b and a}
    assert values == {("old", "new")}
