"""Manifests that are told from an earlier one: as whole as those that are written whole."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest

from robbieblocks.model import Manifest
from robbieblocks.release import SiteRoot, live, mend_live, prune, verify
from robbieblocks.release.names import BASE, MANIFEST
from robbieblocks.release.pinning.kept_releases import kept_releases, whole_manifest
from robbieblocks.release.reading import files_manifest
from robbieblocks.release.retention.pruning import assets_in_use
from robbieblocks.release.standby.trees import refresh_standby_tree
from tests.integration.releases import (
    NODE,
    app_folder,
    assets,
    keeping,
    manifest,
    overwrite,
    pages,
    put,
    put_version,
    put_whole,
)

pytestmark = pytest.mark.usefixtures("told")


def current(site_root: SiteRoot) -> Path:
    return app_folder(site_root).current


def wanted(version: int) -> Manifest:
    return manifest(pages(version), assets(version))


def same(version: int) -> Manifest:
    """A version whose pages refer to what those of the others do."""
    return manifest(pages(version), assets(1))


def read_anew(site_root: SiteRoot) -> Manifest | None:
    """What another process reads."""
    return live(SiteRoot(site_root.path), NODE, "play")


def test_releases_share_what_they_are_told_from(site_root: SiteRoot) -> None:
    """Of an edit the manifest has what differs; standby trees have it, too."""
    for version in range(4):
        put(site_root, pages(version), assets(1))
        refresh_standby_tree(app_folder(site_root))
        assert read_anew(site_root) == live(site_root, NODE, "play") == same(version)
    folders = [*app_folder(site_root).releases.iterdir()]
    assert len(folders) > 3
    assert len({(folder / BASE).stat().st_ino for folder in folders}) == 1
    said = json.loads((current(site_root) / MANIFEST).read_bytes())
    assert (said["format"], [page["path"] for page in said["pages"]]) == (
        2,
        ["play/index.html", "play/p3/index.html"],
    )
    for kept in kept_releases(SiteRoot(site_root.path), NODE, "play"):
        found = whole_manifest(app_folder(SiteRoot(site_root.path)), kept.build_hash)
        assert found in [same(version) for version in range(4)]


@pytest.mark.parametrize("seed", range(2))
def test_any_edits_are_read_as_they_were_written(site_root: SiteRoot, seed: int) -> None:
    """Whatever comes, goes and changes, by whichever process; its files alone, too."""
    chance = random.Random(seed)
    files = pages(0)
    for edition in range(16):
        for path in chance.sample(sorted(files), chance.choice((1, 1, 1, 9))):
            if chance.random() < 0.3 and path != "play/index.html":
                del files[path]
            else:
                files[path] = f"{edition}".encode()
        for number in range(chance.choice((0, 0, 1, 9))):
            files[f"play/new-{edition}-{number}/index.html"] = b"new"
        given = assets(chance.randrange(3))
        put(site_root, files, given)
        assert read_anew(site_root) == manifest(files, given)
        alone = files_manifest(SiteRoot(site_root.path), current(site_root).resolve())
        assert alone is not None
        assert alone.files == manifest(files, given).files
        if chance.random() < 0.3:
            site_root = SiteRoot(site_root.path)
        assert verify(site_root, NODE, "play") == ()


def test_a_new_base_comes_where_much_differs(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the difference would become as large as the whole."""
    monkeypatch.setattr("robbieblocks.release.manifest_writer._TOLD_PART", 4)
    put(site_root, pages(1), assets(1))
    first = (current(site_root) / BASE).stat().st_ino
    put(site_root, pages(2), assets(1))
    assert (current(site_root) / BASE).stat().st_ino == first
    other = dict.fromkeys(pages(0), b"other")
    put(site_root, other, assets(2))
    assert (current(site_root) / BASE).stat().st_ino != first
    assert read_anew(site_root) == manifest(other, assets(2))


@pytest.mark.parametrize("damage", ["gone", "edited", "a link"])
@pytest.mark.parametrize("is_known", [True, False], ids=["known", "another process"])
def test_a_damaged_base_is_found_and_made_good(
    site_root: SiteRoot, damage: str, is_known: bool
) -> None:
    """As a damaged manifest is: nothing is known of what is live, and all is written again."""
    put_version(site_root, 1)
    put_version(site_root, 2)
    base = current(site_root) / BASE
    if damage == "edited":
        overwrite(base, base.read_bytes().replace(b"play/p7", b"play/q7"))
    else:
        base.unlink()
        if damage == "a link":
            base.symlink_to("/etc/hostname")
    site_root = site_root if is_known else SiteRoot(site_root.path)
    assert live(site_root, NODE, "play") is None
    assert verify(site_root, NODE, "play") == (MANIFEST,)
    put_whole(site_root, 2)
    assert read_anew(site_root) == wanted(2)
    put_version(site_root, 3)
    assert read_anew(site_root) == wanted(3)
    assert verify(SiteRoot(site_root.path), NODE, "play") == ()


def test_where_the_base_can_not_be_linked_it_is_copied(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system without hard links costs a copy."""
    put_version(site_root, 1)

    def refused(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(os, "link", refused)
    put_version(site_root, 2)
    assert (current(site_root) / BASE).stat().st_nlink == 1
    assert read_anew(site_root) == wanted(2)


def test_what_was_live_is_told_from_another_base(site_root: SiteRoot) -> None:
    """Going back to equal rows finds the earlier release whole, with the base that it has."""
    for version in (1, 2):
        put_version(site_root, version)
    other = dict.fromkeys(pages(0), b"other")
    put(site_root, other, [])
    put_version(site_root, 2)
    assert read_anew(site_root) == wanted(2)
    changed = manifest(pages(2), assets(2))
    assert put_version(site_root, 2).swapped is False
    assert read_anew(site_root) == changed


def test_a_damaged_page_is_mended(site_root: SiteRoot) -> None:
    """The release that is live stays told from its base."""
    for version in (1, 2):
        put_version(site_root, version)
    path = "play/p5/index.html"
    overwrite(current(site_root) / path, b"defaced")
    content = {path: pages(2)[path]}
    assert mend_live(site_root, NODE, "play", [path], contents=content, assets=assets(2)) == ()
    assert verify(site_root, NODE, "play") == ()
    assert read_anew(site_root) == wanted(2)


def test_assets_of_both_are_in_use(site_root: SiteRoot) -> None:
    """Of the base and of what differs; where one of them can't be read nobody knows."""
    for version in (1, 2, 3):
        put_version(site_root, version)
    named = {asset.name for version in (1, 2, 3) for asset in assets(version)}
    assert assets_in_use(site_root, NODE) == frozenset(named)
    prune(keeping(site_root, 1, asset_days=-1.0), NODE, "play", sweep_hours=0.0)
    assert {asset.name for asset in assets(3)} <= {
        each.name for each in app_folder(site_root).assets.iterdir()
    }
    assert verify(site_root, NODE, "play") == ()
    (current(site_root) / BASE).unlink()
    assert assets_in_use(site_root, NODE) is None
