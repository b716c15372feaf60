"""What a delete elsewhere takes along by foreign keys is kept, and comes back in one call."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
import pytest

from tests.clusters import Cluster
from tests.integration.sync import pages, sites
from tests.integration.sync.sites import Fleet, Site

pytestmark = pytest.mark.postgres
_FALLBACK = "00000000-0000-4000-8000-000000000000"
# A shelf's books and their notes go with it; guides and labels stay, and name it no more. Nobody
# keeps `visits` and `keepsakes` in step.
_TABLES = f"""
    CREATE TABLE shelves (id uuid PRIMARY KEY, name text);
    CREATE TABLE books (id uuid PRIMARY KEY, shelf_id uuid REFERENCES shelves ON DELETE CASCADE,
                        name text, code text UNIQUE);
    CREATE TABLE notes (id uuid PRIMARY KEY, book_id uuid REFERENCES books ON DELETE CASCADE,
                        name text);
    CREATE TABLE guides (id uuid PRIMARY KEY, shelf_id uuid REFERENCES shelves ON DELETE SET NULL,
                         name text);
    CREATE TABLE labels (id uuid PRIMARY KEY, shelf_id uuid DEFAULT '{_FALLBACK}'
                         REFERENCES shelves ON DELETE SET DEFAULT, name text);
    CREATE TABLE visits (id uuid PRIMARY KEY, book_id uuid REFERENCES books ON DELETE CASCADE,
                         guide_id uuid, name text);
    CREATE TABLE keepsakes (id uuid PRIMARY KEY, shelf_id uuid REFERENCES shelves, name text);
"""
_SHARED = ("shelves", "books", "notes", "guides", "labels")
_numbers = itertools.count(500)


@pytest.fixture(scope="module", params=sites.WAYS, ids="-".join)
def library(request: pytest.FixtureRequest, servers: list[Cluster]) -> Iterator[Fleet]:
    """A master and two nodes with shelves."""

    def prepare(site: Site) -> None:
        site.run(_TABLES)
        for table in _SHARED:
            site.run("SELECT sync_configure(%s, 'both')", table)

    with sites.fleet(servers, next(_numbers), prepare, ways=request.param) as fleet:
        add(fleet.master, "shelves", id=_FALLBACK, name="fallback")
        yield fleet


@pytest.fixture
def fleet(library: Fleet) -> Fleet:
    """Nothing waits, and no conflict is kept."""
    library.settle()
    for site in (library.master, *library.nodes):
        site.run("DELETE FROM sync_conflicts")
    return library


def add(site: Site, table: str, **values: object) -> str:
    """Insert a row; its id."""
    values = {"id": str(uuid.uuid4()), **values}
    site.run(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join(['%s'] * len(values))})",
        *values.values(),
    )
    return str(values["id"])


def rename(site: Site, table: str, row: str, name: str) -> None:
    """Edit a row."""
    site.run(f"UPDATE {table} SET name = %s WHERE id = %s", name, row)


def delete(site: Site, table: str, row: str) -> None:
    """Delete a row."""
    site.run(f"DELETE FROM {table} WHERE id = %s", row)


def name(site: Site, table: str, row: str) -> Any:
    """The name of a row; None where it is gone."""
    return site.value(f"SELECT name FROM {table} WHERE id = %s", row)


def shelf_of(site: Site, table: str, row: str) -> Any:
    """The shelf that a row names."""
    return site.value(f"SELECT shelf_id::text FROM {table} WHERE id = %s", row)


@contextmanager
def apart(fleet: Fleet, *nodes: Site) -> Generator[None]:
    """Cut nodes off."""
    first, *others = nodes
    with pages.apart(first), apart(fleet, *others) if others else nullcontext():
        yield


def equal(fleet: Fleet) -> None:
    """Bring everything everywhere, and compare."""
    fleet.settle()
    for table in (*_SHARED, "robbieblocks_pages", "robbieblocks_page_blocks"):
        rows = f"SELECT coalesce(jsonb_agg(to_jsonb(t) ORDER BY t.id), '[]') FROM {table} t"
        found = [site.value(rows) for site in (fleet.master, *fleet.nodes)]
        assert found[0] == found[1] == found[2], table


def bring_back(site: Site, conflict: dict[str, Any], **how: bool) -> dict[str, Any]:
    """Restore a conflict; what the database says of it."""
    said: dict[str, Any] = site.value(
        "SELECT sync_conflicts_bring_back(%s, %s, %s)",
        conflict["id"],
        how.get("force", False),
        how.get("alone", False),
    )
    return said


@pytest.mark.parametrize("first", ["edit", "delete"])
@pytest.mark.parametrize("deleted_at", ["master", "node"])
def test_an_edit_of_a_block_brings_its_page_back(deleted_at: str, first: str, fleet: Fleet) -> None:
    """A block is edited on a node while its page is deleted elsewhere: the edit is kept, and one
    call brings it back with the page and the page's other blocks, everywhere."""
    master, (aurora, vengeance) = fleet.master, fleet.nodes
    there = master if deleted_at == "master" else vengeance
    widget, the_page = pages.component(master), pages.page(master)
    edited, beside = (pages.block(master, the_page, widget, order) for order in (1, 2))
    fleet.settle()
    with apart(fleet, aurora, vengeance):
        if first == "delete":
            pages.remove(there, "pages", the_page)
        aurora.run(
            'UPDATE robbieblocks_page_blocks SET props = \'{"text": "kept"}\' WHERE id = %s', edited
        )
        if first == "edit":
            pages.remove(there, "pages", the_page)
        if deleted_at == "node" and first == "delete":
            fleet.send(vengeance)
        fleet.send(aurora)
        if deleted_at == "node":
            fleet.send(vengeance)
    equal(fleet)
    assert pages.title(aurora, the_page) is None
    [kept] = fleet.conflicts()
    assert (kept["row_key"], kept["table_name"]) == (edited, "robbieblocks_page_blocks")
    said = bring_back(master, kept)
    assert said == {"key": edited, "back": 2, "stayed": 0, "left_out": 0}
    equal(fleet)
    assert pages.title(vengeance, the_page) == "new"
    assert pages.orders(aurora, the_page) == {edited: 1, beside: 2}
    props = "SELECT props FROM robbieblocks_page_blocks WHERE id = %s"
    assert vengeance.value(props, edited) == {"text": "kept"}


