"""JSON, hashes, names and the identity rule, which all stages use.

The identity rule: the same object means that nothing has changed. Rows and what stages make of them
are frozen, and each stage hands back the object that it handed back last time where its inputs are
the same. So a later stage compares ten thousand pages by identity, not by value. A different object
may still be equal: that costs time and nothing else.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Mapping, Sequence
from typing import Generic, NewType, TypeAlias, TypeVar

import orjson

# A value that JSON has a form for. Lists and objects are read-only: rows are shared between stages.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]
Sha256 = NewType("Sha256", str)
K = TypeVar("K")
V = TypeVar("V")

SHARED_APP = "shared"
ASSET_PREFIX = "/_rb/"
ZONES = ("header", "sidebar", "main", "footer", "overlay")


def sha256(content: bytes | str) -> Sha256:
    """The SHA-256 of bytes, or of a text's UTF-8, as 64 hex digits."""
    data = content.encode() if isinstance(content, str) else content
    return Sha256(hashlib.sha256(data).hexdigest())


_CANONICAL = (
    orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
)
_CANONICAL_FALLBACK = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: Json) -> str:
    """JSON that is equal for equal values: keys sorted, no spaces (like RFC 8785).

    NaN and infinity are written as null, or raise ValueError.
    """
    try:
        return orjson.dumps(value, option=_CANONICAL).decode()
    except orjson.JSONEncodeError:
        # For integers beyond 64 bits and values that nest too deep; ten times as slow.
        return _CANONICAL_FALLBACK.encode(value)


def equal_json(one: Json, other: Json) -> bool:
    """Whether two values are equal as JSON: to Python 1, 1.0 and True are.

    False, too, for what nests so deep that nobody can say.
    """
    try:
        return one == other and canonical_json(one) == canonical_json(other)
    except (RecursionError, ValueError):
        return False


# Whether both are one object, so that what was made of one holds for the other.
same = operator.is_


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
