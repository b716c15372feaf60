"""Whether the schema is whole: a restore makes table after table, and the triggers last."""

from __future__ import annotations

import functools
from typing import Any, Final, LiteralString

from psycopg import Cursor
from psycopg.rows import tuple_row

from robbieblocks.database.catalogue import stored
from robbieblocks.errors import SchemaIncomplete

# What is needed and is not there: tables, their triggers, and the functions that are called by
# name. A trigger that is disabled is not there. Without the one that notifies, polling goes on.
_MISSING: LiteralString = """
    SELECT 'table ' || needed FROM unnest(%(tables)s::text[]) AS needed
     WHERE to_regclass(needed) IS NULL
    UNION ALL
    SELECT 'trigger ' || needed || ' on ' || on_table
      FROM unnest(%(triggers)s::text[], %(on_tables)s::text[]) AS it (needed, on_table)
     WHERE NOT EXISTS (SELECT FROM pg_trigger t
                        WHERE t.tgrelid = to_regclass(on_table) AND t.tgname = needed
                          AND (t.tgenabled IN ('O', 'A') OR needed = 'robbieblocks_notify'))
    UNION ALL
    SELECT 'function ' || needed FROM unnest(%(functions)s::text[]) AS needed
     WHERE NOT EXISTS (SELECT FROM pg_proc p
                        WHERE p.proname = needed AND pg_function_is_visible(p.oid))
"""

_FUNCTIONS: Final = ("robbieblocks_enqueue", "robbieblocks_settle")
_NAMED_MAX: Final = 3
# A database without media or forms is whole: files 22 and 24 may come later, or never.
_OPTIONAL: Final = ("media_assets", "earlier_media", "form_submissions")


def check_whole(cursor: Cursor[Any]) -> None:
    """Raise SchemaIncomplete unless every table, trigger and function is there and enabled.

    Raises what the driver raises, too. In a transaction it tells of the state that the transaction
    sees.
    """
    with cursor.connection.cursor(row_factory=tuple_row) as asking:
        missing = [str(what) for (what,) in asking.execute(_MISSING, _needed()).fetchall()]
    if missing:
        # Tables first: what a query gives without an order changes with its plan.
        missing.sort(key=lambda what: (not what.startswith("table "), what))
        named = ", ".join(missing[:_NAMED_MAX])
        others = f" and {len(missing) - _NAMED_MAX} more" if len(missing) > _NAMED_MAX else ""
        raise SchemaIncomplete(
            f"the schema is not whole: {named}{others}: missing or disabled: nothing is published; "
            "wait until a restore that runs has ended, or run `robbieblocks db upgrade`"
        )


@functools.cache
def _needed() -> dict[str, list[str]]:
    names = [
        what.partition(" ")
        for what in stored()
        if not any(f" {table}" in what for table in _OPTIONAL)
    ]
    triggers = [name.partition(".") for kind, _, name in names if kind == "trigger"]
    return {
        "tables": [name for kind, _, name in names if kind == "table"],
        "triggers": [trigger for _, _, trigger in triggers],
        "on_tables": [table for table, _, _ in triggers],
        "functions": list(_FUNCTIONS),
    }
