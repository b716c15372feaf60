"""What stays on the disk over weeks of publishing, and beside clocks and disks that are wrong."""

from __future__ import annotations

import os
import random
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import (
    SiteRoot,
    hold_page,
    kept_releases,
    live,
    prepare_standby_trees,
    prune,
    verify,
)
from robbieblocks.release.names import STANDBY, VERIFIED, is_release
from robbieblocks.release.reading import manifest_of
from robbieblocks.release.recycle import recyclable_folders
from robbieblocks.release.retention.rule import kept_of
from tests.integration.releases import (
    NODE,
    app_folder,
    assets,
    keeping,
    manifest,
    overwrite,
    pages,
    publish,
    put_version,
    served,
)

DAY = 86_400.0


def releases(site_root: SiteRoot) -> set[str]:
    """The names of the releases that are there."""
    return {
        entry.name for entry in os.scandir(app_folder(site_root).releases) if is_release(entry.name)
    }


def live_last(site_root: SiteRoot, name: str, at: float) -> None:
    """Have a release live last at another time."""
    os.utime(app_folder(site_root).releases / name / VERIFIED, (at, at))


class Clock:
    """A time that the test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """It stands at the beginning of a day in UTC."""
    return Clock(time.time() // DAY * DAY)


def expected(history: list[tuple[float, str]], now: float) -> set[str]:
    """What the rule says of all that ever was live, told in other words than the code's.

    The last five, what was live at each of the last seven midnights, and what was live before.
    """
    last = {name: at for at, name in history}
    order = sorted(last, key=lambda name: last[name])
    today = now // DAY * DAY
    daily = set()
    for day in range(7):
        before = [name for name in order if last[name] < today - day * DAY]
        daily.update(before[-1:])
    return {*order[-5:], *daily, history[-1][1]}


def test_a_fortnight_leaves_exactly_what_the_rule_says(site_root: SiteRoot, clock: Clock) -> None:
    """Day for day, with quiet days and busy ones, and standby trees made in between; the assets of
    the others go a week after."""
    site_root = replace(site_root, clock=clock)
    random_ = random.Random(14)
    history: list[tuple[float, str]] = []
    gone: dict[str, float] = {}
    began = clock.now
    version = 0
    for day in range(14):
        for hour in sorted(random_.sample(range(24), k=random_.choice((0, 0, 1, 3, 9)))):
            version += 1
            clock.now = began + day * DAY + hour * 3600
            done = put_version(site_root, version)
            history.append((clock.now, done.build_hash))
            prepare_standby_trees(site_root, NODE, "play")
            prune(site_root, NODE, "play", slack=2)
            assert expected(history, clock.now) <= releases(site_root)
        if not history:
            continue
        clock.now = began + (day + 1) * DAY - 1
        before = releases(site_root)
        prune(site_root, NODE, "play", sweep_hours=0)
        assert releases(site_root) == expected(history, clock.now), f"day {day}"
        gone |= dict.fromkeys(before - releases(site_root), clock.now)
    assert version > 20
    assert len(releases(site_root)) > 7
    assert verify(site_root, NODE, "play") == ()
    clock.now += 8 * DAY
    prune(site_root, NODE, "play", sweep_hours=0)
    assert len(releases(site_root)) == 5
    clock.now += 8 * DAY
    assert prune(site_root, NODE, "play", sweep_hours=0).assets > 0
    kept = {asset for name in releases(site_root) for asset in _assets(site_root, name)}
    assert {entry.name for entry in os.scandir(app_folder(site_root).assets)} == kept


def _assets(site_root: SiteRoot, name: str) -> tuple[str, ...]:
    found = manifest_of(app_folder(site_root), name)
    assert found is not None
    return found.assets


def test_two_hundred_swaps_leave_the_disk_as_full_as_twenty(site_root: SiteRoot) -> None:
    """Folders, files and assets, with standby trees made and releases pruned as a worker does."""
    site_root = keeping(site_root, asset_days=0.0)
    sizes: list[tuple[int, int]] = []
    for version in range(1, 201):
        put_version(site_root, version)
        if version % 3 == 0:
            prepare_standby_trees(site_root, NODE, "play")
            prune(site_root, NODE, "play", slack=2, sweep_hours=0)
        if version % 36 == 9:
            prune(site_root, NODE, "play", sweep_hours=0)
            sizes.append(_size(site_root.path))
    assert {names for names, _ in sizes[1:]} == {sizes[1][0]}
    assert max(files for _, files in sizes) < sizes[1][1] * 1.1
    assert len(list(app_folder(site_root).releases.iterdir())) <= 7 + 2
    assert verify(site_root, NODE, "play") == ()


def _size(root: Path) -> tuple[int, int]:
    """How many names a folder has below it, and how many files those are."""
    found = [path.lstat() for path in root.rglob("*")]
    return len(found), len({status.st_ino for status in found})


@pytest.fixture
def week(site_root: SiteRoot, clock: Clock) -> tuple[SiteRoot, list[str]]:
    """A week with a release a day, and today's seven; the hashes of the days."""
    site_root = replace(site_root, clock=clock)
    days: list[str] = []
    for day in range(7):
        days.append(put_version(site_root, day + 1).build_hash)
        clock.now += DAY
    for version in range(20, 27):
        clock.now += 60
        put_version(site_root, version)
    return site_root, days


