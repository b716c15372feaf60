"""A component's stylesheet holds for its own blocks, whatever it says."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
import tinycss2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from robbieblocks.bundle.styles import minified, scoped_stylesheet
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow

W = "[data-rb-component~=k]"


def scope(css: str, key: str = "k", code: str = "") -> tuple[str, list[Problem]]:
    return scoped_stylesheet(
        ComponentRow(id=UUID(int=0), key=key, name="", type="", code=code, css=css)
    )


def written(css: str, key: str = "k") -> str:
    text, problems = scope(css, key)
    assert not problems
    assert text.startswith("@layer components{")
    return text.removeprefix("@layer components{").removesuffix("}")


def only_problem(css: str) -> Problem:
    text, problems = scope(css)
    assert not text
    assert len(problems) == 1
    assert problems[0].field == "css_styles"
    assert problems[0].remedy
    return problems[0]


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        (".a{color:red}", f"{W} .a{{color:red}}"),
        (".a,.b > c{top:0}", f"{W} .a,{W} .b>c{{top:0}}"),
        ("*{top:0}", f"{W} *{{top:0}}"),
        (":root{--x:1}", f"{W}{{--x:1}}"),
        ("html{top:0}", f"{W}{{top:0}}"),
        ("body .a{top:0}", f"{W} .a{{top:0}}"),
        ("html > body > .a{top:0}", f"{W}>.a{{top:0}}"),
        (":host{top:0}", f"{W}{{top:0}}"),
        ("body::before{top:0}", f"{W}::before{{top:0}}"),
        ("html.odd .a{top:0}", f"html.odd {W} .a{{top:0}}"),
        (':root[data-theme="dark"] .a{top:0}', f":root[data-theme=dark] {W} .a{{top:0}}"),
        ('[data-theme="dark"] .a{top:0}', f"[data-theme=dark] {W} .a{{top:0}}"),
        ("\ufeff.a{top:0}", f"{W} .a{{top:0}}"),
        ("::view-transition-old(x){top:0}", "::view-transition-old(x){top:0}"),
        (":root::view-transition-new(*.x){top:0}", ":root::view-transition-new(*.x){top:0}"),
        ("a:is(html,body) b{top:0}", f"{W} a:is(html,body) b{{top:0}}"),
        ("html:has(.a){top:0}", f"html:has(.a) {W}{{top:0}}"),
        ("@media print{.a{top:0}}", f"@media print{{{W} .a{{top:0}}}}"),
        ("@supports (a:b){.a{top:0}}", f"@supports (a:b){{{W} .a{{top:0}}}}"),
        ("@container (width>9px){.a{top:0}}", f"@container (width>9px){{{W} .a{{top:0}}}}"),
        ("a, b > c {\r\n top : 0 ;; left:1px\r\n}", f"{W} a,{W} b>c{{top:0;left:1px}}"),
        ("/* {x} */ .a:hover { --b: 1 }", f"{W} .a:hover{{--b:1}}"),
        (".a { --c: calc(1px + 2 * var(--b)) }", f"{W} .a{{--c:calc(1px + 2 * var(--b))}}"),
        (".a { top: 0 !important }", f"{W} .a{{top:0!important}}"),
        ("@scope (.a){b{top:0}}", f"@scope ({W} .a){{b{{top:0}}}}"),
        ("@scope (.a) to (.b, :scope > c){}", f"@scope ({W} .a) to (.b,:scope>c){{}}"),
        ("@scope (:root){b{top:0}}", f"@scope ({W}){{b{{top:0}}}}"),
        ("@scope{:scope{top:0}}", f"@scope ({W}){{:scope{{top:0}}}}"),
        ("@scope to (.b){> a{& i{top:0}}}", f"@scope ({W}) to (.b){{:where(:scope)>a i{{top:0}}}}"),
        ("@media print{@scope (.a){b{top:0}}}", f"@media print{{@scope ({W} .a){{b{{top:0}}}}}}"),
        (
            "@scope (.a){@scope (.b) to (.c){@media print{i{top:0}}}}",
            f"@scope ({W} .a){{@scope (.b) to (.c){{@media print{{i{{top:0}}}}}}}}",
        ),
    ],
)
def test_scoping(css: str, expected: str) -> None:
    """A rule reaches the block's wrapper by its root, and what is in it by anything else."""
    assert written(css) == expected


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        (".a{&:hover{top:0}}", f"{W} .a:hover{{top:0}}"),
        (".a{.b{top:0}}", f"{W} .a .b{{top:0}}"),
        (".a{> .b{top:0}}", f"{W} .a>.b{{top:0}}"),
        (".a{.b &{top:0}}", f"{W} .b :is(.a){{top:0}}"),
        (".a{html &{top:0}}", f"{W} :is(.a){{top:0}}"),
        (".a{html:has(&){top:0}}", f"html:has(:is(.a)) {W}{{top:0}}"),
        (".a,.b{&.c{top:0}}", f"{W} :is(.a,.b).c{{top:0}}"),
        (".a{top:0;@media print{left:0}}", f"{W} .a{{top:0}}@media print{{{W} .a{{left:0}}}}"),
        (".a{.b{.c{top:0}}}", f"{W} .a .b .c{{top:0}}"),
        (".a{&-b{top:0}&__c{left:0}}", f"{W} .a-b{{top:0}}{W} .a__c{{left:0}}"),
        (".a{top:0;.b{left:0}right:0}", f"{W} .a{{top:0}}{W} .a .b{{left:0}}{W} .a{{right:0}}"),
    ],
)
def test_nesting(css: str, expected: str) -> None:
    """Nested rules are written out, in order, and scoped like the others."""
    assert written(css) == expected


