"""What the master says, to a node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """What the master says of itself and of this node."""

    master: str
    at: datetime
    skew_ms: int
    schema_version: str
    tombstones_from: datetime | None
    # Whether another database has said hello as this node since this one did.
    is_other: bool = False
    # The public keys with which admitted nodes sign shared results; None: the master knows none.
    cache_keys: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TableRule:
    """How a table is kept in step, and its columns with their types at the master."""

    name: str
    direction: str
    rule: str
    has_deletes: bool
    columns: dict[str, str]

    @property
    def how(self) -> tuple[str, str, bool]:
        """Direction, rule, and whether deletes are told."""
        return self.direction, self.rule, self.has_deletes

    @property
    def comes_down(self) -> bool:
        """Whether the master's rows are the node's, too."""
        return self.direction in ("both", "down")


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the master's own JSON. Nothing parses it: numbers would lose digits.

    `last` is the last entry's key where more may follow.
    """

    entries: str
    count: int
    last: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """A page of the master's log, and the place behind it, as JSON.

    `is_anew`: the log can't tell what was before, so that has to be compared.
    """

    page: Page
    after: str
    is_more: bool
    is_anew: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A range of a table's keys, without the first and with the last; None is an open end."""

    number: int
    from_key: str | None
    to_key: str | None
    row_count: int
    hash: str | None


@dataclass(frozen=True, slots=True)
class Slot:
    """The state of a replication slot on the master, whose log is `log_bytes` long by now."""

    is_active: bool
    wal_status: str
    behind_bytes: int
    log_bytes: int

    @property
    def is_lost(self) -> bool:
        """Whether what the subscription has not read yet is gone."""
        return self.wal_status == "lost"

    def has_gone_back(self, log_bytes: int) -> bool:
        """Whether the master's log is shorter than it was, or than what a node has read of it.

        So it is where a master was put back as it was, with its disk and the slots of then: nodes
        would be sent nothing of it until it is as long again.
        """
        return self.behind_bytes < 0 or self.log_bytes < log_bytes
