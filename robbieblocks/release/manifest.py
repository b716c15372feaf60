"""manifest.json: what a release holds, read.

Pages name their assets, components and inputs by position in tables, since thousands of pages share
a few dozen of them. Of a large release it says what is another than in `.base`, a whole manifest of
an earlier one, which releases share: of ten thousand pages an edit alters a few.
"""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn, TypeGuard, cast

import orjson

from robbieblocks.model import (
    Manifest,
    ManifestBase,
    PageEntries,
    PageEntry,
    ReleaseFiles,
    Sha256,
)
from robbieblocks.release.names import BASE, MANIFEST

WHOLE: Final = 1
DIFFERENCE: Final = 2
"""The two formats: in the second a manifest says what is another than in its base."""

_CACHED_OF_APP: Final = 8
# A command may build hundreds of nodes.
_CACHED: Final = 64
# No name of an asset holds a bracket, and in a text the quotes would be escaped.
_BUILD_HASH: Final = re.compile(rb'"build_hash":"([0-9a-f]{64})"')
_BASE: Final = re.compile(rb'"base":"([0-9a-f]{64})"')
_ASSET_TABLE: Final = re.compile(rb'"asset_table":(\[[^\]]*\])')


Identity = tuple[int, ...]


class ManifestCache:
    """The manifests that were used last, by the identity of their files; for any thread.

    They are the last eight of each app, since each edit of one reads what is live of all. A file is
    told by device, inode, size and time: a manifest is never written over, so these change with its
    bytes. So is the file that it is told from.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_file: OrderedDict[Identity, Manifest] = OrderedDict()
        self._of_apps: dict[tuple[str, str], OrderedDict[Identity, None]] = {}

    def get(self, identity: Identity) -> Manifest | None:
        """The manifest in the files with this identity, where it is known."""
        return self._by_file.get(identity)

    def put(self, identity: Identity, manifest: Manifest) -> None:
        """Note which manifest is in the files with this identity."""
        with self._lock:
            self._forget(identity)
            self._by_file[identity] = manifest
            of_app = self._of_apps.setdefault((manifest.node, manifest.app), OrderedDict())
            of_app[identity] = None
            if len(of_app) > _CACHED_OF_APP:
                self._forget(next(iter(of_app)))
            if len(self._by_file) > _CACHED:
                self._forget(next(iter(self._by_file)))

    def put_written(self, manifest: Manifest, *, dir_fd: int) -> None:
        """Note that this manifest was written to a folder now."""
        self.put(identity_in(dir_fd), manifest)

    def _forget(self, identity: Identity) -> None:
        manifest = self._by_file.pop(identity, None)
        if manifest is None:
            return
        place = manifest.node, manifest.app
        of_app = self._of_apps[place]
        del of_app[identity]
        if not of_app:
            del self._of_apps[place]


def identity_of(folder: Path) -> Identity:
    """What tells the manifest in a folder from any other. Raises OSError where there is none."""
    return _identity((folder / MANIFEST).stat(), _status(str(folder / BASE)))


def identity_in(dir_fd: int) -> Identity:
    """As `identity_of`, of a folder's descriptor."""
    status = os.stat(MANIFEST, dir_fd=dir_fd, follow_symlinks=False)
    return _identity(status, _status(BASE, dir_fd=dir_fd))


def _identity(*found: os.stat_result | None) -> Identity:
    return tuple(
        [
            number
            for each in found
            if each is not None
            for number in (each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns)
        ]
    )


def _status(path: str, *, dir_fd: int | None = None) -> os.stat_result | None:
    try:
        return os.stat(path, dir_fd=dir_fd, follow_symlinks=False)
    except OSError:
        return None


def no_base(digest: Sha256) -> NoReturn:
    """There is nothing that a manifest could be told from. Raises ValueError."""
    raise ValueError(f"the manifest {digest} is not there, from which this one is told")


def asset_names(content: bytes) -> frozenset[str] | None:
    """Every asset that a manifest's JSON names, without reading its pages; None where garbled."""
    found = _ASSET_TABLE.search(content)
    try:
        # A name that is used no more leaves an empty one.
        return frozenset(filter(None, orjson.loads(found[1]))) if found else None
    except ValueError:
        return None


def base_digest(content: bytes) -> Sha256 | None:
    """The hash of the base that a manifest is told from, by its beginning; None of a whole one."""
    found = _BASE.search(content)
    return Sha256(found[1].decode()) if found else None


