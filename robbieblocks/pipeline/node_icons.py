"""The icons of a node that are media, and its web app manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.media import IconSet, NoIcons
from robbieblocks.messages import printable
from robbieblocks.model import (
    Asset,
    BrandedNode,
    IconLink,
    Icons,
    Media,
    MediaLibrary,
    WebManifest,
)

_SVG: Final = "image/svg+xml"
_PNG: Final = "image/png"
# What phones put on their home screens, and what a manifest has to have.
_TOUCH_PX: Final = 180
_APP_PX: Final = 192
# No size is made of a smaller one.
_SOURCE_PX: Final = 512
# By theme, where a node's ground is no colour that can be computed.
_GROUNDS: Final = {"light": "#ffffff", "dark": "#101318"}

Draw = Callable[[Media, str], IconSet | NoIcons]
"""Makes icons of a square SVG or PNG; the colour is the `#rrggbb` behind it."""


def with_icons(brand: BrandedNode, library: MediaLibrary, draw: Draw) -> BrandedNode:
    """The node with its icons, and a problem for each that can't be one; itself without any.

    Media are taken as they are; of `source` those are made that are not named. Raises what `draw`
    raises.
    """
    if not brand.settings.icons and brand.settings.manifest is None:
        return brand
    found = _Found(brand, library, draw)
    links, manifest = tuple(found.links()), found.manifest(brand.settings.manifest)
    return replace(
        brand,
        icons=links,
        manifest=manifest,
        icon_files=tuple(found.files),
        ico=found.made.ico if found.made else None,
        problems=(*brand.problems, *found.problems),
    )


class _Found:
    def __init__(self, brand: BrandedNode, library: MediaLibrary, draw: Draw) -> None:
        self._brand = brand
        self._library = library
        self._icons = brand.settings.icons or Icons()
        self.problems: list[Problem] = []
        self.files: list[Asset] = []
        self._source: Media | None = None
        self.made: IconSet | None = None
        if self._icons.source:
            self._source = self._media(self._icons.source, "/source", _SOURCE_PX, (_SVG, _PNG))
        if self._source is not None:
            made = draw(self._source, _ground(brand))
            if isinstance(made, NoIcons):
                what = f"media:{self._icons.source} {made.what}"
                self._add("/source", what, made.remedy, passing=made.passing)
            else:
                self.made = made

    def links(self) -> Iterator[IconLink]:
        if self._icons.favicon:
            media = self._media(self._icons.favicon, "/favicon", 16, (_SVG, _PNG))
            if media is not None:
                yield _link("icon", media)
        elif self.made and self._source:
            # A drawing is sharp in every size.
            is_drawing = self._source.forms[-1].type == _SVG
            yield _link("icon", self._source) if is_drawing else self._own("icon", self.made.tab)
        if self._icons.touch:
            media = self._media(self._icons.touch, "/touch", _TOUCH_PX, (_PNG,))
            if media is not None:
                yield _link("apple-touch-icon", media)
        elif self.made:
            yield self._own("apple-touch-icon", self.made.touch)

    def manifest(self, stated: WebManifest | None) -> Asset | None:
        if stated is None:
            return None
        shown = [(key, f"/app/{index}", "any") for index, key in enumerate(self._icons.app)]
        if self._icons.maskable:
            shown.append((self._icons.maskable, "/maskable", "maskable"))
        icons: list[dict[str, str]] = []
        for key, pointer, purpose in shown:
            media = self._media(key, pointer, _APP_PX, (_SVG, _PNG))
            if media is not None:
                icons.append(_listed(_link("", media), purpose))
        if self.made and not self._icons.app:
            icons += [
                _listed(self._own("", each), "any") for each in (self.made.small, self.made.large)
            ]
        if self.made and not self._icons.maskable:
            icons.append(_listed(self._own("", self.made.maskable), "maskable"))
        color = self._brand.tokens.get("color.background", "")
        colors = {"background_color": color, "theme_color": color} if color else {}
        made = {
            "name": self._brand.name,
            "short_name": stated.short_name or self._brand.name,
            "id": "/",
            "start_url": stated.start_url,
            "scope": "/",
            "display": stated.display,
            **colors,
            "icons": icons,
        }
        return Asset.of("manifest", "webmanifest", json.dumps(made, sort_keys=True))

    def _own(self, rel: str, made: Asset) -> IconLink:
        self.files.append(made)
        return IconLink(rel, made.url, _PNG, _sizes(made))

    def _media(self, key: str, pointer: str, least_px: int, types: tuple[str, ...]) -> Media | None:
        media = self._library.media.get(key)
        if media is None:
            wrong = self._library.wrong.get(key)
            if wrong is None:
                what = f"media:{printable(key)} is not there"
                self._add(pointer, what, "put the file into content/media/ and import it")
            else:
                what = f"media:{printable(key)} {wrong.what}"
                self._add(pointer, what, wrong.remedy, passing=wrong.passing)
            return None
        form = media.forms[-1]
        if form.type not in types:
            names = " or ".join("SVG" if each == _SVG else "PNG" for each in types)
            self._add(pointer, f"media:{key} is no {names}", f"name a file that is {names}")
            return None
        is_small = form.type == _PNG and media.width < least_px
        if media.width != media.height or is_small:
            what = f"media:{key} is {media.width} by {media.height} pixels"
            self._add(pointer, what, f"name a square of at least {least_px} pixels")
            return None
        return media

    def _add(self, pointer: str, what: str, remedy: str, *, passing: bool = False) -> None:
        self.problems.append(
            Problem(
                entity="node_branding",
                key=printable(self._brand.id),
                field="settings",
                what=what,
                remedy=remedy,
                pointer=f"/icons{pointer}",
                passing=passing,
            )
        )


def _link(rel: str, media: Media) -> IconLink:
    form = media.forms[-1]
    sizes = "any" if form.type == _SVG else f"{form.width}x{form.height}"
    return IconLink(rel, form.url, form.type, sizes)


def _listed(link: IconLink, purpose: str) -> dict[str, str]:
    return {"src": link.url, "type": link.type, "sizes": link.sizes, "purpose": purpose}


def _sizes(made: Asset) -> str:
    """Of a PNG, whose head tells (W3C, PNG, 11.2.1)."""
    return "x".join(str(int.from_bytes(made.content[at : at + 4], "big")) for at in (16, 20))


def _ground(brand: BrandedNode) -> str:
    """The node's ground as `#rrggbb`."""
    # Imported only where icons are made: it takes time.
    from robbieblocks.css_colors import Color, color

    found = color(brand.tokens.get("color.background", ""))
    if found is None:
        return _GROUNDS[brand.theme]
    solid = found.over(Color(1.0, 1.0, 1.0, 1.0))
    return "#" + bytes([round(min(max(part, 0.0), 1.0) * 255) for part in solid[:3]]).hex()
