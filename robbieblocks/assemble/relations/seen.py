"""What was looked at the last time of an app's rows, and whether it still holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.askers import Askers
from robbieblocks.assemble.relations.frames import frame_setting
from robbieblocks.assemble.relations.other_apps import AppPages
from robbieblocks.assemble.relations.translations import Groups
from robbieblocks.errors import Problem
from robbieblocks.model import PageRow

# Where more rows have changed, looking at all of them is as quick.
_CHANGED_MAX: Final = 500


@dataclass(slots=True)
class Seen:
    """What was looked at the last time, to its end.

    `rows` are those of the app, `pages` those of them that are no frames. `next_due` is the first
    instant at which one of them becomes due that was not. `framed` says whether a frame has
    references, `lists` whether a page has, so that there is a listing. `in_parts` are the keys of
    pages that have further parts. `reads` is how many pages list those of another app, or rows of a
    collection there, `others` are what is listed so.
    """

    rows: Sequence[PageRow]
    pages: Sequence[PageRow]
    now: datetime
    next_due: datetime | None
    unlisted: Collection[str]
    shared_frames: Sequence[PageRow]
    row_lists: Mapping[str, RowList]
    unread: tuple[Problem, ...]
    groups: Groups
    framed: bool
    lists: bool
    found: list[PageRow]
    in_parts: set[str]
    reads: Counter[tuple[str, str]]
    others: Mapping[tuple[str, str], AppPages] = field(
        default_factory=dict[tuple[str, str], AppPages]
    )
    askers: Askers | None = None

    def holds(
        self,
        gone: Sequence[PageRow],
        come: Sequence[PageRow],
        now: datetime,
        unlisted: Collection[str],
        unread: tuple[Problem, ...],
    ) -> bool:
        """Whether the other rows are shown as they were, but for what they take from these."""
        return (
            len(gone) + len(come) <= _CHANGED_MAX
            and self.now <= now
            and (self.next_due is None or now < self.next_due)
            and self.unlisted == unlisted
            and self.unread == unread
            and not any(frame_setting(row) is True for row in (*gone, *come))
        )
