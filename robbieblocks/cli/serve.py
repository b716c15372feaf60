"""`robbieblocks serve`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from robbieblocks import collector, release
from robbieblocks.cli.output import print_result
from robbieblocks.errors import UsageError
from robbieblocks.model import SHARED_APP
from robbieblocks.release import SiteRoot
from robbieblocks.serve import serve_nodes
from robbieblocks.settings import Settings


def run(*, nodes: Sequence[str], host: str, port: int) -> None:
    """Serve until interrupted; each node gets a port of its own, counted from `port`."""
    settings = Settings.from_environment()
    site_root = SiteRoot(settings.site_root)
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
        started=lambda urls: _tell(site_root, urls),
    )


def _tell(site_root: SiteRoot, urls: Mapping[str, str]) -> None:
    """Print where each app of each node can be seen; its first page stands for an app."""
    width = max(len(node) for node in urls)
    for node, url in urls.items():
        for app in sorted(release.apps(site_root, node), key=lambda app: (app == SHARED_APP, app)):
            live = release.live(site_root, node, app)
            routes = [entry.route for entry in live.pages] if live else []
            if routes:
                first = min(routes, key=lambda route: (len(route), route))
                print_result(f"{node:<{width}}  {url.rstrip('/')}{first}")
