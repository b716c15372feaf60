"""Rendering in the real isolate: what rows mean, and what hostile ones can't do."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Generator, Iterator
from random import Random
from unittest.mock import Mock

import psutil
import pytest

from robbieblocks.errors import Problem
from robbieblocks.model import Asset, Bundle, Module, RenderedBlock, RenderJob
from robbieblocks.prerender import JobKeys, PageRenderer, Prerenderer, RenderedBatch
from robbieblocks.prerender.isolate import keys
from robbieblocks.prerender.isolate.controls import nested_controls_in
from robbieblocks.prerender.isolate.error_mapping import REACT_MESSAGES, component_problem
from robbieblocks.prerender.isolate.html_check import html_problem, parsed
from robbieblocks.prerender.isolate.nesting import misnested_in
from robbieblocks.prerender.isolate.protocol import Failure
from robbieblocks.settings import resource_dir
from tests.pages import Press, block, component
from tests.web_objects import WEB_OBJECTS

NO_ASSET = Asset("none.js", b"")
GOOD = """exports.default = () => jsx("p", { children: [
  Object.keys({}).length, [1, 2].map((x) => x + 1).join(), String({}), typeof leak,
  `${new Error("e")}`,
] });"""


@pytest.fixture(scope="module")
def isolate(press: Press) -> str:
    """React for the isolate, from the toolchain."""
    return press.bundle(component("any", "export default () => null;")).isolate


@pytest.fixture(scope="module")
def prerenderer() -> Iterator[Prerenderer]:
    """A warm isolate with little patience."""
    with Prerenderer(cpu_s=0.5, heap_bytes=96 << 20) as one:
        yield one


def _bundle(isolate: str, **bodies: str) -> Bundle:
    head = 'const React = require("react"); const { jsx } = require("react/jsx-runtime");\n'
    modules = {
        f"@robbieblocks/{key}": Module(
            specifier=f"@robbieblocks/{key}", asset=NO_ASSET, script=head + body
        )
        for key, body in bodies.items()
    }
    nothing = Module(specifier="none", asset=NO_ASSET, script="")
    return Bundle(modules=modules, runtime=nothing, base_stylesheet=NO_ASSET, isolate=isolate)


def _jobs(*keys: str) -> list[RenderJob]:
    return [
        RenderJob(component=key, props_json="{}", prefix=f"b{n}-") for n, key in enumerate(keys)
    ]


def _problem(rendered: RenderedBlock) -> Problem:
    assert rendered.problem is not None, rendered.html
    assert rendered.html == ""
    return rendered.problem


# Each ends in an error whose text holds the word.
FAULTS = {
    "endless loop": ("exports.default = () => { for (;;); };", "CPU time"),
    "endless loop on load": ("for (;;);", "CPU time"),
    "catastrophic pattern": (
        "exports.default = () => String(/^(a+)+$/.test('a'.repeat(80) + '!'));",
        "CPU time",
    ),
    "endless components": ("exports.default = function F() { return jsx(F, {}); };", ""),
    "endless generator": (
        "exports.default = () => { function* g() { for (;;) yield 1; } for (const x of g()); };",
        "CPU time",
    ),
    "endless promises": (
        "exports.default = () => { const f = () => Promise.resolve().then(f); f(); return 'x'; };",
        "promises",
    ),
    "endless allocation": (
        "exports.default = () => { const a = []; for (;;) a.push(new Array(1000).fill({})); };",
        "memory|CPU time",
    ),
    "endless text": ("exports.default = () => { let s = 'x'; for (;;) s += s; };", "string length"),
    "endless buffers": (
        "exports.default = () => { const a = []; for (;;) a.push(new Uint8Array(1e8).fill(1)); };",
        "",
    ),
    "one giant buffer": ("exports.default = () => String(new Uint8Array(8e9));", ""),
    "a built-in that never looks up": (
        "exports.default = () => String(new Array(2 ** 28).fill(1.1).length);",
        "",
    ),
    "stack overflow": ("exports.default = function f() { return f() + 1; };", "call stack"),
    "huge output": ("exports.default = () => jsx('p', { children: 'x'.repeat(5e6) });", "4000000"),
    "object prototype": ("exports.default = () => { Object.prototype.leak = 1; };", "extensible"),
    "array prototype": ("exports.default = () => { Array.prototype.map = 1; };", "read only"),
    "redefine": (
        "exports.default = () => Object.defineProperty(Array.prototype, 'join', { value: 1 });",
        "redefine",
    ),
    "toString of all": (
        "exports.default = () => { Object.prototype.toString = () => 'evil'; };",
        "all blocks share",
    ),
    "set prototype": (
        "exports.default = () => { Object.setPrototypeOf(Array.prototype, null); };",
        "",
    ),
    "proto of literal": ("exports.default = () => { ({}).__proto__.leak = 1; };", "extensible"),
    "delete a built-in": ("exports.default = () => { delete Array.prototype.map; };", "delete"),
    "JSON": ("exports.default = () => { JSON.stringify = 1; };", "read only"),
    "generator prototype": (
        "exports.default = () => { Object.getPrototypeOf(function* () {}()).next = 1; };",
        "",
    ),
    "error formatting": ("exports.default = () => { Error.prepareStackTrace = 1; };", "read only"),
    "error capture": ("exports.default = () => { Error.captureStackTrace = 1; };", "read only"),
    "stack limit": ("exports.default = () => { Error.stackTraceLimit = 0; };", "read only"),
    "forged call sites": (
        "exports.default = () => Error.prepareStackTrace({}, [{ getLineNumber: () => 1 }]);",
        "CallSite",
    ),
    "react export": ("exports.default = () => { React.useState = 1; };", "read only"),
    "react class": (
        "exports.default = () => { React.Component.prototype.leak = 1; };",
        "extensible",
    ),
    "react updater": (
        "exports.default = class extends React.Component "
        "{ render() { this.updater.leak = 1; return 1; } };",
        "extensible",
    ),
    "react context": (
        "exports.default = class extends React.Component "
        "{ constructor(p, c) { super(p, c); c.leak = 1; } render() { return 1; } };",
        "extensible",
    ),
    "react dispatcher": (
        "exports.default = () => "
        "React.__CLIENT_INTERNALS_DO_NOT_USE_OR_WARN_USERS_THEY_CANNOT_UPGRADE.H;",
        "",
    ),
    "undeclared global": ("exports.default = () => { leak = 1; };", "not defined"),
    "global Array": ("exports.default = () => { Array = 1; };", "read only"),
    "globalThis.Array": ("exports.default = () => { globalThis.Array = 1; };", "read only"),
    "another's module": (
        "exports.default = () => __rbDefine('@robbieblocks/it', false, () => 1);",
        "no module is expected",
    ),
    "eval": ("exports.default = () => eval('1');", "Code generation"),
    "indirect eval": ("exports.default = () => (0, eval)('1');", "Code generation"),
    "new Function": ("exports.default = () => new Function('return 1')();", "Code generation"),
    "constructor of a function": (
        "exports.default = () => (() => 1).constructor('return this')();",
        "Code generation",
    ),
    "async constructor": (
        "exports.default = () => (async () => 1).constructor('return 1')();",
        "Code generation",
    ),
    "require": ("exports.default = () => require('fs');", "'fs'"),
    "require of a path": ("exports.default = () => require('../../etc/passwd');", "passwd"),
    "fetch": ("exports.default = () => { fetch('http://example.org'); };", "prerendered"),
    "timer": ("exports.default = () => { setTimeout(() => 1, 1); };", "prerendered"),
    "process": ("exports.default = () => process.env.HOME;", "process"),
    "window": ("exports.default = () => window.innerWidth;", "innerWidth"),
    "throwing getter": (
        "exports.default = () => jsx('p', { get children() { throw new Error('gotcha'); } });",
        "gotcha",
    ),
    "toString trap": (
        "exports.default = () => jsx('p', { title: { toString() { throw new Error('trap'); } } });",
        "trap",
    ),
    "thrown null": ("exports.default = () => { throw null; };", "null"),
    "thrown trap": (
        "exports.default = () => { throw new Proxy({}, { get() { throw 1; } }); };",
        "",
    ),
    "thrown function": ("exports.default = () => { throw () => 'odd'; };", "it threw () => 'odd'"),
    "thrown proxy of an error": (
        "exports.default = () => { throw new Proxy(new Error('x'), { get() { throw 1; } }); };",
        "it threw 1",
    ),
    "message that throws": (
        "exports.default = () => { throw { get message() { throw 1; } }; };",
        "it threw 1",
    ),
    "message without a text": (
        "exports.default = () => { throw { message: Object.create(null) }; };",
        "can't be shown",
    ),
    "message that loops": (
        "exports.default = () => { throw { message: { toString() { for (;;); } } }; };",
        "CPU time",
    ),
    "stack that loops": (
        "exports.default = () => { throw { get stack() { for (;;); } }; };",
        "CPU",
    ),
    "huge message": ("exports.default = () => { throw new Error('huge '.repeat(1e6)); };", "huge"),
    "huge thrown text": (
        "exports.default = () => { throw 'huge '.repeat(1e7); };",
        "it threw huge",
    ),
    "thrown symbol": ("exports.default = () => { throw Symbol('odd'); };", "odd"),
    "object as child": ("exports.default = () => ({ a: 1 });", "object"),
    "no component": ("exports.default = {};", "type"),
    "no export": ("", "no component"),
    "async component": ("exports.default = async () => jsx('p', {});", "async"),
    "lazy": ("exports.default = React.lazy(() => new Promise(() => 0));", "waits"),
    "error under Suspense": (
        "exports.default = () => jsx(React.Suspense, "
        "{ children: jsx(() => { throw new Error('inner'); }, {}) });",
        "inner",
    ),
    "raw end tags": (
        "exports.default = () => "
        "jsx('p', { dangerouslySetInnerHTML: { __html: '</div></div>' } });",
        "leaves the block",
    ),
    "raw comment": (
        "exports.default = () => jsx('p', { dangerouslySetInnerHTML: { __html: '<!--' } });",
        "leaves the block",
    ),
    "plaintext element": ("exports.default = () => jsx('plaintext', {});", "leaves the block"),
    "body element": (
        "exports.default = () => jsx('body', { className: 'x' });",
        "<body>, which every page has",
    ),
    "html element": (
        "exports.default = () => jsx('div', { onClick() {}, children: jsx('html', {}) });",
        "<html>, which every page has",
    ),
    "head element": ("exports.default = () => jsx('head', {});", "<head>, which every page has"),
    "forged element": (
        "exports.default = () => ({ $$typeof: Symbol.for('react.transitional.element'), "
        "type: 'plaintext', key: null, ref: null, props: {} });",
        "leaves the block",
    ),
    "script element": ("exports.default = () => jsx('script', { children: 'x' });", "<script>"),
    "raw script": (
        "exports.default = () => jsx('p', { dangerouslySetInnerHTML: "
        "{ __html: '<script>1</script>' } });",
        "<script>",
    ),
    "raw handler": (
        "exports.default = () => jsx('p', { dangerouslySetInnerHTML: "
        "{ __html: '<img src=x onerror=1>' } });",
        "onerror",
    ),
    "base element": ("exports.default = () => jsx('base', { href: '/x' });", "<base>"),
    "title element": ("exports.default = () => jsx('title', { children: 'x' });", "<title>"),
    "srcdoc": ("exports.default = () => jsx('iframe', { srcDoc: 'x' });", "srcdoc"),
    "another block's id": ("exports.default = () => jsx('p', { id: 'b2' });", "b2"),
    "the islands' id": ("exports.default = () => jsx('p', { id: 'rb-islands' });", "rb-islands"),
    **{
        f"raw {html}": (
            "exports.default = () => jsx('div', { dangerouslySetInnerHTML: "
            f"{{ __html: {json.dumps(html)} }} }});",
            word,
        )
        for html, word in (
            ('<p id="&#114;b-islands"></p>', "rb-islands"),
            ('<p ID="rb-islands"></p>', "rb-islands"),
            ('<p DATA-RB-BLOCK="x"></p>', "data-rb-block"),
            ('<img src="x" ONERROR="1"/>', "onerror"),
            ('<form name="getElementById"></form>', "document.getElementById"),
            ('<img NAME="getElementById"/>', "document.getElementById"),
            ('<meta itemprop="a" http-equiv="refresh" content="0"/>', "<meta>"),
            ('<template shadowrootmode="open"><iframe srcdoc="x"></iframe></template>', "srcdoc"),
        )
    },
    "a block's attribute": (
        "exports.default = () => jsx('p', { 'data-rb-component': 'x' });",
        "data-rb-component",
    ),
}


@pytest.mark.parametrize(("body", "word"), FAULTS.values(), ids=FAULTS)
def test_hostile_component(prerenderer: Prerenderer, isolate: str, body: str, word: str) -> None:
    """It ends in an error that names it, and blocks beside it show what they show without it."""
    bundle = _bundle(isolate, good=GOOD, bad=body)
    alone = prerenderer.render(_jobs("good"), bundle)[0]
    assert alone.problem is None
    before, bad, after = prerenderer.render(_jobs("good", "bad", "good"), bundle)
    assert before.html == after.html == alone.html
    problem = _problem(bad)
    assert problem.key == "bad"
    # Which of several bounds is met first can be the machine's affair.
    assert any(each in problem.what for each in word.split("|"))
    assert len(problem.what) < 1_000


HARMLESS = {
    "symbols are nothing": ("exports.default = () => Symbol('x');", ""),
    "this is nothing": ("exports.default = function () { return String(this); };", "undefined"),
    "import() finds nothing": ("exports.default = () => { import('fs'); return 'x'; };", "x"),
    "no threads nor wasm": (
        "exports.default = () => "
        "[typeof WebAssembly, typeof SharedArrayBuffer, typeof Atomics, typeof React.H] + '';",
        "undefined,undefined,undefined,undefined",
    ),
    "NUL and lone surrogates": (
        r"exports.default = () => 'a\0b\ud800c';",
        "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c",
    ),
    "text is escaped": ("exports.default = () => '</script><!--';", "&lt;/script&gt;&lt;!--"),
    "global writes are its own": (
        "exports.default = () => String(globalThis.n = (globalThis.n || 0) + 1);",
        "1",
    ),
    "closures start afresh": ("let n = 0; exports.default = () => String(++n);", "1"),
    "pattern state is gone": (
        "exports.default = () => { const was = RegExp.$1; /(a)/.exec('a'); return String(was); };",
        "undefined",
    ),
    "own properties may shadow": (
        "exports.default = () => { const e = new Error('x'); e.message = 'y'; e.name = 'N'; "
        "const o = {}; o.toString = () => 'o'; o.constructor = 1; return `${e} ${o}`; };",
        "N: y o",
    ),
    "text in UTF-16": (
        "exports.default = () => "
        "new TextDecoder('utf-16le').decode(new Uint8Array([65, 0, 172, 32]));",
        "A€",
    ),
    "hints are for the head": (
        "exports.default = () => { require('react-dom').preconnect('https://a.example'); "
        "return jsx('p', {}); };",
        "<p></p>",
    ),
    "preloads are left out": (
        "exports.default = () => jsx('img', { src: '/a.png', alt: '' });",
        '<img src="/a.png" alt=""/>',
    ),
}


@pytest.mark.parametrize(("body", "html"), HARMLESS.values(), ids=HARMLESS)
def test_harmless_component(prerenderer: Prerenderer, isolate: str, body: str, html: str) -> None:
    """It renders the same text each time, whatever it left behind before."""
    results = prerenderer.render(_jobs("it", "it"), _bundle(isolate, it=body))
    assert [result.problem for result in results] == [None, None]
    assert [result.html for result in results] == [html, html]


INTERACTIVE = {
    "state": ("React.useState(1); return 'x';", True, False),
    "effect": ("React.useEffect(() => {}); return 'x';", True, False),
    "ref": ("return jsx('p', { ref: () => {} });", True, False),
    "handler": ("return jsx('button', { onClick() {} });", True, False),
    "id alone": ("return jsx('p', { title: React.useId() });", False, False),
    "memo alone": ("return React.useMemo(() => 'x', []);", False, False),
    "nothing": ("return jsx('p', {});", False, False),
    "clock": ("return String(new Date().getFullYear());", False, True),
    "now": ("return String(Date.now());", False, True),
    "given time": ("return new Date('2024-05-01').toISOString();", False, False),
    "local time": ("return String(new Date('2024-05-01T10:00').getTime());", False, True),
    "local getter": ("return String(new Date(0).getHours());", False, True),
    "randomness": ("return String(Math.random());", False, True),
    "uuid": ("return crypto.randomUUID();", False, True),
    "visitor's locale": ("return (5000).toLocaleString();", False, True),
    "named locale": ("return (5000).toLocaleString('en-US');", False, False),
    "Intl": ("return new Intl.NumberFormat().format(1);", False, True),
    "absent locale": ("return (5000).toLocaleString('tlh');", False, True),
    "absent locale of Intl": ("return new Intl.NumberFormat(['tlh']).format(1);", False, True),
    "one of several locales": ("return (5000).toLocaleString(['tlh', 'en']);", False, False),
    "date in the visitor's zone": (
        "return new Intl.DateTimeFormat('de').format(new Date(0));",
        False,
        True,
    ),
    "date in the visitor's language": (
        "return new Date(0).toLocaleDateString([], { timeZone: 'UTC' });",
        False,
        True,
    ),
    "named zone and language": (
        "const zone = { timeZone: 'UTC', dateStyle: 'full' }, date = new Date(0);"
        "return date.toLocaleString('ar', zone) + new Intl.DateTimeFormat('de', zone).format(date)",
        False,
        False,
    ),
    "the present, written": (
        "return new Intl.DateTimeFormat('de', { timeZone: 'UTC', dateStyle: 'full' }).format();",
        False,
        True,
    ),
    "half a pair": ("return jsx('p', { onClick() {}, children: 'a\\ud800' });", True, True),
    "half a pair, unhydrated": ("return 'a\\ud800';", False, False),
    "newer built-in": ("return typeof Temporal;", False, True),
    "browser's element": ("return typeof HTMLElement;", False, True),
    "browser's name": ("return String('MessageChannel' in globalThis);", False, True),
    "CSS of a browser": ("return String(CSS.supports('gap: 1px'));", False, True),
    "time of an event": ("return String(new Event('a').timeStamp);", False, True),
    "when the page began": ("return String(performance.timeOrigin);", False, True),
    "how the page was reached": (
        "return performance.getEntriesByType('navigation').map((it) => it.type).join();",
        False,
        True,
    ),
    "memory of a browser": ("return String(performance.memory?.usedJSHeapSize);", False, True),
    "ciphers of a browser": ("return typeof crypto.subtle;", False, True),
    "a mark": ("performance.mark('a'); return `${performance}`;", False, False),
    "no browser's name": ("return typeof process + typeof Deno;", False, False),
    "browser's class": ("return typeof IntersectionObserver;", False, True),
    "timer of nothing": ("return String(setTimeout(undefined));", False, False),
    "browser test": ("return typeof window === 'undefined' ? 'a' : 'b';", False, True),
    "misnested": ("return jsx('p', { onClick() {}, children: jsx('div', {}) });", True, False),
    "suspended": (
        "return jsx(React.Suspense, { fallback: 'w', "
        "children: jsx(React.lazy(() => new Promise(() => 0)), {}) });",
        True,
        True,
    ),
}


@pytest.mark.parametrize(("body", "interactive", "rerender"), INTERACTIVE.values(), ids=INTERACTIVE)
def test_what_a_block_needs(
    prerenderer: Prerenderer, isolate: str, body: str, interactive: bool, rerender: bool
) -> None:
    """State, effects, refs, events need a script; clock, chance and place a fresh render."""
    bundle = _bundle(isolate, it=f"exports.default = () => {{ {body} }};")
    first, second = prerenderer.render(_jobs("it", "it"), bundle)
    assert first.problem is None
    assert (first.interactive, first.rerender) == (interactive, rerender)
    assert first.html.replace("b0", "b1") == second.html


HINTS = {
    "what the HTML names": ("jsx('img', { src: '/a.png', alt: '' })", ""),
    "more pictures than React puts first": (
        "jsx('p', { children: ["
        "jsx('style', { href: 'k', precedence: 'low', children: '.a{}' }, 's'), "
        "...Array.from({ length: 14 }, (_, n) => jsx('img', { src: `/${n}.png`, alt: '' }, n))] })",
        "",
    ),
    "a style that compares": (
        "(dom.preload('/b.png', { as: 'image' }), jsx('style', { href: 'k', precedence: 'low', "
        "children: '@media (width<9px){}' }))",
        '<link rel="preload" href="/b.png" as="image"/>',
    ),
    "connections": (
        "(dom.preconnect('https://a.example', { crossOrigin: 'anonymous' }), "
        "dom.prefetchDNS('https://b.example'), 'x')",
        '<link rel="preconnect" href="https://a.example" crossorigin=""/>'
        '<link href="https://b.example" rel="dns-prefetch"/>',
    ),
    "files": (
        "(dom.preload('/a.woff2', { as: 'font' }), dom.preload('/b.png', { as: 'image' }), "
        "dom.preloadModule('/m.js'), 'x')",
        '<link rel="preload" href="/a.woff2" as="font" crossorigin=""/>'
        '<link rel="preload" href="/b.png" as="image"/><link rel="modulepreload" href="/m.js"/>',
    ),
    "elements": (
        "jsx('p', { children: jsx('link', { rel: 'preconnect', href: 'https://a.example' }) })",
        '<link rel="preconnect" href="https://a.example"/>',
    ),
}


@pytest.mark.parametrize(("body", "hints"), HINTS.values(), ids=HINTS)
def test_hints(prerenderer: Prerenderer, isolate: str, body: str, hints: str) -> None:
    """Hints for what is fetched soon leave the block for the page's head, wherever they stand."""
    code = f"const dom = require('react-dom'); exports.default = () => {body};"
    (made,) = prerenderer.render(_jobs("it"), _bundle(isolate, it=code))
    assert made.problem is None
    assert made.hints == hints
    assert "<link" not in made.html


