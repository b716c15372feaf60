"""A history of writes, and a checker of what became of each: no acknowledged write is lost."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Write:
    """One write of a row at a place: what the writer read, and what it wrote in its stead.

    `is_acknowledged` says whether the place has confirmed the commit. A delete writes "", and is
    noted for each row that it took along as its writer saw it.
    """

    place: str
    row: str
    read: str
    wrote: str
    is_acknowledged: bool


@dataclass
class History:
    """Writes of several threads. Each value is written once."""

    writes: list[Write] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, write: Write) -> None:
        """Note a write that was tried."""
        with self._lock:
            self.writes.append(write)

    def untraced(self, live: Mapping[str, str], audited: Iterable[str]) -> list[Write]:
        """Acknowledged writes without a trace: what was lost.

        A value has a trace where it is live, in the audit, or was read by whoever wrote over it.
        """
        traced = {*live.values(), *audited, *(each.read for each in self.writes)}
        return [
            each
            for each in self.writes
            if each.is_acknowledged and each.wrote and each.wrote not in traced
        ]

    def invented(self, live: Mapping[str, str], before: Mapping[str, str]) -> dict[str, str]:
        """Live values that nobody wrote to that row."""
        written = {(each.row, each.wrote) for each in self.writes} | set(before.items())
        return {row: value for row, value in live.items() if (row, value) not in written}
