"""Opens the cache that nodes share, where the settings name one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from robbieblocks.settings import Settings

if TYPE_CHECKING:
    from robbieblocks.shared_cache import SharedCache


def shared_cache_of(settings: Settings, stopped: threading.Event | None) -> SharedCache | None:
    """That of an installation; None without one. Once `stopped` is set it waits for no other node.

    Raises UsageError for an address, a key or a package that is wrong or missing.
    """
    if settings.shared_cache is None:
        return None
    # Imported only where there is one: its packages take time and memory.
    from robbieblocks.shared_cache import open_shared_cache

    return open_shared_cache(settings.shared_cache, settings.cache, stopped=stopped)
