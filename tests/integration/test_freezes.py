"""Freezes: until their end nothing new goes out, and then everything in one release."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from robbieblocks import failpoints, release
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.pipeline import BreakGlass
from robbieblocks.release import ALL_NODES, Freeze, SiteRoot, end_freezes, freeze, freezes, frozen
from robbieblocks.settings import FreezeWindow
from tests.building import NOW, Builder, run_of

pytestmark = pytest.mark.postgres

NODE, OTHER, APP, PAGE = "vengeance-local", "collaboration-local", "play", "robbie-play-home"
FILE = "play/index.html"
OTHER_PAGE, OTHER_FILE = "robbie-play-blackjack", "play/blackjack/index.html"
END = NOW + timedelta(hours=2)
_TITLE = "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = %s"
_WAITING = """
    SELECT count(*) AS n FROM robbieblocks_change_triggers
     WHERE processed_at IS NULL AND %s <> ALL (handled_nodes)
"""
_RUNS = """
    SELECT *, details::text AS told FROM robbieblocks_deploys
     WHERE node_id = %s AND app_namespace = 'play' ORDER BY started_at
"""


def freeze_node(seeded: Builder, *nodes: str, until: datetime = END) -> Freeze:
    """Freeze nodes, or all."""
    return freeze(seeded.site_root, nodes, who="ann@web1", why="fair", now=seeded.now, until=until)


def retitle(seeded: Builder, title: str, page: str = PAGE) -> None:
    """Change a page."""
    seeded.sql(_TITLE, title, page)


def waiting(seeded: Builder, node: str = NODE) -> int:
    """How many changes a node has not handled."""
    (row,) = seeded.sql(_WAITING, node)
    return int(row["n"])


def runs(seeded: Builder, node: str = NODE) -> list[dict[str, Any]]:
    """The app's runs on a node, the first first."""
    return seeded.sql(_RUNS, node)


@pytest.fixture
def built(built: Builder) -> Builder:
    """Everything is live, and no change waits."""
    built.sql("DELETE FROM robbieblocks_change_triggers")
    return built


def test_a_frozen_node_stays_as_it_is_and_says_so(built: Builder) -> None:
    """Byte for byte, while another node goes on; the change waits for it."""
    freeze_node(built, NODE)
    before = built.files(NODE, APP)
    retitle(built, "Newer")
    report = built.build(apps=[APP], nodes=[NODE, OTHER])
    assert report.exit_code == 0
    held, free = run_of(report, NODE, APP), run_of(report, OTHER, APP)
    assert (held.outcome, free.outcome) == ("unchanged", "published")
    assert (held.changed, held.build_hash) == ((), held.hash_before)
    (problem,) = held.problems
    said = (
        f"on {NODE} it is frozen by ann@web1 since 2026-06-01 12:00Z until 2026-06-01 14:00Z: fair"
    )
    assert said in str(problem)
    assert "1 page would change" in str(problem)
    assert "--during-freeze --reason" in str(problem)
    assert held.as_json()["freeze"] == {
        "who": "ann@web1",
        "why": "fair",
        "since": NOW.isoformat(),
        "until": END.isoformat(),
    }
    assert (free.freeze, free.problems) == (None, ())
    assert built.files(NODE, APP) == before
    assert (waiting(built), waiting(built, OTHER)) == (1, 0)
    row = runs(built)[-1]
    assert (row["deploy_status"], row["build_hash"]) == ("success", held.build_hash)
    assert "frozen by ann@web1" in row["build_log"]
    assert json.loads(row["told"])["freeze"]["why"] == "fair"
    dry = run_of(built.build(apps=[APP], dry_run=True), NODE, APP)
    assert (dry.outcome, dry.build_hash) == ("unchanged", dry.hash_before)


