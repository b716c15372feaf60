"""manifest.json, written: the text of each page and file is made once, and then kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Final

from robbieblocks.model import (
    Json,
    Manifest,
    ManifestBase,
    PageEntries,
    PageEntry,
    carried,
    sha256,
)
from robbieblocks.release.manifest import DIFFERENCE, WHOLE

# Smaller ones are written whole as quickly.
_TOLD_PAGES_MIN: Final = 2_000
# Where a larger part differs from the base, there is a new one.
_TOLD_PART: Final = 32
# Where more of a table's places are empty, its names are put in order again.
_EMPTY_PART: Final = 4
_NO_PAGES: Final = PageEntries(())
_text: Final = json.encoder.encode_basestring


@dataclass(frozen=True, slots=True)
class WrittenManifest:
    """A manifest, its JSON, and that of its base where that is a new one."""

    manifest: Manifest
    content: bytes
    base_content: bytes | None = None


class ManifestWriter:
    """Makes the JSON of manifests; keeps what it wrote of each app last, page by page."""

    def __init__(self) -> None:
        self._written: dict[str, _Written] = {}

    def write(self, manifest: Manifest, base: ManifestBase | None) -> WrittenManifest:
        """The manifest as it is to be on the disk: told from the base of what is live, where it
        differs little from that; else from one of its own. A small one is whole.
        """
        if len(manifest.pages) < _TOLD_PAGES_MIN or not _can_be_told(manifest):
            return WrittenManifest(manifest.told_from(None), self.dump(manifest))
        content = None if base is None else _difference(manifest, base)
        if content is not None:
            return WrittenManifest(manifest.told_from(base), content)
        whole = self.dump(manifest)
        own = ManifestBase(sha256(whole), manifest.told_from(None))
        return WrittenManifest(
            manifest.told_from(own), _json_of_difference(own, own.manifest), whole
        )

    def dump(self, manifest: Manifest) -> bytes:
        """The JSON of a manifest. Pages are in its order, files sorted.

        Names keep the places that they had in the tables of the last one: so equal manifests have
        equal bytes in a writer that is new, and may have others later.
        """
        written = self._written.get(manifest.app, _Written()).followed_by(manifest)
        self._written[manifest.app] = written
        head: dict[str, Json] = {
            "format": WHOLE,
            "node": manifest.node,
            "app": manifest.app,
            "build_hash": manifest.build_hash,
            "toolchain": manifest.toolchain,
            "asset_table": written.assets.names,
            "component_table": written.components.names,
            "input_table": written.inputs.names,
        }
        if manifest.sheet_digests:
            head["sheet"] = manifest.sheet_digests
        own = written.assets.positions(manifest.assets)
        return b"".join(
            (
                f'{_json(head)[:-1]},"assets":{own},"pages":['.encode(),
                b",".join(written.rows),
                b'],"files":{',
                b",".join(written.file_rows),
                b"}}\n",
            )
        )


@dataclass(frozen=True, slots=True)
class _Table:
    """Every name once, and its position; `uses` says how often each is used.

    A name keeps its position as long as it is used, so what was written of pages that stay holds.
    `empty` are the positions that no name has. In a table that is made anew names are sorted.
    """

    uses: Counter[str] = field(default_factory=Counter[str])
    names: Sequence[str] = ()
    position_of: Mapping[str, int] = field(default_factory=dict[str, int])
    empty: Sequence[int] = ()

    def changed(self, removed: Iterable[Sequence[str]], added: Iterable[Sequence[str]]) -> _Table:
        """The table after some uses were removed and others added."""
        uses = self.uses.copy()
        for names in removed:
            uses.subtract(names)
        for names in added:
            uses.update(names)
        uses = +uses  # without names that are used no more
        if uses.keys() == self.position_of.keys():
            return _Table(uses, self.names, self.position_of, self.empty)
        return self._with_names(uses)

    def _with_names(self, uses: Counter[str]) -> _Table:
        gone = self.position_of.keys() - uses.keys()
        new = sorted(uses.keys() - self.position_of.keys())
        empty = sorted([*self.empty, *map(self.position_of.__getitem__, gone)])
        if (len(empty) - len(new)) * _EMPTY_PART > len(uses):
            names = sorted(uses)
            return _Table(uses, names, {name: place for place, name in enumerate(names)})
        filled, empty = empty[: len(new)], empty[len(new) :]
        names = list(self.names)
        for place in empty:
            names[place] = ""
        names += [""] * (len(new) - len(filled))
        positions = {n: place for n, place in self.position_of.items() if n not in gone}
        for name, place in zip(new, [*filled, *range(len(self.names), len(names))], strict=True):
            names[place], positions[name] = name, place
        return _Table(uses, names, positions, empty)

    def keeps(self, before: _Table) -> bool:
        """Whether what has names of both tables is written with either as with the other."""
        positions = before.position_of
        return self.position_of is positions or all(
            positions.get(name, place) == place for name, place in self.position_of.items()
        )

    def positions(self, used: Iterable[str]) -> str:
        """Names as their positions, in JSON."""
        return f"[{','.join([str(self.position_of[name]) for name in used])}]"


@dataclass(frozen=True, slots=True)
class _Written:
    """What was written of an app: its tables, and the JSON of each page and of each file.

    `own` are the assets that the manifest itself names, `lines` those of its files.
    """

    own: tuple[str, ...] = ()
    pages: PageEntries = _NO_PAGES
    assets: _Table = field(default_factory=_Table)
    components: _Table = field(default_factory=_Table)
    inputs: _Table = field(default_factory=_Table)
    rows: Sequence[bytes] = ()
    lines: Sequence[str] = ()
    file_rows: Sequence[bytes] = ()

    def followed_by(self, manifest: Manifest) -> _Written:
        """What is written of the next manifest. Most pages are the same objects as in the last."""
        gone, come = manifest.page_entries.changed_since(self.pages)
        assets = self.assets.changed(
            [self.own, *(page.assets for page in gone)],
            [manifest.assets, *(page.assets for page in come)],
        )
        components = self.components.changed(
            (page.components for page in gone), (page.components for page in come)
        )
        inputs = self.inputs.changed(
            (page.input_digests for page in gone), (page.input_digests for page in come)
        )
        hold = (
            assets.keeps(self.assets)
            and components.keeps(self.components)
            and inputs.keeps(self.inputs)
        )
        lines = manifest.release_files.lines
        return _Written(
            own=manifest.assets,
            pages=manifest.page_entries,
            assets=assets,
            components=components,
            inputs=inputs,
            rows=carried(
                self.pages.pages if hold else (),
                self.rows if hold else (),
                manifest.pages,
                partial(_row, assets=assets, components=components, inputs=inputs),
            ),
            lines=lines,
            file_rows=carried(self.lines, self.file_rows, lines, _file_row),
        )


def _can_be_told(manifest: Manifest) -> bool:
    """Whether its pages and assets are in the order in which they are read again."""
    is_in_order = all(one < other for one, other in pairwise(manifest.assets))
    return is_in_order and manifest.page_entries.are_in_order


def _difference(manifest: Manifest, base: ManifestBase) -> bytes | None:
    """The JSON of what a manifest has another than its base; None where that is much."""
    before = base.manifest
    _, new = manifest.page_entries.changed_since(before.page_entries)
    come = [page for page in new if before.by_key.get(page.key) != page]
    files = manifest.release_files.differing(before.release_files)
    if (len(come) + len(files)) * _TOLD_PART > 2 * len(manifest.pages):
        return None
    return _json_of_difference(base, manifest, come, files)


def _json_of_difference(
    base: ManifestBase,
    manifest: Manifest,
    come: Collection[PageEntry] = (),
    files: Collection[str] = (),
) -> bytes:
    assets_before, assets = {*base.manifest.assets}, {*manifest.assets}
    new = sorted(assets - assets_before)
    # Who looks for assets in use reads the table alone.
    names = _Table().changed((), [new, *(page.assets for page in come)])
    components = _Table().changed((), (page.components for page in come))
    inputs = _Table().changed((), (page.input_digests for page in come))
    head: dict[str, Json] = {
        "format": DIFFERENCE,
        "node": manifest.node,
        "app": manifest.app,
        "build_hash": manifest.build_hash,
        "toolchain": manifest.toolchain,
        "base": base.digest,
        "asset_table": names.names,
        "component_table": components.names,
        "input_table": inputs.names,
        "assets_gone": sorted(assets_before - assets),
        "assets_come": new,
        "gone": sorted(base.manifest.by_key.keys() - manifest.by_key.keys()),
    }
    if manifest.sheet_digests:
        head["sheet"] = manifest.sheet_digests
    rows = (_row(page, assets=names, components=components, inputs=inputs) for page in come)
    changed = {path: manifest.files.get(path) for path in sorted(files)}
    return b"".join(
        (
            f'{_json(head)[:-1]},"pages":['.encode(),
            b",".join(rows),
            f'],"files":{_json(changed)}}}\n'.encode(),
        )
    )


def _row(page: PageEntry, *, assets: _Table, components: _Table, inputs: _Table) -> bytes:
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
    ).encode()


def _file_row(line: str) -> bytes:
    """The JSON of a file, of its line in `ReleaseFiles.lines`."""
    digest, _, path = line[:-1].partition("  ")
    return f"{_text(path)}:{_text(digest)}".encode()


def _json(value: Mapping[str, Json]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
