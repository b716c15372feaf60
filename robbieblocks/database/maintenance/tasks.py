"""What is to be done daily, weekly and monthly, as values made from the database's state."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from psycopg.sql import SQL, Composed, Identifier

from robbieblocks.database.maintenance.analysis import Finding

Cadence = Literal["daily", "weekly", "monthly"]

# Autovacuum analyzes at 10 %; what is done daily may be more exact.
_CHANGED_ROWS_MIN: Final = 50
_CHANGED_SHARE: Final = 0.05

_REFRESH: Final = SQL("REFRESH MATERIALIZED VIEW {}")
_REFRESH_BESIDE: Final = SQL("REFRESH MATERIALIZED VIEW CONCURRENTLY {}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A statement to be executed by itself, outside of a transaction, and why."""

    statement: Composed
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """What the statistics know of a table; `inserted` and `dead` rows since it was vacuumed."""

    name: str
    is_partitioned: bool
    rows: int
    dead: int
    inserted: int
    changed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A materialized view: whether it reads tables with row level security, directly or not, and
    whether its readers can go on while it is refreshed.
    """

    name: str
    has_secured_rows: bool
    can_go_on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the tasks are decided by. Months are `2026-03`; none where there is no audit log."""

    tables: tuple[Table, ...]
    views: tuple[View, ...]
    invalid_indexes: tuple[str, ...]
    leftover_indexes: tuple[str, ...]
    bloated_indexes: Mapping[str, Finding]
    months_missing: tuple[str, ...]
    months_kept: tuple[str, ...]
    this_month: datetime


def tasks(cadence: Cadence, state: State, keep_audit_months: int | None) -> tuple[Task, ...]:
    """The tasks of a cadence, in their order; a task that is done is not listed the next time.

    But for what is done whatever the state: views are refreshed daily, and monthly every table is
    analyzed.
    """
    if cadence == "monthly":
        return (*_monthly(state), *_audit_retention(state, keep_audit_months))
    return tuple(_CADENCES[cadence](state))


def _daily(state: State) -> Iterator[Task]:
    if state.months_missing:
        yield Task(
            statement=SQL("SELECT audit_log_make_partitions()").format(),
            why=f"the audit log has no partition for {', '.join(state.months_missing)}",
        )
    for view in state.views:
        if not view.has_secured_rows:
            yield Task(
                statement=(_REFRESH_BESIDE if view.can_go_on else _REFRESH).format(
                    Identifier(view.name)
                ),
                why="its rows are those of the last refresh",
            )
    for table in state.tables:
        if table.changed >= _CHANGED_ROWS_MIN + _CHANGED_SHARE * table.rows:
            yield _analyze(table, f"{table.changed} of {table.rows} rows changed")


def _weekly(state: State) -> Iterator[Task]:
    for table in state.tables:
        if table.is_partitioned:
            if table.changed:
                yield _analyze(table, "autovacuum never analyzes a table with partitions")
        elif table.dead or table.inserted or table.changed:
            yield Task(
                statement=SQL("VACUUM (ANALYZE, SKIP_LOCKED) {}").format(Identifier(table.name)),
                why=f"{table.dead} dead rows, {table.inserted} new, {table.changed} changed",
            )


def _monthly(state: State) -> Iterator[Task]:
    for name in state.leftover_indexes:
        yield Task(
            statement=SQL("DROP INDEX CONCURRENTLY {}").format(Identifier(name)),
            why="an interrupted REINDEX left it",
        )
    for name in state.invalid_indexes:
        yield _reindex(name, "it is not valid: making it was interrupted")
    for name, found in state.bloated_indexes.items():
        if name not in state.invalid_indexes:
            yield _reindex(name, found.what)
    for table in state.tables:
        yield _analyze(table, "statistics of every table, once a month")


def _audit_retention(state: State, keep_months: int | None) -> Iterator[Task]:
    if keep_months is None:
        return
    first = state.this_month.year * 12 + state.this_month.month - 1 - keep_months
    before = state.this_month.replace(year=first // 12, month=first % 12 + 1)
    old = [month for month in state.months_kept if month < before.strftime("%Y-%m")]
    if old:
        yield Task(
            statement=SQL("SELECT audit_log_drop_before({})").format(before),
            why=f"the audit log's {', '.join(old)} are older than {keep_months} months",
        )


def _analyze(table: Table, why: str) -> Task:
    statement = SQL("ANALYZE (SKIP_LOCKED) {}").format(Identifier(table.name))
    return Task(statement=statement, why=why)


def _reindex(name: str, why: str) -> Task:
    statement = SQL("REINDEX INDEX CONCURRENTLY {}").format(Identifier(name))
    return Task(statement=statement, why=why)


_CADENCES: Final[Mapping[Cadence, Callable[[State], Iterator[Task]]]] = {
    "daily": _daily,
    "weekly": _weekly,
    "monthly": _monthly,
}
