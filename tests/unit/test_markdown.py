"""Markdown in props: what HTML is made of it, where, and that hostile texts are bounded."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import Assembly, assemble
from robbieblocks.assemble.markdown.highlighting import LANGUAGES, MAX_CHARACTERS, highlighted
from robbieblocks.assemble.markdown.rendering import rendered, without_comments
from robbieblocks.assemble.placeholders import PLACEHOLDER
from robbieblocks.assemble.props import markdown_props
from robbieblocks.assemble.values import MAX_PROBLEMS
from robbieblocks.errors import Problem
from robbieblocks.model import PageRow
from robbieblocks.prerender.isolate.html_check import html_problem
from robbieblocks.typescript.props import props_module
from tests.unit.rows import LAYOUTS, a_block, a_component, a_page, a_snapshot, assembled

MARKDOWN = {"type": "string", "format": "markdown"}


def shown(props: Any, schema: Any) -> Any:
    """The props that a component gets."""
    page = a_page(blocks=(a_block(props=props),))
    found = assembled(page, components=(a_component(schema=schema),))
    assert not found.problems, found.problems
    return found.pages[0].page.blocks[0].props


def problems(props: Any, schema: Any) -> list[Problem]:
    page = a_page(blocks=(a_block(props=props),))
    found = assembled(page, components=(a_component(schema=schema),))
    return list(found.held_back["home"])


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("", ""),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>\n"),
        ("# Käse & Brot", '<h1 id="käse--brot">Käse &amp; Brot</h1>\n'),
        ("a <b>c</b>", "<p>a &lt;b&gt;c&lt;/b&gt;</p>\n"),
        ("<!-- a --> b <!-- c", "<p>b &lt;!-- c</p>\n"),
        ("<!-- not told -->\na<!-- nor this -->b", "<p>ab</p>\n"),
        ("<div>\n*a*\n</div>", "<p>&lt;div&gt;\n*a*\n&lt;/div&gt;</p>\n"),
        ("{{a}} `{{b|c}}`", "<p>{&#123;a}} <code>{&#123;b|c}}</code></p>\n"),
        ("a\r\nb", "<p>a\nb</p>\n"),
        (
            "```Python title\nx = 1 # y\n```",
            '<pre tabindex="0"><code class="language-Python">x = '
            '<span class="hl-number">1</span> <span class="hl-comment"># y</span>\n</code></pre>\n',
        ),
        (
            '```"x>\n<b>\n```',
            '<pre tabindex="0"><code class="language-&quot;x&gt;">&lt;b&gt;\n</code></pre>\n',
        ),
    ],
)
def test_markdown_becomes_html(text: str, html: str) -> None:
    """CommonMark with strikethrough; HTML and braces are text, comments nothing."""
    made = rendered(text)
    assert (made.html, made.problems) == (html, ())


def test_headings_have_ids_of_their_own() -> None:
    """They are GitHub's, each once, and none is one of the page's own."""
    html = rendered("# A\n## A\n## A 1\n## a-1\n## B2\n## rb-x\n## ?\n## `c` *d*").html
    ids = re.findall(r' id="([^"]*)"', html)
    assert ids == ["a", "a-1", "a-1-1", "a-1-2", "section-b2", "section-rb-x", "section", "c-d"]
    assert 'aria-label="c d"' in html


def test_headings_of_all_texts_of_a_page_have_ids_of_their_own() -> None:
    """A text's links to its own headings lead there, whatever the texts before it are."""
    own, other = "# Käse\n\n[x](#käse) [y](#z)", "# Käse\n\n# Z\n\n[x](#käse)\n\n# Käse"
    blocks = tuple(
        a_block(order, props={"a": text}) for order, text in enumerate((own, other, own), 1)
    )
    found = assembled(a_page(blocks=blocks), components=(a_component(schema={"a": MARKDOWN}),))
    html = [str(block.props["a"]) for block in found.pages[0].page.blocks]
    assert [re.findall(r' id="([^"]*)"', each) for each in html] == [
        ["käse"],
        ["käse-1", "z", "käse-2"],
        ["käse-3"],
    ]
    assert [re.findall(r'<a href="#([^"]*)"', each) for each in html] == [
        ["k%C3%A4se", "z"],
        ["k%C3%A4se-1"],
        ["k%C3%A4se-3", "z"],
    ]


