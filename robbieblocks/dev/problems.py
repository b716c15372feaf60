"""Problems as the development server tells them."""

from __future__ import annotations

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


def as_shown(problem: Problem, places: ContentPlaces) -> JsonObject:
    """A problem for a browser, which shows it as text."""
    place = None
    at = ""
    # Without its place it is still told.
    with blame(lambda _: None, problem.entity, problem.key):
        place = places.of(problem)
    if place is not None:
        column = "" if place.column is None else f":{place.column}"
        at = f"{place.file}:{place.line}{column}"
    return {"where": visible(problem.where), "file": visible(at), "text": visible(str(problem))}