def test_keyframes() -> None:
    """Keyframes get the component's own name, where they are defined and where they are used."""
    text = written("@keyframes spin{to{top:1px}}.a{animation:spin 1s,other 2s;animation-name:spin}")
    name = text.split("@keyframes ")[1].split("{")[0]
    assert name.endswith("-spin")
    assert name != "spin"
    assert text.endswith(f"animation:{name} 1s,other 2s;animation-name:{name}}}")
    assert "other" not in text.split("@keyframes")[0]


@pytest.mark.parametrize(
    ("value", "renamed"),
    [
        ("infinite 1s ease infinite", "infinite 1s ease RB-infinite"),
        ("ease 1s ease, reverse 2s, 3 infinite", "ease 1s RB-ease,reverse 2s,3 RB-infinite"),
        ("linear(0,1) 1s ease", "linear(0,1) 1s RB-ease"),
        ('"ease" 1s, EASE 1s ease', '"RB-ease" 1s,EASE 1s RB-ease'),
    ],
)
def test_keyframes_may_be_named_like_a_keyword(value: str, renamed: str) -> None:
    """In the shorthand the first such word is the keyword, as browsers read it, then the name."""
    frames = "".join(f"@keyframes {name}{{to{{top:1px}}}}" for name in ("infinite", "ease"))
    text = written(f"{frames}.a{{animation:{value}}}.b{{animation-name:infinite}}")
    prefix = text.split("@keyframes ")[1].split("infinite")[0]
    assert f".a{{animation:{renamed.replace('RB-', prefix)}}}" in text
    assert f".b{{animation-name:{prefix}infinite}}" in text


def test_keyframes_of_two_components() -> None:
    """Two components' keyframes of one name don't meet."""
    css = "@keyframes spin{to{top:1px}}"
    assert written(css, "one") != written(css, "two")


def test_registered_properties() -> None:
    """A registered property is the component's own, and a token can't be registered over."""
    css = "@property --color-primary{syntax:'<color>';inherits:false;initial-value:red}"
    text = written(css + ".a{color:var(--color-primary);--color-primary:blue}")
    assert "@property --color" not in text
    assert "@property --rb-" in text
    assert "var(--rb-" in text


def test_a_registered_property_that_code_names_keeps_its_name() -> None:
    """The code sets it then; a name as tokens have stays the component's own, with a warning."""
    css = "@property --turn{syntax:'*';inherits:false}.a{rotate:var(--turn)}"
    text, problems = scope(css, code="<i style={{ '--turn': '1deg' }}/>")
    assert not problems
    assert "@property --turn{" in text
    assert "var(--turn)" in text
    text, problems = scope(css.replace("turn", "color-a"), code="<i className='[--color-a:red]'/>")
    assert "@property --rb-" in text
    (problem,) = problems
    assert problem.severity == "warning"
    assert "--color-a" in problem.what


