"""Indexes for search by the real Pagefind, from rows to the files of a release."""

from __future__ import annotations

import json
import pkgutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from robbieblocks import process
from robbieblocks.builtin import BUILTIN
from robbieblocks.checks import Checked
from robbieblocks.checks.rules.search import search_off, unused_search
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import sha256
from robbieblocks.pipeline import BuildContext, Request, inspect
from robbieblocks.pipeline.search_indexes import SearchIndexes
from robbieblocks.settings import SearchSettings
from tests.building import NOW
from tests.commands import Installation
from tests.integration.test_build_kill import IMPORTS, VICTIM
from tests.needs import missing
from tests.sites import APP, NODE, Block, MakeSite, Site
from tests.victims import victims
from tests.workers import until

pytestmark = pytest.mark.postgres

FILE = f"search-{APP}.json"
_TEXT = """export default function Text({ text }: { text: string }) {
  return <><h1>Page</h1><p>{text}</p><p data-pagefind-ignore="">unseen</p></>;
}"""


@pytest.fixture(scope="module")
def indexed(make_site: MakeSite) -> Iterator[Site]:
    """Pages in two languages, one of them with the field, and one for nobody to find."""
    site = make_site()
    site.builder.settings = replace(site.builder.settings, search=SearchSettings(frozenset({APP})))
    site.builder.context.close()
    site.builder.context = BuildContext.open(site.builder.settings, lambda _: None)
    search = BUILTIN["search"]
    site.component(search.key, search.code, css=search.css, schema=search.props_schema)
    site.component("text", _TEXT)
    site.page("bowls", Block(component="text", props={"text": "glazed bowls"}), "search")
    site.page("cups", Block(component="text", props={"text": "running cups"}))
    german = Block(component="text", props={"text": "glasierte Schalen"})
    site.page("schalen", german, metadata={"lang": "de"})
    site.page("secret", "text", metadata={"robots": "noindex"})
    yield site
    site.builder.context.close()


@pytest.fixture
def site(indexed: Site) -> Site:
    """The site as it was made and live, whatever the test before did to it."""
    indexed.sql(
        "UPDATE robbieblocks_pages SET status = 'published', meta_title = NULL, "
        "meta_description = NULL WHERE status <> 'published' OR meta_title IS NOT NULL "
        "OR meta_description IS NOT NULL"
    )
    indexed.sql(
        "UPDATE robbieblocks_pages SET metadata = metadata - 'tags' WHERE metadata ? 'tags'"
    )
    context = indexed.builder.context
    context.search = SearchIndexes.of(context.settings, lambda _: None, context.rest, later=False)
    indexed.build()
    assert not indexed.problems(warnings=True)
    return indexed


def listing(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.builder.files(NODE, APP)[FILE])
    return found


def shown(site: Site) -> dict[str, set[str]]:
    """The addresses that results of each language can have."""
    assets = site.builder.settings.site_root / NODE / "assets"
    found: dict[str, set[str]] = {}
    for language, parts in listing(site)["languages"].items():
        packs = [json.loads((assets / url[5:]).read_text()) for _, url in parts["packs"]]
        pages = [page for pack in packs for page in pack.values()]
        assert not [page for page in pages if "unseen" in page["text"]]
        found[language] = {page["url"] for page in pages}
    return found


