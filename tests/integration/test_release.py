"""Releases on a real file system: whole, unchanged files shared, damage found and healed."""

from __future__ import annotations

import errno
import http.server
import os
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from robbieblocks.errors import ContentError, DatabaseUnavailable, SiteUnavailable
from robbieblocks.model import Asset, Manifest, sha256
from robbieblocks.release import (
    disk,
    dump,
    live,
    load,
    lock,
    pinned,
    prune,
    publish,
    verify,
)
from tests.integration.releases import (
    NODE,
    assets,
    manifest,
    pages,
    put,
    put_version,
    served,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An empty site root."""
    return tmp_path / "site"


def place(root: Path) -> Path:
    """The app's folder."""
    return root / NODE / "play"


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {entry.name for entry in folder.iterdir()}


def overwrite(file: Path, content: bytes) -> None:
    """Edit a file in place, as someone with rights would."""
    file.chmod(0o644)
    file.write_bytes(content)


class TestPublish:
    """From nothing, from what is live, and when nothing changed."""

    def test_the_layout_is_the_documented_one(self, root: Path) -> None:
        """Assets beside the apps, a release by its hash, `current` a relative symlink to it."""
        done = put_version(root, 1)
        release = place(root) / "releases" / done.build_hash
        assert str((place(root) / "current").readlink()) == f"releases/{done.build_hash}"
        assert served(root, "play/index.html") == pages(1)["play/index.html"]
        assert load((release / "manifest.json").read_bytes()) == manifest(pages(1), assets(1))
        assert names(root / NODE / "assets") == {asset.name for asset in assets(1)}
        assert (done.swapped, done.files_written, done.files_linked) == (True, 13, 0)
        assert done.assets_written == 2

    def test_live_is_none_before_and_the_manifest_after(self, root: Path) -> None:
        """What is live is read back as it was published."""
        assert live(root, NODE, "play") is None
        put_version(root, 1)
        assert live(root, NODE, "play") == manifest(pages(1), assets(1))
        assert verify(root, NODE, "play") == ()

    def test_unchanged_files_are_the_same_files(self, root: Path) -> None:
        """What did not change is linked, keeps its time, and is not written again."""
        put_version(root, 1)
        before = (place(root) / "current" / "play/p5/index.html").stat()
        done = put_version(root, 2)
        after = (place(root) / "current" / "play/p5/index.html").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert (done.files_written, done.files_linked, done.assets_written) == (3, 10, 1)

    def test_equal_bytes_are_left_alone(self, root: Path) -> None:
        """Publishing what is live writes nothing and swaps nothing."""
        put_version(root, 1)
        before = {path: path.lstat() for path in sorted(root.rglob("*")) if path.name != ".lock"}
        done = put_version(root, 1)
        again = publish(root, manifest(pages(1), assets(1)), pages(1), assets(1))
        assert (done.swapped, again.swapped, again.bytes_written) == (False, False, 0)
        after = {path: path.lstat() for path in sorted(root.rglob("*")) if path.name != ".lock"}
        assert {path: stats.st_ino for path, stats in before.items()} == {
            path: stats.st_ino for path, stats in after.items()
        }

    def test_a_release_that_exists_is_used_again(self, root: Path) -> None:
        """Going back to earlier content writes no file."""
        put_version(root, 1)
        put_version(root, 2)
        done = put_version(root, 1)
        assert (done.swapped, done.files_written, done.files_linked) == (True, 0, 0)
        assert served(root, "play/index.html") == pages(1)["play/index.html"]

    def test_equal_bytes_from_other_inputs_are_remembered(self, root: Path) -> None:
        """The manifest takes the new inputs though no page changed."""
        put_version(root, 1)
        wanted = manifest(pages(1), assets(1))
        other = replace(wanted, toolchain="another")
        assert not publish(root, other, {}, assets(1)).swapped
        assert live(root, NODE, "play") == other

    def test_files_are_read_only_and_obey_the_umask(self, root: Path) -> None:
        """No editor saves over a file that several releases share."""
        put_version(root, 1)
        mode = (place(root) / "current" / "play/index.html").stat().st_mode
        assert stat.S_IMODE(mode) & 0o222 == 0

    def test_a_removed_page_is_gone(self, root: Path) -> None:
        """What the manifest does not name is not in the release."""
        put_version(root, 1)
        fewer = {path: content for path, content in pages(2).items() if "p5" not in path}
        put(root, fewer, assets(2))
        assert not (place(root) / "current" / "play/p5").exists()

    def test_previous_is_what_was_live_before(self, root: Path) -> None:
        """There is something to go back to."""
        first = put_version(root, 1)
        assert not (place(root) / "previous").exists()
        put_version(root, 2)
        assert str((place(root) / "previous").readlink()) == f"releases/{first.build_hash}"

    def test_the_fence_stops_the_swap(self, root: Path) -> None:
        """Whoever lost the lease publishes nothing."""
        put_version(root, 1)

        def lost() -> None:
            raise DatabaseUnavailable("the lease is lost")

        with pytest.raises(DatabaseUnavailable):
            publish(root, manifest(pages(2), assets(2)), pages(2), assets(2), fence=lost)
        assert served(root, "play/index.html") == pages(1)["play/index.html"]
        assert put_version(root, 2).files_written == 0

    def test_other_work_is_done_while_the_disk_is_waited_for(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is begun before the sync ends, and what fails there swaps nothing."""
        done, synced = threading.Event(), threading.Event()

        def sync(_path: Path) -> None:
            assert done.wait(30)
            synced.set()

        def meanwhile() -> None:
            assert not synced.is_set()
            done.set()

        monkeypatch.setattr(disk, "sync_file_system", sync)
        done.set()
        put_version(root, 1)
        done.clear()
        synced.clear()
        publish(root, manifest(pages(2), assets(2)), pages(2), assets(2), meanwhile=meanwhile)
        assert synced.is_set()
        assert served(root, "play/index.html") == pages(2)["play/index.html"]

        def fails(_path: Path) -> None:
            raise OSError(errno.EIO, "the disk is gone")

        monkeypatch.setattr(disk, "sync_file_system", fails)
        with pytest.raises(SiteUnavailable, match="the disk is gone"):
            publish(root, manifest(pages(3), assets(3)), pages(3), assets(3))
        assert served(root, "play/index.html") == pages(2)["play/index.html"]

    def test_content_that_nobody_has_is_asked_for(self, root: Path) -> None:
        """A file neither handed in nor live is named, and nothing changes."""
        with pytest.raises(SiteUnavailable, match=r"play/p3/index\.html"):
            publish(
                root,
                manifest(pages(1), assets(1)),
                {path: content for path, content in pages(1).items() if "p3" not in path},
                assets(1),
            )
        assert live(root, NODE, "play") is None

    def test_an_asset_that_nobody_has_is_asked_for(self, root: Path) -> None:
        """A page never goes live before its assets."""
        with pytest.raises(SiteUnavailable, match=assets(1)[1].name):
            publish(root, manifest(pages(1), assets(1)), pages(1), assets(1)[:1])
        assert live(root, NODE, "play") is None

    def test_many_folders_and_names(self, root: Path) -> None:
        """Deep folders and names in any script are written and linked."""
        files = {"a/b/c/d/e.html": b"1", "über/日本.html": b"2", "a/b.html": b"3", "x y.html": b"4"}
        put(root, files, [])
        put(root, {**files, "a/b.html": b"5"}, [])
        assert {path: served(root, path) for path in files} == {**files, "a/b.html": b"5"}
        assert verify(root, NODE, "play") == ()

    def test_without_hard_links_files_are_copied(
        self, root: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file system without them, or with too many, costs a copy."""
        put_version(root, 1)

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))

        monkeypatch.setattr(os, "link", refused)
        put_version(root, 2)
        assert verify(root, NODE, "play") == ()
        assert (place(root) / "current" / "play/p5/index.html").stat().st_nlink == 1

    def test_the_manifest_survives_a_round_trip(self) -> None:
        """Its JSON is equal for equal manifests and gives the same manifest back."""
        wanted = manifest(pages(3), assets(3))
        assert load(dump(wanted)) == wanted
        assert dump(load(dump(wanted))) == dump(wanted)

    @pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"format": 99}', b"\xff"])
    def test_what_is_no_manifest_is_refused(self, text: bytes) -> None:
        """Garbage is a ValueError, never another exception."""
        with pytest.raises(ValueError, match=r".*"):
            load(text)


