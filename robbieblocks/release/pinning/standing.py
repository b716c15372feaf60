"""What is live of an app, and what is kept; and how two of its releases differ."""

from __future__ import annotations

from typing import Final

from robbieblocks.model import Kept, Manifest, PageChange, Standing
from robbieblocks.release.pinning.holds import Hold, holds
from robbieblocks.release.pinning.pins import Pin, pinned
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import manifest_of

NOTHING_LIVE: Final = "none"


def standing(site_root: SiteRoot, node: str, app: str) -> Standing:
    """What stands of an app that has a place. Raises SiteUnavailable."""
    pin = pinned(site_root, node, app)
    return Standing(
        live=AppFolder.of(site_root, node, app).live_name or NOTHING_LIVE,
        pin=None if pin is None else _kept(pin),
        holds={key: _kept(each) for key, each in holds(site_root, node, app).items()},
    )


def pages_between(
    site_root: SiteRoot, node: str, app: str, before: str, after: str
) -> dict[str, tuple[PageChange, str]] | None:
    """What became of pages between two releases: `added`, `changed` or `removed`, and the route.

    By page key; None where a release of the two is not kept. One named `none` has no page.
    """
    app_folder = AppFolder.of(site_root, node, app)
    old, new = (_pages(app_folder, name) for name in (before, after))
    if old is None or new is None:
        return None
    found: dict[str, tuple[PageChange, str]] = {
        key: ("removed", route) for key, (route, _) in old.items() if key not in new
    }
    for key, (route, digest) in new.items():
        if key not in old:
            found[key] = ("added", route)
        elif old[key] != (route, digest):
            found[key] = ("changed", route)
    return found


def _pages(app_folder: AppFolder, name: str) -> dict[str, tuple[str, str]] | None:
    if name == NOTHING_LIVE:
        return {}
    manifest: Manifest | None = manifest_of(app_folder, name)
    if manifest is None:
        return None
    return {page.key: (page.route, manifest.files[page.path]) for page in manifest.pages}


def _kept(given: Pin | Hold) -> Kept:
    return Kept(
        release=given.build_hash,
        who=given.who,
        why=given.why,
        since=given.since,
        until=given.until,
    )
