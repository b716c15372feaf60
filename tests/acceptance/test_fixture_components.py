"""The fixture components (tests/fixtures/components/), written by people in many styles.

Each is a row of one site, is built and prerendered, hydrates without a message, and is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import html_problems
from tests.sites import MakeSite, Site, alive, served, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

FOLDER = Path(__file__).parent.parent / "fixtures" / "components"
COMPONENTS = sorted(path.stem for path in FOLDER.glob("*.*sx"))


def _row(key: str) -> dict[str, Any]:
    """A component's row: its text, its styles, its schema and the props to show it with."""
    (source,) = FOLDER.glob(f"{key}.*sx")
    css, more = FOLDER / f"{key}.css", FOLDER / f"{key}.json"
    about = json.loads(more.read_text()) if more.is_file() else {}
    return {
        "code": source.read_text(),
        "css": css.read_text() if css.is_file() else None,
        "schema": about.get("schema", {}),
        "props": about.get("props", {}),
    }


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    """All of them, each on a page of its own; the cart's two parts share one."""
    from tests.sites import Block

    made = make_site()
    made.component("page-title", "export default ({ text }) => <h1>{text}</h1>;")
    rows = {key: _row(key) for key in COMPONENTS}
    shown = {key: row.pop("props") for key, row in rows.items()}
    for key, row in rows.items():
        made.component(key, **row)
    for key, props in shown.items():
        blocks = [Block(component="page-title", props={"text": key}, zone="header")]
        blocks.append(Block(component=key, props=props))
        if key == "cart-badge":
            blocks.append(Block(component="cart-button"))
        made.page(key, *blocks)
    made.build()
    return made


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.builder.settings.site_root, "vengeance-local") as base:
        yield base


def stats_dashboard(page: Page) -> None:
    assert page.locator("svg.lucide").count() == 6
    assert page.locator("script[type=importmap]").count() == 0, "it has no state"
    card = page.locator("div.rounded-xl").first
    assert card.evaluate("e => getComputedStyle(e).borderTopWidth") == "1px"


def pricing_table(page: Page) -> None:
    prices = page.locator(".price")
    assert prices.all_inner_texts() == ["$0", "$19", "$49"]
    switch = page.get_by_role("switch")
    assert switch.bounding_box() == {**(switch.bounding_box() or {}), "width": 44, "height": 24}
    switch.click()
    assert prices.all_inner_texts() == ["$0", "$190", "$490"]


def toast_stack(page: Page) -> None:
    for _ in range(2):
        page.get_by_role("button", name="Show toast").click()
    expect(page.get_by_text("Saved 2")).to_be_visible()
    page.get_by_role("button", name="Dismiss Saved 1").click()
    expect(page.get_by_role("listitem")).to_have_count(1)


def reveal_list(page: Page) -> None:
    expect(page.locator(".reveal").last).to_have_css("opacity", "1")
    assert page.locator(".reveal").all_inner_texts() == ["Plan", "Build", "Ship"]


def tabs_underline(page: Page) -> None:
    page.get_by_role("tab", name="Password").click()
    expect(page.get_by_role("tabpanel")).to_have_text("Choose a new password.")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Billing")).to_be_focused()
    expect(page.get_by_role("tabpanel")).to_have_text("See your invoices.")


def faq_accordion(page: Page) -> None:
    page.get_by_role("button", name="Is it free?").click()
    expect(page.locator("dd")).to_have_text('Yes, for "hobby" use & <small> teams.')
    assert page.locator("dd").evaluate("e => getComputedStyle(e).animationName") != "none"


def confirm_modal(page: Page) -> None:
    page.get_by_role("button", name="Delete account").click()
    expect(page.get_by_role("button", name="Delete", exact=True)).to_be_focused()
    dialog = page.get_by_role("dialog")
    assert dialog.evaluate("e => getComputedStyle(e.parentElement).position") == "fixed"
    assert dialog.evaluate("e => getComputedStyle(e).width") == "320px"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Delete account").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("output")).to_have_text("Deleted")


def launch_countdown(page: Page) -> None:
    days = page.evaluate("Math.floor((new Date('2999-12-31T00:00:00Z') - new Date()) / 864e5)")
    expect(page.locator("[data-unit=days]")).to_have_text(str(days))


