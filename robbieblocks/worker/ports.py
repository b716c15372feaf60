"""What the loop needs from outside: the database and a builder. Tests have doubles for both."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from robbieblocks.changes import ChangeGroup, Waiting
from robbieblocks.pipeline import RunReport
from robbieblocks.worker.agenda import Job, PartialAcknowledgement


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What one build did.

    `unacknowledged` are the rows of its snapshot that it did not acknowledge, each as a group of
    its own. `behind` are apps whose lists do not show what is live now of the apps that they list:
    rows wait for them, too. `boundaries` says for each app when its content next changes by itself.
    `oldest_change` is when the oldest acknowledged row was written.
    """

    runs: tuple[RunReport, ...]
    unacknowledged: Mapping[UUID, ChangeGroup] = field(default_factory=dict[UUID, ChangeGroup])
    behind: frozenset[str] = frozenset()
    boundaries: Mapping[str, datetime | None] = field(default_factory=dict[str, "datetime | None"])
    oldest_change: datetime | None = None


class Database(Protocol):
    """The loop's connection to the database. Every method may raise DatabaseUnavailable."""

    def connect(self) -> object:
        """Connect if there is no connection."""
        ...

    def is_leader(self) -> bool:
        """Whether this worker holds the node's leader lock; it is taken if it is free."""
        ...

    def check_schema(self) -> None:
        """Raise SchemaIncomplete while the schema is not whole."""

    def read_queue(self, known: Collection[UUID]) -> Waiting:
        """What waits for the node, without the rows in `known`.

        Rows that affect no app of the node are acknowledged.
        """
        ...

    def mark_processed(self) -> None:
        """Mark the rows that no node is left to handle."""

    def disconnect(self) -> None:
        """Close the connection; it may be lost already."""


class Builder(Protocol):
    """Builds apps of the node."""

    def build(self, job: Job, partial: Mapping[UUID, PartialAcknowledgement]) -> BuildResult:
        """Build, publish, record, acknowledge. Raises RobbieBlocksError where no app was built."""
        ...
