"""Batches of many changes: what the master makes of them, and that none takes too long."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.sync import pages
from tests.integration.sync.pages import apart
from tests.integration.sync.sites import Fleet

pytestmark = pytest.mark.postgres


def test_blocks_that_one_batch_brings_are_queued_as_one_change(fleet: Fleet) -> None:
    """The log has the queue's row as it is at the end, and not once more for each block."""
    master, aurora = fleet.master, fleet.nodes[0]
    widget, name = pages.component(master), pages.key()
    the_page = pages.page(master, name)
    fleet.settle()
    was = master.value("SELECT max(position) FROM sync_log")
    props = "jsonb_build_object('text', (SELECT string_agg(md5(n || '-' || m), '') FROM generate_series(1, 20) m))"  # noqa: E501  # one expression
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
    kept = "SELECT pending, after FROM robbieblocks_change_triggers WHERE entity_id = %s AND after -> 'blocks' <> '{}'"  # noqa: E501  # one query
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
