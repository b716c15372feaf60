"""What takes the disk, told as it is, and removed beside whoever else is at work."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from robbieblocks.cache import Cache, bound
from robbieblocks.cli.app import app
from robbieblocks.release import (
    SiteRoot,
    collect,
    live,
    lock,
    prepare_standby_trees,
    prune,
    size_of,
    usage_of_app,
    usage_of_assets,
    verify,
)
from robbieblocks.release.files import disk
from tests.integration.releases import NODE, app_folder, keeping, put_version
from tests.integration.test_release_kill import KillAt, kill_at

__all__ = ["kill_at"]

RUN = CliRunner()


@pytest.fixture
def site_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteRoot:
    """The site root of a project that keeps three releases; nine were live, one tree is ready."""
    (tmp_path / "robbieblocks.toml").write_text('[site]\nroot = "site"\nkeep_releases = 3\n')
    monkeypatch.chdir(tmp_path)
    for name in ("ROBBIEBLOCKS_SITE_ROOT", "ROBBIEBLOCKS_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ROBBIEBLOCKS_TOOLCHAIN_CACHE", str(tmp_path / "tools"))
    site_root = keeping(SiteRoot(tmp_path / "site"), 9)
    for version in range(1, 10):
        put_version(site_root, version)
    prepare_standby_trees(site_root, NODE, "play")
    return site_root


def test_it_says_what_takes_the_disk_and_what_removing_frees(site_root: SiteRoot) -> None:
    """As the file system counts it: what is freed is what was there and is not there any more."""
    root = keeping(SiteRoot(site_root.path), 3)
    before = usage_of_app(root, NODE, "play")
    assert [bool(each.reasons) for each in before.releases] == [True] * 3 + [False] * 6
    assert before.size_bytes == _taken(app_folder(root).releases)
    assert (
        before.frees_bytes > sum(each.own_bytes for each in before.releases if not each.reasons) - 1
    )
    assert usage_of_assets(root, NODE).size_bytes == _taken(app_folder(root).assets)
    assert len(collect(root, NODE, "play").releases) == 6
    after = usage_of_app(root, NODE, "play")
    assert before.size_bytes - after.size_bytes == before.frees_bytes
    assert after.frees_bytes == 0
    assert verify(root, NODE, "play") == ()


def _taken(folder: Path) -> int:
    """What `du` says, in bytes."""
    said = subprocess.run(["du", "-s", "-B1", folder], capture_output=True, check=True, text=True)
    return int(said.stdout.split()[0])


def test_a_file_with_a_name_elsewhere_is_not_freed(site_root: SiteRoot, tmp_path: Path) -> None:
    """A copy by hard links that somebody made holds it."""
    root = keeping(SiteRoot(site_root.path), 1)
    before = usage_of_app(root, NODE, "play")
    shutil.copytree(app_folder(root).releases, tmp_path / "copy", copy_function=os.link)
    held = usage_of_app(root, NODE, "play")
    assert held.size_bytes == before.size_bytes
    assert held.frees_bytes < before.frees_bytes


def test_a_dry_run_changes_nothing(site_root: SiteRoot) -> None:
    """It says what would go; the same without it removes just that."""
    names = sorted(site_root.path.rglob("*"))
    shown = json.loads(_gc("--dry-run", "--format", "json"))
    assert sorted(site_root.path.rglob("*")) == names
    (play,) = shown["apps"]
    going = {each["name"] for each in play["releases"] if not each["reasons"]}
    assert (len(going), play["removed"], shown["assets_removed"]) == (6, [], 0)
    done = json.loads(_gc("--format", "json"))
    assert set(done["apps"][0]["removed"]) == going
    assert "0 would go" in _gc("--dry-run")
    assert live(site_root, NODE, "play") is not None


def test_it_tells_of_caches_and_other_versions_of_the_toolchain(
    site_root: SiteRoot, tmp_path: Path
) -> None:
    """With what they take; for one node it tells of that node alone."""
    old = tmp_path / "tools" / "0123456789abcdef-linux-x64"
    for folder in (old, tmp_path / ".robbieblocks" / "cache"):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"x" * 50_000)
    said = _gc("--dry-run")
    assert f"cache: {tmp_path / '.robbieblocks' / 'cache'} takes " in said
    assert f"toolchain: {old} takes " in said
    assert "of another version" in said
    assert str(old) not in _gc("--dry-run", "--node", NODE)
    assert old.is_dir()


def test_what_a_killed_removal_of_a_node_left_goes(site_root: SiteRoot) -> None:
    """It takes as much as the node did, and no node's name leads to it."""
    left = site_root.path / ".tmp-1-00aa-removed"
    shutil.copytree(site_root.path / NODE, left, symlinks=True)
    assert f"removed node: {left} takes " in _gc("--dry-run")
    assert left.is_dir()
    _gc("--node", NODE)
    assert left.is_dir()
    _gc()
    assert not left.exists()


