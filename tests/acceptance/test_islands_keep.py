"""What a visitor did with a block before it came to life stays, in a real Chromium."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from robbieblocks.model import ComponentRow
from tests import pages
from tests.browser.chromium import Noise
from tests.browser.holding import REACT, RUNTIME, hold
from tests.pages import Press, Publish, block, component

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def _open(page: Page, address: str) -> None:
    page.goto(address, wait_until="commit")
    page.wait_for_selector("#b1 form")


FRESH = component(
    "fresh",
    """import { useState } from "react";
export default function Fresh() {
  const now = new Date();
  const [said, setSaid] = useState("");
  return <form className={"in-" + now.getFullYear()} style={{ "--year": now.getFullYear() }}>
    <p title={"since " + now.getFullYear()}>It is {now.getFullYear()}, or {Math.random()}.</p>
    <time dateTime={now.toISOString()}>{now.getFullYear()}</time>
    <svg viewBox="0 0 9 9"><line x2={now.getDate()} strokeWidth={now.getFullYear()}/></svg>
    <b dangerouslySetInnerHTML={{ __html: `<i>${now.getFullYear()}</i>` }}/>
    <input name="plain"/><input name="kept" value={said} onChange={(e) => setSaid(e.target.value)}/>
    <output>{said.toUpperCase()}</output>
    <textarea name="long"/><input type="checkbox" name="box"/>
    <select name="one"><option>a</option><option>b</option></select>
  </form>;
}""",
)
# Its elements differ from those that were prerendered, so that React makes them anew.
OTHER = component(
    "other",
    FRESH.code.replace("<p title=", "{now.getFullYear() > 2025 && <hr/>}<p title=").replace(
        "Fresh", "Other"
    ),
)
MISNESTED = component(
    "misnested",
    FRESH.code.replace("<output>", "<table><tr><td>x</td></tr></table><output>").replace(
        "Fresh", "Misnested"
    ),
)


@pytest.mark.parametrize("row", [FRESH, OTHER, MISNESTED], ids=lambda row: row.key)
def test_what_a_visitor_typed_stays(publish: Publish, page: Page, row: ComponentRow) -> None:
    """A block that shows the clock gets the visitor's, and keeps what was typed and the focus."""
    go_on = hold(page, RUNTIME)
    _open(page, publish([row], [block(1, row.key)]))
    page.fill("[name=plain]", "a name")
    page.fill("[name=kept]", "mine")
    page.fill("[name=long]", "a letter")
    page.check("[name=box]")
    page.select_option("[name=one]", "b")
    page.focus("[name=plain]")
    page.evaluate("document.activeElement.setSelectionRange(2, 4)")
    page.evaluate("window.form = document.querySelector('form')")
    go_on()
    year = str(page.evaluate("new Date().getFullYear()"))
    page.wait_for_function("y => document.querySelector('time').textContent === y", arg=year)
    page.wait_for_function("() => document.querySelector('output').textContent === 'MINE'")
    values = page.evaluate(
        """[...document.querySelectorAll('form [name]')].map(
             each => each.type === 'checkbox' ? String(each.checked) : each.value)"""
    )
    assert values == ["a name", "mine", "a letter", "true", "b"]
    focused = page.evaluate(
        "(({name, selectionStart: a, selectionEnd: b}) => [name, a, b])(document.activeElement)"
    )
    assert focused == ["plain", 2, 4]
    if row is FRESH:
        assert page.evaluate("form === document.querySelector('form')")
    assert page.get_attribute("form", "class") == f"in-{year}"
    assert page.get_attribute("form p", "title") == f"since {year}"
    assert (page.get_attribute("form", "style") or "").replace(" ", "").rstrip(
        ";"
    ) == f"--year:{year}"
    assert page.get_attribute("line", "stroke-width") == year
    assert page.inner_text("b i") == year
    page.fill("[name=kept]", "yours")
    page.wait_for_function("() => document.querySelector('output').textContent === 'YOURS'")


