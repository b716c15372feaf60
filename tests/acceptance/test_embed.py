"""The component embed, and settings of a row, on a built site in a real browser."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from robbieblocks.builtin import BUILTIN
from tests.browser.chromium import Noise, accessibility_violations, html_problems
from tests.sites import NODE, Block, MakeSite, Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

MAP = "https://www.maps.example/?q=harbour"
EMBED = {"title": "Where we are", "src": MAP, "ratio": "4/3"}
SETTINGS = {
    "hosts": {"https://*.maps.example": ["frames"], "https://api.example:8443": ["connects"]},
    "scripts": [{"src": "https://stats.example/s.js", "consent": "statistics"}],
}
_ALIVE = """() => Object.keys(document.querySelector(".embed")).some(
    (key) => key.startsWith("__reactFiber"))"""
OF_FRAME = {"hosts": {"https://img.example": ["images"]}, "trusted_types": "off"}


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """A page with an embed that the node allows, and one with an embed that it does not."""
    site = make_site()
    embed = BUILTIN["embed"]
    site.component(
        embed.key, embed.code, css=embed.css, schema=embed.props_schema, metadata=embed.metadata
    )
    site.sql(
        "UPDATE robbieblocks_node_branding SET settings = %s::jsonb WHERE node_id = %s",
        json.dumps(SETTINGS),
        NODE,
    )
    site.page("around", route="", metadata={"frame": True, "settings": OF_FRAME})
    site.page("home", Block(component="embed", props=EMBED))
    far = {**EMBED, "src": "https://evil.test/"}
    site.page("far", Block(component="embed", props=EMBED), Block(component="embed", props=far))
    site.build()
    return site


def _answer(route: Route) -> None:
    route.fulfill(body="<!doctype html><title>Map</title>", content_type="text/html")


def test_a_frame_that_no_setting_allows_holds_its_page_back(site: Site) -> None:
    """The error names block, prop and what to write; the other page goes out."""
    (problem,) = site.problems()
    assert problem.where == "component embed, on page far, block 2, props at /src"
    assert "allow no frames of https://evil.test" in problem.what
    assert '"https://evil.test" = ["frames"]' in problem.remedy
    assert not site.file("/far/").exists()
    assert site.file("/home/").exists()


def test_settings_of_rows_are_on_the_served_page(site: Site) -> None:
    """What a node and a frame state decides the page's policy and what it loads."""
    html = site.file("/home/").read_text()
    assert "frame-src 'self' https://*.maps.example;" in html
    assert "connect-src 'self' https://api.example:8443;" in html
    assert "img-src 'self' https://img.example data: blob:;" in html
    assert '"src":"https://stats.example/s.js"' in html
    assert "require-trusted-types-for" not in html
    assert html_problems([site.file("/home/")]) == []


def test_an_embed_is_loaded_once_the_visitor_asks(site: Site, page: Page, noise: Noise) -> None:
    """Nothing is asked of the other site before; by keyboard the frame takes the focus."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("https://www.maps.example/**", _answer)
    with site.served() as address:
        page.goto(f"{address}/home/")
        embed = page.get_by_role("group", name="Where we are")
        embed.get_by_role("link", name="www.maps.example").wait_for()
        button = embed.get_by_role("button", name="Show")
        before = embed.bounding_box()
        page.wait_for_function(_ALIVE)
        assert accessibility_violations(page, exclude_rules=("page-has-heading-one",)) == []
        assert not [url for url in asked if ".example" in url]
        button.press("Enter")
        frame = page.locator("iframe")
        page.frame_locator("iframe").locator("title").wait_for(state="attached")
        assert frame.get_attribute("title") == "Where we are"
        assert page.evaluate("document.activeElement.tagName") == "IFRAME"
        assert frame.bounding_box() == before
        assert [url for url in asked if ".example" in url] == [MAP]
    assert not str(noise)


def test_an_embed_is_a_link_without_scripts(site: Site, browser: Browser) -> None:
    """The address is there to follow, and no button that would do nothing."""
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        with site.served() as address:
            page.goto(f"{address}/home/")
            assert page.get_by_role("link", name="www.maps.example").get_attribute("href") == MAP
            assert page.get_by_role("button").count() == 0
    finally:
        context.close()
