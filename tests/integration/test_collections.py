"""Collections, from the owner's tables to what is served: what an edit rewrites, what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.rows import tuple_row
from selectolax.lexbor import LexborHTMLParser

from robbieblocks import changes, database, history, snapshot
from robbieblocks.errors import Problem, ViewEndedSessions
from robbieblocks.model import CollectionSource, RowCollection
from robbieblocks.pipeline import BuildReport, Request, inspect
from robbieblocks.pipeline.memory import BuildMemory
from robbieblocks.release import SiteRoot, hold_page
from robbieblocks.snapshot import collections, queries
from tests.building import NOW
from tests.media_files import png
from tests.sites import NODE, Block, MakeSite, Site

pytestmark = pytest.mark.postgres

PRODUCTS = CollectionSource(
    name="products",
    view=("shop_products",),
    key="slug",
    route="/products/{slug}",
    template_page="product",
    rows_max=50,
)
HOURS = CollectionSource(name="hours", view=("opening_hours",), key="day")
_TABLES = """
    CREATE TABLE makers (id integer PRIMARY KEY, name text);
    CREATE TABLE products (id integer PRIMARY KEY, slug text, title text, price numeric,
                           tags text[], more jsonb, since timestamptz, maker integer, hidden text);
    CREATE TABLE opening_hours (day text, opens integer);
    CREATE VIEW shop_products AS
        SELECT p.slug, p.title, p.price, p.tags, p.more, p.since, m.name AS maker
          FROM products AS p LEFT JOIN makers AS m ON m.id = p.maker;
    INSERT INTO makers VALUES (1, 'Ada'), (2, 'Bo');
    INSERT INTO products (id, slug, title, price, tags, maker)
    VALUES (1, 'mug', 'Mug', 4.50, '{blue,tall}', 1), (2, 'pot', 'Pot', 20, '{}', 2),
           (3, 'pan', 'Pan {{you}}', NULL, NULL, 1);
    INSERT INTO opening_hours VALUES ('mon', 9);
