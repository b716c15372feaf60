"""Frames: pages without a route, whose blocks stand on the other pages of their app.

A page is a frame where its `metadata.frame` is true. Its blocks fill the zones in which a page has
no block of its own. Of several frames with blocks for one zone the first by its key fills it. A
page whose `metadata.frame` is false takes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from robbieblocks.model import BlockRow, Json, PageRow, order_in_frame


def frame_setting(row: PageRow) -> Json:
    """What a page's metadata says under `frame`; null where it says nothing."""
    return row.metadata.get("frame") if isinstance(row.metadata, dict) else None


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of an app. `zones` has the blocks that fill each zone.

    `settings` are what their metadata says of single blocks, by the order that these have on pages.
    """

    rows: tuple[PageRow, ...]
    zones: Mapping[str, tuple[BlockRow, ...]]
    settings: Mapping[int, Json]

    @classmethod
    def of(cls, rows: Iterable[PageRow]) -> Self:
        """Of these rows, sorted by their keys."""
        frames = tuple(rows)
        zones: dict[str, tuple[BlockRow, ...]] = {}
        settings: dict[int, Json] = {}
        for number, frame in enumerate(frames, 1):
            mine: dict[str, list[BlockRow]] = {}
            told = _block_settings(frame)
            for block in frame.blocks:
                order = order_in_frame(number, block.order)
                placed = block._replace(order=order, frame=frame.key)
                mine.setdefault(block.zone, []).append(placed)
                if str(block.order) in told:
                    settings[order] = told[str(block.order)]
            for zone, blocks in mine.items():
                zones.setdefault(zone, tuple(blocks))
        return cls(frames, zones, settings)

    def around(self, row: PageRow) -> PageRow:
        """The page with the frames' blocks; the very row where it takes none."""
        if not self.zones or frame_setting(row) is False:
            return row
        own = {block.zone for block in row.blocks}
        more = [block for zone, blocks in self.zones.items() if zone not in own for block in blocks]
        if not more:
            return row
        told = {str(b.order): self.settings[b.order] for b in more if b.order in self.settings}
        return replace(row, blocks=(*row.blocks, *more), metadata=_with_settings(row, told))


def _block_settings(row: PageRow) -> Mapping[str, Json]:
    blocks = row.metadata.get("blocks") if isinstance(row.metadata, dict) else None
    return blocks if isinstance(blocks, dict) else {}


def _with_settings(row: PageRow, told: Mapping[str, Json]) -> Json:
    own = row.metadata if isinstance(row.metadata, dict) else {}
    blocks = own.get("blocks", {})
    if not told or not isinstance(blocks, dict):
        return row.metadata
    return {**own, "blocks": {**blocks, **told}}