@pytest.mark.parametrize(
    ("define", "use"),
    [
        ("@counter-style thumbs{symbols:'x'}", ".a{list-style:thumbs inside}"),
        ("@counter-style thumbs{symbols:'x'}", ".a{list-style-type:thumbs}"),
        ("@counter-style thumbs{symbols:'x'}", ".a::before{content:'(' counter(n,thumbs)}"),
        ("@counter-style thumbs{symbols:'x'}", ".a::before{content:counters(n,'.',thumbs)}"),
        ("@counter-style thumbs{symbols:'x'}", "@counter-style b{system:extends thumbs}"),
        ("@counter-style thumbs{symbols:'x'}", ".a{--c:thumbs;list-style:var(--c)}"),
        ("@position-try --thumbs{top:0}", ".a{position-try-fallbacks:flip-block,--thumbs}"),
        ("@position-try --thumbs{top:0}", ".a{position-try:most-width --thumbs}"),
        ("@font-palette-values --thumbs{font-family:x}", ".a{font-palette:--thumbs}"),
        ("@media print{@position-try --thumbs{top:0}}", ".a{position-try:--thumbs}"),
        ("@scope (.a){@position-try --thumbs{top:0}}", ".a{position-try:--thumbs}"),
        ("@layer thumbs,b;", "@layer thumbs{.a{top:0}}"),
        ("@layer thumbs{.a{top:0}}", "@layer thumbs.b{.a{top:0}}"),
    ],
)
def test_names_of_the_whole_page_are_the_components_own(define: str, use: str) -> None:
    """What defines such a name and what names it are renamed alike, and two components differ."""
    found = [re.findall(r"[\w-]*thumbs", written(define + use, key)) for key in ("one", "two")]
    for names in found:
        assert len(names) == 2
        assert names[0] == names[1]
        assert names[0].startswith("--rb-" if "--thumbs" in define else "rb-")
    assert found[0] != found[1]


def test_inner_layers_keep_their_names() -> None:
    """A layer in a layer is the component's already."""
    text = written("@layer a.b{.x{top:0}}@layer a{@layer b{.x{top:0}}}")
    names = re.findall(r"@layer ([\w.-]+)", text)
    prefix = names[0].removesuffix("a.b")
    assert prefix.startswith("rb-")
    assert names == [f"{prefix}a.b", f"{prefix}a", "b"]


def test_anchors_are_those_of_one_block() -> None:
    """Two blocks of a component have anchors of one name, unless a portal may ask for them."""
    css = ".a{anchor-name:--x}.b{top:anchor(--x bottom)}"
    assert f"{W}{{anchor-scope:all}}" in written(css)
    text, _ = scope(css, code="createPortal(<p/>, document.body)")
    assert "anchor-scope" not in text


def test_inline_styles_that_name_other_rules_are_warned_of() -> None:
    """So are they of a counter style or a position: it has another name there."""
    css = "@counter-style thumbs{symbols:'x'}@position-try --up{top:0}"
    code = "<ul style={{ listStyleType: 'thumbs', positionTryFallbacks: '--up' }}/>"
    text, problems = scope(css, code=code)
    assert text
    assert [each.severity for each in problems] == ["warning", "warning"]
    assert ["thumbs" in problems[0].what, "--up" in problems[1].what] == [True, True]
    assert scope(css, code="<ul title='thumbs'/>")[1] == []


def test_inline_animations_are_warned_of() -> None:
    """An inline style that names scoped keyframes is a warning, and the page goes out."""
    css = "@keyframes fall{to{top:1px}}"
    text, problems = scope(css, code="<i style={{ animation: 'fall 2s' }}/>")
    assert text
    assert [each.severity for each in problems] == ["warning"]
    assert "fall" in problems[0].what


@pytest.mark.parametrize(
    "css",
    [
        "@import 'x.css';",
        "@import url(https://example.org/x.css);",
        '@charset "utf-8";',
        "@namespace svg url(http://www.w3.org/2000/svg);",
        "@font-face{font-family:x;src:url(x.woff2)}",
        "@page{margin:0}",
        "@view-transition{navigation:auto}",
        "@font-feature-values x{@styleset{a:1}}",
        "@media print{@import 'x';}",
        ".a{@import 'x';}",
        "@unknown{.a{top:0}}",
    ],
)
def test_refused_rules(css: str) -> None:
    """A rule that would hold for the whole page is refused, with what to do instead."""
    assert "is not available" in only_problem(css).what


