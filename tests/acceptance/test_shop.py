"""The example shop, made as `make demo SITE=shop` makes it, and visited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin

import pytest

from tests import loopback
from tests.acceptance.test_docs_site import crawled
from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation
from tests.databases import Databases
from tests.shop import COMMANDS, NODES, PATHS, SHOP

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


@pytest.fixture(scope="module")
def shop(
    toolchain: object, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The shop in a folder and a database of its own, built."""
    assert toolchain
    folder = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns(".robbieblocks"))
    with databases.copy() as conninfo:
        home = {"ROBBIEBLOCKS_HOME": ""}
        shell = Installation(home=folder / ".robbieblocks", database_url=conninfo, variables=home)
        for command in COMMANDS:
            ran = shell.run(*command)
            assert ran.code == 0, ran
        yield shell


@pytest.fixture(scope="module")
def served(shop: Installation) -> Iterator[Mapping[str, str]]:
    """The address of each node."""
    with shop.running("serve", "--port", "0") as server:
        assert server.stdout is not None
        yield dict(server.stdout.readline().split() for _ in NODES)


def test_make_demo_takes_these_steps() -> None:
    """What `make demo SITE=shop` runs is what this file has tried."""
    lines = (SHOP.parents[1] / "Makefile").read_text("utf-8").splitlines()
    steps = [line.partition("$(SHOP) ")[2] for line in lines if line.startswith("\t$(SHOP) ")]
    assert [tuple(step.split()) for step in steps] == list(COMMANDS)


def test_check_finds_nothing(shop: Installation) -> None:
    assert shop.run("check").out == "0 errors, 0 warnings\n"


def test_every_link_leads_somewhere(served: Mapping[str, str]) -> None:
    """From the first page of each node, in both languages; fragments, too."""
    for address in served.values():
        ids, links = crawled(address)
        assert len(ids) > 110
        assert urljoin(address, "/shop/de/") in ids
        fragments = {urldefrag(link) for link in links}
        assert not [at for at, name in fragments if name and name not in ids[at]]


def test_one_piece_that_changes_is_one_page(shop: Installation) -> None:
    """And the lists that show it: the price of a bowl rewrites nothing of mugs."""
    update = "UPDATE pieces SET price_cents = 4900 WHERE slug = 'anvil-bowl'"
    assert shop.run("db", "psql", "-q", "-c", update).code == 0
    ran = shop.run("build", "--app", "shop", "--node", "quay", "--format", "json")
    pages = [page for run in json.loads(ran.out)["runs"] for page in run["pages"]]
    changed = {page["key"] for page in pages if page["change"] != "unchanged"}
    assert {"piece--anvil-bowl", "stueck--anvil-bowl", "pieces", "stuecke"} <= changed
    assert not [key for key in changed if key.endswith(("-mug", "-vase", "-plate"))]


def test_old_addresses_lead_on(served: Mapping[str, str]) -> None:
    """Redirects of the frame."""
    moved = loopback.get(urljoin(served["quay"], "/blog/sea-glaze/"), follow_redirects=True)
    assert moved.url.path == "/shop/journal/sea-glaze/"
    assert loopback.get(served["quay"] + "summer-sale/").status_code == 410


@pytest.mark.parametrize(
    ("node", "path", "lang", "query", "title", "many", "more", "none", "tag", "all_"),
    [
        (
            *("quay", "search/", "en", "firings", "The first firing"),
            *("bowl", "More results", "No page was found.", "bowl", "All"),
        ),
        (
            *("kiln", "de/suche/", "de", "glasiert", "Die Werkstatt"),
            *("höhe", "Weitere Ergebnisse", "Keine Seite gefunden.", "Schale", "Alles"),
        ),
    ],
)
def test_visitors_find_pages_in_their_language(
    served: Mapping[str, str],
    context: BrowserContext,
    node: str,
    path: str,
    lang: str,
    query: str,
    title: str,
    many: str,
    more: str,
    none: str,
    tag: str,
    all_: str,
) -> None:
    """By keyboard, under the page's policy, with a choice of tags where the pages have several;
    nothing of the index is loaded before the focus.
    """
    page, noise, asked = context.new_page(), Noise(), list[str]()
    noise.watch(page)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(urljoin(served[node], f"/shop/{path}"))
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "search-shop.json" in url or ".wasm" in url]
    field = page.get_by_role("searchbox")
    field.press_sequentially(query)
    link = page.locator(".search-results").get_by_role("link", name=title).first
    link.wait_for()
    field.fill(many)
    page.get_by_role("button", name=more).press("Enter")
    eleventh = page.locator(".search-results li:nth-child(11) a:focus")
    eleventh.wait_for()
    assert accessibility_violations(page) == []
    status = page.get_by_role("status")
    everything = status.inner_text()
    page.get_by_role("radio", name=tag).focus()
    page.keyboard.press("Space")
    status.get_by_text(everything).wait_for(state="detached")
    assert page.get_by_role("radio", name=tag, checked=True).count() == 1
    shown = page.locator(".search-results p").all_inner_texts()
    assert shown
    assert not [text for text in shown if tag.lower() not in text.lower()]
    assert accessibility_violations(page) == []
    page.get_by_role("radio", name=all_).press("Space")
    status.get_by_text(everything).wait_for()
    field.fill("zzxqv")
    status.get_by_text(none).wait_for()
    assert page.get_by_role("radio").count() == 0
    field.fill(query)
    link.press("Enter")
    page.wait_for_url(lambda url: not url.endswith(path))
    assert page.locator("html").get_attribute("lang") == lang
    assert noise == Noise()


