"""The worker's metrics for Prometheus. Their names are stable."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from robbieblocks.worker.agenda import Job
from robbieblocks.worker.health.state import Health
from robbieblocks.worker.ports import BuildResult

_BUCKETS_S: Final = (0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)


class Metrics(Collector):
    """Two histograms, and what `Health` says at the moment of each scrape."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._build_seconds = self._histogram("build_seconds", "Duration of builds")
        self._change_seconds = self._histogram(
            "change_to_live_seconds",
            "From the start of an editor's transaction to its pages being live",
        )

    def build_finished(self, job: Job, result: BuildResult, seconds: float) -> None:
        """Add a build to the histograms."""
        self._build_seconds.observe(seconds)
        if result.oldest_change is not None and job.reason == "change":
            waited = (datetime.now(UTC) - result.oldest_change).total_seconds()
            self._change_seconds.observe(max(0.0, waited))

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The metrics that follow from `Health`; called by the registry."""
        yield from self._gauges()
        yield from self._counters()

    def _histogram(self, name: str, help_: str) -> Histogram:
        return Histogram(f"robbieblocks_{name}", help_, buckets=_BUCKETS_S, registry=self._registry)

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
        ):
            family = GaugeMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            family.add_metric([health.node], float(value or 0))
            yield family

    def _counters(self) -> Iterator[Metric]:
        health = self._health
        builds = CounterMetricFamily(
            "robbieblocks_builds", "Builds by app and outcome", labels=["node", "app", "outcome"]
        )
        # A copy: the main thread may add a key meanwhile.
        for (app, outcome), count in sorted(health.builds.copy().items()):
            builds.add_metric([health.node, app, outcome], count)
        yield builds
        for name, help_, count in (
            ("reconnects", "Times that the work connection was opened again", health.reconnects),
            ("looks", "Reads of the queue", health.queue_reads),
        ):
            counter = CounterMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            counter.add_metric([health.node], count)
            yield counter