@pytest.mark.parametrize(
    "body",
    [
        "dom.preload('https://a.example/x.js', { as: 'script' })",
        "dom.preload('//a.example/x.css', { as: 'style' })",
        "dom.preloadModule('https://a.example/x.js')",
    ],
)
def test_what_the_policy_refuses_is_not_fetched(
    prerenderer: Prerenderer, isolate: str, body: str
) -> None:
    """A hint for a script or style of another site is an error with a remedy."""
    code = f"const dom = require('react-dom'); exports.default = () => ({body}, 'x');"
    problem = _problem(prerenderer.render(_jobs("it"), _bundle(isolate, it=code))[0])
    assert "which the page's policy refuses" in problem.what
    assert problem.remedy == "serve it from this site, or leave it out"


def test_a_form_s_function_needs_no_script_of_its_own(
    prerenderer: Prerenderer, isolate: str
) -> None:
    """What React would add for forms that are sent early is the page's own task."""
    code = "exports.default = () => jsx('form', { action() {}, children: 'x' });"
    (made,) = prerenderer.render(_jobs("it"), _bundle(isolate, it=code))
    assert made.problem is None
    assert made.interactive
    assert made.html.endswith(">x</form>")


CLASSES: dict[str, tuple[str, dict[str, object], str]] = {
    "of the code": ("jsx('p', { className: 'b a' })", {}, "a b"),
    "put together": (
        "jsx('p', { className: `bg-${p.color}-500` })",
        {"color": "red"},
        "bg-red-500",
    ),
    "escaped": ("jsx('p', { className: '[&>p]:mt-4' })", {}, "[&>p]:mt-4"),
    "raw HTML": (
        "jsx('p', { dangerouslySetInnerHTML: { __html: p.html } })",
        {"html": "<b class=a>x</b><i CLASS = 'b&#x20;c'></i><s\nclass=\"&lt;\"></s>"},
        "a b c",
    ),
    "props of what stays": ("jsx('p', { title: p.a })", {"a": "p-4"}, ""),
    "props of what lives": (
        "jsx('p', { onClick() {} })",
        {"a": "p-4 m-1", "b": [{"c": "hidden"}], "d": "One sentence, two.", "e": "<b class='x'>"},
        "| hidden m-1 p-4 x",
    ),
}


