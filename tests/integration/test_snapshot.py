"""The snapshot: what one transaction sees, whatever stands in the rows."""
# ruff: noqa: E501  # a statement reads best on one line

from __future__ import annotations

import json
from datetime import UTC, datetime
from json import JSONDecoder
from typing import Any, LiteralString, cast
from uuid import UUID

import psycopg
import pytest

from robbieblocks import snapshot
from robbieblocks.database import loading
from robbieblocks.errors import DatabaseUnavailable, Permanent, RightsMissing, SchemaOutdated
from robbieblocks.model import BlockRow, ComponentRow, Json, canonical_json
from robbieblocks.snapshot import reading
from tests.integration.rows import Db

pytestmark = pytest.mark.postgres


def block_with(db: Db, props: str, conditions: str = "{}") -> BlockRow:
    """The one block of the page `gone`, as the snapshot reads it."""
    db.execute(
        """INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props, conditions)
           SELECT p.id, c.id, 1, 'main', %s, %s FROM robbieblocks_pages p, robbieblocks_components c
            WHERE page_key = 'gone' AND component_key = 'bar'""",
        (props, conditions),
    )
    (page,) = (page for page in snapshot.take(db).pages if page.key == "gone")
    return page.blocks[0]


def test_published_pages_with_blocks_in_order(db: Db) -> None:
    """Published pages come by key, each with its blocks in order; drafts don't."""
    taken = snapshot.take(db)
    assert [page.key for page in taken.pages] == ["about", "desk", "gone", "home"]
    desk = taken.pages[1]
    assert (desk.app, desk.route, desk.layout, desk.metadata) == (
        "work",
        "/desk",
        "single-column",
        {},
    )
    assert [(block.order, block.component, block.zone) for block in desk.blocks] == [
        (1, "bar", "main"),
        (2, "outer", "main"),
    ]
    assert taken.pages[2].blocks == ()


def test_all_components_tokens_and_nodes(db: Db) -> None:
    """Every component is there, published or not, and every token and node, by key."""
    taken = snapshot.take(db)
    assert list(taken.components) == ["alone", "bar", "inner", "outer", "secret", "unpublished"]
    assert not taken.components["unpublished"].published
    assert taken.components["bar"].css == ""
    assert [token.key for token in taken.tokens] == sorted(token.key for token in taken.tokens)
    assert [node.id for node in taken.nodes] == [
        "aurora-town-local",
        "collaboration-local",
        "fluenti-local",
        "vengeance-local",
    ]
    assert taken.nodes[3].theme == "dark"
    assert taken.nodes[3].enabled_apps == ("play", "code")
    assert taken.taken_at.tzinfo is UTC


def test_only_some_apps_or_nodes(db: Db) -> None:
    """Pages of other apps, or of apps that the nodes don't carry, can be left out."""
    assert [page.key for page in snapshot.take(db, apps=["play"]).pages] == ["home"]
    named = snapshot.take(db, nodes=["vengeance-local"])
    assert [page.key for page in named.pages] == ["about", "home"]
    assert [node.id for node in named.nodes] == ["vengeance-local"]
    both = snapshot.take(db, nodes=["vengeance-local"], apps=["work", "shared"])
    assert [page.key for page in both.pages] == ["about"]


def test_waiting_queue_rows(db: Db) -> None:
    """Queue rows are those that wait for one of the nodes, oldest first."""
    queue: LiteralString = """
        INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, affected_apps, affected_nodes, handled_nodes, processed_at, created_at, auto_deploy)
        VALUES ('page_update', 'page', gen_random_uuid(), '{b}', NULL, '{}', NULL, now(), NULL),
               ('page_update', 'page', gen_random_uuid(), '{a}', '{x,y}', '{x}', NULL, now() - interval '1 hour', false),
               ('page_update', 'page', gen_random_uuid(), '{c}', NULL, '{x,y}', now(), now(), true)"""
    db.execute(queue)

    def waiting(*nodes: str) -> list[tuple[str, ...] | None]:
        return [row.affected_apps for row in snapshot.triggers(db, nodes=nodes or None)]

    assert waiting() == [("a",), ("b",)]
    assert waiting("x") == [("b",)]
    assert waiting("x", "y") == [("a",), ("b",)]
    assert waiting("z") == [("b",)]
    first, second = snapshot.take(db).triggers
    assert (first.auto_deploy, first.affected_nodes) == (False, ("x", "y"))
    assert (second.auto_deploy, second.affected_nodes) == (True, None)


