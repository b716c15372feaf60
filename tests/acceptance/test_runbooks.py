"""The runbooks of whoever runs a site, done word for word: install.md, backup.md, upgrade.md.

A fence of `sh run` is run by bash, each line of it; `as=` names the database account. The words
behind `run` are what a test looks for, to do what a person does in between. What runs on, such as a
worker, is a process from scratch; other commands are forks of one that has imported the program.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks.database import embedded
from tests import forked
from tests.commands import COMMAND
from tests.documents import Step, steps
from tests.workers import FILES, NODES, fill, until

# Each test is a few dozen commands.
pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
NODE = "vengeance-local"
_NODE = """
    INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps)
    VALUES (%s, %s, '{}', '{play,work,code}')
"""
_RIGHTS = "ALTER ROLE robbieblocks CREATEROLE"
_CLEAR = """
    DO $$
    DECLARE it record;
    BEGIN
        FOR it IN SELECT rolname FROM pg_roles
                   WHERE rolname IN ('web', 'robbieblocks_reviewer', 'robbieblocks_worker',
                                     'robbieblocks_editor')
        LOOP
            EXECUTE format('DROP OWNED BY %I', it.rolname);
            EXECUTE format('DROP ROLE %I', it.rolname);
        END LOOP;
    END
    $$;
    ALTER ROLE robbieblocks NOCREATEROLE;
