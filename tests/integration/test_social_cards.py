"""Social cards as they are drawn, kept and published."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from PIL import Image, ImageChops

from robbieblocks.cache import Cache
from robbieblocks.media import CardMaker, Cards
from robbieblocks.media import cards as making
from robbieblocks.model import Asset, CardStyle, CardText, PageEntry
from robbieblocks.pipeline import Cause, RunReport
from robbieblocks.pipeline.rest import Rest
from robbieblocks.pipeline.social_cards import SocialCards
from robbieblocks.process import Child
from tests.building import Builder, run_of
from tests.font_files import LATIN, a_font

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


def drawn(cache: Cache, style: CardStyle, texts: Collection[CardText]) -> Cards:
    return CardMaker(cache).draw(style, texts)


def opened(card: Asset | None) -> Image.Image:
    assert card is not None
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
    made = drawn(cache, style, texts).made
    image = opened(made[texts[0]])
    assert image.size == (1200, 630)
    for place, color in ((600, 4), (0x7C, 0xC4, 0xFF)), ((2, 628), (0x10, 0x13, 0x18)):
        found: Any = image.getpixel(place)
        assert found == color
    assert made[texts[0]] == made[texts[1]] != made[texts[2]]
    first = made[texts[0]]
    assert first is not None
    assert first.name.startswith("card-")


@pytest.mark.parametrize(
    "title",
    ["word " * 3000, "W" * 3000, "Donaudampfschifffahrtsgesellschaft " * 20, "a\u0301" * 3000],
    ids=["words", "no blank", "German", "marks"],
)
def test_a_long_title_is_cut(cache: Cache, style: CardStyle, title: str) -> None:
    """It stays within the margins, and the site's name stands free above it."""
    text = CardText(title, title)
    ink = rows_of_ink(opened(drawn(cache, style, [text]).made[text]))
    assert any(ink[100:140])
    assert not any(ink[145:200])
    assert any(ink[210:560])
    assert not any(ink[575:])


def test_the_lines_of_a_title_are_alike_in_length(cache: Cache, style: CardStyle) -> None:
    """No word stands alone in the last one."""
    text = CardText("One set of pages, four front doors", "")
    image = opened(drawn(cache, style, [text]).made[text])
    rows = rows_of_ink(image)
    starts = [y for y in range(200, image.height) if rows[y] and not rows[y - 1]]
    ends = [y for y in range(200, image.height) if not rows[y] and rows[y - 1]]
    ground = Image.new("RGB", image.size, GROUND)
    inked = ImageChops.difference(image, ground)
    boxes = [
        inked.crop((0, start, image.width, end)).getbbox()
        for start, end in zip(starts, ends, strict=True)
    ]
    rights = [box[2] for box in boxes if box is not None]
    assert len(rights) == 2
    assert abs(rights[0] - rights[1]) < 150


@pytest.mark.parametrize("title", ["日本", "שלום", "Hello 世界", "\N{ROCKET}", "", " \n", "\u200b"])
def test_a_title_that_no_font_has_gives_no_card(cache: Cache, style: CardStyle, title: str) -> None:
    """Nor one without letters: the node's picture is better than boxes."""
    text = CardText(title, "About")
    assert drawn(cache, style, [text]) == ({text: None}, {}, "")


def test_cards_are_kept(cache: Cache, style: CardStyle) -> None:
    """As soon as they are drawn, in whichever child; what can't be drawn is known, too."""
    texts = [CardText(f"Title {number}", "") for number in range(9)] + [CardText("日本", "")]
    done: list[int] = []
    maker = CardMaker(cache)
    assert maker.kept(style, texts) == {}
    first = maker.draw(style, texts, drawn=done.append)
    assert done == [*range(1, 11)]
    assert len({*first.made.values()}) == 10
    assert maker.kept(style, texts) == first.made


def test_drawing_ends_where_it_may_not_go_on(cache: Cache, style: CardStyle) -> None:
    """Its children are ended, and what was drawn is kept."""
    texts = [CardText(f"Title {number}", "") for number in range(40)]
    children = {*psutil.Process().children()}
    go_on = iter([True, False])
    cards = CardMaker(cache).draw(style, texts, go_on=lambda: next(go_on))
    assert len(cards.made) <= 1
    assert {*psutil.Process().children()} <= children
    assert CardMaker(cache).kept(style, texts) == cards.made


def failing(monkeypatch: pytest.MonkeyPatch, *bad: CardText) -> list[CardText]:
    """Have the children die over some texts; all that are tried."""
    draw, tried = making._drawn, list[CardText]()

    def dying(child: Child, style: CardStyle, text: CardText) -> bytes:
        tried.append(text)
        if text in bad:
            child.kill()
        return draw(child, style, text)

    monkeypatch.setattr(making, "_drawn", dying)
    return tried


