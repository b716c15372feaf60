"""Frames: pages without a route, whose blocks stand on the other pages of their app.

A page is a frame where its `metadata.frame` is true. Its blocks fill the zones in which a page has
no block of its own. One with `metadata.lang` is around pages in that language alone, and comes
before those without. Of several frames with blocks for one zone the first by its key fills it. So
it is with `metadata.settings`: the first that has a key states it. Frames of `shared` are around
the pages of every app, behind its own. A page whose `metadata.frame` is false takes none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Final, NamedTuple, Self, TypeAlias

from robbieblocks.assemble.page_settings import (
    language_of,
    language_problems,
    not_found_problems,
)
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer
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


class _Around(NamedTuple):
    """What frames put around pages: the blocks that fill each zone, and settings.

    `faults` are what is wrong with the frames.
    """

    zones: Mapping[str, tuple[BlockRow, ...]]
    settings: SiteSettings = NO_SETTINGS
    faults: tuple[Problem, ...] = ()

    def over(self, others: _Around) -> _Around:
        """These, with what `others` have where these have nothing."""
        return _Around(
            {**others.zones, **self.zones},
            self.settings.over(others.settings),
            (*others.faults, *self.faults),
        )


_NOTHING: Final = _Around({})
_Level: TypeAlias = Mapping[str, _Around]
"""What the frames of one app put around pages, by language in small letters: "" for all."""


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames around the pages of an app, its own before those of `shared`.

    `levels` is what each of the two puts around pages. `told` is what their metadata says of single
    blocks, by the order that these have on pages.
    """

    rows: tuple[PageRow, ...]
    levels: tuple[_Level, ...]
    told: Mapping[int, Json]
    _known: dict[str, _Around] = field(default_factory=dict[str, _Around], compare=False)

    @classmethod
    def of(cls, own: Iterable[PageRow], shared: Iterable[PageRow] = ()) -> Self:
        """Of an app's own frames and those of `shared`, both sorted by their keys."""
        own, shared = tuple(own), tuple(shared)
        told: dict[int, Json] = {}
        levels = (_level(own, 1, told), _level(shared, len(own) + 1, told))
        return cls((*own, *shared), levels, told)

    @property
    def settings(self) -> SiteSettings:
        """Those of the app: of the frames without a language."""
        return self._in("").settings

    @property
    def faults(self) -> tuple[Problem, ...]:
        """What is wrong with the frames that state them."""
        return self._in("").faults

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with any of them."""
        around = chain.from_iterable(level.values() for level in self.levels)
        return tuple(chain.from_iterable(each.faults for each in around))

    def around(self, row: PageRow) -> PageRow:
        """The page with the frames' blocks and settings; the very row where it takes nothing."""
        if frame_setting(row) is False:
            return row
        zones, settings, faults = self._of(row)
        if faults or settings != NO_SETTINGS:
            row = replace(row, settings=settings, faults=(*row.faults, *faults))
        own = {block.zone for block in row.blocks}
        more = [block for zone, blocks in zones.items() if zone not in own for block in blocks]
        if not more:
            return row
        told = {str(b.order): self.told[b.order] for b in more if b.order in self.told}
        return replace(row, blocks=(*row.blocks, *more), metadata=_with_settings(row, told))

    def _of(self, row: PageRow) -> _Around:
        """What is for a page's language: for `de-AT`, where nothing is, what is for `de`."""
        if all(level.keys() <= {""} for level in self.levels):
            return self._in("")
        return self._in(language_of(row.metadata, self.settings.languages.default).lower())

    def _in(self, language: str) -> _Around:
        known = self._known.get(language)
        if known is None:
            known = _NOTHING
            for level in self.levels:
                tag = language
                while tag and tag not in level:
                    tag = tag.rpartition("-")[0]
                of_all = level.get("", _NOTHING)
                known = known.over(level[tag].over(of_all) if tag else of_all)
            self._known[language] = known
        return known


def default_language(own: Iterable[PageRow], shared: Iterable[PageRow], now: datetime) -> str:
    """The language of an app's pages that state none, by its own frames and those of `shared`."""
    levels = [[row for row in rows if is_due(row, now)] for rows in (own, shared)]
    return Frames.of(*levels).settings.languages.default


def is_due(row: PageRow, now: datetime) -> bool:
    """Whether a row's `published_at` has come; without one it is always due."""
    return row.published_at is None or row.published_at <= now


def _level(rows: Iterable[PageRow], first: int, told: dict[int, Json]) -> _Level:
    """What frames put around pages, of which the first has this number; `told` is added to."""
    found: dict[str, _Around] = {}
    for number, frame in enumerate(rows, first):
        mine: dict[str, list[BlockRow]] = {}
        of_blocks = _block_settings(frame)
        for block in frame.blocks:
            order = order_in_frame(number, block.order)
            placed = block._replace(order=order, frame=frame.key)
            mine.setdefault(block.zone, []).append(placed)
            if str(block.order) in of_blocks:
                told[order] = of_blocks[str(block.order)]
        zones = {zone: tuple(blocks) for zone, blocks in mine.items()}
        language = language_of(frame.metadata, "").lower()
        around = _Around(zones, *_settings(frame))
        found[language] = found.get(language, _NOTHING).over(around)
    return found


def _settings(frame: PageRow) -> tuple[SiteSettings, tuple[Problem, ...]]:
    metadata = frame.metadata if isinstance(frame.metadata, dict) else {}
    settings, problems = NO_SETTINGS, [*language_problems(metadata), *not_found_problems(metadata)]
    if not isinstance(metadata.get("blocks"), dict | None):
        remedy = 'such as {"2": {"hydrate": "visible"}}'
        problems.append(ValueProblem("/blocks", "expected an object", remedy))
    for key in ("settings", "head"):
        if metadata.get(key) is None:
            continue
        stated, at = metadata[key], "/settings"
        if key == "head":
            stated, at = {"head": stated}, ""
        own, wrong = read_settings(stated, of_node=False)
        settings = own.over(settings)
        problems += [
            ValueProblem(at + each.pointer, each.what, each.remedy, passing=each.passing)
            for each in wrong
        ]
    if metadata.get("lang"):
        problems += [
            ValueProblem(
                json_pointer("settings", name),
                f"{name} is of the whole app, and the frame is for one language",
                "write it into a frame without lang",
            )
            for name in settings.of_whole_app
        ]
    return settings, tuple(each.in_row("page", frame.key, "metadata") for each in problems)


def _block_settings(row: PageRow) -> Mapping[str, Json]:
    blocks = row.metadata.get("blocks") if isinstance(row.metadata, dict) else None
    return blocks if isinstance(blocks, dict) else {}


def _with_settings(row: PageRow, told: Mapping[str, Json]) -> Json:
    own = row.metadata if isinstance(row.metadata, dict) else {}
    blocks = own.get("blocks", {})
    if not told or not isinstance(blocks, dict):
        return row.metadata
    return {**own, "blocks": {**blocks, **told}}
