"""What waits in an outbox, for people; and a try of a webhook."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from robbieblocks.events import outbox
from robbieblocks.events.event import instant, rfc3339
from robbieblocks.events.sending import progress
from robbieblocks.events.sending.messages import sentence
from robbieblocks.events.sending.posting import Outcome, post
from robbieblocks.events.sending.progress import GivenUp, Receiver
from robbieblocks.events.shapes import node_of
from robbieblocks.model import JsonObject
from robbieblocks.settings import EventSettings, Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEvent:
    """An event that one receiver is still to be told of; `next_at` is RFC 3339."""

    id: str
    type: str
    at: str
    said: str
    receiver: str
    attempts: int
    next_at: str
    error: str

    def as_json(self) -> JsonObject:
        """The stable form."""
        return {
            "id": self.id,
            "type": self.type,
            "timestamp": self.at,
            "text": self.said,
            "receiver": self.receiver,
            "attempts": self.attempts,
            "next_at": self.next_at,
            "error": self.error,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """What waits in an outbox, what was given up last, and the webhooks that want no more."""

    waiting: tuple[WaitingEvent, ...] = ()
    given_up: tuple[GivenUp, ...] = ()
    gone: tuple[str, ...] = ()


def state_of(folder: Path, settings: EventSettings | None = None) -> OutboxState:
    """What an outbox has; without settings nobody is known to wait. Raises SiteUnavailable."""
    known = progress.receivers(folder)
    digests = (
        {each.name: progress.digest_of(each) for each in settings.webhooks} if settings else {}
    )
    gone = [name for name, digest in digests.items() if _at(known, name).gone == digest]
    waiting: list[WaitingEvent] = []
    for each in outbox.waiting(folder):
        payload = outbox.read_object(folder / f"{each.id}{outbox.EVENT}")
        kind, node = str(payload.get("type", "")), node_of(payload)
        found = progress.deliveries(folder, each.id)
        for name in settings.receivers(kind, node) if settings else ():
            delivery = found.get(name, progress.Delivery())
            if not delivery.over:
                next_at = max(delivery.next_at, _at(known, name).not_before, each.noted)
                waiting.append(
                    WaitingEvent(
                        id=each.id,
                        type=kind,
                        at=str(payload.get("timestamp", "")),
                        said=sentence(payload),
                        receiver=name,
                        attempts=delivery.attempts,
                        next_at=instant(next_at),
                        error=delivery.error,
                    )
                )
    return OutboxState(
        waiting=tuple(waiting), given_up=progress.given_up_of(folder), gone=tuple(sorted(gone))
    )


def try_webhook(site_root: Path, webhook: Webhook) -> Outcome:
    """Send a webhook an event of the type `test`. One that was gone, and takes it, is told again.

    Raises SiteUnavailable.
    """
    now = time.time()
    payload: JsonObject = {
        "type": "test",
        "timestamp": rfc3339(datetime.fromtimestamp(now, UTC)),
        "data": {"node": "", "app": "", "message": "robbieblocks events test: it works"},
    }
    outcome = post(webhook, f"evt_{uuid4().hex}", payload, now)
    if not outcome.error:
        for folder in outbox.folders(site_root):
            known = progress.receivers(folder)
            if _at(known, webhook.name) != Receiver():
                known[webhook.name] = replace(_at(known, webhook.name), gone="", not_before=0.0)
                progress.save_receivers(folder, known)
    return outcome


def _at(known: dict[str, Receiver], name: str) -> Receiver:
    return known.get(name, Receiver())
