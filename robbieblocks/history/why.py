"""From what a page shows to where it comes from: block, components, tokens, branding, person, run.

The page is the one that is live. A block stands in an element whose id tells its order; its
tokens are those whose custom properties its components read, in their CSS or code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote, urlsplit

from psycopg import Connection

from robbieblocks import content, release
from robbieblocks.assemble import whole_key
from robbieblocks.brand import flattened_overrides
from robbieblocks.content import Content
from robbieblocks.css_text import property_name
from robbieblocks.errors import UsageError
from robbieblocks.history import deploys, elements, journal
from robbieblocks.history.journal import Asked, Change
from robbieblocks.messages import did_you_mean, listed, printable
from robbieblocks.model import (
    SHARED_APP,
    Json,
    NodeRow,
    PageEntry,
    frame_number,
    own_order,
    template_of,
)
from robbieblocks.release import SiteRoot
from robbieblocks.settings import FreezeWindow

_PROPERTY: Final = re.compile(r"var\(\s*(--[A-Za-z0-9_-]+)")
_CHANGES_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsed:
    """A token that a block's components read: its value on the node, and what sets it there."""

    key: str
    value: str
    set_by: str
    change: Change | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Where a rendered element comes from. Each change is the latest that the journal has.

    `block` is its order in the page's row, or in that of `frame`; None where the layout made the
    element. `components` are that of the block and those that it imports. `held` says what keeps
    the page from following its rows: a pin or a hold, with who and why.
    """

    node: str
    app: str
    page: PageEntry
    build_hash: str
    element: str
    block: int | None
    components: tuple[tuple[str, Change | None], ...]
    tokens: tuple[TokenUsed, ...]
    page_change: Change | None
    block_change: Change | None
    node_change: Change | None
    run: deploys.Run | None
    held: tuple[str, ...] = ()
    frame: str = ""

    def waits(self, change: Change) -> bool:
        """Whether the node has not handled a change: then what is live is from before it."""
        return not change.processed and self.node not in change.handled_nodes


def why(
    connection: Connection,
    site_root: SiteRoot,
    address: str,
    node: str | None,
    windows: Sequence[FreezeWindow] = (),
) -> Why:
    """Explain a page that is live, or the element of it that the address's fragment selects.

    Raises UsageError where no such page or element is live, or several nodes show it; then `node`
    decides. Raises SiteUnavailable and DatabaseUnavailable.
    """
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise UsageError(f"{printable(address)} is no URL: {error}") from None
    held = content.stored(connection).content
    node, app, page, build_hash = _page(
        site_root, parts.path or "/", node, parts.netloc, held.nodes
    )
    html = release.read_live(site_root, node, app, page.path).decode(errors="replace")
    element, block = elements.found(html, unquote(parts.fragment))
    keys = elements.components(block)
    order = elements.order(block)
    frame = _frame(order, app, held)
    sources = {row.key: f"{row.css or ''}\n{row.code}" for row in held.components}
    used = {name for key in keys for name in _PROPERTY.findall(sources.get(key, ""))}
    page_changes = _changes(connection, _row_of(page.key, held))
    of_block = _changes(connection, frame) if frame else page_changes
    block_order = None if order is None else own_order(order)
    row = next((each for each in held.nodes if each.id == node), None)
    values = json.loads(release.read_live(site_root, node, app, "tokens.json"))
    defaults = {token.key for token in held.tokens}
    found = deploys.runs(
        connection, deploys.AskedRuns(node=node, app=app, status="success", limit=_CHANGES_MAX)
    )
    return Why(
        node=node,
        app=app,
        page=page,
        build_hash=build_hash,
        element=element,
        block=block_order,
        frame=frame,
        components=tuple((key, _latest(connection, "component", key)) for key in keys),
        tokens=tuple(_tokens(connection, used, values, defaults, row)),
        page_change=next(iter(page_changes), None),
        block_change=next((each for each in of_block if block_order in _orders(each)), None),
        node_change=_latest(connection, "node_branding", node),
        # The first run of those that left this release: it made it.
        run=_first_of(found, build_hash),
        held=_held(site_root, windows, node, app, page.key),
    )


def _held(
    site_root: SiteRoot, windows: Sequence[FreezeWindow], node: str, app: str, page: str
) -> tuple[str, ...]:
    found = (
        release.pinned(site_root, node, app),
        release.frozen(site_root, windows, node, app, datetime.now(UTC)),
        release.holds(site_root, node, app).get(page),
    )
    return tuple(str(each) for each in found if each is not None)


def _page(
    site_root: SiteRoot, path: str, node: str | None, host: str, rows: Sequence[NodeRow]
) -> tuple[str, str, PageEntry, str]:
    """The node, app, page and release that are live at a path."""
    wanted = _plain(unquote(path))
    live = {
        (name, app): manifest
        for name in ([node] if node else release.nodes(site_root))
        for app in release.apps(site_root, name)
        if (manifest := release.live(site_root, name, app)) is not None
    }
    if node and not live:
        raise UsageError(f"nothing is live on the node {printable(node)}")
    found = [
        (name, app, page, manifest.build_hash)
        for (name, app), manifest in live.items()
        for page in manifest.pages
        if _plain(page.route) == wanted
    ]
    of_host = {row.id for row in rows if host and _host(row.base_url) == host.lower()}
    found = [each for each in found if each[0] in of_host] or found
    if len(found) == 1:
        return found[0]
    if found:
        names = listed([name for name, *_ in found])
        raise UsageError(f"{printable(path)} is live on {names}: --node says which is meant")
    routes = {page.route for manifest in live.values() for page in manifest.pages}
    raise UsageError(f"no page is live at {printable(path)}: {did_you_mean(path, routes)}")


def _host(url: str) -> str:
    """The host and port of a node's URL, in lower case; empty where a build would refuse it."""
    try:
        return urlsplit(url.strip()).netloc.lower()
    except ValueError:
        return ""


