"""Problems as the development server tells them."""

from __future__ import annotations

import re

from robbieblocks.content import ContentPlaces
from robbieblocks.errors import ContentError, DatabaseUnavailable, Problem, RobbieBlocksError
from robbieblocks.messages import visible
from robbieblocks.model import JsonObject
from robbieblocks.row_faults import blame


def as_problems(error: RobbieBlocksError) -> tuple[Problem, ...]:
    """What kept a build from being made."""
    if isinstance(error, ContentError):
        return error.problems
    kind = "database" if isinstance(error, DatabaseUnavailable) else "dev"
    return (
        Problem(entity=kind, key="connection" if kind == "database" else "server", what=str(error)),
    )


def as_fault(error: BaseException) -> Problem:
    """A failure of the server itself, in words that are the same each time."""
    without_addresses = re.sub(r"\b0x[0-9a-fA-F]+", "0x", repr(error))
    return Problem(entity="dev", key="server", what=f"it failed: {without_addresses}")


def as_shown(problem: Problem, places: ContentPlaces) -> JsonObject:
    """A problem for a browser, which shows it as text."""
    where = problem.where
    return {
        "where": visible(where),
        "file": visible(_file_of(problem, places)),
        "text": visible(str(problem).removeprefix(f"{where}: ")),
    }


def as_said(problem: Problem, places: ContentPlaces) -> str:
    """The same for the terminal."""
    file = _file_of(problem, places)
    return f"{problem}\n  in {file}" if file else str(problem)


def _file_of(problem: Problem, places: ContentPlaces) -> str:
    """File, line and column of a row's problem; that of a file names it itself."""
    place = None
    # Without its place it is still told.
    with blame(lambda _: None, problem.entity, problem.key):
        place = None if problem.entity == "file" else places.of(problem)
    if place is None:
        return ""
    column = "" if place.column is None else f":{place.column}"
    return f"{place.file}:{place.line}{column}"
