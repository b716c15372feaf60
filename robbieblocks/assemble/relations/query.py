"""The queries that blocks make over pages (`{"$pages": {...}}`) and rows (`{"$rows": {...}}`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from robbieblocks.assemble.relations.page_data import FIELDS, is_field
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer, listed, printable
from robbieblocks.model import Json, JsonObject, RowCollection
from robbieblocks.names import is_language

MAX_LIMIT: Final = 1_000
DEFAULT_LIMIT: Final = 100
DEFAULT_SORT: Final = "-published_at"
OPTIONS: Final = (
    *("app", "where", "under", "lang", "sort", "limit", "offset", "fields", "near", "paginate"),
)
SAME: Final = "same"
ROUTE: Final = "route"
"""What a row in a list has beside its columns: the route of its page."""
_OF_ROWS: Final = ("collection", "where", "sort", "limit", "offset", "fields", "near", "paginate")
_SIDES: Final = ("next", "previous")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which pages of an app, in which order, and what of each.

    `where` are names of metadata with the values of which a page has to have one. `lang` is the
    pages' language in small letters, "" for any. `near` takes the pages after or before the asking
    one, the nearest first. With `paginate` the asking page is made once for each `limit` pages.
    With `collection` it is rows that are listed; `app` is there where it is another one, be it that
    of the rows' pages.
    """

    app: str = ""
    collection: str = ""
    where: tuple[tuple[str, tuple[Json, ...]], ...] = ()
    under: str = ""
    lang: str = ""
    sort: str = "published_at"
    descending: bool = True
    limit: int = DEFAULT_LIMIT
    offset: int = 0
    fields: tuple[str, ...] = FIELDS
    near: Literal["", "next", "previous"] = ""
    paginate: bool = False

    @property
    def source(self) -> str:
        """What is asked: "" for the pages of the own app, a collection, or another app's."""
        return source_of(self.app, self.collection) if self.app else self.collection


def source_of(app: str, collection: str = "") -> str:
    """The name of another app's pages, or of a collection that has its pages there, for lists."""
    return f"app:{app}/{collection}"


def read_query(
    asked: Json, app: str, lang: str, at: str, page_field: Callable[[Json, str], Json]
) -> PageQuery | tuple[ValueProblem, ...]:
    """A query of a page of `app` in a language, or what is wrong with it; `at` is its place in the
    props.

    `page_field` replaces `{"$page": ...}` in a value by the page's own field.
    """
    if not isinstance(asked, dict):
        what = f"$pages is {shown(asked)}, and not an object"
        return (ValueProblem(at, what, 'such as {"where": {"kind": "post"}, "limit": 10}'),)
    found: list[ValueProblem] = []
    for name in [name for name in asked if name not in OPTIONS][:MAX_PROBLEMS]:
        what = f"there is no option `{printable(name)}` of $pages"
        found.append(ValueProblem(at + json_pointer(name), what, did_you_mean(name, OPTIONS)))
    reader = _Reader(asked, at, found)
    asked_app = reader.text("app", app)
    sort = reader.text("sort", DEFAULT_SORT)
    name = sort.removeprefix("-")
    if not is_field(name):
        remedy = f"one of {', '.join(FIELDS)}, or metadata.<name>; with - before it: descending"
        reader.wrong("sort", f"pages can't be sorted by `{printable(sort)}`", remedy)
    near = reader.near()
    if near and asked_app != app:
        what = f"this page is beside none of the app {printable(asked_app)}"
        reader.wrong("near", what, "leave near out, or app")
    query = PageQuery(
        app=asked_app if asked_app != app else "",
        where=reader.where(page_field),
        under=reader.text("under", ""),
        lang=reader.language(lang),
        sort=name,
        descending=sort.startswith("-"),
        limit=reader.number("limit", 1 if near else DEFAULT_LIMIT, least=1, most=MAX_LIMIT),
        offset=reader.number("offset", 0, least=0, most=1_000_000),
        fields=reader.fields(),
        near=near,
        paginate=reader.flag("paginate"),
    )
    reader.check_paginate(query)
    return tuple(found) or query


