"""Hostile rows in whole builds: each sits on its own page beside a good one, and ends in a clear
error or in correct text; the good page's bytes are what they are without it."""
# ruff: noqa: E501  # a case reads best on one line

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psycopg
import pytest
import tinycss2
from psycopg.types.json import Jsonb
from selectolax.lexbor import LexborHTMLParser, LexborNode

from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.prerender import Prerenderer
from robbieblocks.prerender.isolate import client
from tests import hostile_media, hostile_parsers, hostile_rows
from tests.hostile_rows import MARKUP, NODES, REFUSED, TOKENS, Case
from tests.sites import APP, NODE, Block, MakeSite, Site, island_ids, served, visit

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The first test of all waits for two builds of 650 pages, many of which run into a bound.
pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

GOOD = """import { useState } from "react";
export default function Good({ text }) {
  const [n, setN] = useState(0);
  return <button className="rounded bg-primary p-4" onClick={() => setN(n + 1)}>
    {text} {n} {typeof leak} {Object.keys({}).length} {[1, 2].map((x) => x + 1).join()}</button>;
}"""
# What runs into a bound is tried last, as that ends the isolate that others are rendered in.
CASES = [*hostile_rows.CASES, *hostile_media.CASES, *hostile_parsers.CASES]
NUMBERED = list(enumerate(CASES))
# Those with markup in every column, by number.
WITH_MARKUP = NUMBERED[: len(hostile_rows.CASES)]


@dataclass(frozen=True)
class Built:
    site: Site
    before: dict[str, bytes]
    after: dict[str, bytes]
    assets: dict[str, bytes]
    problems: tuple[Problem, ...]
    started: int


@pytest.fixture(scope="module")
def built(make_site: MakeSite) -> Iterator[Built]:
    """The good page alone, then all the hostile ones beside it: two builds."""
    site = make_site()
    context = site.builder.context
    context.prerenderer.close()
    with (
        Prerenderer(cpu_s=0.4, heap_bytes=96 << 20) as impatient,
        patch.object(client, "start_child", wraps=client.start_child) as started,
    ):
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
        yield Built(site, before, after, assets, report.problems, started.call_count)


def test_the_corpus_is_large() -> None:
    """There are at least 250 cases, each with a name of its own, beside markup in every column."""
    own = [*hostile_rows.CODE, *hostile_rows.OTHERS, *hostile_media.CASES, *hostile_parsers.CASES]
    assert len({case.name for case in own}) == len(own) >= 250
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_good_page_is_untouched(built: Built) -> None:
    """With all the hostile rows beside it, the good page's bytes are exactly what they were."""
    assert built.after["good/index.html"] == built.before["good/index.html"]


def test_what_ruins_isolates_ruins_few(built: Built) -> None:
    """A block whose promises never end is found by halves: those beside it cost no isolate each."""
    assert 2 <= built.started <= 14


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
    children = document.css("body > *")
    # The note for visitors without scripts stands where a page has controls.
    tags = [node.tag for node in children if node.tag != "noscript"]
    assert tags[:2] == ["a", "div"]
    # The addresses of modules that are asked for once the page is painted.
    tags = [node.tag for node in head.iter() if node.id != "rb-preloads"]
    assert {*tags} <= {"meta", "title", "script", "link", "style"}
    assert len(document.css("template#rb-preloads")) <= 1
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
    for number, case in WITH_MARKUP:
        if case.error or not case.page or "route" in case.page:
            continue
        document = LexborHTMLParser(built.after[f"case-{number}/index.html"].decode())
        title, description = _text(document, "title"), _meta(document, "name=description")
        stored = case.page.get("title") or case.page.get("name")
        if stored:
            # The node writes its name beside titles.
            assert title.removesuffix(" · Vengeance") == " ".join(stored.split())
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
    number, case = next(one for one in NUMBERED if one[1].name == "css escapes its scope")
    document = LexborHTMLParser(built.after[f"{case.page_key(number)}/index.html"].decode())
    # Tokens first, then what the page needs; the page's one component is the last of that.
    (_, needed) = [style.text() for style in document.css("head > style")]
    sheet = needed[needed.index("@layer components{") :]
    for rule in tinycss2.parse_stylesheet(sheet, skip_whitespace=True, skip_comments=True):
        assert rule.type == "at-rule"
        assert rule.lower_at_keyword == "layer"
    assert "display:none" in sheet.replace(" ", "")
    own = f"[data-rb-component~=hostile-{number}]"
    preludes = re.findall(r"([^{}]+)\{[^{}]*\}", sheet)
    assert len(preludes) == 2
    assert all(own in each for prelude in preludes for each in prelude.split(","))


@pytest.mark.browser
def test_hostile_pages_are_silent_and_run_nothing(built: Built, page: Page) -> None:
    """In Chromium the pages show their texts, say nothing in the console, and no script of a row ran."""
    live = [
        n
        for n, case in WITH_MARKUP
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


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses(built: Built, name: str) -> None:
    """What Postgres can't hold never becomes a row."""
    query, said = REFUSED[name]
    with pytest.raises(psycopg.Error, match=said):
        built.site.sql(query)


def test_hostile_nodes_harm_only_themselves(built: Built) -> None:
    """Each hostile node row ends in an error that names the node, or in pages with its texts as
    text; the good node's pages keep their bytes."""
    site = built.site
    site.sql("UPDATE robbieblocks_pages SET status = 'draft' WHERE page_key <> 'good'")
    for number, (_, row, _) in enumerate(NODES):
        given: dict[str, Any] = {
            "node_name": "x",
            "style_overrides": {},
            "enabled_apps": ["play"],
            "custom_css": None,
            "custom_scripts": None,
            "base_url": None,
            "settings": {},
            **row,
        }
        site.sql(
            "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps, custom_css, custom_scripts, base_url, settings) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            *(f"hostile-{number}", given["node_name"], Jsonb(given["style_overrides"])),
            *(
                given["enabled_apps"],
                given["custom_css"],
                given["custom_scripts"],
                given["base_url"],
                Jsonb(given["settings"]),
            ),
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
        assert printable(key).split(":")[0][:5] in said
        assert site.file("/good/").read_bytes() == live
    finally:
        site.sql("DELETE FROM robbieblocks_style_tokens WHERE token_key = %s", key)


@pytest.mark.parametrize("node", ["", "..", "../../etc", "a/b", "\x1b[2J"])
def test_a_node_that_can_name_no_folder_is_only_that(built: Built, node: str) -> None:
    """Its run fails with a problem that names the row; other nodes are built and keep their pages."""
    site = built.site
    live = site.file("/good/").read_bytes()
    site.sql(
        "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps) VALUES (%s, 'x', '{}', '{play,..}')",
        node,
    )
    try:
        report = site.build(NODE, node)
    finally:
        site.sql("DELETE FROM robbieblocks_node_branding WHERE node_id = %s", node)
    fields = {each.field for each in report.problems if each.key == printable(node)}
    assert {"node_id", "enabled_apps"} <= fields
    assert {run.node: run.outcome for run in report.runs}[node] == "failed"
    assert site.file("/good/").read_bytes() == live


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
    site.builder.build_approved(nodes=[NODE], apps=[APP])
    html = site.file("/many/").read_text()
    assert html.count("<i>") == 10_000
    assert html.index("<i>9999</i>") < html.index("<i>10000</i>")
    assert site.file("/good/").read_bytes() == built.before["good/index.html"]
