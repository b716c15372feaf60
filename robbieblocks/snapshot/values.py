"""Values as Python holds them, whatever Postgres was given."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from robbieblocks.database import JSON_TOO_DEEP, JSON_TOO_LONG, decoded_json
from robbieblocks.errors import Problem
from robbieblocks.model import Json
from robbieblocks.row_faults import blame, is_passing


class Unread(str):
    """Why a value could not be read, where the next look may read it: the row is not kept."""

    __slots__ = ()


def json_value(text: str | None, entity: str, key: str, field: str) -> Json:
    """A jsonb column's value; SQL null and JSON null are {}.

    Of what can't be read it is a text that says why: no column's value may be a text.
    """
    if text is None:
        return {}
    faults: list[Problem] = []
    with blame(faults.append, entity, key, field):
        try:
            value = decoded_json(text)
        except OverflowError:
            return JSON_TOO_LONG
        except RecursionError:
            return JSON_TOO_DEEP
        return {} if value is None else value
    return Unread(faults[0].what) if is_passing(faults) else faults[0].what


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


def kept_digest(digest: int, *values: Json) -> int | None:
    """A row's digest; None, which no row has, where a value could not be read this time."""
    return None if any(isinstance(each, Unread) for each in values) else digest
