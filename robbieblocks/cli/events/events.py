"""`robbieblocks events list`, `send` and `test`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import typer

from robbieblocks import events
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.events import OutboxState, Sender
from robbieblocks.messages import counted, did_you_mean, visible_line
from robbieblocks.settings import EventSettings, Settings

# Longer than one attempt of a worker that sends now.
_LOCK_WAIT_S = 30.0


def list_(*, nodes: Collection[str], format_: Literal["text", "json"]) -> None:
    """Print what waits, what was given up, and which webhooks are gone."""
    settings, told = _settings()
    state = {
        folder.name: events.state_of(folder, told) for folder in _folders(settings, nodes).values()
    }
    if format_ == "json":
        print_result(as_json({"version": 1, "webhooks": _webhooks(told), "nodes": _nodes(state)}))
        return
    print_result("\n".join(_lines(told, state)))


def send(*, nodes: Collection[str], format_: Literal["text", "json"]) -> None:
    """Send what waits; exit with 3 where something still does."""
    settings, told = _settings()
    said = _Said()
    waits = False
    for folder in _folders(settings, nodes).values():
        sender = Sender(folder=folder, settings=told, told=said)
        waits = sender.send(at_once=True, wait_s=_LOCK_WAIT_S) is not None or waits
    if format_ == "json":
        print_result(as_json({"version": 1, "events": said.done, "waits": waits}))
    else:
        print_result("\n".join(map(_attempt, said.done)) or "nothing waits")
    raise typer.Exit(3 if waits else 0)


def test(name: str) -> None:
    """Try a webhook. Raises SiteUnavailable where it does not take the event."""
    settings, told = _settings()
    webhook = next((each for each in told.webhooks if each.name == name), None)
    if webhook is None:
        known = [each.name for each in told.webhooks]
        raise UsageError(f"there is no webhook {name!r}: {did_you_mean(name, known)}")
    outcome = events.try_webhook(settings.site_root, webhook)
    if outcome.error:
        raise SiteUnavailable(
            f"{name} did not take the event: {outcome.error}\n"
            "  -> see that its address and secret are right, and what it logs"
        )
    print_result(f"{visible_line(name)} took an event of the type test")


@dataclass(slots=True)
class _Said:
    """Keeps how each attempt ended."""

    done: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def sent(self, receiver: str, event_id: str, kind: str) -> None:
        self._note(receiver, event_id, "sent", kind)

    def failed(self, receiver: str, event_id: str, error: str, next_at: float) -> None:
        self._note(receiver, event_id, "failed", f"{error}; again from {events.instant(next_at)}")

    def given_up(self, receiver: str, event_id: str, kind: str, why: str) -> None:
        self._note(receiver, event_id, "given up", f"{kind}: {why}")

    def hook_output(self, output: str) -> None:
        print_progress(output)

    def _note(self, receiver: str, event_id: str, outcome: str, said: str) -> None:
        self.done.append({"id": event_id, "receiver": receiver, "outcome": outcome, "said": said})


def _settings() -> tuple[Settings, EventSettings]:
    settings = Settings.from_environment()
    if settings.events is None:
        raise UsageError(
            "nobody is told of events: robbieblocks.toml has no [events]\n"
            "  -> docs/settings.md has what to write there"
        )
    return settings, settings.events


def _folders(settings: Settings, nodes: Collection[str]) -> Mapping[str, Path]:
    """The outboxes that are meant. Raises UsageError for a node without one, if it is named."""
    there = {folder.name: folder for folder in events.folders(settings.site_root)}
    named = {events.folder_of(settings.site_root, node).name for node in nodes}
    return {name: folder for name, folder in there.items() if not nodes or name in named}


def _lines(told: EventSettings, state: Mapping[str, OutboxState]) -> list[str]:
    receivers = [each.name for each in told.webhooks]
    receivers += ["on_publish"] if told.on_publish else []
    lines = [f"told: {', '.join(receivers)}"]
    for node, found in state.items():
        if not (found.waiting or found.given_up or found.gone):
            continue
        lines.append(f"{node}: {counted(len(found.waiting), 'event')} to be told")
        for waits in found.waiting:
            failed = f"; {counted(waits.attempts, 'attempt')} failed: {waits.error}"
            lines.append(
                f"  {waits.id} to {waits.receiver} from {waits.next_at}: "
                f"{waits.said}{failed if waits.attempts else ''}"
            )
        lines += (f"  {name} answered 410 and is told no more" for name in found.gone)
        lines += (
            f"  given up {lost.at}: {lost.type} {lost.id} to {lost.receiver}: {lost.why}"
            for lost in found.given_up
        )
    if len(lines) == 1:
        lines.append("nothing waits, and nothing was given up")
    return [visible_line(line) for line in lines]


def _attempt(done: Mapping[str, str]) -> str:
    return visible_line(f"{done['outcome']}: {done['id']} to {done['receiver']}: {done['said']}")


def _webhooks(told: EventSettings) -> list[dict[str, object]]:
    return [
        {
            "name": each.name,
            "format": each.format,
            "events": sorted(each.kinds),
            "nodes": sorted(each.nodes),
        }
        for each in told.webhooks
    ]


def _nodes(state: Mapping[str, OutboxState]) -> list[dict[str, object]]:
    return [
        {
            "node": node,
            "waiting": [each.as_json() for each in found.waiting],
            "given_up": [asdict(each) for each in found.given_up],
            "gone": list(found.gone),
        }
        for node, found in state.items()
    ]
