"""Tells whom `[events]` names that something is pinned, held or rolled back, or no longer is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from robbieblocks import release
from robbieblocks.cli.output import print_progress
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings

if TYPE_CHECKING:
    from robbieblocks.events import ChangedPage


def tell(
    settings: Settings,
    site_root: SiteRoot,
    node: str,
    app: str,
    *,
    who: str = "",
    live_before: str = "",
) -> None:
    """Note what has changed of an app, for a worker to send. `who` ended what is no longer kept.

    What was done is done: a disk that refuses is told, and the next run of the app notes it.
    """
    tell_unnoted(site_root)
    if settings.events is None:
        return
    from robbieblocks import events

    def pages_between(before: str, after: str) -> list[ChangedPage] | None:
        found = release.pages_between(site_root, node, app, before, after)
        return None if found is None else events.changed_pages(found)

    try:
        events.tell(
            settings,
            node,
            app,
            release.standing(site_root, node, app),
            now=datetime.now(UTC),
            pages_between=pages_between,
            who=who,
            live_before=live_before,
        )
    except SiteUnavailable as error:
        print_progress(f"done, but no event tells of it yet: {error}")


def tell_unnoted(site_root: SiteRoot) -> None:
    """Say of what was done that the audit log does not tell of it."""
    while site_root.unnoted:
        error = site_root.unnoted.pop()
        print_progress(f"done, but `robbieblocks audit` does not tell of all of it: {error}")
