"""Stages that know the rows of before, as a worker's do: an edit gives what a build from nothing
gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from robbieblocks.assemble import Assembly, Relations, assemble
from robbieblocks.errors import Problem
from robbieblocks.model import (
    CollectionRow,
    CollectionSource,
    ComponentRow,
    JsonObject,
    PageRow,
    RowCollection,
    Snapshot,
)
from tests.unit.rows import NOW, a_block, a_component, a_page, a_snapshot

SCHEMAS: Sequence[JsonObject] = (
    {"type": "object"},
    {"type": "object", "properties": {"items": {"type": "array", "maxItems": 1}}},
    {"type": "no such type"},
)
LAYOUTS = (frozenset({"single-column"}), frozenset({"single-column", "wide"}), frozenset({"wide"}))
POSTS = tuple(f"p{number}" for number in range(8))
GOODS = CollectionSource(
    name="goods", view=("goods",), key="slug", route="/goods/{slug}", template_page="product"
)
MENU = {"$pages": {"where": {"menu": True}, "sort": "title", "fields": ["title", "route"]}}
NEWEST = {"$pages": {"where": {"kind": "post"}, "limit": 2, "fields": ["title"]}}
NEAR = {"$pages": {"where": {"kind": "post"}, "near": "next", "offset": 1, "fields": ["route"]}}
PARTS = {"$pages": {"where": {"kind": "post"}, "limit": 2, "paginate": True}}
ABROAD = {"$pages": {"app": "work", "where": {"kind": "post"}, "limit": 2, "fields": ["title"]}}
PARTS_ABROAD = {"$pages": {"app": "play", "limit": 1, "offset": 0, "paginate": True}}
CHEAPEST = {"$rows": {"collection": "goods", "sort": "price", "limit": 2}}
BESIDE = {"$rows": {"collection": "goods", "near": "previous", "sort": "price"}}
PROPS: Mapping[str, Any] = {
    "nothing": {"text": "none"},
    "menu": {"items": MENU},
    "newest": {"items": NEWEST, "own": {"$page": "title"}},
    "abroad": {"items": ABROAD, "all": {"$pages": {"app": "shared", "sort": "title"}}},
    "parts abroad": {"items": PARTS_ABROAD},
    "near": {"items": NEAR, "said": {"$page": "translations"}},
    "parts": {"items": PARTS, "at": {"$page": "pagination"}},
    "cheapest": {"items": CHEAPEST},
    "wrong": {"items": {"$rows": {"collection": "none"}}},
}
METADATA: Sequence[JsonObject] = (
    {},
    {"kind": "post"},
    {"kind": "post", "menu": True},
    {"lang": "de", "translation_of": "p1"},
    {"lang": "de", "not_found": True},
    {"lang": "fr", "translation_of": "p1", "kind": "post"},
    {"translation_of": "p2"},
    {"feed": {"where": {"kind": "post"}, "limit": 3}},
    {"feed": {"app": "work", "limit": 2}},
    {"frame": False, "redirect_from": ["/old/"]},
)
FRAMES: Sequence[JsonObject] = (
    {"frame": True},
    {"frame": True, "settings": {"languages": {"default": "de", "offered": ["de", "en"]}}},
    {"frame": True, "settings": {"languages": 5}},
    {"frame": True, "lang": "de"},
)


@dataclass
class Rows:
    """Rows as a worker reads them: what no edit touches stays the same object."""

    pages: dict[str, PageRow] = field(default_factory=dict[str, PageRow])
    goods: RowCollection = field(default_factory=lambda: RowCollection(source=GOODS))
    now: datetime = NOW
    unlisted: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    components: dict[str, ComponentRow] = field(default_factory=dict[str, ComponentRow])
    layouts: frozenset[str] = LAYOUTS[0]
    numbers: int = 0

    def page(
        self,
        key: str,
        app: str,
        metadata: JsonObject,
        props: str,
        day: int | None,
        zone: str = "main",
    ) -> None:
        self.numbers += 1
        self.pages[key] = a_page(
            key,
            app=app,
            name=f"{props} {self.numbers % 3}",
            route=f"/{key}/",
            metadata=metadata,
            blocks=(
                a_block(props=PROPS[props], component="far" if day == -2 else "card", zone=zone),
            ),
            published_at=None if day is None else NOW + timedelta(days=day),
        )

    def frame(self, app: str, metadata: JsonObject, props: str, day: int | None) -> None:
        self.page(f"{app} frame", app, metadata, props, day, zone="header")

    def gone(self, key: str) -> None:
        self.pages.pop(key, None)

    def template(self, app: str, day: int | None) -> None:
        """The page of which those of rows are made is of this app, and due then."""
        self.pages["product"] = a_page(
            "product",
            app=app,
            name="{$row.slug}",
            route="",
            blocks=(a_block(props={"items": BESIDE}),),
            published_at=None if day is None else NOW + timedelta(days=day),
        )

    def row_gone(self, key: str) -> None:
        left = tuple(row for row in self.goods.rows if row.key != key)
        self.goods = replace(self.goods, rows=left)

    def unread(self) -> None:
        fault = Problem(entity="collection", key="goods", what="it can't be read")
        self.goods = replace(self.goods, fault=None if self.goods.fault else fault, rows=())

    def days(self, days: int) -> None:
        self.now += timedelta(days=days)

    def unlist(self, key: str) -> None:
        self.unlisted ^= {key}

    def hide(self, key: str) -> None:
        self.hidden ^= {key}

    def leave_out(self, app: str) -> None:
        self.absent ^= {app}

    def elsewhere(self, app: str, rows: Sequence[PageRow]) -> frozenset[str] | None:
        assert all(row.app == app for row in rows)
        return None if app in self.absent else self.hidden

    def component(self, key: str, schema: JsonObject) -> None:
        self.components = {**self.components, key: a_component(key, schema)}

    def use(self, layouts: frozenset[str]) -> None:
        self.layouts = layouts

    def row(self, key: str, price: int) -> None:
        values: JsonObject = {"slug": key, "price": price}
        row = CollectionRow(key=key, values=values, shown=values, digest=f"{key} {price}")
        others = [each for each in self.goods.rows if each.key != key]
        rows = tuple(sorted([*others, row], key=lambda each: each.key))
        self.goods = replace(self.goods, rows=rows, columns=("slug", "price"))

    def content(self) -> Snapshot:
        if "product" not in self.pages:
            self.template("play", None)
        pages = [self.pages[key] for key in sorted(self.pages)]
        content = a_snapshot(*pages, components=(), collections=(self.goods,))
        return replace(content, components=self.components)


KEYS = st.sampled_from((*POSTS, "parts", "parts.page-2", "play frame", "shared frame"))
EDITS = st.one_of(
    st.tuples(
        st.just(Rows.page),
        KEYS,
        st.sampled_from(("play", "play", "play", "work", "shared")),
        st.sampled_from(METADATA),
        st.sampled_from([*PROPS]),
        st.sampled_from((None, -3, -2, -2, -1, 1, 2)),
    ),
    st.tuples(
        st.just(Rows.frame),
        st.sampled_from(("play", "shared")),
        st.sampled_from(FRAMES),
        st.sampled_from(("nothing", "menu", "abroad", "cheapest")),
        st.sampled_from((None, -1, 1)),
    ),
    st.tuples(st.just(Rows.gone), KEYS),
    st.tuples(st.just(Rows.row), st.sampled_from(["a", "b", "c", "not a name"]), st.integers(1, 3)),
    st.tuples(st.just(Rows.row_gone), st.sampled_from(["a", "b", "c", "not a name"])),
    st.tuples(st.just(Rows.unread)),
    st.tuples(st.just(Rows.days), st.sampled_from((1, 1, -1))),
    st.tuples(st.just(Rows.unlist), st.sampled_from(POSTS)),
    st.tuples(st.just(Rows.hide), st.sampled_from((*POSTS, "product--a"))),
    st.tuples(
        st.just(Rows.template), st.sampled_from(("play", "work")), st.sampled_from((None, 1))
    ),
    st.tuples(st.just(Rows.leave_out), st.sampled_from(("play", "shared", "work"))),
    st.tuples(st.just(Rows.component), st.sampled_from(("card", "far")), st.sampled_from(SCHEMAS)),
    st.tuples(st.just(Rows.use), st.sampled_from(LAYOUTS)),
)


TAKING = (Rows.page, "parts.page-2", "play", METADATA[0], "nothing", None)
"""A page that takes the key of another one's second part."""


