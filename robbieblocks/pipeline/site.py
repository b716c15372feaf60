"""Where a build publishes to."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks import release
from robbieblocks.errors import UsageError
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Addresses, FreezeWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site root, and the addresses at which what was published is fetched, node by node.

    `freeze_windows` are the windows of the settings in which nothing goes out.

    `create` and `adopt` say what `release.claim` may do before anything is published.
    """

    root: SiteRoot
    addresses: Addresses = field(default_factory=Addresses)
    create: bool = False
    adopt: bool = False
    freeze_windows: tuple[FreezeWindow, ...] = ()


def check_out(out: Path, root: SiteRoot) -> None:
    """Raise UsageError for a folder in the site root, or around it: a copy would alter the site."""
    if _is_in(out, root.path) or _is_in(root.path, out):
        raise UsageError(
            f"--out {out} and the site root {root.path} lie in each other: name another folder"
        )


def _is_in(path: Path, folder: Path) -> bool:
    real = Path(os.path.realpath(path))
    if not folder.exists():
        return Path(os.path.realpath(folder)) in (real, *real.parents)
    # The same folder may have several names: other case, or mounted twice.
    return any(each.exists() and each.samefile(folder) for each in (real, *real.parents))


def apps_with_pages(root: SiteRoot, node: str) -> frozenset[str]:
    """The apps whose live release on a node has pages."""
    manifests = {app: release.live(root, node, app) for app in release.apps(root, node)}
    return frozenset(app for app, manifest in manifests.items() if manifest and manifest.pages)
