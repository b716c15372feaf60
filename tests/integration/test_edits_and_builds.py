"""A process that has built before gives, after any edit, the bytes of a build from nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from psycopg.types.json import Jsonb

from robbieblocks import changes
from robbieblocks.model import CollectionSource
from tests.building import NOW, Builder, run_of
from tests.sites import APP, NODE, Block, MakeSite, Site

pytestmark = pytest.mark.postgres

GOODS: Final = CollectionSource(
    name="goods", view=("goods",), key="slug", route="/goods/{slug}", template_page="good"
)
_LIST: Final = """export default function List({ items = [], at, said }) {
  return <ul data-at={at && `${at.number}/${at.count}`} data-said={JSON.stringify(said)}>
    {items.map((item) => <li key={item.route ?? item.slug}>{JSON.stringify(item)}</li>)}
  </ul>;
}"""
_TEXT: Final = """export default function Text({ title, text }) {
  return <p className="p-4 text-primary"><b>{title}</b> {text} EDITION</p>;
}"""
_POST: Final = {"where": {"kind": "post"}, "sort": "published_at", "fields": ["title", "route"]}
Edit = Callable[[Site, int], None]


@pytest.fixture(scope="module")
def blog(make_site: MakeSite) -> Site:
    """Posts in a frame with a menu, lists of them in each form, a feed, and pages of rows."""
    site = make_site()
    context = site.builder.context
    context.settings = replace(context.settings, collections=(GOODS,))
    site.sql("CREATE TABLE goods (slug text PRIMARY KEY, title text, price integer)")
    site.sql("INSERT INTO goods VALUES ('mug', 'Mug', 4), ('pot', 'Pot', 20), ('pan', 'Pan', 9)")
    site.sql(
        "UPDATE robbieblocks_node_branding SET base_url = 'https://b.example' WHERE node_id = %s",
        NODE,
    )
    site.component("list", _LIST)
    site.component("text", _TEXT)
    menu = {"$pages": {"where": {"menu": True}, "sort": "route", "fields": ["title", "route"]}}
    site.page(
        "frame",
        Block(component="list", props={"items": menu}, zone="header"),
        Block(component="text", props={"title": {"$page": "title"}}, zone="footer"),
        route="",
        metadata={"frame": True},
    )
    newest = {"$pages": {**_POST, "sort": "-published_at", "limit": 2}}
    feed = {"where": {"kind": "post"}, "limit": 3, "forms": ["atom", "rss", "json"]}
    site.page(
        "home",
        Block(component="list", props={"items": newest}),
        route="/",
        metadata={"menu": True, "feed": feed},
    )
    every = {"$pages": {**_POST, "limit": 3, "paginate": True}}
    parts: dict[str, Any] = {"items": every, "at": {"$page": "pagination"}}
    site.page("all", Block(component="list", props=parts), route="/all/")
    beside = {"$pages": {**_POST, "near": "next", "limit": 1}}
    near: dict[str, Any] = {"items": beside, "said": {"$page": "translations"}}
    for number in range(8):
        key, text = f"post-{number}", Block(component="text", props={"title": f"T{number}"})
        site.page(key, text, Block(component="list", props=near), metadata={"kind": "post"})
        at = NOW - timedelta(days=50 - number)
        site.sql("UPDATE robbieblocks_pages SET published_at = %s WHERE page_key = %s", at, key)
    columns = {"title": {"$row": "title"}, "text": {"$row": "price"}}
    rows = {"$rows": {"collection": "goods", "sort": "price", "limit": 2}}
    site.page("good", Block(component="text", props=columns), route="", name="{$row.title}")
    site.page("shelf", Block(component="list", props={"items": rows}))
    capture = changes.collection_capture(site.builder.connection, GOODS)
    changes.install_capture(site.builder.connection, capture)
    site.build()
    assert not site.problems()
    return site


def _of_post(statement: str) -> Edit:
    return lambda site, number: site.sql(statement, f"post-{number % 8}")


def _metadata(more: dict[str, object]) -> Edit:
    def edit(site: Site, number: int) -> None:
        said = {"kind": "post", **more, "turn": number}
        site.sql(
            "UPDATE robbieblocks_pages SET metadata = %s WHERE page_key = %s",
            Jsonb(said),
            f"post-{number % 8}",
        )

    return edit


def _block(page: str, order: int) -> Edit:
    statement = """
        UPDATE robbieblocks_page_blocks AS b SET props = b.props || %s FROM robbieblocks_pages AS p
         WHERE p.id = b.page_id AND p.page_key = %s AND b.block_order = %s
    """
    return lambda site, number: site.sql(statement, Jsonb({"text": f"{number}"}), page, order)


def _component(site: Site, number: int) -> None:
    code = _TEXT.replace("EDITION", f"edition {number}").replace("p-4", f"p-{number % 9}")
    site.sql(
        "UPDATE robbieblocks_components SET react_code = %s WHERE component_key = 'text'", code
    )


def _new(site: Site, number: int) -> None:
    site.page(f"new-{number}", "text", metadata={"kind": "post", "menu": number % 2 == 0})


def _redirect(site: Site, number: int) -> None:
    stated = json.dumps([f"/old-{number}/"])
    site.sql(
        "UPDATE robbieblocks_pages SET metadata = metadata || "
        "jsonb_build_object('redirect_from', %s::jsonb) WHERE page_key = 'shelf'",
        stated,
    )


def _setting(statement: str) -> Edit:
    return lambda site, number: site.sql(statement, f"#1a2b{number % 90 + 10}", NODE)


_STATUS: Final = "UPDATE robbieblocks_pages SET status = '{}' WHERE page_key = %s"
EDITS: Final[Sequence[Edit]] = (
    _block("post-3", 1),
    _block("frame", 2),
    _block("home", 1),
    _of_post("UPDATE robbieblocks_pages SET page_name = page_name || '!' WHERE page_key = %s"),
    _of_post("UPDATE robbieblocks_pages SET page_route = '/to' || page_route WHERE page_key = %s"),
    _of_post(_STATUS.format("draft")),
    _of_post(_STATUS.format("published")),
    _of_post("DELETE FROM robbieblocks_pages WHERE page_key = %s AND page_key > 'post-5'"),
    _metadata({"menu": True}),
    _metadata({"robots": "noindex"}),
    _metadata({"lang": "de", "translation_of": "home"}),
    _component,
    _new,
    _redirect,
    _setting(
        "UPDATE robbieblocks_node_branding SET style_overrides = style_overrides || "
        "jsonb_build_object('color.primary', %s::text) WHERE node_id = %s"
    ),
    lambda site, number: site.sql(
        "UPDATE robbieblocks_style_tokens SET default_value = %s WHERE token_key = 'spacing.md'",
        f"{number + 1}rem",
    ),
    lambda site, number: site.sql("UPDATE goods SET price = %s WHERE slug = 'pot'", number),
    lambda site, number: site.sql("INSERT INTO goods VALUES (%s, 'New', 5)", f"new-{number}"),
    lambda site, _: site.sql("DELETE FROM goods WHERE slug = (SELECT max(slug) FROM goods)"),
)


def from_nothing(site: Site, root: Path) -> str:
    """The build hash of the rows where no process has built anything before."""
    builder = site.builder
    fresh = Builder(
        settings=replace(builder.settings, site_root=root),
        connection=builder.connection,
        context=builder.context.aside(builder.context.page_renderer),
        now=builder.now,
    )
    return run_of(fresh.build(dry_run=True, nodes=[NODE], apps=[APP]), NODE, APP).build_hash


@pytest.mark.parametrize("seed", [1, 2])
def test_an_edit_gives_the_bytes_of_a_build_from_nothing(
    blog: Site, seed: int, tmp_path: Path
) -> None:
    """Each kind of edit, in two orders, one or two at a time."""
    chance = random.Random(seed)
    waiting = chance.sample(EDITS, len(EDITS))
    compared = 0
    while waiting:
        for _ in range(min(len(waiting), chance.randint(1, 2))):
            waiting.pop()(blog, chance.randrange(1000))
        report = blog.builder.build_approved(nodes=[NODE], apps=[APP])
        run = run_of(report, NODE, APP)
        if run.held_back:
            # What is held back stays as it was, which no build from nothing knows.
            continue
        compared += 1
        assert run.build_hash == from_nothing(blog, tmp_path / "site"), run.changed
    assert compared > len(EDITS) / 3
