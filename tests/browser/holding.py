"""Requests that wait until a test lets them go on: as on a slow line, but without a clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

# The page's own script, and React, which that asks for.
RUNTIME = "**/_rb/islands-*.js"
REACT = "**/_rb/react-*.js"


def hold(page: Page, pattern: str) -> Callable[[], None]:
    """Keep requests waiting until what is returned is called."""
    waiting: list[Route] | None = []

    def keep(route: Route) -> None:
        if waiting is None:
            route.continue_()
        else:
            waiting.append(route)

    page.route(pattern, keep)

    def go_on() -> None:
        nonlocal waiting
        held, waiting = waiting or [], None
        for route in held:
            route.continue_()

    return go_on