def test_rows_at_any_remove_come_back_in_the_order_of_their_keys(fleet: Fleet) -> None:
    """A note of a book on a shelf that is deleted: the note's conflict brings all three back, and
    what went with them; a book that was deleted before stays away."""
    master, aurora = fleet.master, fleet.nodes[0]
    shelf = add(master, "shelves", name="shelf")
    book, other, earlier = (add(master, "books", shelf_id=shelf, name="book") for _ in range(3))
    noted = add(master, "notes", book_id=book, name="note")
    beside = add(master, "notes", book_id=other, name="beside")
    fleet.settle()
    with apart(fleet, aurora):
        delete(aurora, "books", earlier)
        delete(aurora, "shelves", shelf)
        rename(master, "notes", noted, "edited")
        fleet.send(aurora)
    equal(fleet)
    assert name(master, "notes", noted) is None
    [kept] = fleet.conflicts()
    assert (kept["rule"], kept["row_key"]) == ("parent is gone", noted)
    assert bring_back(master, kept)["back"] == 4
    equal(fleet)
    assert name(aurora, "notes", noted) == "edited"
    assert name(aurora, "notes", beside) == "beside"
    assert name(aurora, "books", earlier) is None


@pytest.mark.parametrize("table", ["guides", "labels"])
def test_a_reference_that_a_delete_empties_is_kept(table: str, fleet: Fleet) -> None:
    """A row is put on a shelf while a node deletes it, which did not know: what the foreign key
    made of the row is a conflict, and the shelf comes back with all that named it."""
    master, (aurora, vengeance) = fleet.master, fleet.nodes
    shelf = add(master, "shelves", name="shelf")
    known = add(master, table, shelf_id=shelf, name="known")
    moved, edited = (add(master, table, shelf_id=_FALLBACK, name="moved") for _ in range(2))
    fleet.settle()
    left = None if table == "guides" else _FALLBACK
    with apart(fleet, aurora, vengeance):
        for row in (moved, edited):
            vengeance.run(f"UPDATE {table} SET shelf_id = %s WHERE id = %s", shelf, row)
        fleet.send(vengeance)
        delete(aurora, "shelves", shelf)
        fleet.send(aurora)
    equal(fleet)
    for row in (known, moved, edited):
        assert shelf_of(vengeance, table, row) == left
    kept = fleet.conflicts()
    assert {c["row_key"] for c in kept} == {moved, edited}
    assert all(c["master_data"]["shelf_id"] == shelf for c in kept)
    rename(vengeance, table, edited, "edited since")
    equal(fleet)
    [of_moved] = [c for c in kept if c["row_key"] == moved]
    # The row is there: what it names has to come back first.
    assert bring_back(master, of_moved) == {"key": moved, "back": 3, "stayed": 0, "left_out": 0}
    equal(fleet)
    assert [shelf_of(aurora, table, row) for row in (known, moved, edited)] == [shelf] * 3
    assert name(aurora, table, edited) == "edited since"


