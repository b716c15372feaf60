"""What a node's database says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

# How many rows are named of many.
_NAMED_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Self:
    """Which database this is."""

    node: str
    is_master: bool
    paused_at: datetime | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Entries of the outbox, in its own JSON."""

    entries: str
    count: int


@dataclass(frozen=True, slots=True)
class OutboxState:
    """What waits to go up: how many entries, how many were refused, and since when."""

    waiting: int = 0
    refused: int = 0
    oldest_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaired:
    """What a comparison with the master changed here, and how many rows it could not put right:
    `unknown` to the master from before the node joined, and `lost` by a master that was restored.
    `alone` are the first of the unknown ones, by table and key.
    """

    changed: int = 0
    removed: int = 0
    sent: int = 0
    unknown: int = 0
    lost: int = 0
    alone: tuple[str, ...] = ()
    # Changes that the master had refused, and that are due again.
    retried: int = 0

    def __add__(self, other: Repaired) -> Repaired:
        return Repaired(
            changed=self.changed + other.changed,
            removed=self.removed + other.removed,
            sent=self.sent + other.sent,
            unknown=self.unknown + other.unknown,
            lost=self.lost + other.lost,
            retried=self.retried + other.retried,
            alone=(self.alone + other.alone)[:_NAMED_MAX],
        )

    @property
    def count(self) -> int:
        """How many rows were put right."""
        return self.changed + self.removed + self.sent