def test_what_waited_goes_out_in_one_release(built: Builder) -> None:
    """With the first look after the end; no idle look before leaves a row."""
    freeze_node(built)
    for title in ("One", "Two", "Three"):
        retitle(built, title)
        built.build(apps=[APP], nodes=[NODE])
    retitle(built, "Blackjack", "robbie-play-blackjack")
    before, releases = len(runs(built)), len(release.kept_releases(built.site_root, NODE, APP))
    for _ in range(2):
        built.build(apps=[APP], nodes=[NODE], unasked=True)
    assert (len(runs(built)), waiting(built)) == (before, 4)
    built.now = END
    report = built.build(apps=[APP], nodes=[NODE], unasked=True)
    run = run_of(report, NODE, APP)
    assert (run.outcome, run.freeze) == ("published", None)
    assert {page.key for page in run.changed} == {PAGE, "robbie-play-blackjack"}
    assert "<title>Three" in built.html(NODE, APP, FILE)
    assert len(release.kept_releases(built.site_root, NODE, APP)) == releases + 1
    assert (len(runs(built)), waiting(built)) == (before + 1, 0)
    assert freezes(built.site_root, built.now) == {}


def test_an_instant_of_the_content_waits_too(built: Builder) -> None:
    """A block that shows from a time shows when the freeze is over, and the plan tells the next
    such time all the same."""
    shows = NOW + timedelta(hours=1)
    built.sql(
        "UPDATE robbieblocks_page_blocks SET conditions = jsonb_build_object('from', %s::text)"
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = %s)"
        " AND block_order = (SELECT max(block_order) FROM robbieblocks_page_blocks WHERE page_id ="
        " (SELECT id FROM robbieblocks_pages WHERE page_key = %s))",
        shows.isoformat(),
        PAGE,
        PAGE,
    )
    built.build(apps=[APP], nodes=[NODE])
    hidden = built.html(NODE, APP, FILE)
    freeze_node(built)
    report = built.build(apps=[APP], nodes=[NODE], unasked=True)
    assert report.plan.boundaries[APP] == shows
    built.now = shows + timedelta(minutes=1)
    run = run_of(built.build(apps=[APP], nodes=[NODE], unasked=True), NODE, APP)
    assert run.freeze is not None
    assert built.html(NODE, APP, FILE) == hidden
    built.now = END
    built.build(apps=[APP], nodes=[NODE], unasked=True)
    assert built.html(NODE, APP, FILE) != hidden


def test_publishing_during_a_freeze_is_recorded(built: Builder) -> None:
    """In the run, its log and its details, with who and why; changes count as handled."""
    freeze_node(built)
    retitle(built, "Urgent")
    by = BreakGlass(who="bob@web1", why="wrong price\x1b[31m")
    run = run_of(
        built.build(apps=[APP], nodes=[NODE], during_freeze=by, triggered_by="during-freeze"),
        NODE,
        APP,
    )
    assert (run.outcome, run.waits) == ("published", False)
    assert "<title>Urgent" in built.html(NODE, APP, FILE)
    row = runs(built)[-1]
    assert row["triggered_by"] == "during-freeze"
    assert "this goes out all the same, by bob@web1: wrong price" in row["build_log"]
    told = json.loads(row["told"])
    assert told["during_freeze"]["who"] == "bob@web1"
    assert "\x1b" not in told["during_freeze"]["why"]
    assert told["freeze"]["who"] == "ann@web1"
    assert waiting(built) == 0
    # Without a freeze it is a build as any other.
    end_freezes(built.site_root, (), built.now)
    retitle(built, "Later")
    calm = run_of(built.build(apps=[APP], nodes=[NODE], during_freeze=by), NODE, APP)
    assert (calm.outcome, calm.freeze, calm.during_freeze) == ("published", None, None)


def test_a_pin_holds_what_goes_out_during_a_freeze(built: Builder) -> None:
    """One asks for another thing than the other."""
    freeze_node(built)
    release.pin_live(built.site_root, NODE, APP, who="ann", why="judges", now=NOW)
    retitle(built, "Urgent")
    by = BreakGlass(who="bob", why="price")
    run = run_of(built.build(apps=[APP], nodes=[NODE], during_freeze=by), NODE, APP)
    assert run.pin is not None
    assert (run.outcome, run.during_freeze, run.waits) == ("unchanged", None, True)
    assert "goes out all the same" not in "".join(map(str, run.problems))
    assert waiting(built) == 1


def test_going_back_is_possible_during_a_freeze(built: Builder) -> None:
    """And what one went back to stays when the pin ends, until the freeze does."""
    retitle(built, "Second")
    built.build(apps=[APP], nodes=[NODE])
    freeze_node(built)
    release.roll_back(built.site_root, NODE, APP, who="ann", why="broken", now=NOW)
    assert "Second" not in built.html(NODE, APP, FILE)
    release.unpin(built.site_root, NODE, APP)
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert run.freeze is not None
    assert "Second" not in built.html(NODE, APP, FILE)
    built.now = END
    built.build(apps=[APP], nodes=[NODE])
    assert "Second" in built.html(NODE, APP, FILE)


