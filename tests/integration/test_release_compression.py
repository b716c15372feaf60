"""Compressed copies of assets: made once, beside their asset, right, and gone with it."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import brotli
import pytest
import zstandard

from robbieblocks import release
from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Asset
from robbieblocks.release import SUFFIXES, AppFolder, SiteRoot
from robbieblocks.release.compression import child_process
from tests.integration.releases import NODE, keeping, manifest, pages, publish, put

SCRIPT = Asset.of("react", "js", "// react\n" * 500)
OTHER = Asset.of("other", "css", "body {}\n" * 500)
FONT = Asset.of("orbitron", "woff2", bytes(2000))
SHORT = Asset.of("short", "js", "1")
DAY_S = 86_400


@pytest.fixture
def site_root(tmp_path: Path) -> SiteRoot:
    """A node whose app has four assets."""
    root = SiteRoot(tmp_path / "site")
    put(root, pages(1), [SCRIPT, OTHER, FONT, SHORT])
    return root


def folder(root: SiteRoot, node: str = NODE) -> Path:
    """The node's assets."""
    return AppFolder.of(root, node, "play").assets


def copies(root: SiteRoot, node: str = NODE) -> dict[str, tuple[int, int]]:
    """Inode and time of each compressed copy."""
    return {
        path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in folder(root, node).iterdir()
        if path.suffix in SUFFIXES.values()
    }


def test_text_has_a_copy_in_each_coding(site_root: SiteRoot) -> None:
    """Fonts and what is short have none; a copy may be read by everybody and written by nobody."""
    release.compress_assets(site_root, NODE, "play")
    names = {each.name + suffix for each in (SCRIPT, OTHER) for suffix in SUFFIXES.values()}
    assert copies(site_root).keys() == names
    of = folder(site_root) / SCRIPT.name
    assert brotli.decompress(Path(f"{of}.br").read_bytes()) == SCRIPT.content
    assert gzip.decompress(Path(f"{of}.gz").read_bytes()) == SCRIPT.content
    packed = Path(f"{of}.zst").read_bytes()
    assert zstandard.ZstdDecompressor().decompress(packed) == SCRIPT.content
    assert zstandard.get_frame_parameters(packed).window_size <= 8 << 20
    assert Path(f"{of}.br").stat().st_mode & 0o777 == 0o444


def test_a_copy_is_made_once(site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch) -> None:
    """By this process, by the next one, and by another node: that one links it."""
    release.compress_assets(site_root, NODE, "play")
    made = copies(site_root)
    with monkeypatch.context() as patch:
        patch.setattr("robbieblocks.process.run", None)  # no process is started
        release.compress_assets(site_root, NODE, "play")
    again = SiteRoot(site_root.path)
    release.compress_assets(again, NODE, "play")
    files, given = pages(1), [SCRIPT, OTHER]
    publish(again, manifest(files, given, node="other-node"), files, given)
    release.compress_assets(again, "other-node", "play")
    assert copies(again) == made
    assert copies(again, "other-node") == made


@pytest.mark.parametrize("damage", [b"", b"not compressed", gzip.compress(b"another's", mtime=0)])
def test_a_wrong_copy_is_made_again(site_root: SiteRoot, damage: bytes) -> None:
    """A browser would keep it for a year."""
    release.compress_assets(site_root, NODE, "play")
    made = {name: (folder(site_root) / name).read_bytes() for name in copies(site_root)}
    for name in made:
        (folder(site_root) / name).unlink()
        (folder(site_root) / name).write_bytes(damage)
    release.compress_assets(site_root, NODE, "play")
    assert {name: (folder(site_root) / name).read_bytes() for name in made} == made


def test_a_copy_with_something_behind_it_is_made_again(site_root: SiteRoot) -> None:
    """A browser would refuse it."""
    release.compress_assets(site_root, NODE, "play")
    made = {name: (folder(site_root) / name).read_bytes() for name in copies(site_root)}
    for name, content in made.items():
        (folder(site_root) / name).unlink()
        (folder(site_root) / name).write_bytes(content + b"x")
    release.compress_assets(site_root, NODE, "play")
    assert {name: (folder(site_root) / name).read_bytes() for name in made} == made


