"""The documents as pages: what the site is made of, before it is built."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.docs_site import DOCS, INDEX, ROOT, groups, read, route_of

DOCUMENTS = [*DOCS.glob("*.md"), *DOCS.glob("how-to/*.md"), *ROOT.glob("C*.md")]


def test_the_index_lists_every_document() -> None:
    """docs/README.md leads to all of them, and so does the site's navigation."""
    listed = [file for group in groups().values() for file in group]
    assert sorted([INDEX, *listed]) == sorted(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_document_can_be_a_page(document: Path) -> None:
    """It has one title and no element that the site has no form for."""
    made = read(document)
    assert [piece[0] for piece in made.pieces].count("h1") == 1
    assert route_of(document).endswith("/")


def test_a_document_becomes_pieces() -> None:
    """Links lead to pages, headings get GitHub's ids, fences captions; braces stay text."""
    file = DOCS / "made-up.md"
    text = (
        "# One\n\n## A `b`, c\n\n## A b c\n\nSee [settings.md](settings.md#x), [it](https://a.b), "
        "[a file](../Makefile).\n\n```toml file=a.toml\n{{x}}\n```\n\n<!-- not told -->\n"
    )
    made = read(file, text)
    assert made.heads == [("a-b-c", "A b, c"), ("a-b-c-1", "A b c")]
    assert made.pieces[3:] == [
        [
            "p",
            {},
            "See ",
            ["a", {"href": "/settings/#x"}, "Settings"],
            ", ",
            ["a", {"href": "https://a.b"}, "it"],
            ", ",
            ["span", {}, "a file"],
            ".",
        ],
        [
            "figure",
            {"className": "code"},
            ["figcaption", {}, "a.toml"],
            ["pre", {"tabIndex": "0"}, ["code", {}, "{", "{x}}\n"]],
        ],
    ]
    with pytest.raises(SystemExit, match="html_block has no form"):
        read(file, "# One\n\n<div>\n")
