"""Hostile rows, as far as assembling and branding settle them: each ends in a clear error or in
correct text, and never touches the page beside it."""

from __future__ import annotations

import math
from typing import Any

import pytest
import tinycss2

from robbieblocks.assemble import assemble, check_routes, page_on_node
from robbieblocks.brand import brand
from robbieblocks.errors import Problem
from robbieblocks.model import AssembledPage, Asset, BlockRow, PageRow, TokenRow
from tests.unit.rows import (
    LAYOUTS,
    NOW,
    a_block,
    a_component,
    a_node,
    a_page,
    a_snapshot,
    nothing_live,
)

pytestmark = pytest.mark.timeout(10)

MiB = 1024 * 1024


def numbered(cases: list[Any]) -> list[Any]:
    """Cases by number: what they hold is no fit name for a test."""
    rows = [case if isinstance(case, tuple) else (case,) for case in cases]
    return [pytest.param(*row, id=f"{number:02}") for number, row in enumerate(rows)]


CALM = a_component("calm")


def problems_of(page: PageRow, *components: Any, app: str = "play") -> str:
    """The page's errors as text, '' where it is built; its neighbour is always built."""
    neighbour = a_page(
        "neighbour", app=app, route="/neighbour/", blocks=(a_block(component="calm"),)
    )
    rows = (CALM, *(components or (a_component(),)))
    found = assemble(a_snapshot(page, neighbour, components=rows), app, layouts=LAYOUTS)
    if app == "play":
        assert "neighbour" in {plan.key for plan in found.pages}
    assert (page.key in found.held_back) == (page.key not in {plan.key for plan in found.pages})
    return "\n".join(map(str, found.held_back.get(page.key, ())))


def built(page: PageRow, *components: Any) -> AssembledPage:
    """The page as a node shows it; it has no errors."""
    assert problems_of(page, *components) == ""
    rows = (CALM, *(components or (a_component(),)))
    found = assemble(a_snapshot(page, components=rows), "play", layouts=LAYOUTS)
    return page_on_node(found.pages[0], a_node(), now=NOW)


def text(problems: tuple[Problem, ...]) -> str:
    return "\n".join(str(problem) for problem in problems if problem.severity == "error")


def rules_of(sheet: Asset) -> int:
    """How many rules a stylesheet has at its top level."""
    return len(tinycss2.parse_stylesheet(sheet.content.decode(), skip_whitespace=True))


def printable(message: str) -> bool:
    return all(line.isprintable() for line in message.splitlines())