def ended(pid: int) -> bool:
    """Whether a process runs no more, though nobody may have asked yet how it ended."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_an_index_goes_live_with_its_pages(site: Site) -> None:
    """By language, without pages that are not to be found; an equal build changes nothing."""
    assert shown(site) == {"en": {"/bowls/", "/cups/"}, "de": {"/schalen/"}}
    assert "'wasm-unsafe-eval'" in site.file("/bowls/").read_text()
    assert "wasm" not in site.file("/cups/").read_text()
    before = site.builder.files(NODE, APP)
    (again,) = site.build().runs
    assert again.outcome == "unchanged"
    context = site.builder.context
    context.search = SearchIndexes.of(context.settings, lambda _: None, context.rest, later=False)
    site.sql("UPDATE robbieblocks_pages SET meta_description = 'x' WHERE page_key = 'cups'")
    site.build()
    assert site.builder.files(NODE, APP)[FILE] != before[FILE]
    site.sql("UPDATE robbieblocks_pages SET meta_description = NULL WHERE page_key = 'cups'")
    site.build()
    assert site.builder.files(NODE, APP) == before


def test_a_worker_publishes_first_and_the_index_after(site: Site) -> None:
    """What is gone is not offered from the swap on; the index comes with a build of its own."""
    search = site.builder.context.search
    assert search is not None
    # Builds that never rest put it off for so long at most.
    search.later, search.rest.rest_s, search.wait_max_s = True, 3600.0, 0.0
    ready = threading.Event()
    search.on_ready = ready.set
    key = listing(site)["key"]
    site.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'cups'")
    site.build()
    assert not site.file("/cups/").exists()
    first = listing(site)
    assert (first["key"], first["gone"]) == (key, ["/cups/"])
    assert ready.wait(60)
    assert search.take_ready() == {APP}
    (later,) = site.build().runs
    assert later.outcome == "published"
    assert later.changed == ()
    assert listing(site)["gone"] == []
    assert shown(site)["en"] == {"/bowls/"}
    (settled,) = site.build().runs
    assert settled.outcome == "unchanged"


def test_tags_are_a_part_of_the_index_alone(site: Site) -> None:
    """They make it anew without another byte of a page; by a worker, too, which then rests."""
    before = site.builder.files(NODE, APP)
    assert [parts["filters"] for parts in listing(site)["languages"].values()] == [{}, {}]
    site.sql(
        'UPDATE robbieblocks_pages SET metadata = metadata || \'{"tags": ["clay"]}\' '
        "WHERE page_key = 'schalen'"
    )
    site.build()
    tagged = listing(site)
    filters = {name: len(parts["filters"]) for name, parts in tagged["languages"].items()}
    assert filters == {"de": 1, "en": 0}
    after = site.builder.files(NODE, APP)
    assert {name for name, _ in before.items() ^ after.items()} == {FILE, "manifest.json"}
    search = site.builder.context.search
    assert search is not None
    search.later, search.rest.rest_s, search.wait_max_s = True, 3600.0, 0.0
    ready = threading.Event()
    search.on_ready = ready.set
    site.sql(
        'UPDATE robbieblocks_pages SET metadata = metadata || \'{"tags": ["sand"]}\' '
        "WHERE page_key = 'schalen'"
    )
    site.build()
    assert ready.wait(60)
    site.build()
    assert listing(site)["key"] not in (json.loads(before[FILE])["key"], tagged["key"])
    (settled,) = site.build().runs
    assert settled.outcome == "unchanged"


MAKE = "robbieblocks.pipeline.search_indexes.make_index"


def test_an_index_whose_process_was_killed_is_made_again(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the worker's thread, without another edit."""
    search, real, tries = site.builder.context.search, pkgutil.resolve_name(MAKE), list[str]()
    assert search is not None

    def killed_once(*given: Any, **named: Any) -> Any:
        tries.append("a try")
        if len(tries) == 1:
            raise ProcessFailed("it was killed")
        return real(*given, **named)

    monkeypatch.setattr(MAKE, killed_once)
    monkeypatch.setattr("robbieblocks.pipeline.search_indexes._PAUSE_S", 0.0)
    search.later, search.rest.rest_s, search.wait_max_s = True, 3600.0, 0.0
    ready = threading.Event()
    search.on_ready = ready.set
    site.sql("UPDATE robbieblocks_pages SET meta_title = 'Other' WHERE page_key = 'bowls'")
    site.build()
    before = listing(site)
    assert ready.wait(60)
    site.build()
    assert len(tries) == 2
    assert listing(site)["key"] != before["key"]


