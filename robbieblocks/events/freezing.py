"""What has to be told of freezes that begin or end by themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import orjson

from robbieblocks.events import outbox
from robbieblocks.events.event import FreezeEnded, FreezeStarted, rfc3339
from robbieblocks.events.noting import note
from robbieblocks.settings import Settings

_FILE: Final = "windows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """A freeze; `since` and `until` are None where they are not known."""

    why: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def key(self) -> str:
        """What makes it another freeze than one of before."""
        return "|".join((self.why, str(self.since), str(self.until)))


def tell_windows(
    settings: Settings, node: str, frozen: Mapping[str, Frozen], *, now: datetime
) -> None:
    """Note that windows began to freeze apps of a node, or no longer do.

    `frozen` are all apps of the node that one freezes now. It is compared with what was told last;
    what concerns every app that is told is one event. Nothing is done where nobody is told of
    anything. Raises SiteUnavailable; then whoever calls next notes the same.
    """
    if settings.events is None:
        return
    path = outbox.folder_of(settings.site_root, node) / outbox.TOLD / _FILE
    told = _read(path)
    if told == frozen:
        return
    for why, apps in _alike({app: each for app, each in told.items() if app not in frozen}):
        for app in [""] if apps == set(told) else sorted(apps):
            ended = FreezeEnded(
                node=node, app=app, at=now, key=why.key, why=why.why, since=why.since
            )
            note(settings, ended)
    for why, apps in _alike({app: each for app, each in frozen.items() if app not in told}):
        for app in [""] if apps == set(frozen) else sorted(apps):
            note(
                settings,
                FreezeStarted(
                    node=node, app=app, at=now, key=why.key, why=why.why, until=why.until
                ),
            )
    outbox.write(path, orjson.dumps({app: _json(each) for app, each in frozen.items()}))


def tell_ended(settings: Settings, node: str, was: Frozen, *, now: datetime) -> None:
    """Note that the time of a person's freeze is over: of a node, of an empty one that of all.

    Raises SiteUnavailable.
    """
    note(
        settings,
        FreezeEnded(node=node, at=was.until or now, key=was.key, why=was.why, since=was.since),
    )


def _alike(frozen: Mapping[str, Frozen]) -> Iterator[tuple[Frozen, Collection[str]]]:
    """The apps that the same freezes, together."""
    for each in dict.fromkeys(frozen.values()):
        yield each, {app for app, other in frozen.items() if other == each}


def _read(path: Path) -> dict[str, Frozen]:
    """What was told last; what is damaged in it was not told."""
    found: dict[str, Frozen] = {}
    for app, given in outbox.read_object(path).items():
        match given:
            case [str(why), str(since), str(until)]:
                found[app] = Frozen(why=why, since=_instant(since), until=_instant(until))
            case _:
                pass
    return found


def _json(each: Frozen) -> list[str]:
    instants = (each.since, each.until)
    return [each.why, *("" if at is None else rfc3339(at) for at in instants)]


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
