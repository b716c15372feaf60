"""Pins: what a person holds live is not rolled over, by hand or by the worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.building import Builder, run_of

pytestmark = pytest.mark.postgres

NODE, OTHER = "vengeance-local", "collaboration-local"
_WAITING = "SELECT count(*) AS n FROM robbieblocks_change_triggers WHERE processed_at IS NULL"
_RUNS = "SELECT * FROM robbieblocks_deploys WHERE node_id = %s AND app_namespace = 'play' ORDER BY started_at DESC"  # noqa: E501  # a query reads best on one line


def pin(seeded: Builder) -> Path:
    """Hold what is live of an app on one node."""
    live = seeded.live(NODE, "play")
    assert live is not None
    file = seeded.settings.site_root / NODE / "play" / "pinned"
    file.write_text(f"{live.build_hash}\n")
    return file


def edit(seeded: Builder) -> None:
    """Change a page of the app."""
    seeded.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'Newer' WHERE page_key = 'robbie-play-home'"
    )


def test_a_build_leaves_a_pinned_release_and_says_so(built: Builder) -> None:
    """The pinned node stays byte for byte, the other one goes on, and the row waits."""
    pin(built)
    before = built.files(NODE, "play")
    edit(built)
    report = built.build(apps=["play"])
    assert report.exit_code == 0
    held, free = run_of(report, NODE, "play"), run_of(report, OTHER, "play")
    assert (held.outcome, free.outcome) == ("unchanged", "published")
    assert held.build_hash == held.hash_before
    assert held.changed == ()
    (problem,) = held.problems
    assert problem.severity == "warning"
    assert f"release {held.build_hash[:12]} is pinned on {NODE}" in str(problem)
    assert f"robbieblocks unpin --node {NODE} --app play" in str(problem)
    assert free.problems == ()
    assert held.pin is not None
    assert free.pin is None
    assert built.files(NODE, "play") == before
    assert built.sql(_WAITING) == [{"n": 1}]
    row = built.sql(_RUNS, NODE)[0]
    assert (row["deploy_status"], row["build_hash"]) == ("success", held.build_hash)
    assert "is pinned" in row["build_log"]


def test_a_dry_run_shows_that_nothing_would_go_out(built: Builder) -> None:
    """What a dry run says is what the build then does."""
    pin(built)
    edit(built)
    run = run_of(built.build(apps=["play"], dry_run=True), NODE, "play")
    assert (run.outcome, run.build_hash) == ("unchanged", run.hash_before)


def test_idle_looks_at_a_pinned_app_leave_no_row(built: Builder) -> None:
    """A reconcile every few minutes does not fill the history for as long as the pin stands."""
    pin(built)
    edit(built)
    built.build(apps=["play"], nodes=[NODE])
    runs = len(built.sql(_RUNS, NODE))
    for _ in range(2):
        built.build(apps=["play"], nodes=[NODE], unasked=True, repair=True)
    assert len(built.sql(_RUNS, NODE)) == runs


def test_without_the_pin_the_next_look_brings_the_content_live(built: Builder) -> None:
    """No row has to wait for it: what should be live is compared with what is."""
    file = pin(built)
    edit(built)
    built.build(apps=["play"])
    file.unlink()
    report = built.build(apps=["play"], nodes=[NODE], unasked=True, repair=True)
    assert run_of(report, NODE, "play").outcome == "published"
    assert "Newer" in built.html(NODE, "play", "play/index.html")


def test_a_damaged_pinned_release_is_healed(built: Builder) -> None:
    """A pin holds content, not damage: the same bytes are put back."""
    pin(built)
    before = built.files(NODE, "play")
    page = built.settings.site_root / NODE / "play" / "current" / "play" / "index.html"
    page.chmod(0o644)
    page.write_text("defaced")
    report = built.build(apps=["play"], nodes=[NODE], repair=True)
    assert run_of(report, NODE, "play").problems == ()
    assert built.files(NODE, "play") == before


def test_a_pin_does_not_hold_an_app_that_its_node_gave_up(built: Builder) -> None:
    """Taking an app out of enabled_apps empties it, pinned or not."""
    pin(built)
    built.sql(
        "UPDATE robbieblocks_node_branding SET enabled_apps = array_remove(enabled_apps, 'play')"
        " WHERE node_id = %s",
        NODE,
    )
    built.build_approved()
    live = built.live(NODE, "play")
    assert live is not None
    assert live.pages == ()
