"""What the pipeline writes of CSS means to a real Chromium what its author wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from robbieblocks.bundle import Bundler
from robbieblocks.bundle.styles import minified
from robbieblocks.cache import Cache
from robbieblocks.toolchain import Toolchain
from tests.pages import component
from tests.unit.test_bundle_styles import PASSED_OVER, scope

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

Meant = Callable[[list[str]], list[Any]]

# Declarations that stand beside each other in one rule.
RULES = """
animation: grow linear; animation-timeline: scroll()
animation: grow linear both; animation-timeline: view(); animation-range: entry 0% cover 40%
animation: a 1s, b 2s; animation-timeline: --x, auto; animation-composition: add, replace
animation-timeline: scroll(); animation: grow 1s
stroke-width: 2.5; stroke-dasharray: 1 2; fill-opacity: .5; r: 3px; d: path("M0 0L1 1")
background: none; background-clip: text; color: transparent
background: url(/x.png) center / cover no-repeat, linear-gradient(in oklch longer hue, red, blue)
color: color-mix(in oklch longer hue, red, blue); accent-color: oklch(0.5 0.1 20 / 50%)
color: light-dark(#fff, rgb(0 0 0 / 50%)); color-scheme: light dark
color: oklch(from var(--c, red) calc(l * 0.5) c h); border-color: color(display-p3 1 0 0)
transition: opacity 1s, display 1s allow-discrete; transition-behavior: normal
transition-behavior: allow-discrete; transition: opacity 1s linear(0, 0.5 20%, 1)
grid-template: "a b" 1fr "c d" 2fr / minmax(0, 1fr) auto; gap: 1px 2px
grid-template-columns: [x] repeat(auto-fill, minmax(10rem, 1fr)) [y]; grid-area: 1 / 2 / span 2 / -1
display: grid; grid-template-rows: subgrid; place-items: safe center stretch
margin: 0 auto; margin-block: 1px; margin-inline-start: 2px; margin-left: 3px
inset: 0 auto auto 0; inset-block: 1px; top: anchor(--a bottom, 2px); position-anchor: --a
position-area: top span-left; position-try-fallbacks: flip-block, --try; anchor-name: --a
border-radius: 1px 2px 3px 4px / 5px; corner-shape: squircle; border-top-left-radius: 9px
border: 1px solid; border-image: linear-gradient(red, blue) 1; border-inline: 0
font: italic 700 1em/1.2 "A B", serif; font-size-adjust: ex-height 0.5; font-palette: light
font-variation-settings: "wght" 620, "opsz" 12; font-feature-settings: "tnum"; font-stretch: 75%
text-box: trim-both cap alphabetic; text-wrap: balance; hyphenate-limit-chars: 5 2 2
text-decoration: underline wavy red 2px; text-underline-offset: .1em; text-emphasis: dot red
mask: url(#a) center / contain no-repeat; mask-composite: exclude; -webkit-mask-image: none
clip-path: shape(from 0 0, line to 1px 1px); offset-path: path("M0 0L1 1"); offset: none
container: a / inline-size; contain: layout; contain-intrinsic-size: auto 1px
width: calc-size(auto, size + 1px); interpolate-size: allow-keywords; height: stretch
width: clamp(1px, 2vi + 3cqi, min(4rem, 50%)); height: round(up, 5px, 2px); top: calc(1px - -2px)
width: max(1px, (2px + 3px) * 2); left: calc( 1px + ( 2px - 3px ) ); rotate: atan2(1, 2)
view-transition-name: match-element; view-transition-class: a b; will-change: transform
scroll-timeline: --x block; view-timeline: --y inline; scroll-snap-type: x mandatory
rotate: x 45deg; translate: 1px 2px; scale: 2; transform: rotate(1turn) translate3d(0, 0, 0)
overflow: clip; overflow-clip-margin: content-box 1px; scrollbar-gutter: stable both-edges
scrollbar-color: red blue; scrollbar-width: thin; overscroll-behavior: contain auto
field-sizing: content; appearance: base-select; resize: block; user-select: none
display: -webkit-box; -webkit-line-clamp: 3; -webkit-box-orient: vertical
filter: drop-shadow(0 0 1px red) blur(2px); backdrop-filter: blur(1px); mix-blend-mode: plus-lighter
box-shadow: inset 0 0 1px 2px red, 0 1px; text-shadow: none; outline: auto; isolation: isolate
content: "a ;} b" / "c"; quotes: "«" "»"; counter-reset: a 1 reversed(b); counter-set: c 2
--a: { x: y }; --b: ; --c: a  b; --d: "x  y"; width: var(--w, ); height: var(--h,1px)
--e: url( "x y" ); background-image: image-set("a.png" 1x, "b.png" type("image/png") 2x)
padding: env(safe-area-inset-top, 20px) 0; block-size: 100dvb; aspect-ratio: 16 / 9 auto
ruby-align: center; initial-letter: 2; shape-outside: circle(50% at 0 0); shape-margin: 1px
column-rule: 1px solid; columns: 2 auto; break-inside: avoid; orphans: 2; line-clamp: none
order: -1; flex: 1 1 0; flex: 0 0 0px; z-index: 1e3; opacity: 50%; zoom: 1.5; tab-size: 4
color: RED; COLOR: Blue; background: #FFF; WIDTH: 1PX; color: \\red; margin: +.5px -.0px
""".strip().splitlines()
# Whole stylesheets: rules in rules, and conditions.
SHEETS = [
    ".a { color: red; &:hover { color: blue } .b & { top: 0 } @media (width >= 1px) { left: 0 } }",
    ".a { > .b + .c ~ .d { top: 0 } & > & { left: 0 } }",
    "@media screen and (400px <= width < 90rem), (prefers-color-scheme: dark) { .a { top: 0 } }",
    "@container card (inline-size > 30rem) and style(--x: 1) { .a { top: 0 } }",
    "@supports (selector(:has(> a))) and (not (display: nope)) { .a { top: 0 } }",
    "@layer one, two; @layer one { .a { top: 0 } } @layer { .b { top: 0 } }",
    "@starting-style { .a { opacity: 0 } } @scope (.a) to (.b) { :scope > i { top: 0 } }",
    "@property --p { syntax: '<length> | auto'; inherits: false; initial-value: 0px }",
    "@keyframes k { from, 50% { top: 0; animation-timing-function: steps(2) } to { top: 1px } }",
    "@view-transition { navigation: auto } @page :first { margin: 1in }",
    "@position-try --t { top: anchor(bottom) } @counter-style c { system: cyclic; symbols: '‣' }",
    "[a = 'b'], [a='b' i], [a=\"b c\"], [a='1'] { top: 0 } a:not( [href] ) , b { left: 0 }",
    "li:nth-child( 2n + 1 of .a, .b ):is( .c , .d )::before { top: 0 }",
    "::view-transition-old( a ), ::highlight(x), :host-context(a) b, dialog:open { top: 0 }",
    "/* a */ .a /* b */ .b { /* c */ top /* d */ : /* e */ 0 /* f */ ; }",
    ".a\\:b, .\\31 0, .w-\\[calc\\(1px\\+2px\\)\\], .é { top: 0 }",
]
# Each rule as Chromium has it: condition, selector, each longhand with its value. Of conditions,
# and of values with a variable, Chromium keeps blanks that mean nothing.
READ = """texts => texts.map(text => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(text);
  const names = style => Array.from({length: style.length}, (_, at) => style.item(at));
  const plain = text => text.replace(/\\s*([\\s,:>])\\s*/g, '$1');
  const read = rules => [...rules].map(rule => ({
    kind: rule.constructor.name,
    condition: plain(rule.conditionText ?? rule.name ?? rule.keyText ?? rule.syntax ?? ''),
    selector: rule.selectorText ?? '',
    declarations: rule.style
      ? names(rule.style).map(name =>
          [name, name.startsWith('--') ? '' : plain(rule.style.getPropertyValue(name))])
      : rule.cssRules ? [] : [plain(rule.cssText)],
    rules: rule.cssRules ? read(rule.cssRules) : [],
  }));
  return read(sheet.cssRules);
})"""


@pytest.fixture(scope="module")
def meant(browser: Browser) -> Iterator[Meant]:
    """Asks Chromium what stylesheets mean."""
    page = browser.new_page()
    # A page without it takes lengths without units.
    page.set_content("<!doctype html>")

    def asked(texts: list[str]) -> list[Any]:
        found: list[Any] = page.evaluate(READ, texts)
        return found

    yield asked
    page.close()


def _sheets() -> list[str]:
    return [*(f".a {{ {rule} }}" for rule in RULES), *SHEETS]


def test_no_declaration_is_lost_by_minifying(meant: Meant) -> None:
    """Chromium reads the same rules, declarations and values before and after."""
    texts = _sheets()
    before = meant(texts)
    assert sum(1 for rules in before if rules) == len(texts)
    for text, was, now in zip(texts, before, meant([*map(minified, texts)]), strict=True):
        assert now == was, text


def test_no_declaration_is_lost_in_component_and_base_css(
    meant: Meant, toolchain: Toolchain, tmp_path: Path
) -> None:
    """A component's and the templates' stylesheets keep every declaration of their rules."""
    rules = [f".a {{ {rule} }}" for rule in RULES if "url(" not in rule and "image-set" not in rule]
    css = "\n".join(rules)
    with Cache(tmp_path) as cache, closing(Bundler(cache)) as bundler:
        row = component("it", "export default () => <p/>", css)
        made = bundler.bundle(
            {"it": row}, ["it"], toolchain=toolchain, tokens=(), base_css="\n".join(_sheets())
        )
    assert made.problems == ()
    sheet = made.modules["@robbieblocks/it"].stylesheet
    assert sheet is not None
    before, (layer,), whole, base = meant(
        [css, sheet.content.decode(), "\n".join(_sheets()), made.base_stylesheet.content.decode()]
    )
    # Its anchors are those of one block.
    own = [each for each in layer["rules"] if each["declarations"] != [["anchor-scope", "all"]]]
    assert [each["declarations"] for each in own] == [each["declarations"] for each in before]
    assert base == whole


def _taken(rules: list[Any]) -> Iterator[Any]:
    """What is left of rules: their declarations, where their condition can hold."""
    for rule in rules:
        if rule["condition"] != "not all":
            yield from rule["declarations"]
            yield from _taken(rule["rules"])


def test_what_is_warned_of_is_what_chromium_passes_over(meant: Meant, browser: Browser) -> None:
    """Of each rule that a build warns of nothing is left; of what Chromium takes, none is told."""
    # A class may be set by a script, and a function like --spacing() or keyframes be defined
    # elsewhere. A palette of no font and an unknown medium are kept, and do nothing.
    dead = [
        css
        for css, *_ in PASSED_OVER
        if not any(
            it in css for it in ("dark", "light", "--spacing", "fdae", "@font-", "media m", "sreen")
        )
    ]
    conditions = [css[7 : css.index("{")] for css in dead if css.startswith("@media (")]
    rules = [css for css in dead if not css.startswith("@media (")]
    left = {css: [*_taken(read)] for css, read in zip(rules, meant(rules), strict=True)}
    assert {css: it for css, it in left.items() if it} == {}
    page = browser.new_page()
    page.set_content("<!doctype html>")
    # A condition that browsers know holds, or else its opposite does.
    ever = "each => matchMedia(`${each} or (not ${each})`).matches"
    assert page.evaluate(ever, "(max-width:600px)")
    assert len(conditions) > 2
    assert [each for each in conditions if page.evaluate(ever, each)] == []
    page.close()
    told = [problem for css in _sheets() for problem in scope(css)[1]]
    assert [each for each in told if each.severity == "warning"] == []
