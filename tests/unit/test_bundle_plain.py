"""Plain stylesheets are scoped as text: to the same bytes as token by token, in less time."""

from __future__ import annotations

from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robbieblocks.bundle import plain
from robbieblocks.bundle.css import scoped
from robbieblocks.model import ComponentRow

W = "[data-rb-component~=k]"

SELECTORS = (
    "a",
    "*",
    ".b-c",
    "#d",
    "a.b:hover",
    "li::before",
    "a > b + c~d",
    '[data-x="1 2"]',
    "[open]",
    ":not(.x)",
    ":nth-child(2)",
)
VALUES = (
    "red",
    "0",
    "-.5em",
    "1px solid #00e",
    "hsl(10 60% 60% / .5)",
    "calc(1px + var(--a) * 2)",
    "min(100%, 60rem)",
    "1 / 3",
    "a,b , c",
    "red !important",
)
ODD = (
    *("html", "body.a", ":root", ":host(.a)", "&", ":is(a,b)", "[data-theme=dark]", "a::b ::c"),
    *("|a", "> a", "a >", "a >> b", "-1", "--", "a\\:b", "é", "a\xa0", "\x0b", "a:not(html)"),
    *("url(x)", "URL( /x )", "url('https://e')", "src('//e')", "'x'", '"x;}"', "1e3", "1e-x"),
    *("1e", "1px-2px", "U+26", "a(b)c", "a(b", "(", ")", "[", "]", "{", "}", ";", ":", ",", "!"),
    *("/*", "*/", "/**/", "/* } */", "<!--", "-->", "@", "#", ".", "%", "+1", "a+1", "- 1", "\0"),
    *(" ", "\n", "\t", "\r", "\r\n", "\f", "!IMPORTANT", "! important", "!x", "f( )", "f(,)"),
)
CONDITIONS = (
    "@media (width < 600px)",
    "@MEDIA screen and (min-width:60rem)",
    "@supports (display: grid)",
    "@container card (400px <= width < 700px)",
    "@media (a",
    "@layer x",
    "@keyframes a",
    "@media",
)

pieces = st.sampled_from((*SELECTORS, *VALUES)) | st.sampled_from(ODD)
selectors = st.sampled_from(SELECTORS) | st.lists(pieces, max_size=3).map("".join)
values = st.sampled_from(VALUES) | st.lists(pieces, max_size=3).map(" ".join)
declarations = st.tuples(
    st.sampled_from(("color", "--x", "Top", "-webkit-a", "1x")),
    st.sampled_from((":", " : ")),
    values,
).map("".join)
rules = st.tuples(
    st.lists(selectors, min_size=1, max_size=2).map(", ".join),
    st.lists(declarations, max_size=3).map("; ".join),
).map("{0[0]} {{ {0[1]} }}".format)
groups = st.tuples(st.sampled_from(CONDITIONS), st.lists(rules, max_size=2).map("\n".join)).map(
    "{0[0]} {{ {0[1]} }}".format
)
sheets = st.lists(rules | groups | pieces, min_size=1, max_size=3).map("\n".join)


def row(css: str) -> ComponentRow:
    return ComponentRow(id=UUID(int=0), key="k", name="", type="", code="", css=css)


@pytest.mark.parametrize(
    ("css", "written"),
    [
        (".a { top: 0 }", f"{W} .a{{top:0;}}"),
        ("a, b > c {\r\n top : 0 ;; left:1px\r\n}", f"{W} a,{W} b > c{{top:0;left:1px;}}"),
        ("/* {x} */ .a:hover { color: hsl(1 2% 3%) }", f"{W} .a:hover{{color:hsl(1 2% 3%);}}"),
        (
            ".a { top: calc(1px + 2 * var(--b)) !important }",
            f"{W} .a{{top:calc(1px + 2 * var(--b))!important;}}",
        ),
        ("@media (width < 9px) { .a { top: 0 } }", f"@media (width < 9px){{{W} .a{{top:0;}}}}"),
        (".a {}", ""),
        ("\n/**/\n", ""),
    ],
)
def test_plain(css: str, written: str) -> None:
    """Plain rules are scoped as text, each declaration as it stands."""
    assert plain.scoped(css, W) == written


@pytest.mark.parametrize(
    "css",
    [
        *("html{top:0}", ":root{top:0}", ":host{top:0}", "[data-theme=x]{top:0}", "&{top:0}"),
        *("a{background:url(/x)}", "a{b:'x'}", "a{b:c\\d}", "a{b{c:d}}", "@media x{@media y{}}"),
        *("@keyframes a{to{top:0}}", "@layer a{b{c:d}}", "@import 'x';", "a{b:c", "a{b:c}}"),
        *("a{b:c(d}", "a{b:c)}", "a{b:/*c*/d}", "a{b:((((((c))))))}", "a,{b:c}", "a{b}", "a{:b}"),
        *("a{b:}", "a{b:\0}", "\xa0{b:c}", "a{\xa0}", "a\r{b:c}", "@media{a{b:c}}", "a{b:c(d)e}"),
        *("a{b:url(x)}", "a{b:c(URL(x))}", "a{b:1e}", "a{b:1e3}"),
    ],
)
def test_not_plain(css: str) -> None:
    """Whatever needs more than its text to be understood is left to those who read tokens."""
    assert plain.scoped(css, W) is None


@given(sheets)
@settings(max_examples=400)
@example("a { b: c }\n.d:not(.e) { f: g(h, 1px + 2px) }")
def test_as_token_by_token(css: str) -> None:
    """A stylesheet that is taken as plain gives the text and problems that its tokens give."""
    with patch.object(plain, "scoped", return_value=None):
        expected = scoped(row(css))
    assert scoped(row(css)) == expected
