"""Whole builds of the seed content: what goes out, what is left alone, what is recorded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.release.files import disk
from tests.building import Builder, MakeBuilder, run_of
from tests.databases import Databases
from tests.integration.releases import overwrite

pytestmark = pytest.mark.postgres

VENGEANCE, AURORA = "vengeance-local", "aurora-town-local"
COLLABORATION, FLUENTI = "collaboration-local", "fluenti-local"


def test_every_node_gets_the_apps_it_enables(seeded: Builder) -> None:
    """A build without options publishes each node's apps and the shared pages, and nothing else."""
    report = seeded.build()
    assert report.exit_code == 0, report.problems
    enabled = {
        (row["node_id"], app)
        for row in seeded.sql("SELECT node_id, enabled_apps FROM robbieblocks_node_branding")
        for app in (*row["enabled_apps"], "shared")
    }
    assert {(run.node, run.app) for run in report.runs} == enabled
    assert {run.outcome for run in report.runs} == {"published"}
    assert "play/index.html" in seeded.files(VENGEANCE, "play")
    assert not (seeded.settings.site_root / AURORA / "play").exists()


def test_the_root_lists_apps_until_a_page_stands_there(seeded: Builder) -> None:
    """`/` is no row: it is in the shared app's release, is repaired as other files are, follows the
    rows of other apps, and gives way to a page of the owner's."""

    def index() -> bytes | None:
        return seeded.files(COLLABORATION, "shared").get("index.html")

    seeded.build()
    first = index()
    assert first is not None
    assert first.index(b"/work/") < first.index(b"/play/") < first.index(b"/code/")
    live = seeded.settings.site_root / COLLABORATION / "shared" / "current"
    overwrite(live / "index.html", b"broken")
    (run,) = seeded.build(apps=["shared"], nodes=[COLLABORATION], repair=True).runs
    assert (run.outcome, index()) == ("published", first)
    seeded.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'The card room' WHERE page_key = %s",
        "robbie-play-home",
    )
    seeded.build()
    changed = index()
    assert changed is not None
    assert b">The card room</a>" in changed
    seeded.sql("UPDATE robbieblocks_pages SET page_route = '/' WHERE page_key = 'robbie-play-home'")
    seeded.build()
    assert index() is None
    assert "index.html" in seeded.files(COLLABORATION, "play")
    assert "index.html" in seeded.files(FLUENTI, "shared")


def test_every_run_leaves_one_finished_row(seeded: Builder) -> None:
    """Each node and app has one success row with the live hash, counts, durations, log and plan."""
    report = seeded.build()
    rows = seeded.sql("SELECT * FROM robbieblocks_deploys")
    assert len(rows) == len(report.runs)
    for row in rows:
        live = seeded.live(row["node_id"], row["app_namespace"])
        assert live is not None
        assert row["build_hash"] == live.build_hash
        assert row["deploy_status"] == "success"
        assert row["triggered_by"] == "cli"
        assert row["pages_count"] == len(live.pages)
        assert row["components_count"] > 0
        assert row["completed_at"] >= row["started_at"]
        assert row["build_duration_ms"] >= 0
        assert row["deploy_duration_ms"] >= 0
        assert "published" in row["build_log"]
        details = row["details"]
        assert {page["key"]: page["change"] for page in details["pages"]} == {
            page.key: "added" for page in live.pages
        }
        assert len(details["plan"]) == 64
        assert details["phases_ms"]["render"] >= 0


def test_nothing_is_done_twice(seeded: Builder) -> None:
    """A second build compiles, renders and writes nothing, and says that nothing changed."""
    seeded.build()
    before = seeded.files(VENGEANCE, "play")
    report = seeded.build()
    assert {run.outcome for run in report.runs} == {"unchanged"}
    assert report.compiled == ()
    assert report.blocks_rendered == 0
    assert sum(run.files_written for run in report.runs) == 0
    assert seeded.files(VENGEANCE, "play") == before


def test_equal_rows_give_equal_hashes(
    make_builder: MakeBuilder, databases: Databases, seeded_template: str, tmp_path: Path
) -> None:
    """Two databases, two folders and two caches give the same build hash for every node and app."""
    hashes = []
    for number in range(2):
        home = tmp_path / f"home {number}"
        places = {"home": home, "site_root": home / "site", "cache": home / "cold cache"}
        with databases.copy(seeded_template) as conninfo:
            report = make_builder(conninfo, **places).build()
        hashes.append({(run.node, run.app): run.build_hash for run in report.runs})
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0].values())) == len(hashes[0])


