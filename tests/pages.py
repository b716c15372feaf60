"""Pages made of a few components for a test: bundled, prerendered, composed and served for real."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from robbieblocks.bundle import Bundler
from robbieblocks.cache import Cache
from robbieblocks.model import (
    AssembledBlock,
    AssembledPage,
    Asset,
    BrandedNode,
    Bundle,
    ComponentRow,
    RenderedBlock,
    RenderJob,
    TokenRow,
)
from robbieblocks.prerender import NodeSlots, PageRenderer, Prerenderer
from robbieblocks.settings import resource_dir
from robbieblocks.toolchain import Toolchain

NO_ID = UUID(int=0)
TOKENS = (
    "@layer tokens,base,layout,components,utilities,node;@layer tokens{:root{--color-text:#111}}"
)


def component(key: str, code: str, css: str = "") -> ComponentRow:
    """A component's row."""
    return ComponentRow(id=NO_ID, key=key, name=key, type="test", code=code, css=css)


def block(
    order: int, key: str, props: Mapping[str, Any] | None = None, **more: Any
) -> AssembledBlock:
    """A block in the main zone unless said otherwise."""
    given = dict(props or {})
    text = json.dumps(given, ensure_ascii=False)
    more.setdefault("zone", "main")
    return AssembledBlock(order=order, component=key, props=given, props_json=text, **more)


def page(*blocks: AssembledBlock, **more: Any) -> AssembledPage:
    """A page with these blocks at `/`."""
    values: dict[str, Any] = {
        "key": "test-page",
        "app": "play",
        "route": "/",
        "path": "index.html",
        "layout": "single-column",
        "title": "A test page",
    }
    return AssembledPage(blocks=blocks, **{**values, **more})


def node(**more: Any) -> BrandedNode:
    """A dark node without an address."""
    values: dict[str, Any] = {
        "id": "test-node",
        "name": "Test Node",
        "theme": "dark",
        "base_url": "",
        "favicon": Asset.of("favicon", "svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
        "tokens": {"color.background": "#101010"},
        "stylesheet": Asset.of("tokens", "css", TOKENS),
    }
    return BrandedNode(**{**values, **more})


@dataclass(slots=True)
class Press:
    """Makes pages: a toolchain, a warm isolate and the templates."""

    toolchain: Toolchain
    bundler: Bundler
    prerenderer: Prerenderer
    renderer: PageRenderer = field(default_factory=lambda: PageRenderer(resource_dir("templates")))

    def bundle(
        self,
        *rows: ComponentRow,
        base_css: str = "@layer base{[hidden]{display:none!important}}",
        tokens: Sequence[TokenRow] = (),
    ) -> Bundle:
        """The bundle of all given components."""
        # Playwright's loop runs in the test's thread, and mini-racer refuses to wait in a loop.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(
                self.bundler.bundle,
                {row.key: row for row in rows},
                [row.key for row in rows],
                toolchain=self.toolchain,
                tokens=tokens,
                base_css=base_css,
            ).result()

    def render(self, made: Bundle, blocks: Sequence[AssembledBlock]) -> dict[int, RenderedBlock]:
        """Each block's HTML by its order."""
        jobs = [
            RenderJob(component=each.component, props_json=each.props_json, prefix=f"{each.id}-")
            for each in blocks
        ]
        results = self.prerenderer.render(jobs, made)
        return {each.order: result for each, result in zip(blocks, results, strict=True)}

    def html(self, code: str, props: Mapping[str, Any] | None = None) -> RenderedBlock:
        """What one component renders to."""
        made = self.bundle(component("it", code))
        assert not made.problems, [str(problem) for problem in made.problems]
        return self.render(made, [block(1, "it", props)])[1]

    def write(
        self, site: Path, made: Bundle, pages: Sequence[AssembledPage], on: BrandedNode
    ) -> None:
        """Write a browsable site."""
        slots = NodeSlots.of(on)
        assets = {on.stylesheet, *on.fonts, *filter(None, (on.custom_css, on.custom_scripts))}
        assets.update(slots.assets)
        for each in pages:
            rendered = self.render(made, each.blocks)
            assert not [one.problem for one in rendered.values() if one.problem]
            document = self.renderer.compose(each, rendered, made)
            target = site / each.path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(document.fill(slots))
            assets.update(document.assets)
        folder = site / "_rb"
        folder.mkdir(parents=True, exist_ok=True)
        for asset in assets:
            (folder / asset.name).write_bytes(asset.content)


@pytest.fixture(scope="session")
def press(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Press]:
    """One press for the session; its isolate stays warm."""
    with (
        Cache(tmp_path_factory.mktemp("press")) as cache,
        closing(Bundler(cache)) as bundler,
        Prerenderer() as prerenderer,
    ):
        yield Press(toolchain, bundler, prerenderer)


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".js": "text/javascript"}  # noqa: RUF012 - as its base class has it

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The address under which a folder is served meanwhile."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


Publish = Callable[..., str]


@pytest.fixture
def publish(press: Press, tmp_path: Path) -> Iterator[Publish]:
    """Serves one page made of the given components and blocks; its address."""
    with ExitStack() as stack:

        def made(rows: list[ComponentRow], blocks: list[AssembledBlock], **more: Any) -> str:
            press.write(tmp_path, press.bundle(*rows), [page(*blocks, **more)], node())
            return stack.enter_context(served(tmp_path))

        yield made


@pytest.fixture
def placed(press: Press, tmp_path: Path) -> Iterator[Publish]:
    """Serves a page with a block of each given component, of which none has a problem."""
    with ExitStack() as stack:

        def made(*rows: ComponentRow) -> str:
            bundle = press.bundle(*{row.key: row for row in rows}.values())
            assert bundle.problems == ()
            blocks = [block(order, row.key) for order, row in enumerate(rows, 1)]
            press.write(tmp_path, bundle, [page(*blocks)], node())
            return stack.enter_context(served(tmp_path))

        yield made