NAMES = [
    ("", "is empty"),
    ("..", "characters, or an order of them, that names don't have"),
    ("../../etc/passwd", "that names don't have"),
    ("a/b", "that names don't have"),
    ("a\\b", "that names don't have"),
    (".hidden", "that names don't have"),
    ("a..b", "that names don't have"),
    ("-rf", "that names don't have"),
    ("a b", "that names don't have"),
    ("a'b", "that names don't have"),
    ('a"><script>', "that names don't have"),
    ("nul\0byte", "U+0000 NULL"),
    ("line\nbreak", "U+000A"),
    ("\x1b[31mred", "U+001B"),
    ("rob\u202eeibb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
    ("rob\u200bbie", "U+200B ZERO WIDTH SPACE"),
    ("r\u043ebbie", "U+043E CYRILLIC SMALL LETTER O"),
    ("\uff52obbie", "U+FF52 FULLWIDTH LATIN SMALL LETTER R"),
    ("\ud800", "U+D800, half of a surrogate pair"),
    ("Robbie", "capital letters"),
    ("a" * 256, "256 characters"),
]


@pytest.mark.parametrize(("name", "expected"), numbered(NAMES))
@pytest.mark.parametrize("where", ["page", "component", "node"])
def test_a_bad_name_is_named_and_refused(where: str, name: str, expected: str) -> None:
    """A key or node id that is no safe name is an error that says which character is wrong."""
    if where == "page":
        found = problems_of(a_page(name))
    elif where == "component":
        page = a_page(blocks=(a_block(component=name),))
        found = problems_of(page, a_component(name))
    else:
        found = text(brand(a_node(name), (), lambda _: ()).problems)
    assert expected in found
    assert printable(found)


@pytest.mark.parametrize("name", numbered(["a", "robbie-play-home", "a.b_c-1", "x" * 255]))
def test_a_plain_name_is_taken(name: str) -> None:
    """Names of up to 255 letters and digits, with single joints, are fine."""
    assert problems_of(a_page(name)) == ""


@pytest.mark.parametrize(
    ("app", "expected"),
    numbered(
        [
            ("", "is empty"),
            ("../work", "that names don't have"),
            ("assets", "reserved for the folder that holds a node's assets"),
            ("pl\u0430y", "CYRILLIC SMALL LETTER A"),
            ("p" * 51, "51 characters"),
            ("play\0", "U+0000"),
        ]
    ),
)
def test_a_bad_app_is_refused_on_pages_and_nodes(app: str, expected: str) -> None:
    """An app's name becomes a folder, so it must be a safe name that isn't taken."""
    assert expected in problems_of(a_page(app=app), app=app)
    assert expected in text(brand(a_node(enabled_apps=(app,)), (), lambda _: ()).problems)


ROUTES = [
    ("", "the route is empty"),
    ("play", "doesn't start with /"),
    ("//evil.example/", "names a scheme or a host"),
    ("https://evil.example/", "names a scheme or a host"),
    ("javascript:alert(1)", "names a scheme or a host"),
    ("/a/../../etc/passwd", "`..`, which leads to another folder"),
    ("/..", "`..`, which leads to another folder"),
    ("/./a", "`.`, which leads to another folder"),
    ("/%2e%2e/x", "percent-encoding"),
    ("/a%00b", "percent-encoding"),
    ("/a?b=c", "a query"),
    ("/a#b", "a fragment"),
    ("/a\\..\\b", "a backslash"),
    ("/a//b", "an empty part"),
    ("/a b", "U+0020 SPACE"),
    ("/a\0b", "U+0000 NULL"),
    ("/a\nb", "U+000A"),
    ("/a\u202eb", "U+202E RIGHT-TO-LEFT OVERRIDE"),
    ("/a\u200db", "U+200D ZERO WIDTH JOINER"),
    ("/pl\u0430y", "mixes Cyrillic and Latin letters"),
    ("/\uff50lay", "another form than NFC"),
    ("/cafe\u0301", "another form than NFC"),
    ('/"><script>', "U+0022 QUOTATION MARK"),
    ("/a<b", "U+003C LESS-THAN SIGN"),
    ("/{{name}}", "U+007B LEFT CURLY BRACKET"),
    ("/.git/config", "starts or ends with a dot"),
    ("/a./b", "starts or ends with a dot"),
    ("/_rb/x", "kept for files that every site has"),
    ("/_RB/x", "kept for files that every site has"),
    ("/robots.txt", "kept for files that every site has"),
    ("/404.html", "kept for 404 pages"),
    ("/sitemap-2.xml", "kept for files that every site has"),
    ("/manifest.json/", "kept for files that every site has"),
    ("/" + "a" * 255, "256 characters"),
    ("/" + "日" * 100, "takes 300 bytes"),
    ("/\ud800", "U+D800"),
]


@pytest.mark.parametrize(("route", "expected"), numbered(ROUTES))
def test_a_bad_route_says_why(route: str, expected: str) -> None:
    """A route that leaves the release, or that is no plain path, is an error that says why."""
    found = problems_of(a_page(route=route))
    assert "page home, page_route" in found
    assert expected in found
    assert printable(found)


@pytest.mark.parametrize(
    ("route", "path"),
    numbered(
        [
            ("/", "index.html"),
            ("/play/", "play/index.html"),
            ("/play/blackjack", "play/blackjack/index.html"),
            ("/über-uns/", "über-uns/index.html"),
            ("/日本", "日本/index.html"),
            ("/играть/", "играть/index.html"),
            ("/v1.2/~robbie", "v1.2/~robbie/index.html"),
            ("/old/page.html", "old/page.html"),
            ("/releases/current", "releases/current/index.html"),
        ]
    ),
)
def test_a_good_route_has_its_file(route: str, path: str) -> None:
    """A route is written as a file inside the release, in its own letters."""
    assert built(a_page(route=route)).path == path


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    numbered(
        [
            ("/play/", "/play/", "the route /play/ is also that of page a"),
            ("/play", "/play/", "takes the same place as /play of page a"),
            ("/Play/", "/play/", "takes the same place as /Play/ of page a"),
            ("/x/index.html", "/x/", "takes the same place as /x/index.html of page a"),
            ("/x.html", "/x.html/y", "takes the same place as /x.html of page a"),
            ("/x.html/y", "/x.html", "takes the same place as /x.html/y of page a"),
            ("/STRASSE", "/straße", "takes the same place as /STRASSE of page a"),
        ]
    ),
)
def test_two_pages_in_one_place_name_each_other(first: str, second: str, expected: str) -> None:
    """Two pages of a node that want one file are one error that names both."""
    pages = (a_page("a", route=first), a_page("b", app="shared", route=second))
    (problem,) = check_routes(a_snapshot(*pages), a_node(), nothing_live)
    assert problem.key == "b"
    assert expected in str(problem)


@pytest.mark.parametrize(
    "word", numbered(["", "Main", "main ", "../main", "m\u0430in", "<main>", "x" * 300])
)
def test_an_unknown_zone_or_layout_lists_the_known(word: str) -> None:
    """A zone or layout that isn't there is an error with the list of those that are."""
    zone = problems_of(a_page(blocks=(a_block(zone=word),)))
    assert "unknown zone" in zone
    assert "known: header, sidebar, main, footer, overlay" in zone
    layout = problems_of(a_page(layout=word))
    assert "unknown layout" in layout
    assert "known: dashboard, single-column" in layout
    assert printable(zone + layout)