WRITTEN = component(
    "written",
    """import { useState } from "react";
export default function Written() {
  const [said, say] = useState("");
  return <form>
    <div contentEditable suppressContentEditableWarning
      onInput={(e) => say(e.currentTarget.textContent)}>one {"two"} <b>three</b></div>
    <p contentEditable="plaintext-only" suppressContentEditableWarning>four</p>
    <details><summary>more</summary>of it</details>
    <output>{said}</output>
  </form>;
}""",
)
WRITTEN_FRESH = replace(
    WRITTEN, code=WRITTEN.code.replace("<details>", "<time>{Date.now()}</time><details>")
)
WRITTEN_MISNESTED = replace(
    WRITTEN, code=WRITTEN.code.replace("<details>", "<table><tr><td>x</td></tr></table><details>")
)


@pytest.mark.parametrize(
    "row", [WRITTEN, WRITTEN_FRESH, WRITTEN_MISNESTED], ids=["usual", "fresh", "misnested"]
)
def test_what_a_visitor_wrote_and_opened_stays(
    publish: Publish, page: Page, noise: Noise, row: ComponentRow
) -> None:
    """So it is in elements that can be written in, with the caret, and silently."""
    go_on = hold(page, RUNTIME)
    _open(page, publish([row], [block(1, "written")]))
    page.click("summary")
    page.click("form p")
    page.keyboard.press("End")
    page.keyboard.type("five")
    page.click("form b")
    page.keyboard.press("End")
    page.keyboard.type("!?")
    page.keyboard.press("ArrowLeft")
    go_on()
    page.wait_for_function(
        "() => Object.keys(document.querySelector('form [contenteditable]'))"
        ".some(k => k.startsWith('__reactProps'))"
    )
    assert page.inner_text("form div") == "one two three!?"
    assert page.inner_text("form p") == "fourfive"
    assert page.evaluate("document.querySelector('details').open")
    page.keyboard.type("¡")
    assert page.inner_text("form div") == "one two three!¡?"
    page.wait_for_function(
        "() => document.querySelector('output').textContent === 'one two three!¡?'"
    )
    assert noise.console == []


@pytest.mark.parametrize("built", ["a", "Cats  and dogs"])
def test_a_title_is_filled_beside_the_nodes_name(
    press: Press, tmp_path: Path, page: Page, built: str
) -> None:
    """The node's name stays as it is, also where it holds the title, or a blank stands twice."""
    named = replace(pages.node(), name="Café 🐱 a", title_pattern="{site} · {title} · {site}")
    written = pages.page(title=built, title_fill="{{who|nobody}} <&>")
    press.write(tmp_path, press.bundle(), [written], named)
    with pages.served(tmp_path) as address:
        page.goto(address + "?who=$%26%20a")
        assert page.title() == "Café 🐱 a · $& a <&> · Café 🐱 a"


CHOICES = component(
    "choices",
    """import { useState } from "react";
const year = new Date().getFullYear();
export default function Choices() {
  const [how, setHow] = useState(year > 2025 ? "c" : "b");
  const said = (e) => { (window.said ??= []).push(e.target.name); };
  return <form title={String(year)} onChange={said}>
    {["a", "b", "c"].map((each) => <input key={each} type="radio" name="how" value={each}
      checked={how === each} onChange={(e) => setHow(e.target.value)}/>)}
    <output>{how}</output>
    <input type="checkbox" name="box" defaultChecked={year > 2025}/>
    <select name="one" value={how} onChange={(e) => setHow(e.target.value)}>
      <option>a</option><option>b</option><option>c</option></select>
    <select name="many" multiple defaultValue={[year > 2025 ? "c" : "b", "a"]}>
      <option>a</option><option>b</option><option>c</option></select>
  </form>;
}""",
)
CHOSEN = """() => [...document.querySelectorAll("form input, form select")].flatMap(
    (each) => each.options ? [...each.selectedOptions].map((option) => option.value)
        : each.checked ? [each.value] : [])"""


