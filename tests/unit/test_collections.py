"""Pages that are made of rows, and lists of rows, as values: no database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from robbieblocks.assemble import Relations, assemble
from robbieblocks.assemble.placeholders import PLACEHOLDER, resolved_object
from robbieblocks.assemble.relations.page_data import title_of
from robbieblocks.errors import Problem
from robbieblocks.model import (
    CollectionRow,
    CollectionSource,
    PageRow,
    RowCollection,
    Snapshot,
    doubled,
    made_key,
    template_of,
)
from tests.unit.rows import LAYOUTS, NOW, a_block, a_component, a_page, a_snapshot

OPEN = a_component("card", {"type": "object"})
SOURCE = CollectionSource(
    name="products",
    view=("products",),
    key="slug",
    route="/p/{category}/{slug}",
    template_page="product",
)

DATA = CollectionSource(name="products", view=("products",), key="slug")


def a_row(key: str, **values: Any) -> CollectionRow:
    values = {"slug": key, "category": "mugs", "title": key.title(), **values}
    said: Any = doubled(values)
    return CollectionRow(key=key, values=values, shown=said, digest=repr(values))


def rows(*found: CollectionRow, source: CollectionSource = SOURCE, **more: Any) -> RowCollection:
    columns = tuple(found[0].values) if found else (source.key,)
    return RowCollection(source=source, columns=columns, rows=found, **more)


def template(**fields: Any) -> PageRow:
    fields = {"name": "{$row.title}", "route": "", **fields}
    return a_page("product", **fields)


def content(*pages: PageRow, of: RowCollection) -> Snapshot:
    return a_snapshot(*pages, components=(OPEN,), collections=(of,))


def shown(
    *pages: PageRow, of: RowCollection, relations: Relations | None = None
) -> dict[str, PageRow]:
    found = (relations or Relations()).applied(content(*pages, of=of), NOW)
    return {page.key: page for page in found.pages}


def props(page: PageRow) -> Any:
    return page.blocks[0].props


def test_without_collections_nothing_is_made() -> None:
    """The snapshot is the very object that was given."""
    given = a_snapshot(a_page())
    assert Relations().applied(given, NOW) is given


def test_a_row_fills_the_template() -> None:
    """Values keep their types in props and metadata, and become text in titles."""
    block = a_block(props={"a": {"$row": "more"}, "b": [{"$row": "title"}], "c": 1})
    metadata = {"x": {"$row": "n"}, "y": "{$row.n}: {$row.title}"}
    pages = shown(
        template(blocks=(block,), metadata=metadata, modified="2025-01-01"),
        a_page("other"),
        of=rows(a_row("mug", n=1.5, more={"$pages": {}})),
    )
    assert pages.keys() == {"other", "product--mug"}
    mug = pages["product--mug"]
    assert (mug.name, mug.route, mug.modified) == ("Mug", "/p/mugs/mug", "")
    assert props(mug) == {"a": {"$pages": {}}, "b": ["Mug"], "c": 1}
    assert mug.metadata == {"x": 1.5, "y": "1.5: Mug"}


def test_the_page_of_an_unchanged_row_is_the_same_object() -> None:
    """Of two rows of which one changed, only its page is made again."""
    relations, page = Relations(), template(blocks=(a_block(props={"a": {"$row": "title"}}),))
    mug, pot = a_row("mug"), a_row("pot")
    before = shown(page, of=rows(mug, pot), relations=relations)
    after = shown(page, of=rows(mug, a_row("pot", title="New")), relations=relations)
    assert after["product--mug"] is before["product--mug"]
    assert props(after["product--pot"]) == {"a": "New"}


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"k": value}
    return value


@pytest.mark.parametrize(
    ("metadata", "where"),
    [
        ({"lang": {"$row": "word"}}, "collection products/mug, word"),
        ({"og_image": "media:{$row.word}"}, "collection products/mug, word"),
        ({"head": {"$row": "deep"}}, "collection products/mug, deep at /links/0/rel"),
        ({"feed": {"$row": "word"}}, "collection products/mug, word"),
        # Two columns make the value, and none.
        ({"og_image": "media:{$row.slug}-{$row.word}"}, "page product--mug, metadata at /og_image"),
        (
            {"og_image": "media:none", "a": "{$row.word}"},
            "page product--mug, metadata at /og_image",
        ),
        ({"og_image": "media:none"}, "page product, metadata at /og_image"),
    ],
)
def test_a_wrong_value_of_a_made_page_names_the_row_s_column(
    metadata: dict[str, Any], where: str
) -> None:
    """Where the template names one column there; else the made page, or the template."""
    row = a_row("mug", word="no such", deep={"links": [{"rel": "evil", "href": "/x"}]})
    found = assemble(
        Relations().applied(content(template(metadata=metadata), of=rows(row)), NOW),
        "play",
        layouts=LAYOUTS,
    )
    (problem,) = found.held_back["product--mug"]
    assert problem.where == where


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (a_row("mug", category=None), "category"),
        (a_row("mug", category=""), "category"),
        (a_row("mug", category="a/b"), "category"),
        (a_row("mug", category=".."), "category"),
        (a_row("mug", category="%2e"), "category"),
        (a_row("mug", category=["a"]), "category"),
        (a_row("mug", category=True), "category"),
        (a_row("mug", category="x" * 300), "category"),
        (a_row("mug", more={"__proto__": 1}), "more"),
        (a_row("mug", more=nested(57)), "more"),
        (a_row("mug", more=nested(200)), "more"),
        (a_row("mug", more="\0"), "more"),
        (a_row("Mug"), "slug"),
        (a_row("../mug"), "slug"),
        (a_row("a--b"), "slug"),
        (a_row(""), "slug"),
    ],
)
def test_a_bad_row_names_itself_and_its_column(row: CollectionRow, column: str) -> None:
    """One problem, and the pages of other rows are made."""
    found = assemble(
        Relations().applied(content(template(), of=rows(row, a_row("pot"))), NOW),
        "play",
        layouts=LAYOUTS,
    )
    assert [page.key for page in found.pages] == ["product--pot"]
    (problem,) = found.problems
    assert (problem.entity, problem.field) == ("collection", column)
    assert problem.key.startswith("products/")
    assert problem.remedy


def test_many_rows_without_a_key_are_counted() -> None:
    """The first are named, so that a broken view does not fill the log."""
    bad = [a_row("A" * n) for n in range(1, 200)]
    (page,) = shown(template(), of=rows(*bad)).values()
    assert page.key == made_key("product", "")
    *named, count = page.faults
    assert 0 < len(named) < 20
    assert "199 rows" in count.what


_FAULT = Problem(entity="collection", key="products", what="gone")


@pytest.mark.parametrize("ask", [{"$pages": {}}, {"$rows": {"collection": "products"}}])
def test_what_can_not_be_read_holds_back_what_lists_it(ask: Any) -> None:
    """Pages of the app that list its pages or rows, with its problem, and no others."""
    relations = Relations()
    block = (a_block(props={"items": ask}),)
    pages = (
        template(),
        a_page("other"),
        a_page("list", blocks=block),
        a_page("far", app="work", blocks=(a_block(props={"items": {"$pages": {}}}),)),
        a_page("feed", metadata={"feed": {"forms": ["atom"]}}),
    )
    for _ in range(2):
        assert not shown(*pages, of=rows(), relations=relations)["list"].faults
        found = shown(*pages, of=rows(fault=_FAULT), relations=relations)
        held = {key for key, page in found.items() if page.faults == (_FAULT,)}
        assert held == {made_key("product", ""), "list", "feed"}
        assert not found["other"].faults + found["far"].faults


def test_translations_that_can_not_be_read_hold_back_their_app() -> None:
    """Any page may have one among them, which its head names."""
    made = template(metadata={"translation_of": "other", "lang": "de"})
    found = shown(made, a_page("other"), a_page("far", app="work"), of=rows(fault=_FAULT))
    assert found["other"].faults == (_FAULT,)
    assert not found["far"].faults


def test_a_template_that_is_no_page_is_told_in_each_app() -> None:
    """Nobody knows in which one its pages are; those that list pages wait."""
    block = (a_block(props={"items": {"$pages": {}}}),)
    found = shown(a_page("other"), a_page("list", blocks=block), of=rows(fault=_FAULT))
    assert found[made_key("", "")].faults == found["list"].faults == (_FAULT,)
    assert not found["other"].faults
    # It is there, and drafted or of an app that the node does not carry.
    assert shown(a_page("other"), of=rows(a_row("mug"))).keys() == {"other"}


def test_a_template_that_is_a_frame_is_refused() -> None:
    """It would stand around every page, once for each row."""
    (page,) = shown(template(metadata={"frame": True}), of=rows(a_row("mug"))).values()
    assert page.faults[0].pointer == "/frame"


def listed(query: Any, *found: CollectionRow, at: str = "list") -> list[Any]:
    block = a_block(props={"items": {"$rows": {"collection": "products", **query}}})
    asks = a_page("list", blocks=(block,))
    pages = shown(asks, template(blocks=(block,)), of=rows(*found))
    assert not pages[at].faults
    return list(props(pages[at])["items"])


def test_rows_are_listed_as_pages_are() -> None:
    """By columns: which, in which order, how many, and what of each."""
    found = (a_row("a", n=2), a_row("b", n=10), a_row("c", n=None, category="pots"))
    query = {"sort": "-n", "fields": ["slug", "route"]}
    assert listed({**query, "limit": 2}, *found) == [
        {"slug": "b", "route": "/p/mugs/b"},
        {"slug": "a", "route": "/p/mugs/a"},
    ]
    assert listed({"where": {"category": "pots"}, "fields": ["slug"]}, *found) == [{"slug": "c"}]
    same = {"where": {"category": {"$row": "category"}}, "fields": ["slug"]}
    assert listed(same, *found, at="product--a") == [{"slug": "b"}]
    near = {"near": "next", "sort": "slug", "fields": ["slug"]}
    assert listed(near, *found, at="product--a") == [{"slug": "b"}]
    assert listed({"limit": 1}, *found)[0].keys() == {*found[0].values, "route"}


def test_rows_are_listed_in_other_apps_than_that_of_their_pages() -> None:
    """With the routes of their pages, by a frame of `shared` too; those that visitors don't find
    are in no list, and where the node does not show the app, a warning says what to do.
    """
    query = {"$rows": {"collection": "products", "sort": "slug", "fields": ["slug", "route"]}}
    frame = a_page(
        "menu",
        app="shared",
        route="",
        metadata={"frame": True},
        blocks=(a_block(zone="header", props={"items": query}),),
    )
    pages = (a_page("desk", app="work"), a_page("home"), frame, template())
    given = content(*pages, of=rows(a_row("a"), a_row("b")))
    relations = Relations()

    def listed_at(key: str) -> list[Any]:
        (page,) = [page for page in found.pages if page.key == key]
        assert not [fault for fault in page.faults if fault.severity == "error"]
        props = page.blocks[-1].props
        assert isinstance(props, dict)
        items = props["items"]
        assert isinstance(items, list)
        return items

    found = relations.applied(given, NOW)
    both = [{"slug": slug, "route": f"/p/mugs/{slug}"} for slug in ("a", "b")]
    assert listed_at("desk") == listed_at("home") == both
    assert {app: {*reads} for app, reads in relations.reads.items()} == {"work": {"play"}}
    found = relations.applied(given, NOW, (), lambda _app, _rows: {"product--a"})
    assert (listed_at("desk"), listed_at("home")) == (both[1:], both)
    found = relations.applied(given, NOW, (), lambda _app, _rows: None)
    assert (listed_at("desk"), listed_at("home")) == ([], both)
    (warning,) = next(page.faults for page in found.pages if page.key == "desk")
    assert "does not show the app play" in warning.what
    assert "without template_page" in warning.remedy


def test_rows_are_not_listed_before_their_pages_are_due() -> None:
    """Their links would lead nowhere until then."""
    query = {"$rows": {"collection": "products", "fields": ["slug"]}}
    asks = a_page("list", blocks=(a_block(props={"items": query}),))
    later = template(published_at=NOW + timedelta(days=1))
    relations, given = Relations(), content(asks, later, of=rows(a_row("a")))
    for days, slugs in ((0, []), (1, [{"slug": "a"}])):
        made = relations.applied(given, NOW + timedelta(days=days))
        assert props(made.pages[0])["items"] == slugs


@pytest.mark.parametrize("source", [SOURCE, DATA], ids=["pages", "data"])
def test_lists_leave_out_a_row_that_no_page_can_show(source: CollectionSource) -> None:
    """Its problem is the row's, told as soon as it is there and no longer; lists show the others,
    whether all is looked at or what differs."""
    query = {"$rows": {"collection": "products", "fields": ["slug"], "sort": "slug"}}
    asks = a_page("list", blocks=(a_block(props={"items": query}),))
    relations = Relations()
    mug, pot, pan = a_row("mug"), a_row("pot"), a_row("pan", more={"a": [{"__proto__": 1}]})
    large = replace(a_row("pot"), values={}, fault=_FAULT)
    for found, slugs, wrong in [
        ((mug, pot), ["mug", "pot"], ()),
        ((mug, pan, pot), ["mug", "pot"], ("products/pan",)),
        ((pan, pot), ["pot"], ("products/pan",)),
        ((pan, large), [], ("products/pan", "products")),
        ((mug, large), ["mug"], ("products",)),
        ((mug, pot), ["mug", "pot"], ()),
    ]:
        pages = (asks, template()) if source is SOURCE else (asks,)
        snapshot = content(*pages, of=rows(*found, source=source))
        for each in (relations, Relations()):
            made = assemble(each.applied(snapshot, NOW), "play", layouts=LAYOUTS)
            (page,) = [page for page in made.pages if page.key == "list"]
            assert props(page.row)["items"] == [{"slug": slug} for slug in slugs]
            assert {problem.key for problem in made.problems} == set(wrong)
            assert all(key.startswith("product--") for key in made.held_back)
            if "products/pan" in wrong:
                (told,) = [each for each in made.problems if each.key == "products/pan"]
                assert (told.field, told.pointer) == ("more", "/a/0/__proto__")
                assert told.severity == ("warning" if source is DATA else "error")


@pytest.mark.parametrize(
    "asked",
    [
        {"$rows": {"collection": "product"}},
        {"$rows": 5},
        {"$rows": {"collection": "products", "sort": "nothing"}},
        {"$rows": {"collection": "products", "where": {"nothing": 1}}},
        {"$rows": {"collection": "products", "fields": ["nothing"]}},
        {"$rows": {"collection": "products", "other": 1}},
        {"$row": "title"},
    ],
)
def test_a_wrong_query_names_its_place(asked: Any) -> None:
    """With a remedy; a page that is made of no row has none to show."""
    asks = a_page("list", blocks=(a_block(props={"items": asked}),))
    (problem,) = shown(asks, template(), of=rows(a_row("mug")))["list"].faults
    assert problem.pointer.startswith("/items")
    assert problem.remedy


def test_the_key_of_a_made_page_is_no_rows() -> None:
    """Two dashes are in no page_key, so it can't be mistaken for one."""
    assert template_of(made_key("product", "blue-mug")) == "product"
    assert template_of("product-blue") == ""