def test_a_child_that_dies_costs_one_card(
    cache: Cache, style: CardStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told and not kept; the next one gets a child of its own."""
    bad, good = CardText("Bad", ""), CardText("Good", "")
    failing(monkeypatch, bad)
    cards = drawn(cache, style, [bad, good])
    assert [*cards.failed] == [bad]
    assert "not running" in cards.failed[bad]
    assert [*cards.made] == [good]
    monkeypatch.undo()
    assert drawn(cache, style, [bad]).made[bad]


def test_a_machine_on_which_all_fails_is_left_alone(
    cache: Cache, style: CardStyle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand failures would take hours: after four in a row the others are not tried."""
    texts = [CardText(f"Title {number}", "") for number in range(100)]
    tried = failing(monkeypatch, *texts)
    cards = drawn(cache, style, texts)
    assert len(cards.failed) == 4
    assert "not running" in cards.gave_up
    assert len(tried) < 20


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
    # One with faces of the node's own is drawn with these.
    builder.sql(
        "UPDATE robbieblocks_node_branding SET custom_css = '@font-face { font-family: Own;"
        " src: url(media:own) }', style_overrides = style_overrides ||"
        """ '{"font.heading": "Own, Tektur"}'"""
    )
    put = (
        "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash,"
        " size_bytes) VALUES ('own', 'own.woff2', 'font/woff2', %s, '', 0)"
    )
    builder.sql(put, a_font(LATIN))
    own = card()
    assert own is not None
    assert own != second
    builder.sql(setting, None)
    assert card() is None


@pytest.mark.postgres
def test_a_page_goes_out_without_the_card_that_can_not_be_drawn(
    builder: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last card stays as long as it says the same. Nothing tries again for an edit or a dry
    run; the next process does, says so in its plan, and then all is as if it had never failed."""
    builder.sql(
        "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
        " layout_template, status)"
        " VALUES ('a', %s, 'First', '/a', 'single-column', 'published')",
        APP,
    )
    node = "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example', settings = %s"
    builder.sql(node, '{"social_card": true}')

    def build(**request: Any) -> RunReport:
        return run_of(builder.build(nodes=[NODE], apps=[APP], **request), NODE, APP)

    def card() -> str:
        html = builder.html(NODE, APP, "a/index.html")
        found = re.search(r'og:image" content="https://e.example/_rb/(card-[^"]*)"', html)
        return found[1] if found else ""

    def entry() -> PageEntry:
        live = builder.live(NODE, APP)
        assert live is not None
        return live.by_key["a"]

    build()
    first = card()
    assert first
    assert (entry().card, entry().no_card) == (first, "")
    failing(monkeypatch, CardText("First", ""), CardText("Second", ""))
    builder.sql("UPDATE robbieblocks_node_branding SET node_name = 'Other name'")
    (problem,) = [each for each in build().problems if each.key == "a"]
    assert problem.what.startswith("its social card can't be drawn: ")
    assert card() == first
    assert entry().card == first
    assert "not running" in entry().no_card
    assert (builder.settings.site_root / NODE / "assets" / first).exists()
    builder.sql("UPDATE robbieblocks_pages SET page_name = 'Second' WHERE page_key = 'a'")
    build()
    assert card() == ""
    assert "not running" in entry().no_card
    assert "a" not in [page.key for page in build().planned]
    monkeypatch.undo()
    assert "a" not in [page.key for page in build().planned]
    builder.context.cards = SocialCards(maker=CardMaker(builder.context.cache), rest=Rest())
    assert "a" not in [page.key for page in build(dry_run=True).planned]
    (again,) = [page for page in build().planned if page.key == "a"]
    assert again.causes == (Cause("release", "no social card"),)
    assert card() not in ("", first)
    assert entry().no_card == ""
    live = builder.files(NODE, APP)
    assert build().outcome == "unchanged"
    (builder.settings.site_root / NODE / "assets" / card()).unlink()
    build(repair=True)
    assert builder.files(NODE, APP) == live


@pytest.mark.postgres
def test_a_worker_publishes_first_and_many_cards_after(builder: Builder) -> None:
    """The next build has what a thread drew meanwhile, and its plan says why."""
    builder.sql(
        "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
        " layout_template, status) SELECT 'p' || n, %s, 'Page ' || n, '/p' || n, 'single-column',"
        " 'published' FROM generate_series(1, 12) AS n",
        APP,
    )
    node = "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example', settings = %s"
    builder.sql(node, '{"social_card": true}')
    ready = threading.Event()
    cards = builder.context.cards
    cards.later, cards.on_ready, cards.rest.rest_s = True, ready.set, 0.0
    builder.build(nodes=[NODE], apps=[APP])
    page = "p7/index.html"
    assert "/_rb/card-" not in builder.html(NODE, APP, page)
    assert ready.wait(60)
    assert cards.take_ready() == {APP}
    run = run_of(builder.build(nodes=[NODE], apps=[APP]), NODE, APP)
    assert {page.causes for page in run.changed} == {(Cause("release", "no social card"),)}
    assert "/_rb/card-" in builder.html(NODE, APP, page)
    assert run_of(builder.build(nodes=[NODE], apps=[APP]), NODE, APP).outcome == "unchanged"
