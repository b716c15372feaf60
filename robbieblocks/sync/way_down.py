"""How changes come down to a node: by a subscription of its server, or by asking for them.

With the transport `auto` it is a subscription where there can be one. Where the node's server does
not reach the master, though this process does, changes are asked for, and it is tried again an hour
later. Whichever way was begun anew, the tables are compared whole (`wants_all`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from robbieblocks.errors import RightsMissing, RobbieBlocksError, SchemaOutdated
from robbieblocks.failpoints import reached
from robbieblocks.messages import counted
from robbieblocks.settings import SyncSettings
from robbieblocks.sync import master_slots, subscription
from robbieblocks.sync.health import SyncHealth
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.worker import Log

CURSOR: Final = "log_after"
_WANTS_ALL: Final = "compare_all"
_GIVEN_UP: Final = "no_stream"
_LOG_BYTES: Final = "log_bytes"
_SUBSCRIBE_AGAIN: Final = timedelta(hours=1)
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Why a node's server could not subscribe, and until when that is not tried again."""

    why: str
    until: datetime

    def said(self, node: str) -> str:
        """It in words, with what to do."""
        return (
            f"{self.why}; it is tried again after {self.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC, "
            f"or at once by `robbieblocks sync join --node {node}`"
        )


def given_up(node: NodeDatabase) -> GivenUp | None:
    """Why this node asks for changes though it should subscribe. Raises DatabaseUnavailable."""
    noted: object = json.loads(node.noted(_GIVEN_UP) or "null")
    match noted:
        case {"why": str(why), "until": str(until)}:
            now, at = node.clock(), _instant(until)
            # Longer than we would wait: the clock was set back.
            if at is None or not now < at <= now + _SUBSCRIBE_AGAIN:
                return None
            return GivenUp(why, at)
        case _:
            return None


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else None


def forget(node: NodeDatabase) -> None:
    """Forget where in the master's log this node was, and what became of its subscription."""
    for name in (CURSOR, _WANTS_ALL, _GIVEN_UP, _LOG_BYTES):
        node.note(name, "null")


