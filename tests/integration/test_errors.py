"""Errors of whole builds: all in one go, each with its row, place and remedy, as text and JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from robbieblocks.errors import Problem
from tests.sites import Block, MakeSite, Site

pytestmark = pytest.mark.postgres

SYNTAX = """export default function Broken() {
  const label = "Hi";
  return <p>{label</p>;
}"""
THROWS = """const names = (list) => list.map((each) => each.name);

export default function Throws({ people }) {
\treturn <p>{names(people).join()}</p>;
}"""
IMPORTS = """import { useStat } from "react";
import _ from "lodash";
export default () => <p>{_.x}{useStat}</p>;"""
CSS = """.card { color: red }

.card { background: url(https://example.org/x.png) }"""
# For each kind: what its place says, its line and column, and a word of message and remedy.
KINDS: dict[str, tuple[str, int | None, int | None, str, str]] = {
    "syntax": (
        "component syntax, react_code, line 3:24",
        3,
        24,
        "Unterminated",
        "close what is open",
    ),
    "throws": (
        *("component throws, on page home, block 2, react_code, line 1:30", 1, 30),
        *("undefined", "give the prop a default"),
    ),
    "export": ("component imports, react_code, line 1:25", 1, 25, "no export useStat", "useState"),
    "package": ("component imports, react_code, line 2:15", 2, 15, "lodash", "clsx"),
    "css": ("component css, css_styles, line 3:21", 3, 21, "elsewhere", "data: URL"),
    "brace": ("component brace, css_styles, line 2:1", 2, 1, "closes nothing", "bracket"),
    "props": (
        *("component typed, on page content, block 1, props at /size", None, None),
        *('"big" is not of type "integer"', "props_schema"),
    ),
    "schema": ("component schema, props_schema at /a/type", None, None, '"strng"', "write string"),
    "condition": (
        *("component typed, on page content, block 2, conditions at /when", None, None),
        *("unknown condition operator", "known"),
    ),
    "zone": ("component typed, on page content, block 3, zone", None, None, "unknown zone", "main"),
    "layout": ("page layout, layout_template", None, None, "unknown layout", "dashboard"),
    "route": ("page route, page_route", None, None, "`..`", ""),
    "dependency": ("component wants, dependencies", None, None, "left-pad", "clsx"),
}


@pytest.fixture(scope="module")
def site(make_site: MakeSite) -> Site:
    made = make_site()
    made.component("fine", "<p>fine</p>")
    made.component("syntax", SYNTAX)
    made.component("throws", THROWS)
    made.component("imports", IMPORTS)
    made.component("css", "<p className='card'>x</p>", css=CSS)
    made.component("typed", "<p>{props.size}</p>", schema={"size": {"type": "integer"}})
    made.component("schema", "<p/>", schema={"a": {"type": "strng"}})
    made.component("wants", "<p/>", dependencies=["left-pad"])
    big = {"size": "big"}
    made.page("home", "fine", "throws")
    made.page(
        "content",
        Block(component="typed", props=big),
        Block(component="typed", conditions={"when": 1}),
        Block(component="typed", zone="middle"),
        "schema",
    )
    made.component("brace", "<p/>", css=".a { color: red }\n}")
    made.page("code", "syntax", "imports", "css", "brace", "wants")
    made.page("layout", "fine", layout="round")
    made.page("route", "fine", route="/../x")
    made.page("good", "fine")
    made.build()
    return made


def _of(site: Site, what: str) -> Problem:
    found = [each for each in site.problems() if what in each.what]
    assert found, "\n".join(map(str, site.problems()))
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_where_what_and_what_to_do(site: Site, kind: str) -> None:
    """Row, field, line and column where there are any, what is wrong, and a remedy."""
    where, line, column, what, remedy = KINDS[kind]
    found = [each for each in site.problems() if what in each.what and where in each.where]
    said = "\n".join(map(str, site.problems()))
    assert found, said
    problem = found[0]
    assert problem.line == line
    if column is not None:
        assert problem.column == column
    assert problem.remedy
    assert remedy in problem.remedy


def test_all_of_them_come_in_one_go(site: Site) -> None:
    """One build names every one of them, and the page without a fault goes out."""
    assert len(site.problems()) >= len(KINDS)
    assert site.file("/good/").is_file()
    assert site.report is not None
    assert site.report.exit_code == 1


@pytest.mark.parametrize(
    ("what", "field", "line"),
    [
        ("Unterminated", "react_code", "  return <p>{label</p>;"),
        ("undefined", "react_code", "const names = (list) => list.map((each) => each.name);"),
        ("elsewhere", "css_styles", ".card { background: url(https://example.org/x.png) }"),
    ],
)
def test_text_quotes_the_line_with_a_caret(site: Site, what: str, field: str, line: str) -> None:
    """Rendered, an error shows the stored line, and a caret under the place."""
    problem = _of(site, what)
    assert problem.field == field
    first, quoted, caret, *rest = str(problem).splitlines()
    assert first.startswith(problem.where)
    margin = f"  {problem.line} | "
    assert quoted == margin + line
    assert problem.column is not None
    assert caret.index("^") == len(margin) + problem.column - 1
    assert rest[-1] == f"  -> {problem.remedy}"


def test_json_has_the_same_structure(site: Site) -> None:
    """`--format json` holds each problem's every field, and nothing is lost on the way."""
    assert site.report is not None
    sent = json.loads(json.dumps(site.report.as_json()))
    listed: list[dict[str, Any]] = [each for run in sent["runs"] for each in run["problems"]]
    back = tuple(Problem(**each) for each in listed)
    assert set(back) == set(site.report.problems)
