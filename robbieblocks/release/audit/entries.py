"""Entries of an audit log, and their lines in its file.

A line is a JSON object: an entry, or how an entry ended. What a line has beside that, and lines of
another version, are kept and not understood.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias, TypeGuard
from uuid import uuid4

Outcome: TypeAlias = Literal["done", "void", "cut short", "unknown"]
"""How an act ended. `void`: nothing of it was done; `cut short`: it is kept, and nothing moved."""

_VERSION: Final = 1
_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "done": "done",
    "void": "void",
    "cut short": "cut short",
}
PIN: Final = "pin"
"""The subject of entries about an app's pin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What somebody did, or what began or ended by itself; then `who` is empty.

    `kind` is that of the event which tells of it. An empty `node` or `app` stands for all, `apps`
    names them. `release` is what is live, pinned or held since, `release_before` what was live
    before. `note` says what is odd about it.

    `subject` is what it is about, `was` and `now` are the marks of what was and is in force of that
    (empty: nothing). `digest` is that of a page's file after going back.
    """

    id: str
    kind: str
    at: datetime
    node: str = ""
    app: str = ""
    apps: tuple[str, ...] = ()
    page: str = ""
    release: str = ""
    release_before: str = ""
    who: str = ""
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None
    host: str = ""
    note: str = ""
    subject: str = ""
    was: str = ""
    now: str = ""
    digest: str = ""

    def as_json(self) -> dict[str, object]:
        """The stable form; docs/output.md describes it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "at": self.at.isoformat(),
            "node": self.node,
            "app": self.app,
            "page": self.page,
            "release": self.release,
            "release_before": self.release_before,
            "who": self.who,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "host": self.host,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Ended:
    """That the act of an entry ended, and how."""

    of: str
    outcome: Outcome


def new_id() -> str:
    """An id for an entry, which is the mark of what it brings into force, too."""
    return str(uuid4())


def this_host() -> str:
    """The name of this machine."""
    return socket.gethostname()


def page_subject(page: str) -> str:
    """The subject of entries about the hold of a page."""
    return f"page {page}"


def freeze_subject(node: str) -> str:
    """The subject of entries about what people froze: a node, or all where it is empty."""
    return f"freeze {node}"


def window_subject(id_: str) -> str:
    """The subject of entries about one window of the settings: the id of its begin."""
    return f"window {id_}"


def is_window(entry: Entry) -> bool:
    """Whether it is about a window: what is in force of that stands in the log alone."""
    return entry.subject.startswith("window ")


def line_of(record: Entry | Ended) -> bytes:
    """The line of a record, with its end."""
    given: dict[str, object]
    if isinstance(record, Ended):
        given = {"version": _VERSION, "of": record.of, "outcome": record.outcome}
    else:
        given = {"version": _VERSION, **record.as_json(), "apps": list(record.apps)}
        given |= {name: getattr(record, name) for name in ("subject", "was", "now", "digest")}
        given = {key: value for key, value in given.items() if value or key == "kind"}
    return json.dumps(given).encode() + b"\n"


def read_line(line: bytes) -> Entry | Ended | dict[str, object] | None:
    """The record of a line; an object that is none of this version as it is, None for no object."""
    try:
        given = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not _is_object(given):
        return None
    if given.get("version") != _VERSION:
        return given
    try:
        return _ended(given) if "of" in given else _entry(given)
    except (ValueError, TypeError, KeyError, OverflowError):
        return given


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is what JSON calls an object: its keys are texts then."""
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


def _ended(given: Mapping[str, object]) -> Ended:
    return Ended(str(given["of"]), _OUTCOMES.get(str(given.get("outcome")), "unknown"))


def _entry(given: Mapping[str, object]) -> Entry:
    apps = given.get("apps")

    def text(key: str) -> str:
        return str(given.get(key) or "")

    return Entry(
        id=str(given["id"]),
        kind=str(given["kind"]),
        at=_instant(given["at"]),
        node=text("node"),
        app=text("app"),
        apps=tuple(map(str, apps)) if _is_list(apps) else (),
        page=text("page"),
        release=text("release"),
        release_before=text("release_before"),
        who=text("who"),
        why=text("why"),
        since=_instant(given["since"]) if given.get("since") else None,
        until=_instant(given["until"]) if given.get("until") else None,
        host=text("host"),
        note=text("note"),
        subject=text("subject"),
        was=text("was"),
        now=text("now"),
        digest=text("digest"),
    )


def _instant(value: object) -> datetime:
    read = datetime.fromisoformat(str(value))
    if read.tzinfo is None:
        raise ValueError(f"{value} names no zone of time")
    return read.astimezone(UTC)
