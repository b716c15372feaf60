"""Values that browsers pass over without a word are named, with what to write."""

from __future__ import annotations

import pytest
import tinycss2

from robbieblocks.css_faults import in_sheet, in_token


def doubts(css: str) -> list[tuple[str, str]]:
    rules = tinycss2.parse_stylesheet(css, True, True)
    return [(each.what, each.remedy) for each in in_sheet(rules, "")]


@pytest.mark.parametrize(
    ("declaration", "what", "remedy"),
    [
        ("display: flexbox", "display has no flexbox", "write flex"),
        ("display: hidden", "display has no hidden", "write none"),
        ("justify-content: centre", "has no centre", "write center"),
        ("justify-content: space-beetween", "has no space-beetween", "write space-between"),
        ("align-items: middle", "has no middle", "write center"),
        ("text-align: middle", "has no middle", "write center"),
        ("position: absolut", "has no absolut", "write absolute"),
        ("flex-flow: row-wrap", "has no row-wrap", "write"),
        ("flex-direction: columns", "has no columns", "write column"),
        ("white-space: no-wrap", "has no no-wrap", "write nowrap"),
        ("font-weight: semibold", "has no semibold", "write 600"),
        ("cursor: pointr", "has no pointr", "write pointer"),
        ("overflow: none", "has no none", "write hidden"),
        ("color: red !importent", "!importent is no value", "write !important"),
        ("color: red !imp", "!imp is no value", "write !important"),
        ("color:\u00a0red", "nobody sees", "type it anew"),
        ("display: fl\u200bex", "nobody sees", "type it anew"),
        ("transition: color 0.3 ease", "0.3 has no unit", "write 0.3s"),
        ("animation-duration: 2", "2 has no unit", "write 2s"),
        ("transform: rotate(45)", "45 has no unit", "write 45deg"),
        ("filter: blur(5)", "5 has no unit", "write 5px"),
        ("transform: translate(10px 20px)", "needs a comma", "write a comma"),
        ("grid-template-columns: minmax(9px 1fr)", "needs a comma", "write a comma"),
        ("z-index: 10px", "z-index is a number", "write 10"),
        ("gap: 1rem, 2rem", "there is a comma", "write a space"),
        ("aspect-ratio: 16:9", "a ratio has no colon", "16 / 9"),
        ("grid-template-areas: 'a b' 'c'", "this row has 1 areas", "as many in each row"),
        ("background: linear-gradient(left, red, blue)", "goes to a side", "write to right"),
        ("background: linear-gradient(90, red, blue)", "90 has no unit", "write 90deg"),
        ("color: var(color-primary)", "names no custom property", "var(--color-primary)"),
        ("color: var()", "names no custom property", "var(--name)"),
        ("width: calc()", "calc() is empty", "write a value"),
        ("transform: scale(1.1, )", "ends with a comma", "take the comma away"),
        ("background: linear-gradient(to right, red blue)", "has commas", "write a comma"),
        ("background: radial-gradient(#fff #000)", "has commas", "write a comma"),
        ("position: centre", "position has no centre", "static, relative"),
        ("color: rgb(255, 0)", "rgb() has 2 numbers", "write three"),
        ("color: rgba(#fff, 0.5)", "takes numbers, and no colour", "color-mix(in srgb, #fff"),
        ("color: hsl(120, 50, 50)", "50 needs a %", "write 50%"),
    ],
)
def test_values_that_no_browser_takes(declaration: str, what: str, remedy: str) -> None:
    """What is almost right is told, once for each declaration."""
    ((said, instead),) = doubts(f".a {{ {declaration} }}")
    assert what in said
    assert remedy in instead