@pytest.mark.parametrize(("body", "props", "classes"), CLASSES.values(), ids=CLASSES)
def test_classes(
    prerenderer: Prerenderer, isolate: str, body: str, props: dict[str, object], classes: str
) -> None:
    """A block's classes are those of its HTML; where it lives, those in its props stand apart."""
    bundle = _bundle(isolate, it=f"exports.default = (p) => {body};")
    job = RenderJob(component="it", props_json=json.dumps(props), prefix="b1-")
    (made,) = prerenderer.render([job], bundle)
    found = f"{made.classes} | {made.later_classes}" if made.later_classes else made.classes
    assert (made.problem, found.strip(), made.left_out) == (None, classes, False)


def test_too_many_classes(prerenderer: Prerenderer, isolate: str) -> None:
    """Of a hundred thousand classes the first two thousand count, and it is told."""
    body = (
        "exports.default = () => "
        "jsx('p', { className: Array.from({ length: 1e5 }, (_, n) => `m-${n}`).join(' ') });"
    )
    (made,) = prerenderer.render(_jobs("it"), _bundle(isolate, it=body))
    assert made.left_out
    assert len(made.classes.split()) == 2000


TAGS = (
    *("div", "p", "span", "ul", "li", "dl", "dt", "dd", "h2", "h3", "a", "button", "form", "b"),
    *("label", "details"),
    *("svg", "g", "section", "table", "tbody", "tr", "td", "select", "option", "x-y", "pre", "i"),
)


