"""What a visitor presses before a block lives is not lost: in a real Chromium, on a slow line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import Noise
from tests.browser.holding import REACT, RUNTIME, hold
from tests.pages import Publish, block, component

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

pytestmark = pytest.mark.browser

# What it heard, in order; a form whose sending would leave the page goes to a frame of it.
PANEL = component(
    "panel",
    """import { useState } from "react";
const words = ["one", "two", "three"];
export default function Panel() {
  const [heard, hear] = useState([]);
  const on = (what) => () => hear((before) => [...before, what]);
  return <section>
    <output>{heard.join(" ")}</output>
    {words.map((word) => <button key={word} onClick={on(word)}>{word}</button>)}
    <button className="drawn" onClick={on("drawn")}><svg width="9" height="9"
      viewBox="0 0 9 9"><rect width="9" height="9"/></svg></button>
    <div className="tile" onClick={(event) => on(`at ${event.clientX}`)()}>tile</div>
    <input type="button" value="plain" onClick={on("plain")}/>
    <a href="#there" onClick={on("link")}>link</a>
    <label><input type="checkbox" onClick={on("box")}/>box</label>
    <details><summary onClick={on("summary")}>more</summary>of it</details>
    <form action="/sent" target="aside" onClick={on("form")}><button>send</button></form>
    <iframe name="aside" title="aside"/>
  </section>;
}""",
)


def _press(page: Page, address: str, *selectors: str, held: str) -> None:
    """Open the page, press these while what is held waits, and let it live."""
    go_on = hold(page, held)
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#rb-islands", state="attached")
    for selector in selectors:
        page.click(selector)
    go_on()
    page.wait_for_function(
        "() => Object.keys(document.querySelector('button'))"
        ".some(k => k.startsWith('__reactProps'))"
    )


def _heard(page: Page, *words: str) -> None:
    wanted = " ".join(words)
    page.wait_for_function("t => document.querySelector('output').textContent === t", arg=wanted)


@pytest.mark.parametrize("held", [RUNTIME, REACT], ids=["runtime", "react"])
@pytest.mark.parametrize("hydrate", ["load", "idle", "visible"])
def test_a_press_is_done_once_its_block_lives(
    publish: Publish, page: Page, held: str, hydrate: str
) -> None:
    """Each control once, in the order of its last press, however often nothing seemed to happen;
    later presses are heard as ever."""
    address = publish([PANEL], [block(1, "panel", hydrate=hydrate)])
    early = (
        "button:text-is('two')",
        "button:text-is('one')",
        "button:text-is('two')",
        ".drawn rect",
        "[value=plain]",
    )
    _press(page, address, *early, held=held)
    _heard(page, "one", "two", "drawn", "plain")
    page.click("button:text-is('three')")
    page.click("button:text-is('three')")
    _heard(page, "one", "two", "drawn", "plain", "three", "three")


def test_a_press_is_heard_where_it_was(publish: Publish, page: Page) -> None:
    """Of what is no control, too, and with the pointer's place."""
    go_on = hold(page, RUNTIME)
    page.goto(publish([PANEL], [block(1, "panel")]), wait_until="commit")
    place = page.locator(".tile").bounding_box()
    assert place is not None
    page.click(".tile", position={"x": 5, "y": 5})
    go_on()
    _heard(page, "at", str(round(place["x"] + 5)))


def test_what_acts_without_scripts_is_not_done_twice(publish: Publish, page: Page) -> None:
    """Links have led on, boxes are checked, and forms were sent: once."""
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.url)
        route.fulfill(body="sent")

    page.route("**/sent*", answer)
    native = ("text=link", "input[type=checkbox]", "summary", "text=send")
    _press(
        page, publish([PANEL], [block(1, "panel")]), *native, "button:text-is('one')", held=RUNTIME
    )
    _heard(page, "one")
    assert page.url.endswith("#there")
    assert page.is_checked("input[type=checkbox]")
    assert page.evaluate("document.querySelector('details').open")
    assert len(sent) == 1


def test_who_listens_further_out_hears_it_once(publish: Publish, page: Page) -> None:
    """A script of the page that heard the press does not hear it again."""
    page.add_init_script(
        "document.addEventListener('click', () => { window.heard = (window.heard ?? 0) + 1; })"
    )
    _press(page, publish([PANEL], [block(1, "panel")]), "button:text-is('one')", held=RUNTIME)
    _heard(page, "one")
    assert page.evaluate("heard") == 1
    page.click("button:text-is('two')")
    _heard(page, "one", "two")
    assert page.evaluate("heard") == 2


def test_what_is_no_longer_there_is_forgotten(publish: Publish, page: Page, noise: Noise) -> None:
    """Where browsers have other elements than those that were pressed, nothing is pressed."""
    code = PANEL.code.replace("<output>", "<table><tr><td>x</td></tr></table><output>")
    _press(
        page,
        publish([component("panel", code)], [block(1, "panel")]),
        "button:text-is('two')",
        held=RUNTIME,
    )
    page.click("button:text-is('one')")
    _heard(page, "one")
    assert noise.console == []


def test_a_page_that_begins_with_a_picture_keeps_presses(publish: Publish, page: Page) -> None:
    """So do pages whose modules wait for their first picture."""
    code = PANEL.code.replace(
        "<output>", '<img alt="" width="9" height="9" fetchPriority="high" src="/no"/><output>'
    )
    page.route("**/no", lambda route: route.fulfill(content_type="image/svg+xml", body=_DOT))
    address = publish([component("panel", code)], [block(1, "panel")])
    _press(page, address, "button:text-is('two')", held=RUNTIME)
    _heard(page, "two")


_DOT = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'


def test_a_press_waits_for_its_own_block(publish: Publish, page: Page, noise: Noise) -> None:
    """A block that fails, and what lies outside of blocks, leave the others their presses."""
    failing = component(
        "failing",
        """import { useEffect, useState } from "react";
export default function Failing() {
  const [at] = useState(1);
  useEffect(() => { if (at) throw new Error("no"); }, [at]);
  return <b>failing</b>;
}""",
    )
    panel = PANEL.code.replace("<section>", "<section className='second'>")
    address = publish(
        [failing, component("panel", panel)], [block(1, "failing"), block(2, "panel")]
    )
    with page.expect_console_message():
        _press(page, address, "text=failing", "main", "button:text-is('two')", held=REACT)
    _heard(page, "two")
    noise.clear()
