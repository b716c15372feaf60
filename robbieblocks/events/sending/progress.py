"""How far each event and each receiver is: what the sender keeps on the disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

import orjson

from robbieblocks.events import outbox
from robbieblocks.events.event import instant
from robbieblocks.events.shapes import is_object, node_of
from robbieblocks.settings import Webhook

_RECEIVERS: Final = "receivers.json"
_GIVEN_UP: Final = "given-up.jsonl"
_GIVEN_UP_MAX_BYTES: Final = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How far an event is on its way to one receiver; `over` says that it is not tried again.

    `next_at` is when it is tried next, in seconds since 1970.
    """

    attempts: int = 0
    next_at: float = 0.0
    error: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """What is known of a receiver: since how many attempts it fails, and when it is asked next.

    `gone` is the digest of the address that wants no more: another address is asked again.
    """

    failures: int = 0
    not_before: float = 0.0
    gone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenUp:
    """An event that a receiver was not told of, and why."""

    id: str
    type: str
    receiver: str
    at: str
    why: str


def kind_and_node(folder: Path, event_id: str) -> tuple[str, str]:
    """What an event is, and the node it is about; empty where it can't be read.

    Raises SiteUnavailable.
    """
    payload = outbox.read_object(folder / f"{event_id}{outbox.EVENT}")
    return str(payload.get("type", "")), node_of(payload)


def deliveries(folder: Path, event_id: str) -> dict[str, Delivery]:
    """How far an event is, by receiver; without a file it was not tried. Raises SiteUnavailable."""
    found = outbox.read_object(folder / f"{event_id}.state")
    return {name: _delivery(value) for name, value in found.items() if is_object(value)}


def save_deliveries(folder: Path, event_id: str, found: Mapping[str, Delivery]) -> None:
    """Note how far an event is. Raises SiteUnavailable."""
    text = orjson.dumps({name: asdict(each) for name, each in found.items()})
    outbox.write(folder / f"{event_id}.state", text)


def remove_event(folder: Path, event_id: str) -> None:
    """Remove an event that every receiver has, or that was given up. Raises SiteUnavailable."""
    outbox.remove(folder / f"{event_id}{outbox.EVENT}", folder / f"{event_id}.state")


def receivers(folder: Path) -> dict[str, Receiver]:
    """What is known of receivers, by name. Raises SiteUnavailable."""
    found = outbox.read_object(folder / _RECEIVERS)
    return {name: _receiver(value) for name, value in found.items() if is_object(value)}


def save_receivers(folder: Path, found: Mapping[str, Receiver]) -> None:
    """Note what is known of receivers. Raises SiteUnavailable."""
    text = orjson.dumps({name: asdict(each) for name, each in found.items()})
    outbox.write(folder / _RECEIVERS, text)


def digest_of(webhook: Webhook) -> str:
    """What stands for a webhook's address in a file that others may read."""
    url = webhook.url or os.environ.get(webhook.url_variable, "")
    return hashlib.sha256(url.encode()).hexdigest()[:32]


def note_given_up(folder: Path, given_up: GivenUp) -> None:
    """Add to what was given up; a long list loses its older half. Raises SiteUnavailable."""
    path = folder / _GIVEN_UP
    before = outbox.read(path) or b""
    if len(before) > _GIVEN_UP_MAX_BYTES:
        before = before[len(before) // 2 :].partition(b"\n")[2]
    outbox.write(path, before + orjson.dumps(asdict(given_up)) + b"\n")


def given_up_of(folder: Path) -> tuple[GivenUp, ...]:
    """What was given up, the last one last. Raises SiteUnavailable."""
    found: list[GivenUp] = []
    for line in (outbox.read(folder / _GIVEN_UP) or b"").splitlines():
        try:
            given: object = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        # A newer version may have written more.
        if is_object(given):
            names = [each.name for each in fields(GivenUp)]
            found.append(GivenUp(**{name: str(given.get(name, "")) for name in names}))
    return tuple(found)


def give_up(folder: Path, event_id: str, kind: str, receiver: str, why: str, now: float) -> GivenUp:
    """Note that a receiver is not told of an event. Raises SiteUnavailable."""
    noted = GivenUp(id=event_id, type=kind, receiver=receiver, at=instant(now), why=why)
    note_given_up(folder, noted)
    return noted


def _delivery(value: Mapping[str, object]) -> Delivery:
    return Delivery(
        attempts=int(_number(value, "attempts")),
        next_at=_number(value, "next_at"),
        error=str(value.get("error", "")),
        over=value.get("over") is True,
    )


def _receiver(value: Mapping[str, object]) -> Receiver:
    return Receiver(
        failures=int(_number(value, "failures")),
        not_before=_number(value, "not_before"),
        gone=str(value.get("gone", "")),
    )


def _number(value: Mapping[str, object], key: str) -> float:
    found = value.get(key)
    return float(found) if isinstance(found, int | float) else 0.0
