"""Rules for CSS that comes from rows."""

from __future__ import annotations

import pytest
import tinycss2
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.css_text import address_text, css_string, foreign_urls, is_local_url


@pytest.mark.parametrize(
    "url",
    [
        *("/x.png", "/a/b?c#d", "/", "#id", "#", " /x.png ", "data:image/png;base64,aa"),
        *("data:font/woff2;base64,aa", "DATA:image/svg+xml,<svg xmlns='http://x'>\n</svg>"),
    ],
)
def test_local_addresses(url: str) -> None:
    """Paths on the site, fragments, and images and fonts in the text are local."""
    assert is_local_url(url)


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.org/x", "//example.org", "/\\example.org", "\\\\example.org", "x.png"),
        *(
            "",
            " ",
            "../x",
            "blob:x",
            "javascript:x",
            "data:text/html,x",
            "data:image/png",
            "http:x",
        ),
        *("/\t/example.org", "/\n/example.org", " //example.org", "\x01//example.org", "/a\\b"),
        *("/a b", "/a\xa0b", "/a\u2028b", "#a b", "data:image/\n,x", "da\nta:image/png,x", "/a\0b"),
    ],
)
def test_addresses_elsewhere(url: str) -> None:
    """Any other address is not, however it is written: browsers drop tabs and line breaks in it."""
    assert not is_local_url(url)


def test_addresses_at_any_depth() -> None:
    """Addresses are found in functions and blocks, as url() or as the string of a function."""
    css = "a(b(url(//1)))[url('//2')]{c:image-set('//3' 1x, url(/4), src('//5'))} '//6' url(#7)"
    nodes = tinycss2.parse_component_value_list(css)
    assert [node.value for node in foreign_urls(nodes)] == ["//1", "//2", "//3", "//5"]


@pytest.mark.parametrize(
    "css",
    [
        "image-set(var(--x) 1x)",
        "-webkit-image-set('/a.png' 1x, VAR(--x) 2x)",
        "src(var(--x))",
        "image(var(--x))",
        "cross-fade(env(x), '/a.png')",
        "image-set(attr(data-x) 1x)",
        "image-set(--made(1) 1x)",
        "image-set(if(else: '/a.png') 1x)",
        "\\69mage-set(var(--x) 1x)",
        "a(image-set((var(--x)) 1x))",
    ],
)
def test_what_may_become_an_address(css: str) -> None:
    """In a function that fetches, a text that is put in later may be any address."""
    (found,) = foreign_urls(tinycss2.parse_component_value_list(css))
    assert found.type == "function"
    assert address_text(found).endswith(")")


@pytest.mark.parametrize(
    "css",
    [
        "image-set('/a.png' 1x, url(/b.png) 2x)",
        "image-set(linear-gradient(var(--a), var(--b)) 1x)",
        "var(--image)",
        "color-mix(in srgb, var(--a), var(--b))",
    ],
)
def test_what_fetches_nothing_elsewhere(css: str) -> None:
    """Local addresses, and variables where no address stands, are allowed."""
    assert list(foreign_urls(tinycss2.parse_component_value_list(css))) == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_a_css_string_reads_back_as_its_text(text: str) -> None:
    """Any text is one CSS string token with that very value."""
    (node,) = tinycss2.parse_component_value_list(css_string(text))
    assert (node.type, node.value) == ("string", text)


def test_a_css_string_ends_nothing() -> None:
    """A text as a CSS string can't end the string or a style element."""
    assert css_string('a"b\\c\n</style>') == '"a\\"b\\\\c\\a \\3c /style\\3e "'
