"""`settings` of nodes and of frames: read strictly, with the place of every mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import Relations, assemble
from robbieblocks.brand import brand
from robbieblocks.messages import printable
from robbieblocks.model import NO_SETTINGS, PageRow, SiteSettings, StyleForm
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.page_texts import page_text
from robbieblocks.site_settings import read_settings
from robbieblocks.site_settings.keys import KEYS
from tests.pages import node
from tests.unit.rows import LAYOUTS, NOW, a_component, a_node, a_page, a_snapshot

OFF = SiteSettings(trusted_types="off")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*KEYS]) | st.text(), inner),
    max_leaves=20,
)


def a_frame(settings: Any, key: str = "frame") -> PageRow:
    return a_page(key, route="", metadata={"frame": True, "settings": settings})


def shown(*pages: PageRow) -> dict[str, PageRow]:
    content = Relations().applied(a_snapshot(*pages, components=(a_component(),)), NOW)
    return {row.key: row for row in content.pages}


@pytest.mark.parametrize(
    ("settings", "pointer", "what", "remedy"),
    [
        ({"trusted_type": "on"}, "/trusted_type", "unknown", "did you mean trusted_types?"),
        ({"trusted_types": "yes"}, "/trusted_types", "yes", "auto, on or off"),
        ({"trusted_types": 1}, "/trusted_types", "no text", "auto, on or off"),
        ({"a/b\n": 1}, "/a~1b\\n", "unknown", "known: "),
        ({"schemes": {"dim": {}}}, "/schemes/dim", "unknown", "known: dark"),
        ({"schemes": {"dark": []}}, "/schemes/dark", "not an object", "such as"),
        ({"schemes": {"dark": {"a": "\ud800"}}}, "/schemes/dark", "a text in it", "remove it"),
        ({"schemes": {"dark": {"a": "a" * 100_000}}}, "/schemes/dark", "characters", "100,000"),
        ([], "", "not an object", "write an object"),
        ("JSON longer than 4 characters", "", "JSON longer than 4", "write an object"),
    ],
)
def test_a_mistake_has_its_place_and_a_remedy(
    settings: Any, pointer: str, what: str, remedy: str
) -> None:
    """What is not understood is an error at a pointer, and nothing is made of it."""
    read, (problem,) = read_settings(settings)
    assert (read, problem.pointer) == (NO_SETTINGS, pointer)
    assert what in problem.what
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "origin",
    [
        "https://a.example; script-src *",
        "https://a.example' 'unsafe-inline'",
        "https://a.example\nX: y",
        'https://a.example"><script>',
        "https://a.example,https://b.example",
        "https://a.example/path",
        "https://user@a.example",
        "https://a.example:99999",
        "https://a.example:0",
        "https://m\u00fcnchen.example",
        "https://A.example",
        "https://*",
        "https://*.example",
        "https://a.*.example",
        "https://",
        "http://a.example",
        "http://localhost.evil.example",
        "//a.example",
        "data:",
        "blob:",
        "*",
        "'unsafe-eval'",
        "'self'",
        "",
        "https://a.example\0",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 10_000 + "example",
    ],
)
def test_what_is_no_host_never_reaches_a_policy(origin: str) -> None:
    """Each is refused with its place and a remedy."""
    settings, (problem,) = read_settings({"hosts": {origin: ["connects"]}})
    assert settings == NO_SETTINGS
    assert problem.pointer.startswith("/hosts")
    assert problem.remedy


@pytest.mark.parametrize(
    ("host", "allows", "wrong"),
    [
        ("https://a.example", ["scripts", "frames", "scripts"], ""),
        ("https://*.cdn.example:8443", ["images"], ""),
        ("https:", ["connects"], ""),
        ("http://localhost:8080", ["connects"], ""),
        ("ws://127.0.0.1:8080", ["connects"], ""),
        ("wss://a.example", ["connects"], ""),
        ("http://localhost:8080", ["scripts"], "allows connects alone"),
        ("wss://a.example", ["frames"], "allows connects alone"),
        ("https://a.example", ["script"], "is unknown: script"),
        ("https://a.example", "scripts", "expected a list"),
        ("https://a.example", None, "expected a list"),
        ("https://a.example", ["scripts"] * 10, "has 10 entries"),
    ],
)
def test_a_host_allows_what_its_list_names(host: str, allows: Any, wrong: str) -> None:
    """Plain http and sockets are for requests alone, and http for this machine alone."""
    settings, problems = read_settings({"hosts": {host: allows}})
    assert [wrong in each.what for each in problems] == ([True] if wrong else [])
    assert [each.origin for each in settings.hosts] == ([] if wrong else [host])


def test_ten_thousand_hosts_are_one_mistake() -> None:
    """A policy that no browser should have to read is not made."""
    hosts = {f"https://a{number}.example": ["images"] for number in range(10_000)}
    settings, (problem,) = read_settings({"hosts": hosts})
    assert (settings, problem.pointer) == (NO_SETTINGS, "/hosts")
    assert "10,000 entries" in problem.what


@pytest.mark.parametrize(
    ("script", "pointer"),
    [
        ({}, ""),
        ({"src": "https://a.example/s.js;x"}, "/src"),
        ({"src": "https://a.example/s.js,x"}, "/src"),
        ({"src": "https://a.example/s.js'x"}, "/src"),
        ({"src": "https://a.example/s.js#x"}, "/src"),
        ({"src": "//a.example/s.js"}, "/src"),
        ({"src": "http://a.example/s.js"}, "/src"),
        ({"src": "data:text/javascript,1"}, "/src"),
        ({"src": "javascript:1"}, "/src"),
        ({"src": "/s.js", "integrity": "sha256-x"}, "/integrity"),
        ({"src": "/s.js", "integrity": "md5-" + "a" * 43}, "/integrity"),
        ({"src": "/s.js", "consent": "A b"}, "/consent"),
        ({"src": "/s.js", "async": "yes"}, "/async"),
        ({"src": "/s.js", "data": {"a onload": "x"}}, "/data/a onload"),
        ({"src": "/s.js", "data": {"a": 1}}, "/data/a"),
        ({"src": "/s.js", "onload": "x"}, "/onload"),
    ],
)
def test_a_script_that_could_break_out_is_refused(script: Any, pointer: str) -> None:
    """So is one that has no address, and one with an attribute that is none."""
    settings, (problem,) = read_settings({"scripts": [script]})
    assert (settings, problem.pointer) == (NO_SETTINGS, f"/scripts/0{pointer}")


@pytest.mark.parametrize(
    ("head", "pointer"),
    [
        ({"links": [{"rel": "stylesheet", "href": "https://a.example/a.css"}]}, "/links/0/rel"),
        ({"links": [{"rel": "me"}]}, "/links/0"),
        ({"links": [{"rel": "me", "href": "javascript:1"}]}, "/links/0/href"),
        ({"links": [{"rel": "me", "href": 'https://a.example/"x'}]}, "/links/0/href"),
        ({"links": [{"rel": "me", "href": "/", "onload": "x"}]}, "/links/0/onload"),
        ({"links": [{"rel": "preload", "href": "/a"}]}, "/links/0"),
        ({"links": [{"rel": "preload", "href": "/a", "as": "script"}]}, "/links/0/as"),
        ({"metas": [{"http-equiv": "refresh", "content": "0"}]}, "/metas/0/http-equiv"),
        ({"metas": [{"name": "a", "property": "b", "content": "c"}]}, "/metas/0"),
        ({"metas": [{"name": "description", "content": "c"}]}, "/metas/0/name"),
        ({"metas": [{"name": 'a"b', "content": "c"}]}, "/metas/0/name"),
        ({"metas": [{"name": "a"}]}, "/metas/0"),
        ({"links": {}}, "/links"),
        ([], ""),
    ],
)
def test_only_known_elements_stand_in_a_head(head: Any, pointer: str) -> None:
    """No element that could run, redirect or restyle a page, or that the page has already."""
    settings, problems = read_settings({"head": head})
    assert settings == NO_SETTINGS
    assert problems[0].pointer == f"/head{pointer}"


def test_a_page_has_a_head_of_its_own() -> None:
    """Its elements stand beside those of its app's frames; a mistake holds the page back."""
    author = {"metas": [{"name": "author", "content": "A"}]}
    me = {"links": [{"rel": "me", "href": "https://a.example/"}]}
    frame = a_page("frame", route="", metadata={"frame": True, "head": me})
    content = a_snapshot(a_page(metadata={"head": author}), frame)
    assembly = assemble(Relations().applied(content, NOW), "play", layouts=LAYOUTS)
    assert [each.tag for each in assembly.pages[0].page.settings.head] == ["link", "meta"]
    wrong = a_page(metadata={"head": {"metas": [{"name": "a"}]}})
    (problem,) = assemble(a_snapshot(wrong), "play", layouts=LAYOUTS).held_back["home"]
    assert problem.where == "page home, metadata at /head/metas/0"


