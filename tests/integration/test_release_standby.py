"""Standby trees, the verification of releases, and the child process that does both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import SiteRoot, verify
from robbieblocks.release.checking.verification_cache import Trust, VerificationCache
from robbieblocks.release.standby.executor import Task, in_child_process, in_this_process
from robbieblocks.release.standby.trees import (
    add_standby_tree,
    refresh_standby_tree,
    verify_releases,
)
from tests.integration.releases import NODE, app_folder, pages, put_version

PATH = "play/p5/index.html"
IN_CHILD = in_child_process(few_files=0)


def releases(site_root: SiteRoot) -> Path:
    return app_folder(site_root).releases


def names(site_root: SiteRoot) -> set[str]:
    return {entry.name for entry in releases(site_root).iterdir()}


def is_exactly(folder: Path, version: int) -> bool:
    """Whether a folder holds the pages of a version and no other page."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file() and path.parent != folder
    }
    return found == {path: body for path, body in pages(version).items() if "/" in path}


def never(_task: Task, _site_root: SiteRoot, _folder: Path, _release: Path) -> bool:
    raise AssertionError("it is known already")


class TestStandbyTrees:
    """As long as an app has few releases, standby trees are there to be made into the next."""

    def test_until_there_are_seven_folders(self, site_root: SiteRoot) -> None:
        """The five that are kept, one that is refreshed, and one that is taken meanwhile."""
        put_version(site_root, 1)
        assert [add_standby_tree(app_folder(site_root)) for _ in range(7)] == [True] * 6 + [False]
        expected = [".spare", *(f".spare.{number}" for number in range(1, 6))]
        assert sorted(names(site_root))[:6] == expected
        for standby in releases(site_root).glob(".spare*"):
            assert is_exactly(standby, 1)

    def test_each_publish_takes_one_and_the_last_take_the_oldest_release(
        self, site_root: SiteRoot
    ) -> None:
        """No folder is made any more, and every release is what it should be."""
        put_version(site_root, 1)
        while add_standby_tree(app_folder(site_root)):
            pass
        inodes = {folder.stat().st_ino for folder in releases(site_root).iterdir()}
        for version in range(2, 13):
            done = put_version(site_root, version)
            assert is_exactly(releases(site_root) / done.build_hash, version)
            assert verify(site_root, NODE, "play") == ()
            assert {folder.stat().st_ino for folder in releases(site_root).iterdir()} == inodes

    def test_one_of_an_earlier_state_is_refreshed(self, site_root: SiteRoot) -> None:
        """It is there already: none is made afresh, and it comes first from then on."""
        put_version(site_root, 1)
        for _ in range(2):
            add_standby_tree(app_folder(site_root))
        put_version(site_root, 2)
        own = (releases(site_root) / ".spare.1").stat().st_ino
        refresh_standby_tree(app_folder(site_root))
        assert (releases(site_root) / ".spare").stat().st_ino == own
        assert is_exactly(releases(site_root) / ".spare", 2)

    def test_where_nothing_is_live_none_is_made(self, site_root: SiteRoot) -> None:
        """And no folder for it."""
        assert not add_standby_tree(app_folder(site_root))
        assert not site_root.path.exists()

    def test_of_a_damaged_release_none_is_made(self, site_root: SiteRoot) -> None:
        """It is repaired first."""
        put_version(site_root, 1)
        (releases(site_root).parent / "current" / PATH).unlink()
        before = names(site_root)
        assert not add_standby_tree(app_folder(site_root))
        assert names(site_root) == before

    @pytest.mark.parametrize("make", [add_standby_tree, refresh_standby_tree])
    def test_of_a_release_that_became_another_meanwhile_none_is_made(
        self, site_root: SiteRoot, make: Callable[..., object]
    ) -> None:
        """Who knows which of its files were linked by then."""
        put_version(site_root, 1)
        before = names(site_root)

        def make_equal(task: Task, site_root: SiteRoot, folder: Path, release: Path) -> bool:
            assert task == "make equal"
            done = in_this_process(task, site_root, folder, release)
            (release / ".verified").unlink()
            return done

        assert not make(app_folder(site_root), make_equal)
        assert names(site_root) == before

    @pytest.mark.parametrize("make", [add_standby_tree, refresh_standby_tree])
    def test_who_publishes_meanwhile_leaves_it_alone(
        self, site_root: SiteRoot, make: Callable[..., object]
    ) -> None:
        """Its sweep tells what is being made here from what a killed process left."""
        put_version(site_root, 1)
        left = releases(site_root) / ".tmp-1-aaaa-spare"
        left.mkdir()

        def make_equal(task: Task, site_root: SiteRoot, folder: Path, release: Path) -> bool:
            assert task == "make equal"
            put_version(site_root, 2)
            return in_this_process(task, site_root, folder, release)

        make(app_folder(site_root), make_equal)
        (standby,) = releases(site_root).glob(".spare*")
        assert is_exactly(standby, 1)
        assert not left.exists()
        put_version(site_root, 3)
        assert is_exactly((releases(site_root).parent / "current").resolve(), 3)
        assert verify(site_root, NODE, "play") == ()


