"""Holds: a page keeps its live bytes while the others of its app go on."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.pipeline import BuildContext
from robbieblocks.release import (
    Hold,
    RolledBackPage,
    SiteRoot,
    end_holds,
    hold_page,
    holds,
    roll_back_page,
)
from robbieblocks.release.checking import smoke
from robbieblocks.settings import Address
from tests.building import Builder, run_of
from tests.integration.releases import NODE as SMALL
from tests.integration.releases import app_folder, put_version

pytestmark = pytest.mark.postgres

NODE, APP, PAGE = "vengeance-local", "play", "robbie-play-home"
FILE = "play/index.html"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_TOKEN = "UPDATE robbieblocks_style_tokens SET default_value = %s WHERE token_key = 'spacing.md'"
_STYLES = "UPDATE robbieblocks_components SET css_styles = concat(css_styles, %s::text)"
_TITLE = "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = %s"


def hold(seeded: Builder, until: datetime | None = None) -> Hold:
    """Hold the home page on one node."""
    return hold_page(
        seeded.site_root, NODE, APP, PAGE, who="ann@web1", why="judges", now=NOW, until=until
    )


def others(seeded: Builder) -> dict[str, bytes]:
    """The live pages of the app but the home page."""
    files = seeded.files(NODE, APP)
    return {k: v for k, v in files.items() if k.endswith("index.html") and k != FILE}


def test_a_hold_that_ends_and_can_not_be_noted_is_told_by_the_run(built: Builder) -> None:
    """The worker's runs have no other place for it."""
    hold(built)
    log = built.settings.site_root / NODE / APP / "audit.jsonl"
    log.unlink()
    log.mkdir()
    built.site_root.unnoted.clear()
    built.sql(_TITLE, "Ends it", PAGE)
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert holds(built.site_root, NODE, APP) == {}
    assert "`robbieblocks audit` does not tell of all of it" in str(run.problems)
    assert built.site_root.unnoted == []


def test_a_held_page_keeps_its_bytes_while_the_others_go_on(built: Builder) -> None:
    """Through a change of a token and of every component, while the other node's page goes on; the
    report tells who holds it and what ends that; the release is whole."""
    held = hold(built)
    before, rest = built.html(NODE, APP, FILE), others(built)
    built.sql(_TOKEN, "3.5rem")
    built.sql(_STYLES, ".more { color: red }")
    report = built.build(apps=[APP])
    run = run_of(report, NODE, APP)
    assert report.exit_code == 0
    assert PAGE not in {page.key for page in run.changed}
    (problem,) = [each for each in run.problems if each.key == PAGE]
    assert (problem.severity, problem.entity) == ("warning", "page")
    assert f"held as of release {held.build_hash[:12]} by ann@web1" in str(problem)
    assert f"robbieblocks release {PAGE} --node {NODE} --app {APP}" in str(problem)
    assert built.html(NODE, APP, FILE) == before
    assert all(others(built)[path] != body for path, body in rest.items())
    assert PAGE in {page.key for page in run_of(report, "collaboration-local", APP).changed}
    assert release.verify(built.site_root, NODE, APP) == ()
    # Nothing waits for it: the change reached all that it was to reach.
    assert built.sql("SELECT FROM robbieblocks_change_triggers WHERE processed_at IS NULL") == []


def test_a_held_page_keeps_its_stylesheet_where_the_others_have_theirs_inside(
    seeded: Builder,
) -> None:
    """Its release has the file that the page names, though no other page has a link to it."""
    first, before = seeded.settings, ""
    for settings in (replace(first, styles="linked"), replace(first, styles="inline")):
        seeded.context.close()
        with BuildContext.open(settings, seeded.said.append) as context:
            seeded.context = context
            seeded.build(nodes=[NODE], apps=[APP])
            if settings.styles == "linked":
                before = seeded.html(NODE, APP, FILE)
                hold(seeded)
    assert seeded.html(NODE, APP, FILE) == before
    (link,) = re.findall(r'<link rel="stylesheet" href="/_rb/(.+?)"', before)
    assert all(link not in body.decode() for body in others(seeded).values())
    assert link in seeded.html(NODE, APP, "manifest.json")
    assert (seeded.settings.site_root / NODE / "assets" / link).is_file()
    assert release.verify(seeded.site_root, NODE, APP) == ()


