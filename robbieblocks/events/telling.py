"""What has to be told of an app: what stands now is compared with what was told last.

So nothing is lost by a kill between what happens and its being noted: whoever looks next notes it,
with the same id, because the id is made of what was told before.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, TypeAlias, TypedDict
from uuid import uuid4

import orjson

from robbieblocks import failpoints
from robbieblocks.events import outbox
from robbieblocks.events.event import (
    ChangedPage,
    Event,
    Held,
    Pinned,
    Released,
    RolledBack,
    RunFailed,
    RunHeld,
    RunPublished,
    RunRecovered,
    Unpinned,
)
from robbieblocks.events.noting import put
from robbieblocks.events.told import Told, Trouble
from robbieblocks.model import Kept, PageChange, Standing
from robbieblocks.settings import Settings

PagesBetween: TypeAlias = "Callable[[str, str], Sequence[ChangedPage] | None]"
"""The pages that differ between two releases, by their hashes; None where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """How a run ended. `waits`: something keeps its changes, so it says nothing of them.

    `held` are the keys of pages that keep their last good version.
    """

    id: str
    outcome: Literal["ok", "failed", "held", "waits"]
    triggered_by: str = ""
    error: str = ""
    held: tuple[str, ...] = ()
    hash_before: str = ""
    changed: Sequence[ChangedPage] = ()


def tell(
    settings: Settings,
    node: str,
    app: str,
    standing: Standing,
    *,
    now: datetime,
    pages_between: PagesBetween,
    who: str = "",
    live_before: str = "",
    run: RunFacts | None = None,
) -> None:
    """Note the events that make what was told of an app what stands now.

    `who` ended what is no longer kept; `live_before` was live before what the caller did.
    `pages_between` is asked where no run says what changed.
    Where nothing was told before, what is kept is told, and what is live where the caller made it
    so. Nothing is done where nobody is told of anything. Raises SiteUnavailable; then whoever calls
    next notes the same.
    """
    if settings.events is None:
        return
    path = outbox.folder_of(settings.site_root, node) / outbox.TOLD / _name(app)
    told = Told.read(outbox.read_object(path))
    place = _Place(node=node, app=app, now=now, who=who, pages_between=pages_between)
    known = told.live or live_before or (run.hash_before if run else "") or standing.live
    before = Standing(live=known, pin=told.pin, holds=told.holds)
    found = [*_of_standing(place, before, standing, run)]
    trouble = told.trouble
    if run is not None:
        of_run, trouble = _of_run(place, told.trouble, standing.live, run)
        found += of_run
    after = Told(
        live=standing.live, pin=standing.pin, holds=standing.holds, trouble=trouble, mark=told.mark
    )
    if not found and after == told:
        return
    mark = told.mark or (run.id if run else "") or hashlib.sha256(after.as_bytes()).hexdigest()
    for each in found:
        if settings.events.receivers(each.kind, node):
            put(settings, replace(each, key=_key(mark, each)))
    failpoints.reached("event noted")
    outbox.write(path, replace(after, mark=uuid4().hex).as_bytes())


class _Common(TypedDict):
    node: str
    app: str
    at: datetime


class _Swap(_Common):
    release: str
    release_before: str


class _OfRun(_Common):
    run: str
    release: str


class _Order(TypedDict):
    who: str
    why: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    node: str
    app: str
    now: datetime
    who: str
    pages_between: PagesBetween

    @property
    def common(self) -> _Common:
        return {"node": self.node, "app": self.app, "at": self.now}


def _of_standing(
    place: _Place, before: Standing, now: Standing, run: RunFacts | None
) -> Iterator[Event]:
    """What happened between two standings; a rollback stands for the pin or hold that it made."""
    common = place.common
    pin, old_pin = now.pin, before.pin
    new_pin = pin if pin and not (old_pin and pin.is_same(old_pin)) else None
    new_holds = {
        key: hold
        for key, hold in now.holds.items()
        if not (key in before.holds and hold.is_same(before.holds[key]))
    }
    if now.live != before.live:
        pages, more = _changed(place, before.live, now.live, run)
        back = _Swap(**common, release=now.live, release_before=before.live)
        moved = {
            key: hold
            for key, hold in new_holds.items()
            if run is None and hold.release != before.live
        }
        if new_pin and new_pin.release == now.live:
            yield RolledBack(**back, **_order(new_pin), pages=pages, more_pages=more)
            new_pin = None
        elif moved:
            for key, hold in moved.items():
                yield RolledBack(**back, **_order(hold), page=key, pages=pages, more_pages=more)
                del new_holds[key]
        else:
            yield RunPublished(
                **back,
                pages=pages,
                more_pages=more,
                run=run.id if run else "",
                triggered_by=run.triggered_by if run else "",
            )
    if new_pin:
        yield Pinned(**common, release=new_pin.release, **_order(new_pin))
    elif old_pin and not pin:
        yield Unpinned(**common, release=old_pin.release, who=place.who)
    for key, hold in new_holds.items():
        yield Held(**common, page=key, release=hold.release, **_order(hold))
    for key, hold in before.holds.items():
        if key not in now.holds:
            yield Released(**common, page=key, release=hold.release, who=place.who)


def _changed(
    place: _Place, before: str, now: str, run: RunFacts | None
) -> tuple[tuple[ChangedPage, ...], int]:
    """The pages that differ, and how many more may."""
    if run is not None and run.hash_before == before:
        found: Sequence[ChangedPage] | None = run.changed
    else:
        found = place.pages_between(before, now)
    return (tuple(found), 0) if found is not None else ((), 1)


def _of_run(
    place: _Place, trouble: Trouble | None, live: str, run: RunFacts
) -> tuple[list[Event], Trouble | None]:
    """What a run's end tells, and the trouble that the app is in since."""
    if run.outcome == "waits":
        return [], trouble
    common = _OfRun(**place.common, run=run.id, release=live)
    if run.outcome == "ok":
        if trouble is None:
            return [], None
        return [RunRecovered(**common, after=trouble.state, since=trouble.since)], None
    first, _, _ = run.error.partition("\n")
    digest = hashlib.sha256(orjson.dumps((run.outcome, first, run.held))).hexdigest()[:32]
    if trouble is not None and trouble.digest == digest:
        return [], trouble
    since = trouble.since if trouble else place.now
    event = (
        RunHeld(**common, pages=run.held, error=run.error)
        if run.outcome == "held"
        else RunFailed(**common, error=run.error)
    )
    return [event], Trouble(state=run.outcome, digest=digest, since=since)


def changed_pages(
    found: Mapping[str, tuple[PageChange, str]], base_url: str = ""
) -> list[ChangedPage]:
    """Pages by key, with what became of each and its route, as events tell them."""
    return [
        ChangedPage(key=key, change=change, path=route, url=base_url and f"{base_url}{route}")
        for key, (change, route) in found.items()
    ]


def _order(kept: Kept) -> _Order:
    return {"who": kept.who, "why": kept.why, "until": kept.until}


def _key(mark: str, event: Event) -> str:
    """What makes an event the same one: what was told before it, and what it is about."""
    about = event.payload()["data"]
    page = about.get("page", "") if isinstance(about, dict) else ""
    release = about.get("release", "") if isinstance(about, dict) else ""
    return ":".join((mark, str(page), str(release)))


def _name(app: str) -> str:
    return f"app-{hashlib.sha256(app.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
