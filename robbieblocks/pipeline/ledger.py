"""The deploys rows of one build: opened before its work starts, each closed whatever happens.

While a build holds a target's file lock and database lease, nobody else publishes it, so a row of
that target that is still unfinished belongs to a build that died, and is closed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from psycopg import Connection

from robbieblocks import database, failpoints, record, release
from robbieblocks.errors import DatabaseUnavailable, RobbieBlocksError
from robbieblocks.model import Manifest, TriggerRow
from robbieblocks.pipeline.report import RunReport, Stopwatch
from robbieblocks.pipeline.targets import Request, Target

_MOST_IDS: Final = 1000


@dataclass(slots=True, kw_only=True)
class Ledger:
    """Open runs by target. In a dry run it holds what is live and writes nothing.

    `triggers` are the queue rows that a run's row names, up to a thousand of them. Through a pooler
    there are no leases: a session's locks would be somebody else's.
    """

    connection: Connection
    live: Mapping[Target, Manifest | None]
    request: Request
    leases: Mapping[Target, record.Lease]
    watch: Stopwatch
    triggers: Sequence[TriggerRow] = ()
    open_runs: dict[Target, UUID] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def open(
        cls,
        connection: Connection,
        site_root: release.SiteRoot,
        targets: Sequence[Target],
        request: Request,
        watch: Stopwatch,
        progress: Callable[[str], None],
    ) -> Iterator[Self]:
        """Lock every target; on the way out close the rows that are still open."""
        with ExitStack() as held:
            leases: dict[Target, record.Lease] = {}
            with watch.phase("open"):
                pooled = not request.dry_run and database.is_pooled(connection)
                if not request.dry_run:
                    for target in targets:
                        held.enter_context(release.lock(site_root, target.node, target.app))
                        if not pooled:
                            leases[target] = held.enter_context(_leased(connection, target))
                ledger = cls(
                    connection=connection,
                    request=request,
                    leases=leases,
                    watch=watch,
                    live={t: release.live(site_root, t.node, t.app) for t in targets},
                )
                if not request.dry_run:
                    ledger._close_dead(progress)
            try:
                yield ledger
            except BaseException as error:
                ledger._abandon(error)
                raise

    def _close_dead(self, progress: Callable[[str], None]) -> None:
        for target in self.live:
            leased = target in self.leases
            # The file lock is ours in any case: on this machine nobody else runs.
            dead = record.close_dead(self.connection, target.node, target.app, leased=leased)
            if dead:
                progress(f"closed {dead} unfinished run of {target.app} on {target.node}")

    def begin(self, target: Target) -> None:
        """Write a run's row, if it has none yet: before its work starts."""
        if not self.request.dry_run and target not in self.open_runs:
            with self.watch.part("record"):
                self.open_runs[target] = record.start(
                    self.connection,
                    node=target.node,
                    app=target.app,
                    triggered_by=self.request.triggered_by,
                    live_hash=self.hash_of(target),
                    trigger_ids=[
                        row.id for row in self.triggers if row.concerns(target.node, target.app)
                    ][:_MOST_IDS],
                )
            failpoints.reached("begun")

    def hash_of(self, target: Target) -> str:
        """The build hash that is live, or `none`."""
        live = self.live[target]
        return live.build_hash if live else record.NOTHING_LIVE

    def fence(self, target: Target) -> None:
        """Raise DatabaseUnavailable when the right to publish was lost meanwhile."""
        if target in self.leases:
            self.leases[target].check()

    def deploying(self, target: Target) -> None:
        """Note that a run has begun to write its release.

        Raises DatabaseUnavailable where a peer has closed the run: it took this process for dead.
        """
        run = self.open_runs.get(target)
        with self.watch.part("record"):
            open_still = run is None or record.phase(self.connection, run, "deploying")
        if not open_still:
            del self.open_runs[target]
            raise DatabaseUnavailable(
                f"the run of {target.app} on {target.node} was taken for dead, because it gave no "
                "sign of life for too long, and may not publish any more; it is done again"
            )

    def finish(self, target: Target, report: RunReport, log: str) -> None:
        """Close a run's row with what it came to."""
        run = self.open_runs.pop(target, None)
        if run is None:
            return
        with self.watch.part("record"):
            record.finish(
                self.connection,
                run,
                status="failed" if report.outcome == "failed" else "success",
                build_hash=report.build_hash,
                build_ms=report.build_ms,
                deploy_ms=report.deploy_ms,
                pages=report.page_count - sum(page.change == "removed" for page in report.news),
                components=report.components,
                error=report.error,
                log=log,
            )

    def _abandon(self, error: BaseException) -> None:
        """Close every open row as failed: the build ends with an error that concerns them all."""
        said = str(error) or type(error).__name__
        for target, run in self.open_runs.items():
            with suppress(RobbieBlocksError):
                record.finish(
                    self.connection,
                    run,
                    status="failed",
                    build_hash=self.hash_of(target),
                    error=said,
                )


@contextmanager
def _leased(connection: Connection, target: Target) -> Iterator[record.Lease]:
    with record.lease(connection, target.node, target.app) as lease:
        if not lease:
            raise DatabaseUnavailable(
                f"another machine is building {target.app} for {target.node} from this database: "
                "try again when it is done"
            )
        yield lease
