"""The feed of a page: `metadata.feed` is a query as `$pages` has it, with a title and forms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from robbieblocks.assemble.relations.listing import Answer, Listing
from robbieblocks.assemble.relations.query import PageQuery, read_query, shown
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import json_pointer
from robbieblocks.model import FEED_FORMS, Feed, FeedForm, FeedItem, Json, JsonObject, PageRow
from robbieblocks.names import text_problem

_AT: Final = "/feed"
_LIMIT: Final = 20
_ADDRESS: Final = ("/", "https://", "http://", "media:")
_OF_QUERY: Final = ("app", "where", "under", "lang", "sort", "limit", "offset")


def feed_setting(row: PageRow) -> Json:
    """What a page's metadata says under `feed`; null where it says nothing."""
    return row.metadata.get("feed") if isinstance(row.metadata, dict) else None


def read_feed(
    row: PageRow,
    lang: str,
    listing_of: Callable[[PageQuery, str], Listing],
    answers: list[Answer],
) -> Feed | tuple[ValueProblem, ...]:
    """The feed of a page in a language, or what is wrong with its setting.

    `listing_of` gives the listing for a query at a place in the metadata; what it says is added to
    `answers`.
    """
    asked = feed_setting(row)
    if not isinstance(asked, dict):
        what = f"feed is {shown(asked)}, and not an object"
        return (ValueProblem(_AT, what, 'such as {"where": {"kind": "post"}}'),)
    found: list[ValueProblem] = []
    for name in asked:
        if name not in (*_OF_QUERY, "title", "forms"):
            remedy = f"it has: title, forms, {', '.join(_OF_QUERY)}"
            at = _AT + json_pointer(name)
            found.append(ValueProblem(at, "a feed has no such option", remedy))
    title = asked.get("title", "")
    wrong = text_problem(title) if isinstance(title, str) else "is no text"
    if wrong:
        found.append(ValueProblem(_AT + "/title", f"the feed's title {wrong}", "write a text"))
    forms = _forms(asked.get("forms", ["atom"]), found)
    asked_pages: JsonObject = {"limit": _LIMIT, **{k: asked[k] for k in _OF_QUERY if k in asked}}
    query = read_query(asked_pages, row.app, lang, _AT, lambda value, _: value)
    if not isinstance(query, PageQuery):
        return (*found, *query)
    if found:
        return tuple(found)
    answers.append(listing_of(query, _AT).answer(query, row.key, query.offset))
    return Feed(str(title), forms, tuple(map(_item, answers[-1].pages)))


def _forms(asked: Json, found: list[ValueProblem]) -> tuple[FeedForm, ...]:
    wanted = asked if isinstance(asked, list) else [asked]
    forms: tuple[FeedForm, ...] = tuple([form for form in FEED_FORMS if wanted.count(form)])
    if not forms or len(forms) != len(wanted):
        what, remedy = "forms names what feeds don't come in", f"a list of: {', '.join(FEED_FORMS)}"
        found.append(ValueProblem(_AT + "/forms", what, remedy))
    return forms


def _item(page: JsonObject) -> FeedItem:
    def text(name: str) -> str:
        value = page[name]
        return value if isinstance(value, str) else ""

    image = text("image")
    return FeedItem(
        route=text("route"),
        title=text("title"),
        description=text("description"),
        published_at=text("published_at"),
        # Media get their addresses where the feed is written; what else is no address means nothing
        # to a program that reads it.
        image=image if image.startswith(_ADDRESS) else "",
    )
