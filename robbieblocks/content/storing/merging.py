"""What an import does to each row: a three-way merge of file, database and last import.

    the file                 the database             what is done
    -----------------------  -----------------------  -------------------------------------------
    as in the database       as in the file           nothing
    changed since import     as imported              the file is written
    as imported              changed since import     the database is kept
    changed                  changed otherwise        a conflict, unless a page's blocks tell apart
    new                      not there                the file is written
    not there                as imported              removed with `prune`, else kept
    not there                never imported           kept
    not there                changed since import     a conflict with `prune`, else kept

A row that is there without ever having been imported counts as changed. Where no file of a kind is
there, every row that `prune` would remove is a conflict: the folder may be the wrong one. A
component of the package is no file where the row is there and not as it was imported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, Literal

from robbieblocks.content.packaged import is_packaged
from robbieblocks.content.shape import Block, Content, ContentRow, Page, RowName
from robbieblocks.content.storing.stored import Stored
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import Json, NodeRow, sha256
from robbieblocks.source_files import exact_json

Action = Literal["add", "update", "remove", "keep", "conflict", "unchanged"]
# Which side wins where both have changed: the file, the database, or neither.
Side = Literal["theirs", "ours"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMerge:
    """What is done to one row. `ours` is the row in the database, `theirs` that of the file.

    `merged` is what is written, where something is; `why` says it in a few words. Where `settled`,
    the file as it is now counts as imported.
    """

    name: RowName
    action: Action
    why: str
    ours: ContentRow | None = None
    theirs: ContentRow | None = None
    merged: ContentRow | None = None
    settled: bool = False


def row_hash(row: ContentRow | Block, source: str = "") -> str:
    """The hash of a row's content, as `imported_hash` keeps it: 64 hex digits.

    `source` names another kind of file than the content folder's: what came from there is a change
    of the database for these, so that an older one never wins unasked.
    """
    return sha256(source + exact_json.dumps(_values(row)))


def merge(
    files: Content,
    database: Stored,
    *,
    prune: bool = False,
    side: Callable[[RowName], Side] = lambda _: None,
) -> tuple[RowMerge, ...]:
    """What an import of `files` does to each row, in the order of tokens, nodes, components, pages.

    `side` says which side wins a conflict. Raises ContentError where, after it, a page would place
    a component that is nowhere, and for rows whose file and database can't be compared.
    """
    theirs = files.rows()
    ours = database.content.rows()
    theirs = {
        name: row
        for name, row in theirs.items()
        if not (is_packaged(row) and _is_own(name, ours.get(name), database))
    }
    names = dict.fromkeys([*theirs, *ours, *database.unreadable])
    kinds = {name.kind for name in theirs}
    found: list[RowMerge] = []
    for name in names:
        row = _Row(
            name=name,
            ours=ours.get(name),
            theirs=theirs.get(name),
            base=database.imported.get(name),
            unreadable=database.unreadable.get(name),
            blocks=database.blocks.get(name.key, {}),
            side=side(name),
        )
        if row.theirs is None:
            found.append(_without_file(row, prune=prune, has_kind=name.kind in kinds))
        elif row.ours is None:
            found.append(_without_row(row))
        else:
            found.append(_with_both(row, row.ours, row.theirs))
    _check_components(found, database.placed)
    return tuple(found)


def _is_own(name: RowName, ours: ContentRow | None, database: Stored) -> bool:
    """Whether the database has a row that no import made as it is."""
    if ours is None:
        return name in database.unreadable
    return database.imported.get(name) != row_hash(ours)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """One row's three versions: in the database, in the file, and as it was last imported."""

    name: RowName
    ours: ContentRow | None
    theirs: ContentRow | None
    base: str | None
    unreadable: Problem | None
    blocks: Mapping[int, str | None]
    side: Side

    def decided(
        self, action: Action, why: str, merged: ContentRow | None = None, *, settled: bool = False
    ) -> RowMerge:
        """The row's merge; a file that is written counts as imported."""
        return RowMerge(
            name=self.name,
            action=action,
            why=why,
            ours=self.ours,
            theirs=self.theirs,
            merged=merged,
            settled=settled or merged is not None,
        )


