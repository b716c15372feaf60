"""What a visitor's browser, a crawler and a link preview get besides the blocks."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from selectolax.lexbor import LexborHTMLParser

from tests.browser.chromium import Noise, accessibility_violations, html_problems
from tests.sites import NODE, Block, MakeSite, Site, served, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

BASE = "https://play.example.org"
TITLE = "export default ({ text }) => <h1>{text}</h1>;"
LINKS = "export default () => <p><a href='/second/'>To the second</a></p>;"
COUNTER = """export default () => { const [n, setN] = useState(0);
  return <button type="button" onClick={() => setN(n + 1)}>{n} times</button>; };"""
GRAPH = {"@context": "https://schema.org", "@type": "Article", "headline": "</script><b>&"}


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    made = make_site()
    for key, code in {"title": TITLE, "links": LINKS, "counter": COUNTER}.items():
        made.component(key, code)
    made.page(
        "first",
        *(Block(component="title", props={"text": "First"}), "links", "counter"),
        title="First & foremost",
        description='Says "hello"',
        metadata={
            "og_type": "article",
            "og_image": "/pictures/a b.png",
            "og_image_alt": "A picture",
            "json_ld": GRAPH,
            "lang": "en-GB",
            "blocks": {"2": {"hydrate": "idle"}},
        },
    )
    made.page("second", Block(component="title", props={"text": "Second"}), "counter")
    made.page("uber", Block(component="title", props={"text": "Über"}), route="/über/")
    made.sql("UPDATE robbieblocks_node_branding SET base_url = %s WHERE node_id = %s", BASE, NODE)
    made.build()
    made.build(app="shared")
    assert made.problems(warnings=True) == []
    return made


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.builder.settings.site_root, NODE) as base:
        yield base


def test_the_head_says_what_previews_need(site: Site) -> None:
    """Title, description, canonical, Open Graph and JSON-LD are there, absolute and as text."""
    document = LexborHTMLParser(site.file("/first/").read_text())

    def content(selector: str, attribute: str = "content") -> str | None:
        found = document.css_first(selector)
        assert found is not None, selector
        return found.attributes[attribute]

    title = document.css_first("title")
    assert title is not None
    assert title.text() == "First & foremost · Vengeance"
    assert document.root is not None
    assert document.root.attributes["lang"] == "en-GB"
    assert content("meta[name=description]") == 'Says "hello"'
    assert content("link[rel=canonical]", "href") == f"{BASE}/first/"
    expected = {
        "og:title": "First & foremost",
        "og:type": "article",
        "og:description": 'Says "hello"',
        "og:url": f"{BASE}/first/",
        "og:image": f"{BASE}/pictures/a%20b.png",
        "og:image:alt": "A picture",
        "og:locale": "en_GB",
    }
    assert {name: content(f"meta[property='{name}']") for name in expected} == expected
    graph = document.css_first("script[type='application/ld+json']")
    assert graph is not None
    assert json.loads(graph.text()) == GRAPH


def test_crawlers_find_every_page(address: str, page: Page) -> None:
    """robots.txt leads to the sitemap index, that to the app's sitemap, that to each page."""
    robots = page.request.get(f"{address}/robots.txt")
    assert f"Sitemap: {BASE}/sitemap.xml" in robots.text()
    index = page.request.get(f"{address}/sitemap.xml")
    assert f"<loc>{BASE}/sitemap-play.xml</loc>" in index.text()
    listed = page.request.get(f"{address}/sitemap-play.xml")
    assert "xml" in listed.headers["content-type"]
    for route in ("/first/", "/second/", "/%C3%BCber/"):
        assert f"<loc>{BASE}{route}</loc>" in listed.text()


def test_a_missing_page_is_branded_and_says_so(address: str, page: Page, noise: Noise) -> None:
    """An unknown address answers 404 with the node's own page, which stays out of search."""
    answer = page.goto(f"{address}/nowhere/")
    assert answer is not None
    assert answer.status == 404
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.locator("meta[name=robots]").get_attribute("content") == "noindex"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(8, 6, 15)"
    assert accessibility_violations(page) == []
    assert [line for line in noise.console if "404" not in line] == []
    noise.clear()


