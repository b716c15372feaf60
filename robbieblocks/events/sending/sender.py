"""Sends what waits in one outbox, in passes: each receiver by itself, the oldest event first."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from robbieblocks import failpoints, file_locks, process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.events import outbox
from robbieblocks.events.outbox import Waiting
from robbieblocks.events.sending import limits, progress, schedule
from robbieblocks.events.sending.hook import hook_input
from robbieblocks.events.sending.passes import Pass, SentEvent
from robbieblocks.events.sending.posting import Outcome, post
from robbieblocks.events.sending.progress import Delivery, Receiver
from robbieblocks.events.shapes import node_of
from robbieblocks.settings import HOOK, EventSettings, Webhook

HOOK_TIMEOUT_S: Final = 120.0
_INTERVAL_S: Final = 1.0
_HOOK_EVENTS_MAX: Final = 100
_OUTPUT_SHOWN: Final = 1_000


class Told(Protocol):
    """Who is told how sending goes: the worker's log and metrics, or a command."""

    def sent(self, receiver: str, event_id: str, kind: str, /) -> None:
        """A receiver has an event."""

    def failed(self, receiver: str, event_id: str, error: str, next_at: float, /) -> None:
        """An attempt failed; the next is at `next_at`, in seconds since 1970."""

    def given_up(self, receiver: str, event_id: str, kind: str, why: str, /) -> None:
        """A receiver is not told of an event."""

    def hook_output(self, output: str, /) -> None:
        """What the command of `on_publish` printed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Sends what waits in the outbox `folder`. Times are in seconds since 1970.

    `go_on` is asked between attempts and while the command runs. One process sends at a time: who
    does not get the lock sends nothing.
    """

    folder: Path
    settings: EventSettings
    told: Told
    go_on: Callable[[], bool] = field(default=lambda: True)
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = field(default=random.SystemRandom().random)
    attempt: Callable[[Webhook, str, Mapping[str, object], float], Outcome] = post

    def send(self, *, at_once: bool = False, wait_s: float = 0.0) -> float | None:
        """Make one attempt for all that is due; when the next is due, None where nothing waits.

        `at_once` takes everything for due. `wait_s` is how long to wait for another process that
        sends. Raises SiteUnavailable.
        """
        if not self.folder.is_dir():
            return None
        try:
            with file_locks.lock_file(self.folder / outbox.LOCK) as descriptor:
                if not file_locks.lock_within(descriptor, wait_s):
                    return self.now() + 1.0
                outbox.sweep(self.folder, self.now())
                return self._pass(at_once=at_once)
        except OSError as error:
            raise SiteUnavailable(
                f"could not lock the outbox {self.folder}: {error.strerror}"
            ) from error

    def _pass(self, *, at_once: bool) -> float | None:
        """One round for each receiver, in a thread of its own; more for those that are free.

        While one hangs, the others get what comes.
        """
        found = Pass(progress.receivers(self.folder))
        with found.changed:
            self._scan(found)
            if at_once:
                found.known = {n: replace(each, not_before=0.0) for n, each in found.known.items()}
            self._start(found, at_once=at_once)
            while found.busy:
                found.changed.wait(_INTERVAL_S)
                if not at_once and found.busy and not found.errors and self.go_on():
                    # The lock is kept until every round has ended.
                    try:
                        self._scan(found)
                        self._start(found, at_once=False)
                    except SiteUnavailable as error:
                        found.errors.append(error)
        if found.errors:
            raise found.errors[0]
        return min((due for due in found.due.values() if due is not None), default=None)

    def _scan(self, found: Pass) -> None:
        """Read the events that came; give up what is beyond the limits, the oldest first."""
        waiting = outbox.waiting(self.folder)
        for each in waiting:
            if each.id not in found.events and (event := self._read(each)) is not None:
                found.events[each.id] = event
        for lost, why in limits.beyond(waiting, self.now()):
            if (event := found.events.get(lost.id)) is not None:
                for name in tuple(event.left):
                    self._give_up(event, name, why)

    def _start(self, found: Pass, *, at_once: bool) -> None:
        """Start a round of each receiver that has none and has something to be told."""
        work = {each.name: partial(self._to_webhook, each) for each in self.settings.webhooks}
        for name, round_ in (work | {HOOK: self._to_hook}).items():
            mine = [each for each in found.events.values() if name in each.left]
            ids = frozenset(each.id for each in mine)
            due = found.due.get(name)
            is_due = ids - found.seen.get(name, frozenset()) or (due and due <= self.now())
            if name in found.busy or not mine or not is_due:
                continue
            found.busy.add(name)
            found.seen[name] = ids
            target = partial(self._round, found, name, partial(round_, mine, found, at_once))
            # As a daemon: who ends waits for no receiver that hangs.
            threading.Thread(target=target, name=f"events {name}", daemon=True).start()

    def _round(self, found: Pass, name: str, round_: Callable[[], list[float]]) -> None:
        with found.changed:
            try:
                found.due[name] = min(round_(), default=None)
            except BaseException as error:  # noqa: BLE001 - the thread of the pass raises it
                found.errors.append(error)
            finally:
                found.busy.discard(name)
                found.changed.notify_all()

    def _read(self, waiting: Waiting) -> SentEvent | None:
        """An event, and who is still to be told of it; None, and removed, where nobody is.

        So is one that can't be read.
        """
        payload = outbox.read_object(self.folder / f"{waiting.id}{outbox.EVENT}")
        kind, node = str(payload.get("type", "")), node_of(payload)
        found = progress.deliveries(self.folder, waiting.id)
        wanted_by = self.settings.receivers(kind, node) if kind else ()
        left = {
            name: found.get(name, Delivery())
            for name in wanted_by
            if not found.get(name, Delivery()).over
        }
        if not left:
            progress.remove_event(self.folder, waiting.id)
            return None
        return SentEvent(id=waiting.id, kind=kind, payload=payload, all=found, left=left)

    def _to_webhook(
        self, webhook: Webhook, events: Sequence[SentEvent], found: Pass, at_once: bool
    ) -> list[float]:
        """Send what is due to a webhook, until one attempt fails; when the others are due."""
        name = webhook.name
        receiver = found.known.get(name, Receiver())
        if receiver.gone and receiver.gone == progress.digest_of(webhook):
            for event in events:
                self._give_up(event, name, "it answered 410 before: it wants no more events")
            return []
        due: list[float] = []
        for event in events:
            if name not in event.left:
                continue
            next_at = max(event.left[name].next_at, receiver.not_before)
            if not self.go_on() or (next_at > self.now() and not at_once):
                due.append(next_at)
                continue
            if at_once and receiver.not_before > self.now():
                # It failed in this pass: once is enough.
                due.append(receiver.not_before)
                continue
            with found.others_go_on():
                outcome = self.attempt(webhook, event.id, event.payload, self.now())
                failpoints.reached("event sent")
            receiver = self._after(receiver, outcome, progress.digest_of(webhook))
            # First: a full disk still lets an event be removed, so that it is not sent twice.
            due += [] if receiver.gone else self._note([event], name, outcome)
            self._save(found, name, receiver)
            if receiver.gone:
                self._give_up(event, name, outcome.error)
                return due + self._to_webhook(webhook, events, found, at_once)
        return due

    def _to_hook(self, events: Sequence[SentEvent], found: Pass, at_once: bool) -> list[float]:
        """Run the command for all that is due together; when it is due again."""
        receiver = found.known.get(HOOK, Receiver())
        due = [max(each.left[HOOK].next_at, receiver.not_before) for each in events]
        if not self.go_on() or (min(due) > self.now() and not at_once):
            return due
        together = events[:_HOOK_EVENTS_MAX]
        given = hook_input([(each.id, each.payload) for each in together])
        with found.others_go_on():
            why, output = process.run_fed(
                self.settings.on_publish, given, timeout_s=HOOK_TIMEOUT_S, go_on=self.go_on
            )
            failpoints.reached("hook run")
        if output:
            self.told.hook_output(output[-_OUTPUT_SHOWN:])
        outcome = Outcome(error=why.partition("\n")[0])
        later = [self.now()] if len(events) > len(together) else []
        later += self._note(together, HOOK, outcome)
        self._save(found, HOOK, self._after(receiver, outcome, ""))
        return later

    def _save(self, found: Pass, name: str, receiver: Receiver) -> None:
        if found.known.get(name, Receiver()) != receiver:
            found.known[name] = receiver
            progress.save_receivers(self.folder, found.known)

    def _after(self, receiver: Receiver, outcome: Outcome, digest: str) -> Receiver:
        if outcome.gone:
            return Receiver(gone=digest)
        if not outcome.error:
            return Receiver()
        failures = receiver.failures + 1
        pause_s = schedule.pause_s(failures, outcome.retry_after_s)
        return Receiver(failures=failures, not_before=self.now() + pause_s)

    def _note(self, events: Sequence[SentEvent], name: str, outcome: Outcome) -> list[float]:
        """Note how an attempt for events ended; when they are due again."""
        due: list[float] = []
        for event in events:
            if name not in event.left:
                # It was given up meanwhile.
                continue
            if not outcome.error:
                self._over(event, name)
                self.told.sent(name, event.id, event.kind)
                continue
            attempts = event.left[name].attempts + 1
            next_at = schedule.next_attempt(
                attempts, self.now(), outcome.retry_after_s, self.jitter
            )
            if next_at is None:
                self._give_up(event, name, f"{attempts} attempts failed, the last: {outcome.error}")
                continue
            event.left[name] = event.all[name] = Delivery(
                attempts=attempts, next_at=next_at, error=outcome.error
            )
            progress.save_deliveries(self.folder, event.id, event.all)
            self.told.failed(name, event.id, outcome.error, next_at)
            due.append(next_at)
        return due

    def _give_up(self, event: SentEvent, name: str, why: str) -> None:
        if name not in event.left:
            return
        # First: after a kill it is told twice rather than never.
        progress.give_up(self.folder, event.id, event.kind, name, why, self.now())
        self.told.given_up(name, event.id, event.kind, why)
        self._over(event, name)

    def _over(self, event: SentEvent, name: str) -> None:
        """A receiver is done with an event; the last one removes it."""
        event.all[name] = replace(event.left.pop(name), over=True)
        if event.left:
            progress.save_deliveries(self.folder, event.id, event.all)
        else:
            progress.remove_event(self.folder, event.id)