MARKUP = [
    "</script><script>alert(1)</script>",
    "]]>",
    "<!-- <script>",
    "{{",
    "{{}}",
    "{% if x %}",
    "{{ 7*7 }}",
    "{{a.b}}",
    "{{__class__.__mro__}}",
    "${alert(1)}",
    "&lt;b&gt;",
    "\u2028\u2029",
    "\"'`",
    "\u202eevil",
    "{{{{name}}}}"[:3],
]


@pytest.mark.parametrize("markup", numbered(MARKUP))
def test_markup_in_texts_stays_text(markup: str) -> None:
    """What looks like markup or a template in a text column reaches the page unchanged."""
    line = " ".join(markup.split())
    page = a_page(
        name=markup or "x",
        meta_title=f"T {markup}",
        meta_description=markup,
        blocks=(a_block(props={"text": markup, markup: [markup]}),),
    )
    found = built(page)
    assert found.title == f"T {line}".strip()
    assert found.description == line
    assert found.title_fill is None
    assert found.blocks[0].props == {"text": markup, markup: [markup]}


@pytest.mark.parametrize(
    ("value", "expected"),
    numbered(
        [
            (math.nan, "not finite"),
            (math.inf, "not finite, or out of range"),
            (-math.inf, "not finite, or out of range"),
            (10**400, "beyond what a browser's numbers hold"),
            (-(10**400), "beyond what a browser's numbers hold"),
            (10**5000, "beyond what a browser's numbers hold"),
            (2**53 + 1, "beyond what a browser's numbers hold"),
            ("\ud800", "U+D800, half of a surrogate pair"),
            ("ok \udfff", "U+DFFF, half of a surrogate pair"),
            ("a\0b", "U+0000 NULL"),
            ({"__proto__": {"admin": True}}, "sets an object's prototype"),
            ({"\ud800": 1}, "half of a surrogate pair"),
            ({"\0": 1}, "U+0000 NULL"),
        ]
    ),
)
def test_json_that_a_browser_would_change_is_refused(value: Any, expected: str) -> None:
    """Numbers, texts and names that JSON.parse would not give back are errors with a pointer."""
    found = problems_of(a_page(blocks=(a_block(7, props={"deep": [{"it": value}]}),)))
    assert "component card, on page home, block 7, props at /deep/0/it" in found
    assert expected in found
    assert printable(found)


@pytest.mark.parametrize(
    "value", numbered([2**53, -(2**53), 10**20, 10**300, 1e308, 5e-324, 0.1, -0.0, "\U0001f600"])
)
def test_json_that_a_browser_holds_is_taken(value: Any) -> None:
    """Values at the edge of what a double and UTF-16 hold are kept."""
    assert built(a_page(blocks=(a_block(props={"v": value}),))).blocks[0].props == {"v": value}


@pytest.mark.parametrize("props", numbered([[], "text", 5, True, [1, 2]]))
def test_props_that_are_no_object_are_refused(props: Any) -> None:
    """Props are an object; anything else is an error on the block."""
    found = problems_of(a_page(blocks=(a_block(props=props),)))
    assert "props are not an object" in found


def nested(depth: int, kind: str) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value] if kind == "list" else {"a": value}
    return value


@pytest.mark.parametrize("kind", ["list", "object"])
@pytest.mark.parametrize("depth", numbered([65, 900, 50_000]))
@pytest.mark.parametrize(
    "schema", numbered([{}, {"a": {"default": {}}}, {"properties": {"a": {"$ref": "#"}}}])
)
def test_props_that_nest_without_end_are_refused(kind: str, depth: int, schema: Any) -> None:
    """Props nest at most 64 levels, whatever the schema says."""
    page = a_page(blocks=(a_block(props={"a": nested(depth, kind)}),))
    assert "nest deeper than 64 levels" in problems_of(page, a_component(schema=schema))


def test_props_of_a_megabyte_are_taken() -> None:
    """A block may carry props of just a mebibyte."""
    props = {"text": "x" * (MiB - len('{"text":""}'))}
    assert len(built(a_page(blocks=(a_block(props=props),))).blocks[0].props_json) == MiB


def test_props_beyond_a_megabyte_are_refused_with_their_size() -> None:
    """One byte more than a mebibyte is an error that says how many there are."""
    props = {"text": "x" * (MiB - len('{"text":""}') + 1)}
    found = problems_of(a_page(blocks=(a_block(props=props),)))
    assert "takes 1,048,577 bytes as JSON, at most 1,048,576 are allowed" in found


def test_a_megabyte_that_breaks_its_schema_is_quoted_shortly() -> None:
    """An error about a huge value doesn't repeat the value."""
    props = {"text": "x" * 1_000_000}
    component = a_component(schema={"text": {"type": "string", "maxLength": 10}})
    found = problems_of(a_page(blocks=(a_block(props=props),)), component)
    assert "props at /text" in found
    assert len(found) < 1_000