@pytest.mark.parametrize(
    ("node", "path", "lang", "words", "title"),
    [
        ("quay", "pieces/no/such/bowl", "en", "first firing", "The first firing"),
        ("kiln", "de/gibt/es/nicht/", "de", "glasiert", "Die Werkstatt"),
    ],
)
def test_what_is_not_there_is_answered_in_its_language(
    served: Mapping[str, str],
    context: BrowserContext,
    node: str,
    path: str,
    lang: str,
    words: str,
    title: str,
) -> None:
    """With the frame around it, and a search that works at any address."""
    address = urljoin(served[node], f"/shop/{path}")
    assert loopback.get(address).status_code == 404
    page, noise = context.new_page(), Noise()
    noise.watch(page)
    page.goto(address)
    assert page.locator("html").get_attribute("lang") == lang
    assert page.get_by_role("banner").count() == 1
    assert accessibility_violations(page) == []
    page.get_by_role("searchbox").fill(words)
    page.locator(".search-results").get_by_role("link", name=title).first.click()
    page.wait_for_url(lambda url: not url.endswith(path))
    assert page.get_by_role("heading", level=1).count() == 1
    # The browser itself says that the page is none.
    assert noise.failed == [f"{address}: 404"]
    assert not noise.errors
    assert all("status of 404" in text for text in noise.console), noise


def test_paper_has_no_grounds(served: Mapping[str, str], context: BrowserContext) -> None:
    """What is light on a dark button is dark on paper, and what can only be pressed is left out."""
    page = context.new_page()
    page.emulate_media(media="print")
    for path, link in (("", ".go"), ("pieces/skerry-bowl", ".ask")):
        page.goto(served["quay"] + path)
        page.wait_for_function(
            """(link) => getComputedStyle(document.querySelector(link)).color
                .match(/\\d+/g).every((part) => part < 140)""",
            arg=link,
        )
        ground = page.locator(link).evaluate("(it) => getComputedStyle(it).backgroundColor")
        assert ground == "rgba(0, 0, 0, 0)"
    page.goto(served["quay"] + "pieces/")
    assert not page.get_by_role("group", name="Kinds").is_visible()


def test_a_choice_that_needs_scripts_is_not_shown_without_them(
    served: Mapping[str, str], browser: Browser
) -> None:
    """All pieces are there, and no dead buttons."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(served["quay"] + "pieces/")
    assert page.locator(".shelf li").count() == 40
    assert page.get_by_role("button").count() == 0
    context.close()


def test_the_bar_says_where_one_is(served: Mapping[str, str], context: BrowserContext) -> None:
    """On the page itself, and in a part of the shop."""
    page = context.new_page()
    for path, says in (("pieces/", "page"), ("pieces/skerry-bowl", "true")):
        page.goto(served["kiln"] + path)
        marks = page.locator("[aria-current]").evaluate_all(
            "all => all.map((each) => [each.textContent, each.ariaCurrent])"
        )
        assert marks == [["Pieces", says]]


@pytest.mark.parametrize("width", [390, 700, 1280])
def test_a_piece_stands_on_its_shelf(
    served: Mapping[str, str], context: BrowserContext, width: int
) -> None:
    """Its picture reaches a tenth of its own width below the shelf's edge, in any column."""
    page = context.new_page()
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(served["quay"] + "pieces/skerry-bowl")
    below, wide = page.locator(".piece .stand").evaluate(
        """(stand) => {
            const picture = stand.querySelector("img").getBoundingClientRect();
            const edge = stand.getBoundingClientRect().top + stand.clientHeight;
            return [picture.bottom - edge, picture.width];
        }"""
    )
    assert below == pytest.approx(wide / 10, abs=1)


def test_pages_are_silent_and_open_to_all(
    served: Mapping[str, str], context: BrowserContext
) -> None:
    """No console message, nothing that axe names, no page wider than its window."""
    for node, width in (("quay", 1280), ("kiln", 390)):
        for path in PATHS:
            page, noise = context.new_page(), Noise()
            noise.watch(page)
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(served[node] + path)
            page.wait_for_load_state("networkidle")
            assert accessibility_violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") == width, path
            assert noise == Noise(), path
            page.close()
