"""Releases made out of other folders: equal to new ones, and nothing else is touched."""

from __future__ import annotations

import errno
import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import SiteRoot, live, lock, prepare_standby_trees, prune, verify
from robbieblocks.release.checking.verification_cache import Trust, VerificationCache
from robbieblocks.release.files import disk
from robbieblocks.release.names import RESERVED, folders_of
from robbieblocks.release.recycle import recyclable_folders
from robbieblocks.release.standby.trees import refresh_standby_tree
from tests.integration.releases import (
    NODE,
    app_folder,
    assets,
    keeping,
    manifest,
    pages,
    publish,
    put,
    put_version,
    put_whole,
    served,
)

PATH = "play/p5/index.html"


def standby_of(site_root: SiteRoot) -> Path:
    return app_folder(site_root).standby


def ready(site_root: SiteRoot) -> Path:
    """Make a standby tree; its folder."""
    refresh_standby_tree(app_folder(site_root))
    return standby_of(site_root)


def verifying_anew(site_root: SiteRoot) -> SiteRoot:
    """The site root of a process whose verifications are out of date at once."""
    return SiteRoot(site_root.path, verifications=VerificationCache(valid_s=0.0))


def listing(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Every file of a release with its bytes, and every folder; links are not followed."""
    files, folders = {}, []
    for path in sorted(folder.resolve().rglob("*")):
        name = str(path.relative_to(folder.resolve()))
        if path.is_dir() and not path.is_symlink():
            folders.append(name)
        elif name not in RESERVED:
            assert path.is_file(), f"{name} is no file"
            assert not path.is_symlink(), f"{name} is a link"
            files[name] = path.read_bytes()
    return files, folders


def is_exactly(folder: Path, files: dict[str, bytes]) -> bool:
    """Whether a release holds these files, the folders that they need, and nothing else."""
    assert listing(folder) == (files, folders_of(files))
    return True


def changed_at(folder: Path) -> dict[Path, tuple[int, int]]:
    """What is in a folder, which files and folders those are, and when they changed last."""
    found = ((path, path.lstat()) for path in folder.rglob("*"))
    return {path: (status.st_ino, status.st_ctime_ns) for path, status in found}


def overwrite(file: Path) -> None:
    """Edit a file in place, as someone with rights would."""
    file.chmod(0o644)
    file.write_bytes(b"defaced")


def put_as_needed(site_root: SiteRoot, version: int) -> None:
    """Publish what changed; all of it where the damage is in the live release, too."""
    if PATH in verify(site_root, NODE, "play"):
        put_whole(site_root, version)
    else:
        put_version(site_root, version)


# Names that turn from files into folders and back, and such as only people think of.
_NAMES = ("a", "b", "p1", "x y", "日本", ".hidden", "-rf", "manifest.json", "index.html", "ü.html")


def _changed(random_: random.Random, files: dict[str, bytes], version: int) -> dict[str, bytes]:
    """Files after a few edits: some go, some change, some move, some come."""
    files = dict(files)
    for path in random_.sample(sorted(files), k=min(len(files), 3)):
        body = files.pop(path)
        fate = random_.choice(("goes", "changes", "deeper", "higher", "stays"))
        if fate == "changes":
            files[path] = f"{version} {random_.random()}".encode()
        elif fate == "deeper":
            _place(files, f"{path}/{random_.choice(_NAMES)}", body)
        elif fate == "higher":
            _place(files, path.rpartition("/")[0] or path, body)
        elif fate == "stays":
            files[path] = body
    for _ in range(random_.randrange(3)):
        depth = random_.randrange(1, 4)
        path = "/".join(random_.choice(_NAMES) for _ in range(depth))
        _place(files, path, random_.choice((b"same", str(version).encode())))
    return files


def _place(files: dict[str, bytes], path: str, body: bytes) -> None:
    """Put a file where no other is a folder of its, nor it one of theirs."""
    parents = set(folders_of([path]))
    if (
        path.partition("/")[0] not in RESERVED
        and path not in folders_of(files)
        and not parents & files.keys()
    ):
        files[path] = body


class TestEqual:
    """However a release was made, it is the same."""

    @pytest.mark.parametrize("seed", range(8))
    @pytest.mark.parametrize("how", ["recycled", "standby tree", "standby tree of another process"])
    def test_any_sequence_of_contents(self, site_root: SiteRoot, seed: int, how: str) -> None:
        """Folder for folder and byte for byte what is wanted, and the same manifest as afresh."""
        random_ = random.Random(seed)
        files = {"play/index.html": b"home", "a/b/c": b"deep", "tokens.json": b"{}"}
        for version in range(16):
            files = _changed(random_, files, version)
            put(site_root, files, assets(1))
            assert is_exactly(app_folder(site_root).current, files)
            assert verify(site_root, NODE, "play") == ()
            other = SiteRoot(site_root.path / "afresh" / str(version))
            put(other, files, assets(1))
            afresh = app_folder(other).current
            assert served(site_root, "manifest.json") == (afresh / "manifest.json").read_bytes()
            assert is_exactly(afresh, files)
            if how != "recycled":
                assert is_exactly(ready(site_root), files)
            if how == "standby tree of another process":
                site_root = SiteRoot(site_root.path)
        assert len(list(app_folder(site_root).releases.iterdir())) <= 7

    def test_a_page_that_becomes_a_folder_and_back(self, site_root: SiteRoot) -> None:
        """The order in which things go and come makes room for both."""
        ways: list[dict[str, bytes]] = [{"a": b"1", "b/c": b"2"}, {"a/b/c": b"1", "b": b"2"}]
        for turn in range(10):
            put(site_root, ways[turn % 2] | {"turn": str(turn).encode()}, [])
            assert is_exactly(
                app_folder(site_root).current, ways[turn % 2] | {"turn": str(turn).encode()}
            )
            ready(site_root)


class TestUntouched:
    """What did not change is not touched: neither its name, nor the file behind it."""

    def test_a_standby_tree_becomes_the_release(self, site_root: SiteRoot) -> None:
        """Its folders are the release's, and its unchanged files were not even linked again."""
        put_version(site_root, 1)
        folder = ready(site_root)
        before = {p: p.lstat() for p in folder.rglob("*")}
        own = folder.lstat().st_ino
        done = put_version(site_root, 2)
        release = app_folder(site_root).releases / done.build_hash
        assert release.lstat().st_ino == own
        for path, status in before.items():
            name = path.relative_to(folder)
            if str(name) in RESERVED:
                continue
            now = (release / name).lstat()
            changed = str(name) in ("play/index.html", "play/p1/index.html", "play/p2/index.html")
            assert (now.st_ino == status.st_ino) is not changed
            if path.is_file() and not changed:
                assert now.st_ctime_ns == status.st_ctime_ns
        assert (done.files_written, done.files_linked) == (3, 10)
        assert not folder.exists()

    def test_the_oldest_release_becomes_the_next(self, site_root: SiteRoot) -> None:
        """From the seventh on no folder is made, and there are never more than six."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        oldest = app_folder(site_root).releases / hashes[0]
        inodes = {path.relative_to(oldest): path.lstat().st_ino for path in oldest.rglob("p*")}
        assert inodes
        done = put_version(site_root, 7)
        release = app_folder(site_root).releases / done.build_hash
        assert {name: (release / name).lstat().st_ino for name in inodes} == inodes
        names = {entry.name for entry in app_folder(site_root).releases.iterdir()}
        assert names == {*hashes[1:], done.build_hash}

    def test_a_standby_tree_is_made_of_a_release_that_is_not_kept(
        self, site_root: SiteRoot
    ) -> None:
        """Where one is beyond the five; before that it is a new folder."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        own = (app_folder(site_root).releases / hashes[0]).lstat().st_ino
        assert ready(site_root).lstat().st_ino == own
        assert {e.name for e in app_folder(site_root).releases.iterdir()} == {*hashes[1:], ".spare"}
        assert is_exactly(standby_of(site_root), pages(6))

    @pytest.mark.parametrize("valid_s", [60.0, 0.0])
    def test_a_standby_tree_that_is_ready_is_left_alone(
        self, site_root: SiteRoot, valid_s: float
    ) -> None:
        """Making it again changes nothing in it."""
        site_root = SiteRoot(site_root.path, verifications=VerificationCache(valid_s))
        put_version(site_root, 1)
        before = changed_at(ready(site_root))
        assert changed_at(ready(site_root)) == before

    def test_an_earlier_standby_tree_is_refreshed(self, site_root: SiteRoot) -> None:
        """The same folder, with what came live since."""
        put_version(site_root, 1)
        own = ready(site_root).lstat().st_ino
        aside = standby_of(site_root).rename(site_root.path / "aside")
        put_version(site_root, 2)
        aside.rename(standby_of(site_root))
        assert ready(site_root).lstat().st_ino == own
        assert is_exactly(standby_of(site_root), pages(2))

    def test_other_releases_keep_their_files(self, site_root: SiteRoot) -> None:
        """What is unlinked or written in one folder is what it was in all others."""
        contents: dict[str, dict[str, bytes]] = {}
        for version in range(1, 13):
            contents[put_version(site_root, version).build_hash] = pages(version)
            if version % 2:
                ready(site_root)
            for entry in app_folder(site_root).releases.iterdir():
                if entry.name != ".spare":
                    assert is_exactly(entry, contents[entry.name])


class TestKept:
    """What is never made into something else."""

    def test_current_previous_pinned_and_the_last_five(self, site_root: SiteRoot) -> None:
        """Though older than what is recycled."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        app_folder(site_root).pin.write_text(hashes[0])
        app_folder(site_root).previous.unlink()
        app_folder(site_root).previous.symlink_to(f"releases/{hashes[1]}")
        for version in range(7, 12):
            ready(site_root)
            hashes.append(put_version(site_root, version).build_hash)
            kept = {hashes[0], *hashes[-5:]} | ({hashes[1]} if version == 7 else set())
            assert kept <= {entry.name for entry in app_folder(site_root).releases.iterdir()}
            assert is_exactly(app_folder(site_root).releases / hashes[0], pages(1))

    def test_what_a_person_went_back_to_meanwhile(self, site_root: SiteRoot) -> None:
        """A release that was chosen is not taken when it is live by then."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        (old,) = recyclable_folders(app_folder(site_root))
        assert old.name == hashes[0]
        app_folder(site_root).current.unlink()
        app_folder(site_root).current.symlink_to(f"releases/{hashes[0]}")
        with lock(site_root, NODE, "play"):
            assert old.take(app_folder(site_root).releases / ".tmp-1-x") is False
        assert is_exactly(app_folder(site_root).current, pages(1))

    def test_one_that_never_was_live_is_not_recycled(self, site_root: SiteRoot) -> None:
        """It was stopped before its smoke check: who knows what of it is on the disk."""
        for version in range(1, 6):
            put_version(site_root, version)

        def stop() -> None:
            raise SiteUnavailable("the lease is lost")

        with pytest.raises(SiteUnavailable, match="lease"):
            publish(site_root, manifest(pages(6), assets(6)), pages(6), assets(6), fence=stop)
        assert list(recyclable_folders(app_folder(site_root))) == []

    def test_one_that_goes_live_again_is_not_altered(
        self, site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A damaged release beyond the five, whose content is published again, is what the new one
        is linked from."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        _deleted(app_folder(site_root).releases / hashes[0])

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(disk, "unlink", refused)
        assert put_whole(site_root, 1).build_hash == hashes[0]
        assert is_exactly(app_folder(site_root).current, pages(1))

    def test_the_oldest_goes_first(self, site_root: SiteRoot) -> None:
        """After the standby tree: what was live last may be gone back to."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 6)]
        assert [
            old.name for old in recyclable_folders(app_folder(keeping(site_root, 2)))
        ] == hashes[:3]
        ready(site_root)
        assert [old.name for old in recyclable_folders(app_folder(keeping(site_root, 2)))] == [
            ".spare",
            *hashes[:3],
        ]

    def test_what_it_passed_before_counts_no_more(self, site_root: SiteRoot) -> None:
        """A release that was live long ago says nothing of the one that is made out of it."""
        for version in range(1, 7):
            put_version(site_root, version)

        def stop() -> None:
            raise SiteUnavailable("the lease is lost")

        wanted = manifest(pages(7), assets(7))
        with pytest.raises(SiteUnavailable, match="lease"):
            publish(site_root, wanted, pages(7), assets(7), fence=stop)
        assert is_exactly(app_folder(site_root).releases / wanted.build_hash, pages(7))
        assert prune(keeping(site_root, 6), NODE, "play").releases == (wanted.build_hash,)

    def test_its_assets_count_as_unused_from_then_on(self, site_root: SiteRoot) -> None:
        """A release that is recycled, by a publish or for a standby tree, gives its assets up as if
        it were pruned."""
        folder = site_root.path / NODE / "assets"
        for version in range(1, 7):
            put_version(site_root, version)
        for asset in folder.iterdir():
            os.utime(asset, (1, 1))
        put_version(site_root, 7)
        ready(site_root)
        young = {asset.name for asset in folder.iterdir() if asset.stat().st_mtime > 1}
        gone = {assets(version)[1].name for version in (1, 2)}
        assert young == {*gone, *(asset.name for asset in assets(7))}
        assert prune(site_root, NODE, "play", sweep_hours=0).assets == 0
        for asset in folder.iterdir():
            os.utime(asset, (1, 1))
        assert prune(site_root, NODE, "play", sweep_hours=0).assets == 2


def _edited(folder: Path) -> None:
    overwrite(folder / PATH)


def _deleted(folder: Path) -> None:
    (folder / PATH).unlink()


def _linked(folder: Path) -> None:
    (folder / PATH).unlink()
    (folder / PATH).symlink_to(folder.parent / "outside")
    (folder.parent / "outside").write_bytes(pages(1)[PATH])


def _piped(folder: Path) -> None:
    (folder / PATH).unlink()
    os.mkfifo(folder / PATH)


def _folder_gone(folder: Path) -> None:
    shutil.rmtree(folder / PATH.rpartition("/")[0])


def _folder_in_its_place(folder: Path) -> None:
    (folder / PATH).unlink()
    (folder / PATH).mkdir()
    (folder / PATH / "more").write_text("more")


def _file_in_a_folders_place(folder: Path) -> None:
    _folder_gone(folder)
    (folder / PATH).parent.write_text("file")


def _extra_file(folder: Path) -> None:
    ((folder / PATH).parent / "index.html.bak").write_text("draft")


def _extra_folder(folder: Path) -> None:
    (folder / "draft" / "more").mkdir(parents=True)
    (folder / "draft" / "more" / "page.html").write_text("draft")


def _folder_elsewhere(folder: Path) -> None:
    parent = (folder / PATH).parent
    elsewhere = folder.parent.parent / "elsewhere"
    parent.rename(elsewhere)
    parent.symlink_to(elsewhere)


def _manifest_gone(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def _manifest_garbled(folder: Path) -> None:
    overwrite(folder / "manifest.json")


def _seal_gone(folder: Path) -> None:
    (folder / ".seal").unlink()


def _seal_is_a_folder(folder: Path) -> None:
    (folder / ".seal").unlink()
    (folder / ".seal" / "more").mkdir(parents=True)


def _all_elsewhere(folder: Path) -> None:
    folder.rename(folder.parent.parent / "elsewhere")
    folder.symlink_to(folder.parent.parent / "elsewhere")


IN_FILES = (
    _edited,
    _deleted,
    _linked,
    _piped,
    _folder_gone,
    _folder_in_its_place,
    _file_in_a_folders_place,
    _manifest_gone,
    _manifest_garbled,
    _seal_gone,
    _seal_is_a_folder,
    _all_elsewhere,
)
IN_FOLDERS = (_extra_file, _extra_folder, _folder_elsewhere)


class TestDrift:
    """What befalls a folder that nobody serves never comes live with it."""

    @pytest.mark.parametrize("drift", [*IN_FILES, *IN_FOLDERS])
    def test_in_a_standby_tree_that_another_process_made(
        self, site_root: SiteRoot, drift: Callable[[Path], None]
    ) -> None:
        """It is verified, and repaired."""
        put_version(site_root, 1)
        drift(ready(site_root))
        site_root = SiteRoot(site_root.path)
        put_as_needed(site_root, 2)
        assert is_exactly(app_folder(site_root).current, pages(2))
        assert verify(site_root, NODE, "play") == ()

    @pytest.mark.parametrize("drift", IN_FILES)
    def test_in_a_standby_tree_that_was_verified_a_while_ago(
        self, site_root: SiteRoot, drift: Callable[[Path], None]
    ) -> None:
        """Size and time of each file are compared with the stat index, and it is repaired."""
        site_root = verifying_anew(site_root)
        put_version(site_root, 1)
        drift(ready(site_root))
        put_as_needed(site_root, 2)
        assert is_exactly(app_folder(site_root).current, pages(2))
        assert verify(site_root, NODE, "play") == ()

    @pytest.mark.parametrize("drift", [*IN_FILES, *IN_FOLDERS])
    def test_in_a_release_that_is_recycled(
        self, site_root: SiteRoot, drift: Callable[[Path], None]
    ) -> None:
        """It is verified, and repaired."""
        site_root = verifying_anew(site_root)
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        drift(app_folder(site_root).releases / hashes[0])
        put_as_needed(site_root, 7)
        assert is_exactly(app_folder(site_root).current, pages(7))
        assert verify(site_root, NODE, "play") == ()

    @pytest.mark.parametrize("drift", [*IN_FILES, *IN_FOLDERS])
    def test_it_is_repaired_when_the_standby_tree_is_refreshed(
        self, site_root: SiteRoot, drift: Callable[[Path], None]
    ) -> None:
        """As after every build of a worker: it is what is live, and nothing else."""
        site_root = verifying_anew(site_root)
        put_version(site_root, 1)
        drift(ready(site_root))
        put_whole(site_root, 1)
        assert is_exactly(ready(site_root), pages(1))
        put_version(site_root, 2)
        assert is_exactly(app_folder(site_root).current, pages(2))

    def test_within_the_minute_it_is_found_where_it_is_live(self, site_root: SiteRoot) -> None:
        """One that was just verified is taken as it is: the stat index shows the damage."""
        put_version(site_root, 1)
        _deleted(ready(site_root))
        put_version(site_root, 2)
        assert verify(site_root, NODE, "play", quick=True) == (PATH,)
        put_whole(site_root, 2)
        assert is_exactly(app_folder(site_root).current, pages(2))

    def test_within_the_minute_a_release_is_taken_as_it_is_too(self, site_root: SiteRoot) -> None:
        """One that this process made itself: the stat index shows the damage."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        _deleted(app_folder(site_root).releases / hashes[0])
        put_version(site_root, 7)
        assert verify(site_root, NODE, "play", quick=True) == (PATH,)
        put_whole(site_root, 7)
        assert is_exactly(app_folder(site_root).current, pages(7))

    def test_the_minute_begins_when_files_were_compared(self, site_root: SiteRoot) -> None:
        """Not when they were made into another release: else it might never be over."""
        now = 1000.0
        verifications = VerificationCache(clock=lambda: now)
        site_root = SiteRoot(site_root.path, verifications=verifications)
        put_version(site_root, 1)
        ready(site_root)
        now += 40
        from_the_standby_tree = put_version(site_root, 2).build_hash
        now += 30
        afresh = put_version(site_root, 3).build_hash
        releases = app_folder(site_root).releases
        assert verifications.trust(releases / afresh) is Trust.ALL
        assert verifications.trust(releases / from_the_standby_tree) is Trust.NOTHING

    def test_a_page_that_is_handed_in_is_read(self, site_root: SiteRoot) -> None:
        """Damage that hides itself (the size and time are the old ones) is not kept."""
        put_version(site_root, 1)
        file = ready(site_root) / PATH
        status = file.stat()
        file.chmod(0o644)
        file.write_bytes(b"x" * status.st_size)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        put_whole(site_root, 2)
        assert verify(site_root, NODE, "play") == ()

    @pytest.mark.parametrize("valid_s", [60.0, 0.0])
    def test_nothing_outside_is_altered(self, site_root: SiteRoot, valid_s: float) -> None:
        """A folder that became a link to elsewhere, where a page of it changes, is replaced."""
        site_root = SiteRoot(site_root.path, verifications=VerificationCache(valid_s))
        put_version(site_root, 1)
        _folder_elsewhere(ready(site_root))
        files = {**pages(1), PATH: b"changed"}
        put(site_root, files, assets(1))
        assert is_exactly(app_folder(site_root).current, files)
        elsewhere = app_folder(site_root).path / "elsewhere"
        assert (elsewhere / "index.html").read_bytes() == pages(1)[PATH]

    def test_of_a_damaged_live_release_no_standby_tree_is_made(self, site_root: SiteRoot) -> None:
        """It is repaired first."""
        put_version(site_root, 1)
        _edited(app_folder(site_root).current)
        assert not ready(site_root).exists()
        put_whole(site_root, 1)
        assert is_exactly(ready(site_root), pages(1))

    def test_a_live_release_is_repaired_from_a_standby_tree(self, site_root: SiteRoot) -> None:
        """Files that both share are damaged in both, and written again."""
        put_version(site_root, 1)
        ready(site_root)
        _edited(app_folder(site_root).current)
        done = publish(site_root, manifest(pages(1), assets(1)), {PATH: pages(1)[PATH]}, assets(1))
        assert (done.swapped, done.files_written) == (True, 1)
        assert is_exactly(app_folder(site_root).current, pages(1))


class TestErrors:
    """Whatever fails with an old folder is no worse than to have none."""

    def test_a_new_folder_is_made_where_the_old_one_is_refused(
        self, site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The publish succeeds, and the old folder is swept."""
        put_version(site_root, 1)
        ready(site_root)

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(disk, "unlink", refused)
            put_version(site_root, 2)
        assert is_exactly(app_folder(site_root).current, pages(2))
        assert not list(app_folder(site_root).path.rglob(".tmp-*"))

    @pytest.mark.parametrize("what", ["mkdir", "link", "write", "rename"])
    def test_a_disk_that_is_full_behind_a_build(
        self, site_root: SiteRoot, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The remedy is told, nothing is left over, and publishing goes on."""
        put_version(site_root, 1)

        def full(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, what, full)
            with pytest.raises(SiteUnavailable, match=r"(?s)standby.*No space left.*free space"):
                prepare_standby_trees(site_root, NODE, "play")
        assert {entry.name for entry in app_folder(site_root).releases.iterdir()} == {
            app_folder(site_root).current.readlink().name
        }
        put_version(site_root, 2)
        assert is_exactly(ready(site_root), pages(2))

    def test_without_hard_links_files_are_copied(
        self, site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Spare, recycled and new releases alike."""

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refused)
        for version in range(1, 10):
            put_version(site_root, version)
            if version % 3 == 0:
                assert is_exactly(ready(site_root), pages(version))
            assert verify(site_root, NODE, "play") == ()
            assert (app_folder(site_root).current / PATH).stat().st_nlink == 1
            with monkeypatch.context() as patch:
                patch.setattr(disk, "hash_of", lambda *_args, **_kwargs: None)
                assert verify(site_root, NODE, "play", quick=True) == (), "indexed as copied"

    def test_where_nothing_is_published_none_is_made(self, site_root: SiteRoot) -> None:
        """And no folder for it."""
        prepare_standby_trees(site_root, NODE, "play")
        assert not site_root.path.exists()

    def test_what_killed_processes_left_is_swept(self, site_root: SiteRoot) -> None:
        """By the next publish, and by pruning where nothing is published."""
        put_version(site_root, 1)
        # No process has so high a number.
        left = app_folder(site_root).releases / ".tmp-99999999-aaaa-spare"
        (left / "play").mkdir(parents=True)
        assert prune(site_root, NODE, "play", slack=2).releases == ()
        assert not left.exists()
        (left / "play").mkdir(parents=True)
        put_version(site_root, 2)
        assert not left.exists()


def test_publishers_and_standby_trees_at_once(site_root: SiteRoot) -> None:
    """Threads that publish, make standby trees and prune leave whole releases, and no thread fails
    but where a standby tree was taken meanwhile."""
    put_version(site_root, 0)
    failures: list[str] = []
    over = threading.Event()

    def publishes(number: int) -> None:
        for version in range(number, number + 12):
            try:
                put_whole(site_root, version)
            except SiteUnavailable as error:
                failures.append(str(error))

    def tidies() -> None:
        while not over.is_set():
            try:
                prepare_standby_trees(site_root, NODE, "play")
                prune(site_root, NODE, "play", slack=2)
            except SiteUnavailable as error:
                failures.append(str(error))

    tidying = threading.Thread(target=tidies)
    publishers = [threading.Thread(target=publishes, args=(number,)) for number in (1, 40)]
    for thread in (tidying, *publishers):
        thread.start()
    for thread in publishers:
        thread.join(50)
    over.set()
    tidying.join(50)
    assert [why for why in failures if "No such file" not in why or "standby" not in why] == []
    found = live(site_root, NODE, "play")
    assert found in [manifest(pages(v), assets(v)) for v in (12, 51)]
    assert verify(site_root, NODE, "play") == ()
    assert not list(app_folder(site_root).path.rglob(".tmp-*"))
    for entry in app_folder(site_root).releases.iterdir():
        listing(entry)