@pytest.mark.parametrize(
    ("css", "remedy"),
    [
        ("@keyframe a{}", "did you mean @keyframes?"),
        ("@meida print{.a{top:0}}", "did you mean @media?"),
        ("@contianer (width>1px){.a{top:0}}", "did you mean @container?"),
        ("@custom-media --s (width<1px);", "write the condition out"),
        ("@if true{.a{top:0}}", "this is CSS"),
        ("@forward 'x';", "leave it out"),
        ("@position-fallback --a{@try{top:0}}", "write @position-try"),
        ("@page{margin:0}", "into a node's custom_css"),
        ("@view-transition{navigation:auto}", "into a node's custom_css"),
        ("@viewport{width:1px}", "hold for the whole page"),
    ],
)
def test_what_to_do_about_a_refused_rule(css: str, remedy: str) -> None:
    """A misspelt rule is told from one that other tools have, and from one of whole pages."""
    assert remedy in only_problem(css).remedy


@pytest.mark.parametrize(
    ("css", "remedy"),
    [
        (".a\n  color: red", "write name: value;"),
        (".a{color = red;}", "write name: value;"),
        (".a{.mixin();}", "write name: value;"),
        ("a,,b{top:0}", "take a comma away"),
        (".2a{top:0}", "with a letter"),
        ("%a{top:0}", "write a class"),
        ("<!-- x -->\n.a{top:0}", "comments of CSS"),
        ("@media print;", "write { ... } behind it"),
        ("@keyframes a;", "write { ... } behind it"),
        (".a{@keyframes b{to{top:0}}}", "put it beside the rules"),
        (".a{@scope (.b){c{top:0}}}", "put it beside the rules"),
        ("@scope .a{.b{top:0}}", "write @scope (.card) to (.content)"),
        ("@scope (.a) until (.b){.b{top:0}}", "write @scope (.card) to (.content)"),
        ("@scope (.a) to (){.b{top:0}}", "write a selector"),
        ("@scope (.a){top:0}", "put it into a rule"),
        ("@counter-style {symbols:a}", "name it"),
        ("@position-try below{top:0}", "begins with --"),
        ("@position-try --a{.b{top:0}}", "declarations alone"),
        ("@keyframes a{to{.b{top:0}}}", "declarations alone"),
        ("@property --a{syntax '*'}", "write name: value;"),
        ("```css\n.a{top:0}\n```", "take away the lines with ```"),
        ("Here it is:\n  ~~~\n.a{top:0}\n  ~~~\nEnjoy", "take away the lines with ```"),
        ("@c: red;\n.a{top:0}", "write tokens"),
        (".a-#{$i}{top:0}", "write what it stands for"),
        ('{".a": {"color": "red"}}', "write rules"),
        (".a{background:url(data:image/svg+xml,<svg xmlns='x'/>)}", "in quotes"),
        (".a,.b{&-c{top:0}}", "the whole name of the class"),
        (".a:hover{& .c,&__d{top:0}}", "the whole name of the class"),
        ("<style>\n.a{top:0}\n</style>", "without <style>"),
        ("<<<<<<< HEAD\n.a{top:0}\n=======\n.a{top:1px}\n>>>>>>> b", "keep one of them"),
    ],
)
def test_what_the_parser_stumbles_over_is_told_in_words(css: str, remedy: str) -> None:
    """No message is about how the parser reads."""
    problem = only_problem(css)
    assert "block" not in problem.what
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("css", "line", "column"),
    [
        ("a{color:red", 1, 2),
        ("a{color:red}}", 1, 13),
        ("a{\n  color: red;\n}\nb{ width: calc(1px; }", 4, 15),
        ("a{content:'x}", 1, 11),
        ("a{}\n/* never", 2, 1),
        ("a{color:red}\n  } body{display:none}", 2, 3),
        ("a{background:url(x}", 1, 14),
    ],
)
def test_unbalanced(css: str, line: int, column: int) -> None:
    """What is opened and not closed is named with its place."""
    problem = only_problem(css)
    assert (problem.line, problem.column) == (line, column)
    assert problem.source


@pytest.mark.parametrize(
    "css",
    [
        "a;body{display:none}",
        "a!body{display:none}",
        "a,,b{top:0}",
        "{top:0}",
        ":root + .x{top:0}",
        "html ~ *{top:0}",
        "& + .x{top:0}",
        "a{top:0;)b:c}",
        "@media print{top:0}",
        "</style><script>alert(1)</script>",
        "a" + "{b" * 40 + "}" * 40,
        ".a{" + "& & & & & &{" * 8 + "top:0" + "}" * 9,
    ],
)
def test_what_would_escape(css: str) -> None:
    """A selector that leaves the block, or is none, is a problem and no rule."""
    text, problems = scope(css)
    assert not text
    assert problems


