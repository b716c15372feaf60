"""What pages take from others: frames, lists of pages, their own data, and further parts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import Assembly, Relations, assemble, next_boundary
from robbieblocks.model import (
    AssembledBlock,
    CollectionRow,
    CollectionSource,
    Json,
    PageRow,
    RowCollection,
    Snapshot,
    order_in_frame,
    order_of_id,
)
from robbieblocks.prerender.page.feeds import feed_files
from tests.pages import node
from tests.unit.rows import LAYOUTS, NOW, a_block, a_component, a_page, a_snapshot

OPEN = a_component("card", {"type": "object"})


def related(
    *pages: PageRow, relations: Relations | None = None, now: datetime = NOW
) -> dict[str, PageRow]:
    content = a_snapshot(*pages, components=(OPEN,))
    return {row.key: row for row in (relations or Relations()).applied(content, now).pages}


def of_app(*pages: PageRow) -> Assembly:
    content = Relations().applied(a_snapshot(*pages, components=(OPEN,)), NOW)
    return assemble(content, "play", layouts=LAYOUTS)


def asking(query: Any, key: str = "list", **fields: Any) -> PageRow:
    return a_page(key, route=f"/{key}/", blocks=(a_block(props={"items": query}),), **fields)


def post(key: str, day: int = 1, **metadata: Any) -> PageRow:
    return a_page(
        key,
        name=key.title(),
        route=f"/{key}/",
        metadata=metadata,
        published_at=NOW - timedelta(days=100 - day),
    )


def items(row: PageRow) -> list[Any]:
    props: Any = row.blocks[0].props
    return list(props["items"])


def listed(query: dict[str, Json], *pages: PageRow, by: str = "list") -> list[str]:
    asks = asking({"$pages": {"fields": ["key"], **query}}, by)
    return [item["key"] for item in items(related(asks, *pages)[by])]


# --- frames ----------------------------------------------------------------------------------


def a_frame(*zones: str, key: str = "frame", **fields: Any) -> PageRow:
    blocks = tuple(a_block(order, zone=zone) for order, zone in enumerate(zones, 1))
    return a_page(key, route="", metadata={"frame": True}, blocks=blocks, **fields)


def test_a_frame_fills_the_zones_that_a_page_leaves_empty() -> None:
    """Its blocks stand on every page of its app, in the zones that have no block of the page's."""
    own = a_page("own", blocks=(a_block(1), a_block(2, zone="footer")))
    pages = related(a_page("home"), own, a_frame("header", "footer"))
    assert pages.keys() == {"home", "own"}
    assert [(b.zone, b.frame, b.own_order) for b in pages["home"].blocks] == [
        ("main", "", 1),
        ("header", "frame", 1),
        ("footer", "frame", 2),
    ]
    assert [(b.zone, b.frame) for b in pages["own"].blocks] == [
        ("main", ""),
        ("footer", ""),
        ("header", "frame"),
    ]


def test_a_frame_is_for_its_app_and_for_who_wants_it() -> None:
    """Pages of other apps take none of its blocks, nor does a page whose `frame` is false."""
    other = a_page("other", app="work")
    without = a_page("without", metadata={"frame": False})
    pages = related(other, without, a_frame("header"))
    assert pages == {"other": other, "without": without}


def test_a_frame_of_shared_is_around_the_pages_of_every_app() -> None:
    """Zone by zone it comes after the app's own frames, in whatever language these are."""
    shared = a_frame("header", "sidebar", "footer", key="a", app="shared")
    german = in_language(a_frame("sidebar", "overlay", key="b", app="shared"), "de")
    own = a_frame("sidebar", key="c")
    pages = related(
        a_page("home"),
        a_page("heim", metadata={"lang": "de-AT"}),
        a_page("other", app="work", metadata={"lang": "de"}),
        a_page("about", app="shared", blocks=(a_block(zone="footer"),)),
        a_page("without", app="work", metadata={"frame": False}),
        *(shared, german, own),
    )
    assert {key: sorted(zones_of(row)) for key, row in pages.items()} == {
        "home": [("footer", "a"), ("header", "a"), ("sidebar", "c")],
        "heim": [("footer", "a"), ("header", "a"), ("overlay", "b"), ("sidebar", "c")],
        "other": [("footer", "a"), ("header", "a"), ("overlay", "b"), ("sidebar", "b")],
        "about": [("header", "a"), ("sidebar", "a")],
        "without": [],
    }
    ids = {block.frame: block.id[:2] for block in pages["heim"].blocks if block.frame}
    assert ids == {"c": "f1", "a": "f2", "b": "f3"}


def test_settings_of_a_frame_of_shared_hold_where_an_apps_own_state_none() -> None:
    """So does its default language, for 404 pages too; its mistake is one of every app's pages."""
    settings: dict[str, Json] = {"referrer": "origin", "languages": {"default": "de"}}
    shared = replace(a_frame(app="shared"), metadata={"frame": True, "settings": settings})
    own = replace(
        a_frame(key="own", app="work"),
        metadata={"frame": True, "settings": {"referrer": "no-referrer"}},
    )
    rows = (a_page("home"), a_page("desk", app="work"), own, shared)
    lost = a_page("lost", app="work", route="", metadata={"not_found": True, "lang": "de"})
    content = Relations().applied(a_snapshot(*rows, lost, components=(OPEN,)), NOW)
    found = {row.key: row for row in content.pages}
    assert [found[key].default_lang for key in ("home", "desk", "lost")] == ["de"] * 3
    assert found["lost"].route == "/home/404.html"
    stated = {app: each.referrer for app, each in content.app_settings.items() if each}
    assert stated == {"play": "origin", "shared": "origin", "work": "no-referrer"}
    assert {frame.key for frame in content.frames} == {"frame", "own"}
    wrong = replace(shared, metadata={"frame": True, "settings": {"referrer": 5}})
    (fault,) = related(a_page("home"), wrong)["home"].faults
    assert (fault.key, fault.pointer) == ("frame", "/settings/referrer")