def random_quote(page: Page) -> None:
    expect(page.locator("blockquote")).to_have_text(re.compile("reliability|right|evil"))


def invoice_lines(page: Page) -> None:
    expect(page.locator("caption")).to_have_text("Issued 2/3/2026")
    expect(page.locator(".total")).to_have_text("3,301")
    expect(page.locator("tbody td").nth(2)).to_have_text("€1,200.50")


def theme_memory(page: Page) -> None:
    page.get_by_label("large").check()
    page.reload()
    alive(page)
    expect(page.get_by_label("large")).to_be_checked()


def particle_canvas(page: Page) -> None:
    page.wait_for_function("() => Number(document.querySelector('canvas').dataset.frames) > 3")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def signup_form(page: Page) -> None:
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert").first).to_have_text("Enter a valid email address")
    page.get_by_label("Email").fill("ada@example.org")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("status")).to_have_text("Welcome aboard!")


def revenue_chart(page: Page) -> None:
    lines = page.locator("path.recharts-line-curve")
    expect(lines).to_have_count(2)
    page.get_by_label("Show cost").uncheck()
    expect(lines).to_have_count(1)
    page.locator("svg[role=application]").hover()
    expect(page.locator(".recharts-tooltip-wrapper")).to_contain_text("revenue")


def traffic_bars(page: Page) -> None:
    expect(page.locator("path.recharts-rectangle")).to_have_count(3)
    expect(page.locator("path.recharts-sector")).to_have_count(3)


def cart_button(page: Page) -> None:
    page.get_by_role("button", name="Add mug").click()
    stored = page.evaluate("JSON.parse(localStorage.cart).state.items")
    assert stored == {"mug": 1}


def cart_badge(page: Page) -> None:
    for _ in range(2):
        page.get_by_role("button", name="Add mug").click()
    expect(page.locator(".badge")).to_have_text("2")
    page.get_by_role("button", name="Empty").click()
    expect(page.locator(".badge")).to_have_text("0")


def tick_counter(page: Page) -> None:
    width = page.locator(".width").evaluate(
        "e => Math.round(e.parentElement.getBoundingClientRect().width)"
    )
    expect(page.locator(".width")).to_have_text(str(width))


def locale_switch(page: Page) -> None:
    page.get_by_label("Language").select_option("de")
    expect(page.locator(".greet")).to_have_text("Hallo, Tschüss")


def user_card(page: Page) -> None:
    assert page.locator(".initials").inner_text() == "AL"
    assert page.get_by_text("no email").is_visible()


def markdown_note(page: Page) -> None:
    assert page.locator(".prose strong").inner_text() == "bold"
    assert page.locator(".prose b").count() == 0
    assert "</script> & <b>markup</b>" in page.locator(".prose p").inner_text()


def spark_line(page: Page) -> None:
    assert page.get_by_role("img", name="Trend of 6 values").is_visible()
    fill = page.locator("polygon").get_attribute("fill") or ""
    assert page.evaluate("id => document.getElementById(id) !== null", fill[5:-1])


def endless_list(page: Page) -> None:
    region = page.get_by_role("region", name="Feed")
    for shown in (40, 60):
        region.evaluate("e => { e.scrollTop = e.scrollHeight; }")
        page.wait_for_function(f"() => document.querySelectorAll('li').length >= {shown}")


def kanban_board(page: Page) -> None:
    page.get_by_text("Write tests").drag_to(page.get_by_role("region", name="Done"))
    expect(page.locator("[data-column=done] article")).to_have_text("Write tests")


def command_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_label("Search commands")).to_be_focused()
    page.keyboard.type("sign")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("p > b")).to_have_text("Sign out")


def styled_badge(page: Page) -> None:
    badge = page.get_by_text("Passed")
    assert badge.evaluate("e => getComputedStyle(e).borderTopLeftRadius") == "999px"
    assert badge.evaluate("e => getComputedStyle(e).boxShadow") != "none"
    name = page.locator(".blinking").evaluate("e => getComputedStyle(e).animationName")
    assert name == "blink"


def data_table(page: Page) -> None:
    names = page.locator("tbody tr td:first-child")
    page.get_by_role("button", name="Age").click()
    assert names.all_inner_texts() == ["Alan", "Grace", "Katherine"]
    page.get_by_label("Filter").fill("a")
    page.get_by_label("Filter").fill("grace")
    assert names.all_inner_texts() == ["Grace"]


