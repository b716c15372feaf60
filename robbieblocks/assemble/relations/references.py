"""References in props: `{"$page": "route"}` and `{"$pages": {...}}`, replaced by what they name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.page_data import FIELDS, field_of, is_field
from robbieblocks.assemble.relations.query import PageQuery, read_query, shown
from robbieblocks.assemble.values import MAX_DEPTH, ValueProblem
from robbieblocks.messages import json_pointer
from robbieblocks.model import Json, JsonObject, PageRow

PAGE: Final = "$page"
PAGES: Final = "$pages"
PAGINATION: Final = "pagination"


@dataclass(slots=True)
class References:
    """Replaces the references of one page, as its part `number` (from 1) of `count`.

    Afterwards `lists` says whether the page has a list, `paginated` is the query that asks for
    parts, `total` how many pages it takes, and `problems` are what is wrong with references.
    """

    row: PageRow
    data: JsonObject
    listing: Listing
    number: int = 1
    count: int = 1
    part_route: Callable[[int], str] = str
    lists: bool = False
    paginated: PageQuery | None = None
    total: int = 0
    problems: list[ValueProblem] = field(default_factory=list[ValueProblem])

    def replaced(self, value: Json, at: str = "", depth: int = 0) -> Json:
        """A value of props with its references replaced; the very value where it has none."""
        if depth > MAX_DEPTH:
            return value
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, asked),) = value.items()
                if name == PAGE:
                    return self._page_field(asked, at)
                if name == PAGES:
                    return self._pages(asked, at)
            fresh = {
                name: self.replaced(part, at + json_pointer(name), depth + 1)
                for name, part in value.items()
            }
            return fresh if any(fresh[name] is not part for name, part in value.items()) else value
        if isinstance(value, list):
            items = [
                self.replaced(part, f"{at}/{place}", depth + 1) for place, part in enumerate(value)
            ]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        return value

    def _page_field(self, asked: Json, at: str) -> Json:
        if asked == PAGINATION:
            return self._pagination()
        if isinstance(asked, str) and is_field(asked):
            return field_of(self.data, asked)
        what = f"a page has no field {shown(asked)}"
        remedy = f"one of {', '.join(FIELDS)}, metadata.<name>, or {PAGINATION}"
        self.problems.append(ValueProblem(at, what, remedy))
        return None

    def _of_page(self, value: Json, at: str) -> Json:
        """A value of a query, where it names a field of the page that asks."""
        if isinstance(value, dict) and [*value] == [PAGE]:
            return self._page_field(value[PAGE], at)
        return value

    def _pages(self, asked: Json, at: str) -> Json:
        query = read_query(asked, self.row.app, at, self._of_page)
        if not isinstance(query, PageQuery):
            self.problems += query
            return []
        self.lists = True
        first = (self.number - 1) * query.limit if query.paginate else query.offset
        found, total = self.listing.window(query, self.row.part_of or self.row.key, first)
        if query.paginate:
            if self.paginated is not None and self.paginated != query:
                what = "a second list of the page has paginate"
                self.problems.append(ValueProblem(at, what, "a page has one list in parts"))
            self.paginated, self.total = query, total
        return [_chosen(page, query.fields) for page in found]

    def _pagination(self) -> Json:
        return {
            "number": self.number,
            "count": self.count,
            "previous": self.part_route(self.number - 1) if self.number > 1 else None,
            "next": self.part_route(self.number + 1) if self.number < self.count else None,
            "routes": [self.part_route(number) for number in range(1, self.count + 1)],
        }


def has_reference(values: Iterable[Json]) -> bool:
    """Whether one of these values has a reference, at any depth that props may have."""
    waiting = [(value, 0) for value in values]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict):
            if len(value) == 1 and (PAGE in value or PAGES in value):
                return True
            parts: Iterable[Json] = value.values()
        elif isinstance(value, list):
            parts = value
        else:
            continue
        if depth < MAX_DEPTH:
            waiting += [(part, depth + 1) for part in parts if isinstance(part, dict | list)]
    return False


def _chosen(page: JsonObject, fields: Iterable[str]) -> JsonObject:
    """Of a page's data only these fields; `metadata.price` becomes `price`."""
    return {name.rpartition(".")[2]: field_of(page, name) for name in fields}
