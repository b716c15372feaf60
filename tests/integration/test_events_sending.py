"""Sending events: to a receiver that fails, hangs or lies, and to a command, over kills.

The clock is the test's; what is sent really goes over HTTP.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier

from robbieblocks import events, failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.events import (
    ChangedPage,
    Outcome,
    Pinned,
    RunFailed,
    RunPublished,
    Sender,
    outbox,
    post,
)
from robbieblocks.events.sending import limits
from robbieblocks.settings import EventSettings, Settings, Webhook
from tests.webhook_server import (
    Answer,
    Handler,
    Receiver,
    flood,
    hang,
    hang_up,
    nonsense,
    receiving,
    status,
    trickle,
)

SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
OLD_SECRET = "whsec_" + "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU="
NODE = "day"


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Clock:
    """The time, from now on; `waiting` events have the disk's."""

    at: float = field(default_factory=lambda: datetime.now(UTC).timestamp())

    def __call__(self) -> float:
        return self.at


@dataclass
class Log:
    """What was told of sending."""

    lines: list[tuple[str, ...]] = field(default_factory=list)

    def sent(self, receiver: str, _event_id: str, kind: str) -> None:
        self.lines.append(("sent", receiver, kind))

    def failed(self, receiver: str, _event_id: str, error: str, _next_at: float) -> None:
        self.lines.append(("failed", receiver, error))

    def given_up(self, receiver: str, _event_id: str, _kind: str, why: str) -> None:
        self.lines.append(("given up", receiver, why))

    def hook_output(self, output: str) -> None:
        self.lines.append(("output", output))


@dataclass
class Place:
    """A site root with an outbox, and who is told."""

    settings: Settings
    clock: Clock
    log: Log

    @property
    def folder(self) -> Path:
        return self.settings.site_root / ".events" / NODE

    def tell(self, **told: Any) -> None:
        self.settings = replace(self.settings, events=EventSettings(**told))

    def note(self, **more: Any) -> None:
        event = Pinned(
            node=NODE,
            app="play",
            at=datetime.now(UTC),
            release="a" * 64,
            who="ann",
            why="<!channel>",
        )
        assert events.note(self.settings, replace(event, **more))

    def send(self, *, at_once: bool = False, timeout_s: float = 5.0) -> float | None:
        assert self.settings.events is not None
        return Sender(
            folder=self.folder,
            settings=self.settings.events,
            told=self.log,
            now=self.clock,
            jitter=lambda: 0.5,
            attempt=partial(post, timeout_s=timeout_s),
        ).send(at_once=at_once)

    @property
    def waits(self) -> int:
        return len(list(self.folder.glob("evt_*.json")))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("HOOK", SECRET)
    settings = replace(Settings.from_environment(), site_root=tmp_path / "site")
    return Place(settings, Clock(), Log())


@pytest.fixture
def receiver(place: Place) -> Iterator[Receiver]:
    with receiving() as found:
        place.tell(webhooks=(Webhook(name="hook", url=found.url, secret_variable="HOOK"),))
        yield found


def test_what_is_sent_can_be_verified(place: Place, receiver: Receiver) -> None:
    """By the specification's own package; what is told is removed."""
    place.note()
    assert place.send() is None
    (got,) = receiver.received
    payload = Verifier(SECRET).verify(got.body, dict(got.headers))
    assert payload["type"] == "pinned"
    assert payload["data"]["who"] == "ann"
    assert got.headers["content-type"] == "application/json"
    assert list(place.folder.glob("evt_*")) == []
    assert place.log.lines == [("sent", "hook", "pinned")]


