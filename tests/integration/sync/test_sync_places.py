"""A block that comes to a place which is taken, and that may not be there at all."""

from __future__ import annotations

import pytest

from tests.integration.sync.pages import apart, block, component, orders, page, remove
from tests.integration.sync.sites import Fleet

pytestmark = pytest.mark.postgres


def _equal(fleet: Fleet) -> None:
    fleet.settle()
    contents = [site.content() for site in (fleet.master, *fleet.nodes)]
    assert contents[0] == contents[1] == contents[2]


def test_a_block_whose_place_is_taken_and_whose_component_is_gone_goes_to_the_audit(
    fleet: Fleet,
) -> None:
    """It is not refused for ever for the second reason, while its node has it alone."""
    master, aurora = fleet.master, fleet.nodes[0]
    gone, widget, the_page = component(master), component(master), page(master)
    fleet.settle()
    with apart(aurora):
        remove(master, "components", gone)
        block(master, the_page, widget, 1)
        placed = block(aurora, the_page, gone, 1, '{"text": "kept"}')
        [result] = fleet.send(aurora)
        assert result["outcome"] == "lost"
    _equal(fleet)
    assert placed not in orders(aurora, the_page)
    [kept] = fleet.conflicts()
    assert (kept["rule"], kept["row_key"]) == ("parent is gone", placed)
    assert kept["replica_data"]["props"] == {"text": "kept"}


def test_a_block_whose_move_is_rejected_stays_at_its_place(fleet: Fleet) -> None:
    """It was put out of the way for others of its batch, and comes back from there."""
    master, aurora = fleet.master, fleet.nodes[0]
    gone, widget, the_page = component(master), component(master), page(master)
    fleet.settle()
    first, second, third = (block(master, the_page, widget, order) for order in (1, 2, 3))
    fleet.settle()
    with apart(aurora):
        remove(master, "components", gone)
        aurora.run(
            "UPDATE robbieblocks_page_blocks SET block_order = 9, component_id = %s WHERE id = %s",
            gone,
            first,
        )
        master.run("UPDATE robbieblocks_page_blocks SET block_order = 9 WHERE id = %s", third)
        [result] = fleet.send(aurora)
        assert result["outcome"] == "lost"
    _equal(fleet)
    assert orders(aurora, the_page) == {first: 1, second: 2, third: 9}
    assert [kept["rule"] for kept in fleet.conflicts()] == ["parent is gone"]
