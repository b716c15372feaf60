"""The tools that a build needs, opened once and kept warm between builds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from psycopg import Connection

from robbieblocks import failpoints, snapshot
from robbieblocks import toolchain as toolchains
from robbieblocks.assemble import Assembly
from robbieblocks.brand import brand
from robbieblocks.bundle import react
from robbieblocks.cache import Cache
from robbieblocks.errors import Problem
from robbieblocks.model import (
    BrandedNode,
    NodeRow,
    RenderedBlock,
    RenderJob,
    Sha256,
    Snapshot,
    TokenRow,
)
from robbieblocks.pipeline.blocks import Blocks, Coming
from robbieblocks.pipeline.garbage import Garbage
from robbieblocks.pipeline.maintenance import Maintenance
from robbieblocks.pipeline.plan import Fingerprints
from robbieblocks.pipeline.routes import Routes
from robbieblocks.pipeline.targets import Target
from robbieblocks.prerender import JobKeys, PageRenderer, Prerenderer, RenderedBatch
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.toolchain import Toolchain

BLOCKS = "html"
# So many blocks are rendered again, at most, after a kill.
_MOST_FRESH = 10_000


@dataclass(slots=True, kw_only=True)
class Workshop(AbstractContextManager["Workshop"]):
    """Toolchain, templates, cache and a warm isolate. Close it to end the isolate's process.

    `failures` remembers pages that did not render, by fingerprint, so that a worker which looks
    again does not run into them again before their content changes. `assemblies`,
    `fingerprints`, `brands` and `routes` keep what the last build made of rows, and `content` the
    rows themselves, so that the next one reads and works on what changed. With `spares`, a spare
    release is made after each build: of no use to a process that ends then.
    """

    toolchain: Toolchain
    shell: PageRenderer
    base_css: str
    cache: Cache
    prerenderer: Prerenderer
    failures: dict[Sha256, tuple[Problem, ...]] = field(default_factory=dict)
    assemblies: dict[str, Assembly] = field(default_factory=dict)
    fingerprints: dict[str, Fingerprints] = field(default_factory=dict)
    brands: dict[str, tuple[NodeRow, Sequence[TokenRow], BrandedNode]] = field(default_factory=dict)
    routes: Routes = field(default_factory=Routes)
    content: Snapshot | None = None
    _fresh: dict[str, bytes] = field(default_factory=dict)
    _read_by: Connection | None = None
    spares: bool = False
    _maintenance: Maintenance = field(default_factory=Maintenance)
    _garbage: Garbage = field(default_factory=Garbage)

    @classmethod
    def open(
        cls,
        settings: Settings,
        progress: Callable[[str], None],
        prerenderer: Prerenderer | None = None,
    ) -> Self:
        """Fetch the toolchain if it isn't cached; nothing else is started before it is needed.

        A `prerenderer` that is there already is closed with the workshop.

        Raises ToolchainUnavailable, and ContentError for templates that can't be read.
        """
        toolchain = toolchains.ensure(settings, progress)
        shell = PageRenderer(settings.templates)
        return cls(
            toolchain=toolchain,
            shell=shell,
            base_css=_base_css(settings),
            cache=Cache(settings.cache),
            prerenderer=prerenderer or Prerenderer(),
        )

    def expect(self, blocks: int) -> None:
        """Have isolates get ready for so many blocks while other work is done.

        Raises ProcessFailed where they, or esbuild, can't run.
        """
        if blocks:
            self.prerenderer.start(blocks, react(self.toolchain, self.cache))

    def render(self, jobs: Sequence[RenderJob], keys: JobKeys, blocks: Blocks) -> int:
        """Give `blocks` those of distinct jobs: from the cache where possible, and the others as
        soon as they are there; all are begun now. Says how many those are.

        Blocks with a problem are not kept: an error is found again, and told again, each time.
        """
        by_job = {job: keys.key(job) for job in jobs}
        cached = self.cache.get_many(BLOCKS, by_job.values())
        blocks.add(
            {job: _decode(cached[key]) for job, key in by_job.items() if key in cached},
        )
        missing = {job: key for job, key in by_job.items() if key not in cached}
        if missing:
            parts = self.prerenderer.stream(list(missing), keys.bundle)
            blocks.expect(missing, self._kept(missing, parts))
        return len(missing)

    def _kept(self, keys: Mapping[RenderJob, str], parts: Iterable[RenderedBatch]) -> Coming:
        """The parts, which `keep` is to remember."""
        for part in parts:
            failpoints.reached("rendered")
            for job, block in part.items():
                if not block.problem:
                    self._fresh[keys[job]] = _encode(block)
            if len(self._fresh) >= _MOST_FRESH:
                self.keep()
            yield part

    def keep(self) -> None:
        """Put blocks that were rendered into the cache.

        At the latest when the build ends, and seldom one by one: best while the disk is waited for.
        """
        fresh, self._fresh = self._fresh, {}
        self.cache.put_many(BLOCKS, fresh)

    @contextmanager
    def at_work(self, *, thorough: bool) -> Iterator[None]:
        """Be in the midst of a build; afterwards let go of what only a build needs."""
        with self._garbage.waits(thorough=thorough), self._maintenance.put_off():
            try:
                yield
            finally:
                self.prerenderer.keep_one()
                self.keep()

    def refresh(self, settings: Settings, progress: Callable[[str], None]) -> None:
        """Take up templates and a toolchain that changed since the workshop was opened."""
        toolchain, shell = toolchains.ensure(settings, progress), PageRenderer(settings.templates)
        base_css = _base_css(settings)
        if (toolchain.id, shell.id, base_css) != (self.toolchain.id, self.shell.id, self.base_css):
            self.toolchain, self.shell, self.base_css = toolchain, shell, base_css
            self.failures.clear()

    def close(self) -> None:
        """End the isolate's process and close the cache."""
        self.__exit__(None, None, None)

    def read(self, connection: Connection, nodes: Sequence[str], *, whole: bool) -> Snapshot:
        """The content as it is now: what changed since the last time, or `whole`.

        Over another connection it is read whole, too: a server that crashed may have lost commits
        that were seen, and given their numbers again. Raises DatabaseUnavailable, SchemaOutdated.
        """
        if whole or self.content is None or self._read_by is not connection:
            self.content = snapshot.take(connection, nodes=nodes, previous=self.content)
        else:
            self.content = snapshot.refresh(connection, self.content, nodes=nodes)
        self._read_by = connection
        return self.content

    def brand(self, node: NodeRow, tokens: Sequence[TokenRow]) -> BrandedNode:
        """A node's look; the last build's where the snapshot has the same row and tokens."""
        known = self.brands.get(node.id)
        if known is None or known[0] is not node or known[1] is not tokens:
            known = (node, tokens, brand(node, tokens, self.toolchain.fonts))
            self.brands[node.id] = known
        return known[2]

    def stock(self, site_root: SiteRoot, targets: Sequence[Target]) -> None:
        """Make spares beside a build that looks at everything, for the edits that come after it."""
        if self.spares:
            self._maintenance.request(site_root, targets, standby=True, at_once=True)

    def tidy(self, site_root: SiteRoot, targets: Sequence[Target]) -> None:
        """Remove releases that are not kept, in a thread: visitors and editors need not wait.

        Without `spares` that is done at once; with them, once no build was at work for a while.
        """
        self._maintenance.request(site_root, targets, standby=self.spares)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._maintenance.close()
        self.prerenderer.__exit__(kind, error, trace)
        self.cache.close()


def _base_css(settings: Settings) -> str:
    return "\n".join((settings.templates / name).read_text() for name in ("base.css", "layout.css"))


def _encode(block: RenderedBlock) -> bytes:
    """A byte with what the browser must do, then the HTML: ten times as quick as JSON."""
    return bytes([block.interactive | block.volatile << 1]) + block.html.encode()


def _decode(entry: bytes) -> RenderedBlock:
    flags = entry[0]
    return RenderedBlock(
        html=entry[1:].decode(), interactive=bool(flags & 1), volatile=bool(flags & 2)
    )