def test_a_parent_that_stays_keeps_what_its_delete_emptied(fleet: Fleet) -> None:
    """A node edits rows and then deletes their shelf; the delete loses: the edits stay, also of
    rows that went along, and all name the shelf again."""
    master, aurora = fleet.master, fleet.nodes[0]
    shelf = add(master, "shelves", name="shelf")
    book = add(master, "books", shelf_id=shelf, name="book")
    guide = add(master, "guides", shelf_id=shelf, name="guide")
    fleet.settle()
    with apart(fleet, aurora):
        rename(aurora, "books", book, "edited book")
        rename(aurora, "guides", guide, "edited guide")
        added = add(aurora, "books", shelf_id=shelf, name="added")
        delete(aurora, "shelves", shelf)
        rename(master, "shelves", shelf, "later")
        fleet.send(aurora)
    equal(fleet)
    for site in (master, aurora):
        assert name(site, "shelves", shelf) == "later"
        assert name(site, "books", book) == "edited book"
        assert name(site, "books", added) == "added"
        assert (name(site, "guides", guide), shelf_of(site, "guides", guide)) == (
            "edited guide",
            shelf,
        )


@pytest.mark.parametrize("first", ["shelf", "book"])
def test_a_row_that_comes_back_brings_what_went_with_it(first: str, fleet: Fleet) -> None:
    """A shelf is deleted on the master and edited later on a node: it is back with its books as the
    node has made them since, with what names it, without the book that the node deleted."""
    master, (aurora, vengeance) = fleet.master, fleet.nodes
    shelf = add(master, "shelves", name="shelf")
    edited, removed, beside = (add(master, "books", shelf_id=shelf, name="book") for _ in range(3))
    noted = add(master, "notes", book_id=beside, name="note")
    guide = add(master, "guides", shelf_id=shelf, name="guide")
    fleet.settle()
    with apart(fleet, aurora):
        delete(master, "shelves", shelf)
        if first == "shelf":
            rename(aurora, "shelves", shelf, "later")
        rename(aurora, "books", edited, "edited")
        delete(aurora, "books", removed)
        rename(aurora, "shelves", shelf, "later")
        fleet.send(aurora)
    equal(fleet)
    assert name(vengeance, "shelves", shelf) == "later"
    books = {row: name(vengeance, "books", row) for row in (edited, removed, beside)}
    assert books == {edited: "edited", removed: None, beside: "book"}
    assert name(aurora, "notes", noted) == "note"
    assert shelf_of(aurora, "guides", guide) == shelf


def test_what_a_node_made_and_removed_alone_is_no_conflict(fleet: Fleet) -> None:
    """Rows that nobody else knew leave nothing behind."""
    aurora = fleet.nodes[0]
    shelf = add(aurora, "shelves", name="shelf")
    book = add(aurora, "books", shelf_id=shelf, name="book")
    rename(aurora, "books", book, "edited")
    delete(aurora, "shelves", shelf)
    equal(fleet)
    assert fleet.conflicts() == []


def test_a_row_that_is_made_anew_has_a_version_of_its_own(fleet: Fleet) -> None:
    """A node whose clock is slow edits a row, deletes what it belongs to, and makes both anew, all
    before it is sent: the last of it is everywhere."""
    master, aurora = fleet.master, fleet.nodes[0]
    shelf = add(master, "shelves", name="shelf")
    book = add(master, "books", shelf_id=shelf, name="book")
    fleet.settle()
    aurora.run("UPDATE sync_self SET clock_offset_ms = -180000")
    try:
        rename(aurora, "books", book, "edited")
        delete(aurora, "shelves", shelf)
        add(aurora, "shelves", id=shelf, name="anew")
        add(aurora, "books", id=book, shelf_id=shelf, name="anew")
        equal(fleet)
    finally:
        aurora.run("UPDATE sync_self SET clock_offset_ms = 0")
    assert (name(master, "shelves", shelf), name(master, "books", book)) == ("anew", "anew")
    assert fleet.conflicts() == []


