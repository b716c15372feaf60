"""What differs between two states of rows, by identity, and rows with that put in their places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.model import carried, changed_between, values, with_changed


class Row(NamedTuple):
    """Equal rows that are not the same object tell identity from equality."""

    key: str


def key_of(row: Row) -> str:
    return row.key


KEYS = st.sets(st.integers(0, 30), max_size=20)


@pytest.mark.parametrize("one_by_one", [0, 200])
@given(KEYS, KEYS, KEYS)
def test_what_differs_turns_the_rows_of_before_into_those_of_now(
    one_by_one: int, before: set[int], after: set[int], edited: set[int]
) -> None:
    """Whether they are put there one by one or sorted; rows that are the same object stay."""
    rows = {number: Row(f"{number:02}") for number in sorted(before | after)}
    old: Sequence[Row] = [rows[number] for number in sorted(before)]
    new = [Row(f"{number:02}") if number in edited else rows[number] for number in sorted(after)]
    gone, come = changed_between(old, new)
    assert {each.key for each in gone} == {f"{n:02}" for n in before - (after - edited)}
    assert {each.key for each in come} == {f"{n:02}" for n in after - (before - edited)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(values, "_ONE_BY_ONE_MAX", one_by_one)
        made = with_changed(old, gone, come, key_of)
    assert len(made) == len(new)
    assert all(mine is its for mine, its in zip(made, new, strict=True))
    asked: list[Row] = []

    def make(row: Row) -> str:
        asked.append(row)
        return f"{row.key} {row.key in edits}"

    edits = {f"{number:02}" for number in edited}
    named = [f"{row.key} False" for row in old]
    assert carried(old, named, new, make) == [f"{row.key} {row.key in edits}" for row in new]
    assert [*map(id, asked)] == [*map(id, come)]


def test_of_the_same_rows_nothing_differs() -> None:
    """Neither of one object nor of two that hold the same rows."""
    rows = [Row("a"), Row("b")]
    assert changed_between(rows, rows) == ([], [])
    assert changed_between(rows, (*rows,)) == ([], [])
