"""What is told of runs, pins, holds and rollbacks: each once, whatever is killed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from robbieblocks import failpoints, release
from robbieblocks.cli.pinning.telling import tell
from robbieblocks.settings import EventSettings, Webhook
from tests.building import Builder, run_of

pytestmark = pytest.mark.postgres

NODE, APP, PAGE = "vengeance-local", "play", "robbie-play-home"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def told(built: Builder) -> Builder:
    """An installation that has published, and tells of everything since."""
    everything = EventSettings(webhooks=(Webhook(name="all", url="http://127.0.0.1:1/"),))
    built.settings = replace(built.settings, events=everything)
    built.context.settings = built.settings
    return built


def taken(told: Builder, app: str = APP) -> list[dict[str, Any]]:
    """The events that were noted since, the oldest first; they are removed."""
    paths = list((told.settings.site_root / ".events" / NODE).glob("evt_*.json"))
    paths.sort(key=lambda path: path.stat().st_mtime_ns)
    found = [{"id": path.stem, **json.loads(path.read_bytes())} for path in paths]
    for path in paths:
        path.unlink()
    return [each for each in found if each["data"]["app"] == app]


def kinds(told: Builder) -> list[str]:
    return [each["type"] for each in taken(told)]


def edit(told: Builder, title: str) -> None:
    told.sql("UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = %s", title, PAGE)


def break_page(told: Builder) -> None:
    told.sql("UPDATE robbieblocks_pages SET page_route = '/a b' WHERE page_key = %s", PAGE)


def live(told: Builder) -> str:
    manifest = told.live(NODE, APP)
    assert manifest is not None
    return manifest.build_hash


def test_a_publish_is_told_with_the_pages_that_changed(told: Builder) -> None:
    """Their addresses are those of visitors; a run that changes nothing tells nothing."""
    before = live(told)
    edit(told, "Newer")
    report = run_of(told.build(nodes=[NODE]), NODE, APP)
    (event,) = taken(told)
    assert event["type"] == "run.published"
    data = event["data"]
    assert (data["release_before"], data["release"]) == (before, live(told))
    assert (data["run"], data["more_pages"]) == (str(report.run), 0)
    (page,) = data["pages"]
    assert (page["key"], page["change"]) == (PAGE, "changed")
    assert page["url"] in ("", f"{page['url'].removesuffix(page['path'])}{page['path']}")
    told.build(nodes=[NODE])
    assert taken(told) == []


def test_a_dry_run_tells_nothing(told: Builder) -> None:
    """Nor is anything noted where it would be."""
    edit(told, "Newer")
    told.build(nodes=[NODE], dry_run=True)
    assert not (told.settings.site_root / ".events").exists()


def test_what_is_held_back_is_told_once_and_so_is_its_end(told: Builder) -> None:
    """However often it is tried; the first success tells that all is well again."""
    break_page(told)
    for _ in range(3):
        told.build(nodes=[NODE])
    (event,) = taken(told)
    assert (event["type"], event["data"]["pages"]) == ("run.held", [PAGE])
    assert "page_route" in event["data"]["error"] or "route" in event["data"]["error"]
    told.sql("UPDATE robbieblocks_pages SET page_route = '/play' WHERE page_key = %s", PAGE)
    told.build(nodes=[NODE])
    found = taken(told)
    assert found[-1]["type"] == "run.recovered"
    assert found[-1]["data"]["after"] == "held"
    told.build(nodes=[NODE])
    assert kinds(told) == []


def test_a_node_whose_branding_is_broken_is_told(told: Builder) -> None:
    """Nothing of the run went out; what is live is named."""
    told.sql("UPDATE robbieblocks_node_branding SET base_url = 'ftp://x' WHERE node_id = %s", NODE)
    edit(told, "Newer")
    told.build(nodes=[NODE])
    (event,) = taken(told)
    assert event["type"] in ("run.held", "run.failed")
    assert event["data"]["release"] == live(told)


@pytest.mark.parametrize("step", ["event written aside", "event noted"])
def test_a_kill_after_the_swap_loses_no_event(
    told: Builder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The next run tells of it, with the same id where it was noted before."""
    edit(told, "Newer")
    told.build(nodes=[NODE], apps=[APP])
    assert kinds(told) == ["run.published"]
    edit(told, "Newest")
    before = live(told)

    def kill(at: str) -> None:
        if at == step:
            raise Killed

    monkeypatch.setattr(failpoints, "hook", kill)
    with pytest.raises(Killed):
        told.build(nodes=[NODE], apps=[APP])
    monkeypatch.setattr(failpoints, "hook", lambda _step: None)
    assert live(told) != before
    first = taken(told)
    assert len(first) == (step == "event noted")
    told.build(nodes=[NODE], apps=[APP])
    (event,) = taken(told)
    assert event["type"] == "run.published"
    assert not first or event["id"] == first[0]["id"]


