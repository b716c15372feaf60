"""The steps of the Dockerfile and of the compose file, run in a folder: an engine is not needed.

What pip and npm would fetch is stood in for by what is here; `CONTAINER_STEPS=whole` fetches it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from robbieblocks.database import embedded
from robbieblocks.toolchain import Toolchain
from tests import web_servers
from tests.container import ROOT, Instruction, Machine, stages
from tests.needs import missing
from tests.workers import NODES, until

WHOLE = os.environ.get("CONTAINER_STEPS") == "whole"
# With CONTAINER_STEPS=whole it fetches some hundred MB.
pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(600 if WHOLE else 300)]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
_CLEAR = """
    DO $$
    DECLARE it record;
    BEGIN
        FOR it IN SELECT rolname FROM pg_roles
                   WHERE rolname IN ('robbieblocks_site', 'robbieblocks_reviewer',
                                     'robbieblocks_worker', 'robbieblocks_editor')
        LOOP
            EXECUTE format('DROP OWNED BY %I', it.rolname);
            EXECUTE format('DROP ROLE %I', it.rolname);
        END LOOP;
    END
    $$;
    ALTER ROLE robbieblocks NOCREATEROLE;
"""


@pytest.fixture
def machine(tmp_path: Path, toolchain: Toolchain) -> Machine:
    """A folder in which both stages of the image were built."""
    machine = Machine(tmp_path / "root", python=os.environ.get("CONTAINER_PYTHON", ""))
    build, image = stages(ROOT / "Dockerfile")
    cache = str(toolchain.root.parent)
    machine.build(build, {} if WHOLE else _stand_ins(cache))
    for each in image:
        if each.name == "ENV":
            machine.environment |= machine.values(each)
    (machine.folder / "srv/site").mkdir(parents=True)
    (machine.folder / "srv/webserver").mkdir()
    (machine.folder / "var/lib/robbieblocks").mkdir(parents=True)
    if not WHOLE:
        machine.environment["ROBBIEBLOCKS_TOOLCHAIN_CACHE"] = cache
    # Nothing of it can be written by the account that runs it; root may write all the same.
    machine.run(["chmod", "-R", "a-w", "opt"])
    return machine


def _stand_ins(toolchain_cache: str) -> dict[str, str]:
    """Instead of fetching: the packages of this environment, and the toolchain of this cache."""
    here = (
        "-c 'import pathlib, sysconfig as s; "
        'pathlib.Path(s.get_path("purelib"), "others.pth").write_text("{}\\n")\''
    ).format(sysconfig.get_path("purelib"))
    pip = "-m pip install --quiet --require-hashes --only-binary :all: -r"
    return {
        # Of this one pip runs no more.
        "-m venv /build/env": "-m venv --without-pip /build/env",
        f"{pip} requirements-worker.lock": here,
        f"{pip} requirements.lock": here,
        "ROBBIEBLOCKS_TOOLCHAIN_CACHE=/opt/robbieblocks/toolchain": (
            f"ROBBIEBLOCKS_TOOLCHAIN_CACHE='{toolchain_cache}'"
        ),
    }


@pytest.fixture
def owner(editor: psycopg.Connection) -> Iterator[dict[str, str]]:
    """The variables of the owner of a database with a small site, who may make roles."""
    with psycopg.connect(editor.info.dsn, user="postgres", autocommit=True) as superuser:
        superuser.execute("ALTER ROLE robbieblocks CREATEROLE")
        try:
            there = editor.info
            yield {"PGHOST": there.host, "PGPORT": str(there.port), "PGDATABASE": there.dbname}
        finally:
            superuser.execute(_CLEAR)


def test_the_image_publishes_with_the_least_rights_and_ends_in_order(
    machine: Machine, owner: dict[str, str], tmp_path: Path
) -> None:
    """Schema, accounts (twice), worker, configuration: each as the compose file says. The health
    check fails before the worker runs, and holds while it does; SIGTERM ends it with 0."""
    (_, image) = stages(ROOT / "Dockerfile")
    (entry,) = [each.words[0] for each in image if each.name == "ENTRYPOINT"]
    command = str(machine.folder / "opt/robbieblocks/env/bin" / entry)
    machine.environment |= owner | {"PGUSER": "robbieblocks"}
    assert COMPOSE["schema"]["command"][:2] == ["db", "init"]
    machine.run([command, "db", "init"])
    for _ in range(2):
        machine.run(_psql(), cwd=str(ROOT))
    machine.environment["PGUSER"] = COMPOSE["worker-vengeance-local"]["environment"]["PGUSER"]

    port = web_servers.free_port()
    machine.environment["ROBBIEBLOCKS_HEALTH"] = f"0.0.0.0:{port}"
    (check,) = [each.text for each in image if each.name == "HEALTHCHECK"]
    healthy = Instruction("CMD", check.partition("CMD ")[2].replace("9464", str(port))).words
    machine.run(healthy, fails=True)
    words = COMPOSE["worker-vengeance-local"]["command"]
    with subprocess.Popen([command, *words], cwd=machine.folder, env=machine.variables) as worker:
        try:
            live = machine.folder / "srv/site/vengeance-local/play/current"
            until(lambda: worker.poll() is not None or live.is_symlink(), "the first build")
            machine.run(healthy)
            machine.run([command, "build", "--node", "aurora-town-local"])
            _print_configurations(machine, tmp_path)
        finally:
            worker.terminate()
        assert worker.wait(30) == 0


def test_the_file_of_passwords_is_for_its_owner_alone_and_is_made_once(tmp_path: Path) -> None:
    """The line of docs/container.md: again, it leaves the passwords that the database has."""
    if shutil.which("openssl") is None:
        missing("openssl")
    document = (ROOT / "docs/container.md").read_text()
    (line,) = [line for line in document.splitlines() if "> .env" in line]
    made = set()
    for _ in range(2):
        subprocess.run(["sh", "-euc", line], cwd=tmp_path, check=True)
        made.add((tmp_path / ".env").read_text())
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    (text,) = made
    names = dict(each.split("=") for each in text.splitlines())
    assert {name: len(value) for name, value in names.items()} == {
        "OWNER_PASSWORD": 48,
        "WORKER_PASSWORD": 48,
    }


def _psql() -> list[str]:
    """The service `accounts`, with its files where they are here."""
    service = COMPOSE["accounts"]
    mounted = dict(each.removesuffix(":ro").split(":")[::-1] for each in service["volumes"])
    program = embedded.program("psql")
    assert program is not None
    words = [program, *service["entrypoint"][1:], *service["command"]]
    for there, here in mounted.items():
        words = [str(word).replace(there, str(ROOT / here)) for word in words]
    return ["env", "WORKER_PASSWORD=it's; $x", *map(str, words)]


def _print_configurations(machine: Machine, folder: Path) -> None:
    """The service `configuration`: nginx takes what it prints for both nodes, side by side."""
    service = COMPOSE["configuration"]
    (script,) = service["command"]
    machine.run([*service["entrypoint"], machine.rooted(script.replace("$$", "$"))])
    printed = [machine.folder / f"srv/webserver/{node}.conf" for node in NODES]
    both = "".join(path.read_text() for path in printed)
    for port in ("8080", "8081"):
        assert f"listen 0.0.0.0:{port};" in both
        both = both.replace(f"0.0.0.0:{port}", f"127.0.0.1:{web_servers.free_port()}")
    assert web_servers.check("nginx", both, folder / "nginx") == ""
