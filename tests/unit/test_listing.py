"""Lists of pages once some pages have changed: as if made anew, and only where they differ."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import Relations
from robbieblocks.assemble.relations.listing import Answer, Listing
from robbieblocks.assemble.relations.query import PageQuery
from robbieblocks.model import CollectionRow, CollectionSource, JsonObject, PageRow, RowCollection
from tests.unit.rows import NOW, a_block, a_component, a_page, a_snapshot

OPEN = a_component("card", {"type": "object"})
TAGGED = PageQuery(where=(("tag", ("a",)),), limit=2)
QUERIES = (
    TAGGED,
    PageQuery(limit=2, offset=1),
    PageQuery(sort="metadata.rank", descending=False, limit=3),
    PageQuery(sort="metadata.rank", limit=3),
    PageQuery(where=(("tag", ("a", "b")), ("rank", (1, 1.5))), limit=9),
    PageQuery(under="/b", lang="en", sort="title", limit=9),
    PageQuery(near="next", sort="title", descending=False, limit=2),
    PageQuery(near="previous", sort="metadata.rank", limit=2),
)
KEYS = [f"p{number}" for number in range(6)]
RANKS = st.sampled_from([None, 1, 1.0, 1.5, True, "b", "B", [1]])
TAGS = st.sampled_from(["a", "b", None, ["a", "b"], []])


def data(key: str, *, tag: Any = None, rank: Any = None, day: int = 1) -> JsonObject:
    metadata = {"tag": tag, "rank": rank}
    at = f"2026-01-{day:02}T00:00:00+00:00"
    route = f"/{'ab'[day % 2]}/{key}/"
    return {
        "key": key,
        "route": route,
        "title": f"T{day}",
        "lang": "en",
        "published_at": at,
        "metadata": metadata,
    }


SOME = st.builds(
    data, st.sampled_from(KEYS), tag=TAGS, rank=RANKS, day=st.integers(min_value=1, max_value=4)
)


@given(st.lists(st.lists(SOME, max_size=6, unique_by=lambda page: str(page["key"])), max_size=5))
def test_a_changed_listing_answers_as_one_made_anew(states: list[list[JsonObject]]) -> None:
    """Pages come, go and change: each answer is that of a listing which never knew another state.
    An earlier answer holds exactly where it has the same objects."""
    kept, before = Listing(()), dict[str, JsonObject]()
    known: list[Answer] = []
    for state in states:
        now = {str(page["key"]): page for page in state}
        kept = kept.changed([(before.get(key), now.get(key)) for key in before.keys() | now])
        before, fresh = now, Listing(now.values())
        for earlier in known:
            wanted = fresh.answer(*earlier[:3])
            assert kept.holds(earlier) is earlier.shows_same(wanted)
        known = [
            kept.answer(query, asking, n) for query in QUERIES for asking in KEYS for n in (0, 1)
        ]
        for answer in known:
            wanted = fresh.answer(*answer[:3])
            assert answer.shows_same(wanted)
            assert answer.total == wanted.total


def test_an_answer_holds_as_long_as_it_shows_no_changed_page() -> None:
    """A page that no list of two has alters none of them; one that enters a list does."""
    pages = [data(key, tag="ab"[n % 2], day=n + 1) for n, key in enumerate(KEYS)]
    listing = Listing(pages)
    tagged, newest = listing.answer(TAGGED, "", 0), listing.answer(PageQuery(limit=2), "", 0)
    later = listing.changed([(pages[1], data("p1", tag="b", day=1))])
    assert later.holds(tagged)
    assert later.holds(newest)
    assert not later.changed([(None, data("p9", day=9))]).holds(newest)


def test_many_changes_at_once_are_the_same_as_few() -> None:
    """Where most pages change, the listing is made anew from what stays and what comes."""
    pages = [data(f"q{n:03}", tag="a", day=n % 9 + 1) for n in range(200)]
    later = [data(f"q{n:03}", tag="b", day=n % 7 + 1) for n in range(100)]
    listing = Listing(pages).changed(list(zip(pages, later, strict=False)))
    wanted = Listing([*later, *pages[100:]])
    for query in QUERIES:
        assert listing.answer(query, "q150", 0).shows_same(wanted.answer(query, "q150", 0))


def asking(key: str, props: Any, **fields: Any) -> PageRow:
    return a_page(key, route=f"/{key}/", blocks=(a_block(props=props),), **fields)


def site(posts: Iterable[tuple[str, Any, int]]) -> list[PageRow]:
    """A menu in a frame, a feed, lists of tags, one in parts, and posts that show a neighbour."""
    menu = {"$pages": {"where": {"menu": True}, "fields": ["title"]}}
    feed = {"feed": {"where": {"kind": "post"}, "limit": 2}, "menu": True}
    near = {"$pages": {"where": {"kind": "post"}, "near": "previous", "fields": ["title", "route"]}}
    shown = ["title", "metadata.tag"]
    tagged = {"$pages": {"where": {"tag": ["a", True]}, "limit": 2, "fields": shown}}
    parts = {"$pages": {"where": {"kind": "post"}, "limit": 2, "paginate": True}}
    return [
        asking("frame", {"menu": menu}, metadata={"frame": True}),
        asking("home", {"items": tagged}, metadata=feed),
        asking("parts", {"items": parts}),
        *(
            asking(
                key,
                {"near": near, "own": tag},
                name=str(tag),
                metadata={"kind": "post", "tag": tag},
                published_at=NOW - timedelta(days=day),
            )
            for key, tag, day in posts
        ),
    ]


POST = st.tuples(
    st.sampled_from(KEYS), st.sampled_from(["a", "b", 1, 1.0, True]), st.integers(-1, 4)
)


@given(st.lists(st.lists(POST, max_size=6, unique_by=lambda post: post[0]), max_size=4))
def test_relations_that_know_earlier_rows_say_what_new_ones_do(
    states: list[list[tuple[str, Any, int]]],
) -> None:
    """Whatever came before, each page shows what its rows say now, 1 and true told apart."""
    kept = Relations()
    for posts in states:
        content = a_snapshot(*site(posts), components=(OPEN,))
        found, wanted = kept.applied(content, NOW).pages, Relations().applied(content, NOW).pages
        assert len(found) == len(wanted)
        assert all(map(PageRow.is_equal, found, wanted))


def test_a_published_post_changes_the_pages_that_list_it() -> None:
    """Those are the very ones; all other pages are the objects that they were."""
    kept = Relations()
    old = site([("p1", "b", 4), ("p2", "b", 3), ("p3", "b", 2)])
    before = {row.key: row for row in kept.applied(a_snapshot(*old, components=(OPEN,)), NOW).pages}
    new = [*old, site([("p4", "a", 1)])[-1]]
    after = kept.applied(a_snapshot(*new, components=(OPEN,)), NOW).pages
    changed = {row.key for row in after if row is not before.get(row.key)}
    assert changed == {"home", "parts", "parts.page-2", "p3", "p4"}


DEEP = functools.reduce(lambda inner, _: [inner], range(5000), list[Any]())


@pytest.mark.parametrize("hostile", [DEEP, [[math.inf, 10**20]]], ids=["deep", "endless"])
def test_a_row_that_no_json_can_say_fails_no_list(hostile: Any) -> None:
    """Whatever one page's metadata hold, the pages that could list it are there."""
    kept = Relations()
    lists = [
        asking("found", {"items": {"$pages": {"where": {"x": 1}, "fields": ["title"]}}}),
        asking("sorted", {"items": {"$pages": {"sort": "metadata.x", "fields": ["title"]}}}),
    ]
    for x in (1, hostile, 1):
        rows = [*lists, a_page("post", metadata={"x": x}, name="Post")]
        content = a_snapshot(*rows, components=(OPEN,))
        pages = {page.key: page for page in kept.applied(content, NOW).pages}
        assert not pages["found"].faults
        assert not pages["sorted"].faults
        wanted = [] if x is hostile else [{"title": "Post"}]
        assert pages["found"].blocks[0].props == {"items": wanted}


