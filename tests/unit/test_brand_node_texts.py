"""Texts of a node that are no tokens."""

from __future__ import annotations

import pytest

from robbieblocks.brand import brand, node_text_problem
from robbieblocks.model import Json, NodeRow


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("title_pattern", "{title} · {site}"),
        ("title_pattern", "My shop: {title}"),
        ("title_pattern", ""),
        ("og_image", "/share.png"),
        ("og_image", "https://pictures.example/a.png"),
        ("og_image", "media:share"),
    ],
)
def test_what_is_sound(key: str, value: str) -> None:
    """A pattern with the title once; a path or an address on https."""
    assert node_text_problem(key, value) is None


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("title_pattern", 3, "expected a text"),
        ("title_pattern", "{site}", "does not hold {title} once"),
        ("title_pattern", "{title} {title}", "does not hold {title} once"),
        ("title_pattern", "{title} {name}", "other braces than {title} and {site}"),
        ("title_pattern", "{title}" + "x" * 300, "has 307 characters"),
        ("title_pattern", "{title}\x00", "the text "),
        ("og_image", "share.png", "is no address of a picture"),
        ("og_image", "//evil.example/a.png", "is no address of a picture"),
        ("og_image", "http://plain.example/a.png", "is no address of a picture"),
        ("og_image", "/a b.png", "is no address of a picture"),
        ("og_image", "media:a b", "is no address of a picture"),
        ("og_image", "media:gone", "there is no photo media:gone"),
    ],
)
def test_what_is_wrong_is_an_error_of_the_node(key: str, value: Json, told: str) -> None:
    """With the field and a remedy, so that nothing of the node goes out."""
    node = NodeRow(id="one", name="One", overrides={key: value})
    (problem,) = brand(node, [], lambda _: None).problems  # type: ignore[arg-type,return-value] # no fonts are asked for
    assert told in problem.what
    assert problem.field == f"style_overrides.{key}" or key in str(problem)
    assert problem.remedy
    assert problem.severity == "error"
