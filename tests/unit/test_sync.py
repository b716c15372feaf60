"""What the sync decides without a database: addresses, names, columns, and what is told."""

from __future__ import annotations

import getpass
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from prometheus_client import generate_latest

from robbieblocks.cli.operating import systemd
from robbieblocks.errors import DatabaseUnavailable, MasterUnavailable, UsageError
from robbieblocks.settings import Settings, SyncSettings
from robbieblocks.sync.address import master_address
from robbieblocks.sync.health import State, SyncHealth
from robbieblocks.sync.loop import Loop
from robbieblocks.sync.master_values import TableRule
from robbieblocks.sync.node_values import OutboxState
from robbieblocks.sync.shapes import differences
from robbieblocks.sync.subscription import slot_name
from robbieblocks.sync.timing import Pauses, SyncTiming
from robbieblocks.worker import open_log

MakeSettings = Callable[..., Settings]
ROOT = Path(__file__).resolve().parents[2]
_ALERTS = ROOT / "docs" / "monitoring" / "sync-alerts.yml"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@localhost/site",
        "postgresql://me@127.0.0.1:5433/site?sslmode=disable",
        "host=/run/postgresql dbname=site",
        "postgresql://me@db.example.org/site?sslmode=verify-full",
        "host=db.example.org sslmode=require",
    ],
)
def test_an_address_that_is_safe_is_used_as_it_is(
    make_settings: MakeSettings, address: str
) -> None:
    """On this machine anything is, elsewhere what demands TLS."""
    settings = make_settings(sync=SyncSettings(master=address))
    assert master_address(settings) == address


