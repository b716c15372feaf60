"""Props that name media, and texts of Markdown that do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from robbieblocks.assemble import Assembly, assemble
from robbieblocks.errors import Problem
from robbieblocks.media import References, Styles
from robbieblocks.model import BlockRow, Json, Media, MediaForm, MediaLibrary, MediaRow, TokenRow
from tests.unit.rows import LAYOUTS, a_component, a_page, a_snapshot

_SCHEMA: Json = {
    "properties": {
        "picture": {"type": "string", "format": "media", "default": "media:a"},
        "more": {"type": "array", "items": {"type": "string", "format": "media"}},
        "text": {"type": "string", "format": "markdown"},
        "html": {"type": "string", "format": "html"},
        "plain": {"type": "string"},
    }
}


def _media(key: str, width: int = 600, alt: str = "") -> Media:
    row = MediaRow(key=key, file_name=f"{key}.png", type="image/png", hash=key, size=1, alt=alt)
    forms = (
        MediaForm(f"{key}-1.avif", "image/avif", width, 10),
        MediaForm(f"{key}-2.png", "image/png", width, 10),
    )
    return Media(row=row, forms=forms, width=width, height=10)


def _library(*media: Media) -> MediaLibrary:
    return MediaLibrary(
        media={each.key: each for each in media}, keys=tuple(each.key for each in media)
    )


def _assembled(
    library: MediaLibrary,
    *props: Json,
    conditions: Sequence[Json] = (),
    previous: Assembly | None = None,
) -> Assembly:
    whens: list[Json] = [*conditions, *({} for _ in props[len(conditions) :])]
    blocks = tuple(
        BlockRow(order, "main", "hero", each, when)
        for order, (each, when) in enumerate(zip(props, whens, strict=True), 1)
    )
    hero = a_component("hero", schema=_SCHEMA)
    snapshot = a_snapshot(a_page("home", blocks=blocks), components=(hero,))
    return assemble(snapshot, "play", layouts=LAYOUTS, media=library, previous=previous)


def test_a_name_becomes_what_was_made() -> None:
    """In defaults, lists and objects; other texts stay, and an empty one is null."""
    library = _library(_media("a"), _media("b", 50, "B"))
    found = _assembled(library, {"more": ["media:b", ""], "plain": "media:a"})
    assert found.problems == ()
    (page,) = found.pages
    props = page.page.blocks[0].props
    assert props["picture"] == {**library.media["a"].value, "priority": True}
    assert props["more"] == [library.media["b"].value, None]
    assert props["plain"] == "media:a"
    assert page.page.media == (library.media["a"], library.media["b"])


def test_the_first_large_picture_of_a_page_comes_first() -> None:
    """Not a small one before it, and not the ones behind it."""
    library = _library(_media("a"), _media("b", 50))
    (page,) = _assembled(library, {"picture": "media:b"}, {}, {}).pages
    values = [block.props["picture"] for block in page.page.blocks]
    assert [isinstance(each, dict) and "priority" in each for each in values] == [
        False,
        True,
        False,
    ]


def test_a_list_of_small_pictures_has_a_first_one() -> None:
    """It may fill the first screen; a large picture behind it comes first, too, and no other."""
    library = _library(_media("a"), _media("b", 400), _media("c", 239))
    small, sign = {"picture": "media:b"}, {"picture": "media:c"}
    (page,) = _assembled(library, sign, small, small, {}, small, {}).pages
    values = [block.props["picture"] for block in page.page.blocks]
    first = [isinstance(each, dict) and "priority" in each for each in values]
    assert first == [False, True, False, True, False, False]


_DARK = {"theme": "dark"}
_NARROW = {"viewport": {"max": 600}}


@pytest.mark.parametrize(
    ("conditions", "first"),
    [
        # Each theme shows its own picture first; what is behind one that always shows comes later.
        ([{"theme": "light"}, _DARK, _DARK, None, None], [True, True, False, True, False]),
        ([None, _DARK], [True, False]),
        # Browsers would fetch what only other visitors see.
        ([_NARROW, {"not": {"any": [_NARROW, _DARK]}}, None], [False, False, True]),
        ([{"apps": [str(number)]} for number in range(10)], [True] * 8 + [False] * 2),
    ],
)
def test_a_picture_that_may_not_show_takes_nothing_from_others(
    conditions: list[Any], first: list[bool]
) -> None:
    """Which pictures come first where blocks have conditions."""
    library = _library(_media("a"))
    empty: list[Json] = [{} for _ in conditions]
    (page,) = _assembled(library, *empty, conditions=conditions).pages
    props = [block.props["picture"] for block in page.page.blocks]
    assert [isinstance(each, dict) and "priority" in each for each in props] == first


def test_what_is_wrong_names_block_prop_and_remedy() -> None:
    """A key that is not there, one that is almost there, and what names none."""
    wrong = Problem(entity="media", key="bad", what="is cut off", remedy="save it again")
    library = replace(_library(_media("harbour"), _media("a")), wrong={"bad": wrong})
    found = _assembled(
        library,
        {"picture": "media:harbor"},
        {"picture": "https://x.example/a.png"},
        {"more": ["media:bad"]},
        {"text": "one\n![](media:nothing)"},
    )
    assert [(each.block, each.pointer, each.line) for each in found.problems] == [
        (1, "/picture", None),
        (2, "/picture", None),
        (3, "/more/0", None),
        (4, "/text", 2),
    ]
    texts = [str(each) for each in found.problems]
    assert "there is no media:harbor" in texts[0]
    assert "harbour" in texts[0]
    assert "names no media" in texts[1]
    assert "media:bad is cut off" in texts[2]
    assert "content/media/" in texts[3]


def test_markdown_shows_pictures_and_links_to_files() -> None:
    """With the row's words where none are written; what only looks like it stays text."""
    library = _library(_media("a", 600, 'A "dawn"'))
    text = '![](media:a) [x](media:a) `src="media:a"` ![own](media:a "T")'
    (page,) = _assembled(library, {"text": text, "picture": ""}).pages
    html = page.page.blocks[0].props["text"]
    assert isinstance(html, dict)
    shown = str(html["__html"])
    assert shown.count("<picture ") == 2
    assert 'alt="A &quot;dawn&quot;"' in shown
    assert ' width="600" height="10" alt="own" ' in shown
    assert 'loading="eager" fetchpriority="high" decoding="sync" />' in shown
    assert 'loading="lazy" decoding="async" title="T" />' in shown
    assert '<a href="/_rb/a-2.png">x</a>' in shown
    assert "src=&quot;media:a&quot;" in shown


