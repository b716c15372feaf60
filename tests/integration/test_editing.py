"""The functions for editors: what docs/editing.md shows, orders of any kind, queue rows, locks."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.rows import Db
from tests.workers import until

pytestmark = pytest.mark.postgres

DOCUMENT = Path(__file__).parents[2] / "docs" / "editing.md"
PAGE = "robbie-play-home"
_ORDERS = st.lists(st.integers(-5, 12), min_size=1, max_size=8, unique=True)
_BLOCKS: LiteralString = """
    SELECT b.block_order, c.component_key
      FROM robbieblocks_page_blocks b JOIN robbieblocks_components c ON c.id = b.component_id
      JOIN robbieblocks_pages p ON p.id = b.page_id
     WHERE p.page_key = %s ORDER BY b.block_order
"""
_INSERT: LiteralString = (
    "SELECT robbieblocks_insert_block('mine', %s, 'matrix-rain', zone => 'overlay')"
)
_IN_MAIN: LiteralString = """
    SELECT b.block_order, c.component_key
      FROM robbieblocks_page_blocks b JOIN robbieblocks_components c ON c.id = b.component_id
      JOIN robbieblocks_pages p ON p.id = b.page_id
     WHERE p.page_key = 'mine' AND b.zone = 'main'
"""
_WAITING: LiteralString = """
    SELECT entity_type, count(*) FROM robbieblocks_change_triggers GROUP BY entity_type
"""


_DENSE: LiteralString = """
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone)
    SELECT p.id, c.id, n, 'main'
      FROM robbieblocks_pages p, robbieblocks_components c, unnest(%s::integer[]) AS n
     WHERE p.page_key = %s AND c.component_key = 'matrix-rain'
"""
_SHIFT: LiteralString = """
    SELECT robbieblocks_reorder(id, %s, %s) FROM robbieblocks_pages WHERE page_key = %s
"""


@pytest.fixture
def db(seeded_database: str) -> Iterator[Db]:
    """A connection to a database with the seed content."""
    with psycopg.connect(seeded_database, autocommit=True) as connection:
        yield connection


def blocks(db: Db, page: str = PAGE) -> dict[int, str]:
    """A page's components by order."""
    return dict(db.execute(_BLOCKS, [page]).fetchall())


def settings_of_blocks(db: Db, page: str) -> dict[int, str]:
    """Which order of a page's metadata.blocks has which component's settings."""
    found = db.execute(
        "SELECT key::integer, value ->> 'of' FROM robbieblocks_pages,"
        " jsonb_each(metadata -> 'blocks') WHERE page_key = %s ORDER BY 1",
        [page],
    )
    return dict(found.fetchall())


def queue(db: Db, statement: LiteralString) -> list[tuple[Any, ...]]:
    """How many queue rows a statement leaves, by kind."""
    db.execute("DELETE FROM robbieblocks_change_triggers")
    db.execute(statement)
    return db.execute(_WAITING).fetchall()


