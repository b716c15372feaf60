"""An installation of least rights, brought up to date from the earlier version, dumped and
restored: whatever fails, what it says of itself is what visitors get."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks.database.embedded.server import _binaries
from robbieblocks.settings import Settings
from tests import loopback
from tests.acceptance.test_roles import accounts
from tests.commands import Installation
from tests.sites import served
from tests.workers import NODES, PAGES, Worker, asked, edit, fill, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(300)]

NODE = NODES[0]
_EARLIER = Path(__file__).parents[1] / "fixtures" / "earlier-21-robbieblocks-cms.sql"
_GAUGE = re.compile(r'^robbieblocks_(\w+)\{node="[^"]+"\} ([0-9.]+)$', re.MULTILINE)


@dataclass(frozen=True)
class Watched:
    """A worker with a worker's rights, seen as an operator with a reviewer's sees it."""

    owner: psycopg.Connection
    operator: Installation
    worker: Worker
    address: str

    def ready(self) -> tuple[int, str]:
        """What `/readyz` answers: its status, and why it is not ready or what it found."""
        answer = asked(self.worker, "/readyz")
        told = answer.json()
        return answer.status_code, "\n".join([told.get("unready") or "", *told["findings"]])

    def gauges(self) -> dict[str, float]:
        """The gauges of the node."""
        text = asked(self.worker, "/metrics").text
        return {name: float(value) for name, value in _GAUGE.findall(text)}

    def found(self) -> str:
        """What `status --check` says; empty where all is as it should be."""
        ran = self.operator.run("status", "--check", "--node", NODE)
        assert "Traceback" not in ran.err
        assert ran.code == 0 or ran.out or ran.err
        return "" if ran.code == 0 else ran.out + ran.err

    def version(self) -> str:
        """The version of the page of `play` that a visitor gets."""
        answer = loopback.get(self.address + PAGES["play"], timeout=30)
        assert answer.status_code == 200
        (found,) = set(re.findall(r'data-version="v(\d+)"', answer.text))
        return str(found)

    def well(self) -> bool:
        """Whether all of them say that nothing is wrong."""
        status, why = self.ready()
        return (status, why.strip()) == (200, "") and self.found() == ""


@pytest.fixture
def watched(
    make_settings: Callable[..., Settings], empty_database: str, warm: Path, tmp_path: Path
) -> Iterator[Watched]:
    """Upgraded by its owner, then dumped and restored with its grants."""
    owning = make_settings(empty_database, cache=warm)
    owner = Installation(home=owning.home, database_url=empty_database)
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(_EARLIER.read_bytes())
        assert owner.run("db", "upgrade").code == 0
        connection.execute("TRUNCATE robbieblocks_pages, robbieblocks_components CASCADE")
        fill(connection, ("play",))
    with accounts(empty_database):
        dump = tmp_path / "dump"
        _postgres("pg_dump", "--format=custom", f"--file={dump}", empty_database)
        into = f"--dbname={empty_database}"
        _postgres("pg_restore", "--clean", "--if-exists", "--exit-on-error", into, str(dump))
        assert owner.run("db", "verify").code == 0
        address = make_conninfo(empty_database, user="worker")
        operator = replace(owner, database_url=make_conninfo(empty_database, user="reviewer"))
        # The list of apps follows the rows with the next check of everything.
        options = ("--health", "127.0.0.1:0", "--reconcile", "5")
        worker = Worker(replace(owning, database_url=address), NODE, options)
        with (
            running(worker),
            psycopg.connect(empty_database, autocommit=True) as connection,
        ):
            worker.wait_until_ready()
            with served(owning.site_root, NODE) as site:
                yield Watched(connection, operator, worker, site)


def _postgres(program: str, *arguments: str) -> None:
    subprocess.run([_binaries() / program, *arguments], check=True)


@contextmanager
def _fault(
    watched: Watched, harm: Callable[[], object], mend: Callable[[], object]
) -> Iterator[None]:
    """Do harm, and mend it behind the block; visitors get the same page before and in it."""
    before = watched.version()
    harm()
    try:
        yield
        assert watched.version() == before
    finally:
        mend()
    until(watched.well, "its being well again")


def test_each_fault_is_told_alike_everywhere(watched: Watched) -> None:
    """A page that is held back, a right that is gone, a table that was emptied, a database that
    lets nobody in, a worker that was killed: `status --check`, readiness, metrics and the log say
    so, visitors get the last good page, and once it is mended all say that it is well."""
    worker, owner = watched.worker, watched.owner
    until(watched.well, "its being well at first")
    assert watched.version() == "0"

    def layout(name: str) -> None:
        owner.execute("UPDATE robbieblocks_pages SET layout_template = %s", (name,))

    with _fault(watched, lambda: layout("nope"), lambda: layout("single-column")):
        until(lambda: "nope" in watched.ready()[1], "the page's being held back")
        assert watched.ready()[0] == 200
        assert watched.gauges()["held_back_pages"] == 1
        assert "nope" in watched.found()
        worker.wait_for("run.finished", outcome="failed")
        assert worker.logged("run.finished", outcome="failed")[-1]["held_back"] == ["play"]

    right = "UPDATE ON robbieblocks_change_triggers"
    with _fault(
        watched,
        lambda: owner.execute(f"REVOKE {right} FROM robbieblocks_worker".encode()),
        lambda: owner.execute(f"GRANT {right} TO robbieblocks_worker".encode()),
    ):
        edit(owner, "play", 0)
        until(lambda: watched.ready()[0] == 503, "the right's being missed")
        assert f"GRANT {right}" in watched.ready()[1]
        assert watched.gauges()["up"] == 0
        assert f"GRANT {right}" in json.dumps(worker.lines)
        assert f"lacks a right -> GRANT {right} TO worker" in watched.found()

    kept = owner.execute("SELECT to_jsonb(b)::text FROM robbieblocks_page_blocks b").fetchall()
    (page,) = owner.execute("SELECT to_jsonb(p)::text FROM robbieblocks_pages p").fetchall()

    def restore() -> None:
        put = "INSERT INTO {0} SELECT * FROM jsonb_populate_record(NULL::{0}, %s::jsonb)"
        with owner.transaction():
            for table, rows in (("pages", [page]), ("page_blocks", kept)):
                for row in rows:
                    owner.execute(put.format(f"robbieblocks_{table}").encode(), row)

    with _fault(watched, lambda: owner.execute("DELETE FROM robbieblocks_pages"), restore):
        until(lambda: "held: it would remove" in watched.ready()[1], "the brake")
        assert watched.ready()[0] == 503
        assert watched.gauges()["held_apps"] == 1
        assert "held: it would remove" in watched.found()
        assert any("held: it would remove" in json.dumps(line) for line in worker.lines)

    def closed(is_closed: bool) -> None:
        (name,) = owner.execute("SELECT quote_ident(current_database())").fetchone() or ("",)
        limit = 0 if is_closed else -1
        at = make_conninfo(watched.operator.database_url or "", user="postgres")
        with psycopg.connect(at, autocommit=True) as superuser:
            superuser.execute(f"ALTER DATABASE {name} WITH CONNECTION LIMIT {limit}".encode())
            superuser.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND usename IN ('worker', 'reviewer')"
            )

    with _fault(watched, lambda: closed(True), lambda: closed(False)):
        until(lambda: watched.ready()[0] == 503, "the database's being missed")
        assert watched.ready()[1].startswith("unreachable")
        assert watched.gauges()["up"] == 0
        assert "too many connections" in watched.found()
        worker.wait_for("worker.state", state="unreachable")

    worker.kill()
    assert watched.version() == "0"
    until(lambda: "its worker runs no more" in watched.found(), "the worker's being missed")
    edit(owner, "play", 1)
    assert "no worker runs, and 1 change waits" in watched.found()
    with running(again := Worker(worker.settings, NODE, worker.arguments)):
        again.wait_until_ready()
        until(replace(watched, worker=again).well, "its being well again")
        assert watched.version() == "1"
