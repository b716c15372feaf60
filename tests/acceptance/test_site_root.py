"""Which database and which disk a site is published from and to: last good pages are served on."""

from __future__ import annotations

import json
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import LiteralString

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from robbieblocks.database import identity
from robbieblocks.database.embedded.server import _binaries
from robbieblocks.settings import Settings
from tests import loopback
from tests.commands import Installation
from tests.databases import Databases
from tests.sites import served
from tests.workers import (
    NODES,
    PAGES,
    Worker,
    edit,
    fill,
    running,
    shown,
    until,
    without_root_s_rights,
)

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
APPS = ("play", "code", "shared")
Db = psycopg.Connection

# A database's id is what its function returns.
_FORGET: LiteralString = "DROP FUNCTION robbieblocks_database_id()"


@pytest.fixture
def site(make_settings: Callable[..., Settings], database: str, editor: Db, warm: Path) -> Settings:
    """An installation over that database, whose node is live."""
    settings = make_settings(database, cache=warm)
    with running(worker := Worker(settings, NODE)):
        worker.wait_until_ready()
        assert worker.stop() == 0
    return settings


@pytest.fixture
def other(databases: Databases, empty_database: str, site: Settings) -> str:
    """A database with an id of its own and other pages, and the worker's node among its nodes."""
    schema = (site.schema / "unified-schema" / "21-robbieblocks-cms.sql").read_bytes()
    with psycopg.connect(empty_database, autocommit=True) as connection:
        connection.execute(schema)
        fill(connection, ("play",))
        edit(connection, "play", 77)
    return empty_database


@contextmanager
def visited(site: Settings, version: int | None = 0) -> Iterator[None]:
    """Visit the node's pages over HTTP all the time: each is there, whole and of that version."""
    over, faults = threading.Event(), list[str]()

    def visit(address: str) -> None:
        with loopback.client(base_url=address, timeout=30) as client:
            while True:
                for app in APPS:
                    answer = client.get(PAGES[app])
                    if answer.status_code != 200 or f'data-version="v{version}"' not in answer.text:
                        faults.append(f"{app}: {answer.status_code} {answer.text[-200:]}")
                if over.wait(0.005):
                    return

    with served(site.site_root, NODE) as address:
        visitor = threading.Thread(target=visit, args=(address,))
        visitor.start()
        try:
            yield
        finally:
            over.set()
            visitor.join()
    assert not faults, faults[0]


def command(site: Settings, conninfo: str | None) -> Installation:
    """The command line over that installation and a database."""
    places = {"ROBBIEBLOCKS_CACHE": str(site.cache)}
    return Installation(home=site.home, database_url=conninfo, variables=places)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder, with its time and inode: what was written shows."""
    found = {str(path): path.lstat() for path in folder.rglob("*")}
    return {name: (status.st_mtime_ns, status.st_ino) for name, status in found.items()}


def health(worker: Worker, path: str) -> httpx.Response:
    """What the worker's health server answers."""
    address = worker.logged("worker.started")[0]["health"]
    return loopback.get(f"http://{address}{path}", timeout=10)


def test_a_worker_without_a_database_makes_none(site: Settings) -> None:
    """Nor does the command of its unit: exit 2 names the remedy, and visitors notice nothing."""
    alone = command(site, None)
    unit = alone.run("systemd", "--node", NODE).out
    (started,) = [line for line in unit.splitlines() if line.startswith("ExecStart=")]
    arguments = started.split()[1:]
    assert arguments == ["worker", "--node", NODE]
    before = tree(site.home)
    with visited(site):
        told = alone.run(*arguments)
    assert told.code == 2
    assert "--embedded" in told.error
    assert "ROBBIEBLOCKS_DATABASE_URL" in told.error
    assert tree(site.home) == before
    assert "--embedded" in alone.run("systemd", "--node", NODE, "--embedded").out


def test_another_database_does_not_take_the_site_over(site: Settings, other: str) -> None:
    """A worker and a build are refused before anything is written, until a person says --adopt;
    then the first database is the other one."""
    before = tree(site.site_root)
    with visited(site):
        for arguments in (("worker", "--node", NODE), ("build",), ("build", "--page", "play")):
            refused = command(site, other).run(*arguments)
            assert refused.code == 2, refused
            assert "--adopt" in refused.error
            assert tree(site.site_root) == before
        assert command(site, other).run("build", "--dry-run").code == 1, "it removes two apps"
    with psycopg.connect(other) as connection:
        assert not connection.execute("SELECT FROM robbieblocks_deploys").fetchall()
    adopted = command(site, other).run("build", "--adopt", "--node", NODE, "--app", "play")
    assert adopted.code == 0, adopted.err
    assert shown(site.site_root, NODE, "play") == 77
    assert command(site, site.database_url).run("build").code == 2
    with running(worker := Worker(site, NODE, ("--adopt",))):
        worker.wait_until_ready()
        assert shown(site.site_root, NODE, "play") == 0


