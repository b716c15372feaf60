"""Pages: what is put together from rows, and what one assembly takes over from the last."""

from __future__ import annotations

import errno
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import assemble, check_routes, release_path, route_problem
from robbieblocks.assemble.page_problems import MAX_PAGE_PROBLEMS, PageProblems
from robbieblocks.assemble.pages import PageReader
from robbieblocks.model import PageRow, Snapshot, canonical_json, equal_json
from tests.unit.rows import (
    LAYOUTS,
    NOW,
    a_block,
    a_component,
    a_node,
    a_page,
    a_snapshot,
    assembled,
    nothing_live,
)


def test_a_page_is_assembled_from_its_rows() -> None:
    """Title, description, file and blocks in their order come from the rows."""
    blocks = (a_block(2, zone="footer"), a_block(1, props={"a": 1}))
    (plan,) = assembled(
        a_page(
            meta_title="Play  now", meta_description="All\nthe games", route="/play", blocks=blocks
        )
    ).pages
    page = plan.page
    assert (page.key, page.app, page.route, page.path) == (
        "home",
        "play",
        "/play",
        "play/index.html",
    )
    assert (page.title, page.description, page.title_fill) == ("Play now", "All the games", None)
    assert [(b.order, b.zone, b.id, b.props_json) for b in page.blocks] == [
        (1, "main", "b1", '{"a":1}'),
        (2, "footer", "b2", "{}"),
    ]


@pytest.mark.parametrize(
    ("fields", "title", "fill"),
    [
        ({}, "Home", None),
        ({"meta_title": ""}, "Home", None),
        ({"meta_title": "Hi {{name|there}}"}, "Hi there", "Hi {{name|there}}"),
        ({"meta_title": "{{name}}"}, "Home", "{{name}}"),
        ({"name": "{{who|Us}}"}, "Us", "{{who|Us}}"),
    ],
)
def test_the_title_is_meta_title_or_the_name(
    fields: dict[str, Any], title: str, fill: str | None
) -> None:
    """A page has a title from its rows, with fallbacks until the browser fills it."""
    (plan,) = assembled(a_page(**fields)).pages
    assert (plan.page.title, plan.page.title_fill) == (title, fill)


@pytest.mark.parametrize(
    ("component", "page", "expected"),
    [
        ({}, {}, "load"),
        ({"hydrate": "visible"}, {}, "visible"),
        ({"hydrate": "visible"}, {"blocks": {"1": {"hydrate": "idle"}}}, "idle"),
        ({"hydrate": "visible"}, {"blocks": {"1": {}}}, "visible"),
        ({}, {"blocks": {"1": {"hydrate": "never"}}}, "never"),
    ],
)
def test_hydration_is_said_by_the_component_or_for_one_block(
    component: dict[str, Any], page: dict[str, Any], expected: str
) -> None:
    """The component's metadata is the default; the page's metadata overrides it by block order."""
    (plan,) = assembled(a_page(metadata=page), components=(a_component(metadata=component),)).pages
    assert plan.page.blocks[0].hydrate == expected


@pytest.mark.parametrize(
    "metadata",
    [
        *(
            {"lang": lang}
            for lang in ("uk", "DE", "zh-Hant-TW", "gsw", "es-419", "en-GB", "sr-Latn")
        ),
        {"robots": "noindex, max-snippet:-1, unavailable_after: 2030-01-01"},
        *({"robots": robots} for robots in ("NONE", "noindex nofollow", "", None, "x-own")),
    ],
)
def test_what_browsers_and_search_engines_know_is_right(metadata: dict[str, Any]) -> None:
    """Tags of languages, scripts and regions, and directives with values, hold nothing back."""
    assert assembled(a_page(metadata=metadata)).held_back == {}


