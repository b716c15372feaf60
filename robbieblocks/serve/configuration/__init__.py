"""Configurations of nginx and Caddy that serve a node as `robbieblocks serve` does.

| file | what it is |
|---|---|
| `site` | what is configured: a node, its apps, and the applications beside them |
| `rendering` | fills in the templates, and quotes what may hold any character |
| `redirects` | what live releases redirect, as patterns |
| `headers` | what live releases ask for, by app |
| `written` | reads what was printed before |
| `nginx.conf.j2`, `Caddyfile.j2` | the templates |
"""

from robbieblocks.serve.configuration.headers import live_headers
from robbieblocks.serve.configuration.redirects import live_redirects
from robbieblocks.serve.configuration.rendering import render
from robbieblocks.serve.configuration.site import WebServer, WebSite
from robbieblocks.serve.configuration.written import Printed

__all__ = ["Printed", "WebServer", "WebSite", "live_headers", "live_redirects", "render"]