def test_damage_is_mended_during_a_freeze(built: Builder) -> None:
    """A freeze is for content; nothing differs then, so nothing is said."""
    freeze_node(built)
    before = built.files(NODE, APP)
    page = built.settings.site_root / NODE / APP / "current" / FILE
    page.chmod(0o644)
    page.write_text("defaced")
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert (run.freeze, run.problems) == (None, ())
    assert built.files(NODE, APP) == before


def test_what_is_new_or_given_up_waits_too(seeded: Builder) -> None:
    """An app of which nothing is live, and one that its node shows no more."""
    seeded.build(apps=[APP], nodes=[NODE])
    freeze_node(seeded)
    first = run_of(seeded.build(apps=["shared"], nodes=[NODE]), NODE, "shared")
    assert (first.outcome, first.freeze is not None) == ("unchanged", True)
    assert seeded.live(NODE, "shared") is None
    seeded.sql(
        "UPDATE robbieblocks_node_branding SET enabled_apps = array_remove(enabled_apps, 'play')"
        " WHERE node_id = %s",
        NODE,
    )
    seeded.build_approved(apps=[APP], nodes=[NODE])
    live = seeded.live(NODE, APP)
    assert live is not None
    assert live.pages


def test_a_window_of_the_settings_freezes(built: Builder) -> None:
    """Without a file in the site root; the run names it, and its end."""
    window = FreezeWindow(
        kind="deny", cron="0 11 * * *", duration_s=7200, zone="UTC", reason="lunch", apps=(APP,)
    )
    built.settings = replace(built.settings, freeze_windows=(window,))
    retitle(built, "Newer")
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert run.freeze is not None
    assert str(run.freeze) == (
        "frozen by a window of robbieblocks.toml since 2026-06-01 11:00Z until 2026-06-01 13:00Z: "
        "lunch"
    )
    built.now = NOW + timedelta(hours=1)
    assert run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP).outcome == "published"


def test_of_several_freezes_the_one_that_ends_last_is_told(built: Builder) -> None:
    """Of all nodes, of one, and of a window."""
    root = built.site_root
    freeze_node(built, until=NOW + timedelta(hours=1))
    freeze_node(built, NODE, until=NOW + timedelta(hours=2))
    window = FreezeWindow(
        kind="allow", cron="0 9 * * *", duration_s=3600, zone="UTC", reason="mornings"
    )
    found = [frozen(root, (), node, APP, NOW) for node in (NODE, OTHER)]
    assert [each and each.until for each in found] == [
        NOW + timedelta(hours=2),
        NOW + timedelta(hours=1),
    ]
    by_window = frozen(root, (window,), NODE, APP, NOW)
    assert by_window is not None
    assert by_window.why == "outside of its windows: mornings"
    assert by_window.until == datetime(2026, 6, 2, 9, tzinfo=UTC)
    with pytest.raises(UsageError, match="frozen together with all nodes"):
        end_freezes(root, [OTHER], NOW)
    assert list(end_freezes(root, [NODE], NOW)) == [NODE]
    assert list(end_freezes(root, (), NOW)) == [ALL_NODES]
    assert end_freezes(root, (), NOW) == {}
    assert frozen(root, (), NODE, APP, NOW) is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"all": null, "nodes": {"n": {"who": "a", "why": "b", "until": null}}}',
        '{"all": {"who": "a", "why": "b", "until": "2026-06-01T00:00:00"}, "nodes": {}}',
        '{"all": null, "nodes": {"n": []}}',
        "[" * 100_000,
    ],
)
def test_what_can_not_be_read_freezes_everything(built: Builder, text: str) -> None:
    """Nothing new goes out, the run says what to do, and ending all freezes mends it."""
    file = built.settings.site_root / "freezes.json"
    file.write_text(text)
    retitle(built, "Newer")
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert (run.outcome, run.transient) == ("failed", True)
    assert "`robbieblocks unfreeze` removes the file" in run.error
    assert waiting(built) == 1
    with pytest.raises(SiteUnavailable):
        freeze_node(built, NODE)
    assert list(end_freezes(built.site_root, (), NOW)) == [ALL_NODES]
    assert not file.exists()
    assert run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP).outcome == "published"


