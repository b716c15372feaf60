"""`robbieblocks sync status` and `sync conflicts`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Literal

import typer
from psycopg import Connection

from robbieblocks import sync
from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_result
from robbieblocks.cli.table import aligned
from robbieblocks.errors import Permanent
from robbieblocks.messages import counted
from robbieblocks.settings import Settings

_TEXT_MAX = 120


def status(*, check: bool, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print this database's part in its sync; with `check`, exit 1 where something is wrong."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        found = sync.status(settings, connection)
    if format_ == "json":
        print_result(as_json(found.as_json()))
    elif check:
        for each in found.findings:
            print_result(each)
    else:
        for line in _lines(found):
            print_result(line)
    if check and found.findings:
        raise typer.Exit(1)


def conflicts(
    *, table: str | None, all_: bool, format_: Literal["text", "json"], database_url: str | None
) -> None:
    """Print the latest conflicts."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        found = sync.listed(connection, all_=all_, table=table)
    if format_ == "json":
        print_result(as_json([each.as_json() for each in found]))
        return
    rows = [("when", "table", "row", "from", "stays", "rule", "id")]
    rows += [
        (
            _when(each.at),
            each.table,
            each.key,
            each.node,
            each.winner,
            each.rule or "",
            str(each.id),
        )
        for each in found
    ]
    for line in aligned(rows) if found else ["no version has lost"]:
        print_result(line)


def conflict(id_: str, *, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print both versions of a row."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        found = sync.one(connection, id_)
        beside = _beside(connection, found)
    if format_ == "json":
        print_result(as_json(found.as_json()))
        return
    print_result(f"{found.table} {found.key}, {_when(found.at)}: {found.winner} version stays")
    if found.rule:
        print_result(f"rule: {found.rule}")
    for side, data in (("the master", found.master_data), (found.node, found.node_data)):
        if data is None:
            print_result(f"{side} deleted the row")
    rows = [("column", "master", found.node)]
    rows += [(name, _short(a), _short(b)) for name, (a, b) in found.differences.items()]
    for line in aligned(rows):
        print_result(line)
    if found.resolved_at is not None:
        print_result(f"put right {_when(found.resolved_at)} by {found.resolved_by or 'somebody'}")
    else:
        print_result(f"bring the other back: robbieblocks sync conflicts restore {found.id}")
        if beside:
            print_result(beside)


def _beside(connection: Connection, found: sync.Conflict) -> str:
    """What comes back with a row, in a sentence."""
    try:
        tables = sync.together(connection, found)
    except Permanent as error:
        return str(error)
    named = ", ".join(f"{counted(number, 'row')} of {table}" for table, number in tables.items())
    return f"with it come back: {named}" if named else ""


def restore(id_: str, *, force: bool, alone: bool, database_url: str | None) -> None:
    """Bring the version that lost back."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        done = sync.restore(connection, id_, force=force, alone=alone)
    found = done.conflict
    its = "" if done.key == found.key else ", which has its key,"
    print_result(f"{found.table} {done.key}{its} is as the version that lost had it")
    if done.back:
        print_result(f"{counted(done.back, 'row')} came back with it")
    if done.stayed:
        print_result(f"{counted(done.stayed, 'row')} of then: there again, left as they are")
    if done.left_out:
        print_result(f"{counted(done.left_out, 'row')} stay away: what they refer to is gone")


def _lines(found: sync.SyncStatus) -> list[str]:
    me = found.me
    first = f"{me.node}: {'the master' if me.is_master else f'a node, by {found.transport}'}"
    lines = [first + ("" if found.is_running else ", nothing runs")]
    if me.is_master:
        lines += _nodes(found)
    else:
        # A reason that something should be done about stands among the findings.
        if found.transport_why and not any(found.transport_why in each for each in found.findings):
            lines.append(f"it asks for changes: {found.transport_why}")
        waiting = counted(found.outbox.waiting, "change")
        since = f" since {_when(found.outbox.oldest_at)}" if found.outbox.oldest_at else ""
        lines.append(f"{waiting} to go up{since}, {found.outbox.refused} refused")
    rows = [("table", "direction", "rule", "waiting", "refused", "last")]
    rows += [
        (
            each.table,
            each.direction,
            each.rule,
            str(each.waiting),
            str(each.refused),
            _when(each.last_at) if each.last_at else "",
        )
        for each in found.tables
    ]
    lines += ["", *aligned(rows)]
    if found.conflicts:
        lines += [
            "",
            f"{counted(found.conflicts, 'version')} lost: robbieblocks sync conflicts list",
        ]
    if found.findings:
        lines += ["", *(f"! {each}" for each in found.findings)]
    return lines


def _nodes(found: sync.SyncStatus) -> list[str]:
    rows = [("node", "state", "seen", "slot", "held back", "waiting", "clock")]
    for each in found.nodes:
        state = "online" if each.is_online else "away"
        state = "locked out" if each.locked_out_at else "left" if each.has_left else state
        rows.append(
            (
                each.node,
                state,
                _when(each.last_seen) if each.last_seen else "never",
                each.wal_status or "polls",
                f"{each.held_bytes / 1_000_000:.1f} MB",
                str(each.report.get("waiting", "")),
                "" if each.skew_ms is None else f"{each.skew_ms / 1000:+.1f} s",
            )
        )
    return ["", *aligned(rows)] if found.nodes else ["no node was admitted yet"]


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if moment else ""


def _short(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _TEXT_MAX else f"{text[:_TEXT_MAX]} …"