@pytest.mark.parametrize(
    ("metadata", "what", "remedy"),
    [
        ({"lang": "de_DE"}, "de_DE is no language", "write de-DE (BCP 47)"),
        ({"lang": "de_DE.UTF-8"}, "de_DE.UTF-8 is no language", "write de-DE (BCP 47)"),
        ({"lang": '"><b>'}, '"><b> is no language', "write de or pt-BR (BCP 47)"),
        ({"lang": "german"}, "german is no language", "write de or pt-BR (BCP 47)"),
        ({"lang": 5}, "5 is no language", "write de or pt-BR (BCP 47)"),
        ({"lang": "jp"}, "jp is no language", "write ja (BCP 47)"),
        ({"lang": "en_UK"}, "en_UK is no language", "write en-GB (BCP 47)"),
        (
            {"robots": "no-index"},
            "search engines know no no-index, and list the page",
            "write noindex",
        ),
        (
            {"robots": "nofollow, Noindx"},
            "search engines know no noindx, and list the page",
            "write noindex",
        ),
        (
            {"robots": ["noindex"]},
            "robots is no text, and search engines list the page",
            'write a text, such as "noindex"',
        ),
        (
            {"frame": "yes"},
            "frame is neither true nor false",
            "true makes the page a frame; false keeps frames from it",
        ),
        ({"dir": "RTL"}, "RTL is no direction of text", "write ltr, rtl or auto"),
        ({"dir": ["rtl"]}, "['rtl'] is no direction of text", "write ltr, rtl or auto"),
    ],
)
def test_a_wrong_language_direction_or_robots_is_an_error(
    metadata: dict[str, Any], what: str, remedy: str
) -> None:
    """What browsers would take for no language, or pass over, holds the page back."""
    (problem,) = assembled(a_page(metadata=metadata)).held_back["home"]
    assert (problem.what, problem.remedy) == (what, remedy)
    assert problem.pointer == f"/{next(iter(metadata))}"
    assert problem.severity == "error"


@pytest.mark.parametrize(
    ("metadata", "pointer", "what"),
    [
        ({"og_title": 5}, "/og_title", "og_title is no text: the page's title shows"),
        ({"og_image": {"src": "/a.png"}}, "/og_image", "the node's picture shows"),
        ({"og_image_alt": False}, "/og_image_alt", "the picture's own alt is told"),
        ({"json_ld": '{"@type": "Bakery"}'}, "/json_ld", "is no object, and is left out"),
        ({"json_ld": [{}, None, 5]}, "/json_ld/2", "is no object, and is left out"),
    ],
)
def test_what_is_passed_over_for_its_type_is_told(
    metadata: dict[str, Any], pointer: str, what: str
) -> None:
    """The page goes out without it, with a warning that says so and what to write."""
    found = assembled(a_page(metadata=metadata))
    assert len(found.pages) == 1
    (warning,) = found.problems
    assert (warning.severity, warning.pointer) == ("warning", pointer)
    assert what in warning.what
    assert warning.remedy


def test_settings_for_a_block_that_is_not_there_are_a_warning() -> None:
    """An entry left over from a removed block doesn't hold the page back."""
    found = assembled(a_page(metadata={"blocks": {"9": {"hydrate": "idle"}}}))
    assert len(found.pages) == 1
    assert [problem.severity for problem in found.problems] == ["warning"]
    assert found.held_back == {}


def test_a_broken_component_is_reported_once_and_holds_its_pages_back() -> None:
    """Two pages that use it share one problem; a page that doesn't is built."""
    broken = a_component("broken", {"a": {"type": "nope"}})
    pages = [
        a_page(
            key,
            route=f"/{key}/",
            blocks=(a_block(1, component="broken"), a_block(2, component="broken")),
        )
        for key in ("a", "b")
    ]
    found = assembled(*pages, a_page("c"), components=(broken, a_component()))
    assert [plan.key for plan in found.pages] == ["c"]
    assert list(found.held_back) == ["a", "b"]
    assert len(found.problems) == 1
    assert found.held_back["a"] == found.held_back["b"] == found.problems


def test_an_unpublished_component_holds_its_page_back() -> None:
    """A page that places a component that isn't published says so."""
    found = assembled(a_page(), components=(a_component(published=False),))
    assert "block 1: the component card is not published" in str(found.problems[0])


