"""Reading source maps: from a compiled position to the stored one."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.source_maps import locate, moved, source_of, vlq_numbers

# Two compiled lines: one from line 2 column 3, then unmapped; one from line 1 column 1.
MAP = json.dumps(
    {
        "version": 3,
        "sources": ["it.tsx"],
        "sourcesContent": ["first\n  second"],
        "mappings": "AACE,K;GADF",
    }
)


@pytest.mark.parametrize(
    ("line", "column", "expected"),
    [
        (1, 1, (2, 3, "  second")),
        (1, 5, (2, 3, "  second")),
        (2, 4, (1, 1, "first")),
        (2, 90, (1, 1, "first")),
    ],
)
def test_positions_are_found(line: int, column: int, expected: tuple[int, int, str]) -> None:
    """The last segment that starts at or before the column decides."""
    found = locate(MAP, line, column)
    assert found is not None
    assert (found.line, found.column, found.text) == expected


@pytest.mark.parametrize(("line", "column"), [(1, 6), (2, 1), (3, 1), (0, 1)])
def test_unmapped_positions_have_none(line: int, column: int) -> None:
    """Code of the compiler's own, and lines that are not there, have no stored position."""
    assert locate(MAP, line, column) is None


@given(st.text())
def test_a_broken_map_is_no_map(mappings: str) -> None:
    """What can't be read costs the position, never the build."""
    locate(json.dumps({"mappings": mappings}), 1, 1)
    assert locate(mappings, 1, 1) is None or mappings.startswith("{")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", []),
        ("A", [0]),
        ("C", [1]),
        ("D", [-1]),
        ("AAgBC", [0, 0, 16, 1]),
        ("hC", [-32 - 16 * 0 - 0]),
        ("+/////D", [2**31 - 1]),
    ],
)
def test_numbers(text: str, numbers: list[int]) -> None:
    """A segment's numbers have 5 bits a digit, the lowest first, and the sign in the first."""
    assert vlq_numbers(text) == numbers


# Line 2 was compiled with 10 characters in front of column 5; columns 15 and 21 were 5 and 11.
SHIFTED = json.dumps(
    {
        "version": 3,
        "mappings": "AAAG,CACD,CAAE,CAAU,CAAM,CACN",
        "x_robbieblocks_shift": {"line": 2, "column": 5, "by": 10},
    }
)


@pytest.mark.parametrize(
    ("compiled", "stored"),
    list(enumerate([(1, 4), (2, 3), (2, 5), (2, 5), (2, 11), (3, 15)], 1)),
)
def test_columns_are_shifted_back(compiled: int, stored: tuple[int, int]) -> None:
    """Columns past what was put in front are those of the stored line; other lines stay."""
    found = locate(SHIFTED, 1, compiled)
    assert found is not None
    assert (found.line, found.column) == stored


def test_a_moved_map_leads_to_the_same_places() -> None:
    """What stands in front of the first line moves that line alone."""
    index = moved(MAP, 7)
    assert locate(index, 1, 8) == locate(MAP, 1, 1)
    assert locate(index, 1, 7) is None
    assert locate(index, 2, 4) == locate(MAP, 2, 4)
    assert source_of(index) == source_of(MAP) == "it.tsx"
    assert source_of("{") == source_of('{"sources": [1]}') == ""