@pytest.mark.parametrize(
    ("title", "text", "shown_as"),
    [
        ("{$row.a}", "{{x|y}}", "{{x|y}}"),
        ("{$row.a}", "{{{{x}}", "{{{{x}}"),
        ("{$row.a}", "{{{x}}}", "{{{x}}}"),
        ("{{$row.a}}", "{x}", "{{x}}"),
        ("{{{$row.a}}}", "x", "{{x}}"),
        ("{{ {$row.a} }}", "x", "{{ x }}"),
        ("{$row.b}{$row.a}", "{x}}", "{{x}}"),
        ("{$row.b}{{{{{$row.a}", "{x}}", "{{{{x}}"),
        ("{{x|Hi}} {$row.a}", "{{x|y}}", "Hi {{x|y}}"),
    ],
)
def test_what_a_row_says_is_no_placeholder(title: str, text: str, shown_as: str) -> None:
    """In the page's title, its own blocks, and lists of pages: a visitor's query fills none."""
    fields = ["title", "description", "image", "metadata", "metadata.says"]
    ask: dict[str, Any] = {
        "a": {"$pages": {"fields": fields}},
        "b": [{"$page": field} for field in fields],
    }
    ask["b"].append({"$page": "translations"})
    blocks = (a_block(props=ask),)
    pages = shown(
        template(
            blocks=blocks,
            name=title,
            meta_description=title,
            metadata={"image": {"$row": "a"}, "says": "{$row.a}", "sub": [{"$row": "a"}]},
        ),
        a_page("other", blocks=blocks, name="Other"),
        of=rows(a_row("mug", a=text, b="{")),
    )
    mug = pages["product--mug"]
    assert title_of(mug) == shown_as
    given = {**props(mug), "listed": props(pages["other"])["a"]}
    own = [found for found in PLACEHOLDER.finditer(json.dumps(given)) if found[1]]
    assert not own
    told: Any = resolved_object(given)
    (listed_,) = [each for each in told["listed"] if each["title"] != "Other"]
    assert listed_["title"] == listed_["description"] == shown_as
    assert listed_["image"] == listed_["says"] == text
    assert told["b"][:3] == [shown_as, shown_as, text]
    assert told["b"][3] == {"image": text, "says": text, "sub": [text]}


