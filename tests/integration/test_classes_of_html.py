"""Utility classes that no text of a component has: from props, defaults, raw HTML, put together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.sites import Block, MakeSite, Site, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.postgres]

BOX = """import { useState } from "react";
export default function Box({ look, size, later, html }) {
  const [on, set] = useState(false);
  return <div className={look}>
    <i className={`mt-${size}`}>x</i>
    <button type="button" className={on ? later : ""} onClick={() => set(true)}>go</button>
    <div dangerouslySetInnerHTML={{ __html: html }}/>
  </div>;
}"""
SCHEMA = {
    "look": {"type": "string", "default": "pt-[31px]"},
    "size": {"type": "integer"},
    "later": {"type": "string"},
    "html": {"type": "string"},
}
PROPS = {"size": 7, "later": "pl-[17px] other", "html": "<b class=pr-[19px]>x</b>"}
STYLE = """selector => (({paddingTop, paddingLeft, paddingRight, marginTop}) =>
  [paddingTop, paddingLeft, paddingRight, marginTop])(
    getComputedStyle(document.querySelector(selector)))"""


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A page with the box, and one beside it whose block has no class."""
    made = make_site()
    made.component("box", BOX, schema=SCHEMA)
    made.component("plain", "export default ({ text = 'x' }) => <p>{text}</p>;")
    made.page("boxes", Block(component="box", props=PROPS))
    made.page("others", "plain")
    made.build()
    assert made.problems(warnings=True) == []
    return made


def _sheets(site: Site, page: str) -> str:
    return "".join(re.findall(r"<style>.*?</style>", site.file(page).read_text(), re.DOTALL))


@pytest.mark.browser
def test_they_get_their_styles(site: Site, page: Page) -> None:
    """Classes of props, schema defaults and raw HTML, put together, and shown after a click."""
    with site.served() as address:
        visit(page, f"{address}/boxes/")
        assert page.evaluate(STYLE, "#b1 > div")[0] == "31px"
        assert page.evaluate(STYLE, "#b1 i")[3] == "28px"
        assert page.evaluate(STYLE, "#b1 b")[2] == "19px"
        page.get_by_role("button").click()
        assert page.evaluate(STYLE, "#b1 button")[1] == "17px"
    assert "31px" not in _sheets(site, "others")


WIDE = """import { useState } from "react";
export default function Wide({ look, later }) {
  const [on, set] = useState(false);
  return <button type="button" onClick={() => set(true)}
    className={`2xl:pt-[21px] ${look} ${on ? `${later} 2xl:mt-[24px]` : ""}`}>go</button>;
}"""


@pytest.mark.browser
def test_a_class_may_begin_with_a_digit(make_site: MakeSite, page: Page) -> None:
    """So does that of the widest windows, in the code, in props, and after a click."""
    made = make_site()
    made.component("wide", WIDE)
    props = {"look": "2xl:pl-[22px]", "later": "2xl:pr-[23px]"}
    made.page("wide", Block(component="wide", props=props))
    made.build()
    assert made.problems(warnings=True) == []
    page.set_viewport_size({"width": 1600, "height": 600})
    with made.served() as address:
        visit(page, f"{address}/wide/")
        assert page.evaluate(STYLE, "#b1 button")[:2] == ["21px", "22px"]
        page.get_by_role("button").click()
        page.wait_for_function(
            "() => document.querySelector('#b1 button').className.includes('pr')"
        )
        assert page.evaluate(STYLE, "#b1 button")[2:] == ["23px", "24px"]


