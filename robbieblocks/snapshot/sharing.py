"""The objects of an earlier snapshot in place of equal ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final, TypeVar
from uuid import UUID

from robbieblocks.model import ComponentRow, same

Row = TypeVar("Row")
Components = Mapping[UUID, tuple[str, int, ComponentRow]]
"""Components by id, each with its version and digest."""

KEY: Final = attrgetter("key")


def shared(rows: Sequence[Row], before: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows as a tuple: `before` itself where it holds the same objects."""
    if same(rows, before):
        return before
    unchanged = len(rows) == len(before) and all(map(same, rows, before))
    return before if unchanged else tuple(rows)


def shared_if_equal(rows: Sequence[Row], before: tuple[Row, ...]) -> tuple[Row, ...]:
    """The rows, each replaced by an equal one of `before`; for rows that can be hashed."""
    known = {row: row for row in before}
    return shared([known.get(row, row) for row in rows], before)


def by_key(
    components: Components, before: Mapping[str, ComponentRow]
) -> Mapping[str, ComponentRow]:
    """The components by key: `before` itself where it holds the same objects."""
    rows = sorted((row for _, _, row in components.values()), key=KEY)
    if len(rows) == len(before) and all(map(same, rows, before.values())):
        return before
    return {row.key: row for row in rows}
