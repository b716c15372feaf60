"""Builds as the worker asks for them: the rows, the lease and the run's row around each."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg import Connection

from robbieblocks import changes, failpoints, record, release
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.pipeline import BuildContext, Request, Site, build
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.building import NOW
from tests.workers import NODES, edit, shown

pytestmark = pytest.mark.postgres

NODE = NODES[0]
Db = Connection
Connect = Callable[[str], Connection]


def ids(db: Db) -> list[Any]:
    return [row[0] for row in db.execute("SELECT id FROM robbieblocks_change_triggers")]


@pytest.fixture
def hook() -> Iterator[dict[str, Callable[[], object]]]:
    """What to do when a step of the pipeline is reached."""
    steps: dict[str, Callable[[], object]] = {}
    before = failpoints.hook

    def reached(step: str) -> None:
        steps.pop(step, lambda: None)()

    failpoints.hook = reached
    yield steps
    failpoints.hook = before


@pytest.fixture
def run(
    editor: Db, settings: Settings, open_connection: Connect, toolchain: object
) -> Iterator[Callable[..., Any]]:
    """Builds play on the node, as the worker does."""
    assert toolchain
    site_root = SiteRoot(settings.site_root)
    with BuildContext.open(settings, lambda _: None) as context:

        def go(connection: Db | None = None, **request: Any) -> Any:
            return build(
                Request(nodes=(NODE,), apps=("play",), allow_missing_apps=True, **request),
                context=context,
                connection=connection or open_connection("work"),
                site=Site(root=site_root, create=True),
                clock=lambda: NOW,
                progress=lambda _: None,
            )

        yield go


def test_exactly_the_rows_of_the_snapshot_are_acknowledged(
    editor: Db, settings: Settings, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """An edit that is committed after the snapshot waits on, and is built by the next run."""
    edit(editor, "play", 1)
    hook["read"] = lambda: edit(editor, "play", 2)
    report = run(triggered_by="change")
    assert len(report.handled) == 1
    assert shown(settings.site_root, NODE, "play") == 1
    assert changes.waiting(editor, NODE).count == 1
    run(triggered_by="change")
    assert shown(settings.site_root, NODE, "play") == 2
    assert changes.waiting(editor, NODE).count == 0


def test_no_transaction_is_open_while_building(
    editor: Db, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """Compiling and rendering hold back no vacuum and no lock of the editors'."""
    states: list[str] = []

    def ask() -> None:
        found = editor.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'robbieblocks work'"
        ).fetchall()
        states.extend(row[0] for row in found)

    hook |= {"compile": ask, "render": ask, "written": ask}
    run()
    assert states == ["idle"] * 3


def test_a_run_is_written_before_its_work_with_a_sign_of_life(
    editor: Db, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """While it is built, a run's row says so, names its rows, and is kept alive."""
    seen: list[Any] = []

    def ask() -> None:
        record.heartbeats(editor)
        seen.append(
            editor.execute(
                "SELECT deploy_status, incarnation IS NOT NULL, trigger_ids, heartbeat_at > started_at FROM robbieblocks_deploys"
            ).fetchone()
        )

    edit(editor, "play", 1)
    row = ids(editor)[0]
    hook["assemble"] = ask
    report = run(triggered_by="change")
    assert seen == [("building", True, [row], True)]
    assert report.runs[0].run is not None


def test_a_worker_that_lost_its_lock_does_not_publish(
    editor: Db,
    settings: Settings,
    run: Callable[..., Any],
    hook: dict[str, Callable[[], object]],
    open_connection: Connect,
) -> None:
    """Right before the swap the lease is asked for again; without it what is live stays."""
    run()
    edit(editor, "play", 1)
    connection = open_connection("work")
    pid = connection.info.backend_pid
    hook["synced"] = lambda: editor.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(DatabaseUnavailable):
        run(connection, triggered_by="change")
    assert shown(settings.site_root, NODE, "play") == 0
    assert changes.waiting(editor, NODE).count == 1
    run(triggered_by="change")
    assert shown(settings.site_root, NODE, "play") == 1
    statuses = editor.execute(
        "SELECT deploy_status FROM robbieblocks_deploys ORDER BY started_at"
    ).fetchall()
    assert statuses == [("success",), ("failed",), ("success",)]


def test_a_run_that_was_taken_for_dead_does_not_publish(
    editor: Db, settings: Settings, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """When a peer has closed its row meanwhile, a build stops short of the swap and says why."""
    run()
    edit(editor, "play", 1)
    hook["compose"] = lambda: record.close_dead(editor, NODE, "play")
    report = run(triggered_by="change")
    assert "taken for dead" in report.runs[0].error
    assert report.runs[0].transient
    assert shown(settings.site_root, NODE, "play") == 0


def test_peers_close_runs_that_give_no_sign_of_life(editor: Db) -> None:
    """A run whose worker never came back is failed by any other worker, once it is silent."""
    run_ = record.start(editor, node="gone", app="play", triggered_by="change", live_hash=None)
    assert record.close_abandoned(editor, 3600) == 0
    editor.execute("UPDATE robbieblocks_deploys SET heartbeat_at = now() - interval '2 minutes'")
    assert record.close_abandoned(editor, 60) == 1
    assert not record.phase(editor, run_, "deploying")


def test_damage_is_repaired_by_a_full_build_alone(
    editor: Db, settings: Settings, run: Callable[..., Any]
) -> None:
    """A page, a token file, an asset: what was changed on disk is made again, and only that."""
    run()
    current = settings.site_root / NODE / "play" / "current"
    right = {path: path.read_bytes() for path in current.rglob("*") if path.is_file()}
    asset = next((settings.site_root / NODE / "assets").glob("favicon-*.svg"))
    kept = asset.read_bytes()
    (current / "tokens.json").chmod(0o644)  # nobody but root writes over it as it is
    (current / "tokens.json").write_bytes(b"{}")
    (current / "play" / "index.html").unlink()
    asset.unlink()
    assert release.verify(SiteRoot(settings.site_root), NODE, "play")
    report = run(unasked=True, repair=True)
    assert report.runs[0].error == ""
    assert release.verify(SiteRoot(settings.site_root), NODE, "play") == ()
    assert asset.read_bytes() == kept
    for path, body in right.items():
        if not path.name.startswith("."):
            assert path.read_bytes() == body


def test_an_idle_look_that_finds_nothing_leaves_no_row(editor: Db, run: Callable[..., Any]) -> None:
    """Only what was asked for, or changed something, is recorded."""
    run()
    run(unasked=True)
    run(triggered_by="change")
    assert editor.execute("SELECT count(*) FROM robbieblocks_deploys").fetchone() == (2,)


def test_a_row_for_two_apps_is_answered_when_both_are_built(
    editor: Db, run: Callable[..., Any]
) -> None:
    """One app's build leaves the row to wait for the other, unless that one was credited."""
    editor.execute("UPDATE robbieblocks_components SET component_name = 'Sign'")
    (row,) = ids(editor)
    report = run(triggered_by="change")
    assert report.handled == frozenset()
    assert changes.waiting(editor, NODE).count == 1
    others = report.node_apps[NODE] - {"play"}
    assert run(triggered_by="change", built_before={row: others}).handled == {row}
    assert changes.waiting(editor, NODE).count == 0
