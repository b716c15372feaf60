"""A node's live releases over HTTP, for one machine; the same rules as the nginx and Caddy ones.

No part of a request's path is ever used as a path of the file system: pages are found by the routes
in the live manifests, assets by a strict check of their name. What neither has is a 404. `current`
is read at each request, so a new release is seen at once, and each answer comes from one release.
"""

from robbieblocks.serve.asgi import app
from robbieblocks.serve.server import serve_nodes

__all__ = ["app", "serve_nodes"]
