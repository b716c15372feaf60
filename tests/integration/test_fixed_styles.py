"""Styles at a fixed address: what an edit of tokens and branding makes anew, and what it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from robbieblocks import release
from robbieblocks.pipeline import Cause
from robbieblocks.release import hold_page, roll_back, roll_back_page
from tests.building import NOW, Builder, run_of

pytestmark = pytest.mark.postgres

NODE, APP, PAGE = "vengeance-local", "play", "robbie-play-home"
SHEET, ICON = "styles-play.css", "styles-play.svg"
_TOKEN = "UPDATE robbieblocks_style_tokens SET default_value = %s WHERE token_key = %s"
_OVERRIDE = """
    UPDATE robbieblocks_node_branding
       SET style_overrides = jsonb_set(style_overrides, '{color.background}', to_jsonb(%s::text))
     WHERE node_id = %s
"""
_CSS = "UPDATE robbieblocks_node_branding SET custom_css = %s WHERE node_id = %s"


@pytest.fixture
def live(seeded: Builder) -> Builder:
    """An installation whose content is live on one node, its styles at a fixed address."""
    use(seeded, "fixed")
    seeded.build(nodes=[NODE])
    return seeded


def use(builder: Builder, styles: str) -> None:
    """Build with this form of styles from now on."""
    settings = replace(builder.settings, styles=styles)  # type: ignore[arg-type] # of tests' own
    builder.context.use(settings, builder.said.append)


def test_an_edit_of_a_token_makes_the_stylesheet_anew_and_no_page(live: Builder) -> None:
    """The plan says so, and why; its hash approves just that. What is damaged is written again, and
    a rollback brings the old one back."""
    before = live.files(NODE, APP)
    assert SHEET in before
    live.sql(_TOKEN, "3.5rem", "spacing.md")
    plan = live.build(nodes=[NODE], apps=[APP], dry_run=True).plan
    (planned,) = plan.runs
    assert (planned.pages, planned.has_work) == ((), True)
    assert planned.sheet_causes == (Cause("style_token", "spacing.md"),)
    run = run_of(live.build(nodes=[NODE], apps=[APP], approved=(planned.hash,)), NODE, APP)
    assert run.outcome == "published"
    assert (run.changed, run.styles) == ((), (Cause("style_token", "spacing.md"),))
    after = live.files(NODE, APP)
    differ = {path for path in before | after if before.get(path) != after.get(path)}
    assert differ == {SHEET, "tokens.json", "manifest.json"}
    assert b"--spacing-md:3.5rem" in after[SHEET]
    assert live.build(nodes=[NODE], apps=[APP]).runs[0].outcome == "unchanged"
    sheet = live.settings.site_root / NODE / APP / "current" / SHEET
    sheet.unlink()
    sheet.write_bytes(b"damaged")
    live.build(nodes=[NODE], apps=[APP])
    assert live.files(NODE, APP)[SHEET] == after[SHEET]
    assert release.verify(live.site_root, NODE, APP) == ()
    roll_back(live.site_root, NODE, APP, who="ann", why="worse", now=NOW)
    assert live.files(NODE, APP)[SHEET] == before[SHEET]


def test_the_icon_in_the_colours_of_a_node_makes_no_page_anew(live: Builder) -> None:
    """It is beside the stylesheet, at an address that stays, too."""
    before = live.html(NODE, APP, ICON)
    assert f'<link rel="icon" href="/{ICON}"' in live.html(NODE, APP, "play/index.html")
    live.sql(_OVERRIDE.replace("background", "primary"), "#123456", NODE)
    run = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP)
    assert (run.changed, run.styles) == ((), (Cause("style_token", "color.primary"),))
    assert before != live.html(NODE, APP, ICON)


def test_what_a_page_shows_of_its_branding_makes_it_anew(live: Builder) -> None:
    """The background, which heads name, and which tokens there are; a node's own CSS does not."""
    live.sql(_CSS, ".rb-panel { color: red }", NODE)
    live.sql(_TOKEN, "3.5rem", "spacing.md")
    run = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP)
    assert run.changed == ()
    assert set(run.styles) == {
        Cause("node_branding", NODE, "custom_css"),
        Cause("style_token", "spacing.md"),
    }
    live.sql(_TOKEN, "4.5rem", "spacing.md")
    live.sql(_OVERRIDE, "#123456", NODE)
    run = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP)
    background = Cause("style_token", "color.background")
    assert {page.causes for page in run.changed} == {(background,)}
    assert len(run.changed) == len(run.pages)
    assert set(run.styles) == {background, Cause("style_token", "spacing.md")}
    assert '<meta name="theme-color" content="#123456">' in live.html(NODE, APP, "play/index.html")


def test_a_page_that_is_taken_back_brings_its_stylesheet_along(live: Builder) -> None:
    """Where what is live has none; the next build keeps it, in the look of now."""
    before = live.files(NODE, APP)
    use(live, "inline")
    live.build(nodes=[NODE], apps=[APP])
    assert not {SHEET, ICON} & live.files(NODE, APP).keys()
    roll_back_page(live.site_root, NODE, APP, PAGE, who="ann", why="worse", now=NOW)
    after = live.files(NODE, APP)
    assert (after["play/index.html"], after[SHEET]) == (before["play/index.html"], before[SHEET])
    assert release.verify(live.site_root, NODE, APP) == ()
    live.sql(_TOKEN, "3.5rem", "spacing.md")
    live.build(nodes=[NODE], apps=[APP])
    assert "--spacing-md:3.5rem" in live.html(NODE, APP, SHEET)
    assert live.html(NODE, APP, "play/index.html").encode() == before["play/index.html"]


def test_the_release_has_the_file_as_long_as_a_page_links_it(live: Builder) -> None:
    """A page that is held keeps it, with the look of now, when all others have their styles in
    themselves; then it goes. Fonts that it alone names are the release's."""
    manifest = live.live(NODE, APP)
    assert manifest is not None
    named = {name for page in manifest.pages for name in page.assets}
    fonts = {name for name in manifest.assets if name.endswith(".woff2")}
    assert fonts - named
    assert all(name in live.html(NODE, APP, SHEET) for name in fonts - named)
    hold_page(live.site_root, NODE, APP, PAGE, who="ann", why="judges", now=NOW)
    use(live, "inline")
    live.sql(_TOKEN, "3.5rem", "spacing.md")
    run = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP)
    assert PAGE not in {page.key for page in run.changed}
    assert "--spacing-md:3.5rem" in live.html(NODE, APP, SHEET)
    assert release.verify(live.site_root, NODE, APP) == ()
    release.end_holds(live.site_root, NODE, APP, [PAGE], who="ann")
    live.build(nodes=[NODE], apps=[APP])
    assert SHEET not in live.files(NODE, APP)
