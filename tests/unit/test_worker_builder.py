"""When a worker builds again though no row changes: something was passing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

from robbieblocks.errors import Problem
from robbieblocks.pipeline import RunReport
from robbieblocks.worker.builder import PipelineBuilder

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def _run(*problems: Problem, app: str = "play") -> RunReport:
    return RunReport(
        node="day", app=app, outcome="failed", build_hash="", hash_before="", problems=problems
    )


def test_what_is_passing_is_tried_again_ever_more_rarely() -> None:
    """After ten seconds, then after as long as it lasts already, up to five minutes; by app."""
    anything = cast("Any", None)
    builder = PipelineBuilder(
        node="day",
        settings=anything,
        site=anything,
        connect=anything,
        on_phase=anything,
        log=anything,
    )
    killed = Problem(entity="media", key="a", what="its process was killed", passing=True)
    wrong = Problem(entity="media", key="a", what="is no picture")

    def pause_s(after_s: float, *problems: Problem) -> float | None:
        now = NOW + timedelta(seconds=after_s)
        runs = [_run(*problems), _run(wrong, app="work")]
        again = builder._tried_again(runs, now)
        assert again.keys() <= {"play"}
        return (again["play"] - now).total_seconds() if again else None

    assert pause_s(0, wrong, killed) == 10
    assert pause_s(10, killed) == 10
    assert pause_s(40, killed) == 40
    assert pause_s(4_000, killed) == 300
    assert pause_s(4_300, wrong) is None
    assert pause_s(4_400, killed) == 10
