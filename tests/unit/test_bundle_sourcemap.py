"""Source maps lead to the stored text, also where text was put in front."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from robbieblocks import vlq
from robbieblocks.bundle.shape import Shift
from robbieblocks.bundle.sourcemap import to_stored
from robbieblocks.bundle.vendors import packed, unpacked


@given(st.lists(st.integers(-(2**31), 2**31)))
def test_numbers(numbers: list[int]) -> None:
    """What is encoded is decoded to the same."""
    assert vlq.decode(vlq.encode(numbers)) == numbers


def segments(mappings: str) -> list[tuple[int, int]]:
    """(line, column) in the source of each segment, from 0."""
    line = column = 0
    found = []
    for segment in filter(None, mappings.replace(";", ",").split(",")):
        fields = vlq.decode(segment)
        line += fields[2]
        column += fields[3]
        found.append((line, column))
    return found


def mapped(places: list[tuple[int, int]]) -> str:
    line = column = 0
    parts = []
    for at_line, at_column in places:
        parts.append(vlq.encode([1, 0, at_line - line, at_column - column]))
        line, column = at_line, at_column
    return json.dumps({"version": 3, "sources": ["c/x.tsx"], "mappings": ";".join(parts)})


def test_shift() -> None:
    """Columns past what was put in front are those of the stored line; other lines stay."""
    places = [(0, 3), (1, 2), (1, 4), (1, 14), (1, 20), (2, 14)]
    moved = json.loads(to_stored(mapped(places), "card", Shift(line=2, column=5, by=10)))
    assert segments(moved["mappings"]) == [(0, 3), (1, 2), (1, 4), (1, 4), (1, 10), (2, 14)]
    assert moved["sources"] == ["card"]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 300))))
def test_no_shift(places: list[tuple[int, int]]) -> None:
    """Without a shift nothing moves."""
    moved = json.loads(to_stored(mapped(places), "card", None))
    assert segments(moved["mappings"]) == places


@given(st.text(), st.lists(st.binary(max_size=50), max_size=5))
def test_packing(head: str, parts: list[bytes]) -> None:
    """What is packed for the cache comes out as it was."""
    assert unpacked(packed(head, *parts)) == [head.encode("utf-8"), *parts]
