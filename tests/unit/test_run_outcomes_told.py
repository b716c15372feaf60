"""How events tell of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from robbieblocks.pipeline.announcing import outcome_of
from robbieblocks.pipeline.report import PageReport, RunReport
from robbieblocks.pipeline.request import BreakGlass
from robbieblocks.release import Freeze

RUN = RunReport(node="day", app="play", outcome="published", build_hash="b", hash_before="a")
FREEZE = Freeze(why="sale", until=None)


def test_a_run_that_a_freeze_keeps_back_has_not_recovered() -> None:
    """Its changes wait, so it says nothing of them: neither a success nor a failure."""
    assert outcome_of(replace(RUN, freeze=FREEZE)) == "waits"


@pytest.mark.parametrize("freeze", [None, FREEZE])
def test_a_run_that_goes_out_has(freeze: Freeze | None) -> None:
    """Also where a person has it go out during a freeze."""
    by = BreakGlass(who="ann", why="price") if freeze else None
    assert outcome_of(replace(RUN, freeze=freeze, during_freeze=by)) == "ok"


def test_pages_that_are_kept_back_are_held() -> None:
    """Whatever the run is called."""
    page = PageReport(key="play/a", route="/play/a", change="held back")
    assert outcome_of(replace(RUN, outcome="failed", planned=(page,))) == "held"