def test_a_damaged_asset_has_no_copies_made_of_it(site_root: SiteRoot) -> None:
    """Nor are right ones replaced; once it is repaired its copies are looked at again."""
    damaged, whole = (folder(site_root) / each.name for each in (SCRIPT, OTHER))
    release.compress_assets(site_root, NODE, "play")
    right = Path(f"{damaged}.gz").read_bytes()
    Path(f"{damaged}.br").unlink()
    damaged.chmod(0o644)
    damaged.write_bytes(SCRIPT.content.replace(b"react", b"evil!", 1))
    Path(f"{whole}.br").unlink()
    release.compress_assets(site_root, NODE, "play")
    assert Path(f"{damaged}.gz").read_bytes() == right
    assert not Path(f"{damaged}.br").exists()
    assert Path(f"{whole}.br").exists()
    damaged.write_bytes(SCRIPT.content)
    release.compress_assets(site_root, NODE, "play")
    assert brotli.decompress(Path(f"{damaged}.br").read_bytes()) == SCRIPT.content


def test_of_many_assets_some_have_their_turn_later(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a wrong copy of those is found then."""
    release.compress_assets(site_root, NODE, "play")
    wrong = folder(site_root) / f"{max(SCRIPT.name, OTHER.name)}.gz"
    wrong.unlink()
    wrong.write_bytes(b"")
    monkeypatch.setattr("robbieblocks.release.compression.copies._AT_ONCE", 1)
    again = SiteRoot(site_root.path)
    for _ in range(2):
        release.compress_assets(again, NODE, "play")
    assert gzip.decompress(wrong.read_bytes())


def test_a_copy_goes_with_its_asset(site_root: SiteRoot) -> None:
    """And not before; one whose asset is gone goes by its own age."""
    release.compress_assets(site_root, NODE, "play")
    put(site_root, pages(2), [SCRIPT])
    orphan = folder(site_root) / "gone-0123456789abcdef.js.gz"
    orphan.write_bytes(b"")
    for path in folder(site_root).iterdir():
        age = time.time() - 8 * DAY_S
        os.utime(path, (age, age), follow_symlinks=False)
    release.prune(keeping(site_root, 1), NODE, "play", sweep_hours=0.0)
    # The release before is kept, and refers to it.
    assert (folder(site_root) / (OTHER.name + ".br")).exists()
    assert not orphan.exists()
    for version in range(3, 9):
        put(site_root, pages(version), [SCRIPT])
    age = time.time() - 8 * DAY_S
    for path in folder(site_root).iterdir():
        os.utime(path, (age, age), follow_symlinks=False)
    release.prune(keeping(site_root, 1), NODE, "play", sweep_hours=0.0)
    left = {path.name for path in folder(site_root).iterdir()}
    assert left == {SCRIPT.name, *(SCRIPT.name + suffix for suffix in SUFFIXES.values())}


def test_it_stops_when_it_is_told_to(site_root: SiteRoot) -> None:
    """A worker that ends does not wait for it; what is made stays."""
    with pytest.raises(ProcessFailed, match="told to stop"):
        release.compress_assets(site_root, NODE, "play", go_on=lambda: False)
    release.compress_assets(site_root, NODE, "play")
    assert copies(site_root)


def test_where_nothing_is_live_nothing_is_made(tmp_path: Path) -> None:
    """Nor is a folder."""
    release.compress_assets(SiteRoot(tmp_path / "none"), NODE, "play")
    assert not (tmp_path / "none").exists()


def test_an_asset_that_is_pruned_meanwhile_is_no_failure(site_root: SiteRoot) -> None:
    """The others are compressed."""
    names = ["gone-0123456789abcdef.js", SCRIPT.name]
    assert child_process.main(folder(site_root), names) == 0
    assert {Path(name).stem for name in copies(site_root)} == {SCRIPT.name}
