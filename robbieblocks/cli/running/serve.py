"""`robbieblocks serve`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from robbieblocks import collector, release
from robbieblocks.cli.output import print_result
from robbieblocks.errors import UsageError
from robbieblocks.model import Manifest
from robbieblocks.release import SiteRoot
from robbieblocks.serve import addresses, serve_nodes
from robbieblocks.settings import Settings


def run(*, nodes: Sequence[str], host: str, port: int) -> None:
    """Serve until interrupted; each node gets a port of its own, counted from `port`."""
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)
    live = release.nodes(site_root)
    chosen = list(nodes) or list(live)
    missing = [node for node in chosen if node not in live]
    if missing or not chosen:
        what = f"node {missing[0]} has" if missing else "there is"
        raise UsageError(
            f"{what} no live release under {site_root.path}: run `robbieblocks build` first"
        )
    collector.enable_for_service()
    serve_nodes(
        site_root,
        # Port 0 is any free one, for each.
        [(node, port + offset if port else 0) for offset, node in enumerate(chosen)],
        host=host,
        applications=settings.applications,
        started=lambda urls: print_addresses(
            {node: addresses(url, _live(site_root, node)) for node, url in urls.items()}
        ),
    )


def _live(site_root: SiteRoot, node: str) -> list[Manifest]:
    found = (release.live(site_root, node, app) for app in release.apps(site_root, node))
    return [manifest for manifest in found if manifest is not None]


def print_addresses(found: Mapping[str, Sequence[str]]) -> None:
    """Print where each app of each node can be seen."""
    width = max(len(node) for node in found)
    for node, urls in found.items():
        for url in urls:
            print_result(f"{node:<{width}}  {url}")
