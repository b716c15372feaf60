"""Rows of the past hold anything, and the commands that tell of them tell: the journal, the runs,
and what visitors sent."""

from __future__ import annotations

import csv
import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
from prometheus_client import generate_latest
from psycopg import sql

from robbieblocks import database, sync
from robbieblocks.cli.forms import forms
from robbieblocks.cli.history import changes, deploys
from robbieblocks.cli.sync import showing
from robbieblocks.database import schema
from robbieblocks.settings import Settings
from robbieblocks.sync.lifecycle import MasterLoop
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.worker import open_log
from tests.databases import Databases
from tests.hostile_texts import SYNCED

pytestmark = pytest.mark.postgres

_TEXTS: Final = [
    *("\x1b[31m\r\u202e\x07evil\nsecond line", "", "x" * 4_000, "{{a}} %s {0} {% if", "../../etc"),
    *("\uffff\U0010ffff", "9" * 400, "| a | ``` <b>", "null"),
]
_DEEP: Final = "[" * 3_000 + "]" * 3_000
_JSON: Final = [
    *("1e400", "9" * 5_000, "null", "[]", '"\\u001b[31m"', _DEEP, '{"pages": 1}'),
    '{"pages": [1, null, {"page": 1, "key": {}, "change": [], "causes": 4}, {"causes": [[], [1]]}]'
    ', "more_pages": null}',
    '{"pages": {"a": 1}, "phases_ms": [1], "more_pages": "x", "plan": {}, "freeze": 1}',
    '{"phases_ms": {"read": "x", "\\u001b": 1e400}, "more_pages": -99999999999999999999999}',
    '{"page_key": 1, "blocks": 5, "by_hash": [], "left_out": "x", "name": {"a": [1]}}',
    '{"page_key": null, "blocks": {"a": null}, "by_hash": {"react_code": 5}, "left_out": {}}',
    '{"blocks": [1, {"props": 1}], "metadata": 5, "enabled_apps": 4, "dependencies": {"a": 1}}',
    '{"__proto__": 1, "": {"": "\\u0007"}, "name": "\\u001b[2J\\nmail: forged"}',
]
_VALUES: Final[dict[str, list[Any]]] = {
    "character varying": _TEXTS,
    "text": _TEXTS,
    "jsonb": _JSON,
    "timestamp with time zone": [
        *("infinity", "-infinity", "4713-01-01 BC", "294276-12-31 23:59:59", None),
        *("9999-12-31 23:59:59.999999-15:59", "0001-01-01 00:00:00+15:59"),
    ],
    "integer": [-1, 2**31 - 1, 0, None, -(2**31)],
    "ARRAY": [[], None, [None]],
}
_ROWS: Final = max(map(len, _VALUES.values()))
# A row of each table, by what its columns need to be there at all.
_INSERTS: Final = {
    "robbieblocks_change_triggers": "(trigger_type, entity_type, entity_id)"
    " VALUES ('page_update', %s, gen_random_uuid())",
    "robbieblocks_deploys": "(app_namespace, build_hash, triggered_by) VALUES (%s, '', '')",
    "form_submissions": "(form_name, node_id, app, page_key, fields)"
    " VALUES (%s, 'n', 'a', 'p', '{}')",
}
_ENTITIES: Final = ["page", "component", "style_token", "node_branding", "media", "collection"]