def _plain(route: str) -> str:
    return (route.removesuffix("index.html").rstrip("/") or "/").lower()


def _frame(order: int | None, app: str, rows: Content) -> str:
    """The key of the frame that a block of this order is from; empty for a page's own.

    The app's own frames come before those of `shared`.
    """
    number = 0 if order is None else frame_number(order)
    found = sorted(
        (row.app != app, row.key)
        for row in rows.pages
        if row.app in (app, SHARED_APP)
        and row.status == "published"
        and row.metadata.get("frame") is True
    )
    frames = [key for _, key in found]
    return frames[number - 1] if 0 < number <= len(frames) else ""


def _row_of(key: str, rows: Content) -> str:
    """The key of the row that a page is from: a further part of a list is from the list's, and a
    page that is made of a collection's row from its template.
    """
    if any(row.key == key for row in rows.pages):
        return key
    whole = whole_key(key) or key
    return template_of(whole) or whole


def _orders(change: Change) -> set[object]:
    """The orders, before and after, of the blocks that a change altered."""
    found: set[object] = set()
    for side in (change.before, change.after):
        blocks = (side or {}).get("blocks")
        for row in blocks.values() if isinstance(blocks, Mapping) else ():
            found.add(row.get("block_order") if isinstance(row, Mapping) else None)
    return found - {None}


def _tokens(
    connection: Connection,
    used: set[str],
    values: Mapping[str, object],
    defaults: set[str],
    node: NodeRow | None,
) -> Iterator[TokenUsed]:
    overrides = _overridden(node)
    for key in sorted(defaults | {*values}):
        if property_name(key) not in used:
            continue
        overridden = key in overrides
        yield TokenUsed(
            key=key,
            value=str(values.get(key, "")),
            set_by=f"branding of {node.id}" if overridden and node else "its default",
            change=_latest(connection, "style_token", key),
        )


def _overridden(node: NodeRow | None) -> Mapping[str, Json]:
    """What a node's row sets, by token key; nothing where a build would refuse it."""
    if node is None or not isinstance(node.overrides, Mapping):
        return {}
    try:
        return flattened_overrides(node.overrides)
    except ValueError:
        return {}


def _changes(connection: Connection, page: str) -> Sequence[Change]:
    return journal.changes(connection, Asked(entity="page", key=page, limit=_CHANGES_MAX))


def _latest(connection: Connection, entity: str, key: str) -> Change | None:
    return next(iter(journal.changes(connection, Asked(entity=entity, key=key, limit=1))), None)


def _first_of(runs: Sequence[deploys.Run], build_hash: str) -> deploys.Run | None:
    """The run that brought a release about, of runs that are the newest first."""
    made: deploys.Run | None = None
    for each in runs:
        if each.build_hash == build_hash:
            made = each
        elif made is not None:
            break
    return made
