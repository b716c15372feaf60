"""Spares in store, releases looked through, and the process beside that does both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import (
    BESIDE,
    Place,
    add_spare,
    look_through,
    make_spare,
    making,
    trust,
    verify,
)
from robbieblocks.release.making import HERE, Hands
from robbieblocks.release.trust import Trust
from tests.integration.releases import NODE, pages, put_version

PATH = "play/p5/index.html"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty site root."""
    return tmp_path / "site"


def releases(root: Path) -> Path:
    return Place.of(root, NODE, "play").releases


def names(root: Path) -> set[str]:
    return {entry.name for entry in releases(root).iterdir()}


def is_exactly(folder: Path, version: int) -> bool:
    """Whether a folder holds the pages of a version and no other page."""
    found = {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*.*")
        if path.is_file() and path.parent != folder
    }
    return found == {path: body for path, body in pages(version).items() if "/" in path}


def never(_folder: Path, _release: Path) -> bool:
    raise AssertionError("it is known already")


class TestInStore:
    """As long as an app has few releases, spares stand in for those to be made into others."""

    def test_until_there_are_seven_folders(self, root: Path) -> None:
        """The five that are kept, one that is brought up, and one that is taken meanwhile."""
        put_version(root, 1)
        assert [add_spare(root, NODE, "play") for _ in range(7)] == [True] * 6 + [False]
        assert sorted(names(root))[:6] == [f".spare.{number}" for number in range(1, 7)]
        for spare in releases(root).glob(".spare.*"):
            assert is_exactly(spare, 1)

    def test_each_publish_takes_one_and_the_last_take_the_oldest_release(self, root: Path) -> None:
        """No folder is made any more, and every release is what it should be."""
        put_version(root, 1)
        while add_spare(root, NODE, "play"):
            pass
        inodes = {folder.stat().st_ino for folder in releases(root).iterdir()}
        for version in range(2, 13):
            done = put_version(root, version)
            assert is_exactly(releases(root) / done.build_hash, version)
            assert verify(root, NODE, "play") == ()
            assert {folder.stat().st_ino for folder in releases(root).iterdir()} == inodes

    def test_one_of_an_earlier_state_is_brought_up(self, root: Path) -> None:
        """It is there already: none is made afresh, and it comes first from then on."""
        put_version(root, 1)
        for _ in range(2):
            add_spare(root, NODE, "play")
        put_version(root, 2)
        own = (releases(root) / ".spare.2").stat().st_ino
        make_spare(root, NODE, "play")
        assert (releases(root) / ".spare").stat().st_ino == own
        assert is_exactly(releases(root) / ".spare", 2)

    def test_where_nothing_is_live_none_is_made(self, root: Path) -> None:
        """And no folder for it."""
        assert not add_spare(root, NODE, "play")
        assert not root.exists()

    def test_of_a_damaged_release_none_is_made(self, root: Path) -> None:
        """It is healed first."""
        put_version(root, 1)
        (releases(root).parent / "current" / PATH).unlink()
        before = names(root)
        assert not add_spare(root, NODE, "play")
        assert names(root) == before

    @pytest.mark.parametrize("make", [add_spare, make_spare])
    def test_of_a_release_that_became_another_meanwhile_none_is_made(
        self, root: Path, make: Callable[..., object]
    ) -> None:
        """Who knows which of its files were linked by then."""
        put_version(root, 1)
        before = names(root)

        def bring_up(folder: Path, release: Path) -> bool:
            done = HERE.bring_up(folder, release)
            (release / ".verified").unlink()
            return done

        assert not make(root, NODE, "play", hands=Hands(never, bring_up))
        assert names(root) == before

    @pytest.mark.parametrize("make", [add_spare, make_spare])
    def test_who_publishes_meanwhile_leaves_it_alone(
        self, root: Path, make: Callable[..., object]
    ) -> None:
        """Its sweep tells what is being made here from what a killed process left."""
        put_version(root, 1)
        left = releases(root) / ".tmp-1-aaaa-spare"
        left.mkdir()

        def bring_up(folder: Path, release: Path) -> bool:
            put_version(root, 2)
            return HERE.bring_up(folder, release)

        make(root, NODE, "play", hands=Hands(never, bring_up))
        (spare,) = releases(root).glob(".spare*")
        assert is_exactly(spare, 1)
        assert not left.exists()
        put_version(root, 3)
        assert is_exactly((releases(root).parent / "current").resolve(), 3)
        assert verify(root, NODE, "play") == ()


