"""The pages of an app that lists may show, and their listing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.order import Change
from robbieblocks.assemble.relations.page_data import data_of, too_much
from robbieblocks.assemble.values import MAX_PROBLEMS
from robbieblocks.errors import Problem
from robbieblocks.model import JsonObject, PageRow, equal_json, same
from robbieblocks.row_faults import blame


@dataclass(slots=True)
class ListedPages:
    """Each page that may be listed with its data, by key, and the listing of them.

    `faults` are by key what a library raised over what a page tells of itself: no list has it.
    `too_much` are by key the warnings of pages of which lists leave out something.
    """

    listing: Listing = field(default_factory=partial(Listing, ()))
    faults: dict[str, list[Problem]] = field(default_factory=dict[str, list[Problem]])
    too_much: dict[str, Problem] = field(default_factory=dict[str, Problem])
    _data: dict[str, tuple[PageRow, JsonObject]] = field(
        default_factory=dict[str, "tuple[PageRow, JsonObject]"]
    )

    @property
    def left_out(self) -> tuple[Problem, ...]:
        """The warnings that each list has, by the keys of the pages: not all of very many."""
        return tuple([self.too_much[key] for key in sorted(self.too_much)[:MAX_PROBLEMS]])

    def replace(self, rows: Mapping[str, PageRow], default_language: str) -> Sequence[Change]:
        """Have these rows listed, by key, and no others. Returns what of the listing changed."""
        gone = self._data.keys() - rows.keys()
        self.faults.clear()
        return self.update({**dict.fromkeys(gone), **rows}, default_language)

    def update(self, rows: Mapping[str, PageRow | None], default_language: str) -> Sequence[Change]:
        """Have these rows listed, by key, or not (None). Returns what of the listing changed."""
        changes: list[Change] = []
        for key, row in rows.items():
            known = self._data.get(key)
            if row is not None and known is not None and same(known[0], row):
                continue
            self.too_much.pop(key, None)
            fresh = self._told(row, default_language) if row is not None else None
            if row is None or fresh is None:
                if known is not None:
                    changes.append((known[1], None))
                    del self._data[key]
                continue
            if (warning := too_much(row, fresh)) is not None:
                self.too_much[key] = warning
            if known is not None and equal_json(known[1], fresh):
                fresh = known[1]
            else:
                changes.append((known[1] if known is not None else None, fresh))
            self._data[key] = row, fresh
        if changes:
            self.listing = self.listing.changed(changes)
        return changes

    def _told(self, row: PageRow, default_language: str) -> JsonObject | None:
        """The page's data; None where a library fails over them, which is then its fault."""
        self.faults.pop(row.key, None)
        faults: list[Problem] = []
        with blame(faults.append, "page", row.key, "metadata"):
            return data_of(row, default_language)
        self.faults[row.key] = faults
        return None
