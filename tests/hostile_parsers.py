"""Hostile rows for each parser that a row meets: tinycss2 and lightningcss, esbuild, tree-sitter, V8
and React, the HTML parser, jsonschema-rs, Tailwind.

Each is a kind of text over which such a parser has failed, looped, grown or been misled.
"""
# ruff: noqa: E501  # a case reads best on one line

from __future__ import annotations

from typing import Any

from tests.hostile_rows import Case, body, code

OK = {"props": {"text": "ok"}}
DIGITS = "9" * 5_000


def css(name: str, text: str, error: str = "") -> Case:
    """A component's stylesheet; without an error the block is shown."""
    where = "component hostile-" if error else ""
    return Case(
        name=f"css {name}",
        component={"css": text},
        block=OK,
        error=error,
        where=where,
        text="" if error else "ok",
    )


def schema(name: str, value: Any, error: str = "", props: Any = None) -> Case:
    """A component's props_schema, and props that it is asked about."""
    where = "component hostile-" if error else ""
    return Case(
        name=f"schema {name}",
        component={"schema": value},
        block=OK if props is None else {"props": props},
        error=error,
        where=where,
    )


def props(name: str, value: Any, error: str = "", text: str = "") -> Case:
    """Props of a block that shows its text."""
    where = "component hostile-" if error else ""
    return Case(name=f"props {name}", block={"props": value}, error=error, where=where, text=text)


def spread(name: str, value: Any, error: str = "", element: str = "a") -> Case:
    """Props that a component spreads over an element."""
    where = "component hostile-" if error else ""
    source = f"export default (props) => <{element} className='shown' {{...props}} />;"
    return Case(
        name=f"spread {name}",
        component={"code": source},
        block={"props": value},
        error=error,
        where=where,
    )


def raw(name: str, html: str, error: str = "") -> Case:
    """Raw HTML of a component."""
    where = "component hostile-" if error else ""
    source = "export default ({ html }) => <div dangerouslySetInnerHTML={{ __html: html }} />;"
    return Case(
        name=f"raw {name}",
        component={"code": source},
        block={"props": {"html": html}},
        error=error,
        where=where,
    )


def condition(name: str, value: Any, error: str = "", text: str = "") -> Case:
    """A block's conditions."""
    where = "component hostile-" if error else ""
    return Case(
        name=f"conditions {name}",
        block={"conditions": value, **OK},
        error=error,
        where=where,
        text=text,
    )


def metadata(name: str, value: Any, error: str = "") -> Case:
    """A page's metadata."""
    return Case(
        name=f"metadata {name}",
        page={"metadata": value},
        error=error,
        where="page case-" if error else "",
    )


def dependencies(name: str, value: list[str], error: str = "") -> Case:
    """A component's dependencies."""
    where = "component hostile-" if error else ""
    return Case(
        name=f"dependencies {name}",
        component={"dependencies": value},
        block=OK,
        error=error,
        where=where,
        text="" if error else "ok",
    )


def classes(name: str, value: str) -> Case:
    """Class names that Tailwind reads; what it makes of them harms nothing."""
    return code(f"class {name}", f"export default () => <p className={value!r}>x</p>;", text="x")


def markdown(name: str, text: str, error: str = "") -> Case:
    """A text of Markdown that a component shows."""
    source = (
        "export default ({ text }) => <div className='shown' dangerouslySetInnerHTML={text} />;"
    )
    return Case(
        name=f"markdown {name}",
        component={"code": source, "schema": {"text": {"type": "string", "format": "markdown"}}},
        block={"props": {"text": text}},
        error=error,
        where="component hostile-" if error else "",
    )