def hero_banner(page: Page) -> None:
    assert page.get_by_role("heading", name="Ship “faster” & sleep").is_visible()
    section = page.locator("section")
    assert "gradient" in section.evaluate("e => getComputedStyle(e).backgroundImage")
    assert section.evaluate("e => getComputedStyle(e).textAlign") == "center"


def fancy_input(page: Page) -> None:
    page.get_by_label("Nickname").fill("Ada")
    expect(page.locator("small")).to_have_text("Shown to others (3/40)")
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_label("Nickname")).to_be_focused()
    expect(page.get_by_label("Nickname")).to_have_value("")


def error_fence(page: Page) -> None:
    page.get_by_role("button").click()
    expect(page.get_by_role("button")).to_have_text("Clicked 1 times.")


def date_range(page: Page) -> None:
    stay = page.locator(".stay")
    expect(stay).to_have_text("Mon 2 Mar to Thu 5 Mar 2026: 3 nights, 3 days")
    page.get_by_label("Nights").fill("7")
    expect(stay).to_contain_text("Mon 9 Mar 2026: 7 nights")


def star_rating(page: Page) -> None:
    page.get_by_role("radio", name="4 stars").click()
    expect(page.locator(".said")).to_have_text("4 of 5")


def window_clock(page: Page) -> None:
    expect(page.locator("time")).to_have_text(re.compile(r"\d\d:\d\d [AP]M \(.+\)"))


def copy_code(page: Page) -> None:
    assert "// </script> and <!-- stay text" in page.locator("pre").inner_text()
    page.get_by_label("Line numbers").click()
    expect(page.locator("pre span").first).to_have_text("1")
    page.get_by_role("button", name="Copy code").click()
    mark = page.get_by_role("button", name="Copied")
    expect(mark).to_have_css("outline-style", "solid")


def nav_menu(page: Page) -> None:
    page.get_by_role("button", name="More").click()
    expect(page.get_by_role("link", name="Blog")).to_be_visible()
    page.get_by_role("heading", name="nav-menu").click()
    expect(page.get_by_role("link", name="Blog")).to_have_count(0)
    page.set_viewport_size({"width": 400, "height": 700})
    expect(page.get_by_role("link", name="Docs")).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Docs")).to_be_visible()


def todo_app(page: Page) -> None:
    page.get_by_label("New todo").fill("Buy milk")
    page.keyboard.press("Enter")
    expect(page).to_have_title("2 open")
    page.get_by_label("Try the demo").check()
    page.get_by_role("button", name="done").click()
    expect(page.locator(".todo li")).to_have_text(["Try the demo"])


CHECKS: dict[str, Callable[[Page], None]] = {
    name.replace("_", "-"): check
    for name, check in list(globals().items())
    if name.replace("_", "-") in COMPONENTS
}


def test_all_of_them_build(site: Site) -> None:
    """Every one of at least 25 components is built; what React or the styles pass over is told."""
    assert len(COMPONENTS) >= 25
    told = [(problem.key, problem.what) for problem in site.problems(warnings=True)]
    assert told == [
        ("user-card", "React passes defaultProps of functions over in JSX"),
        ("markdown-note", "the class prose is a plugin's that is not there: it does nothing"),
    ]


@pytest.mark.parametrize("key", COMPONENTS)
def test_it_shows_hydrates_and_works(address: str, page: Page, key: str) -> None:
    """It is in the HTML, comes to life with a silent console, looks as written and does its job."""
    page.emulate_media(reduced_motion="no-preference")
    visit(page, f"{address}/{key}/")
    CHECKS[key](page)


def test_their_pages_are_valid(site: Site) -> None:
    """html-validate has nothing to say that a component's own text does not bring with it."""
    files = [site.file(f"/{key}/") for key in COMPONENTS]
    # What people write inside their components is theirs to mend: these are matters of taste.
    theirs = (
        "no-implicit-button-type",
        "no-inline-style",
        "prefer-native-element",
        "<style> element",
    )
    found = [
        problem for problem in html_problems(files) if not re.search("|".join(theirs), problem)
    ]
    assert found == []
