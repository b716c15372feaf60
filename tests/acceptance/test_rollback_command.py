"""`rollback`, `pin`, `unpin`, `hold` and `release` beside a worker, and without a database."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from robbieblocks.settings import Settings
from tests.commands import Installation, Ran
from tests.workers import NODES, Worker, asked, edit, running, until, until_shown

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
PLACE = ("--node", NODE, "--app", "play")
Db = psycopg.Connection
_WAITING = """
    SELECT count(*) FROM robbieblocks_change_triggers
     WHERE processed_at IS NULL AND 'vengeance-local' <> ALL (handled_nodes)
"""
_RUNS = """
    SELECT triggered_by, deploy_status, build_hash, build_log FROM robbieblocks_deploys
     WHERE app_namespace = 'play' AND node_id = %s ORDER BY started_at
"""


def command(site: Settings, *arguments: str, database_url: str | None = "") -> Ran:
    """Run a command against the worker's site root."""
    url = site.database_url if database_url == "" else database_url
    own = Installation(
        home=site.home,
        database_url=url,
        variables={
            "ROBBIEBLOCKS_SITE_ROOT": str(site.site_root),
            "ROBBIEBLOCKS_CACHE": str(site.cache),
            "ROBBIEBLOCKS_TOOLCHAIN_CACHE": str(site.toolchain_cache),
        },
    )
    return own.run(*arguments)


def play(site: Settings) -> dict[str, Any]:
    """What `status` says of the app."""
    ran = command(site, "status", "--node", NODE, "--quick", "--format", "json")
    (found,) = [each for each in json.loads(ran.out)["apps"] if each["app"] == "play"]
    return dict(found)


def handled(editor: Db) -> bool:
    """Whether no change waits for the node."""
    return editor.execute(_WAITING).fetchone() == (0,)


def test_a_rollback_stays_while_changes_wait_and_unpin_brings_all_of_them(
    small_site: Settings, editor: Db
) -> None:
    """The worker leaves it alone, is ready, and says once that changes wait; `status` tells of the
    pin and of what waits; afterwards the last version is live, and nothing waits."""
    with running(worker := Worker(small_site, NODE, ("--health", "127.0.0.1:0"))):
        worker.wait_until_ready()
        edit(editor, "play", 1)
        until_shown(small_site.site_root, NODE, 1)
        until(lambda: handled(editor))
        done = command(small_site, "rollback", *PLACE, "--reason", "broken on phones")
        assert done.code == 0, done.err
        assert "is pinned by " in done.out
        assert "broken on phones" in done.out
        until_shown(small_site.site_root, NODE, 0)
        ran = editor.execute(_RUNS, (NODE,)).fetchall()[-1]
        pin = play(small_site)["pin"]
        assert ran[:3] == ("rollback", "success", pin["release"])
        assert "broken on phones" in ran[3]

        runs = len(worker.logged("run.finished", app="play"))
        for version in (2, 3):
            edit(editor, "play", version)
            worker.wait_for("run.finished", count=runs + version - 1, app="play")
        edit(editor, "code", 1)
        until(
            lambda: (
                'data-version="v1"'
                in (small_site.site_root / NODE / "code/current/code/index.html").read_text()
            )
        )
        assert asked(worker, "/readyz").status_code == 200
        state = play(small_site)
        assert (state["verdict"], state["waiting"]) == ("pinned, 2 waiting", 2)
        assert state["pin"]["why"] == "broken on phones"
        until_shown(small_site.site_root, NODE, 0)
        assert len(worker.logged("run.finished", app="play")) == runs + 2, (
            "it is built once a change"
        )

        assert command(small_site, "status", "--node", NODE, "--check").code == 0
        freed = command(small_site, "unpin", *PLACE)
        assert freed.code == 0, freed.err
        until_shown(small_site.site_root, NODE, 3)
        until(lambda: handled(editor))
        assert play(small_site)["verdict"] == "up to date"
        edit(editor, "play", 4)
        until_shown(small_site.site_root, NODE, 4)
        _compare_lists(small_site)


def _compare_lists(site: Settings) -> None:
    """`deploys list` has what was done between the runs, once; a rollback has one id in both."""
    told = json.loads(command(site, "deploys", "list", *PLACE, "--format", "json").out)
    unpinned, back = told["audit"]
    assert (unpinned["kind"], back["kind"]) == ("unpinned", "rolled_back")
    assert back["why"] == unpinned["why"] == "broken on phones"
    runs = {run["id"]: run for run in told["deploys"]}
    assert runs[back["id"]]["triggered_by"] == "rollback"
    assert runs[back["id"]]["build_hash"] == back["release"]
    lines = command(site, "deploys", "list", *PLACE).out.splitlines()
    assert len(lines) == len(runs) + 1
    (line,) = [each for each in lines if "rollback" in each]
    assert "broken on phones" in line
    place = next(n for n, each in enumerate(lines) if "unpinned" in each)
    assert 0 < place < lines.index(line)
    limit = lines.index(line) + 2
    limited = command(site, "deploys", "list", *PLACE, "--limit", str(limit)).out.splitlines()
    assert limited == [*lines[:limit], f"{limit} shown; --limit shows more"]
    shown = command(site, "deploys", "show", unpinned["id"][:13])
    assert (shown.code, "broken on phones" in shown.out) == (0, True), shown.err
    alone = json.loads(command(site, "deploys", "list", "--runs", "--format", "json").out)
    assert alone["audit"] == []


