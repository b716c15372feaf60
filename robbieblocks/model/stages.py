"""What the stages make of rows, in their order."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, NamedTuple, Protocol

from robbieblocks.errors import Problem
from robbieblocks.model.feeds import Feed
from robbieblocks.model.languages import DEFAULT_LANGUAGES, Translation
from robbieblocks.model.media import Media
from robbieblocks.model.rows import block_id, own_order
from robbieblocks.model.site_settings import NO_SETTINGS, SiteSettings
from robbieblocks.model.social_card import CardStyle
from robbieblocks.model.values import ASSET_PREFIX, Json, JsonObject, Sha256, sha256

# --- assemble --------------------------------------------------------------------------------

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


# --- brand -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FontFace:
    """One file of a self-hosted font, with the descriptors of its @font-face rule."""

    family: str
    style: str
    weight: str
    unicode_range: str
    content: bytes = field(repr=False)
    file: str


class IconLink(NamedTuple):
    """A link of the head to an icon."""

    rel: str
    url: str
    type: str
    sizes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrandedNode:
    """A node's branding as files, with every problem found in its rows.

    `tokens` are the resolved values by token key, `aliases` the keys that a value names in its row.
    `stylesheet` sets the values as custom properties. `favicon` is an SVG. `scheme` are the values
    for visitors who prefer the other theme; empty where the node has one theme. `card` is how
    social cards look; None where there are none.
    """

    id: str
    name: str
    theme: Literal["dark", "light"]
    base_url: str
    favicon: Asset
    tokens: Mapping[str, str]
    stylesheet: Asset
    aliases: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    custom_css: Asset | None = None
    custom_scripts: Asset | None = None
    fonts: tuple[Asset, ...] = ()
    preload_fonts: tuple[Asset, ...] = ()
    title_pattern: str = ""
    og_image: str = ""
    icons: tuple[IconLink, ...] = ()
    manifest: Asset | None = None
    card: CardStyle | None = None
    scheme: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: SiteSettings = NO_SETTINGS
    problems: tuple[Problem, ...] = ()


# --- bundle ----------------------------------------------------------------------------------

StyleForm = Literal["inline", "linked", "fixed", "separate"]
"""Where a page's styles stand: in the page; tokens, base and the node's own in one file, the others
in the page; the same with that file at an address that stays; or each sheet in a file. Files are
named by their hash, but for that of `fixed`."""

_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Asset:
    """Immutable bytes served under `/_rb/`, named by the hash of their content."""

    name: str
    content: bytes = field(repr=False)

    @classmethod
    def of(cls, stem: str, extension: str, content: bytes | str) -> Asset:
        """An asset named `<stem>-<16 hex digits>.<extension>`; the stem is made safe."""
        data = content.encode() if isinstance(content, str) else content
        slug = _SLUG.sub("-", stem.lower()).strip("-")[:60] or "asset"
        return cls(f"{slug}-{sha256(data)[:16]}.{extension}", data)

    @property
    def url(self) -> str:
        """The URL path of the asset."""
        return ASSET_PREFIX + self.name

    @cached_property
    def integrity(self) -> str:
        """The value of an `integrity` attribute (W3C Subresource Integrity)."""
        digest = hashlib.sha384(self.content).digest()
        return "sha384-" + base64.b64encode(digest).decode()


@dataclass(frozen=True, kw_only=True)
class Module:
    """One compiled ES module, and the same code as CommonJS for the isolate.

    `specifier` is the name in import statements: `@robbieblocks/robbie-bar`, `react`, `date-fns`.
    `imports` are the specifiers that the module imports. `script` is the body of a CommonJS
    function `(require, module, exports)`; `source_map` maps it to the stored text. `candidates` are
    words of the source that may be utility classes. `styles` are texts of <style> elements that it
    may show; `computes_styles` says that there may be others.
    """

    specifier: str
    asset: Asset
    script: str = field(repr=False)
    imports: tuple[str, ...] = ()
    source_map: str = field(default="", repr=False)
    stylesheet: Asset | None = None
    candidates: frozenset[str] = frozenset()
    styles: tuple[str, ...] = ()
    computes_styles: bool = False

    @cached_property
    def variables(self) -> frozenset[str]:
        """The custom properties among the candidates."""
        return frozenset(word for word in self.candidates if word.startswith("--"))

    @cached_property
    def script_hash(self) -> Sha256:
        """The hash of the script that the isolate runs."""
        return sha256(self.script)


class UtilitiesFor(Protocol):
    """What makes stylesheets of utility classes."""

    def __call__(
        self, components: Collection[str], words: frozenset[str] = frozenset(), /
    ) -> Asset | None:
        """The stylesheet of the classes of these components and among these words."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Every module that a set of components needs, by specifier.

    `compiled` lists the keys of the components that were compiled now and not found in the cache.
    `broken` are the keys of components with an error, and of those that import one; they are not in
    `modules`, but for those that only can't be placed. `blame` maps each to its own errors and
    those of what it imports. `isolate` is a script that an isolate runs once: it sets
    globalThis.__rb to {React, server, jsx}. `utilities_for` makes the stylesheet of the utility
    classes that components (by key) and what they import use, and of those among other words, so
    that a page changes only with its own components and HTML; None for no class. `learn` tells it
    ahead of many words at once. Under an equal `utilities_key` equal components and words give an
    equal stylesheet. `with_utilities` are the keys of the components whose text names such a class,
    and `names_utilities` says whether words of a component's HTML do.
    """

    modules: Mapping[str, Module]
    runtime: Module
    base_stylesheet: Asset
    utilities_for: UtilitiesFor = field(
        default=lambda _, __=frozenset(): None, repr=False, compare=False
    )
    learn: Callable[[frozenset[str]], object] = field(
        default=lambda _: None, repr=False, compare=False
    )
    with_utilities: frozenset[str] = frozenset()
    utilities_key: str = ""
    names_utilities: Callable[[str, frozenset[str]], bool] = field(
        default=lambda _, __: False, repr=False, compare=False
    )
    isolate: str = field(default="", repr=False)
    compiled: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    broken: frozenset[str] = frozenset()
    blame: Mapping[str, tuple[Problem, ...]] = field(default_factory=dict[str, tuple[Problem, ...]])


def component_specifier(key: str) -> str:
    """The specifier under which a component is imported."""
    return f"@robbieblocks/{key}"


class Importing(Protocol):
    """What has imports: a compiled module, or a component that is still to be compiled."""

    @property
    def imports(self) -> Iterable[str]:
        """The names of what it imports itself."""
        ...


def reachable(names: Iterable[str], modules: Mapping[str, Importing]) -> set[str]:
    """The named modules and all that they import, however deep, as far as there are any."""
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name in modules and name not in found:
            found.add(name)
            pending += modules[name].imports
    return found


def importers(names: Iterable[str], modules: Mapping[str, Importing]) -> set[str]:
    """The names and all modules that import one of them, however indirectly."""
    direct: dict[str, list[str]] = {}
    for name, module in modules.items():
        for imported in module.imports:
            direct.setdefault(imported, []).append(name)
    found: set[str] = set()
    pending = list(names)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending += direct.get(name, ())
    return found


# --- release ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class PageEntry:
    """A page in a manifest. `inputs` is the hash of everything the page was made from.

    `listed` says whether search engines may list it: the sitemap has no page that is `noindex`.
    `row_digests` and `input_digests` are short digests of its parts, by which a plan tells why the
    page differs (pipeline.fingerprints); they are empty in manifests of earlier versions.
    """

    key: str
    route: str
    path: str
    inputs: Sha256
    assets: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    listed: bool = True
    row_digests: str = ""
    input_digests: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a release holds: `files` maps release paths to the SHA-256 of their bytes.

    `sheet_digests` are short digests of what its stylesheet at a fixed address is made from.
    """

    node: str
    app: str
    files: Mapping[str, Sha256]
    pages: tuple[PageEntry, ...] = ()
    assets: tuple[str, ...] = ()
    sheet_digests: tuple[str, ...] = ()
    toolchain: str = ""

    @cached_property
    def build_hash(self) -> Sha256:
        """SHA-256 over the sorted paths and hashes; equal rows and toolchain give an equal hash."""
        files = self.files
        return sha256("".join([f"{files[path]}  {path}\n" for path in sorted(files)]))

    @cached_property
    def by_key(self) -> dict[str, PageEntry]:
        """The pages by page key."""
        return {page.key: page for page in self.pages}