def test_what_the_document_shows_works_word_for_word(db: Db) -> None:
    """Each statement of docs/editing.md runs, in order, and gives what stands beside it."""
    shown = "".join(re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
    statements = re.findall(r"(.*?);(?: +-- ([^\n]*))?\n", shown, re.DOTALL)
    assert len(statements) > 10
    # A client's own zone decides how psql shows a time; here it is the one that the text has.
    db.execute("SET timezone TO UTC")
    for statement, told in statements:
        cursor = db.execute(statement.encode())
        if told:
            ((given, *_),) = cursor.fetchall()
            assert str(given).replace("+00:00", "+00") == told
        else:
            assert cursor.rowcount == 1, statement
    copied = blocks(db, "robbie-play-late")
    assert list(copied.values())[:-1] == list(blocks(db).values())
    rows = db.execute(
        "SELECT page_route, status, metadata, imported_hash FROM robbieblocks_pages"
        " WHERE page_key = 'robbie-play-late'"
    ).fetchall()
    assert rows == [("/play/late", "published", {"og_type": "website"}, None)]


@pytest.mark.parametrize("joined", ["nestloop", "hashjoin", "mergejoin"])
@pytest.mark.parametrize("rows", [list(range(9)), list(reversed(range(9)))])
def test_blocks_move_whichever_row_is_updated_first(db: Db, rows: list[int], joined: str) -> None:
    """Of a page without a gap the last two go up by one, however the rows lie and are joined."""
    db.execute("DELETE FROM robbieblocks_page_blocks")
    db.execute(_DENSE, (rows, PAGE))
    others = {"nestloop", "hashjoin", "mergejoin"} - {joined}
    for other in (*others, "indexscan", "indexonlyscan", "bitmapscan"):
        db.execute("SELECT set_config(%s, 'off', false)", (f"enable_{other}",))
    db.execute(_SHIFT, ([7, 8], [8, 9], PAGE))
    assert list(blocks(db)) == [*range(7), 8, 9]


def test_blocks_of_any_orders_can_be_moved_and_inserted(db: Db) -> None:
    """With gaps and negative orders: a move takes a block out and puts it in at its new place, and
    keeps the orders that are in use; an insertion keeps all others in their sequence. What the
    page's metadata says of a block goes with it, or goes where it goes; a new block has none."""
    db.execute("SELECT robbieblocks_copy_page('robbie-about', 'mine', '/mine')")
    db.execute(
        "DELETE FROM robbieblocks_page_blocks b USING robbieblocks_pages p WHERE"
        " p.id = b.page_id AND p.page_key = 'mine'"
    )
    keys = [
        key
        for (key,) in db.execute(
            "SELECT component_key FROM robbieblocks_components ORDER BY component_key"
        ).fetchall()
    ]

    @settings(
        max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
    )
    @given(data=st.data(), orders=_ORDERS, to=st.integers(-6, 13))
    def check(data: st.DataObject, orders: list[int], to: int) -> None:
        with db.transaction(force_rollback=True):
            for order, key in zip(orders, keys, strict=False):
                db.execute("SELECT robbieblocks_insert_block('mine', %s, %s)", [order, key])
            before = blocks(db, "mine")
            assert before == dict(sorted(zip(orders, keys, strict=False)))
            # As by hand: there may be settings of orders that have no block.
            stated = {order: {"of": key} for order, key in before.items()} | {
                to: {"of": before.get(to, "nobody")}
            }
            db.execute(
                "UPDATE robbieblocks_pages SET metadata = jsonb_build_object('blocks', %s::jsonb)"
                " WHERE page_key = 'mine'",
                [json.dumps(stated)],
            )
            taken = data.draw(st.sampled_from(orders))
            db.execute("SELECT robbieblocks_move_block('mine', %s, %s)", [taken, to])
            after = blocks(db, "mine")
            assert after[to] == before[taken]
            kept = set(before) if to in before else {*before, to} - {taken}
            assert set(after) == kept
            assert settings_of_blocks(db, "mine") == after
            moved = before.pop(taken)
            rest = [key for key in after.values() if key != moved]
            assert rest == list(before.values())
            db.execute(_INSERT, [to])
            inserted = blocks(db, "mine")
            assert inserted.pop(to) == "matrix-rain"
            assert list(inserted.values()) == list(after.values())
            assert settings_of_blocks(db, "mine") == inserted
            db.execute("SELECT robbieblocks_duplicate_block('mine', %s)", [min(inserted)])
            db.execute("SELECT robbieblocks_remove_block('mine', %s)", [max(blocks(db, "mine"))])
            with_settings = db.execute(_IN_MAIN).fetchall()
            assert settings_of_blocks(db, "mine") == dict(with_settings)

    check()


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ("SELECT robbieblocks_move_block('robbie-play-home', 8, 1)", [("page", 1)]),
        ("SELECT robbieblocks_move_block('robbie-play-home', 8, 20)", [("page", 1)]),
        ("SELECT robbieblocks_move_block('robbie-play-home', 8, 8)", []),
        ("SELECT robbieblocks_insert_block('robbie-play-home', 1, 'page-hero')", [("page", 1)]),
        ("SELECT robbieblocks_duplicate_block('robbie-play-home', 1)", [("page", 1)]),
        ("SELECT robbieblocks_remove_block('robbie-play-home', 1)", [("page", 1)]),
        (
            "SELECT robbieblocks_make_room(id, 7) FROM robbieblocks_pages"
            " WHERE page_key = 'robbie-play-home'",
            [("page", 1)],
        ),
        ("SELECT robbieblocks_archive_page('robbie-play-home')", [("page", 1)]),
        ("SELECT robbieblocks_publish_page('robbie-play-home')", []),
        ("SELECT robbieblocks_publish_page('robbie-play-home', now() + '1 day')", [("page", 1)]),
        ("SELECT robbieblocks_copy_page('robbie-play-home', 'copy', '/play/copy')", []),
    ],
)
def test_an_edit_leaves_one_queue_row(
    db: Db, statement: LiteralString, left: list[tuple[Any, ...]]
) -> None:
    """However many blocks it moves, and settings of them: one for the page, and none where no
    published page differs. The next edit by hand is noticed as ever."""
    db.execute(
        "UPDATE robbieblocks_pages SET metadata ="
        """ '{"blocks": {"1": {"hydrate": "idle"}, "8": {"hydrate": "visible"}}}'"""
        " WHERE page_key = 'robbie-play-home'"
    )
    assert queue(db, statement) == left
    by_hand: LiteralString = (
        "UPDATE robbieblocks_page_blocks SET props = '{}' WHERE block_order = 2"
    )
    assert queue(db, by_hand)[0][1] >= 5