def test_many_megabytes_on_one_page_are_refused() -> None:
    """The blocks of a page together carry a bounded amount."""
    blocks = tuple(a_block(order, props={"t": "x" * 1_000_000}) for order in range(20))
    assert "the props of all blocks take" in problems_of(a_page(blocks=blocks))


def test_ten_thousand_blocks_are_taken() -> None:
    """A page of 10,000 blocks is assembled, in order."""
    schema = {"n": {"type": "integer"}, "tone": {"default": "calm"}}
    blocks = tuple(a_block(10_000 - n, props={"n": n}) for n in range(10_000))
    found = built(a_page(blocks=blocks), a_component(schema=schema))
    assert [block.order for block in found.blocks] == list(range(1, 10_001))


def test_too_many_blocks_are_refused() -> None:
    """Beyond 20,000 blocks a page is an error that says how many it has."""
    blocks = tuple(a_block(order) for order in range(20_001))
    assert "the page has 20,001 blocks" in problems_of(a_page(blocks=blocks))


def test_ten_thousand_wrong_blocks_are_reported_in_bounded_time() -> None:
    """Each wrong block is named, and the neighbour is built all the same."""
    blocks = tuple(a_block(order, props={"n": "x"}) for order in range(10_000))
    found = problems_of(a_page(blocks=blocks), a_component(schema={"n": {"type": "integer"}}))
    assert found.count('"x" is not of type "integer"') == 10_000


DOUBLING = {
    "$ref": "#/$defs/d0",
    "$defs": {
        **{f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)},
        "d40": {},
    },
}
DOUBLING_BELOW = {
    "$ref": "#/$defs/d0",
    "$defs": {
        **{
            f"d{n}": {
                "allOf": [
                    {"properties": {"a": {"$ref": f"#/$defs/d{n + 1}"}}},
                    {"properties": {"a": {"$ref": f"#/$defs/d{n + 1}"}}},
                ]
            }
            for n in range(40)
        },
        "d40": {"type": "string"},
    },
}
FORKING = {
    "$ref": "#/$defs/n",
    "$defs": {
        "n": {
            "anyOf": [
                {"properties": {"a": {"$ref": "#/$defs/n"}}, "required": ["a", "zz"]},
                {"properties": {"a": {"$ref": "#/$defs/n"}}, "required": ["a", "yy"]},
            ]
        }
    },
}

SCHEMAS: list[tuple[Any, str]] = [
    ([], "neither a JSON Schema nor a map of properties"),
    ("string", "neither a JSON Schema nor a map of properties"),
    (5, "neither a JSON Schema nor a map of properties"),
    (False, "neither a JSON Schema nor a map of properties"),
    ({"greeting": "string"}, "at /greeting: expected the schema of property `greeting`"),
    ({"type": "strng"}, "props are always an object"),
    ({"type": "array"}, "props are always an object"),
    ({"properties": {"n": {"type": "strng"}}}, "at /properties/n/type"),
    ({"n": {"type": "strng"}}, "at /n/type"),
    ({"n": {"minimum": "1"}}, 'at /n/minimum: "1" is not of type "number"'),
    ({"n": {"type": "string", "required": True}}, "at /n/required"),
    ({"properties": {"a": 5}, "type": "object"}, "at /properties/a"),
    ({"a": {"type": "string"}, "required": ["a"]}, "`a` is no JSON Schema keyword"),
    ({"a": {"$ref": "http://127.0.0.1:9/x.json"}}, "leaves the schema; none is fetched"),
    ({"a": {"$ref": "file:///etc/passwd"}}, "leaves the schema; none is fetched"),
    ({"a": {"$ref": "other.json"}}, "leaves the schema; none is fetched"),
    ({"$ref": "https://json-schema.org/draft/2020-12/schema"}, "none is fetched"),
    ({"a": {"$dynamicRef": "http://x.example#y"}}, "none is fetched"),
    ({"properties": {"a": {"$id": "http://x.example/", "$ref": "#/y"}}}, "an inner $id"),
    ({"$ref": "#/$defs/missing"}, "/$defs/missing"),
    ({"a": {"pattern": "("}}, 'at /a/pattern: the pattern "("'),
    ({"a": {"pattern": "^(?=(a+)+$)\\1b"}}, "looks around or back"),
    ({"a": {"pattern": "((a{1,100}){1,100}){1,100}"}}, "can't be used"),
    ({"patternProperties": {"(?!x)": {}}, "type": "object"}, "at /patternProperties/(?!x)"),
    ({"a": nested(70, "object") | {"type": "string"}}, ""),
    ({"a": {"default": math.inf}}, "at /a/default: the number is not finite"),
    ({"a": {"default": "\ud800"}}, "half of a surrogate pair"),
    ({"a": {"default": "x" * 300_000}}, "the schema takes"),
    (DOUBLING, "would take too long"),
    ({"a": {"properties": {"b": {"default": {}, "$ref": "#/properties/a"}}, "default": {}}}, ""),
]


