"""The pages of an app as lists show them, found by metadata and sorted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

from robbieblocks.assemble.relations.page_data import field_of, shown_field
from robbieblocks.assemble.relations.query import PageQuery
from robbieblocks.model import Json, JsonObject, canonical_json

_KEY = itemgetter("key")
# Pages in answers that are kept: some 50 MB.
_MOST_KEPT = 500_000


class Listing:
    """The data of pages, by which lists are answered; each list is sorted once."""

    def __init__(self, pages: Iterable[JsonObject]) -> None:
        self._pages = sorted(pages, key=_KEY)
        self._by_value: dict[str, Mapping[str, list[int]]] = {}
        self._sorted: dict[tuple[object, ...], tuple[list[JsonObject], Mapping[str, int]]] = {}
        self._kept = 0
        self._chosen: dict[tuple[str, ...], dict[str, JsonObject]] = {}

    def window(self, query: PageQuery, asking: str, first: int) -> tuple[Sequence[JsonObject], int]:
        """At most `limit` pages of a query from the place `first` on, and how many it has in all.

        The page `asking` itself is never among them.
        """
        pages, places = self._in_order(query)
        own = places.get(asking)
        if query.near:
            if own is None:
                return (), 0
            if query.near == "next":
                start = own + 1 + first
                return pages[start : start + query.limit], len(pages) - own - 1
            end = max(0, own - first)
            return pages[max(0, end - query.limit) : end][::-1], own
        found = pages[first : first + query.limit + 1]
        if own is None:
            return found[: query.limit], len(pages)
        if own < first:
            return pages[first + 1 : first + 1 + query.limit], len(pages) - 1
        return [page for page in found if page["key"] != asking][: query.limit], len(pages) - 1

    def chosen(self, page: JsonObject, fields: tuple[str, ...]) -> JsonObject:
        """Of a page's data only these fields; `metadata.price` becomes `price`.

        Lists that name the same fields share one object: thousands of pages may show a list.
        """
        known = self._chosen.setdefault(fields, {})
        key = str(page["key"])
        if key not in known:
            known[key] = {name.rpartition(".")[2]: shown_field(page, name) for name in fields}
        return known[key]

    def _in_order(self, query: PageQuery) -> tuple[list[JsonObject], Mapping[str, int]]:
        """All pages that the query takes, sorted, and the place of each by its key."""
        where = tuple((name, tuple(map(_text, values))) for name, values in query.where)
        asked = (where, query.under, query.lang, query.sort, query.descending)
        known = self._sorted.get(asked)
        if known is None:
            found = [self._pages[place] for place in self._places(where)]
            under = query.under
            if under:
                found = [page for page in found if str(page["route"]).startswith(under)]
            if query.lang:
                found = [page for page in found if str(page["lang"]).lower() == query.lang]
            pages = _sorted(found, query.sort, descending=query.descending)
            places = {str(page["key"]): place for place, page in enumerate(pages)}
            self._kept += len(pages)
            if self._kept > _MOST_KEPT:
                self._sorted.clear()
                self._kept = len(pages)
            known = self._sorted[asked] = pages, places
        return known

    def _places(self, where: Iterable[tuple[str, tuple[str, ...]]]) -> list[int]:
        places: set[int] | None = None
        for name, values in where:
            by_value = self._values_of(name)
            found = {place for value in values for place in by_value.get(value, ())}
            places = found if places is None else places & found
        return [*range(len(self._pages))] if places is None else sorted(places)

    def _values_of(self, name: str) -> Mapping[str, list[int]]:
        """The places of the pages by each value that their metadata has under a name."""
        known = self._by_value.get(name)
        if known is None:
            found = defaultdict[str, list[int]](list)
            for place, page in enumerate(self._pages):
                value = field_of(page, f"metadata.{name}")
                for each in value if isinstance(value, list) else [value]:
                    found[_text(each)].append(place)
            known = self._by_value[name] = found
        return known


def _text(value: Json) -> str:
    """Equal for equal values, as JSON has them: 1 is 1.0, and not true."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical_json(value)


def _sorted(pages: list[JsonObject], name: str, *, descending: bool) -> list[JsonObject]:
    """By a field, pages without it last, and by their keys where it is equal."""
    values = [(field_of(page, name), page) for page in pages]
    there = [pair for pair in values if pair[0] is not None]
    there.sort(key=lambda pair: _rank(pair[0]), reverse=descending)
    return [page for _, page in there] + [page for value, page in values if value is None]


def _rank(value: Json) -> tuple[int, float, str]:
    """Numbers come before texts, texts without regard to case, what is neither by its JSON."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (0, value, "")
    if isinstance(value, str):
        return (1, 0, value.casefold())
    return (2, 0, _text(value))
