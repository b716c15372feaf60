"""Makes assets of what Pagefind wrote: few files, whose names are hashes, for each language."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from robbieblocks.model import Asset, Json, canonical_json

# Before the content of each of Pagefind's files (pagefind.js of 1.5, `decompress`).
_SIGNATURE: Final = b"pagefind_dcd"
# A page of results needs about ten pages; a file for each page would be thousands of assets.
_PAGES_IN_PACK: Final = 16


class Shown(NamedTuple):
    """What a result shows of a page."""

    route: str
    title: str
    description: str
    image: str


def pack(made: Path, shown: Mapping[str, Shown], folder: Path) -> dict[str, Json]:
    """Write the assets of all languages into the folder, and return their addresses.

    `shown` has the pages by the addresses that Pagefind knows. Raises ValueError where Pagefind
    wrote something else than its version 1.5 does.
    """
    entry: dict[str, Any] = json.loads((made / "pagefind-entry.json").read_bytes())
    found: dict[str, Json] = {}
    for language, stated in sorted(entry["languages"].items()):
        stem = f"search-{language}"
        wasm = _unpacked(made / f"wasm.{stated['wasm'] or 'unknown'}.pagefind")
        meta = (made / f"pagefind.{stated['hash']}.pf_meta").read_bytes()
        own = f"{language}_"
        found[language] = {
            "wasm": _written(Asset.of("search", "wasm", wasm), folder),
            "meta": _written(Asset.of(stem, "bin", meta), folder),
            "chunks": {
                each.stem: _written(Asset.of(stem, "bin", each.read_bytes()), folder)
                for each in sorted((made / "index").glob(f"{own}*.pf_index"))
            },
            # One file for each filter, and tags are the only one.
            "filters": {
                each.stem: _written(Asset.of(stem, "bin", each.read_bytes()), folder)
                for each in sorted((made / "filter").glob(f"{own}*.pf_filter"))
            },
            "packs": list(_packs(sorted((made / "fragment").glob(f"{own}*")), shown, stem, folder)),
        }
    return found


def _packs(
    fragments: Sequence[Path], shown: Mapping[str, Shown], stem: str, folder: Path
) -> Iterable[Json]:
    for first in range(0, len(fragments), _PAGES_IN_PACK):
        some = fragments[first : first + _PAGES_IN_PACK]
        pages = {each.stem: _page(each, shown) for each in some}
        asset = Asset.of(stem, "json", canonical_json(pages))
        yield [some[0].stem, _written(asset, folder)]


def _page(fragment: Path, shown: Mapping[str, Shown]) -> Json:
    """The page of a fragment: its address, what is shown of it, and its words."""
    stated: dict[str, Any] = json.loads(_unpacked(fragment))
    page = shown[stated["url"]]
    found: dict[str, Json] = {
        "url": quote(page.route),
        "title": page.title,
        "text": stated["content"],
    }
    if page.description:
        found["description"] = page.description
    if page.image:
        found["image"] = page.image
    return found


def _unpacked(file: Path) -> bytes:
    content = gzip.decompress(file.read_bytes())
    if not content.startswith(_SIGNATURE):
        raise ValueError(f"{file.name} is not what Pagefind 1.5 writes")
    return content.removeprefix(_SIGNATURE)


def _written(asset: Asset, folder: Path) -> str:
    (folder / asset.name).write_bytes(asset.content)
    return asset.url
