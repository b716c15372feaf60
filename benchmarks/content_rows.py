"""Generated content: a blog in a frame, with lists, a feed and tags, and a shop of a view's rows.

Deterministic, as `apps`. Each replaces a database's content, quietly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg.types.json import Jsonb

from benchmarks.apps import Size
from robbieblocks.model import SHARED_APP

APP: Final = "bench"
OTHER_APP: Final = "desk"
"""An app of one page, which lists the newest posts of the blog."""
TAGS: Final = 26
DRAFTS: Final = 40
"""Posts that are not published yet."""
RARE: Final = 10
"""Posts that place a component of their own."""
SHOP_PROJECT: Final = """\
[collections.products]
view = "bench_shop"
route = "/bench/{slug}"
template_page = "product"
"""

_Page = tuple[str, str, str, str, str | None, dict[str, Any]]
_Block = tuple[str, str, dict[str, Any]]


def fill_blog(conninfo: str, size: Size) -> None:
    """`size.pages` posts, in a frame that lists what the menu has; a post shows its neighbours.

    The home page lists the newest ten and has their feed, each tag's page the newest ten with it.
    A sidebar of all pages is a frame's of `shared`.
    """
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        _begin(cursor)
        _write(cursor, [*_around_posts(), *_posts(size.pages)])
        _write(cursor, [_DESK], OTHER_APP)
        _write(cursor, [_EVERYWHERE], SHARED_APP)
        _end(cursor, OTHER_APP)
    _rest(conninfo)


def fill_shop(conninfo: str, size: Size) -> None:
    """`size.pages` rows of a view over two tables, a page each; and a page for each category."""
    with psycopg.connect(conninfo) as connection, connection.cursor() as cursor:
        _begin(cursor)
        cursor.execute(_SHOP_TABLES)
        with cursor.copy("COPY bench_makers (id, name) FROM STDIN") as rows:
            for number in range(100):
                rows.write_row((number, f"Maker {number}"))
        with cursor.copy(
            "COPY bench_products (slug, title, price, note, category, maker) FROM STDIN"
        ) as rows:
            for n in range(size.pages):
                row = (f"p-{n:05}", f"Product {n}", n % 900, f"No. {n}", _tag(n), n % 100)
                rows.write_row(row)
        _write(cursor, [*_of_shop()])
        _end(cursor)
    _rest(conninfo)


def _tag(number: int) -> str:
    return f"tag-{number % TAGS:02}"


_Row = tuple[_Page, list[_Block]]


def _around_posts() -> Iterator[_Row]:
    newest = {"sort": "-published_at", "limit": 10, "fields": ["title", "route"]}
    menu = {"$pages": {"where": {"menu": True}, "sort": "route", "fields": ["title", "route"]}}
    yield (
        ("frame", "Frame", "", "", None, {"frame": True}),
        [
            ("header", "bench-links", {"title": "Menu", "items": menu}),
            ("footer", "bench-text", {"title": {"$page": "title"}, "text": "First edition"}),
        ],
    )
    posts = {"$pages": {"where": {"kind": "post"}, **newest}}
    feed = {"where": {"kind": "post"}, "sort": "-published_at", "forms": ["atom", "rss", "json"]}
    yield (
        ("home", "Home", "/bench/", _LAYOUT, None, {"menu": True, "feed": feed}),
        [("main", "bench-links", {"title": "Newest", "items": posts})],
    )
    for number in range(TAGS):
        tag = _tag(number)
        tagged = {"$pages": {"where": {"kind": "post", "tags": tag}, **newest}}
        yield (
            (tag, f"Tag {number}", f"/bench/tags/{tag}/", _LAYOUT, None, {"menu": number < 5}),
            [("main", "bench-links", {"title": tag, "items": tagged})],
        )


def _posts(count: int) -> Iterator[_Row]:
    near: dict[str, Any] = {"where": {"kind": "post"}, "sort": "published_at", "limit": 1}
    near["fields"] = ["title", "route"]
    for n in range(count + DRAFTS):
        day = f"{2000 + n // 672:04}-{n // 56 % 12 + 1:02}-{n // 2 % 28 + 1:02}"
        at = f"{day}T{n % 2 * 12:02}:00:00Z" if n < count else None
        metadata = {"kind": "post", "tags": [_tag(n)]}
        yield (
            (f"post-{n:05}", f"Post {n}", f"/bench/post-{n}/", _LAYOUT, at, metadata),
            [
                ("main", "bench-text", {"title": {"$page": "title"}, "text": f"Text {n}. " * 9}),
                (
                    "main",
                    "bench-rare" if n < RARE else "bench-text",
                    {"title": "More", "text": f"More of {n}. " * 9},
                ),
                (
                    "main",
                    "bench-links",
                    {"title": "Near", "items": {"$pages": near | {"near": "next"}}},
                ),
            ],
        )


def _of_shop() -> Iterator[_Row]:
    columns = {name: {"$row": name} for name in ("title", "note", "price", "maker")}
    yield (
        ("product", "{$row.title}", "/bench/products", _LAYOUT, None, {}),
        [
            ("main", "bench-text", {"title": columns["title"], "text": columns["note"]}),
            ("main", "bench-text", {"title": columns["maker"], "text": "From our shop"}),
        ],
    )
    for number in range(TAGS):
        tag = _tag(number)
        rows = {
            "$rows": {
                "collection": "products",
                "where": {"category": tag},
                "sort": "-price",
                "limit": 12,
                "fields": ["title", "price", "route"],
            }
        }
        yield (
            (tag, f"Category {number}", f"/bench/shop/{tag}/", _LAYOUT, None, {}),
            [("main", "bench-links", {"title": tag, "items": rows})],
        )


def _begin(cursor: psycopg.Cursor) -> None:
    cursor.execute(
        "TRUNCATE robbieblocks_pages, robbieblocks_components, robbieblocks_page_blocks, "
        "robbieblocks_node_branding CASCADE"
    )
    for key, code in (("bench-text", _TEXT), ("bench-rare", _TEXT), ("bench-links", _LINKS)):
        cursor.execute(
            "INSERT INTO robbieblocks_components (component_key, component_name, component_type, "
            "react_code, props_schema, is_published) VALUES (%s, %s, 'display', %s, '{}', true)",
            (key, key, code),
        )


def _write(cursor: psycopg.Cursor, rows: list[_Row], app: str = APP) -> None:
    """Pages with their blocks; a post without a date that is no page of its own is a draft."""
    with cursor.copy(
        "COPY robbieblocks_pages (page_key, app_namespace, page_name, page_route, "
        "layout_template, published_at, metadata, status) FROM STDIN"
    ) as copy:
        for (key, name, route, layout, at, metadata), _ in rows:
            is_draft = at is None and metadata.get("kind") == "post"
            status = "draft" if is_draft else "published"
            copy.write_row((key, app, name, route, layout, at, Jsonb(metadata), status))
    pages: dict[str, Any] = dict(
        cursor.execute("SELECT page_key, id FROM robbieblocks_pages").fetchall()
    )
    parts: dict[str, Any] = dict(
        cursor.execute("SELECT component_key, id FROM robbieblocks_components").fetchall()
    )
    with cursor.copy(
        "COPY robbieblocks_page_blocks (page_id, component_id, block_order, zone, props) FROM STDIN"
    ) as copy:
        for (key, *_), blocks in rows:
            for order, (zone, part, props) in enumerate(blocks, 1):
                copy.write_row((pages[key], parts[part], order, zone, Jsonb(props)))


def _end(cursor: psycopg.Cursor, *more_apps: str) -> None:
    cursor.execute(
        "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, "
        "enabled_apps, base_url) VALUES ('node-000', 'Node', '{}', %s, 'https://b.example')",
        ([APP, *more_apps],),
    )
    cursor.execute("TRUNCATE robbieblocks_change_triggers")
    cursor.execute("TRUNCATE robbieblocks_deploys")


def _rest(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")


_LAYOUT: Final = "single-column"

_DESK: Final[_Row] = (
    ("desk", "Desk", "/desk/", _LAYOUT, None, {}),
    [
        (
            "main",
            "bench-links",
            {
                "title": "News",
                "items": {
                    "$pages": {
                        "app": APP,
                        "where": {"kind": "post"},
                        "limit": 10,
                        "fields": ["title", "route"],
                    }
                },
            },
        )
    ],
)
_EVERYWHERE: Final[_Row] = (
    ("everywhere", "Everywhere", "", "", None, {"frame": True}),
    [("sidebar", "bench-text", {"title": "Open", "text": "First edition"})],
)

_SHOP_TABLES: Final = """
    CREATE TABLE bench_makers (id integer PRIMARY KEY, name text NOT NULL);
    CREATE TABLE bench_products (slug text PRIMARY KEY, title text NOT NULL,
        price integer NOT NULL, note text NOT NULL, category text NOT NULL,
        maker integer NOT NULL REFERENCES bench_makers);
    CREATE VIEW bench_shop AS
        SELECT p.slug, p.title, p.price, p.note, p.category, m.name AS maker
          FROM bench_products AS p JOIN bench_makers AS m ON m.id = p.maker;
"""

_TEXT: Final = """\
export default function BenchText({ title, text }: { title: string; text: string }) {
  return (
    <article>
      <h2>{title}</h2>
      <p>{text}</p>
      <small>NOTE</small>
    </article>
  );
}
"""

_LINKS: Final = """\
type Item = { title: string; route: string };

export default function BenchLinks({ title, items }: { title: string; items: Item[] }) {
  return (
    <nav>
      <h2>{title}</h2>
      <ul>
        {items.map((item) => (
          <li key={item.route}>
            <a href={item.route}>{item.title}</a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
"""