def test_a_module_holds_a_page_that_places_it_back() -> None:
    """A hook or a store may be imported and not placed: the page says which block does."""
    found = assembled(a_page(), components=(a_component(type="module"),))
    assert "block 1: card is a module" in str(found.problems[0])
    assert "place a component that imports it" in str(found.problems[0])


def test_an_unknown_component_is_named_with_its_like() -> None:
    """A mistyped component key comes with the nearest that there is."""
    found = assembled(a_page(blocks=(a_block(component="crad"),)))
    assert "there is no component `crad`" in str(found.problems[0])
    assert "did you mean card?" in str(found.problems[0])


def test_only_the_apps_own_pages_are_assembled() -> None:
    """Pages of other apps are left alone, sorted keys first."""
    snapshot = a_snapshot(a_page("z", route="/z"), a_page("w", app="work"), a_page("a"))
    assert [plan.key for plan in assemble(snapshot, "play", layouts=LAYOUTS).pages] == ["a", "z"]


OPEN = a_component("card", {"type": "object"})


def changed(snapshot: Snapshot, **fields: Any) -> Snapshot:
    return replace(snapshot, **fields)


def test_unchanged_pages_are_taken_over_from_the_last_assembly() -> None:
    """Equal rows give the very same plan; what changed is worked out anew."""
    pages = (a_page("a"), a_page("b", route="/b", blocks=(a_block(component="list"),)))
    components = (a_component(), a_component("list", {"n": {"default": 1}}))
    before = a_snapshot(*pages, components=components)
    first = assemble(before, "play", layouts=LAYOUTS)

    again = assemble(before, "play", layouts=LAYOUTS, previous=first)
    assert [new is old for new, old in zip(again.pages, first.pages, strict=True)] == [True, True]

    edited = changed(before, pages=(replace(pages[0], name="New"), pages[1]))
    after = assemble(edited, "play", layouts=LAYOUTS, previous=first)
    assert after.pages[0].page.title == "New"
    assert after.pages[1] is first.pages[1]

    stricter = {"card": components[0], "list": a_component("list", {"n": {"default": 2}})}
    after = assemble(changed(before, components=stricter), "play", layouts=LAYOUTS, previous=first)
    assert after.pages[0] is first.pages[0]
    assert after.pages[1].page.blocks[0].props == {"n": 2}

    hidden = {"card": components[0], "list": replace(components[1], published=False)}
    after = assemble(changed(before, components=hidden), "play", layouts=LAYOUTS, previous=first)
    assert list(after.held_back) == ["b"]

    gone = assemble(before, "play", layouts=frozenset({"dashboard"}), previous=first)
    assert list(gone.held_back) == ["a", "b"]


