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
