"""The seed pages as a visitor meets them: built from rows, served, in Chromium, on every node."""

from __future__ import annotations

import re
import shutil
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvicorn
from PIL import Image

from robbieblocks import database as rows
from robbieblocks import serve
from robbieblocks.pipeline import BuildContext
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.building import Builder
from tests.databases import Databases

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

ROUTES = {
    "vengeance-local": ("/play/", "/play/blackjack", "/code/", "/about"),
    "aurora-town-local": ("/work/", "/work/dashboard", "/code/", "/about"),
    "collaboration-local": (
        *("/play/", "/play/blackjack", "/work/", "/work/dashboard", "/code/", "/about"),
    ),
    "fluenti-local": ("/work/", "/work/dashboard", "/code/", "/about"),
}


@pytest.fixture(scope="module")
def installation(
    databases: Databases,
    seeded_template: str,
    warm_cache: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Builder]:
    """The seed content, built once; visitors only read it."""
    home = tmp_path_factory.mktemp("seed-pages")
    with ExitStack() as stack:
        settings = replace(
            Settings.from_environment(
                database_url=stack.enter_context(databases.copy(seeded_template))
            ),
            home=home,
            site_root=home / "site",
            cache=shutil.copytree(warm_cache, home / "cache"),
        )
        connection = stack.enter_context(rows.connect(settings, application_name="test"))
        context = stack.enter_context(BuildContext.open(settings, lambda _: None))
        builder = Builder(settings=settings, connection=connection, context=context)
        report = builder.build()
        assert not [problem for problem in report.problems if problem.severity == "error"]
        yield builder


@pytest.fixture(scope="module")
def site(installation: Builder) -> Iterator[Mapping[str, str]]:
    """The address of each node."""
    with ExitStack() as stack:
        root = installation.settings.site_root
        yield {node: stack.enter_context(served(root, node)) for node in ROUTES}


@contextmanager
def served(site_root: Path, node: str) -> Iterator[str]:
    """One node on a free port of this process, while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        serve.app(SiteRoot(site_root), node),
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


def open_page(page: Page, url: str) -> None:
    page.goto(url)
    page.wait_for_load_state("networkidle")


def test_the_same_page_wears_each_nodes_clothes(site: Mapping[str, str], page: Page) -> None:
    """/about says the same on every node and looks as the node's branding row says."""
    looks = {}
    for node, address in site.items():
        open_page(page, address + "/about")
        looks[node] = page.evaluate(
            """() => {
                const body = getComputedStyle(document.body);
                const title = getComputedStyle(document.querySelector("h1"));
                return [body.backgroundColor, body.colorScheme, title.fontFamily.split(",")[0]];
            }"""
        )
        assert page.locator("h1").inner_text().lower() == "one set of pages, four front doors."
    assert looks["vengeance-local"] == ["rgb(8, 6, 15)", "dark", "Tektur"]
    assert looks["aurora-town-local"] == ["rgb(247, 245, 239)", "light", '"Source Serif 4"']
    assert len({tuple(look) for look in looks.values()}) == len(ROUTES)


def test_the_rooms_of_a_node_are_its_own(site: Mapping[str, str], page: Page) -> None:
    """Links to apps that a node does not carry are not shown on it, nor built into it."""
    open_page(page, site["vengeance-local"] + "/about")
    assert page.locator("a[href^='/work/']").count() == 0
    open_page(page, site["aurora-town-local"] + "/about")
    assert page.locator("a[href^='/play/']").count() == 0


_POINTS = {"Ace": 11, "Jack": 10, "Queen": 10, "King": 10}


def points(hand: list[str]) -> int:
    """What cards said aloud are worth: an ace is eleven until that is too many."""
    words = [card.split()[0] for card in hand]
    total = sum(_POINTS.get(word) or int(word) for word in words)
    for _ in range(words.count("Ace")):
        total -= 10 if total > 21 else 0
    return total


def hands(page: Page) -> tuple[list[str], list[str]]:
    dealer, player = (
        hand.locator(".rb-unseen").all_text_contents() for hand in page.locator(".jack-hand").all()
    )
    return dealer, player


def test_blackjack_is_played_by_keyboard_and_pays_what_it_owes(
    site: Mapping[str, str], page: Page
) -> None:
    """Twenty hands by D, H and S alone: the dealer stands on seventeen, the right side is paid,
    and the keyboard is never lost."""
    open_page(page, site["vengeance-local"] + "/play/blackjack")
    page.get_by_role("button", name="Deal").focus()
    said = page.get_by_role("status")
    for _ in range(20):
        before = chips(page)
        page.keyboard.press("d")
        while re.search(r"You (have|draw)", said.inner_text()):
            page.keyboard.press("h" if points(hands(page)[1]) < 17 else "s")
        dealer, player = hands(page)
        gain = chips(page) - before
        assert gain == owed(dealer, player), (dealer, player)
        assert f"You {points(player)}, dealer {points(dealer)}." in said.inner_text()
        assert page.evaluate("document.activeElement.textContent") == "Deal again"


