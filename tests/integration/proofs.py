"""Small sites of two nodes and two apps, for tests of what is served, and servers for them."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from robbieblocks.model import ASSET_PREFIX, Asset, Manifest
from robbieblocks.release import SiteRoot
from tests.integration.releases import manifest, publish

NODES = ("vengeance-local", "aurora-town-local")
APPS = ("play", "shared")
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css"}


def assets(node: str, version: int) -> list[Asset]:
    """A script of all versions and nodes, and a stylesheet of this one."""
    script = Asset.of("react", "js", "console.log('react');\n" * 90)
    return [script, Asset.of("style", "css", f"/* {node} */ body {{ margin: {version}px }}\n" * 40)]


def pages(node: str, app: str, version: int) -> dict[str, bytes]:
    """Two pages of an app, as a release has them; each says its node, app and version."""
    return {
        f"{app}/{name}/index.html": _page(node, app, name, version) for name in ("home", "about")
    }


def _page(node: str, app: str, name: str, version: int) -> bytes:
    script, style = assets(node, version)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>{name} of {app}</title>
  <link rel="stylesheet" href="{style.url}">
  <script type="module" src="{script.url}"></script>
</head>
<body class="rb-body">
  <h1>Welcome to {node}</h1>
  <p>This   is version {version} of {name}.</p>
</body>
</html>
""".encode()


def release_of(node: str, app: str, version: int) -> Manifest:
    """The manifest of a version."""
    return manifest(pages(node, app, version), assets(node, version), app=app, node=node)


def put(root: SiteRoot, node: str, app: str, version: int, **more: object) -> None:
    """Publish a version of an app; `address` is asked afterwards."""
    wanted = release_of(node, app, version)
    publish(root, wanted, pages(node, app, version), assets(node, version), **more)  # type: ignore[arg-type] # of tests' own


def put_all(root: SiteRoot, version: int) -> None:
    """Publish a version of every app on every node."""
    for node in NODES:
        for app in APPS:
            put(root, node, app, version)


Respond = Callable[[str], tuple[int, Mapping[str, str], bytes]]


@contextmanager
def answering(respond: Respond) -> Generator[str]:
    """A server that answers each path as `respond` says; yields its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = respond(self.path)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def files_below(folder: Path) -> Respond:
    """Answers as a plain web server does that has a node's folder as its root."""

    def respond(path: str) -> tuple[int, Mapping[str, str], bytes]:
        path = path.partition("?")[0]
        if path.startswith(ASSET_PREFIX):
            files = [folder / "assets" / path.removeprefix(ASSET_PREFIX)]
        else:
            inside = path.strip("/")
            files = [folder / app / "current" / inside / "index.html" for app in APPS]
        for file in files:
            if file.is_file():
                kind = TYPES[file.suffix[1:]]
                return 200, {"Content-Type": kind, "Server": "plain"}, file.read_bytes()
        return 404, {"Content-Type": "text/plain"}, b"nothing"

    return respond
