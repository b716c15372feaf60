"""A refreshed snapshot is the one that a whole reading gives, whatever happened in between."""
# ruff: noqa: E501  # a statement reads best on one line

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, LiteralString, cast

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from robbieblocks import changes, snapshot
from robbieblocks.database import decoded_json, schema
from robbieblocks.errors import DatabaseUnavailable, SchemaIncomplete
from robbieblocks.model import CollectionSource, Snapshot
from robbieblocks.snapshot import collections, queries, reading, values
from tests.databases import Databases
from tests.integration.rows import CONTENT, Db, one

pytestmark = pytest.mark.postgres

_PLAY: LiteralString = "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'home'"


@pytest.fixture
def second(database: str, db: Db) -> Iterator[Db]:
    """Another editor, whose transactions last until they are ended."""
    with psycopg.connect(database) as connection:
        yield connection
        connection.rollback()


def same(refreshed: Snapshot, db: Db, *, nodes: list[str] | None = None) -> Snapshot:
    """Assert that a snapshot is what a whole reading gives now, and return that."""
    taken = snapshot.take(db, nodes=nodes)
    assert replace(refreshed, taken_at=taken.taken_at) == taken
    assert refreshed.bookmark.pages == taken.bookmark.pages
    assert refreshed.bookmark.components == taken.bookmark.components
    assert list(refreshed.components) == list(taken.components)
    assert [page.key for page in refreshed.pages] == [page.key for page in taken.pages]
    return taken


def new_pages(before: Snapshot, after: Snapshot) -> set[str]:
    """The pages of a snapshot that are not objects of the one before."""
    known = {id(page) for page in before.pages}
    return {page.key for page in after.pages if id(page) not in known}


def new_components(before: Snapshot, after: Snapshot) -> set[str]:
    """The components of a snapshot that are not objects of the one before."""
    known = {id(row) for row in before.components.values()}
    return {key for key, row in after.components.items() if id(row) not in known}


# --- what is read again ----------------------------------------------------------------------


def test_what_the_machine_was_too_short_to_read_is_read_again(
    db: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an edit, and alone: a page's metadata and props, a component, a node, and a row."""
    source = CollectionSource(name="goods", view=("goods",), key="slug")
    db.execute("CREATE TABLE goods (slug text, word text)")
    db.execute("INSERT INTO goods VALUES ('a', 'poison'), ('b', 'fine'), (NULL, 'fine')")
    db.execute('UPDATE robbieblocks_page_blocks SET props = \'{"a": "poison"}\'')
    db.execute('UPDATE robbieblocks_pages SET metadata = \'{"a": "poison"}\'')
    db.execute('UPDATE robbieblocks_components SET props_schema = \'{"title": "poison"}\'')
    db.execute('UPDATE robbieblocks_node_branding SET settings = \'{"a": "poison"}\'')
    real = decoded_json

    def short(text: str, **more: bool) -> Any:
        if "poison" in text:
            raise MemoryError
        return real(text, **more)

    with monkeypatch.context() as patch:
        for module in (values, reading, collections):
            patch.setattr(module, "decoded_json", short)
        before = snapshot.take(db, sources=[source])
        assert "MemoryError" in str(before.pages[0].metadata)
        assert "MemoryError" in str(snapshot.refresh(db, before, sources=[source]).pages)
    after = snapshot.refresh(db, before, sources=[source])
    assert "MemoryError" not in str((after.pages, after.components, after.nodes, after.collections))
    wanted = snapshot.take(db, sources=[source])
    assert replace(after, taken_at=wanted.taken_at) == wanted
    again = snapshot.refresh(db, after, sources=[source])
    assert again.pages is after.pages
    assert again.collections is after.collections


def test_nothing_changed(db: Db, whole: list[str]) -> None:
    """Where nothing changed, everything is the very same object."""
    before = snapshot.take(db)
    whole.clear()
    after = snapshot.refresh(db, before)
    assert after.pages is before.pages
    assert after.components is before.components
    assert after.tokens is before.tokens
    assert after.nodes is before.nodes
    assert after.triggers is before.triggers
    assert after.taken_at > before.taken_at
    assert not whole


def test_media_are_read_where_they_changed(db: Db) -> None:
    """And at no other edit: pages are edited often, and media seldom. Their table may come later,
    and its triggers may be off for a while."""
    upload: LiteralString = (
        "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash,"
        " size_bytes) VALUES ('a', 'a.txt', '', 'a', '', 0)"
    )
    asked: list[str] = []

    def read(cursor: Any, query: LiteralString, values: Any = None) -> list[Any]:
        asked.append(query)
        return cast("list[Any]", cursor.execute(query, values).fetchall())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "rows", read)
        before = snapshot.take(db)
        assert queries.MEDIA in asked
        asked.clear()
        db.execute(_PLAY)
        after = snapshot.refresh(db, before)
        assert queries.MEDIA not in asked
        assert after.media is before.media
        for edit in (
            upload,
            "UPDATE media_assets SET alt = 'A'",
            "ALTER TABLE media_assets DISABLE TRIGGER USER",
            "UPDATE media_assets SET alt = 'B'",
            "ALTER TABLE media_assets ENABLE TRIGGER USER",
            "DELETE FROM media_assets",
            upload,
            "TRUNCATE media_assets",
            "DROP TABLE media_assets",
        ):
            asked.clear()
            db.execute(edit)
            after = snapshot.refresh(db, after)
            if "'B'" not in edit:
                same(after, db)
    schema.apply(db)
    db.execute(upload)
    assert same(snapshot.refresh(db, after), db).media


