"""What a component's stylesheet and code say of each other holds in a real Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pages import Publish, component

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SHARE = "@property --share { syntax: '<percentage>'; inherits: false; initial-value: 0% }"
BAR = ".bar { width: var(--share); opacity: .5 } .bar, main, div { max-width: none }"


@pytest.mark.parametrize(
    "code",
    [
        "export default ({ n = 40 }) => <p className='bar' style={{ '--share': `${n}%` }}>x</p>;",
        "export default () => <p className='bar [--share:40%]'>x</p>;",
        """import { useEffect, useRef } from "react";
        export default function Bar() {
          const bar = useRef(null);
          useEffect(() => bar.current.style.setProperty("--share", "40%"), []);
          return <p className="bar" ref={bar}>x</p>;
        }""",
    ],
    ids=["style", "utility", "effect"],
)
def test_code_sets_a_registered_property(placed: Publish, page: Page, code: str) -> None:
    """A property that the stylesheet registers is the one that the code names."""
    page.goto(placed(component("bar", code, SHARE + BAR)))
    page.wait_for_function(
        """() => {
          const bar = document.querySelector(".bar");
          return Math.abs(bar.offsetWidth / bar.parentElement.clientWidth - 0.4) < 0.01;
        }"""
    )


def test_a_containers_style_may_be_a_registered_property(placed: Publish, page: Page) -> None:
    """Asked for in a condition, in `if()` and through `@container`, it is known."""
    css = """@property --mode { syntax: "wide | slim"; inherits: true; initial-value: slim }
      .card { --mode: wide }
      @container style(--mode: wide) { .in { color: rgb(1, 2, 3) } }
      .in { background: if(style(--mode: wide): rgb(4, 5, 6); else: red) }"""
    code = "export default () => <div className='card'><p className='in'>x</p></div>;"
    page.goto(placed(component("card", code, css)))
    style = "(({color, backgroundColor}) => [color, backgroundColor])"
    found = page.evaluate(f"{style}(getComputedStyle(document.querySelector('.in')))")
    assert found == ["rgb(1, 2, 3)", "rgb(4, 5, 6)"]


def test_keyframes_may_be_named_like_a_keyword(placed: Publish, page: Page) -> None:
    """An animation repeats, and its keyframes are the component's, whatever they are called."""
    css = """@keyframes infinite { to { rotate: 1turn } }
      .a { animation: 3s infinite linear infinite }"""
    page.goto(placed(component("spin", "export default () => <p className='a'>x</p>;", css)))
    found = page.evaluate(
        "(({animationName, animationIterationCount}) => [animationName, animationIterationCount])"
        "(getComputedStyle(document.querySelector('.a')))"
    )
    assert found[0].endswith("-infinite")
    assert found[1] == "infinite"
    moves = (
        "document.querySelector('.a').getAnimations().map(it => it.effect.getKeyframes().length)"
    )
    assert page.evaluate(moves) == [2]


def test_a_component_styles_the_transition_of_what_it_names(placed: Publish, page: Page) -> None:
    """The pseudo-elements of a transition stand at the page's root, and have the rule."""
    css = """.hero { view-transition-name: hero }
      ::view-transition-group(hero) { animation-duration: 7s }"""
    page.goto(placed(component("hero", "export default () => <p className='hero'>x</p>;", css)))
    duration = """async () => {
      await document.startViewTransition(() => {}).ready;
      const group = getComputedStyle(document.documentElement, "::view-transition-group(hero)");
      return group.animationDuration;
    }"""
    assert page.evaluate(duration) == "7s"