def load(content: bytes, base: Callable[[Sha256], ManifestBase] = no_base) -> Manifest:
    """The manifest of its JSON; `base` gives the one that it is told from.

    Raises ValueError for anything else, a newer format included, and what `base` raises.
    """
    try:
        value = orjson.loads(content)
        if value["format"] == DIFFERENCE:
            manifest = _told(value, base(Sha256(str(value["base"]))))
        elif value["format"] == WHOLE:
            manifest = _manifest(value)
        else:
            raise ValueError(f"manifest format {value['format']!r} is not known")
        stated = value["build_hash"]
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a manifest: {error!r}") from error
    if manifest.build_hash != stated:
        raise ValueError("the manifest's files are not those of its build hash")
    return manifest


def load_files(content: bytes, base: Callable[[Sha256], Manifest] = no_base) -> Manifest:
    """A manifest without its pages and assets: a tenth of the time. Raises as `load` does."""
    head, found, files = content.partition(b',"files":')
    stated = _BUILD_HASH.search(head)
    if not found or stated is None:
        raise ValueError("not a manifest")
    digest = base_digest(head)
    hash_of: object = orjson.loads(files.removesuffix(b"}\n"))
    if not _are_hashes(hash_of, may_be_gone=digest is not None):
        raise ValueError("not a manifest's files")
    files_before = ReleaseFiles({}) if digest is None else base(digest).release_files
    manifest = _files_alone(files_before.altered(hash_of))
    if manifest.build_hash != stated[1].decode():
        raise ValueError("the manifest's files are not those of its build hash")
    return manifest


def _files_alone(files: ReleaseFiles) -> Manifest:
    return Manifest.of(
        files, PageEntries(()), node="", app="", assets=(), sheet_digests=(), toolchain=""
    )


def _are_hashes(value: object, *, may_be_gone: bool) -> TypeGuard[dict[str, Sha256 | None]]:
    """Whether a JSON value is an object of texts, or of null for what is gone; the build hash tells
    whether they are right.
    """
    if not isinstance(value, dict):
        return False
    hashes = cast("dict[str, object]", value).values()
    return all(isinstance(each, str) or (may_be_gone and each is None) for each in hashes)


def _manifest(value: dict[str, Any]) -> Manifest:
    names = _Names()
    return Manifest(
        node=str(value["node"]),
        app=str(value["app"]),
        toolchain=str(value["toolchain"]),
        files={str(path): Sha256(digest) for path, digest in value["files"].items()},
        assets=names.at(value["asset_table"], value["assets"]),
        sheet_digests=tuple(map(str, value.get("sheet", ()))),
        pages=_pages(value, names),
    )


def _told(value: dict[str, Any], base: ManifestBase) -> Manifest:
    """The manifest that differs so from its base."""
    come = _pages(value, _Names())
    by_key, before = base.manifest.by_key, set(base.manifest.assets)
    replaced = [by_key[page.key] for page in come if page.key in by_key]
    return Manifest.of(
        base.manifest.release_files.altered(
            {str(path): digest for path, digest in value["files"].items()}
        ),
        base.manifest.page_entries.altered(
            [*(by_key[key] for key in value["gone"]), *replaced], come
        ),
        node=str(value["node"]),
        app=str(value["app"]),
        toolchain=str(value["toolchain"]),
        assets=tuple(sorted(before.difference(value["assets_gone"]).union(value["assets_come"]))),
        sheet_digests=tuple(map(str, value.get("sheet", ()))),
        base=base,
    )


class _Names:
    """Names at positions; one tuple for all pages with equal names saves memory."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def at(self, table: list[str], positions: list[int]) -> tuple[str, ...]:
        """The names at these positions of a table."""
        found = tuple([table[position] for position in positions])
        return self._known.setdefault(found, found)


def _pages(value: dict[str, Any], names: _Names) -> tuple[PageEntry, ...]:
    assets: list[str] = value["asset_table"]
    components: list[str] = value["component_table"]
    inputs: list[str] = value.get("input_table", [])
    return tuple(
        PageEntry(
            key=page["key"],
            route=page["route"],
            path=page["path"],
            inputs=Sha256(page["inputs"]),
            assets=names.at(assets, page["assets"]),
            components=names.at(components, page["components"]),
            listed=page.get("listed", True) is not False,
            row_digests=page.get("rows", ""),
            input_digests=names.at(inputs, page.get("from", [])),
            card="".join(names.at(assets, [page["card"]] if "card" in page else [])),
            no_card=page.get("no_card", ""),
        )
        for page in value["pages"]
    )
