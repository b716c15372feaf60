"""The audit log: what people did to what is live, whatever is killed, by hand or unreadable."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from robbieblocks import events, failpoints, release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import Entry, Freeze, SiteRoot
from robbieblocks.release.audit import log_file
from robbieblocks.release.checking import smoke
from robbieblocks.settings import EventSettings, FreezeWindow, Settings, Webhook
from robbieblocks.worker import Timing
from robbieblocks.worker.connections import Liveness
from robbieblocks.worker.freeze_telling import freezes_told, tell_freezes
from robbieblocks.worker.health import Health
from tests.commands import Installation
from tests.integration.releases import (
    NODE,
    app_folder,
    assets,
    manifest,
    pages,
    publish,
    put,
    put_version,
)
from tests.worker_doubles import RecordingLog
from tests.workers import without_root_s_rights

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PLACE = (NODE, "play")
WHO: dict[str, Any] = {"who": "ann@web1", "why": "fair"}


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture(autouse=True)
def no_hook() -> Iterator[None]:
    """No hook stays."""
    yield
    failpoints.hook = lambda _step: None


@pytest.fixture
def root(site_root: SiteRoot) -> SiteRoot:
    """A site root of today with three releases, the last one live."""
    for version in (1, 2, 3):
        put_version(site_root, version)
        live = app_folder(site_root).releases / str(app_folder(site_root).live_name)
        at = NOW.timestamp() - 100 + version
        os.utime(live / ".verified", (at, at))
    return replace(site_root, clock=NOW.timestamp)


def told(root: SiteRoot, **where: str) -> list[Entry]:
    """What the log tells, the oldest first; it is whole."""
    found, errors = release.audit(root, **where)
    assert errors == ()
    return list(reversed(found))


def kinds(root: SiteRoot) -> list[str]:
    """The kinds of what the log tells."""
    return [each.kind for each in told(root)]


def live(root: SiteRoot) -> str:
    """The hash of what is live."""
    return str(app_folder(root).live_name)


ACTS: dict[str, Callable[[SiteRoot], object]] = {
    "pin": lambda root: release.pin_live(root, *PLACE, now=NOW, **WHO),
    "unpin": lambda root: release.unpin(root, *PLACE, who="ann@web1"),
    "rollback": lambda root: release.roll_back(root, *PLACE, now=NOW, **WHO),
    "freeze": lambda root: release.freeze(root, [NODE], now=NOW, until=NOW + DAY, **WHO),
    "unfreeze": lambda root: release.end_freezes(root, [NODE], NOW, who="ann@web1"),
}
STARTED = {
    "pin": "pinned",
    "unpin": "unpinned",
    "rollback": "rolled_back",
    "freeze": "freeze.started",
    "unfreeze": "freeze.ended",
}
BEFORE = {"unpin": ("pin",), "unfreeze": ("freeze",)}


def prepared(root: SiteRoot, act: str) -> list[str]:
    """Do what has to be done before an act; the kinds of that."""
    for each in BEFORE.get(act, ()):
        ACTS[each](root)
    return kinds(root)


def in_force(root: SiteRoot) -> object:
    """What stands on the disk."""
    pin = release.pinned(root, *PLACE)
    freezes = {key: each.why for key, each in release.freezes(root, NOW).items()}
    return live(root), pin and pin.why, freezes


@pytest.mark.parametrize("act", ACTS)
def test_an_act_is_told_with_who_and_why(root: SiteRoot, act: str) -> None:
    """Of whom, why, on which app, in which release, on which machine."""
    before = live(root)
    known = prepared(root, act)
    ACTS[act](root)
    assert kinds(root) == [*known, STARTED[act]]
    entry = told(root)[-1]
    assert (entry.who, entry.why, entry.node, entry.at) == ("ann@web1", "fair", NODE, NOW)
    assert entry.app == ("" if "freeze" in act else "play")
    assert entry.host
    assert entry.note == ""
    if act == "rollback":
        assert (entry.release_before, entry.release) == (before, live(root))


STEPS = {
    "pin": (),
    "unpin": (),
    "rollback": ("pinned", "previous", "swapped", "checked"),
    "freeze": (),
    "unfreeze": (),
}
KILLS = [(act, step) for act, steps in STEPS.items() for step in ("entry written", *steps, "acted")]


@pytest.mark.parametrize("act", ACTS)
def test_the_steps_are_those_that_are_killed(root: SiteRoot, act: str) -> None:
    """No step is left out below; `frozen` comes after all."""
    prepared(root, act)
    reached: list[str] = []
    failpoints.hook = reached.append
    ACTS[act](root)
    expected = [step for each, step in KILLS if each == act]
    assert reached == [*expected, *(["frozen"] if act == "freeze" else [])]


@pytest.mark.parametrize(("act", "step"), KILLS)
def test_a_kill_leaves_act_and_entry_or_neither(root: SiteRoot, act: str, step: str) -> None:
    """At every step; and what comes later does not alter what is told of it."""
    known, before = prepared(root, act), in_force(root)
    killed(root, act, step)
    entries = told(root)
    if in_force(root) == before:
        assert step == "entry written"
        assert sorted(each.kind for each in entries) == sorted(known)
    else:
        is_cut_short = act == "rollback" and step in ("pinned", "previous")
        done = "pinned" if is_cut_short else STARTED[act]
        assert sorted(each.kind for each in entries) == sorted([*known, done])
        assert any("cut short" in each.note for each in entries) == is_cut_short
    # Whoever acts next writes down how it ended.
    ACTS["freeze"](root)
    ACTS["pin"](root)
    ids = {each.id for each in told(root)}
    assert {each.id for each in entries} < ids
    assert len(ids) == len(entries) + 2


def killed(root: SiteRoot, act: str, step: str) -> None:
    """Do something, and end at a step."""

    def kill(reached: str) -> None:
        if reached == step:
            raise Killed

    failpoints.hook = kill
    with pytest.raises(Killed):
        ACTS[act](root)
    failpoints.hook = lambda _step: None


def test_a_killed_rollback_is_told_as_it_ended_also_after_its_pin(root: SiteRoot) -> None:
    """It was done, though another release is live since; `settle_audit` comes before a swap."""

    def kill(reached: str) -> None:
        if reached == "acted":
            raise Killed

    failpoints.hook = kill
    soon = replace(root, clock=lambda: NOW.timestamp() + 10)
    with pytest.raises(Killed):
        release.roll_back(root, *PLACE, now=NOW, until=NOW + timedelta(seconds=1), **WHO)
    failpoints.hook = lambda _step: None
    release.settle_audit(soon, *PLACE)
    put_version(soon, 9)
    assert [(each.kind, each.who, each.note) for each in told(soon)] == [
        ("rolled_back", "ann@web1", ""),
        ("unpinned", "", ""),
    ]


def test_a_rollback_that_failed_is_not_told(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was live is live again, and the pin of before stands."""
    ACTS["pin"](root)

    def check_files(*_args: object) -> list[str]:
        return ["it is not what was written"]

    monkeypatch.setattr(smoke, "check_files", check_files)
    with pytest.raises(SiteUnavailable, match="not what was"):
        ACTS["rollback"](root)
    assert kinds(root) == ["pinned"]


