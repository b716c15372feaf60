"""Frames: pages without a route, whose blocks stand on the other pages of their app.

A page is a frame where its `metadata.frame` is true. Its blocks fill the zones in which a page has
no block of its own. Of several frames with blocks for one zone the first by its key fills it. So it
is with `metadata.settings`: the first that has a key states it. A page whose `metadata.frame` is
false takes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from robbieblocks.assemble.page_settings import not_found_problems
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.model import (
    NO_SETTINGS,
    BlockRow,
    Json,
    PageRow,
    SiteSettings,
    order_in_frame,
)
from robbieblocks.site_settings import read_settings


def frame_setting(row: PageRow) -> Json:
    """What a page's metadata says under `frame`; null where it says nothing."""
    return row.metadata.get("frame") if isinstance(row.metadata, dict) else None


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of an app. `zones` has the blocks that fill each zone.

    `told` is what their metadata says of single blocks, by the order that these have on pages.
    `settings` are those of the app, `faults` what is wrong with them.
    """

    rows: tuple[PageRow, ...]
    zones: Mapping[str, tuple[BlockRow, ...]]
    told: Mapping[int, Json]
    settings: SiteSettings
    faults: tuple[Problem, ...]

    @classmethod
    def of(cls, rows: Iterable[PageRow]) -> Self:
        """Of these rows, sorted by their keys."""
        frames = tuple(rows)
        zones: dict[str, tuple[BlockRow, ...]] = {}
        told: dict[int, Json] = {}
        settings = NO_SETTINGS
        faults: list[Problem] = []
        for number, frame in enumerate(frames, 1):
            mine: dict[str, list[BlockRow]] = {}
            of_blocks = _block_settings(frame)
            own, wrong = _settings(frame)
            settings = settings.over(own)
            faults += wrong
            for block in frame.blocks:
                order = order_in_frame(number, block.order)
                placed = block._replace(order=order, frame=frame.key)
                mine.setdefault(block.zone, []).append(placed)
                if str(block.order) in of_blocks:
                    told[order] = of_blocks[str(block.order)]
            for zone, blocks in mine.items():
                zones.setdefault(zone, tuple(blocks))
        return cls(frames, zones, told, settings, tuple(faults))

    def around(self, row: PageRow) -> PageRow:
        """The page with the frames' blocks and settings; the very row where it takes nothing."""
        if frame_setting(row) is False:
            return row
        if self.faults or self.settings != NO_SETTINGS:
            faults = (*row.faults, *self.faults)
            row = replace(row, settings=self.settings, faults=faults)
        own = {block.zone for block in row.blocks}
        more = [block for zone, blocks in self.zones.items() if zone not in own for block in blocks]
        if not more:
            return row
        told = {str(b.order): self.told[b.order] for b in more if b.order in self.told}
        return replace(row, blocks=(*row.blocks, *more), metadata=_with_settings(row, told))


def _settings(frame: PageRow) -> tuple[SiteSettings, list[Problem]]:
    metadata = frame.metadata if isinstance(frame.metadata, dict) else {}
    wrong = not_found_problems(metadata)
    problems = [each.in_row("page", frame.key, "metadata") for each in wrong]
    settings = NO_SETTINGS
    for key in ("settings", "head"):
        if metadata.get(key) is None:
            continue
        stated, at = metadata[key], "/settings"
        if key == "head":
            stated, at = {"head": stated}, ""
        own, wrong = read_settings(stated, of_node=False)
        settings = own.over(settings)
        problems += [
            ValueProblem(at + each.pointer, each.what, each.remedy).in_row(
                "page", frame.key, "metadata"
            )
            for each in wrong
        ]
    return settings, problems


def _block_settings(row: PageRow) -> Mapping[str, Json]:
    blocks = row.metadata.get("blocks") if isinstance(row.metadata, dict) else None
    return blocks if isinstance(blocks, dict) else {}


def _with_settings(row: PageRow, told: Mapping[str, Json]) -> Json:
    own = row.metadata if isinstance(row.metadata, dict) else {}
    blocks = own.get("blocks", {})
    if not told or not isinstance(blocks, dict):
        return row.metadata
    return {**own, "blocks": {**blocks, **told}}