@pytest.mark.parametrize(
    ("visitor", "chosen"),
    [("", ["c", "on", "c", "a", "c"]), ("a", ["a", "on", "a", "a", "c"])],
    ids=["nobody", "visitor"],
)
def test_what_is_chosen_is_what_the_block_says(
    publish: Publish, page: Page, visitor: str, chosen: list[str]
) -> None:
    """Radio buttons, boxes and lists of a block that shows something else in the browser are as it
    says there, unless the visitor chose."""
    go_on = hold(page, RUNTIME)
    _open(page, publish([CHOICES], [block(1, "choices")]))
    before = ["b", "b", "a", "b"]
    assert page.evaluate(CHOSEN) == before
    if visitor:
        page.check(f"[value={visitor}]")
    go_on()
    page.wait_for_function(
        f"() => JSON.stringify(({CHOSEN})()) === '{json.dumps(chosen, separators=(',', ':'))}'"
    )
    assert page.inner_text("output") == chosen[0]
    # Who chooses something else afterwards is heard.
    page.check("[value=b]")
    page.wait_for_function("() => document.querySelector('output').textContent === 'b'")
    assert page.input_value("[name=one]") == "b"


UNTOUCHED = component(
    "untouched",
    """import { useEffect } from "react";
export default function Untouched() {
  const said = (e) => { (window.said ??= []).push(e.target.name || e.target.id); };
  useEffect(() => { setTimeout(() => { document.body.dataset.alive = ""; }); }, []);
  return <form onChange={said}>
    <select name="jump" onChange={said}><option>Choose</option><option>/elsewhere</option></select>
    <select name="later" onChange={said}><option disabled>Choose</option><option>a</option></select>
    <select name="list" size={2} onChange={said}><option>a</option></select>
    <input type="range" name="range" onChange={said}/>
    <input type="color" name="color" onChange={said}/>
    <input type="file" name="file" onChange={said}/>
    <textarea name="long" defaultValue={"\\n\\na"} onChange={said}/>
  </form>;
}""",
)


def test_nothing_is_told_that_nobody_did(publish: Publish, page: Page) -> None:
    """What browsers choose by themselves, such as the first of a list, calls no handler."""
    page.goto(publish([UNTOUCHED], [block(1, "untouched")]))
    page.wait_for_selector("[data-alive]")
    assert page.evaluate("window.said ?? []") == []


FORM = component(
    "form",
    """import { useActionState } from "react";
export default function Form() {
  const [said, act] = useActionState(
    (before, data) => [...before, data.get("name"), data.get("how")], []);
  return <form action={act}>
    <input name="name"/><button name="how" value="first">send</button>
    <output>{said.join(" ")}</output>
  </form>;
}""",
)
BUTTON = component(
    "button",
    """import { useState } from "react";
export default function Button() {
  const [said, say] = useState("");
  return <form><input name="name"/>
    <button formAction={(data) => say(data.get("name"))}>send</button>
    <output>{said}</output></form>;
}""",
)


@pytest.mark.parametrize(
    ("row", "said"), [(FORM, "Ada first"), (BUTTON, "Ada")], ids=["form", "button"]
)
@pytest.mark.parametrize("early", [True, False])
def test_a_form_with_a_function(
    publish: Publish, page: Page, row: ComponentRow, said: str, early: bool
) -> None:
    """Its function gets what is sent, also what was sent before the block came to life."""
    go_on = hold(page, REACT)
    with page.expect_request(REACT):
        _open(page, publish([row], [block(1, row.key, hydrate="idle")]))
    page.fill("[name=name]", "Ada")
    if not early:
        go_on()
        page.wait_for_function(
            "() => Object.keys(document.querySelector('form'))"
            ".some(k => k.startsWith('__reactProps'))"
        )
    page.click("button")
    if early:
        go_on()
    page.wait_for_function("t => document.querySelector('output').textContent === t", arg=said)
    assert page.url.endswith("/")


