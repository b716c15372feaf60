"""Collections: rows of the owner's own tables, which become pages and data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.model.values import Json, JsonObject

COLUMN_IN_ROUTE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,62})\}")
"""A column's name in a collection's route."""

_JOINT: Final = "--"


def made_key(template: str, row: str) -> str:
    """The key of the page that is made of a row: `product--blue-mug`. No page's row can have it."""
    return f"{template}{_JOINT}{row}"


def template_of(key: str) -> str:
    """The key of the template that a page with this key is made from; empty for other pages."""
    template, joint, _ = key.partition(_JOINT)
    return template if joint else ""


def doubled(value: Json) -> Json:
    """A value with `{{` doubled in its texts, so that they hold no placeholders for visitors."""
    if isinstance(value, str):
        return doubled_text(value)
    if isinstance(value, Mapping):
        return {name: doubled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [doubled(each) for each in value]
    return value


def doubled_text(text: str) -> str:
    """A text, as `doubled`."""
    return text.replace("{{", "{{{{")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionSource:
    """What the settings say of a collection.

    `view` is the name of a view or table, perhaps after its schema's. `key` is the column that
    names a row. Where `template_page` is not empty, each row is a page at `route`, which has names
    of columns in braces.
    """

    name: str
    view: tuple[str, ...]
    key: str
    route: str = ""
    template_page: str = ""
    rows_max: int = 10_000

    @property
    def route_columns(self) -> tuple[str, ...]:
        """The columns that the route names."""
        return tuple(COLUMN_IN_ROUTE.findall(self.route))


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionRow:
    """A row of a collection, its columns by name.

    `key` is the text of its key, empty where that is null. `shown` has `{{` doubled in its texts:
    what a row says is no placeholder for visitors. `digest` is a hash of all that it says, `media`
    are the keys of the files that it names, `fault` is why it could not be read.
    """

    key: str
    values: JsonObject = field(default_factory=dict[str, Json])
    shown: JsonObject = field(default_factory=dict[str, Json])
    digest: str = ""
    media: frozenset[str] = frozenset()
    fault: Problem | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCollection:
    """A collection as one transaction saw it, its rows in the order of their keys.

    `media` are the keys of the files that its rows name, `unread` those of rows that could not be
    read, and may be the next time. `fault` is why it could not be read: it then has no rows. Where
    trying that again `is_costly`, it waits until all rows are read.
    """

    source: CollectionSource
    columns: tuple[str, ...] = ()
    rows: tuple[CollectionRow, ...] = ()
    media: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    fault: Problem | None = None
    is_costly: bool = False