def test_a_component_edit_touches_its_own_pages(built: Builder) -> None:
    """A changed component is one compiled module, and only the pages that place it are written."""
    built.sql(
        "UPDATE robbieblocks_components SET react_code = replace(react_code, 'Dealer stands on 17',"
        " 'Dealer rests on 17') WHERE component_key = 'blackjack-table'"
    )
    report = built.build(apps=["play"])
    assert report.compiled == ("blackjack-table",)
    for run in report.runs:
        assert [(page.key, page.change) for page in run.changed] == [
            ("robbie-play-blackjack", "changed")
        ]
    assert "Dealer rests on 17" in built.html(VENGEANCE, "play", "play/blackjack/index.html")


def test_a_new_class_touches_its_own_pages(built: Builder) -> None:
    """A utility class that is new changes only the pages of the component that names it."""
    built.sql(
        "UPDATE robbieblocks_components SET react_code = react_code || %s"
        " WHERE component_key = 'blackjack-table'",
        '\nexport const extra = "rotate-12 blur-3xl";',
    )
    (run,) = built.build(apps=["play"], nodes=[VENGEANCE]).runs
    assert [page.key for page in run.changed] == ["robbie-play-blackjack"]


def test_an_imported_component_reaches_pages_of_its_importers(built: Builder) -> None:
    """A component that others import is seen on every page of those, each compiled once."""
    built.sql(
        "UPDATE robbieblocks_components SET"
        " react_code = replace(react_code, 'Playful', 'Frolicsome')"
        " WHERE component_key = 'mood-indicator'"
    )
    report = built.build(nodes=[VENGEANCE], apps=["play"])
    assert report.compiled == ("mood-indicator",)
    assert "Frolicsome" in built.html(VENGEANCE, "play", "play/index.html")


def test_a_props_edit_compiles_nothing(built: Builder) -> None:
    """Changed props render their block again and nothing else."""
    built.sql(
        'UPDATE robbieblocks_page_blocks SET props = props || \'{"title": "Shout at the dealer"}\''
        " FROM robbieblocks_components c, robbieblocks_pages p WHERE component_id = c.id AND"
        " page_id = p.id AND component_key = 'chat-interface' AND page_key = 'robbie-play-home'"
    )
    report = built.build(apps=["play"])
    assert report.compiled == ()
    assert report.blocks_rendered == 1
    assert {page.key for run in report.runs for page in run.changed} == {"robbie-play-home"}
    assert "Shout at the dealer" in built.html(VENGEANCE, "play", "play/index.html")


def test_one_page_alone(built: Builder) -> None:
    """With a page named, the app's other pages stay byte for byte as they are live."""
    before = built.files(VENGEANCE, "play")
    built.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'New ' || page_key WHERE app_namespace = 'play'"
    )
    report = built.build(pages=["robbie-play-home"])
    after = built.files(VENGEANCE, "play")
    assert "<title>New robbie-play-home" in after["play/index.html"].decode()
    assert after["play/blackjack/index.html"] == before["play/blackjack/index.html"]
    assert {run.node for run in report.runs} == {VENGEANCE, COLLABORATION}


def test_one_page_of_an_app_that_is_not_live(seeded: Builder) -> None:
    """Where the app isn't live yet, naming a page builds the whole app."""
    report = seeded.build(pages=["robbie-play-home"], nodes=[VENGEANCE])
    run = run_of(report, VENGEANCE, "play")
    assert {page.key for page in run.pages} == {"robbie-play-home", "robbie-play-blackjack"}


def test_branding_differs_and_modules_do_not(built: Builder) -> None:
    """Nodes show their own theme and tokens, and load the very same modules."""
    scripts = []
    for node, theme in ((FLUENTI, "dark"), (AURORA, "light")):
        live = built.live(node, "work")
        assert live is not None
        page = live.by_key["robbie-work-dashboard"]
        assert f'data-theme="{theme}"' in built.html(node, "work", page.path)
        scripts.append({name for name in page.assets if name.endswith(".js")})
    assert scripts[0] == scripts[1] != set()


