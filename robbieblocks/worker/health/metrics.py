"""What a worker counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from robbieblocks import record

if TYPE_CHECKING:
    from robbieblocks.worker.health.state import Health


class Metrics(Collector):
    """What `Health` says at the moment of each scrape, for Prometheus. The names are stable."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Every metric of the worker."""
        yield from self._gauges()
        yield from self._drifts()
        yield from self._counters()
        yield from self._health.build_seconds.collect()
        yield from self._health.change_seconds.collect()

    def _gauges(self) -> Iterator[Metric]:
        health = self._health
        for name, help_, value in (
            ("up", "1 while changes go out", not health.unready),
            ("stuck", "1 while the worker makes no progress", bool(health.stuck)),
            ("hearing", "1 while notifications come through", health.liveness.live),
            ("waiting_changes", "Queue rows that wait for this node", health.waiting),
            ("oldest_waiting_seconds", "Age of the oldest of them", health.oldest_waiting_age_s),
            ("loop_age_seconds", "Since the loop last went round", health.loop_age_s),
            ("canary_age_seconds", "Since a ping last came back", health.ping_age_s),
            ("phase_age_seconds", "Age of the running phase", health.phase_age_s),
            ("retrying_apps", "Apps that wait for another try", len(health.retrying)),
            ("held_apps", "Apps whose plan waits for a person's approval", len(health.held)),
            ("held_back_pages", "Pages kept as they were for an error", health.held_back_pages),
            ("frozen_apps", "Apps whose changes wait for a freeze's end", len(health.frozen)),
            ("findings", "Things that are not as they should be", len(health.findings)),
        ):
            family = GaugeMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            family.add_metric([health.node], float(value or 0))
            yield family

    def _drifts(self) -> Iterator[Metric]:
        health = self._health
        now = GaugeMetricFamily(
            "robbieblocks_drift", "Apps with a drift of this kind", labels=["node", "kind"]
        )
        found = [each.kind for each in health.findings]
        for kind in record.DRIFTS:
            now.add_metric([health.node, kind], float(found.count(kind)))
        yield now
        counter = CounterMetricFamily(
            "robbieblocks_drifts", "Drifts found by app and kind", labels=["node", "app", "kind"]
        )
        # A copy: another thread may add a key meanwhile.
        for (app, drift), count in sorted(health.drifts.copy().items()):
            counter.add_metric([health.node, app, drift], count)
        yield counter

    def _counters(self) -> Iterator[Metric]:
        health = self._health
        builds = CounterMetricFamily(
            "robbieblocks_builds", "Builds by app and outcome", labels=["node", "app", "outcome"]
        )
        # A copy: the main thread may add a key meanwhile.
        for (app, outcome), count in sorted(health.builds.copy().items()):
            builds.add_metric([health.node, app, outcome], count)
        yield builds
        events = CounterMetricFamily(
            "robbieblocks_events",
            "Attempts to tell a receiver of an event, by outcome",
            labels=["node", "receiver", "outcome"],
        )
        for (receiver, outcome), count in sorted(health.events.so_far().items()):
            events.add_metric([health.node, receiver, outcome], count)
        yield events
        if health.shared_cache is not None:
            shared = CounterMetricFamily(
                "robbieblocks_shared_cache",
                "Entries of the shared cache by what became of them, and failures to reach it",
                labels=["node", "outcome"],
            )
            for outcome, count in asdict(health.shared_cache).items():
                shared.add_metric([health.node, outcome], count)
            yield shared
        for name, help_, count in (
            ("reconnects", "Times that the work connection was opened again", health.reconnects),
            ("looks", "Reads of the queue", health.queue_reads),
        ):
            counter = CounterMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            counter.add_metric([health.node], count)
            yield counter
