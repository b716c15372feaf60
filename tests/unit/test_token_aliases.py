"""Tokens that name other tokens."""

from __future__ import annotations

from typing import Any

import pytest

from robbieblocks.brand import brand
from robbieblocks.model import BrandedNode, TokenRow
from tests.unit.rows import a_node

Rows = dict[str, str]


def branded(rows: Rows, overrides: dict[str, Any] | None = None) -> BrandedNode:
    """A node with tokens whose category is the first part of their key."""
    tokens = [
        TokenRow(key=key, category=key.split(".")[0], default=value) for key, value in rows.items()
    ]
    return brand(a_node(overrides=overrides or {}), tokens, lambda _: ())


def problems(node: BrandedNode) -> list[tuple[str, str, str, str]]:
    return [(one.entity, one.key, one.pointer, one.what) for one in node.problems]


def test_a_token_has_the_value_of_the_one_that_it_names() -> None:
    """Also in a part of a value, by way of others, and on fonts; quoted braces are text."""
    node = branded(
        {
            "color.link": "{color.primary}",
            "color.primary": "{ color.blue-500 }",
            "color.blue-500": "#1f5fa8",
            "shadow.card": "0 0 2px {color.link}, {space.2xs} 0 {color.primary}",
            "space.2xs": "1px",
            "label.text": "'{color.link}' {space.2xs}",
            "font.body": "{face.text}, serif",
            "face.text": "Press Start 2P",
        }
    )
    assert node.tokens == {
        "color.blue-500": "#1f5fa8",
        "color.link": "#1f5fa8",
        "color.primary": "#1f5fa8",
        "face.text": "Press Start 2P",
        "font.body": '"Press Start 2P", serif',
        "label.text": "'{color.link}' 1px",
        "shadow.card": "0 0 2px #1f5fa8, 1px 0 #1f5fa8",
        "space.2xs": "1px",
    }
    assert b"--color-link:#1f5fa8;" in node.stylesheet.content
    assert [problem.severity for problem in node.problems] == ["warning"]  # the font has no file


def test_a_colour_that_is_none_is_named_where_it_stands() -> None:
    """The token's own row, or the node that overrides it; not the tokens that name it."""
    rows = {"color.link": "{color.primary}", "color.primary": "#12345"}
    what = "#12345 is no colour: browsers pass the declaration over"
    assert problems(branded(rows)) == [("style_token", "color.primary", "", what)]
    node = branded(rows, {"color.primary": "#98765"})
    what = "token color.primary: #98765 is no colour: browsers pass the declaration over"
    assert problems(node) == [("node_branding", "vengeance-local", "/color.primary", what)]


def test_an_override_reaches_what_names_its_token() -> None:
    """Names are followed on each node after its overrides, which may name tokens themselves."""
    rows = {"color.link": "{color.primary}", "color.primary": "#111111", "color.soft": "#eeeeee"}
    node = branded(rows, {"color": {"primary": "#222222", "soft": "{color.link}"}})
    assert set(node.tokens.values()) == {"#222222"}
    assert not node.problems


@pytest.mark.parametrize(
    ("rows", "overrides", "expected"),
    [
        (
            {"color.link": "{color.primry}", "color.primary": "red", "color.a": "{color.link}"},
            {},
            ("style_token", "color.link", "", "the value names {color.primry}, which is no token"),
        ),
        (
            {"color.link": "red"},
            {"color.link": "{color.x}"},
            (
                "node_branding",
                "vengeance-local",
                "/color.link",
                "token color.link: the value names {color.x}, which is no token",
            ),
        ),
        (
            {"color.a": "{color.b}", "color.b": "{color.c}", "color.c": "1px {color.a}"},
            {},
            (
                "style_token",
                "color.a",
                "",
                "the value names its own token by way of color.b -> color.c",
            ),
        ),
        (
            {"color.a": "{color.b}", "color.b": "red", "color.c": "{color.a}"},
            {"color.b": "{color.a}"},
            (
                "node_branding",
                "vengeance-local",
                "/color.b",
                "token color.b: the value names its own token by way of color.a",
            ),
        ),
        (
            {"color.a": "{color.a}"},
            {},
            ("style_token", "color.a", "", "the value names its own token"),
        ),
        (
            {"color.a": "{spacing.md}", "spacing.md": "1px"},
            {},
            (
                "style_token",
                "color.a",
                "",
                "the value is {spacing.md}, whose category is spacing, and not color",
            ),
        ),
        (
            {"color.a": "{color.b}", "color.b": "red;"},
            {},
            (
                "style_token",
                "color.b",
                "",
                "the value holds `;`, which doesn't belong in one value",
            ),
        ),
        (
            {f"a.t{n}": f"{{a.t{n - 1}}} {{a.t{n - 1}}}" for n in range(1, 99)} | {"a.t0": "red"},
            {},
            ("style_token", "a.t12", "", "the value has 16,383 characters"),
        ),
        (
            {f"a.t{n}": "1" for n in range(101)}
            | {"b.all": " ".join(f"{{a.t{n}}}" for n in range(101))},
            {},
            ("style_token", "b.all", "", "the value names 101 tokens"),
        ),
        (
            {"a.x": "image-set({a.y} 1x)", "a.y": "'https://evil.example/x.png'"},
            {},
            (
                "style_token",
                "a.x",
                "",
                "https://evil.example/x.png leads elsewhere, or may",
            ),
        ),
    ],
    ids=[
        *("unknown", "unknown in an override", "circle", "circle by an override", "itself"),
        *("category", "a wrong target", "doubling", "too many names", "an address"),
    ],
)
def test_a_name_that_leads_nowhere_is_one_problem(
    rows: Rows, overrides: dict[str, Any], expected: tuple[str, str, str, str]
) -> None:
    """It is told where it is written, once: not again by the tokens that depend on it."""
    node = branded(rows, overrides)
    assert problems(node) == [expected]
    assert node.problems[0].severity == "error"


def test_long_chains_and_many_mistakes_are_bounded() -> None:
    """A chain of all tokens is followed; beyond the most tokens, and for circles, that is told."""
    chain = {f"color.t{n}": f"{{color.t{n + 1}}}" for n in range(1_999)}
    node = branded({**chain, "color.t1999": "red"})
    assert set(node.tokens.values()) == {"red"}
    assert len(node.tokens) == 2_000
    longer = {f"color.t{n}": f"{{color.t{n + 1}}}" for n in range(10_000)}
    assert [each[3] for each in problems(branded(longer))] == ["there are more than 2,000 tokens"]
    pairs = {f"color.t{n}": f"{{color.t{n ^ 1}}}" for n in range(2_000)}
    assert len(branded(pairs).problems) == 20
    unknown = {f"color.t{n}": f"{{color.x{n}}}" for n in range(2_000)}
    remedies = [problem.remedy for problem in branded(unknown).problems]
    assert sum("did you mean" in remedy for remedy in remedies) == 20
