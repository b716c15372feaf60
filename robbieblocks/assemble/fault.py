"""A mistake found in a row's JSON before it is known which row it stands in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a JSON pointer, and the remedy."""

    pointer: str
    what: str
    remedy: str = ""