def chips(page: Page) -> float:
    return float(page.get_by_test_id("chips").inner_text())


def owed(dealer: list[str], player: list[str]) -> float:
    """What a stake of five gains, by the rules printed on the table."""
    mine, theirs = points(player), points(dealer)
    natural, dealers = (len(hand) == 2 and points(hand) == 21 for hand in (player, dealer))
    if natural != dealers:
        return 7.5 if natural else -5
    if mine <= 21 and not natural:
        assert theirs >= 17
        assert points(dealer[:-1]) < 17
    if mine > 21 or mine < theirs <= 21:
        return -5
    return 0 if mine == theirs else 5


def test_pressing_twice_plays_no_card(site: Mapping[str, str], page: Page) -> None:
    """A double click on Deal deals, and no more: no other button is ever where one has been."""
    open_page(page, site["vengeance-local"] + "/play/blackjack")
    places = [button.bounding_box() for button in page.locator(".jack-controls button").all()]
    for _ in range(5):
        page.get_by_role("button", name="Deal").dblclick()
        now = [button.bounding_box() for button in page.locator(".jack-controls button").all()]
        assert now == places
        if re.search(r"You (have|draw)", page.get_by_role("status").inner_text()):
            assert len(hands(page)[1]) == 2
            page.keyboard.press("s")
    played = re.search(r"/(\d+)", page.locator(".jack-score").inner_text())
    assert played is not None
    assert int(played[1]) >= 5


def test_places_are_the_same_on_each_page_of_a_node(site: Mapping[str, str], page: Page) -> None:
    """The bar leads to the same pages in the same order wherever one is, and says where that is;
    no id is there twice."""
    for node, routes in ROUTES.items():
        seen = set()
        for route in routes:
            page.goto(site[node] + route)
            links = page.locator(".bar-places a")
            seen.add(tuple(links.all_inner_texts()))
            current = page.locator(".bar-places [aria-current=page]")
            assert [link.get_attribute("href") for link in current.all()] == [route]
            ids = page.evaluate("[...document.querySelectorAll('[id]')].map((each) => each.id)")
            assert len(ids) == len(set(ids)), (node, route)
        assert len(seen) == 1, (node, seen)


def test_notes_take_little_room_on_a_phone(site: Mapping[str, str], browser: Browser) -> None:
    """They lie side by side, and the page is no wider than the window."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    for node, route in (("vengeance-local", "/play/"), ("aurora-town-local", "/work/dashboard")):
        page.goto(site[node] + route)
        notes = page.locator(".notes").bounding_box()
        assert notes is not None
        assert notes["height"] < 400
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def test_the_switch_of_the_rain_covers_nothing(site: Mapping[str, str], page: Page) -> None:
    """It stands after the page's content."""
    open_page(page, site["vengeance-local"] + "/play/")
    switch = page.get_by_role("button", name="Hold the rain").bounding_box()
    footer = page.locator(".rb-zone-footer").bounding_box()
    assert switch is not None
    assert footer is not None
    assert switch["y"] >= footer["y"] + footer["height"]


def test_paper_is_white_and_ink_is_dark(site: Mapping[str, str], page: Page) -> None:
    """A dark node prints dark text without its backgrounds."""
    open_page(page, site["vengeance-local"] + "/about")
    page.emulate_media(media="print")
    # What changes takes a moment, also where motion is reduced.
    page.wait_for_function(
        """() => [...document.querySelectorAll("h1, h2, p, summary, td")].every((each) =>
            getComputedStyle(each).color.match(/\\d+/g).slice(0, 3).every((part) => part < 140))"""
    )
    assert page.evaluate("getComputedStyle(document.body).backgroundImage") == "none"
    header = "getComputedStyle(document.querySelector('.rb-zone-header')).boxShadow"
    assert page.evaluate(header) == "none"
    open_page(page, site["vengeance-local"] + "/play/blackjack")
    page.wait_for_function(
        """() => [...document.querySelectorAll(".jack-whose, .jack-print")].every((each) =>
            getComputedStyle(each).color.match(/\\d+/g).slice(0, 3).every((part) => part < 140))"""
    )


def test_what_is_chosen_can_be_read_in_forced_colours(
    site: Mapping[str, str], browser: Browser
) -> None:
    """The place where one is, and the tab that is open, are dark, with light letters."""
    context = browser.new_context(forced_colors="active", reduced_motion="reduce")
    page = context.new_page()
    page.goto(site["aurora-town-local"] + "/code/")
    for selector in ("a[aria-current]", "[aria-selected=true]"):
        picture = Image.open(BytesIO(page.locator(selector).screenshot())).convert("L")
        dark = sum(picture.histogram()[:128])
        # Letters are a small part of it: with a plate behind them, light would be a large part.
        assert dark > 0.75 * picture.width * picture.height, selector
        assert sum(picture.histogram()[200:]) > 0, selector
    context.close()