"""


@dataclass
class Shell:
    """A shell of the machine on which a runbook is done; `last` is what the last fence printed.

    `commands` is the descriptor with which the programs of its folder `forks` run.
    """

    folder: Path
    variables: dict[str, str]
    commands: int
    last: str = ""
    running: ExitStack = field(default_factory=ExitStack)

    def follow(self, step: Step) -> None:
        """Run the lines of a fence, each of which must end well."""
        more = {"PGUSER": step.values["as"]} if "as" in step.values else {}
        self.last = self.run(step.text, **more)

    def run(self, text: str, **more: str) -> str:
        """Run lines by bash; what they printed."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env=self.environment | {"PATH": f"{self.folder / 'forks'}:{self.path}"} | more,
            pass_fds=(self.commands,),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, (text, done.stdout)
        return done.stdout

    @contextmanager
    def started(self, line: str, **more: str) -> Iterator[subprocess.Popen[str]]:
        """A command that runs until the block ends, or is ended before; it ends with 0."""
        with subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.folder,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0

    @property
    def environment(self) -> dict[str, str]:
        """What the shell has set: nothing of the tests' own but places of processes."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        return kept | self.variables | {"PATH": self.path}

    @property
    def path(self) -> str:
        """Where it finds programs: the command line, and those of Postgres."""
        programs = embedded.program("pg_dump")
        assert programs is not None
        return f"{self.folder / 'bin'}:{programs.parent}:{os.environ['PATH']}"

    @property
    def site(self) -> Path:
        return Path(self.variables["ROBBIEBLOCKS_SITE_ROOT"])

    def shown(self, app: str, node: str = NODE) -> str:
        """The page of an app that is live."""
        return (self.site / node / app / "current" / FILES[app]).read_text()


@pytest.fixture
def shell(tmp_path: Path, empty_database: str, warm: Path) -> Iterator[Shell]:
    """The shell of the owner of an empty database."""
    folder = tmp_path / "machine"
    (folder / "bin").mkdir(parents=True)
    (folder / "schema").symlink_to(ROOT / "schema")
    code = COMMAND[2].replace("'", "'\\''")
    (folder / "bin/robbieblocks").write_text(
        f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n"
    )
    (folder / "bin/robbieblocks").chmod(0o755)
    (folder / "forks").mkdir()
    commands = forked.write_program(folder / "forks/robbieblocks")
    with psycopg.connect(empty_database, user="postgres", autocommit=True) as superuser:
        superuser.execute(_RIGHTS)
        there = superuser.info
        variables = {
            "PGHOST": there.host,
            "PGPORT": str(there.port),
            "PGUSER": "robbieblocks",
            "PGDATABASE": there.dbname,
            "ROBBIEBLOCKS_HOME": str(folder / "home"),
            "ROBBIEBLOCKS_SITE_ROOT": str(folder / "site"),
            "ROBBIEBLOCKS_CACHE": str(warm),
            "ROBBIEBLOCKS_HEALTH": "off",
        }
        try:
            with ExitStack() as running:
                yield Shell(folder, variables, commands, running=running)
        finally:
            superuser.execute(_CLEAR)


@contextmanager
def editor(shell: Shell) -> Iterator[psycopg.Connection]:
    """The connection of somebody who edits rows."""
    named = {"host": "PGHOST", "port": "PGPORT", "dbname": "PGDATABASE", "user": "PGUSER"}
    conninfo = make_conninfo("", **{key: shell.variables[name] for key, name in named.items()})
    with psycopg.connect(conninfo, autocommit=True) as connection:
        yield connection


def edit(shell: Shell, app: str, version: str) -> None:
    """Change what a page shows."""
    with editor(shell) as connection:
        connection.execute(
            "UPDATE robbieblocks_page_blocks SET props = jsonb_build_object('version', %s::text) "
            "WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = %s)",
            [version, app],
        )


def write_content(shell: Shell, *nodes: str) -> None:
    """Nodes, and four pages that show a version."""
    with editor(shell) as connection:
        for node in nodes:
            connection.execute(_NODE, [node, node])
        fill(connection)


def small_site(shell: Shell, *nodes: str) -> None:
    """The schema, the content, and the nodes built."""
    shell.run("robbieblocks db init")
    write_content(shell, *nodes)
    shell.run("robbieblocks build")


def runbook(name: str) -> Iterator[Step]:
    """The fences of a document that are for a test."""
    found = [
        step
        for step in steps(ROOT / "docs" / f"{name}.md")
        if {"run", "keeps-running"} & {*step.words} or step.language == "text"
    ]
    assert found
    yield from found


def test_an_installation_step_by_step(shell: Shell) -> None:
    """docs/install.md: schema, accounts, first build and worker, each step with its check."""
    for step in runbook("install"):
        if step.language == "text":
            assert not [line for line in step.text.splitlines() if line not in shell.last], (
                shell.last
            )
        elif "worker" in step.words:
            line = f"robbieblocks worker --node {NODE}"
            with shell.started(line, PGUSER=step.values["as"]):
                edit(shell, "play", "v7")
                until(lambda: "v7" in shell.shown("play"), "the change")
                shell.follow(step)
        else:
            shell.follow(step)
        if "robbieblocks db init" in step.text:
            write_content(shell, NODE)


def test_a_backup_is_restored_on_a_new_machine_that_serves_meanwhile(shell: Shell) -> None:
    """docs/backup.md: what was live is served before there is a database; a pin and a hold are
    still there, and the rest is as its rows say. One page is restored by the journal."""
    small_site(shell, *NODES)
    shell.run(f"robbieblocks pin --node {NODE} --app play --reason 'the judges look at it'")
    shell.run("robbieblocks hold code --reason 'the headline'")
    edit(shell, "play", "v1")
    edit(shell, "work", "v1")
    shell.run("robbieblocks build")
    old = shell.variables.copy()
    for step in runbook("backup"):
        if "site" in step.words:
            shell.variables["ROBBIEBLOCKS_SITE_ROOT"] = str(shell.folder / "new/site")
            shell.variables |= {"PGHOST": "/nowhere", "PGDATABASE": "not_there_yet"}
            shell.follow(step)
        elif "keeps-running" in step.words:
            with shell.started(f"{step.text.strip()} --port 0") as server:
                assert server.stdout is not None
                address = server.stdout.readline().split()[1]
                assert "v0" in httpx.get(httpx.URL(address).join("/play/")).text
        elif "database" in step.words:
            shell.variables |= {"PGHOST": old["PGHOST"], "PGDATABASE": f"{old['PGDATABASE']}_new"}
            shell.run('createdb "$PGDATABASE"')
            shell.follow(step)
        elif "edited" in step.words:
            assert (
                "v0" in shell.shown("play"),
                "v1" in shell.shown("play", "aurora-town-local"),
            ) == (True, True)
            assert "v1" in shell.shown("work", "aurora-town-local")
            _undone(shell, step)
        elif step.language == "sh":
            shell.follow(step)
    said = shell.run("robbieblocks status --quick --format json")
    assert "the judges look at it" in said
    assert "code" in said.partition('"held"')[2]
    shell.run('dropdb --force "$PGDATABASE"')


def _undone(shell: Shell, step: Step) -> None:
    """Somebody breaks a page, finds the change in the journal, and takes it back."""
    build = "robbieblocks build --node aurora-town-local --app work"
    edit(shell, "work", "broken")
    shell.run(build)
    assert "broken" in shell.shown("work", "aurora-town-local")
    shell.follow(step)
    newest = shell.run("robbieblocks changes list --page work --limit 1 --format json")
    number = newest.partition('"id":')[2].partition(",")[0].strip()
    shell.run(f"robbieblocks changes undo {number}")
    shell.run(build)
    assert "v1" in shell.shown("work", "aurora-town-local")


def test_a_new_version_takes_over_while_the_site_is_served(shell: Shell) -> None:
    """docs/upgrade.md: beside a worker that runs, the schema is brought up to date; the new worker
    stands by, and has the node once the old one was stopped."""
    small_site(shell, NODE)
    worker = f"robbieblocks worker --node {NODE}"
    with ExitStack() as new, shell.started(worker) as old:
        edit(shell, "play", "v1")
        until(lambda: "v1" in shell.shown("play"), "the old worker's build")
        for step in runbook("upgrade"):
            if "keeps-running" in step.words:
                new.enter_context(shell.started(step.text.strip()))
                old.send_signal(signal.SIGTERM)
                assert old.wait(30) == 0
                edit(shell, "play", "v3")
                until(lambda: "v3" in shell.shown("play"), "the new worker's build")
                continue
            if "db upgrade" in step.text:
                # What an earlier version lacked.
                with editor(shell) as connection:
                    connection.execute("DROP FUNCTION robbieblocks_publish_page")
            shell.follow(step)
            assert "<html" in shell.shown("play")
            if "db upgrade" in step.text:
                edit(shell, "play", "v2")
                until(lambda: "v2" in shell.shown("play"), "the old worker's build after it")