@pytest.mark.parametrize(("schema", "expected"), numbered([case for case in SCHEMAS if case[1]]))
def test_a_bad_schema_is_an_error_on_the_component(schema: Any, expected: str) -> None:
    """A schema that can't be used is an error on its component and holds its pages back."""
    found = problems_of(a_page(), a_component(schema=schema))
    assert found.startswith("component card, props_schema")
    assert expected in found
    assert printable(found)


def test_a_schema_that_nests_without_end_is_refused() -> None:
    """A schema's own depth is bounded."""
    schema: Any = {"type": "string"}
    for _ in range(70):
        schema = {"type": "object", "properties": {"a": schema}}
    assert "nest deeper than 64 levels" in problems_of(a_page(), a_component(schema=schema))


@pytest.mark.parametrize("schema", numbered([DOUBLING_BELOW, FORKING]))
def test_a_schema_that_multiplies_work_is_stopped_where_props_reach_it(schema: Any) -> None:
    """Where nested props would make a schema check a value millions of times, that is the error."""
    page = a_page(blocks=(a_block(props=nested(30, "object")),))
    assert "would take too long" in problems_of(page, a_component(schema=schema))


def test_defaults_that_nest_without_end_are_an_error() -> None:
    """A recursive default ends in an error, not in a hang."""
    schema = {
        "type": "object",
        "properties": {"next": {"$ref": "#/$defs/node", "default": {}}},
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"next": {"$ref": "#/$defs/node", "default": {}}},
            }
        },
    }
    assert "nest without end" in problems_of(a_page(), a_component(schema=schema))


def test_defaults_that_multiply_are_an_error() -> None:
    """Defaults that double at each level end in an error, not in a full memory."""
    node = {
        f"d{n}": {
            "type": "object",
            "properties": {
                side: {"$ref": f"#/$defs/d{n + 1}", "default": {}} for side in ("left", "right")
            },
        }
        for n in range(40)
    }
    schema = {"type": "object", "$ref": "#/$defs/d0", "$defs": {**node, "d40": {"type": "object"}}}
    assert "nest without end" in problems_of(a_page(), a_component(schema=schema))


@pytest.mark.parametrize("pattern", numbered(["^(a+)+$", "^(a|a)*$", "(.*)*x", "^(\\w+\\s?)*$"]))
def test_a_catastrophic_pattern_takes_linear_time(pattern: str) -> None:
    """A pattern that would backtrack for ever is matched at once."""
    component = a_component(schema={"a": {"type": "string", "pattern": pattern}})
    page = a_page(blocks=(a_block(props={"a": "a" * 200_000 + "!"}),))
    assert "props at /a" in problems_of(page, component)


CONDITIONS: list[tuple[Any, str, str]] = [
    ([], "", "expected an object of conditions, found an empty list"),
    ("nodes", "", 'expected an object of conditions, found "nodes"'),
    (5, "", "expected an object of conditions, found 5"),
    ({"node": ["x"]}, "/node", "unknown condition operator `node`"),
    ({"constructor": 1}, "/constructor", "unknown condition operator"),
    ({"__proto__": {}}, "/__proto__", "unknown condition operator"),
    ({"$where": "1"}, "/$where", "unknown condition operator"),
    ({"any": [{"all": [{"nope": 1}]}]}, "/any/0/all/0/nope", "unknown condition operator"),
    ({"nodes": []}, "/nodes", "expected a list of node ids, found an empty list"),
    ({"nodes": [5]}, "/nodes", "expected a list of node ids, found a list"),
    ({"nodes": None}, "/nodes", "expected a list of node ids, found null"),
    ({"apps": {"play": True}}, "/apps", "expected a list of app names, found an object"),
    ({"theme": "blue"}, "/theme", 'expected a theme, found "blue"'),
    ({"theme": [[]]}, "/theme", "expected a theme, found a list"),
    ({"from": "2025-12-01"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "2025-12-01T00:00:00"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "2025-12-01T00:00Z"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "2025-13-01T00:00:00Z"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "2025-12-01T24:00:00Z"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "0000-01-01T00:00:00Z"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "0001-01-01T00:00:00+23:59"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"from": "٢٠٢٥-12-01T00:00:00Z"}, "/from", "expected an instant as RFC 3339 has it"),
    ({"until": 1764547200}, "/until", "expected an instant as RFC 3339 has it"),
    ({"until": "tomorrow"}, "/until", "expected an instant as RFC 3339 has it"),
    ({"query": {}}, "/query", "expected an object of query names and values"),
    ({"query": "ref"}, "/query", "expected an object of query names and values"),
    ({"query": {"ref": {}}}, "/query/ref", "expected a text, a list of texts"),
    ({"query": {"ref": []}}, "/query/ref", "expected a text, a list of texts"),
    ({"viewport": {}}, "/viewport", "expected an object with min or max"),
    ({"viewport": {"min": "600px"}}, "/viewport/min", "expected a width in CSS px"),
    ({"viewport": {"min": -1}}, "/viewport/min", "expected a width in CSS px"),
    ({"viewport": {"min": math.nan}}, "/viewport/min", "expected a width in CSS px"),
    ({"viewport": {"min": 10**400}}, "/viewport/min", "expected a width in CSS px"),
    ({"viewport": {"max": True}}, "/viewport/max", "expected a width in CSS px"),
    ({"viewport": {"height": 5}}, "/viewport/height", "unknown key `height`"),
    ({"viewport": {"min": 5, "max": 4}}, "/viewport", "min is above max"),
    ({"any": []}, "/any", "expected a list of conditions, found an empty list"),
    ({"any": {"theme": "dark"}}, "/any", "expected a list of conditions, found an object"),
    ({"not": [{"theme": "dark"}]}, "/not", "expected an object of conditions, found a list"),
    ({"query": {"\ud800": "x"}}, "", "half of a surrogate pair"),
    ({"query": {"ref": "a\0b"}}, "", "U+0000 NULL"),
]


