"""What is made of one file: its forms, and its size as it is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Made(NamedTuple):
    """A picture in one form and width."""

    type: str
    width: int
    height: int
    content: bytes


class Refused(Exception):
    """What is wrong with a file; the text continues a sentence."""


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of a picture, the plain one last. `placeholder` is a data URL, or empty."""

    width: int
    height: int
    made: tuple[Made, ...]
    placeholder: str = ""