"""
_CARD = """export default function Card({ title, price, tags, more }) {
  return <p data-price={JSON.stringify(price)} data-more={JSON.stringify(more)}>
    {title} {JSON.stringify(tags)}</p>;
}"""
_LIST = """export default function List({ items = [] }) {
  return <ul>{items.map((i, n) => <li key={n}>{JSON.stringify(i)}</li>)}</ul>;
}"""


@pytest.fixture(scope="module")
def opened(make_site: MakeSite) -> Site:
    site = make_site()
    context = site.builder.context
    context.settings = replace(context.settings, collections=(HOURS, PRODUCTS))
    site.sql(_TABLES)
    site.component("card", _CARD)
    site.component("list", _LIST)
    props = {name: {"$row": name} for name in ("title", "price", "tags", "more")}
    site.page(
        "product",
        Block(component="card", props=props),
        route="",
        name="{$row.title}",
        title="{$row.title} by {$row.maker}",
        metadata={"price": {"$row": "price"}, "robots": "index"},
    )
    shelf = {"$rows": {"collection": "products", "sort": "-price", "fields": ["title", "route"]}}
    site.page("shelf", Block(component="list", props={"items": shelf}))
    times = {"$rows": {"collection": "hours"}}
    site.page("hours", Block(component="list", props={"items": times}))
    site.page("alone", "list")
    install(site)
    site.build()
    assert not site.problems()
    return site


@pytest.fixture
def shop(opened: Site) -> Iterator[Site]:
    """Three products, each a page, a list of them, and hours that are data alone."""
    yield opened
    opened.sql(
        """
        DROP TABLE products, makers, opening_hours CASCADE;
        """
        + _TABLES
    )
    install(opened)
    # No trigger tells of tables that are dropped and made: all is read, as a worker does at times.
    opened.builder.context.memory.content = None
    opened.builder.build_approved(nodes=[NODE], apps=["play"])


def install(site: Site) -> None:
    for source in (PRODUCTS, HOURS):
        capture = changes.collection_capture(site.builder.connection, source)
        changes.install_capture(site.builder.connection, capture)


def rewritten(report: BuildReport) -> dict[str, str]:
    """What the run did to each page that it did not leave alone."""
    (run,) = report.plan.runs
    return {page.key: page.change for page in run.pages}


def test_rows_are_pages_and_data(shop: Site) -> None:
    """Values keep their types; texts of rows are no placeholders for visitors."""
    html = shop.file("/products/mug").read_text()
    assert re.search(r"<title[^>]*>Mug by Ada", html)
    assert 'data-price="4.5"' in html
    assert "Mug [&quot;blue&quot;,&quot;tall&quot;]" in html.replace("<!-- -->", "")
    assert "Pan {{you}}" in shop.file("/products/pan").read_text()
    assert items(shop, "/shelf/") == [
        {"title": "Pot", "route": "/products/pot"},
        {"title": "Mug", "route": "/products/mug"},
        {"title": "Pan {{you}}", "route": "/products/pan"},
    ]
    assert items(shop, "/hours/") == [{"day": "mon", "opens": 9, "route": None}]


def items(site: Site, route: str) -> list[Any]:
    found = LexborHTMLParser(site.file(route).read_text()).css("li")
    return [json.loads(item.text()) for item in found]


def test_one_row_changed_is_one_page_rewritten(shop: Site) -> None:
    """And the lists that show it; the plan and the journal name the row."""
    shop.sql("UPDATE products SET tags = '{red}' WHERE slug = 'mug'")
    report = shop.build()
    assert rewritten(report) == {"product--mug": "changed"}
    (page,) = report.plan.runs[0].pages
    assert [str(cause) for cause in page.causes] == ["collection products/mug"]
    shop.sql("UPDATE products SET title = 'Cup' WHERE slug = 'mug'")
    assert rewritten(shop.build()) == {"product--mug": "changed", "shelf": "changed"}
    shop.sql("UPDATE products SET hidden = 'x' WHERE slug = 'mug'")
    assert rewritten(shop.build()) == {}
    shop.sql("UPDATE makers SET name = 'Eve' WHERE id = 2")
    assert rewritten(shop.build()) == {"product--pot": "changed"}
    shop.sql("UPDATE opening_hours SET opens = 10")
    assert rewritten(shop.build()) == {"hours": "changed"}
    shop.sql("INSERT INTO products (id, slug, title) VALUES (4, 'jug', 'Jug')")
    assert rewritten(shop.build()) == {"product--jug": "added", "shelf": "changed"}
    shop.sql("DELETE FROM products WHERE slug = 'jug'")
    assert rewritten(shop.build()) == {"product--jug": "removed", "shelf": "changed"}
    found = history.changes(
        shop.builder.connection, history.Asked(entity="collection", key="products/jug")
    )
    assert [(each.before is None, each.after is None) for each in found] == [
        (False, True),
        (True, False),
    ]


def test_a_row_reaches_the_lists_of_other_apps(shop: Site) -> None:
    """Its page goes live first; the queue row waits for the lists that show it, and no others."""
    cheap = {"collection": "products", "sort": "price", "limit": 1, "fields": ["title", "route"]}
    shop.page("code", Block(component="list", props={"items": {"$rows": cheap}}), app="code")
    shop.builder.build_approved(nodes=[NODE])
    file = shop.file("/code/", app="code")
    assert '"/products/mug"' in file.read_text().replace("&quot;", '"')
    shop.sql("UPDATE products SET title = 'Pott' WHERE slug = 'pot'")
    assert shop.build().handled
    shop.sql("UPDATE products SET price = 1 WHERE slug = 'pot'")
    report = shop.build()
    assert report.behind[NODE].reads == {"code": frozenset({"play"})}
    before = {row.id: {"play"} for row in report.triggers}
    assert shop.builder.build(nodes=[NODE], apps=["code"], built_before=before).handled
    assert "/products/pot" in file.read_text()
    shop.sql("DELETE FROM robbieblocks_pages WHERE page_key = 'code'")
    shop.builder.build_approved(nodes=[NODE])


def test_the_queue_names_rows_where_it_can(shop: Site) -> None:
    """Of the table that has the key; a change of another one, or of very many, is the whole's."""

    def queued(statement: str) -> list[Any]:
        shop.sql("DELETE FROM robbieblocks_change_triggers")
        shop.sql(statement)
        rows = shop.builder.sql(
            "SELECT coalesce(after, before) ->> 'name' AS name, affected_apps, affected_nodes"
            " FROM robbieblocks_change_triggers WHERE entity_type = 'collection' ORDER BY 1"
        )
        assert all(row["affected_apps"] in (["play"], None) for row in rows)
        return [row["name"] for row in rows]

    assert queued("UPDATE products SET slug = 'cup' WHERE slug = 'mug'") == [
        "products/cup",
        "products/mug",
    ]
    assert queued("UPDATE products SET title = title") == []
    assert queued("UPDATE products SET slug = NULL WHERE slug = 'cup'") == ["products"]
    assert queued("DELETE FROM products WHERE id = 99") == []
    assert queued("UPDATE makers SET name = name || '!'") == ["products"]
    assert queued("TRUNCATE products") == ["products"]
    many = "INSERT INTO products (id, slug) SELECT n, 'p' || n FROM generate_series(1, 1001) AS n"
    assert queued(many) == ["products"]