def test_a_frame_of_shared_that_is_not_due_is_due_in_every_app_at_once() -> None:
    """Each app has the instant at which it becomes due, whatever else is in it."""
    later = a_frame("header", app="shared", published_at=NOW + timedelta(hours=1))
    relations, rows = Relations(), (a_page("home"), a_page("desk", app="work"), later)
    content = relations.applied(a_snapshot(*rows, components=(OPEN,)), NOW)
    assert content.frame_instants == dict.fromkeys(("play", "shared", "work"), later.published_at)
    for at, zones in ((NOW, []), (NOW + timedelta(hours=1), [("header", "frame")])):
        pages = related(*rows, relations=relations, now=at)
        assert [zones_of(row) for row in pages.values()] == [zones, zones]


def test_of_two_frames_for_a_zone_the_first_by_its_key_fills_it() -> None:
    """Each fills what is left; the numbers in their blocks' ids follow their keys."""
    first, second = a_frame("header", key="a"), a_frame("header", "footer", key="b")
    (page,) = of_app(a_page(), second, first).pages
    assert [(b.zone, b.frame, b.id) for b in page.page.blocks] == [
        ("main", "", "b1"),
        ("header", "a", "f1b1"),
        ("footer", "b", "f2b2"),
    ]


def in_language(frame: PageRow, lang: Any, **more: Any) -> PageRow:
    return replace(frame, metadata={"frame": True, "lang": lang, **more})


def zones_of(row: PageRow) -> list[tuple[str, str]]:
    return [(b.zone, b.frame) for b in row.blocks if b.frame]


def test_a_frame_with_a_language_is_around_pages_in_it() -> None:
    """Zone by zone it comes before those without; `de-AT` has that of `de`, if there is none."""
    pages = related(
        a_page("home"),
        a_page("start", metadata={"lang": "de"}),
        a_page("servus", metadata={"lang": "de-AT"}),
        a_page("bonjour", metadata={"lang": "fr"}),
        a_frame("header", "footer", key="a"),
        in_language(a_frame("header", key="b"), "DE"),
        in_language(a_frame("overlay", key="c"), "en"),
    )
    assert zones_of(pages["home"]) == [("header", "a"), ("footer", "a"), ("overlay", "c")]
    assert zones_of(pages["bonjour"]) == [("header", "a"), ("footer", "a")]
    for key in ("start", "servus"):
        assert sorted(zones_of(pages[key])) == [("footer", "a"), ("header", "b")]


def test_a_page_without_a_language_has_the_default_ones_frame() -> None:
    """It is that which a frame without a language states."""
    says = {"frame": True, "settings": {"languages": {"default": "de"}}}
    relations = Relations()
    german = in_language(a_frame("header", key="b"), "de")
    pages = related(a_page("home"), german, relations=relations)
    assert zones_of(pages["home"]) == []
    whole = a_page("a", route="", blocks=(), metadata=says)
    pages = related(a_page("home"), german, whole, relations=relations)
    assert zones_of(pages["home"]) == [("header", "b")]


def test_settings_of_a_frame_with_a_language_are_those_of_its_pages() -> None:
    """Before those of all pages; what can't differ within an app is an error there."""
    texts: dict[str, Any] = {
        "settings": {"consent": {"accept": "Ja"}, "hosts": {"https://b.example": ["images"]}}
    }
    both: dict[str, Any] = {
        "settings": {"consent": {"accept": "Yes"}, "hosts": {"https://a.example": ["images"]}}
    }
    english = a_page("start", metadata={"lang": "de"}), a_page("home")
    frames = (
        replace(a_frame(key="a"), metadata={"frame": True, **both}),
        in_language(a_frame(key="b"), "de", **texts),
    )
    pages = related(*english, *frames)
    assert pages["home"].settings.consent.accept == "Yes"
    assert pages["start"].settings.consent.accept == "Ja"
    assert [host.origin for host in pages["start"].settings.hosts] == [
        "https://a.example",
        "https://b.example",
    ]
    content = Relations().applied(a_snapshot(*english, *frames, components=(OPEN,)), NOW)
    found = content.app_settings["play"]
    assert found is not None
    assert found.consent.accept == "Yes"
    wrong = in_language(a_frame(key="b"), "de", settings={"referrer": "origin"})
    held_back = of_app(*english, wrong).held_back
    assert held_back.keys() == {"start"}
    assert "page b, metadata at /settings/referrer" in str(held_back["start"][0])


def test_a_frame_in_no_language_is_an_error() -> None:
    """It would be around no page; the error says what to write."""
    (problem,) = of_app(a_page(), in_language(a_frame("header"), "de_AT")).held_back["home"]
    assert "page frame, metadata at /lang" in str(problem)
    assert "write de-AT" in problem.remedy


def test_what_is_wrong_with_a_frame_names_the_frame() -> None:
    """Pages that it holds back tell of its block, and not of one of theirs."""
    block = a_block(7, component="none", zone="header")
    frame = replace(a_frame("header"), blocks=(block,))
    assembly = of_app(a_page(), frame)
    assert not assembly.pages
    (problem,) = assembly.held_back["home"]
    assert "block 7 of frame frame" in problem.what
    wrong = replace(frame, blocks=(a_block(7, zone="header", props=5),))
    (problem,) = of_app(a_page(), wrong).held_back["home"]
    assert (problem.page, problem.block) == ("frame", 7)


