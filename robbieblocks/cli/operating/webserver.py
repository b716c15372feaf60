"""`robbieblocks webserver`: a configuration of nginx or Caddy for a node's live releases."""

from __future__ import annotations

from robbieblocks import release
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.release import SiteRoot
from robbieblocks.serve import WebServer, WebSite, live_headers, live_redirects, render
from robbieblocks.settings import Settings


def run(*, server: WebServer, node: str, name: str, listen: str, brotli: bool) -> None:
    """Print the configuration. Raises UsageError for a node that has no live release."""
    settings = Settings.from_environment()
    site_root = SiteRoot.of(settings)
    apps = release.apps(site_root, node)
    if not apps:
        raise UsageError(
            f"node {node} has no live release under {site_root.path}: "
            "run `robbieblocks build` first"
        )
    site = WebSite.of(
        node=node,
        site_root=site_root.path,
        apps=apps,
        applications=settings.applications,
        name=name,
        listen=listen,
        brotli=brotli,
        redirects=live_redirects(site_root, node),
        headers=live_headers(site_root, node),
    )
    print_result(render(server, site).removesuffix("\n"))
    print_progress(f"serves the apps that are live on {node} now: {', '.join(apps)}")
