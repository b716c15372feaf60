"""What a process keeps open and warm between builds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Generator, Hashable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Self

from robbieblocks import collector, record
from robbieblocks import toolchain as toolchains
from robbieblocks.bundle import Bundler, linked
from robbieblocks.cache import Cache, bound
from robbieblocks.media import CardMaker, IconMaker, MediaMaker
from robbieblocks.model import (
    NO_MEDIA,
    BrandedNode,
    Bundle,
    MediaLibrary,
    NodeRow,
    Snapshot,
    StyleForm,
    TokenRow,
    same,
)
from robbieblocks.pipeline.block_cache import BlockCache
from robbieblocks.pipeline.branding import branded
from robbieblocks.pipeline.maintenance import Maintenance
from robbieblocks.pipeline.memory import BuildMemory
from robbieblocks.pipeline.rest import Rest
from robbieblocks.pipeline.search_indexes import SearchIndexes
from robbieblocks.pipeline.shared_results import shared_cache_of
from robbieblocks.pipeline.social_cards import SocialCards
from robbieblocks.prerender import PageRenderer, Prerenderer
from robbieblocks.row_faults import is_passing
from robbieblocks.settings import Settings
from robbieblocks.toolchain import Toolchain

if TYPE_CHECKING:
    from robbieblocks.shared_cache import SharedCache

# Up to here a token edit, which rewrites every page, takes half a second (docs/performance.md).
_INLINE_PAGES_MAX: Final = 1_000
# What is linked stays so down to here: else each page that comes or goes could rewrite all others.
_LINKED_PAGES_MIN: Final = 901


@dataclass(slots=True, kw_only=True)
class BuildContext(AbstractContextManager["BuildContext"]):
    """Toolchain, templates, cache, isolates and memory. Closing it ends every child process.

    `standby` says whether standby trees are made after builds: of no use to a process that ends.
    `linked` bundles have modules that name their imports by file (`bundle.linked`).
    """

    settings: Settings
    toolchain: Toolchain
    page_renderer: PageRenderer
    base_css: str
    cache: Cache
    shared: SharedCache | None = None
    bundler: Bundler
    blocks: BlockCache
    media: MediaMaker
    icons: IconMaker
    prerenderer: Prerenderer
    standby: bool = False
    linked: bool = False
    memory: BuildMemory = field(default_factory=BuildMemory)
    rest: Rest
    maintenance: Maintenance
    cards: SocialCards
    search: SearchIndexes | None = None
    leases: record.Leases = field(default_factory=record.Leases)
    _collection: collector.CollectionAfterChecks = field(
        default_factory=collector.CollectionAfterChecks
    )

    @classmethod
    def open(
        cls,
        settings: Settings,
        progress: Callable[[str], None],
        *,
        prerenderer: Prerenderer | None = None,
        standby: bool = False,
        linked: bool = False,
        stopped: threading.Event | None = None,
    ) -> Self:
        """Fetch the toolchain if it isn't cached, and read the templates.

        Nothing else is started before it is needed. A `prerenderer` that was started earlier is
        closed with the context. Once `stopped` is set no other node is waited for. Raises
        ToolchainUnavailable, ContentError for templates that can't be read, and UsageError for a
        shared cache that can't be opened.
        """
        shared = shared_cache_of(settings, stopped)
        cache = Cache(settings.cache, shared)
        toolchain = toolchains.ensure(settings, progress)
        renderer = PageRenderer(*settings.templates)
        rest = Rest()
        return cls(
            settings=settings,
            toolchain=toolchain,
            page_renderer=renderer,
            base_css=renderer.base_css(),
            cache=cache,
            shared=shared,
            bundler=Bundler(cache),
            blocks=BlockCache(cache),
            media=MediaMaker.of(cache, settings),
            icons=IconMaker(cache),
            prerenderer=prerenderer or Prerenderer(),
            standby=standby,
            linked=linked,
            rest=rest,
            maintenance=Maintenance(rest, tidy=lambda: bound(settings.cache)),
            cards=SocialCards(maker=CardMaker(cache), rest=rest, later=standby),
            search=SearchIndexes.of(settings, progress, rest, later=standby),
        )

    def refresh(self, progress: Callable[[str], None]) -> None:
        """Use the templates and the toolchain as they are now. Raises as `open` does."""
        toolchain = toolchains.ensure(self.settings, progress)
        renderer = PageRenderer(*self.settings.templates)
        base_css = renderer.base_css()
        known = self.toolchain.id, self.page_renderer.id, self.base_css
        if (toolchain.id, renderer.id, base_css) != known:
            self.toolchain, self.page_renderer, self.base_css = toolchain, renderer, base_css
            self.memory.failures.clear()

    def use(self, settings: Settings, progress: Callable[[str], None]) -> None:
        """Work with other templates from now on. Raises as `open` does."""
        self.settings = settings
        self.refresh(progress)

    def aside(self, page_renderer: PageRenderer) -> Self:
        """The same packages, cache and processes, with other templates and a memory of its own."""
        return replace(self, page_renderer=page_renderer, memory=BuildMemory())

    def part(self, key: Hashable) -> Self:
        """The same for some of the nodes of a build, which show other pages than the others."""
        return replace(self, memory=self.memory.part(key))

    @contextmanager
    def at_work(self, *, collect: bool) -> Generator[None]:
        """Build inside the block, then release what only a build needs; `collect` old garbage."""
        with collector.paused(), self.rest.put_off():
            try:
                yield
            finally:
                self.prerenderer.keep_one()
                self.blocks.flush()
                if collect:
                    self._collection.collect()

    def start_isolates(self, blocks: int) -> None:
        """Start the isolates that so many blocks need, while other work is done.

        Raises ProcessFailed where they, or esbuild, can't run.
        """
        if blocks:
            self.prerenderer.start(blocks, self.bundler.react(self.toolchain))

    def resolve(self, content: Snapshot) -> Snapshot:
        """The rows with their media; what is not in the cache is made now.

        Raises DatabaseUnavailable and SiteUnavailable.
        """
        return self.memory.media.resolve(content, self.media)

    def bundle(self, content: Snapshot, placed: Collection[str]) -> Bundle:
        """The modules of the placed components. Raises ProcessFailed where esbuild can't run."""
        made = self.bundler.bundle(
            content.components,
            placed,
            toolchain=self.toolchain,
            tokens=content.tokens,
            base_css=self.base_css,
            # Whoever works on a site is told in which line a component failed.
            source_maps=self.linked or self.settings.source_maps,
            for_developers=self.linked,
        )
        return linked(made) if self.linked else made

    def style_form(self, pages: int, is_linked: Callable[[], bool]) -> StyleForm:
        """Where the styles of an app with so many pages stand: the setting's word, or by size.

        `is_linked` says whether they are linked in what is live; it is asked where both would do.
        """
        if self.linked:
            # The development server exchanges single sheets in an open page.
            return "separate"
        wanted = self.settings.styles
        if wanted == "auto":
            if _LINKED_PAGES_MIN <= pages <= _INLINE_PAGES_MAX:
                return "fixed" if is_linked() else "inline"
            return "inline" if pages < _LINKED_PAGES_MIN else "fixed"
        return wanted

    def brand(
        self, node: NodeRow, tokens: Sequence[TokenRow], library: MediaLibrary = NO_MEDIA
    ) -> BrandedNode:
        """A node's branding: the last build's, where it was made from the same rows.

        Raises Transient where its script is new, and esbuild can't run.
        """
        known = self.memory.branded.get(node.id)
        if known is None or not (same(known[0], node) and same(known[1], tokens)):
            made = branded(node, tokens, library, self.toolchain, self.bundler)
            known = (node, tokens, made)
            if not is_passing(made.problems):
                self.memory.branded[node.id] = known
        return known[2]

    def close(self) -> None:
        """End the child processes and close the cache."""
        if self.shared is not None:
            # What makes media ahead may be waiting for a node, and is waited for here.
            self.shared.hurry()
        self.media.close()
        self.cards.close()
        if self.search is not None:
            self.search.close()
        self.maintenance.close()
        self.prerenderer.close()
        self.bundler.close()
        if self.shared is not None:
            self.shared.close()
        self.cache.close()

    def __exit__(self, *_: object) -> None:
        self.close()