def test_a_pin_that_ends_brings_what_waits_by_itself(small_site: Settings, editor: Db) -> None:
    """At its time, without a further change, and the change counts as handled."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        ends = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
        done = command(small_site, "pin", *PLACE, "--reason", "fair", "--until", ends)
        assert done.code == 0, done.err
        runs = len(worker.logged("run.finished", app="play"))
        edit(editor, "play", 1)
        worker.wait_for("run.finished", count=runs + 1, app="play")
        until_shown(small_site.site_root, NODE, 1)
        until(lambda: handled(editor))


def test_a_rollback_needs_no_database(small_site: Settings, editor: Db) -> None:
    """It is done, says that the history does not tell of it, and the next build leaves it alone."""
    for version in (1, 2):
        edit(editor, "play", version)
        built = command(small_site, "build", *PLACE)
        assert built.code == 0, built.err
    for url in ("postgresql://nobody@127.0.0.1:9/nowhere", None):
        done = command(
            small_site,
            "rollback",
            *PLACE,
            "--reason",
            "x",
            "--to",
            hash_of(small_site, 1),
            database_url=url,
        )
        assert done.code == 0, done.err
        assert "history of runs does not tell of it" in done.err
        until_shown(small_site.site_root, NODE, 1)
    assert not (small_site.home / "postgres").exists(), "it made a database"
    built = command(small_site, "build", *PLACE)
    assert built.code == 0
    assert "is pinned" in built.out
    until_shown(small_site.site_root, NODE, 1)


def hash_of(site: Settings, version: int) -> str:
    """The build hash of the kept release that shows a version."""
    (found,) = [
        each.name
        for each in (site.site_root / NODE / "play" / "releases").iterdir()
        if len(each.name) == 64
        and f'data-version="v{version}"' in (each / "play/index.html").read_text()
    ]
    return found


def test_a_page_is_held_and_released(small_site: Settings, editor: Db) -> None:
    """`rollback --only` shows its earlier version, whatever fails for another page; `status` tells
    of it, `release` ends it, and a worker leaves it alone meanwhile."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        edit(editor, "play", 1)
        until_shown(small_site.site_root, NODE, 1)
        only = ("--only", "code", "--only", "play", "--node", NODE)
        done = command(small_site, "rollback", *only, "--reason", "typo")
        assert (done.code, "has another version of code" in done.error) == (2, True), done.err
        assert f"{NODE}/play: play is held as of release" in done.out
        until_shown(small_site.site_root, NODE, 0)
        runs = len(worker.logged("run.finished", app="play"))
        editor.execute("UPDATE robbieblocks_components SET css_styles = '.a { color: red }'")
        worker.wait_for("run.finished", count=runs + 1, app="play")
        until_shown(small_site.site_root, NODE, 0)
        state = play(small_site)
        assert state["held"]["play"]["why"] == "typo"
        text = command(small_site, "status", "--node", NODE, "--quick").out
        assert f"-> robbieblocks release play --node {NODE} --app play" in text
        freed = command(small_site, "release", "play")
        assert freed.code == 0, freed.err
        until_shown(small_site.site_root, NODE, 1)
        assert play(small_site)["held"] == {}
        held = command(small_site, "hold", "play", "--reason", "fair")
        assert held.code == 0, held.err
        edit(editor, "play", 2)
        until_shown(small_site.site_root, NODE, 2)
        audit = json.loads(command(small_site, "audit", "--format", "json", database_url=None).out)
        assert [(each["kind"], each["page"], each["why"]) for each in audit["audit"]] == [
            ("released", "play", "the page's rows changed"),
            ("held", "play", "fair"),
            ("released", "play", "typo"),
            ("rolled_back", "play", "typo"),
        ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rollback", "--reason", "x"), "say which: --node ID, --app NAMESPACE, both, or --all"),
        (("rollback", "--app", "play", "--reason", " "), "--reason is empty"),
        (("pin", "--node", "vengeance", "--reason", "x"), "no node 'vengeance' is live"),
        (("pin", "--app", "pley", "--reason", "x"), "no app 'pley' is live there"),
        (("pin", *PLACE, "--reason", "x", "--until", "2020-01-01T00:00Z"), "is over already"),
        (("pin", *PLACE, "--reason", "x", "--until", "soon"), "soon is no instant"),
        (("rollback", *PLACE, "--reason", "x", "--to", "abc"), "begins with abc; there are:"),
        (("hold", "pley", "--reason", "x"), "no page 'pley' is live there"),
        (("release", "play"), "no page 'play' is held there"),
        (("rollback", "--only", "pley", "--reason", "x"), "no page 'pley' is live there"),
        (("rollback", "--only", "play", "--reason", "x"), "has another version of play"),
        (("unpin", *PLACE), f"nothing is pinned of {NODE}/play"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_changed(
    built_site: Settings, arguments: tuple[str, ...], said: str
) -> None:
    """One error, exit code 2."""
    ran = command(built_site, *arguments)
    assert ran.code == 2, ran.err
    assert said in ran.error
    assert not (built_site.site_root / NODE / "play" / "pinned").exists()
    until_shown(built_site.site_root, NODE, 0)


@pytest.mark.parametrize("name", ["held.json", "pinned"])
def test_what_can_not_be_read_is_a_finding_of_its_app(built_site: Settings, name: str) -> None:
    """`status` tells of every other app as before."""
    (built_site.site_root / NODE / "play" / name).write_text("{")
    ran = command(built_site, "status", "--node", NODE, "--format", "json", "--quick", "--check")
    found = json.loads(ran.out)
    (bad,) = [each for each in found["findings"] if each["app"] == "play"]
    assert (ran.code, bad["stops"]) == (1, True)
    assert f"play/{name}" in bad["what"]
    states = {each["app"]: each["verdict"] for each in found["apps"]}
    assert states.pop("play") == "failed"
    assert "failed" not in states.values()


@pytest.fixture
def built_site(small_site: Settings) -> Settings:
    """The small site, built once."""
    built = command(small_site, "build", *PLACE)
    assert built.code == 0, built.err
    return small_site