@dataclass(slots=True, kw_only=True)
class WayDown:
    """The way down of a node that is connected to its master.

    `push_all` sends what waits, `find` notes what is wrong with a topic, `check_columns` raises
    SchemaOutdated where this database lacks what the master has.
    """

    node: NodeDatabase
    link: MasterLink
    address: str
    settings: SyncSettings
    health: SyncHealth
    log: Log
    push_all: Callable[[], None]
    find: Callable[[str, str], None]
    check_columns: Callable[[], None] = lambda: None
    streams: bool = True
    _has_address: bool = False
    _is_listening: bool = False
    _was_idle: bool = False
    _was_down: bool = False
    _errors: int = 0

    def open(self, *, tries_at_once: bool = False) -> None:
        """See to it that changes come down.

        `tries_at_once`: also where it was given up a moment ago. Raises RightsMissing and
        MasterUnavailable where the settings want a subscription and there can't be one.
        """
        subscription.check_owner(self.node)
        why = self._why_poll()
        if not why and not tries_at_once and (earlier := given_up(self.node)):
            why = earlier.said(self.link.node)
        if not why:
            error = self._look_at_subscription()
            if error is None:
                self._is_now("stream")
                return
            if self.settings.transport == "stream":
                raise error
            later = GivenUp(str(error), self.node.clock() + _SUBSCRIBE_AGAIN)
            noted = {"why": later.why, "until": later.until.isoformat()}
            self.node.note(_GIVEN_UP, json.dumps(noted))
            why = later.said(self.link.node)
        self._is_now("poll", why)
        self._poll()

    def wants_all(self) -> bool:
        """Whether tables have to be compared whole: what came down before is not known."""
        return self.node.noted(_WANTS_ALL) == "true"

    def has_all(self) -> None:
        """Note that tables were compared whole."""
        if self.wants_all():
            self.node.note(_WANTS_ALL, "null")

    def receive(self) -> bool:
        """Merge what changed at the master, where it is asked for; whether there is more."""
        after = self.node.noted(CURSOR)
        changes = self.link.changes(after, _PAGE)
        if changes.is_anew:
            self.node.note(_WANTS_ALL, "true")
        if changes.page.count:
            try:
                self.health.received += self.node.receive(changes.page.entries)
            except SchemaOutdated:
                # Where nothing is lacking, the log is of a column that the master had for a while.
                self.check_columns()
                self._pass_over()
                return True
            reached("sync: received")
        if changes.after != after:
            self.node.note(CURSOR, changes.after)
        return changes.is_more

    def _pass_over(self) -> None:
        """Begin at the master's present: what comes before can't be merged, and is compared."""
        self.node.note(_WANTS_ALL, "true")
        self.node.note(CURSOR, "null")

    def _is_now(self, way: Literal["stream", "poll"], why: str = "") -> None:
        self.streams = way == "stream"
        self.health.transport = way
        is_wanted = self.streams or self.settings.transport == "poll"
        self.find("transport", "" if is_wanted else f"changes are asked for: {why}")

    def _why_poll(self) -> str:
        if self.settings.transport == "poll":
            return "sync.transport is poll"
        why = subscription.why_not(self.node, self.link)
        if why and self.settings.transport == "stream":
            raise RightsMissing(f"sync.transport is stream, and there is no subscription: {why}")
        return why

    def _poll(self) -> None:
        for topic in ("slot", "subscription"):
            self.find(topic, "")
        self.health.wal_status, self.health.behind_bytes = "", 0
        if subscription.state(self.node) is not None:
            subscription.remove(self.node)
        self._drop_slot(subscription.slot_name(self.link.node))
        if not self._is_listening:
            self._is_listening = True
            self.link.listen()
        while self.receive():
            self.health.tick()

    def _drop_slot(self, name: str) -> None:
        try:
            master_slots.drop(self.link, name)
        except RightsMissing as error:
            # Changes come all the same.
            self.find("slot", str(error))

    def _look_at_subscription(self) -> RobbieBlocksError | None:
        """Put the subscription right; returns why this database's server can't subscribe."""
        name = subscription.slot_name(self.link.node)
        state, slot = subscription.state(self.node), master_slots.state(self.link, name)
        self.health.wal_status = slot.wal_status if slot else "missing"
        self.health.behind_bytes = max(slot.behind_bytes, 0) if slot else 0
        is_short = slot is not None and slot.has_gone_back(int(self.node.noted(_LOG_BYTES) or 0))
        if state is None or slot is None or slot.is_lost or is_short or state.slot_name != name:
            if state is not None or slot is not None:
                why = (
                    "this database has no subscription any more"
                    if state is None
                    else "the master was restored: its log is shorter than it was"
                    if is_short
                    else "the master has discarded what it had not read yet"
                )
                self.log.warning("sync.subscription_lost", why=why)
            # What waits goes up first: what comes down has to meet it there.
            self.push_all()
            return self._subscribe(name)
        error = None
        if not self._has_address:
            error = subscription.set_address(self.node, self.address)
            self._has_address = error is None
        if not state.is_enabled:
            subscription.set_enabled(self.node, enabled=True)
        is_idle = state.is_enabled and not slot.is_active
        # Once may be while it is started.
        stays_idle, self._was_idle = is_idle and self._was_idle, is_idle
        was_down, self._was_down = self._was_down, not state.is_running
        if error is None and stays_idle:
            error = subscription.why_unconnected(self.node)
        if error is not None and self.settings.transport == "auto":
            return error
        fails, self._errors = state.error_count > self._errors, state.error_count
        if error is None and stays_idle and fails:
            # What the log has next can't be read, or merged: a column that the master had for a
            # while, a time without a publication. All tables are compared in its place.
            self.log.warning("sync.subscription_lost", why="it fails: see this server's log")
            self.push_all()
            return self._subscribe(name)
        self.find(
            "slot",
            "the master keeps little more of what this node has not read (wal_status is "
            f"{slot.wal_status}): see what holds up the subscription in this server's log"
            if slot.wal_status in ("unreserved", "extended") and not slot.is_active
            else "",
        )
        self.find(
            "subscription",
            str(error)
            if error is not None
            else "the subscription does not run: it has failed "
            f"{counted(state.error_count, 'time')}, and this server's log says why"
            if stays_idle or (was_down and self._was_down)
            else "",
        )
        self.node.note(_LOG_BYTES, str(slot.log_bytes))
        return None

    def _subscribe(self, name: str) -> RobbieBlocksError | None:
        is_known = self.wants_all()
        # Before: whoever is killed in between must not take what is here for the master's present.
        self.node.note(_WANTS_ALL, "true")
        error = subscription.create(self.node, self.link, self.address, name)
        if error is not None:
            if not is_known:
                self.node.note(_WANTS_ALL, "null")
            return error
        reached("sync: subscribed")
        # Where changes are asked for again one day, the log of today is no longer of use.
        for name_ in (CURSOR, _GIVEN_UP, _LOG_BYTES):
            self.node.note(name_, "null")
        self.health.resubscribed += 1
        self._has_address, self._was_idle, self._errors = True, False, 0
        self.health.wal_status = "reserved"
        self.log.info("sync.subscribed")
        return None
