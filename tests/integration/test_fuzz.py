"""Fuzzed rows in whole builds: whatever stands in a column, the build ends, blames that row alone,
and leaves the page beside it as it is.

`FUZZ_EXAMPLES` says how many texts each parsed column gets (a quarter of them for the others).
Without it the same texts are tried every time.
"""

from __future__ import annotations

import os
import re
import resource
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from psycopg import sql
from selectolax.lexbor import LexborHTMLParser

from robbieblocks.errors import Problem
from robbieblocks.model import CollectionSource
from robbieblocks.pipeline import BuildReport
from robbieblocks.prerender import Prerenderer
from robbieblocks.settings.forms import Forms, FormSettings
from tests.hostile_texts import PARSED, PLAIN
from tests.media_files import png
from tests.sites import APP, NODE, Block, MakeSite, Site

BY_HAND = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "24"))
GOOD = """import { useState } from "react";
export default function Good({ text }) {
  const [n, setN] = useState(0);
  return <button className="rounded p-4" onClick={() => setN(n + 1)}>{text} {n}</button>;
}"""
FUZZED_NODE = "fuzzed-node"
QUEUED = "11111111-1111-4111-8111-111111111111"
# Of a problem with one of these rows.
KEYS = {"fuzzed", "fuzzed.token", FUZZED_NODE, QUEUED}
_MAX_GROWTH = 700 << 20
_SCHEMA = {
    "picture": {"type": "string", "format": "media"},
    "story": {"type": "string", "format": "markdown"},
    "frame": {"type": "string", "format": "embed"},
    "form": {"type": "string", "format": "form"},
    "fields": {"type": "array"},
}
GOODS = CollectionSource(
    name="goods",
    view=("fuzzed_goods",),
    key="slug",
    route="/goods/{slug}/",
    template_page="goods",
    rows_max=50,
)
_GOODS = """
    CREATE TABLE fuzzed_goods (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), slug text, word text,
                               amount numeric, since timestamptz, list text[], more jsonb);
    INSERT INTO fuzzed_goods (slug, word, list, more) VALUES ('fuzzed', 'x', '{}', '{}'),
                                                             ('good', 'Good', '{a}', '{}');
"""


@dataclass(frozen=True)
class Row:
    """A row that gets the texts: where it is, and as what problems may name it or its pages."""

    where: str
    named: tuple[str, ...]
    key_column: str = ""
    table: str = ""
    besides: tuple[str, ...] = ()


ROWS = {
    "robbieblocks_components": Row(
        "component_key = 'fuzzed'", ("component", "page fuzzed"), "component_key"
    ),
    "robbieblocks_pages": Row("page_key = 'fuzzed'", ("page fuzzed",), "page_key"),
    "frame": Row("page_key = 'frame'", ("page frame",), "page_key", "robbieblocks_pages"),
    "robbieblocks_page_blocks": Row(
        "block_order = 1 AND props->>'text' = 'x'", ("component", "page fuzzed")
    ),
    "robbieblocks_style_tokens": Row(
        "token_key = 'fuzzed.token'", ("style_token", "node_branding"), "token_key"
    ),
    "robbieblocks_node_branding": Row(
        f"node_id = '{FUZZED_NODE}'", (f"node_branding {FUZZED_NODE}",), "node_id"
    ),
    "media_assets": Row(
        "media_key = 'fuzzed'",
        ("media", "page fuzzed", f"node_branding {FUZZED_NODE}"),
        "media_key",
    ),
    "fuzzed_goods": Row("slug = 'fuzzed'", ("collection goods",), "slug"),
    "robbieblocks_change_triggers": Row(
        f"id = '{QUEUED}'", ("change_trigger",), besides=("processed_at", "handled_nodes")
    ),
}