class TestVerifiedReleases:
    """A process that starts finds releases that others made."""

    def test_what_it_does_not_know_is_verified_once(self, site_root: SiteRoot) -> None:
        """From then on it is taken for what it is, and those that are not are not."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 4)]
        (releases(site_root) / hashes[0] / PATH).unlink()
        (releases(site_root) / hashes[1] / "extra.html").write_text("draft")
        site_root = SiteRoot(site_root.path)
        assert site_root.verifications.trust(releases(site_root) / hashes[2]) is Trust.NOTHING
        verify_releases(app_folder(site_root))
        found = [
            site_root.verifications.trust(releases(site_root) / build_hash) for build_hash in hashes
        ]
        assert found == [Trust.NOTHING, Trust.NOTHING, Trust.ALL]

        def only_these(task: Task, site_root: SiteRoot, folder: Path, release: Path) -> bool:
            assert folder.name in hashes[:2]
            return in_this_process(task, site_root, folder, release)

        verify_releases(app_folder(site_root), only_these)

    def test_until_it_may_not_go_on(self, site_root: SiteRoot) -> None:
        """A worker that is told to stop does not wait for it."""
        put_version(site_root, 1)
        site_root = SiteRoot(site_root.path)
        verify_releases(app_folder(site_root), never, go_on=lambda: False)

    def test_where_nothing_is_published_nothing_is(self, site_root: SiteRoot) -> None:
        """And no folder is made for it."""
        verify_releases(app_folder(site_root))
        assert not site_root.path.exists()


class TestChildProcess:
    """What a process beside does is what is done here."""

    def test_few_files_need_no_process(self, site_root: SiteRoot) -> None:
        """It would take longer to start than they do."""
        put_version(site_root, 1)

        def refused(_argv: Sequence[str | Path], *, timeout: float) -> CompletedProcess[bytes]:
            raise AssertionError("a process was started")

        few = in_child_process(few_files=13, run=refused)
        refresh_standby_tree(app_folder(site_root), few)
        assert is_exactly(releases(site_root) / ".spare", 1)
        many = in_child_process(few_files=12, run=refused)
        with pytest.raises(AssertionError, match="started"):
            add_standby_tree(app_folder(site_root), many)

    def test_standby_trees_are_made_and_verified(self, site_root: SiteRoot) -> None:
        """From nothing, and from an old release; a damaged one is repaired."""
        site_root = SiteRoot(site_root.path, verifications=VerificationCache(valid_s=0.0))
        for version in range(1, 7):
            put_version(site_root, version)
        standby = releases(site_root) / ".spare"
        refresh_standby_tree(app_folder(site_root), IN_CHILD)
        assert is_exactly(standby, 6)
        own = standby.stat().st_ino

        def comparing(task: Task, site_root: SiteRoot, folder: Path, release: Path) -> bool:
            assert task == "compare"
            return IN_CHILD(task, site_root, folder, release)

        refresh_standby_tree(app_folder(site_root), comparing)
        (standby / PATH).unlink()
        refresh_standby_tree(app_folder(site_root), IN_CHILD)
        assert is_exactly(standby, 6)
        assert standby.stat().st_ino == own
        assert add_standby_tree(app_folder(site_root), IN_CHILD)
        assert is_exactly(releases(site_root) / ".spare.1", 6)
        put_version(site_root, 7)
        assert is_exactly((releases(site_root).parent / "current").resolve(), 7)
        assert verify(site_root, NODE, "play") == ()

    def test_it_says_no_where_the_release_is_damaged(self, site_root: SiteRoot) -> None:
        """None is made, and nothing is left over."""
        put_version(site_root, 1)
        (releases(site_root).parent / "current" / PATH).unlink()
        before = names(site_root)
        refresh_standby_tree(app_folder(site_root), IN_CHILD)
        assert names(site_root) == before

    def test_what_goes_wrong_there_is_told_here(self, site_root: SiteRoot) -> None:
        """With what was attempted, where and why."""
        put_version(site_root, 1)
        (live,) = releases(site_root).iterdir()
        missing = releases(site_root) / "missing"
        with pytest.raises(
            SiteUnavailable, match=r"(?s)could not make a standby tree.*missing.*No such"
        ):
            IN_CHILD("make equal", site_root, missing, live)

    def test_one_that_is_killed_leaves_nothing(self, site_root: SiteRoot) -> None:
        """The folder that it was filling is removed here."""
        put_version(site_root, 1)
        before = names(site_root)

        def killed(_argv: Sequence[str | Path], *, timeout: float) -> CompletedProcess[bytes]:
            return CompletedProcess(_argv, -9, b"", b"")

        executor = in_child_process(few_files=0, run=killed)
        with pytest.raises(SiteUnavailable, match="ended early"):
            refresh_standby_tree(app_folder(site_root), executor)
        assert names(site_root) == before
