"""Pages in a real Chromium: what visitors get before, with and without scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from robbieblocks.model import AssembledBlock, Asset, ComponentRow, order_in_frame
from tests import pages
from tests.browser.chromium import Noise, accessibility_violations, html_problems
from tests.pages import Press, block, component
from tests.web_objects import WEB_OBJECTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

COUNTER = component(
    "counter",
    """import { useId, useState } from "react";
export default function Counter({ start, label }: { start: number; label: string }) {
  const [count, setCount] = useState(start);
  const id = useId();
  return <p><label htmlFor={id}>{label}</label> <output id={id}>{count}</output>
    <button type="button" onClick={() => setCount(count + 1)}>Add to {label}</button></p>;
}""",
)
GREETING = component("greeting", "export default ({ text }) => <p className='hello'>{text}</p>;")
TITLE = component("title", "export default ({ text }) => <h1>{text}</h1>;")
CLOCK = component(
    "clock", "export default () => <p className='year'>{new Date().getFullYear()}</p>;"
)
FAILING = component(
    "failing",
    """import { useEffect } from "react";
export default function Failing() {
  useEffect(() => { throw new Error("it broke in the browser"); }, []);
  return <p className="failing">What was prerendered</p>;
}""",
)
Publish = Callable[..., str]


@pytest.fixture
def publish(press: Press, tmp_path: Path) -> Iterator[Publish]:
    """Serves one page made of the given components and blocks; its address."""
    with ExitStack() as stack:

        def made(rows: list[ComponentRow], blocks: list[AssembledBlock], **more: Any) -> str:
            on = more.pop("node", None) or pages.node()
            bundle = press.bundle(*rows, base_css=press.renderer.base_css())
            press.write(tmp_path, bundle, [pages.page(*blocks, **more)], on)
            return stack.enter_context(pages.served(tmp_path))

        yield made


def _wait_for_life(page: Page) -> None:
    page.wait_for_function(
        "() => Object.keys(document.querySelector('button'))"
        ".some(k => k.startsWith('__reactProps'))"
    )


def _scripts(page: Page) -> list[str]:
    entries = page.evaluate("performance.getEntriesByType('resource').map(e => e.name)")
    return [name.rsplit("/", 1)[1] for name in entries if name.endswith(".js")]


def test_a_browser_computes_the_same(browser: Browser) -> None:
    """What blocks get of events, signals, headers and so on is what a browser gives."""
    with browser.new_context() as context:
        page = context.new_page()
        for topic, (body, gives) in WEB_OBJECTS.items():
            found = page.evaluate(f"JSON.stringify((() => {{ {body} }})())")
            assert (topic, json.loads(found)) == (topic, gives)


def test_blocks_show_before_scripts_run(publish: Publish, browser: Browser) -> None:
    """With scripts off, a page shows all its blocks."""
    address = publish([COUNTER], [block(1, "counter", {"start": 3, "label": "eggs"})])
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("output").inner_text() == "3"
    context.close()


def test_islands_come_to_life_in_silence(publish: Publish, page: Page) -> None:
    """Each block hydrates on its own state, ids match, and the console stays silent."""
    address = publish(
        [COUNTER],
        [
            block(1, "counter", {"start": 3, "label": "eggs"}),
            block(2, "counter", {"start": 30, "label": "nuts"}, hydrate="idle"),
            block(3, "counter", {"start": 300, "label": "figs"}, hydrate="visible"),
        ],
    )
    page.goto(address)
    for name, value in (("eggs", "4"), ("nuts", "31"), ("figs", "301")):
        button = page.get_by_role("button", name=f"Add to {name}")
        page.wait_for_function(
            "b => Object.keys(b).some(k => k.startsWith('__reactProps'))",
            arg=button.element_handle(),
        )
        button.click()
        assert page.get_by_label(name).inner_text() == value


# Notes whether the task that hydrates the first block is over once the second is hydrated: React
# listens at each, and microtasks of one task run before the next task begins.
WATCH_TASKS = """
    const listen = EventTarget.prototype.addEventListener;
    EventTarget.prototype.addEventListener = function (type, ...rest) {
      if (type === "click" && this.id === "b1") {
        window.isOver = false;
        let left = 10_000;
        const step = () => {
          if (left--) Promise.resolve().then(step);
          else window.isOver = true;
        };
        step();
      }
      if (type === "click" && this.id === "b2") window.wasOver = window.isOver;
      return listen.call(this, type, ...rest);
    };