def _html(text: str) -> Json:
    library = _library(_media("a", 600, 'A "dawn"'), _media("b"))
    home = BlockRow(1, "main", "hero", {"html": text, "picture": ""}, {})
    pages = a_page("home", blocks=(home,)), a_page("hours", route="/play/hours/", blocks=())
    snapshot = a_snapshot(*pages, components=(a_component("hero", schema=_SCHEMA),))
    found = assemble(snapshot, "play", layouts=LAYOUTS, media=library)
    assert found.problems == ()
    return found.pages[0].page.blocks[0].props["html"]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (
            '<img class="x" src="media:a">',
            '<img class="x" src="/_rb/a-2.png" width="600" height="10" alt="A &quot;dawn&quot;">',
        ),
        (
            "<IMG alt='1 > 0' SRC = media:a width=5>",
            "<IMG alt='1 > 0' SRC = \"/_rb/a-2.png\" width=5>",
        ),
        (
            "<source srcset=\"media:a 1x, /own.png, media:b 2x\"><video poster='media:b'>",
            '<source srcset="/_rb/a-2.png 1x, /own.png, /_rb/b-2.png 2x">'
            '<video poster="/_rb/b-2.png">',
        ),
        (
            '<a href="page:hours?a=1&amp;b=2#lunch">x</a><a href="media:a">y</a>',
            '<a href="/play/hours/?a=1&amp;b=2#lunch">x</a><a href="/_rb/a-2.png">y</a>',
        ),
        (
            "<p style='color: red; background: url( \"media:a\" ), URL(media:b)'>"
            '<b style="background:url(&quot;media:b&quot;)">media:a</b>',
            '<p style="color: red; background: url(&#x27;/_rb/a-2.png&#x27;), '
            'url(&#x27;/_rb/b-2.png&#x27;)">'
            '<b style="background:url(&#x27;/_rb/b-2.png&#x27;)">media:a</b>',
        ),
    ],
)
def test_a_text_of_html_has_addresses(written: str, shown: str) -> None:
    """Of files and pages, however its tags are written; a picture gets what its row knows."""
    assert _html(written) == shown


