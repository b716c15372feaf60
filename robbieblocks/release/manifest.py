"""manifest.json: what a release holds, as bytes that are equal for equal manifests.

Pages name their assets and components by position in two tables, since thousands of pages share
a few dozen of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from robbieblocks.model import Manifest, PageEntry, Sha256

_FORMAT: Final = 1


def dump(manifest: Manifest) -> bytes:
    """The JSON of a manifest. Page order is kept; everything else is sorted."""
    assets, asset_places = _table([manifest.assets, *(page.assets for page in manifest.pages)])
    components, component_places = _table([page.components for page in manifest.pages])
    value = {
        "format": _FORMAT,
        "node": manifest.node,
        "app": manifest.app,
        "build_hash": manifest.build_hash,
        "toolchain": manifest.toolchain,
        "asset_table": assets,
        "component_table": components,
        "assets": asset_places[manifest.assets],
        "pages": [
            {
                "key": page.key,
                "route": page.route,
                "path": page.path,
                "inputs": page.inputs,
                "assets": asset_places[page.assets],
                "components": component_places[page.components],
            }
            for page in manifest.pages
        ],
        "files": dict(sorted(manifest.files.items())),
    }
    return (json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n").encode()


def _table(
    uses: Iterable[tuple[str, ...]],
) -> tuple[list[str], dict[tuple[str, ...], list[int]]]:
    """Every name once, sorted, and each distinct list of names as places in that table."""
    distinct = set(uses)
    table = sorted({name for names in distinct for name in names})
    place_of = {name: place for place, name in enumerate(table)}
    return table, {names: [place_of[name] for name in names] for names in distinct}


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
