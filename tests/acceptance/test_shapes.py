"""Every way in which people store a component, in Chromium: rows, built and served as one site."""
# ruff: noqa: E501  # components read best as they were stored

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.sites import Block, MakeSite, Site, alive, served, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.browser.chromium import Noise

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

# Each shows a button that counts from `start`: "3 eggs".
_BODY = """{ const [n, setN] = %suseState(start);
  return <button onClick={() => setN(n + 1)}>{n} {label}</button>; }"""
_HOOK, _REACT = _BODY % "", _BODY % "React."
_PROPS = "({ start, label })"
_TYPED = "({ start, label }: { start: number; label: string })"
SHAPES = {
    "default-function": f"export default function Counter{_TYPED} {_HOOK}",
    "default-function-js": f"export default function Counter{_PROPS} {_HOOK}",
    "default-anonymous": f"export default function {_PROPS} {_REACT}",
    "default-arrow": f"import {{ useState }} from 'react';\nexport default {_PROPS} => {_HOOK}",
    "default-identifier": f"const Counter = {_TYPED} => {_HOOK};\nexport default Counter;",
    "default-later": f"function Counter{_PROPS} {_HOOK}\nexport {{ Counter as default }};",
    "default-memo": f"export default React.memo({_PROPS} => {_REACT});",
    "default-memo-imported": f"import {{ memo as m, useState as s }} from 'react';\n"
    f"const C = {_PROPS} => {_BODY % ''};\nexport default m(C);".replace(" useState(", " s("),
    "default-forward-ref": "import { forwardRef } from 'react';\n"
    f"export default forwardRef(function Counter({_PROPS[1:-1]}, ref) {_HOOK});",
    "default-class": """import { Component } from "react";
export default class Counter extends Component<{ start: number; label: string }, { n: number }> {
  state = { n: this.props.start };
  render() { return <button onClick={() => this.setState({ n: this.state.n + 1 })}>
    {this.state.n} {this.props.label}</button>; } }""",
    "default-class-js": """class Counter extends React.Component {
  constructor(props) { super(props); this.state = { n: props.start }; this.add = this.add.bind(this); }
  add() { this.setState((was) => ({ n: was.n + 1 })); }
  render() { return <button onClick={this.add}>{this.state.n} {this.props.label}</button>; } }
export default Counter;""",
    "named-const": "interface Props { start: number; label: string }\n"
    f"export const Counter: React.FC<Props> = {_PROPS} => {_HOOK};",
    "named-function": f"export function Counter{_TYPED} {_REACT}",
    "named-memo": f"export const Counter = memo({_PROPS} => {_HOOK});",
    "named-among-others": "export const LIMIT = 5;\nexport type Label = string;\n"
    f"export const useNumber = (n: number) => useState(n);\nexport const Counter = {_PROPS} => {_HOOK};",
    "bare-const": f"const Counter = {_PROPS} => {_REACT};",
    "bare-const-hook": f"const Counter = {_TYPED} => {_HOOK}",
    "bare-function": f"function Counter{_PROPS} {_HOOK}",
    "bare-class": """class Counter extends React.Component {
  state = { n: this.props.start };
  render() { return <button onClick={() => this.setState({ n: this.state.n + 1 })}>
    {this.state.n} {this.props.label}</button>; } }""",
    "bare-anonymous": f"{_PROPS} => {_REACT}",
    "bare-with-part": f"const Inner = {_PROPS} => {_HOOK};\n"
    "const Counter = (props) => <Inner {...props} />;",
    "bare-fragment": "<p><output>{props.start} {props.label}</output></p>",
    "bare-fragment-import": "import clsx from 'clsx';\n"
    "<output className={clsx('a', { b: props.start })}>{props.start} {props.label}</output>",
    "namespace-react": "import * as React from 'react';\n" + f"export default {_PROPS} => {_REACT}",
    "both-react": "import React, { useState } from 'react';\n"
    f"'use client';\nexport default function C{_PROPS} {_HOOK}",
    "create-element": "export default ({ start, label }) => { const [n, setN] = useState(start);\n"
    "return React.createElement('button', { onClick: () => setN(n + 1) }, `${n} ${label}`); };",
    "imports-component": "import Counter from '@robbieblocks/default-function';\n"
    "export default (props) => <section><Counter {...props} /></section>;",
    "imports-through-two": "import Counter from '@robbieblocks/imports-component';\n"
    "export default (props) => <div><Counter {...props} /></div>;",
    "uses-zustand": "import { create } from 'zustand';\n"
    "const useN = create((set) => ({ n: 3, add: () => set((s) => ({ n: s.n + 1 })) }));\n"
    "export default ({ label }) => { const { n, add } = useN();\n"
    "return <button onClick={add}>{n} {label}</button>; };",
    "uses-framer-motion": "import { motion, type Variants } from 'framer-motion';\n"
    f"const v: Variants = {{}};\nexport default {_PROPS} => {_HOOK};".replace(
        "<button", "<motion.button variants={v} animate={{ opacity: 1 }}"
    ).replace("</button", "</motion.button"),
    "uses-clsx": f"import {{ clsx }} from 'clsx';\nexport default {_PROPS} => {_HOOK};".replace(
        "<button", "<button className={clsx('x', n > 3 && 'more')}"
    ),
    "uses-lucide-react": f"import {{ Egg }} from 'lucide-react';\nexport default {_PROPS} => {_HOOK};".replace(
        "{n} {label}", "<Egg size={16} aria-hidden />{n} {label}"
    ),
    "uses-date-fns": "import { addDays, format } from 'date-fns';\nimport { de } from 'date-fns/locale';\n"
    f"export default {_PROPS} => {_HOOK};".replace(
        "<button",
        "<button title={format(addDays(new Date(2026, 4, n), 1), 'd MMMM', { locale: de })}",
    ),
    "uses-recharts": "import { Bar, BarChart } from 'recharts';\n"
    f"export default {_PROPS} => {_HOOK};".replace("return <", "return <><").replace(
        "</button>",
        "</button><BarChart width={90} height={60} data={[{ n }]}><Bar dataKey='n' "
        "isAnimationActive={false} /></BarChart></>",
    ),
}
PACKAGES = ("zustand", "framer-motion", "clsx", "lucide-react", "date-fns", "recharts")
THROWS = """export default function Throws({ when }) {
  const [n, setN] = useState(0);
  if (n > 0) throw new Error("clicked to pieces");
  useEffect(() => { if (when === "effect") throw new Error("failed at once"); }, []);
  return <button onClick={() => setN(1)}>Break {when}</button>; }"""