def _tree(random: Random, depth: int) -> object:
    if depth == 0 or random.random() < 0.15:
        return "x"
    children = [_tree(random, depth - 1) for _ in range(random.randint(0, 2))]
    return [random.choice(TAGS), children]


@pytest.mark.parametrize("lives", [True, False])
def test_the_quick_proof_finds_what_a_parser_finds(
    prerenderer: Prerenderer, isolate: str, lives: bool
) -> None:
    """Inside the isolate each misnesting and each control in another is found."""
    body = (
        "const make = (it) => typeof it === 'string' ? it : "
        "jsx(it[0], { href: it[0] === 'a' ? '/' : undefined, children: "
        "it[1].map((each, key) => jsx(React.Fragment, { children: make(each) }, key)) });"
        "exports.default = ({ tree, lives }) => "
        "jsx('i', { onClick: lives ? () => {} : undefined, children: make(tree) });"
    )
    random = Random(5)
    props = [json.dumps({"tree": _tree(random, 4), "lives": lives}) for _ in range(1500)]
    jobs = [RenderJob(component="it", props_json=each, prefix="b1-") for each in props]
    rendered = prerenderer.render(jobs, _bundle(isolate, it=body))
    sound = [made for made in rendered if made.problem is None]
    assert len(sound) > 1000
    found = [bool(misnested_in(parsed(made.html), made.html)) for made in sound]
    assert 100 < sum(found) < len(found) - 100
    assert [bool(made.misnested) for made in sound] == found
    controls = [nested_controls_in(parsed(made.html)) for made in sound]
    assert sum(map(bool, controls)) > 20
    assert [made.nested_controls for made in sound] == controls
    assert {made.interactive for made in sound} == {lives}


