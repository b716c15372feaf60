"""Texts for every column that rows have, made by damaging good ones: strategies for Hypothesis."""
# ruff: noqa: E501  # a good text reads best on one line

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from robbieblocks.model import Json
from tests.media_files import png

# Postgres holds neither NUL nor half a surrogate pair, so no row does.
_CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")

_ANYWHERE = [
    *("", " ", "\n", "\r", "\t", "\f", "\v", "\x1b[31m", "\x07", "\x7f", "\x85", "\ufeff"),
    *("\u2028", "\u2029", "\u202e", "\u200b", "\u0301", "\uffff", "\U0001f600", "\U0010ffff", "İ"),
    *("<", ">", "&", '"', "'", "`", "\\", "/", "*", "#", "@", "!", ";", ":", ",", ".", "=", "%"),
    *(
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "<!--",
        "-->",
        "<![CDATA[",
        "]]>",
        "/*",
        "*/",
        "//",
        "{{",
        "}}",
    ),
    *(
        "</script>",
        "</style>",
        "<script>",
        "{{a}}",
        "{{a|b}}",
        "{% raw %}",
        "${",
        "%00",
        "%s",
        "{0}",
    ),
    *("../", "/..", "//evil.example/", "https://evil.example/", "javascript:", "data:", "file:///"),
    *("&#0;", "&lt;", "\\u0000", "\\ud800", "\\x1b", "\\", "\\\n", "0", "-0", "1e400", "9" * 20),
    *("9" * 5_000, "a" * 300, "true", "null", "NaN", "Infinity", "__proto__", "constructor"),
]
_CODE = [
    *(
        "await ",
        "async ",
        "yield ",
        "import ",
        "export ",
        "export default ",
        "require('fs')",
        "enum ",
    ),
    *(
        "module",
        "exports",
        "namespace A {",
        "class ",
        "extends ",
        "function* ",
        "=> ",
        "return ",
        "?.",
    ),
    *(
        "throw ",
        "try {",
        "} catch {",
        "new ",
        "delete ",
        "typeof ",
        "for (;;) ",
        "while (1) ",
        "let ",
    ),
    *(
        "var ",
        "using ",
        "declare ",
        "abstract ",
        "type A = ",
        "interface A {",
        "satisfies ",
        "as any",
    ),
    *("<A<B>>", "<></>", "<a.b.c />", "<a:b />", "{...{}}", "<p", "/>", "</p>", "&nbsp;", "{/**/}"),
    *("/a+/v", "/(?<=x)y/", "`${", "`", "#!sh", "//# sourceMappingURL=x", "/** @jsx h */", "@dec "),
    *(
        "'use client'",
        "'use strict'",
        "debugger;",
        "import.meta",
        "import('x')",
        "new.target",
        "this",
    ),
    *(
        "super",
        "arguments",
        "globalThis",
        "useState(0)",
        "useEffect(() => {})",
        "__html",
        "key=",
        "ref=",
    ),
    *(
        "dangerouslySetInnerHTML={{__html: x}}",
        "import A from '@robbieblocks/good'",
        "0n",
        "0x",
        "1_0",
    ),
    *(
        "import x from './x'",
        "import 'x.css'",
        "import('@robbieblocks/good')",
        "\\u{110000}",
        "<!--",
    ),
    *(
        "props",
        "children",
        "text",
        "const { x } = ",
        "label: ",
        "with (x) ",
        "<T,>() => ",
        "accessor x",
    ),
]
_CSS = [
    *(
        "@media ",
        "@import 'x';",
        "@charset 'x';",
        "@font-face {",
        "@layer ",
        "@supports ",
        "@scope ",
    ),
    *(
        "@keyframes x {",
        "@property --x {",
        "@container ",
        "@starting-style {",
        "@namespace ",
        "@page {",
    ),
    *(
        "&",
        "& & ",
        "> ",
        "+ ",
        "~ ",
        "|| ",
        "*|*",
        ":is(",
        ":has(",
        ":not(",
        ":where(",
        "::before",
        ":root",
    ),
    *(
        "::part(x)",
        ":host",
        ":nth-child(2n+1 of ",
        "[a=b i]",
        "[a",
        "#id",
        ".a.b",
        "html ",
        "!important",
    ),
    *(
        "url(",
        "url(x)",
        "url('x",
        "image-set(",
        "var(--",
        "var(--x,",
        "calc(",
        "env(",
        "attr(",
        "if(",
    ),
    *(
        "--x:",
        "--:",
        "color: red;",
        "animation: x 1s;",
        "{}",
        "}{",
        "1e99",
        "1e-99px",
        "+.5",
        "U+26",
        "\\0",
    ),
    *(
        "\\9 ",
        "\\110000",
        "\\",
        "rgb(",
        "#ggg",
        "1px",
        "100%",
        "from {",
        "50% {",
        "to",
        "inherit",
        "red",
    ),
    *(
        "color(",
        "oklch(from red l c h)",
        "light-dark(",
        "@media (width > 1px) {",
        "@layer a.b;",
        "@x",
    ),
]