PREFILLED = component(
    "prefilled",
    """import { useState } from "react";
export default function Prefilled({ name }) {
  const [said, say] = useState(name);
  return <form><input name="who" value={said} onChange={(e) => say(e.target.value)}/>
    <output>{said}</output><input name="note"/></form>;
}""",
)


def test_state_begins_with_what_the_query_says(publish: Publish, page: Page, noise: Noise) -> None:
    """State that is made of a prop has the visitor's text in it, and what was typed stays."""
    go_on = hold(page, RUNTIME)
    filled = {"name": "{{name|nobody}}"}
    address = publish(
        [PREFILLED], [block(1, "prefilled", {"name": "nobody"}, fill=filled)], title="x"
    )
    _open(page, f"{address}/?name=Ada")
    page.fill("[name=note]", "mine")
    go_on()
    page.wait_for_function("() => document.querySelector('output').textContent === 'Ada'")
    assert page.input_value("[name=who]") == "Ada"
    assert page.input_value("[name=note]") == "mine"
    page.fill("[name=who]", "Bob")
    page.wait_for_function("() => document.querySelector('output').textContent === 'Bob'")
    assert noise.console == []


SEEN = component(
    "seen",
    """import { useState } from "react";
export default function Seen({ name = "x" }) {
  const [count, setCount] = useState(0);
  return <section>
    <table><tr><td>{name}</td></tr></table>
    <ul style={{ height: 50, overflow: "auto" }}>{Array.from({ length: 40 }, (_, at) => <li
      key={at}>{at}</li>)}</ul>
    <p id="words">some words to select</p>
    <button>first</button><button onClick={() => setCount(count + 1)}>second {count}</button>
    <div popover="auto" id="more">more of it</div><button popoverTarget="more">more</button>
    <dialog id="asking"><p>sure?</p></dialog>
  </section>;
}""",
)
FILLED_SEEN = replace(
    SEEN, code=SEEN.code.replace("<table><tr><td>{name}</td></tr></table>", "<b>{name}</b>")
)
STILL_SEEN = replace(
    FILLED_SEEN,
    code=FILLED_SEEN.code.replace(" onClick={() => setCount(count + 1)}", "")
    .replace("const [count, setCount] = useState(0);", "const count = 0;")
    .replace('import { useState } from "react";', ""),
)


@pytest.mark.parametrize(
    "row", [SEEN, FILLED_SEEN, STILL_SEEN], ids=["misnested", "filled", "still"]
)
def test_what_a_visitor_looks_at_stays(
    publish: Publish, page: Page, noise: Noise, row: ComponentRow
) -> None:
    """Focus, selected words, and what was scrolled or opened stay in a block that is made anew."""
    go_on = hold(page, REACT)
    fill = None if row is SEEN else {"name": "{{name|x}}"}
    address = publish([row], [block(1, "seen", {"name": "x"}, fill=fill)], title="x")
    with page.expect_request(REACT):
        page.goto(f"{address}/?name=Ada", wait_until="commit")
    page.evaluate("document.querySelector('dialog').show()")
    page.click("[popovertarget]")
    page.evaluate("document.querySelector('ul').scrollTo(0, 77)")
    page.focus("button:nth-of-type(2)")
    page.evaluate(
        """() => { const [text] = document.querySelector("#words").childNodes;
          document.getSelection().setBaseAndExtent(text, 5, text, 10);
          window.before = document.querySelector("section"); }"""
    )
    go_on()
    page.wait_for_function("() => before !== document.querySelector('section')")
    found = page.evaluate(
        """() => [document.activeElement.textContent, document.getSelection().toString(),
          document.querySelector("ul").scrollTop, document.querySelector("dialog").open,
          document.querySelector("#more").matches(":popover-open")]"""
    )
    assert found == ["second 0", "words", 77, True, True]
    assert noise.console == []
