"""At-rules of a component's stylesheet hold in a real Chromium as their author wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.pages import Publish, component

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def _style(page: Page, selector: str, name: str) -> Any:
    return page.evaluate(
        "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]",
        [selector, name],
    )


def test_counter_styles(placed: Publish, page: Page) -> None:
    """Lists and counters show the signs of two components' styles of one name."""
    css = """@counter-style signs { system: cyclic; symbols: "%s"; suffix: "" }
      ol { list-style: signs inside; width: max-content }
      p { counter-reset: n 1; width: max-content } p::before { content: counter(n, signs) }"""
    code = "export default () => <div className='%s'><ol><li/></ol><p/></div>;"
    wide = component("wide", code % "wide", css % ("W" * 40))
    slim = component("slim", code % "slim", css % "i")
    page.goto(placed(wide, slim))
    widths = page.evaluate(
        "() => ['.wide ol', '.wide p', '.slim ol', '.slim p'].map("
        "one => document.querySelector(one).offsetWidth)"
    )
    assert min(widths[:2]) > 200
    assert max(widths[2:]) < 100


def test_positions_to_try(placed: Publish, page: Page) -> None:
    """What overflows its first position takes the one of the component."""
    css = """.in { position: fixed; width: 50px; height: 50px; left: 7px;
        top: 0; bottom: calc(100% - 20px);
        position-try-fallbacks: --lower }
      @position-try --lower { inset: 90px auto auto 80px }"""
    page.goto(placed(component("it", "export default () => <i className='in'/>;", css)))
    found = page.evaluate(
        "() => (({x, y}) => [x, y])(document.querySelector('.in').getBoundingClientRect())"
    )
    assert found == [80, 90]


def test_palettes_of_fonts(placed: Publish, page: Page) -> None:
    """The palette that a rule defines is the one that is asked for."""
    css = """@font-palette-values --own { font-family: Some; override-colors: 0 red }
      .in { font-palette: --own }"""
    page.goto(placed(component("it", "export default () => <i className='in'/>;", css)))
    names = page.evaluate(
        """() => { const names = [];
          const walk = rules => { for (const rule of rules) {
            if (rule instanceof CSSFontPaletteValuesRule) names.push(rule.name);
            else if (rule.cssRules) walk(rule.cssRules); } };
          for (const sheet of document.styleSheets) walk(sheet.cssRules);
          return names; }"""
    )
    assert names == [_style(page, ".in", "fontPalette")]


def test_scopes(placed: Publish, page: Page) -> None:
    """A rule holds from the start of its `@scope` to its end, and in no other component."""
    css = """@scope (.card) to (.content) {
        p { color: rgb(1, 2, 3) } :scope { --own: 1 } > b { color: rgb(4, 5, 6) }
        em { & i { color: rgb(7, 8, 9) } }
      }
      @scope { u { color: rgb(1, 1, 1) } }"""
    code = """export default () => <section><div className="card"><p id="yes">x</p>
      <b id="bold">x</b><em><i id="deep">x</i></em><div className="content"><p
      id="no">x</p></div></div><p id="out">x</p><u id="all">x</u></section>;"""
    other = "export default () => <div className='card'><p id='other'>x</p><u id='its'>x</u></div>;"
    page.goto(placed(component("it", code, css), component("other", other, "")))
    colors = {
        one: _style(page, f"#{one}", "color")
        for one in ("yes", "bold", "deep", "no", "out", "all", "other", "its")
    }
    own = {"yes": "1, 2, 3", "bold": "4, 5, 6", "deep": "7, 8, 9", "all": "1, 1, 1"}
    assert {one: it for one, it in colors.items() if one in own} == {
        one: f"rgb({it})" for one, it in own.items()
    }
    assert {colors[one] for one in ("no", "out", "other", "its")} == {"rgb(255, 255, 255)"}


def test_layers_of_two_components(placed: Publish, page: Page) -> None:
    """Each component's layers have the order that it says, whatever another one says."""
    css = """@layer {0}, {1}; @layer low {{ .{2} p {{ color: rgb(1, 1, 1) }} }}
      @layer high {{ p {{ color: rgb(2, 2, 2) }} }}"""
    code = "export default () => <div className='%s'><p>x</p></div>;"
    one = component("one", code % "one", css.format("low", "high", "one"))
    two = component("two", code % "two", css.format("high", "low", "two"))
    page.goto(placed(one, two))
    assert _style(page, ".one p", "color") == "rgb(2, 2, 2)"
    assert _style(page, ".two p", "color") == "rgb(1, 1, 1)"


@pytest.mark.parametrize(
    "css",
    [
        ".in { transition: opacity 9s; @starting-style { opacity: 0 } }",
        ".in { transition: opacity 9s } @starting-style { .in { opacity: 0 } }",
    ],
)
def test_styles_to_start_with(placed: Publish, page: Page, css: str) -> None:
    """What is shown for the first time comes from its starting style."""
    page.goto(placed(component("it", "export default () => <p className='in'>x</p>;", css)))
    properties = """() => {
      const it = document.querySelector(".in");
      it.style.display = "none";
      it.offsetWidth;
      it.style.display = "";
      return it.getAnimations().map(each => each.transitionProperty);
    }"""
    assert page.evaluate(properties) == ["opacity"]


def test_anchors_of_two_blocks(placed: Publish, page: Page) -> None:
    """Each block's tip stands at the block's own anchor."""
    css = """.at { anchor-name: --at; display: block; height: 40px }
      .tip { position: absolute; position-anchor: --at; top: anchor(bottom); left: anchor(left) }"""
    code = """export default () => <div><button className="at">x</button>
      <span className="tip">tip</span></div>;"""
    row = component("it", code, css)
    page.goto(placed(row, row))
    gaps = page.evaluate(
        """() => [...document.querySelectorAll(".tip")].map((tip, at) =>
          Math.round(tip.getBoundingClientRect().top
            - document.querySelectorAll(".at")[at].getBoundingClientRect().bottom))"""
    )
    assert gaps == [0, 0]