@dataclass(frozen=True)
class Fuzzed:
    """Good pages, and beside them rows that hold a text of Hypothesis' making: `good` are the
    bytes of those that are nobody's but their own, by path."""

    site: Site
    editor: psycopg.Connection
    good: dict[str, bytes]
    rows: dict[str, dict[str, Any]]

    def put(self, name: str, column: str, text: Any) -> bool:
        """Whether Postgres takes the text; all other columns are as they were."""
        given = {**self.rows[name], column: text}
        identity = given.pop("id")
        query = sql.SQL("UPDATE {} SET {} WHERE id = {}").format(
            sql.Identifier(ROWS[name].table or name),
            sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(each), sql.Placeholder(each))
                for each in given
            ),
            sql.Literal(identity),
        )
        try:
            self.site.builder.connection.rollback()
            self.editor.execute(query, given)
        except (psycopg.DataError, psycopg.IntegrityError, psycopg.errors.ProgramLimitExceeded):
            return False
        return True

    def build(self) -> BuildReport:
        """All apps on both nodes."""
        return self.site.builder.build()


@pytest.fixture(scope="module")
def fuzzed(make_site: MakeSite) -> Iterator[Fuzzed]:
    """Built once while all is good."""
    site = make_site()
    context = site.builder.context
    context.settings = replace(
        context.settings,
        collections=(GOODS,),
        forms=Forms(by_name={"contact": FormSettings(name="contact")}),
    )
    context.prerenderer.close()
    with (
        Prerenderer(cpu_s=1.0, heap_bytes=96 << 20) as impatient,
        psycopg.connect(site.builder.settings.database_url or "", autocommit=True) as editor,
    ):
        context.prerenderer = impatient
        site.sql("DELETE FROM robbieblocks_node_branding WHERE node_id <> %s", NODE)
        site.sql(_GOODS)
        site.sql(
            "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash,"
            " size_bytes, alt) VALUES ('fuzzed', 'x.png', 'image/png', %s, '', 0, 'x')",
            png(8, 6),
        )
        site.component("good", GOOD, css=".good { color: var(--color-primary) }")
        site.component("fuzzed", GOOD, schema=_SCHEMA)
        site.page("good", Block(component="good", props={"text": "Good"}), title="A good page")
        props = {"text": "x", "picture": "media:fuzzed"}
        site.page("fuzzed", Block(component="fuzzed", props=props), "good")
        site.page(
            "goods",
            Block(component="good", props={"text": {"$row": "word"}}),
            route="",
            metadata={"more": {"$row": "more"}, "amount": {"$row": "amount"}},
        )
        # Whatever stands in the row, lists that show it go out, with a feed.
        lists = {
            "text": "List",
            "pages": {"$pages": {}},
            "rows": {"$rows": {"collection": "goods"}},
        }
        feed = {"feed": {"forms": ["atom", "rss", "json"]}}
        site.page("list", Block(component="good", props=lists), metadata=feed)
        site.page("framed", "good", app="framed")
        site.page("frame", app="framed", route="", metadata={"frame": True})
        site.sql(
            "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
            " VALUES ('fuzzed.token', 'color', 'red')"
        )
        site.sql(
            "INSERT INTO robbieblocks_node_branding"
            " (node_id, node_name, style_overrides, enabled_apps, base_url, settings)"
            " VALUES (%s, 'x', '{}', %s, 'https://x.example', '{\"social_card\": true}')",
            *(FUZZED_NODE, [APP, "framed"]),
        )
        site.sql("UPDATE robbieblocks_node_branding SET enabled_apps = '{play,framed}'")
        site.sql(
            "INSERT INTO robbieblocks_change_triggers (id, trigger_type, entity_type, entity_id)"
            " VALUES (%s, 'page_update', 'page', gen_random_uuid())",
            QUEUED,
        )
        rows = {name: _row(site, name) for name in ROWS}
        report = site.builder.build()
        assert report.problems == ()
        good = {path: _bytes(site, path) for path in ("good/index.html", "goods/good/index.html")}
        yield Fuzzed(site, editor, good, rows)


def _bytes(site: Site, path: str) -> bytes:
    return site.builder.files(NODE, APP)[path]


def _row(site: Site, name: str) -> dict[str, Any]:
    """The row that gets the texts, as Postgres writes it."""
    row = ROWS[name]
    columns = [*PARSED.get(name, ()), *PLAIN.get(name, ()), *row.besides]
    listed = ", ".join(f"{each}::text" if each in JSON else each for each in columns)
    (found,) = site.builder.sql(f"SELECT id, {listed} FROM {row.table or name} WHERE {row.where}")
    return found