@pytest.mark.parametrize(
    "value",
    [
        "url(https://example.org/x.png)",
        "url('//example.org/x.png')",
        'url("/\\\\example.org")',
        "url(data:text/html,x)",
        "url(data:image/svg+xml,x) , url(javascript:x)",
        "image-set('https://example.org/x' 1x)",
        "-webkit-image-set(url(http:x) 1x)",
        "url(\\68ttps://example.org)",
        "url(blob:x)",
        "url(x.png)",
    ],
)
def test_elsewhere(value: str) -> None:
    """Nothing is fetched from elsewhere."""
    assert "is elsewhere" in only_problem(f"a{{background:{value}}}").what


@pytest.mark.parametrize(
    "url", ["/x.png", "#id", "data:image/png;base64,aa", "data:font/woff2;base64,aa", "/a/b?c"]
)
def test_local(url: str) -> None:
    """Paths on the site, fragments, and images and fonts in the text are fine."""
    assert url in written(f"a{{background:url({url})}}")


@pytest.mark.parametrize(
    "key", ['a"]{}body{display:none}', "a\\", "a\nb", "</style>", "é" * 255, "'", "a]b"]
)
def test_hostile_keys(key: str) -> None:
    """A key stays a string in the selector."""
    text = written(".a{top:0}", key)
    (layer,) = tinycss2.parse_stylesheet(text, True, True)
    selector = next(token for token in layer.prelude if token.type == "[] block")
    values = [t.value for t in selector.content if t.type in ("string", "ident")]
    assert values == ["data-rb-component", key]


def _selectors(css: str) -> list[str]:
    found: list[str] = []
    for rule in tinycss2.parse_blocks_contents(css, True, True):
        if rule.type == "qualified-rule":
            found.append(tinycss2.serialize(rule.prelude))
        elif rule.type == "at-rule" and rule.content and "keyframes" not in rule.at_keyword:
            found += _selectors(tinycss2.serialize(rule.content))
    return found


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


fragments = st.lists(
        st.sampled_from(
            ["a", ".b", "{", "}", ";", ":", ",", " ", "&", "html", "@media x", "@layer", "url(",
             ")", "(", "'", '"', "/*", "*/", "\\", "\n", "<!--", "-->", "!", ">", "+", "[", "]",
             ":root", ":has(", ":is(", "color:red;", "--x:{", "@import", "|", "*"]
        ),
        max_size=14,
    ).map("".join)  # fmt: skip


@given(fragments | sheets)
@settings(max_examples=400)
@example("a { b: c }\n.d:not(.e) { f: g(h, 1px + 2px) }")
@example("a{b:c(URL(x))}")
def test_no_text_escapes(css: str) -> None:
    """Of any text, each rule that comes out names the wrapper in each of its selectors."""
    text, problems = scope(css)
    if not text:
        return
    assert not any(each.severity == "error" for each in problems)
    (layer,) = tinycss2.parse_stylesheet(text, True, True)
    assert (layer.at_keyword, tinycss2.serialize(layer.prelude).strip()) == ("layer", "components")
    for selector in _selectors(tinycss2.serialize(layer.content or [])):
        # Quoted where the minifier could not read the stylesheet.
        assert selector.replace('"k"', "k").count(W) >= 1, selector


MANY = ",".join(f".a{n:05}" for n in range(2_500))
LONG = "." + ".".join(f"a{n:05}" for n in range(2_500))


@pytest.mark.parametrize(
    "css",
    [
        f"{LONG} {{ {'& i{top:0}' * 1_500} }}",
        f"{MANY} {{ {'i{top:0}' * 20_000} }}",
        f"{MANY} {{ {'top:0;@media all{left:0}' * 10_000} }}",
        f"{','.join('a' for _ in range(200_000))} {{ top:0 }}",
        f"{LONG} {{ {'&' * 5_000} {{top:0}} }}",
        f"{':root ' * 80_000} {{ top:0 }}",
    ],
    ids=["nested", "list times nested", "list times groups", "list", "ampersands", "parts"],
)
def test_what_multiplies_when_written_out_is_refused(css: str) -> None:
    """The text that nested rules and lists of selectors grow to is counted while it is made."""
    made, problems = scope(css)
    assert made == ""
    assert 1 <= len(problems) <= 20
    assert {problem.field for problem in problems} == {"css_styles"}
    assert "grow" in problems[0].what or "parts" in problems[0].what