@pytest.mark.parametrize(
    ("view", "key"),
    [
        ("SELECT slug FROM products", "slug"),
        ("SELECT p.slug AS name FROM products p", "slug"),
        ("SELECT slug FROM products GROUP BY slug", "slug"),
        ("SELECT p.slug FROM products p JOIN products q ON q.id = p.id", ""),
        ("SELECT slug, (SELECT count(*) FROM products) AS n FROM products", ""),
        ("SELECT slug, rank() OVER (ORDER BY id) AS n FROM products", ""),
        ("SELECT slug FROM products LIMIT 5", ""),
        ("SELECT DISTINCT ON (price) slug FROM products", ""),
        ("SELECT slug FROM products UNION SELECT day FROM opening_hours", ""),
        ("SELECT upper(slug) AS slug FROM products", ""),
        ("SELECT slug FROM (SELECT slug FROM products LIMIT 1) AS p", ""),
        ("SELECT slug FROM shop_products", ""),
        ("WITH p AS (SELECT slug FROM products OFFSET 1) SELECT slug FROM p", ""),
    ],
)
def test_a_table_names_rows_where_its_rows_are_the_views(shop: Site, view: str, key: str) -> None:
    """And where no row of the view depends on another row of the table."""
    shop.sql(f"CREATE VIEW tried AS {view}")
    try:
        named = "name" if "AS name" in view else "slug"
        source = replace(HOURS, name="tried", view=("tried",), key=named)
        capture = changes.collection_capture(shop.builder.connection, source)
        (products,) = [each for each in capture.tables if each.name == "products"]
        assert products.key == key
        assert not products.is_captured
    finally:
        shop.sql("DROP VIEW tried")


def test_a_view_that_is_not_used_any_more_loses_its_triggers(shop: Site) -> None:
    """What is installed is installed once; a table that the view left gets rid of its triggers."""
    connection = shop.builder.connection
    assert changes.collection_capture(connection, PRODUCTS).statements == ()
    shop.sql(
        "CREATE OR REPLACE VIEW shop_products AS SELECT slug, title, price, tags, more, since,"
        " NULL::text AS maker FROM products"
    )
    dropped = changes.collection_capture(connection, PRODUCTS).statements
    assert len(dropped) == 4
    assert all(each.startswith("DROP TRIGGER") and "makers" in each for each in dropped)
    shop.sql("ALTER TABLE products DISABLE TRIGGER robbieblocks_collection_products_update")
    (products,) = changes.collection_capture(connection, PRODUCTS).tables
    assert not products.is_captured


def problem(site: Site) -> Problem:
    found, *more = site.problems()
    assert not more, (found, more)
    return found


