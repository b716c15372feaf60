"""What of a page is indexed, what a release says of its index, and which apps have one."""

from __future__ import annotations

import pytest

from robbieblocks.model import Json, search_file, sha256
from robbieblocks.search import Listing, Tags, index_key, read_listing, tags_of
from robbieblocks.search.documents import document
from robbieblocks.settings import SearchSettings

PAGE = """<!DOCTYPE html><html lang="de"><head><title>Bowls – Shop</title>
<meta property="og:title" content="Bowls &amp; cups"><meta name="description" content="Of clay">
<meta property="og:image" content="/_rb/bowl.png"></head>
<body><header>HEADER</header><main id="main"><h1>Bowls</h1>%s</main><footer>FOOT</footer></body>
</html>"""


def test_the_main_element_is_indexed_alone() -> None:
    """In the page's language, with its title as the page has it without the node's name."""
    found = document(PAGE % "<p>Glazed</p>")
    assert found is not None
    assert found[1:] == ("Bowls & cups", "Of clay", "/_rb/bowl.png")
    assert '<html lang="de">' in found.html
    assert "Glazed" in found.html
    assert "HEADER" not in found.html
    assert "FOOT" not in found.html


@pytest.mark.parametrize(
    "left_out",
    [
        "<nav>HIDDEN</nav>",
        "<form>HIDDEN</form>",
        "<search>HIDDEN</search>",
        "<button>HIDDEN</button>",
        '<a href="/ask/" role="button">HIDDEN</a>',
        '<div role="navigation"><a href="/">HIDDEN</a></div>',
        "<iframe>HIDDEN</iframe>",
        "<video>HIDDEN</video>",
        "<script>HIDDEN</script>",
        "<div hidden>HIDDEN</div>",
        '<div aria-hidden="true">HIDDEN</div>',
        "<section data-pagefind-ignore><b>HIDDEN</b></section>",
        '<section data-pagefind-ignore="all">HIDDEN</section>',
    ],
)
def test_what_is_no_text_of_the_page_is_left_out(left_out: str) -> None:
    found = document(PAGE % f"{left_out}<p>Glazed</p>")
    assert found is not None
    assert "HIDDEN" not in found.html
    assert "Glazed" in found.html


@pytest.mark.parametrize(
    ("metadata", "tags"),
    [
        ({"tags": ["kiln", "clay", "kiln"]}, ("clay", "kiln")),
        ({"tags": [" kiln ", "", "  ", 3, None, ["x"]]}, ("kiln",)),
        ({"tags": "kiln"}, ()),
        ({"tags": {"kiln": True}}, ()),
        ({}, ()),
        (None, ()),
        (["tags"], ()),
    ],
)
def test_tags_are_the_texts_of_a_list(metadata: Json, tags: Tags) -> None:
    """Each once; what is no text is none."""
    assert tags_of(metadata) == tags


def test_a_tag_has_no_character_that_means_something_to_the_indexer() -> None:
    """And it is not one of the words that are found."""
    found = document(PAGE % "<p>Glazed</p>", ['Ton & "Töne"', "a:b, c\\", "\ud800"])
    assert found is not None
    values = ["Ton%20%26%20%22T%C3%B6ne%22", "a%3Ab%2C%20c%5C", "%3F"]
    for value in values:
        assert (
            f'<i data-pagefind-ignore data-pagefind-filter="tag[title]" title="{value}">'
            in found.html
        )


def test_words_of_different_elements_stay_apart() -> None:
    """React writes nothing between them; inside of a word nothing is added."""
    found = document(PAGE % "<dl><dt>Glaze</dt><dd>Sea<b>salt</b></dd></dl>")
    assert found is not None
    assert "<dt>Glaze</dt> <dd>Sea<b>salt</b></dd>" in found.html


def test_a_page_says_nothing_to_the_program_that_indexes_it() -> None:
    """Neither another address, nor another title, nor that all else is left out."""
    found = document(
        PAGE % '<p data-pagefind-meta="url:javascript:x" data-pagefind-body>Glazed</p>'
    )
    assert found is not None
    assert "javascript" not in found.html
    assert found.html.count("data-pagefind-body") == 1


@pytest.mark.parametrize("html", ["", "<p>", PAGE.replace("main", "div") % "", "<main>x</main>"])
def test_a_page_without_main_element_or_title_is_not_indexed(html: str) -> None:
    assert document(html) is None


def test_a_listing_comes_back_as_it_was_written() -> None:
    """And names its assets, wherever they stand in it."""
    parts: Json = {
        "wasm": "/_rb/a.wasm",
        "chunks": {"de_1": "/_rb/b.bin"},
        "packs": [["x", "/_rb/c.json"]],
    }
    listing = Listing("key", {"de": parts}, ("/old/",))
    assert read_listing(listing.text()) == listing
    assert listing.assets == {"a.wasm", "b.bin", "c.json"}
    assert listing.without(["/z/", "/b/"]).gone == ("/b/", "/z/")


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{}", b'{"format":2,"key":"","languages":{},"gone":[]}', b"\xff"],
)
def test_what_is_no_listing_is_none(content: bytes) -> None:
    assert read_listing(content) is None


def test_the_key_changes_with_every_page() -> None:
    """With its route, its bytes, its tags, and the program."""
    none: Tags = ()
    pages = [("/a/", sha256("a"), none), ("/b/", sha256("b"), none)]
    keys = {
        index_key("1", pages),
        index_key("2", pages),
        index_key("1", pages[:1]),
        index_key("1", [("/c/", sha256("a"), none), pages[1]]),
        index_key("1", [("/a/", sha256("c"), none), pages[1]]),
        index_key("1", [("/a/", sha256("a"), ("x", "y")), pages[1]]),
        index_key("1", [("/a/", sha256("a"), ("x, y",)), pages[1]]),
        index_key("1", [("/a/", sha256("a"), ("\ud800",)), pages[1]]),
    }
    assert len(keys) == 8


@pytest.mark.parametrize(
    ("text", "shop", "play"),
    [("", False, False), ("shop", True, False), ("shop, play", True, True), ("*", True, True)],
)
def test_apps_have_an_index_where_the_setting_names_them(text: str, shop: bool, play: bool) -> None:
    found = SearchSettings.of({"search.apps": text})
    assert (found.has("shop"), found.has("play")) == (shop, play)
    assert search_file("shop") == "search-shop.json"
