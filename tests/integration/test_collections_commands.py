"""`robbieblocks collections`: how things stand, what is wrong, and the triggers that it makes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks import changes
from robbieblocks.database import schema
from robbieblocks.model import CollectionSource
from tests import postgres_servers
from tests.commands import Installation
from tests.databases import Databases

pytestmark = pytest.mark.postgres

_PROJECT = """
[collections.goods]
view = "shop_goods"
route = "/goods/{slug}"
template_page = "good"

[collections.hours]
view = "hours"
key = "day"
"""
_TABLES = """
    CREATE TABLE makers (id integer PRIMARY KEY, name text);
    CREATE TABLE goods (slug text, maker integer);
    CREATE VIEW shop_goods AS
        SELECT slug, name AS maker FROM goods LEFT JOIN makers ON makers.id = maker;
    CREATE MATERIALIZED VIEW hours AS SELECT 'mon' AS day;
    INSERT INTO goods VALUES ('mug', 1), ('pot', 1);
    INSERT INTO robbieblocks_pages
           (page_key, app_namespace, page_name, page_route, layout_template, status)
    VALUES ('good', 'play', '{$row.slug}', '', 'single-column', 'published')
"""


@pytest.fixture
def shop(
    databases: Databases, schema_template: str, tmp_path: Path
) -> Iterator[tuple[Installation, psycopg.Connection]]:
    """Two collections, and a connection of the tables' owner."""
    (tmp_path / "robbieblocks.toml").write_text(_PROJECT)
    with databases.copy(schema_template) as url, psycopg.connect(url, autocommit=True) as owner:
        owner.execute(_TABLES)
        yield Installation(home=tmp_path / "home", database_url=url), owner


def test_triggers_are_printed_and_made(shop: tuple[Installation, psycopg.Connection]) -> None:
    """What is printed, psql runs; what --apply made is there, and is made once."""
    installed, owner = shop
    before = json.loads(installed.run("collections", "list", "--format", "json").out)
    goods, hours = before
    assert (goods["rows"], goods["columns"], goods["problem"]) == (2, ["slug", "maker"], None)
    assert [(each["table"], each["key"], each["is_captured"]) for each in goods["tables"]] == [
        ("public.goods", "slug", False),
        ("public.makers", None, False),
    ]
    assert [each["can_capture"] for each in hours["tables"]] == [False]
    checked = installed.run("collections", "check")
    assert checked.code == 0
    assert checked.out.count("tells of no changes") == 3
    printed = installed.run("collections", "install")
    assert printed.out.count("CREATE OR REPLACE TRIGGER") == 8
    assert "public.hours can have no triggers" in printed.err
    with owner.transaction(force_rollback=True):
        owner.execute(printed.out.encode())
    made = installed.run("collections", "install", "--apply")
    assert made.out.splitlines() == ["goods: 8 statements run", "hours: up to date"]
    assert installed.run("collections", "install", "--apply").out.startswith("goods: up to date")
    owner.execute("UPDATE goods SET maker = 2 WHERE slug = 'mug'")
    queued = owner.execute(
        "SELECT after ->> 'name' FROM robbieblocks_change_triggers WHERE entity_type = 'collection'"
    ).fetchall()
    assert queued == [("goods/mug",)]
    told = installed.run("collections", "list").out.splitlines()
    assert told[1].split()[-2:] == ["public.goods,", "public.makers"]
    assert installed.run("db", "verify").code == 0


def test_what_is_wrong_is_told(shop: tuple[Installation, psycopg.Connection]) -> None:
    """Of views, rows and templates: each names its collection, and the command exits 1."""
    installed, owner = shop
    owner.execute("INSERT INTO goods VALUES ('A b', 1); DROP MATERIALIZED VIEW hours")
    owner.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'good'")
    ran = installed.run("collections", "check", "--format", "json")
    assert ran.code == 1
    found = [each for each in json.loads(ran.out) if each["severity"] == "error"]
    assert {(each["key"], each["field"]) for each in found} == {
        ("goods", "template_page"),
        ("hours", "view"),
    }
    listed = installed.run("collections", "list")
    assert listed.code == 0
    assert listed.out.splitlines()[2].split()[:3] == ["hours", "hours", "-"]


