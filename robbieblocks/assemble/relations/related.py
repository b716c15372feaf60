"""What a page became with what it takes from others, and whether that still holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.frames import Frames
from robbieblocks.assemble.relations.listing import Answer, Listing
from robbieblocks.assemble.relations.translations import Group
from robbieblocks.errors import Problem
from robbieblocks.model import PageRow, same


@dataclass(frozen=True, slots=True)
class Related:
    """What a row became, and from what. `listing` is None where no list is in it.

    `refers` says whether it, or a frame around it, has references. `parts` are the keys of its
    further parts, `taken` is that of another page among them, `asked` are the collections whose
    rows it lists, `answers` is what its lists show, which `listing` and `asked` say, `unread` is
    why pages were not in the listing.
    """

    row: PageRow
    frames: Frames
    group: Group
    listing: Listing | None
    pages: tuple[PageRow, ...]
    refers: bool
    parts: tuple[str, ...] = ()
    taken: str | None = None
    asked: Mapping[str, RowList] = field(default_factory=dict[str, RowList])
    answers: tuple[Answer, ...] = ()
    unread: tuple[Problem, ...] = ()

    def still(self, listing: Listing, row_lists: Mapping[str, RowList]) -> Related | None:
        """The same, known of the lists as they are now; None where these show something else."""
        is_same = self.listing is None or same(self.listing, listing)
        if is_same and not self.asked:
            return self
        now = {name: row_lists.get(name) for name in self.asked}
        if is_same and all(map(same, now.values(), self.asked.values())):
            return self
        asked: dict[str, RowList] = {}
        for name, rows in now.items():
            if rows is None or not rows.is_read_as(self.asked[name]):
                return None
            asked[name] = rows
        answers: list[Answer] = []
        for each in self.answers:
            name = each.query.collection
            answer = (asked[name].listing if name else listing).again(each)
            if answer is None:
                return None
            answers.append(answer)
        return replace(
            self,
            listing=None if self.listing is None else listing,
            asked=asked,
            answers=tuple(answers),
        )
