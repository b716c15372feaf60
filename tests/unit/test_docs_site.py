"""The documents as pages: what the site is made of, before it is built."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from robbieblocks.assemble.markdown.rendering import rendered
from tools.docs_site import DOCS, INDEX, ROOT, groups, read, route_of

DOCUMENTS = [
    *DOCS.glob("*.md"),
    *DOCS.glob("how-to/*.md"),
    *DOCS.glob("schema/*.md"),
    *ROOT.glob("C*.md"),
]


def test_the_index_lists_every_document() -> None:
    """docs/README.md leads to all of them, and so does the site's navigation."""
    listed = [file for group in groups().values() for file in group]
    assert sorted([INDEX, *listed]) == sorted(DOCUMENTS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
def test_every_document_can_be_a_page(document: Path) -> None:
    """It has one title, and links to pages alone."""
    html = "".join(rendered(str(part.get("text", ""))).html for part in read(document).parts)
    assert html.count("<h1 ") == 1
    assert not re.findall(r'href="(?!/|#|https?:)[^"]*"', html)
    assert route_of(document).endswith("/")


def test_a_document_becomes_markdown_of_a_page() -> None:
    """Links lead to pages, fences have captions, pictures are their own parts; code is as it is."""
    file = DOCS / "performance.md"
    text = (
        "# One\n\n## A `b`, c\n\n## A b c\n\nSee [settings.md](settings.md#x), [it](https://a.b), "
        "[a `file`](../Makefile), `[no](link.md)`.\n\n  ```toml file=a.toml\n  [x](y.md)\n  ```\n\n"
        "![Bars](images/bench-live.svg)\n\n```\nlast\n```\n"
    )
    made = read(file, text)
    assert made.heads == [("a-b-c", "A b, c"), ("a-b-c-1", "A b c")]
    first, picture, last = made.parts
    assert str(first["text"]).partition("See ")[2] == (
        "[Settings](/settings/#x), [it](https://a.b), a `file`, `[no](link.md)`.\n\n"
        "  ```caption\n  a.toml\n  ```\n  ```toml\n  [x](y.md)\n  ```\n\n"
    )
    assert "'src': 'data:image/svg+xml;base64," in str(picture)
    assert "'alt': 'Bars'" in str(picture)
    assert last == {"text": "\n```\nlast\n```\n"}
    with pytest.raises(SystemExit, match="no SVG that is there"):
        read(file, "# One\n\n![a](images/none.svg)\n")