def test_what_stays_by_day_becomes_no_standby_tree(
    week: tuple[SiteRoot, list[str]], clock: Clock
) -> None:
    """Nor the next release, though it is the oldest; two other folders are made ready."""
    site_root, days = week
    folders = {name: (app_folder(site_root).releases / name).stat().st_ino for name in days}
    for version in range(30, 42):
        prepare_standby_trees(site_root, NODE, "play")
        ready = list(recyclable_folders(app_folder(site_root)))
        assert len(ready) == 2, [each.name for each in ready]
        assert not {each.name for each in ready} & set(days)
        clock.now += 60
        put_version(site_root, version)
    found = {name: (app_folder(site_root).releases / name).stat().st_ino for name in days}
    assert found == folders


def test_the_release_that_a_held_page_is_of_stays(site_root: SiteRoot) -> None:
    """As long as the page is held; where holds can't be read, nothing goes."""
    hashes = [_put_with_rows(site_root, 1)]
    hold_page(
        site_root, NODE, "play", "page-play/p1/index.html", who="me", why="x", now=datetime.now(UTC)
    )
    hashes += [put_version(site_root, version).build_hash for version in range(2, 12)]
    prune(keeping(site_root, 1), NODE, "play")
    assert releases(site_root) == {hashes[0], hashes[-1], hashes[-2]}
    assert kept_of(app_folder(site_root)).reasons[hashes[0]] == ("held", "recent")
    put_version(site_root, 20)
    overwrite(app_folder(site_root).path / "held.json", b"{")
    with pytest.raises(SiteUnavailable, match="could not read the holds"):
        prune(keeping(site_root, 1), NODE, "play")
    assert len(releases(site_root)) == 4


def _put_with_rows(site_root: SiteRoot, version: int) -> str:
    """Publish a version whose pages know their rows, as those of a database do."""
    files = pages(version)
    wanted = manifest(files, assets(version))
    known = tuple(replace(page, row_digests="-1 -2") for page in wanted.pages)
    wanted = replace(wanted, pages=known)
    return publish(site_root, wanted, files, assets(version)).build_hash


def test_a_clock_that_is_behind_removes_nothing_that_a_right_one_keeps(
    week: tuple[SiteRoot, list[str]],
) -> None:
    """A machine without a clock of its own starts in 1970: what is there is not "to come"."""
    site_root, days = week
    before = kept_of(app_folder(site_root)).reasons
    assert set(days) <= set(before)
    order = [each.build_hash for each in kept_releases(site_root, NODE, "play")]
    behind = replace(site_root, clock=lambda: 1000.0)
    assert kept_of(app_folder(behind)).reasons == before
    assert [each.build_hash for each in kept_releases(behind, NODE, "play")] == order
    prune(behind, NODE, "play", sweep_hours=0)
    assert releases(site_root) == set(before)


def test_a_clock_that_is_ahead_keeps_what_is_kept_by_number(
    week: tuple[SiteRoot, list[str]],
) -> None:
    """It can't be told from a site on which nothing was published for years."""
    site_root, _ = week
    ahead = replace(site_root, clock=lambda: time.time() + 9_000 * DAY)
    prune(ahead, NODE, "play")
    assert len(releases(site_root)) == 5
    assert verify(site_root, NODE, "play") == ()


def test_a_link_out_of_the_root_goes_and_what_it_leads_to_stays(
    site_root: SiteRoot, tmp_path: Path
) -> None:
    """In a release's place, and inside of one; so does a file that has a release's name."""
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    (outside / "deep" / "file").write_text("mine")
    old = put_version(site_root, 1).build_hash
    for version in range(2, 9):
        put_version(site_root, version)
    folder = app_folder(site_root).releases
    (folder / ("a" * 64)).symlink_to(outside)
    (folder / ("b" * 64)).write_text("a file")
    (folder / old).mkdir(exist_ok=True)
    (folder / old / "away").symlink_to(outside / "deep")
    prune(site_root, NODE, "play")
    assert not {"a" * 64, "b" * 64, old} & releases(site_root)
    assert (outside / "deep" / "file").read_text() == "mine"
    assert not [each.name for each in folder.iterdir() if each.name.startswith(".tmp-")]


def test_a_thousand_releases_go_while_others_publish(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The app's lock is free again after each five hundred."""
    put_version(site_root, 1)
    folder = app_folder(site_root).releases
    for number in range(1_200):
        (folder / f"{number:064x}").mkdir()
    steps: list[str] = []
    monkeypatch.setattr(failpoints, "hook", steps.append)
    assert len(prune(site_root, NODE, "play").releases) == 1_200
    assert max(map(len, " ".join(steps).split("pruned"))) <= 500 * len(" pruning") + 1
    assert len(releases(site_root)) == 1
    assert served(site_root, "play/index.html")


def test_a_second_one_at_once_removes_the_rest(site_root: SiteRoot) -> None:
    """What one process renames, another removes, too; neither fails."""
    for version in range(1, 4):
        put_version(site_root, version)
    folder = app_folder(site_root).releases
    for number in range(300):
        (folder / f"{number:064x}" / "deep").mkdir(parents=True)
    failed: list[BaseException] = []
    removed: list[str] = []

    def work() -> None:
        try:
            removed.extend(prune(keeping(SiteRoot(site_root.path)), NODE, "play").releases)
        except SiteUnavailable as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    prune(site_root, NODE, "play")
    assert failed == []
    assert sorted(removed) == [f"{number:064x}" for number in range(300)]
    assert {each.name for each in folder.iterdir() if each.name != STANDBY} == releases(site_root)
    assert live(site_root, NODE, "play") is not None