def test_footnotes_lead_there_and_back() -> None:
    """Those of two texts of a page have ids of their own, and a heading can't have one of these."""
    text = "# fn1\n\na[^n] b[^n]\n\n[^n]: Told *so*.\n[^unused]: Nowhere."
    html = rendered(text).html
    assert '<sup class="footnote-ref"><a href="#fn1" id="fnref1">[1]</a></sup>' in html
    assert 'id="fnref1:1">[1]</a></sup>' in html
    assert '<li id="fn1"><p>Told <em>so</em>.' in html
    assert '<a href="#fnref1:1" aria-label="[1:2]">' in html
    assert "Nowhere" not in html
    assert '<h1 id="section-fn1">' in html
    schema = {"a": MARKDOWN, "b": MARKDOWN}
    both = shown({"a": "a[^n]\n\n[^n]: A", "b": "b[^n]\n\n[^n]: B"}, schema)
    ids = [re.findall(r' id="([^"]*)"', each["__html"]) for each in both.values()]
    assert ids == [["fnref1", "fn1"], ["fnref-2-1", "fn-2-1"]]


def test_tasks_are_boxes_with_labels() -> None:
    """An item that begins with a box and a text; other brackets stay."""
    html = rendered("- [ ] a *b*\n- [x] [c](/c)\n- [y] d\n- [ ]").html
    task = '<li class="rb-task"><label><input type="checkbox" disabled{} /> {}</label></li>'
    assert task.format("", "a <em>b</em>") in html
    assert task.format(" checked", '<a href="/c">c</a>') in html
    assert "<li>[y] d</li>\n<li>[ ]</li>" in html


def linked(*pages: PageRow, previous: Assembly | None = None) -> Assembly:
    """The app's pages, of which the component shows Markdown."""
    card = a_component(schema={"a": MARKDOWN})
    snapshot = a_snapshot(*pages, components=(card,))
    return assemble(snapshot, "play", layouts=LAYOUTS, previous=previous)


def a_text(key: str, text: str, **fields: Any) -> PageRow:
    return a_page(key, blocks=(a_block(props={"a": text}),), route=f"/{key}/", **fields)


def html_of(found: Assembly, key: str) -> str:
    (page,) = [each.page for each in found.pages if each.key == key]
    return str(page.blocks[0].props["a"])


def test_a_link_by_page_follows_its_route() -> None:
    """With what stands behind the key. Only pages that link to a page are read again for it."""
    home = a_text("home", "[a](page:about) [b](page:about?x=1#käse) [c](page:legal) `page:about`")
    about, legal, other = a_text("about", ""), a_text("legal", "", app="shared"), a_text("x", "y")
    found = linked(home, about, legal, other)
    assert re.findall('href="([^"]*)"', html_of(found, "home")) == [
        "/about/",
        "/about/?x=1#k%C3%A4se",
        "/legal/",
    ]
    assert found.pages[1].page.links == (("about", "/about/"), ("legal", "/legal/"))
    moved = linked(home, replace(about, route="/Über/uns"), legal, other, previous=found)
    assert 'href="/%C3%9Cber/uns"' in html_of(moved, "home")
    assert moved.pages[2] is found.pages[2]
    assert linked(home, about, legal, other, previous=found).pages[1] is found.pages[1]


@pytest.mark.parametrize(
    ("link", "what", "remedy"),
    [
        ("[x](page:abuot)", "no page abuot", "did you mean about?"),
        ("[x](page:away)", "no page away", "write the address"),
        ("[x](page:evil)", "route that no page can have", "page_route"),
        ("![x](page:about)", "is no picture", "media:"),
    ],
)
def test_a_link_to_no_page_is_an_error(link: str, what: str, remedy: str) -> None:
    """One that is not there, is in another app, or has a route that no page can have."""
    found = linked(
        a_text("home", f"one\n\n{link}"),
        a_text("about", ""),
        a_text("away", "", app="blog"),
        replace(a_text("evil", ""), route="//evil.example/"),
    )
    (problem,) = found.held_back["home"]
    assert (problem.field, problem.pointer, problem.line) == ("props", "/a", 3)
    assert what in problem.what
    assert remedy in problem.remedy


def test_a_page_without_links_by_page_asks_for_no_routes() -> None:
    """So an edit of another site costs nothing."""
    assert linked(a_text("home", "[x](/about/)")).routes is None


def test_tables_scroll_by_themselves() -> None:
    """A wide table is in a box of its own, and its columns keep their alignment."""
    html = rendered("|a|b|\n|-|-:|\n|c|d|").html
    assert html.startswith('<div class="rb-table" tabindex="0">\n<table>')
    assert '<td style="text-align:right">d</td>' in html


