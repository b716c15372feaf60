"""Releases on a real file system: whole, unchanged files shared, damage found and repaired."""

from __future__ import annotations

import errno
import http.server
import os
import shutil
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from robbieblocks.errors import ContentError, DatabaseUnavailable, SiteUnavailable
from robbieblocks.model import ASSET_PREFIX, Asset, Manifest, sha256
from robbieblocks.release import (
    Pin,
    SiteRoot,
    closed_to,
    live,
    lock,
    make_live,
    pinned,
    prune,
    verify,
    write_release,
)
from robbieblocks.release.files import system_calls
from robbieblocks.release.manifest import load
from robbieblocks.release.manifest_writer import ManifestWriter
from robbieblocks.release.names import VERIFIED
from tests.integration.releases import (
    NODE,
    assets,
    keeping,
    manifest,
    overwrite,
    pages,
    publish,
    put,
    put_version,
    served,
)


def app_path(site_root: SiteRoot) -> Path:
    """The app's folder."""
    return site_root.path / NODE / "play"


def names(folder: Path) -> set[str]:
    """What is in a folder."""
    return {entry.name for entry in folder.iterdir()}


class TestPublish:
    """From nothing, from what is live, and when nothing changed."""

    def test_the_layout_is_the_documented_one(self, site_root: SiteRoot) -> None:
        """Assets beside the apps, a release by its hash, `current` a relative symlink to it."""
        done = put_version(site_root, 1)
        release = app_path(site_root) / "releases" / done.build_hash
        assert str((app_path(site_root) / "current").readlink()) == f"releases/{done.build_hash}"
        assert served(site_root, "play/index.html") == pages(1)["play/index.html"]
        assert load((release / "manifest.json").read_bytes()) == manifest(pages(1), assets(1))
        assert names(site_root.path / NODE / "assets") == {asset.name for asset in assets(1)}
        assert (done.swapped, done.files_written, done.files_linked) == (True, 13, 0)
        assert done.assets_written == 2

    def test_live_is_none_before_and_the_manifest_after(self, site_root: SiteRoot) -> None:
        """What is live is read back as it was published."""
        assert live(site_root, NODE, "play") is None
        put_version(site_root, 1)
        assert live(site_root, NODE, "play") == manifest(pages(1), assets(1))
        assert verify(site_root, NODE, "play") == ()

    def test_unchanged_files_are_the_same_files(self, site_root: SiteRoot) -> None:
        """What did not change is linked, keeps its time, and is not written again."""
        put_version(site_root, 1)
        before = (app_path(site_root) / "current" / "play/p5/index.html").stat()
        done = put_version(site_root, 2)
        after = (app_path(site_root) / "current" / "play/p5/index.html").stat()
        assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
        assert (done.files_written, done.files_linked, done.assets_written) == (3, 10, 1)

    def test_equal_bytes_are_left_alone(self, site_root: SiteRoot) -> None:
        """Publishing what is live writes nothing and swaps nothing."""
        put_version(site_root, 1)
        before = {
            path: path.lstat() for path in sorted(site_root.path.rglob("*")) if path.name != ".lock"
        }
        done = put_version(site_root, 1)
        again = publish(site_root, manifest(pages(1), assets(1)), pages(1), assets(1))
        assert (done.swapped, again.swapped, again.bytes_written) == (False, False, 0)
        after = {
            path: path.lstat() for path in sorted(site_root.path.rglob("*")) if path.name != ".lock"
        }
        assert {path: stats.st_ino for path, stats in before.items()} == {
            path: stats.st_ino for path, stats in after.items()
        }

    def test_a_release_that_exists_is_used_again(self, site_root: SiteRoot) -> None:
        """Going back to earlier content writes no file."""
        put_version(site_root, 1)
        put_version(site_root, 2)
        done = put_version(site_root, 1)
        assert (done.swapped, done.files_written, done.files_linked) == (True, 0, 0)
        assert served(site_root, "play/index.html") == pages(1)["play/index.html"]

    def test_equal_bytes_from_other_inputs_are_remembered(self, site_root: SiteRoot) -> None:
        """The manifest takes the new inputs though no page changed."""
        put_version(site_root, 1)
        wanted = manifest(pages(1), assets(1))
        other = replace(wanted, toolchain="another")
        assert not publish(site_root, other, {}, assets(1)).swapped
        assert live(site_root, NODE, "play") == other

    def test_files_are_read_only_and_obey_the_umask(self, site_root: SiteRoot) -> None:
        """No editor saves over a file that several releases share."""
        put_version(site_root, 1)
        mode = (app_path(site_root) / "current" / "play/index.html").stat().st_mode
        assert stat.S_IMODE(mode) & 0o222 == 0

    def test_a_removed_page_is_gone(self, site_root: SiteRoot) -> None:
        """What the manifest does not name is not in the release."""
        put_version(site_root, 1)
        fewer = {path: content for path, content in pages(2).items() if "p5" not in path}
        put(site_root, fewer, assets(2))
        assert not (app_path(site_root) / "current" / "play/p5").exists()

    def test_previous_is_what_was_live_before(self, site_root: SiteRoot) -> None:
        """There is something to go back to."""
        first = put_version(site_root, 1)
        assert not (app_path(site_root) / "previous").exists()
        put_version(site_root, 2)
        assert str((app_path(site_root) / "previous").readlink()) == f"releases/{first.build_hash}"

    def test_the_fence_stops_the_swap(self, site_root: SiteRoot) -> None:
        """Whoever lost the lease publishes nothing."""
        put_version(site_root, 1)

        def lost() -> None:
            raise DatabaseUnavailable("the lease is lost")

        with pytest.raises(DatabaseUnavailable):
            publish(site_root, manifest(pages(2), assets(2)), pages(2), assets(2), fence=lost)
        assert served(site_root, "play/index.html") == pages(1)["play/index.html"]
        assert put_version(site_root, 2).files_written == 0

    def test_other_work_is_done_while_the_disk_is_waited_for(
        self, site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is begun before the sync ends, and what fails there swaps nothing."""
        put_version(site_root, 1)
        done, synced = threading.Event(), threading.Event()

        def sync(_path: Path) -> None:
            assert done.wait(30)
            synced.set()

        monkeypatch.setattr(system_calls, "sync_file_system", sync)
        with write_release(
            site_root, manifest(pages(2), assets(2)), pages(2), assets(2)
        ) as written:
            assert not synced.is_set()
            done.set()
            make_live(written)
        assert synced.is_set()
        assert served(site_root, "play/index.html") == pages(2)["play/index.html"]

        def fails(_path: Path) -> None:
            raise OSError(errno.EIO, "the disk is gone")

        monkeypatch.setattr(system_calls, "sync_file_system", fails)
        with pytest.raises(SiteUnavailable, match="the disk is gone"):
            publish(site_root, manifest(pages(3), assets(3)), pages(3), assets(3))
        assert served(site_root, "play/index.html") == pages(2)["play/index.html"]

    def test_content_that_nobody_has_is_asked_for(self, site_root: SiteRoot) -> None:
        """A file neither handed in nor live is named, and nothing changes."""
        with pytest.raises(SiteUnavailable, match=r"play/p3/index\.html"):
            publish(
                site_root,
                manifest(pages(1), assets(1)),
                {path: content for path, content in pages(1).items() if "p3" not in path},
                assets(1),
            )
        assert live(site_root, NODE, "play") is None

    def test_an_asset_that_nobody_has_is_asked_for(self, site_root: SiteRoot) -> None:
        """A page never goes live before its assets."""
        with pytest.raises(SiteUnavailable, match=assets(1)[1].name):
            publish(site_root, manifest(pages(1), assets(1)), pages(1), assets(1)[:1])
        assert live(site_root, NODE, "play") is None

    def test_many_folders_and_names(self, site_root: SiteRoot) -> None:
        """Deep folders and names in any script are written and linked."""
        files = {"a/b/c/d/e.html": b"1", "über/日本.html": b"2", "a/b.html": b"3", "x y.html": b"4"}
        put(site_root, files, [])
        put(site_root, {**files, "a/b.html": b"5"}, [])
        assert {path: served(site_root, path) for path in files} == {**files, "a/b.html": b"5"}
        assert verify(site_root, NODE, "play") == ()

    def test_without_hard_links_files_are_copied(
        self, site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A file system without them, or with too many, costs a copy."""
        put_version(site_root, 1)

        def refused(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.EMLINK, os.strerror(errno.EMLINK))

        monkeypatch.setattr(os, "link", refused)
        put_version(site_root, 2)
        assert verify(site_root, NODE, "play") == ()
        assert (app_path(site_root) / "current" / "play/p5/index.html").stat().st_nlink == 1

    def test_the_manifest_survives_a_round_trip(self) -> None:
        """Its JSON is equal for equal manifests and gives the same manifest back."""
        wanted = manifest(pages(3), assets(3))
        content = ManifestWriter().dump(wanted)
        assert load(content) == wanted
        assert ManifestWriter().dump(load(content)) == content

    @pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"format": 99}', b"\xff"])
    def test_what_is_no_manifest_is_refused(self, text: bytes) -> None:
        """Garbage is a ValueError, never another exception."""
        with pytest.raises(ValueError, match=r".*"):
            load(text)