def _damage(extra: Sequence[str]) -> SearchStrategy[str]:
    """What is put into a text: one or many of a fragment, deep brackets, any characters."""
    fragment = st.sampled_from([*_ANYWHERE, *extra, *extra])
    many = st.tuples(fragment, st.sampled_from([2, 3, 40, 700, 6_000])).map(lambda f: f[0] * f[1])
    nested = st.tuples(
        st.sampled_from(["()", "[]", "{}", "<>", "({", "[(", ":is(", "a{", "not(", "`${"]),
        st.sampled_from([2, 33, 65, 300, 6_000]),
        st.booleans(),
    ).map(lambda n: n[0][:-1] * n[1] + (n[0][-1] * n[1] if n[2] else ""))
    return st.one_of(
        fragment,
        st.lists(fragment, max_size=12).map("".join),
        st.text(_CHARACTERS, max_size=12),
        # Many at once are the rarest: one in ten is enough to meet every bound.
        st.one_of(fragment, fragment, many, nested),
    )


def damaged(seeds: Sequence[str], extra: Sequence[str] = ()) -> SearchStrategy[str]:
    """A good text with up to four pieces of it replaced, or nothing but damage."""
    edit = st.tuples(st.floats(0, 1), st.integers(0, 30), _damage(extra))

    def edited(seed: str, edits: list[tuple[float, int, str]]) -> str:
        for place, cut, piece in edits:
            start = int(place * len(seed))
            seed = seed[:start] + piece + seed[start + cut :]
        return seed[:60_000]

    return st.builds(edited, st.sampled_from([*seeds, *seeds, ""]), st.lists(edit, max_size=4))


# Numbers that Python's JSON can't write, as Postgres stores them; each stands for a text.
_NUMBERS = {
    "#1": "1e400",
    "#2": "9" * 5_000,
    "#3": "-0.0",
    "#4": "1e-400",
    "#5": "123456789012345678901234567890",
    "#6": "0." + "1" * 5_000,
    "#7": "1e131071",
}


def json_text(words: Sequence[str], seeds: Sequence[Json] = ()) -> SearchStrategy[str]:
    """JSON of these names and texts, good documents with a part replaced, and odd numbers."""
    names = st.one_of(st.sampled_from([*words, *words]), damaged(words))
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**30), 10**30),
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from([*_NUMBERS, "", [], {}, 0, 1, -1]),
        names,
    )
    values: SearchStrategy[Any] = st.recursive(
        leaves,
        lambda part: st.one_of(
            st.lists(part, max_size=4), st.dictionaries(names, part, max_size=5)
        ),
        max_leaves=12,
    )
    deep = st.tuples(values, names, st.sampled_from([20, 40, 70, 400]), st.booleans()).map(_deep)
    part = st.one_of(values, values, values, deep)
    if not seeds:
        return st.one_of(part, st.dictionaries(names, part, max_size=5)).map(_written)
    return st.tuples(st.sampled_from(seeds), st.data(), part, names).map(_replaced).map(_written)


def _deep(given: tuple[Any, str, int, bool]) -> Any:
    value, name, depth, in_list = given
    for _ in range(depth):
        value = {name: [value] if in_list else value}
    return value