def test_headers_of_tables_say_something() -> None:
    """An empty one is a cell, and where all are empty the table has none; others stay."""
    assert "<th>" not in rendered("||b|\n|-|-|\n|c|d|").html.split("<th>b</th>")[0]
    html = rendered("|||\n|-|-:|\n|c|d|\n\n|a|\n|-|\n|b|").html
    first, second = html.split("</table>", 1)
    assert "<thead>" not in first
    assert '<td style="text-align:right">d</td>' in first
    assert "<th>a</th>" in second


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JavaScript:alert(1))",
        "[x](<javascript&colon;alert(1)>)",
        "![x](vbscript:a)",
        "<javascript:a>",
        "[x][y]\n\n[y]: data:text/html,a",
        "[x](file:///etc/passwd)",
    ],
)
def test_a_link_that_could_run_a_script_is_an_error(link: str) -> None:
    """The error names the row, the place in the props and the line."""
    (found,) = problems(
        {"a": [{"b": f"one\n\n{link}"}]}, {"a": {"items": {"properties": {"b": MARKDOWN}}}}
    )
    assert (found.field, found.pointer, found.page, found.block) == ("props", "/a/0/b", "home", 1)
    assert "may not have the address" in found.what
    assert found.line in (3, 5, None)


def test_of_many_such_links_the_first_are_told() -> None:
    """A text of them makes no more problems than other props do."""
    text = "".join(f"[x](javascript:{number})\n" for number in range(MAX_PROBLEMS + 1))
    found = problems({"a": text}, {"a": MARKDOWN})
    assert [problem.line for problem in found] == list(range(1, MAX_PROBLEMS + 1))


@pytest.mark.parametrize("link", ["/a", "#b", "../c/", "https://a.b/", "mailto:a@b.c", "tel:1"])
def test_other_links_stay(link: str) -> None:
    """Pages, parts of pages, other sites, and people."""
    assert rendered(f"[x]({link})").html == f'<p><a href="{link}">x</a></p>\n'


@pytest.mark.parametrize(
    ("schema", "props", "expected"),
    [
        ({"a": MARKDOWN, "b": {"type": "string"}}, {"a": "x", "b": "*y*"}, {"b": "*y*"}),
        ({"a": {**MARKDOWN, "default": "x"}}, {}, {}),
        ({"a": {"$ref": "#/$defs/m"}, "c": {"title": "markdown"}}, {"c": "*z*"}, {"c": "*z*"}),
        ({"a": {"anyOf": [{"type": "null"}, MARKDOWN]}}, {"a": "x"}, {}),
        ({"a": {**MARKDOWN, "type": ["string", "null"]}}, {"a": None}, {"a": None}),
    ],
)
def test_the_schema_says_which_text_is_markdown(schema: Any, props: Any, expected: Any) -> None:
    """Wherever the format stands; others, defaults apart, are as they were written."""
    schema = {"properties": schema, "$defs": {"m": {**MARKDOWN, "default": "x"}}}
    assert shown(props, schema) == {"a": {"__html": "<p>x</p>\n"}, **expected}


def test_markdown_is_checked_as_it_is_written() -> None:
    """Lengths and patterns are those of the Markdown."""
    schema = {"a": {**MARKDOWN, "maxLength": 3}}
    assert shown({"a": "**"}, schema) == {"a": {"__html": "<p>**</p>\n"}}
    (found,) = problems({"a": "abcd"}, schema)
    assert found.pointer == "/a"


def test_a_placeholder_in_markdown_is_text() -> None:
    """It is shown as it is written, while those of other props have their fallbacks."""
    page = a_page(blocks=(a_block(props={"a": "{{x|y}}", "b": "{{x|y}}"}),))
    found = assembled(page, components=(a_component(schema={"a": MARKDOWN, "b": {}}),))
    block = found.pages[0].page.blocks[0]
    html = {"__html": "<p>{&#123;x|y}}</p>\n"}
    assert block.props == {"a": html, "b": "y"}
    assert block.fill == {"a": html, "b": "{{x|y}}"}