class TestDamage:
    """Drift: what was published and is not there any more."""

    @pytest.mark.parametrize("atomic", [True, False], ids=["exchange", "by links"])
    @pytest.mark.parametrize("how", ["edited", "deleted", "folder gone", "symlink", "hidden"])
    def test_a_damaged_live_release_is_found_and_repaired(
        self, site_root: SiteRoot, how: str, atomic: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """verify() names the file; publishing the same content with it makes all whole."""
        if not atomic:
            monkeypatch.setattr(system_calls, "exchange", lambda *_paths: False)
        put_version(site_root, 1)
        path = "play/p5/index.html"
        file = app_path(site_root) / "current" / path
        if how == "edited":
            overwrite(file, b"defaced")
        elif how == "deleted":
            file.unlink()
        elif how == "folder gone":
            shutil.rmtree(file.parent)
        elif how == "symlink":
            shutil.copytree(file.parent, site_root.path / "elsewhere")
            shutil.rmtree(file.parent)
            file.parent.symlink_to(site_root.path / "elsewhere")
        else:
            status = file.stat()
            overwrite(file, b"x" * status.st_size)
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert verify(site_root, NODE, "play") == (path,)
        assert verify(site_root, NODE, "play", quick=True) == (() if how == "hidden" else (path,))
        done = publish(site_root, manifest(pages(1), assets(1)), {path: pages(1)[path]}, assets(1))
        assert (done.swapped, done.files_written, done.files_linked) == (True, 1, 12)
        assert verify(site_root, NODE, "play") == ()
        assert names(app_path(site_root) / "releases") == {done.build_hash}

    def test_damage_never_spreads(self, site_root: SiteRoot) -> None:
        """A damaged file is not linked into the next release: its content is asked for."""
        put_version(site_root, 1)
        overwrite(app_path(site_root) / "current" / "play/p5/index.html", b"defaced")
        with pytest.raises(SiteUnavailable, match=r"play/p5/index\.html"):
            put_version(site_root, 2)
        assert served(site_root, "play/index.html") == pages(1)["play/index.html"]
        publish(site_root, manifest(pages(2), assets(2)), pages(2), assets(2))
        assert verify(site_root, NODE, "play") == ()

    def test_a_garbled_manifest_means_everything_anew(self, site_root: SiteRoot) -> None:
        """live() trusts nothing then, and publishing all contents heals."""
        put_version(site_root, 1)
        overwrite(app_path(site_root) / "current" / "manifest.json", b"{}")
        assert live(site_root, NODE, "play") is None
        assert verify(site_root, NODE, "play") == ("manifest.json",)
        assert put_version(site_root, 1).swapped
        assert verify(site_root, NODE, "play") == ()

    def test_a_dangling_current_means_everything_anew(self, site_root: SiteRoot) -> None:
        """Someone deleted the live release."""
        done = put_version(site_root, 1)
        shutil.rmtree(app_path(site_root) / "releases" / done.build_hash)
        assert live(site_root, NODE, "play") is None
        put_version(site_root, 1)
        assert verify(site_root, NODE, "play") == ()

    def test_a_damaged_release_that_is_not_live_is_not_used_again(
        self, site_root: SiteRoot
    ) -> None:
        """Going back to it writes what is damaged."""
        first = put_version(site_root, 1)
        put_version(site_root, 2)
        overwrite(
            app_path(site_root) / "releases" / first.build_hash / "play/index.html", b"defaced"
        )
        put_version(site_root, 1)
        assert verify(site_root, NODE, "play") == ()

    @pytest.mark.parametrize("how", ["edited", "deleted", "same size"])
    def test_a_damaged_asset_is_found_and_repaired(self, site_root: SiteRoot, how: str) -> None:
        """verify() names it by its URL; publishing with it writes it."""
        put_version(site_root, 1)
        asset = assets(1)[0]
        file = site_root.path / NODE / "assets" / asset.name
        if how == "deleted":
            file.unlink()
        else:
            overwrite(file, b"x" * (len(asset.content) if how == "same size" else 3))
        assert verify(site_root, NODE, "play") == (asset.url,)
        assert put_version(site_root, 1).assets_written == 1
        assert verify(site_root, NODE, "play") == ()

    def test_a_lost_stat_index_costs_time_only(self, site_root: SiteRoot) -> None:
        """Without the recorded sizes and times files are read instead."""
        put_version(site_root, 1)
        (app_path(site_root) / "current" / ".seal").unlink()
        assert verify(site_root, NODE, "play", quick=True) == ()
        assert put_version(site_root, 2).files_linked == 10

    def test_leftovers_of_killed_runs_are_swept(self, site_root: SiteRoot) -> None:
        """Temporary names do not pile up."""
        put_version(site_root, 1)
        (app_path(site_root) / "releases" / ".tmp-1-aaaa-x" / "play").mkdir(parents=True)
        (app_path(site_root) / ".tmp-1-bbbb-current").symlink_to("releases/none")
        put_version(site_root, 2)
        assert not list(app_path(site_root).rglob(".tmp-*"))


class TestHostile:
    """Names and links that would lead out of the release."""

    @pytest.mark.parametrize(
        "path",
        [
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a//b",
            "",
            ".",
            "a/.",
            "a/",
            "a\\b",
            "a\0b",
            "manifest.json",
            ".seal",
            ".verified",
            "a\nb",
            "x" * 300,
            "a/" * 600 + "b",
            "\ud800",
        ],
    )
    def test_a_path_that_leaves_the_release_is_refused(
        self, site_root: SiteRoot, path: str
    ) -> None:
        """It is content's fault, and nothing is written."""
        wanted = replace(manifest({}, []), files={path: sha256("x")})
        with pytest.raises(ContentError, match=r"leaves the release|reserved"):
            publish(site_root, wanted, {path: b"x"}, [])
        assert not site_root.path.exists()

    def test_a_file_that_would_be_a_folder_is_refused(self, site_root: SiteRoot) -> None:
        """Two pages can't be `a` and `a/b`."""
        with pytest.raises(ContentError, match="both a file and a folder"):
            put(site_root, {"a": b"1", "a/b": b"2"}, [])

    @pytest.mark.parametrize("name", ["../x.js", "a/b.js", ".hidden", "", "A.js", "x\0.js"])
    def test_an_asset_that_leaves_its_folder_is_refused(
        self, site_root: SiteRoot, name: str
    ) -> None:
        """Assets have plain names."""
        with pytest.raises(ContentError, match="can't name"):
            publish(site_root, manifest({}, []), {}, [Asset(name, b"x")])

    @pytest.mark.parametrize(
        ("node", "app"),
        [("..", "play"), ("a/b", "play"), ("", "play"), (NODE, ".."), (NODE, "assets")],
    )
    def test_a_node_or_app_that_is_no_folder_is_refused(
        self, site_root: SiteRoot, node: str, app: str
    ) -> None:
        """What reads finds nothing there, and what writes refuses it."""
        for call in (live, verify, pinned):
            assert not call(site_root, node, app)
        with pytest.raises(ContentError, match=r"folder|assets"):
            prune(site_root, node, app)
        with pytest.raises(ContentError), lock(site_root, node, app):
            pass

    def test_a_symlink_in_an_assets_place_is_replaced_not_followed(
        self, site_root: SiteRoot, tmp_path: Path
    ) -> None:
        """Nothing outside the site root is written."""
        outside = tmp_path / "outside"
        outside.write_text("mine")
        folder = site_root.path / NODE / "assets"
        folder.mkdir(parents=True)
        (folder / assets(1)[0].name).symlink_to(outside)
        put_version(site_root, 1)
        assert outside.read_text() == "mine"
        assert not (folder / assets(1)[0].name).is_symlink()

    def test_a_fifo_in_a_files_place_does_not_hang(self, site_root: SiteRoot) -> None:
        """Only regular files count."""
        put_version(site_root, 1)
        file = app_path(site_root) / "current" / "play/p5/index.html"
        file.unlink()
        os.mkfifo(file)
        assert verify(site_root, NODE, "play") == ("play/p5/index.html",)


class TestErrors:
    """The disk refuses: the error says what, where, why, and what to do."""

    def test_a_full_disk(self, site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch) -> None:
        """What was live stays, and the remedy is told."""
        put_version(site_root, 1)

        def full(*_args: object, **_kwargs: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(SiteUnavailable, match=r"(?s)No space left.*free space"):
                put_version(site_root, 2)
        assert served(site_root, "play/index.html") == pages(1)["play/index.html"]
        assert put_version(site_root, 2).swapped

    def test_a_file_in_the_site_roots_place(self, site_root: SiteRoot) -> None:
        """It is named."""
        site_root.path.write_text("in the way")
        with pytest.raises(SiteUnavailable, match=str(site_root.path)):
            put_version(site_root, 1)

    def test_a_folder_in_the_place_of_current(self, site_root: SiteRoot) -> None:
        """A folder that someone made is not removed; it is named."""
        (app_path(site_root) / "current").mkdir(parents=True)
        with pytest.raises(SiteUnavailable, match="current"):
            put_version(site_root, 1)

    def test_a_folder_without_permission(self, site_root: SiteRoot) -> None:
        """The remedy is told."""
        site_root.path.mkdir(mode=0o555)
        if os.access(site_root.path, os.W_OK):
            pytest.skip("this user may write anywhere")
        with pytest.raises(SiteUnavailable, match="permission"):
            put_version(site_root, 1)


class TestLock:
    """One publisher for an app."""

    def test_a_second_one_waits_and_then_gives_up(self, site_root: SiteRoot) -> None:
        """The error names who holds it."""
        failures: list[Exception] = []

        def other() -> None:
            try:
                with lock(site_root, NODE, "play", timeout_s=0.05):
                    pass
            except SiteUnavailable as error:
                failures.append(error)

        with lock(site_root, NODE, "play"):
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(20)
        assert str(os.getpid()) in str(failures[0])

    def test_the_holder_may_publish(self, site_root: SiteRoot) -> None:
        """The pipeline takes it around live() and publish()."""
        with lock(site_root, NODE, "play"), lock(site_root, NODE, "play"):
            assert put_version(site_root, 1).swapped
        with lock(site_root, NODE, "play", timeout_s=0):
            pass

    def test_publishers_at_once_all_succeed(self, site_root: SiteRoot) -> None:
        """Threads that publish to one app and to others leave whole releases."""
        errors: list[Exception] = []

        def work(number: int) -> None:
            try:
                for version in range(number, number + 4):
                    files = pages(version)
                    publish(site_root, manifest(files, assets(version)), files, assets(version))
                    put(site_root, files, assets(version), app=f"app{number}")
            except SiteUnavailable as error:
                errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(50)
        assert errors == []
        for app in ("play", "app1", "app2", "app3"):
            assert verify(site_root, NODE, app) == ()


class TestPrune:
    """What goes and what stays."""

    def test_the_last_ones_stay(self, site_root: SiteRoot) -> None:
        """`keep` releases that were live last; the rest goes."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 7)]
        assert set(prune(keeping(site_root, 3), NODE, "play").releases) == set(hashes[:3])
        assert names(app_path(site_root) / "releases") == set(hashes[3:])
        assert prune(keeping(site_root, 3), NODE, "play").releases == ()

    def test_slack_lets_some_gather(self, site_root: SiteRoot) -> None:
        """With slack nothing goes until there are so many too many; then all of those go."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 6)]
        assert prune(keeping(site_root, 3), NODE, "play", slack=2).releases == ()
        hashes.append(put_version(site_root, 6).build_hash)
        assert set(prune(keeping(site_root, 3), NODE, "play", slack=2).releases) == set(hashes[:3])

    def test_current_previous_and_pinned_never_go(self, site_root: SiteRoot) -> None:
        """Though newer ones exist."""
        hashes = [put_version(site_root, version).build_hash for version in range(1, 5)]
        (app_path(site_root) / "pinned").write_text(hashes[0])
        assert pinned(site_root, NODE, "play") == Pin(build_hash=hashes[0])
        prune(keeping(site_root, 1), NODE, "play")
        assert names(app_path(site_root) / "releases") == {hashes[0], hashes[2], hashes[3]}
        assert verify(site_root, NODE, "play") == ()

    def test_what_never_was_live_goes_first(self, site_root: SiteRoot) -> None:
        """A release of a run that was stopped by its fence is no candidate for going back."""
        put_version(site_root, 1)

        def stop() -> None:
            raise DatabaseUnavailable("the lease is lost")

        wanted = manifest(pages(2), assets(2))
        with pytest.raises(DatabaseUnavailable):
            publish(site_root, wanted, pages(2), assets(2), fence=stop)
        assert prune(site_root, NODE, "play").releases == (wanted.build_hash,)

    def test_an_asset_goes_by_reference_and_age(self, site_root: SiteRoot) -> None:
        """Only what no kept release of any app needs, and has not for a week."""
        shared = Asset.of("shared", "js", "// shared")
        put(site_root, pages(1), [*assets(1), shared])
        put(site_root, {"about.html": b"about"}, [shared], app="shared")
        for version in (2, 3):
            put_version(site_root, version)
        old = time.time() - 30 * 86_400
        for name in names(site_root.path / NODE / "assets"):
            os.utime(site_root.path / NODE / "assets" / name, (old, old))
        done = prune(keeping(site_root, 1), NODE, "play", sweep_hours=0)
        assert (len(done.releases), done.assets) == (1, 0), "unreferenced only since now"
        os.utime(site_root.path / NODE / "assets" / assets(1)[1].name, (old, old))
        done = prune(keeping(site_root, 1), NODE, "play", sweep_hours=0)
        assert done.assets == 1
        expected = {assets(1)[0].name, assets(2)[1].name, assets(3)[1].name, shared.name}
        assert names(site_root.path / NODE / "assets") == expected

    def test_an_asset_in_use_looks_young(self, site_root: SiteRoot) -> None:
        """Publishing touches an old asset, so that no pruning in between takes it."""
        put_version(site_root, 1)
        asset = site_root.path / NODE / "assets" / assets(1)[0].name
        os.utime(asset, (1, 1))
        put_version(site_root, 2)
        assert asset.stat().st_mtime > time.time() - 3600

    def test_a_release_of_a_wrong_clock_is_not_kept_for_ever(self, site_root: SiteRoot) -> None:
        """What was live "next year" goes before what was live since, unless it is live."""
        to_come = time.time() + 365 * 86_400
        odd = put_version(site_root, 1).build_hash
        os.utime(app_path(site_root) / "releases" / odd / VERIFIED, (to_come, to_come))
        assert prune(keeping(site_root, 1), NODE, "play").releases == ()
        for version in (2, 3, 4):
            put_version(site_root, version)
        assert odd in prune(keeping(site_root, 2), NODE, "play").releases

    def test_assets_of_a_wrong_clock_go_too(self, site_root: SiteRoot) -> None:
        """A time that is still to come puts neither the check nor the removal off for ever."""
        for version in (1, 2, 3):
            put_version(site_root, version)
        folder = site_root.path / NODE / "assets"
        asset = folder / assets(1)[1].name
        prune(keeping(site_root, 1), NODE, "play")
        to_come = time.time() + 365 * 86_400
        for path in (asset, folder.parent / ".assets.swept"):
            os.utime(path, (to_come, to_come))
        assert prune(keeping(site_root, 1), NODE, "play").assets == 0
        assert asset.stat().st_mtime < to_come
        assert prune(keeping(site_root, 1, asset_days=-1), NODE, "play", sweep_hours=0).assets > 0
        assert not asset.exists()

    def test_a_place_without_releases_is_no_error(self, site_root: SiteRoot) -> None:
        """Nothing is there to prune."""
        assert prune(site_root, NODE, "play").releases == ()


@pytest.fixture
def origin(site_root: SiteRoot) -> Iterator[tuple[str, list[str]]]:
    """A plain web server over one release folder, and the folder it serves (replaceable)."""
    serves = ["current"]

    class Handler(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path: str) -> str:
            if path.startswith(ASSET_PREFIX):
                return str(site_root.path / NODE / "assets" / path.removeprefix(ASSET_PREFIX))
            return (
                str(app_path(site_root) / serves[0])
                + path
                + ("index.html" if path[-1] == "/" else "")
            )

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

    def test_the_right_bytes_pass(self, site_root: SiteRoot, origin: tuple[str, list[str]]) -> None:
        """Any server will do that sends the release's bytes."""
        put_version(site_root, 1)
        done = publish(
            site_root, manifest(pages(2), assets(2)), pages(2), assets(2), smoke_url=origin[0]
        )
        assert done.swapped
        assert live(site_root, NODE, "play") == manifest(pages(2), assets(2))

    def test_other_bytes_swap_back(
        self, site_root: SiteRoot, origin: tuple[str, list[str]]
    ) -> None:
        """A server that keeps sending the old page brings the old release back, and says why."""
        zero = put_version(site_root, 0)
        first = put_version(site_root, 1)
        origin[1][0] = f"releases/{first.build_hash}"
        wanted = manifest(pages(2), assets(2))
        with pytest.raises(SiteUnavailable, match=r"(?s)swapped back.*bytes are not those"):
            publish(site_root, wanted, pages(2), assets(2), smoke_url=origin[0])
        assert live(site_root, NODE, "play") == manifest(pages(1), assets(1))
        assert str((app_path(site_root) / "previous").readlink()) == f"releases/{zero.build_hash}"
        assert wanted.build_hash in prune(site_root, NODE, "play").releases

    def test_no_answer_swaps_back(self, site_root: SiteRoot) -> None:
        """A server that is down is told as such."""
        put_version(site_root, 1)
        with pytest.raises(SiteUnavailable, match=r"(?s)swapped back.*127\.0\.0\.1"):
            publish(
                site_root,
                manifest(pages(2), assets(2)),
                pages(2),
                assets(2),
                smoke_url="http://127.0.0.1:9",
            )
        assert live(site_root, NODE, "play") == manifest(pages(1), assets(1))


def test_equal_content_gives_equal_releases(tmp_path: Path) -> None:
    """Two site roots get the same manifest, byte for byte, whatever came before."""
    one, two = SiteRoot(tmp_path / "one"), SiteRoot(tmp_path / "two")
    put_version(one, 1)
    put_version(two, 7)
    put_version(two, 1)
    assert served(one, "manifest.json") == served(two, "manifest.json")


def test_another_apps_manifest_is_not_trusted(site_root: SiteRoot) -> None:
    """A release folder copied from elsewhere is not taken for this app's."""
    done = put_version(site_root, 1)
    (site_root.path / NODE / "work").mkdir()
    shutil.copytree(app_path(site_root) / "releases", site_root.path / NODE / "work" / "releases")
    (site_root.path / NODE / "work" / "current").symlink_to(f"releases/{done.build_hash}")
    found: Manifest | None = live(site_root, NODE, "work")
    assert found is None


def test_a_files_time_stands_for_its_content(site_root: SiteRoot) -> None:
    """Equal content has one time wherever it was written, other content another, none to come."""
    put_version(site_root, 1)
    first = {path: (app_path(site_root) / "current" / path).stat().st_mtime for path in pages(1)}
    put_version(site_root, 2)
    put_version(site_root, 1)
    whole = SiteRoot(site_root.path.with_name("other"))
    put_version(whole, 1)
    for root in (site_root, whole):
        folder = app_path(root) / "current"
        assert {path: (folder / path).stat().st_mtime for path in pages(1)} == first
    assert len({int(time) for time in first.values()}) == len(set(pages(1).values()))
    assert all(0 < time < 2**30 + 1 for time in first.values())


def test_a_folder_that_a_web_server_may_not_enter_is_named() -> None:
    """The first one from the root down, and none where everybody may enter all."""
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        above = Path(folder).resolve()
        above.chmod(0o755)
        site_root = SiteRoot(above / "site")
        put_version(site_root, 1)
        for each in (site_root.path, *site_root.path.rglob("*/")):
            each.chmod(0o755)
        assert closed_to(site_root) is None
        release = (app_path(site_root) / "current").resolve()
        for each in (release, app_path(site_root), site_root.path, above):
            each.chmod(0o750)
            found = closed_to(site_root)
            assert found is not None
            assert found.resolve() == each
