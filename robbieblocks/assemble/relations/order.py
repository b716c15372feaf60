"""The pages that a query takes, in its order, and what becomes of them when a few pages change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

from robbieblocks.assemble.relations.page_data import field_of
from robbieblocks.assemble.relations.query import PageQuery
from robbieblocks.assemble.values import MAX_DEPTH, depth_of
from robbieblocks.model import Json, JsonObject, canonical_json

Change = tuple[JsonObject | None, JsonObject | None]
"""The data of a page before and now; None where it was, or is, in no list."""


class Selection(NamedTuple):
    """Which pages a query takes, and how they are sorted. `where` has values as JSON texts."""

    where: tuple[tuple[str, tuple[str, ...]], ...]
    under: str
    lang: str
    sort: str
    descending: bool

    @classmethod
    def of(cls, query: PageQuery) -> Self:
        """That of a query."""
        where = tuple([(name, tuple(map(value_text, values))) for name, values in query.where])
        return cls(where, query.under, query.lang, query.sort, query.descending)

    def takes(self, page: JsonObject) -> bool:
        """Whether a page is among them."""
        return self.takes_besides_where(page) and not any(
            value_texts(page, name).isdisjoint(values) for name, values in self.where
        )

    def takes_besides_where(self, page: JsonObject) -> bool:
        """Whether a page is among them, if its metadata are as asked for."""
        if self.under and not str(page["route"]).startswith(self.under):
            return False
        return not self.lang or str(page["lang"]).lower() == self.lang

    def sorted(self, pages: Sequence[JsonObject]) -> list[JsonObject]:
        """Pages, which are in the order of their keys, by the field; those without it last."""
        values = [(field_of(page, self.sort), page) for page in pages]
        there = [pair for pair in values if pair[0] is not None]
        there.sort(key=lambda pair: _rank(pair[0]), reverse=self.descending)
        return [page for _, page in there] + [page for value, page in values if value is None]

    def place(self, pages: Sequence[JsonObject], page: JsonObject) -> int:
        """Where a page belongs among sorted ones."""
        low, high = 0, len(pages)
        while low < high:
            middle = (low + high) // 2
            if self._precedes(pages[middle], page):
                low = middle + 1
            else:
                high = middle
        return low

    def _precedes(self, one: JsonObject, other: JsonObject) -> bool:
        mine, its = field_of(one, self.sort), field_of(other, self.sort)
        if (mine is None) is not (its is None):
            return its is None
        if mine is not None and (rank := _rank(mine)) != (its_rank := _rank(its)):
            return rank > its_rank if self.descending else rank < its_rank
        return str(one["key"]) < str(other["key"])


class Order:
    """The pages of a selection, sorted."""

    def __init__(self, selection: Selection, pages: list[JsonObject]) -> None:
        self.selection = selection
        self.pages = pages
        self._places: Mapping[str, int] | None = None
        self._windows: dict[tuple[int, int], Sequence[JsonObject]] = {}

    @property
    def places(self) -> Mapping[str, int]:
        """The place of each page by its key."""
        if self._places is None:
            self._places = {str(page["key"]): place for place, page in enumerate(self.pages)}
        return self._places

    def window(self, start: int, stop: int) -> Sequence[JsonObject]:
        """A slice of the pages: one object for all who ask."""
        known = self._windows.get((start, stop))
        if known is None:
            known = self._windows[start, stop] = self.pages[start:stop]
        return known

    def changed(self, changes: Iterable[Change]) -> Order:
        """The order once some pages have changed: this very one where it has none of them."""
        gone: list[int] = []
        come: list[JsonObject] = []
        for before, now in changes:
            if before is not None and (place := self.places.get(str(before["key"]))) is not None:
                gone.append(place)
            if now is not None and self.selection.takes(now):
                come.append(now)
        if not gone and not come:
            return self
        pages = self.pages.copy()
        for place in sorted(gone, reverse=True):
            del pages[place]
        for page in come:
            pages.insert(self.selection.place(pages, page), page)
        return Order(self.selection, pages)


@dataclass(frozen=True, slots=True)
class Alteration:
    """Where an order differs from what it was: the places then and now of pages that changed.

    `now` is None where the order is not known any more, so that any of it may differ.
    """

    before: Order
    now: Order | None
    old_places: Sequence[int] = ()
    new_places: Sequence[int] = ()

    @classmethod
    def of(cls, before: Order, now: Order | None, changes: Iterable[Change]) -> Self:
        """That between two orders of one selection, made by these changes."""
        if now is None:
            return cls(before, None)
        old = [before.places.get(str(page["key"])) for page, _ in changes if page is not None]
        new = [now.places.get(str(page["key"])) for _, page in changes if page is not None]
        return cls(
            before,
            now,
            [place for place in old if place is not None],
            [place for place in new if place is not None],
        )

    @property
    def lowest(self) -> int:
        """The first place that may have another page than before."""
        return min((*self.old_places, *self.new_places), default=0)

    @property
    def alters_count(self) -> bool:
        """Whether there are more pages, or fewer."""
        return self.now is None or len(self.now.pages) != len(self.before.pages)

    def neighbours(self, reach: int) -> Iterator[str]:
        """The keys of the pages at most so many places from what changed, then or now."""
        now = self.now or self.before
        for order, places in ((self.before, self.old_places), (now, self.new_places)):
            for place in places:
                for page in order.pages[max(0, place - reach) : place + reach + 1]:
                    yield str(page["key"])


def value_texts(page: JsonObject, name: str) -> frozenset[str]:
    """The values that a page's metadata have under a name, as JSON texts.

    Without lists and objects among them: no query names one, and rows nest them at will.
    """
    value = field_of(page, f"metadata.{name}")
    items = value if isinstance(value, list) else [value]
    return frozenset([value_text(each) for each in items if not isinstance(each, list | dict)])


def value_text(value: Json) -> str:
    """Equal for equal values, as JSON has them: 1 is 1.0, and not true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical_json(value)


def _rank(value: Json) -> tuple[int, float, str]:
    """Numbers come before texts, texts without regard to case, what is neither by its JSON."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (0, value, "")
    if isinstance(value, str):
        return (1, 0, value.casefold())
    return (2, 0, _text_of_any(value))


def _text_of_any(value: Json) -> str:
    """The JSON of any value of a row; "" where no page can have it: one row must fail no list."""
    if depth_of(value) > MAX_DEPTH:
        return ""
    try:
        return value_text(value)
    except ValueError:
        # An infinity beside an integer beyond 64 bits.
        return ""
