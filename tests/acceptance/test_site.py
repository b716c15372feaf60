"""The seeded site as its commands make it, page by page, on every node, in a real Chromium."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.acceptance.conftest import ROUTES, Demo
from tests.browser.chromium import Noise, accessibility_violations, html_problems

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

SCREENS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}, "reduced_motion": "no-preference"},
    "phone": {
        "viewport": {"width": 390, "height": 844},
        "reduced_motion": "reduce",
        "device_scale_factor": 2,
        "is_mobile": True,
        "has_touch": True,
    },
}
PAGES = [(node, route) for node, routes in ROUTES.items() for route in routes]
# Two nodes that have all pages between them.
EACH_PAGE_ONCE = ("vengeance-local", "aurora-town-local")

# Runs before the page's own scripts, and outside of its CSP.
WATCH = """
window.seen = { shifts: [], largest: null, refused: [] };
new PerformanceObserver(list => list.getEntries().forEach(entry => seen.shifts.push(
    [entry.value, entry.sources.map(source => source.node?.outerHTML?.slice(0, 120))])
)).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver(list => { seen.largest = list.getEntries().at(-1); }
).observe({ type: "largest-contentful-paint", buffered: true });
addEventListener("securitypolicyviolation", event => seen.refused.push(
    `${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
"""
# Scrolls like a reader, so that blocks which wait to be seen come to life, until all live.
ALIVE = """
async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const islands = JSON.parse(document.getElementById("rb-islands")?.textContent ?? "[]");
    const roots = islands.filter(each => !each.still).map(each => document.getElementById(each.id));
    const lives = root => getComputedStyle(root).display === "none" || root.firstElementChild
        && Object.keys(root.firstElementChild).some(key => key.startsWith("__reactFiber"));
    for (const root of roots) {
        root.scrollIntoView({ behavior: "instant" });
        while (!lives(root)) await frame();
    }
    scrollTo({ top: 0, behavior: "instant" });
    await document.fonts.ready;
    for (let count = 0; count < 5; count += 1) await frame();
    return roots.length;
}
"""
# Until the whole page is there and drawn in its own fonts.
FONTS_SHOWN = """
async () => {
    const frame = () => new Promise(requestAnimationFrame);
    while (document.readyState === "loading") await frame();
    await document.fonts.ready;
    for (let count = 0; count < 5; count += 1) await frame();
    seen.shifts = [];
}
"""
RUNTIME = "**/_rb/islands-*.js"
# Controls that do nothing without scripts, and what is said of them, need not be there then.
BLOCKS = """
all => all.map(each => {
    const height = each.getBoundingClientRect().height;
    const controls = "form, .chat-hints, .jack-controls, .money-tools, .notes-add, .shelf-foot";
    each.querySelectorAll(`${controls}, .notes-foot, .jack-keys, .rain-foot`).forEach(
        control => control.remove());
    return [each.id, each.innerText, height];
})
"""


def visit(page: Page, url: str) -> int:
    """Open a page and let all of it come to life; the number of blocks that live."""
    page.goto(url)
    return int(page.evaluate(ALIVE))


def visit_by_fonts_first(page: Page, url: str) -> int:
    """The same with what shifts (`WATCH`) from then on alone: the runtime comes after the fonts."""
    held: list[Route] = []
    shown = False

    def hold(route: Route) -> None:
        if shown:
            route.continue_()
        else:
            held.append(route)

    page.route(RUNTIME, hold)
    page.goto(url, wait_until="commit")
    page.evaluate(FONTS_SHOWN)
    shown = True
    for route in held:
        route.continue_()
    return int(page.evaluate(ALIVE))


@pytest.mark.parametrize(("node", "route"), PAGES)
def test_a_seed_page_is_whole_still_silent_and_open_to_all(
    demo: Demo, browser: Browser, node: str, route: str
) -> None:
    """On a desktop and on a phone: no message, failed request or CSP refusal; nothing shifts when
    blocks come to life; no sideways scroll; axe-core has nothing to say.

    Blocks come to life when the fonts are there. That text keeps its place when these come, other
    tests hold: this Chromium has none of the fonts that visitors have.
    """
    for screen, options in SCREENS.items():
        context = browser.new_context(**options)
        context.add_init_script(WATCH)
        page, noise = context.new_page(), Noise()
        noise.watch(page)
        assert visit_by_fonts_first(page, demo.url(node, route)) > 0
        seen: dict[str, Any] = page.evaluate("seen")
        assert str(noise) == "", screen
        assert seen["refused"] == []
        assert sum(value for value, _ in seen["shifts"]) < 0.01, (screen, seen["shifts"])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), screen
        assert page.locator("h1").count() == 1
        assert accessibility_violations(page) == [], screen
        context.close()


@pytest.mark.parametrize("node", EACH_PAGE_ONCE)
def test_pages_say_all_they_say_before_any_script_runs(
    demo: Demo, browser: Browser, node: str
) -> None:
    """With scripts blocked each block shows what it shows alive, the largest thing among it; what
    only a script could answer to is left out."""
    plain = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800})
    living = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    living.add_init_script(WATCH)
    without, page = plain.new_page(), living.new_page()
    for route in ROUTES[node]:
        without.goto(demo.url(node, route))
        before = without.locator(".rb-block").evaluate_all(BLOCKS)
        overlaid = without.locator(".rb-overlay .rb-block").evaluate_all("a => a.map(e => e.id)")
        assert all(height > 0 or key in overlaid for key, _, height in before)
        visit(page, demo.url(node, route))
        after = page.locator(".rb-block").evaluate_all(BLOCKS)
        assert [each[:2] for each in after] == [each[:2] for each in before]
        largest = page.evaluate("seen.largest?.element?.innerText ?? ''").strip()
        assert largest
        assert largest in without.locator("body").inner_text()
    plain.close()
    living.close()


@pytest.mark.parametrize(("node", "route"), [(n, r) for n, r in PAGES if n in EACH_PAGE_ONCE])
def test_a_page_loads_what_it_uses_and_nothing_else(
    demo: Demo, browser: Browser, node: str, route: str
) -> None:
    """Each module that is loaded is imported by another, and each that is imported is loaded, but
    what the page's script takes at need; each preloaded font is of a family that some text wears,
    and everything comes from the node itself."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    visit(page, demo.url(node, route))
    loaded = page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert all(url.startswith(demo.addresses[node] + "/_rb/") for url in loaded)
    paths = {url.removeprefix(demo.addresses[node]) for url in loaded}
    names = json.loads(page.locator("script[type=importmap]").inner_text())["imports"]
    entries = set(
        page.locator("script[type=module]").evaluate_all("a => a.map(e => e.getAttribute('src'))")
    )
    used = set(entries)
    islands = json.loads(page.locator("#rb-islands").inner_text())
    used |= {names[island["use"]] for island in islands if not island.get("still")}
    waiting, at_need = set(used), set[str]()
    while waiting:
        text = page.request.get(demo.addresses[node] + waiting.pop()).text()
        at_need |= {url for name, url in names.items() if f'import("{name}")' in text}
        imported = {url for name, url in names.items() if f'"{name}"' in text} - at_need
        waiting |= imported - used
        used |= imported
    assert {path for path in paths if path.endswith(".js")} - at_need == used - at_need
    worn = page.evaluate(
        """() => new Set([...document.querySelectorAll("body *")].map(
            each => getComputedStyle(each).fontFamily.split(",")[0].replace(/["']/g, "")))
            .values().toArray()"""
    )
    preloaded = page.locator("link[rel=preload][as=font]").evaluate_all(
        "all => all.map(each => each.getAttribute('href'))"
    )
    fonts = page.evaluate(
        """() => [...document.styleSheets].flatMap(sheet => [...sheet.cssRules])
            .filter(rule => rule instanceof CSSFontFaceRule)
            .map(rule => [rule.style.fontFamily.replace(/["']/g, ""), rule.style.src])"""
    )
    for href in preloaded:
        (family,) = {family for family, source in fonts if href in source}
        assert family in worn, href
    context.close()


def test_every_page_is_valid_html(demo: Demo) -> None:
    """html-validate has nothing to say about any file of any node, those of no row among them."""
    pages = demo.files("*.html")
    assert len(pages) == len(PAGES) + 2 * len(ROUTES)
    assert html_problems(pages) == []


def test_every_internal_link_resolves(demo: Demo, browser: Browser) -> None:
    """Links lead to pages that the node has, and to places that are on them."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for node, routes in ROUTES.items():
        found: dict[str, set[str]] = {}
        links: set[tuple[str, str]] = set()
        for route in (*routes, "/", "/nothing-here"):
            page.goto(demo.url(node, route))
            found[route] = set(page.locator("[id]").evaluate_all("all => all.map(each => each.id)"))
            for href in page.locator("a[href]").evaluate_all(
                "a => a.map(e => e.getAttribute('href'))"
            ):
                path, _, place = href.partition("#")
                links.add((path or route, place))
        for path, place in links:
            assert path in found, (node, path)
            assert not place or place in found[path], (node, path, place)
    context.close()


def test_nodes_differ_as_their_branding_rows_say(demo: Demo, browser: Browser) -> None:
    """One set of pages: Vengeance is dark, Aurora Town light, each in its own colours and type."""
    context = browser.new_context()
    page = context.new_page()
    for node in ("vengeance-local", "aurora-town-local"):
        rows = json.loads(
            (demo.installation.site / node / "shared/current/tokens.json").read_text()
        )
        visit(page, demo.url(node, "/about"))
        theme = "dark" if node == "vengeance-local" else "light"
        assert page.locator("html").get_attribute("data-theme") == theme
        shown = page.evaluate(
            """() => {
                const root = getComputedStyle(document.documentElement);
                const body = getComputedStyle(document.body);
                const said = name => root.getPropertyValue(name).trim();
                const colour = value => {
                    const probe = document.body.appendChild(document.createElement("i"));
                    probe.style.color = value;
                    const seen = getComputedStyle(probe).color;
                    probe.remove();
                    return seen;
                };
                return {
                    scheme: root.colorScheme,
                    background: [body.backgroundColor, colour(said("--color-background"))],
                    text: [body.color, colour(said("--color-text"))],
                    heading: getComputedStyle(document.querySelector("h1")).fontFamily,
                    body: body.fontFamily,
                    primary: said("--color-primary"),
                    loaded: [...document.fonts].filter(each => each.status === "loaded")
                        .map(each => each.family.replace(/["']/g, "")),
                };
            }"""
        )
        assert shown["scheme"] == theme
        assert shown["background"][0] == shown["background"][1]
        assert shown["text"][0] == shown["text"][1]
        assert shown["primary"] == rows["color.primary"]
        for use in ("heading", "body"):
            family = shown[use].split(",")[0].strip("\"' ")
            assert family == rows[f"font.{use}"].split(",")[0].strip("\"' ")
            assert any(each.startswith(family) for each in shown["loaded"]), (node, use, shown)
    context.close()


def test_a_missing_page_is_told_in_the_nodes_own_clothes(demo: Demo, browser: Browser) -> None:
    """What is not there is a 404 with the node's name, its theme, and a way back; and `/` leads to
    its apps."""
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    for node, name in (("vengeance-local", "Vengeance"), ("aurora-town-local", "Aurora Town")):
        answer = page.goto(demo.url(node, "/play/poker"))
        assert answer is not None
        assert answer.status == 404
        assert page.get_by_role("link", name=name).is_visible()
        assert accessibility_violations(page) == []
        page.get_by_role("link", name="About the house").click()
        assert page.locator("h1").inner_text().lower().startswith("one set of pages")
        page.goto(demo.url(node, "/"))
        assert accessibility_violations(page) == []
        page.get_by_role("link", name="The workshop").click()
        assert page.locator("h1").inner_text().lower().startswith("change a row")
    context.close()


def test_robbies_mood_is_nudged(demo: Demo, page: Page) -> None:
    """The bar greets with the mood of its row, and each press of Space or Enter gives the next."""
    visit(page, demo.url("vengeance-local", "/play/"))
    mood = page.get_by_role("button", name="Robbie's mood")
    assert "playful" in mood.inner_text().lower()
    mood.focus()
    page.keyboard.press("Space")
    assert "focused" in mood.inner_text().lower()
    page.keyboard.press("Enter")
    assert "cheerful" in mood.inner_text().lower()


def test_the_rain_falls_only_for_who_wants_it(demo: Demo, browser: Browser) -> None:
    """Without a wish for less motion the rain moves; with it, nothing on the page is animated."""
    wishes: dict[Literal["no-preference", "reduce"], bool] = {
        "no-preference": True,
        "reduce": False,
    }
    for wish, moving in wishes.items():
        context = browser.new_context(reduced_motion=wish, viewport={"width": 1280, "height": 800})
        page = context.new_page()
        visit(page, demo.url("vengeance-local", "/play/"))
        moved = page.evaluate(
            """async () => {
                const canvas = document.querySelector("canvas");
                const first = canvas.toDataURL();
                for (let frame = 0; frame < 60; frame += 1) {
                    await new Promise(requestAnimationFrame);
                    if (canvas.toDataURL() !== first) return true;
                }
                return document.getAnimations().some(each => each.playState === "running");
            }"""
        )
        assert moved is moving, wish
        context.close()


def test_blackjack_is_reached_and_played_by_tab_and_enter(demo: Demo, page: Page) -> None:
    """From the top of the page without a pointer: a bet is typed, hands are dealt, hit and stood
    by Enter on what has the focus, and the chips always add up."""
    visit(page, demo.url("vengeance-local", "/play/blackjack"))
    tab_to(page, "Bet")
    assert bounds(page) == ("5", "100")
    page.keyboard.press("Control+a")
    page.keyboard.type("25")
    tab_to(page, "Deal")
    chips = 200.0
    for _ in range(6):
        page.keyboard.press("Enter")
        if focused(page) == "Hit":
            assert number(page) == chips - 25
            page.keyboard.press("Enter")
        if focused(page) == "Hit":
            tab_to(page, "Stand")
            page.keyboard.press("Enter")
        told = page.get_by_role("status").inner_text()
        gain = re.search(r"(Plus|Minus) ([\d.]+)\.", told)
        if gain:
            chips += float(gain[2]) * (1 if gain[1] == "Plus" else -1)
        else:
            assert "No change." in told
        assert number(page) == chips
        if chips < 25:
            break
        assert focused(page) == "Deal again"


def number(page: Page) -> float:
    return float(page.get_by_test_id("chips").inner_text())


def bounds(page: Page) -> tuple[str | None, str | None]:
    bet = page.get_by_label("Bet", exact=True)
    return bet.get_attribute("min"), bet.get_attribute("max")


def focused(page: Page) -> str:
    """The name of what has the keyboard."""
    return str(
        page.evaluate(
            "(document.activeElement.labels?.[0] ?? document.activeElement).textContent.trim()"
        )
    )


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of that name has the keyboard."""
    for _ in range(25):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    pytest.fail(f"Tab does not reach {name}")


def test_the_server_says_where_everything_is(demo: Demo) -> None:
    """`serve` prints an address for each node and app that answers with a page."""
    assert {line.split()[0] for line in demo.served} == set(ROUTES)
    for line in demo.served:
        node, url = line.split()
        assert url.removeprefix(demo.addresses[node]) in ROUTES[node]
