"""Whole sites for tests: rows as editors store them, built by the pipeline, served over HTTP."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import uvicorn
from psycopg.types.json import Jsonb
from starlette.types import ASGIApp

from robbieblocks import database, serve
from robbieblocks.errors import Problem
from robbieblocks.pipeline import BuildContext, BuildReport
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.building import Builder, KeptPrerenderer
from tests.databases import Databases

NODE = "vengeance-local"
APP = "play"

# Playwright's loop may run in the tests' thread, and mini-racer refuses to wait in a loop. One
# thread for all builds: a child ends with the thread that started it, and isolates stay warm.
_THREAD = ThreadPoolExecutor(1, "build")

_COMPONENT = """
    INSERT INTO robbieblocks_components
        (component_key, component_name, component_type, react_code, css_styles, props_schema,
         dependencies, is_published, metadata)
    VALUES (%s, %s, 'test', %s, %s, %s, %s, %s, %s)
"""
_PAGE = """
    INSERT INTO robbieblocks_pages
        (page_key, app_namespace, page_name, page_route, layout_template, meta_title,
         meta_description, status, metadata)
    VALUES (%s, %s, %s, %s, %s, %s, %s, 'published', %s) RETURNING id
"""
_BLOCK = """
    INSERT INTO robbieblocks_page_blocks
        (page_id, component_id, block_order, zone, props, conditions)
    SELECT %s, id, %s, %s, %s, %s FROM robbieblocks_components WHERE component_key = %s
"""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A component placed on a page."""

    component: str
    props: Any = None
    conditions: Any = None
    zone: str = "main"


class Site:
    """One app on one node: rows go in, pages come out."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self.report: BuildReport | None = None
        self._open = psycopg.connect(builder.settings.database_url or "", autocommit=True)

    def close(self) -> None:
        """Let go of the database."""
        self._open.close()

    def component(
        self,
        key: str,
        code: str,
        *,
        css: str | None = None,
        schema: Any = None,
        dependencies: Sequence[str] = (),
        published: bool = True,
        metadata: Any = None,
        name: str | None = None,
    ) -> None:
        """Store a component."""
        self._open.execute(
            _COMPONENT,
            (
                *(key, name or key, code, css, Jsonb({} if schema is None else schema)),
                *(list(dependencies), published, Jsonb(metadata or {})),
            ),
        )

    def page(
        self,
        key: str,
        *blocks: Block | str,
        route: str | None = None,
        app: str = APP,
        layout: str = "single-column",
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        metadata: Any = None,
    ) -> None:
        """Store a published page; a text among the blocks is a component without props."""
        route = f"/{key}/" if route is None else route
        with self._open.transaction():
            found = self._open.execute(
                _PAGE,
                (
                    *(key, app, name or key, route, layout, title, description),
                    Jsonb({} if metadata is None else metadata),
                ),
            ).fetchone()
            assert found is not None
            for order, each in enumerate(blocks, 1):
                block = Block(component=each) if isinstance(each, str) else each
                placed = self._open.execute(
                    _BLOCK,
                    (
                        *(found[0], order, block.zone),
                        Jsonb({} if block.props is None else block.props),
                        Jsonb({} if block.conditions is None else block.conditions),
                        block.component,
                    ),
                )
                assert placed.rowcount == 1, f"no component {block.component}"

    def sql(self, query: str, *values: Any) -> None:
        """Any other edit."""
        self._open.execute(query.encode(), values or None)

    def build(self, *nodes: str, app: str = APP) -> BuildReport:
        """Build the app for one node, or those that are named."""
        built = _THREAD.submit(self.builder.build, nodes=nodes or [NODE], apps=[app])
        self.report = built.result()
        return self.report

    def problems(self, *, warnings: bool = False) -> list[Problem]:
        """What the last build found wrong."""
        assert self.report is not None
        return [each for each in self.report.problems if warnings or each.severity == "error"]

    def file(self, route: str, node: str = NODE, app: str = APP) -> Path:
        """A page's file."""
        path = route.strip("/")
        return (
            self.builder.settings.site_root
            / node
            / app
            / "current"
            / (f"{path}/index.html" if path else "index.html")
        )

    def served(self, node: str = NODE) -> AbstractContextManager[str]:
        """The node's address, while the block runs."""
        return served(self.builder.settings.site_root, node)


def served(
    site_root: Path, node: str, applications: Mapping[str, str] = MappingProxyType({})
) -> AbstractContextManager[str]:
    """One node on a free port of this process, while the block runs."""
    return on_port(serve.app(SiteRoot(site_root), node, applications))


@contextmanager
def on_port(app: ASGIApp) -> Iterator[str]:
    """An app at an address of this process, while the block runs."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_config=None, proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


if TYPE_CHECKING:
    from playwright.sync_api import Page

MakeSite = Callable[[], Site]


@pytest.fixture(scope="module")
def make_site(
    databases: Databases,
    schema_template: str,
    warm_cache: Path,
    kept_isolates: KeptPrerenderer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[MakeSite]:
    """Opens sites without pages; they live as long as the module's tests."""
    with ExitStack() as stack:

        def make() -> Site:
            home = tmp_path_factory.mktemp("site")
            conninfo = stack.enter_context(databases.copy(schema_template))
            settings = replace(
                Settings.from_environment(database_url=conninfo),
                home=home,
                site_root=home / "site",
                cache=home / "cache",
            )
            shutil.copytree(warm_cache, settings.cache)
            connection = stack.enter_context(database.connect(settings, application_name="test"))
            context = stack.enter_context(
                BuildContext.open(settings, lambda _: None, prerenderer=kept_isolates)
            )
            site = Site(Builder(settings=settings, connection=connection, context=context))
            stack.callback(site.close)
            return site

        yield make


def island_ids(html: str) -> Mapping[str, Any]:
    """The islands of a page by block id, as the page's own script reads them."""
    from selectolax.lexbor import LexborHTMLParser

    found = LexborHTMLParser(html).css_first("#rb-islands")
    return {each["id"]: each for each in json.loads(found.text())} if found is not None else {}


def alive(page: Page) -> None:
    """Wait until each block that hydrates at once belongs to React."""
    page.wait_for_function(
        """() => {
            const data = document.getElementById("rb-islands");
            if (!data) return true;
            return JSON.parse(data.textContent).every(({ id, when, still }) => {
                const first = document.getElementById(id).firstElementChild;
                return !first || when !== "load" || still
                    || Object.keys(first).some((key) => key.startsWith("__reactFiber"));
            });
        }"""
    )


def visit(page: Page, url: str) -> None:
    """Open a page that is there, and wait for its blocks."""
    answer = page.goto(url)
    assert answer is not None
    assert answer.ok, f"{url}: {answer.status}"
    alive(page)