STATIC = {
    "links": ("jsx('a', { href: '/', children: jsx('a', { href: '/x' }) })", "a a", ""),
    "raw links": ("raw('<a href=/>x<a href=/y>y</a></a>')", "a a", ""),
    "raw rows": ("raw('<table><tr><td>x</table><p>x<p>y')", "", ""),
    "forms": ("jsx('form', { children: jsx('form', {}) })", "form form", ""),
    "card": ("jsx('a', { href: '/', children: jsx('button', {}) })", "", "a button"),
    "raw card": ("raw('<a href=/><button>x</button></a>')", "", "a button"),
    "field": ("jsx('a', { href: '/', children: jsx('select', {}) })", "", "a select"),
    "table": ("jsx('table', { children: jsx('tr', { children: jsx('td', {}) }) })", "table tr", ""),
    "text in a table": ("jsx('table', { children: [jsx('tbody', {}, 1), 'x'] })", "table text", ""),
    "whole table": (
        "jsx('table', { children: jsx('tbody', { children: jsx('tr', { children: "
        "jsx('td', { children: 'x' }) }) }) })",
        "",
        "",
    ),
}


@pytest.mark.parametrize(("html", "misnested", "controls"), STATIC.values(), ids=STATIC)
def test_what_stays_static_is_looked_at(
    prerenderer: Prerenderer, isolate: str, html: str, misnested: str, controls: str
) -> None:
    """What needs no script is told of, too, raw HTML without the tags that may be left out."""
    body = (
        "const raw = (__html) => jsx('div', { dangerouslySetInnerHTML: { __html } });"
        f"exports.default = () => {html};"
    )
    (made,) = prerenderer.render(_jobs("it"), _bundle(isolate, it=body))
    assert (made.misnested, made.nested_controls, made.lives) == (misnested, controls, False)


# Walks all that a component can reach, and names what it could change or add to.
WALK = """exports.default = () => {
  const shared = Object.getPrototypeOf(globalThis);
  const parent = (it) => Object.getPrototypeOf(it);
  const iterators = [
    [].values(), new Map().keys(), new Set().keys(), ""[Symbol.iterator](), "a".matchAll(/a/g),
    [1].values().map((x) => x), Iterator.from({ next() {} }), Promise.resolve(), async () => 1,
    new Intl.Segmenter("en").segment("a"), new Intl.Segmenter("en").segment("a")[Symbol.iterator](),
    (function* () {}).prototype, (async function* () {}).prototype, function* () {}, /a/, [],
  ];
  const todo = [["global", shared], ["react", React], ["jsx", require("react/jsx-runtime")],
    ...[URL, URLSearchParams, structuredClone, atob, btoa, TextEncoder, TextDecoder, DOMException,
      Event, CustomEvent, EventTarget, AbortController, AbortSignal, Headers, Blob, File, FormData,
      DOMPoint, DOMRect].map((it) => [it.name, it]), ["CSS", CSS],
    ["pairs", Object.getPrototypeOf(new Headers().entries())],
    ["dom", require("react-dom")], ["transition", React.useTransition()[1]]];
  for (const it of iterators) todo.push(["iterator", parent(it)]);
  const seen = new Set(), open = [];
  while (todo.length) {
    const [path, it] = todo.pop();
    if (!["object", "function"].includes(typeof it) || it === null || seen.has(it)) continue;
    seen.add(it);
    if (Object.isExtensible(it)) open.push(path);
    for (const key of Reflect.ownKeys(it)) {
      const { value, get, set, writable, configurable } = Reflect.getOwnPropertyDescriptor(it, key);
      const at = `${path}.${String(key)}`;
      todo.push([at, value], [at, get], [at, set]);
      if (writable || configurable) open.push(at);
    }
    todo.push([`${path}.__proto__`, Object.getPrototypeOf(it)]);
  }
  return `${seen.size > 700} ${open.join()}`;
};"""


def test_nothing_shared_can_be_changed(prerenderer: Prerenderer, isolate: str) -> None:
    """Of all that a component can reach, only what it made itself is open."""
    rendered = prerenderer.render(_jobs("it"), _bundle(isolate, it=WALK))[0]
    assert rendered.problem is None
    assert rendered.html == "true "


COMPUTING = """exports.default = () => {
  const url = new URL("/a b?x=1&y=2#z", "https://münchen.example:8080/");
  url.searchParams.append("n", "é");
  const copy = structuredClone({ at: new Date(0), map: new Map([[1, new Set([2])]]) });
  let refused = "";
  try { structuredClone(() => 1); } catch (error) {
    refused = `${error instanceof DOMException} ${error.name}`;
  }
  return JSON.stringify([
    url.href, [...new URLSearchParams("a=1&a=2").getAll("a")], copy.at.getTime(),
    copy.map.get(1).has(2), refused, btoa("hé"), atob("aOk="),
    [...new TextEncoder().encode("€😀")], new TextDecoder().decode(new Uint8Array([226, 130, 172])),
  ]);
};"""


def test_what_only_computes_is_there(prerenderer: Prerenderer, isolate: str) -> None:
    """Addresses, copies, encodings: as in a browser, and no reason to render the block again."""
    (block,) = prerenderer.render(_jobs("it"), _bundle(isolate, it=COMPUTING))
    assert block.problem is None
    assert not block.rerender
    assert json.loads(html.unescape(block.html)) == [
        "https://xn--mnchen-3ya.example:8080/a%20b?x=1&y=2&n=%C3%A9#z",
        *(["1", "2"], 0, True, "true DataCloneError", "aOk=", "hé"),
        *([226, 130, 172, 240, 159, 152, 128], "€"),
    ]


