"""How the seed's pages look, where a rule of style decides whether they can be read or reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.conftest import ROUTES, Demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

# What is on top where the element with the keyboard begins; None once the keyboard left the page.
_ON_TOP = """() => {
    const focused = document.activeElement;
    if (focused === document.body) return null;
    const { left, top, width, height } = focused.getClientRects()[0];
    const [x, y] = [left + width / 2, Math.min(top + height / 2, innerHeight - 1)];
    const there = document.elementFromPoint(x, y);
    const text = focused.outerHTML.slice(0, 80);
    return [text, focused.contains(there) ? "" : there?.outerHTML.slice(0, 80) ?? "nothing"];
}"""


@pytest.mark.parametrize("node", ["vengeance-local", "aurora-town-local"])
def test_nothing_covers_what_has_the_keyboard(demo: Demo, page: Page, node: str) -> None:
    """From the first link of each page to the last: what is focused is in view and on top."""
    for route in ROUTES[node]:
        page.goto(demo.url(node, route))
        page.wait_for_load_state("networkidle")
        stops = 0
        page.keyboard.press("Tab")
        while (found := page.evaluate(_ON_TOP)) is not None:
            assert found[1] == "", (route, found)
            stops += 1
            page.keyboard.press("Tab")
        assert stops > 8, route


def test_a_sidebar_that_shows_nothing_leaves_no_gap(demo: Demo, browser: Browser) -> None:
    """On a phone, where all its blocks wait for a wider window, the page begins as others do."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    gaps = set()
    for route in ("/work/", "/about"):
        page.goto(demo.url("aurora-town-local", route))
        gaps.add(
            page.evaluate(
                """document.querySelector("h1").closest(".rb-block").getBoundingClientRect().top
                    - document.querySelector("header").getBoundingClientRect().bottom"""
            )
        )
    assert len(gaps) == 1
    context.close()


def test_a_sidebar_of_one_block_stays_in_view(demo: Demo, page: Page) -> None:
    """While its page is read, and not over the footer."""
    page.goto(demo.url("aurora-town-local", "/about"))
    tops = []
    for target in ("main table", "footer"):
        page.locator(target).last.scroll_into_view_if_needed()
        box = page.locator("aside .rb-block").bounding_box()
        footer = page.locator("footer").bounding_box()
        assert box is not None
        assert footer is not None
        assert box["y"] + box["height"] <= footer["y"]
        tops.append(box["y"])
    assert tops[0] == 32


def test_drawings_have_the_visitors_own_colours(demo: Demo, browser: Browser) -> None:
    """In forced colours lines are as text, and nothing rains."""
    context = browser.new_context(forced_colors="active", reduced_motion="reduce")
    page = context.new_page()
    page.goto(demo.url("aurora-town-local", "/work/dashboard"))
    text, button, lines, face = page.evaluate(
        """() => {
            const stroke = (each) => getComputedStyle(each).stroke;
            const all = [...document.querySelectorAll(".money-line-in, .money-line-out")];
            return [getComputedStyle(document.body).color,
                getComputedStyle(document.querySelector(".mood")).color,
                all.map(stroke), stroke(document.querySelector(".mood-face"))];
        }"""
    )
    assert lines == [text, text]
    assert face == button
    page.goto(demo.url("vengeance-local", "/play/"))
    assert not page.locator(".rain").is_visible()
    assert not page.get_by_role("button", name="Hold the rain").is_visible()
    context.close()


def test_names_stand_over_the_middle_of_their_hands(demo: Demo, page: Page) -> None:
    """Before cards are dealt, too, where no points follow the name."""
    page.goto(demo.url("vengeance-local", "/play/blackjack"))
    distances = page.evaluate(
        """[...document.querySelectorAll(".jack-side")].map((side) => {
            const middle = (box) => box.left + box.width / 2;
            const words = document.createRange();
            words.selectNodeContents(side.querySelector(".jack-whose").firstChild);
            const card = side.querySelector(".card").getBoundingClientRect();
            return Math.abs(middle(words.getBoundingClientRect()) - middle(card));
        })"""
    )
    assert len(distances) == 2
    # A space of letters may be a little wider behind the last letter.
    assert max(distances) < 3


def test_numbers_of_lines_are_not_read_aloud(demo: Demo, page: Page) -> None:
    """Screen readers get the code of the shelf alone."""
    page.goto(demo.url("aurora-town-local", "/code/"))
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    texts = {each["name"]["value"] for each in nodes if each["role"]["value"] == "StaticText"}
    assert any(text.startswith("UPDATE ") for text in texts)
    assert "2" not in texts


def test_what_is_off_stands_out_from_nothing(demo: Demo, page: Page) -> None:
    """A move that can't be made now has no shadow, on no node."""
    for node in ("vengeance-local", "collaboration-local"):
        page.goto(demo.url(node, "/play/blackjack"))
        shadows = page.locator(".jack-moves [aria-disabled=true]").evaluate_all(
            "all => all.map((each) => getComputedStyle(each).boxShadow)"
        )
        assert shadows == ["none"] * 3, node