def test_whoever_does_not_own_the_tables_makes_no_triggers(
    shop: tuple[Installation, psycopg.Connection],
) -> None:
    """One error says what was refused; nothing is half made."""
    installed, _ = shop
    address = installed.database_url or ""
    with psycopg.connect(address, user="postgres", autocommit=True) as superuser:
        superuser.execute("CREATE ROLE other_for_test LOGIN")
        try:
            url = make_conninfo(address, user="other_for_test")
            command = ("collections", "install", "--apply", "--database-url", url)
            refused = installed.run(*command)
            superuser.execute("ALTER TABLE makers OWNER TO other_for_test")
            superuser.execute("ALTER TABLE goods OWNER TO other_for_test")
            unable = installed.run(*command)
            superuser.execute(
                "GRANT EXECUTE ON FUNCTION robbieblocks_capture_collection TO other_for_test"
            )
            able = installed.run(*command)
        finally:
            superuser.execute(
                "ALTER TABLE makers OWNER TO robbieblocks; ALTER TABLE goods OWNER TO robbieblocks;"
                " DROP OWNED BY other_for_test; DROP ROLE other_for_test"
            )
    assert refused.code != 0
    assert "goods" in refused.error
    assert "robbieblocks_capture_collection" in unable.error
    assert able.code == 0


def test_without_a_collection_nothing_is_asked(tmp_path: Path) -> None:
    """The settings are what is missing, and not a database."""
    ran = Installation(home=tmp_path / "home").run("collections", "list", cwd=tmp_path)
    assert "the settings name no collection" in ran.error


def test_no_trigger_is_made_where_builds_write(
    shop: tuple[Installation, psycopg.Connection],
) -> None:
    """A run would ask for the next one."""
    _, owner = shop
    owner.execute(
        "CREATE VIEW tried AS SELECT r.node_id AS slug"
        " FROM robbieblocks_deploys AS r, robbieblocks_change_triggers AS q"
    )
    source = CollectionSource(name="tried", view=("tried",), key="slug")
    capture = changes.collection_capture(owner, source)
    assert len(capture.tables) == 2
    assert not any(each.can_capture for each in capture.tables)
    assert capture.statements == ()


_VIEWS = {
    "SELECT slug FROM goods": "slug",
    "SELECT slug, name FROM goods LEFT JOIN makers ON makers.id = maker": "slug",
    "SELECT slug, count(*) FROM goods GROUP BY slug": "slug",
    "SELECT DISTINCT slug FROM goods": "slug",
    "SELECT slug FROM goods WHERE maker > (SELECT avg(id) FROM makers)": "slug",
    "SELECT g.slug FROM goods AS g JOIN goods AS o ON o.maker = g.maker": "",
    "SELECT slug, count(*) OVER () FROM goods": "",
    "SELECT slug FROM goods ORDER BY slug FETCH FIRST 5 ROWS WITH TIES": "",
    "SELECT DISTINCT ON (maker) slug FROM goods": "",
    "SELECT slug FROM goods UNION SELECT name FROM makers": "",
    "SELECT slug FROM (SELECT slug FROM goods LIMIT 1) AS g": "",
    "WITH g AS (SELECT slug FROM goods OFFSET 1) SELECT slug FROM g": "",
    "SELECT slug FROM shop_goods": "",
}


@pytest.mark.parametrize("version", postgres_servers.VERSIONS)
def test_older_servers_name_the_same_rows(
    version: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The parse tree of a view, whose form is the server's own, says the same of each view."""
    with (
        postgres_servers.running(version, tmp_path_factory.mktemp("pg")) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        schema.upgrade(connection)
        connection.execute(_TABLES)
        source = CollectionSource(name="tried", view=("tried",), key="slug")
        found: dict[str, Any] = {}
        for view in _VIEWS:
            connection.execute(f"CREATE VIEW tried AS {view}".encode())
            tables = changes.collection_capture(connection, source).tables
            found[view] = next(each.key for each in tables if each.name == "goods")
            connection.execute("DROP VIEW tried")
        assert found == _VIEWS
        source = CollectionSource(name="goods", view=("shop_goods",), key="slug")
        changes.install_capture(connection, changes.collection_capture(connection, source))
        assert changes.collection_capture(connection, source).statements == ()
        connection.execute("UPDATE goods SET maker = 2 WHERE slug = 'mug'")
        queued = connection.execute(
            "SELECT after ->> 'name' FROM robbieblocks_change_triggers"
            " WHERE entity_type = 'collection'"
        ).fetchall()
        assert queued == [("goods/mug",)]