@pytest.mark.parametrize(("body", "gives"), WEB_OBJECTS.values(), ids=WEB_OBJECTS)
def test_what_browsers_only_compute_with(
    prerenderer: Prerenderer, isolate: str, body: str, gives: list[object]
) -> None:
    """Events, signals, headers, files, forms and shapes give what they give in a browser."""
    code = f"exports.default = () => JSON.stringify((() => {{ {body} }})());"
    (block,) = prerenderer.render(_jobs("it"), _bundle(isolate, it=code))
    assert block.problem is None
    assert not block.rerender
    assert json.loads(html.unescape(block.html)) == gives


ONLY_THERE = {
    "HTMLElement": "class It extends HTMLElement {}",
    "Node": "return String({} instanceof Node);",
    "URL.createObjectURL": "return URL.createObjectURL(new Blob(['x']));",
    "stream()": "return new Blob(['x']).stream();",
    "an element": "return new FormData({});",
    "self": "return self.name;",
    "MessageChannel": "return new MessageChannel().port1;",
}


@pytest.mark.parametrize(("name", "body"), ONLY_THERE.items(), ids=ONLY_THERE)
def test_what_only_browsers_have_is_named(
    prerenderer: Prerenderer, isolate: str, name: str, body: str
) -> None:
    """The remedy says that it belongs in an effect."""
    code = f"exports.default = () => {{ {body} }};"
    problem = _problem(prerenderer.render(_jobs("it"), _bundle(isolate, it=code))[0])
    assert name.split(".")[-1] in f"{problem.what} {problem.remedy}"
    assert "in useEffect" in problem.remedy or "without a browser" in problem.remedy


def test_a_misspelt_name_is_no_browser_s(prerenderer: Prerenderer, isolate: str) -> None:
    """A name that no browser has, or that is a plain word, is to be imported or declared."""
    for name in ("Reakt", "status"):
        code = f"exports.default = () => {name}.x;"
        problem = _problem(prerenderer.render(_jobs("it"), _bundle(isolate, it=code))[0])
        assert problem.what == f"ReferenceError: {name} is not defined"
        assert problem.remedy.startswith("import or declare it")


PIECES = (
    "<div>", "</div>", "<p>", "</p>", "<b>", "</b>", "<br>", "<br/>", "<hr/>", "<a href='x'>",
    "</a>", '<p title="a">', '<p title="a>b">', '<p title="', '<i class="x" data-a="">', "</i>",
    "<svg>", "</svg>", "<circle/>", '<use href="#a"/>', "<!-- -->", "<!--$-->", "<!--/$-->",
    "<!--", "-->", "<", ">", "</", "/>", "<divx", "<di", "<DIV>", "<div/>", "<b:c>", "<form>",
    "</form>", "<li>", "<h1>", "</h1>", "a", " ", "&lt;", "<span", " hidden", ' id="b1"',
    ' id="x"', " data-rb-x=''", "\"", "\0", "<title>", "<table>", "</body>",
    "<table><tbody><tr><td>", "</td></tr></tbody></table>", "</td>", "<td>", "<tr>", "</tr>",
)  # fmt: skip


def test_what_passes_keeps_to_its_wrapper(prerenderer: Prerenderer, isolate: str) -> None:
    """The quick proof inside the isolate passes nothing that a real parser finds at fault."""
    body = (
        "exports.default = ({ html }) => jsx('div', { dangerouslySetInnerHTML: { __html: html } });"
    )
    random = Random(7)
    texts = ["".join(random.choices(PIECES, k=random.randint(1, 7))) for _ in range(3000)]
    texts += [f"<{name}" for name in ("div", "divx", "p", "br", "!--", "/div", "/")]
    jobs = [
        RenderJob(component="it", props_json=json.dumps({"html": text}), prefix="b1-")
        for text in texts
    ]
    rendered = prerenderer.render(jobs, _bundle(isolate, it=body))
    passed = [block.html for block in rendered if block.problem is None]
    assert len(passed) > len(texts) // 10
    assert [html for html in passed if html_problem(html)] == []
    refused = [text for text, block in zip(texts, rendered, strict=True) if block.problem]
    assert [
        text for text in refused if not html_problem(f"<div>{text}</div>".replace("\0", "\ufffd"))
    ] == []


def test_class_components_are_interactive(prerenderer: Prerenderer, isolate: str) -> None:
    """A class component may have state, so it hydrates."""
    body = "exports.default = class extends React.Component { render() { return jsx('p', {}); } };"
    assert prerenderer.render(_jobs("it"), _bundle(isolate, it=body))[0].interactive


def test_a_component_stopped_often_is_not_tried_for_ever(
    prerenderer: Prerenderer, isolate: str
) -> None:
    """Ten thousand endless blocks of one component cost a few stops, and the rest still render."""
    bundle = _bundle(isolate, good=GOOD, bad="exports.default = () => { for (;;); };")
    results = prerenderer.render(_jobs(*["bad"] * 10_000, "good"), bundle)
    assert all(result.problem for result in results[:-1])
    assert "several times" in _problem(results[-2]).what
    assert results[-1].problem is None


def test_memory_that_others_keep_is_no_blocks_fault(prerenderer: Prerenderer, isolate: str) -> None:
    """Only a block that takes all memory by itself is stopped, not one that meets what others left;
    which it was shows where it is rendered first in an isolate of its own."""
    allocate = "for (let i = 0; i < 2000; i++) kept.push(new Array(1000).fill({}));"
    bundle = _bundle(
        isolate,
        hoard=f"const kept = []; exports.default = () => {{ {allocate} return 'h'; }};",
        good=f"exports.default = () => {{ const kept = []; {allocate} return 'g'; }};",
        bad="exports.default = () => { const a = []; for (;;) a.push(new Array(1000).fill({})); };",
    )
    keys = ["hoard", "good"] * 12
    keys.insert(13, "bad")
    rendered = prerenderer.render(_jobs(*keys), bundle)
    assert "".join(block.html for block in rendered) == "hg" * 12
    assert _problem(rendered[13]).key == "bad"


def test_ten_thousand_blocks(prerenderer: Prerenderer, isolate: str) -> None:
    """As many blocks as that come back in order."""
    bundle = _bundle(isolate, it="exports.default = ({ n }) => String(n);")
    jobs = [
        RenderJob(component="it", props_json=f'{{"n":{n}}}', prefix=f"b{n}-") for n in range(10_000)
    ]
    assert [each.html for each in prerenderer.render(jobs, bundle)] == [
        str(n) for n in range(10_000)
    ]


@pytest.fixture
def several() -> Iterator[Prerenderer]:
    """Three isolates, cold."""
    with Prerenderer(isolates=3, heap_bytes=96 << 20) as some:
        yield some


def _children() -> set[int]:
    """The isolates' processes; esbuild's comes and goes by itself."""
    return {
        child.pid
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and any(word.endswith("isolate/process.py") for word in child.cmdline())
    }


