"""A node of one town, over the unified schema: it writes and gets that town's rows alone."""

from __future__ import annotations

import json
import uuid
from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import FILES, apply, as_superuser

pytestmark = pytest.mark.postgres

_ROLE = "test_node_of_a_town"


@pytest.fixture
def master(towns: str) -> Generator[psycopg.Connection]:
    """A master with two towns and a node of one of them: the owner's connection."""
    with psycopg.connect(as_superuser(towns), autocommit=True) as administrator:
        administrator.execute(f"CREATE ROLE {_ROLE} LOGIN".encode())
        try:
            with psycopg.connect(towns, autocommit=True) as owner:
                owner.execute("SELECT sync_start('master', true)")
                for table in ("business_notes", "town_settings"):
                    owner.execute("SELECT sync_configure(%s, 'both')", [table])
                owner.execute(
                    "SELECT sync_admit('aurora', 'Aurora', %s, NULL, '{aurora}')", [_ROLE]
                )
                yield owner
        finally:
            administrator.execute(f"DROP OWNED BY {_ROLE}".encode())
            administrator.execute(f"DROP ROLE {_ROLE}".encode())


def _call(towns: str, query: str, *values: Any) -> Any:
    with psycopg.connect(make_conninfo(towns, user=_ROLE), autocommit=True) as connection:
        row = connection.execute(query.encode(), values).fetchone()
    assert row is not None
    return row[0]


def _entry(table: str, row_key: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": str(uuid.uuid4()),
        "table": table,
        "row_key": row_key,
        "operation": "UPSERT",
        "data": data,
        "version": "01a0000000000000@aurora",
        "base_version": "",
    }


def _apply(towns: str, *entries: dict[str, Any]) -> list[str]:
    results = _call(towns, "SELECT sync_apply('aurora', %s)", json.dumps(entries))
    return [result["outcome"] for result in results]


def test_a_node_writes_and_gets_its_towns_rows(towns: str, master: psycopg.Connection) -> None:
    """A row of another town is neither written, nor taken over, nor shown."""
    ids: dict[str, str] = dict(master.execute("SELECT name, uid::text FROM towns").fetchall())
    rows = {
        town: _entry(
            "town_settings",
            json.dumps([ids[town], "k"]),
            {"town_id": ids[town], "key": "k", "value": {"of": town}},
        )
        for town in ("aurora", "fluenti")
    }
    assert _apply(towns, *rows.values()) == ["applied", "refused"]
    master.execute("SET app.town = 'fluenti'")
    master.execute("INSERT INTO town_settings (key, value) VALUES ('k', '\"theirs\"')")
    # Nor by giving a row that is theirs another town.
    stolen = _entry("town_settings", rows["fluenti"]["row_key"], rows["aurora"]["data"])
    assert _apply(towns, stolen, rows["aurora"] | {"id": str(uuid.uuid4())}) == [
        "refused",
        "duplicate",
    ]
    master.execute("SET app.town = '*'")
    assert master.execute("SELECT value FROM town_settings ORDER BY value::text").fetchall() == [
        ("theirs",),
        ({"of": "aurora"},),
    ]
    copied = _call(towns, "SELECT sync_copy('aurora', 'town_settings')")
    assert [entry["data"]["value"] for entry in copied] == [{"of": "aurora"}]
    counted = _call(towns, "SELECT sum(row_count)::int FROM sync_hashes('aurora', 'town_settings')")
    assert counted == 1


def test_a_database_of_the_sync_is_applied_over_again(
    towns: str, master: psycopg.Connection
) -> None:
    """File 20 after file 23, and all files again, keep its rows, triggers and settings."""
    described = "SELECT table_name, direction FROM sync_tables ORDER BY 1"
    before = master.execute(described).fetchall()
    apply(towns, *(file for file in FILES if file.name[:2] in ("20", "21", "23")))
    assert master.execute(described).fetchall() == before
    master.execute(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category,"
        " default_value) VALUES ('color.x', 'color', 'red')"
    )
    assert master.execute("SELECT count(*) FROM sync_log").fetchone() == (2,)