def test_what_is_wrong_with_a_row_holds_back_its_page(shop: Site) -> None:
    """One problem names collection, row and column; the last good page stays, and others go on."""
    before = shop.file("/products/mug").read_text()
    shop.sql("INSERT INTO products (id, slug) VALUES (5, 'mug')")
    shop.sql("UPDATE products SET title = 'Pott' WHERE slug = 'pot'")
    assert rewritten(shop.build())["product--mug"] == "held back"
    found = problem(shop)
    assert (found.entity, found.key, found.field) == ("collection", "products/mug", "slug")
    assert "2 rows have this key" in found.what
    assert shop.file("/products/mug").read_text() == before
    assert "Pott" in shop.file("/products/pot").read_text()
    shop.sql("DELETE FROM products WHERE id = 5")
    shop.build()
    assert not shop.problems()


def test_what_no_page_can_show_is_its_rows(shop: Site) -> None:
    """Large integers arrive as texts, with all digits; a row that can't be shown holds its page,
    lists go out without it, and `opening_hours`, of which no pages are made, tell it there."""
    shop.sql("UPDATE products SET price = 12345678901234567891 WHERE slug = 'pot'")
    shop.sql("UPDATE products SET title = 'New', more = '{\"__proto__\": 1}' WHERE slug = 'mug'")
    shop.sql("ALTER TABLE opening_hours ADD more jsonb, ADD visits bigint")
    shop.sql("UPDATE opening_hours SET visits = 9007199254740993")
    shop.sql(
        "INSERT INTO opening_hours VALUES ('tue', 8, %s), ('wed', 8, '{}')",
        '{"a": ' * 60 + "1" + "}" * 60,
    )
    report = shop.build()
    did = rewritten(report)
    assert (did["product--mug"], did["product--pot"], did["hours"]) == (
        *("held back", "changed"),
        "changed",
    )
    assert 'data-price="&quot;12345678901234567891&quot;"' in shop.file("/products/pot").read_text()
    assert [each["title"] for each in items(shop, "/shelf/")] == ["Pot", "Pan {{you}}"]
    assert [(each["day"], each["visits"]) for each in items(shop, "/hours/")] == [
        ("mon", "9007199254740993"),
        ("wed", None),
    ]
    told = {(each.key, each.field, each.pointer): each for each in report.problems}
    assert told.keys() == {("products/mug", "more", "/__proto__"), ("hours/tue", "more", "")}
    assert "lists leave out the row" in told["hours/tue", "more", ""].what
    shop.sql("ALTER TABLE opening_hours ADD __proto__ integer")
    shop.builder.context.memory.content = None
    assert rewritten(shop.build())["hours"] == "held back"
    (columns,) = [each for each in shop.problems() if each.key == "hours"]
    assert (columns.field, "another name" in columns.remedy) == ("__proto__", True)


@pytest.mark.parametrize("slug", ["../../etc", "A", "", "a--b", "x" * 300, "ü", "a/b"])
def test_a_row_without_a_usable_key_keeps_what_is_live(shop: Site, slug: str) -> None:
    """Nobody knows which page it was: none of the collection is removed until it is put right."""
    shop.sql("UPDATE products SET slug = %s WHERE slug = 'mug'", slug)
    report = shop.build()
    assert rewritten(report) | {"shelf": ""} == {
        "product--": "held back",
        "product--mug": "held back",
        "shelf": "",
    }
    assert (problem(shop).entity, problem(shop).field) == ("collection", "slug")
    assert shop.file("/products/mug").is_file()
    shop.sql("UPDATE products SET slug = NULL WHERE slug = %s", slug)
    shop.build()
    assert problem(shop).key == "products/(no key)"