def test_while_a_secret_is_replaced_both_verify(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receiver that knows the old one alone, or the new one alone, takes it."""
    monkeypatch.setenv("HOOK", f"{SECRET} {OLD_SECRET}")
    place.note()
    place.send()
    (got,) = receiver.received
    for secret in (SECRET, OLD_SECRET):
        assert Verifier(secret).verify(got.body, dict(got.headers))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (status(500, b"oops \x1b[31m"), r"answered 500: oops \x1b[31m"),
        (status(302, Location="http://127.0.0.1:1/"), "redirect, which is not followed"),
        (status(404), "answered 404"),
        (hang, "did not answer within"),
        (trickle, "did not answer within"),
        (hang_up, "RemoteProtocolError"),
        (nonsense, "RemoteProtocolError"),
    ],
)
def test_what_fails_is_tried_again_with_the_same_id_and_body(
    place: Place, receiver: Receiver, answer: Answer, said: str
) -> None:
    """By the schedule, not before; each attempt is signed with its own time."""
    receiver.answers.append(answer)
    place.note()
    due = place.send(timeout_s=2.0)
    assert due is not None
    assert 5 <= due - place.clock() < 6.1
    assert said in place.log.lines[0][2]
    place.clock.at = due - 1
    assert place.send() == due
    assert len(receiver.received) == 1
    place.clock.at = due
    assert place.send() is None
    first, second = receiver.received
    assert (first.id, first.body) == (second.id, second.body)
    assert int(second.headers["webhook-timestamp"]) >= int(first.headers["webhook-timestamp"]) + 5
    assert place.waits == 0


def test_an_answer_without_an_end_is_not_read_to_its_end(place: Place, receiver: Receiver) -> None:
    """It was received, whatever else comes."""
    receiver.answers.append(flood)
    place.note()
    assert place.send() is None


def test_after_ten_attempts_an_event_is_given_up(place: Place, receiver: Receiver) -> None:
    """The specification's schedule takes three days; what is given up is told, and listed."""
    place.note()
    receiver.answers += [status(500)] * 10
    began = place.clock()
    while (due := place.send()) is not None:
        place.clock.at = due
    assert len(receiver.received) == 10
    assert len({each.id for each in receiver.received}) == 1
    assert timedelta(days=3) < timedelta(seconds=place.clock() - began) < timedelta(days=4)
    assert place.log.lines[-1][0] == "given up"
    (given_up,) = events.state_of(place.folder).given_up
    assert given_up.receiver == "hook"
    assert "10 attempts failed, the last: answered 500" in given_up.why


def test_410_disables_a_webhook_until_its_address_is_another(
    place: Place, receiver: Receiver
) -> None:
    """What waits for it is given up, and what comes later is, too."""
    receiver.answers.append(status(410))
    place.note()
    place.note()
    assert place.send() is None
    place.note()
    assert place.send() is None
    assert len(receiver.received) == 1
    assert [line[0] for line in place.log.lines] == ["given up"] * 3
    place.tell(webhooks=(Webhook(name="hook", url=f"{receiver.url}2", secret_variable="HOOK"),))
    place.note()
    assert place.send() is None
    assert len(receiver.received) == 2


@pytest.mark.parametrize("code", [429, 503])
@pytest.mark.parametrize("as_date", [False, True])
def test_retry_after_is_respected(
    place: Place, receiver: Receiver, code: int, as_date: bool
) -> None:
    """As seconds and as a date; all other events wait for that receiver, too."""
    later = datetime.fromtimestamp(place.clock() + 100, UTC)
    wanted = f"{later:%a, %d %b %Y %H:%M:%S GMT}" if as_date else "100"
    receiver.answers.append(status(code, Retry_After=wanted))
    place.note()
    place.note()
    due = place.send()
    assert due is not None
    assert 98 < due - place.clock() <= 100
    assert len(receiver.received) == 1


@pytest.mark.parametrize("lie", ["-5", "1e9", "99999999999999999999", "soon", "", "\u0663"])
def test_retry_after_may_lie(place: Place, receiver: Receiver, lie: str) -> None:
    """It delays by a day at most, and never hurries."""
    receiver.answers.append(status(503, Retry_After=lie.encode().decode("latin-1")))
    place.note()
    due = place.send()
    assert due is not None
    assert 5 <= due - place.clock() <= 86_401


def test_a_receiver_that_hangs_delays_no_other(place: Place, receiver: Receiver) -> None:
    """Each has its own schedule; the one that failed is asked once, not for each event."""
    with receiving() as bad:
        bad.answers += [hang] * 5
        good = Webhook(name="hook", url=receiver.url, secret_variable="HOOK")
        place.tell(webhooks=(replace(good, name="bad", url=bad.url), good))
        for _ in range(3):
            place.note()
        due = place.send(timeout_s=2.0)
        assert due is not None
        assert len(receiver.received) == 3
        assert len(bad.received) == 1
        bad.released.set()
        assert place.waits == 3


def test_while_a_receiver_hangs_the_others_get_what_comes(place: Place, receiver: Receiver) -> None:
    """What is noted during its attempt does not wait for the end of that."""
    with receiving() as bad:
        good = Webhook(name="hook", url=receiver.url, secret_variable="HOOK")

        def hang_until_others_have_more(handler: Handler) -> None:
            place.note()
            handler.close_connection = True
            if both.wait(20):
                status(204)(handler)

        def second(handler: Handler) -> None:
            both.set()
            status(204)(handler)

        both = threading.Event()
        bad.answers.append(hang_until_others_have_more)
        receiver.answers += [status(204), second]
        place.tell(webhooks=(replace(good, name="bad", url=bad.url), good))
        place.note()
        place.send(timeout_s=30.0)
        assert both.is_set()
        assert [line[:2] for line in place.log.lines].count(("failed", "bad")) == 0
        assert len(receiver.received) == 2


@pytest.mark.parametrize("step", ["event sent", "event written aside"])
def test_a_kill_loses_nothing(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """After it the event is sent again, with the same id, also where only its state was lost."""
    place.note()
    receiver.answers.append(status(500))

    def kill(at: str) -> None:
        if at == step:
            raise Killed

    with monkeypatch.context() as killing:
        killing.setattr(failpoints, "hook", kill)
        with pytest.raises(Killed):
            place.send()
    place.clock.at += 10
    place.send()
    assert len({each.id for each in receiver.received}) == 1
    assert len(receiver.received) == 2
    assert place.waits == 0


def test_damaged_state_is_no_end(place: Place, receiver: Receiver) -> None:
    """An event whose state can't be read is sent; a damaged event is dropped."""
    place.note()
    (event,) = place.folder.glob("evt_*.json")
    event.with_suffix(".state").write_bytes(b"\xff{")
    (place.folder / "receivers.json").write_bytes(b"[]")
    (place.folder / f"evt_{'0' * 32}.json").write_bytes(b"{")
    assert place.send() is None
    assert [each.type for each in receiver.received] == ["pinned"]
    assert place.waits == 0


def test_what_waits_is_bounded(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By age and number; the oldest is given up first, and told."""
    for number in range(13):
        place.note(release=f"{number:064}")
    monkeypatch.setattr(limits, "WAITING_MAX", 10)
    oldest = min(place.folder.glob("evt_*.json"), key=lambda path: path.stat().st_mtime_ns)
    week_ago = place.clock() - 7 * 86_400
    os.utime(oldest, (week_ago, week_ago))
    receiver.answers.append(status(500))
    place.send()
    lost = [line[2] for line in place.log.lines if line[0] == "given up"]
    assert [why.split()[0] for why in lost] == ["it", "more", "more"]
    assert place.waits == 10


def test_what_waits_is_bounded_without_a_worker(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who notes an event gives up the oldest, and that is listed."""
    monkeypatch.setattr(limits, "WAITING_MAX", 5)
    for number in range(8):
        place.note(release=f"{number:064}")
    assert place.waits == 5
    given_up = events.state_of(place.folder).given_up
    assert [each.receiver for each in given_up] == ["hook"] * 3
    assert len(receiver.received) == 0


def test_a_full_disk_sends_nothing_twice(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event that was received is removed first: for that a full disk has room."""
    receiver.answers.append(status(500))
    place.note()
    place.send()

    def full(_path: Path, _content: bytes) -> None:
        raise SiteUnavailable("no space left")

    monkeypatch.setattr(outbox, "write", full)
    for _ in range(3):
        place.clock.at += 60
        with suppress(SiteUnavailable):
            place.send()
    assert len(receiver.received) == 2


def test_slack_shows_a_text_and_no_mention(place: Place, receiver: Receiver) -> None:
    """Texts of rows are escaped as Slack wants it; no secret is needed."""
    place.tell(webhooks=(Webhook(name="chat", url=receiver.url, format="slack"),))
    place.note()
    place.send()
    (got,) = receiver.received
    assert got.payload == {
        "text": "day/play: release aaaaaaaaaaaa is pinned by ann: &lt;!channel&gt;"
    }
    assert "webhook-signature" not in got.headers


def test_a_long_list_of_pages_is_cut(place: Place, receiver: Receiver) -> None:
    """A body stays below the 20 kB that the specification recommends; the rest is counted."""
    pages = tuple(
        ChangedPage(key=f"page-{n}", change="changed", path=f"/play/{n}") for n in range(5_000)
    )
    event = RunPublished(
        node=NODE, app="play", at=datetime.now(UTC), release="a", release_before="b", pages=pages
    )
    assert events.note(place.settings, event)
    place.send()
    (got,) = receiver.received
    assert len(got.body) < 20_000
    assert len(got.payload["data"]["pages"]) + got.payload["data"]["more_pages"] == 5_000


@pytest.mark.parametrize("value", ["", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_!"])
def test_a_secret_that_is_none_is_told_without_it(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """The event waits until it is set right; nothing is sent unsigned."""
    monkeypatch.setenv("HOOK", value)
    place.note()
    assert place.send() is not None
    assert receiver.received == []
    said = place.log.lines[0][2]
    assert "HOOK" in said
    assert not value or value not in said.replace("whsec_ with", "")


def test_an_address_in_a_variable_is_not_told(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slack's is a secret: neither the log nor the disk has it."""
    url = "http://127.0.0.1:1/services/T0/B0/secret"
    monkeypatch.setenv("CHAT", url)
    place.tell(webhooks=(Webhook(name="chat", url_variable="CHAT", format="slack"),))
    place.note()
    assert place.send() is not None
    assert "secret" not in str(place.log.lines)
    assert not [path for path in place.folder.rglob("*") if b"T0/B0" in _bytes(path)]


def test_an_answer_with_the_address_is_told_without_it(
    place: Place, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers answer with the path that they don't know."""
    token = "T0B0topsecret"
    monkeypatch.setenv("CHAT", f"{receiver.url}/{token}?key=other%2Dsecret")
    place.tell(webhooks=(Webhook(name="chat", url_variable="CHAT", format="slack"),))
    receiver.answers.append(status(404, f"Cannot POST /hook/{token}, other-secret".encode()))
    place.note()
    place.send()
    assert "Cannot POST /hook/" in str(place.log.lines)
    for secret in (token, "other-secret"):
        assert secret not in str(place.log.lines)
        assert not [path for path in place.folder.rglob("*") if secret.encode() in _bytes(path)]


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.is_file() else b""


HOOK = """
import json, sys, pathlib
given = json.load(sys.stdin)
path = pathlib.Path(sys.argv[1])
lines = path.read_text() if path.exists() else ""
path.write_text(lines + json.dumps(given) + "\\n")
print("purged", len(given["urls"]))
sys.exit(int(sys.argv[2]))
"""


def published(*routes: str) -> Callable[[Place], None]:
    def note(place: Place) -> None:
        pages = tuple(
            ChangedPage(key=route, change="changed", path=route, url=f"https://day.example{route}")
            for route in routes
        )
        event = RunPublished(
            node=NODE,
            app="play",
            at=datetime.now(UTC),
            release="a",
            release_before="b",
            pages=pages,
        )
        assert events.note(place.settings, event)

    return note


@pytest.fixture
def hook(place: Place, tmp_path: Path) -> Callable[[int], Path]:
    def tell(code: int) -> Path:
        place.tell(on_publish=(sys.executable, "-c", HOOK, str(tmp_path / "ran"), str(code)))
        return tmp_path / "ran"

    return tell


def test_the_command_gets_all_that_waits_at_once(place: Place, hook: Callable[[int], Path]) -> None:
    """The events, and the URLs of all that changed, each once; what it prints is told."""
    ran = hook(0)
    published("/play/a", "/play/b")(place)
    published("/play/b")(place)
    assert place.send() is None
    (line,) = ran.read_text().splitlines()
    given = json.loads(line)
    assert sorted(given["urls"]) == ["https://day.example/play/a", "https://day.example/play/b"]
    assert [each["type"] for each in given["events"]] == ["run.published"] * 2
    assert ("output", "purged 2\n") in place.log.lines
    assert place.waits == 0


def test_a_command_that_fails_is_run_again(place: Place, hook: Callable[[int], Path]) -> None:
    """By the schedule of webhooks, with the same ids."""
    ran = hook(3)
    published("/play/a")(place)
    due = place.send()
    assert due is not None
    assert place.log.lines[-1] == ("failed", "on_publish", "exited with status 3")
    hook(0)
    place.clock.at = due
    assert place.send() is None
    first, second = map(json.loads, ran.read_text().splitlines())
    assert first == second


@pytest.mark.parametrize("argv", [("/nowhere/purge",), ("/",), ("",)])
def test_a_command_that_is_missing_is_told(place: Place, argv: tuple[str, ...]) -> None:
    """And tried again: it may come."""
    place.tell(on_publish=argv)
    published("/play/a")(place)
    assert place.send() is not None
    assert "could not start" in place.log.lines[-1][2]


def test_only_who_has_the_lock_sends(place: Place, receiver: Receiver) -> None:
    """Of two at once, one does, and the other looks again later."""
    place.note()
    inner: list[float | None] = []
    assert place.settings.events is not None

    def attempt(webhook: Webhook, *rest: Any) -> Outcome:
        inner.append(place.send())
        return post(webhook, *rest)

    Sender(
        folder=place.folder, settings=place.settings.events, told=place.log, attempt=attempt
    ).send()
    assert len(receiver.received) == 1
    assert len(inner) == 1
    assert inner[0] is not None


def test_an_event_of_another_kind_is_not_sent(place: Place, receiver: Receiver) -> None:
    """Each webhook gets the kinds it names; what nobody wants any more is removed."""
    place.note()
    only = Webhook(
        name="hook", url=receiver.url, secret_variable="HOOK", kinds=frozenset({"run.failed"})
    )
    place.tell(webhooks=(only,))
    failed = RunFailed(node=NODE, app="play", at=datetime.now(UTC), release="a", error="x")
    assert events.note(place.settings, failed)
    place.send()
    assert [each.type for each in receiver.received] == ["run.failed"]
    assert place.waits == 0
