"""Where a node's and an app's files are, and which names may be used there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import Manifest, Sha256

ASSETS: Final = "assets"
MANIFEST: Final = "manifest.json"
SEAL: Final = ".seal"
VERIFIED: Final = ".verified"
TEMPORARY: Final = ".tmp-"
SPARE: Final = ".spare"
SPARE_IN_THE_MAKING: Final = "spare"
RESERVED: Final = (VERIFIED, SEAL, MANIFEST)

_FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
_ASSET = re.compile(r"[a-z0-9][a-z0-9_.-]{0,199}")
# A path of one or more segments, none of them empty, `.` or `..`, without control characters.
_PATH = re.compile(r"(?!/)(?:(?:^|/)(?!\.{1,2}(?:/|$))[^/\\\x00-\x1f\x7f]{1,255})+", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}")
_LONGEST_PATH: Final = 1024

# The paths that were checked last, by app: most of the next manifest's are the same.
_checked: dict[str, Mapping[str, Sha256]] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """One app of one node under the site root. Made by `Place.of`, which checks the names."""

    root: Path
    node: str
    app: str

    @classmethod
    def of(cls, site_root: Path, node: str, app: str) -> Place:
        """Raises ContentError for a node or app that can't name a folder."""
        _check_folder("node", node)
        _check_folder("app", app)
        if app == ASSETS:
            raise _refused("app", app, "the name is taken by the node's assets")
        return cls(site_root, node, app)

    @property
    def node_folder(self) -> Path:
        """The node's folder."""
        return self.root / self.node

    @property
    def assets(self) -> Path:
        """The node's assets."""
        return self.root / self.node / ASSETS

    @property
    def folder(self) -> Path:
        """The app's folder."""
        return self.root / self.node / self.app

    @property
    def releases(self) -> Path:
        """The app's releases."""
        return self.folder / "releases"

    @property
    def spare(self) -> Path:
        """What is live once more, for the next publish to alter; never served."""
        return self.releases / SPARE

    @property
    def current(self) -> Path:
        """The symlink to what is live."""
        return self.folder / "current"

    @property
    def previous(self) -> Path:
        """The symlink to what was live before."""
        return self.folder / "previous"

    @property
    def pin(self) -> Path:
        """The file whose presence holds a release live."""
        return self.folder / "pinned"


def apps(site_root: Path, node: str) -> tuple[str, ...]:
    """The apps that have a live release on a node, sorted."""
    _check_folder("node", node)
    folder = site_root / node
    if not folder.is_dir():
        return ()
    return tuple(
        sorted(
            entry.name
            for entry in folder.iterdir()
            if entry.name != ASSETS
            and check_folder_name(entry.name)
            and (entry / "current").is_symlink()
        )
    )


def check_manifest(manifest: Manifest) -> None:
    """Raise ContentError with every path, asset and page of a manifest that may not be written."""
    key = f"{manifest.node}/{manifest.app}"
    problems = [
        Problem(entity="release", key=key, what=what)
        for what in (
            *_bad_paths(manifest.files, _checked.get(manifest.app, {})),
            *_bad_assets(manifest.assets),
        )
    ]
    problems += [
        Problem(entity="page", key=page.key, what=f"its file {page.path!r} is not in the release")
        for page in manifest.pages
        if page.path not in manifest.files
    ]
    if problems:
        raise ContentError(problems)
    _checked[manifest.app] = manifest.files


def check_path(path: str) -> bool:
    """Whether a release may have a file of this path: relative, below the release, not reserved."""
    return (
        len(path.encode(errors="replace")) <= _LONGEST_PATH
        and path.partition("/")[0] not in RESERVED
        and _PATH.fullmatch(path) is not None
        and path.isprintable()
    )


def check_asset_name(name: str) -> bool:
    """Whether this can name an asset: one plain segment that does not start with a dot."""
    return _ASSET.fullmatch(name) is not None


def check_folder_name(name: str) -> bool:
    """Whether this can name a node's or an app's folder."""
    return _FOLDER.fullmatch(name) is not None


def is_hash(name: str) -> bool:
    """Whether a folder's name is a build hash."""
    return _HASH.fullmatch(name) is not None


def is_spare(name: str) -> bool:
    """Whether a folder's name is a spare's: `.spare` or, of further ones, `.spare.<n>`."""
    return name == SPARE or name.startswith(f"{SPARE}.")


def folders_of(paths: Iterable[str]) -> list[str]:
    """Every folder that the paths need, parents first."""
    folders: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in folders:
            folders.add(parent)
            parent = parent.rpartition("/")[0]
    return sorted(folders)


def _bad_paths(files: Collection[str], known: Collection[str]) -> list[str]:
    """What is wrong with paths; those of `known` are good, and fewer of them are no worse."""
    new = [path for path in files if path not in known]
    if not new:
        return []
    bad = [f"the path {path!r} leaves the release or is reserved" for path in sorted(new)
           if not check_path(path)]  # fmt: skip
    return bad + [
        f"{folder!r} would be both a file and a folder"
        for folder in folders_of(files)
        if folder in files
    ]


def _bad_assets(names: Iterable[str]) -> list[str]:
    return [f"{name!r} can't name an asset" for name in names if not check_asset_name(name)]


def _check_folder(entity: str, name: str) -> None:
    if not check_folder_name(name):
        raise _refused(entity, name, "it can't name a folder")


def _refused(entity: str, name: str, what: str) -> ContentError:
    remedy = "use letters, digits, '-', '_' and '.', starting with a letter or digit"
    return ContentError([Problem(entity=entity, key=repr(name), what=what, remedy=remedy)])