def test_a_broken_component_holds_its_pages_back(seeded: Builder) -> None:
    """A page with an error keeps its last good version, the others go out, and the row says so."""
    seeded.build(apps=["play"])
    good = seeded.html(VENGEANCE, "play", "play/blackjack/index.html")
    seeded.sql(
        "UPDATE robbieblocks_components SET"
        " react_code = 'export default function X() { return <div>'"
        " WHERE component_key = 'blackjack-table'"
    )
    seeded.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'Arcade' WHERE page_key = 'robbie-play-home'"
    )
    report = seeded.build(apps=["play"], nodes=[VENGEANCE])
    assert report.exit_code == 1
    (problem,) = [problem for problem in report.problems if problem.severity == "error"]
    assert problem.key == "blackjack-table"
    assert problem.line == 1
    assert seeded.html(VENGEANCE, "play", "play/blackjack/index.html") == good
    assert "<title>Arcade" in seeded.html(VENGEANCE, "play", "play/index.html")
    (row,) = seeded.sql("SELECT * FROM robbieblocks_deploys ORDER BY started_at DESC LIMIT 1")
    live = seeded.live(VENGEANCE, "play")
    assert live is not None
    assert row["deploy_status"] == "failed"
    assert row["build_hash"] == live.build_hash
    assert "robbie-play-blackjack" in row["error_message"]


def test_strict_is_all_or_nothing(built: Builder) -> None:
    """With --strict a page with an error stops its whole app, and no other app."""
    before = built.files(VENGEANCE, "play")
    built.sql(
        "UPDATE robbieblocks_pages SET layout_template = 'round'"
        " WHERE page_key = 'robbie-play-blackjack'"
    )
    built.sql("UPDATE robbieblocks_pages SET meta_title = 'New ' || page_key")
    report = built.build(nodes=[VENGEANCE], strict=True)
    assert run_of(report, VENGEANCE, "play").outcome == "failed"
    assert run_of(report, VENGEANCE, "code").outcome == "published"
    assert built.files(VENGEANCE, "play") == before


def test_broken_branding_stops_its_own_node(seeded: Builder) -> None:
    """A branding row with an error keeps its node as it is live; other nodes go out."""
    seeded.build(apps=["code"])
    before = seeded.files(VENGEANCE, "code")
    seeded.sql(
        "UPDATE robbieblocks_node_branding SET style_overrides = style_overrides ||"
        " '{\"color.primary\": \"red; } body { display: none\"}' WHERE node_id = 'vengeance-local'"
    )
    seeded.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'Benches' WHERE page_key = 'robbie-code-home'"
    )
    report = seeded.build(apps=["code"])
    assert run_of(report, VENGEANCE, "code").outcome == "failed"
    assert run_of(report, AURORA, "code").outcome == "published"
    assert seeded.files(VENGEANCE, "code") == before


def test_a_dry_run_writes_nothing(built: Builder, tmp_path: Path) -> None:
    """A dry run says what would change, page by page, and leaves database and site as they are."""
    built.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'Soon' WHERE page_key = 'robbie-work-home'"
    )
    rows = built.sql("SELECT count(*) FROM robbieblocks_deploys")
    queue = built.sql(
        "SELECT id, processed_at, handled_nodes FROM robbieblocks_change_triggers ORDER BY id"
    )
    before = built.files(AURORA, "work")
    report = built.build(dry_run=True, out=tmp_path / "preview")
    run = run_of(report, AURORA, "work")
    (page,) = run.changed
    assert page.key == "robbie-work-home"
    assert page.size is not None
    assert page.size_before is not None
    assert built.sql("SELECT count(*) FROM robbieblocks_deploys") == rows
    assert queue == built.sql(
        "SELECT id, processed_at, handled_nodes FROM robbieblocks_change_triggers ORDER BY id"
    )
    assert built.files(AURORA, "work") == before
    copy = tmp_path / "preview" / AURORA
    assert "<title>Soon" in (copy / "work/index.html").read_text()
    assert (copy / "work/dashboard/index.html").read_bytes() == before["work/dashboard/index.html"]
    names = {path.name for path in (copy / "_rb").iterdir()}
    live = built.live(AURORA, "work")
    assert live is not None
    assert set(live.assets) <= names