_EDITS: list[tuple[str, LiteralString, set[str], set[str]]] = [
    ("a page", _PLAY, {"home"}, set()),
    ("a page that reads the same", "UPDATE robbieblocks_pages SET version = version + 1", set(), set()),
    ("a block", "UPDATE robbieblocks_page_blocks SET zone = 'header' WHERE block_order = 2", {"home", "desk"}, set()),
    ("1 for true", "UPDATE robbieblocks_page_blocks SET props = '{\"a\": true}'; UPDATE robbieblocks_page_blocks SET props = '{\"a\": 1}'",
     {"about", "desk", "home"}, set()),
    ("a key", "UPDATE robbieblocks_pages SET page_key = 'aaa' WHERE page_key = 'home'", {"aaa"}, set()),
    ("swapped keys", """UPDATE robbieblocks_pages SET page_key = 'x' WHERE page_key = 'home';
        UPDATE robbieblocks_pages SET page_key = 'home' WHERE page_key = 'desk'; UPDATE robbieblocks_pages SET page_key = 'desk' WHERE page_key = 'x'""",
     {"home", "desk"}, set()),
    ("an id", "UPDATE robbieblocks_pages SET id = gen_random_uuid() WHERE page_key = 'gone'", {"gone"}, set()),
    ("publishing", "UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = 'draft'", {"draft"}, set()),
    ("archiving", "UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'home'", set(), set()),
    ("a page less", "DELETE FROM robbieblocks_pages WHERE page_key = 'desk'", set(), set()),
    ("a component", "UPDATE robbieblocks_components SET react_code = '<b/>' WHERE component_key = 'bar'", set(), {"bar"}),
    ("an unpublished component", "UPDATE robbieblocks_components SET react_code = '<b/>' WHERE component_key = 'unpublished'", set(), {"unpublished"}),
    ("an unpublished component more", """INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema)
        VALUES ('a', 'a', 'widget', '', '{}')""", set(), {"a"}),
    ("a component less", "DELETE FROM robbieblocks_components WHERE component_key = 'alone'", set(), set()),
    ("a component that reads the same", "UPDATE robbieblocks_components SET version = '2'", set(), set()),
    ("a component's key", "UPDATE robbieblocks_components SET component_key = 'zz' WHERE component_key = 'outer'", {"desk"}, {"zz"}),
    ("an unpublished component's key", "UPDATE robbieblocks_components SET component_key = 'zz' WHERE component_key = 'unpublished'", {"about"}, {"zz"}),
    ("swapped component keys", """UPDATE robbieblocks_components SET component_key = 'x' WHERE component_key = 'outer';
        UPDATE robbieblocks_components SET component_key = 'outer' WHERE component_key = 'unpublished';
        UPDATE robbieblocks_components SET component_key = 'unpublished' WHERE component_key = 'x'""", {"about", "desk"}, {"outer", "unpublished"}),
    ("a row put in by hand", """INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id)
        SELECT 'page_update', 'page', id FROM robbieblocks_pages""", set(), set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statement", "pages", "components"),
    [edit[1:] for edit in _EDITS],
    ids=[edit[0] for edit in _EDITS],
)
def test_only_what_changed(
    db: Db, whole: list[str], statement: LiteralString, pages: set[str], components: set[str]
) -> None:
    """What an edit changed is new, all else is the very same object, and not everything was read."""
    before = snapshot.take(db)
    whole.clear()
    db.execute(statement)
    after = snapshot.refresh(db, before)
    assert not whole
    same(after, db)
    assert new_pages(before, after) == pages
    assert new_components(before, after) == components


def test_tokens_and_nodes(db: Db, whole: list[str]) -> None:
    """Tokens and nodes are as they are now, and those that did not change the same objects."""
    before = snapshot.take(db)
    whole.clear()
    db.execute("UPDATE robbieblocks_style_tokens SET default_value = 'red' WHERE token_key = 'color.primary'")  # fmt: skip
    db.execute("UPDATE robbieblocks_node_branding SET style_overrides = '{\"a\": 1}' WHERE node_id = 'fluenti-local'")  # fmt: skip
    between = snapshot.refresh(db, before)
    db.execute("UPDATE robbieblocks_node_branding SET style_overrides = '{\"a\": true}' WHERE node_id = 'fluenti-local'")  # fmt: skip
    after = snapshot.refresh(db, between)
    assert not whole
    same(after, db)
    assert sum(a is not b for a, b in zip(before.tokens, after.tokens, strict=True)) == 1
    assert [a is b for a, b in zip(between.nodes, after.nodes, strict=True)] == [True, True, False, True]  # fmt: skip
    assert cast("dict[str, Any]", after.nodes[2].overrides)["a"] is True


def test_component_that_vanished_from_under_its_blocks(db: Db, database: str) -> None:
    """Blocks lose and find their component where a replica applies it without asking them."""
    before = snapshot.take(db)
    with psycopg.connect(database, user="postgres", autocommit=True) as replica:
        replica.execute("SET session_replication_role = replica")
        replica.execute("CREATE TEMP TABLE kept AS SELECT * FROM robbieblocks_components WHERE component_key = 'outer'")  # fmt: skip
        replica.execute("DELETE FROM robbieblocks_components WHERE component_key = 'outer'")
        without = snapshot.refresh(db, before)
        same(without, db)
        assert new_pages(before, without) == {"desk"}
        replica.execute("INSERT INTO robbieblocks_components SELECT * FROM kept")
    again = snapshot.refresh(db, without)
    same(again, db)
    assert new_pages(without, again) == {"desk"}


def test_whole_reading_keeps_objects(db: Db) -> None:
    """A whole reading, too, takes over what reads the same, by what is stored and not by Python's ==."""
    db.execute("UPDATE robbieblocks_page_blocks SET props = '{\"a\": 1}'")
    before = snapshot.take(db)
    assert snapshot.take(db, previous=before).pages is before.pages
    assert snapshot.take(db, previous=before).components is before.components
    db.execute(
        "UPDATE robbieblocks_page_blocks SET props = '{\"a\": true}' WHERE component_id IN (SELECT id FROM robbieblocks_components WHERE component_key = 'outer')"
    )
    after = snapshot.take(db, previous=before)
    assert new_pages(before, after) == {"desk"}
    assert cast("dict[str, Any]", after.pages[1].blocks[1].props)["a"] is True
    assert after.nodes is before.nodes


# --- whoever saw what, and when --------------------------------------------------------------


def test_late_commit(db: Db, second: Db, whole: list[str]) -> None:
    """An edit that was made before a snapshot and committed after it is in the next one."""
    second.execute(_PLAY)
    before = snapshot.take(db)
    db.execute("UPDATE robbieblocks_pages SET page_name = 'later' WHERE page_key = 'desk'")
    between = snapshot.refresh(db, before)
    assert new_pages(before, between) == {"desk"}
    second.commit()
    whole.clear()
    after = snapshot.refresh(db, between)
    assert new_pages(between, after) == {"home"}
    assert not whole
    same(after, db)


def test_savepoints(db: Db, second: Db) -> None:
    """An edit in a savepoint counts with its transaction; one that was rolled back never does."""
    before = snapshot.take(db)
    second.execute("SAVEPOINT a")
    second.execute(_PLAY)
    second.execute("RELEASE a; SAVEPOINT b")
    second.execute("UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'desk'")
    second.execute("ROLLBACK TO b")
    between = snapshot.refresh(db, before)
    assert between.pages is before.pages
    second.commit()
    after = snapshot.refresh(db, between)
    assert new_pages(between, after) == {"home"}
    same(after, db)


def test_whoever_has_handled_it(db: Db) -> None:
    """A change is in the next snapshot though somebody else has handled its row already."""
    before = snapshot.take(db)
    db.execute(_PLAY)
    for node in before.nodes:
        changes.acknowledge(db, node.id, [row.id for row in snapshot.triggers(db)])
    after = snapshot.refresh(db, before)
    assert after.triggers == ()
    assert new_pages(before, after) == {"home"}


def test_block_placed_while_its_page_is_being_published(db: Db, second: Db) -> None:
    """Blocks that an editor adds to a page while another publishes it are told of, in whichever order."""
    place: LiteralString = "UPDATE robbieblocks_page_blocks SET block_order = block_order + 1 WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'draft')"
    publish: LiteralString = (
        "UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = 'draft'"
    )
    db.execute("SET lock_timeout = '50ms'")
    with db.transaction():
        db.execute(publish)
        second.execute(place)
    before = snapshot.take(db)
    second.commit()
    assert new_pages(before, snapshot.refresh(db, before)) == {"draft"}
    same(snapshot.refresh(db, before), db)

    db.execute("UPDATE robbieblocks_pages SET status = 'draft' WHERE page_key = 'draft'")
    second.execute(place)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        db.execute(publish)
    second.commit()
    before = snapshot.take(db)
    db.execute(publish)
    same(snapshot.refresh(db, before), db)


def test_block_of_a_page_published_behind_an_older_state(db: Db, second: Db) -> None:
    """An editor in REPEATABLE READ who still sees a draft is told of, too."""
    second.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    second.execute("SELECT 1")
    db.execute("UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = 'draft'")
    before = snapshot.take(db)
    second.execute(
        "UPDATE robbieblocks_page_blocks SET zone = 'footer' WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'draft')"
    )
    second.commit()
    after = snapshot.refresh(db, before)
    assert new_pages(before, after) == {"draft"}
    same(after, db)


def test_two_editors_of_one_draft(db: Db, second: Db) -> None:
    """Editors of different blocks of a draft don't wait for each other, nor to number its version."""
    db.execute("SET lock_timeout = '50ms'")
    db.execute(
        "INSERT INTO robbieblocks_page_blocks (page_id, block_order, zone) SELECT id, 2, 'main' FROM robbieblocks_pages WHERE page_key = 'draft'"
    )
    edit: LiteralString = "UPDATE robbieblocks_page_blocks SET zone = 'footer' WHERE block_order = %s AND page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'draft')"
    second.execute(edit, (1,))
    db.execute(edit, (2,))
    second.execute("UPDATE robbieblocks_pages SET version = version + 1 WHERE page_key = 'draft'")
    second.commit()


def test_row_from_another_server(db: Db, database: str) -> None:
    """A row that replication applies counts as of the local transaction, at each update again."""
    before = snapshot.take(db)
    with psycopg.connect(database, user="postgres", autocommit=True) as replica:
        replica.execute("SET session_replication_role = replica")
        for foreign in (1, 10**12):
            with replica.transaction():
                replica.execute(
                    "UPDATE robbieblocks_pages SET page_name = page_name || 'x' WHERE page_key = 'home'"
                )
                replica.execute(
                    "INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, change_xid, processed_at)"
                    " SELECT 'page_update', 'page', id, %s::text::xid8, now() FROM robbieblocks_pages WHERE page_key = 'home'",
                    (foreign,),
                )
                ours = one(replica, "SELECT pg_current_xact_id()")
                read: LiteralString = "SELECT DISTINCT change_xid FROM robbieblocks_change_triggers"
                assert one(replica, read) == ours
            replica.execute("UPDATE robbieblocks_change_triggers SET change_xid = %s::text::xid8, handled_nodes = '{a}'", (foreign,))  # fmt: skip
            assert one(replica, read) == ours
            after = snapshot.refresh(db, before)
            assert new_pages(before, after) == {"home"}
            same(after, db)
            replica.execute("DELETE FROM robbieblocks_change_triggers")
            before = after


# --- when everything is read -----------------------------------------------------------------


def _renamed_table(db: Db) -> None:
    db.execute("TRUNCATE robbieblocks_page_blocks")


def _capture_off_for_an_edit(db: Db) -> None:
    db.execute("ALTER TABLE robbieblocks_pages DISABLE TRIGGER robbieblocks_capture_update")
    db.execute(_PLAY)
    db.execute("ALTER TABLE robbieblocks_pages ENABLE TRIGGER robbieblocks_capture_update")


def _applied_again(db: Db) -> None:
    db.execute("ALTER TABLE robbieblocks_page_blocks DISABLE TRIGGER USER")
    db.execute("UPDATE robbieblocks_page_blocks SET zone = 'footer'")
    db.execute("ALTER TABLE robbieblocks_page_blocks ENABLE TRIGGER USER")


def _another_app(db: Db) -> None:
    db.execute("UPDATE robbieblocks_node_branding SET enabled_apps = '{nobody}' WHERE node_id = 'vengeance-local'")  # fmt: skip


def _emptied_queue(db: Db) -> None:
    db.execute(_PLAY)
    db.execute("TRUNCATE robbieblocks_change_triggers")


def _much(db: Db) -> None:
    db.execute("""
        INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
        SELECT 'p' || n, 'play', 'P', '/' || n, 'single-column', 'published' FROM generate_series(1, 70) n""")


@pytest.mark.parametrize(
    "happen",
    [_renamed_table, _capture_off_for_an_edit, _applied_again, _another_app, _emptied_queue, _much],
)
def test_everything_is_read_where_the_queue_does_not_tell(
    db: Db, whole: list[str], happen: Callable[[Db], None]
) -> None:
    """After what the queue can't tell of, or with too much of it, everything is read."""
    before = snapshot.take(db, nodes=["vengeance-local"])
    whole.clear()
    happen(db)
    after = snapshot.refresh(db, before, nodes=["vengeance-local"])
    assert whole
    same(after, db, nodes=["vengeance-local"])


def _older(taken: Snapshot) -> Snapshot:
    return replace(taken, taken_at=taken.taken_at - timedelta(days=2))


def _from_the_future(taken: Snapshot) -> Snapshot:
    ahead = reading.next_transaction(taken.bookmark.visible) + 1000
    return replace(taken, bookmark=replace(taken.bookmark, visible=f"{ahead}:{ahead}:"))


def _of_another_server(taken: Snapshot) -> Snapshot:
    return replace(taken, bookmark=replace(taken.bookmark, history="another"))


def _made_by_hand(taken: Snapshot) -> Snapshot:
    return Snapshot(pages=(), components={}, tokens=(), nodes=(), taken_at=taken.taken_at)


@pytest.mark.parametrize("like", [_older, _from_the_future, _of_another_server, _made_by_hand])
def test_everything_is_read_after_a_snapshot_of_elsewhere(
    db: Db, whole: list[str], like: Callable[[Snapshot], Snapshot]
) -> None:
    """A snapshot of another server, of a state that is no more, or of long ago is not built upon."""
    before = like(snapshot.take(db))
    db.execute(_PLAY)
    whole.clear()
    same(snapshot.refresh(db, before), db)
    assert whole


def test_each_database_has_a_history(
    db: Db, databases: Databases, schema_template: str, whole: list[str]
) -> None:
    """A snapshot of another database of the same server is not built upon."""
    with (
        databases.copy(schema_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True) as other,
    ):
        before = snapshot.take(other)
        whole.clear()
        same(snapshot.refresh(db, before), db)
        assert whole


def test_without_the_column(db: Db, whole: list[str]) -> None:
    """On a schema that is older than the column, everything is read each time."""
    db.execute("ALTER TABLE robbieblocks_change_triggers DROP COLUMN change_xid CASCADE")
    db.execute(
        "CREATE TRIGGER robbieblocks_notify BEFORE INSERT ON robbieblocks_change_triggers FOR EACH ROW EXECUTE FUNCTION robbieblocks_notify()"
    )
    before = snapshot.take(db)
    whole.clear()
    same(snapshot.refresh(db, before), db)
    assert whole


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (
            "ALTER TABLE robbieblocks_components DISABLE TRIGGER robbieblocks_capture_delete",
            "trigger robbieblocks_capture_delete on robbieblocks_components",
        ),
        (
            "ALTER TABLE robbieblocks_pages ENABLE REPLICA TRIGGER robbieblocks_capture_insert",
            "trigger robbieblocks_capture_insert on robbieblocks_pages",
        ),
        (
            "DROP TRIGGER robbieblocks_touch ON robbieblocks_style_tokens",
            "trigger robbieblocks_touch on robbieblocks_style_tokens",
        ),
        ("DROP FUNCTION robbieblocks_settle()", "function robbieblocks_settle"),
        ("DROP TABLE robbieblocks_deploys CASCADE", "table robbieblocks_deploys"),
    ],
)
def test_nothing_is_read_of_a_schema_that_is_not_whole(
    db: Db, statement: LiteralString, named: str
) -> None:
    """Whatever is missing or disabled is named, with the remedy, and the remedy mends it."""
    before = snapshot.take(db)
    db.execute(statement)
    with pytest.raises(SchemaIncomplete, match="db upgrade") as caught:
        snapshot.take(db, previous=before)
    assert named in str(caught.value)
    schema.apply(db)
    snapshot.take(db)