"""


def test_each_block_comes_to_life_in_a_task_of_its_own(publish: Publish, page: Page) -> None:
    """Between two blocks a browser can draw and answer; what nobody needs is not fetched."""
    props = {"start": 1, "label": "one"}
    page.add_init_script(WATCH_TASKS)
    page.goto(publish([COUNTER], [block(1, "counter", props), block(2, "counter", props)]))
    page.wait_for_function("() => window.wasOver !== undefined")
    assert page.evaluate("window.wasOver") is True
    loaded = {name.partition("-")[0] for name in _scripts(page)}
    assert loaded == {"islands", "react", "counter"}


LONG = component(
    "long",
    """import { useEffect, useState } from "react";
function Item({ number }) {
  globalThis.seen?.push("item");
  // Some milliseconds of work, without a look at the clock: that would make the block another kind.
  let left = 2_000_000;
  while (left) left -= 1;
  return <li>{number + left}</li>;
}
export default function Long() {
  const [count, setCount] = useState(0);
  useEffect(() => { globalThis.seen.push("alive"); }, []);
  return <><button onClick={() => setCount(count + 1)}>{`Pressed ${count}`}</button>
    <ul>{Array.from({ length: 40 }, (_, i) => <Item key={i} number={i} />)}</ul></>;
}""",
)
# Notes each task that the browser comes to meanwhile.
TASKS = """
globalThis.seen = [];
const { port1, port2 } = new MessageChannel();
port1.onmessage = () => { seen.push("task"); if (!seen.includes("alive")) setTimeout(next); };
const next = () => port2.postMessage(0);
next();
"""


def test_a_large_block_lets_the_browser_answer(publish: Publish, page: Page) -> None:
    """Other tasks run between the parts of a block that comes to life."""
    page.add_init_script(TASKS)
    page.goto(publish([LONG], [block(1, "long")]))
    page.wait_for_function("() => seen.includes('alive')")
    seen = page.evaluate("seen")
    first, last = seen.index("item"), len(seen) - 1 - seen[::-1].index("item")
    assert seen.count("item") == 40, seen
    assert "task" in seen[first:last], seen


def test_what_is_pressed_meanwhile_is_heard(publish: Publish, page: Page) -> None:
    """A press on a block that comes to life brings it to life at once, and does what it should."""
    page.add_init_script(
        TASKS
        + """
const press = () => {
  const begun = seen.includes("item") && !seen.includes("alive");
  if (begun) { seen.push("press"); document.querySelector("button").click(); }
  else if (!seen.includes("alive")) setTimeout(press);
};
setTimeout(press);
"""
    )
    page.goto(publish([LONG], [block(1, "long")]))
    page.get_by_role("button", name="Pressed 1").wait_for()
    assert "press" in page.evaluate("seen")


def test_a_block_without_state_ships_no_script(publish: Publish, page: Page) -> None:
    """A page with static blocks alone loads no module at all."""
    page.goto(publish([GREETING], [block(1, "greeting", {"text": "Hi"})]))
    assert page.locator(".hello").inner_text() == "Hi"
    assert _scripts(page) == []
    assert page.locator("script[type=importmap], #rb-islands").count() == 0


_MAKES_HTML = """() => {
    try { document.createElement("p").innerHTML = "<b>x</b>"; return "made"; }
    catch (error) { return error.name; }
}"""


def test_scripts_can_make_no_html_of_texts(publish: Publish, page: Page, noise: Noise) -> None:
    """Where no block's code makes HTML, a text that reaches innerHTML is refused by the browser."""
    page.goto(publish([COUNTER], [block(1, "counter", {"start": 1, "label": "eggs"})]))
    _wait_for_life(page)
    assert page.evaluate(_MAKES_HTML) == "TypeError"
    assert "TrustedHTML" in str(noise)
    noise.clear()


