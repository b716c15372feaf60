"""Values as Python holds them, whatever Postgres was given."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from robbieblocks.errors import Problem
from robbieblocks.model import Json
from robbieblocks.row_faults import blame

_TOO_DEEP = "JSON nested too deep to read"
# What is made of a text takes ten times its memory.
_LONGEST = 4_000_000
_TOO_LONG = f"JSON longer than {_LONGEST:,} characters"

# jsonb writes numbers in full, so a number that no float holds has more digits than this, and one
# with fewer meets neither infinity nor Python's limit on the length of integers.
_DIGITS_OF_ANY_FLOAT = 300


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS_OF_ANY_FLOAT else digits


def _fraction(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_decode = json.JSONDecoder(parse_int=_integer, parse_float=_fraction).decode


def decode(text: str) -> Any:
    """The value of a JSON text.

    Raises OverflowError for a text that is too long, RecursionError for one that is nested too
    deep, and what nobody knows of yet.
    """
    if len(text) > _LONGEST:
        raise OverflowError(_TOO_LONG)
    return _decode(text)


def json_value(text: str | None, entity: str, key: str, field: str) -> Json:
    """A jsonb column's value; SQL null and JSON null are {}.

    Of what can't be read it is a text that says why: no column's value may be a text.
    """
    if text is None:
        return {}
    faults: list[Problem] = []
    with blame(faults.append, entity, key, field):
        try:
            value = decode(text)
        except OverflowError:
            return _TOO_LONG
        except RecursionError:
            return _TOO_DEEP
        return {} if value is None else value
    return faults[0].what


def texts(values: Iterable[Any] | None) -> tuple[str, ...]:
    """A text[] without its nulls, and flat, whatever its dimensions."""
    found: list[str] = []
    for value in values or ():
        if isinstance(value, str):
            found.append(value)
        elif value is not None:
            found.extend(texts(value))
    return tuple(found)


def utc(value: datetime) -> datetime:
    """A timestamp that was read AT TIME ZONE 'UTC', with its zone."""
    return value.replace(tzinfo=UTC)
