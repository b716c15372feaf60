"""The plan of a build: what happens to each page, and what differs from what is live."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from robbieblocks import failpoints
from robbieblocks.bundle import named_map
from robbieblocks.errors import ContentError
from robbieblocks.pipeline import BuildContext, Cause, PlannedPage, RunPlan
from robbieblocks.settings import resource_dir
from tests.building import NOW, Builder, run_of

pytestmark = pytest.mark.postgres

NODE, APP = "vengeance-local", "play"
HOME = "robbie-play-home"
CHAT = """
    UPDATE robbieblocks_page_blocks b SET {} FROM robbieblocks_components c, robbieblocks_pages p
     WHERE b.component_id = c.id AND b.page_id = p.id
       AND component_key = 'chat-interface' AND page_key = 'robbie-play-home'
"""


def plan_of(builder: Builder, node: str = NODE, app: str = APP) -> RunPlan:
    """What a dry run plans for one target."""
    report = builder.build(nodes=[node], apps=[app], dry_run=True)
    (found,) = [run for run in report.plan.runs if (run.target.node, run.target.app) == (node, app)]
    return found


def page_of(run: RunPlan, key: str) -> PlannedPage:
    """The plan of one page."""
    (found,) = [page for page in run.pages if page.key == key]
    return found


@pytest.fixture
def live(seeded: Builder) -> Builder:
    """An installation whose content is live on one node; one of its tokens names another."""
    seeded.sql(
        "UPDATE robbieblocks_style_tokens SET default_value = '{spacing.md}'"
        " WHERE token_key = 'spacing.lg'"
    )
    seeded.build(nodes=[NODE])
    return seeded


def chat_order(builder: Builder) -> str:
    (row,) = builder.sql(
        "SELECT block_order FROM robbieblocks_page_blocks b"
        " JOIN robbieblocks_components c ON c.id = b.component_id"
        " JOIN robbieblocks_pages p ON p.id = b.page_id"
        " WHERE component_key = 'chat-interface' AND page_key = 'robbie-play-home'"
    )
    return str(row["block_order"])


def test_nothing_differs(live: Builder) -> None:
    """Where the rows are those of the live release, every page is unchanged."""
    plan = plan_of(live)
    assert plan.pages == ()
    assert plan.live is not None
    assert set(plan.unchanged) == set(plan.live.pages)


def test_what_is_new_is_added(seeded: Builder) -> None:
    """On a node that has nothing yet, every page is added because of its row."""
    plan = plan_of(seeded)
    assert plan.unchanged == ()
    assert {page.change for page in plan.pages} == {"added"}
    assert page_of(plan, HOME).causes == (Cause("page", HOME),)


EDITS: dict[str, tuple[str, Callable[[Builder], tuple[Cause, ...]]]] = {
    "a page's title": (
        f"UPDATE robbieblocks_pages SET meta_title = 'New' WHERE page_key = '{HOME}'",
        lambda _: (Cause("page", HOME),),
    ),
    "a block's props": (
        CHAT.format('props = props || \'{"title": "New"}\''),
        lambda builder: (Cause("page_block", HOME, chat_order(builder)),),
    ),
    "a component": (
        "UPDATE robbieblocks_components SET react_code = react_code || ' /* */;export const n = 1'"
        " WHERE component_key = 'chat-interface'",
        lambda _: (Cause("component", "chat-interface"),),
    ),
    "a component that others import": (
        "UPDATE robbieblocks_components SET react_code = replace(react_code, 'Playful', 'Merry')"
        " WHERE component_key = 'mood-indicator'",
        lambda _: (Cause("component", "mood-indicator"),),
    ),
    "a token": (
        "UPDATE robbieblocks_style_tokens SET default_value = '17px'"
        " WHERE token_key = 'spacing.md'",
        lambda _: (Cause("style_token", "spacing.md"),),
    ),
    "a token's override": (
        "UPDATE robbieblocks_node_branding SET style_overrides ="
        f" style_overrides || '{{\"spacing.md\": \"18px\"}}' WHERE node_id = '{NODE}'",
        lambda _: (Cause("style_token", "spacing.md"),),
    ),
    "the node's own CSS": (
        "UPDATE robbieblocks_node_branding SET custom_css = 'p{margin:0}'"
        f" WHERE node_id = '{NODE}'",
        lambda _: (Cause("node_branding", NODE, "custom_css"),),
    ),
    "the node's name": (
        f"UPDATE robbieblocks_node_branding SET node_name = 'V' WHERE node_id = '{NODE}'",
        lambda _: (Cause("node_branding", NODE, "node_name"),),
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_changed_page_names_what_differs(live: Builder, edit: str) -> None:
    """The causes are the rows and fields that were edited, and no others (a token that names the
    edited one is none); a process that has nothing in memory finds the same ones."""
    statement, expected = EDITS[edit]
    live.sql(statement)
    warm = page_of(plan_of(live), HOME)
    live.context.close()
    with BuildContext.open(live.settings, live.said.append) as context:
        live.context = context
        cold = page_of(plan_of(live), HOME)
    assert warm.change == cold.change == "changed"
    assert warm.causes == cold.causes == expected(live)


def test_a_run_does_what_was_planned(live: Builder) -> None:
    """The report of a run has the pages and the causes of its plan."""
    live.sql(EDITS["a token"][0])
    planned = plan_of(live)
    run = run_of(live.build(nodes=[NODE], apps=[APP]), NODE, APP)
    assert [(page.key, page.change, page.causes) for page in run.planned] == [
        (page.key, page.change, page.causes) for page in planned.pages
    ]
    (row,) = live.sql("SELECT build_log FROM robbieblocks_deploys ORDER BY started_at DESC LIMIT 1")
    assert f"changed: {HOME} (token spacing.md)" in row["build_log"]


def test_a_template_is_a_cause(live: Builder, tmp_path: Path) -> None:
    """A changed layout or base style changes pages because of the templates; a process that runs
    on notices a change in either folder, and a file that the first takes over from the second.
    """
    own, packaged = tmp_path / "own", tmp_path / "packaged"
    own.mkdir()
    shutil.copytree(resource_dir("templates"), packaged)
    live.context.close()
    changed = replace(live.settings, templates=(own, packaged))
    with BuildContext.open(changed, live.said.append) as context:
        live.context = context
        assert not [page for page in plan_of(live).pages if page.causes]
        for folder in (packaged, own):
            text = (packaged / "page.html.j2").read_text()
            (folder / "page.html.j2").write_text(text + "<!-- new -->\n")
            context.refresh(live.said.append)
            assert page_of(plan_of(live), HOME).causes == (Cause("template", ""),)
            live.build(nodes=[NODE])
            context.refresh(live.said.append)
            assert not [page for page in plan_of(live).pages if page.causes]


def test_another_form_of_styles_rewrites_every_page_and_is_named_as_the_setting(
    live: Builder,
) -> None:
    """So is what goes back to the first; then there is nothing to do."""
    first = live.settings
    for settings in (replace(first, styles="linked"), first):
        live.context.close()
        with BuildContext.open(settings, live.said.append) as context:
            live.context = context
            causes = {page.causes for page in plan_of(live).pages}
            assert causes == {(Cause("setting", "site.styles"),)}
            live.build(nodes=[NODE])
            context.refresh(live.said.append)
            assert not [page for page in plan_of(live).pages if page.causes]


def test_source_maps_are_published_where_the_setting_says_so(live: Builder) -> None:
    """Each component's script names its map then, and the setting is named as the cause; without
    it all is as before. Code of components is in no file otherwise."""
    first, before = live.settings, live.live(NODE, APP)
    assert before is not None
    folder = live.site_root.path / NODE / "assets"
    for settings in (replace(first, source_maps=True), first):
        live.context.close()
        with BuildContext.open(settings, live.said.append) as context:
            live.context = context
            assert {page.causes[0] for page in plan_of(live).pages if page.causes} == {
                Cause("setting", "site.source_maps")
            }
            live.build(nodes=[NODE])
            made = live.live(NODE, APP)
            assert made is not None
            maps = {name for name in made.assets if name.endswith(".map")}
            scripts = {(folder / name).read_bytes() for name in made.assets if name[-3:] == ".js"}
            assert {named_map(script) for script in scripts} - {""} == maps
            assert {name: "sourcesContent" in (folder / name).read_text() for name in maps} == (
                dict.fromkeys(maps, True)
            )
            assert bool(maps) is settings.source_maps
            context.refresh(live.said.append)
            assert not [page for page in plan_of(live).pages if page.causes]
    after = live.live(NODE, APP)
    assert after is not None
    assert after.build_hash == before.build_hash


@pytest.mark.parametrize("name", ["base.css", "layout.css", "site.css", "page.html.j2"])
def test_a_missing_template_file_is_named(live: Builder, tmp_path: Path, name: str) -> None:
    """A template folder without one of its files is a content error that names the file."""
    templates = tmp_path / "templates"
    shutil.copytree(resource_dir("templates"), templates)
    (templates / name).unlink()
    with pytest.raises(ContentError, match=f"template {name}"):
        BuildContext.open(replace(live.settings, templates=(templates,)), live.said.append)


def test_an_instant_is_a_cause(live: Builder) -> None:
    """A block that a scheduled condition hides from now on names the instant, not its row."""
    until = NOW + timedelta(hours=1)
    order = chat_order(live)
    live.sql(CHAT.format("conditions = jsonb_build_object('until', %s::text)"), until.isoformat())
    live.build(nodes=[NODE])
    live.now = NOW + timedelta(hours=2)
    page = page_of(plan_of(live), HOME)
    assert (page.change, page.causes) == ("changed", (Cause("instant", until.isoformat(), order),))


def test_a_removed_page_names_its_row(live: Builder) -> None:
    """A page that is published no more is removed because of its row."""
    live.sql(f"UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = '{HOME}'")
    page = page_of(plan_of(live), HOME)
    assert (page.change, page.causes, page.made_from) == ("removed", (Cause("page", HOME),), None)


def test_a_disabled_app_is_a_cause(live: Builder) -> None:
    """Where a node no longer enables an app, its pages are removed because of the branding row."""
    live.sql(
        "UPDATE robbieblocks_node_branding SET enabled_apps = array_remove(enabled_apps, 'play')"
        f" WHERE node_id = '{NODE}'"
    )
    plan = plan_of(live)
    assert {page.change for page in plan.pages} == {"removed"}
    assert page_of(plan, HOME).causes == (Cause("node_branding", NODE, "enabled_apps"),)


def test_a_page_that_is_held_back_names_the_row_at_fault(live: Builder) -> None:
    """A component that can't be compiled is the cause, with its column."""
    live.sql(
        "UPDATE robbieblocks_components SET react_code = 'export default ('"
        " WHERE component_key = 'chat-interface'"
    )
    page = page_of(plan_of(live), HOME)
    assert page.change == "held back"
    assert page.causes == (Cause("component", "chat-interface", "react_code"),)
    assert page.live is not None


def test_a_damaged_file_is_a_cause(live: Builder) -> None:
    """A page whose live file was edited by hand is made again because of that."""
    path = live.settings.site_root / NODE / APP / "current" / "play" / "index.html"
    path.chmod(0o644)
    path.write_text("edited")
    page = page_of(plan_of(live), HOME)
    assert (page.change, page.causes) == ("changed", (Cause("release", "a damaged file"),))


def test_the_plan_is_known_before_anything_is_rendered(
    seeded: Builder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan's step is over before a block is rendered or a file is written."""
    reached: list[str] = []
    monkeypatch.setattr(failpoints, "hook", reached.append)
    seeded.build(nodes=[NODE], apps=[APP])
    assert reached.index("plan") < min(map(reached.index, ("render", "compose", "assets")))