@pytest.mark.parametrize(
    "text",
    [
        'src="media:a" stays <b title=\'src="media:a"\'>text</b> <!-- <img src="media:no"> -->',
        '<p data-src="media:no" src>media:a</p> < img src="media:no"> </img src="media:no">',
        '<!-- <img src="media:no">',
        "<p style=\"content: 'media:no'\">url(media:no)</p>",
        "<br",
    ],
)
def test_what_only_looks_like_an_address_stays(text: str) -> None:
    """Words, comments, other attributes, what is no tag."""
    assert _html(text) == text


def test_a_wrong_address_in_html_holds_its_page_back() -> None:
    """It names the prop, the line and the remedy; of many the first is told."""
    found = _assembled(
        _library(_media("a")),
        {"html": '<p>\n<img src="media:no"><img src="media:gone">'},
        {"html": '<img src="page:home">'},
        {"html": '<a href="page:nobody">x</a>'},
        {"html": '<p>\n<b style="background: url(media:no)">x</b>'},
    )
    assert [(each.block, each.pointer, each.line) for each in found.problems] == [
        (1, "/html", 2),
        (2, "/html", 1),
        (3, "/html", 1),
        (4, "/html", 2),
    ]
    texts = [str(each) for each in found.problems]
    assert "there is no media:no" in texts[0]
    assert "page:home is no picture" in texts[1]
    assert "there is no page nobody" in texts[2]


def test_of_many_wrong_addresses_one_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one `srcset`, too: a text holds thousands."""
    asked: list[str] = []

    def near(key: str, _: object) -> str:
        asked.append(key)
        return "did you mean a?"

    monkeypatch.setattr("robbieblocks.assemble.props.media_props.did_you_mean", near)
    wrong = ", ".join(f"media:no{number}" for number in range(100))
    found = _assembled(_library(_media("a")), {"html": f'<img srcset="{wrong}">' * 2})
    assert len(found.problems) == 1
    assert asked == ["no0"]


def test_a_picture_in_a_text_keeps_its_place() -> None:
    """What is known of it stands in its style, as a component shows it."""
    media = replace(_media("a"), placeholder="data:image/png;base64,AA==")
    media = replace(media, row=replace(media.row, focal_point="50% 20%"))
    (page,) = _assembled(_library(media), {"text": "![](media:a)", "picture": ""}).pages
    assert (
        'style="object-position:50% 20%;background-image:url(&quot;data:image/png;base64,AA==&quot;'
        ');background-size:cover;background-position:50% 20%"'
    ) in str(page.page.blocks[0].props["text"])


def test_a_page_is_read_again_where_its_media_changed() -> None:
    """One whose media stayed is the same object, whatever else the library holds."""
    first = _assembled(_library(_media("a")), {})
    same = _assembled(_library(_media("a"), _media("b")), {}, previous=first)
    assert same.pages[0] is first.pages[0]
    other = _assembled(_library(_media("a", alt="new")), {}, previous=first)
    assert other.pages[0] is not first.pages[0]


def test_references_and_styles() -> None:
    """All keys that rows name are found; an address takes the place of a name that is there."""
    css = ".a { background: url( 'media:a' ), URL(media:gone) } /* media:c */"
    hero = a_component("hero", css=css, schema=_SCHEMA)
    page = a_page("home", blocks=(BlockRow(1, "main", "hero", {"x": ["media:b.1"]}, {}),))
    snapshot = a_snapshot(page, components=(hero,))
    token = TokenRow(key="image.hero", category="image", default="url(media:d)")
    snapshot = replace(snapshot, tokens=(token,))
    assert References().of(snapshot) >= {"a", "gone", "c", "b.1", "d"}
    styles, library = Styles(), _library(_media("a"), _media("d"))
    made = styles.resolved(snapshot, library)
    assert 'url("/_rb/a-2.png"), URL(media:gone)' in made.components["hero"].css
    assert made.tokens[0].default == 'url("/_rb/d-2.png")'
    again = styles.resolved(snapshot, library)
    assert (again.components, again.tokens) == (made.components, made.tokens)
    assert again.components is made.components
    assert styles.resolved(snapshot, MediaLibrary()) is snapshot