def test_rows_of_tables_that_stay_at_home_are_kept(fleet: Fleet) -> None:
    """A node's delete takes rows of the master along that no node has: one conflict brings them
    back. The master's delete obeys the node's own foreign keys, and keeps what goes there."""
    master, aurora = fleet.master, fleet.nodes[0]
    shelf = add(master, "shelves", name="shelf")
    book = add(master, "books", shelf_id=shelf, name="book")
    fleet.settle()
    visit, _ = (add(site, "visits", book_id=book, name=site.name) for site in (master, aurora))
    delete(aurora, "shelves", shelf)
    fleet.settle()
    assert name(master, "visits", visit) is None
    [kept] = fleet.conflicts()
    assert (kept["rule"], kept["row_key"]) == ("took along", shelf)
    assert bring_back(master, kept)["back"] == 2
    equal(fleet)
    assert name(master, "visits", visit) == "master"
    at_home = add(aurora, "visits", book_id=book, name="at home")
    delete(master, "shelves", shelf)
    equal(fleet)
    assert name(aurora, "visits", at_home) is None
    [lost] = aurora.rows("SELECT * FROM sync_conflicts WHERE row_key = %s", at_home)
    assert lost["replica_data"]["name"] == "at home"
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        bring_back(aurora, lost)
    kept_shelf = add(master, "shelves", name="in use at home")
    fleet.settle()
    add(aurora, "keepsakes", shelf_id=kept_shelf, name="keepsake")
    delete(master, "shelves", kept_shelf)
    fleet.settle()
    assert name(aurora, "shelves", kept_shelf) == "in use at home"
    error = "SELECT last_error FROM sync_status WHERE table_name = 'shelves'"
    assert "rows of keepsakes refer to it" in aurora.value(error)
    aurora.run("DELETE FROM keepsakes")
    delete(aurora, "shelves", kept_shelf)


def test_a_set_comes_back_whole_or_not_at_all(fleet: Fleet) -> None:
    """What was made anew meanwhile stays, but by force; a key that is taken, and a set that is too
    large, are refused with nothing written; alone, the row comes back by itself."""
    master, aurora = fleet.master, fleet.nodes[0]
    shelf = add(master, "shelves", name="shelf")
    first, second, third = (
        add(master, "books", shelf_id=shelf, name="book", code=f"{shelf} {n}") for n in range(3)
    )
    fleet.settle()
    with apart(fleet, aurora):
        rename(aurora, "shelves", shelf, "edited")
        delete(master, "shelves", shelf)
        fleet.send(aurora)
    equal(fleet)
    [kept] = fleet.conflicts()
    add(master, "books", id=first, shelf_id=None, name="anew")
    taken = add(master, "books", name="taken", code=f"{shelf} 1")
    with pytest.raises(psycopg.errors.UniqueViolation) as refused:
        bring_back(master, kept)
    assert "--alone" in (refused.value.diag.message_hint or "")
    assert name(master, "shelves", shelf) is None
    assert name(master, "books", third) is None
    delete(master, "books", taken)
    whole = master.value("SELECT pg_get_functiondef('sync_together_max()'::regprocedure)")
    master.run(whole.replace("10000", "2"))
    try:
        with pytest.raises(psycopg.errors.ProgramLimitExceeded, match="more than 2 rows"):
            bring_back(master, kept)
    finally:
        master.run(whole)
    assert bring_back(master, kept)["stayed"] == 1
    assert name(master, "books", first) == "anew"
    assert name(master, "books", second) == "book"
    again = "UPDATE sync_conflicts SET restored_at = NULL WHERE id = %s"
    for how, stands in (("force", "book"), ("alone", "anew")):
        master.run(again, kept["id"])
        delete(master, "shelves", shelf)
        add(master, "books", id=second, name="anew")
        said = bring_back(master, kept, **{how: True})
        assert (said["back"], name(master, "books", second)) == (2 if how == "force" else 0, stands)
    equal(fleet)
    assert name(aurora, "shelves", shelf) == "edited"