def test_a_block_that_makes_html_goes_on(publish: Publish, page: Page) -> None:
    """Where a block's code sets HTML, or a prop has such a name, it may."""
    raw = component(
        "raw",
        """import { useState } from "react";
export default function Raw({ first }) {
  const [html, set] = useState({ __html: "<i>one</i>" });
  return <button onClick={() => set({ __html: "<b>two</b>" })} dangerouslySetInnerHTML={html} />;
}""",
    )
    page.goto(publish([raw], [block(1, "raw")]))
    _wait_for_life(page)
    page.get_by_role("button").click()
    assert page.locator("button b").inner_text() == "two"


def test_what_is_chosen_shows_in_forced_colours(publish: Publish, page: Page) -> None:
    """Pressed, selected, checked and current elements differ from others without their colours."""
    marks = (
        'aria-pressed="true"',
        'aria-selected="true"',
        'aria-checked="true"',
        'aria-current="page"',
    )
    items = "".join(f"<span className='on' {mark}>on</span>" for mark in marks)
    code = f"<p>{items}<span className='off' aria-current='false'>off</span></p>"
    page.emulate_media(forced_colors="active")
    page.goto(
        publish(
            [component("tabs", code, "p span { background: red; color: white }")],
            [block(1, "tabs")],
        )
    )
    colours = "all => all.map(e => getComputedStyle(e).backgroundColor)"
    chosen = {*page.locator(".on").evaluate_all(colours)}
    (other,) = page.locator(".off").evaluate_all(colours)
    assert len(chosen) == 1
    assert other not in chosen


def test_live_values_show(publish: Publish, page: Page) -> None:
    """A block that reads the clock shows the visitor's, without a hydration error."""
    page.goto(publish([CLOCK], [block(1, "clock")]))
    year = str(page.evaluate("new Date().getFullYear()"))
    page.wait_for_function("y => document.querySelector('.year').textContent === y", arg=year)


def test_a_failing_block_leaves_the_others(publish: Publish, page: Page, noise: Noise) -> None:
    """A block that throws shows its prerendered HTML, reports once with its key; others go on."""
    address = publish(
        [COUNTER, FAILING],
        [block(1, "failing"), block(2, "counter", {"start": 1, "label": "eggs"})],
    )
    with page.expect_console_message() as said:
        page.goto(address)
    assert "@robbieblocks/failing" in said.value.text
    page.wait_for_function("() => Object.keys(document.querySelector('.failing')).length === 0")
    assert page.locator(".failing").inner_text() == "What was prerendered"
    _wait_for_life(page)
    page.get_by_role("button").click()
    assert page.locator("output").inner_text() == "2"
    assert len(noise.console) == 1
    noise.clear()


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", "Hi there!"), ("?name=Ada", "Hi Ada!"), ("?name=%3Cb%3Ex%3C/b%3E", "Hi <b>x</b>!")],
)
def test_placeholders_are_filled_as_text(
    publish: Publish, page: Page, query: str, shown: str
) -> None:
    """`{{name|fallback}}` in props and title shows the query's value, never as HTML."""
    blocks = [
        block(1, "greeting", {"text": "Hi there!"}, fill={"text": "Hi {{name|there}}!"}),
        block(
            2,
            "counter",
            {"start": 1, "label": "Hi there!"},
            fill={"start": 1, "label": "Hi {{name|there}}!"},
        ),
    ]
    fill = "Hi {{name|there}}!"
    address = publish([GREETING, COUNTER], blocks, title="Hi there!", title_fill=fill)
    page.goto(address + "/" + query)
    page.wait_for_function("t => document.querySelector('.hello').textContent === t", arg=shown)
    page.wait_for_function("t => document.querySelector('label').textContent === t", arg=shown)
    assert page.title() == shown