CSS = [
    css("number of 5,000 digits", f".a {{ width: {DIGITS}px }}", "a number of 5,000 digits"),
    css("fraction of 5,000 digits", f".a {{ width: 0.{DIGITS}px }}", "a number of 5,000 digits"),
    css("exponent beyond any float", ".a { width: 1e9999px; height: -1e-9999px }"),
    css(
        "long selector, nested often",
        "." + "a" * 18_000 + " {" + "& .b { color: red }" * 1_500 + "}",
        "the rules grow to more than 1,000,000",
    ),
    css(
        "list times list",
        ",".join(f".a{n}" for n in range(30))
        + "{"
        + ",".join(f".b{n}" for n in range(30))
        + "{"
        + ",".join(f".c{n}" for n in range(30))
        + "{"
        + ",".join(f".d{n}" for n in range(30))
        + "{ color: red } } } }",
        "the rules grow to more than 1,000,000",
    ),
    css(
        "many parents",
        ".a {" + "&" * 3_000 + " { color: red } }",
        "a nested selector grows too long when it is",
    ),
    css("500,001 characters", ".a { color: red }" * 29_412, "500,000"),
    css("many rules", ".a { color: red }" * 20_000),
    css(
        "33 brackets",
        ".a { width: " + "calc(" * 40 + "1px" + ")" * 40 + " }",
        "nested more than 32",
    ),
    css("6,000 brackets", "(" * 6_000, "nested more than 32"),
    css("6,000 negations", ":not(" * 6_000, "nested more than 32"),
    css("escape at the end", ".a { color: red }\\", "this can't be read as CSS"),
    css("bracket behind an escape", ".a { color: red \\}", "never closed"),
    css("NUL by escape", ".a::after { content: '\\0 x' }"),
    css("surrogate by escape", ".a::after { content: '\\d800 \\110000 x' }"),
    css("escaped name", ".\\31 a\\:b\\/c { color: red }"),
    css(
        "escaped at-rule",
        "@\\69mport 'https://evil.example/x.css';",
        "@import is not available in a component's",
    ),
    css("escaped url", ".a { background: u\\72l(https://evil.example/x) }", "is elsewhere"),
    css(
        "url with a blank",
        ".a { background: url(a b) }",
        "this can't be read as CSS",
    ),
    css("url without an end", ".a { background: url(/x", "never closed"),
    css("url on a tab", ".a { background: url('/\\9 /evil.example') }", "is elsewhere"),
    css("url of two backslashes", ".a { background: url('\\\\\\\\evil.example') }", "is elsewhere"),
    css("url of a scheme", ".a { background: url(javascript:alert) }", "is elsewhere"),
    css(
        "url in @supports",
        "@supports (background: url(https://evil.example/x)) { .a { color: red } }",
        "is elsewhere",
    ),
    css("url in a custom property", ".a { --x: url(https://evil.example/x) }", "is elsewhere"),
    css(
        "address in a string",
        ".a { --x: 'https://evil.example/x'; background: image-set(var(--x) 1x) }",
        "may be",
    ),
    css("address by src()", ".a { background: src('https://evil.example/x') }", "is elsewhere"),
    css(
        "address by image()",
        ".a { background: image(var(--x), red) }",
        "may be",
    ),
    css("address of a cursor", ".a { cursor: url(//evil.example/x), auto }", "is elsewhere"),
    css("string over a line", ".a { content: 'x\ny' }", "never closed"),
    css("html comment", "<!-- .a { color: red } -->"),
    css("end of the element", ".a::after { content: '</style><script>' }"),
    css("end in a comment", "/* </style> */ .a { color: red }"),
    css("page by :has()", "body:has(.a) p, :root:has(.a) { display: none }"),
    css("page by :is()", ":is(html, body) :where(main) { display: none }"),
    css(
        "page by siblings",
        "& ~ *, & + div { display: none }",
        "a selector reaches beside the component's block",
    ),
    css(
        "page by a host",
        ":host ~ *, ::slotted(*), ::part(x) { display: none }",
        "reaches beside the component's block",
    ),
    css("page by negation", ":not(.a) { display: none }"),
    css("page by a namespace", "*|* { display: none }"),
    css("page by a leading combinator", "> * { display: none }"),
    css(
        "page's tokens",
        ":root { --color-primary: red } @property --color-primary { syntax: '<color>'; inherits: false; initial-value: red }",
    ),
    css(
        "page's keyframes",
        "@keyframes rb-fade { from { opacity: 0 } } .a { animation: rb-fade 1s }",
    ),
    css("keyframes of a keyword", "@keyframes none { from { opacity: 0 } }"),
    css(
        "keyframes of a text",
        "@keyframes 'x}y' { from { opacity: 0 } } .a { animation-name: 'x}y' }",
    ),
    css("order of layers", "@layer node, tokens; .a { color: red }"),
    css(
        "everything unset",
        "* { all: unset !important; position: fixed; inset: 0; z-index: 2147483647 }",
    ),
    css("selector of a number", ".1a { color: red }", "'.1a' does not belong into a selector"),
    css("attribute without an end", "[a='x { color: red }", "never closed"),
    css("wrapper's own attribute", "[data-rb-component~=good] { color: red }"),
    css("form feed and CR", ".a {\f color: red;\r\n }\r.b { color: blue }"),
    css("bom", "\ufeff.a { color: red }"),
    css("right to left", ".\u202ea { color: red } /* \u2066 */"),
    css("only a semicolon", ";", "this can't be read as CSS"),
    css("text", "color: red", "this can't be read as CSS"),
    css("JSON", '{"a": {"b": 1}}', "this is JSON"),
    css(
        "SCSS",
        "$x: 1px;\n@mixin a { b: c }\n.a { @include a; }",
        "'$' does not belong into a selector",
    ),
    *(
        css(f"@{name}", f"@{name} {prelude} {{ .a {{ color: red }} }}", f"@{name} is not available")
        for name, prelude in [
            ("page", ":first"),
            ("font-feature-values", "x"),
            ("view-transition", ""),
            ("document", "url(https://evil.example)"),
            ("-moz-document", "url-prefix('')"),
            ("function", "--x()"),
            ("theme", ""),
            ("utility", "x"),
        ]
    ),
    css("@scope", "@scope (html) to (p) { body { color: red } :root & { color: red } }"),
    css("order of @scope", "@scope (.a) to (.b) to (.c) { a { top: 0 } }", "behind @scope"),
    css("@layer of the site", "@layer node.x { body { color: red } } @layer tokens, base;"),
    css("a style of lists", "@counter-style decimal { symbols: 'x' } ul { list-style: decimal }"),
    *(
        css(f"@{name}", f"@{name} {prelude} {{ .a {{ color: red }} }}", "where declarations do")
        for name, prelude in [
            ("counter-style", "x"),
            ("font-palette-values", "--x"),
            ("position-try", "--x"),
        ]
    ),
    *(
        css(f"@{name}", f"@{name} {prelude};", f"@{name} is not available")
        for name, prelude in [
            ("apply", "p-4"),
            ("plugin", "'/etc/passwd'"),
            ("config", "'./x.js'"),
            ("source", "'/etc'"),
            ("tailwind", "base"),
            ("reference", "'x.css'"),
            ("namespace", "svg url(http://www.w3.org/2000/svg)"),
            ("custom-media", "--x (width > 1px)"),
        ]
    ),
]

TAILWIND = [
    classes("elsewhere", "bg-[url(https://evil.example/x)] bg-[image-set('https://evil.example')]"),
    classes("closes its rule", "p-[1px;}body{display:none] content-['}body{display:none}']"),
    classes("of the page", "[&_~_*]:hidden [html_&]:hidden [:root:has(&)_p]:hidden [body]:hidden"),
    classes("at-rule", "[@import_'x']:p-4 [@media_x{}]:p-4 supports-[}]:p-4 [@layer_tokens]:p-4"),
    classes("end of the element", "content-['</style>'] before:content-['<script>']"),
    classes("deep", "[" * 3_000 + "p-4"),
    classes("digits", f"p-{DIGITS} p-[{DIGITS}px] z-{'9' * 400} leading-[1e9999]"),
    classes("variants", "hover:" * 2_000 + "p-4"),
    classes(
        "arbitrary property", "[--color-primary:red] [all:unset] [behavior:url(//evil.example)]"
    ),
    classes("escapes", "p-[\\] content-[\\'] w-[calc(] w-[)] [\\0:x] !! -- @ : / ["),
    classes("flood", " ".join(f"p-[{n}px]" for n in range(3_000))),
]

