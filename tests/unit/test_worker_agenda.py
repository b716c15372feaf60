"""What the worker builds next, and when: decided by a value."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.changes import ChangeGroup, Waiting
from robbieblocks.worker.agenda import Agenda, Job
from robbieblocks.worker.timing import Timing

TIMING = Timing()
TODAY = datetime(2026, 1, 1, tzinfo=UTC)
APPS = ("code", "play", "shared")


def agenda() -> Agenda:
    return Agenda(timing=TIMING, jitter=lambda: 0.5)


def waits(*groups: tuple[str, int], at: float = 0.0) -> Waiting:
    """Rows by the apps that they affect, as `play+code`, oldest first."""
    return Waiting(
        apps=APPS,
        groups=tuple(
            ChangeGroup(
                apps=frozenset(apps.split("+")),
                count=count,
                oldest=TODAY + timedelta(seconds=at + place),
                kinds=("page_update",),
            )
            for place, (apps, count) in enumerate(groups)
        ),
    )


def started() -> Agenda:
    """An agenda whose first reconcile, ended at 0, found nothing."""
    made = agenda()
    made.update(waits(), 0.0)
    while (job := made.next_job(0.0, TODAY)) is not None:
        made.job_ended(job, 0.0)
    return made


def test_the_first_thing_is_a_look_at_every_app() -> None:
    """At the start every app is examined once, by itself."""
    made = agenda()
    made.update(waits(), 0.0)
    jobs = []
    while (job := made.next_job(0.0, TODAY)) is not None:
        assert not made.reconciled_once
        jobs.append(job)
        made.job_ended(job, 0.0)
    assert [(job.apps, job.reason) for job in jobs] == [((app,), "start") for app in APPS]
    assert all(job.repair and not job.asked for job in jobs)
    assert made.reconciled_once


def test_looks_that_take_longer_than_the_pause_reach_every_app() -> None:
    """What still waits for its turn when the next round is due comes before all others."""
    made = agenda()
    made.update(waits(), 0.0)
    looked: list[str] = []
    for turn in range(1, 7):
        job = made.next_job(turn * TIMING.reconcile_interval_s * 2, TODAY)
        assert job is not None
        looked += job.apps
        made.job_ended(job, turn * TIMING.reconcile_interval_s * 2)
        assert made.reconciled_once == (turn >= len(APPS))
    assert looked == [*APPS, *APPS]


def test_an_edit_that_comes_alone_goes_at_once() -> None:
    """After quiet, a change is due the moment it is seen."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job == Job(apps=("play",), reason="change", kinds=("page_update",))
    assert job.asked
    assert job.triggered_by == "page_update"


def test_edits_during_a_build_wait_for_quiet() -> None:
    """What came while a build ran goes out together, once no more has come for the quiet time."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    made.job_ended(job, 10.1)
    made.update(waits(("play", 3)), 10.1)
    assert made.next_job(10.1, TODAY) is None
    assert made.seconds_until_due(10.1, TODAY) == pytest.approx(TIMING.quiet_s)
    made.update(waits(("play", 3)), 10.16)
    again = made.next_job(10.16, TODAY)
    assert again is not None
    made.job_ended(again, 10.2)
    made.update(waits(), 10.2)
    assert made.next_job(20.0, TODAY) is None


def test_a_storm_is_waited_out_no_longer_than_the_maximum() -> None:
    """While edits keep coming, a build starts when the first of them has waited long enough."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    made.job_ended(job, 10.1)
    now, count = 10.1, 0
    while made.next_job(now, TODAY) is None:
        count += 1
        made.update(waits(("play", count)), now)
        now += 0.01
        assert now < 20
    assert now - 10.1 == pytest.approx(TIMING.max_wait_s, abs=0.05)


def test_the_oldest_row_goes_first() -> None:
    """A storm on one app delays another by no more than the build that is running."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    storm = made.next_job(10.0, TODAY)
    assert storm is not None
    made.job_ended(storm, 11.0)
    made.update(waits(("code", 1), ("play", 500)), 11.0)
    made.update(waits(("code", 1), ("play", 900)), 12.0)
    job = made.next_job(12.0, TODAY)
    assert job is not None
    assert job.apps == ("code",)


def test_apps_that_share_a_row_go_together() -> None:
    """One row for several apps is one build, so that it can be acknowledged by it."""
    made = started()
    made.update(waits(("play+code", 1), ("shared", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    assert job.apps == ("code", "play")


def test_a_failed_app_is_tried_again_ever_more_rarely() -> None:
    """Retries back off up to the longest pause, and a success forgets them."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    now, pauses = 10.0, []
    for _ in range(12):
        job = made.next_job(now, TODAY)
        assert job is not None
        made.job_ended(job, now, failed=["play"])
        assert made.retrying == ("play",)
        made.update(waits(("play", 1)), now)
        assert made.next_job(now, TODAY) is None
        pauses.append(made.seconds_until_due(now, TODAY))
        now += pauses[-1]
    assert pauses[:3] == [pytest.approx(0.375), pytest.approx(0.75), pytest.approx(1.5)]
    assert max(pauses) <= TIMING.retry_max_s
    job = made.next_job(now, TODAY)
    assert job is not None
    assert job.reason == "retry"
    made.job_ended(job, now)
    assert made.retrying == ()