JSON = {
    *("props_schema", "metadata", "props", "conditions", "style_overrides", "settings", "more"),
    *("before", "after"),
}
COLUMNS = [
    *((table, name, EXAMPLES) for table, columns in PARSED.items() for name in columns),
    *((table, name, EXAMPLES // 4 + 1) for table, columns in PLAIN.items() for name in columns),
]


@pytest.mark.postgres
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@pytest.mark.timeout(0 if BY_HAND else 300)
@pytest.mark.parametrize(("table", "column", "examples"), COLUMNS)
def test_a_fuzzed_row_harms_only_itself(
    fuzzed: Fuzzed, table: str, column: str, examples: int
) -> None:
    """The build ends without an exception, in bounded memory; every error names the row, in few
    words; pages beside it keep their bytes, and one that is held back its last good version."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    @settings(
        max_examples=examples,
        derandomize=not BY_HAND,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if BY_HAND else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given({**PARSED.get(table, {}), **PLAIN.get(table, {})}[column])
    def check(text: Any) -> None:
        _check(fuzzed, table, column, text)

    try:
        check()
    finally:
        fuzzed.put(table, column, fuzzed.rows[table][column])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown * 1024 < _MAX_GROWTH


def _check(fuzzed: Fuzzed, table: str, column: str, text: Any) -> None:
    site = fuzzed.site
    if not fuzzed.put(table, column, text):
        return
    live = site.builder.files(NODE, APP)
    report = fuzzed.build()
    after = site.builder.files(NODE, APP)
    errors = [each for each in report.problems if each.severity == "error"]
    for problem in report.problems:
        said = str(problem)
        assert problem.remedy, said
        assert len(said) < 8_000, said
    assert all(_names(each, table, column) for each in errors), "\n".join(map(str, errors))
    on_node = [run for run in report.runs if (run.node, run.app) == (NODE, APP)]
    assert all(run.outcome != "failed" or run.problems or run.error for run in report.runs)
    own = {page.key for run in on_node for page in run.held_back}
    made = {key for key in own if key.startswith("goods--")} - {"goods--good"}
    assert own - made <= {"fuzzed", str(text)} or table == "robbieblocks_style_tokens"
    if errors and table == "robbieblocks_style_tokens":
        assert after == live
    for path, good in fuzzed.good.items():
        if table == "robbieblocks_style_tokens":
            assert errors or _without_styles(after[path]) == _without_styles(good)
        else:
            assert after[path] == good
    if "fuzzed" in own and "fuzzed/index.html" in live:
        assert after.get("fuzzed/index.html") == live["fuzzed/index.html"]
    # The good page has the node's styles in itself.
    for path in after:
        if path.endswith(".html"):
            _nothing_of_the_row_runs(after[path].decode())


def _names(problem: Problem, table: str, column: str) -> bool:
    """Whether a problem is said of the row, or of its page."""
    row = ROWS[table]
    if column == row.key_column and problem.entity in {*(n.split()[0] for n in row.named), "page"}:
        return True
    pages = {name for name in row.named if name.startswith("page ")}
    return (
        f"{problem.entity} {problem.key}" in row.named
        or (problem.entity in row.named and problem.key in KEYS)
        or f"page {problem.page}" in pages
    )


def _without_styles(html: bytes) -> bytes:
    """A page without its styles, their hashes in its policy, and addresses of what is built."""
    own = rb"<link[^>]*>|<style.*?</style>|style-src [^;]*;|/_rb/[a-z]+-[^\"]*"
    return re.sub(own, b"", html, flags=re.DOTALL)


def _nothing_of_the_row_runs(html: str) -> None:
    document = LexborHTMLParser(html)
    for node in document.css("*"):
        assert not [name for name in node.attributes if name.startswith("on")], html
        assert node.tag not in {"base", "object", "embed", "iframe"}, html
    for script in document.css("script"):
        source = script.attributes.get("src")
        assert source is None or source.startswith("/_rb/"), html