BLANK = """export default function Blank() {
  const [on, setOn] = useState(false);
  useEffect(() => setOn(true), []);
  if (on) throw new Error("no content yet");
  return null; }"""
GREETING = "export default ({ text }) => <p className='greeting'>{text}</p>;"


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    made = make_site()
    for key, code in SHAPES.items():
        made.component(key, code)
        made.page(key, Block(component=key, props={"start": 3, "label": "eggs"}))
    for key, code in {"throws": THROWS, "blank": BLANK, "greeting": GREETING}.items():
        made.component(key, code)
    made.component("ring-a", "import B from '@robbieblocks/ring-b';\nexport default () => <B />;")
    made.component("ring-b", "import C from '@robbieblocks/ring-c';\nexport default () => <C />;")
    made.component("ring-c", "\nimport A from '@robbieblocks/ring-a';\nexport default () => <A />;")
    made.page("ring", "ring-b")
    eggs = {"start": 3, "label": "eggs"}
    made.page(
        "broken",
        Block(component="throws", props={"when": "effect"}),
        Block(component="throws", props={"when": "later"}),
        Block(component="blank"),
        Block(component="default-function", props=eggs),
    )
    made.page("still", Block(component="greeting", props={"text": "Hi"}))
    made.page(
        "hydrate",
        *(Block(component="default-function", props={"start": 3, "label": x}) for x in "abc"),
        Block(component="greeting", props={"text": "Still"}),
        metadata={"blocks": {"2": {"hydrate": "idle"}, "3": {"hydrate": "visible"}}},
    )
    made.component(
        "tall", "export default () => <div style={{ height: 5000 }}>{typeof window}</div>;"
    )
    made.page(
        "below",
        "tall",
        Block(component="uses-recharts", props=eggs),
        metadata={"blocks": {"2": {"hydrate": "visible"}}},
    )
    made.page(
        "hello",
        Block(component="greeting", props={"text": "Hi {{name|there}}!"}),
        Block(component="default-function", props={"start": 3, "label": "for {{ name | you }}"}),
        title="{{name|Somebody}}'s page",
    )
    made.build()
    return made


@pytest.fixture(scope="module")
def address(site: Site) -> Iterator[str]:
    with served(site.builder.settings.site_root, "vengeance-local") as base:
        yield base


def test_only_the_ring_is_wrong(site: Site) -> None:
    """All shapes build; components that import each other are one error that shows the ring."""
    (problem,) = site.problems(warnings=True)
    assert problem.what == "components import each other: ring-a -> ring-b -> ring-c -> ring-a"
    assert (problem.key, problem.line, problem.column) == ("ring-a", 1, 15)
    assert problem.source == "import B from '@robbieblocks/ring-b';"
    assert "third component" in problem.remedy


