"""Dry runs that show what is not published yet."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from robbieblocks.cli.building.render import as_markdown, as_text
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import RunReport, read_instant
from tests.building import Builder, run_of

pytestmark = pytest.mark.postgres

NODE, APP = "vengeance-local", "play"
HOME = "robbie-play-home"
PLAY = {"nodes": [NODE], "apps": [APP], "dry_run": True}

# A page of one block, as another page has it.
PAGE = """
    WITH page AS (
        INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,
                                        layout_template, status, published_at)
        SELECT %s, app_namespace, 'A new page', %s, layout_template, %s, now() + interval '9 years'
          FROM robbieblocks_pages WHERE page_key = 'robbie-play-home' RETURNING id)
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone)
    SELECT page.id, component.id, 1, 'main' FROM page, robbieblocks_components AS component
     WHERE component_key = %s
"""
COMPONENT = """
    INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code,
                                         props_schema, is_published)
    VALUES ('unready', 'Unready', 'widget', 'export default () => <h1>Not yet</h1>', '{}', false)
"""


def change_of(run: RunReport) -> dict[str, str]:
    return {page.key: page.change for page in run.pages}


def test_drafts_are_shown_and_named(seeded: Builder, tmp_path: Path) -> None:
    """With `drafts` a draft page is built with its unpublished component, whatever its date, and
    every form of the report names both; an archived page is not; a build without is as ever."""
    seeded.sql(COMPONENT)
    seeded.sql(PAGE, "soon", "/play/soon/", "draft", "unready")
    seeded.sql(PAGE, "gone", "/play/gone/", "archived", "unready")
    seeded.sql(
        "UPDATE robbieblocks_pages SET metadata = %s::jsonb WHERE page_key = 'soon'",
        '{"blocks": {"9": {}}}',
    )
    out = tmp_path / "out"
    report = seeded.build(drafts=True, out=out, pages=["soon"], nodes=[NODE], dry_run=True)
    run = run_of(report, NODE, APP)
    assert (report.exit_code, run.drafts) == (0, ("soon",))
    assert change_of(run)["soon"] == "added"
    assert "gone" not in change_of(run)
    assert "Not yet" in (out / NODE / "play/soon/index.html").read_text()
    (stale,) = [problem for problem in report.problems if problem.key == "soon"]
    assert (stale.severity, stale.what) == ("warning", "the page has no block 9")
    (warning,) = [problem for problem in report.problems if problem.key == "unready"]
    assert (warning.severity, warning.field) == ("warning", "is_published")
    assert "added      soon  /play/soon/  draft" in as_text(report)
    assert "| added (draft) |" in as_markdown(report)
    assert run.as_json()["drafts"] == ["soon"]

    assert "soon" not in change_of(run_of(seeded.build(**PLAY), NODE, APP))
    with pytest.raises(UsageError, match="no published page 'soon'"):
        seeded.build(pages=["soon"], dry_run=True)


@pytest.mark.parametrize("live", [False, True])
def test_a_draft_takes_the_place_of_a_published_page(seeded: Builder, live: bool) -> None:
    """A draft with the route of a published page is shown there, and a warning names both; nothing
    that is live, and no later build, is altered by it."""
    if live:
        seeded.build(nodes=[NODE], apps=[APP])
    (route,) = seeded.sql("SELECT page_route FROM robbieblocks_pages WHERE page_key = %s", HOME)
    seeded.sql(PAGE, "zz-home-2", route["page_route"], "draft", "chat-interface")
    files = seeded.files(NODE, APP) if live else {}
    report = seeded.build(drafts=True, **PLAY)
    changes = change_of(run_of(report, NODE, APP))
    assert report.exit_code == 0
    assert changes["zz-home-2"] == "added"
    assert changes.get(HOME) == ("removed" if live else None)
    (warning,) = [problem for problem in report.problems if problem.key == HOME]
    assert (warning.severity, "zz-home-2" in warning.what) == ("warning", True)
    after = run_of(seeded.build(**PLAY), NODE, APP)
    assert change_of(after)[HOME] == ("unchanged" if live else "added")
    assert (seeded.files(NODE, APP) if live else {}) == files


def test_an_instant_decides_what_is_due(seeded: Builder, tmp_path: Path) -> None:
    """`at` shows the pages whose `published_at` has come by then, and what conditions with a time
    show; before, it does not, and routes are compared at that instant too."""
    seeded.sql(PAGE, "party", "/play/party/", "published", "chat-interface")
    seeded.sql(
        "UPDATE robbieblocks_pages SET published_at = '2026-12-24T17:00Z' WHERE page_key = 'party'"
    )
    seeded.sql(
        'UPDATE robbieblocks_page_blocks SET conditions = \'{"from": "2026-12-24T18:00:00Z"}\''
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'party')"
    )
    assert "party" not in change_of(run_of(seeded.build(**PLAY), NODE, APP))
    shown = {}
    for at in ("2026-12-24T18:00+01:00", "2026-12-24T18:00Z"):
        out = tmp_path / at
        seeded.build(at=read_instant(at), out=out, **PLAY)
        shown[at] = 'id="b1"' in (out / NODE / "play/party/index.html").read_text()
    assert list(shown.values()) == [False, True]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("2026-12-24T18:00", "names no zone"),
        ("christmas\x1b[31m", r"christmas\\x1b"),
        ("0001-01-01T00:00+14:00", "is no instant"),
    ],
)
def test_an_instant_must_name_its_zone(text: str, wrong: str) -> None:
    """What is no instant, or leaves its zone open, is refused with an example."""
    with pytest.raises(UsageError, match=wrong) as refused:
        read_instant(text)
    assert "+01:00" in str(refused.value)
    assert read_instant("2026-12-24T18:00+01:00") == datetime(2026, 12, 24, 17, tzinfo=UTC)