# --- anything at all -------------------------------------------------------------------------

_PAGE_KEYS = ("home", "desk", "about", "draft", "gone", "new")
_COMPONENT_KEYS = ("bar", "alone", "unpublished", "inner", "outer", "secret", "new")
_VALUES = ("{}", '{"a": 1}', '{"a": 1.0}', '{"a": true}', "null", '{"a": [1, {"b": null}]}')

# %(page)s, %(other)s, %(component)s, %(second)s, %(number)s and %(value)s are drawn.
_STATEMENTS: tuple[LiteralString, ...] = (
    """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
       VALUES (%(page)s, 'play', 'new', '/new', 'single-column', CASE WHEN %(number)s > 1 THEN 'published' ELSE 'draft' END) ON CONFLICT DO NOTHING""",
    "UPDATE robbieblocks_pages SET meta_title = 'title' || %(number)s WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET metadata = %(value)s WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET status = 'draft' WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET app_namespace = 'code' WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET page_key = %(other)s WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET id = gen_random_uuid() WHERE page_key = %(page)s",
    "UPDATE robbieblocks_pages SET page_name = page_name",
    "DELETE FROM robbieblocks_pages WHERE page_key = %(page)s",
    """INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
       SELECT p.id, c.id, %(number)s, 'main', %(value)s FROM robbieblocks_pages p, robbieblocks_components c
        WHERE page_key = %(page)s AND component_key = %(component)s ON CONFLICT DO NOTHING""",
    """UPDATE robbieblocks_page_blocks b SET props = %(value)s FROM robbieblocks_pages p
        WHERE p.id = b.page_id AND page_key = %(page)s AND block_order = %(number)s""",
    """UPDATE robbieblocks_page_blocks b SET conditions = %(value)s FROM robbieblocks_pages p WHERE p.id = b.page_id AND page_key = %(page)s""",
    """UPDATE robbieblocks_page_blocks b SET page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = %(other)s)
         FROM robbieblocks_pages p WHERE p.id = b.page_id AND page_key = %(page)s AND block_order = %(number)s""",
    """UPDATE robbieblocks_page_blocks b SET component_id = (SELECT id FROM robbieblocks_components WHERE component_key = %(component)s)
         FROM robbieblocks_pages p WHERE p.id = b.page_id AND page_key = %(page)s AND block_order = %(number)s""",
    """UPDATE robbieblocks_page_blocks b SET block_order = block_order + 5 FROM robbieblocks_pages p WHERE p.id = b.page_id AND page_key = %(page)s""",
    "DELETE FROM robbieblocks_page_blocks b USING robbieblocks_pages p WHERE p.id = b.page_id AND page_key = %(page)s AND block_order <= %(number)s",
    """INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema, is_published)
       VALUES (%(component)s, 'new', 'widget', '<u/>', %(value)s, %(number)s > 1) ON CONFLICT DO NOTHING""",
    "UPDATE robbieblocks_components SET react_code = '<b/>' || %(number)s WHERE component_key = %(component)s",
    "UPDATE robbieblocks_components SET props_schema = %(value)s WHERE component_key = %(component)s",
    "UPDATE robbieblocks_components SET is_published = NOT is_published WHERE component_key = %(component)s",
    "UPDATE robbieblocks_components SET component_key = %(second)s WHERE component_key = %(component)s",
    "UPDATE robbieblocks_components SET component_key = component_key || 'x'",
    "UPDATE robbieblocks_components SET component_key = left(component_key, -1) WHERE component_key LIKE '%%x'",
    "UPDATE robbieblocks_components SET id = gen_random_uuid() WHERE component_key = %(component)s",
    "DELETE FROM robbieblocks_components WHERE component_key = %(component)s",
    "WITH gone AS (DELETE FROM robbieblocks_page_blocks) UPDATE robbieblocks_pages SET page_name = 'bare' WHERE page_key = %(page)s",
    "UPDATE robbieblocks_style_tokens SET default_value = %(number)s WHERE token_key = 'color.primary'",
    "DELETE FROM robbieblocks_style_tokens WHERE token_category = 'shadow'",
    "UPDATE robbieblocks_node_branding SET style_overrides = %(value)s WHERE node_id = 'vengeance-local'",
    "UPDATE robbieblocks_node_branding SET enabled_apps = CASE %(number)s WHEN 1 THEN '{play}'::text[] ELSE '{play,work}' END WHERE node_id = 'vengeance-local'",
    "DELETE FROM robbieblocks_node_branding WHERE node_id = 'fluenti-local'",
    """INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, auto_deploy)
       SELECT 'page_update', 'page', id, false FROM robbieblocks_pages WHERE page_key = %(page)s""",
    "UPDATE robbieblocks_change_triggers SET processed_at = NULL, auto_deploy = true",
)
_TRUNCATIONS: tuple[LiteralString, ...] = (
    "TRUNCATE robbieblocks_page_blocks",
    "TRUNCATE robbieblocks_pages CASCADE",
    "TRUNCATE robbieblocks_change_triggers",
)
_DRAWN = st.fixed_dictionaries({
    "page": st.sampled_from(_PAGE_KEYS), "other": st.sampled_from(_PAGE_KEYS),
    "component": st.sampled_from(_COMPONENT_KEYS), "second": st.sampled_from(_COMPONENT_KEYS),
    "number": st.integers(1, 3), "value": st.sampled_from(_VALUES),
})  # fmt: skip
_ON_A_DRAFT: tuple[LiteralString, ...] = (
    "UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = 'draft'",
    "UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'draft'",
    "UPDATE robbieblocks_page_blocks SET block_order = block_order + 1 WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'draft')",
    """INSERT INTO robbieblocks_page_blocks (page_id, block_order, zone) SELECT p.id, 1 + coalesce(max(b.block_order), 0), 'main'
         FROM robbieblocks_pages p LEFT JOIN robbieblocks_page_blocks b ON b.page_id = p.id WHERE page_key = 'draft' GROUP BY p.id""",
)
# What a session may meet in another's way; its statement is then undone.
_IN_THE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.SerializationFailure,
    psycopg.errors.IntegrityError,
)
_EMPTY: LiteralString = """
    DELETE FROM robbieblocks_page_blocks; DELETE FROM robbieblocks_pages; DELETE FROM robbieblocks_components;
"""
_BRANDING: LiteralString = """
    DELETE FROM robbieblocks_style_tokens; INSERT INTO robbieblocks_style_tokens SELECT * FROM tokens_at_first;
    DELETE FROM robbieblocks_node_branding; INSERT INTO robbieblocks_node_branding SELECT * FROM nodes_at_first;
"""