def test_a_frame_says_when_its_blocks_hydrate() -> None:
    """`metadata.blocks` of the frame holds on each page that takes them."""
    frame = replace(
        a_frame("header"), metadata={"frame": True, "blocks": {"1": {"hydrate": "idle"}}}
    )
    (page,) = of_app(a_page(), frame).pages
    assert [b.hydrate for b in page.page.blocks] == ["load", "idle"]


def test_orders_below_zero_are_a_frames_own() -> None:
    """A frame's block keeps its own order, be it negative or the largest that there is."""
    blocks = tuple(a_block(order, zone="header") for order in (-(2**31), -1, 2**31 - 1))
    (page,) = of_app(a_page(), replace(a_frame(), blocks=blocks)).pages
    orders = [-(2**31), -1, 2**31 - 1]
    assert [b.own_order for b in page.page.blocks if b.frame] == orders
    assert [b.id for b in page.page.blocks if b.frame] == [f"f1b{order}" for order in orders]


# --- lists -----------------------------------------------------------------------------------


def test_a_list_holds_what_pages_tell_of_themselves() -> None:
    """Route, titles and metadata without what says how the page is made; the newest first."""
    about: dict[str, Any] = {
        "kind": "post",
        "image": "/a.png",
        "blocks": {"1": {}},
        "author": {"name": "Ann"},
    }
    one = replace(post("one", 1, **about), meta_title="One {{x|and}} only", meta_description="It")
    row = related(asking({"$pages": {"where": {"kind": "post"}}}), one, post("two", 2))["list"]
    assert items(row) == [
        {
            "key": "one",
            "app": "play",
            "route": "/one/",
            "title": "One and only",
            "lang": "en",
            "description": "It",
            "image": "/a.png",
            "published_at": "2025-08-15T12:00:00+00:00",
            "metadata": {"kind": "post", "image": "/a.png", "author": {"name": "Ann"}},
        }
    ]


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["c", "b", "a"]),
        ({"sort": "key"}, ["a", "b", "c"]),
        ({"sort": "-metadata.rank"}, ["b", "a", "c"]),
        ({"where": {"tag": "x"}, "sort": "key"}, ["a", "b"]),
        ({"where": {"tag": ["x", "z"]}, "sort": "key"}, ["a", "b", "c"]),
        ({"where": {"tag": "x", "rank": 2}}, ["b"]),
        ({"where": {"rank": None}}, ["c"]),
        ({"where": {"rank": True}}, []),
        ({"under": "/a"}, ["a"]),
        ({"limit": 2}, ["c", "b"]),
        ({"limit": 2, "offset": 1}, ["b", "a"]),
        ({"app": "play", "limit": 1}, ["c"]),
    ],
)
def test_a_query_finds_sorts_and_cuts(query: dict[str, Json], keys: list[str]) -> None:
    """By metadata, of which lists have to hold a value, and by routes; null sorts last."""
    pages = (
        post("a", 1, tag=["x", "y"], rank=1),
        post("b", 2, tag="x", rank=2),
        post("c", 3, tag="z"),
    )
    assert listed(query, *pages) == keys


def abroad(row: PageRow, app: str = "work") -> PageRow:
    return replace(row, app=app)


def test_a_list_shows_pages_of_another_app() -> None:
    """As they are there, in that app's default language; no frame and no 404 page is among them."""
    asks = asking({"$pages": {"app": "work", "sort": "key", "fields": ["key", "app", "lang"]}})
    frame = replace(
        abroad(a_frame()),
        metadata={"frame": True, "settings": {"languages": {"default": "de"}}},
    )
    lost = a_page("lost", app="work", metadata={"not_found": True, "lang": "de"})
    later = abroad(post("later", 101))
    pages = related(asks, post("mine"), abroad(post("b")), abroad(post("a")), frame, lost, later)
    told = [(item["key"], item["app"], item["lang"]) for item in items(pages["list"])]
    assert told == [("a", "work", "de"), ("b", "work", "de")]


def test_a_list_of_another_app_has_no_page_that_visitors_dont_find() -> None:
    """Where the node does not show the app at all, it is empty, and a warning names the place."""
    asks = asking({"$pages": {"app": "work", "sort": "key", "fields": ["key"]}})
    content = a_snapshot(asks, abroad(post("a")), abroad(post("b")), components=(OPEN,))
    relations = Relations()
    found = relations.applied(content, NOW, elsewhere=lambda app, rows: {rows[0].key, app})
    assert [item["key"] for item in items(found.pages[0])] == ["b"]
    assert relations.reads.keys() == {"play"}
    found = relations.applied(content, NOW, elsewhere=lambda _app, _rows: None)
    assert items(found.pages[0]) == []
    (page,) = assemble(found, "play", layouts=LAYOUTS).pages
    (warning,) = page.warnings
    assert (warning.page, warning.block, warning.pointer) == ("list", 1, "/items")
    assert "does not show the app work" in warning.what