def test_nodes_and_page_apps(db: Db) -> None:
    """Nodes and the apps of published pages can be read by themselves."""
    assert snapshot.nodes(db) == snapshot.take(db).nodes
    assert snapshot.page_apps(db) == {
        "about": "shared",
        "desk": "work",
        "gone": "nobody",
        "home": "play",
    }
    assert snapshot.page_apps(db, one_each=True) == snapshot.page_apps(db)
    db.execute("UPDATE robbieblocks_pages SET app_namespace = 'work' WHERE page_key = 'about'")
    assert snapshot.page_apps(db, one_each=True) == {
        "about": "work",
        "gone": "nobody",
        "home": "play",
    }


def test_content_and_queue_are_of_one_state(
    db: Db, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit that commits while a snapshot is taken is neither in its content nor in its queue rows."""
    read_components = reading.components

    def edit_first(*asked: Any, **more: Any) -> dict[UUID, tuple[str, int, ComponentRow]]:
        with psycopg.connect(database, autocommit=True) as editor:
            editor.execute(
                "UPDATE robbieblocks_components SET css_styles = 'new' WHERE component_key = 'bar'"
            )
        return read_components(*asked, **more)

    monkeypatch.setattr(reading, "components", edit_first)
    taken = snapshot.take(db)
    assert taken.components["bar"].css == ""
    assert taken.triggers == ()
    assert len(snapshot.triggers(db)) == 1


def test_the_transaction_is_over(db: Db) -> None:
    """No transaction is open after a snapshot, and it could not have written."""
    snapshot.take(db)
    assert db.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    db.execute("UPDATE robbieblocks_pages SET page_name = 'still writable'")


def test_ordinary_json(db: Db) -> None:
    """Props come as they are stored; null conditions are none."""
    block = block_with(db, '{"b": 1.5, "a": [null, true, "\\u00e9</script>"], "n": -12}', "null")
    assert block.props == {"a": [None, True, "é</script>"], "b": 1.5, "n": -12}
    assert block.conditions == {}


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" + "0" * 5000, "1" + "0" * 400 + ".5"])
def test_number_beyond_any_float(db: Db, number: str) -> None:
    """A number that no float holds is its text, so that the page can be written as JSON again."""
    value = cast("dict[str, Any]", block_with(db, f'{{"n": {number}}}').props)["n"]
    assert isinstance(value, str)
    json.loads(canonical_json(value))


@pytest.mark.parametrize(
    "number",
    ["1e-400", "1e300", "9007199254740993", "0.1", "-0.0", "123456789012345678901234567890"],
)
def test_number_that_a_float_holds(db: Db, number: str) -> None:
    """Any other number is a number."""
    value = cast("dict[str, Any]", block_with(db, f'{{"n": {number}}}').props)["n"]
    assert float(value) == float(number)


@pytest.mark.parametrize(
    ("props_read", "said"),
    [
        (f'{{"deep": {"[" * 3000 + "]" * 3000}}}', "JSON nested too deep to read"),
        (f'{{"long": "{"x" * 4_000_000}"}}', "JSON longer than 4,000,000 characters"),
    ],
    ids=["deep", "long"],
)
def test_a_value_that_is_too_much(db: Db, props_read: str, said: str) -> None:
    """It is a text that says so, and spoils no other block."""
    db.execute(
        "UPDATE robbieblocks_page_blocks SET props = %s WHERE block_order = 2", (props_read,)
    )
    home = next(page for page in snapshot.take(db).pages if page.key == "home")
    assert home.blocks[0].props == {}
    props: Json = home.blocks[1].props
    assert props == said
    assert home.blocks[1].component == "bar"


def test_a_value_over_which_the_reader_raises(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a text that names the exception, and spoils no other value."""
    db.execute("UPDATE robbieblocks_page_blocks SET props = '{\"n\": 7.5}' WHERE block_order = 2")
    db.execute("UPDATE robbieblocks_components SET metadata = '{\"n\": 7.5}'")
    db.execute("UPDATE robbieblocks_pages SET metadata = '{\"n\": 7.5}'")
    db.execute("UPDATE robbieblocks_node_branding SET style_overrides = '{\"n\": 7.5}'")

    def raises(_: str) -> Json:
        raise AttributeError("a stand-in")

    monkeypatch.setattr(loading, "_decode", JSONDecoder(parse_float=raises).decode)
    taken = snapshot.take(db)
    home = next(page for page in taken.pages if page.key == "home")
    says = "reading it failed: AttributeError: a stand-in"
    read: list[Json] = [block.props for block in home.blocks]
    assert read[:2] == [{}, says]
    others: list[Json] = [
        home.metadata,
        *(node.overrides for node in taken.nodes),
        *(component.metadata for component in taken.components.values()),
    ]
    assert set(map(str, others)) == {says}


def test_values_of_the_wrong_kind_reach_the_checks(db: Db) -> None:
    """Props that are no object come as they are, for the assembly to name the row."""
    props: Json = block_with(db, "[1]").props
    assert props == [1]


def test_columns_full_of_nulls(db: Db) -> None:
    """Columns that may be null are read as empty."""
    db.execute(
        "UPDATE robbieblocks_components SET dependencies = NULL, is_published = NULL, metadata = NULL, css_styles = NULL WHERE component_key = 'bar'"
    )
    db.execute(
        "UPDATE robbieblocks_components SET dependencies = '{{a,NULL},{b,c}}' WHERE component_key = 'alone'"
    )
    db.execute(
        "UPDATE robbieblocks_node_branding SET enabled_apps = '{play,NULL}' WHERE node_id = 'vengeance-local'"
    )
    db.execute("UPDATE robbieblocks_pages SET metadata = NULL")
    db.execute(
        "UPDATE robbieblocks_page_blocks SET props = NULL, conditions = NULL, component_id = NULL"
    )
    taken = snapshot.take(db)
    assert (taken.components["bar"].dependencies, taken.components["bar"].published) == ((), False)
    assert taken.components["alone"].dependencies == ("a", "b", "c")
    assert taken.nodes[3].apps == ("play", "shared")
    assert taken.pages[0].blocks[0].component == ""
    assert taken.pages[0].blocks[0].props == {}


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (None, None),
        ("infinity", datetime(9999, 12, 30, tzinfo=UTC)),
        ("-infinity", datetime(1, 1, 2, tzinfo=UTC)),
        ("250000-01-01Z", datetime(9999, 12, 30, tzinfo=UTC)),
        ("0100-01-01Z BC", datetime(1, 1, 2, tzinfo=UTC)),
        ("2026-05-01 12:00:00.25+02", datetime(2026, 5, 1, 10, 0, 0, 250000, tzinfo=UTC)),
    ],
)
def test_times(db: Db, stored: str | None, read: datetime | None) -> None:
    """Times come in UTC whatever the session's zone, and any that Postgres holds can be read."""
    db.execute("SET timezone = 'Pacific/Kiritimati'")
    db.execute("UPDATE robbieblocks_pages SET published_at = %s", (stored,))
    assert snapshot.take(db).pages[0].published_at == read


def test_a_policy_hides_no_rows(db: Db) -> None:
    """A page that the role does not see any more would be removed: it is an error instead."""
    db.execute("ALTER TABLE robbieblocks_pages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    with pytest.raises(RightsMissing, match="BYPASSRLS"):
        snapshot.take(db)


def test_without_the_schema(empty_database: str) -> None:
    """A database without our tables is said to be so, with the command that helps."""
    with (
        psycopg.connect(empty_database, autocommit=True) as db,
        pytest.raises(SchemaOutdated, match="robbieblocks db upgrade"),
    ):
        snapshot.take(db)


def test_lost_connection(db: Db) -> None:
    """A connection that is gone is DatabaseUnavailable."""
    db.close()
    with pytest.raises(DatabaseUnavailable, match="could not read the content"):
        snapshot.take(db)


def test_inside_a_transaction(db: Db) -> None:
    """A transaction that has begun can't become a snapshot, and says so instead of reading a mixture."""
    with db.transaction():
        db.execute("SELECT 1")
        with pytest.raises(Permanent):
            snapshot.take(db)