@pytest.mark.parametrize(
    "declaration",
    [
        "display: -webkit-box; display: grid-lanes; display: inherit; display: brand-new",
        "cursor: url(/a.png) 2 2, pointer; justify-content: safe center; place-items: center end",
        "font-weight: 550; font-weight: var(--x); font-style: oblique 10deg; opacity: 50%",
        "transition: color .2s ease, opacity 0s; animation: a 1s 2 linear; animation-delay: 0",
        "transform: rotate(0) scale(1, 2) translate(-50%, calc(1px + 2px)); filter: blur(0)",
        "color: rgb(255 0 0 / 50%); color: rgb(from red r g b); color: rgba(var(--x), .5)",
        "color: hsl(120 50 50); color: hsl(120deg, 50%, 50%); color: rgb(0, 0, 0, .5)",
        "box-shadow: 0 1px 2px red, 0 0 1px blue; aspect-ratio: 16 / 9; gap: 1rem 2rem",
        "grid-template-areas: 'a b' 'c .'; grid-template-areas: none; z-index: -1",
        "background: linear-gradient(to right, red, blue); background: linear-gradient(red, blue)",
        "background: linear-gradient(45deg in oklch, red, blue); color: red ! important",
        "background: radial-gradient(circle at center, red 10% 20%, var(--x,), #000 30%)",
        "color: var(--x, ); width: calc(var(--y)); background: url(); top: env(x, )",
        "grid-template-columns: repeat(2, minmax(0, 1fr)) [end]; font-family: \u014eu",
        "transition-timing-function: cubic-bezier(.1, .2, .3, .4); flex-grow: 2; order: 3",
    ],
)
def test_values_that_browsers_take(declaration: str) -> None:
    """What is right, new, or depends on a variable passes in silence."""
    assert doubts(f".a {{ {declaration} }}") == []


@pytest.mark.parametrize("selector", [".a\u00a0.b", ".a\u200b", "p\u3000b"])
def test_selectors_with_spaces_that_are_none(selector: str) -> None:
    """CSS takes a no-break space for a letter, so such a selector selects nothing."""
    ((said, _),) = doubts(f"{selector} {{ top: 0 }}")
    assert "nobody sees" in said


@pytest.mark.parametrize(
    ("sheet", "what", "remedy"),
    [
        ("@media max-width: 9px {.a{top:0}}", "has no brackets", "(max-width: 40rem)"),
        ("@media (max-width 9px) {.a{top:0}}", "max-width has no colon", "write a colon"),
        ("@media screen (width>1px){.a{top:0}}", "there is no `and`", "write and"),
        ("@media (width>1px) (hover){.a{top:0}}", "there is no `and`", "write and"),
        ("@media (max-width: $small){.a{top:0}}", "$small is no value", "such as 40rem"),
        ("@container (min-width: 300){.a{top:0}}", "300 has no unit", "write 300px"),
        ("@container card and(width>1px){.a{top:0}}", "and( is read", "put a space"),
        (".a:first{top:0}", ":first is there for printed pages", "write :first-child"),
        (".a:{top:0}", ": has no name behind it", "take it away"),
        (".a..b{top:0}", ". has no name behind it", "take it away"),
        ("#1a{top:0}", "#1a begins with a digit", "with a letter"),
        (".a ::ng-deep .b{top:0}", ":ng-deep is another tool's", "leave it out"),
    ],
)
def test_conditions_and_selectors_that_never_hold(sheet: str, what: str, remedy: str) -> None:
    """A rule that browsers pass over as a whole is told of."""
    ((said, instead),) = doubts(sheet)
    assert what in said
    assert remedy in instead


@pytest.mark.parametrize(
    "sheet",
    [
        "@media only screen and (min-width:1px), not print and (hover), (width>1px){.a{top:0}}",
        "@media screen{.a{top:0}} @media (width>1px) and (height>2px) or (hover){.a{top:0}}",
        "@container card (min-width: 20rem) and style(--x: 1){.a{top:0}}",
        "@container (width > var(--x)){.a{top:0}} @container not (width>1px){.a{top:0}}",
        ".a:hover::before, .a:is(.b, #c):not(:first-child), a|b, [x=':'], #a1{top:0}",
    ],
)
def test_conditions_and_selectors_that_hold(sheet: str) -> None:
    """What browsers take passes in silence."""
    assert doubts(sheet) == []


@pytest.mark.parametrize(
    ("value", "category", "key"),
    [("'Inter', sans-serif", "font", "font.body"), ('"a" 1px', "color", "color.a")],
)
def test_a_text_in_quotes_may_be_a_tokens(value: str, category: str, key: str) -> None:
    """Which property takes it is not known."""
    assert list(in_token(value, category, key)) == []