def test_what_is_over_is_told_without_anybody_s_doing(root: SiteRoot) -> None:
    """A pin and a freeze, at their times."""
    until = NOW + timedelta(hours=1)
    release.pin_live(root, *PLACE, now=NOW, until=until, **WHO)
    release.freeze(root, [], now=NOW, until=until, **WHO)
    later = replace(root, clock=(until + DAY).timestamp)
    over = [each for each in told(later) if each.at == until]
    assert sorted(each.kind for each in over) == ["freeze.ended", "unpinned"]
    assert {each.who for each in over} == {""}
    release.forget_freezes_over(later, until + DAY)
    release.unpin(later, *PLACE)
    assert len(told(later)) == 4


def test_a_log_that_can_not_be_written_keeps_nobody_from_going_back(root: SiteRoot) -> None:
    """It is said, and the pin's own file tells of it."""
    (app_folder(root).path / "audit.jsonl").mkdir()
    ACTS["rollback"](root)
    assert len(root.unnoted) == 1
    pin = release.pinned(root, *PLACE)
    assert pin is not None
    assert pin.build_hash == live(root)
    assert len(release.audit(root)[1]) == 1


def test_a_clock_that_goes_back_mixes_nothing_up(root: SiteRoot) -> None:
    """What stands is told as it stands."""
    release.pin_live(root, *PLACE, now=NOW, until=NOW + DAY, **WHO)
    earlier = replace(root, clock=(NOW - DAY).timestamp)
    release.unpin(earlier, *PLACE, who="bob")
    release.pin_live(earlier, *PLACE, now=NOW - DAY, **WHO)
    assert sorted(kinds(earlier)) == ["pinned", "pinned", "unpinned"]
    assert {each.note for each in told(earlier)} == {""}