def test_a_copy_never_alters_the_site(seeded: Builder, tmp_path: Path) -> None:
    """A copy in the site root, or around it, by any name, is refused; one beside it is written
    through no symlink, and over no file that may be linked to a live one."""
    root = seeded.settings.site_root
    seeded.build(nodes=[AURORA])
    before = seeded.files(AURORA, "work")
    seeded.sql("UPDATE robbieblocks_pages SET meta_title = 'Soon'")
    (tmp_path / "link").symlink_to(root)
    for out in (root, root / AURORA / "x", root.parent, tmp_path / "link", Path("/")):
        with pytest.raises(UsageError, match="name another folder"):
            seeded.build(dry_run=True, out=out, nodes=[AURORA])
    out = tmp_path / "copy"
    out.mkdir()
    (out / AURORA).symlink_to(root / AURORA / "work" / "current")
    with pytest.raises(SiteUnavailable, match="symlinks"):
        seeded.build(dry_run=True, out=out, nodes=[AURORA])
    (out / AURORA).unlink()
    (out / AURORA / "work").mkdir(parents=True)
    live = (root / AURORA / "work" / "current" / "work").resolve()
    os.link(live / "index.html", out / AURORA / "work" / "index.html")
    (out / AURORA / "404.html").symlink_to(live / "index.html")
    seeded.build(dry_run=True, out=out, nodes=[AURORA])
    assert "<title>Soon" in (out / AURORA / "work" / "index.html").read_text()
    assert not (out / AURORA / "404.html").is_symlink()
    assert seeded.files(AURORA, "work") == before


def test_a_page_that_leaves_published_leaves_the_site(seeded: Builder) -> None:
    """An unpublished page is gone from the next release."""
    seeded.build(apps=["play"])
    seeded.sql(
        "UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'robbie-play-blackjack'"
    )
    report = seeded.build(apps=["play"], nodes=[VENGEANCE])
    (page,) = run_of(report, VENGEANCE, "play").changed
    assert (page.key, page.change) == ("robbie-play-blackjack", "removed")
    assert "play/blackjack/index.html" not in seeded.files(VENGEANCE, "play")


def test_an_app_that_a_node_enables_no_more_is_emptied(built: Builder) -> None:
    """Taking an app out of a node's branding takes its pages off that node, and off no other."""
    built.sql(
        "UPDATE robbieblocks_node_branding SET enabled_apps = '{code}' WHERE node_id = %s",
        VENGEANCE,
    )
    run = run_of(built.build_approved(), VENGEANCE, "play")
    assert {page.change for page in run.pages} == {"removed"}
    assert "play/index.html" not in built.files(VENGEANCE, "play")
    assert "play/index.html" in built.files(COLLABORATION, "play")
    assert ("play", VENGEANCE) not in {(run.app, run.node) for run in built.build().runs}


def test_two_pages_on_one_route_are_both_named(seeded: Builder) -> None:
    """Pages of two apps that want one route of a node are held back, each naming the other."""
    seeded.sql(
        "UPDATE robbieblocks_pages SET page_route = '/play/' WHERE page_key = 'robbie-code-home'"
    )
    report = seeded.build(nodes=[VENGEANCE])
    assert report.exit_code == 1
    text = "\n".join(str(problem) for problem in report.problems)
    assert "robbie-code-home" in text
    assert "robbie-play-home" in text


def test_a_new_page_takes_no_live_ones_route(
    seeded: Builder, make_builder: MakeBuilder, tmp_path: Path
) -> None:
    """The page that is live keeps its route; a node on which nothing is live comes to the same."""
    seeded.build(nodes=[VENGEANCE])
    seeded.sql(
        "INSERT INTO robbieblocks_pages "
        "(page_key, app_namespace, page_name, page_route, layout_template, status) "
        "VALUES ('aaa', 'play', 'Newcomer', '/play/', 'single-column', 'published')"
    )
    assert seeded.settings.database_url
    cold = make_builder(
        seeded.settings.database_url, site_root=tmp_path / "cold", cache=seeded.settings.cache
    )

    for builder in (seeded, cold):
        run = run_of(builder.build(nodes=[VENGEANCE]), VENGEANCE, "play")
        assert [page.key for page in run.pages if page.change == "held back"] == ["aaa"]
        (problem,) = run.problems
        assert (problem.key, problem.field) == ("aaa", "page_route")
        assert "page robbie-play-home" in problem.what
        live = builder.live(VENGEANCE, "play")
        assert live is not None
        assert live.by_key["robbie-play-home"].path == "play/index.html"
    # An older page that is moved to the route displaces it as little.
    seeded.sql(
        "UPDATE robbieblocks_pages SET created_at = '2001-01-01', page_route = '/play/' "
        "WHERE page_key IN ('aaa', 'robbie-code-home')"
    )
    report = seeded.build(nodes=[VENGEANCE])
    held = {page.key for run in report.runs for page in run.pages if page.change == "held back"}
    assert held == {"aaa", "robbie-code-home"}
    assert "is live there" in str(report.problems)


