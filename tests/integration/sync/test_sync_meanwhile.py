"""What others write while the sync is at the same rows, or for longer than it keeps things."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.clusters import Cluster
from tests.integration.sync import pages, sites
from tests.integration.sync.sites import WAYS, Fleet, Site, Way
from tests.workers import until

pytestmark = pytest.mark.postgres
_TABLES = """
    CREATE TABLE books (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text);
    CREATE TABLE visits (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text,
                         book_id uuid REFERENCES books ON DELETE CASCADE);
"""
# Holds up a node's batch once the master has begun to tell of a page's blocks.
_HOLD = """
    CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END $$;
    CREATE TRIGGER hold BEFORE INSERT ON sync_log FOR EACH ROW
        WHEN (NEW.origin = 'aurora' AND NEW.table_name = 'robbieblocks_page_blocks')
        EXECUTE FUNCTION hold();
"""
_WAITS = b"""
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%sync_apply%'
"""
_numbers = itertools.count(800)


@pytest.fixture(scope="module", params=WAYS, ids="-".join)
def ways(request: pytest.FixtureRequest) -> tuple[Way, Way]:
    """For a node that subscribes, and for one that asks for changes."""
    given: tuple[Way, Way] = request.param
    return given


@pytest.fixture(scope="module")
def shared_fleet(servers: list[Cluster], ways: tuple[Way, Way]) -> Iterator[Fleet]:
    """A fleet with books, whose visits nobody keeps in step."""

    def prepare(site: Site) -> None:
        site.run(_TABLES)
        site.run("SELECT sync_configure('books', 'both')")

    with sites.fleet(servers, next(_numbers), prepare, ways=ways) as made:
        yield made


@contextmanager
def _beside(site: Site) -> Generator[psycopg.Connection]:
    """Another session of a site's owner, in a transaction."""
    with site.cluster.connect(site.database, sites.OWNER) as session:
        session.autocommit = False
        yield session


@contextmanager
def _sending(fleet: Fleet, node: Site) -> Generator[None]:
    """Send what waits at a node; the body runs while that waits for a lock, and has to free it."""
    thread = threading.Thread(target=fleet.send, args=[node], daemon=True)
    thread.start()
    until(lambda: fleet.master.admin.execute(_WAITS).fetchone() != (0,), "it waits for a lock")
    yield
    thread.join()


def test_a_block_that_is_told_again_is_told_as_it_is(fleet: Fleet) -> None:
    """A node's delete of a page loses, and while the master tells of its blocks again somebody
    edits them: all have the edited ones, and what a node then makes of them writes over those.
    """
    master, aurora = fleet.master, fleet.nodes[0]
    widget, the_page = pages.component(master), pages.page(master)
    blocks = [pages.block(master, the_page, widget, order) for order in (1, 2)]
    fleet.settle()
    master.run(_HOLD)
    try:
        with pages.apart(aurora):
            pages.remove(aurora, "pages", the_page)
            pages.retitle(master, the_page, "later")
            with _beside(master) as holder:
                holder.execute("SELECT pg_advisory_xact_lock(1)")
                with _sending(fleet, aurora):
                    master.run(
                        "UPDATE robbieblocks_page_blocks SET props = %s WHERE page_id = %s",
                        json.dumps({"text": "meanwhile"}),
                        the_page,
                    )
                    holder.rollback()
    finally:
        master.run("DROP TRIGGER hold ON sync_log; DROP FUNCTION hold()")
    fleet.settle()
    text = "SELECT props ->> 'text' FROM robbieblocks_page_blocks WHERE id = %s"
    for site in (master, *fleet.nodes):
        assert [site.value(text, each) for each in blocks] == ["meanwhile"] * 2, site.name


def test_what_goes_along_is_kept_as_it_was_written_last(fleet: Fleet) -> None:
    """A node deletes a book while somebody writes a visit of it, whose table is not kept in step:
    the conflict brings back what was written."""
    master, aurora = fleet.master, fleet.nodes[0]
    book = master.value("INSERT INTO books (name) VALUES ('book') RETURNING id")
    visit = master.value(
        "INSERT INTO visits (book_id, name) VALUES (%s, 'earlier') RETURNING id", book
    )
    fleet.settle()
    aurora.run("DELETE FROM books WHERE id = %s", book)
    with _beside(master) as writer:
        writer.execute("UPDATE visits SET name = 'later' WHERE id = %s", [visit])
        with _sending(fleet, aurora):
            writer.commit()
    [kept] = fleet.conflicts()
    master.run("SELECT sync_conflicts_restore(%s)", kept["id"])
    assert master.value("SELECT name FROM visits WHERE id = %s", visit) == "later"


def _begun_days_ago(session: psycopg.Connection, days: int) -> None:
    """Have what a transaction wrote have the time that it has where it began so long ago."""
    for table, column in (("sync_log", "created_at"), ("sync_rows", "changed_at")):
        session.execute(
            f"UPDATE {table} SET {column} = {column} - %s * interval '1 day' "
            f"WHERE {column} = now()".encode(),
            [days],
        )


def test_a_transaction_of_many_days_reaches_who_asks(fleet: Fleet) -> None:
    """What it wrote stays in the log for a week after its end, and goes then."""
    master = fleet.master
    the_page = pages.page(master)
    asking = next(node for node in fleet.nodes if node.way == "poll")
    fleet.settle()
    logged = "SELECT count(*) FROM sync_log WHERE row_key = %s AND data ->> 'meta_title' = 'slow'"
    with _beside(master) as slow:
        slow.execute("UPDATE robbieblocks_pages SET meta_title = 'slow' WHERE id = %s", [the_page])
        master.run("SELECT sync_prune()")
        master.run("UPDATE sync_metrics SET created_at = created_at - interval '8 days'")
        _begun_days_ago(slow, 9)
        slow.commit()
    master.run("SELECT sync_prune()")
    fleet.bring(asking)
    assert pages.title(asking, the_page) == "slow"
    # A week later.
    master.run("UPDATE sync_metrics SET created_at = created_at - interval '8 days'")
    master.run("SELECT sync_prune()")
    assert master.value(logged, the_page) == 0
    assert master.value("SELECT count(*) FROM sync_metrics") == 1


def test_a_delete_of_a_transaction_of_many_days_is_remembered(fleet: Fleet) -> None:
    """A node that was away for as long as tombstones are kept does not send its row again."""
    master, aurora = fleet.master, fleet.nodes[0]
    sites_ = (master, *fleet.nodes)
    for site in sites_:
        site.run("UPDATE sync_self SET clock_offset_ms = -89 * 86400000::bigint")
    the_page = pages.page(aurora)
    fleet.settle()
    master.run("UPDATE sync_self SET started_at = now() - interval '1 year'")
    with pages.apart(aurora):
        with _beside(master) as slow:
            slow.execute("DELETE FROM robbieblocks_pages WHERE id = %s", [the_page])
            _begun_days_ago(slow, 92)
            slow.commit()
        for site in sites_:
            site.run("UPDATE sync_self SET clock_offset_ms = 0")
        master.run("SELECT sync_prune()")
        assert aurora.calls is not None
        copied = "SELECT sync_copy(%s, 'robbieblocks_pages', NULL, NULL, 10000)"
        row = aurora.calls.execute(copied, [aurora.name]).fetchone()
        since = master.value("SELECT sync_tombstones_from()")
        aurora.value(
            "SELECT sync_repair('robbieblocks_pages', NULL, NULL, %s, %s)",
            json.dumps(row and row[0]),
            since,
        )
        fleet.send(aurora)
    fleet.settle()
    assert [pages.title(site, the_page) for site in sites_] == [None] * 3
