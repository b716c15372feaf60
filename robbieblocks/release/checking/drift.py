"""How the live release differs from its manifest on the disk, and from what visitors get."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

from robbieblocks.messages import visible_line
from robbieblocks.model import ASSET_PREFIX, Manifest
from robbieblocks.release.checking.verify import damaged_assets
from robbieblocks.release.files import disk
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.files.tree import listing
from robbieblocks.release.names import MANIFEST, is_release
from robbieblocks.release.places.layout import AppFolder, has_place
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.reading import live_release
from robbieblocks.settings import Address

_PAUSE_S = 0.2
# A release may be swapped, and the one before pruned, while its files are looked at.
_LOOKS = 3


def edited_on_disk(
    site_root: SiteRoot, node: str, app: str, *, quick: bool = False
) -> tuple[str, ...]:
    """What of an app somebody altered in the site root: each thing with how it differs.

    That is the link `current`, files that are gone, replaced or of other bytes, and files that no
    release has. `quick` is as for `verify`. Empty where nothing was ever live. Raises
    SiteUnavailable.
    """
    if not has_place(node, app):
        return ()
    app_folder = AppFolder.of(site_root, node, app)
    found: tuple[str, ...] = ()
    for _look in range(_LOOKS):
        name, manifest = live_release(app_folder)
        with disk.attempt("read the release", app_folder.path):
            found = tuple(map(visible_line, _differences(app_folder, name, manifest, quick=quick)))
        if not found or app_folder.live_name == name:
            break
    return found


def not_served(site_root: SiteRoot, node: str, app: str, address: Address) -> tuple[NotServed, ...]:
    """What visitors don't get as the live release has it, by asking its address.

    Empty where nothing is live, and where another release went live meanwhile. Raises
    SiteUnavailable.
    """
    # Only those need it who have an address.
    from robbieblocks.release.proof.proving import prove

    if not has_place(node, app):
        return ()
    app_folder = AppFolder.of(site_root, node, app)
    name, manifest = live_release(app_folder)
    if manifest is None:
        return ()
    found = prove(address, app_folder, manifest, pause_s=_PAUSE_S)
    return found if app_folder.live_name == name else ()


def _differences(
    app_folder: AppFolder, name: str | None, manifest: Manifest | None, *, quick: bool
) -> Iterator[str]:
    if name is None:
        yield from _of_link(app_folder)
        return
    folder = app_folder.releases / name
    if manifest is None:
        where = f"`current` leads to {name[:12]}, whose {MANIFEST}"
        yield f"{where} {_how(folder / MANIFEST)}, or is another release's"
        return
    whole = whole_files(folder, manifest, manifest.files, trust_stats=quick)
    for path in manifest.files:
        if path not in whole:
            yield f"{path} {_how(folder / path)}"
    files, folders = listing(folder)
    known = {*manifest.files}
    yield from (f"{path} is no file of the release" for path in sorted(files - known))
    needed = {str(parent) for path in known for parent in Path(path).parents}
    yield from (f"the folder {path} is not of the release" for path in sorted(folders - needed))
    for asset in damaged_assets(app_folder.assets, manifest.assets, quick=quick):
        yield f"{ASSET_PREFIX}{asset} {_how(app_folder.assets / asset)}"


def _of_link(app_folder: AppFolder) -> Iterator[str]:
    """What is wrong with `current`, where it leads to no release of the app."""
    try:
        status = app_folder.current.lstat()
    except FileNotFoundError:
        if any(is_release(each) for each in _names(app_folder.releases)):
            yield "the link `current` is gone"
        return
    if stat.S_ISLNK(status.st_mode):
        leads = app_folder.current.readlink()
        yield f"`current` leads to {leads}, which is no release of the app"
    else:
        yield "`current` is no link any more"


def _names(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir()]
    except FileNotFoundError:
        return []


def _how(path: Path) -> str:
    """How a file differs from what was published, where it does."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return "is gone"
    if stat.S_ISLNK(mode):
        return "is a link"
    return "has other bytes" if stat.S_ISREG(mode) else "is no file"
