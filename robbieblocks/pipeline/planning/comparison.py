"""What one run's plan is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from robbieblocks.errors import Problem
from robbieblocks.model import BrandedNode, Manifest, NodeIndex, NodeRow, Sha256
from robbieblocks.pipeline.compiling import CompiledApp
from robbieblocks.pipeline.planning.causes import Tokens
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.settled import SettledPages
from robbieblocks.release import Hold

Problems = Mapping[str, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What one run's plan is made from.

    - `only`: the keys of the pages that may change; empty for all.
    - `conflicts`: pages of the app that want the route of another page of the node, or whose
      redirects are wrong, by key; and such frames.
    - `failures`: pages that did not render, by fingerprint: the same inputs would fail again.
    - `settled`: which pages need no second look.
    - `damaged`: release paths and asset URLs whose live bytes are not those of the manifest.
    - `live_tokens`: reads the tokens of the live release.
    - `holds`: pages that a person holds, by key.
    - `index`: what the node offers; empty for other apps than the shared one.
    - `card_is_due`: whether a page that lacks its social card, by key, is made again.
    """

    target: Target
    node: NodeRow
    brand: BrandedNode
    app: CompiledApp
    live: Manifest | None
    now: datetime
    only: frozenset[str]
    conflicts: Problems
    failures: Mapping[Sha256, tuple[Problem, ...]]
    settled: SettledPages
    damaged: frozenset[str]
    live_tokens: Callable[[], Tokens]
    holds: Mapping[str, Hold]
    index: NodeIndex
    card_is_due: Callable[[str], bool]

    @property
    def is_plain(self) -> bool:
        """Whether a page of unchanged rows, fingerprint and live version is as it was."""
        is_apart = self.conflicts or self.damaged or self.app.broken
        return not is_apart and self.target.app in self.node.apps