def test_a_list_of_another_app_stays_while_what_it_shows_is_equal() -> None:
    """A post in the eleventh place, and an edit of what no list has, make no list anew."""
    asks = asking({"$pages": {"app": "work", "limit": 1, "fields": ["key"]}})
    rows = [asks, abroad(post("new", 9)), abroad(post("old", 1))]
    relations = Relations()
    first = related(*rows, relations=relations)["list"]
    rows.append(abroad(post("older", 0)))
    rows[1] = replace(rows[1], blocks=(a_block(props={"more": 1}),))
    assert related(*rows, relations=relations)["list"] is first
    rows.append(abroad(post("newest", 10)))
    assert [item["key"] for item in items(related(*rows, relations=relations)["list"])] == [
        "newest"
    ]


def test_a_page_finds_those_beside_it() -> None:
    """`near` counts from the page that asks, in the order of the list."""
    near = {"$pages": {"near": "next", "sort": "published_at", "fields": ["key"]}}
    pages = [replace(post(key, day), blocks=()) for day, key in enumerate("abc")]
    for at, (key, after) in enumerate([("a", ["b"]), ("b", ["c"]), ("c", [])]):
        asks = replace(pages[at], blocks=(a_block(props={"items": near}),))
        rows = related(*pages[:at], asks, *pages[at + 1 :])
        assert [item["key"] for item in items(rows[key])] == after


def test_related_pages_are_those_with_a_tag_of_ones_own() -> None:
    """`$page` inside a query is the asking page's own field; the page itself is not listed."""
    query = {"$pages": {"where": {"tags": {"$page": "metadata.tags"}}, "fields": ["key"]}}
    asks = asking(query, "mine", metadata={"tags": ["x"]})
    pages = related(asks, post("a", tags=["x", "y"]), post("b", tags=["y"]))
    assert items(pages["mine"]) == [{"key": "a"}]


def test_a_page_that_is_not_due_is_not_listed() -> None:
    """It enters the lists at its instant."""
    later = replace(post("later"), published_at=NOW + timedelta(hours=1))
    asks, relations = asking({"$pages": {"fields": ["key"]}}), Relations()
    assert items(related(asks, later, relations=relations)["list"]) == []
    at = NOW + timedelta(hours=1)
    assert items(related(asks, later, relations=relations, now=at)["list"]) == [{"key": "later"}]


def test_blocks_know_the_page_that_they_stand_on() -> None:
    """`$page` is a field of the page, in a frame of the page that the frame is around."""
    frame = replace(
        a_frame("header"), blocks=(a_block(zone="header", props={"here": {"$page": "route"}}),)
    )
    pages = related(a_page("a", route="/a/"), a_page("b", route="/b/"), frame)
    assert [pages[key].blocks[1].props for key in "ab"] == [{"here": "/a/"}, {"here": "/b/"}]


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ({"$page": "rout"}, "a page has no field"),
        ({"$page": "title.x"}, "a page has no field"),
        ({"$page": 5}, "a page has no field 5"),
        ({"$pages": 5}, "$pages is 5, and not an object"),
        ({"$pages": {"sorted": "key"}}, "no option `sorted`"),
        ({"$pages": {"sort": "rank"}}, "can't be sorted by `rank`"),
        ({"$pages": {"limit": 0}}, "limit is 0"),
        ({"$pages": {"limit": True}}, "limit is true"),
        ({"$pages": {"limit": 10**5}}, "limit is 100000"),
        ({"$pages": {"offset": -1}}, "offset is -1"),
        ({"$pages": {"app": 5}}, "app is 5, and not a text"),
        ({"$pages": {"app": "work", "near": "next"}}, "beside none of the app work"),
        ({"$pages": {"where": []}}, "where is a list"),
        ({"$pages": {"where": {"a": {"b": 1}}}}, "where.a is an object"),
        ({"$pages": {"fields": "key"}}, "fields names what pages don't have"),
        ({"$pages": {"fields": ["price"]}}, "fields names what pages don't have"),
        ({"$pages": {"near": "left"}}, "neither next nor previous"),
        ({"$pages": {"paginate": True, "offset": 1}}, "neither near nor offset"),
        ({"$pages": {"paginate": 1}}, "paginate is 1"),
    ],
)
def test_a_wrong_reference_is_told_with_its_place(reference: Json, told: str) -> None:
    """The page is held back; the error names component, page, block and the place in its props."""
    assembly = of_app(asking(reference), post("a"))
    (problem,) = [p for p in assembly.held_back["list"] if p.pointer.startswith("/items")]
    assert told in problem.what
    assert (problem.entity, problem.key, problem.field) == ("component", "card", "props")
    assert (problem.page, problem.block) == ("list", 1)
    assert problem.remedy
    assert [page.key for page in assembly.pages] == ["a"]


# --- parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("route", "second"),
    [
        ("/blog/", "/blog/page/2/"),
        ("/blog", "/blog/page/2"),
        ("/", "/page/2"),
        ("/b.html", "/b/page/2.html"),
    ],
)
def test_a_list_in_parts_makes_a_page_of_each(route: str, second: str) -> None:
    """The further pages have keys, routes and titles of their own, and know each other."""
    query: Json = {"$pages": {"paginate": True, "limit": 2, "fields": ["key"], "sort": "key"}}
    block = a_block(props={"items": query, "at": {"$page": "pagination"}})
    asks = a_page("blog", route=route, blocks=(block,), name="Blog")
    pages = related(asks, *[post(key) for key in "abc"])
    assert [*pages] == ["a", "b", "blog", "blog.page-2", "c"]
    first, further = pages["blog"], pages["blog.page-2"]
    assert [item["key"] for item in items(first)] == ["a", "b"]
    assert [item["key"] for item in items(further)] == ["c"]
    assert (further.route, further.name, further.part_of) == (second, "Blog (2)", "blog")
    props: Any = further.blocks[0].props
    assert props["at"] == {
        "number": 2,
        "count": 2,
        "previous": route,
        "next": None,
        "routes": [route, second],
    }


