"""What a process remembers of its last build."""

from __future__ import annotations

import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from psycopg import Connection

from robbieblocks import database, snapshot
from robbieblocks.assemble import Assembly, NodeIndexes, Relations
from robbieblocks.errors import Problem, ViewEndedSessions
from robbieblocks.model import (
    Asset,
    BrandedNode,
    CollectionSource,
    NodeRow,
    Sha256,
    Snapshot,
    TokenRow,
    same,
)
from robbieblocks.pipeline.fingerprints import Fingerprints
from robbieblocks.pipeline.media import MediaMemory
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.route_conflicts import RouteConflicts
from robbieblocks.pipeline.settled import SettledPages
from robbieblocks.pipeline.sitemaps import Sitemaps
from robbieblocks.pipeline.taken import Taken

_FIRST_PAUSE_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 86_400.0


class _LeftAlone(NamedTuple):
    """A collection that isn't read before `until`, a monotonic time; `pause_s` was the last pause.

    A view over which the server crashes would bring it down again as soon as it is back.
    """

    until: float
    pause_s: float


@dataclass(slots=True, kw_only=True)
class BuildMemory:
    """What the last build made of rows, so that the next one works on what changed alone.

    `fonts` are those of media with which cards are drawn, by the names of their assets. `unlisted`
    are the keys of pages that no list has, since nothing of them is live, by app. `settled` has the
    pages of each target that need no second look. `failures` are pages that did not render, by
    fingerprint: a page is not rendered again before what it is made from changes. `branded` has by
    node id the rows of its branding, and that.

    By node and app, `finished` is what the last run that ended took from other apps, `takes` are
    the apps from which one takes something, and `looked_at` is what was live then of these.
    `asking` are by node the apps that are behind without a row that waits for them. `parts` are the
    memories of nodes that show other apps than others.
    """

    content: Snapshot | None = None
    drafts: bool = False
    left_alone: dict[str, _LeftAlone] = field(default_factory=dict[str, _LeftAlone])
    media: MediaMemory = field(default_factory=MediaMemory)
    read_over: Connection | None = None
    identified_over: Connection | None = None
    identity: str | None = None
    assemblies: dict[str, Assembly] = field(default_factory=dict)
    fingerprints: dict[str, Fingerprints] = field(default_factory=dict)
    relations: Relations = field(default_factory=Relations)
    unlisted: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    routes: RouteConflicts = field(default_factory=RouteConflicts)
    sitemaps: Sitemaps = field(default_factory=Sitemaps)
    settled: dict[Target, SettledPages] = field(default_factory=dict)
    failures: dict[Sha256, tuple[Problem, ...]] = field(default_factory=dict)
    branded: dict[str, tuple[NodeRow, Sequence[TokenRow], BrandedNode]] = field(
        default_factory=dict
    )
    fonts: dict[str, Asset] = field(default_factory=dict[str, Asset])
    indexes: NodeIndexes = field(default_factory=NodeIndexes)
    finished: dict[tuple[str, str], Taken] = field(default_factory=dict[tuple[str, str], Taken])
    takes: dict[tuple[str, str], frozenset[str]] = field(
        default_factory=dict[tuple[str, str], frozenset[str]]
    )
    asking: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    looked_at: dict[tuple[str, str], str | None] = field(
        default_factory=dict[tuple[str, str], "str | None"]
    )
    parts: dict[Hashable, BuildMemory] = field(default_factory=dict[Hashable, "BuildMemory"])

    def all_unlisted(self) -> frozenset[str]:
        """The keys of pages that no list has, of all apps."""
        return frozenset[str]().union(*self.unlisted.values())

    def part(self, key: Hashable) -> BuildMemory:
        """The memory for some of the nodes: what is the same for all is shared."""
        if key not in self.parts:
            self.parts[key] = replace(
                self,
                assemblies={},
                fingerprints={},
                relations=Relations(),
                unlisted={},
                routes=RouteConflicts(),
                sitemaps=Sitemaps(),
                settled={},
                indexes=NodeIndexes(),
            )
        return self.parts[key]

    def database_id(self, connection: Connection) -> str | None:
        """The database's id, asked for once over each connection. Raises DatabaseUnavailable."""
        if not same(self.identified_over, connection):
            self.identity = database.identity(connection)
            self.identified_over = connection
        return self.identity

    def read(
        self,
        connection: Connection,
        nodes: Sequence[str],
        *,
        all_rows: bool,
        drafts: bool = False,
        sources: Sequence[CollectionSource] = (),
    ) -> Snapshot:
        """The content as it is now: what changed since the last time, or `all_rows`.

        Over another connection all is read, too: a server that crashed may have lost commits that
        were read, and given their numbers again. The queue does not tell of `drafts`. A collection
        over which the server ended every session is read once more, since a restart or an operator
        does that, too; then it is left alone for a minute, and for twice as long each time, up to a
        day. Raises DatabaseUnavailable, SchemaOutdated.
        """
        all_rows = all_rows or drafts or self.drafts
        now = time.monotonic()
        alone = [name for name, each in self.left_alone.items() if now < each.until]
        try:
            if all_rows or self.content is None or not same(self.read_over, connection):
                self.content = snapshot.take(
                    connection,
                    nodes=nodes,
                    previous=self.content,
                    drafts=drafts,
                    sources=sources,
                    alone=alone,
                )
            else:
                self.content = snapshot.refresh(
                    connection, self.content, nodes=nodes, sources=sources, alone=alone
                )
        except ViewEndedSessions as error:
            before = self.left_alone.get(error.collection)
            pause_s = 0.0
            if before is not None:
                pause_s = min(max(2 * before.pause_s, _FIRST_PAUSE_S), _LONGEST_PAUSE_S)
            self.left_alone[error.collection] = _LeftAlone(time.monotonic() + pause_s, pause_s)
            raise
        for each in self.content.collections:
            if each.fault is None:
                self.left_alone.pop(each.source.name, None)
        self.read_over, self.drafts = connection, drafts
        return self.content