@pytest.mark.parametrize("named", ["product", "product--{$row.slug}"])
def test_pages_of_one_row_are_translations_of_each_other(named: str) -> None:
    """Where a template names another one, each page of a row is in the group of that row's other
    page; a row that only one collection has is said to have none.
    """
    german = replace(SOURCE, name="waren", template_page="ware", route="/de/{slug}")
    given = a_snapshot(
        template(),
        a_page("ware", name="{$row.title}", metadata={"lang": "de", "translation_of": named}),
        components=(OPEN,),
        collections=(
            rows(a_row("mug"), a_row("pot")),
            rows(a_row("mug"), a_row("pan"), source=german),
        ),
    )
    pages = {page.key: page for page in Relations().applied(given, NOW).pages}
    group = pages["ware--mug"].translations
    assert [(each.lang, each.key) for each in group] == [
        ("de", "ware--mug"),
        ("en", "product--mug"),
    ]
    assert pages["product--mug"].translations == group
    assert pages["product--pot"].translations == ()
    (fault,) = pages["ware--pan"].faults
    assert fault.what == "no published page of the app has the key product--pan"


def test_what_follows_from_a_reference_is_not_told() -> None:
    """A page that is no template has no row: that is said once, and not that null is no text."""
    schema = {"properties": {"a": {"type": "string"}, "b": {"type": "string"}}}
    block = a_block(props={"a": {"$row": "title"}, "b": 1})
    card = a_component("card", {"type": "object", **schema})
    found = Relations().applied(a_snapshot(a_page(blocks=(block,)), components=(card,)), NOW)
    told = [(each.pointer, each.what) for each in assemble(found, "play", layouts=LAYOUTS).problems]
    assert [pointer for pointer, _ in told] == ["/a", "/b"]
    assert "no row" in told[0][1]


