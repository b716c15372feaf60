"""The example shop, made as `make demo SITE=shop` makes it, and visited."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urljoin

import pytest

from tests import loopback
from tests.acceptance.test_docs_site import crawled
from tests.browser.chromium import Noise, accessibility_violations
from tests.commands import Installation
from tests.databases import Databases

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"
NODES = ("kiln", "quay")
PATHS = (
    "",
    "pieces/",
    "pieces/skerry-bowl",
    "journal/",
    "journal/first-firing/",
    "contact/",
    "de/",
)
COMMANDS = (
    ("db", "init"),
    ("db", "psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", "products.sql"),
    ("collections", "install", "--apply"),
    ("content", "import"),
    ("build", "--strict"),
)


@pytest.fixture(scope="module")
def shop(
    toolchain: object, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The shop in a folder and a database of its own, built."""
    assert toolchain
    folder = tmp_path_factory.mktemp("shop") / "shop"
    shutil.copytree(SHOP, folder, ignore=shutil.ignore_patterns(".robbieblocks"))
    with databases.copy() as conninfo:
        home = {"ROBBIEBLOCKS_HOME": ""}
        shell = Installation(home=folder / ".robbieblocks", database_url=conninfo, variables=home)
        for command in COMMANDS:
            ran = shell.run(*command)
            assert ran.code == 0, ran
        yield shell


@pytest.fixture(scope="module")
def served(shop: Installation) -> Iterator[Mapping[str, str]]:
    """The address of each node."""
    with shop.running("serve", "--port", "0") as server:
        assert server.stdout is not None
        yield dict(server.stdout.readline().split() for _ in NODES)


def test_make_demo_takes_these_steps() -> None:
    """What `make demo SITE=shop` runs is what this file has tried."""
    lines = (SHOP.parents[1] / "Makefile").read_text("utf-8").splitlines()
    steps = [line.partition("$(SHOP) ")[2] for line in lines if line.startswith("\t$(SHOP) ")]
    assert [tuple(step.split()) for step in steps] == list(COMMANDS)


def test_check_finds_nothing(shop: Installation) -> None:
    assert shop.run("check").out == "0 errors, 0 warnings\n"


def test_every_link_leads_somewhere(served: Mapping[str, str]) -> None:
    """From the first page of each node, in both languages; fragments, too."""
    for address in served.values():
        ids, links = crawled(address)
        assert len(ids) > 110
        assert urljoin(address, "/shop/de/") in ids
        fragments = {urldefrag(link) for link in links}
        assert not [at for at, name in fragments if name and name not in ids[at]]


def test_one_piece_that_changes_is_one_page(shop: Installation) -> None:
    """And the lists that show it: the price of a bowl rewrites nothing of mugs."""
    update = "UPDATE pieces SET price_cents = 4900 WHERE slug = 'anvil-bowl'"
    assert shop.run("db", "psql", "-q", "-c", update).code == 0
    ran = shop.run("build", "--app", "shop", "--node", "quay", "--format", "json")
    pages = [page for run in json.loads(ran.out)["runs"] for page in run["pages"]]
    changed = {page["key"] for page in pages if page["change"] != "unchanged"}
    assert {"piece--anvil-bowl", "stueck--anvil-bowl", "pieces", "stuecke"} <= changed
    assert not [key for key in changed if key.endswith(("-mug", "-vase", "-plate"))]


def test_old_addresses_lead_on(served: Mapping[str, str]) -> None:
    """Redirects of the frame."""
    moved = loopback.get(urljoin(served["quay"], "/blog/sea-glaze/"), follow_redirects=True)
    assert moved.url.path == "/shop/journal/sea-glaze/"
    assert loopback.get(served["quay"] + "summer-sale/").status_code == 410


def test_pages_are_silent_and_open_to_all(
    served: Mapping[str, str], context: BrowserContext
) -> None:
    """No console message, nothing that axe names, no page wider than its window."""
    for node, width in (("quay", 1280), ("kiln", 390)):
        for path in PATHS:
            page, noise = context.new_page(), Noise()
            noise.watch(page)
            page.set_viewport_size({"width": width, "height": 800})
            page.goto(served[node] + path)
            page.wait_for_load_state("networkidle")
            assert accessibility_violations(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") == width, path
            assert noise == Noise(), path
            page.close()
