"""Many writers, and lines and servers that fail: each acknowledged write has a trace."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.types.json import Jsonb

from robbieblocks.settings import Settings
from tests.sync_history import History, Write
from tests.sync_sites import MIXED, Clusters, Place, Sync, synced, syncing
from tests.workers import until

pytestmark = [pytest.mark.postgres, pytest.mark.chaos]
ROWS = 5
# Pages with blocks, which are deleted and made anew under the same keys.
_PAGES = {f"{n:08}-0000-4000-8000-000000000000": f"page-{n}" for n in (1, 2)}
_BLOCKS = {
    f"{n:08}-0000-4000-9000-{order:012}": (page, order)
    for n, page in enumerate(_PAGES, 1)
    for order in (1, 2)
}
# More than in each run of the tests: before a release.
WRITES = int(os.environ.get("SYNC_WRITES", "60"))
SEED = int(os.environ.get("SYNC_SEED", "15"))


def test_no_acknowledged_write_is_lost(
    clusters: Clusters, make_settings: Callable[..., Settings]
) -> None:
    """Master and nodes write the same rows at once, and delete pages with blocks that others edit,
    while lines are cut, stall and break midway, a clock is minutes off and servers are killed: all
    end equal, each value that was confirmed is live, in the audit, or was seen by whoever wrote
    over it or deleted it, and no value is invented.
    """
    chance = random.Random(SEED)
    # One of them subscribes and the other one asks; seeds by hand try both, of whom one's server is
    # killed, and the other one's clock is behind.
    with synced(clusters, make_settings, transports=MIXED[:: 1 if SEED % 2 else -1]) as found:
        with found.master.connect() as master:
            master.execute(
                "INSERT INTO robbieblocks_components (component_key, component_name, "
                "component_type, react_code, props_schema) SELECT 'row-' || n, 'before-' || n, "
                "'text', '<p/>', '{}' FROM generate_series(1, %s) AS n",
                [ROWS],
            )
            history = History()
            for page in _PAGES:
                make_page(master, page, history, found.master.name, "first")
        with found.nodes[1].connect() as node:
            node.execute("UPDATE sync_self SET clock_offset_ms = -180000")
        with syncing(*found.nodes, interval_s=1.0):
            found.until_equal("robbieblocks_components")
            before = live(found.master)
            writers = [
                threading.Thread(
                    target=write, args=(place, history, random.Random(f"{SEED} {place.name}"))
                )
                for place in found.places
            ]
            for each in writers:
                each.start()
            disturb(found, chance, lambda: any(each.is_alive() for each in writers))
            for each in writers:
                each.join()
            for node_ in found.nodes:
                assert node_.line is not None
                node_.line.mend()
            found.until_sent()
            for table in ("components", "pages", "page_blocks"):
                found.until_equal(f"robbieblocks_{table}")
        after = live(found.master)
        assert history.untraced(after, audited(found)) == []
        assert history.invented(after, before) == {}
        assert sum(each.is_acknowledged for each in history.writes) > WRITES
        assert any(each.is_acknowledged and not each.wrote for each in history.writes)


def live(place: Place) -> dict[str, str]:
    """The value of each row."""
    return {
        str(key): str(value)
        for key, value in place.rows(
            "SELECT component_key, component_name FROM robbieblocks_components "
            "WHERE component_key LIKE 'row-%' UNION ALL "
            "SELECT id::text, props ->> 'text' FROM robbieblocks_page_blocks WHERE props ? 'text'"
        )
    }


def audited(found: Sync) -> set[str]:
    """The values of both sides of every conflict, wherever it is kept."""
    rows = [
        row
        for place in found.places
        for row in place.rows(
            "SELECT coalesce(side ->> 'component_name', side #>> '{props,text}') "
            "FROM sync_conflicts, unnest(ARRAY[master_data, replica_data]) AS side"
        )
    ]
    return {str(value) for row in rows for value in row}


def write(place: Place, history: History, chance: random.Random) -> None:
    """Write rows one after the other, and note what was read, written and confirmed."""
    connection: psycopg.Connection | None = None
    for number in range(WRITES):
        value = f"{place.name}-{number}"
        try:
            if connection is None or connection.closed:
                connection = place.connect()
            kind = chance.random()
            if kind < 0.6:
                change_row(connection, f"row-{chance.randint(1, ROWS)}", history, place.name, value)
            elif kind < 0.9:
                change_block(connection, chance.choice([*_BLOCKS]), history, place.name, value)
            else:
                page = chance.choice([*_PAGES])
                remove_page(connection, page, history, place.name)
                make_page(connection, page, history, place.name, value)
        except psycopg.IntegrityError:
            # Another place's page, or its blocks, came in between.
            continue
        except psycopg.OperationalError:
            if connection is not None:
                connection.close()
            connection = None
            until(lambda: answers(place), f"{place.name} to answer")
    if connection is not None:
        connection.close()


def change_row(
    connection: psycopg.Connection, row: str, history: History, place: str, value: str
) -> None:
    """Give a component another name."""
    with noted(history, place) as writes, connection.transaction():
        (read,) = connection.execute(
            "SELECT component_name FROM robbieblocks_components "
            "WHERE component_key = %s FOR UPDATE",
            [row],
        ).fetchone() or ("",)
        connection.execute(
            "UPDATE robbieblocks_components SET component_name = %s WHERE component_key = %s",
            [value, row],
        )
        writes[row] = read, value


def change_block(
    connection: psycopg.Connection, row: str, history: History, place: str, value: str
) -> None:
    """Give a block another text, where it is there."""
    with noted(history, place) as writes, connection.transaction():
        found = connection.execute(
            "SELECT props ->> 'text' FROM robbieblocks_page_blocks WHERE id = %s FOR UPDATE", [row]
        ).fetchone()
        if found is not None:
            connection.execute(
                "UPDATE robbieblocks_page_blocks SET props = %s WHERE id = %s",
                [Jsonb({"text": value}), row],
            )
            writes[row] = found[0], value


def remove_page(connection: psycopg.Connection, page: str, history: History, place: str) -> None:
    """Delete a page; its blocks go along as they are here."""
    with noted(history, place) as writes, connection.transaction():
        # A block that arrives meanwhile fails it: the lock keeps only those of clients away.
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute("SELECT FROM robbieblocks_pages WHERE id = %s FOR UPDATE", [page])
        for row, text in connection.execute(
            "SELECT id::text, props ->> 'text' FROM robbieblocks_page_blocks "
            "WHERE page_id = %s FOR UPDATE",
            [page],
        ).fetchall():
            writes[row] = text, ""
        connection.execute("DELETE FROM robbieblocks_pages WHERE id = %s", [page])


def make_page(
    connection: psycopg.Connection, page: str, history: History, place: str, value: str
) -> None:
    """Make a page with its blocks."""
    with noted(history, place) as writes, connection.transaction():
        connection.execute(
            "INSERT INTO robbieblocks_pages (id, page_key, app_namespace, page_name, page_route, "
            "layout_template) VALUES (%s, %s, 'play', 'x', %s, 'default')",
            [page, _PAGES[page], f"/{_PAGES[page]}"],
        )
        for row, (on_page, order) in _BLOCKS.items():
            if on_page == page:
                text = f"{value} {_PAGES[page]} {order}"
                connection.execute(
                    "INSERT INTO robbieblocks_page_blocks (id, page_id, component_id, block_order, "
                    "zone, props) SELECT %s, %s, c.id, %s, 'main', %s "
                    "FROM robbieblocks_components c WHERE c.component_key = 'row-1'",
                    [row, page, order, Jsonb({"text": text})],
                )
                writes[row] = "", text


@contextmanager
def noted(history: History, place: str) -> Generator[dict[str, tuple[str, str]]]:
    """Note what a transaction read and wrote of each row; confirmed where it ends well.

    A subscriber commits without waiting for its disk: of a killed one the last rows are gone, and
    come again.
    """
    writes: dict[str, tuple[str, str]] = {}
    is_acknowledged = False
    try:
        yield writes
        is_acknowledged = True
    finally:
        for row, (read, wrote) in writes.items():
            history.note(Write(place, row, read, wrote, is_acknowledged))


def answers(place: Place) -> bool:
    """Whether its server takes connections."""
    try:
        place.connect().close()
    except psycopg.OperationalError:
        return False
    return True


def disturb(found: Sync, chance: random.Random, goes_on: Callable[[], bool]) -> None:
    """Cut, stall and break lines until the writers have ended; kill the master and a node once."""
    to_kill = [found.master, found.nodes[0]]
    moment = threading.Event()
    while goes_on() or to_kill:
        line = chance.choice(found.nodes).line
        assert line is not None
        line.mend()
        match chance.randint(1, 5):
            case 1:
                line.cut()
            case 2:
                line.stalled = True
            case 3:
                line.cut_after = chance.randint(200, 20_000)
            case 4:
                line.delay = 0.05
            case _:
                if to_kill:
                    cluster = to_kill.pop().cluster
                    cluster.kill()
                    cluster.start()
        # Not to wait for anything: how long a disturbance lasts is chance, too.
        moment.wait(chance.uniform(0.05, 0.3))