def test_tiles_fill_their_row(site: Mapping[str, str], page: Page) -> None:
    """The last tile of a row of the dashboard ends where the row ends."""
    for width in (800, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(site["aurora-town-local"] + "/work/dashboard")
        ends = page.evaluate(
            """() => {
                const zone = document.querySelector("main");
                const main = zone.getBoundingClientRect();
                const rows = new Map();
                for (const tile of document.querySelectorAll("main > .rb-block")) {
                    const { top, right } = tile.getBoundingClientRect();
                    rows.set(Math.round(top), right);
                }
                const edge = parseFloat(getComputedStyle(zone).paddingRight);
                return [...rows.values()].map((right) => Math.round(main.right - edge - right));
            }"""
        )
        assert ends == [0] * len(ends), width


def test_text_twice_as_large_fits_a_phone(site: Mapping[str, str], browser: Browser) -> None:
    """No page is wider than the window, the node's own pages neither."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    wide: list[str] = []
    for node, routes in ROUTES.items():
        for route in ("/", "/no-such-page", *routes):
            page.goto(site[node] + route)
            page.evaluate("document.documentElement.style.fontSize = '200%'")
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(node + route)
    assert wide == []
    context.close()


def test_the_bet_stays_between_its_bounds(site: Mapping[str, str], page: Page) -> None:
    """Whatever is typed, the stake is at least minBet and at most maxBet."""
    open_page(page, site["vengeance-local"] + "/play/blackjack")
    bet = page.get_by_label("Bet", exact=True)
    for typed, meant in (("1000", "100"), ("-3", "5"), ("", "5"), ("7", "7")):
        bet.fill(typed)
        bet.blur()
        assert bet.input_value() == meant


def test_notes_are_kept_moved_and_thrown_away(site: Mapping[str, str], page: Page) -> None:
    """A note is added, moved by arrow keys and by pointer, and is there after a reload."""
    open_page(page, site["vengeance-local"] + "/play/")

    def notes() -> list[str]:
        section = page.locator(".notes")
        section.scroll_into_view_if_needed()
        return [note.input_value() for note in section.locator("textarea").all()]

    first, second, third = notes()
    page.get_by_role("button", name="Add a note").click()
    page.keyboard.type("Mine")
    page.get_by_role("button", name="Move note 4 with").focus()
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    assert notes() == [first, "Mine", second, third]
    grip = page.locator(".note-grip").first
    grip.hover()
    page.mouse.down()
    page.locator(".note").nth(1).hover(position={"x": 60, "y": 60})
    page.mouse.up()
    assert notes() == ["Mine", first, second, third]
    page.get_by_role("button", name="Throw away note 2").click()
    page.reload()
    page.wait_for_load_state("networkidle")
    page.locator(".notes").scroll_into_view_if_needed()
    page.wait_for_function("document.querySelectorAll('.note').length === 3")
    assert notes() == ["Mine", second, third]


def test_the_chat_answers_from_its_script(site: Mapping[str, str], page: Page) -> None:
    """A question that the script knows gets its answer; markup in it stays text."""
    open_page(page, site["vengeance-local"] + "/play/")
    field = page.get_by_label("Your message")
    field.fill("<b>Do you CHEAT?</b>")
    field.press("Enter")
    page.get_by_text("Losing is all you").wait_for()
    assert page.get_by_text("<b>Do you CHEAT?</b>").count() == 1


def test_the_money_dashboard_filters(site: Mapping[str, str], page: Page) -> None:
    """Months and streams chosen change the figures, by arithmetic one can repeat."""
    open_page(page, site["aurora-town-local"] + "/work/dashboard")
    page.get_by_role("button", name="3", exact=True).click()
    page.get_by_label("Stream").select_option("Subscriptions")
    figures = page.locator(".money-value").all_inner_texts()
    assert figures == ["$52,200", "$116,100", "−$63,900", "Dec"]
    axis = page.locator(".money-axis span").all_inner_texts()
    assert axis == ["$0", "$10k", "$20k", "$30k", "$40k"]


def test_a_visitors_name_is_greeted(site: Mapping[str, str], page: Page) -> None:
    """`?name=` fills the placeholder, as text."""
    open_page(page, site["aurora-town-local"] + "/work/?name=<i>Mara</i>")
    page.get_by_role("heading", name="Your day, <i>Mara</i>.").wait_for()


def test_the_rain_stands_still_for_who_wants_less_motion(
    site: Mapping[str, str], page: Page
) -> None:
    """With prefers-reduced-motion the canvas shows one frame and its switch is pressed."""
    open_page(page, site["vengeance-local"] + "/play/")
    page.get_by_role("button", name="Hold the rain", pressed=True).wait_for()
    frames = page.evaluate(
        """async () => {
            const canvas = document.querySelector("canvas");
            const first = canvas.toDataURL();
            for (let frame = 0; frame < 10; frame += 1) await new Promise(requestAnimationFrame);
            return [first, canvas.toDataURL()];
        }"""
    )
    assert frames[0] == frames[1]