def test_a_bad_app_holds_up_no_other() -> None:
    """While an app waits for another try, rows that it shares are built for the others."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    made.job_ended(job, 10.0, failed=["play"])
    made.update(waits(("play", 1), ("play+code", 1)), 10.1)
    other = made.next_job(10.1, TODAY)
    assert other is not None
    assert other.apps == ("code",)


def test_what_an_app_has_answered_is_not_built_again_for_those_that_failed() -> None:
    """A row that one app of two has answered waits for the other alone."""
    made = started()
    row = uuid4()
    group = ChangeGroup(
        apps=frozenset({"play", "code"}), count=1, oldest=TODAY, kinds=("style_change",)
    )
    made.update(waits(("play+code", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    made.job_ended(job, 10.0, failed=["play"])
    made.rows_handled({row: group}, ["code"])
    made.update(waits(), 10.0)
    assert made.partial[row].built == {"code"}
    assert made.next_job(10.1, TODAY) is None
    retry = made.next_job(11.0, TODAY)
    assert retry is not None
    assert (retry.apps, retry.reason) == (("play",), "retry")
    made.job_ended(retry, 11.0)
    made.rows_handled({}, ["play"])
    assert made.partial == {}


def test_a_row_that_can_not_be_acknowledged_is_built_for_once() -> None:
    """A row that every app has answered, and that still waits, asks for nothing more."""
    made = started()
    row = uuid4()
    group = ChangeGroup(apps=frozenset({"play"}), count=1, oldest=TODAY, kinds=("page_updated",))
    made.update(waits(("play", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    made.job_ended(job, 10.0)
    made.rows_handled({row: group}, ["play"])
    # The queue is read without the rows in `partial`.
    assert row in made.partial
    made.update(waits(), 20.0)
    assert made.next_job(20.0, TODAY) is None


def test_a_row_seen_by_a_single_look_still_goes_to_its_other_apps() -> None:
    """A reconcile of one app that meets a row of two leaves it to be built for the other."""
    made = started()
    row = uuid4()
    group = ChangeGroup(
        apps=frozenset({"play", "code"}), count=1, oldest=TODAY, kinds=("style_change",)
    )
    made.job_ended(Job(apps=("play",), reason="reconcile"), 10.0)
    made.rows_handled({row: group}, ["play"])
    made.update(waits(), 10.2)
    job = made.next_job(10.2, TODAY)
    assert job is not None
    assert (job.apps, job.reason) == (("code",), "change")


def test_a_row_goes_on_to_apps_whose_lists_it_alters_and_again_where_they_are_behind() -> None:
    """Each time that what an app lists goes live after it was built, it is built once more."""
    made = started()
    row = uuid4()
    group = ChangeGroup(
        apps=frozenset({"play", "code"}), count=1, oldest=TODAY, kinds=("page_updated",)
    )
    made.job_ended(Job(apps=("play",), reason="change"), 10.0)
    made.rows_handled({row: group}, ["play"], behind=["code"])
    for at in (10.2, 20.2):
        made.update(waits(), at)
        job = made.next_job(at, TODAY)
        assert job is not None
        assert job.apps == ("code",)
        made.job_ended(job, at)
        made.rows_handled({row: group}, ["code"])
        assert made.partial[row].built == {"play", "code"}
        made.rows_handled({row: group}, ["play"], behind=["code"])
    made.rows_handled({row: group}, [], ["code"], behind=["code"])
    made.update(waits(), 30.2)
    assert made.next_job(30.2, TODAY) is None


def test_under_a_pin_a_row_waits_and_is_not_built_for_again() -> None:
    """It does not count as built when another app is; once the pin is gone, it does."""
    made = started()
    row = uuid4()
    group = ChangeGroup(
        apps=frozenset({"play", "code"}), count=1, oldest=TODAY, kinds=("style_change",)
    )
    made.job_ended(Job(apps=("code", "play"), reason="change"), 10.0)
    made.rows_handled({row: group}, ["code"], pinned=["play"])
    made.update(waits(), 10.2)
    assert made.next_job(10.2, TODAY) is None
    made.rows_handled({row: group}, ["code"])
    assert made.partial[row].built == {"code"}
    assert made.partial[row].pinned == {"play"}
    made.rows_handled({row: group}, ["play"])
    assert made.partial[row].built == {"code", "play"}
    assert made.partial[row].pinned == frozenset()


def test_a_boundary_of_the_calendar_is_a_job_of_its_own() -> None:
    """At the next scheduled instant the app is built, and nobody had to ask."""
    made = started()
    made.job_ended(
        Job(apps=("play",), reason="change"), 1.0, boundaries={"play": TODAY + timedelta(hours=1)}
    )
    assert made.next_job(1.0, TODAY) is None
    assert made.seconds_until_due(1.0, TODAY + timedelta(minutes=59)) == pytest.approx(60, abs=1)
    job = made.next_job(1.0, TODAY + timedelta(hours=1))
    assert job == Job(apps=("play",), reason="schedule")
    assert job.triggered_by == "schedule"
    made.job_ended(job, 2.0, boundaries={"play": None})
    assert made.next_job(2.0, TODAY + timedelta(hours=2)) is None


def test_everything_is_examined_again_every_few_minutes() -> None:
    """A full reconcile comes by itself, and at once when it is asked for."""
    made = started()
    assert made.next_job(TIMING.reconcile_interval_s * 0.5, TODAY) is None
    job = made.next_job(TIMING.reconcile_interval_s * 1.2, TODAY)
    assert job is not None
    assert (job.apps, job.reason) == (("code",), "reconcile")
    asked = started()
    asked.reconcile_now()
    assert asked.next_job(1.0, TODAY) is not None


def test_an_app_that_the_node_joins_later_is_examined() -> None:
    """A newly enabled app is built though no row names it."""
    made = started()
    made.update(Waiting(apps=(*APPS, "work")), 1.0)
    job = made.next_job(1.0, TODAY)
    assert job == Job(apps=("work",), reason="reconcile")
    made.job_ended(job, 1.0)
    made.update(Waiting(apps=None), 2.0)
    assert made.next_job(2.0, TODAY) is None


def test_what_failed_is_hurried_when_infrastructure_is_back() -> None:
    """After a reconnect nothing waits for its pause to end."""
    made = started()
    made.update(waits(("play", 1)), 10.0)
    job = made.next_job(10.0, TODAY)
    assert job is not None
    made.job_ended(job, 10.0, failed=["play"])
    assert made.next_job(10.0, TODAY) is None
    made.retry_now()
    assert made.next_job(10.0, TODAY) is not None


@given(
    st.lists(
        st.tuples(st.sampled_from(["code", "play", "shared", "play+code"]), st.floats(0, 0.3)),
        min_size=1,
        max_size=40,
    )
)
def test_every_edit_is_built_soon_after_the_last(edits: list[tuple[str, float]]) -> None:
    """Whatever the order and spacing of edits, each goes out, the last within the maximum wait."""
    made = started()
    now = 10.0
    waiting: list[str] = []
    arrivals = []
    for apps, pause in edits:
        now += pause
        arrivals.append((now, apps))
    now, deadline = 10.0, arrivals[-1][0] + TIMING.max_wait_s + 3 * 0.05
    while arrivals or waiting:
        while arrivals and arrivals[0][0] <= now:
            waiting.append(arrivals.pop(0)[1])
        made.update(waits(*[(apps, waiting.count(apps)) for apps in sorted(set(waiting))]), now)
        job = made.next_job(now, TODAY)
        if job is None:
            now += 0.005
        else:
            now += 0.05
            made.job_ended(job, now)
            waiting = [apps for apps in waiting if not set(apps.split("+")) <= set(job.apps)]
        assert now <= deadline + 0.1


def test_an_app_carried_no_more_is_emptied() -> None:
    """An app that still shows pages though the node carries it no more is examined at once."""
    made = started()
    made.update(replace(waits(), disabled_apps=("gone",)), 1.0)
    job = made.next_job(1.0, TODAY)
    assert job is not None
    assert job.apps == ("gone",)
    made.job_ended(job, 1.0)
    made.update(waits(), 2.0)
    assert made.next_job(2.0, TODAY) is None
