"""Mends what is live while something keeps newer content from going out."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from robbieblocks.model import ASSET_PREFIX, Asset, Sha256, sha256
from robbieblocks.release.files import disk
from robbieblocks.release.names import is_release, is_standby
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release
from robbieblocks.release.swap import make_live
from robbieblocks.release.write import write_release


def mend_live(
    site_root: SiteRoot,
    node: str,
    app: str,
    damaged: Collection[str],
    *,
    contents: Mapping[str, bytes],
    assets: Iterable[Asset],
    fence: Callable[[], None] = lambda: None,
) -> tuple[str, ...]:
    """Put damaged files of the live release right; the ones for which no bytes are there.

    `damaged` is as `verify` says it. The bytes come from `contents` and `assets`, where these are
    those that were published, else from another release or standby tree. Where some are missing
    nothing is mended. Raises SiteUnavailable, and what `fence` raises.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        name, live = live_release(app_folder)
        if name is None or live is None:
            return tuple(sorted(damaged))
        by_name = {asset.name: asset for asset in assets}
        found: dict[str, bytes] = {}
        missing: list[str] = []
        for path in sorted(damaged):
            if path not in live.files and path.removeprefix(ASSET_PREFIX) not in live.assets:
                # Somebody has put another release live since; it is looked at by the next build.
                continue
            if path.startswith(ASSET_PREFIX):
                if path.removeprefix(ASSET_PREFIX) not in by_name:
                    missing.append(path)
            elif (content := _published(app_folder, path, live.files[path], contents)) is None:
                missing.append(path)
            else:
                found[path] = content
        if missing:
            return tuple(missing)
        used = [by_name[each] for each in live.assets if each in by_name]
        with write_release(site_root, live, found, used) as written:
            make_live(written, fence=fence)
    return ()


def _published(
    app_folder: AppFolder, path: str, digest: Sha256, contents: Mapping[str, bytes]
) -> bytes | None:
    """The bytes that a file had when it was published, from wherever they are."""
    if path in contents and sha256(contents[path]) == digest:
        return contents[path]
    with disk.attempt("read the releases", app_folder.releases):
        names = sorted(entry.name for entry in os.scandir(app_folder.releases))
    for name in names:
        if is_release(name) or is_standby(name):
            with suppress(OSError):
                content = disk.read_file(Path(app_folder.releases / name / path))
                if sha256(content) == digest:
                    return content
    return None
