"""What stands of an app on a node: what is live, and what people keep as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

PageChange: TypeAlias = Literal["added", "changed", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A release, or a page of it, that a person keeps: who, why, since when and until when."""

    release: str
    who: str = ""
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def is_same(self, other: Kept) -> bool:
        """Whether one order of a person made both; what it keeps may have moved along."""
        return (self.who, self.why, self.since, self.until) == (
            other.who,
            other.why,
            other.since,
            other.until,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The release that is live (`none` where nothing is), its pin, and the holds by page key."""

    live: str
    pin: Kept | None = None
    holds: Mapping[str, Kept] = field(default_factory=dict[str, Kept])
