"""Icons and the manifest of a node, from media and settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from robbieblocks.brand import brand
from robbieblocks.model import BrandedNode, Media, MediaForm, MediaLibrary, MediaRow, StyleForm
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.node_icons import with_icons
from robbieblocks.prerender import NodeSlots
from tests.unit.rows import a_node


def media(key: str, kind: str, width: int, height: int) -> Media:
    row = MediaRow(key=key, file_name=f"{key}.x", type=kind, hash="0" * 64, size=1)
    small = MediaForm(f"{key}-small.webp", "image/webp", 32, 32)
    return Media(
        row=row,
        forms=(small, MediaForm(f"{key}.x", kind, width, height)),
        width=width,
        height=height,
    )


LIBRARY = MediaLibrary(
    media={
        "logo": media("logo", "image/svg+xml", 32, 32),
        "touch": media("touch", "image/png", 180, 180),
        "big": media("big", "image/png", 512, 512),
        "wide": media("wide", "image/png", 512, 200),
        "photo": media("photo", "image/jpeg", 512, 512),
    }
)


def iconed(**settings: Any) -> BrandedNode:
    row = a_node(settings=settings, overrides={"color.background": "#fff"})
    return with_icons(brand(row, (), lambda _: ()), LIBRARY)


def problems(node: BrandedNode) -> list[str]:
    return [f"{each.pointer}: {each.what}" for each in node.problems if each.severity == "error"]


def test_icons_are_media_as_they_are() -> None:
    """The head links the plain form of each, with its type and size."""
    node = iconed(icons={"favicon": "media:logo", "touch": "media:touch"})
    assert problems(node) == []
    lines = NodeSlots.of(node).values[b"icons"].decode().splitlines()
    assert lines == [
        '<link rel="icon" href="/_rb/logo.x" type="image/svg+xml" sizes="any">',
        '<link rel="apple-touch-icon" href="/_rb/touch.x" type="image/png" sizes="180x180">',
    ]
    assert node.manifest is None


def test_a_manifest_tells_what_an_installed_site_is() -> None:
    """It is linked, has the node's name and colours, and icons with what they are for."""
    icons = {"app": ["media:touch", "media:big"], "maskable": "media:big"}
    stated = {"short_name": "Day", "display": "minimal-ui", "start_url": "/play/"}
    node = iconed(icons={**icons, "app": ["media:big"]}, manifest=stated)
    assert node.manifest is not None
    told = json.loads(node.manifest.content)
    icon = {"src": "/_rb/big.x", "type": "image/png", "sizes": "512x512"}
    assert told == {
        "name": node.name,
        **stated,
        "id": "/",
        "scope": "/",
        "background_color": "#fff",
        "theme_color": "#fff",
        "icons": [{**icon, "purpose": "any"}, {**icon, "purpose": "maskable"}],
    }
    slots = NodeSlots.of(node)
    assert f'<link rel="manifest" href="{node.manifest.url}">' in slots.values[b"icons"].decode()
    assert node.manifest in slots.assets
    assert problems(iconed(icons=icons, manifest={})) == [
        "/icons/app/0: media:touch is 180 by 180 pixels"
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"favicon": "media:gone"}, "/icons/favicon: media:gone is not there"),
        ({"favicon": "media:photo"}, "/icons/favicon: media:photo is no SVG or PNG"),
        ({"touch": "media:logo"}, "/icons/touch: media:logo is no PNG"),
        ({"touch": "media:wide"}, "/icons/touch: media:wide is 512 by 200 pixels"),
        ({"favicon": "/logo.svg"}, "/icons/favicon: /logo.svg names no media"),
        ({"favicon": 1}, "/icons/favicon: expected a text"),
        ({"app": "media:big"}, "/icons/app: expected a list"),
        ({"tab": "media:logo"}, "/icons/tab: `tab` is unknown here"),
    ],
)
def test_what_can_t_be_an_icon_is_told(settings: dict[str, Any], told: str) -> None:
    """The node is held back, and the place in its settings is named."""
    assert problems(iconed(icons=settings)) == [told]


@pytest.mark.parametrize(
    "stated",
    [{"start_url": "//evil.example/"}, {"start_url": "https://x/"}, {"display": "popup"}],
)
def test_a_manifest_begins_on_its_own_site(stated: dict[str, str]) -> None:
    """Another host is no start, and an unknown display is an error."""
    (told,) = problems(iconed(manifest=stated))
    assert told.startswith(f"/manifest/{next(iter(stated))}: ")


@pytest.mark.parametrize("form", ["inline", "fixed"])
def test_what_icons_are_decides_the_pages(form: StyleForm) -> None:
    """A picture that changes under its key changes the fingerprint of the branding."""
    row = a_node(settings={"icons": {"favicon": "media:logo"}})
    branded = brand(row, (), lambda _: ())
    other = MediaLibrary(media={"logo": media("logo", "image/png", 32, 32)})
    made = (BrandFingerprint.of(with_icons(branded, each), form).whole for each in (LIBRARY, other))
    assert len({*made}) == 2
    assert with_icons(iconed(), LIBRARY) == iconed()