def read_rows_query(
    asked: JsonObject,
    source: RowCollection,
    at: str,
    page_field: Callable[[Json, str], Json],
    app: str = "",
) -> PageQuery | tuple[ValueProblem, ...]:
    """A query over the rows of a collection, as `read_query`; `app` is that of the rows' pages,
    where that is another one.
    """
    found: list[ValueProblem] = []
    for name in [name for name in asked if name not in _OF_ROWS][:MAX_PROBLEMS]:
        what = f"there is no option `{printable(name)}` of $rows"
        found.append(ValueProblem(at + json_pointer(name), what, did_you_mean(name, _OF_ROWS)))
    reader = _Reader(asked, at, found)
    columns = source.columns
    sort = reader.text("sort", source.source.key)
    name = sort.removeprefix("-")
    if name not in columns:
        what = f"rows can't be sorted by `{printable(sort)}`"
        reader.wrong("sort", what, did_you_mean(name, columns))
    near = reader.near()
    where = reader.where(page_field)
    for column in [name for name, _ in where if name not in columns][:MAX_PROBLEMS]:
        what = f"the collection has no column `{printable(column)}`"
        reader.wrong("where", what, did_you_mean(column, columns))
    query = PageQuery(
        app=app,
        collection=source.source.name,
        where=where,
        sort=f"metadata.{name}",
        descending=sort.startswith("-"),
        limit=reader.number("limit", 1 if near else DEFAULT_LIMIT, least=1, most=MAX_LIMIT),
        offset=reader.number("offset", 0, least=0, most=1_000_000),
        fields=tuple(
            ROUTE if name == ROUTE else f"metadata.{name}" for name in reader.columns(columns)
        ),
        near=near,
        paginate=reader.flag("paginate"),
    )
    reader.check_paginate(query)
    return tuple(found) or query


def shown(value: Json) -> str:
    """A value as a sentence may name it: `an object`, `a list`, `"text"`, `5`."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return f'"{printable(value)}"'
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case _:
            return printable(repr(value))


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads options one by one; what is wrong with one goes to `found`."""

    asked: JsonObject
    at: str
    found: list[ValueProblem]

    def wrong(self, name: str, what: str, remedy: str) -> None:
        self.found.append(ValueProblem(self.at + json_pointer(name), what, remedy))

    def text(self, name: str, default: str) -> str:
        value = self.asked.get(name, default)
        if isinstance(value, str):
            return value
        self.wrong(name, f"{name} is {shown(value)}, and not a text", "write a text")
        return default

    def language(self, own: str) -> str:
        asked = self.text("lang", "")
        if asked and asked != SAME and not is_language(asked):
            remedy = f"write {SAME} for the page's own, or a tag such as de or pt-BR (BCP 47)"
            self.wrong("lang", f"`{printable(asked)}` is no language", remedy)
        return (own if asked == SAME else asked).lower()

    def number(self, name: str, default: int, *, least: int, most: int) -> int:
        value = self.asked.get(name, default)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        what = f"{name} is {shown(value)}"
        self.wrong(name, what, f"a whole number from {least} to {most:,}")
        return default

    def flag(self, name: str) -> bool:
        value = self.asked.get(name, False)
        if not isinstance(value, bool):
            self.wrong(name, f"{name} is {shown(value)}", "true or false")
        return value is True

    def near(self) -> Literal["", "next", "previous"]:
        value = self.text("near", "")
        if value not in ("", *_SIDES):
            self.wrong("near", f"`{printable(value)}` is neither next nor previous", "choose one")
        return "next" if value == "next" else "previous" if value == "previous" else ""

    def check_paginate(self, query: PageQuery) -> None:
        if query.paginate and (query.near or query.offset):
            self.wrong("paginate", "paginate goes with neither near nor offset", "leave one out")

    def columns(self, known: Sequence[str]) -> tuple[str, ...]:
        """The columns of rows that `fields` names; without it all, and the route."""
        all_ = (*(name for name in known if name != ROUTE), ROUTE)
        value = self.asked.get("fields", [*all_])
        names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
        if isinstance(value, list) and names == value and set(names) <= {*all_}:
            return tuple(names)
        remedy = f"a list of some of: {listed(all_)}"
        self.wrong("fields", "fields names what rows don't have", remedy)
        return all_

    def fields(self) -> tuple[str, ...]:
        value = self.asked.get("fields", [*FIELDS])
        names = [name for name in value if isinstance(name, str)] if isinstance(value, list) else []
        if isinstance(value, list) and names == value and all(map(is_field, names)):
            return tuple(names)
        remedy = f"a list of some of: {', '.join(FIELDS)}, or metadata.<name>"
        self.wrong("fields", "fields names what pages don't have", remedy)
        return FIELDS

    def where(
        self, page_field: Callable[[Json, str], Json]
    ) -> tuple[tuple[str, tuple[Json, ...]], ...]:
        value = self.asked.get("where", {})
        if not isinstance(value, dict):
            what = f"where is {shown(value)}, and not an object"
            self.wrong("where", what, 'names of metadata with a value: {"kind": "post"}')
            return ()
        conditions: list[tuple[str, tuple[Json, ...]]] = []
        for name, wanted in value.items():
            plain = page_field(wanted, self.at + json_pointer("where", name))
            values = plain if isinstance(plain, list) else [plain]
            if any(isinstance(each, dict | list) for each in values):
                what = f"where.{printable(name)} is {shown(plain)}"
                self.wrong("where", what, "a text, number, true, false or null, or a list of them")
            conditions.append((name, tuple(values)))
        return tuple(conditions)
