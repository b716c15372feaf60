"""docs/events.md and docs/monitoring/: what they name is there, and what they show works."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from prometheus_client.exposition import generate_latest

from robbieblocks import events
from robbieblocks.events.sending.messages import sentence
from robbieblocks.events.signing import signed_headers
from robbieblocks.worker.connections import Liveness
from robbieblocks.worker.health import Health
from robbieblocks.worker.health.metrics import Metrics
from robbieblocks.worker.timing import Timing

DOCS = Path(__file__).resolve().parents[2] / "docs"
NOW = datetime(2026, 11, 29, 8, tzinfo=UTC)
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo="
PAGE = events.ChangedPage(key="p", change="changed", path="/p")
COMMON = {"node", "app", "at", "key"}


def example(event: type[events.Event]) -> events.Event:
    """An event with a value of its own in each field."""
    given: dict[str, Any] = {"node": "day", "app": "play", "at": NOW}
    own: dict[str, Any] = {"pages": (PAGE,), "more_pages": 2, "until": NOW, "since": NOW}
    own |= {"after": "held", "what": ("a", "b"), "fields": ("name: Ada",)}
    if event is events.RunHeld:
        own["pages"] = ("p",)
    for each in fields(event):
        if each.name not in COMMON:
            given[each.name] = own.get(each.name, f"the {each.name}")
    return event(**given)


@pytest.mark.parametrize("event", events.EVENTS, ids=lambda each: each.kind)
def test_each_payload_is_as_its_schema_and_its_row_say(event: type[events.Event]) -> None:
    """The schema takes it, and takes it no more where a field is missing; the table names all."""
    schema = json.loads((DOCS / "events-schema.json").read_text())
    payload = json.loads(json.dumps(example(event).payload()))
    validator = jsonschema_rs.validator_for(schema)
    assert validator.is_valid(payload)
    for name in payload["data"]:
        less = {key: value for key, value in payload["data"].items() if key != name}
        assert not validator.is_valid({**payload, "data": less})
    (row,) = re.findall(rf"^\| `{re.escape(event.kind)}` \|.*$", _text("events.md"), re.MULTILINE)
    assert set(payload["data"]) - {"node", "app"} <= set(re.findall(r"`(\w+)`", row))


@pytest.mark.parametrize("event", events.EVENTS, ids=lambda each: each.kind)
def test_each_event_has_a_sentence(event: type[events.Event]) -> None:
    """It names the place, and what a person has to know of it."""
    said = sentence(example(event).payload())
    assert said.startswith("day/play: ")
    assert len(said) > len("day/play: ") + 10
    assert "{" not in said


def test_the_example_verifies_a_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands in the document: what was signed is taken, what was altered is not."""
    (code,) = re.findall(r"```python\n(.*?)```", _text("events.md"), re.DOTALL)
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  # the document's own example
    body = json.dumps(example(events.Pinned).payload()).encode()
    headers = dict(signed_headers([SECRET], "evt_1", datetime.now(UTC), body))
    assert names["handle"](body, headers) == 204
    assert names["handle"](body.replace(b"day", b"dax"), headers) == 401
    late = dict(signed_headers([SECRET], "evt_1", NOW.replace(year=2020), body))
    assert names["handle"](body, late) == 401


def test_the_example_of_a_payload_is_one() -> None:
    """The schema takes it."""
    schema = json.loads((DOCS / "events-schema.json").read_text())
    (text,) = re.findall(r"```json\n(.*?)```", _text("events.md"), re.DOTALL)
    assert jsonschema_rs.validator_for(schema).is_valid(json.loads(text))


def expressions() -> list[str]:
    """Every expression of the alert rules and of the dashboard."""
    rules = yaml.safe_load(_text("monitoring/alerts.yml"))
    dashboard = json.loads(_text("monitoring/grafana-dashboard.json"))
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for panel in dashboard["panels"]:
        found += [target["expr"] for target in panel["targets"]]
    found += [each["query"]["query"] for each in dashboard["templating"]["list"][1:]]
    return found


def test_each_metric_of_the_rules_and_the_dashboard_is_there() -> None:
    """A worker's /metrics has it; a counter by its name with _total, a histogram's with _bucket."""
    health = Health(node="n", timing=Timing(), liveness=Liveness())
    health.builds["play", "published"] = 1
    health.drifts["play", "disk"] = 1
    health.events.count("hook", "given up")
    text = generate_latest(Metrics(health)).decode()
    there = set(re.findall(r"^(robbieblocks_\w+)", text, re.MULTILINE))
    named = {name for each in expressions() for name in re.findall(r"\brobbieblocks_\w+", each)}
    assert len(named) > 10
    assert named - there == set()
    assert {"robbieblocks_drift", "robbieblocks_drifts_total"} <= named
    assert 'outcome="given up"' in text


def test_no_rule_takes_the_increase_of_a_series_that_begins_when_something_happens() -> None:
    """Prometheus has 0 for it: the first time would go unnoticed."""
    rules = yaml.safe_load(_text("monitoring/alerts.yml"))["groups"][0]["rules"]
    assert not [rule for rule in rules if "increase(" in rule["expr"]]


def test_alert_rules_have_what_prometheus_wants() -> None:
    """Names without spaces, each once; a severity, a summary and what to do; balanced brackets."""
    (group,) = yaml.safe_load(_text("monitoring/alerts.yml"))["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names)
    for rule in group["rules"]:
        assert re.fullmatch(r"[A-Za-z]+", rule["alert"])
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}
    for each in expressions():
        assert each.count("(") == each.count(")")
        assert each.count("{") == each.count("}")


def test_panels_of_the_dashboard_do_not_overlap() -> None:
    """Each has a place of its own in the 24 columns, an id and a title."""
    panels = json.loads(_text("monitoring/grafana-dashboard.json"))["panels"]
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells
        taken |= cells
    assert (
        len({panel["id"] for panel in panels}) == len({p["title"] for p in panels}) == len(panels)
    )


def _text(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")
