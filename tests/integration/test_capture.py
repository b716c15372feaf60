"""Change capture: the exact queue rows and notifications of every kind of edit."""
# ruff: noqa: E501  # a case's statement and rows stand side by side

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString
from uuid import UUID

import psycopg
import pytest

from tests.databases import Databases
from tests.integration.rows import CONTENT, Db, one

pytestmark = pytest.mark.postgres

Change = tuple[str, str, Any, list[str] | None, list[str] | None]

_PLAY = ["collaboration-local", "vengeance-local"]
_WORK = ["aurora-town-local", "collaboration-local", "fluenti-local"]
_PLAY_WORK = ["aurora-town-local", "collaboration-local", "fluenti-local", "vengeance-local"]


@pytest.fixture(scope="module")
def shared(databases: Databases, schema_template: str) -> Iterator[Db]:
    """A connection to a database with a little content, for tests that undo what they do."""
    with (
        databases.copy(schema_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        connection.execute(CONTENT)
        yield connection


@pytest.fixture
def undone(shared: Db) -> Iterator[Db]:
    """The same in a transaction that is rolled back."""
    with shared.transaction(force_rollback=True):
        yield shared


def changes(db: Db, statement: LiteralString) -> list[Change]:
    """The queue rows that one statement leaves, with keys for ids, sorted."""
    db.execute("DELETE FROM robbieblocks_change_triggers")
    before = {**_keys(db)}
    db.execute(statement)
    keys = {**before, **_keys(db)}
    rows = db.execute(
        "SELECT trigger_type, entity_type, entity_id, affected_apps, affected_nodes FROM robbieblocks_change_triggers"
    ).fetchall()
    return sorted((kind, entity, keys[key], apps, nodes) for kind, entity, key, apps, nodes in rows)


def _keys(db: Db) -> dict[UUID, str]:
    return dict(
        db.execute("""
            SELECT id, page_key FROM robbieblocks_pages
            UNION ALL SELECT id, component_key FROM robbieblocks_components
            UNION ALL SELECT id, token_key FROM robbieblocks_style_tokens
            UNION ALL SELECT id, node_id FROM robbieblocks_node_branding""").fetchall()
    )


def page(key: str, apps: list[str] | None, nodes: list[str] | None) -> Change:
    """A queue row about a page."""
    return ("page_update", "page", key, apps, nodes)


def component(key: str, apps: list[str] | None, nodes: list[str] | None) -> Change:
    """A queue row about a component."""
    return ("component_update", "component", key, apps, nodes)


HOME = page("home", ["play"], _PLAY)
DESK = page("desk", ["work"], _WORK)
ABOUT = page("about", ["shared"], None)
GONE = page("gone", ["nobody"], None)

# --- pages -----------------------------------------------------------------------------------

_PAGE_CASES: list[tuple[str, LiteralString, list[Change]]] = [
    ("an insert of a published page",
     """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
        VALUES ('new', 'play', 'New', '/new', 'single-column', 'published')""",
     [page("new", ["play"], _PLAY)]),
    ("an insert of a draft",
     """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template)
        VALUES ('new', 'play', 'New', '/new', 'single-column')""", []),
    ("an update", "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'home'", [HOME]),
    ("an update of a shared page", "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'about'", [ABOUT]),
    ("an update of an app that no node enables", "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'gone'", [GONE]),
    ("an update of a draft", "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'draft'", []),
    ("publishing", "UPDATE robbieblocks_pages SET status = 'published' WHERE page_key = 'draft'", [page("draft", ["play"], _PLAY)]),
    ("archiving", "UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'home'", [HOME]),
    ("a move to another app", "UPDATE robbieblocks_pages SET app_namespace = 'work' WHERE page_key = 'home'",
     [page("home", ["play", "work"], _PLAY_WORK)]),
    ("an update that changes nothing", "UPDATE robbieblocks_pages SET page_name = page_name", []),
    ("an update of updated_at alone", "UPDATE robbieblocks_pages SET updated_at = now() + interval '1 day'", []),
    ("an update of no row", "UPDATE robbieblocks_pages SET page_name = 'x' WHERE false", []),
    ("a bulk update", "UPDATE robbieblocks_pages SET meta_title = 'x'", sorted([HOME, DESK, ABOUT, GONE])),
    ("an update of metadata from null", "UPDATE robbieblocks_pages SET metadata = NULL WHERE page_key = 'home'", [HOME]),
    ("a delete, whose blocks go with it", "DELETE FROM robbieblocks_pages WHERE page_key = 'home'", [HOME]),
    ("a delete of a draft", "DELETE FROM robbieblocks_pages WHERE page_key = 'draft'", []),
    ("an upsert",
     """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
        VALUES ('home', 'play', 'y', '/home', 'single-column', 'published'), ('new', 'play', 'New', '/new', 'single-column', 'published')
        ON CONFLICT (page_key) DO UPDATE SET page_name = excluded.page_name""",
     sorted([HOME, page("new", ["play"], _PLAY)])),
    ("a new id", "UPDATE robbieblocks_pages SET id = '00000000-0000-4000-8000-000000000001' WHERE page_key = 'gone'", [GONE, GONE]),
    ("a truncate", "TRUNCATE robbieblocks_pages CASCADE", sorted([HOME, DESK, ABOUT, GONE])),
    ("an insert of a frame of shared",
     """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status, metadata)
        VALUES ('new', 'shared', 'New', '', '', 'published', '{"frame": true}')""", [page("new", None, None)]),
    ("a page of shared that becomes a frame", "UPDATE robbieblocks_pages SET metadata = '{\"frame\": true}' WHERE page_key = 'about'",
     [page("about", None, None)]),
    ("a page of an app that becomes a frame", "UPDATE robbieblocks_pages SET metadata = '{\"frame\": true}' WHERE page_key = 'home'", [HOME]),
    ("metadata of shared that make no frame", "UPDATE robbieblocks_pages SET metadata = '{\"frame\": \"true\"}' WHERE page_key = 'about'", [ABOUT]),
]  # fmt: skip

_BLOCK_CASES: list[tuple[str, LiteralString, list[Change]]] = [
    ("an insert of two blocks on one page",
     """INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone)
        SELECT p.id, c.id, n, 'main' FROM robbieblocks_pages p, robbieblocks_components c, generate_series(8, 9) n
         WHERE page_key = 'home' AND component_key = 'bar'""", [HOME]),
    ("an update", "UPDATE robbieblocks_page_blocks SET props = '{\"a\": 1}' WHERE block_order = 2", sorted([HOME, DESK])),
    ("an update that changes nothing", "UPDATE robbieblocks_page_blocks SET props = props, updated_at = now()", []),
    ("an update of a draft's block",
     """UPDATE robbieblocks_page_blocks SET zone = 'header'
         WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'draft')""", []),
    ("a move between pages",
     """UPDATE robbieblocks_page_blocks b SET page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'about')
          FROM robbieblocks_pages p WHERE p.id = b.page_id AND page_key = 'home' AND block_order = 2""", sorted([HOME, ABOUT])),
    ("a move from a draft",
     """UPDATE robbieblocks_page_blocks b SET page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'gone')
          FROM robbieblocks_pages p WHERE p.id = b.page_id AND page_key = 'draft'""", [GONE]),
    ("a delete", "DELETE FROM robbieblocks_page_blocks WHERE block_order = 1", sorted([HOME, DESK, ABOUT])),
    ("a truncate", "TRUNCATE robbieblocks_page_blocks", sorted([HOME, DESK, ABOUT, GONE])),
]  # fmt: skip

BAR = component("bar", ["play", "work"], _PLAY_WORK)
OUTER = component("outer", ["work"], _WORK)
INNER = component("inner", ["work"], _WORK)
SECRET = component("secret", ["work"], _WORK)
ALONE = component("alone", None, None)

_COMPONENT_CASES: list[tuple[str, LiteralString, list[Change]]] = [
    ("an insert of a published one",
     """INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema, is_published)
        VALUES ('new', 'n', 'widget', '<b/>', '{}', true)""", [component("new", None, None)]),
    ("an insert of an unpublished one",
     """INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema)
        VALUES ('new', 'n', 'widget', '<b/>', '{}')""", []),
    ("an update", "UPDATE robbieblocks_components SET react_code = '<b/>' WHERE component_key = 'bar'", [BAR]),
    ("an update of one that another imports", "UPDATE robbieblocks_components SET css_styles = 'b{}' WHERE component_key = 'inner'", [INNER]),
    ("an update of an unpublished one that another imports", "UPDATE robbieblocks_components SET css_styles = 'b{}' WHERE component_key = 'secret'", [SECRET]),
    ("an update of one that is on no page", "UPDATE robbieblocks_components SET css_styles = 'b{}' WHERE component_key = 'alone'", [ALONE]),
    ("an update of an unpublished one", "UPDATE robbieblocks_components SET css_styles = 'b{}' WHERE component_key = 'unpublished'", []),
    ("publishing", "UPDATE robbieblocks_components SET is_published = true WHERE component_key = 'unpublished'",
     [component("unpublished", ["shared"], None)]),
    ("unpublishing", "UPDATE robbieblocks_components SET is_published = false WHERE component_key = 'bar'", [BAR]),
    ("a new key", "UPDATE robbieblocks_components SET component_key = 'core' WHERE component_key = 'inner'", [component("core", ["work"], _WORK)]),
    ("an update that changes nothing", "UPDATE robbieblocks_components SET react_code = react_code, updated_at = now()", []),
    ("a bulk update", "UPDATE robbieblocks_components SET css_styles = 'b{}'", sorted([ALONE, BAR, INNER, OUTER, SECRET])),
    ("a delete", "DELETE FROM robbieblocks_components WHERE component_key IN ('alone', 'inner')", sorted([ALONE, INNER])),
    ("a truncate, which takes the blocks along", "TRUNCATE robbieblocks_components CASCADE",
     sorted([ALONE, BAR, INNER, OUTER, SECRET, HOME, DESK, ABOUT, GONE])),
]  # fmt: skip


def branding(key: str, apps: list[str], nodes: list[str]) -> Change:
    """A queue row about a node's branding."""
    return ("branding_change", "node_branding", key, apps, nodes)


_VENGEANCE = branding("vengeance-local", ["code", "play", "shared"], ["vengeance-local"])
_TOKEN: Change = ("style_change", "style_token", "color.primary", None, None)

_LOOK_CASES: list[tuple[str, LiteralString, list[Change]]] = [
    ("an update of a token", "UPDATE robbieblocks_style_tokens SET default_value = 'red' WHERE token_key = 'color.primary'", [_TOKEN]),
    ("an update of a token that changes nothing", "UPDATE robbieblocks_style_tokens SET default_value = default_value", []),
    ("an insert of a token used nowhere",
     "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) VALUES ('x.y', 'x', '1')",
     [("style_change", "style_token", "x.y", None, None)]),
    ("a delete of a token", "DELETE FROM robbieblocks_style_tokens WHERE token_key = 'color.primary'", [_TOKEN]),
    ("an update of a node", "UPDATE robbieblocks_node_branding SET custom_css = 'b{}' WHERE node_id = 'vengeance-local'", [_VENGEANCE]),
    ("settings of a node", "UPDATE robbieblocks_node_branding SET settings = '{}' WHERE node_id = 'vengeance-local'", [_VENGEANCE]),
    ("an update of a node that changes nothing", "UPDATE robbieblocks_node_branding SET custom_css = custom_css", []),
    ("other apps of a node", "UPDATE robbieblocks_node_branding SET enabled_apps = '{play,work}' WHERE node_id = 'vengeance-local'",
     [branding("vengeance-local", ["code", "play", "shared", "work"], ["vengeance-local"])]),
    ("an insert of a node without apps", "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps) VALUES ('n', 'N', '{}', NULL)",
     [branding("n", ["shared"], ["n"])]),
    ("a new name of a node", "UPDATE robbieblocks_node_branding SET node_id = 'v' WHERE node_id = 'vengeance-local'",
     [branding("v", ["code", "play", "shared"], ["v", "vengeance-local"])]),
    ("a delete of a node", "DELETE FROM robbieblocks_node_branding WHERE node_id = 'vengeance-local'", [_VENGEANCE]),
]  # fmt: skip

_CASES = [
    *((f"page: {name}", statement, rows) for name, statement, rows in _PAGE_CASES),
    *((f"block: {name}", statement, rows) for name, statement, rows in _BLOCK_CASES),
    *((f"component: {name}", statement, rows) for name, statement, rows in _COMPONENT_CASES),
    *((name, statement, rows) for name, statement, rows in _LOOK_CASES),
]


@pytest.mark.parametrize(
    ("statement", "expected"), [case[1:] for case in _CASES], ids=[case[0] for case in _CASES]
)
def test_capture(undone: Db, statement: LiteralString, expected: list[Change]) -> None:
    """A statement leaves exactly one queue row for each published thing that it changes."""
    assert changes(undone, statement) == expected


@pytest.mark.parametrize("statement", [
    "UPDATE robbieblocks_pages SET metadata = '{}' WHERE page_key = 'about'",
    "UPDATE robbieblocks_pages SET app_namespace = 'play' WHERE page_key = 'about'",
    "DELETE FROM robbieblocks_pages WHERE page_key = 'about'",
    "UPDATE robbieblocks_page_blocks SET props = '{\"a\": 1}' WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'about')",
    "DELETE FROM robbieblocks_page_blocks WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'about')",
    "UPDATE robbieblocks_components SET is_published = true WHERE component_key = 'unpublished'",
])  # fmt: skip
def test_what_is_in_a_frame_of_shared_is_on_pages_of_every_app(
    undone: Db, statement: LiteralString
) -> None:
    """An edit of the frame, of its blocks or of what they place waits for all apps of all nodes; one
    of another page of shared does not.
    """
    undone.execute(
        """UPDATE robbieblocks_pages SET metadata = '{"frame": true}' WHERE page_key = 'about'"""
    )
    ((_, _, _, apps, nodes),) = changes(undone, statement)
    assert (apps, nodes) == (None, None)
    undone.execute(
        """UPDATE robbieblocks_pages SET metadata = '{"frame": true}' WHERE page_key = 'desk'"""
    )
    assert changes(
        undone, "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'desk'"
    ) == [DESK]


def test_an_edit_reads_only_the_components_that_it_concerns(db: Db) -> None:
    """How many other components there are, and how long their code is, costs an edit nothing."""
    db.execute("""
        INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema)
        SELECT 'c' || n, 'c', 'widget', 'import X from "@robbieblocks/c' || n + 1 || '"; ' || repeat('x ', 2000), '{}'
          FROM generate_series(1, 500) n""")
    db.execute("ANALYZE robbieblocks_components")
    read: LiteralString = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'robbieblocks_components'"
    edits: tuple[LiteralString, ...] = (
        "UPDATE robbieblocks_components SET css_styles = 'b{}' WHERE component_key = 'inner'",
        "UPDATE robbieblocks_components SET is_published = true WHERE component_key = 'c2'",
    )
    for edit in edits:
        with db.transaction():
            before = one(db, read)
            db.execute(edit)
            assert one(db, read) - before < 20
    queue: LiteralString = "SELECT count(*) FROM robbieblocks_change_triggers"
    assert one(db, queue) == len(edits)


@pytest.mark.parametrize("code", ["/" * 9000, "a'" * 9000, "'@robbieblocks/" + "é" * 9000 + "'"])
def test_any_code_can_be_stored_and_its_imports_found(undone: Db, code: str) -> None:
    """A name of any length after @robbieblocks/ fits the index of imports."""
    undone.execute(
        "UPDATE robbieblocks_components SET react_code = react_code || %s WHERE component_key = 'outer'",
        (code,),
    )
    assert changes(
        undone,
        "UPDATE robbieblocks_components SET css_styles = 'b{}' WHERE component_key = 'secret'",
    ) == [SECRET]


def test_truncate_of_tokens_and_nodes(db: Db) -> None:
    """Truncating tokens or branding leaves a row for each of them."""
    tokens = one(db, "SELECT count(*) FROM robbieblocks_style_tokens")
    assert len(changes(db, "TRUNCATE robbieblocks_style_tokens")) == tokens
    assert len(changes(db, "TRUNCATE robbieblocks_node_branding")) == 4
    assert (
        one(db, "SELECT count(*) FROM robbieblocks_change_triggers WHERE processed_at IS NULL") == 0
    )


def test_removed_node_is_not_waited_for(db: Db) -> None:
    """A row that waits only for a node that is removed, or renamed, is processed."""
    db.execute("UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'home'")
    db.execute("UPDATE robbieblocks_change_triggers SET handled_nodes = '{collaboration-local}'")
    db.execute("DELETE FROM robbieblocks_node_branding WHERE node_id = 'vengeance-local'")
    assert (
        one(db, "SELECT count(*) FROM robbieblocks_change_triggers WHERE processed_at IS NULL") == 0
    )


def test_updated_at(db: Db) -> None:
    """A change sets updated_at; no change leaves it; a time that the statement gives stands."""
    read: LiteralString = "SELECT updated_at FROM robbieblocks_pages WHERE page_key = 'home'"
    at_first = one(db, read)
    db.execute("UPDATE robbieblocks_pages SET page_name = page_name")
    assert one(db, read) == at_first
    db.execute("UPDATE robbieblocks_pages SET page_name = 'x'")
    assert one(db, read) > at_first
    db.execute("UPDATE robbieblocks_pages SET page_name = 'y', updated_at = '2020-01-01Z'")
    assert one(db, read).year == 2020


def test_editor_without_rights_on_the_queue(db: Db, database: str) -> None:
    """An editor who may change pages and nothing else is captured, whatever the search path says."""
    db.execute("GRANT SELECT, UPDATE ON robbieblocks_pages TO PUBLIC")
    with psycopg.connect(database, user="postgres", autocommit=True) as editor:
        editor.execute("CREATE ROLE editor_for_test")
        try:
            editor.execute("SET ROLE editor_for_test")
            editor.execute("SET search_path = ''")
            editor.execute(
                "UPDATE public.robbieblocks_pages SET page_name = 'x' WHERE page_key = 'home'"
            )
            editor.execute("RESET ROLE")
        finally:
            editor.execute("RESET ROLE")
            editor.execute("DROP ROLE editor_for_test")
    assert one(db, "SELECT count(*) FROM robbieblocks_change_triggers") == 1


# --- notifications ---------------------------------------------------------------------------


PAYLOAD = '{"table": "robbieblocks_change_triggers"}'


def heard(database: str, *statements: LiteralString, user: str | None = None) -> list[str]:
    """The payloads that a listener gets of the statements, which are one transaction."""
    with (
        psycopg.connect(database, autocommit=True) as listener,
        psycopg.connect(database, user=user) as editor,
    ):
        listener.execute("LISTEN robbieblocks_change")
        for statement in statements:
            editor.execute(statement)
        editor.commit()
        editor.execute("NOTIFY robbieblocks_change, 'end'")
        editor.commit()
        payloads: list[str] = []
        for notification in listener.notifies(timeout=10):
            payloads.append(notification.payload)
            if notification.payload == "end":
                listener.notifies().close()
                break
        return payloads[:-1]


def test_one_notification_for_many_edits(db: Db, database: str) -> None:
    """However many rows a transaction changes, it sends one short notification."""
    assert heard(
        database,
        """INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status, meta_description)
           SELECT 'p' || n, 'play', 'P', '/' || n, 'single-column', 'published', repeat('long', 5000) FROM generate_series(1, 300) n""",
        "UPDATE robbieblocks_style_tokens SET default_value = 'red'",
        "DELETE FROM robbieblocks_pages",
    ) == [PAYLOAD]


def test_no_notification_for_nothing(db: Db, database: str) -> None:
    """A draft's edit, a no-op and a handled queue row wake nobody."""
    db.execute(
        "INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id) VALUES ('page_update', 'page', gen_random_uuid())"
    )
    assert not heard(
        database,
        "UPDATE robbieblocks_pages SET page_name = 'x' WHERE page_key = 'draft'",
        "UPDATE robbieblocks_pages SET page_name = page_name",
        "UPDATE robbieblocks_change_triggers SET handled_nodes = '{a}'",
        "UPDATE robbieblocks_change_triggers SET processed_at = now()",
    )


def test_notification_for_a_row_that_is_released(db: Db, database: str) -> None:
    """Setting auto_deploy on a waiting queue row wakes the workers."""
    db.execute(
        "INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, auto_deploy) VALUES ('page_update', 'page', gen_random_uuid(), false)"
    )
    assert heard(database, "UPDATE robbieblocks_change_triggers SET auto_deploy = true") == [
        PAYLOAD
    ]


def test_replica(db: Db, database: str) -> None:
    """Applied as a replica, content queues nothing and a queue row still notifies."""
    assert (
        heard(
            database,
            "SET session_replication_role = replica",
            "UPDATE robbieblocks_pages SET page_name = 'x'",
            user="postgres",
        )
        == []
    )
    assert one(db, "SELECT count(*) FROM robbieblocks_change_triggers") == 0
    assert heard(
        database,
        "SET session_replication_role = replica",
        "INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id) VALUES ('page_update', 'page', gen_random_uuid())",
        user="postgres",
    ) == [PAYLOAD]


def test_one_trigger_is_always_enabled(db: Db) -> None:
    """Of the triggers of content only the one that notifies is ENABLE ALWAYS, and it is by row; what
    keeps earlier media is, too, since each database keeps its own."""
    always = db.execute(
        "SELECT tgname, tgtype & 1 FROM pg_trigger"
        " WHERE tgenabled = 'A' AND tgrelid <> 'media_assets'::regclass"
    ).fetchall()
    assert always == [("robbieblocks_notify", 1)]