LUNCH = FreezeWindow(
    kind="deny", cron="0 12 * * *", duration_s=3600, zone="UTC", reason="lunch", nodes=(NODE,)
)


def test_windows_are_told_once_each_as_events_tell_them(root: SiteRoot) -> None:
    """Whichever worker looks, and however often; an early end, too."""
    settings = replace(
        Settings.from_environment(),
        site_root=root.path,
        freeze_windows=(LUNCH,),
        events=EventSettings(webhooks=(Webhook(name="all", url="http://127.0.0.1:1/"),)),
    )
    for day in (NOW, NOW + DAY):
        for minutes in (-1, 1, 30, 59, 60, 61):
            at = day + timedelta(minutes=minutes)
            tell_freezes(settings, SiteRoot(root.path, clock=at.timestamp), NODE, at)
    later = replace(root, clock=(NOW + 2 * DAY - timedelta(hours=1)).timestamp)
    entries = told(later)
    assert [(each.kind, each.at) for each in entries] == [
        (kind, day + timedelta(hours=hour))
        for day in (NOW, NOW + DAY)
        for hour, kind in ((0, "freeze.started"), (1, "freeze.ended"))
    ]
    sent = [json.loads(path.read_bytes()) for path in root.path.glob(".events/*/evt_*.json")]
    about = [(each["type"], each["data"]["app"], each["data"]["why"]) for each in sent]
    assert sorted(about) == sorted((each.kind, each.app, each.why) for each in entries)
    at = NOW + 2 * DAY
    tell_freezes(settings, later, NODE, at)
    tell_freezes(replace(settings, freeze_windows=()), later, NODE, at + timedelta(minutes=5))
    last = replace(root, clock=(at + DAY).timestamp)
    assert [(each.kind, each.at - at) for each in told(last)[4:]] == [
        ("freeze.started", timedelta()),
        ("freeze.ended", timedelta(minutes=5)),
    ]


def test_a_worker_notes_windows_where_nobody_is_told_of_events(root: SiteRoot) -> None:
    """Its thread runs where there are windows, or events; without both there is none."""
    settings = replace(Settings.from_environment(), site_root=root.path)
    assert settings.events is None
    log = RecordingLog()
    health = Health(node=NODE, timing=Timing(), liveness=Liveness())
    for windows in ((), (LUNCH,)):
        with freezes_told(replace(settings, freeze_windows=windows), root, health, log):
            names = [each.name for each in threading.enumerate()]
        assert ("freezes" in names) == bool(windows)
    tell_freezes(replace(settings, freeze_windows=(LUNCH,)), root, NODE, NOW)
    assert kinds(root) == ["freeze.started"]
    assert not (root.path / ".events").exists()


def test_a_window_that_frees_one_app_early_still_ends_for_the_others(root: SiteRoot) -> None:
    """Each app has its own end."""
    put(root, {"about/index.html": b"<h1>about</h1>"}, [], app="shared")
    lunch = Freeze(why="lunch", since=NOW, until=NOW + timedelta(hours=1))
    release.note_windows(root, NODE, {"play": lunch, "shared": lunch}, NOW)
    release.note_windows(root, NODE, {"play": lunch}, NOW + timedelta(minutes=5))
    release.note_windows(root, NODE, {"play": lunch}, NOW + timedelta(minutes=6))
    later = replace(root, clock=(NOW + DAY).timestamp)
    for app, minutes in (("play", 60), ("shared", 5)):
        ended = [each.at - NOW for each in told(later, app=app) if each.kind == "freeze.ended"]
        assert min(ended) == timedelta(minutes=minutes), app


