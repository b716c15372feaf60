"""Every column of the CMS, of media and of forms is tried with values that nobody would write, or
is listed here with why not. A new column has to be placed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from robbieblocks.database import catalogue
from tests.hostile_texts import PARSED, PLAIN, SYNCED

_SYNC: Final = Path(__file__).parents[2] / "schema" / "unified-schema" / "23-robbieblocks-sync.sql"

# Of these tables tests/integration/test_rows_told.py fills every column, found in the database.
_TOLD: Final = {"robbieblocks_deploys", "form_submissions", "robbieblocks_change_triggers"}
# A trigger copies what was in media_assets there, and the database puts it back.
_KEPT: Final = {"earlier_media"}
# Whatever a column of another type than text, JSON or bytes holds, Python can hold it.
_EVERY_VALUE_IS_FINE: Final = {"integer", "bigint", "boolean", "uuid", "xid8"}
_UNREAD: Final = {
    "imported_hash": "compared in the database; a hash that is none is one that differs",
    "content_address": "tests/integration/test_media_bucket.py tries addresses, in a real bucket",
    "content_hash": "a trigger measures it",
    "size_bytes": "a trigger measures it",
    "updated_at": "a trigger sets it",
    "created_at": "of components, tokens, nodes and media: read by nobody",
}


def _columns() -> dict[tuple[str, str], str]:
    """The type of each column that the schema files make."""
    found: dict[tuple[str, str], str] = {}
    for name, definition in catalogue.stored().items():
        what, _, place = name.partition(" ")
        if what == "column":
            table, _, column = place.partition(".")
            found[table, column] = definition.partition(" ")[0]
    return found


def test_every_column_is_tried() -> None:
    """By the fuzz, by what is told of rows of the past, or there is a reason why not."""
    tried = {
        ("robbieblocks_pages" if table == "frame" else table, column)
        for tables in (PARSED, PLAIN)
        for table, columns in tables.items()
        for column in columns
    }
    there = _columns()
    left = {
        (table, column)
        for (table, column), kind in there.items()
        if table not in _TOLD | _KEPT
        and (table, column) not in tried
        and kind not in _EVERY_VALUE_IS_FINE
        and column not in _UNREAD
    }
    assert len(there) > 80
    assert left == set()


def test_every_table_of_a_sync_is_tried() -> None:
    """tests/integration/test_rows_told.py fills every column of these, found in the database."""
    written = _SYNC.read_text()
    made = set(re.findall(r"^CREATE TABLE IF NOT EXISTS (\w+)", written, re.MULTILINE))
    assert made == {*SYNCED, "sync_self"}


def test_nothing_is_tried_that_is_not_there() -> None:
    """A column that was renamed takes its texts along."""
    there = _columns()
    ours = {table for table, _ in there}
    for tables in (PARSED, PLAIN):
        for table, columns in tables.items():
            stored = "robbieblocks_pages" if table == "frame" else table
            assert stored in {*ours, "fuzzed_goods"}
            assert stored == "fuzzed_goods" or all((stored, each) in there for each in columns)
