"""The brake: a site is not emptied by mistake; a person approves exactly one plan."""

from __future__ import annotations

import json

import pytest

from robbieblocks.errors import UsageError
from tests.building import Builder, run_of

pytestmark = pytest.mark.postgres

NODE, APP = "vengeance-local", "play"


@pytest.fixture
def live(seeded: Builder) -> Builder:
    """An installation whose content is live on one node."""
    seeded.build(nodes=[NODE])
    return seeded


def page_count(builder: Builder) -> int:
    manifest = builder.live(NODE, APP)
    assert manifest is not None
    return len(manifest.pages)


def add_pages(builder: Builder, count: int) -> None:
    builder.sql(
        "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
        " layout_template, status) SELECT 'more-' || n, 'play', 'More', '/more/' || n || '/',"
        " 'single-column', 'published' FROM generate_series(1, %s) AS n",
        count,
    )
    builder.build(nodes=[NODE])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM robbieblocks_pages",
        "TRUNCATE robbieblocks_pages CASCADE",
        "UPDATE robbieblocks_pages SET status = 'draft'",
        "UPDATE robbieblocks_pages SET app_namespace = 'nobody'",
        "UPDATE robbieblocks_node_branding SET enabled_apps = '{}'",
        "DELETE FROM robbieblocks_page_blocks; DELETE FROM robbieblocks_pages",
    ],
)
def test_a_run_that_would_remove_every_page_is_held(live: Builder, statement: str) -> None:
    """However the pages went: every file stays live, and the run is `failed` and says `held:`."""
    before = live.files(NODE, APP)
    live.sql(statement)
    for unasked in (False, True):
        report = live.build(nodes=[NODE], allow_missing_apps=True, unasked=unasked)
        assert report.exit_code == 1
        run = run_of(report, NODE, APP)
        assert run.outcome == "failed"
        assert run.error.startswith("held: it would remove ")
        assert live.files(NODE, APP) == before
    rows = live.sql(
        "SELECT deploy_status, error_message FROM robbieblocks_deploys"
        " WHERE node_id = %s AND app_namespace = %s ORDER BY started_at",
        NODE,
        APP,
    )
    # One row for the run that was asked for; a check that nobody asked for leaves none.
    assert [row["deploy_status"] for row in rows] == ["success", "failed"]
    assert rows[-1]["error_message"].startswith("held:")


def test_the_approved_plan_goes_out_and_no_other(live: Builder) -> None:
    """The hash that the message names publishes that plan; after another edit it does not."""
    live.sql("UPDATE robbieblocks_pages SET status = 'draft' WHERE app_namespace = 'play'")
    held = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP).error
    approved = held.rpartition("--approve ")[2]
    live.sql(
        "UPDATE robbieblocks_pages SET status = 'published', meta_title = 'Back'"
        " WHERE page_key = 'robbie-play-home'"
    )
    before = live.files(NODE, APP)
    with pytest.raises(UsageError, match="no plan of this build has the hash"):
        live.build(nodes=[NODE], apps=[APP], approved=(approved,))
    assert live.files(NODE, APP) == before
    live.sql("UPDATE robbieblocks_pages SET status = 'draft' WHERE app_namespace = 'play'")
    report = live.build(nodes=[NODE], apps=[APP], approved=(approved,))
    assert report.exit_code == 0
    assert page_count(live) == 0


def test_the_hash_is_the_same_whoever_has_tried_to_render(live: Builder) -> None:
    """A worker that knows a page to fail names the hash that `build` finds, which does not know."""
    live.sql(
        "UPDATE robbieblocks_components SET react_code = 'export default () => { throw 1 }'"
        " WHERE component_key = 'blackjack-table'"
    )
    first, again = (live.build(nodes=[NODE], apps=[APP], dry_run=True).plan for _ in range(2))
    assert [page.change for page in first.runs[0].pages] != [
        page.change for page in again.runs[0].pages
    ]
    assert [run.hash for run in first.runs] == [run.hash for run in again.runs]


def test_a_dry_run_says_that_it_would_be_held(live: Builder) -> None:
    """What a pull request would remove is seen before it is merged, with the hash to approve."""
    live.sql("DELETE FROM robbieblocks_pages WHERE app_namespace = 'play'")
    dry = run_of(live.build(nodes=[NODE], apps=[APP], dry_run=True), NODE, APP)
    held = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP)
    assert dry.error == held.error


def test_a_third_of_the_pages_may_go(live: Builder) -> None:
    """Up to a third of an app's pages, or up to five, go without approval; more are held."""
    add_pages(live, 12)
    total = page_count(live)
    third = total // 3
    live.sql(
        "DELETE FROM robbieblocks_pages WHERE page_key IN "
        "(SELECT 'more-' || n FROM generate_series(1, %s) AS n)",
        third,
    )
    assert live.build(nodes=[NODE]).exit_code == 0
    assert page_count(live) == total - third
    live.sql("DELETE FROM robbieblocks_pages WHERE page_key LIKE 'more-%%'")
    run = run_of(live.build(nodes=[NODE]), NODE, APP)
    expected = "held:" if 12 - third > max(5, (total - third) // 3) else ""
    assert run.error.partition(" ")[0] == expected


def test_the_limit_is_kept_with_the_site(live: Builder) -> None:
    """`limits.json` in the site root sets it; one that can't be read holds everything back."""
    limits = live.settings.site_root / "limits.json"
    add_pages(live, 8)
    total = page_count(live)
    limits.write_text(json.dumps({"removals": {"pages": 0, "share": 0.0}}))
    live.sql("DELETE FROM robbieblocks_pages WHERE page_key = 'more-1'")
    assert run_of(live.build(nodes=[NODE]), NODE, APP).error.startswith("held:")
    for text in (
        "",
        "[]",
        '{"removals": {"pages": "many"}}',
        '{"removals": {"pages": 1e999}}',
        '{"removals": {"pages": 3, "share": 7}}',
        "\0",
        "[" * 100_000,
    ):
        limits.write_text(text)
        run = run_of(live.build(nodes=[NODE]), NODE, APP)
        assert "could not read the limits" in run.error
        assert page_count(live) == total
    limits.write_text(json.dumps({"removals": {"pages": 1, "share": 0.9}}))
    assert live.build(nodes=[NODE]).exit_code == 0
    assert page_count(live) == total - 1


def test_other_apps_go_on(live: Builder) -> None:
    """Only the app that would be emptied is held; an edit of another app goes out."""
    live.sql("DELETE FROM robbieblocks_pages WHERE app_namespace = 'play'")
    live.sql("UPDATE robbieblocks_pages SET meta_title = 'New' WHERE page_key = 'robbie-about'")
    report = live.build(nodes=[NODE])
    assert run_of(report, NODE, "shared").outcome == "published"
    assert run_of(report, NODE, APP).outcome == "failed"
