"""What branding makes of a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from robbieblocks.errors import Problem
from robbieblocks.model.assets import Asset
from robbieblocks.model.media import FontKind, FontMeasure
from robbieblocks.model.site_settings import NO_SETTINGS, SiteSettings
from robbieblocks.model.social_card import CardStyle


@dataclass(frozen=True, slots=True, kw_only=True)
class FontFace:
    """One file of a self-hosted font, with the descriptors of its @font-face rule.

    `is_common` says that it has the common letters of another face's file, which comes before it.
    """

    family: str
    style: str
    weight: str
    unicode_range: str
    content: bytes = field(repr=False)
    file: str
    is_common: bool = False


class OwnFont(NamedTuple):
    """A font of media, as a node's CSS gets it.

    `common` is the address of the file of its common letters, which are `common_range`; empty where
    there is none. `kind` is what takes its place until it is there; None where it was not measured.
    """

    common: str
    common_range: str
    kind: FontKind | None
    measures: tuple[FontMeasure, ...]


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
    social cards look; None where there are none. `icon_files` are the icons that were made, `ico`
    what is served at /favicon.ico.
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
    title_pattern: str = ""
    og_image: str = ""
    icons: tuple[IconLink, ...] = ()
    icon_files: tuple[Asset, ...] = ()
    ico: Asset | None = None
    manifest: Asset | None = None
    card: CardStyle | None = None
    scheme: Mapping[str, str] = field(default_factory=dict[str, str])
    settings: SiteSettings = NO_SETTINGS
    problems: tuple[Problem, ...] = ()