PIECES = (
    *("# ", "[a](", "![", "]", ")", "*", "_", "`", "```\n", "<", "<!--", "-->", "|", "-", "\n"),
    *(
        "[^a]",
        "[^a]: ",
        "- [ ] ",
        "#a",
        "page:b",
        "\n\n",
        "  ",
        "> ",
        "1. ",
        "{{",
        "}}",
        "a",
        "b1",
        '"',
        "'",
        "&",
        "&lt;",
        "\\",
        "~~",
        "{",
    ),
)


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_the_html_stays_in_its_block(pieces: list[str]) -> None:
    """Whatever the text says, a browser reads nothing out of it that raw HTML may not have."""
    html = rendered("".join(pieces)).html
    assert html_problem(html) is None
    assert not PLACEHOLDER.search(html)
    assert "<!--" not in html


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("a" * 100_001, "100,001 characters"),
        (f"[a]: /{'x' * 9000}\n\n" + "[a] " * 20_000, "more than 1,048,576 bytes of HTML"),
        ("```\n" + "&\n" * 49_000, ""),
        (">" * 5_000, ""),
        ("[^a]: b\n\n" + "[^" * 5_000, ""),
        ("[^a]\n\n[^a]: [^a]" + "[^a]" * 20_000, "more than 1,048,576 bytes of HTML"),
        ("- [ ] " * 5_000, ""),
        ("[a](page:b) " * 5_000, "no page b"),
        ("[" * 5_000, ""),
        ("|a" * 50 + "|\n" + "|-" * 50 + "|\n" + "|\n" * 400, ""),
    ],
)
def test_hostile_markdown_is_bounded(text: str, what: str) -> None:
    """What is too long, or makes too much, is an error at its place; the rest is rendered."""
    schema = {"a": MARKDOWN}
    if what:
        (found,) = problems({"a": text}, schema)
        assert (found.field, found.pointer) == ("props", "/a")
        assert what in found.what
    else:
        assert len(shown({"a": text}, schema)["a"]["__html"]) > len(text) / 20


def test_comments_that_do_not_end_are_looked_for_once() -> None:
    """Looking for the end from each start would take hours."""
    text = "<!-- " * 500_000
    assert without_comments(text) == text
    assert without_comments(f"{text}-->{text}") == text


def test_all_markdown_of_a_page_is_bounded() -> None:
    """Many texts are an error, too, though each alone may be."""
    block = {"a": "a *b*\n\n" * 10_000}
    blocks = tuple(a_block(order, props=block) for order in range(1, 5))
    found = assembled(a_page(blocks=blocks), components=(a_component(schema={"a": MARKDOWN}),))
    problem = found.held_back["home"][0]
    assert "all Markdown of the page" in problem.what


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
def test_hostile_code_ends(language: str) -> None:
    """No text of such makes a lexer look for ever, and none loses a character."""
    for piece in ("\n", " ", '"', "'", "/", "<a ", "(", "a", "0x", "\\", "<!--", "`", "${", "- "):
        code = re.sub("(.{900})", r"\1\n", piece * (4_000 // len(piece))) + "\x01\n"
        text = re.sub("<[^>]*>", "", highlighted(code, language))
        assert len(text) >= len(code)


def test_long_code_has_no_colours() -> None:
    """It is shown all the same."""
    assert highlighted("1\n" * MAX_CHARACTERS, "python") == "1\n" * MAX_CHARACTERS
    assert highlighted("1" * 1_001, "python") == "1" * 1_001


def test_a_parser_that_fails_is_blamed_on_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The problem names the block, its props and the place in them."""

    def failing(_: object, text: str) -> int:
        return 1 // len(text.split("x", 1)[1])

    monkeypatch.setattr(markdown_props, "rendered_on", failing)
    (found,) = problems({"a": "x"}, {"a": MARKDOWN})
    assert (found.field, found.pointer, found.block) == ("props", "/a", 1)
    assert "ZeroDivisionError" in found.what


def test_without_markdown_its_parser_is_not_loaded() -> None:
    """A process in which no schema has the format imports neither it nor the highlighter."""
    program = """
import sys
from tests.unit.rows import *
schema = {"a": {"type": "string"}}
page = a_page(blocks=(a_block(props={"a": "*b*"}),))
assert assembled(page, components=(a_component(schema=schema),)).pages
print({"markdown_it", "pygments"} & sys.modules.keys())
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.stdout == "set()\n", ran.stderr


def test_the_type_of_markdown_is_what_react_takes() -> None:
    """A component that shows it as a text is a mistake of types."""
    assert props_module({"a": MARKDOWN}) == 'export type Props = { "a"?: { __html: string }; };\n'