SCHEMAS = [
    schema(
        "enum times items",
        {"items": {"type": "array", "items": {"enum": [{"a": n} for n in range(5_000)]}}},
        "checking 450,011 bytes of props, nested as they",
        {"items": [{"a": -1}] * 50_000},
    ),
    schema(
        "uniqueItems of objects",
        {"items": {"type": "array", "uniqueItems": True}},
        "",
        {"items": [{"a": n} for n in range(50_000)]},
    ),
    schema(
        "contains times items",
        {
            "items": {
                "type": "array",
                "contains": {"anyOf": [{"const": {"a": n}} for n in range(1_000)]},
            }
        },
        "checking 450,011 bytes of props, nested as they",
        {"items": [{"a": -1}] * 50_000},
    ),
    schema("reference to itself", {"$ref": "#"}),
    schema("property of itself", {"text": {"$ref": "#/properties/text"}}),
    schema(
        "two that refer to each other",
        {
            "text": {"$ref": "#/$defs/a"},
            "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        },
        "`text` is no JSON Schema keyword, and `$defs`",
    ),
    schema("anchor of itself", {"type": "object", "$anchor": "a", "allOf": [{"$ref": "#a"}]}),
    schema(
        "dynamic reference",
        {"type": "object", "$dynamicAnchor": "a", "properties": {"text": {"$dynamicRef": "#a"}}},
        '"ok" is not of type "object"',
    ),
    schema(
        "reference to no schema",
        {"type": "object", "properties": {"text": {"$ref": "#/type"}}},
        '"object" is not of types "boolean", "object"',
    ),
    schema(
        "reference by percent",
        {"type": "object", "properties": {"text": {"$ref": "#/%24defs/a%"}}, "$defs": {"a": {}}},
        "the reference #/%24defs/a% leads to nothing in the schema",
    ),
    schema(
        "draft 4",
        {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "id": "http://127.0.0.1:9/",
            "type": "object",
            "required": ["text"],
        },
    ),
    schema("schema of its own", {"$schema": "http://127.0.0.1:9/schema.json", "type": "object"}),
    schema(
        "id of a file",
        {"$id": "file:///etc/passwd", "type": "object", "properties": {"text": {"$ref": "passwd"}}},
        "none is fetched",
    ),
    schema("vocabulary", {"type": "object", "$vocabulary": {"http://127.0.0.1:9/": True}}),
    schema("multiple of nothing", {"text": {"multipleOf": 0}}, "/text/multipleOf"),
    schema(
        "multiple of almost nothing",
        {"n": {"multipleOf": 5e-324}},
        props={"n": 1e308, "text": "ok"},
    ),
    schema("limit out of range", {"text": {"maxLength": 1e30}}),
    schema("negative limit", {"text": {"maxLength": -1}}, "/text/maxLength"),
    schema("type of nothing", {"text": {"type": []}}, "/text/type"),
    schema("type twice", {"text": {"type": ["string", "string"]}}, "/text/type"),
    schema("required as text", {"type": "object", "required": "text"}, "/required"),
    schema(
        "required prototype",
        {"type": "object", "required": ["__proto__"]},
        '"__proto__" is a required property',
    ),
    schema(
        "property prototype",
        {"type": "object", "properties": {"__proto__": {"default": {"leak": 1}}}},
        "`__proto__` sets an object's prototype in",
    ),
    schema(
        "default of another type",
        {"text": {"type": "string", "default": 5}},
        '5 is not of type "string"',
        {},
    ),
    schema("default out of range", {"text": {"default": 10**30}}, "", {}),
    schema(
        "no name allowed",
        {"type": "object", "propertyNames": False},
        'False schema does not allow {"text":"ok"}',
    ),
    schema("nothing allowed", {"text": False}, 'False schema does not allow "ok"'),
    schema("pattern of counts", {"text": {"pattern": "a{9999999999}"}}, "/text/pattern"),
    schema("pattern of 5,000 digits", {"text": {"pattern": f"a{{{DIGITS}}}"}}, "/text/pattern"),
    schema("pattern without an end", {"text": {"pattern": "[a-"}}, "/text/pattern"),
    schema("pattern of groups", {"text": {"pattern": "(" * 5_000 + ")" * 5_000}}, "/text/pattern"),
    schema("pattern of classes", {"text": {"pattern": "[" * 5_000}}, "/text/pattern"),
    schema(
        "pattern of all letters", {"text": {"pattern": "(\\p{L}{1,1000}){1,1000}"}}, "/text/pattern"
    ),
    schema("pattern that looks back", {"text": {"pattern": "(a)\\1"}}, "looks around or back"),
    schema(
        "pattern of names",
        {"type": "object", "patternProperties": {"(": {}}},
        "/patternProperties/(",
    ),
    schema(
        "format of a pattern", {"text": {"format": "regex"}}, '"(" is not a "regex"', {"text": "("}
    ),
    schema(
        "format of an address",
        {"text": {"format": "iri"}},
        '"http://[:::[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[',
        {"text": "http://[:::" + "[" * 900},
    ),
    schema("format unknown", {"text": {"format": "</script>\x1b[2J"}}),
    schema(
        "10,000 properties",
        {f"p{n}": {"type": "string", "default": "x"} for n in range(9_000)},
        "the schema takes 358,891 bytes, at most 262,144",
    ),
    schema(
        "names of all kinds",
        {
            "type": "object",
            "properties": {
                name: {"type": "string"}
                for name in ("", "/", "~", "a~1b", "\x1b[2J", "\u202e", "constructor", "toString")
            },
        },
    ),
    schema(
        "one of a thousand",
        {"text": {"oneOf": [{"pattern": f"^{n}"} for n in range(1_000)]}},
        "/text",
    ),
    schema(
        "not of not",
        {"text": {"not": {"not": {"not": {"not": {"type": "integer"}}}}}},
        '{"not":{"not":{"not":{"type":"integer"}}}} is',
    ),
    schema(
        "if then else",
        {
            "type": "object",
            "if": {"$ref": "#/then"},
            "then": {"$ref": "#/else"},
            "else": {"$ref": "#/if"},
        },
    ),
]

PROPS = [
    props("of 5,000 digits", {}),
    props("named by nothing", {"": 1, ".": 2, "text": "ok"}, text="ok"),
    props(
        "with toString",
        {"text": {"toString": 1, "valueOf": 2}},
        "TypeError: Cannot convert object to primitive",
    ),
    props(
        "with toJSON",
        {"text": "ok", "toJSON": 1, "then": 1, "constructor": 1, "hasOwnProperty": 1},
        text="ok",
    ),
    props(
        "like an element",
        {"text": {"$$typeof": "Symbol(react.element)", "type": "script", "props": {}}},
        text="[object Object]",
    ),
    props("with key and ref", {"key": "k", "ref": "r", "text": "ok"}, text="ok"),
    props("placeholder of a script", {"text": "{{a|</script>}}"}, text="</script>"),
    props("placeholder of a prototype", {"text": "{{__proto__|ok}}"}),
    props("placeholder within another", {"text": "{{a|{{b|c}}}}"}),
    props("10,000 placeholders", {"text": "{{a|b}}" * 10_000}, text="b" * 10_000),
    # Four stand for two.
    props("braces without an end", {"text": "{{" * 5_000}, text="{{" * 2_500),
    props("smallest numbers", {"text": 5e-324, "n": -0.0}, text="5e-324"),
    props(
        "65 levels",
        {
            "text": [
                [
                    [
                        [
                            [
                                [
                                    [
                                        [
                                            [
                                                [
                                                    [
                                                        [
                                                            [
                                                                [
                                                                    [
                                                                        [
                                                                            [
                                                                                [
                                                                                    [
                                                                                        [
                                                                                            [
                                                                                                [
                                                                                                    [
                                                                                                        [
                                                                                                            [
                                                                                                                [
                                                                                                                    [
                                                                                                                        [
                                                                                                                            [
                                                                                                                                [
                                                                                                                                    [
                                                                                                                                        [
                                                                                                                                            [
                                                                                                                                                [
                                                                                                                                                    [
                                                                                                                                                        [
                                                                                                                                                            [
                                                                                                                                                                [
                                                                                                                                                                    [
                                                                                                                                                                        [
                                                                                                                                                                            [
                                                                                                                                                                                [
                                                                                                                                                                                    [
                                                                                                                                                                                        [
                                                                                                                                                                                            [
                                                                                                                                                                                                [
                                                                                                                                                                                                    [
                                                                                                                                                                                                        [
                                                                                                                                                                                                            [
                                                                                                                                                                                                                [
                                                                                                                                                                                                                    [
                                                                                                                                                                                                                        [
                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                        [
                                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                                        [
                                                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                                                        [
                                                                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                                                                1
                                                                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                ]
                                                                                                                                                                                                            ]
                                                                                                                                                                                                        ]
                                                                                                                                                                                                    ]
                                                                                                                                                                                                ]
                                                                                                                                                                                            ]
                                                                                                                                                                                        ]
                                                                                                                                                                                    ]
                                                                                                                                                                                ]
                                                                                                                                                                            ]
                                                                                                                                                                        ]
                                                                                                                                                                    ]
                                                                                                                                                                ]
                                                                                                                                                            ]
                                                                                                                                                        ]
                                                                                                                                                    ]
                                                                                                                                                ]
                                                                                                                                            ]
                                                                                                                                        ]
                                                                                                                                    ]
                                                                                                                                ]
                                                                                                                            ]
                                                                                                                        ]
                                                                                                                    ]
                                                                                                                ]
                                                                                                            ]
                                                                                                        ]
                                                                                                    ]
                                                                                                ]
                                                                                            ]
                                                                                        ]
                                                                                    ]
                                                                                ]
                                                                            ]
                                                                        ]
                                                                    ]
                                                                ]
                                                            ]
                                                        ]
                                                    ]
                                                ]
                                            ]
                                        ]
                                    ]
                                ]
                            ]
                        ]
                    ]
                ]
            ]
        },
        "64 levels",
    ),
    spread("raw HTML", {"dangerouslySetInnerHTML": {"__html": "<script>1</script>"}}, "<script>"),
    spread(
        "raw HTML as text",
        {"dangerouslySetInnerHTML": "<script>1</script>"},
        "dangerouslySetInnerHTML must be an object with __html",
    ),
    spread("handler as text", {"onClick": "alert(1)", "onclick": "alert(1)", "ONLOAD": "x"}),
    spread("address with a tab", {"href": "java\tscript:alert(1)"}),
    spread("address with a control", {"href": "\u0001javascript:alert(1)"}),
    spread(
        "action",
        {"formAction": "javascript:alert(1)", "action": "javascript:alert(1)"},
        element="button",
    ),
    spread("frame", {"srcDoc": "<script>1</script>"}, "srcdoc", element="iframe"),
    spread(
        "style as text",
        {"style": "color:red"},
        "a style must be an object, not a text",
    ),
    spread(
        "style of an address",
        {"style": {"background": "url(https://evil.example/x)", "--x": "}</style>"}},
    ),
    spread(
        "children and raw HTML",
        {"children": "x", "dangerouslySetInnerHTML": {"__html": "y"}},
        "an element has both children and dangerouslySetInnerHTML",
    ),
    spread("children of an object", {"children": {"a": 1}}, "an object can't be shown"),
    spread(
        "names that are no attributes",
        {"<script>": "x", "a b": "y", '"onload"': "z", "data-\u202e": "w"},
    ),
    spread("custom element", {"is": "x-a", "children": "x"}),
    spread("id of the page", {"id": "rb-islands"}, "rb-islands"),
    spread(
        "suppressed warnings",
        {"suppressHydrationWarning": True, "contentEditable": True, "children": "x"},
    ),
]

RAW = [
    raw("id by entity", "<p id='&#114;b-islands'>[]</p>", "rb-islands"),
    raw("id in capitals", "<p ID='rb-islands'>[]</p>", "rb-islands"),
    raw("name of a member", "<img name='getElementById'>", "getElementById"),
    raw(
        "meta with itemprop",
        "<meta itemprop=x http-equiv=refresh content='0;url=//evil.example'>",
        "<meta>",
    ),
    raw(
        "shadow root",
        "<div><template shadowrootmode=open><iframe srcdoc='x'></iframe></template></div>",
        "it renders <iframe srcdoc>, a page of its own",
    ),
    raw("script in a template", "<template><script>1</script></template>", "<script>"),
    raw("script in svg", "<svg><script>1</script></svg>", "<script>"),
    raw(
        "script in math",
        "<math><annotation-xml encoding='text/html'><script>1</script></annotation-xml></math>",
        "<script>",
    ),
    raw(
        "script by mutation",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=1&gt;'>",
        "its HTML leaves the block: an element,",
    ),
    raw(
        "handler in svg",
        "<svg><a xlink:href='javascript:1'><text onbegin=1>x</text></a></svg>",
        "onbegin",
    ),
    raw("animated address", "<svg><animate attributeName='href' values='javascript:1' /></svg>"),
    raw(
        "noscript",
        "<noscript><p title='</noscript><img src=x onerror=1>'></p></noscript>",
        "<noscript>",
    ),
    raw("address with an entity", "<a href='java&Tab;script:alert(1)'>x</a>"),
    raw("base", "<base href='https://evil.example/'>", "<base>"),
    raw("embed", "<embed src='x.swf'>", "<embed>"),
    raw("style", "<style>@import 'https://evil.example/x.css'; body { display: none }</style>"),
    raw("link", "<link rel=preload href='https://evil.example/x' as=script>", "<link>"),
    raw("form elsewhere", "<form action='https://evil.example/'><input name=x></form>"),
    raw("form that stays open", "<form action='/x'>", "its HTML leaves the block: an element,"),
    raw("foster parent", "<table><div>x</div></table>"),
    raw("body attributes", "<body onload=1 class=x>", "leaves the block"),
    raw("html attributes", "<html manifest=x>", "leaves the block"),
    raw(
        "head", "<head><title>x</title></head>", "it renders <title>, which acts on the whole page"
    ),
    raw("frameset", "<frameset><frame src=x></frameset>"),
    raw("textarea", "<textarea>", "leaves the block"),
    raw("select", "<select><option>", "leaves the block"),
    raw("xmp", "<xmp>", "leaves the block"),
    raw("cdata", "<svg><![CDATA[</svg>]]>"),
    raw(
        "processing instruction",
        "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY y SYSTEM 'file:///etc/passwd'>]>&y;",
    ),
    raw("formatting that leaks", "<b><i><a href=x>", "its HTML leaves the block: an element,"),
    raw("nested links", "<a href=x><a href=y>z</a></a>"),
    raw("deep", "<div>" * 5_000 + "</div>" * 5_000),
    raw("deep formatting", "<b>" * 5_000 + "</b>" * 5_000),
    raw("many attributes", "<p " + " ".join(f"a{n}" for n in range(20_000)) + "></p>"),
    raw("attribute without an end", "<p title='x", "leaves the block"),
    raw(
        "islands of its own",
        "<script type='application/json' id='rb-islands'>[]</script>",
        "rb-islands",
    ),
    raw("data of a block", "<p data-rb-component=good>x</p>", "data-rb-component"),
]

CONDITIONS = [
    condition(
        "of a prototype", {"__proto__": {"theme": "dark"}}, "unknown condition operator `__proto__`"
    ),
    condition(
        "40 deep",
        {
            "not": {
                "not": {
                    "not": {
                        "not": {
                            "not": {
                                "not": {
                                    "not": {
                                        "not": {
                                            "not": {
                                                "not": {
                                                    "not": {
                                                        "not": {
                                                            "not": {
                                                                "not": {
                                                                    "not": {
                                                                        "not": {
                                                                            "not": {
                                                                                "not": {
                                                                                    "not": {
                                                                                        "not": {
                                                                                            "not": {
                                                                                                "not": {
                                                                                                    "not": {
                                                                                                        "not": {
                                                                                                            "not": {
                                                                                                                "not": {
                                                                                                                    "not": {
                                                                                                                        "not": {
                                                                                                                            "not": {
                                                                                                                                "not": {
                                                                                                                                    "not": {
                                                                                                                                        "not": {
                                                                                                                                            "not": {
                                                                                                                                                "not": {
                                                                                                                                                    "theme": "dark"
                                                                                                                                                }
                                                                                                                                            }
                                                                                                                                        }
                                                                                                                                    }
                                                                                                                                }
                                                                                                                            }
                                                                                                                        }
                                                                                                                    }
                                                                                                                }
                                                                                                            }
                                                                                                        }
                                                                                                    }
                                                                                                }
                                                                                            }
                                                                                        }
                                                                                    }
                                                                                }
                                                                            }
                                                                        }
                                                                    }
                                                                }
                                                            }
                                                        }
                                                    }
                                                }
                                            }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        },
        "32 levels",
    ),
    condition("1,001 of them", {"any": [{"theme": "dark"}] * 1_001}, "more than 1000"),
    condition("of everything", {"any": [{}]}, text="ok"),
    condition("of nothing", {"not": {}}),
    condition("of an empty name", {"nodes": [""]}, "expected a list of node ids, found a list"),
    condition(
        "of a list in a list",
        {"all": [[{"theme": "dark"}]]},
        "expected an object of conditions, found a list",
    ),
    condition("before all time", {"from": "0001-01-01T00:00:00+23:59"}, "RFC 3339"),
    condition("after all time", {"until": "9999-12-31T23:59:60Z"}, "RFC 3339"),
    condition("in other digits", {"from": "\u0662\u0660\u0662\u0665-12-01T00:00:00Z"}, "RFC 3339"),
    condition("of 5,000 fractions", {"from": "2025-12-01T00:00:00." + DIGITS + "Z"}, "RFC 3339"),
    condition("of a script", {"query": {"</script>": "]]>"}}),
    condition("of a width of nothing", {"viewport": {"min": 0, "max": 0}}, text="ok"),
    condition("of a tiny width", {"viewport": {"min": 5e-324}}, text="ok"),
    condition("of two widths", {"viewport": {"min": 1, "minWidth": 2}}, "given twice"),
]

METADATA = [
    metadata("prototype", {"__proto__": 1}, "prototype"),
    metadata(
        "deep",
        {
            "json_ld": {
                "a": [
                    [
                        [
                            [
                                [
                                    [
                                        [
                                            [
                                                [
                                                    [
                                                        [
                                                            [
                                                                [
                                                                    [
                                                                        [
                                                                            [
                                                                                [
                                                                                    [
                                                                                        [
                                                                                            [
                                                                                                [
                                                                                                    [
                                                                                                        [
                                                                                                            [
                                                                                                                [
                                                                                                                    [
                                                                                                                        [
                                                                                                                            [
                                                                                                                                [
                                                                                                                                    [
                                                                                                                                        [
                                                                                                                                            [
                                                                                                                                                [
                                                                                                                                                    [
                                                                                                                                                        [
                                                                                                                                                            [
                                                                                                                                                                [
                                                                                                                                                                    [
                                                                                                                                                                        [
                                                                                                                                                                            [
                                                                                                                                                                                [
                                                                                                                                                                                    [
                                                                                                                                                                                        [
                                                                                                                                                                                            [
                                                                                                                                                                                                [
                                                                                                                                                                                                    [
                                                                                                                                                                                                        [
                                                                                                                                                                                                            [
                                                                                                                                                                                                                [
                                                                                                                                                                                                                    [
                                                                                                                                                                                                                        [
                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                        [
                                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                                        [
                                                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                                                        [
                                                                                                                                                                                                                                                                            [
                                                                                                                                                                                                                                                                                [
                                                                                                                                                                                                                                                                                    [
                                                                                                                                                                                                                                                                                        1
                                                                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                                ]
                                                                                                                                                                                                                            ]
                                                                                                                                                                                                                        ]
                                                                                                                                                                                                                    ]
                                                                                                                                                                                                                ]
                                                                                                                                                                                                            ]
                                                                                                                                                                                                        ]
                                                                                                                                                                                                    ]
                                                                                                                                                                                                ]
                                                                                                                                                                                            ]
                                                                                                                                                                                        ]
                                                                                                                                                                                    ]
                                                                                                                                                                                ]
                                                                                                                                                                            ]
                                                                                                                                                                        ]
                                                                                                                                                                    ]
                                                                                                                                                                ]
                                                                                                                                                            ]
                                                                                                                                                        ]
                                                                                                                                                    ]
                                                                                                                                                ]
                                                                                                                                            ]
                                                                                                                                        ]
                                                                                                                                    ]
                                                                                                                                ]
                                                                                                                            ]
                                                                                                                        ]
                                                                                                                    ]
                                                                                                                ]
                                                                                                            ]
                                                                                                        ]
                                                                                                    ]
                                                                                                ]
                                                                                            ]
                                                                                        ]
                                                                                    ]
                                                                                ]
                                                                            ]
                                                                        ]
                                                                    ]
                                                                ]
                                                            ]
                                                        ]
                                                    ]
                                                ]
                                            ]
                                        ]
                                    ]
                                ]
                            ]
                        ]
                    ]
                ]
            }
        },
        "64 levels",
    ),
    metadata("numbers for texts", {"og_title": 5, "robots": True}, "robots is no text"),
    metadata("a list for a language", {"lang": ["en"]}, "is no language"),
    metadata("an object for a direction", {"dir": {}}, "is no direction of text"),
    metadata(
        "scheme of a picture",
        {"og_image": "javascript:alert(1)", "canonical": "javascript:alert(1)"},
    ),
    metadata("language of an attribute", {"lang": 'en" onload="alert(1)'}, "is no language"),
    metadata("direction of an attribute", {"dir": "rtl' x"}, "is no direction of text"),
    metadata("forms by http", {"form_action": ["http://evil.example"]}, "no https origin"),
    metadata(
        "forms of a policy", {"form_action": ["https://a.example; script-src *"]}, "no https origin"
    ),
    metadata("forms as a text", {"form_action": "https://a.example"}, "list of origins"),
    metadata("redirects as a text", {"redirect_from": "/old/"}, "list of redirects"),
    metadata("a redirect of a host", {"redirect_from": ["//evil.example/"]}, "scheme or a host"),
    metadata("redirects of redirects", {"redirect_from": [{"from": [[]]}, [], None]}, "a path"),
    metadata("blocks as a list", {"blocks": [1]}, "/blocks"),
    metadata("hydration at no time", {"blocks": {"1": {"hydrate": "no time"}}}, "known: load"),
    metadata("hydration of a list", {"blocks": {"1": {"hydrate": ["load"]}}}, "known: load"),
    metadata("linked data of a script", {"json_ld": [{"@id": "</script><!--<script>"}]}),
    metadata("linked data of a text", {"json_ld": "</script>"}),
    metadata("a megabyte", {"x": "y" * 1_100_000}, "bytes as JSON"),
]

DEPENDENCIES = [
    dependencies("of a far version", ["react@999"], "dependencies"),
    dependencies("of a broken version", ["react@^x.y"], "dependencies"),
    dependencies("of 5,000 digits", [f"react@{DIGITS}"], "dependencies"),
    dependencies(
        "of a range of ranges",
        ["react@" + ">=1 || " * 3_000 + "<2"],
        "react is wanted as >=1 || >=1 || >=1 || >=1 ||",
    ),
    dependencies("of an address", ["react@https://evil.example/x.tgz"], "dependencies"),
    dependencies("of an alias", ["react@npm:evil@1"], "dependencies"),
    dependencies("of a file", ["../../etc/passwd", "file:/etc/passwd"], "dependencies"),
    dependencies("of nothing", [""], "dependencies"),
    dependencies("of itself", ["@robbieblocks/good"]),
    dependencies("5,000 of them", ["react"] * 5_000, "1,000 are allowed"),
    dependencies("of a prototype", ["__proto__", "constructor", "toString"], "dependencies"),
    dependencies("of controls", ["\x1b[2Jreact", "re\u202eact"], "dependencies"),
]

CODES = [
    code(
        "shebang",
        "#!/usr/bin/env node\nexport default () => <b className='shown'>x</b>;",
        "react_code",
    ),
    code(
        "html comment in code",
        "<!-- x\nexport default () => <b>x</b>;",
        "Legacy HTML single-line comments are not",
    ),
    code(
        "end of a script in code",
        "export default () => <b className='shown'>{'</script>' + `</script>${/<\\/script>/.source}`}</b>;",
        text="</script></script><\\/script>",
    ),
    code(
        "import.meta",
        "export default () => <b className='shown'>{typeof import.meta.url}</b>;",
        "import.meta is not available here",
    ),
    code(
        "await at the top",
        "await new Promise(() => {});\nexport default () => <b>x</b>;",
        "Top-level await is currently not supported with",
    ),
    code(
        "await that settles",
        "const x = await 1;\nexport default () => <b>{x}</b>;",
        "Top-level await is currently not supported with",
    ),
    code(
        "import = require",
        "import fs = require('fs');\nexport default () => <b>{fs.x}</b>;",
        "require is not available here",
    ),
    code("export =", "export = () => <b>x</b>;", "no component was found in the text"),
    code(
        "reference path",
        "/// <reference path='/etc/passwd' />\nexport default () => <b className='shown'>x</b>;",
        text="x",
    ),
    code(
        "import of JSON",
        "import x from '/etc/passwd' with { type: 'json' };\nexport default () => <b>{x}</b>;",
        "there is no file /etc/passwd: a component",
    ),
    code(
        "import of text",
        "import x from '../../../../etc/passwd' with { type: 'text' };\nexport default () => <b>{x}</b>;",
        "there is no file ../../../../etc/passwd: a",
    ),
    code(
        "import defer",
        "import defer * as x from 'fs';\nexport default () => <b>{x}</b>;",
        "Deferred imports are not available in the",
    ),
    code(
        "import of a type",
        "import type { A } from 'fs';\nexport default () => <b className='shown'>x</b>;",
        text="x",
    ),
    code(
        "import of itself",
        "import X from '@robbieblocks/good';\nexport default () => <X text='t' />;",
    ),
    code(
        "decorator",
        "@dec class X { render() { return null; } }\nexport default X;",
        "ReferenceError: dec is not defined",
    ),
    code("using", "using x = null;\nexport default () => <b className='shown'>x</b>;"),
    code(
        "with",
        "with (Math) { x = 1; }\nexport default () => <b>x</b>;",
        "With statements cannot be used in an ECMAScript",
    ),
    code(
        "octal", "export default () => <b>{010}</b>;", "Legacy octal literals cannot be used in an"
    ),
    code(
        "private name outside",
        "export default () => <b>{this.#x}</b>;",
        'Private name "#x" must be declared in an',
    ),
    code(
        "duplicate names",
        "let a = 1; let a = 2;\nexport default () => <b>{a}</b>;",
        'The symbol "a" has already been declared',
    ),
    code(
        "enum of itself",
        "enum A { B = A.C, C = B }\nexport default () => <b className='shown'>{String(A.B)}</b>;",
    ),
    code(
        "namespace",
        "namespace A.B.C { export const d = 1 }\nexport default () => <b className='shown'>{A.B.C.d}</b>;",
        text="1",
    ),
    code("JSX namespace", "export default () => <a:b c:d='x' />;"),
    code(
        "JSX of 5,000 members",
        "export default () => <" + "a." * 5_000 + "b />;",
        "the text nests deeper than 5,000 levels",
    ),
    code("JSX entity", "export default () => <b className='shown'>&#0;&#x110000;&bogus;&lt;</b>;"),
    code(
        "generic arrows",
        "const f = <T,>(x: T) => x; export default () => <b className='shown'>{f<number>(1)}</b>;",
        text="1",
    ),
    code(
        "types without an end",
        "type A<T> = " + "A<" * 5_000 + "T" + ">" * 5_000 + ";\nexport default () => <b>x</b>;",
        "the text nests deeper than 5,000 levels",
    ),
    code(
        "template in a template",
        "export default () => <b>{" + "`${" * 4_000 + "1" + "}`" * 4_000 + "}</b>;",
        "the text nests deeper than 5,000 levels",
    ),
    code(
        "long chain of else",
        "export default ({ n }) => { "
        + "".join(f"if (n === {n}) return {n}; else " for n in range(4_000))
        + "return null; };",
        "the text nests deeper than 5,000 levels",
    ),
    code(
        "long sum",
        "export default () => <b className='shown'>{" + "1+" * 20_000 + "1}</b>;",
        "the text nests deeper than 5,000 levels",
    ),
    code(
        "long chain of members",
        "const o = {}; o.o = o;\nexport default () => <b>{String(o" + ".o" * 20_000 + ")}</b>;",
        "the text nests deeper than 5,000 levels",
    ),
    code(
        "long comma",
        "export default () => (" + "1," * 30_000 + "'x');",
        "the text nests deeper than 5,000 levels",
    ),
    code("long list", "export default () => [" + "1," * 30_000 + "'x'].at(-1);", text="x"),
    code("long line", "export default () => <b className='shown'>x</b>;" + " " * 400_000, text="x"),
    code(
        "100,000 lines", "\n" * 100_000 + "export default () => <b>{x.y}</b>;", "x is not defined"
    ),
    code(
        "strange line ends",
        "export default () =>\u2028 <b\u2029 className='shown'>x</b>;",
        text="x",
    ),
    code(
        "right to left in code",
        "export default () => <b className='shown'>{'\u202e' && 'x'}</b>; // \u2066",
        text="x",
    ),
    code(
        "getter of a default",
        "const X = {}; Object.defineProperty(X, 'name', { get() { throw 1; } });\nexport default X;",
        "an element's type is object: not a component",
    ),
    code(
        "proxy for a component",
        "export default new Proxy(function () {}, { get() { throw new Error('no'); }, apply() { return 'x'; } });",
        "no",
    ),
    code(
        "class without render",
        "export default class X extends React.Component {}",
        "render is not a function",
    ),
    code(
        "class of a static block",
        "export default class X extends React.Component { static { for (;;); } }",
        "CPU time",
    ),
    code("component of null", "export default null;", "TypeError: the module exports no component"),
    body("returns a symbol", "return Symbol('x');"),
    body("returns a function", "return () => 1;"),
    body("returns a BigInt", "return 10n ** 40n;"),
    body(
        "returns lists in lists", "let x = []; for (let i = 0; i < 100000; i++) x = [x]; return x;"
    ),
    body(
        "returns a date", "return new Date(NaN);", "an object can't be shown as text: [object Date]"
    ),
    body(
        "suspends for ever",
        "throw new Promise(() => {});",
        "it waits for something while it renders",
    ),
    body(
        "uses a promise for ever",
        "return React.use(new Promise(() => {}));",
        "it waits for something while it renders",
    ),
    body(
        "uses a promise that fails",
        "return React.use(Promise.reject(new Error('no')));",
        "it waits for something while it renders",
    ),
    body(
        "lazy for ever",
        "const L = React.lazy(() => new Promise(() => {})); return <L />;",
        "it waits for something while it renders",
    ),
    body(
        "boundary that waits",
        "const L = React.lazy(() => new Promise(() => {})); return <React.Suspense fallback='wait'><L /></React.Suspense>;",
    ),
    body(
        "form status",
        "const s = ReactDOM.useFormStatus(); s.data = 'secret'; return 'x';",
        "ReferenceError: ReactDOM is not defined",
    ),
    body(
        "context default",
        "React.createContext.x = 1; return 'x';",
        "TypeError: Cannot add property x, object is not",
    ),
    body("same keys", "return [1, 2, 3].map((n) => <i key='k'>{n}</i>);"),
    body("void element with children", "return <br>x</br>;", "<br> can't have children"),
    body(
        "element of a bad name",
        "const X = 'a b><script>'; return <X />;",
        "an element can't have the name a b><script>",
    ),
    body("attribute of a bad name", "return <p {...{ 'a b><script>': 1, 'onclick=1 x': 'y' }} />;"),
    body(
        "portal",
        "return ReactDOM.createPortal(<b />, {});",
        "ReferenceError: ReactDOM is not defined",
    ),
    body("message of a megabyte", "throw new Error('x'.repeat(1e6));", "xxx"),
    body(
        "error that loops",
        "throw { get message() { for (;;); }, toString() { for (;;); } };",
        "rendering took longer than 0.4 s of CPU time and",
    ),
    body("error of itself", "const e = new Error('self'); e.cause = e; throw e;", "self"),
    body(
        "forged stack",
        "const e = new Error('forged'); e.stack = 'Error: forged\\n    at Good (rb:good:1:1)\\n    at good (good.js:3:4)'; throw e;",
        "forged",
    ),
    body(
        "stack that is prepared",
        "Error.prepareStackTrace = () => ({ toString() { for (;;); } }); throw new Error('prepared');",
        "TypeError: Cannot assign to read only property",
    ),
    body(
        "stack without limit",
        "Error.stackTraceLimit = Infinity; const f = (n) => { if (n) f(n - 1); else throw new Error('deep'); }; f(3000);",
        "TypeError: Cannot assign to read only property",
    ),
    body(
        "bytes outside of the heap",
        "const a = []; for (;;) a.push(new Uint8Array(1 << 28).fill(1));",
        "memory|CPU time",
    ),
    body("longest text", "return 'x'.repeat(2 ** 29);", "RangeError: Invalid string length"),
    body(
        "longest list",
        "return new Array(2 ** 32 - 1).join('x');",
        "RangeError: Invalid string length",
    ),
    body(
        "longest number",
        "return String((9n ** 9n) ** (9n ** 8n)).length;",
        "memory|CPU time",
    ),
    body(
        "deep JSON",
        "return String(JSON.parse('['.repeat(2e6)));",
        "SyntaxError: Unexpected end of JSON input",
    ),
    body(
        "sort that lies",
        "return [...Array(3e5).keys()].sort(() => Math.random() - 0.5).length;",
        "",
    ),
    body(
        "pattern of pairs",
        "return String(/^(([a-z])+.)+[A-Z]([a-z])+$/.test('a'.repeat(60)));",
        "rendering took longer than 0.4 s of CPU time and",
    ),
    body(
        "text as a name",
        "return <b className='shown'>{Object.keys({ ['__proto__']: 1 }).join()}</b>;",
        text="__proto__",
    ),
    body("waits by Atomics", "return typeof Atomics;"),
    body(
        "weak references",
        "new FinalizationRegistry(() => {}).register({}, 1); return typeof WeakRef;",
    ),
    body(
        "calls of itself",
        "return arguments.callee.name;",
        "TypeError: 'caller', 'callee', and 'arguments'",
    ),
    body(
        "logs without end",
        "for (let i = 0; i < 1e5; i++) console.log('x'.repeat(100)); return <b className='shown'>x</b>;",
    ),
    body(
        "names of the harness",
        "return <b className='shown'>{Object.getOwnPropertyNames(globalThis).filter((n) => /^(rb|__|render|harness)/i.test(n)).join()}</b>;",
    ),
    body(
        "function prototype",
        "Function.prototype.call = () => 'x'; return 'x';",
        "TypeError: Cannot change call: all blocks share",
    ),
    body(
        "promise prototype",
        "Promise.prototype.then = () => 'x'; return 'x';",
        "TypeError: Cannot change then: all blocks share",
    ),
    body(
        "iterator prototype",
        "[][Symbol.iterator]().__proto__.next = () => ({ done: true }); return 'x';",
        "read only",
    ),
    body(
        "symbol of arrays",
        "Array[Symbol.species] = 1; return 'x';",
        "TypeError: Cannot set property",
    ),
    body("freeze of the world", "Object.freeze(globalThis); return 'x';"),
    body(
        "import in an effect",
        "useEffect(() => { import('fs'); }); return 'x';",
        "import() is not available",
    ),
    body("worker", "new Worker('data:,1'); return 'x';", "Worker is only there in a browser"),
    body(
        "storage",
        "localStorage.x = 1; return 'x';",
        "TypeError: Cannot set properties of undefined",
    ),
]

MARKDOWN = [
    markdown("raw HTML", "<script>hacked()</script>\n\n<b onclick='hacked()'>x</b> </div></main>"),
    markdown("link that runs", "[x](javascript:hacked())", "may not have the address"),
    markdown("reference that runs", "[x]\n\n[x]: vbscript:hacked", "may not have the address"),
    markdown("attribute in an address", '[x](</" onclick="hacked()>) ![x](</" onerror="hacked()>)'),
    markdown("attribute in a language", '```"onclick="hacked()\nx\n```'),
    markdown("attribute in a heading", '## " onclick="hacked()" <x>'),
    markdown("id of the page", "# rb-x\n# b1\n# fn1\n# f1b1\n\nx[^1]\n\n[^1]: y"),
    markdown("line of a million", "a" * 1_000_000, "1,000,000 characters"),
    markdown("nested quotes", ">" * 20_000 + "x"),
    markdown("nested lists", "- " * 20_000 + "x"),
    markdown("nested tasks", "- [ ] " * 10_000 + "x"),
    markdown("nested brackets", "![" * 10_000 + "x"),
    markdown("nested emphasis", "*a **b " * 5_000),
    markdown("footnotes without an end", "[^a]: x\n\n" + "[^" * 10_000),
    markdown("footnote in itself", "[^a]\n\n[^a]: [^a][^b]\n[^b]: [^a]"),
    markdown(
        "footnote that is named often", "[^a]: x\n\n" + "[^a]" * 20_000, "more than 1,048,576 bytes"
    ),
    markdown("page that is not there", "[x](page:%22onclick=hacked())", "there is no page"),
    markdown("page as a picture", "![x](page:good)", "is no picture"),
    markdown("page with an attribute", '[x](<page:good#" onclick="hacked()>)'),
    markdown("table of many columns", "|a" * 20_000 + "|\n" + "|-" * 20_000 + "|\n"),
]

CASES = [
    *MARKDOWN,
    *CSS,
    *TAILWIND,
    *SCHEMAS,
    *PROPS,
    *RAW,
    *CONDITIONS,
    *METADATA,
    *DEPENDENCIES,
    *CODES,
]
