"""Whatever is wrong with a folder of the site root, every door of `release` raises our errors."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import RemovalLimit, SiteRoot
from tests.integration.releases import NODE, put_version
from tests.workers import without_root_s_rights

# Each door as its callers use it. It runs in a process of its own, since root may read anything.
_PROGRAM = """
import contextlib, itertools, json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from robbieblocks import release
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.release import AppFolder, RemovalLimit, SiteRoot
from robbieblocks.release.checking import drift
from robbieblocks.settings import Address
from tests.integration.releases import NODE, keeping, put_version
PLACE = Path(sys.argv[1])
NOW = datetime(2026, 6, 1, tzinfo=UTC)
PAGE = "page-play/index.html"
FROZEN = release.Freeze(why="", until=NOW + timedelta(days=1))
NOWHERE = Address(url="http://127.0.0.1:9")
drift._PAUSE_S = 0.0

def publish(root):
    put_version(root, 2)

def locked(root):
    with release.lock(root, NODE, "play"):
        pass

DOORS = {
    "apps": lambda root: release.apps(root, NODE),
    "apps_with_releases": lambda root: release.apps_with_releases(root, NODE),
    "node_folders": release.node_folders,
    "audit": release.audit,
    "note_windows": lambda root: release.note_windows(root, NODE, {"play": FROZEN}, NOW),
    "settle_audit": lambda root: release.settle_audit(root, NODE, "play"),
    "claim": lambda root: release.claim(root, None),
    "closed_to": release.closed_to,
    "compress_assets": lambda root: release.compress_assets(root, NODE, "play"),
    "edited_on_disk": lambda root: release.edited_on_disk(root, NODE, "play"),
    "end_holds": lambda root: release.end_holds(root, NODE, "play", [PAGE]),
    "end_freezes": lambda root: release.end_freezes(root, [], NOW),
    "finish_removals": release.finish_removals,
    "freeze": lambda root: release.freeze(
        root, [NODE], who="", why="", now=NOW, until=NOW + timedelta(days=1)),
    "forget_freezes_over": lambda root: release.forget_freezes_over(root, NOW),
    "freezes_over": lambda root: release.freezes_over(root, NOW),
    "freezes": lambda root: release.freezes(root, NOW),
    "frozen": lambda root: release.frozen(root, (), NODE, "play", NOW),
    "has_assets": lambda root: release.has_assets(root, NODE, "play", [ASSET]),
    "has_folder": lambda root: release.has_folder(root, NODE),
    "has_place": lambda root: release.has_place(NODE, "play"),
    "live": lambda root: release.live(root, NODE, "play"),
    "live_folder": lambda root: release.live_folder(root, NODE, "play"),
    "live_size": lambda root: release.live_size(root, NODE, "play", "play/index.html"),
    "lock": locked,
    "make_live": publish,
    "manifest_of": lambda root: release.manifest_of(AppFolder.of(root, NODE, "play"), BUILD),
    "hold_page": lambda root: release.hold_page(
        root, NODE, "play", PAGE, who="", why="", now=NOW),
    "holds": lambda root: release.holds(root, NODE, "play"),
    "collect": lambda root: release.collect(root, NODE, "play"),
    "usage_of_app": lambda root: release.usage_of_app(root, NODE, "play"),
    "usage_of_assets": lambda root: release.usage_of_assets(root, NODE),
    "kept_hashes": release.kept_hashes,
    "kept_releases": lambda root: release.kept_releases(root, NODE, "play"),
    "mend_live": lambda root: release.mend_live(
        root, NODE, "play", ["play/index.html"], contents={}, assets=[]),
    "mounted_inside": release.mounted_inside,
    "nodes": release.nodes,
    "not_served": lambda root: release.not_served(root, NODE, "play", NOWHERE),
    "pages_between": lambda root: release.pages_between(root, NODE, "play", BUILD, BUILD),
    "pin_live": lambda root: release.pin_live(root, NODE, "play", who="", why="", now=NOW),
    "pinned": lambda root: release.pinned(root, NODE, "play"),
    "prepare_standby_trees": lambda root: release.prepare_standby_trees(
        root, NODE, "play", go_on=lambda: True),
    "prune": lambda root: release.prune(keeping(root, 1), NODE, "play", sweep_hours=0),
    "read_asset": lambda root: release.read_asset(root, NODE, "play", ASSET),
    "read_live": lambda root: release.read_live(root, NODE, "play", "play/index.html"),
    "remove_node": lambda root: release.remove_node(root, NODE),
    "removed_nodes": release.removed_nodes,
    "RemovalLimit": RemovalLimit.of,
    "room": release.room,
    "roll_back": lambda root: release.roll_back(
        root, NODE, "play", to=BUILD, who="", why="", now=NOW),
    "roll_back_page": lambda root: release.roll_back_page(
        root, NODE, "play", PAGE, who="", why="", now=NOW),
    "standing": lambda root: release.standing(root, NODE, "play"),
    "try_writing": release.try_writing,
    "unpin": lambda root: release.unpin(root, NODE, "play"),
    "verify": lambda root: release.verify(root, NODE, "play"),
    "worker_lock": lambda root: release.worker_lock(root, NODE),
    "write_release": publish,
}

