"""Releases made out of others, spares included: equal to new ones, and nothing else is touched."""

from __future__ import annotations

import errno
import os
import random
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import (
    Place,
    add_spare,
    disk,
    live,
    lock,
    look_through,
    make_spare,
    prune,
    publish,
    trust,
    verify,
)
from robbieblocks.release.layout import RESERVED, folders_of
from robbieblocks.release.spare import old_folders
from robbieblocks.release.trust import Trust
from tests.integration.releases import (
    NODE,
    assets,
    manifest,
    pages,
    put,
    put_version,
    put_whole,
    served,
)

PATH = "play/p5/index.html"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty site root."""
    return tmp_path / "site"


def place(root: Path) -> Place:
    return Place.of(root, NODE, "play")


def spare_of(root: Path) -> Path:
    return place(root).spare


def ready(root: Path) -> Path:
    """Make a spare; its folder."""
    make_spare(root, NODE, "play")
    return spare_of(root)


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


def put_as_needed(root: Path, version: int) -> None:
    """Publish what changed; all of it where the damage is in the live release, too."""
    if PATH in verify(root, NODE, "play"):
        put_whole(root, version)
    else:
        put_version(root, version)


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
    @pytest.mark.parametrize("how", ["recycled", "spare", "spare of another process"])
    def test_any_sequence_of_contents(
        self, root: Path, seed: int, how: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Folder for folder and byte for byte what is wanted, and the same manifest as afresh."""
        random_ = random.Random(seed)  # noqa: S311 - test data
        files = {"play/index.html": b"home", "a/b/c": b"deep", "tokens.json": b"{}"}
        for version in range(16):
            files = _changed(random_, files, version)
            put(root, files, assets(1))
            assert is_exactly(place(root).current, files)
            assert verify(root, NODE, "play") == ()
            put(root / "afresh" / str(version), files, assets(1))
            afresh = Place.of(root / "afresh" / str(version), NODE, "play").current
            assert served(root, "manifest.json") == (afresh / "manifest.json").read_bytes()
            assert is_exactly(afresh, files)
            if how != "recycled":
                assert is_exactly(ready(root), files)
            if how == "spare of another process":
                monkeypatch.setattr(trust, "_known", {})
        assert len(list(place(root).releases.iterdir())) <= 7

    def test_a_page_that_becomes_a_folder_and_back(self, root: Path) -> None:
        """The order in which things go and come makes room for both."""
        ways: list[dict[str, bytes]] = [{"a": b"1", "b/c": b"2"}, {"a/b/c": b"1", "b": b"2"}]
        for turn in range(10):
            put(root, ways[turn % 2] | {"turn": str(turn).encode()}, [])
            assert is_exactly(place(root).current, ways[turn % 2] | {"turn": str(turn).encode()})
            ready(root)


