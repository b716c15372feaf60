"""`robbieblocks systemd`: a unit that starts, whoever it is for and wherever the database is."""

from __future__ import annotations

import pwd
import re
from getpass import getuser
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from robbieblocks.cli.operating import systemd
from tests.commands import Installation

pytestmark = pytest.mark.postgres

NODE = "vengeance-local"


def test_a_unit_carries_what_names_the_database_and_no_secret(
    database: str, tmp_path: Path
) -> None:
    """The PG* variables are in it; a password is told to go elsewhere."""
    named = conninfo_to_dict(database)
    variables = {
        "PGHOST": str(named["host"]),
        "PGPORT": str(named["port"]),
        "PGUSER": str(named["user"]),
        "PGDATABASE": str(named["dbname"]),
    }
    ran = Installation(home=tmp_path / "home", variables=variables).run(
        "systemd", "--node", NODE, PGPASSWORD="geheim"
    )
    assert ran.code == 0, ran.err
    for name, value in variables.items():
        assert f'Environment="{name}={value}"' in ran.out
    assert "geheim" not in ran.out + ran.err
    assert "PGPASSWORD is not in the unit" in ran.err
    assert f"/etc/robbieblocks/{NODE}.env" in ran.err


def test_the_receiver_of_forms_has_a_unit_of_its_own(tmp_path: Path) -> None:
    """Whose command `doctor` finds in it; it makes no site root, and is no sync besides."""
    shell = Installation(home=tmp_path / "home")
    ran = shell.run("systemd", "--node", NODE, "--forms")
    assert ran.code == 0, ran.err
    assert re.search(rf"^ExecStart=\S+ forms receive --node {NODE}$", ran.out, re.MULTILINE)
    assert f"RobbieBlocks forms for {NODE}" in ran.out
    found = systemd.command_of(ran.out)
    assert found is not None
    assert str(found) == f"robbieblocks systemd --node {NODE} --user {getuser()} --forms"
    for other in ("--sync", "--create-root"):
        assert shell.run("systemd", "--node", NODE, "--forms", other).code == 2


def test_an_unknown_node_is_refused_where_the_database_can_be_asked(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    """Where it can't be asked, the unit is printed, and that is told."""
    refused = Installation(home=tmp_path / "home", database_url=database).run(
        "systemd", "--node", "vengence-local"
    )
    assert (refused.code, refused.out) == (2, "")
    assert "known: aurora-town-local" in refused.error
    for address in (empty_database, "postgresql://127.0.0.1:1/cms"):
        ran = Installation(home=tmp_path / "home", database_url=address).run(
            "systemd", "--node", "vengence-local"
        )
        assert ran.code == 0
        assert "is not known" in ran.err
        assert "ExecStart=" in ran.out


def test_the_unit_of_a_project_starts_in_its_folder(tmp_path: Path) -> None:
    """Wherever in the project it was printed; what counted from there is absolute."""
    below = tmp_path / "content" / "pages"
    below.mkdir(parents=True)
    (tmp_path / "robbieblocks.toml").write_text('[site]\nroot = "public"\n')
    shell = Installation(home=tmp_path / "home", variables={"ROBBIEBLOCKS_HOME": ""})
    ran = shell.run("systemd", "--node", NODE, cwd=below, ROBBIEBLOCKS_TEMPLATES="looks")
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    assert f"WorkingDirectory={tmp_path}" in lines
    for name, folder in {
        "HOME": tmp_path / ".robbieblocks",
        "SITE_ROOT": tmp_path / "public",
        "TEMPLATES": below / "looks",
    }.items():
        assert f'Environment="ROBBIEBLOCKS_{name}={folder}"' in lines


def test_another_account_has_its_own_toolchain(tmp_path: Path) -> None:
    """`--user` names whose cache is used; an account that is not there is refused."""
    alone = Installation(home=tmp_path / "home", variables={"ROBBIEBLOCKS_TOOLCHAIN_CACHE": ""})
    unit = alone.run("systemd", "--node", NODE, "--user", "nobody").out
    home = Path(pwd.getpwnam("nobody").pw_dir)
    cache = home / ".cache/robbieblocks" if home.is_dir() else alone.home
    assert f'Environment="ROBBIEBLOCKS_TOOLCHAIN_CACHE={cache}/toolchain"' in unit
    assert "User=nobody" in unit
    missing = alone.run("systemd", "--node", NODE, "--user", "nobody-of-that-name")
    assert missing.code == 2
    assert "no account 'nobody-of-that-name'" in missing.error


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("postgresql://db.example:1/cms", "yes"),
        ("host=127.0.0.1 port=1", "yes"),
        ("host=/run/postgresql port=1", "yes"),
        ("host=/tmp port=1", "no"),
        ("host=127.0.0.1,/var/tmp/x port=1", "no"),
        ("port=1", "no"),
    ],
)
def test_a_socket_in_a_temporary_folder_can_be_reached(
    tmp_path: Path, address: str, private: str
) -> None:
    """PrivateTmp would hide it."""
    ran = Installation(home=tmp_path / "home", database_url=address).run("systemd", "--node", NODE)
    assert f"\nPrivateTmp={private}\n" in ran.out