def test_a_change_of_its_own_rows_ends_the_hold(built: Builder) -> None:
    """It goes out at once, and what follows does, too."""
    hold(built)
    built.sql(_TITLE, "Mine", PAGE)
    run = run_of(built.build(apps=[APP]), NODE, APP)
    assert [page.key for page in run.changed] == [PAGE]
    assert "Mine" in built.html(NODE, APP, FILE)
    assert holds(built.site_root, NODE, APP) == {}
    built.sql(_TOKEN, "3.5rem")
    assert PAGE in {p.key for p in run_of(built.build(apps=[APP]), NODE, APP).changed}


def test_a_held_page_whose_row_goes_is_removed(built: Builder) -> None:
    """A hold is no second copy of the content."""
    hold(built)
    built.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = %s", PAGE)
    run = run_of(built.build(apps=[APP]), NODE, APP)
    assert [(page.key, page.change) for page in run.changed] == [(PAGE, "removed")]
    assert holds(built.site_root, NODE, APP) == {}


def test_a_released_page_is_brought_up_to_date(built: Builder) -> None:
    """By a person, or by its time."""
    for end in ("person", "time"):
        hold(built, None if end == "person" else datetime.now(UTC) + timedelta(hours=1))
        built.sql(_TOKEN, f"{len(end)}.5rem")
        built.build(apps=[APP])
        before = built.html(NODE, APP, FILE)
        if end == "person":
            assert end_holds(built.site_root, NODE, APP, [PAGE, "no-such-page"]) == (PAGE,)
        else:
            hold(built, datetime.now(UTC) - timedelta(seconds=1))
        run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
        assert PAGE in {page.key for page in run.changed}
        assert built.html(NODE, APP, FILE) != before


def test_one_page_goes_back_while_the_others_stay(built: Builder) -> None:
    """To its bytes in the last release that had others, and stays there through later changes."""
    good = built.html(NODE, APP, FILE)
    built.sql(_TITLE, "Bad", PAGE)
    built.sql(_TITLE, "Other", "robbie-play-blackjack")
    built.build(apps=[APP])
    rest = others(built)
    roll_back_page(built.site_root, NODE, APP, PAGE, who="ann", why="typo", now=NOW)
    assert built.html(NODE, APP, FILE) == good
    assert others(built) == rest
    assert release.verify(built.site_root, NODE, APP) == ()
    built.sql(_TOKEN, "3.5rem")
    assert built.build(apps=[APP], nodes=[NODE]).exit_code == 0
    assert built.html(NODE, APP, FILE) == good
    assert all(others(built)[path] != body for path, body in rest.items())
    built.sql(_TITLE, "Better", PAGE)
    built.build(apps=[APP], nodes=[NODE])
    assert "Better" in built.html(NODE, APP, FILE)


def test_a_damaged_page_is_not_held(built: Builder) -> None:
    """Its bytes are gone: it is made from its rows, and the hold ends."""
    hold(built)
    page = built.settings.site_root / NODE / APP / "current" / FILE
    page.chmod(0o644)
    page.write_text("defaced")
    built.build(apps=[APP], nodes=[NODE], repair=True)
    assert "defaced" not in page.read_text()
    assert holds(built.site_root, NODE, APP) == {}


def test_holds_that_can_not_be_read_hold_everything(built: Builder) -> None:
    """Of that app on that node alone; the error names the file and what to do."""
    hold(built)
    file = built.settings.site_root / NODE / APP / "held.json"
    file.unlink()
    file.write_text("{")
    built.sql(_TOKEN, "3.5rem")
    report = built.build(apps=[APP])
    assert report.exit_code == 3
    bad, good = run_of(report, NODE, APP), run_of(report, "collaboration-local", APP)
    assert (bad.outcome, good.outcome) == ("failed", "published")
    assert "could not read the holds" in bad.error
    assert "remove the file" in bad.error