@pytest.fixture
def filled(databases: Databases, schema_template: str) -> Iterator[dict[str, list[str]]]:
    """The ids of rows of each table, every column of which holds what Postgres takes; the tables
    check nothing, as those of an earlier version. Under "" is the database's address."""
    with (
        databases.copy(schema_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        yield {"": [conninfo]} | {
            table: [_row(connection, table, number) for number in range(_ROWS)]
            for table in _INSERTS
            if _unchecked(connection, table)
        }


def _unchecked(connection: psycopg.Connection, table: str) -> bool:
    query = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'"
    for (name,) in connection.execute(query, (table,)).fetchall():
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}")
        connection.execute(drop.format(sql.Identifier(table), sql.Identifier(name)))
    return True


def _row(connection: psycopg.Connection, table: str, number: int) -> str:
    insert = f"INSERT INTO {table} {_INSERTS[table]} RETURNING id::text, ctid::text".encode()
    entity = _ENTITIES[number % len(_ENTITIES)]
    identity, place = connection.execute(insert, (entity,)).fetchone() or ("", "")
    _fill(connection, table, place, number)
    return str(identity)


def _fill(connection: psycopg.Connection, table: str, place: str, number: int) -> None:
    """Put into each column of the row at this place (ctid) what Postgres takes."""
    columns = connection.execute(
        "SELECT column_name, data_type, character_maximum_length FROM information_schema.columns"
        " WHERE table_name = %s",
        (table,),
    ).fetchall()
    for name, kind, longest in columns:
        values = _VALUES.get(kind)
        # The entity decides how the sides of a change are read.
        if values is None or name == "entity_type":
            continue
        value = values[number % len(values)]
        value = value[:longest] if longest and value else value
        update = sql.SQL("UPDATE {} SET {} = {} WHERE ctid = {}::tid RETURNING ctid::text").format(
            *(sql.Identifier(table), sql.Identifier(name)),
            *(sql.Placeholder(), sql.Literal(place)),
        )
        try:
            (place,) = connection.execute(update, (value,)).fetchone() or (place,)
        except (psycopg.DataError, psycopg.IntegrityError):
            # Postgres never holds it there.
            continue


def test_whatever_rows_of_the_past_hold_is_told(
    filled: dict[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Each row by itself and in the list, as text and as JSON; nothing that moves a terminal."""
    monkeypatch.setenv("ROBBIEBLOCKS_HOME", str(tmp_path))
    at = filled[""][0]
    shown: dict[str, Callable[..., None]] = {
        "robbieblocks_change_triggers": changes.show,
        "robbieblocks_deploys": deploys.show,
        "form_submissions": forms.show,
    }
    everything: dict[str, Any] = {"since": None, "limit": 500, "database_url": at}
    asked: list[Callable[..., None]] = [
        partial(changes.list_, (None, None), by=None, **everything),
        partial(deploys.list_, node=None, app=None, status=None, runs_only=True, **everything),
        partial(forms.list_, form=None, spam=True, most=500, database_url=at),
        *(partial(shown[table], id_, database_url=at) for table in shown for id_ in filled[table]),
    ]
    for ask in asked:
        for given in ("text", "json"):
            ask(format_=given)
            said = capsys.readouterr().out
            assert said
            assert all(each.isprintable() or each in "\n\t" for each in said)
    forms.export(form=None, spam=True, database_url=at)
    assert len(list(csv.reader(io.StringIO(capsys.readouterr().out)))) == 1 + _ROWS


@pytest.fixture
def synced(databases: Databases, schema_template: str) -> Iterator[str]:
    """The address of a master whose tables of the sync hold anything."""
    with (
        databases.copy(schema_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        schema.apply(connection, sync=True)
        connection.execute("SELECT sync_start('master', true)")
        for table, insert in SYNCED.items():
            assert _unchecked(connection, table)
            for number in range(_ROWS):
                row = insert.format(f"'row {number}'")
                query = f"INSERT INTO {table} {row} RETURNING ctid::text".encode()
                ((place,),) = connection.execute(query).fetchall()
                _fill(connection, table, place, number)
        # A node says hello as it likes: its report is any JSON.
        for number, report in enumerate(_JSON):
            connection.execute(
                "UPDATE sync_nodes SET locked_out_at = NULL, is_online = true,"
                " metadata = jsonb_build_object('report', %s::jsonb, 'other_at', %s::jsonb)"
                " WHERE node_name LIKE %s",
                (report if len(report) < 400 else "1", report, f"{number}%"),
            )
        yield conninfo


def test_whatever_the_tables_of_a_sync_hold_is_told(
    synced: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of the master and of a node, as text and as JSON; the master tends the others, and a node
    notes what it has to."""
    monkeypatch.setenv("ROBBIEBLOCKS_HOME", str(tmp_path))
    here = replace(settings, database_url=synced)
    asked: list[Callable[..., None]] = [partial(showing.status, check=False, database_url=synced)]
    with database.connect(here, application_name="test") as connection:
        connection.autocommit = True
        ids = [str(each) for (each,) in connection.execute("SELECT id FROM sync_conflicts")]
        assert len(ids) == _ROWS
        asked += [
            partial(showing.conflicts, table=None, all_=True, database_url=synced),
            *(partial(showing.conflict, each, database_url=synced) for each in ids),
        ]
        for is_master in (True, False):
            connection.execute("UPDATE sync_self SET is_master = %s", (is_master,))
            for ask in asked:
                for given in ("text", "json"):
                    ask(format_=given)
                    said = capsys.readouterr().out
                    assert said
                    assert all(each.isprintable() or each in "\n\t" for each in said)
        node = NodeDatabase(connection)
        for metadata in _JSON:
            connection.execute(
                "UPDATE sync_nodes SET metadata = %s WHERE node_id = 'master'", (metadata,)
            )
            node.noted("turn")
            node.note("turn", '{"a": 1}')
            assert node.noted("turn") == '{"a": 1}'
        assert node.take(200).count
        assert node.outbox().waiting
        node.refused_here()
        connection.execute("UPDATE sync_self SET is_master = true")
    lines = io.StringIO()
    loop = MasterLoop(
        settings=here,
        node="master",
        health=sync.SyncHealth(node="master", progress_timeout_s=60),
        log=open_log("json", lines),
        stopped=threading.Event(),
        timing=sync.SyncTiming(),
    )
    loop.start()
    loop.stopped.set()
    loop.run_once()
    loop.close()
    assert loop.health.state == "active", lines.getvalue()
    assert generate_latest(loop.health.metrics())


def test_what_python_can_not_hold_fails_no_query(settings: Settings) -> None:
    """The other rows are read; a number keeps its digits, a time is the nearest that there is."""
    with database.connect(settings, application_name="test") as connection:
        found = connection.execute(
            "SELECT given::jsonb, at::timestamptz FROM (VALUES"
            " (concat('[', repeat('9', 5000), ', 1e400, 1.5]'), 'infinity'),"
            " (concat(repeat('[', 3000), repeat(']', 3000)), '4713-01-01 BC'),"
            " (concat('\"', repeat('x', 5000000), '\"'), '294276-12-31'),"
            " ('{\"a\": [1, null]}', '2026-01-01Z')) AS it (given, at)"
        ).fetchall()
    values, times = zip(*found, strict=True)
    assert values[0][0] == "9" * 5_000
    assert values[0][1].startswith("1000000")
    assert values[0][2] == 1.5
    assert values[1:3] == (database.JSON_TOO_DEEP, database.JSON_TOO_LONG)
    assert values[3] == {"a": [1, None]}
    assert [each.year for each in times] == [9999, 1, 9999, 2026]
