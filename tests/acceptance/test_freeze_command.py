"""`freeze`, `unfreeze` and `build --during-freeze` beside a worker."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from robbieblocks import release
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.acceptance.test_rollback_command import built_site, command, handled, play
from tests.workers import NODES, Worker, asked, edit, running, until, until_shown

__all__ = ["built_site"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
PLACE = ("--node", NODE, "--app", "play")
Db = psycopg.Connection
_RUN = """
    SELECT triggered_by, build_log, details FROM robbieblocks_deploys
     WHERE app_namespace = 'play' AND node_id = %s ORDER BY started_at DESC LIMIT 1
"""


def in_an_hour() -> str:
    """An instant, as --until takes it."""
    return (datetime.now(UTC) + timedelta(hours=1)).isoformat()


def last_run(editor: Db) -> tuple[str, str, dict[str, Any]]:
    """What the app's last run was asked for by, its log and its details."""
    row = editor.execute(_RUN, (NODE,)).fetchone()
    assert row is not None
    return row[0], row[1], row[2]


def test_a_worker_publishes_at_the_end_of_a_freeze(small_site: Settings, editor: Db) -> None:
    """Everything that waited, in one release, by itself; it is ready all the while, and `status`
    says who froze it, why, until when, what waits and what follows."""
    with running(worker := Worker(small_site, NODE, ("--health", "127.0.0.1:0"))):
        worker.wait_until_ready()
        until_shown(small_site.site_root, NODE, 0)
        done = command(small_site, "freeze", "--until", in_an_hour(), "--reason", "holidays")
        assert done.code == 0, done.err
        assert "all nodes: frozen by " in done.out
        runs = len(worker.logged("run.finished", app="play"))
        for version in (1, 2):
            edit(editor, "play", version)
            worker.wait_for("run.finished", count=runs + version, app="play")
        assert "holidays" in worker.logged("run.finished", app="play")[-1]["frozen"]
        ready = asked(worker, "/readyz")
        assert ready.status_code == 200
        assert "holidays" in ready.json()["frozen_apps"]["play"]
        assert ready.json()["findings"] == []
        metrics = asked(worker, "/metrics").text
        assert f'robbieblocks_frozen_apps{{node="{NODE}"}} 1.0' in metrics
        state = play(small_site)
        assert (state["verdict"], state["waiting"]) == ("frozen, 2 waiting", 2)
        assert (state["freeze"]["why"], state["would_change"]) == ("holidays", None)
        told = command(small_site, "status", "--node", NODE)
        assert "holidays, 2 changes waiting; the release that follows: 1 changed (play)" in told.out
        assert command(small_site, "status", "--node", NODE, "--check").code == 0

        published = len(worker.logged("run.finished", app="play", outcome="published"))
        root = SiteRoot(small_site.site_root)
        now = datetime.now(UTC)
        release.freeze(
            root, (), who="ann", why="soon over", now=now, until=now + timedelta(seconds=5)
        )
        edit(editor, "play", 3)
        until_shown(small_site.site_root, NODE, 3)
        until(lambda: handled(editor))
        worker.wait_for("run.finished", count=published + 1, app="play", outcome="published")
        found = worker.logged("run.finished", app="play", outcome="published")
        assert len(found) == published + 1
        assert datetime.now(UTC) >= now + timedelta(seconds=5)
        until(lambda: asked(worker, "/readyz").json()["frozen_apps"] == {})


def test_publishing_during_a_freeze_and_ending_it(built_site: Settings, editor: Db) -> None:
    """The first is recorded and shown by `status`; the second brings what waits; going back works
    in between."""
    done = command(
        built_site, "freeze", "--node", NODE, "--until", in_an_hour(), "--reason", "fair"
    )
    assert done.code == 0, done.err
    edit(editor, "play", 1)
    waits = command(built_site, "build", *PLACE)
    assert waits.code == 0
    assert "nothing newer goes out, and changes wait: 1 page would change" in waits.out
    urgent = command(built_site, "build", *PLACE, "--during-freeze", "--reason", "wrong price")
    assert urgent.code == 0, urgent.err
    until_shown(built_site.site_root, NODE, 1)
    by, log, details = last_run(editor)
    assert (by, "wrong price" in log) == ("during-freeze", True)
    assert details["during_freeze"]["why"] == "wrong price"
    assert "(during-freeze)" in command(built_site, "status", "--node", NODE, "--quick").out
    back = command(built_site, "rollback", *PLACE, "--reason", "worse")
    assert back.code == 0, back.err
    until_shown(built_site.site_root, NODE, 0)
    assert command(built_site, "unpin", *PLACE).code == 0
    until_shown(built_site.site_root, NODE, 0)
    ended = command(built_site, "unfreeze")
    assert ended.code == 0, ended.err
    assert f"{NODE}: no longer frozen by" in ended.err
    until_shown(built_site.site_root, NODE, 1)
    again = command(built_site, "unfreeze")
    assert (again.code, "nobody froze anything" in again.error) == (2, True)


