"""Going back with one page: what is held then, through everything else that people do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.release import Hold, end_holds, hold_page, holds, pin_live, roll_back_page, unpin
from tests.building import Builder, run_of

pytestmark = pytest.mark.postgres

NODE, APP, PAGE = "vengeance-local", "play", "robbie-play-home"
FILE = "play/index.html"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
_TITLE = "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = %s"
_TOKEN = "UPDATE robbieblocks_style_tokens SET default_value = %s WHERE token_key = 'spacing.md'"


def back(built: Builder, to: str = "") -> Hold:
    """Go back with the home page on one node."""
    went = roll_back_page(built.site_root, NODE, APP, PAGE, to=to, who="ann", why="typo", now=NOW)
    return went.hold


def hold(built: Builder, until: datetime | None = None) -> Hold:
    """Hold the home page on one node."""
    return hold_page(
        built.site_root, NODE, APP, PAGE, who="bob", why="judges", now=NOW, until=until
    )


def home(built: Builder) -> str:
    """What visitors get."""
    return built.html(NODE, APP, FILE)


def live_hash(built: Builder) -> str:
    """The build hash that is live."""
    live = built.live(NODE, APP)
    assert live is not None
    return live.build_hash


@pytest.fixture
def versions(built: Builder) -> list[str]:
    """The home page in three versions, the last one live."""
    pages = [home(built)]
    for title in ("Second", "Third"):
        built.sql(_TITLE, title, PAGE)
        built.build(apps=[APP], nodes=[NODE])
        pages.append(home(built))
    return pages


def test_holding_anew_what_was_taken_back_keeps_it(built: Builder, versions: list[str]) -> None:
    """Whether the page alone was taken back or its app: no row changed since."""
    back(built)
    hold(built)
    built.sql(_TOKEN, "3.5rem")
    built.build(apps=[APP], nodes=[NODE])
    assert home(built) == versions[1]
    end_holds(built.site_root, NODE, APP, [PAGE])
    built.build(apps=[APP], nodes=[NODE])
    assert "Third" in home(built)
    release.roll_back(built.site_root, NODE, APP, who="ann", why="typo", now=NOW)
    taken_back = home(built)
    assert "Third" not in taken_back
    hold(built)
    unpin(built.site_root, NODE, APP)
    built.build(apps=[APP], nodes=[NODE])
    assert home(built) == taken_back
    assert PAGE in holds(built.site_root, NODE, APP)


def test_going_back_again_names_what_there_is(built: Builder, versions: list[str]) -> None:
    """And never leads to the version that was left; with a name it goes further back and stays."""
    oldest = release.kept_releases(built.site_root, NODE, APP)[-1].build_hash
    back(built)
    with pytest.raises(UsageError, match=f"taken back already(.|\n)*--to(.|\n)*{oldest[:12]}"):
        back(built)
    assert home(built) == versions[1]
    back(built, oldest)
    assert home(built) == versions[0]
    built.sql(_TOKEN, "3.5rem")
    built.build(apps=[APP], nodes=[NODE])
    assert home(built) == versions[0]


def test_versions_that_differ_by_a_token_do_not_alternate(built: Builder) -> None:
    """Going back again leads to no version that was left, though no row of the page has changed."""
    built.build(apps=[APP], nodes=[NODE])
    first = home(built)
    built.sql(_TOKEN, "3.5rem")
    built.build(apps=[APP], nodes=[NODE])
    assert home(built) != first
    back(built)
    assert home(built) == first
    with pytest.raises(UsageError, match="taken back already"):
        back(built)
    hold(built)
    with pytest.raises(UsageError, match="taken back already"):
        back(built)
    assert home(built) == first


def test_a_page_of_an_app_that_was_taken_back_goes_further_back(
    built: Builder, versions: list[str]
) -> None:
    """The pin goes along: nothing newer goes out, and no rollback is said to be cut short."""
    went = release.roll_back(built.site_root, NODE, APP, who="ann", why="broken", now=NOW)
    assert home(built) == versions[1]
    back(built)
    assert home(built) == versions[0]
    pin = release.pinned(built.site_root, NODE, APP)
    assert pin is not None
    assert (pin.build_hash, pin.why) == (live_hash(built), went.pin.why)
    built.sql(_TITLE, "Other", "robbie-play-blackjack")
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert run.pin == pin
    assert "cut short" not in "".join(map(str, run.problems))
    assert home(built) == versions[0]
    unpin(built.site_root, NODE, APP)
    built.build(apps=[APP], nodes=[NODE])
    assert home(built) == versions[0]
    assert "Other" in built.html(NODE, APP, "play/blackjack/index.html")


def test_a_held_page_of_an_app_that_goes_back_is_held_as_it_is_then(
    built: Builder, versions: list[str]
) -> None:
    """And stays so when the others come forward again; what tells of it names that release."""
    hold(built)
    other = hold_page(
        built.site_root, NODE, APP, "robbie-play-blackjack", who="bob", why="judges", now=NOW
    )
    release.roll_back(built.site_root, NODE, APP, who="ann", why="broken", now=NOW)
    held = holds(built.site_root, NODE, APP)
    assert (held[PAGE].build_hash, held[PAGE].who) == (live_hash(built), "bob")
    assert held["robbie-play-blackjack"] == other
    unpin(built.site_root, NODE, APP)
    run = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert home(built) == versions[1]
    assert any(f"held as of release {held[PAGE].build_hash[:12]}" in str(p) for p in run.problems)
    idle = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert (idle.outcome, idle.error) == ("unchanged", "")


def test_a_pin_of_another_release_stays(built: Builder, versions: list[str]) -> None:
    """A rollback that was cut short can still be completed."""
    pin_live(built.site_root, NODE, APP, who="ann", why="fair", now=NOW)
    file = release.AppFolder.of(built.site_root, NODE, APP).pin
    file.unlink()
    file.write_text("a" * 64)
    back(built)
    assert file.read_text() == "a" * 64
    file.unlink()
    file.write_text("{")
    oldest = release.kept_releases(built.site_root, NODE, APP)[-1].build_hash
    with pytest.raises(SiteUnavailable, match="could not read the pin"):
        back(built, oldest)
    assert home(built) == versions[1]


def test_a_component_that_is_unpublished_for_a_while_ends_no_hold(built: Builder) -> None:
    """The page stays live meanwhile, and held afterwards, when the component is another."""
    built.build(apps=[APP], nodes=[NODE])
    before = home(built)
    hold(built)
    built.sql("UPDATE robbieblocks_components SET is_published = false")
    gone = run_of(built.build(apps=[APP], nodes=[NODE]), NODE, APP)
    assert PAGE in {page.key for page in gone.held_back}
    assert home(built) == before
    built.sql(
        "UPDATE robbieblocks_components SET is_published = true,"
        " css_styles = concat(css_styles, '.more { color: red }')"
    )
    built.build(apps=[APP], nodes=[NODE])
    assert home(built) == before
    assert PAGE in holds(built.site_root, NODE, APP)


def test_a_hold_that_is_over_says_nothing_of_what_is_live_later(built: Builder) -> None:
    """The build that follows its end forgets it, so that a new one begins with the rows of now."""
    built.build(apps=[APP], nodes=[NODE])
    hold(built, datetime.now(UTC) - timedelta(seconds=1))
    built.sql(_TITLE, "Newer", PAGE)
    built.build(apps=[APP], nodes=[NODE])
    hold(built)
    built.sql(_TOKEN, "3.5rem")
    before = home(built)
    built.build(apps=[APP], nodes=[NODE])
    assert "Newer" in before == home(built)


def test_a_damaged_release_is_refused_and_leaves_no_hold(
    built: Builder, versions: list[str]
) -> None:
    """What was live stays."""
    older = release.kept_releases(built.site_root, NODE, APP)[1].build_hash
    file = release.AppFolder.of(built.site_root, NODE, APP).releases / older / FILE
    file.unlink()
    with pytest.raises(UsageError, match=f"release {older[:12]} of play .* is damaged"):
        back(built)
    assert holds(built.site_root, NODE, APP) == {}
    assert home(built) == versions[2]
