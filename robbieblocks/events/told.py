"""What was told of an app last, as a file of the outbox keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import orjson

from robbieblocks.events.event import rfc3339
from robbieblocks.events.shapes import is_list, is_object
from robbieblocks.model import Kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A run that failed or was held: what of it was told, and since when the app is in trouble."""

    state: Literal["failed", "held"]
    digest: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What was told of an app last; `mark` is another one after each time."""

    live: str = ""
    pin: Kept | None = None
    holds: Mapping[str, Kept]
    trouble: Trouble | None = None
    mark: str = ""

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Told:
        """From the object of a file; what is damaged in it was not told."""
        pin, holds, trouble = given.get("pin"), given.get("holds"), given.get("trouble")
        kept = {key: _kept(value) for key, value in holds.items()} if is_object(holds) else {}
        return cls(
            live=str(given.get("live", "")),
            pin=_kept(pin),
            holds={key: each for key, each in kept.items() if each is not None},
            trouble=_trouble(trouble),
            mark=str(given.get("mark", "")),
        )

    def as_bytes(self) -> bytes:
        """The file's text."""
        trouble = self.trouble
        return orjson.dumps(
            {
                "live": self.live,
                "pin": None if self.pin is None else _json(self.pin),
                "holds": {key: _json(each) for key, each in self.holds.items()},
                "trouble": None
                if trouble is None
                else [trouble.state, trouble.digest, rfc3339(trouble.since)],
                "mark": self.mark,
            }
        )


def _json(kept: Kept) -> dict[str, str | None]:
    return {
        "release": kept.release,
        "who": kept.who,
        "why": kept.why,
        "since": rfc3339(kept.since) if kept.since else None,
        "until": rfc3339(kept.until) if kept.until else None,
    }


def _kept(value: object) -> Kept | None:
    if not is_object(value):
        return None
    return Kept(
        release=str(value.get("release", "")),
        who=str(value.get("who", "")),
        why=str(value.get("why", "")),
        since=_instant(value.get("since")),
        until=_instant(value.get("until")),
    )


def _trouble(value: object) -> Trouble | None:
    state, digest, since = value if is_list(value) and len(value) == 3 else ("", "", "")
    at = _instant(since)
    if state not in ("failed", "held") or at is None:
        return None
    return Trouble(state="held" if state == "held" else "failed", digest=str(digest), since=at)


def _instant(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