@pytest.mark.parametrize(("conditions", "at", "expected"), numbered(CONDITIONS))
def test_a_bad_condition_is_an_error_and_not_show(conditions: Any, at: str, expected: str) -> None:
    """What can't be understood as a condition is an error at its pointer."""
    found = problems_of(a_page(blocks=(a_block(3, conditions=conditions),)))
    assert "component card, on page home, block 3, conditions" in found
    assert not at or f"conditions at {at}:" in found
    assert expected in found
    assert printable(found)


@pytest.mark.parametrize("operator", ["not", "any", "all"])
@pytest.mark.parametrize("depth", numbered([40, 50_000]))
def test_conditions_that_nest_without_end_are_refused(operator: str, depth: int) -> None:
    """Conditions nest at most 32 levels."""
    condition: Any = {"theme": "dark"}
    for _ in range(depth):
        condition = {operator: condition if operator == "not" else [condition]}
    found = problems_of(a_page(blocks=(a_block(conditions=condition),)))
    assert "conditions nest deeper than 32 levels" in found


def test_too_many_conditions_are_refused() -> None:
    """A block has at most a thousand conditions."""
    condition = {"any": [{"theme": "dark"}] * 100_000}
    found = problems_of(a_page(blocks=(a_block(conditions=condition),)))
    assert found.count("more than 1000 conditions") == 1


@pytest.mark.parametrize(
    ("metadata", "at", "expected"),
    numbered(
        [
            ([], "", "metadata is not an object"),
            ({"blocks": []}, "/blocks", "expected an object"),
            ({"blocks": {"1": 5}}, "/blocks/1", "expected an object with hydrate"),
            (
                {"blocks": {"1": {"hidrate": "load"}}},
                "/blocks/1",
                "expected an object with hydrate",
            ),
            (
                {"blocks": {"1": {"hydrate": "later"}}},
                "/blocks/1/hydrate",
                "known: load, idle, visible",
            ),
            ({"blocks": {"1": {"hydrate": []}}}, "/blocks/1/hydrate", "known: load, idle, visible"),
            ({"og": math.inf}, "/og", "not finite"),
            ({"form_action": "https://a.example"}, "/form_action", "expected a list of origins"),
            *(
                (
                    {"form_action": ["https://a.example", origin]},
                    "/form_action/1",
                    "no https origin",
                )
                for origin in (
                    "http://a.example",
                    "https:",
                    "https://*",
                    "https://*.example",
                    "https://a.example/",
                    "https://a.example; script-src *",
                    "https://a.example 'unsafe-inline'",
                    "https://a.example\n",
                    'https://a.example"><script>',
                    "https://a@b.example",
                    "'none'",
                    "javascript:",
                    7,
                    None,
                )
            ),
            ({"og": "\ud800"}, "/og", "half of a surrogate pair"),
            ({"__proto__": 1}, "/__proto__", "sets an object's prototype"),
        ]
    ),
)
def test_bad_page_metadata_is_refused(metadata: Any, at: str, expected: str) -> None:
    """Metadata is checked like props, and its known keys by their meaning."""
    found = problems_of(a_page(metadata=metadata))
    assert f"page home, metadata{' at ' + at if at else ''}: " in found
    assert expected in found


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    numbered(
        [
            ("name", "\ud800", "half of a surrogate pair"),
            ("meta_title", "a\0b", "U+0000 NULL"),
            ("meta_description", "\udc00", "half of a surrogate pair"),
            ("meta_title", "x" * 1_001, "has 1,001 characters"),
            ("meta_description", "x" * 10_001, "has 10,001 characters"),
            ("name", " \n ", "the page has no title"),
        ]
    ),
)
def test_a_bad_text_is_refused(field: str, value: str, expected: str) -> None:
    """Texts that can't be written as UTF-8, or are out of all proportion, are errors."""
    assert expected in problems_of(a_page(**{field: value}))