def _replaced(given: tuple[Any, Any, Any, str]) -> Any:
    """A copy of a document in which one place holds something else."""
    document, data, part, name = given
    if not isinstance(document, dict | list) or not document or data.draw(st.integers(0, 3)) == 0:
        return part
    if isinstance(document, list):
        index = data.draw(st.integers(0, len(document) - 1))
        return [
            _replaced((value, data, part, name)) if n == index else value
            for n, value in enumerate(document)
        ]
    chosen = data.draw(st.sampled_from([*document, name]))
    below = document.get(chosen, part)
    return {**document, chosen: _replaced((below, data, part, name))}


def _written(value: Any) -> str:
    text = json.dumps(value)
    for mark, number in _NUMBERS.items():
        text = text.replace(f'"{mark}"', number)
    return text


_COMPONENTS = [
    "export default ({ text }) => <p className='shown'>{String(text)}</p>;",
    """import { useState } from "react";
export default function Live({ text = "x", items = [] }) {
  const [n, setN] = useState(0);
  return <button onClick={() => setN(n + 1)} style={{ color: "red" }}>{text} {n}
    {items.map((item) => <i key={item}>{item}</i>)}</button>;
}""",
    """// A card
interface Props<T extends string> { text: T; tone?: "calm" | "loud" }
enum Size { Small = 1, Large = Small << 2 }
const label = (size: Size): string => `size ${Size[size]}`;
export const Card: React.FC<Props<string>> = ({ text, tone = "calm", ...rest }: Props<string>) => {
  const ref = useRef<HTMLDivElement>(null);
  return (<><div ref={ref} data-tone={tone}>{text!}<p dangerouslySetInnerHTML={{ __html: "<b>x</b>" }} />
    <a href={`/x?${tone}`}>{label(Size.Large)}</a></div></>);
};""",
    "<section className='rounded p-4'><h2>{props.text}</h2>{/* note */}<br/></section>",
    "class X extends React.Component { state = { a: 1 }; render() { return <b>{this.props.text}</b>; } }\nexport default X;",
    "import Good from '@robbieblocks/good';\nexport default function Outer(props) { return <div><Good {...props} /></div>; }",
    "const Hello = React.memo(React.forwardRef((props, ref) => <b ref={ref}>{props.text}</b>));\nexport { Hello as default };",
]
_SHEETS = [
    ".a { color: red; &:hover { color: blue } .b & { margin: 0 } }\n@media (width > 40em) { .a > .b, .c::after { content: 'x' } }",
    "@keyframes spin { from { rotate: 0deg } 50% { opacity: .5 } to { rotate: 1turn } }\n.a { animation: spin 1s infinite; background: url(/x.png) }",
    "@property --x { syntax: '<length>'; inherits: false; initial-value: 0px }\n.a { width: calc(var(--x, 1px) * 2) !important }",
    "@supports (display: grid) { @layer a { .a:is(.b, #c):not([d='e' i]):nth-child(2n + 1 of .f) { color: rgb(0 0 0 / 20%) } } }",
]
_MARKDOWN = """# A *head* {#x}

[hours](page:good#a), [file](media:fuzzed), ![x](media:fuzzed "t"), <b>&amp;</b>, ~~no~~[^1]

| a | b |
|:--|--:|
| `c` | d |

- [ ] to do
  1. > quoted

```python
def f(): return "x"
```

[^1]: A note with [a link](/good/).
"""
_PROPS: list[Json] = [
    {
        "text": "hello {{name|friend}}",
        "items": ["a", "b"],
        "n": 5,
        "deep": {"a": [1, 2, {"b": None}]},
    },
    {"text": "<b>", "children": "x", "style": {"color": "red"}, "key": 1, "ref": "x"},
    {"picture": "media:fuzzed", "story": _MARKDOWN, "frame": "https://maps.example/?q=x"},
    {
        "items": {
            "$pages": {
                "where": {"kind": "post"},
                "under": "/x/",
                "lang": "same",
                "sort": "-metadata.n",
                "fields": ["route", "metadata.n", "translations"],
                "limit": 3,
                "offset": 1,
                "paginate": True,
            }
        },
        "parts": {"$page": "pagination"},
        "n": {"$page": "metadata.n"},
    },
    {
        "rows": {
            "$rows": {
                "collection": "goods",
                "where": {"word": "good", "list": ["a"]},
                "sort": "-amount",
                "limit": 3,
                "fields": ["word", "route"],
            }
        },
        "deep": {"$page": "translations"},
    },
    {
        "form": "contact",
        "fields": [
            {"name": "name", "label": "Name", "required": True, "autocomplete": "name"},
            {
                "name": "about",
                "type": "radio",
                "label": "About",
                "options": ["a", {"value": "b", "label": "B"}],
            },
            {"name": "mail", "type": "email", "label": "Mail", "max_length": 100},
            {"name": "n", "type": "number", "label": "N", "min": 1, "max": 9, "step": 2},
        ],
    },
]
_SCHEMAS: list[Json] = [
    {
        "type": "object",
        "properties": {
            "text": {"type": "string", "maxLength": 90, "pattern": "^[a-z]+$", "default": "x"},
            "items": {"type": "array", "items": {"$ref": "#/$defs/item"}, "uniqueItems": True},
            "n": {"type": ["integer", "null"], "minimum": 0, "multipleOf": 5},
        },
        "required": ["text"],
        "additionalProperties": {"anyOf": [{"type": "object"}, {"enum": [1, "a", None]}]},
        "$defs": {
            "item": {"oneOf": [{"const": "a"}, {"format": "uri"}, {"not": {"type": "null"}}]}
        },
    },
    {"text": {"type": "string", "default": "x"}, "n": {"type": "integer", "exclusiveMaximum": 9}},
    {
        "$ref": "#/$defs/n",
        "$defs": {"n": {"properties": {"deep": {"$ref": "#/$defs/n", "default": {}}}}},
        "if": {"required": ["n"]},
        "then": {"dependentRequired": {"n": ["text"]}},
        "patternProperties": {"^x-": {"type": "number"}},
        "propertyNames": {"maxLength": 40},
        "unevaluatedProperties": True,
    },
]
_CONDITIONS: list[Json] = [
    {"any": [{"theme": "dark"}, {"not": {"nodes": ["good-node"]}}], "viewport": {"min": 600}},
    {"from": "2026-01-01T00:00:00Z", "until": "2026-12-31T23:59:60.5+01:00", "apps": ["play"]},
    {
        "all": [
            {"query": {"ref": ["a", "b"], "n": 5, "flag": True}},
            {"viewport": {"max-width": 9.5}},
        ]
    },
]
_METADATA: list[Json] = [
    {
        "og_title": "t",
        "og_image": "/x.png",
        "lang": "en",
        "dir": "ltr",
        "robots": "noindex",
        "canonical": "/x",
        "json_ld": {"@type": "Thing", "name": "n"},
        "form_action": ["https://a.example"],
        "blocks": {"1": {"hydrate": "idle"}},
    },
    {
        "og_image": "media:fuzzed",
        "og_image_alt": "x",
        "og_description": "d",
        "translation_of": "good",
        "lang": "pt-BR",
        "redirect_from": ["/old/", {"from": "/older/*", "status": 302}],
        "feed": {"under": "/", "forms": ["atom", "rss", "json"], "title": "F", "limit": 9},
        "head": {
            "links": [{"rel": "preload", "href": "/x.png", "as": "image", "type": "image/png"}],
            "metas": [{"name": "a", "content": "b"}, {"property": "c", "content": "d"}],
        },
    },
]
# What the frame of an app may state besides, for all of the app's pages.
_FRAMES: list[Json] = [
    {
        "frame": True,
        "redirects": [
            {"from": "/blog/*", "to": "https://blog.example/*"},
            {"from": "/gone/", "status": 410},
        ],
        "settings": {
            "languages": {"default": "de", "offered": ["de", "en"], "fallback": True},
            "trusted_types": "on",
            "hosts": {"https://*.tiles.example": ["images", "connects"]},
        },
    },
    {"frame": False, "settings": {"referrer": "origin", "permissions": {"camera": []}}},
]
_NODE_SETTINGS: list[Json] = [
    {
        "icons": {
            "source": "media:fuzzed",
            "favicon": "media:fuzzed",
            "touch": "media:fuzzed",
            "app": ["media:fuzzed"],
            "maskable": ["media:fuzzed"],
        },
        "manifest": {"short_name": "x", "display": "standalone", "start_url": "/good/"},
        "schemes": {"light": {"color.background": "#fff", "color.text": "#111"}},
        "social_card": True,
    },
    {
        "hosts": {"https://maps.example": ["frames", "images"], "https:": ["media"]},
        "scripts": [
            {
                "src": "https://stats.example/x.js",
                "async": True,
                "integrity": "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC",
                "consent": "statistics",
                "data": {"domain": "x"},
            }
        ],
        "consent": {"text": "May we?", "accept": "Yes", "decline": "No"},
        "head": {
            "links": [{"rel": "me", "href": "https://a.example"}],
            "metas": [{"name": "n", "content": "c"}],
        },
    },
    {
        "framed_by": ["https://portal.example"],
        "referrer": "no-referrer",
        "permissions": {"camera": [], "geolocation": ["self", "https://maps.example"]},
        "reports": "https://reports.example/csp",
        "report_only": {
            "trusted_types": True,
            "hosts": {"https://cdn.example": ["images"]},
        },
        "trusted_types": "auto",
        "languages": {"default": "en"},
    },
]
_OVERRIDES: list[Json] = [
    {"theme": "dark", "color.primary": "#123456", "fuzzed.token": "2px", "space": {"x": 4}},
    {
        "font.body": "'Inter', sans-serif",
        "color.background": "oklch(20% 0 0)",
        "shadow.a": "0 0 1px",
    },
]
_WORDS = ["text", "items", "n", "deep", "x", "theme", "play", "good", "1", "a"]
_KEYWORDS = [
    *(
        "type",
        "properties",
        "items",
        "prefixItems",
        "contains",
        "$ref",
        "$id",
        "$anchor",
        "#/$defs/a",
    ),
    *(
        "$dynamicRef",
        "$dynamicAnchor",
        "$schema",
        "$defs",
        "#",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
    ),
    *("enum", "const", "default", "pattern", "patternProperties", "format", "required", "minimum"),
    *(
        "multipleOf",
        "uniqueItems",
        "maxLength",
        "minItems",
        "maxContains",
        "propertyNames",
        "string",
    ),
    *("object", "integer", "array", "dependentSchemas", "unevaluatedItems", "additionalProperties"),
    *("date-time", "regex", "^(a+)+$", "(?<x>a)\\k<x>", "\\p{L}{1,1000}", "[[a]&&b]", "(?i)x"),
]
_OPERATORS = [
    *(
        "any",
        "all",
        "not",
        "nodes",
        "apps",
        "theme",
        "from",
        "until",
        "query",
        "viewport",
        "min",
        "max",
    ),
    *(
        "minWidth",
        "dark",
        "light",
        "2026-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "good-node",
    ),
    *("9999-12-31T23:59:60.9Z", "2026-02-30T00:00:00Z", "2026-01-01T00:00:00-00:00"),
]
_SETTINGS = [
    *(
        "og_title",
        "og_image",
        "og_type",
        "lang",
        "dir",
        "robots",
        "canonical",
        "json_ld",
        "blocks",
        "en",
    ),
    *(
        "form_action",
        "hydrate",
        "visible",
        "https://a.example",
        "rtl",
        "title",
        "description",
        "noindex",
    ),
    *(
        "settings",
        "frame",
        "feed",
        "redirects",
        "redirect_from",
        "translation_of",
        "head",
        "languages",
    ),
    *("icons", "manifest", "schemes", "hosts", "scripts", "consent", "social_card", "framed_by"),
    *("permissions", "referrer", "reports", "report_only", "trusted_types", "media:fuzzed", "de"),
]
_TOKENS = [
    *(
        "color.primary",
        "color.background",
        "font.body",
        "fuzzed.token",
        "theme",
        "space.1",
        "a-b",
        "a_b",
    ),
    *("#fff", "'Inter', serif", "Press Start 2P", "1px", "rgb(0 0 0)", "light-dark(red, blue)"),
]
_ROUTES = ["/fuzzed/", "/a/b.html", "/über-uns", "/x/index.html", "/"]
_NAMES = ["fuzzed", "a.b-c_d", "play", "good"]
_VALUES = [
    *("#123456", "0 1px 2px rgb(0 0 0 / 20%), inset 0 0 0 1px var(--color-line)", "1.5rem"),
    *("'Source Serif 4', Georgia, serif", "clamp(1rem, 2vw + .5rem, 2rem)", "url('/x.png')"),
    *("cubic-bezier(.4, 0, .2, 1)", "color-mix(in oklch, red 20%, blue)", "\\31 23", "Inter"),
]
_TITLES = ["A good title", "Hello {{name|friend}}", "Fish & chips"]
_SCRIPT = "document.addEventListener('click', (event) => console.log(`at ${event.x}`));"

_SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><defs><g id="g"><path
d="M0 0h64v64H0z"/></g></defs><style>.a{fill:url(#g)}</style><use href="#g"/><text>x</text></svg>"""
_FILES = [
    png(8, 6),
    png(64, 64),
    _SVG,
    b"user-agent: *\ndisallow: /x\n",
    b"%PDF-1.7\n%%EOF",
    b"GIF89a",
]


def files() -> SearchStrategy[bytes]:
    """A good file with up to four pieces of it replaced, cut off, or any bytes."""
    piece = st.one_of(
        st.binary(max_size=8),
        st.sampled_from(
            [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"<!ENTITY x SYSTEM 'file:///x'>"]
        ),
        st.sampled_from(
            [b"<script>", b"<foreignObject>", b"<use href='#g'/>" * 99, b"<g>" * 6_000]
        ),
    )
    edit = st.tuples(st.floats(0, 1), st.integers(0, 30), piece)

    def edited(seed: bytes, edits: list[tuple[float, int, bytes]], end: float) -> bytes:
        for place, cut, put in edits:
            start = int(place * len(seed))
            seed = seed[:start] + put + seed[start + cut :]
        return seed[: int(len(seed) * end)] if end < 0.5 else seed

    return st.builds(edited, st.sampled_from(_FILES), st.lists(edit, max_size=4), st.floats(0, 1))


Texts = SearchStrategy[Any]
# Every column that pages are made from, and texts for it, by table; `frame` is the row of a frame
# among the pages, `fuzzed_goods` a table of somebody else's that is a collection. Columns that a
# parser reads come first: they are tried most often.
PARSED: Mapping[str, Mapping[str, Texts]] = {
    "robbieblocks_components": {
        "react_code": damaged(_COMPONENTS, _CODE),
        "css_styles": damaged(_SHEETS, _CSS),
        "props_schema": json_text([*_KEYWORDS, *_WORDS], _SCHEMAS),
    },
    "robbieblocks_page_blocks": {
        "props": json_text(_WORDS, _PROPS),
        "conditions": json_text([*_OPERATORS, *_WORDS], _CONDITIONS),
    },
    "robbieblocks_pages": {
        "metadata": json_text([*_SETTINGS, *_WORDS], _METADATA),
        "page_route": damaged(_ROUTES),
    },
    "frame": {
        "metadata": json_text([*_SETTINGS, *_WORDS], [*_FRAMES, *_METADATA, *_NODE_SETTINGS])
    },
    "robbieblocks_style_tokens": {"default_value": damaged(_VALUES, _CSS)},
    "robbieblocks_node_branding": {
        "style_overrides": json_text([*_TOKENS, *_VALUES, *_WORDS], _OVERRIDES),
        "custom_css": damaged([*_SHEETS, "body { color: red }"], _CSS),
        "settings": json_text([*_SETTINGS, *_TOKENS, *_WORDS], _NODE_SETTINGS),
    },
    "fuzzed_goods": {"more": json_text(_WORDS, [*_PROPS, *_METADATA])},
}


def _lists(seeds: Sequence[str]) -> Texts:
    return st.lists(damaged(seeds), max_size=5)


# Instants of Postgres, some of which Python can't hold; in the future no page appears.
_TIMES = st.sampled_from(
    [
        *("infinity", "-infinity", "4713-01-01 BC", "294276-12-31 23:59:59.999999+00", None),
        *(
            "9999-12-31 23:59:59.999999-15:59",
            "0001-01-01 00:00:00+15:59",
            "2026-03-29 02:30 Europe/Berlin",
        ),
    ]
)


PLAIN: Mapping[str, Mapping[str, Texts]] = {
    "robbieblocks_components": {
        "component_key": damaged(_NAMES),
        "component_name": damaged(_TITLES),
        "component_type": damaged(_NAMES),
        "dependencies": _lists(["react", "lucide-react@^0.4", "@robbieblocks/good", "d3@>=1 <2"]),
        "version": damaged(["1.0.0"]),
        "preview_url": damaged(["https://a.example/x.png"]),
        "metadata": json_text(["hydrate", "idle", "load"], [{"hydrate": "visible"}]),
    },
    "robbieblocks_page_blocks": {
        "zone": damaged(["main", "header"]),
        "block_order": st.integers(-(2**31), 2**31 - 1),
    },
    "robbieblocks_pages": {
        "page_key": damaged(_NAMES),
        "app_namespace": damaged(_NAMES),
        "page_name": damaged(_TITLES),
        "layout_template": damaged(["single-column", "dashboard"]),
        "meta_title": damaged(_TITLES),
        "meta_description": damaged(_TITLES),
        "status": damaged(["published", "draft"]),
        "published_at": _TIMES,
        "created_at": _TIMES,
    },
    "frame": {"app_namespace": damaged(_NAMES), "page_key": damaged(["frame"])},
    "robbieblocks_style_tokens": {
        "token_key": damaged(_TOKENS),
        "token_category": damaged(["color", "font", "space"]),
        "description": damaged(_TITLES),
    },
    "robbieblocks_node_branding": {
        "node_id": damaged(["fuzzed-node"]),
        "node_name": damaged(_TITLES),
        "enabled_apps": _lists(_NAMES),
        "custom_scripts": damaged([_SCRIPT], _CODE),
        "base_url": damaged(["https://play.example", "http://[::1]:8080/", "https://ü.example"]),
    },
    "media_assets": {
        "content": files(),
        "media_key": damaged(["fuzzed", "a.b-c"]),
        "file_name": damaged(["a.png", "x.svg", "robots.txt", "a.pdf"]),
        "media_type": damaged(["image/png", "text/plain; charset=utf-8", "image/svg+xml"]),
        "alt": damaged(_TITLES),
        "focal_point": damaged(["50% 20%", "left top", "0 0"]),
        "served_path": damaged(["/ads.txt", "/.well-known/x.png", "/favicon.ico"]),
    },
    "fuzzed_goods": {
        "slug": damaged(["fuzzed", "a-b.c"]),
        "word": damaged(_TITLES),
        "amount": st.sampled_from([*_NUMBERS.values(), "NaN", "Infinity", "-0", None]),
        "since": _TIMES,
        "list": _lists(["a", "b"]),
    },
    # Rows of the queue decide no page, but are read by each build.
    "robbieblocks_change_triggers": {
        "trigger_type": damaged(["page_update", "style_change", "page_updated"]),
        "entity_type": damaged(["page", "media", "node_branding"]),
        "affected_apps": _lists(_NAMES),
        "affected_nodes": _lists(["fuzzed-node"]),
        "created_at": _TIMES,
        "changed_by": damaged(["editor (psql)"]),
        "before": json_text(_WORDS, [{"page_key": "fuzzed", "blocks": [{"props": {}}]}]),
        "after": json_text(_WORDS, [{"page_key": "fuzzed", "by_hash": {"react_code": "x"}}]),
    },
}

SYNCED = {
    "sync_nodes": "(node_id, node_name, node_type) VALUES ({0}, 'x', 'edge')",
    "pending_sync": "(table_name, operation, data, row_key) VALUES ({0}, 'UPSERT', '{{}}', {0})",
    "sync_status": "(table_name) VALUES ({0})",
    "sync_conflicts": "(table_name, record_id, source_node, master_data, replica_data, resolution)"
    " VALUES ({0}, gen_random_uuid(), 'x', '{{}}', '{{}}', 'manual')",
    "sync_metrics": "(metric_name, metric_value) VALUES ({0}, 1)",
    "sync_tables": "(table_name, direction) VALUES ({0}, 'both')",
    "sync_rows": "(table_name, row_key) VALUES ({0}, {0})",
    "sync_log": "(table_name, row_key, operation, version, origin)"
    " VALUES ({0}, {0}, 'UPSERT', '', '')",
    "sync_received": "(id, node_id, table_name, row_key, outcome)"
    " VALUES (gen_random_uuid(), 'x', {0}, {0}, '')",
    "sync_gone_rows": "(table_name, row_key, data, is_taken_along) VALUES ({0}, {0}, '{{}}', true)",
    "sync_hashed": "(table_name, asked, mark, parts) VALUES ({0}, '', '', '{{}}')",
}
"""A row of each table of a sync, but of `sync_self`, which says who this database is."""
