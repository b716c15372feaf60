"""The icons of a node that are media, and its web app manifest."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import (
    Asset,
    BrandedNode,
    IconLink,
    Media,
    MediaLibrary,
    WebManifest,
)

_SVG: Final = "image/svg+xml"
_PNG: Final = "image/png"
# What phones put on their home screens, and what a manifest has to have.
_TOUCH_PX: Final = 180
_APP_PX: Final = 192


def with_icons(brand: BrandedNode, library: MediaLibrary) -> BrandedNode:
    """The node with its icons, and a problem for each that can't be one; itself without any.

    Media are taken as they are: no size is made of another.
    """
    if not brand.settings.icons and brand.settings.manifest is None:
        return brand
    found = _Found(brand, library)
    return replace(
        brand,
        icons=tuple(found.links()),
        manifest=found.manifest(brand.settings.manifest),
        problems=(*brand.problems, *found.problems),
    )


class _Found:
    def __init__(self, brand: BrandedNode, library: MediaLibrary) -> None:
        self._brand = brand
        self._library = library
        self._icons = brand.settings.icons
        self.problems: list[Problem] = []

    def links(self) -> Iterator[IconLink]:
        if self._icons and self._icons.favicon:
            media = self._media(self._icons.favicon, "/favicon", 16, (_SVG, _PNG))
            if media is not None:
                yield _link("icon", media)
        if self._icons and self._icons.touch:
            media = self._media(self._icons.touch, "/touch", _TOUCH_PX, (_PNG,))
            if media is not None:
                yield _link("apple-touch-icon", media)

    def manifest(self, stated: WebManifest | None) -> Asset | None:
        if stated is None:
            return None
        shown = [
            (key, f"/app/{index}", "any")
            for index, key in enumerate(self._icons.app if self._icons else ())
        ]
        if self._icons and self._icons.maskable:
            shown.append((self._icons.maskable, "/maskable", "maskable"))
        icons: list[dict[str, str]] = []
        for key, pointer, purpose in shown:
            media = self._media(key, pointer, _APP_PX, (_SVG, _PNG))
            if media is not None:
                link = _link("", media)
                icon = {"src": link.url, "type": link.type, "sizes": link.sizes}
                icons.append({**icon, "purpose": purpose})
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

    def _media(self, key: str, pointer: str, least_px: int, types: tuple[str, ...]) -> Media | None:
        media = self._library.media.get(key)
        if media is None:
            wrong = self._library.wrong.get(key)
            what = f"media:{printable(key)} is not there" if wrong is None else wrong.what
            self._add(pointer, what, "put the file into content/media/ and import it")
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

    def _add(self, pointer: str, what: str, remedy: str) -> None:
        self.problems.append(
            Problem(
                entity="node_branding",
                key=printable(self._brand.id),
                field="settings",
                what=what,
                remedy=remedy,
                pointer=f"/icons{pointer}",
            )
        )


def _link(rel: str, media: Media) -> IconLink:
    form = media.forms[-1]
    sizes = "any" if form.type == _SVG else f"{form.width}x{form.height}"
    return IconLink(rel, form.url, form.type, sizes)
