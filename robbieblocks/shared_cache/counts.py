"""What became of the entries of a shared cache."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SharedCounts:
    """Entries since the process began: `found` and `absent` when asked for, `refused` for their
    seal, `written`, and `dropped` where they could not be. `failures` are pauses that began.
    `claimed` were to be made here while others waited, `awaited` came from one that made them.
    """

    found: int = 0
    absent: int = 0
    refused: int = 0
    written: int = 0
    dropped: int = 0
    failures: int = 0
    claimed: int = 0
    awaited: int = 0
