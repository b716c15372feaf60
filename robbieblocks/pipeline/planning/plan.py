"""The plan of a build: what happens to each page of each app on each node, and why.

A plan is made by comparison alone, before anything is rendered or written. What prints, records or
approves a build takes the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, NamedTuple

from robbieblocks.errors import Problem
from robbieblocks.model import (
    AssembledPage,
    BrandedNode,
    Manifest,
    NodeIndex,
    NodeRow,
    PageEntry,
    Redirect,
    Sha256,
    headers_text,
    sha256,
)
from robbieblocks.pipeline.compiling import CompiledApp
from robbieblocks.pipeline.request import Target
from robbieblocks.prerender import NodeSheet
from robbieblocks.release import Hold

PageChange = Literal["added", "changed", "removed", "unchanged", "held back"]


class Cause(NamedTuple):
    """One thing that differs from what is live.

    | entity | key | field |
    |---|---|---|
    | `page` | page key | |
    | `page_block` | page key | its block_order |
    | `component` | component key | |
    | `style_token` | token key | |
    | `node_branding` | node id | the column or setting that differs |
    | `template`, `toolchain` | empty | |
    | `setting` | the setting that differs, or whose `auto` chose otherwise | |
    | `instant` | the time (RFC 3339) since which a block shows or is hidden | its block_order |
    | `release` | what is wrong with the live release | |
    """

    entity: str
    key: str
    field: str = ""

    def __str__(self) -> str:
        match self:
            case ("page_block", _, order):
                return f"block {order}"
            case ("style_token", key, _):
                return f"token {key}"
            case ("node_branding", key, field):
                return f"branding of {key}: {field}"
            case ("instant", key, order):
                return f"block {order} since {key}"
            case ("release", key, _):
                return key
            case (entity, key, _):
                return f"{entity} {key}".rstrip()

    def as_json(self) -> dict[str, str]:
        """The same as a JSON object; a field without a value is left out."""
        return {name: value for name, value in self._asdict().items() if value or name == "entity"}


NO_CARD: Final = Cause("release", "no social card")
"""A page whose social card could not be drawn is made again, though nothing of it differs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInputs:
    """What a page is to be made from.

    `document` is the fingerprint of its HTML without branding, `inputs` the one with it. By the
    digests the next plan tells what differs. `warnings` are those of the page's row.
    """

    page: AssembledPage
    document: Sha256
    inputs: Sha256
    row_digests: str
    input_digests: tuple[str, ...]
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPage:
    """What is going to happen to one page, and why.

    `live` is its entry in the live manifest, if it has one. `made_from` is there for a page that is
    added or changed, `problems` for one that is held back. `failed` is the fingerprint of what this
    process could not render.
    """

    key: str
    route: str
    change: PageChange
    causes: tuple[Cause, ...] = ()
    problems: tuple[Problem, ...] = ()
    live: PageEntry | None = None
    made_from: PageInputs | None = None
    failed: Sha256 | None = None

    @property
    def effect(self) -> str:
        """What the page's rows ask for, the same in a process that has not tried to render it."""
        if self.failed:
            return f"{'changed' if self.live else 'added'} {self.key} {self.failed}"
        return f"{self.change} {self.key} {self.made_from.inputs if self.made_from else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSheet:
    """The stylesheet at a fixed address, for the pages that link it.

    By the digests the next plan tells what differs. `causes` say why it differs from what is live;
    there are none where it doesn't, or where none is live.
    """

    sheet: NodeSheet
    digests: tuple[str, ...]
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """The plan of one run: one app on one node.

    `pages` are those that are added, changed, removed or held back, by key. `unchanged` are the
    entries of the live manifest that stay: of ten thousand pages all but a few. `damaged` are
    release paths and asset URLs whose live bytes are not those of the manifest. `drafts` are the
    keys of pages that are drafts, `notes` what is to be known of rows that are not published yet.
    `approved` is whether a person approved exactly this, although it removes many pages.
    `held` are pages that a person holds at their live bytes, `no_longer_held` those whose hold ends
    with this run, because their rows changed. `index` is what the node offers: the shared app's
    release has the pages that say so. `redirects` are those that its rows state: the release has
    those that lead to what it has. `headers` are what settings ask for. `sheet` is there where
    pages link such a file, or did.
    """

    target: Target
    node: NodeRow
    brand: BrandedNode
    app: CompiledApp
    live: Manifest | None
    pages: tuple[PlannedPage, ...]
    unchanged: tuple[PageEntry, ...]
    damaged: frozenset[str] = frozenset()
    drafts: tuple[str, ...] = ()
    notes: tuple[Problem, ...] = ()
    approved: bool = False
    held: Mapping[str, Hold] = field(default_factory=dict[str, Hold])
    no_longer_held: Set[str] = frozenset()
    index: NodeIndex = field(default_factory=NodeIndex)
    redirects: tuple[Redirect, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    sheet: PlannedSheet | None = None

    @property
    def sheet_causes(self) -> tuple[Cause, ...]:
        """Why the stylesheet at a fixed address differs from what is live; none where it doesn't"""
        return self.sheet.causes if self.sheet else ()

    @property
    def hash(self) -> Sha256:
        """A hash over what the run does to what is live: approving it approves nothing else."""
        lines = [f"{self.target} {self.live.hash_but_sitemap if self.live else ''}"]
        if self.sheet and self.sheet.causes:
            lines.append(f"styles {sha256(self.sheet.sheet.content)}")
        if self.headers:
            lines.append(f"headers {sha256(headers_text(self.headers))}")
        # That a card is tried again is not for people to approve; another process may not try.
        pages = (page for page in self.pages if page.causes != (NO_CARD,))
        return sha256("\n".join([*lines, *(page.effect for page in pages)]))

    @property
    def to_make(self) -> tuple[PageInputs, ...]:
        """The pages whose bytes must be made."""
        return tuple(page.made_from for page in self.pages if page.made_from is not None)

    @property
    def held_back(self) -> tuple[PlannedPage, ...]:
        """The pages that keep their last good version because the new one has an error."""
        return tuple(page for page in self.pages if page.change == "held back")

    @property
    def branding_is_broken(self) -> bool:
        """Whether the node's branding has an error, so that nothing of it can go out."""
        return any(problem.severity == "error" for problem in self.brand.problems)

    @property
    def has_work(self) -> bool:
        """Whether a page or the styles are to be made, or a damaged file to be replaced."""
        if self.damaged or self.sheet_causes:
            return True
        return any(page.change != "held back" for page in self.pages)

    @property
    def changes(self) -> bool:
        """Whether there is something to tell of."""
        return bool(self.pages or self.sheet_causes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All runs of a build, sorted by target, at one instant.

    `boundaries` says for each app when its content next changes by itself.
    """

    runs: tuple[RunPlan, ...]
    now: datetime
    boundaries: Mapping[str, datetime | None]

    @property
    def hash(self) -> Sha256:
        """A hash over all that the build does: approving it approves the whole and no more."""
        return joint_hash(
            (run.target.node, run.target.app, run.hash) for run in self.runs if run.changes
        )


def joint_hash(runs: Iterable[tuple[str, str, Sha256]]) -> Sha256:
    """A hash over runs, given as node, app and hash, in this order."""
    return sha256("\n".join(map(" ".join, runs)))