@pytest.mark.parametrize(
    ("condition", "query", "width", "holds"),
    [
        ({"query": {"ref": ["mail"]}}, "?ref=mail", 800, True),
        ({"query": {"ref": ["mail"]}}, "?ref=post", 800, False),
        ({"query": {"ref": ["mail"]}}, "", 800, False),
        ({"query": {"ref": ["mail", "post"]}}, "?ref=post", 800, True),
        ({"query": {"ref": True}}, "?ref=", 800, True),
        ({"query": {"ref": False}}, "?ref=", 800, False),
        ({"query": {"ref": False}}, "", 800, True),
        ({"viewport": {"min": 600}}, "", 600, True),
        ({"viewport": {"min": 600}}, "", 599, False),
        ({"viewport": {"max": 900}}, "", 900, True),
        ({"viewport": {"max": 900}}, "", 901, False),
        ({"viewport": {"min": 600, "max": 900}}, "", 901, False),
        ({"not": {"viewport": {"min": 600, "max": 900}}}, "", 901, True),
        ({"not": {"query": {"ref": ["mail"]}}}, "", 800, True),
        ({"any": [{"viewport": {"min": 900}}, {"query": {"a": True}}]}, "?a=1", 800, True),
        ({"any": [{"viewport": {"min": 900}}, {"query": {"a": True}}]}, "", 800, False),
        ({"all": [{"viewport": {"min": 700}}, {"query": {"a": True}}]}, "?a=1", 800, True),
        ({"all": [{"viewport": {"min": 900}}, {"query": {"a": True}}]}, "?a=1", 800, False),
    ],
)
def test_visitor_conditions(
    publish: Publish, page: Page, condition: Any, query: str, width: int, holds: bool
) -> None:
    """A visitor condition decides before painting, and hidden islands are not started."""
    rows, props = [COUNTER], {"start": 1, "label": "eggs"}
    address = publish(rows, [block(1, "counter", props, visitor=condition)])
    page.set_viewport_size({"width": width, "height": 700})
    page.goto(f"{address}/{query}")
    assert page.locator("#b1").is_visible() is holds
    if holds:
        page.get_by_role("button").click()
    else:
        assert not [name for name in _scripts(page) if name.startswith("counter")]


def test_a_block_starts_when_it_is_revealed(publish: Publish, page: Page) -> None:
    """An island that a narrow viewport hides comes to life when the window grows."""
    condition = {"viewport": {"min": 900}}
    address = publish(
        [COUNTER], [block(1, "counter", {"start": 1, "label": "eggs"}, visitor=condition)]
    )
    page.set_viewport_size({"width": 500, "height": 700})
    page.goto(address)
    page.set_viewport_size({"width": 1000, "height": 700})
    _wait_for_life(page)
    page.get_by_role("button").click()
    assert page.locator("output").inner_text() == "2"


