"""Rows as the snapshot read them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple
from uuid import UUID

from robbieblocks.errors import Problem
from robbieblocks.model.block_orders import block_id, own_order
from robbieblocks.model.collections import CollectionRow, RowCollection
from robbieblocks.model.feeds import Feed
from robbieblocks.model.languages import DEFAULT_LANGUAGES, Translation
from robbieblocks.model.media import NO_MEDIA, MediaBytes, MediaLibrary, MediaRow, no_media
from robbieblocks.model.site_settings import NO_SETTINGS, SiteSettings
from robbieblocks.model.taken import Taken
from robbieblocks.model.values import SHARED_APP, Json, equal_json

# Values of which there is one for each block are tuples: there are many thousands, and a frozen
# dataclass takes several times as long to make, to compare and to hash.


REFERENCE_MARKS: Final = ('"$page', '"$row')
"""What the JSON of props with a reference to pages or rows holds, whatever else does."""

METADATA_MARKS: Final = ('"frame"', '"feed"', '"not_found"', '"redirect', '"translation_of"')
"""What the JSON of a frame's or 404 page's metadata holds, or of a page with a feed or redirects or
of a translation, whatever else does."""


class BlockRow(NamedTuple):
    """A component placed on a page. `component` is its key.

    `frame` is the key of the frame that lends the block, where it is not the page's own; `order`
    is then larger than any that a row can have. `taken` says which of its props are other rows'.
    """

    order: int
    zone: str
    component: str
    props: Json
    conditions: Json
    frame: str = ""
    taken: tuple[Taken, ...] = ()

    @property
    def own_order(self) -> int:
        """The block_order in the row that the block is from."""
        return own_order(self.order)

    @property
    def id(self) -> str:
        """The id of the block's element on a page."""
        return block_id(self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFrom:
    """What a page is made from that has no row of its own: a template, and a collection's row.

    `shown` is the page's metadata with `{{` doubled in what is the row's, as lists show it.
    """

    template: PageRow
    collection: str
    row: CollectionRow
    shown: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRow:
    """A published page with its blocks in `block_order`; or a draft, where drafts were asked for.

    `modified` is the date of the last edit of its row and blocks, in ISO 8601, where that is known;
    a page that shows a list, or is made of a collection's row, has none, since it changes with what
    it shows. A draft has no `published_at`: it is shown at once. `relates` is False where it is no
    frame and no 404 page, has no feed, no redirects and no translation, and its props refer to no
    page; None where nobody has looked. Of what it takes from other pages (assemble.Relations),
    `faults` are what was wrong with it, `feed` is its feed, `settings` are those of its frames,
    `default_lang` is the language of its app's pages that state none, `translations` are the pages
    of its group, by language, itself among them, and `part_of` is the key of the page whose list it
    shows a further part of. `made` is there where it is made of a collection's row. `not_found`
    says that it is a 404 page; its route is then that of the file, empty where it has no place.
    """

    id: UUID
    key: str
    app: str
    name: str
    route: str
    layout: str
    meta_title: str | None = None
    meta_description: str | None = None
    created_at: datetime | None = None
    published_at: datetime | None = None
    modified: str = ""
    metadata: Json = field(default_factory=dict[str, Json])
    blocks: tuple[BlockRow, ...] = ()
    draft: bool = False
    relates: bool | None = field(default=None, compare=False)
    faults: tuple[Problem, ...] = ()
    part_of: str = ""
    feed: Feed | None = None
    settings: SiteSettings = NO_SETTINGS
    default_lang: str = DEFAULT_LANGUAGES.default
    translations: tuple[Translation, ...] = ()
    made: MadeFrom | None = None
    not_found: bool = False

    @property
    def row_key(self) -> str:
        """The key of the row that its blocks are from: its own, or that of its list or template."""
        return self.made.template.key if self.made is not None else self.part_of or self.key

    def is_equal(self, other: PageRow) -> bool:
        """Whether both say the same as JSON; False for what nests too deep to be compared."""
        try:
            if self != other:
                return False
        except RecursionError:
            return False
        return equal_json(self._json, other._json)

    @property
    def _json(self) -> Json:
        return [self.metadata, [[each.props, each.conditions] for each in self.blocks]]


# The `component_type` of what is no component: hooks, stores, types, functions.
MODULE: Final = "module"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentRow:
    """A component, published or not; placing an unpublished one is an error of the page.

    Where drafts were asked for, each is `published`, and `draft` says that it is not yet.
    `packaged`: it comes from the package, and no row has its key.
    """

    id: UUID
    key: str
    name: str
    type: str
    code: str
    css: str = ""
    props_schema: Json = field(default_factory=dict[str, Json])
    dependencies: tuple[str, ...] = ()
    published: bool = True
    metadata: Json = field(default_factory=dict[str, Json])
    draft: bool = False
    packaged: bool = False

    @property
    def is_module(self) -> bool:
        """Whether components may import it, and no page can place it."""
        return self.type == MODULE


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A style token: `color.primary` becomes `--color-primary`."""

    key: str
    category: str
    default: str


NODE_KEYS: Final = ("theme", "title_pattern", "og_image")
"""Keys of `style_overrides` that are no tokens."""


def kept_for(key: str) -> str:
    """What one of NODE_KEYS is kept for, so that no token has its name."""
    return "dark and light" if key == "theme" else "nodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeRow:
    """A node's branding. `overrides` holds NODE_KEYS, and token values by token key.

    `settings` are as the row has them: `site_settings` reads them.
    """

    id: str
    name: str
    overrides: Json = field(default_factory=dict[str, Json])
    enabled_apps: tuple[str, ...] = ()
    custom_css: str = ""
    custom_scripts: str = ""
    base_url: str = ""
    settings: Json = field(default_factory=dict[str, Json])

    @property
    def title_pattern(self) -> str:
        """How titles of the node's pages are made: `{title}` with text, and `{site}`, around it."""
        return self._text("title_pattern")

    @property
    def og_image(self) -> str:
        """The address of the picture for pages that have none of their own; "" for none."""
        return self._text("og_image")

    @property
    def theme(self) -> Literal["dark", "light"]:
        """The theme that the overrides name; light where they name none."""
        return "dark" if self._text("theme") == "dark" else "light"

    def _text(self, key: str) -> str:
        value = self.overrides.get(key) if isinstance(self.overrides, Mapping) else None
        return value if isinstance(value, str) else ""

    @property
    def apps(self) -> tuple[str, ...]:
        """The apps this node carries: those it enables, and the shared pages."""
        return tuple(sorted({*self.enabled_apps, SHARED_APP}))


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRow:
    """A row of the change queue: what changed, and where it matters."""

    id: UUID
    trigger_type: str
    affected_apps: tuple[str, ...] | None = None
    affected_nodes: tuple[str, ...] | None = None
    auto_deploy: bool = True
    created_at: datetime | None = None

    def concerns(self, node: str) -> bool:
        """Whether a node has to handle the change."""
        return self.affected_nodes is None or node in self.affected_nodes

    def affected_apps_on(self, node: str, apps: Collection[str]) -> frozenset[str]:
        """Those of a node's apps that may show the change."""
        if not self.concerns(node):
            return frozenset()
        return frozenset(apps if self.affected_apps is None else self.affected_apps) & set(apps)

    def affects(self, node: str, app: str) -> bool:
        """Whether an app on a node may show the change."""
        return bool(self.affected_apps_on(node, (app,)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """Which moment of a database a snapshot shows, so that the next one reads only what changed.

    `visible` is the pg_snapshot of its transaction, `apps` are those whose pages it holds (None:
    all). Each row comes with a digest of the text that it was made from; each component also with
    the row version that was read before it. `unread` are pages with a value that could not be read,
    and may be the next time.
    """

    history: str = ""
    visible: str = ""
    apps: tuple[str, ...] | None = None
    pages: Mapping[UUID, tuple[int | None, PageRow]] = field(
        default_factory=dict[UUID, "tuple[int | None, PageRow]"]
    )
    unread: frozenset[UUID] = frozenset()
    components: Mapping[UUID, tuple[str, int, ComponentRow]] = field(
        default_factory=dict[UUID, tuple[str, int, ComponentRow]]
    )
    nodes: Mapping[str, tuple[int | None, NodeRow]] = field(
        default_factory=dict[str, "tuple[int | None, NodeRow]"]
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All content as one transaction saw it, with the queue rows that it includes.

    `media` is by key. `media_content` gives those of one; it raises KeyError where it is gone,
    DatabaseUnavailable, and SiteUnavailable for a file that can't be read. `library` is what was
    made of them, where the pipeline has done that; then stylesheets have their addresses. `frames`
    are the due pages that others were put into (assemble.Relations), and that are no `pages` any
    more. `frame_instants` are the first instants at which frames that are not due yet become due,
    by app, where pages are as they are shown. `app_settings` are those of frames, by app, where
    they have some; None where they can't be read. `collections` are those of the settings.
    """

    pages: tuple[PageRow, ...]
    frames: tuple[PageRow, ...] = ()
    collections: tuple[RowCollection, ...] = ()
    components: Mapping[str, ComponentRow]
    tokens: tuple[TokenRow, ...]
    nodes: tuple[NodeRow, ...]
    triggers: tuple[TriggerRow, ...] = ()
    media: Mapping[str, MediaRow] = field(default_factory=dict[str, MediaRow])
    media_content: Callable[[str], MediaBytes] = field(default=no_media, repr=False, compare=False)
    library: MediaLibrary = field(default=NO_MEDIA, repr=False, compare=False)
    frame_instants: Mapping[str, datetime] = field(default_factory=dict[str, datetime])
    app_settings: Mapping[str, SiteSettings | None] = field(
        default_factory=dict[str, "SiteSettings | None"]
    )
    taken_at: datetime
    bookmark: Bookmark = field(default_factory=Bookmark, repr=False, compare=False)