@settings(max_examples=150)
@example([[TAKING], [(Rows.gone, "parts.page-2")]])
@example([[(Rows.page, "p7", "play", METADATA[1], "near", 1)], [(Rows.days, 1)]])
@example([[(Rows.row_gone, "a")], [(Rows.template, "work", None)], [(Rows.hide, "p0")]])
@example([[(Rows.unlist, "p1")], [(Rows.unlist, "p1")]])
@given(st.lists(st.lists(EDITS, min_size=1, max_size=3), max_size=8))
def test_an_edit_gives_what_a_build_from_nothing_gives(
    steps: list[list[tuple[Any, ...]]],
) -> None:
    """Whatever is edited, in any order; and where nothing is, all pages are the same object."""
    rows, kept, assemblies = Rows(), Relations(), dict[str, Assembly]()
    rows.components = {key: a_component(key, SCHEMAS[0]) for key in ("card", "far")}
    for number, key in enumerate(POSTS[:5]):
        rows.page(key, "play", METADATA[1], "near", -number)
    rows.page("home", "play", METADATA[6], "newest", None)
    rows.page("parts", "play", {}, "parts", None)
    rows.page("news", "work", {}, "parts abroad", None)
    rows.page("desk", "work", METADATA[1], "nothing", None)
    rows.page("shelf", "work", {}, "cheapest", None)
    rows.row("a", 1)
    for edits in ([], *steps):
        for edit, *values in edits:
            edit(rows, *values)
        content = rows.content()
        afresh, given = Relations(), (rows.now, rows.unlisted, rows.elsewhere)
        found = kept.applied(content, *given)
        wanted = afresh.applied(content, *given)
        assert {app: {*reads} for app, reads in kept.reads.items()} == {
            app: {*reads} for app, reads in afresh.reads.items()
        }
        assert [page.key for page in found.pages] == [page.key for page in wanted.pages]
        assert found.pages == wanted.pages
        assert all(map(PageRow.is_equal, found.pages, wanted.pages))
        assert replace(found, pages=()) == replace(wanted, pages=())
        for app in ("play", "shared", "work"):
            fresh = assemble(wanted, app, layouts=rows.layouts)
            known = assemble(found, app, layouts=rows.layouts, previous=assemblies.get(app))
            assert known == fresh
            assemblies[app] = known
        again = kept.applied(rows.content(), *given)
        assert again.pages is found.pages
