"""What `robbieblocks status` finds besides what `record.judge` does."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from robbieblocks import record, shared_cache
from robbieblocks.cli.operating.status_text import AppStatus
from robbieblocks.messages import counted, did_you_mean, listed, printable
from robbieblocks.model import WAITING_CARD, NodeRow
from robbieblocks.settings import PROJECT_FILE, Addresses, FreezeWindow


def misaddressed(addresses: Addresses, known: Collection[str]) -> list[record.Finding]:
    """Addresses of the settings that nothing is ever asked at."""
    found: list[record.Finding] = []
    for node in sorted({*addresses.urls, *addresses.origins} - {*known}):
        remedy = f"correct it in robbieblocks.toml: {did_you_mean(node, known)}"
        what = "[site.urls] or [site.origins] has its address, and there is no such node"
        found.append(record.Finding(node=node, what=what, remedy=remedy, stops=False))
    for node in sorted({*addresses.origins} & {*known}):
        if addresses.of(node) is None:
            what = "[site.origins] has its origin, and [site.urls] no address: neither is asked"
            remedy = "write the address at which visitors reach it into [site.urls]"
            found.append(record.Finding(node=node, what=what, remedy=remedy, stops=False))
    return found


def cache_troubles(cache: Path, url: str, nodes: Collection[str]) -> Iterator[record.Finding]:
    """Why nodes make by themselves what others have made."""
    for trouble in shared_cache.troubles(cache):
        why, _, remedy = trouble.why.partition("  -> ")
        what = f"the shared cache {url} could not be used since {trouble.since}: {why}"
        remedy = remedy or "robbieblocks doctor tries it; meanwhile each node builds by itself"
        for node in nodes:
            yield record.Finding(node=node, what=what, remedy=remedy, stops=False)


def missing_cards(status: AppStatus) -> Iterator[record.Finding]:
    """Which pages lack a social card that could not be drawn, and why."""
    pages = [key for key, why in status.without_card.items() if why != WAITING_CARD]
    if pages:
        what = (
            f"{status.app}: {counted(len(pages), 'page')} without the social card that it should "
            f"have ({listed(pages)}): {printable(status.without_card[pages[0]])}"
        )
        remedy = "a worker tries again by itself; or build again, or give the page an og_image"
        yield record.Finding(node=status.node, what=what, remedy=remedy, stops=False)


def without_nodes() -> record.Finding:
    """A database without a node: a wrong one, or one that somebody emptied."""
    what = "the database has no node: nothing can go out"
    remedy = "see that it is the right one; `robbieblocks content import`, or insert a node"
    return record.Finding(node="robbieblocks_node_branding", what=what, remedy=remedy)


def left_behind(node: str) -> record.Finding:
    """A node that left the table, and whose pages are served."""
    what = "it is not in the database any more, and is served on"
    remedy = f"robbieblocks prune --node {node} removes it"
    return record.Finding(node=node, what=what, remedy=remedy, stops=False)


def mistaken_windows(
    windows: Collection[FreezeWindow], nodes: Collection[NodeRow]
) -> Iterator[record.Finding]:
    """Freeze windows that name a node that is not there: they freeze less than somebody meant."""
    known = {node.id for node in nodes}
    for node in sorted({name for window in windows for name in window.nodes} - known):
        what = f"a freeze window of {PROJECT_FILE} names it, and there is no such node"
        yield record.Finding(node=node, what=what, remedy=did_you_mean(node, known), stops=False)
