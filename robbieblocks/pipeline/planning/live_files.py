"""What a plan reads of a live release's files: which are damaged, and its tokens."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Final

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import ASSET_PREFIX, Manifest
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.session import MakingSession

TOKENS_FILE: Final = "tokens.json"


def damaged_files(target: Target, session: MakingSession) -> frozenset[str]:
    """What of the live release is not as it was published, by size and time, or by every byte."""
    if not session.request.repair:
        return frozenset()
    root = session.site.root
    quick = not session.request.thorough
    return frozenset(release.verify(root, target.node, target.app, quick=quick))


def live_tokens(target: Target, session: MakingSession) -> Mapping[str, str]:
    """The resolved tokens of the live release; none where they can't be read."""
    try:
        body = session.live_file(target, TOKENS_FILE)
        found: dict[str, str] = json.loads(body)
    except (SiteUnavailable, ValueError):
        return {}
    return found


def damaged_pages(live: Manifest | None, damaged: Collection[str]) -> frozenset[str]:
    """The keys of live pages that are damaged themselves, or refer to an asset that is."""
    if live is None or not damaged:
        return frozenset()
    return frozenset(
        entry.key
        for entry in live.pages
        if entry.path in damaged or any(ASSET_PREFIX + name in damaged for name in entry.assets)
    )