def test_events_and_the_log_agree(root: SiteRoot) -> None:
    """Of each act: kind, who, why, release."""
    settings = replace(
        Settings.from_environment(),
        site_root=root.path,
        events=EventSettings(webhooks=(Webhook(name="all", url="http://127.0.0.1:1/"),)),
    )
    hashes = [each.build_hash for each in release.kept_releases(root, *PLACE)]
    steps: list[Callable[[], object]] = [
        lambda: ACTS["pin"](root),
        lambda: release.roll_back(root, *PLACE, to=hashes[2], who="bob", why="ugly", now=NOW),
        lambda: release.unpin(root, *PLACE, who="cem"),
        lambda: release.roll_back(root, *PLACE, to=hashes[2], who="dan", why="still", now=NOW),
        lambda: release.unpin(root, *PLACE, who="eve"),
    ]
    for step in steps:
        before = live(root)
        step()
        events.tell(
            settings,
            *PLACE,
            release.standing(root, *PLACE),
            now=NOW,
            pages_between=lambda _before, _after: (),
            who=told(root)[-1].who,
            live_before=before,
        )
    sent = [json.loads(path.read_bytes()) for path in root.path.glob(".events/*/evt_*.json")]
    of_events = [(each["type"], each["data"]["who"], each["data"]["release"]) for each in sent]
    assert sorted(of_events) == sorted((e.kind, e.who, e.release) for e in told(root))


def test_the_command_needs_no_database(root: SiteRoot, tmp_path: Path) -> None:
    """It filters, and its JSON is what docs/output.md says; what can't be read is told, with 3."""
    shell = Installation(
        home=tmp_path / "home", variables={"ROBBIEBLOCKS_SITE_ROOT": str(root.path)}
    )
    assert "nothing was pinned" in shell.run("audit").out
    ACTS["freeze"](root)
    ACTS["rollback"](root)
    release.unpin(root, *PLACE, who="bob\x1b[31m")
    ran = shell.run("audit", "--limit", "2")
    assert ran.code == 0, ran.err
    assert "\x1b" not in ran.out
    given = json.loads(shell.run("audit", "--kind", "rolled_back", "--format", "json").out)
    (entry,) = given["audit"]
    assert given["version"] == 1
    assert (entry["who"], entry["why"], entry["release"]) == ("ann@web1", "fair", live(root))
    since = (NOW + DAY).isoformat()
    assert "nothing was pinned" in shell.run("audit", "--since", since, "--kind", "rolled_back").out
    assert shell.run("audit", "--node", "nowhere").out.strip().startswith("nothing")
    log = app_folder(root).path / "audit.jsonl"
    log.unlink()
    log.mkdir()
    broken = shell.run("audit")
    assert broken.code == 3
    assert "freeze.started" in broken.out
    assert "could not read the audit log" in broken.err
    assert "nothing was pinned" not in shell.run("audit", "--app", "play", "--kind", "held").out


def test_many_at_once_lose_no_entry(root: SiteRoot) -> None:
    """Several processes pin, unpin and freeze, while others read: each act is told once."""
    times, people = 4, ("ann", "bob", "cem")

    def work(who: str) -> int:
        own = SiteRoot(root.path)
        ended = 0
        for _ in range(times):
            release.pin_live(own, *PLACE, who=who, why=who, now=datetime.now(UTC))
            ended += release.unpin(own, *PLACE, who=who)
            until = datetime.now(UTC) + DAY
            release.freeze(own, [NODE], who=who, why=who, now=datetime.now(UTC), until=until)
        assert own.unnoted == []
        return ended

    with ThreadPoolExecutor() as threads:
        works = [threads.submit(work, who) for who in people]
        counts: list[int] = []
        while not all(each.done() for each in works):
            found, errors = release.audit(SiteRoot(root.path))
            assert errors == ()
            counts.append(len(found))
        ended = sum(each.result() for each in works)
    assert counts == sorted(counts)
    entries = told(SiteRoot(root.path))
    of_kind = Counter(each.kind for each in entries)
    assert of_kind == {
        "pinned": times * len(people),
        "unpinned": ended,
        "freeze.started": times * len(people),
    }
    assert {each.note for each in entries} == {""}
    lines = (app_folder(root).path / "audit.jsonl").read_text().splitlines()
    assert len(lines) == 2 * (of_kind["pinned"] + ended)