def test_many_blocks_are_rendered_side_by_side(several: Prerenderer, isolate: str) -> None:
    """Several isolates work on many jobs while the first are taken up; results come in order, those
    of a component that ruins its isolate too, and afterwards one isolate stays."""
    before = _children()
    bundle = _bundle(
        isolate,
        it="exports.default = ({ n }) => String(n);",
        bad="exports.default = () => { const a = []; for (;;) a.push(new Array(1000).fill({})); };",
    )
    jobs = [
        RenderJob(component="it", props_json=f'{{"n":{n}}}', prefix=f"b{n}-") for n in range(3000)
    ]
    jobs[1000] = RenderJob(component="bad", props_json="{}", prefix="b1000-")
    parts = several.stream(jobs, bundle)
    done = next(parts)
    assert jobs[0] in done
    assert len(done) < len(jobs)
    assert len(_children() - before) == 3
    for part in parts:
        done |= part
    html = [done[job].html for job in jobs]
    assert html == [str(n) if n != 1000 else "" for n in range(3000)]
    several.keep_one()
    assert len(_children() - before) == 1


def test_few_blocks_beside_many_of_another_bundle(several: Prerenderer, isolate: str) -> None:
    """An isolate answers both: the few are rendered as they are taken, the many meanwhile."""
    few = _bundle(isolate, few="exports.default = ({ n }) => `few ${n}`;")
    many = _bundle(isolate, many="exports.default = ({ n }) => `many ${n}`;")
    few_jobs, many_jobs = (
        [RenderJob(component=key, props_json=f'{{"n":{n}}}', prefix=f"b{n}-") for n in range(count)]
        for key, count in (("few", 590), ("many", 3000))
    )
    parts = several.stream(few_jobs, few)
    others = several.stream(many_jobs, many)
    done = {job: block for part in parts for job, block in part.items()}
    done |= {job: block for part in others for job, block in part.items()}
    assert [done[job].html for job in few_jobs] == [f"few {n}" for n in range(590)]
    assert [done[job].html for job in many_jobs] == [f"many {n}" for n in range(3000)]


def test_what_nobody_waits_for_is_stopped(several: Prerenderer, isolate: str) -> None:
    """Leaving a stream, or an interruption while waiting, ends what is being rendered; the next
    render finds isolates that work."""
    before = _children()
    endless = _bundle(isolate, it="exports.default = () => { for (;;); };", good=GOOD)
    several.stream(_jobs(*["it"] * 2000), endless)
    several.keep_one()
    assert _children() == before
    parts = several.stream([*_jobs(*["good"] * 500), *_jobs(*["it"] * 2000)], endless)
    next(parts)
    with pytest.raises(KeyboardInterrupt):
        _throw(parts, KeyboardInterrupt())
    assert _children() == before
    assert several.render(_jobs("good"), endless)[0].problem is None


def _throw(parts: Iterator[RenderedBatch], error: BaseException) -> None:
    """As a signal's handler does, while the next part is waited for."""
    assert isinstance(parts, Generator)
    parts.throw(error)


def test_a_megabyte_of_props(prerenderer: Prerenderer, isolate: str) -> None:
    """Large props reach the component whole."""
    bundle = _bundle(isolate, it="exports.default = ({ text }) => String(text.length);")
    job = RenderJob(component="it", props_json=f'{{"text":"{"é" * 1_000_000}"}}', prefix="b1-")
    assert prerenderer.render([job], bundle)[0].html == "1000000"


def test_errors_name_the_stored_line(press: Press) -> None:
    """What throws is told with the component, line and column that it stands at."""
    inner = (
        "export default function Inner({ items }) {\n  const n = 1;\n  return items.map(String);\n}"
    )
    outer = 'import Inner from "@robbieblocks/inner";\nexport default () => <Inner />;'
    made = press.bundle(component("inner", inner), component("outer", outer))
    problem = _problem(press.render(made, [block(1, "outer")])[1])
    assert (problem.key, problem.field, problem.line) == ("inner", "react_code", 3)
    assert problem.column == len("  return items.") + 1


# Errors that are mistakes of React's own, or of a build without React's files.
INTERNAL = {
    *(248, 343, 389, 390, 391, 392, 393, 395, 397, 401, 402, 403, 404, 432, 459, 480, 486, 487),
    *(488, 490, 491, 530),
}


def test_every_error_of_react_has_words(press: Press) -> None:
    """Messages say in words what React's production build has numbers for, and no others."""
    folder = press.toolchain.modules / "react-dom" / "cjs"
    texts = [
        (folder / f"{name}.production.js").read_text("utf-8")
        for name in ("react-dom", "react-dom-server-legacy.browser")
    ]
    raised = set(map(int, re.findall(r"formatProdErrorMessage\(\s*(\d+)", "".join(texts))))
    assert raised - INTERNAL == set(map(int, REACT_MESSAGES))


INNOCENT = "export const help = (f) => f();\nexport default () => <p>calm</p>;"
# Each throws an error that says that it arose in the innocent component, and the line where it did.
FORGERIES = {
    "a stack that is set": ("const e = new Error('x'); e.stack = 'FRAME'; throw e;", None),
    "a stack that is defined": (
        "const e = new Error('x'); Object.defineProperty(e, 'stack', { value: 'FRAME' }); throw e;",
        None,
    ),
    "a stack that is set once it was read": (
        "const e = new Error('x'); void e.stack; e.stack = 'FRAME'; throw e;",
        2,
    ),
    "no error": ("throw { message: 'x', stack: 'FRAME' };", None),
    "a proxy": ("throw new Proxy(new Error('x'), { get: () => 'FRAME' });", None),
    "a class": (
        "throw new class extends Error { get stack() { return 'FRAME'; } }('x');",
        2,
    ),
    "the message": ("throw new Error('x\\n    at FRAME\\nFRAME');", 2),
    "the name": ("const e = new Error('x'); e.name = '\\nFRAME\\n'; throw e;", 2),
    "a function's name": (
        "const f = () => { throw new Error('x'); };"
        " Object.defineProperty(f, 'name', { value: '\\nFRAME\\n' }); f();",
        2,
    ),
    "a name in a source map": ("//# sourceURL=FRAME\n throw new Error('x');", 3),
    "the formatting": (
        "const e = new Error('x'); try { Error.prepareStackTrace(e, [{ getLineNumber: () => 2,"
        " getScriptNameOrSourceURL: () => 'FRAME' }]); } catch {} throw e;",
        2,
    ),
    "a captured stack": ("const e = {}; Error.captureStackTrace(e); throw e;", 2),
}


