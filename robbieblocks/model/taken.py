"""Which of a block's props are values of other rows: what is wrong with one names its row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from robbieblocks.model.values import JsonObject

_TELLING: Final = frozenset(("key", "route"))


class Taken(NamedTuple):
    """The `fields` of some rows, which stand at the JSON pointer `at` of a block's props.

    `rows` are the data that lists have of them, each with its `key`. Where it `is_list`, each is
    there as an object with the fields; else the one field of the one row is. They are rows of
    `collection`, whose key is its column `column`, or the row's `key` where that is empty; without
    a collection they are pages.
    """

    at: str
    rows: Sequence[JsonObject]
    fields: tuple[str, ...]
    is_list: bool = True
    collection: str = ""
    column: str = ""

    def __eq__(self, other: object) -> bool:
        """Whether both name the same rows, where equal props stand: with a key or a route in them
        these are those of the same rows, and so is what a page says of itself.
        """
        if not isinstance(other, Taken):
            return NotImplemented
        return (
            self.at == other.at
            and self.fields == other.fields
            and self[3:] == other[3:]
            and (
                self.rows is other.rows
                or not self.is_list
                or not _TELLING.isdisjoint(self.fields)
                or [row["key"] for row in self.rows] == [row["key"] for row in other.rows]
            )
        )

    def __hash__(self) -> int:
        return hash((self.at, self.fields))
