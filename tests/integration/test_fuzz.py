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
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from psycopg import sql
from selectolax.lexbor import LexborHTMLParser

from robbieblocks.errors import Problem
from robbieblocks.pipeline import BuildReport
from robbieblocks.prerender import Prerenderer
from tests.hostile_texts import PARSED, PLAIN
from tests.sites import APP, NODE, Block, MakeSite, Site

BY_HAND = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "40"))
GOOD = """import { useState } from "react";
export default function Good({ text }) {
  const [n, setN] = useState(0);
  return <button className="rounded p-4" onClick={() => setN(n + 1)}>{text} {n}</button>;
}"""
FUZZED_NODE = "fuzzed-node"
_KEYS = {
    "robbieblocks_components": ("component", "component_key"),
    "robbieblocks_pages": ("page", "page_key"),
    "robbieblocks_page_blocks": ("component", ""),
    "robbieblocks_style_tokens": ("style_token", "token_key"),
    "robbieblocks_node_branding": ("node_branding", "node_id"),
}
_MAX_GROWTH = 700 << 20


@dataclass(frozen=True)
class Fuzzed:
    """A good page, and beside it one row of each table that holds a text of Hypothesis' making."""

    site: Site
    editor: psycopg.Connection
    good: bytes
    rows: dict[str, dict[str, Any]]

    def put(self, table: str, column: str, text: Any) -> bool:
        """Whether Postgres takes the text; all other columns are as they were."""
        given = {**self.rows[table], column: text}
        identity = given.pop("id")
        query = sql.SQL("UPDATE {} SET {} WHERE id = {}").format(
            sql.Identifier(table),
            sql.SQL(", ").join(
                sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name))
                for name in given
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
    context.prerenderer.close()
    with (
        Prerenderer(cpu_s=1.0, heap_bytes=96 << 20) as impatient,
        psycopg.connect(site.builder.settings.database_url or "", autocommit=True) as editor,
    ):
        context.prerenderer = impatient
        site.sql("DELETE FROM robbieblocks_node_branding WHERE node_id <> %s", NODE)
        site.component("good", GOOD, css=".good { color: var(--color-primary) }")
        site.component("fuzzed", GOOD)
        site.page("good", Block(component="good", props={"text": "Good"}), title="A good page")
        site.page("fuzzed", Block(component="fuzzed", props={"text": "x"}), "good")
        site.sql(
            "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
            " VALUES ('fuzzed.token', 'color', 'red')"
        )
        site.sql(
            "INSERT INTO robbieblocks_node_branding"
            " (node_id, node_name, style_overrides, enabled_apps) VALUES (%s, 'x', '{}', %s)",
            *(FUZZED_NODE, [APP]),
        )
        rows = {table: _row(site, table) for table in PARSED}
        report = site.builder.build()
        assert report.problems == ()
        good = site.file("/good/").read_bytes()
        yield Fuzzed(site, editor, good, rows)


def _row(site: Site, table: str) -> dict[str, Any]:
    """The row that gets the texts, as Postgres writes it."""
    columns = [*PARSED[table], *PLAIN[table]]
    key = _KEYS[table][1]
    where = f"{key} LIKE 'fuzzed%%'" if key else "block_order = 1 AND props->>'text' = 'x'"
    listed = ", ".join(f"{each}::text" if each in JSON else each for each in columns)
    (row,) = site.builder.sql(f"SELECT id, {listed} FROM {table} WHERE {where}")
    return row


JSON = {"props_schema", "metadata", "props", "conditions", "style_overrides"}
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
    words; the page beside it keeps its bytes, and one that is held back its last good version."""
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
    @given({**PARSED[table], **PLAIN[table]}[column])
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
    assert own <= {"fuzzed", str(text)} or table == "robbieblocks_style_tokens"
    if errors and table == "robbieblocks_style_tokens":
        assert after == live
    elif table == "robbieblocks_style_tokens":
        assert _without_styles(after["good/index.html"]) == _without_styles(fuzzed.good)
    else:
        assert after["good/index.html"] == fuzzed.good
    if "fuzzed" in own and "fuzzed/index.html" in live:
        assert after.get("fuzzed/index.html") == live["fuzzed/index.html"]
    # The good page has the node's styles in itself.
    for path in after:
        if path.endswith(".html"):
            _nothing_of_the_row_runs(after[path].decode())


def _names(problem: Problem, table: str, column: str) -> bool:
    """Whether a problem is said of the row, or of its page."""
    entity, key_column = _KEYS[table]
    if column == key_column:
        return problem.entity in {entity, "page"}
    if table == "robbieblocks_style_tokens":
        return problem.key == "fuzzed.token"
    if table == "robbieblocks_node_branding":
        return problem.key == FUZZED_NODE
    return problem.key == "fuzzed" or problem.page == "fuzzed"


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
