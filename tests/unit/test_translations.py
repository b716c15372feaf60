"""Pages in several languages: groups of translations, and what blocks, lists and heads get."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from robbieblocks.assemble import Assembly, Relations, assemble
from robbieblocks.assemble.relations.language_names import own_name
from robbieblocks.assemble.relations.translations import MAX_LANGUAGES
from robbieblocks.brand import brand
from robbieblocks.model import PageRow, Snapshot
from robbieblocks.pipeline.page_texts import page_text
from robbieblocks.prerender.page.head import About, alternates
from robbieblocks.site_settings import read_settings
from tests.unit.rows import LAYOUTS, NOW, a_block, a_component, a_node, a_page, a_snapshot

OPEN = a_component("card", {"type": "object"})


def text(key: str, lang: str = "", of: Any = None, **fields: Any) -> PageRow:
    """A page that shows its translations."""
    metadata = {"lang": lang} if lang else {}
    metadata |= {} if of is None else {"translation_of": of}
    blocks = (a_block(props={"all": {"$page": "translations"}}),)
    fields = {"route": f"/{key}/", "name": key.title(), "blocks": blocks, **fields}
    return a_page(key, metadata=metadata, **fields)


def an_app(**languages: Any) -> PageRow:
    settings = {"languages": languages}
    return a_page("frame", route="", blocks=(), metadata={"frame": True, "settings": settings})


def shown(*pages: PageRow, relations: Relations | None = None) -> Snapshot:
    content = a_snapshot(*pages, components=(OPEN,))
    return (relations or Relations()).applied(content, NOW)


def assembled(*pages: PageRow) -> Assembly:
    return assemble(shown(*pages), "play", layouts=LAYOUTS)


def rows(*pages: PageRow, relations: Relations | None = None) -> dict[str, PageRow]:
    return {row.key: row for row in shown(*pages, relations=relations).pages}


def switcher(row: PageRow) -> list[tuple[str, ...]]:
    """What a switcher shows: language, route, `*` where it is the page, and the fallback."""
    props: Any = row.blocks[0].props
    return [
        (each["lang"], each["route"], "*" if each["current"] else "", each["fallback"] or "")
        for each in props["all"]
    ]


def test_a_group_is_an_original_and_its_translations() -> None:
    """Each page of it knows all others, by language, and blocks get their names and titles."""
    pages = rows(text("home"), text("start", "de", "home"), text("accueil", "fr", "home"))
    expected = [("de", "/start/", "", ""), ("en", "/home/", "", ""), ("fr", "/accueil/", "*", "")]
    assert switcher(pages["accueil"]) == expected
    props: Any = pages["home"].blocks[0].props
    assert props["all"][0]["name"] == "Deutsch"
    assert props["all"][0]["title"] == "Start"
    groups = {row.translations for row in pages.values()}
    assert len(groups) == 1
    assert [(each.lang, each.default) for each in groups.pop()] == [
        ("de", False),
        ("en", True),
        ("fr", False),
    ]


def test_a_page_alone_has_itself() -> None:
    """So a switcher shows one language, and the head names none."""
    (row,) = rows(text("home", "de")).values()
    assert switcher(row) == [("de", "/home/", "*", "")]
    assert row.translations == ()


def test_a_page_that_is_not_there_is_in_no_group() -> None:
    """One that is not due, and one that is held back without a live version, are not named."""
    later = text("start", "de", "home", published_at=NOW.replace(year=2099))
    assert rows(text("home"), later)["home"].translations == ()
    content = a_snapshot(text("home"), text("start", "de", "home"), components=(OPEN,))
    (home, _) = Relations().applied(content, NOW, {"start"}).pages
    assert home.translations == ()


@pytest.mark.parametrize(
    ("wrong", "what", "remedy"),
    [
        (text("x", "de", "nobody"), "no published page of the app has the key nobody", "name one"),
        (text("x", "de", "frame"), "no published page of the app has the key frame", "name one"),
        (text("x", "de", "other"), "no published page of the app has the key other", "name one"),
        (text("x", "de", "x"), "translation of itself", "another page"),
        (text("x", "it", "start"), "start is a translation itself", "its original, home"),
        (text("x", "DE", "home"), "start of its group is in DE, too", "set lang"),
        (text("x", "", "home"), "home of its group is in en, too", "set lang"),
        (text("x", "de", ["home"]), "no text", "the key of a page"),
    ],
)
def test_a_wrong_translation_is_held_back_alone(wrong: PageRow, what: str, remedy: str) -> None:
    """The problem names row, field and place; the group goes on without it."""
    other = text("other", app="work")
    assembly = assembled(an_app(), text("home"), text("start", "de", "home"), other, wrong)
    (key, problems), *more = assembly.held_back.items()
    (problem,) = problems
    assert (key, more) == ("x", [])
    assert (problem.entity, problem.key, problem.field) == ("page", "x", "metadata")
    assert problem.pointer == "/translation_of"
    assert what in problem.what
    assert remedy in problem.remedy
    group = {page.page.key: len(page.page.translations) for page in assembly.pages}
    assert group == {"home": 2, "start": 2}


def test_a_circle_is_two_translations_of_translations() -> None:
    """Both are told."""
    assembly = assembled(text("a", "de", "b"), text("b", "en", "a"))
    assert assembly.held_back.keys() == {"a", "b"}


def test_a_group_is_bounded() -> None:
    """Every page of a group names all others, so a group of thousands would be millions."""
    many = [text(f"p{n}", f"aa-x-{n}", "home") for n in range(MAX_LANGUAGES + 5)]
    assembly = assembled(text("home"), *many)
    assert len(assembly.held_back) == 6
    assert len(assembly.pages[0].page.translations) == MAX_LANGUAGES


def test_an_edit_rewrites_what_it_changes() -> None:
    """A new translation changes its group; a title only those whose blocks show it."""
    relations = Relations()
    plain = replace(text("start", "de", "home"), blocks=(a_block(),))
    pages = (text("home"), plain, text("alone"), text("one"), text("uno", "es", "one"))
    before = rows(*pages, relations=relations)
    after = rows(*pages, text("accueil", "fr", "home"), relations=relations)
    assert {key for key in before if before[key] is not after[key]} == {"home", "start"}
    pages = (replace(text("home"), name="New"), *pages[1:])
    texts = []
    for seen in (rows(*pages[:2], text("home")), rows(*pages[:2])):
        assembly = assemble(a_snapshot(*seen.values(), components=(OPEN,)), "play", layouts=LAYOUTS)
        texts.append({each.page.key: page_text(each.page) for each in assembly.pages})
    assert texts[0]["start"] == texts[1]["start"]


def test_a_fallback_leads_where_a_translation_is_missing() -> None:
    """Of the languages that an app offers, in their order; never to the page itself."""
    pages = (text("home"), text("start", "de", "home"), text("only", "fr"))
    told = rows(an_app(offered=["fr", "de", "en"], fallback="en"), *pages)
    assert switcher(told["start"]) == [
        ("fr", "/home/", "", "en"),
        ("de", "/start/", "*", ""),
        ("en", "/home/", "", ""),
    ]
    assert switcher(told["home"]) == [("de", "/start/", "", ""), ("en", "/home/", "*", "")]
    assert switcher(told["only"]) == [("fr", "/only/", "*", "")]
    without = rows(an_app(offered=["fr", "de", "en"]), *pages)
    assert switcher(without["start"]) == [("de", "/start/", "*", ""), ("en", "/home/", "", "")]


def test_an_app_has_a_language_of_its_own() -> None:
    """Pages that state none are in it, and others are led to its page."""
    frame = an_app(default="de")
    bare = a_page("bare", route="/bare/", metadata={"frame": False})
    pages = (frame, text("start"), text("home", "en", "start"), bare)
    found = {each.page.key: each.page for each in assembled(*pages).pages}
    assert (found["start"].lang, found["bare"].lang, found["home"].lang) == ("de", "de", "en")
    assert [each.key for each in found["home"].translations if each.default] == ["start"]
    relations = Relations()
    lists = a_page("list", blocks=(a_block(props={"l": {"$pages": {"fields": ["lang"]}}}),))
    for lang in ("en", "de"):
        row = rows(an_app(default=lang), text("start"), lists, relations=relations)["list"]
        assert row.blocks[0].props == {"l": [{"lang": lang}]}


@pytest.mark.parametrize(
    ("asked", "keys"),
    [("same", ["b", "c"]), ("de", ["b", "c"]), ("DE", ["b", "c"]), ("en", ["a"]), ("fr", [])],
)
def test_a_list_can_be_of_one_language(asked: str, keys: list[str]) -> None:
    """`same` is that of the page that shows it."""
    query = {"$pages": {"lang": asked, "sort": "key", "fields": ["key"]}}
    lists = a_page("list", metadata={"lang": "de"}, blocks=(a_block(props={"l": query}),))
    row = rows(lists, text("a"), text("b", "de"), text("c", "De"))["list"]
    assert row.blocks[0].props == {"l": [{"key": key} for key in keys]}


def test_a_lists_language_is_one() -> None:
    """What is none is told with its place."""
    query = {"$pages": {"lang": "de_DE"}}
    lists = a_page("list", blocks=(a_block(props={"l": query}),))
    (problem,) = assembled(lists).held_back["list"]
    assert (problem.pointer, "no language" in problem.what) == ("/l/lang", True)


def test_a_feed_can_be_of_one_language() -> None:
    """As a list can."""
    feed = a_page("news", metadata={"lang": "de", "feed": {"lang": "same"}})
    row = rows(feed, text("a"), text("b", "de"))["news"]
    assert row.feed is not None
    assert [item.route for item in row.feed.items] == ["/b/"]


def test_further_parts_have_no_translations() -> None:
    """Nobody knows which part of another list says the same; their switchers lead to the lists."""
    query = {"$pages": {"limit": 1, "paginate": True}}
    blocks = (a_block(props={"all": {"$page": "translations"}, "l": query}),)
    news = text("news", blocks=blocks)
    pages = rows(news, text("neues", "de", "news"))
    assert [len(pages[key].translations) for key in ("news", "neues")] == [2, 2]
    posts = [text(f"p{n}") for n in range(2)]
    part = rows(news, text("neues", "de", "news"), *posts)["news.page-2"]
    assert part.translations == ()
    assert switcher(part) == [("de", "/neues/", "", ""), ("en", "/news/", "*", "")]


# --- settings --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stated", "pointer"),
    [
        ({"default": "de_DE"}, "/languages/default"),
        ({"offered": "de"}, "/languages/offered"),
        ({"offered": ["de", "", "fr"]}, "/languages/offered/1"),
        ({"offered": ["de", "DE"]}, "/languages/offered/1"),
        ({"fallback": 5}, "/languages/fallback"),
        ({"defualt": "de"}, "/languages/defualt"),
        ({"offered": ["de"] * 101}, "/languages/offered"),
        (["de"], "/languages"),
    ],
)
def test_wrong_languages_have_their_place(stated: Any, pointer: str) -> None:
    """Every mistake is told where it stands, and nothing is made of it."""
    settings, (problem,) = read_settings({"languages": stated})
    assert problem.pointer == pointer
    assert not settings.text


def test_a_node_has_no_languages() -> None:
    """All nodes share the pages of an app: there they would mean nothing."""
    branded = brand(a_node(settings={"languages": {"default": "de"}}), (), lambda _: ())
    (problem,) = [each for each in branded.problems if each.field == "settings"]
    assert (problem.pointer, problem.severity) == ("/languages", "error")
    assert "frame" in problem.remedy


# --- heads and names -------------------------------------------------------------------------


def test_heads_name_what_search_engines_may_show() -> None:
    """Not a page with `noindex`, and nothing where only one is left."""
    hidden = replace(
        text("start", "de", "home"),
        metadata={"lang": "de", "translation_of": "home", "robots": "noindex"},
    )
    pages = rows(text("home"), hidden)
    assert alternates(pages["home"].translations) == ()
    pages = rows(text("home"), hidden, text("réunion", "fr", "home"))
    assert alternates(pages["home"].translations) == (
        ("en", "/home/"),
        ("fr", "/r%C3%A9union/"),
        ("x-default", "/home/"),
    )


@pytest.mark.parametrize(
    ("metadata", "direction"),
    [
        ({"lang": "ar-EG"}, "rtl"),
        ({"lang": "he"}, "rtl"),
        ({"lang": "az-Arab-IR"}, "rtl"),
        ({"lang": "ks-Deva"}, ""),
        ({"lang": "de"}, ""),
        ({"lang": "ar", "dir": "ltr"}, "ltr"),
        ({"dir": "rtl"}, "rtl"),
    ],
)
def test_a_language_has_its_direction(metadata: dict[str, Any], direction: str) -> None:
    """Unless the page states another."""
    (page,) = assembled(a_page(metadata=metadata)).pages
    assert About.of(page.page).dir == direction


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("de", "Deutsch"),
        ("DE", "Deutsch"),
        ("fr", "Français"),
        ("pt-BR", "Português (Brasil)"),
        ("de-1996", "Deutsch (1996)"),
        ("ar", "العربية"),
        ("cy", "Cymraeg"),
        ("zz-x-own", "zz-x-own"),
    ],
)
def test_languages_have_names_of_their_own(tag: str, name: str) -> None:
    """As their speakers write them; what has none is named by its tag."""
    assert own_name(tag) == name
