"""What can happen to a site, as frozen values, and the payload that tells of it.

Each kind is a class whose own fields are the payload's `data`, beside the node and the app. The
table in docs/events.md is made of them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal, cast

from robbieblocks.messages import visible_line
from robbieblocks.model import Json, JsonObject, PageChange

COMMON: Final = ("node", "app", "at", "key")
_TEXT_MAX: Final = 2_000
_ITEMS_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened at `at`, a time with its zone.

    `node` is empty where it concerns all nodes, `app` where it concerns all apps of the node.
    Events of one kind, node, app and `key` are one and the same and have one id: whoever may note
    one twice, as after a kill, gives it a key. Texts may be rows': they are made safe here.
    """

    kind: ClassVar[str] = ""

    node: str
    app: str = ""
    at: datetime
    key: str = ""

    def payload(self) -> JsonObject:
        """The form that is sent: `type`, `timestamp` (RFC 3339, UTC) and `data`."""
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        data = {"node": self.node, "app": self.app} | {
            name: value for name, value in own.items() if name not in COMMON
        }
        return {
            "type": self.kind,
            "timestamp": rfc3339(self.at),
            "data": {name: _json(value) for name, value in data.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPage:
    """A page that is not as it was: `url` is empty where the node's address is not known.

    `path` is its address on the server.
    """

    key: str
    change: PageChange
    path: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPublished(Event):
    """A release went live. `more_pages` are beyond those that are listed.

    They are at least 1 where it is not known which pages differ.
    """

    kind: ClassVar[str] = "run.published"

    run: str = ""
    release: str
    release_before: str
    triggered_by: str = ""
    pages: tuple[ChangedPage, ...] = ()
    more_pages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketPublished(Event):
    """A bucket has a release now, after it went live on this machine.

    `release` is `none` where the app is no longer live at all. `more_pages` is as above.
    """

    kind: ClassVar[str] = "bucket.published"

    bucket: str
    release: str
    release_before: str
    pages: tuple[ChangedPage, ...] = ()
    more_pages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFailed(Event):
    """Nothing of a run went out; `release` stays live. It is told once, until the error differs."""

    kind: ClassVar[str] = "run.failed"

    run: str = ""
    release: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunHeld(Event):
    """Pages of a run keep their last good version; or, if none is named, all until it is approved.

    It is told once, until what is held differs.
    """

    kind: ClassVar[str] = "run.held"

    run: str = ""
    release: str
    pages: tuple[str, ...] = ()
    more_pages: int = 0
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecovered(Event):
    """The first run that succeeds after one that failed or was held, `since` when."""

    kind: ClassVar[str] = "run.recovered"

    run: str = ""
    release: str
    after: Literal["failed", "held"]
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack(Event):
    """A person went back to an earlier release, which is pinned.

    Or with one `page`, to its earlier version, which is held.
    """

    kind: ClassVar[str] = "rolled_back"

    release: str
    release_before: str
    page: str = ""
    pages: tuple[ChangedPage, ...] = ()
    more_pages: int = 0
    who: str
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned(Event):
    """A person holds what is live: nothing newer goes out."""

    kind: ClassVar[str] = "pinned"

    release: str
    who: str
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpinned(Event):
    """A pin is over: a person ended it, or its time was over (`who` is empty)."""

    kind: ClassVar[str] = "unpinned"

    release: str
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Event):
    """A person holds a page as it is in `release`, while the others go on."""

    kind: ClassVar[str] = "held"

    page: str
    release: str
    who: str
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Released(Event):
    """The hold of a page is over: a person ended it, its rows changed, or its time was over.

    `who` is empty where no person did.
    """

    kind: ClassVar[str] = "released"

    page: str
    release: str
    who: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftDetected(Event):
    """What is live is not as it should be: which kind of drift, what differs, and what to do."""

    kind: ClassVar[str] = "drift.detected"

    drift: str
    what: tuple[str, ...]
    remedy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeStarted(Event):
    """From now on nothing goes out. `who` is empty for a window of the settings."""

    kind: ClassVar[str] = "freeze.started"

    who: str = ""
    why: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeEnded(Event):
    """What waited goes out now. `who` is empty where the time was over."""

    kind: ClassVar[str] = "freeze.ended"

    who: str = ""
    why: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormReceived(Event):
    """A visitor sent a form. `fields` has `name: content` of those that the settings name."""

    kind: ClassVar[str] = "form.received"

    submission: str
    form: str
    page: str
    fields: tuple[str, ...] = ()


EVENTS: Final[tuple[type[Event], ...]] = (
    RunPublished,
    BucketPublished,
    RunFailed,
    RunHeld,
    RunRecovered,
    RolledBack,
    Pinned,
    Unpinned,
    Held,
    Released,
    DriftDetected,
    FreezeStarted,
    FreezeEnded,
    FormReceived,
)


def _json(value: object) -> Json:
    """A field as JSON: texts without controls, and not longer than anybody reads."""
    match value:
        case None | bool() | int():
            return value
        case datetime():
            return rfc3339(value)
        case str():
            text = visible_line(value)
            return text if len(text) <= _TEXT_MAX else f"{text[: _TEXT_MAX - 4]} ..."
        case ChangedPage():
            return {each.name: _json(getattr(value, each.name)) for each in fields(value)}
        case tuple():
            items = cast("tuple[object, ...]", value)
            return [_json(each) for each in items[:_ITEMS_MAX]]
        case _:
            raise TypeError(f"a field of an event can't be {type(value).__name__}")


def rfc3339(at: datetime) -> str:
    """A time with its zone as RFC 3339, in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def instant(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339, in UTC."""
    return rfc3339(datetime.fromtimestamp(seconds, UTC))
