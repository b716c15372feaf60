"""`status`, readiness, metrics and log agree about what is not as it should be."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import psycopg
import pytest

from robbieblocks.settings import Settings
from tests.commands import Installation, Ran
from tests.workers import NODES, Worker, asked, edit, running, shown, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
HEALTH = ("--health", "127.0.0.1:0")
Db = psycopg.Connection


def status(small_site: Settings, *arguments: str) -> Ran:
    """What the command says about the worker's node."""
    own = Installation(home=small_site.home, database_url=small_site.database_url)
    return own.run("status", "--node", NODE, *arguments)


def findings(small_site: Settings) -> list[str]:
    """What `status --check` finds, a line each; its exit code says whether there is any."""
    ran = status(small_site, "--check")
    assert "Traceback" not in ran.err
    assert ran.code == (ran.out != "everything is as it should be\n"), ran.out + ran.err
    return ran.out.splitlines() if ran.code else []


def workers(small_site: Settings) -> list[dict[str, Any]]:
    """The workers that `status --format json` names."""
    found: list[dict[str, Any]] = json.loads(status(small_site, "--quick", "--format", "json").out)[
        "workers"
    ]
    return found


def test_who_holds_a_node_is_told(small_site: Settings, editor: Db) -> None:
    """The active worker and the standby with host, process and last sign of life; after a kill the
    other one; and where none is left, that, and how to start one."""
    one, other = (Worker(small_site, NODE, HEALTH) for _ in range(2))
    with running(one):
        one.wait_until_ready()
        assert findings(small_site) == []
        with running(other):
            other.wait_for("worker.state", state="standby")
            assert one.process
            assert other.process
            seen = {each["pid"]: each for each in workers(small_site)}
            assert {pid: each["state"] for pid, each in seen.items()} == {
                one.process.pid: "active",
                other.process.pid: "standby",
            }
            assert all(socket.gethostname().startswith(each["host"]) for each in seen.values())
            assert all(each["silent_s"] < 60 for each in seen.values())
            assert f":{one.process.pid} " in status(small_site, "--quick").out
            assert findings(small_site) == []
            one.kill()
            other.wait_for("worker.reconciled")
            until(lambda: [each["state"] for each in workers(small_site)] == ["active"])
            assert findings(small_site) == []
        until(lambda: workers(small_site) == [])
        (gone,) = findings(small_site)
        assert "its worker runs no more -> start `robbieblocks worker --node" in gone
        edit(editor, "play", 1)
        assert any("no worker runs, and 1 change waits" in line for line in findings(small_site))


def test_a_page_that_is_held_back_is_told_everywhere(small_site: Settings, editor: Db) -> None:
    """Status names page, error and remedy; readiness is kept, with the reason; the metric counts
    the pages; the log names them. Once the row is corrected all is well again."""
    with running(worker := Worker(small_site, NODE, HEALTH)):
        worker.wait_until_ready()
        editor.execute(
            "UPDATE robbieblocks_pages SET layout_template = 'nope' WHERE page_key = 'play'"
        )
        worker.wait_for("run.finished", app="play", outcome="failed")
        until(lambda: asked(worker, "/readyz").json()["held_back_pages"] == 1)
        (line,) = findings(small_site)
        assert line.startswith(f"{NODE}/play: ")
        assert "nope" in line
        assert "-> " in line
        ready = asked(worker, "/readyz")
        assert ready.status_code == 200
        assert any("nope" in each for each in ready.json()["findings"])
        assert (
            'robbieblocks_held_back_pages{node="vengeance-local"} 1.0'
            in asked(worker, "/metrics").text
        )
        assert worker.logged("run.finished", app="play", outcome="failed")[0]["held_back"] == [
            "play"
        ]
        editor.execute(
            "UPDATE robbieblocks_pages SET layout_template = 'single-column'"
            " WHERE page_key = 'play'"
        )
        until(lambda: asked(worker, "/readyz").json()["findings"] == [])
        assert findings(small_site) == []


def test_removed_pages_are_not_called_changed(small_site: Settings, editor: Db) -> None:
    """The log of a run names the pages that went as removed."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
        editor.execute(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status) SELECT 'more' || n, 'play', 'more', '/more' || n,"
            " 'single-column', 'published' FROM generate_series(1, 3) n"
        )
        worker.wait_for("run.finished", app="play", outcome="published", reason="change")
        editor.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'more1'")
        worker.wait_for("run.finished", count=2, app="play", outcome="published", reason="change")
        last = worker.logged("run.finished", app="play", reason="change")[-1]
        assert (last["changed"], last["removed"]) == ([], ["more1"])


def test_an_app_at_rest_shows_no_row_that_waits_for_another(
    small_site: Settings, editor: Db
) -> None:
    """A row that affects several apps waits only where something would change."""
    with running(worker := Worker(small_site, NODE)):
        worker.wait_until_ready()
    edit(editor, "play", 1)
    editor.execute("UPDATE robbieblocks_change_triggers SET affected_apps = '{play,code}'")
    told = json.loads(status(small_site, "--format", "json").out)["apps"]
    assert {each["app"]: each["waiting"] for each in told if each["waiting"]} == {"play": 1}
    assert shown(small_site.site_root, NODE, "play") == 0


def test_a_broken_template_is_a_finding(small_site: Settings, tmp_path: Path) -> None:
    """Where it can't be worked out what should be live, that is found, with the template."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html.j2").write_text("{% if %}")
    own = Installation(home=small_site.home, database_url=small_site.database_url)
    ran = own.run(
        "status", "--check", "--node", NODE, ROBBIEBLOCKS_TEMPLATES=str(tmp_path / "templates")
    )
    assert ran.code == 1, ran.err
    assert "what should be live is not known" in ran.out
    assert "template page.html.j2" in ran.out