def test_an_embedded_database_does_not_take_the_site_over(site: Settings) -> None:
    """A command that finds no address, in the installation of a live site, is refused as well."""
    with visited(site):
        refused = command(site, None).run("build")
        assert refused.code == 2
        assert "--adopt" in refused.error


def test_a_running_worker_does_not_follow_its_address_to_another_database(
    site: Settings, editor: Db
) -> None:
    """Where a reconnect leads elsewhere it is unreachable and publishes nothing."""
    known = identity(editor)
    assert known
    renamed: LiteralString = (
        "CREATE OR REPLACE FUNCTION robbieblocks_database_id() RETURNS uuid LANGUAGE sql AS"
    )
    end_others: LiteralString = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with running(worker := Worker(site, NODE, ("--health", "127.0.0.1:0"))):
        worker.wait_until_ready()
        with visited(site):
            editor.execute(f"{renamed} $$SELECT '{uuid.uuid4()}'::uuid$$".encode())
            editor.execute(end_others)
            until(lambda: any("--adopt" in line["why"] for line in worker.logged("worker.state")))
            edit(editor, "play", 1)
            unready = health(worker, "/readyz").json()["unready"]
            assert unready.startswith("unreachable: ")
            assert "--adopt" in unready
        editor.execute(f"{renamed} $$SELECT '{known}'::uuid$$".encode())
        editor.execute(end_others)
        until(lambda: shown(site.site_root, NODE, "play") == 1)
        until(lambda: health(worker, "/readyz").status_code == 200)


def test_a_site_of_an_earlier_version_goes_on(site: Settings, editor: Db) -> None:
    """Without marker and id it is published to as before; the upgrade gives both their id."""
    (site.site_root / "site.json").unlink()
    editor.execute(_FORGET)
    with running(worker := Worker(site, NODE, create_root=False)):
        worker.wait_until_ready()
        assert "no id yet" in worker.logged("site_root.claimed")[0]["what"]
        edit(editor, "play", 1)
        until(lambda: shown(site.site_root, NODE, "play") == 1)
    installation = command(site, site.database_url)
    assert installation.run("db", "upgrade").code == 0
    built = installation.run("build")
    assert built.code == 0
    marked = json.loads((site.site_root / "site.json").read_text())["database"]
    assert marked in built.err


def test_nothing_is_published_while_a_database_is_restored(
    site: Settings, editor: Db, tmp_path: Path
) -> None:
    """A worker beside pg_restore waits for the last trigger, and says so; no visitor notices."""
    dump, live = tmp_path / "dump", site.site_root / NODE
    address = site.database_url or ""
    postgres("pg_dump", "--format=custom", "--no-owner", f"--file={dump}", address)
    before = {path: path.resolve() for path in live.glob("*/current")}
    with running(worker := Worker(site, NODE, ("--health", "127.0.0.1:0", "--poll", "0.2"))):
        worker.wait_until_ready()
        with visited(site):
            editor.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
            for section in ("pre-data", "data"):
                restore(site, dump, f"--section={section}")
                until(lambda: "not whole" in health(worker, "/readyz").json()["unready"], section)
                built = command(site, site.database_url).run("build")
                assert built.code == 3
                assert "robbieblocks db upgrade" in built.error
                assert "robbieblocks_capture_" in built.error
                if section == "pre-data":
                    late = command(site, site.database_url).run("worker", "--node", NODE)
                    assert late.code == 3, "systemd starts it again"
            asked = command(site, site.database_url).run("status", "--node", NODE)
            assert "the schema is not whole" in asked.out + asked.err
            assert before == {path: path.resolve() for path in live.glob("*/current")}
            restore(site, dump, "--section=post-data")
            until(lambda: health(worker, "/readyz").status_code == 200, "its being well again")
            restore(site, dump, "--clean", "--if-exists")
            until(lambda: health(worker, "/readyz").status_code == 200, "its being well again")
            assert before == {path: path.resolve() for path in live.glob("*/current")}
        edit(editor, "play", 5)
        until(lambda: shown(site.site_root, NODE, "play") == 5)


def restore(site: Settings, dump: Path, *options: str) -> None:
    """Restore a dump, or a section of it, into the site's database."""
    into = f"--dbname={site.database_url}"
    postgres("pg_restore", "--no-owner", "--exit-on-error", *options, into, str(dump))


def postgres(program: str, *arguments: str) -> None:
    """Run a program of the embedded Postgres."""
    subprocess.run([_binaries() / program, *arguments], check=True)


# --- a site root that is not there -----------------------------------------------------------