def test_a_page_of_no_parts_that_shows_which_part_it_is_is_warned_of() -> None:
    """What its list leaves out would be nowhere. A block of a frame may ask for all pages."""
    block = a_block(props={"items": {"$pages": {"limit": 1}}, "at": {"$page": "pagination"}})
    asks = a_page("blog", route="/blog/", blocks=(block,))
    found = of_app(asks, post("a"), post("b"))
    assert {page.key for page in found.pages} == {"a", "b", "blog"}
    (warning,) = found.problems
    assert (warning.severity, warning.page, warning.block) == ("warning", "blog", 1)
    assert warning.remedy == 'write "paginate": true into its $pages or $rows'
    frame = a_page(
        "frame", route="", metadata={"frame": True}, blocks=(block._replace(zone="footer"),)
    )
    assert of_app(frame, post("a")).problems == ()


def test_an_empty_list_is_one_page() -> None:
    """No pages, no further parts."""
    pages = related(asking({"$pages": {"paginate": True, "where": {"kind": "x"}}}), post("a"))
    assert [*pages] == ["a", "list"]


def test_a_part_takes_no_other_pages_key() -> None:
    """The page with the list is held back, and the other one stays."""
    asks = asking({"$pages": {"paginate": True, "limit": 1}})
    assembly = of_app(asks, post("a"), post("b"), post("list.page-2"))
    assert [*assembly.held_back] == ["list"]
    assert "list.page-2" in assembly.held_back["list"][0].what
    assert [page.key for page in assembly.pages] == ["a", "b", "list.page-2"]


# --- what stays the same ---------------------------------------------------------------------


def test_without_frames_and_references_the_snapshot_is_the_very_one() -> None:
    """A site that uses neither pays nothing."""
    content = a_snapshot(a_page(), post("a"))
    assert Relations().applied(content, NOW) is content


def test_a_page_stays_the_same_object_while_what_it_takes_is_equal() -> None:
    """Publishing a post alters the lists that it enters, and no other row."""
    relations = Relations()
    lists = [asking({"$pages": {"where": {"tag": tag}}}, key=f"list-{tag}") for tag in ("x", "y")]
    plain, frame = a_page("plain"), a_frame("header")
    pages = [*lists, plain, frame, post("a", tag="x"), post("b", tag="y")]
    before = related(*pages, relations=relations)
    assert related(*pages, relations=relations) == before
    after = related(*pages, post("c", tag="x"), relations=relations)
    changed = {key for key in after if after[key] is not before.get(key)}
    assert changed == {"list-x", "c"}
    edited = replace(pages[4], blocks=(a_block(props={"more": 1}),))
    again = related(*pages[:4], edited, *pages[5:], post("c", tag="x"), relations=relations)
    assert {key for key in again if again[key] is not after[key]} == {"a"}


