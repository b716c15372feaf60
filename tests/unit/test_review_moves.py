"""Which blocks of a page were moved, and which others only made room for them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from robbieblocks.content import Block, Component, Content, Page
from robbieblocks.content.shape import Example
from robbieblocks.review.differences import row_changes


def _content(*components: str) -> Content:
    blocks = tuple(
        Block(order=order, zone="main", component=name, props={"text": name})
        for order, name in enumerate(components)
    )
    page = Page(key="a", name="A", app="play", route="/a", layout="single-column", blocks=blocks)
    return Content(pages=(page,))


@pytest.mark.parametrize(
    ("after", "moves"),
    [
        ("bcda", {"a": ("0", "3")}),
        ("dabc", {"d": ("3", "0")}),
        ("xabcd", {}),
        ("acd", {}),
        ("xdabc", {"d": ("3", "1")}),
    ],
)
def test_only_the_block_that_was_moved_is_told_as_moved(
    after: str, moves: dict[str, tuple[str, str]]
) -> None:
    (row,) = row_changes(_content(*"abcd"), _content(*after))
    told = {each.component: (each.before, each.after) for each in row.fields if each.kind == "move"}
    assert told == moves
    added = {
        each.component
        for each in row.fields
        if each.field == "" and each.before is None and each.kind != "move"
    }
    assert added == set(after) - set("abcd")


def test_a_moved_block_tells_its_altered_prop_too() -> None:
    before, after = _content(*"abc"), _content(*"bca")
    page = after.pages[0]
    altered = replace(page.blocks[2], props={"text": "other"})
    after = Content(pages=(replace(page, blocks=(*page.blocks[:2], altered)),))
    fields = row_changes(before, after)[0].fields
    assert [(each.kind, each.field, each.block) for each in fields] == [
        ("move", "", 2),
        ("value", "text", 2),
    ]


def test_a_block_has_its_place_on_each_side() -> None:
    before, after = _content(*"ab"), _content(*"xa")
    page = after.pages[0]
    altered = replace(page.blocks[1], props={"text": "other"})
    after = Content(pages=(replace(page, blocks=(page.blocks[0], altered)),))
    fields = row_changes(before, after)[0].fields
    assert [(each.component, each.field, each.places) for each in fields] == [
        ("b", "", (1, None)),
        ("x", "", (None, 0)),
        ("x", "text", (None, 0)),
        ("a", "text", (0, 1)),
    ]


def test_examples_of_a_component_are_no_part_of_its_row() -> None:
    example = Example(name="one", props={}, file=Path("one.toml"))
    made = [
        Content(
            components=(
                Component(
                    key="a", name=name, type="block", code="", props_schema={}, examples=(each,)
                ),
            )
        )
        for name, each in (("A", example), ("B", example))
    ]
    assert [each.field for each in row_changes(*made)[0].fields] == ["name"]