def test_a_disk_that_fills_up_tears_no_line(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is as it was; what could be done all the same is told from its own file."""
    ACTS["pin"](root)
    log = app_folder(root).path / "audit.jsonl"
    before, write = log.read_bytes(), os.write

    def full(descriptor: int, content: bytes) -> int:
        if content[:1] == b"{":
            write(descriptor, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", full)
    assert release.unpin(root, *PLACE, who="bob")
    monkeypatch.undo()
    assert log.read_bytes() == before
    assert "No space left" in str(root.unnoted)
    assert [each.note for each in told(root)] == ["its file was altered later by something else"]
    ACTS["pin"](root)
    assert kinds(root) == ["pinned", "pinned"]


def test_what_is_done_while_somebody_looks_is_not_thought_undone_by_hand(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole act between looking what is in force and reading the log."""
    read = log_file.read

    def late(folder: Path) -> tuple[log_file.Line, ...]:
        if folder == app_folder(root).path:
            monkeypatch.undo()
            ACTS["pin"](root)
        return read(folder)

    monkeypatch.setattr(log_file, "read", late)
    assert [(each.kind, each.note) for each in told(root)] == [("pinned", "")]


def test_a_window_that_can_not_be_noted_is_told_once_and_noted_later(
    root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a full disk the caller hears each time, and nothing piles up."""
    lunch = {"play": Freeze(why="lunch", since=NOW, until=NOW + timedelta(hours=1))}

    def full(*_: object, **__: object) -> None:
        raise SiteUnavailable("no space left")

    monkeypatch.setattr(log_file, "append", full)
    for _ in range(3):
        with pytest.raises(SiteUnavailable, match="no space left"):
            release.note_windows(root, NODE, lunch, NOW)
    assert root.unnoted == []
    monkeypatch.undo()
    release.note_windows(root, NODE, lunch, NOW)
    assert kinds(root) == ["freeze.started"]


_AS_ANOTHER_ACCOUNT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from robbieblocks import release
root, node = release.SiteRoot(Path(sys.argv[1])), sys.argv[2]
assert release.unpin(root, node, "play", who="bob")
assert release.end_holds(root, node, "play", [sys.argv[3]], who="bob")
assert release.end_freezes(root, [node], datetime.now(UTC), who="bob")
assert root.unnoted == []
"""


def test_what_an_account_keeps_by_sudo_another_ends(site_root: SiteRoot) -> None:
    """Whatever the umask of the first: the worker's account reads what is kept, and goes on."""
    wanted = manifest(pages(1), assets(1))
    known = tuple(replace(page, row_digests="-1 -2") for page in wanted.pages)
    publish(site_root, replace(wanted, pages=known), pages(1), assets(1))
    page, now = known[0].key, datetime.now(UTC)
    umask = os.umask(0o077)
    try:
        release.pin_live(site_root, *PLACE, now=now, **WHO)
        release.hold_page(site_root, *PLACE, page, now=now, **WHO)
        release.freeze(site_root, [NODE], now=now, until=now + DAY, **WHO)
    finally:
        os.umask(umask)
    # Root's files are not this account's to write; its folders are.
    for path in [*site_root.path.glob("*"), *app_folder(site_root).path.glob("*")]:
        if path.is_file():
            assert path.stat().st_mode & 0o444 == 0o444, path
            path.chmod(0o444)
    subprocess.run(
        [
            *without_root_s_rights(),
            *(sys.executable, "-c", _AS_ANOTHER_ACCOUNT),
            *(str(site_root.path), NODE, page),
        ],
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert Counter(kinds(site_root)) == Counter(
        ("pinned", "held", "freeze.started", "unpinned", "released", "freeze.ended")
    )