class TestLookedThrough:
    """A process that starts finds releases that others made."""

    def test_what_it_does_not_know_is_looked_through_once(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """From then on it is taken for what it is, and those that are not are not."""
        hashes = [put_version(root, version).build_hash for version in range(1, 4)]
        (releases(root) / hashes[0] / PATH).unlink()
        (releases(root) / hashes[1] / "extra.html").write_text("draft")
        monkeypatch.setattr(trust, "_known", {})
        assert trust.of(releases(root) / hashes[2]) is Trust.NOTHING
        look_through(root, NODE, "play")
        found = [trust.of(releases(root) / build_hash) for build_hash in hashes]
        assert found == [Trust.NOTHING, Trust.NOTHING, Trust.ALL]

        def only_these(folder: Path, release: Path) -> bool:
            assert folder.name in hashes[:2]
            return HERE.is_same(folder, release)

        look_through(root, NODE, "play", hands=Hands(only_these, never))

    def test_until_it_may_not_go_on(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A worker that is told to stop does not wait for it."""
        put_version(root, 1)
        monkeypatch.setattr(trust, "_known", {})
        look_through(root, NODE, "play", hands=Hands(never, never), go_on=lambda: False)

    def test_where_nothing_is_published_nothing_is(self, root: Path) -> None:
        """And no folder is made for it."""
        look_through(root, NODE, "play")
        assert not root.exists()


class TestBeside:
    """What a process beside does is what is done here."""

    @pytest.fixture(autouse=True)
    def _no_files_are_few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(making, "_FEW", 0)

    def test_few_files_need_no_process(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """It would take longer to start than they do."""
        put_version(root, 1)

        def refused(*_args: object, **_options: object) -> process.Completed:
            raise AssertionError("a process was started")

        monkeypatch.setattr(process, "run", refused)
        monkeypatch.setattr(making, "_FEW", 13)
        make_spare(root, NODE, "play", hands=BESIDE)
        assert is_exactly(releases(root) / ".spare", 1)
        monkeypatch.setattr(making, "_FEW", 12)
        with pytest.raises(AssertionError, match="started"):
            add_spare(root, NODE, "play", hands=BESIDE)

    def test_spares_are_made_and_looked_through(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Out of nothing, and out of an old release; what befell one is mended."""
        monkeypatch.setattr(trust, "_LASTS", 0.0)
        for version in range(1, 7):
            put_version(root, version)
        spare = releases(root) / ".spare"
        make_spare(root, NODE, "play", hands=BESIDE)
        assert is_exactly(spare, 6)
        own = spare.stat().st_ino
        make_spare(root, NODE, "play", hands=Hands(BESIDE.is_same, never))
        (spare / PATH).unlink()
        make_spare(root, NODE, "play", hands=BESIDE)
        assert is_exactly(spare, 6)
        assert spare.stat().st_ino == own
        assert add_spare(root, NODE, "play", hands=BESIDE)
        assert is_exactly(releases(root) / ".spare.1", 6)
        put_version(root, 7)
        assert is_exactly((releases(root).parent / "current").resolve(), 7)
        assert verify(root, NODE, "play") == ()

    def test_it_says_no_where_the_release_is_damaged(self, root: Path) -> None:
        """None is made, and nothing is left over."""
        put_version(root, 1)
        (releases(root).parent / "current" / PATH).unlink()
        before = names(root)
        make_spare(root, NODE, "play", hands=BESIDE)
        assert names(root) == before

    def test_what_goes_wrong_there_is_told_here(self, root: Path) -> None:
        """With what was attempted, where and why."""
        put_version(root, 1)
        (live,) = releases(root).iterdir()
        missing = releases(root) / "missing"
        with pytest.raises(SiteUnavailable, match=r"(?s)could not make a spare.*missing.*No such"):
            BESIDE.bring_up(missing, live)

    def test_one_that_is_killed_leaves_nothing(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The folder that it was filling is removed here."""
        put_version(root, 1)
        before = names(root)

        def killed(*_args: object, **_options: object) -> process.Completed:
            return process.Completed(-9, b"", b"")

        monkeypatch.setattr(process, "run", killed)
        with pytest.raises(SiteUnavailable, match="ended early"):
            make_spare(root, NODE, "play", hands=BESIDE)
        assert names(root) == before
