"""Runs the development server: its threads, and the server of every node."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from robbieblocks.dev.asgi import dev_app
from robbieblocks.dev.builder import Builder
from robbieblocks.dev.events import Events
from robbieblocks.dev.watching import watch_database, watch_folders
from robbieblocks.serve import addresses, serve_apps
from robbieblocks.settings import Settings

# A build that runs is finished, or its children end with the process.
_GRACE_S: Final = 10.0


def run_dev(
    settings: Settings,
    *,
    nodes: Sequence[str],
    port: int,
    say: Callable[[str], None],
    started: Callable[[Mapping[str, Sequence[str]]], None],
) -> None:
    """Import, build and serve until SIGINT or SIGTERM; each node has a port, counted from `port`.

    `say` takes lines about what is done and wrong, `started` the addresses of each node. Raises
    UsageError for unknown nodes and ports that can't be had, and what keeps it from beginning:
    ToolchainUnavailable, ContentError, DatabaseUnavailable, SchemaOutdated.
    """
    events = Events()
    builder = Builder(settings=settings, nodes=tuple(nodes), events=events, say=say)
    folders = (*settings.templates, settings.content, settings.node_branding)
    threads = [
        threading.Thread(target=builder.run, name="builder"),
        threading.Thread(
            target=watch_folders,
            name="files",
            args=(folders, builder.files_changed, builder.stopped, say),
        ),
        threading.Thread(
            target=watch_database,
            name="database",
            args=(settings, builder.wake, builder.stopped, say),
        ),
    ]
    for thread in threads:
        # A process that is to end does not wait for one that hangs.
        thread.daemon = True
        thread.start()
    try:
        urls: dict[str, str] = {}

        def tell(found: Mapping[str, str]) -> None:
            urls.update(found)
            started(
                {
                    node: addresses(url, builder.sites[node].manifests.values()) or [f"{url}/"]
                    for node, url in found.items()
                }
            )

        chosen = builder.started.result()
        serve_apps(
            # Port 0 is any free one, for each.
            [
                (node, port + offset if port else 0, dev_app(builder, node, urls))
                for offset, node in enumerate(chosen)
            ],
            "127.0.0.1",
            started=tell,
            stopping=events.close,
        )
    finally:
        builder.stop()
        for thread in threads:
            thread.join(_GRACE_S)
