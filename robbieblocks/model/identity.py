"""The identity rule: the same object means that nothing has changed.

Rows and what stages make of them are frozen, and each stage hands back the object that it handed
back last time where its inputs are the same. So a later stage compares ten thousand pages by
identity, not by value. A different object may still be equal: that costs time and nothing else.
"""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def same(one: object, other: object) -> bool:
    """Whether both are one object, so that what was made of one holds for the other."""
    return one is other


class IdentityMap(Generic[K, V]):
    """Values by the identity of their key. Keys stay alive here, so that no id is used twice."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[K, V]] = {}

    def get(self, key: K) -> V | None:
        """The value for this very object, or None."""
        entry = self._entries.get(id(key))
        return entry[1] if entry is not None else None

    def put(self, key: K, value: V) -> V:
        """Remember a value, and return it."""
        self._entries[id(key)] = (key, value)
        return value
