"""Writes a change back: the fields and blocks that it altered, as they were before it.

What the change left must still be there; whatever came later in other fields or blocks stays. The
rows are locked, compared and written in one transaction, which the journal keeps like any other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection, Cursor

from robbieblocks.database import translated
from robbieblocks.errors import ContentError, Problem
from robbieblocks.history.journal import Change
from robbieblocks.history.sides import left_out, part
from robbieblocks.history.tables import PLACED, TABLES, Table
from robbieblocks.messages import printable
from robbieblocks.model import Json
from robbieblocks.source_files import exact_json

_Row = Mapping[str, Any]

# Who the journal says changed the rows back (Postgres keeps 63 characters), and the zone that the
# journal has times in.
_SETTINGS: LiteralString = """
    SELECT set_config('application_name', %s, true), set_config('TimeZone', 'UTC', true)
"""
# What the journal says beside a row's columns.
_BESIDE: Final = frozenset({"blocks", "by_hash", "left_out"})
# Of a row, the text that a hash of the journal is of.
_TEXT: LiteralString = "SELECT key, value #>> '{}' FROM jsonb_each(%s::jsonb) WHERE key = ANY(%s)"
# The blocks of a page, locked, as the journal has them. No block comes to a page that is locked.
_BLOCKS: LiteralString = """
    SELECT id::text, (to_jsonb(b) - '{updated_at,imported_hash,page_id}'::text[])::text
      FROM robbieblocks_page_blocks AS b WHERE page_id = %s ORDER BY id FOR UPDATE
