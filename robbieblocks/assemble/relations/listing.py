"""The pages of an app as lists show them, found by metadata and sorted."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from operator import is_, itemgetter
from typing import Final, NamedTuple

from robbieblocks.assemble.relations.order import (
    Alteration,
    Change,
    Order,
    Selection,
    value_texts,
)
from robbieblocks.assemble.relations.page_data import shown_field
from robbieblocks.assemble.relations.query import PageQuery
from robbieblocks.model import JsonObject

_KEY: Final = itemgetter("key")
# Pages in answers that are kept: some 50 MB.
_MOST_KEPT: Final = 500_000
# Where more pages have changed, sorting all of them is as quick.
_CHANGED_MAX: Final = 64


class Answer(NamedTuple):
    """What a listing says to the page `asking`: the pages of a query from the place `first` on.

    They are of `selection`. `total` is how many pages the query has in all.
    """

    query: PageQuery
    asking: str
    first: int
    selection: Selection
    pages: Sequence[JsonObject]
    total: int

    def shows_same(self, other: Answer) -> bool:
        """Whether both have the same objects, and where that is shown, as many in all."""
        if self.query.paginate and self.total != other.total:
            return False
        mine, its = self.pages, other.pages
        return mine is its or (len(mine) == len(its) and all(map(is_, mine, its)))


class Listing:
    """The data of pages, by which lists are answered; each list is sorted once."""

    def __init__(self, pages: Iterable[JsonObject]) -> None:
        self._pages = sorted(pages, key=_KEY)
        self._by_value: dict[str, dict[str, dict[str, JsonObject]]] = {}
        self._orders: dict[Selection, Order] = {}
        self._kept = 0
        self._chosen: dict[tuple[str, ...], dict[str, JsonObject]] = {}

    def changed(self, changes: Sequence[Change]) -> Listing:
        """The listing once some pages have changed; lists that have none of them are as they were.

        No page is among the changes twice.
        """
        before = {str(page["key"]): page for page, _ in changes if page is not None}
        now = {str(page["key"]): page for _, page in changes if page is not None}
        if len(changes) > _CHANGED_MAX:
            kept = (page for page in self._pages if page["key"] not in before)
            return Listing([*kept, *now.values()])
        made = Listing(())
        made._pages = self._pages.copy()
        for key in before:
            del made._pages[bisect_left(made._pages, key, key=_KEY)]
        for page in now.values():
            insort(made._pages, page, key=_KEY)
        made._by_value = {
            name: _values_changed(name, values, before, now)
            for name, values in self._by_value.items()
        }
        made._orders = {asked: order.changed(changes) for asked, order in self._orders.items()}
        made._kept = sum(len(order.pages) for order in made._orders.values())
        made._chosen = {fields: _without(known, before) for fields, known in self._chosen.items()}
        return made

    def answer(self, query: PageQuery, asking: str, first: int) -> Answer:
        """At most `limit` pages of a query from the place `first` on.

        The page `asking` itself is never among them.
        """
        return _answered(self._order(Selection.of(query)), query, asking, first)

    def holds(self, known: Answer) -> bool:
        """Whether the answer to what was asked before has the same to show."""
        order = self._order(known.selection)
        return _answered(order, known.query, known.asking, known.first).shows_same(known)

    def altered_since(
        self, before: Listing, changes: Sequence[Change]
    ) -> Mapping[Selection, Alteration]:
        """The orders of `before` that the changes altered, and where; it became this listing."""
        found: dict[Selection, Alteration] = {}
        for selection, order in before._orders.items():
            now = self._orders.get(selection)
            if now is not order:
                found[selection] = Alteration.of(order, now, changes)
        return found

    @property
    def selections(self) -> Collection[Selection]:
        """Those whose order is known."""
        return self._orders.keys()

    def chosen(self, page: JsonObject, fields: tuple[str, ...]) -> JsonObject:
        """Of a page's data only these fields; `metadata.price` becomes `price`.

        Lists that name the same fields share one object: thousands of pages may show a list.
        """
        known = self._chosen.setdefault(fields, {})
        key = str(page["key"])
        if key not in known:
            known[key] = {name.rpartition(".")[2]: shown_field(page, name) for name in fields}
        return known[key]

    def _order(self, selection: Selection) -> Order:
        known = self._orders.get(selection)
        if known is None:
            found = [*filter(selection.takes_besides_where, self._found(selection.where))]
            known = Order(selection, selection.sorted(found))
            self._kept += len(known.pages)
            if self._kept > _MOST_KEPT:
                self._orders.clear()
                self._kept = len(known.pages)
            self._orders[selection] = known
        return known

    def _found(self, where: Sequence[tuple[str, tuple[str, ...]]]) -> Sequence[JsonObject]:
        """The pages whose metadata are as asked for, in the order of their keys."""
        if not where:
            return self._pages
        found: dict[str, JsonObject] | None = None
        for name, values in where:
            by_value = self._values_of(name)
            one: dict[str, JsonObject] = {}
            for value in values:
                one |= by_value.get(value, {})
            found = one if found is None else {key: found[key] for key in found.keys() & one}
        return sorted((found or {}).values(), key=_KEY)

    def _values_of(self, name: str) -> Mapping[str, Mapping[str, JsonObject]]:
        """The pages by each value that their metadata has under a name, and by their keys."""
        known = self._by_value.get(name)
        if known is None:
            found = defaultdict[str, dict[str, JsonObject]](dict)
            for page in self._pages:
                for text in value_texts(page, name):
                    found[text][str(page["key"])] = page
            known = self._by_value[name] = dict(found)
        return known


def _answered(order: Order, query: PageQuery, asking: str, first: int) -> Answer:
    own = order.places.get(asking)
    count, limit = len(order.pages), query.limit
    pages: Sequence[JsonObject] = ()
    if query.near:
        total = 0
        if own is not None and query.near == "next":
            start, total = own + 1 + first, count - own - 1
            pages = order.pages[start : start + limit]
        elif own is not None:
            end, total = max(0, own - first), own
            pages = order.pages[max(0, end - limit) : end][::-1]
        return Answer(query, asking, first, order.selection, pages, total)
    if own is None or own >= first + limit:
        pages = order.window(first, first + limit)
    elif own < first:
        pages = order.window(first + 1, first + 1 + limit)
    else:
        pages = [page for page in order.pages[first : first + limit + 1] if page["key"] != asking]
    return Answer(query, asking, first, order.selection, pages, count - (own is not None))


def _values_changed(
    name: str,
    values: Mapping[str, dict[str, JsonObject]],
    before: Mapping[str, JsonObject],
    now: Mapping[str, JsonObject],
) -> dict[str, dict[str, JsonObject]]:
    """The pages by each value of their metadata, with some of them changed."""
    found = dict(values)
    for key, page in before.items():
        for text in value_texts(page, name):
            found[text] = _without(found[text], (key,))
            if not found[text]:
                del found[text]
    for key, page in now.items():
        for text in value_texts(page, name):
            found[text] = found.get(text, {}) | {key: page}
    return found


def _without(pages: dict[str, JsonObject], keys: Iterable[str]) -> dict[str, JsonObject]:
    kept = pages.copy()
    for key in keys:
        kept.pop(key, None)
    return kept