REFERENCES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["$page", "$pages", "where", "sort", "limit", "fields", "near", "paginate", "a"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(REFERENCES, REFERENCES, st.sampled_from([True, False, None, 5]))
def test_whatever_rows_hold_becomes_pages_or_problems(
    props: Json, metadata: Json, frame: Json
) -> None:
    """No value of props or metadata stops the other pages of its app."""
    odd = a_page("odd", metadata=metadata, blocks=(a_block(props=props),))
    framing = a_page(
        "framing", metadata={"frame": frame}, blocks=(a_block(zone="header", props=props),)
    )
    without = a_page("fine", metadata={"frame": False})
    assembly = of_app(odd, framing, without)
    assert "fine" in {page.key for page in assembly.pages}


def test_deep_props_are_left_to_who_checks_them() -> None:
    """Nesting beyond what props may have is no reference, and no endless walk."""
    deep: Json = {"$page": "route"}
    for _ in range(5_000):
        deep = [deep]
    assembly = of_app(asking(deep), post("a"))
    assert [*assembly.held_back] == ["list"]
    content: Snapshot = a_snapshot(asking(deep), components=(OPEN,))
    assert Relations().applied(content, NOW).pages


# --- feeds -----------------------------------------------------------------------------------


def test_a_feed_is_a_list_of_its_own() -> None:
    """It is of the page, and of none of its further parts."""
    asks = asking(
        {"$pages": {"paginate": True, "limit": 1}},
        metadata={"feed": {"where": {"kind": "post"}, "title": "News", "forms": ["json", "atom"]}},
    )
    pages = related(asks, post("a", 1, kind="post"), post("b", 2, kind="post"), post("c"))
    feed = pages["list"].feed
    assert feed is not None
    assert (feed.title, feed.forms) == ("News", ("atom", "json"))
    assert [item.route for item in feed.items] == ["/b/", "/a/"]
    assert pages["list.page-2"].feed is None
    (prepared,) = [page for page in of_app(asks, post("a")).pages if page.key == "list"]
    assert prepared.page.feed is not None


@pytest.mark.parametrize(
    ("setting", "pointer"),
    [
        (True, "/feed"),
        ({"title": 5}, "/feed/title"),
        ({"forms": ["html"]}, "/feed/forms"),
        ({"forms": []}, "/feed/forms"),
        ({"paginate": True}, "/feed/paginate"),
        ({"limit": 0}, "/feed/limit"),
        ({"where": {"a": {"$page": "route"}}}, "/feed/where"),
    ],
)
def test_a_wrong_feed_is_told_with_its_place(setting: Json, pointer: str) -> None:
    """The page is held back; the error names the place in its metadata."""
    assembly = of_app(a_page("list", metadata={"feed": setting}), post("a"))
    (problem,) = assembly.held_back["list"]
    assert (problem.key, problem.field, problem.pointer) == ("list", "metadata", pointer)
    assert problem.remedy


def test_two_feeds_have_two_places() -> None:
    """Each of two that want one is told, and one that wants a page's; none is silently lost."""
    first, second = (
        a_page(key, route=f"/news/{key}.html", metadata={"feed": {"forms": ["rss"]}})
        for key in ("first", "second")
    )
    third = asking({"$pages": {}}, "third", metadata={"feed": {}})
    later = NOW + timedelta(hours=1)
    page = a_page("page", route="/third/atom.xml", published_at=later)
    before = related(first, second, third, page)
    assert not before["first"].faults
    (wrong,) = before["second"].faults
    assert "/news/rss.xml, where the feed of page first is" in wrong.what
    assert (wrong.field, wrong.pointer) == ("metadata", "/feed")
    assert not before["third"].faults
    (wrong,) = related(third, page, now=later)["third"].faults
    assert "/third/atom.xml, where the page page is" in wrong.what


@pytest.mark.parametrize(
    ("image", "told"),
    [
        ("/a b.png?v=1", "https://x.example/a%20b.png?v=1"),
        ("/a%20b.png", "https://x.example/a%20b.png"),
        ("https://cdn.example/a.png", "https://cdn.example/a.png"),
        ("media:cat", None),
        ("javascript:1", None),
    ],
)
def test_a_feed_has_pictures_with_an_address(image: str, told: str | None) -> None:
    """A key of media that has got none is left out."""
    asks = a_page("list", metadata={"feed": {"forms": ["json"]}})
    (page,) = [
        each.page for each in of_app(asks, post("a", image=image)).pages if each.key == "list"
    ]
    (body,) = feed_files(page, node(base_url="https://x.example")).values()
    (item,) = json.loads(body)["items"]
    assert item.get("image") == told


def test_what_is_no_boolean_makes_no_frame() -> None:
    """Its error says so, beside that of the route, which a frame need not have."""
    problems = of_app(a_page("menu", route="", metadata={"frame": "yes"})).held_back["menu"]
    assert "/frame" in [problem.pointer for problem in problems]


@pytest.mark.parametrize("order", [-1, 0, 7, order_in_frame(3, 7), order_in_frame(1, -2)])
def test_the_id_of_a_block_tells_its_order(order: int) -> None:
    """What reads a page's HTML finds the block in its row, be it a frame's."""
    row = a_block(order)
    assert order_of_id(row.id) == order
    assert order_of_id(row.id) == order_of_id(AssembledBlock(order, "main", "card", {}, "{}").id)


def test_numbers_are_equal_as_in_json() -> None:
    """A TOML file says 10.0 where a row says 10; true is no number."""
    pages = post("whole", price=10), post("float", price=10.0), post("true", price=True)
    assert listed({"where": {"price": 10.0}, "sort": "key"}, *pages) == ["float", "whole"]
    assert listed({"where": {"price": True}}, *pages) == ["true"]


# --- bounds, and what is not due --------------------------------------------------------------


BOUNDS: list[tuple[Json, str]] = [
    ([{"$pages": {"sort": f"metadata.s{n}"}} for n in range(3_000)], "more than 100 lists"),
    ([{"$pages": {}}] * 101, "more than 100 lists"),
    ([{"$pages": {"limit": 1000}}] * 20, "more than 10,000 pages in all"),
    (
        [
            {"$pages": {"limit": 1, "paginate": True, "where": {"n": [*range(900)]}}},
            {"$pages": {"limit": 1000}},
        ],
        "lists of its 900 parts have more than 200,000 pages",
    ),
]


@pytest.mark.parametrize(("props", "told"), BOUNDS)
def test_what_lists_hold_is_bounded(props: Json, told: str) -> None:
    """A row of some kilobytes can't take the worker's memory; its problem says which bound."""
    pages = [post(f"p{number:04}", number % 90, n=number) for number in range(1_000)]
    rows = related(asking(props), *pages)
    (fault,) = rows["list"].faults
    assert told in fault.what
    assert len(rows) == 1_001


def test_lists_of_the_same_fields_share_what_they_say() -> None:
    """A list of a frame is on thousands of pages, and in memory once."""
    frame = replace(a_frame("footer"), blocks=(a_block(zone="footer", props={"$pages": {}}),))
    pages = related(frame, a_page("one"), a_page("two"), post("post"))
    of_one, of_two = (pages[key].blocks[-1].props for key in ("one", "two"))
    assert isinstance(of_one, list)
    assert isinstance(of_two, list)
    assert {id(item) for item in of_one} & {id(item) for item in of_two}


def test_a_frames_list_has_no_parts() -> None:
    """Else each page of the app would be made once for each part."""
    query: Json = {"$pages": {"limit": 1, "paginate": True}}
    frame = replace(a_frame("footer"), blocks=(a_block(zone="footer", props=query),))
    pages = related(frame, post("one"), post("two"))
    assert pages.keys() == {"one", "two"}
    (fault,) = pages["one"].faults
    assert (fault.page, fault.what) == ("frame", "a frame's list has paginate")


def test_a_frame_that_is_not_due_stands_around_no_page() -> None:
    """It does so from its instant on, at which the app is looked at again."""
    later = NOW + timedelta(hours=1)
    frame, page = a_frame("header", published_at=later), a_page("home")
    relations, content = Relations(), a_snapshot(frame, page, components=(OPEN,))
    before = relations.applied(content, NOW)
    assert before.pages == (page,)
    assert before.frame_instants == {"play": later}
    assembly = assemble(before, "play", layouts=LAYOUTS)
    assert next_boundary(assembly.pages, NOW, before.frame_instants["play"]) == later
    after = relations.applied(content, later)
    assert [block.frame for block in after.pages[0].blocks] == ["", "frame"]
    assert after.frame_instants == {}


def test_a_part_takes_no_key_of_a_page_that_is_not_due() -> None:
    """A process that knows the list already says so, too, and not once the page is gone."""
    asks = asking({"$pages": {"limit": 1, "paginate": True}})
    rows, relations = (asks, post("one"), post("two")), Relations()
    later = a_page("list.page-2", published_at=NOW + timedelta(hours=1))
    assert not related(*rows, relations=relations)["list"].faults
    assert related(*rows, later, relations=relations)["list"].faults
    assert not related(*rows, relations=relations)["list"].faults


def test_neighbours_are_found_from_any_place() -> None:
    """`near` takes `limit` of each side after leaving out `offset`."""
    posts = [post(key, day) for day, key in enumerate("abcdef")]
    rows = [
        replace(
            row,
            blocks=(
                a_block(
                    props={
                        "items": [
                            {"$pages": {"near": side, "limit": 2, "offset": 1, "fields": ["key"]}}
                            for side in ("previous", "next")
                        ]
                    }
                ),
            ),
        )
        for row in posts
    ]
    found = {
        key: [[item["key"] for item in side] for side in items(row)]
        for key, row in related(*rows).items()
    }
    assert found["a"] == [["c", "d"], []]
    assert found["d"] == [["f"], ["b", "a"]]
    assert found["f"] == [[], ["d", "c"]]


def _nested(levels: int) -> Json:
    value: Json = 1
    for _ in range(levels):
        value = {"k": value}
    return value


@pytest.mark.parametrize(
    ("value", "own"),
    [
        (_nested(60), ""),
        (_nested(70), "nest deeper"),
        (_nested(5_000), "nest deeper"),
        (12345678901234567890, "beyond what a browser"),
        (float("inf"), "not finite"),
        ({"__proto__": 1}, "__proto__"),
        ("x" * 1_100_000, "1,048,576"),
        ("\ud800", "surrogate"),
    ],
    ids=[
        "deep",
        "too deep",
        "far too deep",
        "number",
        "infinity",
        "prototype",
        "size",
        "surrogate",
    ],
)
def test_metadata_that_no_props_hold_fails_no_other_page(value: Any, own: str) -> None:
    """A list shows the page without it, and the page beside it whole; what is wrong is told of the
    page whose row it is."""
    odd = post("odd", metadata_value=value, kind="post")
    beside = post("beside", kind="post")
    lists = [
        asking({"$pages": {"where": {"kind": "post"}, "sort": "title"}}, "all"),
        asking({"$pages": {"sort": "metadata.metadata_value", "fields": ["key"]}}, "sorted"),
    ]
    pages_ = {row.key: row for row in Relations().applied(_content(odd, beside, *lists), NOW).pages}
    assert [each["metadata"] for each in items(pages_["all"])] == [
        {"kind": "post"},
        {"kind": "post"},
    ]
    assembly = of_app(odd, beside, *lists)
    assert {"all", "sorted", "beside"} <= {page.key for page in assembly.pages}
    assert ("odd" in assembly.held_back) == bool(own)
    assert own in "".join(map(str, assembly.held_back.get("odd", ())))


def _content(*pages: PageRow, **more: Any) -> Snapshot:
    return a_snapshot(*pages, components=(OPEN,), **more)


# --- whose a wrong value is ------------------------------------------------------------------

_NUMBER: Json = {"type": "number"}
_DIGITS = "1" + "0" * 400
_GOODS = CollectionSource(
    name="goods", view=("goods",), key="slug", route="/goods/{slug}/", template_page="product"
)


def _schema(of_items: dict[str, Json]) -> Json:
    items: Json = {"items": {"properties": of_items}}
    return {"properties": {"items": items, "one": {"type": "number"}}}


def _strict(*pages: PageRow, **of_items: Json) -> dict[str, list[str]]:
    """Where the errors of the pages are that are held back, by key, against a schema."""
    goods = RowCollection(
        source=_GOODS,
        columns=("slug", "price", "text"),
        rows=tuple(
            [
                CollectionRow(key=key, values=values, shown=values, digest=key)
                for key, price in (("a", 1), ("b", _DIGITS))
                for values in [{"slug": key, "price": price, "text": key}]
            ]
        ),
    )
    template = a_page(
        "product",
        route="",
        blocks=(a_block(props={"one": {"$row": "price"}}),),
        metadata={"frame": False},
    )
    content = a_snapshot(*(*pages, template), components=(a_component("card", _schema(of_items)),))
    content = Relations().applied(replace(content, collections=(goods,)), NOW)
    found = assemble(content, "play", layouts=LAYOUTS)
    return {key: [each.where for each in told] for key, told in found.held_back.items()}


_OF_ROW = "collection goods/b, on page product--b, block 1, price"


@pytest.mark.parametrize(
    ("pages_", "of_items", "told"),
    [
        (
            [
                asking({"$pages": {"fields": ["metadata.price"]}}),
                post("good", price=5),
                post("bad", price=_DIGITS),
                post("worse", price={"a/b": 1}),
                post("none"),
            ],
            {"price": {"type": ["number", "null"]}},
            [
                "page bad, on page list, block 1, metadata at /price",
                "page worse, on page list, block 1, metadata at /price",
            ],
        ),
        (
            [
                asking({"$pages": {"where": {"kind": "post"}}}),
                post("bad", kind="post", size={"wide": _DIGITS}),
            ],
            {"metadata": {"properties": {"size": {"properties": {"wide": _NUMBER}}}}},
            ["page bad, on page list, block 1, metadata at /size/wide"],
        ),
        (
            [
                asking({"$pages": {"where": {"kind": "post"}}}),
                replace(post("tall", kind="post"), name="far too long"),
            ],
            {"title": {"maxLength": 5}},
            ["page tall, on page list, block 1, meta_title"],
        ),
        (
            [asking({"$rows": {"collection": "goods"}})],
            {"price": _NUMBER},
            ["collection goods/b, on page list, block 1, price"],
        ),
        (
            [
                a_page(
                    "list",
                    route="/list/",
                    blocks=(a_block(props={"one": {"$page": "metadata.price"}}),),
                    metadata={"price": _DIGITS},
                )
            ],
            {},
            ["page list, block 1, metadata at /price"],
        ),
        (
            [
                replace(
                    a_frame("header"),
                    blocks=(a_block(7, zone="header", props={"one": {"$page": "metadata.price"}}),),
                ),
                a_page("list", route="/list/", metadata={"price": _DIGITS}),
            ],
            {},
            ["page list, on page frame, block 7, metadata at /price"],
        ),
        (
            [
                asking({"$page": "translations"}),
                a_page(
                    "german",
                    name="viel zu lang",
                    route="/de/",
                    metadata={"lang": "de", "translation_of": "list"},
                ),
            ],
            {"title": {"maxLength": 5}},
            ["page german, on page list, block 1, meta_title"],
        ),
        # The list itself is wrong, not what is in it.
        (
            [a_page("list", route="/list/", blocks=(a_block(props={"one": {"$pages": {}}}),))],
            {},
            ["component card, on page list, block 1, props at /one"],
        ),
    ],
    ids=["pages", "inside", "title", "rows", "own", "frame", "translation", "list"],
)
def test_a_value_that_does_not_fit_is_told_of_the_row_that_holds_it(
    pages_: list[PageRow], of_items: dict[str, Json], told: list[str]
) -> None:
    """A list, a frame or a made page is held back, and the error names page or row, and column."""
    found = _strict(*pages_, **of_items)
    assert found.pop("product--b") == [_OF_ROW]
    assert found == {"list": told}


def test_a_row_that_says_the_same_as_another_is_not_taken_for_it() -> None:
    """A wrong value that moves to another page is that page's, though the list shows the same."""
    kept, told = Relations(), []
    components = (a_component("card", _schema({"price": _NUMBER})),)
    for one, other in (("no", 1), (1, "no")):
        prices = {"a": one, "b": other}
        pages_ = [replace(post(key, price=price), name="x") for key, price in prices.items()]
        pages_[0 if one == "no" else 1] = replace(
            pages_[0 if one == "no" else 1], published_at=NOW - timedelta(days=1)
        )
        ask = asking({"$pages": {"fields": ["metadata.price"], "sort": "published_at"}})
        content = kept.applied(a_snapshot(ask, *pages_, components=components), NOW)
        (problem,) = assemble(content, "play", layouts=LAYOUTS).held_back["list"]
        told.append(problem.key)
    assert told == ["a", "b"]


def test_of_too_large_props_the_largest_row_is_named() -> None:
    """One that takes half of what is allowed is at fault; among many small ones it is the list,
    which says how much the largest takes, and what to state."""
    long = a_page("long", name="x" * 600_000, route="/long/")
    short = [a_page(f"p{n}", name="y" * 8_000, route=f"/p{n}/") for n in range(80)]
    told = of_app(asking({"$pages": {"sort": "key"}}), long, *short).held_back
    (problem,) = told["list"]
    assert problem.where == "page long, on page list, block 1, meta_title"
    assert "600," in problem.what
    assert "1,048,576" in problem.what
    assert "`fields`" in problem.remedy
    many = [a_page(f"p{n}", name="y" * 16_000, route=f"/p{n}/") for n in range(80)]
    (problem,) = of_app(asking({"$pages": {}}), *many).held_back["list"]
    assert problem.where == "component card, on page list, block 1, props"
    assert "of page p" in problem.what
    assert "`fields`" in problem.remedy


def test_lists_leave_out_what_fills_them() -> None:
    """Of a page whose metadata take too much the largest value, and each list warns of that page;
    an edit of the page tells it to lists that are kept."""
    kept = Relations()
    beside = [post("beside", kind="post"), asking({"$pages": {"where": {"kind": "post"}}})]

    def shown(size: int) -> PageRow:
        odd = post("odd", kind="post", story="x" * size)
        found = related(odd, *beside, relations=kept)["list"]
        assert found == related(odd, *beside)["list"]
        return found

    assert [each["metadata"].keys() for each in items(shown(100))][1] == {"kind", "story"}
    wide = shown(200_000)
    assert [each["metadata"] for each in items(wide)] == [{"kind": "post"}] * 2
    (warning,) = wide.faults
    assert (warning.where, warning.severity) == ("page odd, metadata at /story", "warning")
    assert "list" in {page.key for page in of_app(post("odd", story="x" * 200_000), *beside).pages}
    assert shown(100).faults == ()