@pytest.mark.parametrize(
    ("edit", "field", "what"),
    [
        ("ALTER VIEW shop_products RENAME TO other", "view", "there is no view or table"),
        ("CREATE OR REPLACE VIEW shop_products AS SELECT slug, title, price, tags, more, since,"
         " (1 / (id - id))::text AS maker FROM products", "view", "division by zero"),
        ("INSERT INTO products (id, slug) SELECT n, 'p' || n FROM generate_series(10, 90) AS n",
         "view", "more than 50 rows"),
        ("CREATE OR REPLACE VIEW shop_products AS SELECT slug, title, price, tags, more, since,"
         " NULL::text AS maker, id::bit(8) AS bits FROM products", "bits", "of the type bit(8)"),
        ("ALTER VIEW shop_products RENAME COLUMN slug TO handle", "slug", "has no column slug"),
    ],
)  # fmt: skip
def test_a_view_that_cant_be_read_leaves_its_pages_as_they_are(
    shop: Site, edit: str, field: str, what: str
) -> None:
    """With those that list its rows; others go on, and one problem says why."""
    shop.sql(edit)
    shop.sql("UPDATE robbieblocks_pages SET meta_title = 'Renamed' WHERE page_key = 'alone'")
    shop.builder.context.memory.content = None
    try:
        report = shop.build()
        assert rewritten(report) == {
            **dict.fromkeys(("product--", "product--mug", "product--pan"), "held back"),
            **dict.fromkeys(("product--pot", "shelf"), "held back"),
            "alone": "changed",
        }
        found = problem(shop)
        assert (found.entity, found.key, found.field) == ("collection", "products", field)
        assert what in found.what
        assert shop.file("/products/mug").is_file()
        assert "Renamed" in shop.file("/alone/").read_text()
    finally:
        shop.sql("UPDATE robbieblocks_pages SET meta_title = NULL WHERE page_key = 'alone'")
        shop.sql("DROP VIEW IF EXISTS other")


def test_a_view_that_may_not_be_read_names_the_grant(shop: Site) -> None:
    """With the role that needs it, ready to be run."""
    read_as = partial(collections.read, sources=(PRODUCTS,), previous=None, only_changes=False)
    with psycopg.connect(
        shop.builder.settings.database_url or "", user="postgres", row_factory=tuple_row
    ) as superuser:
        superuser.execute("CREATE ROLE tried; GRANT USAGE ON SCHEMA public TO tried")
        superuser.execute("GRANT SELECT ON robbieblocks_pages TO tried")
        superuser.commit()
        try:
            superuser.execute("SET ROLE tried")
            (found,) = read_as(superuser.cursor())
        finally:
            superuser.rollback()
            superuser.execute("DROP OWNED BY tried; DROP ROLE tried")
    assert found.fault is not None
    assert found.fault.remedy == "GRANT SELECT ON shop_products TO tried;"


# What a function in a view may do to the session that reads it, and what is said of it.
_HARM = {
    "ends it": (
        "BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(9); RETURN ''; END",
        "ended the session that it was read over: terminating connection",
    ),
    "calls itself": ("BEGIN RETURN harm(); END", "stack depth limit exceeded"),
    "asks for much": (
        "BEGIN RETURN repeat('x', 2000000000); END", "can't be read: requested length"
    ),
    "catches its end": (
        "BEGIN LOOP BEGIN PERFORM pg_sleep(60);"
        " EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END",
        "does not end, though the server cancelled it",
    ),
    "sleeps": ("BEGIN PERFORM pg_sleep(60); RETURN ''; END", "takes too long"),
}  # fmt: skip


