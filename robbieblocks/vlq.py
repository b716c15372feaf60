"""The numbers of source maps: base64 VLQ (ECMA-426), 5 bits a digit, lowest first, sign last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_BASE64: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_VALUES: Final = {digit: value for value, digit in enumerate(_BASE64)}
_CONTINUES: Final = 32


def decode(text: str) -> list[int]:
    """The numbers of one segment. Raises KeyError for what is no digit."""
    numbers: list[int] = []
    value = bits = 0
    for digit in text:
        part = _VALUES[digit]
        value |= (part & (_CONTINUES - 1)) << bits
        bits += 5
        if not part & _CONTINUES:
            numbers.append(-(value >> 1) if value & 1 else value >> 1)
            value = bits = 0
    return numbers


def encode(numbers: Iterable[int]) -> str:
    """One segment of these numbers."""
    return "".join(map(_digits, numbers))


def _digits(number: int) -> str:
    rest = (-number << 1) | 1 if number < 0 else number << 1
    digits = ""
    while True:
        part = rest & (_CONTINUES - 1)
        rest >>= 5
        digits += _BASE64[part | _CONTINUES if rest else part]
        if not rest:
            return digits
