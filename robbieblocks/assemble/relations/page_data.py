"""What a page tells of itself: in lists of pages, and to its own blocks."""

from __future__ import annotations

from typing import Final

from robbieblocks.assemble.page_settings import language_of
from robbieblocks.assemble.placeholders import with_fallbacks
from robbieblocks.assemble.values import MAX_VALUE_BYTES, listing_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json, JsonObject, PageRow, canonical_json, doubled

FIELDS: Final = (
    "key",
    "app",
    "route",
    "title",
    "lang",
    "description",
    "image",
    "published_at",
    "metadata",
)
"""What there is of a page, in the order in which messages list it."""

# What of it is text that a visitor's query fills no more, whoever shows it.
_TEXTS: Final = frozenset({"title", "description", "image"})
SHOWN: Final = "shown"
"""Where data have what is shown in place of `metadata`, by which pages are found and sorted."""

LISTED_BYTES_MAX: Final = MAX_VALUE_BYTES // 8
"""What lists show of a page's metadata, as JSON: one page must not fill the props of a list."""

# What says how a page is made, and nothing about it.
_OF_THE_MAKING: Final = frozenset(
    {"blocks", "form_action", "frame", "head", "feed", "not_found", "redirect_from"}
)


def data_of(row: PageRow, default_language: str) -> JsonObject:
    """A page's data: each of FIELDS, null where the page has none.

    `published_at` is an ISO 8601 time in UTC; `metadata` is without what says how the page is made,
    and without values that no props may hold. Of a page that is made of a row, SHOWN is its
    metadata as `shown_field` gives them.
    """
    metadata = row.metadata if isinstance(row.metadata, dict) else {}
    image = metadata.get("image") or metadata.get("og_image")
    data: dict[str, Json] = {
        "key": row.key,
        "app": row.app,
        "route": row.route,
        "title": title_of(row),
        "lang": language_of(row.metadata, default_language),
        "description": _line(row.meta_description or ""),
        "image": image if isinstance(image, str) else None,
        "published_at": row.published_at.isoformat() if row.published_at else None,
        "metadata": _told(metadata),
    }
    if row.made is not None and isinstance(row.made.shown, dict):
        data[SHOWN] = _told(row.made.shown)
    return data


def _told(metadata: JsonObject) -> JsonObject:
    """What others may show of metadata: without what says how the page is made, and without what
    no props may hold. That is told of this page, and may fail no other that lists it.

    Of more than LISTED_BYTES_MAX the largest values are left out.
    """
    told = {name: value for name, value in metadata.items() if name not in _OF_THE_MAKING}
    if not told:
        return told
    if listing_problem(told) is not None:
        told = {
            name: value for name, value in told.items() if listing_problem({name: value}) is None
        }
    total = _size(told)
    if total > LISTED_BYTES_MAX:
        for size, name in sorted(((_size(told[each]), each) for each in told), reverse=True):
            del told[name]
            total -= size
            if total <= LISTED_BYTES_MAX:
                break
    return told


def too_much(row: PageRow, data: JsonObject) -> Problem | None:
    """That lists leave out metadata of a page, which take too much, as a warning; `data` is what
    they have of it.
    """
    told = data["metadata"]
    if not isinstance(row.metadata, dict) or not isinstance(told, dict):
        return None
    # Nearly every page tells all there is.
    left = row.metadata.keys() - told.keys() - _OF_THE_MAKING
    names = [name for name in sorted(left) if listing_problem({name: row.metadata[name]}) is None]
    if not names:
        return None
    shown = ", ".join(map(printable, names[:3])) + (", ..." if len(names) > 3 else "")
    return Problem(
        entity="page",
        key=printable(row.key),
        field="metadata",
        pointer=json_pointer(names[0]),
        what=f"it has over {LISTED_BYTES_MAX:,} bytes as JSON: lists leave out {shown}",
        remedy="shorten it, or store it in a table of its own",
        severity="warning",
    )


def _size(value: Json) -> int:
    return len(canonical_json(value))


def title_of(row: PageRow) -> str:
    """A page's title as others show it: on one line, with the fallbacks of its placeholders."""
    return _line(row.meta_title or "") or _line(row.name)


def field_of(data: JsonObject, name: str) -> Json:
    """A field by its name, such as `route` or `metadata.author.name`; null where it has none."""
    value: Json = data
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def shown_field(data: JsonObject, name: str) -> Json:
    """A field as props have it: what other pages say of themselves is no placeholder there.

    Metadata that an author wrote may hold placeholders, as props do.
    """
    if name in _TEXTS:
        return doubled(data[name])
    first, dot, rest = name.partition(".")
    if first == "metadata" and SHOWN in data:
        return field_of(data, f"{SHOWN}{dot}{rest}")
    return field_of(data, name)


def is_field(name: str) -> bool:
    """Whether a page can have such a field."""
    first, dot, rest = name.partition(".")
    return first in FIELDS and (not dot or (first == "metadata" and all(rest.split("."))))


def _line(text: str) -> str:
    return " ".join(with_fallbacks(text).split())