class TestDamage:
    """Drift: what was published and is not there any more."""

    @pytest.mark.parametrize("atomic", [True, False], ids=["exchange", "stand-in"])
    @pytest.mark.parametrize("how", ["edited", "deleted", "folder gone", "symlink", "hidden"])
    def test_a_damaged_live_release_is_found_and_healed(
        self, root: Path, how: str, atomic: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """verify() names the file; publishing the same content with it makes all whole."""
        if not atomic:
            monkeypatch.setattr(disk, "exchange", lambda *_paths: False)
        put_version(root, 1)
        path = "play/p5/index.html"
        file = place(root) / "current" / path
        if how == "edited":
            overwrite(file, b"defaced")
        elif how == "deleted":
            file.unlink()
        elif how == "folder gone":
            shutil.rmtree(file.parent)
        elif how == "symlink":
            shutil.copytree(file.parent, root / "elsewhere")
            shutil.rmtree(file.parent)
            file.parent.symlink_to(root / "elsewhere")
        else:
            status = file.stat()
            overwrite(file, b"x" * status.st_size)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert verify(root, NODE, "play") == (path,)
        assert verify(root, NODE, "play", quick=True) == (() if how == "hidden" else (path,))
        done = publish(root, manifest(pages(1), assets(1)), {path: pages(1)[path]}, assets(1))
        assert (done.swapped, done.files_written, done.files_linked) == (True, 1, 12)
        assert verify(root, NODE, "play") == ()
        assert names(place(root) / "releases") == {done.build_hash}

    def test_damage_never_spreads(self, root: Path) -> None:
        """A damaged file is not linked into the next release: its content is asked for."""
        put_version(root, 1)
        overwrite(place(root) / "current" / "play/p5/index.html", b"defaced")
        with pytest.raises(SiteUnavailable, match=r"play/p5/index\.html"):
            put_version(root, 2)
        assert served(root, "play/index.html") == pages(1)["play/index.html"]
        publish(root, manifest(pages(2), assets(2)), pages(2), assets(2))
        assert verify(root, NODE, "play") == ()

    def test_a_garbled_manifest_means_everything_anew(self, root: Path) -> None:
        """live() trusts nothing then, and publishing all contents heals."""
        put_version(root, 1)
        overwrite(place(root) / "current" / "manifest.json", b"{}")
        assert live(root, NODE, "play") is None
        assert verify(root, NODE, "play") == ("manifest.json",)
        assert put_version(root, 1).swapped
        assert verify(root, NODE, "play") == ()

    def test_a_dangling_current_means_everything_anew(self, root: Path) -> None:
        """Someone deleted the live release."""
        done = put_version(root, 1)
        shutil.rmtree(place(root) / "releases" / done.build_hash)
        assert live(root, NODE, "play") is None
        put_version(root, 1)
        assert verify(root, NODE, "play") == ()

    def test_a_damaged_release_that_is_not_live_is_not_used_again(self, root: Path) -> None:
        """Going back to it writes what is damaged."""
        first = put_version(root, 1)
        put_version(root, 2)
        overwrite(place(root) / "releases" / first.build_hash / "play/index.html", b"defaced")
        put_version(root, 1)
        assert verify(root, NODE, "play") == ()

    @pytest.mark.parametrize("how", ["edited", "deleted", "same size"])
    def test_a_damaged_asset_is_found_and_healed(self, root: Path, how: str) -> None:
        """verify() names it by its URL; publishing with it writes it."""
        put_version(root, 1)
        asset = assets(1)[0]
        file = root / NODE / "assets" / asset.name
        if how == "deleted":
            file.unlink()
        else:
            overwrite(file, b"x" * (len(asset.content) if how == "same size" else 3))
        assert verify(root, NODE, "play") == (asset.url,)
        assert put_version(root, 1).assets_written == 1
        assert verify(root, NODE, "play") == ()

    def test_a_lost_seal_costs_time_only(self, root: Path) -> None:
        """Without the recorded sizes and times files are read instead."""
        put_version(root, 1)
        (place(root) / "current" / ".seal").unlink()
        assert verify(root, NODE, "play", quick=True) == ()
        assert put_version(root, 2).files_linked == 10

    def test_leftovers_of_killed_runs_are_swept(self, root: Path) -> None:
        """Temporary names do not pile up."""
        put_version(root, 1)
        (place(root) / "releases" / ".tmp-1-aaaa-x" / "play").mkdir(parents=True)
        (place(root) / ".tmp-1-bbbb-current").symlink_to("releases/none")
        put_version(root, 2)
        assert not list(place(root).rglob(".tmp-*"))


class TestHostile:
    """Names and links that would lead out of the release."""

    @pytest.mark.parametrize(
        "path",
        [
            "/etc/passwd", "../x", "a/../../x", "a//b", "", ".", "a/.", "a/", "a\\b", "a\0b",
            "manifest.json", ".seal", ".verified", "a\nb", "x" * 300, "a/" * 600 + "b", "\ud800",
        ],
    )  # fmt: skip
    def test_a_path_that_leaves_the_release_is_refused(self, root: Path, path: str) -> None:
        """It is content's fault, and nothing is written."""
        wanted = replace(manifest({}, []), files={path: sha256("x")})
        with pytest.raises(ContentError, match=r"leaves the release|reserved"):
            publish(root, wanted, {path: b"x"}, [])
        assert not root.exists()

    def test_a_file_that_would_be_a_folder_is_refused(self, root: Path) -> None:
        """Two pages can't be `a` and `a/b`."""
        with pytest.raises(ContentError, match="both a file and a folder"):
            put(root, {"a": b"1", "a/b": b"2"}, [])

    @pytest.mark.parametrize("name", ["../x.js", "a/b.js", ".hidden", "", "A.js", "x\0.js"])
    def test_an_asset_that_leaves_its_folder_is_refused(self, root: Path, name: str) -> None:
        """Assets have plain names."""
        with pytest.raises(ContentError, match="can't name"):
            publish(root, manifest({}, []), {}, [Asset(name, b"x")])

    @pytest.mark.parametrize(
        ("node", "app"), [("..", "play"), ("a/b", "play"), ("", "play"), (NODE, ".."),
         (NODE, "assets")]
    )  # fmt: skip
    def test_a_node_or_app_that_is_no_folder_is_refused(
        self, root: Path, node: str, app: str
    ) -> None:
        """Every function refuses it."""
        for call in (live, verify, prune, pinned):
            with pytest.raises(ContentError, match=r"folder|assets"):
                call(root, node, app)
        with pytest.raises(ContentError), lock(root, node, app):
            pass

    def test_a_symlink_in_an_assets_place_is_replaced_not_followed(
        self, root: Path, tmp_path: Path
    ) -> None:
        """Nothing outside the site root is written."""
        outside = tmp_path / "outside"
        outside.write_text("mine")
        folder = root / NODE / "assets"
        folder.mkdir(parents=True)
        (folder / assets(1)[0].name).symlink_to(outside)
        put_version(root, 1)
        assert outside.read_text() == "mine"
        assert not (folder / assets(1)[0].name).is_symlink()

    def test_a_fifo_in_a_files_place_does_not_hang(self, root: Path) -> None:
        """Only regular files count."""
        put_version(root, 1)
        file = place(root) / "current" / "play/p5/index.html"
        file.unlink()
        os.mkfifo(file)
        assert verify(root, NODE, "play") == ("play/p5/index.html",)


class TestErrors:
    """The disk refuses: the error says what, where, why, and what to do."""

    def test_a_full_disk(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was live stays, and the remedy is told."""
        put_version(root, 1)

        def full(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(SiteUnavailable, match=r"(?s)No space left.*free space"):
                put_version(root, 2)
        assert served(root, "play/index.html") == pages(1)["play/index.html"]
        assert put_version(root, 2).swapped

    def test_a_file_in_the_site_roots_place(self, root: Path) -> None:
        """It is named."""
        root.write_text("in the way")
        with pytest.raises(SiteUnavailable, match=str(root)):
            put_version(root, 1)

    def test_a_folder_in_the_place_of_current(self, root: Path) -> None:
        """A folder that someone made is not removed; it is named."""
        (place(root) / "current").mkdir(parents=True)
        with pytest.raises(SiteUnavailable, match="current"):
            put_version(root, 1)

    def test_a_folder_without_permission(self, root: Path) -> None:
        """The remedy is told."""
        root.mkdir(mode=0o555)
        if os.access(root, os.W_OK):
            pytest.skip("this user may write anywhere")
        with pytest.raises(SiteUnavailable, match="permission"):
            put_version(root, 1)


class TestLock:
    """One publisher for an app."""

    def test_a_second_one_waits_and_then_gives_up(self, root: Path) -> None:
        """The error names who holds it."""
        failures: list[Exception] = []

        def other() -> None:
            try:
                with lock(root, NODE, "play", wait=0.05):
                    pass
            except SiteUnavailable as error:
                failures.append(error)

        with lock(root, NODE, "play"):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(20)
        assert str(os.getpid()) in str(failures[0])

    def test_the_holder_may_publish(self, root: Path) -> None:
        """The pipeline takes it around live() and publish()."""
        with lock(root, NODE, "play"), lock(root, NODE, "play"):
            assert put_version(root, 1).swapped
        with lock(root, NODE, "play", wait=0):
            pass

    def test_publishers_at_once_all_succeed(self, root: Path) -> None:
        """Threads that publish to one app and to others leave whole releases."""
        errors: list[Exception] = []

        def work(number: int) -> None:
            try:
                for version in range(number, number + 4):
                    files = pages(version)
                    publish(root, manifest(files, assets(version)), files, assets(version))
                    put(root, files, assets(version), app=f"app{number}")
            except SiteUnavailable as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50)
        assert errors == []
        for app in ("play", "app1", "app2", "app3"):
            assert verify(root, NODE, app) == ()


class TestPrune:
    """What goes and what stays."""

    def test_the_last_ones_stay(self, root: Path) -> None:
        """`keep` releases that were live last; the rest goes."""
        hashes = [put_version(root, version).build_hash for version in range(1, 7)]
        assert set(prune(root, NODE, "play", keep=3).releases) == set(hashes[:3])
        assert names(place(root) / "releases") == set(hashes[3:])
        assert prune(root, NODE, "play", keep=3).releases == ()

    def test_slack_lets_some_gather(self, root: Path) -> None:
        """With slack nothing goes until there are so many too many; then all of those go."""
        hashes = [put_version(root, version).build_hash for version in range(1, 6)]
        assert prune(root, NODE, "play", keep=3, slack=2).releases == ()
        hashes.append(put_version(root, 6).build_hash)
        assert set(prune(root, NODE, "play", keep=3, slack=2).releases) == set(hashes[:3])

    def test_current_previous_and_pinned_never_go(self, root: Path) -> None:
        """Though newer ones exist."""
        hashes = [put_version(root, version).build_hash for version in range(1, 5)]
        (place(root) / "pinned").write_text(hashes[0])
        assert pinned(root, NODE, "play") == hashes[0]
        prune(root, NODE, "play", keep=1)
        assert names(place(root) / "releases") == {hashes[0], hashes[2], hashes[3]}
        assert verify(root, NODE, "play") == ()

    def test_what_never_was_live_goes_first(self, root: Path) -> None:
        """A release of a run that was stopped by its fence is no candidate for going back."""
        put_version(root, 1)

        def stop() -> None:
            raise DatabaseUnavailable("the lease is lost")

        wanted = manifest(pages(2), assets(2))
        with pytest.raises(DatabaseUnavailable):
            publish(root, wanted, pages(2), assets(2), fence=stop)
        assert prune(root, NODE, "play").releases == (wanted.build_hash,)

    def test_an_asset_goes_by_reference_and_age(self, root: Path) -> None:
        """Only what no kept release of any app needs, and has not for a week."""
        shared = Asset.of("shared", "js", "// shared")
        put(root, pages(1), [*assets(1), shared])
        put(root, {"about.html": b"about"}, [shared], app="shared")
        for version in (2, 3):
            put_version(root, version)
        old = time.time() - 30 * 86_400
        for name in names(root / NODE / "assets"):
            os.utime(root / NODE / "assets" / name, (old, old))
        done = prune(root, NODE, "play", keep=1, sweep_hours=0)
        assert (len(done.releases), done.assets) == (1, 0), "unreferenced only since now"
        os.utime(root / NODE / "assets" / assets(1)[1].name, (old, old))
        done = prune(root, NODE, "play", keep=1, sweep_hours=0)
        assert done.assets == 1
        expected = {assets(1)[0].name, assets(2)[1].name, assets(3)[1].name, shared.name}
        assert names(root / NODE / "assets") == expected

    def test_an_asset_in_use_looks_young(self, root: Path) -> None:
        """Publishing touches an old asset, so that no pruning in between takes it."""
        put_version(root, 1)
        asset = root / NODE / "assets" / assets(1)[0].name
        os.utime(asset, (1, 1))
        put_version(root, 2)
        assert asset.stat().st_mtime > time.time() - 3600

    def test_a_place_without_releases_is_no_error(self, root: Path) -> None:
        """Nothing is there to prune."""
        assert prune(root, NODE, "play").releases == ()


@pytest.fixture
def origin(root: Path) -> Iterator[tuple[str, list[str]]]:
    """A plain web server over one release folder, and the folder it serves (replaceable)."""
    serves = ["current"]

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            return str(place(root) / serves[0]) + path + ("index.html" if path[-1] == "/" else "")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", serves
    server.shutdown()
    thread.join()
    server.server_close()


class TestSmoke:
    """What is served after the swap decides whether it stays."""

    def test_the_right_bytes_pass(self, root: Path, origin: tuple[str, list[str]]) -> None:
        """Any server will do that sends the release's bytes."""
        put_version(root, 1)
        done = publish(
            root, manifest(pages(2), assets(2)), pages(2), assets(2), smoke_url=origin[0]
        )
        assert done.swapped
        assert live(root, NODE, "play") == manifest(pages(2), assets(2))

    def test_other_bytes_swap_back(
        self, root: Path, origin: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that keeps sending the old page brings the old release back, and says why."""
        from robbieblocks.release import smoke

        monkeypatch.setattr(smoke, "_PAUSE", 0.0)
        zero = put_version(root, 0)
        first = put_version(root, 1)
        origin[1][0] = f"releases/{first.build_hash}"
        wanted = manifest(pages(2), assets(2))
        with pytest.raises(SiteUnavailable, match=r"(?s)swapped back.*bytes are not those"):
            publish(root, wanted, pages(2), assets(2), smoke_url=origin[0])
        assert live(root, NODE, "play") == manifest(pages(1), assets(1))
        assert str((place(root) / "previous").readlink()) == f"releases/{zero.build_hash}"
        assert wanted.build_hash in prune(root, NODE, "play").releases

    def test_no_answer_swaps_back(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that is down is told as such."""
        from robbieblocks.release import smoke

        monkeypatch.setattr(smoke, "_PAUSE", 0.0)
        put_version(root, 1)
        with pytest.raises(SiteUnavailable, match=r"(?s)swapped back.*127\.0\.0\.1"):
            publish(
                root,
                manifest(pages(2), assets(2)),
                pages(2),
                assets(2),
                smoke_url="http://127.0.0.1:9",
            )
        assert live(root, NODE, "play") == manifest(pages(1), assets(1))


def test_equal_content_gives_equal_releases(tmp_path: Path) -> None:
    """Two site roots get the same manifest, byte for byte, whatever came before."""
    put_version(tmp_path / "one", 1)
    put_version(tmp_path / "two", 7)
    put_version(tmp_path / "two", 1)
    one, two = (served(tmp_path / name, "manifest.json") for name in ("one", "two"))
    assert one == two


def test_another_apps_manifest_is_not_trusted(root: Path) -> None:
    """A release folder copied from elsewhere is not taken for this app's."""
    done = put_version(root, 1)
    (root / NODE / "work").mkdir()
    shutil.copytree(place(root) / "releases", root / NODE / "work" / "releases")
    (root / NODE / "work" / "current").symlink_to(f"releases/{done.build_hash}")
    found: Manifest | None = live(root, NODE, "work")
    assert found is None
