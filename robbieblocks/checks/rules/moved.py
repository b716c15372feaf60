"""Pages whose route is another than the live one, to whose old address nothing is said."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote

from robbieblocks import release
from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.sources import Place
from robbieblocks.errors import SiteUnavailable
from robbieblocks.messages import printable
from robbieblocks.model import Manifest, PageRow
from robbieblocks.release import SiteRoot


class _Move(NamedTuple):
    key: str
    old: str


def moved_pages(checked: Checked) -> Iterator[Found]:
    """Pages that lie elsewhere under the site root, where this machine has one."""
    yield from moved_from(_live(checked), checked)


def moved_from(before: Iterable[Manifest], checked: Checked) -> Iterator[Found]:
    """Pages that lie elsewhere in other releases, and what to add to each."""
    content = checked.inspection.content
    rows = {page.key: page for page in content.pages if not page.part_of}
    apps = {node.id: node.apps for node in content.nodes}
    nodes: dict[_Move, list[str]] = {}
    for manifest in before:
        for entry in manifest.pages:
            row, old = rows.get(entry.key), unquote(entry.route)
            if row is None or row.app not in apps.get(manifest.node, ()):
                continue
            if old not in checked.addresses(manifest.node) and not checked.redirects(
                manifest.node
            ).find(old):
                nodes.setdefault(_Move(row.key, old), []).append(manifest.node)
    for move, found in sorted(nodes.items()):
        place = Place("page", move.key, "page_route")
        what = f"it moves from {printable(move.old)}, and nothing leads from there to it"
        yield Found(place.problem(what, _remedy(rows[move.key], move.old)), tuple(sorted(found)))


def _remedy(row: PageRow, old: str) -> str:
    given = row.metadata.get("redirect_from") if isinstance(row.metadata, dict) else None
    sources = [*(given if isinstance(given, list) else ()), old]
    return f"in its metadata: redirect_from = {json.dumps(sources, ensure_ascii=False)}"


def _live(checked: Checked) -> Iterator[Manifest]:
    site_root = SiteRoot.of(checked.settings)
    for node in checked.inspection.content.nodes:
        for app in node.apps:
            # What is live here can't be read: then nothing is known to move.
            with suppress(SiteUnavailable):
                if (manifest := release.live(site_root, node.id, app)) is not None:
                    yield manifest