def test_a_cache_beyond_its_limit_is_made_smaller(
    site_root: SiteRoot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by a dry run."""
    folder = tmp_path / ".robbieblocks" / "cache"
    with Cache(folder) as cache:
        cache.put_many("html", {str(number): os.urandom(10_000) for number in range(200)})
    limit = 1_000_000
    monkeypatch.setattr("robbieblocks.cache.bound", functools.partial(bound, limit_bytes=limit))
    _gc("--dry-run")
    assert size_of(folder) > limit
    _gc()
    assert size_of(folder) < limit


def _gc(*options: str) -> str:
    done = RUN.invoke(app, ["gc", *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_node_that_is_not_there_is_told(site_root: SiteRoot) -> None:
    """With the names that are."""
    done = RUN.invoke(app, ["gc", "--node", "vengeance"])
    assert done.exit_code != 0
    assert "did you mean vengeance-local?" in str(done.exception)


def test_what_a_process_left_goes_and_what_one_is_making_stays(site_root: SiteRoot) -> None:
    """A number of a process tells which; a link goes, and not what it leads to."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folder = app_folder(site_root)
    mine = folder.releases / f".tmp-{os.getppid()}-00aa-spare"
    left = [folder.releases / f".tmp-{ended.pid}-00aa-{stem}" for stem in ("spare", "pruned", "00")]
    for path in (mine, *left):
        path.mkdir()
    link = folder.path / f".tmp-{ended.pid}-00bb-current"
    link.symlink_to(site_root.path.parent)
    removing = folder.releases / f".tmp-{os.getppid()}-00cc-pruned"
    removing.mkdir()
    collect(keeping(SiteRoot(site_root.path), 3), NODE, "play")
    assert not any(os.path.lexists(path) for path in (*left, link))
    assert removing.is_dir()
    assert mine.is_dir()


@pytest.mark.parametrize("remove", [collect, prune])
def test_a_standby_tree_that_another_container_makes_is_never_half_there(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch, remove: Callable[..., object]
) -> None:
    """Its process has no number here, so it counts as left; it goes under another name, and who
    makes it finds it gone."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    making = app_folder(site_root).releases / f".tmp-{ended.pid}-00aa-spare"
    making.mkdir()
    removed: list[Path] = []
    real = disk.remove_tree

    def noted(path: Path) -> None:
        removed.append(path)
        real(path)

    monkeypatch.setattr(disk, "remove_tree", noted)
    remove(site_root, NODE, "play")
    assert not making.exists()
    assert removed
    assert making not in removed


def test_somebody_who_publishes_is_waited_for(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And told of where that takes too long; other apps are done all the same."""
    before = usage_of_app(site_root, NODE, "play").releases
    other = SiteRoot(site_root.path)
    with lock(other, NODE, "play"):
        monkeypatch.setattr("robbieblocks.file_locks.lock_within", lambda *_, **__: False)
        done = RUN.invoke(app, ["gc"])
    assert done.exit_code != 0
    assert "another process has been publishing there" in str(done.exception)
    assert (done.stdout.count("not removed"), done.stdout.count("went")) == (6, 0)
    assert "removed 0 of the releases, which frees 0 B" in done.stdout
    assert usage_of_app(site_root, NODE, "play").releases == before


@pytest.mark.parametrize("step", ["pruning", "pruned", "asset removed"])
def test_a_kill_leaves_what_stays_whole_and_the_next_one_completes_it(
    site_root: SiteRoot, kill_at: KillAt, step: str
) -> None:
    """At every step; nothing half-removed is taken for a release."""
    for asset in app_folder(site_root).assets.iterdir():
        os.utime(asset, (1, 1))
    root = keeping(SiteRoot(site_root.path), 1, asset_days=0.0)
    if step == "asset removed":
        collect(keeping(SiteRoot(site_root.path), 1), NODE, "play")
        # Those of the releases that have just gone are kept for their days.
        for asset in app_folder(root).assets.iterdir():
            os.utime(asset, (1, 1))
    kill_at(site_root, "gc", 0, step)
    assert verify(root, NODE, "play") == ()
    collect(root, NODE, "play")
    assert len(usage_of_app(root, NODE, "play").releases) == 2
    assert usage_of_app(root, NODE, "play").temporary == ()
    assert usage_of_assets(root, NODE).over == 0


def test_an_app_that_was_never_live_is_listed(site_root: SiteRoot) -> None:
    """A kill before the first swap leaves a release that nobody sees."""
    for node in (NODE, "new-node"):
        never = site_root.path / node / "never" / "releases"
        never.parent.mkdir(parents=True)
        live_release = app_folder(site_root).releases / str(app_folder(site_root).live_name)
        shutil.copytree(live_release, never / live_release.name)
        (never / live_release.name / ".verified").unlink()
    ran = RUN.invoke(app, ["gc", "--dry-run", "--format", "json"])
    assert ran.exit_code == 0, ran.output
    listed = [(each["node"], each["app"]) for each in json.loads(ran.stdout)["apps"]]
    assert {(NODE, "never"), ("new-node", "never"), (NODE, "play")} == set(listed)
    assert RUN.invoke(app, ["gc"]).exit_code == 0
    assert live(site_root, NODE, "play") is not None
