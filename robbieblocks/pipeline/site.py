"""Where a build publishes to."""

from __future__ import annotations

from dataclasses import dataclass

from robbieblocks import release
from robbieblocks.release import SiteRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The site root, and the URL under which smoke checks fetch what was published, if any.

    `create` and `adopt` say what `release.claim` may do before anything is published.
    """

    root: SiteRoot
    smoke_url: str | None = None
    create: bool = False
    adopt: bool = False


def apps_with_pages(root: SiteRoot, node: str) -> frozenset[str]:
    """The apps whose live release on a node has pages."""
    manifests = {app: release.live(root, node, app) for app in release.apps(root, node)}
    return frozenset(app for app, manifest in manifests.items() if manifest and manifest.pages)
