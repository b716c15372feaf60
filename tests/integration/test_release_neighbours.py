"""Nodes of one machine share the files of their assets."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from robbieblocks.release import SiteRoot, verify
from tests.integration.releases import assets, manifest, pages, publish

NODES = ("vengeance-local", "aurora-town-local", "fluenti-local")


def _put(site_root: SiteRoot, node: str, version: int = 1) -> int:
    """Publish to a node; how many assets were made there."""
    files, given = pages(version), assets(version)
    return publish(site_root, manifest(files, given, node=node), files, given).assets_written


def _inodes(site_root: SiteRoot, version: int = 1) -> dict[str, set[int]]:
    return {
        asset.name: {
            (site_root.path / node / "assets" / asset.name).stat().st_ino for node in NODES
        }
        for asset in assets(version)
    }


def test_one_file_serves_all_nodes(site_root: SiteRoot) -> None:
    """What one node has already is linked by the next ones, and each node is whole."""
    assert [_put(site_root, node) for node in NODES] == [2, 2, 2]
    assert {len(inodes) for inodes in _inodes(site_root).values()} == {1}
    assert [verify(site_root, node, "play") for node in NODES] == [(), (), ()]


def test_a_neighbour_that_was_edited_is_not_taken(site_root: SiteRoot) -> None:
    """A file that is not as it was published there is written anew; one that is missing, too."""
    _put(site_root, NODES[0])
    edited, removed = (site_root.path / NODES[0] / "assets" / asset.name for asset in assets(1))
    edited.chmod(0o644)
    edited.write_bytes(b"// mine")
    removed.unlink()
    assert _put(site_root, NODES[1]) == 2
    for asset in assets(1):
        assert (site_root.path / NODES[1] / "assets" / asset.name).read_bytes() == asset.content
    assert verify(site_root, NODES[1], "play") == ()


@pytest.mark.parametrize("reason", [errno.EMLINK, errno.EPERM, errno.EXDEV])
def test_without_links_assets_are_written(
    site_root: SiteRoot, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    """Where the file system refuses a link, each node has files of its own."""

    def refused(*_args: object, **_kwargs: object) -> None:
        raise OSError(reason, os.strerror(reason))

    monkeypatch.setattr(os, "link", refused)
    for node in NODES:
        _put(site_root, node)
    assert {len(inodes) for inodes in _inodes(site_root).values()} == {3}


def test_another_site_is_no_neighbour(tmp_path: Path) -> None:
    """Two site roots share nothing, and one that is gone is not missed."""
    one, other = SiteRoot(tmp_path / "one"), SiteRoot(tmp_path / "other")
    for site_root in (one, other):
        _put(site_root, NODES[0])
    name = assets(1)[0].name
    first, second = (each.path / NODES[0] / "assets" / name for each in (one, other))
    assert first.stat().st_ino != second.stat().st_ino
    (one.path / NODES[0]).rename(tmp_path / "gone")
    assert _put(one, NODES[1]) == 2
