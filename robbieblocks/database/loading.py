"""What a connection makes of values that Python can't hold, so that no row fails a whole query.

psycopg raises over JSON that is nested deep, over a number of thousands of digits, and over times
before the year 1, after 9999 or infinite: then a query gives none of its rows.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any, Final

from psycopg import Connection, DataError
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import TimestamptzLoader

from robbieblocks.model import is_exact_double

JSON_TOO_DEEP: Final = "JSON nested too deep to read"
# What is made of a text takes ten times its memory.
_LONGEST: Final = 4_000_000
JSON_TOO_LONG: Final = f"JSON longer than {_LONGEST:,} characters"
_JSON_UNREADABLE: Final = "JSON that can't be read"

# jsonb writes numbers in full, so a number that no float holds has more digits than this, and one
# with fewer meets neither infinity nor Python's limit on the length of integers.
_DIGITS_OF_ANY_FLOAT: Final = 300

# A day from the ends, so that no zone carries them out of what Python holds.
_EARLIEST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LATEST: Final = datetime(9999, 12, 30, tzinfo=UTC)


def decoded_json(text: str, *, as_browsers_hold: bool = False) -> Any:
    """The value of a JSON text; of a number that no float holds, its digits as a text.

    With `as_browsers_hold` so of each integer that JavaScript would read as another one. Raises
    OverflowError for a text that is too long, RecursionError for one that is nested too deep, and
    what nobody knows of yet.
    """
    if len(text) > _LONGEST:
        raise OverflowError(JSON_TOO_LONG)
    return _decode_as_browsers_hold(text) if as_browsers_hold else _decode(text)


def load_safely(connection: Connection[Any]) -> None:
    """Have a connection give each value that it reads, or the nearest that Python can hold.

    JSON that can't be read is a text that says why; a time is the first or last of Python's.
    """
    connection.adapters.register_loader("json", _JsonLoader)
    connection.adapters.register_loader("jsonb", _JsonLoader)
    connection.adapters.register_loader("timestamptz", _TimeLoader)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS_OF_ANY_FLOAT else digits


def _browsers_integer(digits: str) -> int | str:
    value = _integer(digits)
    return value if isinstance(value, int) and is_exact_double(value) else digits


def _fraction(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_decode = json.JSONDecoder(parse_int=_integer, parse_float=_fraction).decode
_decode_as_browsers_hold = json.JSONDecoder(
    parse_int=_browsers_integer, parse_float=_fraction
).decode


class _JsonLoader(Loader):
    def load(self, data: Buffer) -> Any:
        try:
            return decoded_json(bytes(data).decode())
        except OverflowError:
            return JSON_TOO_LONG
        except RecursionError:
            return JSON_TOO_DEEP
        except Exception:  # noqa: BLE001 - what a library raises over one row's text
            return _JSON_UNREADABLE


class _TimeLoader(TimestamptzLoader):
    def load(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except (DataError, OverflowError, ValueError):
            written = bytes(data)
            return _EARLIEST if written.startswith(b"-") or b"BC" in written else _LATEST