def test_nothing_moves(publish: Publish, page: Page) -> None:
    """Hydration and conditions shift no layout."""
    address = publish(
        [COUNTER, GREETING, CLOCK],
        [
            block(1, "greeting", {"text": "hidden"}, visitor={"query": {"no": True}}),
            block(2, "counter", {"start": 1, "label": "eggs"}),
            block(3, "greeting", {"text": "wide"}, visitor={"viewport": {"min": 300}}),
            block(4, "clock"),
        ],
    )
    page.add_init_script(
        "window.shift = 0;"
        "new PerformanceObserver(l => l.getEntries().forEach(e => shift += e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    page.goto(address, wait_until="networkidle")
    assert page.evaluate("shift") == 0


def test_a_node_script_and_stylesheet_run_last(publish: Publish, page: Page) -> None:
    """The node's own script runs under the strict policy, by its integrity."""
    on = pages.node(
        custom_scripts=Asset.of("node", "js", "document.documentElement.dataset.node = 'ran';"),
        custom_css=Asset.of("node", "css", "@layer node{.hello{color:rgb(1,2,3)}}"),
    )
    page.goto(publish([GREETING], [block(1, "greeting", {"text": "Hi"})], node=on))
    assert page.evaluate("document.documentElement.dataset.node") == "ran"
    color = page.evaluate("getComputedStyle(document.querySelector('.hello')).color")
    assert color == "rgb(1, 2, 3)"


HOSTILE = (
    """</script><script>window.hacked=1</script><!-- ]]> "'`{{name}}{%x%}{{ 7*7 }}\u2028&amp;"""
)


def test_hostile_texts_stay_text(publish: Publish, page: Page) -> None:
    """Markup in props, title, description and metadata is shown or kept as text."""
    address = publish(
        [COUNTER],
        [block(1, "counter", {"start": 1, "label": HOSTILE})],
        title=HOSTILE,
        description=HOSTILE,
        metadata={"og_title": HOSTILE, "json_ld": {"name": HOSTILE}, "lang": '"><script>'},
    )
    page.goto(address)
    _wait_for_life(page)
    assert page.evaluate("window.hacked") is None
    assert page.locator("label").evaluate("e => e.textContent") == HOSTILE
    assert page.evaluate("document.querySelector('title').textContent") == HOSTILE
    assert page.evaluate("document.querySelector('meta[name=description]').content") == HOSTILE
    text = page.evaluate(
        "document.querySelector('script[type=\"application/ld+json\"]').textContent"
    )
    assert page.evaluate("t => JSON.parse(t).name", text) == HOSTILE


def test_pages_are_valid_and_accessible(publish: Publish, page: Page, tmp_path: Path) -> None:
    """The HTML validates and axe finds nothing serious."""
    address = publish(
        [COUNTER, TITLE],
        [
            block(1, "title", {"text": "Hi"}, zone="header"),
            block(2, "counter", {"start": 1, "label": "eggs"}, visitor={"query": {"x": False}}),
        ],
        description="A page",
        metadata={"json_ld": {"@type": "WebPage"}, "og_image": "https://example.org/a.png"},
        node=pages.node(theme="light", base_url="https://example.org"),
    )
    page.goto(address)
    assert html_problems([tmp_path / "index.html"]) == []
    assert accessibility_violations(page) == []


MODAL = component(
    "modal",
    """import { useEffect, useState } from "react"; import { createPortal } from "react-dom";
export default function Modal() {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(true), []);
  return <div id="own">{open && <>
    {createPortal(<p className="box" id="far">Far</p>, document.body)}
    {createPortal(<p className="box" id="near">Near</p>, document.getElementById("own"))}
    {createPortal(<meta name="from-modal" />, document.head)}</>}</div>;
}""",
    ".box { position: fixed; top: 7px }",
)


@pytest.mark.parametrize("order", [-1, 2, order_in_frame(1, 1)])
def test_what_is_shown_elsewhere_keeps_its_styles(publish: Publish, page: Page, order: int) -> None:
    """A portal into the page's body has its component's CSS, also of a frame's block; one into the
    block or the head has no element around it."""
    page.goto(publish([MODAL, TITLE], [block(order, "modal"), block(1, "title", {"text": "x"})]))
    page.wait_for_selector("#far")
    top = "name => getComputedStyle(document.getElementById(name)).top"
    assert page.evaluate(top, "far") == "7px"
    assert page.evaluate(top, "near") == "7px"
    parents = "name => document.querySelector(name).parentElement.dataset.rbComponent ?? null"
    assert page.evaluate(parents, "#far") == "modal"
    assert page.evaluate(parents, "#near") is None
    assert page.evaluate("document.head.querySelector(':scope > [name=from-modal]') !== null")
