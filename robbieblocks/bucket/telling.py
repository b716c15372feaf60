"""Tells whom `[events]` names that a bucket has a release: a CDN before it is purged then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias

from robbieblocks import release
from robbieblocks.bucket.record import Record
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings

NOTHING: Final = "none"
Tell: TypeAlias = "Callable[[Record, Record], None]"
"""Is given the record before a push and the one after it. Raises SiteUnavailable."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Notes an event for each app of a node that the bucket has in another release than before.

    The id is made of both records: whoever was killed notes the same event again.
    """

    settings: Settings
    site_root: SiteRoot
    node: str

    def tell(self, before: Record, after: Record) -> None:
        """Note what differs between the record before a push and the one after it.

        Raises SiteUnavailable.
        """
        if self.settings.events is None:
            return
        had: Mapping[str, str] = before.builds if before.url == after.url else {}
        for app in sorted(had.keys() | after.builds.keys()):
            old, new = had.get(app, NOTHING), after.builds.get(app, NOTHING)
            if old != new:
                self._note(app, old, new, after.url, before.at)

    def _note(self, app: str, old: str, new: str, url: str, at: str) -> None:
        from robbieblocks import events

        found = (
            release.pages_between(self.site_root, self.node, app, old, new)
            if release.has_place(self.node, app)
            else None
        )
        address = self.settings.addresses.of(self.node)
        base = address.url if address else ""
        event = events.BucketPublished(
            node=self.node,
            app=app,
            at=datetime.now(UTC),
            key=f"{at}:{url}:{old}:{new}",
            bucket=url,
            release=new,
            release_before=old,
            pages=() if found is None else tuple(events.changed_pages(found, base)),
            more_pages=1 if found is None else 0,
        )
        events.note(self.settings, event)
