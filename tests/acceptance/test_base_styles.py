"""Base styles in a real Chromium: plain CSS finds what browsers have, utilities find the reset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from robbieblocks.model import Asset
from tests import pages
from tests.pages import Press, block, component

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

ARTICLE = """<article><h2>Bread</h2><p>One</p><p>Two</p><ul><li>Rye</li></ul><ol><li>1</li></ol>
  <h5>Small</h5><div className="fields"><input size={8} /><select><option>a</option></select></div>
  <button className="go">Go</button></article>"""
PLAIN = component(
    "plain",
    f"export default () => {ARTICLE};",
    ".fields { display: flex } .grid { color: red } h2 { color: red }",
)
UTILITIES = component(
    "utilities", f"export default () => <div className='grid p-4'>{ARTICLE}</div>;"
)
# Its own CSS defines a class that is also one of Tailwind's.
OWN_GRID = component(
    "own-grid",
    "const show = 'inline-block'; export default () =>"
    f" <div className='grid' style={{{{display: show}}}}>{ARTICLE}</div>;",
    ".grid { color: red }",
)
IMPORTING = component(
    "importing",
    f"import U from '@robbieblocks/utilities'; export default () => <>{ARTICLE}<U/></>;",
)
TOKENS = Asset.of(
    "tokens",
    "css",
    "@layer tokens,base,layout,components,utilities,node;@layer tokens{:root{"
    "--color-border:#bbb;--spacing-gutter:1rem;--color-border-strong:#888;--radius-sm:4px;--spacing-md:1rem}}",
)
Facts = dict[str, dict[str, Any]]
FACTS = """() => Object.fromEntries([...document.querySelectorAll(".rb-block")].map((block) => {
  const of = (name) => getComputedStyle(block.querySelector(name));
  const [button, input] = [of("button"), of("input")];
  return [block.id, {
    heading: parseFloat(of("h2").marginBottom), paragraph: parseFloat(of("p + p").marginTop),
    list: of("ul").listStyleType, numbers: of("ol").listStyleType,
    indent: parseFloat(of("ul").paddingLeft), first: of("h2").marginTop,
    border: button.borderTopWidth, height: button.minHeight, padding: button.paddingLeft,
    weight: of("h5").fontWeight, inputBorder: input.borderTopWidth,
    share: block.querySelector("input").offsetWidth / block.offsetWidth,
  }];
}))"""


@pytest.fixture(scope="module")
def facts(press: Press, tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Facts:
    """What Chromium makes of a block of each kind, by the block's id."""
    site = tmp_path_factory.mktemp("site")
    made = press.bundle(
        *(PLAIN, UTILITIES, OWN_GRID, IMPORTING), base_css=press.renderer.base_css()
    )
    blocks = [
        block(1, "plain"),
        block(2, "utilities"),
        block(3, "own-grid"),
        block(4, "importing"),
        block(5, "plain", reset=True),
        block(6, "utilities", reset=False),
    ]
    press.write(site, made, [pages.page(*blocks)], pages.node(stylesheet=TOKENS))
    with pages.served(site) as address:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(address)
        found: Facts = page.evaluate(FACTS)
        page.close()
    return found


@pytest.mark.parametrize("which", ["b1", "b3", "b6"])
def test_text_of_plain_css_has_margins_and_bullets(facts: Facts, which: str) -> None:
    """Without utilities, and where a component says so, text has margins, bullets and weight."""
    found = facts[which]
    assert found["heading"] > 5
    assert found["paragraph"] > 10
    assert (found["list"], found["numbers"]) == ("disc", "decimal")
    assert found["indent"] > 20
    assert found["first"] == "0px"


@pytest.mark.parametrize("which", ["b2", "b4", "b5"])
def test_utilities_and_whoever_asks_for_it_find_the_reset(facts: Facts, which: str) -> None:
    """With utilities, its own or of what it imports, or `reset = true`, nothing has a margin."""
    found = facts[which]
    assert (found["heading"], found["paragraph"], found["indent"]) == (0, 0, 0)
    assert found["list"] == "none"


