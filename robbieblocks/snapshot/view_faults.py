"""What is wrong with the view of a collection, as problems of that collection."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import errors

from robbieblocks.errors import DatabaseUnavailable, Problem
from robbieblocks.messages import printable
from robbieblocks.model import CollectionSource
from robbieblocks.snapshot.beside import SessionEnded

ENTITY: Final = "collection"
_OWN_SESSION: Final = (
    "see the server's log; mend the view, or the function in it that ends its session"
)


class Unreadable(Exception):
    """A collection can't be read: what is wrong with it, and the remedy."""

    def __init__(self, what: str, remedy: str, column: str = "") -> None:
        super().__init__(what)
        self.what, self.remedy, self.column = what, remedy, column


def without_template(source: CollectionSource) -> Problem:
    """There is no page of which the pages of its rows are made."""
    return Problem(
        entity=ENTITY,
        key=source.name,
        field="template_page",
        what=f"there is no page {source.template_page}, of which its pages are made",
        remedy="make that page, or correct template_page in the settings",
    )


def fault_of(source: CollectionSource, error: Unreadable) -> Problem:
    """What is wrong with the view or a column, as a problem."""
    return Problem(
        entity=ENTITY,
        key=source.name,
        field=printable(error.column) if error.column else "view",
        what=error.what,
        remedy=error.remedy,
    )


def refused(source: CollectionSource, error: psycopg.Error) -> Unreadable:
    """What the server said of the view."""
    name = ".".join(source.view)
    said = printable(error.diag.message_primary or type(error).__name__)
    if isinstance(error, errors.QueryCanceled):
        return Unreadable(f"reading {name} takes too long: {said}", "make the view quicker")
    if isinstance(error, errors.InsufficientPrivilege):
        remedy = f"grant the worker's role what {name} needs, as the owner of what is named"
        return Unreadable(f"{name} may not be read: {said}", remedy)
    return Unreadable(f"{name} can't be read: {said}", "mend the view")


def ended(source: CollectionSource, error: SessionEnded) -> Unreadable:
    """The session of the view ended, and no other."""
    what = f"reading {'.'.join(source.view)} ended the session that it was read over: {error}"
    return Unreadable(what, _OWN_SESSION)


def overdue(source: CollectionSource) -> Unreadable:
    """The view went on after the server had cancelled it."""
    what = f"reading {'.'.join(source.view)} does not end, though the server cancelled it"
    return Unreadable(what, "mend the function in it that catches query_canceled, and goes on")


def no_session(source: CollectionSource, error: DatabaseUnavailable) -> Problem:
    """There was no second session, which may be there the next time."""
    return Problem(
        entity=ENTITY,
        key=source.name,
        field="view",
        what=f"there is no session to read {'.'.join(source.view)} over: {error}",
        remedy="let the worker's role have one more connection while it reads",
        passing=True,
    )


def left_alone(source: CollectionSource) -> Problem:
    """Every session ended when the view was read last."""
    return Problem(
        entity=ENTITY,
        key=source.name,
        field="view",
        what=f"every session of the server ended when {'.'.join(source.view)} was read last, so it "
        "is left alone for now",
        remedy="see the server's log, and mend the view; a worker's restart has it read at once",
    )