def unmount(site_root: Path) -> None:
    """Leave the empty folder on which a disk was mounted."""
    site_root.unlink()
    site_root.mkdir()


def mount(site_root: Path, disk: Path) -> None:
    """Put the disk back."""
    site_root.rmdir()
    site_root.symlink_to(disk)


@pytest.fixture
def disk(site: Settings) -> Path:
    """The disk with the site, of which the site root is the mount point."""
    disk = site.site_root.rename(site.home / "disk")
    site.site_root.symlink_to(disk)
    return disk


def test_a_site_root_that_vanished_is_not_made_anew(site: Settings, editor: Db, disk: Path) -> None:
    """A running worker and a restarted one are unreachable, make nothing, and go on once it is
    back; who visits the disk is served throughout."""
    with (
        visited(replace(site, site_root=disk)),
        running(worker := Worker(site, NODE, ("--health", "127.0.0.1:0"), create_root=False)),
    ):
        worker.wait_until_ready()
        unmount(site.site_root)
        until(lambda: health(worker, "/readyz").json()["unready"].startswith("unreachable"))
        worker.wait_for("worker.state", state="unreachable")
        assert "mount its disk" in worker.logged("worker.state", state="unreachable")[-1]["why"]
        assert worker.stop() == 0
        with running(again := Worker(site, NODE, create_root=False)):
            again.wait_for("worker.state", state="unreachable")
            assert again.stop() == 0
        assert list(site.site_root.iterdir()) == []
        with running(again := Worker(site, NODE, create_root=False)):
            again.wait_for("worker.state", state="unreachable")
            mount(site.site_root, disk)
            again.wait_until_ready()
    edit(editor, "play", 1)
    with running(again := Worker(site, NODE, create_root=False)):
        again.wait_until_ready()
        assert shown(disk, NODE, "play") == 1, again.lines


@pytest.mark.parametrize("place", [".", NODE, f"{NODE}/play", f"{NODE}/play/releases"])
def test_a_site_root_that_can_not_be_read_ends_no_worker(
    site: Settings, editor: Db, place: str
) -> None:
    """Without the rights to it, or to a folder in it, changes wait, and go out by themselves once
    it may be read again."""
    rights = without_root_s_rights()
    socket = Path(str(conninfo_to_dict(site.database_url or "")["host"]))
    for path in (*socket.iterdir(), socket, socket.parent) if rights else ():
        # Of the server's account, whose folders root enters by the right that it now lacks.
        path.chmod(path.stat().st_mode | 0o033)
    worker = Worker(site, NODE, ("--health", "127.0.0.1:0"), create_root=False, prefix=rights)
    with running(worker):
        worker.wait_until_ready()
        with visited(site) if rights else nullcontext():
            (site.site_root / place).chmod(0)
            edit(editor, "play", 1)
            until(lambda: health(worker, "/readyz").status_code == 503)
            assert not worker.dead
            (site.site_root / place).chmod(0o755)
        until(lambda: shown(site.site_root, NODE, "play") == 1)
        until(lambda: health(worker, "/readyz").status_code == 200)
        assert worker.stop() == 0
    assert not any("Traceback" in str(line) for line in worker.lines)


def test_a_node_that_left_the_database_is_listed_and_removed(site: Settings, editor: Db) -> None:
    """It is served until a person removes it: not while it is in the table, nor while a worker has
    it, nor unasked."""
    installation = command(site, site.database_url)
    prune = ("prune", "--node", NODE, "--yes")
    refused = installation.run(*prune)
    assert (refused.code, "is in robbieblocks_node_branding" in refused.error) == (2, True)
    with visited(site):
        with running(worker := Worker(site, NODE)):
            worker.wait_until_ready()
            editor.execute("DELETE FROM robbieblocks_node_branding WHERE node_id = %s", [NODE])
            worker.wait_for("worker.state", state="unknown node")
            refused = installation.run(*prune)
            assert (refused.code, "a worker has the node" in refused.error) == (2, True)
        assert f"prune --node {NODE} removes it" in installation.run("status", "--quick").out
        told = json.loads(installation.run("status", "--quick", "--format", "json").out)
        assert NODE in {finding["node"] for finding in told["findings"]}
        assert "--yes removes it" in installation.run(*prune[:-1]).error
        assert "known: vengeance-local" in installation.run("prune", "--node", "x", "--yes").error
        assert "--embedded" in command(site, None).run(*prune).error
    removed = installation.run(*prune)
    assert (removed.code, removed.out) == (0, f"removed {NODE}\n")
    assert sorted(path.name for path in site.site_root.iterdir()) == ["site.json"]
    with served(site.site_root, NODE) as address:
        assert loopback.get(address + PAGES["play"]).status_code == 404
    assert "prune" not in installation.run("status", "--quick").out