def test_controls_are_bare_where_utilities_style_them(
    facts: Facts,
) -> None:
    """A button with classes is bare among utilities, and looks like a button anywhere else."""
    for which in ("b2", "b4", "b6"):
        found = facts[which]
        assert (found["border"], found["height"], found["padding"]) == ("0px", "0px", "0px")
    for which in ("b1", "b3", "b5"):
        assert facts[which]["border"] == "1px"
        assert facts[which]["padding"] == "16px"
        assert facts[which]["inputBorder"] == "1px"


def test_fields_are_as_wide_as_they_are(facts: Facts) -> None:
    """A field does not take a row for itself: others stand beside it."""
    assert {k: v["share"] for k, v in facts.items() if v["share"] >= 0.4} == {}


ICONS = component(
    "icons",
    """const Icon = () => <svg width="9" height="9" viewBox="0 0 9 9"><path d="M0 0h9v9z"/></svg>;
export default () => <><p>Before <Icon/> and <em>after <Icon/> it</em></p>
  <ul><li><a href="#x"><Icon/> There</a></li></ul><div className="own"><Icon/></div></>;""",
    ".own { color: red }",
)


def test_a_picture_among_words_breaks_no_line(
    press: Press, tmp_path: Path, browser: Browser
) -> None:
    """In a block of plain CSS it stands in the line, as browsers have it; alone it is a block."""
    made = press.bundle(ICONS, base_css=press.renderer.base_css())
    press.write(tmp_path, made, [pages.page(block(1, "icons"))], pages.node(stylesheet=TOKENS))
    with pages.served(tmp_path) as address:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.goto(address)
        heights = page.evaluate(
            "[...document.querySelectorAll('.rb-block :is(p, li)')].map(it => it.offsetHeight)"
        )
        assert max(heights) < 40, heights
        assert page.evaluate("getComputedStyle(document.querySelector('.own svg')).display") == (
            "block"
        )
        page.close()


HIDDEN = component(
    "hidden",
    """export default () => <div dangerouslySetInnerHTML={{ __html:
      '<p hidden>never</p><p hidden="until-found">A hidden word</p>' }} />;""",
)


def test_browsers_find_what_is_hidden_until_then(
    press: Press, tmp_path: Path, browser: Browser
) -> None:
    """Such an element takes no room and keeps its text; what is hidden is not there."""
    made = press.bundle(HIDDEN, base_css=press.renderer.base_css())
    press.write(tmp_path, made, [pages.page(block(1, "hidden"))], pages.node(stylesheet=TOKENS))
    with pages.served(tmp_path) as address:
        page = browser.new_page()
        page.goto(address)
        shown = "name => getComputedStyle(document.querySelector(name)).display"
        assert page.evaluate(shown, "[hidden='']") == "none"
        assert page.evaluate(shown, "[hidden=until-found]") == "block"
        assert page.evaluate("document.querySelector('[hidden=until-found]').offsetHeight") == 0
        page.close()


WINDOWS = component(
    "windows",
    """export default () => <>
      <dialog id="modal" open>Sure?</dialog><aside popover="auto" id="hint">Beside</aside></>;""",
    "dialog { width: 10rem }",
)
# How far what is shown is from the middle of the window, and how wide its frame is.
FROM_MIDDLE = """show => {
  const one = document.querySelector(show === "showModal" ? "#modal" : "#hint");
  one.close?.();
  one[show]();
  const {left, right, top, bottom} = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  return [Math.abs(left + right - innerWidth) < 3, Math.abs(top + bottom - innerHeight) < 3,
    style.borderTopWidth, style.paddingTop];
}"""


def test_windows_of_plain_css_stand_in_the_middle(
    press: Press, tmp_path: Path, browser: Browser
) -> None:
    """A dialog and a popover are where browsers show them, in a frame."""
    made = press.bundle(WINDOWS, base_css=press.renderer.base_css())
    press.write(tmp_path, made, [pages.page(block(1, "windows"))], pages.node(stylesheet=TOKENS))
    with pages.served(tmp_path) as address:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        page.goto(address)
        for show in ("showModal", "showPopover"):
            assert page.evaluate(FROM_MIDDLE, show) == [True, True, "1px", "16px"], show
        page.close()
