"""`[collections.NAME]` in robbieblocks.toml: views whose rows become pages and data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from robbieblocks.messages import printable
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, name_problem

if TYPE_CHECKING:
    from robbieblocks.model import CollectionSource
    from robbieblocks.source_files import Table

NAME: Final = "collections"
COLLECTIONS_MEANING: Final = "views whose rows become pages and data, each by a name"
ROWS_MAX: Final = (1, 100_000)

# Triggers have its name in theirs, of which Postgres keeps 63 bytes.
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,29}")
_COLUMN: Final = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
_VIEW: Final = re.compile(rf"(?:({_COLUMN})\.)?({_COLUMN})")
_KEY: Final = "slug"


def read_collections(table: Table) -> tuple[CollectionSource, ...]:
    """The collections of the file, by name; mistakes are reported."""
    outer = table.table(NAME)
    found: list[CollectionSource] = []
    for name, each in outer.named_tables(dotted=False).items():
        if not _NAME.fullmatch(name):
            remedy = "use up to 30 of a-z, 0-9 and _, a letter first"
            outer.report(name, "is no name of a collection", remedy)
        source = _source(name, each, {other.template_page for other in found})
        if source is not None:
            found.append(source)
    outer.finish()
    return tuple(sorted(found, key=lambda source: source.name))


def _source(name: str, table: Table, templates: set[str]) -> CollectionSource | None:
    """A collection, or None with a problem."""
    # Most projects have none, and their settings need no rows.
    from robbieblocks.model import COLUMN_IN_ROUTE, CollectionSource

    before = len(table.collector.problems)
    view = table.string("view", required=True) or ""
    key = table.string("key")
    route, template = table.string("route") or "", table.string("template_page") or ""
    rows_max = table.integer("rows_max")
    table.finish()
    if not table.values or len(table.collector.problems) > before:
        return None
    found = _VIEW.fullmatch(view)
    if found is None:
        remedy = "write the name of a view or table, perhaps after its schema's: shop.products"
        table.report("view", f'is "{printable(view)}"', remedy)
    named = COLUMN_IN_ROUTE.findall(route)
    key = key or (named[-1] if named else _KEY)
    if not re.fullmatch(_COLUMN, key):
        table.report("key", f'is "{printable(key)}"', "write the name of a column")
    if bool(route) != bool(template):
        there, lacks = ("route", "template_page") if route else ("template_page", "route")
        table.report(there, f"stands without {lacks}", "pages need both; data alone needs neither")
    if template and name_problem(template, longest=KEY_LENGTH):
        table.report("template_page", f'is "{printable(template)}", no page_key', NAME_REMEDY)
    if template in templates - {""}:
        what = f"is {template}, as that of another collection is"
        table.report("template_page", what, "copy the page: each collection has one of its own")
    plain = COLUMN_IN_ROUTE.sub("", route)
    if route and (not named or "{" in plain or "}" in plain or not route.startswith("/")):
        remedy = 'write a path with columns in braces, such as "/products/{slug}"'
        table.report("route", f'is "{printable(route)}"', remedy)
    if rows_max is not None and not ROWS_MAX[0] <= rows_max <= ROWS_MAX[1]:
        remedy = f"choose a whole number from {ROWS_MAX[0]} to {ROWS_MAX[1]:,}"
        table.report("rows_max", f"is {rows_max}", remedy)
    if found is None or len(table.collector.problems) > before:
        return None
    return CollectionSource(
        name=name,
        view=tuple(part for part in found.groups() if part),
        key=key,
        route=route,
        template_page=template,
        **({} if rows_max is None else {"rows_max": rows_max}),
    )
