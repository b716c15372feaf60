"""JSON whose numbers are kept as they are written, however large or fine they are.

Postgres' jsonb holds numbers that neither a float nor a 64-bit integer does. Such a number is a
`Decimal` here, so that a row that is exported and imported again is the same row.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from robbieblocks.model import Json, canonical_json

# Longer integers don't fit 64 bits; Python itself refuses those of thousands of digits.
_LONGEST_INTEGER = 20


def loads(text: str) -> Json:
    """The value of a JSON text. Raises json.JSONDecodeError, ValueError or RecursionError."""
    value: Json = json.loads(
        text, parse_float=_fraction, parse_int=_integer, parse_constant=_refuse_constant
    )
    return value


def repeats_keys(text: str) -> bool:
    """Whether an object of a valid JSON text has a key twice, of which readers take the last one.

    Raises RecursionError.
    """
    repeated = False

    def note(pairs: list[tuple[str, object]]) -> None:
        nonlocal repeated
        repeated = repeated or len({key for key, _ in pairs}) < len(pairs)

    json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str)
    return repeated


def dumps(value: Json) -> str:
    """Canonical JSON: keys sorted, no spaces, every number as it was read."""
    try:
        return canonical_json(value)
    except TypeError:
        # A Decimal: neither of the encoders writes one as a number.
        return _written(value)


def is_plain(value: Json) -> bool:
    """Whether TOML can hold the value: no null, no number beyond a float or 64 bits."""
    if isinstance(value, str | bool | float):
        return True
    if isinstance(value, int):
        return _fits_64_bits(value)
    if isinstance(value, Mapping):
        return all(map(is_plain, value.values()))
    return isinstance(value, Sequence) and all(map(is_plain, value))


def _fraction(text: str) -> Any:
    number = float(text)
    return (
        number if repr(number) == text or Decimal(repr(number)) == Decimal(text) else Decimal(text)
    )


def _integer(text: str) -> Any:
    number = int(text) if len(text) <= _LONGEST_INTEGER else Decimal(text)
    return number if _fits_64_bits(number) else Decimal(text)


def _fits_64_bits(number: int | Decimal) -> bool:
    return -(2**63) <= number < 2**63


def _refuse_constant(name: str) -> None:
    """Python's json accepts NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is no JSON number")


def _written(value: Json | Decimal) -> str:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        inner = (f"{json.dumps(key)}:{_written(value[key])}" for key in sorted(value))
        return "{" + ",".join(inner) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value)
