"""`robbieblocks serve`."""

from __future__ import annotations

from collections.abc import Sequence

from robbieblocks.errors import UsageError
from robbieblocks.release import reading
from robbieblocks.serve import serve_nodes
from robbieblocks.settings import Settings


def run(*, nodes: Sequence[str], host: str, port: int) -> None:
    """Serve until interrupted; each node gets a port of its own, counted from `port`."""
    settings = Settings.from_environment()
    live = reading.nodes(settings.site_root)
    chosen = list(nodes) or list(live)
    missing = [node for node in chosen if node not in live]
    if missing or not chosen:
        what = f"node {missing[0]} has" if missing else "there is"
        raise UsageError(
            f"{what} no live release under {settings.site_root}: run `robbieblocks build` first"
        )
    serve_nodes(
        settings.site_root,
        [(node, port + offset) for offset, node in enumerate(chosen)],
        host=host,
    )