def spoil(kind, path):
    if kind == "unreadable":
        path.chmod(0)
    elif kind == "read-only":
        path.chmod(0o555)
    else:
        path.rename(path.with_name("away"))
        if kind == "a file":
            path.write_text("")
        elif kind == "a circle":
            path.symlink_to(path.name)

escaped, cases = [], itertools.count()
for kind in ("unreadable", "read-only", "a file", "a circle", "gone"):
    for level in ("site", "node", "app", "releases", "live", "assets"):
        for name, door in DOORS.items():
            site = PLACE / str(next(cases)) / "site"
            root = SiteRoot(site)
            release.claim(root, None, create=True)
            put_version(root, 1)
            live = release.live(root, NODE, "play")
            BUILD, ASSET = live.build_hash, live.assets[0]
            app = AppFolder.of(root, NODE, "play")
            path = {"site": site, "node": app.node_path, "app": app.path, "releases": app.releases,
                    "live": app.releases / BUILD, "assets": app.assets}[level]
            spoil(kind, path)
            try:
                door(SiteRoot(site))
            except RobbieBlocksError:
                pass
            except Exception as error:
                escaped.append(f"{name}, {level} {kind}: {error!r}")
            with contextlib.suppress(OSError):
                path.chmod(0o755)
print(json.dumps([sorted(DOORS), escaped]))
"""


@pytest.mark.slow
def test_no_door_lets_the_system_s_error_out(tmp_path: Path) -> None:
    """Unreadable, read-only, gone, a file or a circle in its place, at any level: SiteUnavailable,
    or an answer."""
    done = subprocess.run(
        [*without_root_s_rights(), sys.executable, "-c", _PROGRAM, tmp_path / "place"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr.decode()
    doors, escaped = json.loads(done.stdout)
    assert escaped == []
    exported = {name for name in release.__all__ if inspect.isfunction(getattr(release, name))}
    pure = {"hash_in_name", "is_asset_name", "is_compressible", "routes_of", "size_of"}
    pure |= {"window_freezes", "not_found_files"}
    assert exported - pure <= set(doors), "a door that is not tried"


@pytest.mark.parametrize(
    "name", ["site.json", "limits.json", f"{NODE}/play/pinned"], ids=["marker", "limits", "pin"]
)
def test_a_pipe_in_the_site_root_hangs_nobody(tmp_path: Path, name: str) -> None:
    """A note in the site root that is no regular file is told, not waited for."""
    root = SiteRoot(tmp_path / "site")
    release.claim(root, None, create=True)
    put_version(root, 1)
    (root.path / name).unlink(missing_ok=True)
    os.mkfifo(root.path / name)
    read: Callable[[], object] = {
        "site.json": lambda: release.claim(root, None),
        "limits.json": lambda: RemovalLimit.of(root),
        f"{NODE}/play/pinned": lambda: release.pinned(root, NODE, "play"),
    }[name]
    with pytest.raises(SiteUnavailable, match="not a regular file"):
        read()
