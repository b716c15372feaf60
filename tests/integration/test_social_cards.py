"""Social cards as they are drawn, kept and published."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.media import cards as making
from robbieblocks.media import make_cards
from robbieblocks.media.child import start_child
from robbieblocks.model import Asset, CardStyle, CardText
from robbieblocks.process import Child
from tests.building import Builder, run_of

if TYPE_CHECKING:
    from robbieblocks.toolchain import Toolchain

NODE, APP = "vengeance-local", "play"
GROUND, ACCENT = "#101318", "#7cc4ff"


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    with Cache(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def style(toolchain: Toolchain) -> CardStyle:
    faces = [each for each in toolchain.fonts("Tektur") if each.style == "normal"]
    faces.sort(key=lambda each: ("-latin-w" not in each.file, each.file))
    files = tuple(Asset.of(Path(each.file).stem, "woff2", each.content) for each in faces)
    return CardStyle(
        site="Vengeance",
        background=GROUND,
        heading="#f4f6fa",
        text="#a8b0bd",
        accent=ACCENT,
        title_fonts=files,
        text_fonts=files,
    )


def opened(card: Asset) -> Image.Image:
    return Image.open(io.BytesIO(card.content)).convert("RGB")


def rows_of_ink(image: Image.Image) -> list[bool]:
    """For each row of pixels whether something stands on the ground."""
    ground = image.getpixel((0, image.height - 1))
    lines = (image.crop((0, y, image.width, y + 1)) for y in range(image.height))
    return [line.getcolors(1) != [(image.width, ground)] for line in lines]


def test_a_card_has_the_texts_on_the_nodes_ground(cache: Cache, style: CardStyle) -> None:
    """1200 by 630 pixels; letters of other alphabets of the family, and no emoji."""
    texts = [
        CardText("Größe für Łódź", "Straße – „so“"),
        CardText("Größe für Łódź \N{WOMAN}\u200d\N{ROCKET}\ufe0f", "Straße – „so“"),
        CardText("Größe für Łódź", ""),
    ]
    made = make_cards(cache, style, texts).made
    image = opened(made[texts[0]])
    assert image.size == (1200, 630)
    for place, color in ((600, 4), (0x7C, 0xC4, 0xFF)), ((2, 628), (0x10, 0x13, 0x18)):
        found: Any = image.getpixel(place)
        # Of few colours each is about what was asked for.
        assert all(abs(is_there - asked) < 4 for is_there, asked in zip(found, color, strict=True))
    assert made[texts[0]] == made[texts[1]] != made[texts[2]]
    assert made[texts[0]].name.startswith("card-")


@pytest.mark.parametrize(
    "title",
    ["word " * 3000, "W" * 3000, "Donaudampfschifffahrtsgesellschaft " * 20, "a\u0301" * 3000],
    ids=["words", "no blank", "German", "marks"],
)
def test_a_long_title_is_cut(cache: Cache, style: CardStyle, title: str) -> None:
    """It stays within the margins, and the site's name stands free above it."""
    text = CardText(title, title)
    ink = rows_of_ink(opened(make_cards(cache, style, [text]).made[text]))
    assert any(ink[100:140])
    assert not any(ink[145:200])
    assert any(ink[210:560])
    assert not any(ink[575:])


@pytest.mark.parametrize("title", ["日本", "שלום", "Hello 世界", "\N{ROCKET}", "", " \n", "\u200b"])
def test_a_title_that_no_font_has_gives_no_card(cache: Cache, style: CardStyle, title: str) -> None:
    """Nor one without letters: the node's picture is better than boxes."""
    cards = make_cards(cache, style, [CardText(title, "About")])
    assert cards == ({}, {})


def test_cards_are_made_once(
    cache: Cache, style: CardStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One child makes all that are missing; what the cache has needs none, refusals included."""
    started: list[Child] = []

    def start() -> Child:
        started.append(start_child())
        return started[-1]

    monkeypatch.setattr("robbieblocks.media.cards.start_child", start)
    texts = [CardText("One", ""), CardText("Two", ""), CardText("日本", "")]
    first = make_cards(cache, style, texts)
    assert len(started) == 1
    assert make_cards(cache, style, texts) == first
    assert len(started) == 1
    assert len(first.made) == 2


def test_a_child_that_fails_costs_one_card(
    cache: Cache, style: CardStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told and not kept; the next one gets a child of its own."""
    drawn, bad = making._drawn, CardText("Bad", "")

    def failing(child: Any, *rest: Any) -> bytes:
        if rest[-1] == bad:
            child.kill()
            raise ProcessFailed("the child ended")
        return drawn(child, *rest)

    monkeypatch.setattr(making, "_drawn", failing)
    good = CardText("Good", "")
    cards = make_cards(cache, style, [bad, good])
    assert cards.failed == {bad: "the child ended"}
    assert [*cards.made] == [good]
    monkeypatch.undo()
    assert bad in make_cards(cache, style, [bad]).made


@pytest.mark.postgres
def test_a_page_is_published_with_its_card(builder: Builder) -> None:
    """Its file is there, follows the title, comes back when it was lost, and goes with the setting;
    a page with a picture of its own has none."""
    for key, metadata in (("a", "{}"), ("b", '{"og_image": "/b.png"}')):
        builder.sql(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status, metadata)"
            " VALUES (%s, %s, 'First', %s, 'single-column', 'published', %s::jsonb)",
            *(key, APP, f"/{key}", metadata),
        )
    setting = "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example', settings = %s"
    builder.sql(setting, '{"social_card": true}')

    def card() -> Path | None:
        assert run_of(builder.build(nodes=[NODE], repair=True), NODE, APP).error == ""
        html = builder.html(NODE, APP, "a/index.html")
        found = re.search(r'og:image" content="https://e.example/_rb/(card-[^"]*)"', html)
        assert "/_rb/card-" not in builder.html(NODE, APP, "b/index.html")
        return builder.settings.site_root / NODE / "assets" / found[1] if found else None

    first = card()
    assert first is not None
    content = first.read_bytes()
    assert run_of(builder.build(nodes=[NODE]), NODE, APP).outcome == "unchanged"
    first.unlink()
    assert card() == first
    assert first.read_bytes() == content
    builder.sql("UPDATE robbieblocks_pages SET page_name = 'Second' WHERE page_key = 'a'")
    second = card()
    assert second is not None
    assert second != first
    assert second.exists()
    builder.sql(setting, None)
    assert card() is None