@pytest.mark.parametrize("step", ["entry written", "acted", "frozen"])
def test_a_freeze_that_is_cut_short_stands_whole_or_not_at_all(
    built: Builder, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At every step; the same command completes it."""

    class Killed(BaseException):
        pass

    def hook(reached: str) -> None:
        if reached == step:
            raise Killed

    monkeypatch.setattr(failpoints, "hook", hook)
    with pytest.raises(Killed):
        freeze_node(built)
    monkeypatch.undo()
    assert list(freezes(built.site_root, NOW)) == ([] if step == "entry written" else [ALL_NODES])
    again = freeze_node(built, until=END + timedelta(hours=1))
    assert freezes(built.site_root, NOW) == {ALL_NODES: again}


def test_a_freeze_waits_for_who_publishes(built: Builder) -> None:
    """A build that began before has its say first; a name that is not there freezes nothing."""
    own = SiteRoot(built.settings.site_root)
    reached: list[str] = []
    with release.lock(own, NODE, APP):
        # The thread that has the lock may take it again: by another object it is another's.
        from threading import Thread

        thread = Thread(target=lambda: reached.append(str(freeze_node(built))))
        thread.start()
        while not freezes(own, NOW):
            assert thread.is_alive()
        assert reached == []
    thread.join(30)
    assert len(reached) == 1
    with pytest.raises(UsageError, match="no node 'vengeance' is live"):
        freeze_node(built, "vengeance")


@pytest.mark.parametrize("kept_by", ["a freeze", "a pin"])
def test_damage_is_mended_though_an_edit_waits(built: Builder, kept_by: str) -> None:
    """Of the edited page from another release, of others from the rows; the edit waits on."""
    retitle(built, "Second")
    built.build(apps=[APP], nodes=[NODE])
    built.sql(_TITLE, "Third", OTHER_PAGE)
    built.build(apps=[APP], nodes=[NODE])
    built.sql("DELETE FROM robbieblocks_change_triggers")
    if kept_by == "a freeze":
        freeze_node(built, NODE)
    else:
        release.pin_live(built.site_root, NODE, APP, who="ann", why="fair", now=NOW)
    before = built.files(NODE, APP)
    current = built.settings.site_root / NODE / APP / "current"
    retitle(built, "Waits")
    for name in (FILE, OTHER_FILE):
        (current / name).unlink()
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert run.waits
    assert "2 damaged files of what is live there put right" in str(run.problems)
    assert built.files(NODE, APP) == before
    assert release.verify(built.site_root, NODE, APP) == ()
    assert waiting(built) == 1


def test_damage_beside_a_change_waits_with_it(built: Builder) -> None:
    """Its bytes of before are made of rows that are no more: the release that follows mends it."""
    freeze_node(built)
    page = built.settings.site_root / NODE / APP / "current" / FILE
    page.chmod(0o644)
    page.write_text("defaced")
    retitle(built, "Newer")
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert run.waits
    assert f"{FILE} of what is live there is damaged, and no copy is left" in str(run.problems)
    assert built.html(NODE, APP, FILE) == "defaced"
    built.now = END
    built.build(apps=[APP], nodes=[NODE], unasked=True)
    assert "<title>Newer" in built.html(NODE, APP, FILE)


def test_a_release_that_somebody_went_to_meanwhile_is_not_mended(built: Builder) -> None:
    """What was damaged of the one before is no file of it, or the manifest could not be read."""
    before = built.files(NODE, APP)
    for damaged in ("manifest.json", "play/gone/index.html", "/_rb/gone-1.js"):
        left = release.mend_live(built.site_root, NODE, APP, [damaged], contents={}, assets=())
        assert left == ()
    assert built.files(NODE, APP) == before


def test_the_freeze_of_a_node_that_was_removed_can_be_ended(built: Builder) -> None:
    """By its name, which nothing is live of any more."""
    freeze_node(built, NODE)
    release.remove_node(built.site_root, NODE)
    assert list(end_freezes(built.site_root, [NODE], NOW)) == [NODE]
    with pytest.raises(UsageError, match="no node"):
        end_freezes(built.site_root, [NODE], NOW)
