"""Social cards: how a node's look, what they say of a page, and where the head names them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from robbieblocks.brand import brand
from robbieblocks.media import Cards
from robbieblocks.model import Asset, BrandedNode, CardText, FontFace, StyleForm, TokenRow
from robbieblocks.pipeline import social_cards
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.social_cards import cards_of, with_drawing
from robbieblocks.prerender import NodeSlots, PageDocument, card_text
from tests.unit.rows import a_node, a_page, assembled

CARD = Asset.of("card", "png", b"drawn")
FONTS = (
    TokenRow(key="font.body", category="font", default="Inter, sans-serif"),
    TokenRow(key="font.heading", category="font", default="Tektur, sans-serif"),
)


def face(family: str, weight: str, subset: str, style: str = "normal") -> FontFace:
    ranges = {"latin": "U+0000-00FF", "greek": "U+0370-03FF"}
    name = f"{family}-{subset}-{weight}-{style}.woff2".lower()
    return FontFace(
        family=family,
        style=style,
        weight=weight,
        unicode_range=ranges[subset],
        content=name.encode(),
        file=name,
    )


HOSTED = {
    "inter": (
        face("Inter", "100 900", "greek"),
        face("Inter", "100 900", "latin"),
        replace(face("Inter", "100 900", "latin"), file="inter-common.woff2", is_common=True),
    ),
    "tektur": (
        face("Tektur", "400", "latin"),
        face("Tektur", "700", "latin"),
        face("Tektur", "700", "latin", "italic"),
    ),
}


def branded(*tokens: TokenRow, **fields: Any) -> BrandedNode:
    row = {"settings": {"social_card": True}, "base_url": "https://e.example", **fields}
    return brand(a_node(**row), tokens, lambda family: HOSTED.get(family.lower(), ()))


def test_a_node_has_cards_where_it_says_so() -> None:
    """Nothing is made for others, and their fingerprint is that of no setting."""
    assert branded(*FONTS, settings={}).card is None
    off, none = (branded(*FONTS, settings=each) for each in ({"social_card": False}, {}))
    assert off.card is None
    assert BrandFingerprint.of(off, "fixed") == BrandFingerprint.of(none, "fixed")
    assert with_drawing(none) is none


def test_a_card_has_the_nodes_colours_and_fonts() -> None:
    """Any colour of CSS as a number, what shines through over the ground; else one for the theme.

    Of a family the upright files of the nearest weight, latin letters first, then the other's; a
    file that has part of another's letters is none of them."""
    overrides = {
        "theme": "dark",
        "color.background": "oklch(0 0 0)",
        "color.text": "rgb(255 255 255 / 50%)",
        "color.primary": "var(--gone)",
    }
    card = branded(*FONTS, overrides=overrides).card
    assert card is not None
    assert (card.background, card.heading, card.text) == ("#000000", "#808080", "#808080")
    assert card.accent == "#8ab8e8"
    bold, *rest = ["tektur-latin-700-normal", "inter-latin-100-900", "inter-greek-100-900"]
    titles = [font.name for font in card.title_fonts]
    assert [name.startswith(stem) for name, stem in zip(titles, (bold, *rest), strict=True)] == [
        True
    ] * 3
    assert card.text_fonts[0].name.startswith("inter-latin")


@pytest.mark.parametrize(
    ("tokens", "base_url", "what"),
    [(FONTS, "", "https"), (FONTS, "http://e.example", "https"), ((), "https://e.example", "font")],
)
def test_what_no_card_can_be_made_of_is_told(
    tokens: tuple[TokenRow, ...], base_url: str, what: str
) -> None:
    """As one warning, which holds nothing back."""
    node = branded(*tokens, base_url=base_url)
    assert node.card is None
    (told,) = (each for each in node.problems if each.pointer == "/social_card")
    assert what in told.what
    assert told.severity == "warning"


def test_without_pillow_there_are_no_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    """One warning says what to install; once it is there, pages are made again."""
    node = branded(*FONTS)
    able = with_drawing(node)
    monkeypatch.setattr(social_cards, "card_drawing", lambda: "")
    unable = with_drawing(node)
    assert unable.card is None
    assert "Pillow" in unable.problems[-1].what
    assert BrandFingerprint.of(able, "fixed") != BrandFingerprint.of(unable, "fixed")
    monkeypatch.setattr(social_cards, "card_drawing", lambda: "another")
    assert BrandFingerprint.of(able, "fixed") != BrandFingerprint.of(with_drawing(node), "fixed")


@pytest.mark.parametrize("styles", ["inline", "fixed"])
def test_what_a_card_is_drawn_with_makes_pages_again(styles: StyleForm) -> None:
    """A colour that only cards show does, and so where a page's styles are a file of their own."""
    one, other = (
        branded(*FONTS, overrides={"color.text-muted": each}) for each in ("#111", "#222")
    )
    assert BrandFingerprint.of(one, styles) != BrandFingerprint.of(other, styles)


def test_a_card_says_what_is_shared_of_a_page() -> None:
    """Its texts for networks before its own; a page with a picture has none."""
    pages = assembled(
        a_page("a", route="/a", name="Title"),
        a_page("b", route="/b", metadata={"og_title": "Shared", "og_description": "So"}),
        a_page("c", route="/c", metadata={"og_image": "/c.png"}),
    ).pages
    texts = [card_text(each.page) for each in pages]
    assert texts == [CardText("Title", ""), CardText("Shared", "So"), None]
    asked: list[CardText] = []

    def make(_: object, texts: Any) -> Cards:
        asked.extend(texts)
        return Cards({texts[0]: CARD}, {texts[1]: "timed out"})

    found = cards_of(branded(*FONTS), (each.page for each in pages), make)
    assert asked == texts[:2]
    assert found.cards == {"a": CARD}
    assert "timed out" in found.problems["b"].what
    assert found.problems["b"].severity == "warning"
    assert not cards_of(branded(*FONTS, settings={}), [], make).cards


@pytest.mark.parametrize(
    ("image", "card", "address"),
    [
        ("/own.png", CARD, "https://e.example/own.png"),
        ("", CARD, f"https://e.example{CARD.url}"),
        ("", None, "https://e.example/node.png"),
    ],
)
def test_the_head_names_one_picture(image: str, card: Asset | None, address: str) -> None:
    """The page's own, else its card, else the node's; of a card the form is known."""
    document = PageDocument(parts=(b"", b"canonical", b""), assets=(), image=image)
    node = branded(*FONTS, overrides={"og_image": "/node.png"})
    html = document.fill(NodeSlots.of(node), card).decode()
    assert f'og:image" content="{address}"' in html
    assert html.count('og:image"') == 1
    assert ("summary_large_image" in html) == (card is not None and not image)