"""


def undo(connection: Connection, change: Change, *, dry_run: bool = False) -> None:
    """Write back what a change altered, in one transaction; in a dry run take that back, too.

    Raises ContentError where a row is not as the change left it, with both versions, or the journal
    has not kept it; RightsMissing and DatabaseUnavailable.
    """
    table = TABLES.get(change.entity)
    if table is None or not change.kept or left_out(change.before) or left_out(change.after):
        raise ContentError([_not_kept(change)])
    with translated("write a change back"), connection.transaction(force_rollback=dry_run):
        cursor = connection.cursor()
        cursor.execute(_SETTINGS, (f"robbieblocks changes undo {str(change.id)[:8]}",))
        try:
            # Constraints are checked here, not when the transaction ends.
            with connection.transaction():
                _Undo(cursor, change, table).write()
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise ContentError([_refused(change, error)]) from None


class _Undo:
    """Writes one change back with a cursor in a transaction."""

    def __init__(self, cursor: Cursor[Any], change: Change, table: Table) -> None:
        self._cursor, self._change, self._table = cursor, change, table
        self._problems: list[Problem] = []

    def write(self) -> None:
        """Compare and write; raises ContentError before anything is written."""
        change = self._change
        found = self._cursor.execute(self._table.read(), (change.entity_id,)).fetchone()
        now = None if found is None else _object(found[0])
        blocks = self._blocks() if change.entity == "page" and now is not None else {}
        if change.before is None:
            self._remove(change.after or {}, now, blocks)
        elif change.after is None:
            self._bring_back(change.before, now)
        else:
            self._alter(change.before, change.after, now, blocks)

    def _remove(self, after: _Row, now: _Row | None, blocks: Mapping[str, _Row]) -> None:
        if now is None:
            self._differs("", "it is deleted already", "nothing is left to undo")
        else:
            self._compare(after, now, after.keys())
            self._compare_blocks(_of(after), blocks, _of(after).keys() | blocks.keys())
        self._stop()
        self._cursor.execute(self._table.delete(), (self._change.entity_id,))

    def _bring_back(self, before: _Row, now: _Row | None) -> None:
        if now is not None:
            self._differs("", "it is there again", "delete it, or leave it")
        if "by_hash" in before:
            self._problems.append(_not_kept(self._change))
        self._stop()
        self._cursor.execute(self._table.insert(), (_text(before),))
        self._place(_of(before).values())

    def _alter(
        self, before: _Row, after: _Row, now: _Row | None, blocks: Mapping[str, _Row]
    ) -> None:
        if now is None:
            self._differs("", "it is deleted", "undo its deletion first")
            self._stop()
            return
        fields = changed(before, after)
        self._compare(after, now, fields)
        old, new = _of(before), _of(after)
        ours = old.keys() | new.keys()
        self._compare_blocks(new, blocks, ours, old)
        taken = {row.get("block_order") for key, row in blocks.items() if key not in ours}
        for row in old.values():
            if row.get("block_order") in taken:
                self._differs(
                    f"block {row['block_order']}", "another block is there", "move that one first"
                )
        self._stop()
        if fields:
            self._cursor.execute(
                self._table.update(fields), (_text(before), self._change.entity_id)
            )
        self._restore(old, new, blocks)

    def _restore(
        self, old: Mapping[str, _Row], new: Mapping[str, _Row], blocks: Mapping[str, _Row]
    ) -> None:
        for key in new.keys() - old.keys():
            self._cursor.execute(PLACED.delete(), (key,))
        kept = [key for key in old if key in new]
        # No two blocks of a page may have one order, not even for the time of a statement.
        used = {row.get("block_order") for rows in (blocks, old) for row in rows.values()}
        free = iter(order for order in range(len(used) + len(kept) + 1) if order not in used)
        moved = [
            key for key in kept if old[key].get("block_order") != blocks[key].get("block_order")
        ]
        for key in moved:
            self._cursor.execute(
                PLACED.update(["block_order"]), (_text({"block_order": next(free)}), key)
            )
        for key in kept:
            columns = changed(old[key], new[key])
            if columns:
                self._cursor.execute(PLACED.update(columns), (_text(old[key]), key))
        self._place(row for key, row in old.items() if key not in new)

    def _place(self, rows: Iterable[_Row]) -> None:
        page = str(self._change.entity_id)
        for row in rows:
            self._cursor.execute(PLACED.insert(), (_text({**row, "page_id": page}),))

    def _blocks(self) -> dict[str, _Row]:
        rows = self._cursor.execute(_BLOCKS, (self._change.entity_id,)).fetchall()
        return {key: _object(text) for key, text in rows}

    def _compare_blocks(
        self,
        after: Mapping[str, _Row],
        now: Mapping[str, _Row],
        keys: Collection[str],
        before: Mapping[str, _Row] | None = None,
    ) -> None:
        for key in sorted(keys):
            row, current = after.get(key), now.get(key)
            order = (row or current or {}).get("block_order")
            if row is None and current is None:
                continue
            if row is None or current is None:
                what = "is there, and was not" if row is None else "is gone"
                self._differs(
                    f"block {order}", f"{what} after the change", "undo the later change first"
                )
                continue
            old = (before or {}).get(key)
            fields = row.keys() if old is None else changed(old, row)
            self._compare(row, current, fields, f"block {order}: ")

    def _compare(self, after: _Row, now: _Row, fields: Collection[str], place: str = "") -> None:
        """Note each field that is not as the change left it, with both versions."""
        for name in sorted({*fields} - _BESIDE):
            left, current = after.get(name), now.get(name)
            if exact_json.dumps(left) != exact_json.dumps(current):
                self._differs(
                    f"{place}{name}",
                    f"is {_shown(current)}; the change left {_shown(left)}",
                    "undo the later change first, or edit the row by hand",
                )
        for name, hash_ in part(after, "by_hash").items() if "by_hash" in {*fields} else ():
            texts = self._cursor.execute(_TEXT, (_text(now), [name])).fetchall()
            if [hashlib.sha256((text or "").encode()).hexdigest() for _, text in texts] != [hash_]:
                self._differs(f"{place}{name}", "is another text by now", "edit the row by hand")

    def _differs(self, field: str, what: str, remedy: str) -> None:
        self._problems.append(_problem(self._change, field, what, remedy))

    def _stop(self) -> None:
        if self._problems:
            raise ContentError(self._problems)


def changed(before: _Row, after: _Row) -> list[str]:
    """The columns that a change altered; what is there by its hash only is the same."""
    return [
        name
        for name in sorted(before.keys() | after.keys())
        if name not in _BESIDE
        and exact_json.dumps(before.get(name)) != exact_json.dumps(after.get(name))
    ]


def _of(side: _Row) -> Mapping[str, _Row]:
    """The blocks of a side by id, without the keys of their components, which other rows hold."""
    return {
        key: {name: value for name, value in row.items() if name != "component_key"}
        for key, row in part(side, "blocks").items()
        if isinstance(row, Mapping)
    }


def _object(text: str) -> _Row:
    row: Any = exact_json.loads(text)
    return dict(row)


def _text(row: _Row) -> str:
    values: Any = {name: value for name, value in row.items() if name not in _BESIDE}
    return exact_json.dumps(values)


def _shown(value: Json) -> str:
    return printable(value if isinstance(value, str) else exact_json.dumps(value))


def _problem(change: Change, field: str, what: str, remedy: str) -> Problem:
    return Problem(entity=change.entity, key=change.key, field=field, what=what, remedy=remedy)


def _not_kept(change: Change) -> Problem:
    return _problem(
        change,
        "",
        f"the journal has not kept what change {str(change.id)[:8]} did to it",
        "edit the row by hand",
    )


def _refused(change: Change, error: psycopg.Error) -> Problem:
    reasons: dict[type[psycopg.Error], str] = {
        psycopg.errors.UniqueViolation: "another row has its key or its place by now",
        psycopg.errors.ForeignKeyViolation: "another row needs it, or it needs one that is gone",
    }
    if error.diag.constraint_name == "media_assets_place_check":
        what = "its bytes are not kept any more: those of 30 days are, up to 1 GiB"
        return _problem(change, "", what, "upload the file again")
    what = reasons.get(type(error), "the database refuses it")
    detail = error.diag.message_detail or error.diag.message_primary or ""
    return _problem(change, "", f"{what}: {printable(detail)}", "correct that row first")
