"""Noting events: durably, once, and not at all where nobody is told."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from robbieblocks import events, failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.events import DriftDetected, FreezeStarted, RunFailed
from robbieblocks.settings import KINDS, EventSettings, Settings, Webhook

NOW = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
FAILED = RunFailed(node="day", app="play", at=NOW, release="none", error="two\nlines \x1b[31m")


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of which one webhook is told of all events."""
    told = EventSettings(webhooks=(Webhook(name="all", url="https://a.example"),))
    return replace(Settings.from_environment(), site_root=tmp_path / "site", events=told)


@pytest.fixture
def kill_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Ends the process at a failpoint."""

    def kill(at: str) -> None:
        def hook(step: str) -> None:
            if step == at:
                raise Killed

        monkeypatch.setattr(failpoints, "hook", hook)

    return kill


def noted(settings: Settings) -> list[Path]:
    return sorted(settings.site_root.rglob("evt_*.json"))


def test_settings_and_events_name_the_same_kinds() -> None:
    """Each kind has a class, in the same order."""
    assert tuple(each.kind for each in events.EVENTS) == KINDS


def test_nothing_is_touched_where_nobody_is_told(settings: Settings) -> None:
    """Without `[events]`, and where no webhook wants such an event."""
    few = EventSettings(webhooks=(Webhook(name="few", kinds=frozenset({"pinned"})),))
    for told in (None, few):
        assert not events.note(replace(settings, events=told), FAILED)
        assert not settings.site_root.exists()


def test_a_payload_is_safe_to_print(settings: Settings) -> None:
    """It has the type, the time and the data; controls of rows are written out."""
    assert events.note(settings, FAILED)
    (path,) = noted(settings)
    assert orjson.loads(path.read_bytes()) == {
        "type": "run.failed",
        "timestamp": "2026-11-29T08:00:00Z",
        "data": {
            "node": "day",
            "app": "play",
            "run": "",
            "release": "none",
            "error": r"two\nlines \x1b[31m",
        },
    }


def test_an_event_with_a_key_is_noted_once(settings: Settings) -> None:
    """Until another of its kind was noted, or what it told of is over."""
    drift = DriftDetected(node="day", app="play", at=NOW, key="a", drift="d", what=("x",))
    assert [events.note(settings, each) for each in (drift, drift)] == [True, False]
    assert events.note(settings, replace(drift, app="other"))
    assert events.note(settings, replace(drift, key="b"))
    events.forget(settings, DriftDetected, "day", "play")
    assert events.note(settings, replace(drift, key="b"))
    assert len(noted(settings)) == 3


@pytest.mark.parametrize("step", ["event written aside", "event noted"])
def test_a_killed_note_is_done_again_with_the_same_id(
    settings: Settings, kill_at: Callable[[str], None], step: str
) -> None:
    """So whoever got it before the kill knows it again."""
    drift = DriftDetected(node="day", app="play", at=NOW, key="a", drift="d", what=("x",))
    kill_at(step)
    with pytest.raises(Killed):
        events.note(settings, drift)
    before = noted(settings)
    assert len(before) == (step == "event noted")
    kill_at("")
    assert events.note(settings, drift)
    assert not before or noted(settings) == before
    assert len(noted(settings)) == 1


@pytest.mark.parametrize("node", ["", "../../etc", ".", "a/b", "x" * 300, "day\ud800"])
def test_no_name_leads_out_of_the_outbox(settings: Settings, node: str) -> None:
    """Rows may name a node anything; an empty name stands for all nodes."""
    assert events.note(settings, FreezeStarted(node=node, at=NOW, why="tournament"))
    (path,) = noted(settings)
    assert path.parent.parent == settings.site_root / ".events"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_disk_that_refuses_is_named(settings: Settings) -> None:
    """With what to do, and nothing is half written."""
    settings.site_root.mkdir(mode=0o500)
    with pytest.raises(SiteUnavailable, match="outbox of events"):
        events.note(settings, FAILED)
    settings.site_root.chmod(0o700)
    assert not noted(settings)