def test_a_list_of_rows_without_any_collection_says_what_to_add() -> None:
    """The remedy names the table of the settings; with others the nearest name."""
    ask = a_block(props={"a": {"$rows": {"collection": "pots"}}})
    bare = Relations().applied(a_snapshot(a_page(blocks=(ask,)), components=(OPEN,)), NOW)
    (fault,) = bare.pages[0].faults
    assert fault.remedy == "add [collections.pots] to robbieblocks.toml"
    page = shown(a_page("list", blocks=(ask,)), template(), of=rows(a_row("mug")))["list"]
    assert "products" in page.faults[0].remedy


def test_metadata_of_rows_is_found_as_it_is() -> None:
    """Lists compare and sort what the row says, and not what they show of it."""
    block = a_block(
        props={"a": {"$pages": {"where": {"says": {"$page": "metadata.says"}}, "fields": ["key"]}}}
    )
    pages = shown(
        template(blocks=(block,), metadata={"says": {"$row": "a"}}),
        of=rows(a_row("mug", a="{{x}}"), a_row("pot", a="{{x}}"), a_row("pan", a="{{y}}")),
    )
    assert props(pages["product--mug"])["a"] == [{"key": "product--pot"}]


def test_a_title_with_doubled_braces_is_text_in_lists() -> None:
    """As it is in the page itself; metadata that an author wrote may hold placeholders."""
    ask = {"a": {"$pages": {"fields": ["title", "metadata.says"]}}}
    pages = shown(
        a_page("a", name="{{{{x}} {{y|Z}}", metadata={"says": "{{y}}"}),
        a_page("list", blocks=(a_block(props=ask),)),
        template(),
        of=rows(a_row("mug")),
    )
    other, _ = props(pages["list"])["a"]
    assert other == {"title": "{{{{x}} Z", "says": "{{y}}"}
