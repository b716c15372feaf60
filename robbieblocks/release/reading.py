"""Reading what is live, for previews and comparisons."""

from __future__ import annotations

from pathlib import Path

from robbieblocks.release import disk
from robbieblocks.release.layout import Place, apps, check_folder_name


def live_size(site_root: Path, node: str, app: str, path: str) -> int | None:
    """The size in bytes of a file of the live release, or None where it isn't there."""
    try:
        return (Place.of(site_root, node, app).current / path).stat().st_size
    except OSError:
        return None


def read_live(site_root: Path, node: str, app: str, path: str) -> bytes:
    """A file of the live release. Raises SiteUnavailable."""
    return _read(Place.of(site_root, node, app).current / path)


def read_asset(site_root: Path, node: str, app: str, name: str) -> bytes:
    """An asset of the node. Raises SiteUnavailable."""
    return _read(Place.of(site_root, node, app).assets / name)


def nodes(site_root: Path) -> tuple[str, ...]:
    """The nodes that have a live release under the site root, sorted."""
    if not site_root.is_dir():
        return ()
    return tuple(
        sorted(
            folder.name
            for folder in site_root.iterdir()
            # `lost+found` and the like are nobody's.
            if check_folder_name(folder.name) and apps(site_root, folder.name)
        )
    )


def _read(path: Path) -> bytes:
    with disk.attempt("read", path):
        return path.read_bytes()
