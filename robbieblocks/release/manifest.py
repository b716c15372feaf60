"""manifest.json: what a release holds, as bytes that are equal for equal manifests.

Pages name their assets and components by position in two tables, since thousands of pages share
a few dozen of them.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from robbieblocks.model import Json, Manifest, PageEntry, Sha256

_FORMAT: Final = 1
# No name of an asset holds a bracket, and in a text the quotes would be escaped.
_BUILD_HASH: Final = re.compile(rb'"build_hash":"([0-9a-f]{64})"')
_ASSET_TABLE: Final = re.compile(rb'"asset_table":(\[[^\]]*\])')
_text: Final = json.encoder.encode_basestring


class ManifestWriter:
    """Makes the JSON of manifests; keeps what it wrote of each app last, page by page."""

    def __init__(self) -> None:
        self._written: dict[str, _Written] = {}

    def dump(self, manifest: Manifest) -> bytes:
        """The JSON of a manifest. Page order is kept; everything else is sorted."""
        written = _Written.of(manifest, self._written.get(manifest.app))
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
        pages = ",".join([written.rows[id(page)] for page in manifest.pages])
        files = _json(dict(sorted(manifest.files.items())))
        return (
            f'{_json(value)[:-1]},"assets":{written.assets.places(manifest.assets)}'
            f',"pages":[{pages}],"files":{files}}}\n'
        ).encode()


@dataclass(frozen=True, slots=True)
class _Table:
    """Every name once, sorted, and each one's place in that; `uses` says how often it is used."""

    uses: Counter[str]
    names: list[str]
    place_of: Mapping[str, str]

    @classmethod
    def of(
        cls, last: Self | None, gone: Iterable[tuple[str, ...]], came: Iterable[tuple[str, ...]]
    ) -> Self:
        """The table after some uses went and others came; the very same where its names are."""
        uses = Counter[str]() if last is None else last.uses.copy()
        for used in gone:
            uses.subtract(used)
        for used in came:
            uses.update(used)
        uses = +uses  # without names that are used no more
        names = sorted(uses)
        if last is not None and names == last.names:
            return cls(uses, last.names, last.place_of)
        return cls(uses, names, {name: str(place) for place, name in enumerate(names)})

    def places(self, used: tuple[str, ...]) -> str:
        """Names as their places, in JSON."""
        return f"[{','.join([self.place_of[name] for name in used])}]"


@dataclass(frozen=True, slots=True)
class _Written:
    """Pages in JSON by the object's id, and their tables; `pages` keeps the objects alive.

    `own` are the assets that the manifest itself names.
    """

    own: tuple[str, ...]
    pages: Mapping[int, PageEntry]
    assets: _Table
    components: _Table
    inputs: _Table
    rows: Mapping[int, str]

    @classmethod
    def of(cls, manifest: Manifest, last: Self | None) -> Self:
        """What is written now: most pages are the objects that were written last."""
        pages = {id(page): page for page in manifest.pages}
        before = {} if last is None else last.pages
        gone = [before[key] for key in before.keys() - pages.keys()]
        came = [pages[key] for key in pages.keys() - before.keys()]
        assets = _Table.of(
            last.assets if last else None,
            [*([last.own] if last else []), *(page.assets for page in gone)],
            [manifest.assets, *(page.assets for page in came)],
        )
        components = _Table.of(
            last.components if last else None,
            (page.components for page in gone),
            (page.components for page in came),
        )
        inputs = _Table.of(
            last.inputs if last else None,
            (page.input_digests for page in gone),
            (page.input_digests for page in came),
        )
        tables = assets, components, inputs
        if last and all(map(_same_names, tables, (last.assets, last.components, last.inputs))):
            rows = dict(last.rows)
            for page in gone:
                del rows[id(page)]
        else:
            rows, came = {}, list(pages.values())
        rows |= {id(page): _row(page, *tables) for page in came}
        return cls(manifest.assets, pages, *tables, rows)


def _same_names(table: _Table, last: _Table) -> bool:
    return table.names == last.names


def _row(page: PageEntry, assets: _Table, components: _Table, inputs: _Table) -> str:
    """The JSON of a page; by hand, since json.dumps takes three times as long."""
    return (
        f'{{"key":{_text(page.key)},"route":{_text(page.route)},"path":{_text(page.path)}'
        f',"inputs":{_text(page.inputs)},"assets":{assets.places(page.assets)}'
        f',"components":{components.places(page.components)}'
        f',"rows":{_text(page.row_digests)},"from":{inputs.places(page.input_digests)}}}'
    )


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def asset_names(content: bytes) -> frozenset[str]:
    """Every asset that a manifest's JSON names, without reading its pages; none where garbled."""
    found = _ASSET_TABLE.search(content)
    try:
        return frozenset(json.loads(found[1])) if found else frozenset()
    except ValueError:
        return frozenset()


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
    named = json.loads(files.removesuffix(b"}\n"))
    if not isinstance(named, dict) or not all(isinstance(each, str) for each in named.values()):
        raise ValueError("not a manifest's files")
    manifest = Manifest(node="", app="", files=named)
    if manifest.build_hash != stated[1].decode():
        raise ValueError("the manifest's files are not those of its build hash")
    return manifest


def _manifest(value: dict[str, Any]) -> Manifest:
    assets: list[str] = value["asset_table"]
    components: list[str] = value["component_table"]
    inputs: list[str] = value.get("input_table", [])
    known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def names(table: list[str], places: list[int]) -> tuple[str, ...]:
        """One tuple for all pages that have the same: memory, at 10,000 pages."""
        found = tuple([table[place] for place in places])
        return known.setdefault(found, found)

    return Manifest(
        node=str(value["node"]),
        app=str(value["app"]),
        toolchain=str(value["toolchain"]),
        files={str(path): Sha256(digest) for path, digest in value["files"].items()},
        assets=names(assets, value["assets"]),
        pages=tuple(
            PageEntry(
                key=page["key"],
                route=page["route"],
                path=page["path"],
                inputs=Sha256(page["inputs"]),
                assets=names(assets, page["assets"]),
                components=names(components, page["components"]),
                row_digests=page.get("rows", ""),
                input_digests=names(inputs, page.get("from", [])),
            )
            for page in value["pages"]
        ),
    )