@pytest.mark.parametrize(("body", "line"), FORGERIES.values(), ids=FORGERIES)
def test_no_error_can_blame_another_component(press: Press, body: str, line: int | None) -> None:
    """Only frames that V8 captured count: another component is named in vain."""
    innocent = component("innocent", INNOCENT)
    body = body.replace("FRAME", _frame(press.bundle(innocent)))
    made = press.bundle(innocent, component("guilty", f"export default () => {{\n  {body}\n}};"))
    rendered = press.render(made, [block(1, "innocent"), block(2, "guilty")])
    assert rendered[1].html == "<p>calm</p>"
    problem = _problem(rendered[2])
    assert (problem.key, problem.line) == ("guilty", line)


def test_only_what_a_component_imports_can_be_at_fault(press: Press) -> None:
    """A frame of a module that the block does not reach is passed over."""
    made = press.bundle(component("innocent", INNOCENT), component("guilty", INNOCENT))
    failed: Failure = {"name": "Error", "message": "x", "stack": f"{_frame(made)}\n"}
    assert component_problem("innocent", failed, made, 1.0).line == 2
    assert component_problem("guilty", failed, made, 1.0).key == "guilty"


def _frame(made: Bundle) -> str:
    """The frame of what the innocent component shows."""
    specifier = "@robbieblocks/innocent"
    before = made.modules[specifier].script.partition("calm")[0].split("\n")
    return f"rb:{keys.source_name(specifier)}:{len(before) + 1}:{len(before[-1])}"


def test_packages_are_fresh_too(press: Press) -> None:
    """A store made with a package holds nothing from the block before."""
    code = """import { create } from "zustand";
const useStore = create(() => ({ n: 0 }));
export default () => { useStore.setState({ n: useStore.getState().n + 1 });
  return <p>{useStore.getState().n}</p>; };"""
    made = press.bundle(component("it", code))
    rendered = press.render(made, [block(1, "it"), block(2, "it")])
    assert rendered[1].html == rendered[2].html == "<p>1</p>"


def test_job_key_follows_what_decides_the_html(isolate: str) -> None:
    """The key changes with props, prefix, script and React, and with nothing else."""
    job = RenderJob(component="it", props_json="{}", prefix="b1-")
    one = _bundle(isolate, it="1", other="2")
    key = JobKeys(one).key(job)
    assert JobKeys(_bundle(isolate, it="1", other="3")).key(job) == key
    assert JobKeys(_bundle(isolate, it="2", other="2")).key(job) != key
    assert JobKeys(_bundle(isolate + " ", it="1")).key(job) != key
    for change in ({"props_json": '{"a":1}'}, {"prefix": "b2-"}):
        values = {"component": "it", "props_json": "{}", "prefix": "b1-", **change}
        assert JobKeys(one).key(RenderJob(**values)) != key


def test_job_key_follows_the_engine(isolate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another V8 with another ICU may format the same number otherwise: blocks and pages are made
    again.
    """
    job = RenderJob(component="it", props_json="{}", prefix="b1-")
    found: set[tuple[str, str]] = set()
    for engine in ("0.14.1", "0.14.2"):
        keys.isolate_hash.cache_clear()
        monkeypatch.setattr("importlib.metadata.version", Mock(return_value=engine))
        renderer = PageRenderer(resource_dir("templates"))
        found.add((JobKeys(_bundle(isolate, it="1")).key(job), renderer.id))
    keys.isolate_hash.cache_clear()
    assert len({key for key, _ in found}) == len({page for _, page in found}) == 2


def test_scripts_may_change_between_renders(prerenderer: Prerenderer, isolate: str) -> None:
    """A warm isolate renders what the bundle at hand says."""
    for said in ("one", "two", "one"):
        bundle = _bundle(isolate, it=f"exports.default = () => '{said}';")
        assert prerenderer.render(_jobs("it"), bundle)[0].html == said


def test_elsewhere_shows_what_differs_for_another_visitor(
    prerenderer: Prerenderer, isolate: str
) -> None:
    """The clock, randomness, locale and time zone are others there, and nothing else is."""
    varying = {
        "clock": "Date.now()",
        "random": "Math.random()",
        "uuid": "crypto.randomUUID()",
        "locale": "(5000.5).toLocaleString()",
        "zone": "new Date(0).getHours()",
        "present": "new Intl.DateTimeFormat('de', { timeZone: 'UTC' }).formatToParts()"
        ".map((part) => part.value)",
    }
    same = {
        "named": "(5000.5).toLocaleString('en-US')",
        "utc": "new Date(0).getUTCHours()",
        "dates": "new Intl.DateTimeFormat('de', { timeZone: 'Asia/Tokyo' }).format(new Date(0))",
    }
    bodies = {
        key: f"exports.default = () => String({value});" for key, value in (varying | same).items()
    }
    bundle = _bundle(isolate, **bodies)
    here = prerenderer.render(_jobs(*bodies), bundle)
    with Prerenderer(isolates=1, elsewhere=True) as other:
        there = other.render(_jobs(*bodies), bundle)
    differing = {
        key for key, one, two in zip(bodies, here, there, strict=True) if one.html != two.html
    }
    assert differing == varying.keys()


REMEDIES = {
    "the browser's object on the line": (
        "return window.innerWidth;",
        "window is only there in a browser: use it in useEffect or an event handler",
    ),
    "it was asked for elsewhere": (
        "typeof localStorage;\nreturn (() => { throw new TypeError('x is read only'); })();",
        "all blocks share built-in objects and React: keep state in the component",
    ),
    "an absent prop, and a browser test": (
        "typeof window;\nreturn props.items.map(String);",
        "give the prop a default in props_schema, or handle its absence in the code; "
        "window is only there in a browser: use it in useEffect or an event handler",
    ),
}


@pytest.mark.parametrize(("statements", "remedy"), REMEDIES.values(), ids=REMEDIES)
def test_a_browser_test_elsewhere_is_not_the_cause(
    press: Press, statements: str, remedy: str
) -> None:
    """That code asks for the browser somewhere is the remedy only where the error arises there."""
    made = press.bundle(component("it", f"export default (props) => {{ {statements} }};"))
    assert _problem(press.render(made, [block(1, "it")])[1]).remedy == remedy


def test_a_store_that_asked_for_the_browser_while_it_was_loaded_is_not_the_cause(
    press: Press,
) -> None:
    """With a persisted store imported, an error has the remedy that it would have without."""
    store = component(
        "store",
        """import { create } from "zustand"; import { persist } from "zustand/middleware";
export const useCart = create(persist(() => ({ items: [] }), { name: "cart" }));""",
    )
    user = component(
        "user",
        """import { useCart } from "@robbieblocks/store";
export default ({ list }) => { useCart(); return list.map(String); };""",
    )
    made = press.bundle(store, user)
    problem = _problem(press.render(made, [block(1, "user")])[1])
    assert problem.remedy == (
        "give the prop a default in props_schema, or handle its absence in the code"
    )
