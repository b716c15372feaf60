"""`robbieblocks gc`: what takes the disk, and removing what need not stay."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from robbieblocks import cache, release, shared_cache, toolchain
from robbieblocks.cli.output import as_json, print_progress, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.messages import counted, did_you_mean, size
from robbieblocks.release import AppUsage, AssetsUsage, Pruned, SiteRoot
from robbieblocks.settings import Settings, SharedCacheSettings

_HASH: Final = 12
_VERSION: Final = 1
# What `FolderUsage.live_at` is for a time that is still to come.
_LONG_AGO: Final = 1.0
_REMOVED_NODE: Final = "removed node"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFolder:
    """A folder beside the site root that only grows: `what` it holds, and whether it is in use."""

    what: str
    path: str
    size_bytes: int
    in_use: bool


def run(*, nodes: Sequence[str], dry_run: bool, format_: str) -> None:
    """Say what takes the disk, and unless `dry_run` remove what retention lets go.

    What fails for one app leaves the others to be done; then the first error is raised.
    """
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)
    failed: list[RobbieBlocksError] = []
    used: list[AppUsage] = []
    assets: list[AssetsUsage] = []
    removed: dict[tuple[str, str], Pruned] = {}
    for node in _chosen(site_root, nodes):
        for app in release.apps_with_releases(site_root, node):
            try:
                used.append(release.usage_of_app(site_root, node, app))
                if not dry_run:
                    removed[node, app] = release.collect(site_root, node, app)
            except RobbieBlocksError as error:
                print_progress(f"{node}/{app}: {error}")
                failed.append(error)
        try:
            assets.append(release.usage_of_assets(site_root, node))
        except RobbieBlocksError as error:
            print_progress(f"{node}: {error}")
            failed.append(error)
    beside = [] if nodes else list(_beside(settings, site_root))
    if not (nodes or dry_run):
        cache.bound(settings.cache)
        try:
            release.finish_removals(site_root)
            _tidy_shared_cache(settings.shared_cache)
        except RobbieBlocksError as error:
            print_progress(str(error))
            failed.append(error)
    if format_ == "json":
        print_result(as_json(_as_json(used, assets, beside, removed, dry_run=dry_run)))
    else:
        print_result("\n".join(_as_text(used, assets, beside, removed, dry_run=dry_run)))
    if failed:
        raise failed[0]


def _tidy_shared_cache(shared: SharedCacheSettings | None) -> None:
    if shared is not None:
        gone = shared_cache.remove_old(shared)
        print_progress(f"{shared.url}: removed {counted(gone, 'old object')}")


def _chosen(site_root: SiteRoot, nodes: Sequence[str]) -> Sequence[str]:
    folders = release.node_folders(site_root)
    known = [node for node in folders if release.apps_with_releases(site_root, node)]
    for node in nodes:
        if node not in known:
            raise UsageError(
                f"no node {node!r} has releases under {site_root.path}: {did_you_mean(node, known)}"
            )
    return nodes or known


def _beside(settings: Settings, site_root: SiteRoot) -> Iterator[KeptFolder]:
    """What else takes the disk: the cache, the toolchain's versions, the embedded database."""
    folders = [
        ("cache", settings.cache, True),
        ("embedded database", settings.home / "postgres", True),
    ]
    folders += [(_REMOVED_NODE, path, False) for path in release.removed_nodes(site_root)]
    current = toolchain.folders_in_use(settings)
    if settings.toolchain_cache.is_dir():
        for entry in sorted(os.scandir(settings.toolchain_cache), key=lambda each: each.name):
            if entry.is_dir(follow_symlinks=False):
                in_use = entry.name.removesuffix(".compiled") in current
                folders.append(("toolchain", Path(entry.path), in_use))
    for what, path, in_use in folders:
        try:
            size_bytes = release.size_of(path)
        except OSError as error:
            print_progress(f"{path} can't be read: {error.strerror}")
            continue
        if size_bytes:
            yield KeptFolder(what=what, path=str(path), size_bytes=size_bytes, in_use=in_use)


def _as_text(
    used: Sequence[AppUsage],
    assets: Sequence[AssetsUsage],
    beside: Sequence[KeptFolder],
    removed: dict[tuple[str, str], Pruned],
    *,
    dry_run: bool,
) -> Iterator[str]:
    rows = [("node", "app", "folder", "was live", "size", "frees", "stays as")]
    for each in used:
        done = removed.get((each.node, each.app))
        for folder in (*each.releases, *each.standby_trees, *each.temporary):
            if folder in each.releases:
                if done and folder.name in done.releases:
                    why = "went"
                else:
                    why = ", ".join(folder.reasons) or ("goes" if dry_run else "not removed")
            else:
                why = "standby tree" if folder in each.standby_trees else "temporary"
            rows.append(
                (
                    each.node,
                    each.app,
                    folder.name[:_HASH],
                    _shown(folder.live_at),
                    size(folder.size_bytes),
                    size(folder.own_bytes),
                    why,
                )
            )
    yield from aligned(rows)
    yield ""
    for found in assets:
        over = f"{found.over} of {size(found.over_bytes)} {'go' if dry_run else 'can go later'}"
        yield (
            f"{found.node}: assets take {size(found.size_bytes)}: {found.used} in use, "
            f"{found.waiting} unused and not for long, {over}"
        )
    for other in beside:
        unused = "" if other.in_use else ", of another version: remove it where none needs it"
        if other.what == _REMOVED_NODE:
            unused = ", which a killed `prune` left: it goes"
        yield f"{other.what}: {other.path} takes {size(other.size_bytes)}{unused}"
    releases = sum(each.size_bytes for each in used)
    done_with = [each for each in used if dry_run or (each.node, each.app) in removed]
    frees = sum(each.frees_bytes for each in done_with)
    if dry_run:
        count = sum(not folder.reasons for each in used for folder in each.releases)
        yield f"releases take {size(releases)}; {count} would go, which frees {size(frees)}"
        return
    count = sum(len(each.releases) for each in removed.values())
    gone = sum(each.assets for each in removed.values())
    yield f"removed {count} of the releases, which frees {size(frees)}, and {gone} assets"


def _shown(live_at: float) -> str:
    """When a release was live last; one from a clock that was ahead counts as the oldest."""
    if live_at <= _LONG_AGO:
        return "to come" if live_at else "never"
    return f"{datetime.fromtimestamp(live_at, UTC):%Y-%m-%d %H:%M}Z"


def _as_json(
    used: Sequence[AppUsage],
    assets: Sequence[AssetsUsage],
    beside: Sequence[KeptFolder],
    removed: dict[tuple[str, str], Pruned],
    *,
    dry_run: bool,
) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "dry_run": dry_run,
        "apps": [
            {
                **asdict(each),
                "removed": list(removed[each.node, each.app].releases)
                if (each.node, each.app) in removed
                else [],
            }
            for each in used
        ],
        "assets": [asdict(each) for each in assets],
        "assets_removed": sum(each.assets for each in removed.values()),
        "beside": [asdict(each) for each in beside],
    }