def test_a_page_that_this_machine_held_back_comes_when_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk or a lack of memory is not the row's fault: the remedy says so, and the next
    build reads the row again though no row has changed."""
    rows = a_snapshot(a_page("one"), a_page("two", route="/two"))
    read = PageReader.read

    def short(self: PageReader) -> Any:
        if self._row.key == "two":
            raise OSError(errno.ENOSPC, "No space left on device")
        return read(self)

    monkeypatch.setattr(PageReader, "read", short)
    first = assemble(rows, "play", layouts=LAYOUTS)
    assert [page.row.key for page in first.pages] == ["one"]
    (problem,) = first.held_back["two"]
    assert "short of" in problem.remedy
    again = assemble(rows, "play", layouts=LAYOUTS, previous=first)
    assert again.held_back == first.held_back
    assert again.problems == first.problems
    monkeypatch.setattr(PageReader, "read", read)
    after = assemble(rows, "play", layouts=LAYOUTS, previous=again)
    assert [page.row.key for page in after.pages] == ["one", "two"]
    assert after.held_back == {}
    assert after.problems == ()


def test_taking_over_gives_what_starting_afresh_gives() -> None:
    """The previous assembly is a shortcut and changes no result."""
    pages = (a_page("a"), a_page("b", route="/.."), a_page("c", route="/c"))
    snapshot = a_snapshot(*pages)
    fresh = assemble(snapshot, "play", layouts=LAYOUTS)
    assert assemble(snapshot, "play", layouts=LAYOUTS, previous=fresh) == fresh


@pytest.mark.parametrize(("before", "now"), [(1, True), (False, 0), (1, 1.0)])
def test_values_that_python_takes_for_equal_are_edits(before: Any, now: Any) -> None:
    """React shows 0 and nothing of false: a page whose row says the other one is read anew."""
    rows = [a_page("a", blocks=(a_block(props={"n": [value]}),)) for value in (before, now)]
    first = assemble(a_snapshot(rows[0], components=(OPEN,)), "play", layouts=LAYOUTS)
    edited = a_snapshot(rows[1], components=(OPEN,))
    (page,) = assemble(edited, "play", layouts=LAYOUTS, previous=first).pages
    assert page.row is rows[1]
    assert canonical_json(page.page.blocks[0].props) == canonical_json({"n": [now]})


def test_rows_that_nest_too_deep_to_be_compared_differ() -> None:
    """No row ends the comparison with an error."""
    deep: list[Any] = [[], []]
    for _ in range(5000):
        deep = [[each] for each in deep]
    assert not equal_json(*deep)
    assert not a_page(metadata=deep[0]).is_equal(a_page(metadata=deep[1]))


def test_what_is_placed_is_counted_over_any_edits() -> None:
    """After any edits, the components that are placed are those of an assembly made afresh."""
    chance = random.Random(7)
    components = tuple(a_component(key) for key in "abcd")
    pages: dict[int, PageRow] = {}
    known = None
    for _ in range(60):
        for _ in range(chance.randrange(3)):
            number, placed = chance.randrange(6), chance.choices("abcde", k=chance.randrange(4))
            blocks = tuple(a_block(order, component=key) for order, key in enumerate(placed, 1))
            pages[number] = a_page(f"page-{number}", route=f"/{number}/", blocks=blocks)
        if pages and chance.random() < 0.2:
            pages.popitem()
        snapshot = a_snapshot(*pages.values(), components=components)
        known = assemble(snapshot, "play", layouts=LAYOUTS, previous=known)
        assert known == assemble(snapshot, "play", layouts=LAYOUTS)
        assert known.placed == Counter(
            key for page in known.pages for key in {block.component for block in page.page.blocks}
        )


def test_a_page_still_to_come_out_takes_no_ones_route() -> None:
    """Two pages may share a route where one is not published yet at that time."""
    later = a_page("b", published_at=NOW.replace(year=2030))
    assert check_routes(a_snapshot(a_page("a"), later), a_node(), nothing_live) == ()


def test_pages_of_apps_the_node_lacks_are_no_conflict() -> None:
    """Routes are compared among the pages that one node carries."""
    snapshot = a_snapshot(a_page("a"), a_page("b", app="work"))
    assert check_routes(snapshot, a_node(enabled_apps=("play",)), nothing_live) == ()
    assert len(check_routes(snapshot, a_node(enabled_apps=("play", "work")), nothing_live)) == 1


def test_who_keeps_a_route() -> None:
    """The page that is live there; else, and of two that are, the older; else the first by key."""
    older = {"created_at": NOW - timedelta(days=9)}
    newer = {"created_at": NOW - timedelta(days=1)}
    dated = {"created_at": NOW, "published_at": NOW - timedelta(days=5)}
    for first, second, live, loser, why in (
        (newer, older, (), "a", "is older"),
        (older, newer, ("b",), "a", "is live there"),
        (newer, older, ("a", "b"), "a", "is older"),
        (newer, dated, (), "a", "is older"),
        (older, dated, (), "b", "is older"),
        (older, older, (), "b", "is as old and comes first by its key"),
        ({}, newer, (), "a", "is older"),
        ({}, {}, (), "b", "is as old and comes first by its key"),
    ):
        pages = (a_page("a", **first), a_page("b", **second))
        showing = [page for page in pages if page.key in live]
        (problem,) = check_routes(a_snapshot(*pages), a_node(), showing.__contains__)
        assert problem.key == loser
        assert f"page {'b' if loser == 'a' else 'a'}, which {why} and keeps it" in problem.what


def test_one_page_can_keep_many_from_their_routes() -> None:
    """A page in a folder that others want is held back once, whichever of them is the oldest."""
    pages = [
        a_page("a", route="/x.html"),
        a_page("b", route="/x.html/y"),
        a_page("c", route="/x.html/z"),
    ]
    found = check_routes(a_snapshot(*pages), a_node(), lambda page: page.key != "a")
    assert [problem.key for problem in found] == ["a"]


_SEGMENT = st.text(alphabet="abc-_.~%/\\ \0\u202eäа日{}", max_size=8)


@given(st.lists(_SEGMENT, max_size=5).map(lambda parts: "/" + "/".join(parts)))
def test_a_good_route_stays_in_the_release(route: str) -> None:
    """Whatever passes is a relative file inside the release, each part a plain file name."""
    if route_problem(route) is None:
        path = release_path(route)
        parts = path.split("/")
        assert all(
            part and not part.startswith(".") and len(part.encode()) <= 255 for part in parts
        )
        assert path.endswith(".html")
        assert path.isprintable()
        assert not set(path) & set('\\%?#<>"{} ')
        assert parts[0] not in ("_rb", "404.html", "robots.txt")


@given(st.text())
def test_any_text_as_a_route_is_judged(route: str) -> None:
    """No text makes judging a route fail."""
    fault = route_problem(route)
    assert fault is None or (fault[0] and fault[1])


@given(
    st.lists(
        st.sampled_from(["/a", "/a/", "/A/", "/b", "/a/b", "/a.html", "/a.html/b", "/"]), max_size=6
    )
)
def test_pages_without_conflict_have_files_apart(routes: list[str]) -> None:
    """Where no conflict is reported, no file is another's, or its folder, in any case."""
    pages = [a_page(f"p{n}", route=route) for n, route in enumerate(routes)]
    conflicts = check_routes(a_snapshot(*pages), a_node(), nothing_live)
    losers = {problem.key for problem in conflicts}
    kept = [release_path(page.route).casefold() for page in pages if page.key not in losers]
    assert len(set(kept)) == len(kept)
    assert not any(one.startswith(other + "/") for one in kept for other in kept)
    assert len(kept) + len(conflicts) == len(pages)


