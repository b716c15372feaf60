"""The documents as a site that RobbieBlocks builds, served as `make docs` serves it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin

import psycopg
import pytest
from selectolax.lexbor import LexborHTMLParser

from tests import loopback
from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation
from tools.docs_site import DOCS, ROOT, main, route_of

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.postgres]


def test_the_documents_become_a_site_without_a_dead_link(
    toolchain: object, tmp_path: Path, database: str, context: BrowserContext
) -> None:
    """Every document is a page that the first one leads to, each link and fragment leads somewhere,
    `check` finds nothing; in a browser a page is silent, open to all and as wide as the window."""
    assert toolchain
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE robbieblocks_style_tokens, robbieblocks_node_branding")
    folder = tmp_path / "site"
    main(folder)
    home = {"ROBBIEBLOCKS_HOME": ""}
    shell = Installation(home=folder / ".robbieblocks", database_url=database, variables=home)
    for command in (("content", "import"), ("build", "--strict")):
        ran = shell.run(*command, cwd=folder)
        assert ran.code == 0, ran
    assert shell.run("check", cwd=folder).out == "0 errors, 0 warnings\n"
    with shell.running("serve", "--port", "0") as server:
        assert server.stdout is not None
        served = dict(server.stdout.readline().split() for _ in range(2))
        ids, links = crawled(served["light"])
        documents = [*DOCS.rglob("*.md"), *ROOT.glob("C*.md")]
        assert {urljoin(served["light"], route_of(file)) for file in documents} == set(ids)
        # No page takes what a document says of placeholders for one of its own.
        output = LexborHTMLParser(loopback.get(urljoin(served["light"], "/output/")).content)
        assert any("{{name|fallback}}" in code.text() for code in output.css("code"))
        fragments = {urldefrag(link) for link in links}
        assert not [at for at, name in fragments if name and name not in ids[at]]
        for node, width in (("light", 1280), ("dark", 390)):
            page, noise = context.new_page(), Noise()
            noise.watch(page)
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(urljoin(served[node], "/tutorial/"))
            page.locator("figure.code .copy").first.wait_for()
            assert accessibility_violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert noise == Noise()


def crawled(start: str) -> tuple[dict[str, set[str]], set[str]]:
    """The ids of each page that links lead to, by address, and all links within the site."""
    ids: dict[str, set[str]] = {}
    links: set[str] = set()
    waiting = [start]
    while waiting:
        address = waiting.pop()
        if address in ids:
            continue
        tree = LexborHTMLParser(loopback.get(address).raise_for_status().content)
        ids[address] = {node.attributes["id"] or "" for node in tree.css("[id]")}
        hrefs = (node.attributes["href"] or "" for node in tree.css("body a[href]"))
        found = {urljoin(address, href) for href in hrefs}
        links |= {link for link in found if link.startswith(start)}
        waiting += [urldefrag(link).url for link in found if link.startswith(start)]
    return ids, links
