"""Starts isolates for a first build before the rest of the program is imported."""

from __future__ import annotations

from robbieblocks.prerender import Prerenderer
from robbieblocks.settings import Settings


def prerenderer(settings: Settings) -> Prerenderer:
    """A prerenderer. Its isolates start at once where there is no cache yet.

    A first build renders every block, so it needs all isolates. Importing the rest of the program
    takes about as long as starting them, and uses one processor only.
    """
    prerenderer = Prerenderer()
    if not settings.cache.exists():
        prerenderer.start_all()
    return prerenderer