def test_an_index_that_can_not_be_made_holds_no_page_back(site: Site) -> None:
    """The index stays as it was, and a warning says so."""
    search = site.builder.context.search
    assert search is not None
    key = listing(site)["key"]
    search.close()  # what is closed has no index made
    site.sql("UPDATE robbieblocks_pages SET meta_title = 'Mugs' WHERE page_key = 'cups'")
    site.build()
    (problem,) = site.problems(warnings=True)
    assert problem.key == "search.apps"
    assert "was told to stop" in problem.what
    assert "Mugs" in site.file("/cups/").read_text()
    assert listing(site)["key"] == key


def test_check_names_fields_without_index_and_indexes_without_field(site: Site) -> None:
    builder = site.builder
    inspection = inspect(
        Request(apps=(APP,), nodes=(NODE,)),
        context=builder.context,
        connection=builder.connection,
        clock=lambda: NOW,
        progress=lambda _: None,
    )
    found: dict[str, list[str]] = {}
    for apps in (APP, "", "*", "nowhere"):
        settings = replace(builder.settings, search=SearchSettings.of({"search.apps": apps}))
        checked = Checked(inspection=inspection, settings=settings, progress=lambda _: None)
        problems = [each.problem for each in (*search_off(checked), *unused_search(checked))]
        found[apps] = [f"{each.key}: {each.what}" for each in problems]
    off = f"bowls: it has a search field, and its app {APP} has no index"
    unused = "search.apps: nowhere: there is no app nowhere"
    assert found == {APP: [], "": [off], "*": [], "nowhere": [off, unused]}


@pytest.mark.chaos
def test_pagefind_ends_with_the_process_that_was_killed(tmp_path: Path) -> None:
    """One that went on would take minutes and gigabytes for an index that nobody waits for."""
    if not process.setpriv_prefix():
        missing("without setpriv of util-linux nothing ends a program with its parent")
    program, started = tmp_path / "program", tmp_path / "started"
    program.write_text(
        f"#!/bin/sh\necho $$ > {started}.new\nmv {started}.new {started}\nexec /bin/sleep 600"
    )
    program.chmod(0o755)
    page = tmp_path / "page.html"
    page.write_text('<meta property="og:title" content="Cups"><main>cups</main>')
    pages = [("/cups/", str(page), sha256(page.read_bytes()), ())]
    job = {"program": str(program), "key": "key", "pages": pages}
    (tmp_path / "job.json").write_text(json.dumps(job))
    child = [sys.executable, "-m", "robbieblocks.search.indexing_process", str(tmp_path)]
    with subprocess.Popen(child) as indexing:
        until(started.exists)
        indexing.kill()
    pid = int(started.read_text())
    until(lambda: ended(pid))


@pytest.mark.chaos
def test_a_killed_build_leaves_the_index_whole(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the new one was made, or written: the old one is live with its release."""
    builder = site.builder
    settings, before = builder.settings, builder.files(NODE, APP)
    own = Installation(home=settings.home, database_url=settings.database_url)
    (tmp_path / "robbieblocks.toml").write_text(f'[search]\napps = "{APP}"\n')
    monkeypatch.chdir(tmp_path)
    site.sql("UPDATE robbieblocks_pages SET meta_title = 'Mugs' WHERE page_key = 'cups'")
    with victims(VICTIM, IMPORTS, tmp_path) as processes:
        for step in ("search", "assets"):
            command = ("SIGKILL", step, "build", "--node", NODE, "--app", APP)
            killed = processes.run(*command, environment=own.environment)
            assert killed.code == -signal.SIGKILL, killed
            assert builder.files(NODE, APP) == before
            shown(site)
    site.build()
    assert builder.files(NODE, APP)[FILE] != before[FILE]
    assert shown(site)["en"] == {"/bowls/", "/cups/"}