def test_a_block_without_a_component() -> None:
    """A block whose component_id is null is named by its page, whatever else is wrong with it."""
    block = a_block(3, component="", zone="nowhere", conditions={"noes": []})
    found = assembled(a_page(blocks=(a_block(1), block)))
    problems = {problem.field: problem for problem in found.held_back["home"]}
    assert {(problem.entity, problem.key) for problem in problems.values()} == {("page", "home")}
    assert problems["component_id"].what == (
        "block 3: component_id is null, so there is nothing to show"
    )
    assert (problems["zone"].block, problems["conditions"].block) == (3, 3)
    assert not any("''" in str(problem) for problem in problems.values())


def test_of_very_many_problems_an_error_is_kept() -> None:
    """A page with so many warnings that the rest is dropped is held back for its first error."""
    problems = PageProblems(a_page())
    for number in range(MAX_PAGE_PROBLEMS):
        problems.add("metadata", f"warning {number}", "", severity="warning")
    assert (problems.wrong, problems.enough) == (False, False)
    problems.add("metadata", "one more", "", severity="warning")
    problems.add("page_route", "an error", "")
    problems.add("page_route", "another error", "")
    assert (problems.wrong, problems.enough) == (True, True)
    assert len(problems.found) == MAX_PAGE_PROBLEMS + 1
    assert problems.found[-1].what == "an error"


_NUMBER = {"type": "number", "default": "five"}


