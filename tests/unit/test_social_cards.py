"""Social cards: how a node's look, what they say of a page, and where the head names them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from robbieblocks.brand import brand
from robbieblocks.media import CardMaker, Cards
from robbieblocks.model import (
    WAITING_CARD,
    Asset,
    BrandedNode,
    CardStyle,
    CardText,
    FontFace,
    StyleForm,
    TokenRow,
)
from robbieblocks.pipeline import Target, page_cards
from robbieblocks.pipeline.brand_fingerprint import BrandFingerprint
from robbieblocks.pipeline.page_cards import with_drawing
from robbieblocks.pipeline.rest import Rest
from robbieblocks.pipeline.social_cards import SocialCards
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


def font_of(name: str) -> Asset:
    return Asset(name, b"a font")


def test_a_node_has_cards_where_it_says_so() -> None:
    """Nothing is made for others, and their fingerprint is that of no setting."""
    assert branded(*FONTS, settings={}).card is None
    off, none = (branded(*FONTS, settings=each) for each in ({"social_card": False}, {}))
    assert off.card is None
    assert BrandFingerprint.of(off, "fixed") == BrandFingerprint.of(none, "fixed")
    assert with_drawing(none, font_of) is none


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
    able = with_drawing(node, font_of)
    monkeypatch.setattr(page_cards, "card_drawing", lambda: "")
    unable = with_drawing(node, font_of)
    assert unable.card is None
    assert "Pillow" in unable.problems[-1].what
    assert BrandFingerprint.of(able, "fixed") != BrandFingerprint.of(unable, "fixed")
    monkeypatch.setattr(page_cards, "card_drawing", lambda: "another")
    assert BrandFingerprint.of(able, "fixed") != BrandFingerprint.of(
        with_drawing(node, font_of), "fixed"
    )


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


class Maker:
    """Stands for the children that draw: it draws what is not in `broken`, and keeps it."""

    def __init__(self, *broken: str) -> None:
        self.broken = {*broken}
        self.asked: list[tuple[str, ...]] = []
        self._drawn: dict[CardText, Asset | None] = {}

    def kept(self, _style: CardStyle, texts: Iterable[CardText]) -> dict[CardText, Asset | None]:
        return {text: self._drawn[text] for text in texts if text in self._drawn}

    def draw(
        self,
        _style: CardStyle,
        texts: Collection[CardText],
        *,
        drawn: Callable[[int], object],
        go_on: Callable[[], bool],
    ) -> Cards:
        assert go_on()
        self.asked.append(tuple(sorted(text.title for text in texts)))
        cards = Cards({}, {})
        for text in texts:
            if text.title in self.broken:
                cards.failed[text] = "timed out"
            else:
                cards.made[text] = self._drawn[text] = CARD
                drawn(len(cards.made))
        return cards


TARGET = Target("n", "one")
PATIENCE_S = 20


def texts_of(*titles: str) -> dict[str, CardText | None]:
    return {title: CardText(title, "") for title in titles}


def test_a_build_draws_what_its_pages_lack() -> None:
    """Once; a page with a picture wants none, and what failed is told of as a warning."""
    maker, said = Maker("b"), list[str]()
    cards = SocialCards(maker=cast("CardMaker", maker), rest=Rest())
    node = branded(*FONTS)
    found = cards.of_pages(TARGET, node, {**texts_of("a", "b"), "c": None}, said.append)
    assert found.cards == {"a": CARD}
    assert found.missing == {"b": "timed out"}
    assert found.problem("a") is None
    problem = found.problem("b")
    assert problem is not None
    assert (problem.severity, problem.key) == ("warning", "b")
    assert "timed out" in problem.what
    assert not said
    cards.of_pages(TARGET, node, texts_of(*map(str, range(1000))), said.append)
    assert said == ["n: one: social cards: 0 of 1,000"]
    assert not cards.of_pages(TARGET, branded(*FONTS, settings={}), {}, said.append).cards


def test_what_failed_is_tried_again_by_no_edit() -> None:
    """But another text is; another process tries, and a page that is gone is forgotten."""
    maker = Maker("b", "c")
    cards = SocialCards(maker=cast("CardMaker", maker), rest=Rest())
    node = branded(*FONTS)
    for _ in range(2):
        found = cards.of_pages(TARGET, node, texts_of("b"), print)
        assert found.missing == {"b": "timed out"}
    assert maker.asked == [("b",)]
    assert not cards.is_due(TARGET, "b")
    cards.of_pages(TARGET, node, {"b": CardText("c", "")}, print)
    assert maker.asked == [("b",), ("c",)]
    cards.keep_only(TARGET, lambda: ["a"])
    assert cards.is_due(TARGET, "b")


def test_a_worker_draws_many_beside_its_builds() -> None:
    """Its build waits for none of them, and the next one gets all; few are drawn within it."""
    maker, ready = Maker(), threading.Event()
    rest = Rest(0.0)
    cards = SocialCards(maker=cast("CardMaker", maker), rest=rest, later=True, on_ready=ready.set)
    node, many = branded(*FONTS), texts_of(*map(str, range(20)))
    with rest.put_off():
        assert cards.of_pages(TARGET, node, texts_of("few"), print).cards == {"few": CARD}
        found = cards.of_pages(TARGET, node, many, print)
        assert not found.cards
        assert {*found.missing.values()} == {WAITING_CARD}
        assert found.problem("1") is None
        assert maker.asked == [("few",)]
        assert not cards.is_due(TARGET, "1")
    assert ready.wait(PATIENCE_S)
    assert cards.take_ready() == {"one"}
    assert cards.take_ready() == frozenset()
    assert cards.is_due(TARGET, "1")
    assert cards.of_pages(TARGET, node, many, print).cards == dict.fromkeys(many, CARD)
    assert len(maker.asked) == 2
    cards.close()


def test_a_worker_tries_again_what_failed_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """After 30 s, 2 min, and at most an hour; once it goes well a build is asked for."""
    maker, ready, waits = Maker("b"), threading.Event(), list[float]()
    rest, now = Rest(0.0), [1000.0]
    clock = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("robbieblocks.pipeline.social_cards.time", clock)
    monkeypatch.setattr("robbieblocks.pipeline.rest.time", clock)

    def wait(timeout: float | None = None) -> bool:
        """The time is the test's: it passes when something waits for it."""
        assert timeout is not None
        waits.append(timeout)
        now[0] += timeout
        if len(waits) == 6:
            maker.broken.clear()
        return True

    monkeypatch.setattr(rest.changed, "wait", wait)
    cards = SocialCards(maker=cast("CardMaker", maker), rest=rest, later=True, on_ready=ready.set)
    assert cards.of_pages(TARGET, branded(*FONTS), texts_of("b"), print).missing
    assert ready.wait(PATIENCE_S)
    cards.close()
    assert waits == [30.0, 120.0, 480.0, 1920.0, 3600.0, 3600.0]
    assert len(maker.asked) == 7


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
    html = document.fill(NodeSlots.of(node), card.name if card else "").decode()
    assert f'og:image" content="{address}"' in html
    assert html.count('og:image"') == 1
    assert ("summary_large_image" in html) == (card is not None and not image)