def test_thousands_of_mistakes_are_a_few_problems() -> None:
    """An editor needs no more, and each quotes its line."""
    made, problems = scope("@import 'x';\n" * 20_000)
    assert (made, len(problems)) == ("", 20)
    sheet = "".join(f"@keyframes k{n}{{}}\n" for n in range(2_000)) + "@import 'x';"
    code = "style={{animation: '" + " ".join(f"k{n}" for n in range(2_000)) + "'}}"
    made, problems = scope(sheet, code=code)
    assert (made, len(problems)) == ("", 21)
    assert [problem.severity for problem in problems].count("error") == 1


def test_an_address_from_a_variable_is_refused() -> None:
    """A custom property may hold any text, which a function that fetches takes for an address."""
    css = "p { --x: 'https://elsewhere.example/x'; background: image-set(var(--x) 1x) }"
    made, (problem,) = scope(css)
    assert (made, problem.severity) == ("", "error")
    assert "var(--x)" in problem.what


@pytest.mark.parametrize(
    ("css", "shorter"),
    [
        ("a  b ,\n c > d { top : 0 ; left:\t1px;; }", "a b,c>d{top :0;left:1px}"),
        ("a{b:c} ; d{e: f }", "a{b:c};d{e:f}"),
        ("a/* x */b{c:d/**/e}", "a/**/b{c:d/**/e}"),
        ('a{content: \'  ;  } \' ;b:"a\\"  b"}', 'a{content:\'  ;  } \';b:"a\\"  b"}'),
        ("a{b:url( x  y.png ) , c}", "a{b:url( x  y.png ),c}"),
        ("a{--x: ;--y: }", "a{--x: ;--y: }"),
        ("a :hover{b:c}", "a :hover{b:c}"),
        ('[a="b"],[a="b c"],[a="1"]{}', '[a=b],[a="b c"],[a="1"]{}'),
        ("@media (width > 3px) and (x: y){}", "@media (width>3px) and (x:y){}"),
        (".a\\;  b{}", ".a\\; b{}"),
        ("a{b:'", "a{b:'"),
    ],
)
def test_minified(css: str, shorter: str) -> None:
    """Blanks, comments and semicolons go where they mean nothing; texts and names stay."""
    assert minified(css) == shorter
    assert minified(shorter) == shorter


@pytest.mark.parametrize("declaration", ["animation-timeline: scroll()", "stroke-width: 2.5"])
def test_values_stay_as_written(declaration: str) -> None:
    """No declaration is merged with another, and none is completed."""
    made = written(f".a {{ animation: grow 1s linear; {declaration} }}")
    assert made == f"{W} .a{{animation:grow 1s linear;{declaration.replace(': ', ':')}}}"