def test_tls_is_demanded_off_the_machine(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An address without a word about it gets it; one that allows less is refused, unless told, as
    one whose host is not known here.
    """
    settings = make_settings(sync=SyncSettings(master="host=10.0.0.7 dbname=site"))
    assert "sslmode=require" in master_address(settings)
    monkeypatch.setenv("PGSSLMODE", "prefer")
    with pytest.raises(UsageError, match="sslmode=prefer allows a connection without TLS"):
        master_address(settings)
    told = replace(settings, sync=replace(settings.sync, is_tls_required=False))
    assert master_address(told) == "host=10.0.0.7 dbname=site"
    # The node's server makes the subscription, and it does not have this environment.
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    assert "sslmode=verify-full" in master_address(settings)
    monkeypatch.delenv("PGSSLMODE")
    local = make_settings(sync=SyncSettings(master="host=localhost dbname=site"))
    monkeypatch.setenv("PGHOSTADDR", "10.0.0.7")
    assert "sslmode=require" in master_address(local)
    monkeypatch.delenv("PGHOSTADDR")
    named = make_settings(sync=SyncSettings(master="service=master"))
    with pytest.raises(UsageError, match=r"(?s)named by a service.*sslmode=verify-full"):
        master_address(named)
    named = make_settings(sync=SyncSettings(master="service=master sslmode=verify-full"))
    assert master_address(named) == "service=master sslmode=verify-full"
    mixed = make_settings(sync=SyncSettings(master="host=localhost,10.0.0.7 sslmode=allow"))
    with pytest.raises(UsageError, match="sslmode=allow"):
        master_address(mixed)


def test_names_of_slots_are_what_postgres_allows_and_differ() -> None:
    """Small letters, digits and underscores, 63 at most, for names that differ in other signs."""
    names = ["aurora-town-local", "aurora_town_local", "Aurora.town-local", "n" * 100, "m" * 100]
    made = {slot_name(name) for name in names}
    assert len(made) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]{1,63}", name) for name in made)


def test_a_node_may_have_more_columns_than_the_master_and_not_fewer() -> None:
    """What is missing or of another type is named; a table that never comes does not matter."""
    rule = TableRule("pages", "both", "row", True, {"id": "uuid", "name": "text", "age": "integer"})
    assert differences(rule, {"id": "uuid", "name": "text", "age": "integer", "own": "text"}) == []
    assert differences(rule, {"id": "uuid", "age": "bigint"}) == [
        "pages.name is missing",
        "pages.age is bigint, there integer",
    ]
    assert differences(rule, {}) == ["there is no table pages"]
    assert differences(replace(rule, direction="never"), {}) == []


@pytest.fixture
def health() -> SyncHealth:
    """The state of a sync that has looked at everything once."""
    made = SyncHealth(node="aurora", progress_timeout_s=60.0, state="active")
    made.reconciled()
    return made


def test_health_tells_what_waits_and_what_is_wrong(health: SyncHealth) -> None:
    """Nothing is wrong at first; then each fault is a finding, and a metric."""
    assert health.unready == ""
    assert health.findings == []
    health.find("clock", "the clock is off")
    health.outbox = OutboxState(3, 2, datetime.now(UTC) - timedelta(minutes=10))
    found = health.findings
    assert found[0] == "the clock is off"
    assert "refuses 2 changes" in found[1]
    assert "a change waits for 600 s" in found[2]
    health.find("clock", "")
    assert len(health.findings) == 2
    health.state, health.why = "cut off", "no route"
    assert health.unready == "cut off: no route"
    text = generate_latest(health.metrics()).decode()
    assert 'robbieblocks_sync_up{node="aurora"} 0.0' in text
    assert 'robbieblocks_sync_refused{node="aurora"} 2.0' in text


def test_a_sync_that_makes_no_progress_is_stuck() -> None:
    """After the longest time that a round may take."""
    now = 0.0
    health = SyncHealth(node="aurora", progress_timeout_s=60.0, monotonic=lambda: now)
    now = 59.0
    assert health.stuck == ""
    now = 61.0
    assert "no progress for 61 s" in health.stuck
    health.tick()
    assert health.stuck == ""


def test_tables_of_the_file_have_direction_and_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In either order, one or both; what is neither is a mistake with the line."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "robbieblocks.toml"
    file.write_text(
        '[sync]\ninterval = 60\ntls = "optional"\n[sync.tables]\na = "down"\nb = "column both"\n'
        'c = "column"\n'
    )
    found = Settings.from_environment().sync
    assert found.tables == {"a": ("down", "row"), "b": ("both", "column"), "c": ("both", "column")}
    assert (found.interval_s, found.is_tls_required) == (60, False)
    file.write_text('[sync.tables]\na = "sideways"\n')
    with pytest.raises(UsageError, match="line 2"):
        Settings.from_environment()


def test_the_unit_of_a_sync_runs_it_and_is_known_again(make_settings: MakeSettings) -> None:
    """`systemd --sync` prints a unit whose command `doctor` finds in it."""
    asked = systemd.UnitCommand(node="aurora", user=getpass.getuser(), runs="sync run")
    text = systemd.unit(make_settings("host=/run/postgresql"), asked)
    assert re.search(r"^ExecStart=\S+ sync run --node aurora$", text, re.MULTILINE)
    assert "Description=RobbieBlocks sync for aurora" in text
    assert systemd.command_of(text) == asked
    assert str(asked).endswith("--sync")


def test_alert_rules_name_metrics_that_there_are(health: SyncHealth) -> None:
    """Each expression of docs/monitoring/sync-alerts.yml is over what the sync reports."""
    (group,) = yaml.safe_load(_ALERTS.read_text(encoding="utf-8"))["groups"]
    text = generate_latest(health.metrics()).decode()
    named = {
        name
        for rule in group["rules"]
        for name in re.findall(r"robbieblocks_sync_[a-z_]+", rule["expr"])
    }
    assert named
    assert all(f"\n{name}{{" in text for name in named)


def _rows(title: str) -> set[str]:
    """What the first column of a table of docs/sync.md names, by the column's title."""
    text = (ROOT / "docs" / "sync.md").read_text(encoding="utf-8")
    _, _, table = text.partition(f"| {title} | what it means | what to do |\n")
    rows = table.partition("\n\n")[0].splitlines()[1:]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_alarm_has_a_row_in_the_runbook() -> None:
    """Each rule of Prometheus, each state in which nothing goes on, and each topic of a finding."""
    rules = yaml.safe_load(_ALERTS.read_text(encoding="utf-8"))["groups"][0]["rules"]
    assert {rule["alert"] for rule in rules} == _rows("alarm for Prometheus")
    assert set(get_args(State)) - {"starting", "active", "stopping"} == _rows("state")
    topics = {
        topic
        for file in (ROOT / "robbieblocks" / "sync").glob("*.py")
        for topic in _topics(file.read_text(encoding="utf-8"))
    }
    assert len(topics) > 10
    assert topics <= _rows("topic")


def _topics(source: str) -> set[str]:
    """The topics that a module finds something wrong with."""
    return {
        topic
        for pattern in (
            r"\b_?find\(\s*\"([a-z]+)\"",
            r"\bfound\[\"([a-z]+)\"\]",
            r"\bfound\[f\"\{each\.node\} ([a-z]+)\"\]",
        )
        for topic in re.findall(pattern, source)
    }


@pytest.mark.parametrize("failure", [DatabaseUnavailable, MasterUnavailable])
def test_a_database_that_answers_and_fails_is_asked_ever_more_rarely(
    make_settings: MakeSettings,
    health: SyncHealth,
    monkeypatch: pytest.MonkeyPatch,
    failure: type[DatabaseUnavailable],
) -> None:
    """So a node's disk that is full fills its server's log no faster than the master's does."""
    pauses: list[float] = []

    class Failing(Loop):
        def _work(self) -> float:
            raise failure("the disk is full")

        def _wait(self, seconds: float) -> None:
            pauses.append(seconds)

    monkeypatch.setattr("random.uniform", lambda _low, high: high)
    loop = Failing(
        settings=make_settings(),
        node="aurora",
        health=health,
        log=open_log("json"),
        stopped=threading.Event(),
        timing=SyncTiming(reconnect_max_s=4.0),
    )
    for _ in range(5):
        loop.run_once()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 4.0]
    assert "the disk is full" in health.why


def test_pauses_grow_while_the_master_fails_and_are_short_again_after_success(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So a master that answers and refuses the work is not asked some times a second for ever."""

    def longest(_low: float, high: float) -> float:
        return high

    monkeypatch.setattr("random.uniform", longest)
    pauses = Pauses(4.0)
    assert [pauses.next_s() for _ in range(6)] == [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
    pauses.begin_anew()
    assert pauses.next_s() == 0.5
