"""manifest.json: what a release holds, as bytes that are equal for equal manifests.

Pages name their assets and components by position in two tables, since thousands of pages share
a few dozen of them.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeGuard, cast

from robbieblocks.model import Json, Manifest, PageEntry, Sha256, canonical_json
from robbieblocks.release.names import MANIFEST

_FORMAT: Final = 1
_CACHED: Final = 8
# No name of an asset holds a bracket, and in a text the quotes would be escaped.
_BUILD_HASH: Final = re.compile(rb'"build_hash":"([0-9a-f]{64})"')
_ASSET_TABLE: Final = re.compile(rb'"asset_table":(\[[^\]]*\])')
_text: Final = json.encoder.encode_basestring


class ManifestCache:
    """The eight manifests that were used last, by the identity of their files; for any thread.

    A file is told by device, inode, size and time: a manifest is never written over, so these
    change with its bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_file: OrderedDict[tuple[int, ...], Manifest] = OrderedDict()

    def get(self, status: os.stat_result) -> Manifest | None:
        """The manifest in the file with this status, where it is known."""
        return self._by_file.get(_identity(status))

    def put(self, status: os.stat_result, manifest: Manifest) -> None:
        """Note which manifest is in the file with this status."""
        with self._lock:
            self._by_file[_identity(status)] = manifest
            self._by_file.move_to_end(_identity(status))
            if len(self._by_file) > _CACHED:
                self._by_file.popitem(last=False)

    def put_written(self, manifest: Manifest, *, dir_fd: int) -> None:
        """Note that this manifest was written to a folder now."""
        self.put(os.stat(MANIFEST, dir_fd=dir_fd, follow_symlinks=False), manifest)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class ManifestWriter:
    """Makes the JSON of manifests; keeps what it wrote of each app last, page by page."""

    def __init__(self) -> None:
        self._written: dict[str, _Written] = {}

    def dump(self, manifest: Manifest) -> bytes:
        """The JSON of a manifest. Page order is kept; everything else is sorted."""
        written = self._written.get(manifest.app, _Written()).followed_by(manifest)
        self._written[manifest.app] = written
        value: dict[str, Json] = {
            "format": _FORMAT,
            "node": manifest.node,
            "app": manifest.app,
            "build_hash": manifest.build_hash,
            "toolchain": manifest.toolchain,
            "asset_table": written.assets.names,
            "component_table": written.components.names,
            "input_table": written.inputs.names,
        }
        if manifest.sheet_digests:
            value["sheet"] = manifest.sheet_digests
        pages = ",".join([written.rows[id(page)] for page in manifest.pages])
        files = canonical_json(manifest.files)
        return (
            f'{_json(value)[:-1]},"assets":{written.assets.positions(manifest.assets)}'
            f',"pages":[{pages}],"files":{files}}}\n'
        ).encode()


@dataclass(frozen=True, slots=True)
class _Table:
    """Every name once, sorted, and its position; `uses` says how often each is used."""

    uses: Counter[str] = field(default_factory=Counter[str])
    names: list[str] = field(default_factory=list[str])
    position_of: Mapping[str, str] = field(default_factory=dict[str, str])

    def changed(
        self, removed: Iterable[tuple[str, ...]], added: Iterable[tuple[str, ...]]
    ) -> _Table:
        """The table after some uses were removed and others added."""
        uses = self.uses.copy()
        for names in removed:
            uses.subtract(names)
        for names in added:
            uses.update(names)
        uses = +uses  # without names that are used no more
        names_used = sorted(uses)
        if names_used == self.names:
            return _Table(uses, self.names, self.position_of)
        positions = {name: str(position) for position, name in enumerate(names_used)}
        return _Table(uses, names_used, positions)

    def positions(self, used: tuple[str, ...]) -> str:
        """Names as their positions, in JSON."""
        return f"[{','.join([self.position_of[name] for name in used])}]"


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of an app: its tables, and the JSON of each page by the object's id.

    `pages` keeps the objects alive, so that no id is used twice. `own` are the assets that the
    manifest itself names.
    """

    own: tuple[str, ...] = ()
    pages: Mapping[int, PageEntry] = field(default_factory=dict[int, PageEntry])
    assets: _Table = field(default_factory=_Table)
    components: _Table = field(default_factory=_Table)
    inputs: _Table = field(default_factory=_Table)
    rows: Mapping[int, str] = field(default_factory=dict[int, str])

    def followed_by(self, manifest: Manifest) -> _Written:
        """What is written of the next manifest. Most pages are the same objects as in the last."""
        pages = {id(page): page for page in manifest.pages}
        removed = [self.pages[key] for key in self.pages.keys() - pages.keys()]
        added = [pages[key] for key in pages.keys() - self.pages.keys()]
        assets = self.assets.changed(
            [self.own, *(page.assets for page in removed)],
            [manifest.assets, *(page.assets for page in added)],
        )
        components = self.components.changed(
            (page.components for page in removed), (page.components for page in added)
        )
        inputs = self.inputs.changed(
            (page.input_digests for page in removed), (page.input_digests for page in added)
        )
        tables = assets, components, inputs
        if all(map(_same_names, tables, (self.assets, self.components, self.inputs))):
            rows = dict(self.rows)
            for page in removed:
                del rows[id(page)]
        else:
            rows, added = {}, list(pages.values())
        rows |= {id(page): _row(page, *tables) for page in added}
        return _Written(manifest.assets, pages, *tables, rows)


def _same_names(table: _Table, last: _Table) -> bool:
    return table.names == last.names


def _row(page: PageEntry, assets: _Table, components: _Table, inputs: _Table) -> str:
    """The JSON of a page; by hand, since json.dumps takes three times as long."""
    unlisted = "" if page.listed else ',"listed":false'
    card = f',"card":{assets.position_of[page.card]}' if page.card else ""
    no_card = f',"no_card":{_text(page.no_card)}' if page.no_card else ""
    return (
        f'{{"key":{_text(page.key)},"route":{_text(page.route)},"path":{_text(page.path)}'
        f',"inputs":{_text(page.inputs)},"assets":{assets.positions(page.assets)}'
        f',"components":{components.positions(page.components)}'
        f',"rows":{_text(page.row_digests)},"from":{inputs.positions(page.input_digests)}'
        f"{unlisted}{card}{no_card}}}"
    )


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def asset_names(content: bytes) -> frozenset[str] | None:
    """Every asset that a manifest's JSON names, without reading its pages; None where garbled."""
    found = _ASSET_TABLE.search(content)
    try:
        return frozenset(json.loads(found[1])) if found else None
    except ValueError:
        return None


def load(content: bytes) -> Manifest:
    """The manifest of its JSON. Raises ValueError for anything else, a newer format included."""
    try:
        value = json.loads(content)
        if value["format"] != _FORMAT:
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
    hash_of: object = json.loads(files.removesuffix(b"}\n"))
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
