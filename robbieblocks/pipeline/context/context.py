"""What a process keeps open and warm between builds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from psycopg import Connection

from robbieblocks import collector, record, snapshot
from robbieblocks import toolchain as toolchains
from robbieblocks.assemble import Assembly
from robbieblocks.brand import brand
from robbieblocks.bundle import Bundler
from robbieblocks.cache import Cache
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import BrandedNode, Bundle, NodeRow, Sha256, Snapshot, TokenRow, same
from robbieblocks.pipeline.context.block_cache import BlockCache
from robbieblocks.pipeline.context.maintenance import Maintenance
from robbieblocks.pipeline.fingerprints import Fingerprints
from robbieblocks.pipeline.route_conflicts import RouteConflicts
from robbieblocks.prerender import PageRenderer, Prerenderer
from robbieblocks.settings import Settings
from robbieblocks.toolchain import Toolchain


@dataclass(slots=True, kw_only=True)
class BuildMemory:
    """What the last build made of rows, so that the next one works on what changed alone.

    `failures` are pages that did not render, by fingerprint: a page is not rendered again before
    what it is made from changes. `branded` holds, by node id, the rows from which a node's branding
    was made, and the branding.
    """

    content: Snapshot | None = None
    read_over: Connection | None = None
    assemblies: dict[str, Assembly] = field(default_factory=dict)
    fingerprints: dict[str, Fingerprints] = field(default_factory=dict)
    routes: RouteConflicts = field(default_factory=RouteConflicts)
    failures: dict[Sha256, tuple[Problem, ...]] = field(default_factory=dict)
    branded: dict[str, tuple[NodeRow, Sequence[TokenRow], BrandedNode]] = field(
        default_factory=dict
    )

    def read(self, connection: Connection, nodes: Sequence[str], *, full: bool) -> Snapshot:
        """The content as it is now: what changed since the last time, or all of it where `full`.

        Over another connection all is read, too: a server that crashed may have lost commits that
        were read, and given their numbers again. Raises DatabaseUnavailable, SchemaOutdated.
        """
        if full or self.content is None or not same(self.read_over, connection):
            self.content = snapshot.take(connection, nodes=nodes, previous=self.content)
        else:
            self.content = snapshot.refresh(connection, self.content, nodes=nodes)
        self.read_over = connection
        return self.content


@dataclass(slots=True, kw_only=True)
class BuildContext(AbstractContextManager["BuildContext"]):
    """Toolchain, templates, cache, isolates and memory. Closing it ends every child process.

    `standby` says whether standby trees are made after builds: of no use to a process that ends.
    """

    settings: Settings
    toolchain: Toolchain
    page_renderer: PageRenderer
    base_css: str
    cache: Cache
    bundler: Bundler
    blocks: BlockCache
    prerenderer: Prerenderer
    standby: bool = False
    memory: BuildMemory = field(default_factory=BuildMemory)
    maintenance: Maintenance = field(default_factory=Maintenance)
    leases: record.Leases = field(default_factory=record.Leases)
    _collection: collector.FullBuildCollection = field(
        default_factory=collector.FullBuildCollection
    )

    @classmethod
    def open(
        cls,
        settings: Settings,
        progress: Callable[[str], None],
        *,
        prerenderer: Prerenderer | None = None,
        standby: bool = False,
    ) -> Self:
        """Fetch the toolchain if it isn't cached, and read the templates.

        Nothing else is started before it is needed. A `prerenderer` that was started earlier is
        closed with the context. Raises ToolchainUnavailable, and ContentError for templates that
        can't be read.
        """
        cache = Cache(settings.cache)
        return cls(
            settings=settings,
            toolchain=toolchains.ensure(settings, progress),
            page_renderer=PageRenderer(settings.templates),
            base_css=_base_css(settings.templates),
            cache=cache,
            bundler=Bundler(cache),
            blocks=BlockCache(cache),
            prerenderer=prerenderer or Prerenderer(),
            standby=standby,
        )

    def refresh(self, progress: Callable[[str], None]) -> None:
        """Use the templates and the toolchain as they are now. Raises as `open` does."""
        toolchain = toolchains.ensure(self.settings, progress)
        renderer, base_css = (
            PageRenderer(self.settings.templates),
            _base_css(self.settings.templates),
        )
        known = self.toolchain.id, self.page_renderer.id, self.base_css
        if (toolchain.id, renderer.id, base_css) != known:
            self.toolchain, self.page_renderer, self.base_css = toolchain, renderer, base_css
            self.memory.failures.clear()

    @contextmanager
    def at_work(self, *, full: bool) -> Generator[None]:
        """Build inside the block; afterwards release what only a build needs."""
        with collector.paused(), self.maintenance.put_off():
            try:
                yield
            finally:
                self.prerenderer.keep_one()
                self.blocks.flush()
                if full:
                    self._collection.collect()

    def start_isolates(self, blocks: int) -> None:
        """Start the isolates that so many blocks need, while other work is done.

        Raises ProcessFailed where they, or esbuild, can't run.
        """
        if blocks:
            self.prerenderer.start(blocks, self.bundler.react(self.toolchain))

    def bundle(self, content: Snapshot, placed: Collection[str]) -> Bundle:
        """The modules of the placed components. Raises ProcessFailed where esbuild can't run."""
        return self.bundler.bundle(
            content.components,
            placed,
            toolchain=self.toolchain,
            tokens=content.tokens,
            base_css=self.base_css,
        )

    def brand(self, node: NodeRow, tokens: Sequence[TokenRow]) -> BrandedNode:
        """A node's branding: the last build's, where it was made from the same rows."""
        known = self.memory.branded.get(node.id)
        if known is None or not (same(known[0], node) and same(known[1], tokens)):
            known = (node, tokens, brand(node, tokens, self.toolchain.fonts))
            self.memory.branded[node.id] = known
        return known[2]

    def close(self) -> None:
        """End the child processes and close the cache."""
        self.__exit__(None, None, None)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.maintenance.close()
        self.prerenderer.__exit__(kind, error, trace)
        self.bundler.close()
        self.cache.close()


def _base_css(templates: Path) -> str:
    """The base styles of all pages. Raises ContentError where a file can't be read."""
    texts: list[str] = []
    problems: list[Problem] = []
    for name in ("base.css", "layout.css"):
        try:
            texts.append((templates / name).read_text("utf-8"))
        except (OSError, UnicodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            problems.append(
                Problem(
                    entity="template",
                    key=name,
                    what=f"{templates / name} can't be read: {reason}",
                    remedy="put the file there; the one that comes along is a good start",
                )
            )
    if problems:
        raise ContentError(problems)
    return "\n".join(texts)
