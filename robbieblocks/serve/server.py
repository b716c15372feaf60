"""One process that serves several nodes, each on a port of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from robbieblocks.errors import UsageError
from robbieblocks.model import SHARED_APP, Manifest
from robbieblocks.release import SiteRoot
from robbieblocks.serve.asgi import app

_LAST_PORT: Final = 65_535
_BACKLOG: Final = 512
_GRACE_S: Final = 3
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


def serve_nodes(
    site_root: SiteRoot,
    nodes: Sequence[tuple[str, int]],
    host: str = "127.0.0.1",
    *,
    applications: Mapping[str, str] = _NONE,
    started: Callable[[Mapping[str, str]], None] = lambda _urls: None,
) -> None:
    """Serve each node on its port until SIGINT or SIGTERM, then let open requests end (3 s).

    Port 0 takes any free one. `applications` has addresses by the paths that are theirs. `started`
    is called with the URL of each node, once all ports accept connections. Raises UsageError where
    a port can't be had.
    """
    apps = [(node, port, app(site_root, node, applications)) for node, port in nodes]
    serve_apps(apps, host, started=started)


def serve_apps(
    apps: Iterable[tuple[str, int, ASGIApp]],
    host: str,
    *,
    started: Callable[[Mapping[str, str]], None],
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve an ASGI app for each node, as `serve_nodes` does; `stopping` is called at the end,
    before open requests are waited for.
    """
    with contextlib.ExitStack() as open_sockets:
        servers: list[tuple[_Server, socket.socket]] = []
        urls: dict[str, str] = {}
        for node, port, served in apps:
            listener = open_sockets.enter_context(_listen(node, host, port))
            config = uvicorn.Config(
                served,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                # A visitor of this machine could say that it is another.
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
            servers.append((_Server(config), listener))
            urls[node] = _url(host, listener)
        started(urls)
        asyncio.run(_run(servers, stopping))


def addresses(url: str, releases: Iterable[Manifest]) -> list[str]:
    """An address for each app, the shared one last: its first page stands for it."""
    found: list[str] = []
    for each in sorted(releases, key=lambda each: (each.app == SHARED_APP, each.app)):
        routes = [entry.route for entry in each.pages]
        if routes:
            found.append(url.rstrip("/") + min(routes, key=lambda route: (len(route), route)))
    return found


class _Server(uvicorn.Server):
    """A server that handles no signals: one process has several servers, and `_run` stops all."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Capture none."""
        yield


async def _run(
    servers: Sequence[tuple[_Server, socket.socket]], stopping: Callable[[], None]
) -> None:
    def stop() -> None:
        stopping()
        for server, _listener in servers:
            server.should_exit = True

    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in servers))


def _listen(node: str, host: str, port: int) -> socket.socket:
    # getaddrinfo(3) would take 70000 for 4464.
    if not 0 <= port <= _LAST_PORT:
        raise UsageError(f"could not serve {node} on {host} port {port}: there is no such port")
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise UsageError(
            f"could not serve {node} on {host} port {port}: "
            f"{getattr(error, 'strerror', None) or error}\n"
            "  -> stop what listens there, or choose another port"
        ) from error
    return listener


def _url(host: str, listener: socket.socket) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"
