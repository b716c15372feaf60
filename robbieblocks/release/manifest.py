"""manifest.json: what a release holds, as bytes that are equal for equal manifests.

Pages name their assets and components by position in two tables, since thousands of pages share
a few dozen of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from robbieblocks.model import Json, Manifest, PageEntry, Sha256

_FORMAT: Final = 1
# No name of an asset holds a bracket, and in a text the quotes would be escaped.
_BUILD_HASH: Final = re.compile(rb'"build_hash":"([0-9a-f]{64})"')
_ASSET_TABLE: Final = re.compile(rb'"asset_table":(\[[^\]]*\])')
_text: Final = json.encoder.encode_basestring


def dump(manifest: Manifest) -> bytes:
    """The JSON of a manifest. Page order is kept; everything else is sorted."""
    assets = _Table.of([manifest.assets, *(page.assets for page in manifest.pages)])
    components = _Table.of([page.components for page in manifest.pages])
    value = {
        "format": _FORMAT,
        "node": manifest.node,
        "app": manifest.app,
        "build_hash": manifest.build_hash,
        "toolchain": manifest.toolchain,
        "asset_table": assets.names,
        "component_table": components.names,
    }
    pages = ",".join(_rows(manifest, assets, components))
    files = _json(dict(sorted(manifest.files.items())))
    return (
        f'{_json(value)[:-1]},"assets":{assets.places[manifest.assets]}'
        f',"pages":[{pages}],"files":{files}}}\n'
    ).encode()


@dataclass(frozen=True, slots=True)
class _Table:
    """Every name once, sorted, and each distinct list of names as places in that, as JSON."""

    names: list[str]
    places: Mapping[tuple[str, ...], str]

    @classmethod
    def of(cls, uses: Iterable[tuple[str, ...]]) -> Self:
        """The table of what is used."""
        distinct = set(uses)
        names = sorted({name for used in distinct for name in used})
        place_of = {name: place for place, name in enumerate(names)}
        return cls(names, {used: _json([place_of[name] for name in used]) for used in distinct})


@dataclass(frozen=True, slots=True)
class _Written:
    """Pages in JSON by the object's id, and what that depends on; `pages` keeps them alive."""

    pages: tuple[PageEntry, ...]
    names: tuple[list[str], list[str]]
    rows: Mapping[int, str]


# What was written last of each app: of the next manifest most pages are the same objects.
_written: Final[dict[str, _Written]] = {}


def _rows(manifest: Manifest, assets: _Table, components: _Table) -> list[str]:
    """The JSON of each page; by hand, since json.dumps takes three times as long."""
    last = _written.get(manifest.app)
    names = assets.names, components.names
    known = last.rows if last is not None and last.names == names else {}
    rows = {
        id(page): known.get(id(page))
        or f'{{"key":{_text(page.key)},"route":{_text(page.route)},"path":{_text(page.path)}'
        f',"inputs":{_text(page.inputs)},"assets":{assets.places[page.assets]}'
        f',"components":{components.places[page.components]}}}'
        for page in manifest.pages
    }
    _written[manifest.app] = _Written(manifest.pages, names, rows)
    return [rows[id(page)] for page in manifest.pages]


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
            )
            for page in value["pages"]
        ),
    )