def test_two_blocks_with_one_order_are_refused() -> None:
    """A block's order is its id on the page, so it stands alone."""
    blocks = (a_block(1), a_block(1))
    assert "2 blocks have the order 1" in problems_of(a_page(blocks=blocks))


VALUES = [
    ("", "the value is empty"),
    ("   ", "the value is empty"),
    ("red;", "holds `;`"),
    ("red; } body { display: none", "holds `;`"),
    ("red}", "a } without its {"),
    ("{", "leaves a bracket"),
    ("{}", "holds { }"),
    ("rgb(0,0,0", "leaves a bracket"),
    ("[a", "leaves a bracket"),
    (")", "a ) without its ("),
    ("'open", "leaves a bracket"),
    ('"line\nbreak"', "a quote that is not closed on its line"),
    ("red /* ", "leaves a bracket"),
    ("red /* x */", "holds a comment"),
    ("red\\", "leaves a bracket"),
    ("</style><script>alert(1)</script>", "holds `<`"),
    ("'</style>'", "holds `</`"),
    ("<!--", "holds `<!--`"),
    ("red !important", "holds `!`"),
    ("@import 'x'", "holds @import"),
    ("url(https://evil.example/x.png)", "leads elsewhere"),
    ("url('//evil.example/x.png')", "leads elsewhere"),
    ("URL(\\68ttps://evil.example)", "leads elsewhere"),
    ("u\\72l('http://evil.example')", "leads elsewhere"),
    ("image-set('https://evil.example/x.png' 1x)", "leads elsewhere"),
    ("var(--x, url(https://evil.example))", "leads elsewhere"),
    ("url('/\\\\evil.example')", "leads elsewhere"),
    ("url('/\\9 /evil.example')", "leads elsewhere"),
    ("url(javascript:alert(1))", "a url( ) that is not well-formed"),
    ("url(javascript:alert)", "leads elsewhere"),
    ("url(data:text/html,x)", "leads elsewhere"),
    ("url(", "leaves a bracket"),
    ("url(a b)", "a url( ) that is not well-formed"),
    ("red\0", "U+0000 NULL"),
    ("\ud800", "half of a surrogate pair"),
    ("red\u202e", "an invisible character"),
    ("red\x1b[0m", "an invisible character"),
    ("x" * 10_001, "has 10,001 characters"),
    ("(" * 5_000, ""),
]


@pytest.mark.parametrize("of", ["default", "override"])
@pytest.mark.parametrize(("value", "expected"), numbered(VALUES))
def test_a_token_value_that_closes_its_rule_is_refused(of: str, value: str, expected: str) -> None:
    """A token's value is one CSS value; what would end its rule is an error on the token."""
    default = value if of == "default" else "blue"
    overrides = {"color.primary": value} if of == "override" else {}
    token = TokenRow(key="color.primary", category="color", default=default)
    branded = brand(a_node(overrides=overrides), (token,), lambda _: ())
    found = text(branded.problems)
    assert "color.primary" in found
    assert ("vengeance-local" in found) == (of == "override")
    assert expected in found
    assert printable(found)
    assert "color.primary" not in branded.tokens
    assert rules_of(branded.stylesheet) == 2


@pytest.mark.parametrize(
    "value",
    numbered(
        [
            "#e5484d",
            "rgb(0 0 0 / 20%)",
            "0 1px 2px rgb(0 0 0 / 20%), inset 0 0 0 1px var(--color-line)",
            "'Tektur', \"Semi;colon }\", sans-serif",
            "cubic-bezier(0.4, 0, 0.2, 1)",
            "calc(1px + (2px * 3))",
            "clamp(1rem, 2vw + .5rem, 2rem)",
            "url(/_rb/x.png)",
            "url('data:image/svg+xml,%3Csvg/%3E')",
            "url(#filter)",
            "\\31 23",
        ]
    ),
)
def test_a_token_value_as_people_write_it_is_taken(value: str) -> None:
    """Values with commas, functions, quotes and own addresses reach the stylesheet unchanged."""
    token = TokenRow(key="x", category="shadow", default=value)
    branded = brand(a_node(), (token,), lambda _: ())
    assert text(branded.problems) == ""
    assert f"--x:{value};" in branded.stylesheet.content.decode()