@pytest.mark.parametrize("harm", _HARM)
def test_what_a_view_does_to_its_session_is_its_collections_fault(
    shop: Site, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages without its rows go out, and the session of the build goes on."""
    body, what = _HARM[harm]
    if harm == "catches its end":
        monkeypatch.setattr("robbieblocks.snapshot.beside._PATIENCE_S", 0.5)
    if harm == "sleeps":
        quick = queries.ALIKE.replace("20s", "100ms")
        monkeypatch.setattr("robbieblocks.snapshot.queries.ALIKE", quick)
    session = shop.builder.connection.info.backend_pid
    shop.sql(f"CREATE FUNCTION harm() RETURNS text LANGUAGE plpgsql AS $$ {body} $$")
    try:
        shop.sql(
            "CREATE OR REPLACE VIEW shop_products AS SELECT slug, title, price, tags, more, since,"
            " harm() AS maker FROM products"
        )
        shop.sql("UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = 'alone'", harm)
        shop.builder.context.memory.content = None
        report = shop.build()
        assert rewritten(report)["alone"] == "changed"
        assert rewritten(report)["product--mug"] == "held back"
        assert what in problem(shop).what
        assert shop.builder.connection.info.backend_pid == session
        found = shop.builder.connection.execute("SELECT 1").fetchone()
        assert found == (1,)
    finally:
        shop.sql("DROP FUNCTION harm CASCADE")


def test_no_lock_of_a_view_outlives_its_reading(shop: Site) -> None:
    """An advisory lock of a session would stay with the build's, over a rollback, too."""
    shop.sql(
        "CREATE OR REPLACE VIEW shop_products AS SELECT slug, title, price, tags, more, since,"
        " pg_advisory_lock(7)::text AS maker FROM products"
    )
    shop.builder.context.memory.content = None
    shop.build()
    assert not shop.problems()
    held = shop.builder.sql("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = 7")
    assert held == []


def test_a_view_over_which_every_session_ends_is_left_alone_for_a_while(shop: Site) -> None:
    """As when the server runs out of memory: after the second time builds go without it, and say
    so. The first may have been a restart."""
    shop.sql(
        # Its own session last: it would end before it comes to the others.
        "CREATE FUNCTION harm() RETURNS text LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'harmed' AND pid <> pg_backend_pid();"
        " PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60); RETURN ''; END $$;"
        "CREATE OR REPLACE VIEW shop_products AS SELECT slug, title, price, tags, more, since,"
        " harm() AS maker FROM products"
    )
    memory = BuildMemory()
    read = partial(memory.read, nodes=(NODE,), all_rows=True, sources=(HOURS, PRODUCTS))
    try:
        for _ in range(2):
            with (
                database.connect(shop.builder.settings, application_name="harmed") as connection,
                pytest.raises(ViewEndedSessions, match="collection products"),
            ):
                read(connection)
        with database.connect(shop.builder.settings, application_name="harmed") as connection:
            hours, products = read(connection).collections
            assert (len(hours.rows), products.is_costly) == (1, True)
            assert products.fault is not None
            assert "is left alone for now" in products.fault.what
            memory.left_alone["products"] = memory.left_alone["products"]._replace(until=0.0)
            with pytest.raises(ViewEndedSessions):
                read(connection)
        assert memory.left_alone["products"].pause_s == 120.0
    finally:
        shop.sql("DROP FUNCTION harm CASCADE")


def test_a_view_that_is_slow_delays_no_other_edit_twice(shop: Site) -> None:
    """It is read again with its own changes, and when everything is looked at."""
    source = replace(PRODUCTS, template_page="")
    slow = RowCollection(
        source=source,
        fault=Problem(entity="collection", key="products", what="is slow"),
        is_costly=True,
    )
    content = snapshot.take(shop.builder.connection, nodes=(NODE,), sources=(source,))
    before = replace(content, collections=(slow,))
    again = snapshot.refresh(shop.builder.connection, before, nodes=(NODE,), sources=(source,))
    assert again.collections is before.collections
    shop.sql("UPDATE products SET title = 'Other' WHERE slug = 'mug'")
    again = snapshot.refresh(shop.builder.connection, before, nodes=(NODE,), sources=(source,))
    assert len(again.collections[0].rows) == 3


def test_what_rows_say_is_data(shop: Site) -> None:
    """Markup, references and placeholders in a row are shown as they are, and run nothing."""
    hostile: dict[str, Any] = {
        "$pages": {},
        "a": "</script><script>alert(1)</script>",
        "b": [{"$page": "route"}],
    }
    shop.sql("UPDATE products SET more = %s WHERE slug = 'mug'", json.dumps(hostile))
    shop.sql("UPDATE products SET title = '<b>{{x|y}}</b> {$row.price}' WHERE slug = 'mug'")
    shop.build()
    assert not shop.problems()
    html = shop.file("/products/mug").read_text()
    assert "<script>alert" not in html
    assert "<b>" not in html
    card = LexborHTMLParser(html).css_first("p[data-more]")
    assert card is not None
    assert json.loads(card.attributes["data-more"] or "") == hostile
    assert "<b>{{x|y}}</b> {$row.price}" in card.text()


def test_a_mistake_of_the_template_is_told_once(shop: Site) -> None:
    """It names the template's page, however many pages it holds back."""
    name = "UPDATE robbieblocks_pages SET page_name = %s WHERE page_key = 'product'"
    shop.sql(name, "{$row.titel}")
    try:
        assert set(rewritten(shop.build()).values()) <= {"held back", "changed"}
        found = problem(shop)
        assert (found.entity, found.key, found.field) == ("page", "product", "page_name")
        assert "titel" in found.what
        assert "title" in found.remedy
    finally:
        shop.sql(name, "{$row.title}")


def test_an_archived_template_removes_its_pages(shop: Site) -> None:
    """They come back with it."""
    status = "UPDATE robbieblocks_pages SET status = %s WHERE page_key = 'product'"
    shop.sql(status, "archived")
    done = rewritten(shop.build())
    assert {key for key, change in done.items() if change == "removed"} == {
        "product--mug",
        "product--pan",
        "product--pot",
    }
    shop.sql(status, "published")
    assert rewritten(shop.build())["product--mug"] == "added"


def test_a_page_of_a_row_is_built_alone(shop: Site) -> None:
    """By its key, or all of them by the template's."""
    shop.sql("UPDATE products SET title = title || '!'")
    done = rewritten(shop.builder.build(nodes=[NODE], pages=["product--mug"]))
    assert done == {"product--mug": "changed"}
    done = rewritten(shop.builder.build(nodes=[NODE], pages=["product"]))
    assert done == {"product--pot": "changed", "product--pan": "changed"}
    assert rewritten(shop.builder.build(nodes=[NODE], pages=["product--no"])) == {}


def test_check_looks_at_the_pages_of_rows(shop: Site) -> None:
    """As at every other page."""
    inspection = inspect(
        Request(nodes=(NODE,)),
        context=shop.builder.context,
        connection=shop.builder.connection,
        clock=lambda: NOW,
        progress=lambda _: None,
    )
    keys = {each.page.key for each in inspection.pages}
    assert {"product--mug", "product--pan", "product--pot"} <= keys
    assert "product" not in keys
    assert inspection.shown_for(["product"]) == {"product--mug", "product--pan", "product--pot"}


def test_a_template_that_is_no_page_removes_nothing(shop: Site) -> None:
    """A slip in the settings, or a deleted template: told, and all goes on once it is right."""
    context = shop.builder.context
    shown = shop.file("/products/mug").read_text()
    wrong = replace(PRODUCTS, template_page="prodcut")
    context.settings = replace(context.settings, collections=(HOURS, wrong))
    try:
        shop.sql("UPDATE products SET title = 'Cup' WHERE slug = 'mug'")
        done = rewritten(shop.build())
        assert {done[f"product--{name}"] for name in ("mug", "pan", "pot")} == {"held back"}
        assert done["shelf"] == "held back"
        found = next(each for each in shop.problems() if each.entity == "collection")
        assert (found.key, found.field) == ("products", "template_page")
        assert "there is no page prodcut" in found.what
        assert shop.file("/products/mug").read_text() == shown
        # Another app, which has none of these pages, is told of it and goes on.
        shop.page("about", "list", app="shared")
        (run,) = shop.build(app="shared").runs
        assert run.outcome != "failed"
        (told,) = [each for each in run.problems if each.entity == "collection"]
        assert (told.key, told.severity) == ("products", "warning")
    finally:
        context.settings = replace(context.settings, collections=(HOURS, PRODUCTS))
    assert rewritten(shop.build()) == {"product--mug": "changed", "shelf": "changed"}
    assert not shop.problems()


@pytest.mark.parametrize("key", ["product--", "--"])
def test_no_row_of_a_page_passes_for_a_collection(shop: Site, key: str) -> None:
    """Its key is an error of its own; the page of a row that is gone goes."""
    shop.page(key, "card", route="/none")
    try:
        shop.sql("DELETE FROM products WHERE slug = 'pot'")
        assert rewritten(shop.build())["product--pot"] == "removed"
    finally:
        shop.sql("DELETE FROM robbieblocks_pages WHERE page_key = %s", key)


def test_rows_that_are_gone_all_at_once_wait_for_a_person(shop: Site) -> None:
    """The brake holds pages of rows as all others; what was approved goes out."""
    shop.sql("INSERT INTO products (id, slug) SELECT n, 'p' || n FROM generate_series(4, 40) AS n")
    shop.build()
    shop.sql("TRUNCATE products")
    (run,) = shop.build().runs
    assert run.error.startswith("held: it would remove ")
    assert shop.file("/products/p9").is_file()
    shop.builder.build_approved(nodes=[NODE], apps=["play"])
    assert not shop.file("/products/p9").exists()


def test_a_hold_keeps_the_page_of_a_row(shop: Site) -> None:
    """While others follow an edit of a component; a change of its row ends it, as of any page."""
    root = SiteRoot(shop.builder.settings.site_root)
    before = shop.file("/products/mug").read_bytes()
    hold_page(root, NODE, "play", "product--mug", who="ann", why="judges", now=NOW)
    code = "UPDATE robbieblocks_components SET react_code = %s WHERE component_key = 'card'"
    shop.sql(code, _CARD.replace("{title}", "{title}!"))
    try:
        assert rewritten(shop.build()) == {"product--pan": "changed", "product--pot": "changed"}
        assert shop.file("/products/mug").read_bytes() == before
        told = history.why(shop.builder.connection, root, "/products/mug", NODE)
        assert told.page.key == "product--mug"
        assert told.held
        shop.sql("UPDATE products SET tags = '{red}' WHERE slug = 'mug'")
        assert rewritten(shop.build()) == {"product--mug": "changed"}
    finally:
        shop.sql(code, _CARD)


def test_pictures_that_rows_name_are_served(shop: Site) -> None:
    """By `media:` in a column; one that is not there holds back the page of its row alone."""
    context = shop.builder.context
    photos = replace(PRODUCTS, name="photos", view=("photos",), route="/photos/{slug}")
    shop.component(
        "photo",
        "export default function Photo({ at }) { return <img src={at.src} alt={at.alt} />; }",
        schema={"properties": {"at": {"type": "string", "format": "media"}}},
    )
    shop.page(
        "photo",
        Block(component="photo", props={"at": {"$row": "photo"}}),
        route="",
        name="{$row.slug}",
    )
    shop.sql(
        "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash)"
        " VALUES ('mug', 'mug.png', '', %s, '')",
        png(40, 30),
    )
    shop.sql(
        "CREATE TABLE photos (slug text, photo text);"
        " INSERT INTO photos VALUES ('mug', 'media:mug'), ('pan', 'media:none')"
    )
    context.settings = replace(
        context.settings, collections=(HOURS, replace(photos, template_page="photo"), PRODUCTS)
    )
    try:
        assert rewritten(shop.build()) == {"photo--mug": "added", "photo--pan": "held back"}
        html = shop.file("/photos/mug").read_text()
        (picture,) = LexborHTMLParser(html).css("img")
        assert (picture.attributes["src"] or "").startswith("/_rb/")
        found = problem(shop)
        assert (found.page, found.pointer) == ("photo", "/at") or "none" in found.what
    finally:
        context.settings = replace(context.settings, collections=(HOURS, PRODUCTS))
        shop.sql("DROP TABLE photos; DELETE FROM robbieblocks_pages WHERE page_key = 'photo'")