@pytest.mark.parametrize(
    ("call", "said", "hint"),
    [
        ("move_block('robbie-play-hom', 1, 2)", "'robbie-play-hom'", "mean robbie-play-home"),
        ("archive_page('zzz')", "'zzz'", "Known: robbie-about, "),
        ("remove_block('robbie-play-home', 77)", "no block 77", "1 robbie-bar, 3 app-links"),
        ("insert_block('robbie-play-home', 1, 'page-hro')", "'page-hro'", "mean page-hero?"),
        ("insert_block('robbie-play-home', 1, 'page-hero', zone => 'x')", "zone 'x'", "main"),
        ("insert_block('robbie-play-home', 1, 'hook')", "is a module", "that imports it"),
        ("insert_block('robbie-about', 2147483647, 'page-hero')", "no order from", "smaller"),
        ("copy_page('robbie-about', 'robbie-play-home', '/x')", "has this key", "Name a key"),
        ("copy_page('robbie-play-home', 'x', '/play')", "has this route", "a route that no other"),
        ("publish_page(NULL)", "no page null", "Known: "),
        ("move_block('robbie-about', 1, NULL)", "no order is named", None),
    ],
)
def test_an_error_names_what_is_there(db: Db, call: str, said: str, hint: str | None) -> None:
    """An unknown page, component, zone or order is named, with a hint; nothing was changed."""
    db.execute(
        "INSERT INTO robbieblocks_components"
        " (component_key, component_name, component_type, react_code, props_schema)"
        " VALUES ('hook', 'Hook', 'module', 'export const a = 1', '{}')"
    )
    db.execute("UPDATE robbieblocks_page_blocks SET block_order = 2147483647 WHERE block_order = 2")
    before = blocks(db), blocks(db, "robbie-about")
    with pytest.raises(psycopg.Error) as refused:
        db.execute(f"SELECT robbieblocks_{call}".encode())
    assert said in (refused.value.diag.message_primary or "")
    assert (hint or "") in (refused.value.diag.message_hint or "")
    assert before == (blocks(db), blocks(db, "robbie-about"))


def test_of_two_who_edit_a_page_the_second_waits(db: Db, seeded_database: str) -> None:
    """Two moves at once give what one after the other gives."""
    with (
        psycopg.connect(seeded_database, autocommit=True) as second,
        ThreadPoolExecutor() as threads,
    ):
        with db.transaction():
            db.execute("SELECT robbieblocks_move_block('robbie-play-home', 8, 1)")
            other = threads.submit(
                second.execute, "SELECT robbieblocks_move_block('robbie-play-home', 8, 1)"
            )
            pid = second.info.backend_pid
            until(
                lambda: (
                    db.execute("SELECT pg_blocking_pids(%s) <> '{}'", [pid]).fetchone() == (True,)
                )
            )
        other.result()
    names = list(blocks(db).values())
    assert names[:3] == ["matrix-rain", "site-footer", "robbie-bar"]
    assert sorted(blocks(db)) == list(range(1, 10))