def test_lists_of_several_rows_add_up() -> None:
    """An app's frames allow hosts beside those of the node; each stands there once."""
    one, two = ({"hosts": {f"https://{name}.example": ["images"]}} for name in "ab")
    node_settings, app = read_settings(one)[0], read_settings(two)[0]
    assert app.over(node_settings).hosts == (*node_settings.hosts, *app.hosts)
    assert app.over(app).hosts == app.hosts
    assert OFF.over(app) == replace(app, trusted_types="off")


def test_what_is_right_beside_a_mistake_is_read() -> None:
    """A mistake in one key takes away no other; a null is as if the key were not there."""
    read, (problem,) = read_settings({"trusted_types": "off", "x": None})
    assert (read, problem.pointer) == (OFF, "/x")
    assert read_settings({"trusted_types": None}) == (NO_SETTINGS, ())


@given(JSON)
def test_any_json_is_read_or_refused(value: Any) -> None:
    """No value makes the reader fail, and what it says of one can be printed on a line."""
    read, problems = read_settings(value)
    assert isinstance(read, SiteSettings)
    assert len(problems) <= 20
    assert all(printable(p.pointer + p.what[:40]).isprintable() for p in problems)


def test_a_nodes_mistake_names_its_row() -> None:
    """The node is held back with a problem of the field `settings`."""
    branded = brand(a_node(settings={"trusted": 1}), (), lambda _: ())
    (problem,) = branded.problems
    assert problem.where == "node_branding vengeance-local, settings at /trusted"
    assert problem.severity == "error"