ROW = st.tuples(st.sampled_from(KEYS), st.sampled_from("ab"), st.sampled_from(["1", "2", "{{x}}"]))


@given(
    st.lists(st.lists(ROW, max_size=6, unique_by=lambda row: row[0]), max_size=4),
    st.sampled_from(["product", ""]),
)
def test_lists_of_rows_that_know_earlier_ones_say_what_new_ones_do(
    states: list[list[tuple[str, str, str]]], of_template: str
) -> None:
    """With pages of their own or without: each list has the rows as they are now."""
    source = CollectionSource(
        name="goods", view=("goods",), key="slug", route="/{slug}", template_page=of_template
    )
    rows = {"$rows": {"collection": "goods", "where": {"kind": "a"}, "sort": "-price", "limit": 2}}
    pages = [a_page("product", name="{$row.price}", route=""), asking("list", {"items": rows})]
    kept, objects = Relations(), dict[tuple[str, str, str], CollectionRow]()
    for state in states:
        for slug, kind, price in state:
            values: JsonObject = {"slug": slug, "kind": kind, "price": price}
            row = CollectionRow(
                key=slug, values=values, shown=values, digest=f"{slug}{kind}{price}"
            )
            objects.setdefault((slug, kind, price), row)
        held = RowCollection(
            source=source,
            columns=("slug", "kind", "price"),
            rows=tuple(sorted((objects[each] for each in state), key=lambda row: row.key)),
        )
        content = a_snapshot(*pages, components=(OPEN,), collections=(held,))
        assert kept.applied(content, NOW).pages == Relations().applied(content, NOW).pages
    unread = replace(RowCollection(source=source), columns=("slug",))
    content = a_snapshot(*pages, components=(OPEN,), collections=(unread,))
    assert kept.applied(content, NOW).pages == Relations().applied(content, NOW).pages
