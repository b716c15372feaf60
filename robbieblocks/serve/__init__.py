"""A node's live releases over HTTP, for one machine; the same rules as the nginx and Caddy ones.

No part of a request's path is ever used as a path of the file system: pages are found by the routes
in the live manifests, assets by a strict check of their name. What neither has is a 404. `current`
is read at each request, so a new release is seen at once, and each answer comes from one release.
`app_of` and `serve_apps` serve releases that lie elsewhere in the same way.
"""

from robbieblocks.response_headers import NO_STORE, SECURITY
from robbieblocks.serve.applications import application_routes
from robbieblocks.serve.asgi import Release, app, app_of
from robbieblocks.serve.configuration import (
    Printed,
    WebServer,
    WebSite,
    live_headers,
    live_redirects,
    render,
)
from robbieblocks.serve.files import plain
from robbieblocks.serve.server import addresses, serve_apps, serve_nodes

__all__ = [
    "NO_STORE",
    "SECURITY",
    "Printed",
    "Release",
    "WebServer",
    "WebSite",
    "addresses",
    "app",
    "app_of",
    "application_routes",
    "live_headers",
    "live_redirects",
    "plain",
    "render",
    "serve_apps",
    "serve_nodes",
]
