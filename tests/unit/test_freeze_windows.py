"""Windows in which nothing goes out: what the file may say, and which instants are in them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim

from robbieblocks.errors import UsageError
from robbieblocks.release.pinning.freeze_windows import freezing_window
from robbieblocks.settings import FreezeWindow, Settings, file_schema

HOUR = 3600
BERLIN, NEW_YORK, LORD_HOWE = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"
GOOD = {"cron": "0 16 * * FRI", "duration": "12h", "zone": BERLIN, "reason": "weekend"}


def window(cron: str, hours: float = 1, zone: str = "UTC", **values: Any) -> FreezeWindow:
    """A window of so many hours."""
    return FreezeWindow(
        **{
            "kind": "deny",
            "cron": cron,
            "duration_s": round(hours * HOUR),
            "zone": zone,
            "reason": "r",
            **values,
        }
    )


def at(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


def until(now: str, *windows: FreezeWindow, node: str = "n", app: str = "a") -> str | None:
    """Until when an instant is frozen, `never` for no end, None where it is not frozen."""
    found = freezing_window(windows, node, app, at(now))
    if found is None:
        return None
    return f"{found[2]:%m-%d %H:%M}" if found[2] else "never"


def test_a_window_is_from_its_begin_to_its_end() -> None:
    """The begin is in it, the end is not."""
    office = window("0 9 * * MON", 2)
    monday = "2026-06-01T"
    times = ["08:59:59Z", "09:00:00Z", "10:59:59.999Z", "11:00:00Z"]
    assert [until(monday + each, office) for each in times] == [
        None,
        "06-01 11:00",
        "06-01 11:00",
        None,
    ]
    found = freezing_window([office], "n", "a", at("2026-06-01T10:00Z"))
    assert found is not None
    assert found[1] == at("2026-06-01T09:00Z")


def test_a_window_concerns_the_nodes_and_apps_that_it_names() -> None:
    """Both, where it names both."""
    one = window("* * * * *", nodes=("n",), apps=("a", "b"))
    places = [("n", "a"), ("n", "c"), ("m", "a")]
    found = [until("2026-06-01T00:00Z", one, node=node, app=app) for node, app in places]
    assert found == ["never", None, None]


def test_outside_of_the_windows_that_allow_it_is_frozen() -> None:
    """Until the next of them; without one that concerns the app nothing is."""
    allow = window("0 9 * * *", 2, kind="allow", apps=("a",))
    assert until("2026-06-01T08:00Z", allow) == "06-01 09:00"
    assert until("2026-06-01T09:30Z", allow) is None
    assert until("2026-06-01T11:00Z", allow) == "06-02 09:00"
    assert until("2026-06-01T11:00Z", allow, app="b") is None


def test_deny_beats_allow_in_whatever_order() -> None:
    """The end is where one allows and none denies."""
    allow, deny = window("0 9 * * *", 4, kind="allow"), window("0 8 * * *", 2)
    for windows in ((allow, deny), (deny, allow)):
        assert until("2026-06-01T09:30Z", *windows) == "06-01 10:00"
        assert until("2026-06-01T07:00Z", *windows) == "06-01 10:00"
        assert until("2026-06-01T10:30Z", *windows) is None
        assert until("2026-06-01T13:00Z", *windows) == "06-02 10:00"


def test_windows_that_follow_each_other_are_one() -> None:
    """The end is that of the last, also of one that begins while another goes on."""
    assert until("2026-06-01T00:30Z", window("0 0-5 * * *")) == "06-01 06:00"
    two = window("0 0 * * *", 3), window("0 2 * * *", 4)
    assert until("2026-06-01T00:30Z", *two) == "06-01 06:00"
    assert until("2026-06-01T00:30Z", window("0 0 * * *", 24)) == "never"


@pytest.mark.parametrize(
    ("zone", "day", "cron", "begins"),
    [
        # Spring: 02:00 to 03:00 are left out in Berlin, half an hour on Lord Howe.
        (BERLIN, "2026-03-29", "30 2 * * *", ["03-29 01:00"]),
        (BERLIN, "2026-03-29", "0 3 * * *", ["03-29 01:00"]),
        (LORD_HOWE, "2026-10-04", "15 2 * * *", ["10-03 15:30"]),
        # Autumn: 02:00 to 03:00 come twice, and the window begins once.
        (BERLIN, "2026-10-25", "30 2 * * *", ["10-25 00:30"]),
        (NEW_YORK, "2026-11-01", "30 1 * * *", ["11-01 05:30"]),
        # With a star it begins in both.
        (
            BERLIN,
            "2026-10-25",
            "*/30 2 * * *",
            [f"10-25 {t}" for t in ("00:00", "00:30", "01:00", "01:30")],
        ),  # a case is a line
    ],
)
def test_a_day_on_which_clocks_are_changed(
    zone: str, day: str, cron: str, begins: list[str]
) -> None:
    """Each minute of that day is in a window of a quarter of an hour, or not, as its begins say."""
    one = window(cron, 0.25, zone)
    midnight = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    minutes = [midnight + timedelta(minutes=each) for each in range(25 * 60)]
    frozen = [each for each in minutes if freezing_window([one], "n", "a", each)]
    first = frozen[:1] + [b for a, b in pairwise(frozen) if b - a > timedelta(minutes=1)]
    assert [f"{each:%m-%d %H:%M}" for each in first][: len(begins)] == begins
    assert len(frozen) % 15 == 0


def test_a_duration_is_of_time_that_passes() -> None:
    """Eight hours from the evening before end at seven in spring, and at five in autumn."""
    night = window("0 22 * * *", 8, BERLIN)
    assert until("2026-03-28T23:00+01:00", night) == "03-29 05:00"
    assert at("2026-03-29T07:00+02:00") == at("2026-03-29T05:00Z")
    assert until("2026-10-24T23:00+02:00", night) == "10-25 04:00"
    assert at("2026-10-25T05:00+01:00") == at("2026-10-25T04:00Z")


@pytest.mark.parametrize("zone", [BERLIN, NEW_YORK, LORD_HOWE, "Antarctica/Troll", "UTC"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 1,3 * * SUN", "15 3-6 * * *", "*/20 1-3 * * *"])
def test_what_is_frozen_is_what_begins_forwards(zone: str, cron: str) -> None:
    """Over the two changes of a year, against all begins in order; an end is the first free one."""
    one = window(cron, 1.5, zone)
    for change in ("2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25"):
        start = at(f"{change}T00:00Z") - timedelta(days=1)
        begins = [
            found.astimezone(UTC)
            for found, _ in zip(
                CronSim(cron, (start - timedelta(days=9)).astimezone(ZoneInfo(zone))),
                range(400),
                strict=False,
            )
        ]
        for minute in range(14 * 60, 46 * 60, 29):
            now = start + timedelta(minutes=minute)
            length = timedelta(seconds=one.duration_s)
            expected = any(begin <= now < begin + length for begin in begins)
            found = freezing_window([one], "n", "a", now)
            assert (found is not None) is expected, now
            if found is not None:
                end = found[2]
                assert end is not None
                assert end > now
                assert freezing_window([one], "n", "a", end) is None
                assert freezing_window([one], "n", "a", end - timedelta(seconds=1)) is not None


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A project's file."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "robbieblocks.toml"


def write(file: Path, *windows: dict[str, str]) -> None:
    """Write windows; values are TOML."""
    file.write_text(
        "".join(
            "[[freeze.windows]]\n" + "".join(f"{key} = {value}\n" for key, value in each.items())
            for each in windows
        )
    )


def quoted(**changes: str) -> dict[str, str]:
    """A good window with changes, as TOML; an empty value leaves the key out."""
    found = {key: f'"{value}"' for key, value in GOOD.items()} | changes
    return {key: value for key, value in found.items() if value}


def test_windows_are_read_from_the_project_s_file(project: Path) -> None:
    """All of each, in order."""
    write(
        project,
        quoted(),
        quoted(kind='"allow"', duration='"1d2h3m"', nodes='["n", "m"]', apps='["a"]'),
    )
    one, two = Settings.from_environment().freeze_windows
    assert (one.kind, one.cron, one.duration_s, one.zone) == ("deny", GOOD["cron"], 43200, BERLIN)
    assert (one.reason, one.nodes, one.apps) == ("weekend", (), ())
    assert (two.kind, two.duration_s) == ("allow", 93780)
    assert (two.nodes, two.apps) == (("n", "m"), ("a",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"zone": '"Europe/Berln"'}, 'zone is "Europe/Berln", which is no zone'),
        ({"zone": '"../etc/passwd"'}, "which is no zone"),
        ({"zone": '""'}, "which is no zone"),
        ({"cron": '"0 25 * * *"'}, "Bad hour"),
        ({"cron": '"0 0 30 2 *"'}, "Bad day-of-month"),
        ({"cron": '"@daily"'}, "has not five fields"),
        ({"cron": '"0 0 0 * * *"'}, "has not five fields"),
        ({"cron": '"0 0 29 2 MON#6"'}, "Bad day-of-week"),
        ({"duration": '"12"'}, 'duration is "12"'),
        ({"duration": '"0h"'}, 'duration is "0h"'),
        ({"duration": '"400d"'}, "at most 366d"),
        ({"duration": "12"}, "duration must be a string"),
        ({"reason": '" "'}, "reason is empty"),
        ({"reason": ""}, "lacks reason"),
        ({"kind": '"denny"'}, 'kind is "denny"'),
        ({"nodes": '"n"'}, "nodes must be an array of strings"),
        ({"node": '["n"]'}, "node is unknown here"),
    ],
)
def test_a_mistake_in_a_window_is_named_with_its_line(
    project: Path, changes: dict[str, str], said: str
) -> None:
    """One error, and no window is left out silently."""
    write(project, quoted(), quoted(**changes))
    with pytest.raises(UsageError) as caught:
        Settings.from_environment()
    assert said in str(caught.value)
    assert "robbieblocks.toml, line " in str(caught.value)


def test_the_file_s_schema_has_windows() -> None:
    """An editor completes them."""
    windows = file_schema()["properties"]["freeze"]["properties"]["windows"]["items"]
    assert windows["required"] == ["cron", "duration", "zone", "reason"]
    assert windows["properties"]["kind"]["enum"] == ["", "deny", "allow"]