@pytest.mark.parametrize(("before", "after"), [("x.html", "x.html/y"), ("x.html/y", "x.html")])
def test_a_file_takes_the_place_of_a_folder_that_a_held_back_page_left(
    seeded: Builder, before: str, after: str
) -> None:
    """A page at a path in, or above, that of a page which moves and is held back goes out."""
    seeded.sql(
        "UPDATE robbieblocks_pages SET page_route = '/' || %s WHERE page_key = 'robbie-play-home'",
        before,
    )
    seeded.build(nodes=[VENGEANCE], apps=["play"])
    seeded.sql(
        "UPDATE robbieblocks_pages SET page_route = '/z/', layout_template = 'none' "
        "WHERE page_key = 'robbie-play-home'"
    )
    seeded.sql(
        "UPDATE robbieblocks_pages SET page_route = '/' || %s "
        "WHERE page_key = 'robbie-play-blackjack'",
        after,
    )
    run = run_of(seeded.build(nodes=[VENGEANCE], apps=["play"]), VENGEANCE, "play")
    changes = {page.key: page.change for page in run.pages}
    assert changes == {"robbie-play-home": "held back", "robbie-play-blackjack": "changed"}
    live = seeded.live(VENGEANCE, "play")
    assert live is not None
    assert [page.route for page in live.pages] == [f"/{after}"]


def test_a_build_answers_the_queue(seeded: Builder) -> None:
    """A full build handles every queue row, those that wait for a person among them."""
    seeded.sql("UPDATE robbieblocks_change_triggers SET auto_deploy = false")
    assert seeded.sql("SELECT id FROM robbieblocks_change_triggers WHERE processed_at IS NULL")
    seeded.build()
    assert not seeded.sql("SELECT id FROM robbieblocks_change_triggers WHERE processed_at IS NULL")


def test_a_build_of_one_node_leaves_the_others_their_work(seeded: Builder) -> None:
    """Rows stay open for the nodes that were not built."""
    seeded.build(nodes=[VENGEANCE])
    rows = seeded.sql(
        "SELECT handled_nodes FROM robbieblocks_change_triggers WHERE processed_at IS NULL"
    )
    assert rows
    assert all(AURORA not in row["handled_nodes"] for row in rows)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"nodes": ["vengeance"]}, "did you mean vengeance-local"),
        ({"pages": ["robbie-play-hom"]}, "did you mean robbie-play-home"),
        ({"apps": ["plai"]}, "did you mean play"),
        ({"apps": ["play"], "nodes": [AURORA]}, "enables play"),
        ({"apps": ["play"], "pages": ["robbie-work-home"]}, "contradict"),
    ],
)
def test_unknown_names_are_usage_errors(
    seeded: Builder, request_: dict[str, Any], said: str
) -> None:
    """A name that isn't there is answered with the nearest that is."""
    with pytest.raises(UsageError, match=said):
        seeded.build(**request_)


def test_an_empty_database_says_what_to_do(builder: Builder) -> None:
    """Without nodes there is nothing to build for, and the error says how to get one."""
    builder.sql("DELETE FROM robbieblocks_node_branding")
    with pytest.raises(UsageError, match="content import"):
        builder.build()


def test_no_pages_is_no_error(builder: Builder) -> None:
    """Nodes without pages get their node-wide files alone."""
    report = builder.build()
    assert report.exit_code == 0
    assert {run.app for run in report.runs} == {"shared"}
    assert b"not found" in builder.files(VENGEANCE, "shared")["404.html"].lower()


def test_a_full_disk_keeps_what_is_live(seeded: Builder, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a release can't be written, the old one is live, the run failed, the next heals."""
    seeded.build(apps=["play"], nodes=[VENGEANCE])
    before = seeded.files(VENGEANCE, "play")
    seeded.sql(
        "UPDATE robbieblocks_pages SET meta_title = 'Later' WHERE page_key = 'robbie-play-home'"
    )

    def full(name: str, content: bytes, *, dir_fd: int, modified_ns: int | None = None) -> Any:
        raise OSError(28, "No space left on device", name)

    with monkeypatch.context() as patch:
        patch.setattr(disk, "write_new", full)
        report = seeded.build(apps=["play"], nodes=[VENGEANCE])
    (run,) = report.runs
    assert report.exit_code == 3
    assert "No space left" in run.error
    assert seeded.files(VENGEANCE, "play") == before
    assert run_of(seeded.build(apps=["play"]), VENGEANCE, "play").outcome == "published"