PASSED_OVER = [
    ("@keyframes fade{to{top:0}}.a{animation:1s fdae}", "named fdae", "did you mean fade?"),
    (".a{boder-left:0}", "no CSS property is named boder-left", "did you mean border-left?"),
    (".a{& .b{colr:red}}", "no CSS property is named colr", "did you mean color?"),
    ("@media print{.a{colr:red}}", "no CSS property is named colr", "did you mean color?"),
    (".dark .a{top:0}", "nothing on a page has the class dark", '[data-theme="dark"]'),
    ("html.light .a{top:0}", "nothing on a page has the class light", '[data-theme="light"]'),
    (":global(.a){top:0}", ":global is another tool's", "leave it out"),
    (".a :deep(.b){top:0}", ":deep is another tool's", "leave it out"),
    (".a::v-deep .b{top:0}", ":v-deep is another tool's", "leave it out"),
    (".a{color:theme(colors.red.500)}", "theme() is another tool's", "var(--color-primary)"),
    (".a{color:{color.blue.500}}", "braces are no value", "write var(--color-blue-500)"),
    (".a{top:calc(--spacing(2) + 1px)}", "--spacing() is another tool's", "var(--spacing-md)"),
    (":is(.a,.dark) b{top:0}", "the class dark", '[data-theme="dark"]'),
    (".a >>> .b{top:0}", ">> is no combinator", "leave it out"),
    (".a:hvoer{top:0}", "no browser has :hvoer", "did you mean :hover?"),
    (".a:not(:foucs){top:0}", "no browser has :foucs", "did you mean :focus?"),
    (".a:placeholder{top:0}", "no browser has :placeholder", "write ::placeholder"),
    (".a::hover{top:0}", "no browser has ::hover", "write :hover"),
    (".a{color:red left:0}", "there is a second colon", "put a ; before left"),
    (".a{color:red, left:0}", "there is a second colon", "put a ; before left"),
    (".a{color:color.primary}", "color.primary is no value", "write var(--color-primary)"),
    (".a{color:var(--color.primary)}", "is no value", "write var(--color-primary)"),
    (".a{color:$primary}", "$primary is no value", "write var(--primary)"),
    (".a{color:@primary}", "@primary is no value", "write var(--primary)"),
    (".a{color:mix(red, blue)}", "no browser has mix()", "did you mean"),
    (".a{margin:-var(--spacing-md)}", "-var() is no function", "calc(-1 * var(...))"),
    (".a{width:calc(100%-20px)}", "no space on both sides", "write - 20px"),
    (".a{width:calc(1px + (2px*3 +4px))}", "no space on both sides", "write + 4px"),
    (".a{width:max(1px, 100%- 2px)}", "no space on both sides", "put spaces around -"),
    (".a{width:calc(2 1px)}", "there is no operator", "write + - * or /"),
    (".a{width:calc(3px-2px)}", "no unit is named px-2px", "put spaces around -"),
    (".a{width:5remm}", "no unit is named remm", "did you mean rem?"),
    (".a{margin:10 0}", "10 has no unit", "write 10px"),
    (".a{border:1 solid}", "1 has no unit", "write 1px"),
    (".a{color:#12345}", "#12345 is no colour", "3, 4, 6 or 8"),
    (".a{content:\u201chello\u201d}", "curly quotes", "write straight quotes"),
    ("@keyframes k{to{width:5}}", "5 has no unit", "write 5px"),
    ("@media (max-width:600){.a{top:0}}", "600 has no unit", "write 600px"),
    ("@media screen and(width>1px){.a{top:0}}", "and( is read", "put a space before"),
    ("@media (width>var(--m)){.a{top:0}}", "var() is not known", "write the length"),
    ("@media (width>theme(x)){.a{top:0}}", "theme() is another tool's", "custom property"),
    (".a{width:(1px + 2px)}", "outside of calc()", "write calc(...)"),
    (".a{width:100% - 2px}", "outside of calc()", "write calc(...)"),
    (".a{margin:0 2 * 1px}", "outside of calc()", "write calc(...)"),
    (".a{color:'red'}", "a text in quotes", "write red, without quotes"),
    ('.a{font-size:"12px"}', "a text in quotes", "write 12px, without quotes"),
    (".a{composes:b}", "no CSS property is named composes", "write both classes"),
    ("@media mobile{.a{top:0}}", "no browser knows the medium mobile", "write a condition"),
    ("@media only sreen and (width>1px){.a{top:0}}", "the medium sreen", "write a condition"),
    ("@property --p{inherits:false;initial-value:0}", "lacks syntax", "write syntax: "),
    ("@property --p{syntax:'*'}", "lacks inherits", "write inherits: "),
    ("@property --p{syntax:'<length>';inherits:false}", "lacks initial-value", "initial-value"),
    ("@property --p{syntax:<length>;inherits:false}", "syntax of @property", "in quotes"),
    ("@font-palette-values --p{base-palette:1}", "lacks font-family", "write font-family"),
]


@pytest.mark.parametrize(("css", "what", "remedy"), PASSED_OVER)
def test_what_browsers_pass_over_is_warned_of(css: str, what: str, remedy: str) -> None:
    """A property, selector or function that no browser takes is named, and the rest goes on."""
    text, problems = scope(f"{css} .z{{left:7px}}", code="<p className='x' />")
    assert "left:7px" in text
    (problem,) = problems
    assert problem.severity == "warning"
    assert what in problem.what
    assert remedy in problem.remedy
    assert problem.line == 1