def test_moving_between_pages_is_quiet(address: str, page: Page) -> None:
    """With speculation rules and view transitions under the page's CSP a link is followed without
    a word in the console, and the next page works."""
    page.emulate_media(reduced_motion="no-preference")
    visit(page, f"{address}/first/")
    rules = json.loads(page.locator("script[type=speculationrules]").inner_text())
    assert rules["prefetch"]
    page.get_by_role("link", name="To the second").hover()
    page.get_by_role("link", name="To the second").click()
    page.wait_for_url("**/second/")
    page.wait_for_function(
        "() => Object.keys(document.querySelector('button')).some((k) => k.startsWith('__react'))"
    )
    page.get_by_role("button").click()
    assert page.get_by_role("button").inner_text() == "1 times"
    # On a page with modules the rules wait for its first frame.
    page.wait_for_function("() => document.head.querySelector(':scope > [type=speculationrules]')")
    assert page.locator("script[type=speculationrules]").count() == 1
    taken: list[Any] = []

    def told(event: Any) -> None:
        taken.append(event["ruleSet"])

    session: Any = page.context.new_cdp_session(page)
    session.on("Preload.ruleSetUpdated", told)
    session.send("Preload.enable")
    assert [json.loads(each["sourceText"]) for each in taken] == [rules]
    assert "errorType" not in taken[0]
    page.go_back()
    page.wait_for_url("**/first/")
    assert page.get_by_role("heading", name="First").is_visible()


def test_pages_are_valid_and_accessible(site: Site, address: str, page: Page) -> None:
    """html-validate and axe have nothing to say of pages nor of the 404."""
    root = site.builder.settings.site_root / NODE / "play" / "current"
    files = [site.file(route) for route in ("/first/", "/second/", "/über/")]
    files += root.resolve().rglob("404.html")
    assert html_problems(files) == []
    for route in ("/first/", "/second/", "/%C3%BCber/"):
        visit(page, f"{address}{route}")
        assert accessibility_violations(page) == []


def test_the_largest_text_is_in_the_html_and_nothing_moves(address: str, page: Page) -> None:
    """What is painted largest comes with the HTML, and hydration shifts nothing."""
    page.add_init_script(
        "window.shift = 0; new PerformanceObserver((l) => l.getEntries().forEach((e) => "
        "{ shift += e.value; })).observe({ type: 'layout-shift', buffered: true });"
    )
    visit(page, f"{address}/second/")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("shift") == 0


def test_a_node_with_both_themes_follows_the_visitor(site: Site, address: str, page: Page) -> None:
    """Colours and `data-theme` follow what the visitor prefers, at once; paper is light."""
    light = tomllib.loads(
        (Path(__file__).parents[2] / "node_branding/collaboration-local.toml").read_text()
    )
    scheme = {key: value for key, value in light["tokens"].items() if key.startswith("color")}
    query = "UPDATE robbieblocks_node_branding SET settings = %s WHERE node_id = %s"
    site.sql(query, json.dumps({"schemes": {"light": scheme}}), NODE)
    site.build()
    assert site.problems() == []
    seen = """() => [document.documentElement.dataset.theme,
      getComputedStyle(document.documentElement).getPropertyValue("--color-background")]"""
    page.emulate_media(color_scheme="light")
    visit(page, f"{address}/first/")
    assert page.evaluate(seen) == ["light", scheme["color.background"]]
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("() => document.documentElement.dataset.theme === 'dark'")
    assert page.evaluate(seen)[1] == "#08060f"
    page.emulate_media(media="print", color_scheme="dark")
    # With reduced motion colours change within a millisecond, not at once.
    page.wait_for_function("() => getComputedStyle(document.body).color === 'rgb(17, 17, 17)'")
    page.emulate_media(media="screen", color_scheme="light")
    assert accessibility_violations(page) == []
    icon = page.locator("link[rel=icon]").get_attribute("href")
    assert page.request.get(f"{address}{icon}").headers["content-type"] == "image/svg+xml"
