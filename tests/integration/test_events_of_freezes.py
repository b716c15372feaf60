"""Freezes that begin and end by themselves are told, each once, whatever is killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from robbieblocks import failpoints, release
from robbieblocks.release import SiteRoot
from robbieblocks.settings import EventSettings, FreezeWindow, Settings, Webhook
from robbieblocks.worker.freeze_telling import tell_freezes
from tests.integration.releases import NODE, put_version

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LUNCH = FreezeWindow(
    kind="deny", cron="0 12 * * *", duration_s=3600, zone="UTC", reason="lunch", nodes=(NODE,)
)
Told = list[tuple[str, str, str, str]]


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def no_hook() -> Iterator[None]:
    """No hook stays."""
    yield
    failpoints.hook = lambda _step: None


@pytest.fixture
def settings(site_root: SiteRoot) -> Settings:
    """Settings with a window, and a webhook that is told of everything; an app is live."""
    put_version(site_root, 1)
    return replace(
        Settings.from_environment(),
        site_root=site_root.path,
        freeze_windows=(LUNCH,),
        events=EventSettings(webhooks=(Webhook(name="all", url="http://127.0.0.1:1/"),)),
    )


def look(settings: Settings, site_root: SiteRoot, at: datetime) -> Told:
    """What a look notes: kind, node, app and reason. What was noted is sent then."""
    tell_freezes(settings, site_root, NODE, at)
    return sent(settings)


def sent(settings: Settings) -> Told:
    """The events of the outboxes, which are empty then."""
    found: Told = []
    for path in settings.site_root.glob(".events/*/evt_*.json"):
        event: dict[str, Any] = json.loads(path.read_bytes())
        data = event["data"]
        assert data.get("who") == ""
        found.append((event["type"], data["node"], data["app"], data["why"]))
        path.unlink()
    return sorted(found)


def test_a_window_is_told_when_it_begins_and_ends(settings: Settings, site_root: SiteRoot) -> None:
    """Once each, also where another worker looks; the next day again."""
    for day in (NOON, NOON + timedelta(days=1)):
        assert look(settings, site_root, day - timedelta(minutes=1)) == []
        assert look(settings, site_root, day) == [("freeze.started", NODE, "", "lunch")]
        assert look(settings, site_root, day + timedelta(minutes=5)) == []
        assert look(settings, SiteRoot(site_root.path), day + timedelta(minutes=59)) == []
        assert look(settings, site_root, day + timedelta(hours=1)) == [
            ("freeze.ended", NODE, "", "lunch")
        ]
        assert look(settings, site_root, day + timedelta(hours=2)) == []


def test_a_kill_tells_the_same_event_again(settings: Settings, site_root: SiteRoot) -> None:
    """With the same id, and only where it was not noted to its end."""
    ids: list[str] = []

    def hook(step: str) -> None:
        if step == "event noted":
            raise Killed

    failpoints.hook = hook
    with pytest.raises(Killed):
        tell_freezes(settings, site_root, NODE, NOON)
    failpoints.hook = lambda _step: None
    ids += [path.name for path in site_root.path.glob(".events/*/evt_*.json")]
    tell_freezes(settings, site_root, NODE, NOON + timedelta(seconds=5))
    assert [path.name for path in site_root.path.glob(".events/*/evt_*.json")] == ids
    assert len(ids) == 1


def test_the_end_of_a_person_s_freeze_is_told(settings: Settings, site_root: SiteRoot) -> None:
    """Of a node and of all nodes, once, and the file is gone; who ends it tells that herself."""
    settings = replace(settings, freeze_windows=())
    end = NOON + timedelta(hours=1)
    for nodes in ([NODE], []):
        release.freeze(site_root, nodes, who="ann", why="fair", now=NOON, until=end)
    assert look(settings, site_root, NOON) == []
    assert look(settings, site_root, end) == [
        ("freeze.ended", "", "", "fair"),
        ("freeze.ended", NODE, "", "fair"),
    ]
    assert not (site_root.path / "freezes.json").exists()
    assert look(settings, site_root, end) == []
    release.freeze(site_root, [NODE], who="ann", why="fair", now=NOON, until=end)
    release.end_freezes(site_root, [], NOON)
    assert look(settings, site_root, end) == []


def test_nobody_is_told_where_nobody_asks(settings: Settings, site_root: SiteRoot) -> None:
    """Then nothing is written for it."""
    assert look(replace(settings, events=None), site_root, NOON) == []
    assert not (site_root.path / ".events").exists()