class TestUntouched:
    """What did not change is not touched: neither its name, nor the file behind it."""

    def test_a_spare_becomes_the_release(self, root: Path) -> None:
        """Its folders are the release's, and its unchanged files were not even linked again."""
        put_version(root, 1)
        folder = ready(root)
        before = {p: p.lstat() for p in folder.rglob("*")}
        own = folder.lstat().st_ino
        done = put_version(root, 2)
        release = place(root).releases / done.build_hash
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

    def test_the_oldest_release_becomes_the_next(self, root: Path) -> None:
        """From the seventh on no folder is made, and there are never more than six."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        oldest = place(root).releases / hashes[0]
        inodes = {path.relative_to(oldest): path.lstat().st_ino for path in oldest.rglob("p*")}
        assert inodes
        done = put_version(root, 7)
        release = place(root).releases / done.build_hash
        assert {name: (release / name).lstat().st_ino for name in inodes} == inodes
        names = {entry.name for entry in place(root).releases.iterdir()}
        assert names == {*hashes[1:], done.build_hash}

    def test_a_spare_is_made_of_a_release_that_nothing_keeps(self, root: Path) -> None:
        """Where one is beyond the five; before that it is a new folder."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        own = (place(root).releases / hashes[0]).lstat().st_ino
        assert ready(root).lstat().st_ino == own
        assert {e.name for e in place(root).releases.iterdir()} == {*hashes[1:], ".spare"}
        assert is_exactly(spare_of(root), pages(6))

    @pytest.mark.parametrize("trusted", [60.0, 0.0])
    def test_a_spare_that_is_ready_is_left_alone(
        self, root: Path, trusted: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Making it again changes nothing in it."""
        monkeypatch.setattr(trust, "_LASTS", trusted)
        put_version(root, 1)
        before = changed_at(ready(root))
        assert changed_at(ready(root)) == before

    def test_a_spare_of_an_earlier_state_is_brought_up(self, root: Path) -> None:
        """The same folder, with what came live since."""
        put_version(root, 1)
        own = ready(root).lstat().st_ino
        aside = spare_of(root).rename(root / "aside")
        put_version(root, 2)
        aside.rename(spare_of(root))
        assert ready(root).lstat().st_ino == own
        assert is_exactly(spare_of(root), pages(2))

    def test_other_releases_keep_their_files(self, root: Path) -> None:
        """What is unlinked or written in one folder is what it was in all others."""
        contents: dict[str, dict[str, bytes]] = {}
        for version in range(1, 13):
            contents[put_version(root, version).build_hash] = pages(version)
            if version % 2:
                ready(root)
            for entry in place(root).releases.iterdir():
                if entry.name != ".spare":
                    assert is_exactly(entry, contents[entry.name])


class TestKept:
    """What is never made into something else."""

    def test_current_previous_pinned_and_the_last_five(self, root: Path) -> None:
        """Though older than what is recycled."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        place(root).pin.write_text(hashes[0])
        place(root).previous.unlink()
        place(root).previous.symlink_to(f"releases/{hashes[1]}")
        for version in range(7, 12):
            ready(root)
            hashes.append(put_version(root, version).build_hash)
            kept = {hashes[0], *hashes[-5:]} | ({hashes[1]} if version == 7 else set())
            assert kept <= {entry.name for entry in place(root).releases.iterdir()}
            assert is_exactly(place(root).releases / hashes[0], pages(1))

    def test_what_a_person_went_back_to_meanwhile(self, root: Path) -> None:
        """A release that was chosen is not taken when it is live by then."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        (old,) = old_folders(place(root))
        assert old.name == hashes[0]
        place(root).current.unlink()
        place(root).current.symlink_to(f"releases/{hashes[0]}")
        with lock(root, NODE, "play"):
            assert old.take(place(root).releases / ".tmp-1-x") is False
        assert is_exactly(place(root).current, pages(1))

    def test_one_that_never_was_live_is_not_recycled(self, root: Path) -> None:
        """It was stopped before its smoke check: who knows what of it is on the disk."""
        for version in range(1, 6):
            put_version(root, version)

        def stop() -> None:
            raise SiteUnavailable("the lease is lost")

        with pytest.raises(SiteUnavailable, match="lease"):
            publish(root, manifest(pages(6), assets(6)), pages(6), assets(6), fence=stop)
        assert list(old_folders(place(root))) == []

    def test_one_that_goes_live_again_is_not_altered(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A damaged release beyond the five, whose content is published again, is what the new one
        is linked from."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        _deleted(place(root).releases / hashes[0])

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        monkeypatch.setattr(disk, "unlink", refused)
        assert put_whole(root, 1).build_hash == hashes[0]
        assert is_exactly(place(root).current, pages(1))

    def test_the_oldest_goes_first(self, root: Path) -> None:
        """After the spare: what was live last may be gone back to."""
        hashes = [put_version(root, version).build_hash for version in range(1, 6)]
        assert [old.name for old in old_folders(place(root), keep=2)] == hashes[:3]
        ready(root)
        assert [old.name for old in old_folders(place(root), keep=2)] == [".spare", *hashes[:3]]

    def test_what_it_passed_before_counts_no_more(self, root: Path) -> None:
        """A release that was live long ago says nothing of the one that is made out of it."""
        for version in range(1, 7):
            put_version(root, version)

        def stop() -> None:
            raise SiteUnavailable("the lease is lost")

        wanted = manifest(pages(7), assets(7))
        with pytest.raises(SiteUnavailable, match="lease"):
            publish(root, wanted, pages(7), assets(7), fence=stop)
        assert is_exactly(place(root).releases / wanted.build_hash, pages(7))
        assert prune(root, NODE, "play", keep=6).releases == (wanted.build_hash,)

    def test_its_assets_count_as_unused_from_then_on(self, root: Path) -> None:
        """A release that is recycled, by a publish or for a spare, gives its assets up as if it
        were pruned."""
        folder = root / NODE / "assets"
        for version in range(1, 7):
            put_version(root, version)
        for asset in folder.iterdir():
            os.utime(asset, (1, 1))
        put_version(root, 7)
        ready(root)
        young = {asset.name for asset in folder.iterdir() if asset.stat().st_mtime > 1}
        gone = {assets(version)[1].name for version in (1, 2)}
        assert young == {*gone, *(asset.name for asset in assets(7))}
        assert prune(root, NODE, "play", sweep_hours=0).assets == 0
        for asset in folder.iterdir():
            os.utime(asset, (1, 1))
        assert prune(root, NODE, "play", sweep_hours=0).assets == 2


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


IN_FILES = (_edited, _deleted, _linked, _piped, _folder_gone, _folder_in_its_place,
            _file_in_a_folders_place, _manifest_gone, _manifest_garbled, _seal_gone,
            _seal_is_a_folder, _all_elsewhere)  # fmt: skip
IN_FOLDERS = (_extra_file, _extra_folder, _folder_elsewhere)


class TestDrift:
    """What befalls a folder that nobody serves never comes live with it."""

    @pytest.mark.parametrize("drift", [*IN_FILES, *IN_FOLDERS])
    def test_in_a_spare_that_another_process_made(
        self, root: Path, drift: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is looked through, and mended."""
        put_version(root, 1)
        drift(ready(root))
        monkeypatch.setattr(trust, "_known", {})
        put_as_needed(root, 2)
        assert is_exactly(place(root).current, pages(2))
        assert verify(root, NODE, "play") == ()

    @pytest.mark.parametrize("drift", IN_FILES)
    def test_in_a_spare_that_was_looked_through_a_while_ago(
        self, root: Path, drift: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each file is compared with its seal, and mended."""
        monkeypatch.setattr(trust, "_LASTS", 0.0)
        put_version(root, 1)
        drift(ready(root))
        put_as_needed(root, 2)
        assert is_exactly(place(root).current, pages(2))
        assert verify(root, NODE, "play") == ()

    @pytest.mark.parametrize("drift", [*IN_FILES, *IN_FOLDERS])
    def test_in_a_release_that_is_recycled(
        self, root: Path, drift: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is looked through, and mended."""
        monkeypatch.setattr(trust, "_LASTS", 0.0)
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        drift(place(root).releases / hashes[0])
        put_as_needed(root, 7)
        assert is_exactly(place(root).current, pages(7))
        assert verify(root, NODE, "play") == ()

    @pytest.mark.parametrize("drift", [*IN_FILES, *IN_FOLDERS])
    def test_it_is_mended_when_the_spare_is_made_again(
        self, root: Path, drift: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As after every look of a worker: the spare is what is live, and nothing else."""
        monkeypatch.setattr(trust, "_LASTS", 0.0)
        put_version(root, 1)
        drift(ready(root))
        put_whole(root, 1)
        assert is_exactly(ready(root), pages(1))
        put_version(root, 2)
        assert is_exactly(place(root).current, pages(2))

    def test_within_the_minute_it_is_found_where_it_is_live(self, root: Path) -> None:
        """A spare that was just looked through is taken as it is: its seal tells what befell it."""
        put_version(root, 1)
        _deleted(ready(root))
        put_version(root, 2)
        assert verify(root, NODE, "play", quick=True) == (PATH,)
        put_whole(root, 2)
        assert is_exactly(place(root).current, pages(2))

    def test_within_the_minute_a_release_is_taken_as_it_is_too(self, root: Path) -> None:
        """One that this process made itself: its seal tells what befell it."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        _deleted(place(root).releases / hashes[0])
        put_version(root, 7)
        assert verify(root, NODE, "play", quick=True) == (PATH,)
        put_whole(root, 7)
        assert is_exactly(place(root).current, pages(7))

    def test_the_minute_begins_when_files_were_compared(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not when they were made into another release: else it might never be over."""
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now)
        put_version(root, 1)
        ready(root)
        now += 40
        out_of_the_spare = put_version(root, 2).build_hash
        now += 30
        afresh = put_version(root, 3).build_hash
        releases = place(root).releases
        assert trust.of(releases / afresh) is Trust.ALL
        assert trust.of(releases / out_of_the_spare) is Trust.NOTHING

    def test_a_page_that_is_handed_in_is_read(self, root: Path) -> None:
        """Damage that hides itself (the size and time are the old ones) is not kept."""
        put_version(root, 1)
        file = ready(root) / PATH
        status = file.stat()
        file.chmod(0o644)
        file.write_bytes(b"x" * status.st_size)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        put_whole(root, 2)
        assert verify(root, NODE, "play") == ()

    @pytest.mark.parametrize("trusted", [60.0, 0.0])
    def test_nothing_outside_is_altered(
        self, root: Path, trusted: float, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder that became a link to elsewhere, where a page of it changes, is replaced."""
        monkeypatch.setattr(trust, "_LASTS", trusted)
        put_version(root, 1)
        _folder_elsewhere(ready(root))
        files = {**pages(1), PATH: b"changed"}
        put(root, files, assets(1))
        assert is_exactly(place(root).current, files)
        elsewhere = place(root).folder / "elsewhere"
        assert (elsewhere / "index.html").read_bytes() == pages(1)[PATH]

    def test_of_a_damaged_live_release_no_spare_is_made(self, root: Path) -> None:
        """It is healed first."""
        put_version(root, 1)
        _edited(place(root).current)
        assert not ready(root).exists()
        put_whole(root, 1)
        assert is_exactly(ready(root), pages(1))

    def test_a_live_release_is_healed_out_of_a_spare(self, root: Path) -> None:
        """Files that live release and spare share are damaged in both, and written anew."""
        put_version(root, 1)
        ready(root)
        _edited(place(root).current)
        done = publish(root, manifest(pages(1), assets(1)), {PATH: pages(1)[PATH]}, assets(1))
        assert (done.swapped, done.files_written) == (True, 1)
        assert is_exactly(place(root).current, pages(1))


class TestErrors:
    """Whatever fails with an old folder is no worse than to have none."""

    def test_a_new_folder_is_made_where_the_old_one_is_refused(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The publish succeeds, and the old folder is swept."""
        put_version(root, 1)
        ready(root)

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        with monkeypatch.context() as patch:
            patch.setattr(disk, "unlink", refused)
            put_version(root, 2)
        assert is_exactly(place(root).current, pages(2))
        assert not list(place(root).folder.rglob(".tmp-*"))

    @pytest.mark.parametrize("what", ["mkdir", "link", "write", "rename"])
    def test_a_disk_that_is_full_behind_a_build(
        self, root: Path, what: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The remedy is told, nothing is left over, and publishing goes on."""
        put_version(root, 1)

        def full(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, what, full)
            with pytest.raises(SiteUnavailable, match=r"(?s)spare.*No space left.*free space"):
                make_spare(root, NODE, "play")
        assert {entry.name for entry in place(root).releases.iterdir()} == {
            place(root).current.readlink().name
        }
        put_version(root, 2)
        assert is_exactly(ready(root), pages(2))

    def test_without_hard_links_files_are_copied(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Spare, recycled and new releases alike."""

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

        monkeypatch.setattr(os, "link", refused)
        for version in range(1, 10):
            put_version(root, version)
            if version % 3 == 0:
                assert is_exactly(ready(root), pages(version))
            assert verify(root, NODE, "play") == ()
            assert (place(root).current / PATH).stat().st_nlink == 1
            with monkeypatch.context() as patch:
                patch.setattr(disk, "hash_of", lambda *_args, **_kwargs: None)
                assert verify(root, NODE, "play", quick=True) == (), "sealed as copied"

    def test_where_nothing_is_published_none_is_made(self, root: Path) -> None:
        """And no folder for it."""
        make_spare(root, NODE, "play")
        assert not root.exists()

    def test_what_killed_processes_left_is_swept(self, root: Path) -> None:
        """By the next publish, and by pruning where nothing is published."""
        put_version(root, 1)
        left = place(root).releases / ".tmp-1-aaaa-spare"
        (left / "play").mkdir(parents=True)
        assert prune(root, NODE, "play", slack=2).releases == ()
        assert not left.exists()
        (left / "play").mkdir(parents=True)
        put_version(root, 2)
        assert not left.exists()


def test_publishers_and_spares_at_once(root: Path) -> None:
    """Threads that publish, make spares and prune leave whole releases, and no thread fails but
    where a spare was taken from under it."""
    put_version(root, 0)
    failures: list[str] = []
    over = threading.Event()

    def publishes(number: int) -> None:
        for version in range(number, number + 12):
            try:
                put_whole(root, version)
            except SiteUnavailable as error:
                failures.append(str(error))

    def tidies() -> None:
        while not over.is_set():
            try:
                add_spare(root, NODE, "play")
                make_spare(root, NODE, "play")
                look_through(root, NODE, "play")
                prune(root, NODE, "play", slack=2)
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
    assert [why for why in failures if "No such file" not in why or "spare" not in why] == []
    found = live(root, NODE, "play")
    assert found in [manifest(pages(v), assets(v)) for v in (12, 51)]
    assert verify(root, NODE, "play") == ()
    assert not list(place(root).folder.rglob(".tmp-*"))
    for entry in place(root).releases.iterdir():
        listing(entry)
