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
from bisect import bisect_left, insort
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import compress, count
from typing import Generic, NewType, TypeAlias, TypeVar

import orjson

from robbieblocks.row_faults import is_fault

# A value that JSON has a form for. Lists and objects are read-only: rows are shared between stages.
Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
JsonObject: TypeAlias = Mapping[str, Json]
Sha256 = NewType("Sha256", str)
K = TypeVar("K")
V = TypeVar("V")
M = TypeVar("M")

SHARED_APP = "shared"
ASSET_PREFIX = "/_rb/"
# Where more rows have changed, sorting all of them is as quick.
_ONE_BY_ONE_MAX = 200
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

    False, too, for what nests so deep that nobody can say, and where a library fails over it.
    """
    try:
        return one == other and canonical_json(one) == canonical_json(other)
    except BaseException as error:
        if not is_fault(error):
            raise
        return False


def is_exact_double(number: int) -> bool:
    """Whether JavaScript writes the integer back as it is (ECMA-262, Number::toString)."""
    if abs(number) <= 2**53:
        return True
    try:
        return _written(float(number)) == number
    except OverflowError:
        return False


def _written(value: float) -> int:
    """The integer that is the shortest decimal form of a double."""
    digits, _, exponent = repr(value).partition("e")
    whole, _, fraction = digits.partition(".")
    if not exponent:
        return int(whole)
    scale: int = 10 ** (int(exponent) - len(fraction))
    return int(whole + fraction) * scale


# Whether both are one object, so that what was made of one holds for the other.
same = operator.is_


def changed_between(before: Sequence[V], now: Sequence[V]) -> tuple[list[V], list[V]]:
    """What of `before` is not in `now`, and what of `now` is not in `before`, by identity.

    Both are in the order in which they stood. Of ten thousand objects this takes half a millisecond
    where those that differ stand together.
    """
    if same(before, now):
        return [], []
    start, end = _alike(before, now)
    old, new = before[start : len(before) - end], now[start : len(now) - end]
    were, are = set(map(id, old)), set(map(id, new))
    return [each for each in old if id(each) not in are], [
        each for each in new if id(each) not in were
    ]


def carried(
    before: Sequence[V], made: Sequence[M], now: Sequence[V], make: Callable[[V], M]
) -> list[M]:
    """What `make` gives for each of `now`, in their order.

    `made` has what it gave for each of `before`: for the same objects that is taken.
    """
    start, end = _alike(before, now)
    known = dict(
        zip(map(id, before[start : len(before) - end]), made[start : len(made) - end], strict=True)
    )
    return [
        *made[:start],
        *[
            known[id(each)] if id(each) in known else make(each)
            for each in now[start : len(now) - end]
        ],
        *made[len(made) - end :],
    ]


def _alike(before: Sequence[V], now: Sequence[V]) -> tuple[int, int]:
    """How many are the same objects at the beginning of both, and how many of the others at the
    end.
    """
    most = min(len(before), len(now))
    start = next(compress(count(), map(operator.is_not, before, now)), most)
    ends = map(operator.is_not, reversed(before), reversed(now))
    return start, min(next(compress(count(), ends), most), most - start)


def with_changed(
    rows: Sequence[V], gone: Collection[V], come: Collection[V], key: Callable[[V], str]
) -> list[V]:
    """Rows, which are sorted by `key`, without some and with others in their places."""
    if len(gone) + len(come) > _ONE_BY_ONE_MAX:
        left = set(map(id, gone))
        return sorted([*(row for row in rows if id(row) not in left), *come], key=key)
    found = list(rows)
    for row in gone:
        place = bisect_left(found, key(row), key=key)
        while not same(found[place], row):
            place += 1
        del found[place]
    for row in come:
        insort(found, row, key=key)
    return found


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