def test_a_kill_right_after_the_swap_is_caught_up(
    told: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no run says what changed, the two releases do."""
    edit(told, "First")
    told.build(nodes=[NODE])
    before = live(told)
    taken(told)
    edit(told, "Second")

    def kill(at: str) -> None:
        if at == "concluded":
            raise Killed

    monkeypatch.setattr(failpoints, "hook", kill)
    with pytest.raises(Killed):
        told.build(nodes=[NODE], apps=[APP])
    monkeypatch.setattr(failpoints, "hook", lambda _step: None)
    assert taken(told) == []
    told.build(nodes=[NODE], apps=[APP])
    (event,) = taken(told)
    assert event["type"] == "run.published"
    assert event["data"]["release_before"] == before
    assert [page["key"] for page in event["data"]["pages"]] == [PAGE]


def test_pins_and_rollbacks_are_told(told: Builder) -> None:
    """A rollback stands for its pin; what somebody did by hand is told by the next run."""
    order: dict[str, Any] = {"who": "ann", "why": "broken", "now": NOW}
    root, settings = told.site_root, told.settings
    first = live(told)
    edit(told, "Newer")
    told.build(nodes=[NODE])
    assert kinds(told) == ["run.published"]
    went = release.roll_back(root, NODE, APP, **order)
    tell(settings, root, NODE, APP, live_before=went.before)
    (event,) = taken(told)
    assert (event["type"], event["data"]["release"]) == ("rolled_back", first)
    assert (event["data"]["who"], event["data"]["why"]) == ("ann", "broken")
    assert [page["key"] for page in event["data"]["pages"]] == [PAGE]
    release.unpin(root, NODE, APP)
    tell(settings, root, NODE, APP, who="bob")
    (event,) = taken(told)
    assert (event["type"], event["data"]["who"]) == ("unpinned", "bob")
    release.pin_live(root, NODE, APP, **order)
    told.build(nodes=[NODE], apps=[APP])
    assert kinds(told) == ["pinned"]
    (root.path / NODE / APP / "pinned").unlink()
    told.build(nodes=[NODE], apps=[APP])
    assert sorted(kinds(told)) == ["run.published", "unpinned"]


def test_the_first_rollback_that_is_told_is_told_as_one(told: Builder) -> None:
    """Also where nothing was told of the app before."""
    telling, told.settings = told.settings, replace(told.settings, events=None)
    told.context.settings = told.settings
    edit(told, "Newer")
    told.build(nodes=[NODE])
    went = release.roll_back(told.site_root, NODE, APP, who="ann", why="broken", now=NOW)
    tell(telling, told.site_root, NODE, APP, live_before=went.before)
    assert kinds(told) == ["rolled_back"]


def test_holds_are_told(told: Builder) -> None:
    """Where a page's rows change its hold ends by itself, and that is told, too."""
    order: dict[str, Any] = {"who": "ann", "why": "judges", "now": NOW}
    release.hold_page(told.site_root, NODE, APP, PAGE, **order)
    tell(told.settings, told.site_root, NODE, APP)
    (event,) = taken(told)
    assert (event["type"], event["data"]["page"]) == ("held", PAGE)
    edit(told, "Newer")
    told.build(nodes=[NODE])
    found = {each["type"]: each["data"] for each in taken(told)}
    assert sorted(found) == ["released", "run.published"]
    assert found["released"]["who"] == ""


def test_a_page_that_is_rolled_back_is_told(told: Builder) -> None:
    """As one event, with the page."""
    edit(told, "Newer")
    told.build(nodes=[NODE])
    taken(told)
    release.roll_back_page(told.site_root, NODE, APP, PAGE, who="ann", why="typo", now=NOW)
    tell(told.settings, told.site_root, NODE, APP)
    (event,) = taken(told)
    assert (event["type"], event["data"]["page"]) == ("rolled_back", PAGE)


def test_a_run_is_not_stopped_by_an_outbox_that_refuses(told: Builder) -> None:
    """A folder in its way, as a full disk: the run goes out, and the next one tells of it."""
    blocked: Path = told.settings.site_root / ".events"
    blocked.write_text("in the way")
    edit(told, "Newer")
    assert told.build(nodes=[NODE]).exit_code == 0
    blocked.unlink()
    edit(told, "Newest")
    told.build(nodes=[NODE])
    assert kinds(told) == ["run.published"]