@pytest.mark.parametrize("form", ["inline", "fixed"])
def test_settings_of_a_node_decide_its_pages(form: StyleForm) -> None:
    """A node's settings are in the fingerprint of its branding, and nothing is where none are."""
    branded = brand(a_node(settings={"trusted_types": "off"}), (), lambda _: ())
    assert branded.settings == OFF
    with_settings = BrandFingerprint.of(replace(node(), settings=OFF), form)
    without = BrandFingerprint.of(node(), form)
    assert with_settings.whole != without.whole
    assert without == BrandFingerprint.of(replace(node(), settings=read_settings({})[0]), form)


def test_a_frames_settings_are_those_of_its_apps_pages() -> None:
    """Of two frames with a key the first by its key states it; pages without frames have none."""
    alone = a_page("alone", metadata={"frame": False})
    pages = shown(
        a_page("home"),
        alone,
        a_page("other", app="work"),
        a_frame({"trusted_types": "off"}, "b"),
        a_frame({"trusted_types": "on"}, "c"),
        a_frame({}, "a"),
    )
    assert pages["home"].settings == OFF
    assert pages["alone"] is alone
    assert pages["other"].settings is NO_SETTINGS


def test_a_frames_mistake_holds_its_apps_pages_back() -> None:
    """The problem of each page names the frame and the place in its metadata."""
    content = Relations().applied(a_snapshot(a_page(), a_frame({"trusted": 1})), NOW)
    assembly = assemble(content, "play", layouts=LAYOUTS)
    assert assembly.pages == ()
    (problem,) = assembly.held_back["home"]
    assert problem.where == "page frame, metadata at /settings/trusted"


def test_a_page_that_is_no_frame_has_no_settings() -> None:
    """They would be ignored silently."""
    page = a_page(metadata={"settings": {"trusted_types": "off"}})
    assembly = assemble(a_snapshot(page), "play", layouts=LAYOUTS)
    (problem,) = assembly.held_back["home"]
    assert (problem.field, problem.pointer) == ("metadata", "/settings")


def test_a_pages_text_tells_its_settings() -> None:
    """A setting of a frame changes what its app's pages are made from."""
    pages = [
        assemble(
            Relations().applied(a_snapshot(a_page(), *frames), NOW), "play", layouts=LAYOUTS
        ).pages[0]
        for frames in ((), (a_frame({}),), (a_frame({"trusted_types": "off"}),))
    ]
    without, empty, off = (page_text(page.page) for page in pages)
    assert without == empty != off


def test_a_frame_can_t_state_what_is_a_node_s() -> None:
    """Its pages are held back, and the place in its metadata is named."""
    pages = shown(a_page("home"), a_frame({"schemes": {"dark": {}}}))
    (problem,) = pages["home"].faults
    assert problem.pointer == "/settings/schemes"