REFUSED = (
    (("freeze", "--until", "2020-01-01T00:00Z", "--reason", "x"), "is over already"),
    (("freeze", "--until", "2999-01-01T00:00", "--reason", "x"), "names no zone of time"),
    (("freeze", "--until", "2999-01-01T00:00Z", "--reason", " "), "--reason is empty"),
    (
        ("freeze", "--until", "2999-01-01T00:00Z", "--reason", "x", "--node", "vengeance"),
        "no node 'vengeance' is live",
    ),
    (("unfreeze", "--node", NODE), f"nobody froze {NODE}"),
    (("build", *PLACE, "--during-freeze"), "--during-freeze needs --reason"),
    (("build", *PLACE, "--reason", "x"), "--reason goes with --during-freeze"),
    (
        ("rollback", "--only", "play", "--all", "--node", NODE, "--reason", "x"),
        "--all contradicts --node and --app",
    ),
    (("pin", *PLACE, "--all", "--reason", "x"), "--all contradicts --node and --app"),
)


def test_what_is_wrong_is_told_and_nothing_is_frozen(built_site: Settings) -> None:
    """One error each, exit code 2."""
    for arguments, said in REFUSED:
        ran = command(built_site, *arguments)
        assert (ran.code, said in ran.error) == (2, True), ran.err
    assert not (built_site.site_root / "freezes.json").exists()


def test_pins_and_holds_of_several_places_do_all_of_them(built_site: Settings) -> None:
    """What fails for one is told, and the exit code is that of the worst."""
    for app in ("shared", "code"):
        assert command(built_site, "build", "--node", NODE, "--app", app).code == 0
    root = built_site.site_root / NODE
    broken = root / "play" / "held.json"
    # The first app of the three can't be changed.
    spoilt(root / "code")
    pinned = command(built_site, "pin", "--node", NODE, "--reason", "x")
    assert pinned.code == 3
    assert f"{NODE}/code: could not" in pinned.err
    assert [(root / app / "pinned").is_file() for app in ("play", "shared")] == [True, True]
    freed = command(built_site, "unpin", "--node", NODE)
    assert freed.code == 3
    assert f"{NODE}/play: no longer pinned" in freed.err
    assert [(root / app / "pinned").exists() for app in ("play", "shared")] == [False, False]
    (root / "code" / "pinned").rmdir()
    broken.write_text("{")
    held = command(built_site, "hold", "play", "shared", "--node", NODE, "--reason", "x")
    assert held.code == 3
    assert f"{NODE}/shared: shared is held" in held.out
    ended = command(built_site, "release", "shared", "--node", NODE)
    assert ended.code == 3
    assert f"{NODE}/shared: shared is no longer held" in ended.err


def spoilt(app: Path) -> None:
    """Have a folder where the pin's file belongs."""
    (app / "pinned").mkdir()


def test_a_window_that_names_no_node_is_a_finding(built_site: Settings) -> None:
    """It would freeze less than somebody meant, and nothing else says so."""
    (built_site.home.parent / "robbieblocks.toml").write_text(
        '[[freeze.windows]]\ncron = "0 0 * * *"\nduration = "1h"\nzone = "UTC"\n'
        'reason = "night"\nnodes = ["vengeance-lokal"]\n'
    )
    ran = command(built_site, "status", "--quick", "--format", "json")
    found = [each["what"] for each in json.loads(ran.out)["findings"]]
    assert any("a freeze window of robbieblocks.toml names it" in each for each in found), found


def test_what_was_kept_of_a_node_that_was_removed_is_ended(built_site: Settings) -> None:
    """Its freeze and its pin; nothing is built, and that is no mistake."""
    until_ = in_an_hour()
    site = SiteRoot(built_site.site_root)
    release.freeze(
        site,
        [NODE],
        who="ann",
        why="x",
        now=datetime.now(UTC),
        until=datetime.fromisoformat(until_),
    )
    release.pin_live(site, NODE, "play", who="ann", why="x", now=datetime.now(UTC))
    assert built_site.database_url
    with psycopg.connect(built_site.database_url, autocommit=True) as connection:
        connection.execute("DELETE FROM robbieblocks_node_branding WHERE node_id = %s", [NODE])
    ended = command(built_site, "unfreeze", "--node", NODE)
    assert ended.code == 0, ended.err
    unpinned = command(built_site, "unpin", *PLACE)
    assert unpinned.code == 0, unpinned.err
    assert "no longer pinned" in unpinned.err
