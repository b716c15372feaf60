"""Which names a release, its files and its folders may have, and which names have a meaning."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import Manifest, PageEntry, ReleaseFiles

BUILD_HEADER: Final = "X-RobbieBlocks-Build"
ASSETS: Final = "assets"
MANIFEST: Final = "manifest.json"
BASE: Final = ".base"
STAT_INDEX: Final = ".seal"
VERIFIED: Final = ".verified"
TEMPORARY: Final = ".tmp-"
STANDBY: Final = ".spare"
# How the temporary names of standby trees that are being made end.
STANDBY_STEM: Final = "spare"
RESERVED: Final = (VERIFIED, STAT_INDEX, MANIFEST, BASE)

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_ASSET = re.compile(r"[a-z0-9][a-z0-9_.-]{0,199}")
# A path of one or more segments, none of them empty, `.` or `..`, without control characters.
_PATH = re.compile(r"(?!/)(?:(?:^|/)(?!\.{1,2}(?:/|$))[^/\\\x00-\x1f\x7f]{1,255})+", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{16})\.[a-z0-9.]+\Z")
_PATH_LIMIT_BYTES: Final = 1024
_NOTHING: Final = Manifest(node="", app="", files={})


class ManifestChecks:
    """Checks manifests; remembers each app's last one: what that had needs no second check."""

    def __init__(self) -> None:
        self._checked: dict[str, Manifest] = {}

    def check(self, manifest: Manifest) -> None:
        """Raise ContentError with every path, asset and page that may not be written."""
        key = f"{manifest.node}/{manifest.app}"
        last = self._checked.get(manifest.app, _NOTHING)
        problems = [
            Problem(entity="release", key=key, what=what)
            for what in (
                *_path_problems(manifest.release_files, last.release_files),
                *_asset_problems(manifest.assets),
            )
        ]
        problems += [
            Problem(
                entity="page", key=page.key, what=f"its file {page.path!r} is not in the release"
            )
            for page in _without_file(manifest, last)
        ]
        if problems:
            raise ContentError(problems)
        self._checked[manifest.app] = manifest


def is_path(path: str) -> bool:
    """Whether a release may have a file of this path: relative, below the release, not reserved."""
    return (
        len(path.encode(errors="replace")) <= _PATH_LIMIT_BYTES
        and path.partition("/")[0] not in RESERVED
        and _PATH.fullmatch(path) is not None
        and path.isprintable()
    )


def is_asset_name(name: str) -> bool:
    """Whether this can name an asset: one plain segment that does not start with a dot."""
    return _ASSET.fullmatch(name) is not None


def hash_in_name(name: str) -> str | None:
    """How the SHA-256 of an asset's bytes begins, by its name; None where the name has no hash."""
    found = _HASH_IN_NAME.search(name)
    return found[1] if found else None


def is_folder_name(name: str) -> bool:
    """Whether this can name a node's or an app's folder."""
    return _FOLDER.fullmatch(name) is not None


def is_release(name: str) -> bool:
    """Whether a folder under releases/ is a release: named `<hash>`, or `<hash>.<n>` for a while.

    The second form is a temporary release: see `publish`.
    """
    return _HASH.fullmatch(name.partition(".")[0]) is not None


def is_standby(name: str) -> bool:
    """Whether a folder under releases/ is a standby tree: `.spare` or `.spare.<n>`."""
    return name == STANDBY or name.startswith(f"{STANDBY}.")


def folders_of(paths: Iterable[str]) -> list[str]:
    """Every folder that the paths need, parents first."""
    folders: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    return sorted(folders)


def is_folder_of(folder: str, paths: Sequence[str]) -> bool:
    """Whether one of these paths, which are sorted, lies in a folder."""
    place = bisect_left(paths, f"{folder}/")
    return place < len(paths) and paths[place].startswith(f"{folder}/")


def check_folder_name(entity: str, name: str) -> None:
    """Raise ContentError for a node or app whose name can't be a folder's."""
    if not is_folder_name(name):
        raise _refused(entity, name, "it can't name a folder")
    if entity == "app" and name == ASSETS:
        raise _refused(entity, name, "the name is taken by the node's assets")


def _path_problems(files: ReleaseFiles, checked: ReleaseFiles) -> list[str]:
    """What is wrong with paths. Those that were `checked` were found valid together before.

    Without a path that is new, nothing can be wrong: leaving paths out of a valid set of paths
    leaves a valid set.
    """
    new = [path for path in files.differing(checked) if path not in checked.hashes]
    if not new:
        return []
    invalid = [
        f"the path {path!r} leaves the release or is reserved"
        for path in sorted(new)
        if not is_path(path)
    ]
    both = {path for path in new if is_folder_of(path, files.paths)}
    both.update(folder for folder in folders_of(new) if folder in files.hashes)
    return invalid + [f"{path!r} would be both a file and a folder" for path in sorted(both)]


def _without_file(manifest: Manifest, checked: Manifest) -> list[PageEntry]:
    """The pages that are new, or whose file is gone, and that have none."""
    pages: Collection[PageEntry] = manifest.pages
    if manifest.release_files.differing(checked.release_files) <= manifest.files.keys():
        # No file is gone.
        _, pages = manifest.page_entries.changed_since(checked.page_entries)
    return [page for page in pages if page.path not in manifest.files]


def _asset_problems(names: Iterable[str]) -> list[str]:
    return [f"{name!r} can't name an asset" for name in names if not is_asset_name(name)]


def _refused(entity: str, name: str, what: str) -> ContentError:
    remedy = "use letters, digits, '-', '_' and '.', starting with a letter or digit"
    return ContentError([Problem(entity=entity, key=repr(name), what=what, remedy=remedy)])