@pytest.mark.parametrize(
    "css",
    [
        "@supports (new-one:0){.a{new-one:0}}",
        ".a{content:'a' / 'b';quotes:'a' 'b';font:1em 'A';animation:'k' 1s;text-overflow:'x'}",
        ".a{background:image-set('/a.png' 1x);grid-area:1/2/-1;--x:'a';list-style:'-' inside}",
        ".a{-x-y:'a';transition:top calc(1s - 2ms);margin:-1px +2px;aspect-ratio:1/2}",
        "@media screen,print and (width>1px),not all,(width>1px) and (height>1px){.a{top:0}}",
        "@media only screen and (width>1px),not (width>1px){.a{top:0}}",
        ".a{--own:0;-webkit-odd:0;COLOR:red;zoom:1;view-transition-name:x;field-sizing:content}",
        "::slotted(p){top:0}",
        ".darker{top:0}",
        '@property --k{syntax:"*";inherits:false}',
        "@keyframes k{from{top:0}}",
        "a:not(:nth-child(2n+1 of .b)):HOVER::-webkit-odd::BEFORE{top:0}",
        ".a::part(x):host(.b) :is(:popover-open, ::cue(b)) + c > d ~ e{top:0}",
        ".a{--own:a.b $c @d #12345;--x:calc(1px-2px);filter:progid:DXImageTransform.M.x(a=1)}",
        ".a{width:calc(-1 * (1Q + -2DVH)/3);margin:-1px +2px 0 -0;line-height:2;flex:1 1 0}",
        ".a{width:calc(1px /**/ - /**/ 2px);inset:calc(var(--a,1px) - env(x)) min(1px,-2px)}",
        ".a{width:clamp(1rem,2vw + 1rem,3rem);rotate:calc(pi * 1rad);tab-size:4;z-index:-1}",
        ".a{grid-area:1/2/3/4;grid-template:[a] 1fr/repeat(auto-fill,minmax(0,1fr))}",
        ".a{aspect-ratio:16/9;border-image:url(/a.png) 30;stroke-width:2;order:3;columns:2}",
        ".a{background:#fff url(/a.png) 0 0/cover;color:rgb(from #abcd r g b/50%);scale:1.5}",
        ".a{animation:k 1s cubic-bezier(.1,.2,.3,.4) steps(2,end);transform:translateX(1px)}",
        ".a{font-family:Größe;font-variant-alternates:styleset(x);content:'a.b:$c' counter(d)}",
        "@keyframes fade{to{top:0}}.a{animation:none;animation-name:spin}",
        ".a{color:if(style(--x: 1): red; else: blue);width:attr(data-w type(<length>),1px)}",
        "@media (aspect-ratio:16/9) and (min-width:0) and (not (monochrome)),print{.a{top:0}}",
        "@media (400px<=width<=600px) and (resolution>=2dppx) and (color-index>=256){.a{top:0}}",
        "@supports (width:calc(1px-2px)){.a{width:odd(1px)}}",
        "@container card (width>calc(1px + var(--x))) and style(--y:1){.a{top:0}}",
    ],
)
def test_what_some_browser_takes_is_not_warned_of(css: str) -> None:
    """What is new, a vendor's, obsolete or a descriptor is nobody's mistake."""
    assert scope(css)[1] == []


@pytest.mark.parametrize("name", ["old(root)", "group(*)", "new( * )"])
def test_the_transition_of_a_page_is_no_component_s(name: str) -> None:
    """A rule for it is warned of: behind the wrapper it holds nowhere."""
    text, (problem,) = scope(f"::view-transition-{name}{{top:0}}")
    assert f"{W} ::view-transition" in text
    assert problem.severity == "warning"
    assert "custom_css" in problem.remedy


def test_a_class_of_the_component_may_be_named_like_a_theme() -> None:
    """Where the code sets the class, the selector has something to select."""
    assert scope(".dark{top:0}", code="<p className={on ? 'dark' : ''} />")[1] == []


def test_warnings_of_a_stylesheet_are_few() -> None:
    """Thousands of mistakes are not all looked up: that takes a millisecond each."""
    css = "".join(f".a{{colr{'x' * (n % 9)}-{n}:0}}" for n in range(3000))
    assert len(scope(css)[1]) == 20


def test_keyframes_are_known_through_custom_properties() -> None:
    """Where an animation is a custom property, that has the keyframes' new name as well."""
    css = (
        "@keyframes fade{from{opacity:0}}.a{--how:fade 1s ease;animation:var(--how)}.b{--how:none}"
    )
    text, problems = scope(css)
    assert not problems
    (name,) = {part.split("{")[0].split()[-1] for part in text.split("@keyframes")[1:]}
    assert name.startswith("rb-")
    assert f"--how:{name} 1s ease" in text


@pytest.mark.parametrize(
    "code",
    [
        "<p className='animate-[fade_1s_ease]' />",
        "<p className='hover:[animation:fade_1s]' />",
        "<p style={{ animation: 'fade 1s' }} />",
    ],
)
def test_keyframes_that_code_names_are_warned_of(code: str) -> None:
    """A utility or an inline style does not know the name that keyframes get."""
    (problem,) = scope("@keyframes fade{from{opacity:0}}", code=code)[1]
    assert problem.severity == "warning"
    assert "fade" in problem.what
