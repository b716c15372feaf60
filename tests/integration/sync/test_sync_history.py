"""Many writers, and lines and servers that fail: each acknowledged write has a trace."""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Callable

import psycopg
import pytest

from robbieblocks.settings import Settings
from tests.sync_history import History, Write
from tests.sync_sites import Clusters, Place, Sync, synced, syncing
from tests.workers import until

pytestmark = [pytest.mark.postgres, pytest.mark.chaos]
ROWS = 5
# More than in each run of the tests: before a release.
WRITES = int(os.environ.get("SYNC_WRITES", "60"))
SEED = int(os.environ.get("SYNC_SEED", "15"))


def test_no_acknowledged_write_is_lost(
    clusters: Clusters, make_settings: Callable[..., Settings]
) -> None:
    """Master and nodes write the same rows at once, while lines are cut, stall and break midway,
    a clock is minutes off and servers are killed: all end equal, each value that was confirmed is
    live, in the audit, or was seen by whoever wrote over it, and no value is invented.
    """
    chance = random.Random(SEED)
    with synced(clusters, make_settings) as found:
        with found.master.connect() as master:
            master.execute(
                "INSERT INTO robbieblocks_components (component_key, component_name, "
                "component_type, react_code, props_schema) SELECT 'row-' || n, 'before-' || n, "
                "'text', '<p/>', '{}' FROM generate_series(1, %s) AS n",
                [ROWS],
            )
        with found.nodes[1].connect() as node:
            node.execute("UPDATE sync_self SET clock_offset_ms = -180000")
        history = History()
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
            found.until_equal("robbieblocks_components")
        after = live(found.master)
        assert history.untraced(after, audited(found)) == []
        assert history.invented(after, before) == {}
        assert sum(each.is_acknowledged for each in history.writes) > WRITES


def live(place: Place) -> dict[str, str]:
    """The value of each row."""
    return {
        str(key): str(value)
        for key, value in place.rows(
            "SELECT component_key, component_name FROM robbieblocks_components "
            "WHERE component_key LIKE 'row-%'"
        )
    }


def audited(found: Sync) -> set[str]:
    """The values of both sides of every conflict, wherever it is kept."""
    rows = [
        row
        for place in found.places
        for row in place.rows(
            "SELECT master_data ->> 'component_name', replica_data ->> 'component_name' "
            "FROM sync_conflicts"
        )
    ]
    return {str(value) for row in rows for value in row}


def write(place: Place, history: History, chance: random.Random) -> None:
    """Write rows one after the other, and note what was read, written and confirmed."""
    connection: psycopg.Connection | None = None
    for number in range(WRITES):
        row, value = f"row-{chance.randint(1, ROWS)}", f"{place.name}-{number}"
        read, is_acknowledged = "", False
        try:
            if connection is None or connection.closed:
                connection = place.connect()
            with connection.transaction():
                (read,) = connection.execute(
                    "SELECT component_name FROM robbieblocks_components "
                    "WHERE component_key = %s FOR UPDATE",
                    [row],
                ).fetchone() or ("",)
                done = connection.execute(
                    "UPDATE robbieblocks_components SET component_name = %s "
                    "WHERE component_key = %s",
                    [value, row],
                ).rowcount
            # A subscriber commits without waiting for its disk: of a killed one the last rows
            # are gone, and come again.
            is_acknowledged = done == 1
        except psycopg.OperationalError:
            if connection is not None:
                connection.close()
            connection = None
            until(lambda: answers(place), f"{place.name} to answer")
        history.note(Write(place.name, row, read, value, is_acknowledged))
    if connection is not None:
        connection.close()


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
