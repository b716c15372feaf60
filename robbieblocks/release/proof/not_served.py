"""What visitors don't get as it was published, and who is at fault."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from robbieblocks.messages import visible_line

Culprit = Literal[
    "the disk",
    "a cache in between",
    "another root",
    "an old server",
    "a proxy that alters answers",
    "the address",
    "the web server",
    "the network",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotServed:
    """A page or asset that visitors don't get: what is wrong, who is at fault, and why that is so.

    `remedy` says what to do. Texts of foreign servers may be in it: print `what` and `str`.
    """

    url: str
    problem: str
    culprit: Culprit
    why: str
    remedy: str

    @property
    def what(self) -> str:
        """All but the remedy, on one line."""
        return visible_line(f"{self.url}: {self.problem}; {self.culprit}: {self.why}")

    def __str__(self) -> str:
        return f"{self.what} -> {visible_line(self.remedy)}"
