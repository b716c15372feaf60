"""Icons and the manifest of a node, from media and settings."""

from __future__ import annotations

import json
from typing import Any

import pytest

from robbieblocks.brand import brand
from robbieblocks.media import IconSet, NoIcons
from robbieblocks.media.icon_drawing import icons_of
from robbieblocks.model import (
    Asset,
    BrandedNode,
    Media,
    MediaForm,
    MediaLibrary,
    MediaRow,
    StyleForm,
)
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.node_icons import with_icons
from robbieblocks.prerender import NodeSlots
from tests.media_files import png
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
        "text": media("text", "image/svg+xml", 32, 32),
        "photo": media("photo", "image/jpeg", 512, 512),
    }
)


def drawn(source: Media, ground: str) -> IconSet | NoIcons:
    if source.key == "text":
        return NoIcons("writes text", "turn it into paths")
    made = icons_of(png(512, 512), "image/png", ground).made
    return IconSet(*(Asset.of("icon", "png", each.content) for each in made))


def iconed(**settings: Any) -> BrandedNode:
    row = a_node(settings=settings, overrides={"color.background": "#fff"})
    return with_icons(brand(row, (), lambda _: ()), LIBRARY, drawn)


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
    ("source", "tab"), [("big", "image/png 48x48"), ("logo", "image/svg+xml any")]
)
def test_of_one_icon_all_are_made(source: str, tab: str) -> None:
    """The head links them with their sizes, the manifest lists three, and one is an ICO."""
    node = iconed(icons={"source": f"media:{source}"}, manifest={})
    assert problems(node) == []
    links = {each.rel: f"{each.type} {each.sizes}" for each in node.icons}
    assert links == {"icon": tab, "apple-touch-icon": "image/png 180x180"}
    assert node.manifest is not None
    assert node.ico is not None
    listed = json.loads(node.manifest.content)["icons"]
    assert [(each["sizes"], each["purpose"]) for each in listed] == [
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    ]
    urls = {each["src"] for each in listed} | {each.url for each in node.icons}
    made = {each.url for each in NodeSlots.of(node).assets}
    assert urls - made == ({"/_rb/logo.x"} if source == "logo" else set())


def test_a_named_icon_comes_before_one_that_is_made() -> None:
    """What is not named is made all the same, and no file that nothing refers to."""
    named = {"favicon": "media:logo", "app": ["media:big"], "maskable": "media:big"}
    node = iconed(icons={"source": "media:big", **named}, manifest={})
    assert node.manifest is not None
    listed = json.loads(node.manifest.content)["icons"]
    assert [each["src"] for each in listed] == ["/_rb/big.x", "/_rb/big.x"]
    assert node.icons[0].url == "/_rb/logo.x"
    assert [each.url for each in node.icon_files] == [node.icons[1].url]


def test_the_file_at_a_fixed_address_goes_out_with_the_pages() -> None:
    """Another icon at /favicon.ico changes the fingerprint, though no page links it."""
    named = {"favicon": "media:logo", "touch": "media:touch"}
    nodes = iconed(icons=named), iconed(icons={**named, "source": "media:big"})
    assert nodes[0].icons == nodes[1].icons
    assert len({BrandFingerprint.of(node, "inline").whole for node in nodes}) == 2


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"favicon": "media:gone"}, "/icons/favicon: media:gone is not there"),
        ({"favicon": "media:photo"}, "/icons/favicon: media:photo is no SVG or PNG"),
        ({"touch": "media:logo"}, "/icons/touch: media:logo is no PNG"),
        ({"touch": "media:wide"}, "/icons/touch: media:wide is 512 by 200 pixels"),
        ({"favicon": "/logo.svg"}, "/icons/favicon: /logo.svg names no media"),
        ({"favicon": 1}, "/icons/favicon: expected a text"),
        ({"source": "media:touch"}, "/icons/source: media:touch is 180 by 180 pixels"),
        ({"source": "media:photo"}, "/icons/source: media:photo is no SVG or PNG"),
        ({"source": "media:text"}, "/icons/source: media:text writes text"),
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
    made = (
        BrandFingerprint.of(with_icons(branded, each, drawn), form).whole
        for each in (LIBRARY, other)
    )
    assert len({*made}) == 2
    assert with_icons(iconed(), LIBRARY, drawn) == iconed()
