"""Batches of thousands of changes: what they cost the master, and that none takes too long."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.sync import pages
from tests.integration.sync.pages import apart
from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres

_COUNT = 200
_INSERT = """
    WITH made AS (
        INSERT INTO robbieblocks_pages
               (page_key, app_namespace, page_name, page_route, layout_template, status)
        SELECT %s || n, 'play', n, '/' || %s || n, 'default', 'published'
          FROM generate_series(1, %s) AS n
        RETURNING id)
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone)
    SELECT made.id, %s, 1, 'main' FROM made
"""
_UPDATE = "UPDATE robbieblocks_pages SET meta_title = 'x' WHERE starts_with(page_key, %s)"
_DELETE = "DELETE FROM robbieblocks_pages WHERE starts_with(page_key, %s)"
_READ = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_xact_all_tables"


def _read_by(fleet: Fleet, node: Site, entries: list[Any]) -> list[int]:
    """How many rows the master reads for half of the pages and their blocks, and for the others."""
    assert node.calls is not None
    of = [entry["data"].get("page_id", entry["row_key"]) for entry in entries]
    first = set(sorted(set(of))[: _COUNT // 2])
    read = [0]
    with node.calls.transaction():
        for is_first in (True, False):
            part = [
                entry
                for entry, page in zip(entries, of, strict=True)
                if (page in first) is is_first
            ]
            results = fleet.hand_over(node, part, settle=False)
            assert {result["outcome"] for result in results} <= {"applied", "noted"}
            (so_far,) = node.calls.execute(_READ).fetchone() or (0,)
            read.append(int(so_far))
    return [after - before for before, after in itertools.pairwise(read)]


@pytest.mark.parametrize("operation", ["INSERT", "UPDATE", "DELETE"])
def test_a_change_costs_the_master_no_more_the_more_are_with_it(
    operation: str, fleet: Fleet
) -> None:
    """By the rows that it reads. Tables that are known to be empty tempt plans to read all of them,
    and the plans are kept."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget, name = pages.component(master), pages.key()
    fleet.settle()
    master.run("TRUNCATE robbieblocks_change_triggers, sync_received, sync_gone_rows")
    for table in ("robbieblocks_change_triggers", "sync_received", "sync_gone_rows"):
        master.run(f"VACUUM ANALYZE {table}")
    if operation != "INSERT":
        aurora.run(_INSERT, name, name, _COUNT, widget)
        fleet.settle()
    edit = {"UPDATE": _UPDATE, "DELETE": _DELETE}.get(operation)
    with apart(aurora):
        if edit is None:
            aurora.run(_INSERT, name, name, _COUNT, widget)
        else:
            aurora.run(edit, name)
        entries = aurora.value("SELECT sync_outbox_take(5000)")
        read = _read_by(fleet, aurora, entries)
    fleet.settle()
    assert read[1] < 1.3 * read[0]
    assert fleet.conflicts() == []


def test_blocks_that_one_batch_brings_are_queued_as_one_change(fleet: Fleet) -> None:
    """The log has the queue's row as it is at the end, and not once more for each block."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget, name = pages.component(master), pages.key()
    the_page = pages.page(master, name)
    fleet.settle()
    was = master.value("SELECT max(position) FROM sync_log")
    text = "SELECT string_agg(md5(n || '-' || m), '') FROM generate_series(1, 20) m"
    props = f"jsonb_build_object('text', ({text}))"
    with apart(aurora):
        aurora.run(
            "INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)"
            f" SELECT %s, %s, n, 'main', {props} FROM generate_series(1, 120) n",
            the_page,
            widget,
        )
        fleet.send(aurora)
    fleet.settle()
    told = master.rows(
        "SELECT data FROM sync_log WHERE table_name = 'robbieblocks_change_triggers'"
        " AND position > %s AND data ->> 'entity_id' = %s ORDER BY position",
        was,
        the_page,
    )
    assert len(told) < 60
    assert "pending" not in json.dumps(told)
    assert len(told[-1]["data"]["after"]["blocks"]) == 120
    kept = """
        SELECT pending, after FROM robbieblocks_change_triggers
         WHERE entity_id = %s AND after -> 'blocks' <> '{}'
    """
    assert [row["pending"] for row in master.rows(kept, the_page)] == [None]


@pytest.fixture
def hurried(fleet: Fleet) -> Iterator[Fleet]:
    """The master has no time for a batch."""
    given = fleet.master.value("SELECT pg_get_functiondef('sync_batch_time'::regproc)")
    fleet.master.run(
        "CREATE OR REPLACE FUNCTION sync_batch_time() RETURNS interval LANGUAGE sql IMMUTABLE"
        " AS $$ SELECT interval '0 seconds' $$"
    )
    yield fleet
    fleet.master.run(given)


def test_what_a_batch_has_no_time_for_goes_with_the_next(hurried: Fleet) -> None:
    """Each call applies at least one change, and answers for what it did; nothing is lost."""
    master, aurora = hurried.master, hurried.nodes[0]
    hurried.settle()
    with apart(aurora):
        made = [pages.page(aurora) for _ in range(3)]
        for _ in made:
            assert [result["outcome"] for result in hurried.send(aurora)] == ["applied"]
        assert hurried.send(aurora) == []
    hurried.settle()
    assert [pages.title(master, each) for each in made] == ["new"] * 3
    assert hurried.conflicts() == []


def test_changes_that_wait_for_each_other_stay_in_one_batch(hurried: Fleet) -> None:
    """Two blocks that change their places, however little time there is."""
    master, aurora = hurried.master, hurried.nodes[0]
    widget, name = pages.component(master), pages.key()
    the_page = pages.page(master, name)
    first, second = (pages.block(master, the_page, widget, order) for order in (1, 2))
    hurried.settle()
    with apart(aurora):
        aurora.run("SELECT robbieblocks_move_block(%s, 1, 2)", name)
        assert [result["outcome"] for result in hurried.send(aurora)] == ["applied"] * 2
    hurried.settle()
    assert pages.orders(master, the_page) == {first: 2, second: 1}
    assert hurried.conflicts() == []
