"""What the modules that convert values share."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeGuard

from robbieblocks.messages import printable
from robbieblocks.model import Json


class Unusable(Exception):
    """A value that can't be taken: what is wrong with it, and the remedy."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what, self.remedy = what, remedy
        super().__init__(what)


def css_number(value: float | Decimal) -> str:
    """A number as CSS writes it, without a fraction that is nothing."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return str(value)


def is_number(value: Json) -> TypeGuard[float]:
    """Whether a JSON value is a number: to Python, a boolean is one."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_list(value: Json) -> TypeGuard[list[Json]]:
    """Whether a JSON value is an array: to Python, a text is a sequence too."""
    return isinstance(value, list)


def shown(value: Json) -> str:
    """A value as messages show it."""
    return printable(value) if isinstance(value, str) else printable(str(value))


def wrong(value: Json, expected: str) -> Unusable:
    """That a value is another one than what was expected."""
    return Unusable(f"is {shown(value)}", f"write {expected}")