@pytest.mark.browser
def test_a_class_may_be_written_with_escapes(make_site: MakeSite, page: Page) -> None:
    """A string of the code is read as JavaScript reads it, for what shows after a click, too."""
    made = make_site()
    made.component(
        "mark",
        r"""import { useState } from "react";
        const late = (it) => `${it} after:content-['\u2190\\2013'] mt-[\x33\x30px]`;
        const shown = "before:content-['\u2192\\2014'] data-[it=\"1\"]:pt-[27px]\npl-[28px]";
        export default function Mark() {
          const [on, set] = useState(false);
          return <button type="button" data-it="1" className={on ? late(shown) : "off"}
            onClick={() => set(true)}>go</button>;
        }""",
    )
    made.page("mark", "mark")
    made.build()
    with made.served() as address:
        visit(page, f"{address}/mark/")
        page.get_by_role("button").click()
        page.wait_for_function("() => document.querySelector('#b1 button').className !== 'off'")
        found = page.evaluate(STYLE, "#b1 button")
        assert (found[0], found[1], found[3]) == ("27px", "28px", "30px")
        content = "name => getComputedStyle(document.querySelector('#b1 button'), name).content"
        assert page.evaluate(content, "::before") == '"→—"'
        assert page.evaluate(content, "::after") == '"←–"'


def test_an_edit_without_a_new_class_keeps_the_styles(site: Site) -> None:
    """Its page's styles stay, byte for byte; with a new one they have it, and no other page has."""
    before, others = _sheets(site, "boxes"), site.file("others").read_bytes()
    edit = """
        UPDATE robbieblocks_page_blocks SET props = jsonb_set(props, '{later}', to_jsonb(%s::text))
        WHERE props ? 'later'"""
    site.sql(edit, "other pl-[17px]")
    report = site.build()
    assert [page.key for run in report.runs for page in run.changed] == ["boxes"]
    assert _sheets(site, "boxes") == before
    site.sql(edit, "pl-[18px]")
    site.build()
    assert "18px" in _sheets(site, "boxes")
    assert "17px" not in _sheets(site, "boxes")
    assert site.file("others").read_bytes() == others


def test_a_word_of_a_prop_is_no_class_of_the_block(make_site: MakeSite) -> None:
    """A block of plain CSS keeps the text styles, whatever its props say; raw HTML is written with
    classes."""
    made = make_site()
    made.component(
        "view",
        """import { useState } from "react";
        export default function View({ view, html }) {
          const [n, set] = useState(0);
          return <section className="shop" onClick={() => set(n + 1)}><h2>{view}</h2>
            <div dangerouslySetInnerHTML={{ __html: html }}/></section>;
        }""",
        css=".shop { color: red }",
    )
    views = [{"view": "table"}, {"view": "Table"}, {"view": "x", "html": "<b class=table>x</b>"}]
    made.page("views", *(Block(component="view", props=props) for props in views))
    made.build()
    html = made.file("views").read_text()
    found = re.findall(r'<div class="rb-block"[^>]*data-rb-base="([^"]*)"', html)
    assert found == ["text", "text", "utilities"]


def test_a_block_from_the_cache_has_its_classes(site: Site) -> None:
    """A process that finds every block rendered makes the same page."""
    before = site.file("boxes").read_bytes()
    context = site.builder.context
    context.memory.fingerprints.clear()
    site.file("boxes").unlink()
    report = site.build()
    assert report.blocks_rendered == 0
    assert site.file("boxes").read_bytes() == before


def test_what_html_does_not_allow_is_warned_of(site: Site) -> None:
    """The warning names both elements, the block, and the line; the page goes out."""
    site.component(
        "rows",
        'import { useState } from "react";\nexport default function Rows() {\n'
        "  const [n, set] = useState(0);\n  return (\n    <table onClick={() => set(1)}>\n"
        "      <tr><td>{n}</td></tr>\n    </table>\n  );\n}",
    )
    site.page("table", "rows")
    site.build()
    (problem,) = site.problems(warnings=True)
    assert (problem.page, problem.key, problem.line) == ("table", "rows", 6)
    assert "<tr> does not fit into <table>" in problem.what
    assert "<tbody>" in problem.remedy
    assert '"anew":true' in site.file("table").read_text()