@pytest.mark.parametrize(
    ("overrides", "expected"),
    numbered(
        [
            ({"x: red} body{": "red"}, "letters and digits"),
            ({"": "red"}, "is empty"),
            ({"color..primary": "red"}, "letters and digits"),
            ({"c\u043elor": "red"}, "CYRILLIC SMALL LETTER O"),
            ({"a\u202eb": "red"}, "RIGHT-TO-LEFT OVERRIDE"),
            ({"k" * 256: "red"}, "256 characters"),
            ({"color.primary": True}, "expected a CSS value as text"),
            ({"color.primary": ["red"]}, "expected a CSS value as text"),
            ({"color.primary": math.inf}, "expected a CSS value as text"),
            ({"color.primary": "red", "color": {"primary": "blue"}}, "given twice"),
            ({"color.primary": "red", "color-primary": "blue"}, "are both --color-primary"),
            ({"theme": "blue"}, "unknown theme: blue"),
            ({"theme": ["dark"]}, "unknown theme"),
            ({"a": nested(20, "object")}, "nests too deep"),
            ({f"t{n}": "red" for n in range(3_000)}, "more than 2,000 tokens"),
        ]
    ),
)
def test_bad_overrides_are_refused(overrides: Any, expected: str) -> None:
    """Overrides are a theme and CSS values by token key; anything else is an error on the node."""
    found = text(brand(a_node(overrides=overrides), (), lambda _: ()).problems)
    assert "node_branding vengeance-local, style_overrides" in found
    assert expected in found
    assert printable(found)


SHEETS = [
    ("@import url('x.css');", 1, "@import is refused"),
    ("\n\n@import 'x';", 3, "@import is refused"),
    ("@\\69mport 'x';", 1, "@import is refused"),
    ("a{}@media x{@import 'y';}", 1, "@import is refused"),
    ("@charset 'utf-8';", 1, "@charset is refused"),
    ("@namespace svg url(/x);", 1, "@namespace is refused"),
    ("a { color: red }\n}\nb { color: blue }", 2, "a } without its {"),
    ("a { color: red", 1, "a { is never closed"),
    ("@media x {\n a { b: c }\n", 1, "a { is never closed"),
    ("a { color: rgb(1,2,3 }", 1, "never closed"),
    ("/* open", 1, "never closed"),
    ("a { content: 'x\n }", 1, "quote that is not closed on its line"),
    ("a { background: url(https://evil.example/x) }", 1, "leads elsewhere"),
    ("\na { background: url('//evil.example/x') }", 2, "leads elsewhere"),
    ("@font-face { src: url(http://evil.example/f) }", 1, "leads elsewhere"),
    ("a { cursor: image-set('http://evil.example' 1x) }", 1, "leads elsewhere"),
    ("/* </style> */", 1, "ends markup"),
    ("a { content: '</STYLE>' }", 1, "ends markup"),
    ("a\0 { b: c }", 1, "U+0000 NULL"),
    ("\na { b: '\ud800' }", 2, "half of a surrogate pair"),
    ("color: red", 1, "not CSS"),
    ("a { color red }", 1, "not CSS"),
    ("{" * 100 + "}" * 100, None, "nest deeper than 32 levels"),
    ("(" * 5_000, None, "nest deeper than 32 levels"),
]


@pytest.mark.parametrize(("css", "line", "expected"), numbered(SHEETS))
def test_css_that_leaves_its_layer_is_refused(css: str, line: int | None, expected: str) -> None:
    """A node's CSS stays inside its layer and its site; what doesn't is an error with its line."""
    branded = brand(a_node(custom_css=css), (), lambda _: ())
    found = text(branded.problems)
    assert expected in found
    assert "node_branding vengeance-local, custom_css" in found
    assert branded.problems[0].line == line
    assert branded.custom_css is None


@pytest.mark.parametrize(
    ("url", "expected"),
    numbered(
        [
            ("javascript:alert(1)", "no http or https address"),
            ("//evil.example", "no http or https address"),
            ("https://", "no http or https address"),
            ('https://a.example/"><script>', "no http or https address"),
            ("https://user:pass@a.example", "more than scheme, host and port"),
            ("https://a.example/x?y", "more than scheme, host and port"),
            ("https://a.example:99999", "is no address"),
            ("https://a\u202e.example", "no http or https address"),
        ]
    ),
)
def test_a_bad_base_url_is_refused(url: str, expected: str) -> None:
    """A node's base_url is the address of a site and nothing else."""
    assert expected in text(brand(a_node(base_url=url), (), lambda _: ()).problems)


def test_several_problems_are_reported_together() -> None:
    """A page with many mistakes names them all in one go."""
    blocks: tuple[BlockRow, ...] = (
        a_block(1, zone="middle", component="nobody"),
        a_block(2, props={"n": "x"}, conditions={"when": 1}),
        a_block(3, props={"n": None, "m": -1}),
    )
    component = a_component(schema={"n": {"type": "integer"}, "m": {"minimum": 0}})
    found = problems_of(a_page(route="/..", layout="none", blocks=blocks), component)
    for expected in (
        "unknown layout",
        "page_route",
        "unknown zone",
        "no component `nobody`",
        "unknown condition operator `when`",
        "block 2, props at /n",
        "block 3, props at /n",
        "block 3, props at /m",
    ):
        assert expected in found
