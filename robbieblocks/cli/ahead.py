"""What a first build needs, started before the rest of the program is loaded."""

from __future__ import annotations

from robbieblocks.prerender import Prerenderer
from robbieblocks.settings import Settings


def prerenderer(settings: Settings) -> Prerenderer:
    """A prerenderer, its isolates on their way where nothing is remembered: all is rendered then.

    Loading the program takes as long as starting them, and leaves other processors idle.
    """
    made = Prerenderer()
    if not settings.cache.exists():
        made.start_all()
    return made
