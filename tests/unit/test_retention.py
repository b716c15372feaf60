"""Which releases stay: by number, by day, and because they are needed."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.release import Retention
from robbieblocks.release.retention.rule import Kept, Reason, choose
from robbieblocks.settings import Settings

DAY = 86_400.0
HOUR = 3_600.0
TODAY = 20_000 * DAY
NOW = TODAY + 15 * HOUR


def chosen(
    live_at: Mapping[str, float],
    *needed: tuple[str | None, Reason],
    releases: int = 5,
    days: int = 7,
) -> Kept:
    """What stays at three in the afternoon, UTC."""
    return choose(live_at, needed, releases=releases, days=days, now=NOW)


def test_the_default_is_that_of_the_settings() -> None:
    """The reference tells the numbers by which is kept without a setting."""
    default, named = Retention(), Settings.from_environment()
    assert (default.releases, default.days) == (named.keep_releases, named.keep_days)
    assert default.asset_days == named.keep_assets_days


def test_those_live_last_stay_and_one_for_each_past_day() -> None:
    """The one that was live when the day ended; of an earlier day none, of today none beside."""
    live_at = {
        f"{day}d{hour}h": TODAY - day * DAY + hour * HOUR
        for day in range(12)
        for hour in (1, 9, 14)
    }
    kept = chosen(live_at, releases=2)
    assert kept.recent == ("0d14h", "0d9h")
    daily = [name for name, why in kept.reasons.items() if why == ("daily",)]
    assert daily == [f"{day}d14h" for day in range(1, 8)]
    assert len(kept.reasons) + len(kept.unneeded) == len(live_at)


def test_of_a_quiet_day_stays_what_was_live_then() -> None:
    """The release before a busy day is kept, however long ago it was made."""
    today = {f"t{number}": NOW - number for number in range(9)}
    kept = chosen({**today, "old": TODAY - 40 * DAY, "older": TODAY - 41 * DAY})
    assert kept.recent == ("t0", "t1", "t2", "t3", "t4")
    assert kept.reasons["old"] == ("daily",)
    assert "older" in kept.unneeded


def test_what_is_needed_stays_however_old() -> None:
    """Each with all its reasons; a name that is not there is none."""
    live_at = {"a": 10 * DAY, "b": 20 * DAY, "c": 30 * DAY, "d": NOW, "never": 0.0}
    needed: tuple[tuple[str | None, Reason], ...] = (
        ("d", "live"),
        ("a", "previous"),
        ("a", "held"),
        ("b", "pinned"),
        ("gone", "held"),
        (None, "pinned"),
    )
    kept = chosen(live_at, *needed, releases=1, days=0)
    assert kept.reasons == {"d": ("live", "recent"), "b": ("pinned",), "a": ("held", "previous")}
    assert kept.unneeded == ("c", "never")


@given(
    times=st.lists(st.integers(-40 * 24, 0), max_size=60, unique=True),
    releases=st.integers(1, 8),
    days=st.integers(0, 12),
    looks=st.lists(st.integers(0, 60), max_size=6),
)
def test_removing_now_and_again_leaves_what_removing_once_does(
    times: list[int], releases: int, days: int, looks: list[int]
) -> None:
    """What does not stay today is not missed tomorrow: no order of looking leaves less."""
    history = {str(hour): TODAY + hour * HOUR for hour in times}
    left: dict[str, float] = {}
    for done, (name, at) in enumerate(sorted(history.items(), key=lambda item: item[1])):
        left[name] = at
        if done in looks:
            for gone in choose(left, (), releases=releases, days=days, now=at).unneeded:
                del left[gone]
    once = choose(history, (), releases=releases, days=days, now=NOW)
    assert choose(left, (), releases=releases, days=days, now=NOW).reasons == once.reasons


def test_one_that_was_rolled_back_from_stands_for_no_day() -> None:
    """The day keeps the last good one; by number it stays as any other."""
    live_at = {"good": TODAY - 5 * HOUR, "bad": TODAY - 2 * HOUR, "new": TODAY + HOUR}
    kept = choose(live_at, (), releases=1, days=7, now=NOW, left={"bad"})
    assert dict(kept.reasons) == {"new": ("recent",), "good": ("daily",)}
    assert choose(live_at, (), releases=2, days=0, now=NOW, left={"bad"}).recent == ("new", "bad")


def test_one_whose_pages_are_in_the_next_with_an_index_counts_for_no_number() -> None:
    """So an edit whose index follows takes one place and not two."""
    live_at = {"edit": NOW - 3, "indexed": NOW - 2, "next": NOW - 1}
    kept = choose(live_at, (), releases=2, days=0, now=NOW, left={"edit"}, replaced={"edit"})
    assert kept.recent == ("next", "indexed")
    assert kept.unneeded == ("edit",)
