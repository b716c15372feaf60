"""manifest.json: what a release holds, read.

Pages name their assets, components and inputs by position in tables, since thousands of pages share
a few dozen of them.
"""

from __future__ import annotations

import os
import re
import threading
from collections import OrderedDict
from typing import Any, Final, TypeGuard, cast

import orjson

from robbieblocks.model import Manifest, PageEntry, Sha256
from robbieblocks.release.names import MANIFEST

FORMAT: Final = 1
_CACHED_OF_APP: Final = 8
# A command may build hundreds of nodes.
_CACHED: Final = 64
# No name of an asset holds a bracket, and in a text the quotes would be escaped.
_BUILD_HASH: Final = re.compile(rb'"build_hash":"([0-9a-f]{64})"')
_ASSET_TABLE: Final = re.compile(rb'"asset_table":(\[[^\]]*\])')


class ManifestCache:
    """The manifests that were used last, by the identity of their files; for any thread.

    They are the last eight of each app, since each edit of one reads what is live of all. A file is
    told by device, inode, size and time: a manifest is never written over, so these change with its
    bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_file: OrderedDict[tuple[int, ...], Manifest] = OrderedDict()
        self._of_apps: dict[tuple[str, str], OrderedDict[tuple[int, ...], None]] = {}

    def get(self, status: os.stat_result) -> Manifest | None:
        """The manifest in the file with this status, where it is known."""
        return self._by_file.get(_identity(status))

    def put(self, status: os.stat_result, manifest: Manifest) -> None:
        """Note which manifest is in the file with this status."""
        identity = _identity(status)
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
        self.put(os.stat(MANIFEST, dir_fd=dir_fd, follow_symlinks=False), manifest)

    def _forget(self, identity: tuple[int, ...]) -> None:
        manifest = self._by_file.pop(identity, None)
        if manifest is None:
            return
        place = manifest.node, manifest.app
        of_app = self._of_apps[place]
        del of_app[identity]
        if not of_app:
            del self._of_apps[place]


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def asset_names(content: bytes) -> frozenset[str] | None:
    """Every asset that a manifest's JSON names, without reading its pages; None where garbled."""
    found = _ASSET_TABLE.search(content)
    try:
        # A name that is used no more leaves an empty one.
        return frozenset(filter(None, orjson.loads(found[1]))) if found else None
    except ValueError:
        return None


def load(content: bytes) -> Manifest:
    """The manifest of its JSON. Raises ValueError for anything else, a newer format included."""
    try:
        value = orjson.loads(content)
        if value["format"] != FORMAT:
            raise ValueError(f"manifest format {value['format']!r} is not known")
        manifest = _manifest(value)
        stated = value["build_hash"]
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError(f"not a manifest: {error!r}") from error
    if manifest.build_hash != stated:
        raise ValueError("the manifest's files are not those of its build hash")
    return manifest


def load_files(content: bytes) -> Manifest:
    """A manifest without its pages and assets: a tenth of the time. Raises ValueError."""
    head, found, files = content.partition(b',"files":')
    stated = _BUILD_HASH.search(head)
    if not found or stated is None:
        raise ValueError("not a manifest")
    hash_of: object = orjson.loads(files.removesuffix(b"}\n"))
    if not _are_hashes(hash_of):
        raise ValueError("not a manifest's files")
    manifest = Manifest(node="", app="", files=hash_of)
    if manifest.build_hash != stated[1].decode():
        raise ValueError("the manifest's files are not those of its build hash")
    return manifest


def _are_hashes(value: object) -> TypeGuard[dict[str, Sha256]]:
    """Whether a JSON value is an object of texts; the build hash tells whether they are right."""
    if not isinstance(value, dict):
        return False
    return all(isinstance(each, str) for each in cast("dict[str, object]", value).values())


def _manifest(value: dict[str, Any]) -> Manifest:
    assets: list[str] = value["asset_table"]
    components: list[str] = value["component_table"]
    inputs: list[str] = value.get("input_table", [])
    known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def names(table: list[str], positions: list[int]) -> tuple[str, ...]:
        """The names at positions; one tuple for all pages with equal names saves memory."""
        found = tuple([table[position] for position in positions])
        return known.setdefault(found, found)

    return Manifest(
        node=str(value["node"]),
        app=str(value["app"]),
        toolchain=str(value["toolchain"]),
        files={str(path): Sha256(digest) for path, digest in value["files"].items()},
        assets=names(assets, value["assets"]),
        sheet_digests=tuple(map(str, value.get("sheet", ()))),
        pages=tuple(
            PageEntry(
                key=page["key"],
                route=page["route"],
                path=page["path"],
                inputs=Sha256(page["inputs"]),
                assets=names(assets, page["assets"]),
                components=names(components, page["components"]),
                listed=page.get("listed", True) is not False,
                row_digests=page.get("rows", ""),
                input_digests=names(inputs, page.get("from", [])),
                card="".join(names(assets, [page["card"]] if "card" in page else [])),
                no_card=page.get("no_card", ""),
            )
            for page in value["pages"]
        ),
    )
