"""References in props, replaced by what they name.

`{"$page": "route"}` is a field of the page, `{"$pages": {...}}` a list of pages; `{"$row": "name"}`
is a column of the row that the page is made of, `{"$rows": {...}}` a list of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.assemble.collections.filling import ROW, no_column
from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.listing import Answer, Listing
from robbieblocks.assemble.relations.other_apps import AppPages, Others
from robbieblocks.assemble.relations.page_data import FIELDS, field_of, is_field, shown_field
from robbieblocks.assemble.relations.query import (
    PageQuery,
    read_query,
    read_rows_query,
    shown,
    source_of,
)
from robbieblocks.assemble.values import MAX_DEPTH, MAX_PROBLEMS, ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import Json, JsonObject, PageRow, Taken

PAGE: Final = "$page"
PAGES: Final = "$pages"
ROWS: Final = "$rows"
PAGINATION: Final = "pagination"
TRANSLATIONS: Final = "translations"
_NAMES: Final = frozenset((PAGE, PAGES, ROW, ROWS))
# What one page may ask for, its frames' blocks included.
MAX_LISTS: Final = 100
MAX_LISTED: Final = 10_000
_OF_TRANSLATIONS: Final = ("lang", "name", "route", "title", "current", "fallback")


@dataclass(slots=True)
class References:
    """Replaces the references of one page, as its part `number` (from 1) of those at `routes`.

    `row_lists` are the collections by name, `others` gives the pages of another app, or the rows of
    a collection that has its pages there, `unread` is why pages of some collections are not in the
    listing. `translations` gives those of the page,
    itself among them. `in_frame` says whether the block at hand is a frame's, `told_parts` whether
    it has been told which part it is on, `taken` whose values it has. Afterwards `lists` is how
    many lists the page has, `own_lists` how many of them no frame has, `listed` how many pages are
    in them, `paginated` the query that asks for parts, `total` how many pages it takes, `asked`
    names the collections and apps that it lists, `answers` is what lists were made of, `problems`
    are what is wrong with references, `warnings` what is to be known of them, and `faults` why
    lists lack what they would show.
    """

    row: PageRow
    data: JsonObject
    listing: Listing
    row_lists: Mapping[str, RowList]
    others: Others
    unread: tuple[Problem, ...] = ()
    number: int = 1
    routes: list[Json] = field(default_factory=list[Json])
    translations: Callable[[], Sequence[tuple[str, JsonObject]]] = list
    in_frame: bool = False
    lists: int = 0
    own_lists: int = 0
    listed: int = 0
    told_parts: bool = False
    paginated: PageQuery | None = None
    total: int = 0
    asked: set[str] = field(default_factory=set[str])
    answers: list[Answer] = field(default_factory=list[Answer])
    taken: list[Taken] = field(default_factory=list[Taken])
    problems: list[ValueProblem] = field(default_factory=list[ValueProblem])
    warnings: list[ValueProblem] = field(default_factory=list[ValueProblem])
    faults: dict[Problem, None] = field(default_factory=dict[Problem, None])

    def replaced(self, value: Json, at: str = "", depth: int = 0) -> Json:
        """A value of props with its references replaced; the very value where it has none."""
        if depth > MAX_DEPTH:
            return value
        if isinstance(value, dict):
            if len(value) == 1:
                ((name, asked),) = value.items()
                if name == PAGE:
                    return self._of_itself(asked, at)
                if name == PAGES:
                    return self._pages(asked, at)
                if name == ROW:
                    return self._of_row(asked, at)
                if name == ROWS:
                    return self._rows(asked, at)
            # Most parts are texts, which have neither references nor a need of a pointer.
            fresh = {
                name: self.replaced(part, at + json_pointer(name), depth + 1)
                if isinstance(part, dict | list)
                else part
                for name, part in value.items()
            }
            return fresh if any(fresh[name] is not part for name, part in value.items()) else value
        if isinstance(value, list):
            items = [
                self.replaced(part, f"{at}/{place}", depth + 1)
                if isinstance(part, dict | list)
                else part
                for place, part in enumerate(value)
            ]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        return value

    def _of_itself(self, asked: Json, at: str) -> Json:
        """What `$page` stands for in props."""
        if asked == TRANSLATIONS:
            found = self.translations()
            self.taken.append(Taken(at, [{"key": key} for key, _ in found], _OF_TRANSLATIONS))
            return [entry for _, entry in found]
        if isinstance(asked, str) and asked != PAGINATION:
            self.taken.append(Taken(at, (self.data,), (asked,), is_list=False))
        return self._page_field(asked, at, shown_field)

    def _of_row(self, name: Json, at: str) -> Json:
        """What `$row` stands for in props."""
        made = self.row.made
        if made is not None and isinstance(name, str):
            row: JsonObject = {"key": made.row.key}
            names = (f"metadata.{name}",)
            self.taken.append(Taken(at, (row,), names, is_list=False, collection=made.collection))
        return self._column(name, at)

    def _page_field(
        self, asked: Json, at: str, field_in: Callable[[JsonObject, str], Json]
    ) -> Json:
        if asked == PAGINATION:
            self.told_parts = True
            return self._pagination()
        if asked == TRANSLATIONS:
            return [entry for _, entry in self.translations()]
        if isinstance(asked, str) and is_field(asked):
            return field_in(self.data, asked)
        what = f"a page has no field {shown(asked)}"
        self._wrong(
            at, what, f"one of {', '.join((*FIELDS, PAGINATION, TRANSLATIONS))}, or metadata.<name>"
        )
        return None

    def _wrong(self, at: str, what: str, remedy: str) -> None:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(ValueProblem(at, what, remedy))

    def _of_page(self, value: Json, at: str) -> Json:
        """A value of a query, where it names a field of the page that asks."""
        if isinstance(value, dict) and [*value] == [PAGE]:
            return self._page_field(value[PAGE], at, field_of)
        if isinstance(value, dict) and [*value] == [ROW]:
            self._column(value[ROW], at)
            made, name = self.row.made, value[ROW]
            return made.row.values.get(name) if made and isinstance(name, str) else None
        return value

    def _column(self, name: Json, at: str) -> Json:
        made = self.row.made
        if made is None:
            what = "no row: the page is not made of a collection's"
            self._wrong(at, what, "name the page as template_page of a collection in the settings")
            return None
        if isinstance(name, str) and name in made.row.shown:
            return made.row.shown[name]
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(no_column(name, made.row.values, at))
        return None

    def _rows(self, asked: Json, at: str) -> Json:
        name = asked.get("collection") if isinstance(asked, dict) else None
        rows = self.row_lists.get(name) if isinstance(name, str) else None
        if not isinstance(asked, dict) or rows is None:
            what = f"$rows is {shown(asked)}, and names no collection"
            remedy = did_you_mean(str(name or ""), self.row_lists)
            if isinstance(name, str):
                what = f"there is no collection `{printable(name)}` in the settings"
                if not self.row_lists:
                    remedy = f"add [collections.{printable(name)}] to robbieblocks.toml"
            self._wrong(at, what, remedy)
            return []
        source = rows.collection.source
        self.asked.add(source.name)
        if rows.collection.fault is not None:
            self.faults[rows.collection.fault] = None
            return []
        self.faults.update(dict.fromkeys(rows.left_out))
        app = rows.app if rows.app != self.row.app else ""
        query = read_rows_query(asked, rows.collection, at, self._of_page, app)
        listing = self._of_app(app, at, source.name).listing if app else rows.listing
        return self._listed(query, listing, at, source.key)

    def _pages(self, asked: Json, at: str) -> Json:
        query = read_query(asked, self.row.app, str(self.data["lang"]), at, self._of_page)
        listing = self.listing_of(query, at) if isinstance(query, PageQuery) else self.listing
        return self._listed(query, listing, at)

    def listing_of(self, query: PageQuery, at: str) -> Listing:
        """The listing of pages that answers a query at a place of the props, once it is noted."""
        if not query.app:
            self.faults.update(dict.fromkeys(self.unread))
            return self.listing
        return self._of_app(query.app, at).listing

    def _of_app(self, app: str, at: str, collection: str = "") -> AppPages:
        """The pages of another app, or of a collection there, once they are noted."""
        self.asked.add(source_of(app, collection))
        pages = self.others(app, collection)
        self.faults.update(dict.fromkeys(pages.unread))
        if not pages.is_there and len(self.warnings) < MAX_PROBLEMS:
            what = f"the node does not show the app {printable(app)}: the list is empty there"
            remedy = "add it to the node's enabled_apps, or show the block on other nodes alone"
            if collection:
                remedy += ", or name the view as a second collection, without template_page"
            self.warnings.append(ValueProblem(at, what, remedy))
        return pages

    def _listed(
        self,
        query: PageQuery | tuple[ValueProblem, ...],
        listing: Listing,
        at: str,
        column: str = "",
    ) -> Json:
        """What a list shows; of a collection, whose key is a column."""
        if not isinstance(query, PageQuery):
            self.problems += query[: MAX_PROBLEMS - len(self.problems)]
            return []
        self.lists += 1
        self.own_lists += not self.in_frame
        if self.lists > MAX_LISTS:
            if self.lists == MAX_LISTS + 1:
                what = f"the page has more than {MAX_LISTS} lists of pages"
                self._wrong(at, what, "take some away, or spread them over pages")
            return []
        if query.paginate and self.in_frame:
            self._wrong(at, "a frame's list has paginate", "put that list on a page of its own")
            return []
        first = (self.number - 1) * query.limit if query.paginate else query.offset
        answer = listing.answer(query, self.row.part_of or self.row.key, first)
        self.answers.append(answer)
        found = answer.pages
        if query.paginate:
            if self.paginated is not None and self.paginated != query:
                what = "a second list of the page has paginate"
                self._wrong(at, what, "a page has one list in parts")
            self.paginated, self.total = query, answer.total
        self.listed += len(found)
        if self.listed > MAX_LISTED:
            if self.listed - len(found) <= MAX_LISTED:
                what = f"the page's lists have more than {MAX_LISTED:,} pages in all"
                self._wrong(at, what, "lower their limits")
            return []
        self.taken.append(
            Taken(at, found, query.fields, collection=query.collection, column=column)
        )
        return [listing.chosen(page, query.fields) for page in found]

    def _pagination(self) -> Json:
        routes, number = self.routes or [self.row.route], self.number
        return {
            "number": number,
            "count": len(routes),
            "previous": routes[number - 2] if number > 1 else None,
            "next": routes[number] if number < len(routes) else None,
            "routes": routes,
        }


def has_reference(values: Iterable[Json]) -> bool:
    """Whether one of these values has a reference, at any depth that props may have."""
    waiting = [(value, 0) for value in values]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict):
            if len(value) == 1 and not _NAMES.isdisjoint(value):
                return True
            parts: Iterable[Json] = value.values()
        elif isinstance(value, list):
            parts = value
        else:
            continue
        if depth < MAX_DEPTH:
            waiting += [(part, depth + 1) for part in parts if isinstance(part, dict | list)]
    return False
