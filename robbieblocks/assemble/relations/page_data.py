"""What a page tells of itself: in lists of pages, and to its own blocks."""

from __future__ import annotations

from typing import Final

from robbieblocks.assemble.page_settings import language_of
from robbieblocks.assemble.placeholders import with_fallbacks
from robbieblocks.model import Json, JsonObject, PageRow

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

# What says how a page is made, and nothing about it.
_OF_THE_MAKING: Final = frozenset(
    {"blocks", "form_action", "frame", "head", "feed", "redirect_from"}
)


def data_of(row: PageRow, default_language: str) -> JsonObject:
    """A page's data: each of FIELDS, null where the page has none.

    `published_at` is an ISO 8601 time in UTC; `metadata` is without what says how the page is made.
    """
    metadata = row.metadata if isinstance(row.metadata, dict) else {}
    image = metadata.get("image") or metadata.get("og_image")
    return {
        "key": row.key,
        "app": row.app,
        "route": row.route,
        "title": title_of(row),
        "lang": language_of(row.metadata, default_language),
        "description": _line(row.meta_description or ""),
        "image": image if isinstance(image, str) else None,
        "published_at": row.published_at.isoformat() if row.published_at else None,
        "metadata": {k: v for k, v in metadata.items() if k not in _OF_THE_MAKING},
    }


def title_of(row: PageRow) -> str:
    """A page's title as others show it: on one line, with the fallbacks of its placeholders."""
    return _line(row.meta_title or "") or _line(row.name)


def field_of(data: JsonObject, name: str) -> Json:
    """A field by its name, such as `route` or `metadata.author.name`; null where it has none."""
    value: Json = data
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def is_field(name: str) -> bool:
    """Whether a page can have such a field."""
    first, dot, rest = name.partition(".")
    return first in FIELDS and (not dot or (first == "metadata" and all(rest.split("."))))


def _line(text: str) -> str:
    return " ".join(with_fallbacks(text).split())
