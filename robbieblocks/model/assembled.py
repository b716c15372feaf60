"""What assembling makes: pages and their blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from robbieblocks.model.block_orders import block_id, own_order
from robbieblocks.model.feeds import Feed
from robbieblocks.model.languages import DEFAULT_LANGUAGES, Translation
from robbieblocks.model.media import Media
from robbieblocks.model.site_settings import NO_SETTINGS, SiteSettings
from robbieblocks.model.values import Json, JsonObject

Hydrate = Literal["load", "idle", "visible", "never"]


class AssembledBlock(NamedTuple):
    """A block ready to render.

    `props` are valid, with defaults filled in and each placeholder replaced by its fallback.
    `props_json` is their canonical JSON. `fill` are the props before placeholders were replaced, or
    None where there are none. `visitor` is the part of the conditions that the browser decides, as
    JSON, or None. `reset` says whether browsers' margins, bullets and sizes of text are taken away
    in it; None: where its component is written with utility classes. `stated_json`
    are the props with `media:<key>` and `page:<key>` where `props_json` has what was made of it;
    empty where the page's blocks up to it name neither.
    """

    order: int
    zone: str
    component: str
    props: JsonObject
    props_json: str
    fill: JsonObject | None = None
    visitor: JsonObject | None = None
    hydrate: Hydrate = "load"
    reset: bool | None = None
    stated_json: str = ""
    frame: str = ""

    @property
    def own_order(self) -> int:
        """The block_order in the row that the block is from: the page's, or that of `frame`."""
        return own_order(self.order)

    @property
    def id(self) -> str:
        """The id of the block's element; React's ids inside the block begin with it."""
        return block_id(self.order)


@dataclass(frozen=True, slots=True, kw_only=True)
class AssembledPage:
    """A page as one node shows it.

    `path` is its file in the release: `play/index.html`. `title_fill` is the title before
    placeholders were replaced, or None where there are none. `media` are those that its blocks
    show and the one for social networks, by key; the latter is `image`. `links` are the keys of
    pages to which its texts link by key, in order, each with the route that they lead to.
    `settings` are those of the app's frames, `lang` is its language, as a BCP 47 tag,
    `translations` are the pages of its group, by language, itself among them.
    """

    key: str
    app: str
    route: str
    path: str
    layout: str
    title: str
    description: str = ""
    title_fill: str | None = None
    metadata: JsonObject = field(default_factory=dict[str, Json])
    blocks: tuple[AssembledBlock, ...] = ()
    media: tuple[Media, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    image: Media | None = None
    feed: Feed | None = None
    settings: SiteSettings = NO_SETTINGS
    lang: str = DEFAULT_LANGUAGES.default
    translations: tuple[Translation, ...] = ()