class _Editing(RuleBasedStateMachine):
    """Two editors with transactions of their own, and readers that look now and then or always."""

    reader: Db
    editors: tuple[Db, Db]
    whole: list[str]

    @initialize(node=st.sampled_from([None, ["vengeance-local"]]))
    def begin(self, node: list[str] | None) -> None:
        self.nodes = node
        for editor in self.editors:
            self._begun(editor, strict=False)
        self.reader.execute(_EMPTY)
        self.reader.execute(_BRANDING)
        self.reader.execute(CONTENT)
        self.always = self.seldom = snapshot.take(self.reader, nodes=node)

    @rule(who=st.integers(0, 1), statement=st.sampled_from(_STATEMENTS), values=_DRAWN, undone=st.integers(0, 5))  # fmt: skip
    def edit(self, who: int, statement: LiteralString, values: dict[str, Any], undone: int) -> None:
        """One statement in a savepoint, which may be rolled back."""
        with suppress(*_IN_THE_WAY), self.editors[who].transaction(force_rollback=not undone):
            self.editors[who].execute(statement, values)
        self.look()

    @rule(who=st.integers(0, 1), statement=st.sampled_from(_ON_A_DRAFT))
    def meet_on_a_draft(self, who: int, statement: LiteralString) -> None:
        """What the editors do to one draft at a time is where captures may miss each other."""
        with suppress(*_IN_THE_WAY), self.editors[who].transaction():
            self.editors[who].execute(statement)
        self.look()

    @rule(who=st.integers(0, 1), strict=st.booleans())
    def commit(self, who: int, strict: bool) -> None:
        self.editors[who].commit()
        self._begun(self.editors[who], strict=strict)
        self.look()

    @rule(who=st.integers(0, 1))
    def roll_back(self, who: int) -> None:
        self._begun(self.editors[who], strict=False)
        self.look()

    def _begun(self, editor: Db, *, strict: bool) -> None:
        """Leave an editor in a new transaction that has its state already, if it has one for all."""
        editor.rollback()
        editor.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ if strict else None
        editor.execute("SELECT 1")

    @rule(node=st.sampled_from(["vengeance-local", "aurora-town-local", "collaboration-local"]), step=st.integers(1, 3))  # fmt: skip
    def acknowledge(self, node: str, step: int) -> None:
        waiting = snapshot.triggers(self.reader, nodes=[node])
        with suppress(DatabaseUnavailable), self._impatient():
            changes.acknowledge(self.reader, node, [row.id for row in waiting[::step]])
        self.look()

    @rule(statement=st.sampled_from(_TRUNCATIONS))
    def truncate(self, statement: LiteralString) -> None:
        """At once, because nobody can read while it is not committed, if nobody is in its way."""
        with suppress(*_IN_THE_WAY), self._impatient():
            self.reader.execute(statement)
        self.look()

    @contextmanager
    def _impatient(self) -> Iterator[None]:
        """Wait for no editor: they are this very thread. (Reading waits for none.)"""
        with self.reader.transaction():
            self.reader.execute("SET LOCAL lock_timeout = '1ms'")
            yield

    @rule()
    def look_again_at_last(self) -> None:
        self.seldom = self.refreshed(self.seldom)

    def look(self) -> None:
        self.always = self.refreshed(self.always)

    def refreshed(self, before: Snapshot) -> Snapshot:
        self.whole.clear()
        after = snapshot.refresh(self.reader, before, nodes=self.nodes)
        told = (before.bookmark.history, before.bookmark.apps) == (
            after.bookmark.history,
            after.bookmark.apps,
        )
        assert told == (not self.whole)
        taken = same(after, self.reader, nodes=self.nodes)
        for key, (digest, row) in taken.bookmark.pages.items():
            known = before.bookmark.pages.get(key)
            if known is not None and known[0] == digest:
                assert after.bookmark.pages[key][1] is known[1]
                assert any(page is known[1] for page in after.pages)
            else:
                assert any(page == row for page in after.pages)
        for key_, (_, digest, _) in taken.bookmark.components.items():
            known_ = before.bookmark.components.get(key_)
            if known_ is not None and known_[1] == digest:
                assert after.components[known_[2].key] is known_[2]
        return after


@contextmanager
def _sessions(conninfo: str) -> Iterator[tuple[Db, tuple[Db, Db]]]:
    with (
        psycopg.connect(conninfo, autocommit=True) as reader,
        psycopg.connect(conninfo) as first,
        psycopg.connect(conninfo) as second,
    ):
        reader.execute("CREATE TABLE tokens_at_first AS SELECT * FROM robbieblocks_style_tokens")
        reader.execute("CREATE TABLE nodes_at_first AS SELECT * FROM robbieblocks_node_branding")
        for session in (first, second):
            session.execute("SET lock_timeout = '1ms'")
            session.commit()
        yield reader, (first, second)
        first.rollback()
        second.rollback()


def test_any_edits_in_any_transactions(database: str, whole: list[str]) -> None:
    """After any step of any two editors a refreshed snapshot equals a whole one, with the objects of old."""
    with _sessions(database) as (reader, editors):

        class Editing(_Editing):
            pass

        Editing.reader, Editing.editors = reader, editors
        Editing.whole = whole
        run_state_machine_as_test(
            Editing,
            settings=settings(
                max_examples=settings().max_examples // 8,
                stateful_step_count=30,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