@pytest.mark.parametrize(
    ("schema", "props", "field", "pointer"),
    [
        ({"size": _NUMBER}, {}, "props_schema", "/size/default"),
        ({"size": _NUMBER}, {"size": "six"}, "props", "/size"),
        (
            {"type": "object", "properties": {"size": _NUMBER}},
            {},
            "props_schema",
            "/properties/size/default",
        ),
        (
            {
                "$defs": {"size": _NUMBER},
                "properties": {"box": {"properties": {"size": {"$ref": "#/$defs/size"}}}},
            },
            {"box": {}},
            "props_schema",
            "/$defs/size/default",
        ),
        (
            {"rows": {"items": {"allOf": [{"properties": {"n": _NUMBER}}]}}},
            {"rows": [{"n": 1}, {}]},
            "props_schema",
            "/rows/items/allOf/0/properties/n/default",
        ),
        (
            {"box": {"required": ["a"], "default": {"b": 1}}},
            {},
            "props_schema",
            "/box/default",
        ),
        ({"box": {"required": ["a"], "default": {"b": 1}}}, {"box": {}}, "props", "/box"),
        (
            {"box": {"default": {"list": [1, 2]}, "properties": {"list": {"items": _NUMBER}}}},
            {},
            None,
            "",
        ),
        (
            {"box": {"default": {"list": ["x"]}, "properties": {"list": {"items": _NUMBER}}}},
            {},
            "props_schema",
            "/box/default/list/0",
        ),
        (
            {"links": {"additionalProperties": {"properties": {"n": _NUMBER}}}},
            {"links": {"a/b": {}}},
            "props_schema",
            "/links/additionalProperties/properties/n/default",
        ),
    ],
)
def test_a_default_that_does_not_fit_is_the_schemas_mistake(
    schema: Any, props: Any, field: str | None, pointer: str
) -> None:
    """What a block does not say itself is said of the default in the component's schema."""
    found = assembled(
        a_page(blocks=(a_block(props=props),)), components=(a_component(schema=schema),)
    )
    problems = [(each.field, each.pointer) for each in found.held_back.get("home", ())]
    assert problems == ([(field, pointer)] if field else [])


def test_a_default_that_names_no_media_is_the_schemas_mistake() -> None:
    """So is a default that is found wrong only once its value is looked up."""
    schema = {"photo": {"type": "string", "format": "media", "default": "media:nothing"}}
    found = assembled(a_page(), components=(a_component(schema=schema),))
    (problem,) = found.held_back["home"]
    assert (problem.entity, problem.key, problem.field) == ("component", "card", "props_schema")
    assert (problem.pointer, problem.block) == ("/photo/default", 1)
    assert problem.what.startswith("the default of /photo: ")


@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        ("{{a|{{b|c}}}}", "placeholder a has another one", "{{a|text}}"),
        ("Hi {{ a | or {{b}} }}", "placeholder a has another one", "{{a|text}}"),
        ("{{{name}}}", "name stands in three braces", "write {{name}}"),
        ("{{{ name | you }}} and", "name stands in three braces", "write {{name}}"),
        ('{{ name | default: "you" }}', "fallback of name begins", "write {{name|text}}"),
        ("{{ name|default('you') }}", "fallback of name begins", "write {{name|text}}"),
        ("{{ name | upper }}", "fallback of name begins", "write {{name|text}}"),
        ("{{ name|downcase}}", "fallback of name begins", "write {{name|text}}"),
        ("{{ name || 'you' }}", "fallback of name begins", "write {{name|text}}"),
    ],
)
def test_placeholders_of_other_templates_are_warned_of(text: str, what: str, remedy: str) -> None:
    """What would show braces or words of a template is named, in props and in titles."""
    found = assembled(a_page(meta_title=text, blocks=(a_block(props={"a": [text]}),)))
    (plan,) = found.pages
    title, prop = plan.warnings
    assert (title.field, prop.field, prop.pointer) == ("meta_title", "props", "/a/0")
    for each in (title, prop):
        assert (each.severity, remedy in each.remedy) == ("warning", True)
        assert what in each.what


@pytest.mark.parametrize(
    "text",
    [
        "{{a|b}}",
        "{{{{a|{{b}}",
        "{{ default | x }}",
        "{{a|upper hand}}",
        "{{a|defaults}}",
        "{{{{name}}",
        "{{{}}}",
    ],
)
def test_placeholders_of_ours_are_not_warned_of(text: str) -> None:
    """Nor is what is no placeholder at all."""
    (plan,) = assembled(a_page(meta_title=text, blocks=(a_block(props={"a": text}),))).pages
    assert plan.warnings == ()