class TestWithoutADatabase:
    """What reads and writes the site root alone."""

    def test_what_is_not_live_is_told(self, site_root: SiteRoot) -> None:
        """With the nearest page that is."""
        put_version(site_root, 1)
        with pytest.raises(UsageError, match=r"no page 'page-play/p1/index.htm' of play"):
            hold_page(site_root, SMALL, "play", "page-play/p1/index.htm", who="", why="", now=NOW)

    def test_a_page_of_an_earlier_version_is_built_first(self, site_root: SiteRoot) -> None:
        """Its manifest does not say from which rows it is."""
        put_version(site_root, 1)
        with pytest.raises(UsageError, match="build it once"):
            hold_page(site_root, SMALL, "play", "page-play/index.html", who="", why="", now=NOW)


_VICTIM = """
import os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from robbieblocks import failpoints
from robbieblocks.release import SiteRoot, roll_back_page
def hook(reached):
    if reached == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
failpoints.hook = hook
roll_back_page(SiteRoot(Path(sys.argv[1])), "vengeance-local", "play", "robbie-play-home",
               who="ann", why="typo", now=datetime.now(UTC))
"""


@pytest.mark.parametrize("step", ["held", "assets", "synced", "swapped"])
def test_a_kill_leaves_a_whole_site_and_the_next_call_completes_it(
    built: Builder, step: str
) -> None:
    """Before the swap the page stays as it is, and held; nothing else is touched."""
    good = built.html(NODE, APP, FILE)
    built.sql(_TITLE, "Bad", PAGE)
    built.build(apps=[APP])
    argv = [sys.executable, "-c", _VICTIM, str(built.settings.site_root), step]
    done = subprocess.run(argv, check=False, timeout=50, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert (built.html(NODE, APP, FILE) == good) == (step == "swapped")
    assert release.verify(built.site_root, NODE, APP) == ()
    assert PAGE in holds(built.site_root, NODE, APP)
    if step != "swapped":
        roll_back_page(built.site_root, NODE, APP, PAGE, who="ann", why="typo", now=NOW)
    assert built.html(NODE, APP, FILE) == good


def _damaged(*_args: object) -> list[str]:
    return ["index.html is not what was written"]


def test_an_address_that_is_down_keeps_no_page_from_going_back(
    built: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told; what is wrong on the disk is swapped back, and nothing is held then."""
    good = built.html(NODE, APP, FILE)
    built.sql(_TITLE, "Bad", PAGE)
    built.build(apps=[APP])
    before = built.files(NODE, APP)

    def back() -> RolledBackPage:
        return roll_back_page(
            built.site_root,
            NODE,
            APP,
            PAGE,
            who="",
            why="",
            now=NOW,
            address=Address(url="http://127.0.0.1:9"),
        )

    with monkeypatch.context() as wrong:
        wrong.setattr(smoke, "check_files", _damaged)
        with pytest.raises(SiteUnavailable, match="swapped back"):
            back()
    assert built.files(NODE, APP) == before
    assert holds(built.site_root, NODE, APP) == {}
    went = back()
    assert [each.culprit for each in went.not_served] == ["the network"]
    assert built.html(NODE, APP, FILE) == good
    assert holds(built.site_root, NODE, APP) == {PAGE: went.hold}


def test_what_its_conditions_show_is_no_change_of_its_rows() -> None:
    """A block that appears at an instant ends no hold; a block that changes does."""
    held = Hold(rows="1a 1+0a 2-ff", build_hash="a" * 64)
    assert held.covers("1a 1+0a 2+ff")
    assert not held.covers("1a 1+0b 2-ff")
    assert not held.covers("1a 1+0a")


def test_another_page_is_no_hold_s(site_root: SiteRoot) -> None:
    """Of an app in which nothing was ever live there are none."""
    assert holds(site_root, SMALL, "play") == {}
    assert not app_folder(site_root).path.exists()
