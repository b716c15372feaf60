"""Builds that end badly at every step: what was live is live, and the next build makes it good."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks import failpoints, release
from tests.building import Builder, run_of
from tests.commands import Installation, Ran
from tests.victims import Victims, victims

pytestmark = [pytest.mark.postgres, pytest.mark.chaos]

NODE, APP, PAGE = "vengeance-local", "play", "play/index.html"
BUILD = ("build", "--node", NODE, "--app", APP)

# In the order in which one build of one app reaches them.
PREPARING = (
    *("open", "read", "media", "begun", "assemble", "compile", "brand", "plan", "render"),
    *(
        "rendered",
        "compose",
        "report",
        "assets",
        "written",
        "named",
        "synced",
        "fenced",
        "previous",
    ),
)
LIVE = ("swapped", "checked", "verified", "concluded", "closed", "record")
STEPS = PREPARING + LIVE

# Runs the command, and does something to itself when it reaches a step for the first time.
VICTIM = """
import os, signal, sys
from robbieblocks import failpoints
what, step, *arguments = sys.argv[1:]
def hook(reached):
    if reached != step:
        return
    failpoints.hook = lambda step: None
    if what == "cut":
        import psycopg
        with psycopg.connect(os.environ["CUT_BY"], autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    elif what == "busy":
        import gc, psycopg
        for each in gc.get_objects():
            if isinstance(each, psycopg.Connection):
                each.pgconn.send_query(b"SELECT pg_sleep(600)")
                each.pgconn.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    else:
        os.kill(os.getpid(), signal.Signals[what])
failpoints.hook = hook
sys.argv = ["robbieblocks", *arguments]
from robbieblocks.cli import main
main()
"""

# What a build imports once it knows what it is asked.
IMPORTS = "import robbieblocks.cli, robbieblocks.cli.building.build, robbieblocks.pipeline"


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    """Runs commands to which something happens."""
    with victims(VICTIM, IMPORTS, tmp_path_factory.mktemp("victims")) as made:
        yield made


def strike(
    commands: Victims, builder: Builder, what: str, step: str, *arguments: str, **variables: str
) -> Ran:
    """Build by the command in a process of its own to which something happens at a step."""
    settings = builder.settings
    own = Installation(home=settings.home, database_url=settings.database_url)
    environment = own.environment | variables
    return commands.run(what, step, *(arguments or BUILD), environment=environment)


def unfinished(builder: Builder) -> list[dict[str, Any]]:
    return builder.sql(
        "SELECT * FROM robbieblocks_deploys WHERE deploy_status NOT IN ('success', 'failed')"
    )


@pytest.fixture
def edited(built: Builder) -> tuple[Builder, str]:
    """An installation with a live site and an edit that nobody has built; the live page."""
    before = built.html(NODE, APP, PAGE)
    retitle(built, "Third")
    return built, before


def retitle(builder: Builder, title: str) -> None:
    """Edit a page, and a block so that something must be rendered."""
    builder.sql(
        "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = 'robbie-play-home'", title
    )
    builder.sql(
        "UPDATE robbieblocks_page_blocks b SET props = props || jsonb_build_object('title',"
        " %s::text) FROM robbieblocks_components c, robbieblocks_pages p"
        " WHERE b.component_id = c.id"
        " AND b.page_id = p.id AND component_key = 'chat-interface'"
        " AND page_key = 'robbie-play-home'",
        title,
    )


def test_the_steps_are_all_there_are(
    edited: tuple[Builder, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The steps at which these tests kill are those that a build reaches, in this order."""
    reached: list[str] = []
    monkeypatch.setattr(failpoints, "hook", reached.append)
    edited[0].build(nodes=[NODE], apps=[APP])
    assert tuple(dict.fromkeys(reached)) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_a_killed_build_is_made_good_by_the_next(
    commands: Victims, edited: tuple[Builder, str], step: str
) -> None:
    """SIGKILL at any step: the old or the new page is live and whole, and the next build succeeds
    and closes the dead run's row as failed."""
    builder, before = edited
    assert strike(commands, builder, "SIGKILL", step).code == -signal.SIGKILL
    html = builder.html(NODE, APP, PAGE)
    assert html == before if step in PREPARING else "<title>Third" in html
    assert release.verify(builder.site_root, NODE, APP) == ()
    dead = unfinished(builder)
    assert len(dead) == (step not in ("open", "read", "media", "closed", "record"))
    report = builder.build(nodes=[NODE], apps=[APP])
    assert report.exit_code == 0
    expected = "published" if step in PREPARING else "unchanged"
    assert run_of(report, NODE, APP).outcome == expected
    assert "<title>Third" in builder.html(NODE, APP, PAGE)
    assert unfinished(builder) == []
    for row in dead:
        (closed,) = builder.sql("SELECT * FROM robbieblocks_deploys WHERE id = %s", row["id"])
        assert closed["deploy_status"] == "failed"
        assert closed["completed_at"]
    assert not builder.sql(
        "SELECT id FROM robbieblocks_change_triggers WHERE affected_apps = ARRAY[%s]::text[]"
        " AND NOT (%s = ANY (handled_nodes))",
        APP,
        NODE,
    )


def test_cards_that_a_killed_build_drew_are_not_drawn_again(
    commands: Victims, edited: tuple[Builder, str]
) -> None:
    """SIGKILL while it draws: no child is left, the page stays, and the next build has all."""
    builder, before = edited
    builder.sql(
        "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example',"
        """ settings = '{"social_card": true}'"""
    )
    ran = strike(commands, builder, "SIGKILL", "card")
    assert ran.code == -signal.SIGKILL
    assert builder.html(NODE, APP, PAGE) == before
    report = builder.build(nodes=[NODE], apps=[APP])
    assert run_of(report, NODE, APP).outcome == "published"
    assert "/_rb/card-" in builder.html(NODE, APP, PAGE)
    assert release.verify(builder.site_root, NODE, APP) == ()


@pytest.mark.parametrize("step", ["read", "rendered"])
def test_the_lease_of_a_killed_build_is_taken_over(
    commands: Victims, edited: tuple[Builder, str], step: str
) -> None:
    """Where the server goes on with a killed build's query, the next build ends that session."""
    builder, _ = edited
    assert strike(commands, builder, "busy", step).code == -signal.SIGKILL
    report = builder.build(nodes=[NODE], apps=[APP])
    assert run_of(report, NODE, APP).outcome == "published"
    assert unfinished(builder) == []


def test_a_build_killed_while_it_renders_takes_its_isolate_along(
    edited: tuple[Builder, str],
) -> None:
    """SIGKILL while a component spins in the isolate: no child is left, and the page stays."""
    builder, before = edited
    builder.sql(
        "UPDATE robbieblocks_components SET react_code = 'export default () => { for (;;) {} }'"
        " WHERE component_key = 'chat-interface'"
    )
    settings = builder.settings
    own = Installation(home=settings.home, database_url=settings.database_url)
    with own.running(*BUILD) as process:
        victim = psutil.Process(process.pid)
        spinning: list[psutil.Process] = []
        while not spinning:
            assert process.poll() is None
            spinning = [each for each in victim.children() if _user_s(each) > 0.5]
        children = victim.children(recursive=True)
        process.kill()
        assert psutil.wait_procs(children, timeout=30)[1] == []
    assert builder.html(NODE, APP, PAGE) == before


def _user_s(child: psutil.Process) -> float:
    """The CPU time of a child; of one that has ended meanwhile, none."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return child.cpu_times().user
    return 0.0


@pytest.mark.parametrize("step", ["begun", "rendered", "synced", "concluded"])
def test_a_lost_database_is_one_clear_error(
    commands: Victims, edited: tuple[Builder, str], step: str
) -> None:
    """When the connection breaks in the middle: exit code 3, one error, no older page than before,
    and the next build closes the row that could not be closed."""
    builder, before = edited
    assert builder.settings.database_url
    ran = strike(commands, builder, "cut", step, CUT_BY=superuser(builder.settings.database_url))
    assert ran.code == 3, ran.err
    assert "Traceback" not in ran.err
    assert "connection" in ran.err + ran.out
    html = builder.html(NODE, APP, PAGE)
    assert html == before if step in PREPARING else "<title>Third" in html
    # The same cut went through the test's own connection.
    assert strike(commands, builder, "nothing", "nowhere").code == 0
    assert "<title>Third" in builder.html(NODE, APP, PAGE)
    assert unfinished(builder) == []


def superuser(conninfo: str) -> str:
    return make_conninfo(conninfo, user="postgres")


@pytest.mark.parametrize("step", ["read", "rendered", "synced", "closed"])
def test_an_interrupted_build_says_so_and_closes_its_row(
    commands: Victims, edited: tuple[Builder, str], step: str
) -> None:
    """Ctrl-C: exit code 130, one line, nothing half done, and every row is finished."""
    builder, before = edited
    ran = strike(commands, builder, "SIGINT", step)
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert ran.err.splitlines()[-1].startswith("interrupted")
    assert unfinished(builder) == []
    assert release.verify(builder.site_root, NODE, APP) == ()
    assert (builder.html(NODE, APP, PAGE) == before) is (step in PREPARING)


def test_two_builds_at_once_both_end_well(edited: tuple[Builder, str]) -> None:
    """The same build twice at a time: both succeed, one of them publishes, each leaves one row, and
    a reader sees the old page or the new one and nothing else."""
    builder, before = edited
    builder.sql("DELETE FROM robbieblocks_deploys")
    own = Installation(home=builder.settings.home, database_url=builder.settings.database_url)
    seen = set()
    with own.running(*BUILD) as one, own.running(*BUILD) as other:
        while one.poll() is None or other.poll() is None:
            seen.add(builder.html(NODE, APP, PAGE))
        said = [process.communicate(timeout=20) for process in (one, other)]
    assert (one.returncode, other.returncode) == (0, 0), said
    assert sorted("published" in out for out, _ in said) == [False, True]
    after = builder.html(NODE, APP, PAGE)
    assert seen <= {before, after}
    rows = builder.sql("SELECT deploy_status, build_hash FROM robbieblocks_deploys")
    live = builder.live(NODE, APP)
    assert live is not None
    assert rows == [{"deploy_status": "success", "build_hash": live.build_hash}] * 2


def test_a_reader_that_hangs_up_is_no_error(edited: tuple[Builder, str]) -> None:
    """`robbieblocks build | head -0`: the build is done and nothing is complained about."""
    builder, _ = edited
    own = Installation(home=builder.settings.home, database_url=builder.settings.database_url)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", VICTIM, "nothing", "nowhere", *BUILD],
        env=own.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert b"Broken" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.returncode == 0
    assert "<title>Third" in builder.html(NODE, APP, PAGE)
    assert unfinished(builder) == []


def test_no_toolchain_and_no_network_is_said_in_words(
    edited: tuple[Builder, str], tmp_path: Path
) -> None:
    """With an empty toolchain cache and no registry: exit code 3, what to do, and no row."""
    builder, before = edited
    rows = builder.sql("SELECT count(*) FROM robbieblocks_deploys")
    own = Installation(home=builder.settings.home, database_url=builder.settings.database_url)
    ran = own.run(
        *BUILD,
        ROBBIEBLOCKS_TOOLCHAIN_CACHE=str(tmp_path / "nothing"),
        npm_config_cache=str(tmp_path / "npm"),
        npm_config_registry="http://127.0.0.1:9/",
        npm_config_fetch_retry_mintimeout="1",
        npm_config_fetch_retry_maxtimeout="1",
    )
    assert ran.code == 3
    assert "registry" in ran.error
    assert "ROBBIEBLOCKS_TOOLCHAIN_CACHE" in ran.error
    assert builder.html(NODE, APP, PAGE) == before
    assert builder.sql("SELECT count(*) FROM robbieblocks_deploys") == rows