def _without_file(row: _Row, *, prune: bool, has_kind: bool) -> RowMerge:
    if row.base is None:
        return row.decided("keep", "only in the database")
    if not prune or row.side == "ours":
        return row.decided("keep", "its file is gone; --prune removes the row")
    unchanged = row.ours is not None and row_hash(row.ours) == row.base
    if (unchanged and has_kind) or row.side == "theirs":
        return row.decided("remove", "its file is gone")
    if unchanged:
        return row.decided("conflict", f"its file is gone, and there is no other {row.name.kind}")
    return row.decided("conflict", "its file is gone, and the database has changed it")


def _without_row(row: _Row) -> RowMerge:
    if row.unreadable is None:
        return row.decided("add", "new", row.theirs)
    if row.side == "theirs":
        return row.decided("update", "the file replaces a row that can't be read", row.theirs)
    if row.side == "ours":
        return row.decided("keep", "the row can't be read")
    return row.decided("conflict", f"the row can't be read: {row.unreadable.what}")


def _with_both(row: _Row, ours: ContentRow, theirs: ContentRow) -> RowMerge:
    held, given = row_hash(ours), row_hash(theirs)
    if held == given:
        return row.decided("unchanged", "equal", settled=True)
    if held == row.base:
        return row.decided("update", "changed in the file", theirs)
    if given == row.base:
        return row.decided("keep", "changed in the database")
    if row.side == "theirs":
        return row.decided("update", "the file's row was chosen", theirs)
    if row.side == "ours":
        return row.decided("keep", "the database's row was chosen", settled=True)
    if isinstance(ours, Page) and isinstance(theirs, Page):
        both = _merged_blocks(ours, theirs, row.blocks)
        if both is not None:
            why = "blocks changed in the file, others in the database"
            return row.decided("update", why, both)
    if row.base is None:
        return row.decided("conflict", "the database has another row of this key, never imported")
    return row.decided("conflict", "changed in the file and in the database")


def _merged_blocks(ours: Page, theirs: Page, bases: Mapping[int, str | None]) -> Page | None:
    """A page with each block of the side that changed it; None where that can't be told.

    It can where both have blocks of the same orders, no block changed on both sides, and nothing
    else of the page differs.
    """
    if replace(ours, blocks=()) != replace(theirs, blocks=()):
        return None
    if [block.order for block in ours.blocks] != [block.order for block in theirs.blocks]:
        return None
    merged: list[Block] = []
    for our, their in zip(ours.blocks, theirs.blocks, strict=True):
        held, given, base = row_hash(our), row_hash(their), bases.get(our.order)
        if base is None or (held != given and base not in (held, given)):
            return None
        merged.append(their if held == base else our)
    return replace(theirs, blocks=tuple(merged))


def _check_components(found: Sequence[RowMerge], placed: Mapping[str, Mapping[int, str]]) -> None:
    """Every component that a page places must be there afterwards."""
    there = {
        row.name.key for row in found if row.name.kind == "component" and row.action != "remove"
    }
    problems = [problem for row in found for problem in _missing(row, there, placed)]
    if problems:
        raise ContentError(problems)


def _missing(
    row: RowMerge, there: set[str], placed: Mapping[str, Mapping[int, str]]
) -> Iterator[Problem]:
    if row.name.kind != "page" or row.action == "remove":
        return
    page = row.merged or row.ours
    blocks = (
        [(block.order, block.component, block.line) for block in page.blocks]
        if isinstance(page, Page)
        # The row can't be read, and stays as it is.
        else [(order, key, None) for order, key in placed.get(row.name.key, {}).items()]
    )
    for order, component, line in blocks:
        if component not in there:
            yield Problem(
                entity="page",
                key=row.name.key,
                block=order,
                line=line,
                what=f"places the component {component!r}, "
                "which is neither in the content nor in the database",
                remedy="add the component, or correct its key",
            )
            return


def _values(row: ContentRow | Block) -> dict[str, Json]:
    """What decides a row, as JSON: every column that a file holds."""
    names: Any = row.__dataclass_fields__
    values = {name: getattr(row, name) for name, field in names.items() if field.compare}
    if isinstance(row, NodeRow) and values["settings"] == {}:
        # A node that was imported before there were settings has not changed.
        del values["settings"]
    if isinstance(row, Page):
        moment = row.published_at
        values["published_at"] = moment and moment.astimezone(UTC).isoformat()
        values["blocks"] = list(map(_values, row.blocks))
    return values