@pytest.mark.parametrize("key", SHAPES)
def test_a_shape_shows_and_counts(site: Site, address: str, page: Page, key: str) -> None:
    """It is in the HTML as text, hydrates in silence, and its state works."""
    assert "3" in site.file(f"/{key}/").read_text().split('id="b1"')[1].split("</div>")[0]
    visit(page, f"{address}/{key}/")
    if "fragment" in key:
        assert page.locator("output").inner_text() == "3 eggs"
        assert page.locator("script[type=importmap]").count() == 0
        return
    page.get_by_role("button", name="3 eggs").click()
    expect(page.get_by_role("button")).to_have_text("4 eggs")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_loads_only_where_it_is_used(address: str, page: Page, package: str) -> None:
    """A page's import map names the packages that its components import, and no other."""
    visit(page, f"{address}/uses-{package}/")
    named = page.evaluate(
        "() => Object.keys(JSON.parse(document.querySelector('[type=importmap]').textContent).imports)"
    )
    roots = {name.split("/")[0] for name in named}
    assert package in roots
    assert roots & set(PACKAGES) <= {package, "clsx"}


def test_a_still_block_ships_no_script(address: str, page: Page) -> None:
    """A page whose blocks have neither state nor events nor effects loads no script."""
    visit(page, f"{address}/still/")
    loaded = page.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert page.locator(".greeting").inner_text() == "Hi"
    assert not [name for name in loaded if name.endswith(".js")]
    assert page.locator("#rb-islands, [type=importmap], [type=module]").count() == 0


def test_blocks_that_throw_leave_the_others_alone(address: str, page: Page, noise: Noise) -> None:
    """A block that throws shows what was prerendered, or a small fallback, and says so once, with
    its key; the others go on."""
    page.goto(f"{address}/broken/")
    page.wait_for_function("() => document.querySelector('.rb-failed')")
    expect(page.get_by_role("button", name="Break effect")).to_be_visible()
    page.get_by_role("button", name="3 eggs").click()
    expect(page.get_by_role("button", name="4 eggs")).to_be_visible()
    page.get_by_role("button", name="Break later").click()
    page.wait_for_function("() => !Object.keys(document.querySelector('#b2 button')).length")
    expect(page.get_by_role("button", name="Break later")).to_be_visible()
    expect(page.locator("#b3")).to_have_text("This part of the page can’t be shown.")
    assert not noise.errors
    assert len(noise.console) == 3
    for key in (
        "b1 (@robbieblocks/throws)",
        "b2 (@robbieblocks/throws)",
        "b3 (@robbieblocks/blank)",
    ):
        assert len([said for said in noise.console if key in said]) == 1
    noise.clear()


def test_each_block_hydrates_when_it_is_told_to(address: str, page: Page) -> None:
    """Load, idle and visible all come to life; the block without state never does."""
    visit(page, f"{address}/hydrate/")
    for label in "abc":
        button = page.get_by_role("button", name=f"3 {label}")
        page.wait_for_function(
            "b => Object.keys(b).some((k) => k.startsWith('__react'))",
            arg=button.element_handle(),
        )
        button.click()
        expect(page.get_by_role("button", name=f"4 {label}")).to_be_visible()
    assert page.locator(".greeting").evaluate("e => Object.keys(e).length") == 0


def test_what_is_out_of_sight_is_not_loaded(address: str, page: Page) -> None:
    """A block that hydrates when visible loads its package only once it is scrolled to."""
    visit(page, f"{address}/below/")
    loaded = "() => performance.getEntriesByType('resource').filter((e) => /recharts/.test(e.name)).length"
    assert page.evaluate(loaded) == 0
    page.get_by_role("button").scroll_into_view_if_needed()
    page.wait_for_function(loaded)
    page.wait_for_function(
        "() => Object.keys(document.querySelector('button')).some((k) => k.startsWith('__react'))"
    )
    page.get_by_role("button").click()
    expect(page.get_by_role("button")).to_have_text("4 eggs")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", None),
        ("?name=Ada", "Ada"),
        ("?name=", None),
        ("?other=Ada", None),
        ("?name=%3Cimg%20src=x%20onerror=alert(1)%3E", "<img src=x onerror=alert(1)>"),
        ("?name=%7B%7Bname%7D%7D", "{{name}}"),
        ("?name=%22%27%26amp;", "\"'&amp;"),
        ("?name=%E2%80%AEevil", "\u202eevil"),
    ],
)
def test_placeholders_are_text_everywhere(
    address: str, page: Page, query: str, name: str | None
) -> None:
    """In a still block, in a live one and in the title a name from the query is text, never HTML."""
    visit(page, f"{address}/hello/{query}")
    page.wait_for_function(
        "t => document.title === t", arg=f"{name or 'Somebody'}'s page · Vengeance"
    )
    expect(page.locator(".greeting")).to_have_text(f"Hi {name or 'there'}!")
    alive(page)
    button = page.get_by_role("button")
    page.wait_for_function(
        "b => Object.keys(b).some((k) => k.startsWith('__reactFiber'))", arg=button.element_handle()
    )
    expect(button).to_have_text(f"3 for {name or 'you'}")
    button.click()
    expect(button).to_have_text(f"4 for {name or 'you'}")
    assert page.locator("img").count() == 0
