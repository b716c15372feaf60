"""The commands as people and scripts meet them: exit codes, what is printed, and where."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import psycopg
import pytest

from tests.acceptance.conftest import Demo
from tests.commands import Installation, released

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
EARLIER = ROOT / "tests" / "fixtures" / "earlier-21-robbieblocks-cms.sql"
PLAY = ("--node", "vengeance-local", "--app", "play")
BREAK = "UPDATE robbieblocks_components SET react_code = 'export default () => <p>' \
WHERE component_key = 'blackjack-table'"
RENAME = "UPDATE robbieblocks_pages SET meta_title = 'Renamed' WHERE page_key = 'robbie-play-home'"


def sql(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    assert installation.database_url
    with psycopg.connect(installation.database_url) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def schema() -> jsonschema_rs.Validator:
    """The JSON Schema that docs/output.md gives for `build --format json`."""
    found = re.findall(r"```json\n(.*?)```", (ROOT / "docs/output.md").read_text(), re.DOTALL)
    (described,) = (
        value for value in map(json.loads, found) if "runs" in value.get("properties", ())
    )
    return jsonschema_rs.validator_for(described)


def test_json_is_as_documented(installation: Installation, tmp_path: Path) -> None:
    """Published, unchanged, dry run with a copy, held back and stopped by --strict: each fits the
    schema in docs/output.md, agrees with its exit code, and stands alone on stdout."""
    documented = schema()

    def build(*options: str) -> tuple[int, dict[str, Any], dict[str, Any]]:
        ran = installation.run("build", *PLAY, "--format", "json", *options)
        report = json.loads(ran.out)
        assert [error.message for error in documented.iter_errors(report)] == []
        assert report["exit_code"] == ran.code, ran.err
        (only,) = report["runs"]
        return ran.code, only, report

    code, run, _ = build()
    assert (code, run["outcome"], run["hash_before"]) == (0, "published", "none")
    assert {page["change"] for page in run["pages"]} == {"added"}
    live = run["build_hash"]
    code, run, _ = build()
    assert (code, run["outcome"], run["build_hash"]) == (0, "unchanged", live)
    sql(installation, RENAME)
    code, run, report = build("--dry-run", "--out", str(tmp_path / "copy"))
    assert (code, run["outcome"], report["dry_run"]) == (0, "published", True)
    assert [page["change"] for page in run["pages"]] == ["unchanged", "changed"]
    assert "<title>Renamed" in (tmp_path / "copy/vengeance-local/play/index.html").read_text()
    sql(installation, BREAK)
    code, run, _ = build("--strict")
    assert (code, run["outcome"], run["build_hash"]) == (1, "failed", live)
    code, run, _ = build()
    assert (code, run["outcome"]) == (1, "failed")
    assert run["build_hash"] not in (live, "none")
    assert {page["key"]: page["change"] for page in run["pages"]} == {
        "robbie-play-blackjack": "held back",
        "robbie-play-home": "changed",
    }
    (problem,) = [each for each in run["problems"] if each["severity"] == "error"]
    assert (problem["entity"], problem["key"], problem["line"]) == (
        *("component", "blackjack-table"),
        1,
    )


def test_text_is_one_line_a_run(installation: Installation) -> None:
    """A pipe gets plain lines: outcome and hash of each run, changed pages, then the work done;
    progress goes to stderr."""
    ran = installation.run("build", *PLAY)
    assert ran.code == 0
    assert "\x1b" not in ran.out + ran.err
    first, *rest = ran.out.splitlines()
    assert re.fullmatch(
        r"vengeance-local  play  published   [0-9a-f]{12}  2 pages of 2, \d+ files written "
        r"\([\d.]+ k?B\) in \d+ ms",
        first,
    )
    assert [line.split()[:2] for line in rest[:2]] == [
        ["added", "robbie-play-blackjack"],
        ["added", "robbie-play-home"],
    ]
    assert re.search(r"\d+ modules? compiled.*, \d+ blocks? rendered, \d+ ms", rest[-1])
    again = installation.run("build", "--page", "robbie-play-home")
    assert again.code == 0
    assert "vengeance-local      play  unchanged" in again.out
    assert "collaboration-local  play  published" in again.out
    sql(installation, RENAME)
    dry = installation.run("build", *PLAY, "--dry-run")
    assert dry.code == 0
    assert "would go" in dry.out
    assert "changed    robbie-play-home  /play/" in dry.out
    sql(installation, BREAK)
    broken = installation.run("build", *PLAY)
    assert broken.code == 1
    assert "failed" in broken.out
    assert "held back  robbie-play-blackjack" in broken.out
    assert "component blackjack-table, react_code, line 1:" in broken.out
    assert "export default () => <p>" in broken.out
    assert "Traceback" not in broken.err


def test_markdown_is_a_comment_for_a_pull_request(installation: Installation) -> None:
    """A table of what would change, and each problem where it can be read."""
    assert installation.run("build", *PLAY).code == 0
    sql(installation, RENAME)
    sql(installation, BREAK)
    ran = installation.run("build", *PLAY, "--dry-run", "--format", "markdown")
    assert ran.code == 1
    lines = ran.out.splitlines()
    assert lines[0].startswith("### RobbieBlocks: ")
    assert "| page | node | app | change | size |" in lines
    assert any(
        line.startswith("| `/play/` | `vengeance-local` | `play` | changed |") for line in lines
    )
    assert any("| held back |" in line for line in lines)
    fences = [index for index, line in enumerate(lines) if line.startswith("```")]
    assert any("blackjack-table" in line for line in lines[fences[0] : fences[1]])


def test_the_embedded_database_gets_every_file_of_the_unified_schema(tmp_path: Path) -> None:
    """pgvector, too, which its own role may not install; a check then finds nothing."""
    installation = Installation(home=tmp_path)
    for command in ("init", "verify"):
        ran = installation.run("db", command, "--unified")
        assert ran.code == 0, ran
    rows = installation.run("db", "psql", "--", "-Atc", "SELECT count(embedding) FROM embeddings")
    assert (rows.code, rows.out) == (0, "0\n")


def test_the_database_is_made_checked_and_filled(empty_database: str, tmp_path: Path) -> None:
    """On a named database: verify finds everything missing, init makes it, seed fills it, and each
    of them says so the second time that nothing is left to do."""
    installation = Installation(home=tmp_path / "home", database_url=empty_database)
    before = installation.run("build")
    assert before.code == 3
    assert "robbieblocks db init" in before.error
    missing = installation.run("db", "verify")
    assert missing.code == 1
    assert "robbieblocks_pages" in missing.out
    made = installation.run("db", "init")
    assert made.code == 0
    first, *rest = made.out.splitlines()
    assert first.startswith("created the schema: 10 tables, 2 views, ")
    assert len(rest) == 1, made.out
    assert "db init --demo" in rest[0]
    again = installation.run("db", "init")
    assert (again.code, again.out.strip()) == (0, "the schema is up to date")
    assert installation.run("db", "verify").code == 0
    for table in ("pages", "components", "style_tokens", "node_branding"):
        assert sql(installation, f"SELECT count(*) FROM robbieblocks_{table}") == [(0,)]
    # Nothing is to go out, and that is not as it should be.
    empty = installation.run("status", "--check")
    assert empty.code == 1
    assert "the database has no node" in empty.out
    demo = installation.run("db", "init", "--demo")
    assert demo.code == 0
    assert re.search(r"the demo content: [1-9]\d+ rows written", demo.out)
    untouched = installation.run("db", "init", "--demo")
    assert untouched.code == 0
    assert "the demo content: 0 rows written" in untouched.out
    assert sql(installation, "SELECT count(*) FROM robbieblocks_pages") == [(6,)]
    sql(installation, "UPDATE robbieblocks_pages SET page_name = 'Mine'")
    assert installation.run("db", "init", "--demo").code == 0
    assert sql(installation, "SELECT DISTINCT page_name FROM robbieblocks_pages") == [("Mine",)]


def test_content_goes_out_as_files_and_comes_back(empty_database: str, tmp_path: Path) -> None:
    """Export, edit a file, see the difference, try the import, import, and find a conflict."""
    installation = Installation(home=tmp_path / "home", database_url=empty_database)
    assert installation.run("db", "init", "--demo").code == 0
    site = tmp_path / "site"
    assert installation.run("content", "export", str(site)).code == 0
    assert "0 written" in installation.run("content", "export", str(site)).out
    assert installation.run("content", "diff", str(site), "--check").code == 0
    page = site / "content" / "pages" / "robbie-play-home.toml"
    page.write_text(page.read_text().replace('name = "', 'name = "New ', 1))
    diff = installation.run("content", "diff", str(site), "--check")
    assert diff.code == 1
    assert '+name = "New ' in diff.out
    tried = installation.run("content", "import", str(site), "--dry-run")
    assert "change   page/robbie-play-home" in tried.out
    names = "SELECT page_name FROM robbieblocks_pages WHERE page_key = 'robbie-play-home'"
    assert not sql(installation, names)[0][0].startswith("New ")
    done = installation.run("content", "import", str(site))
    assert (done.code, "1 changed" in done.out) == (0, True)
    assert sql(installation, names)[0][0].startswith("New ")
    sql(installation, "UPDATE robbieblocks_pages SET page_name = 'Mine'")
    page.write_text(page.read_text().replace("New ", "Other "))
    conflict = installation.run("content", "import", str(site))
    assert conflict.code == 1
    assert "--theirs page/robbie-play-home" in conflict.out
    assert sql(installation, names) == [("Mine",)]
    kept = installation.run("content", "export", str(site))
    assert (kept.code, "--ours page/robbie-play-home" in kept.out) == (1, True)
    assert 'name = "Other ' in page.read_text()
    assert installation.run("content", "import", str(site), "--ours", "all").code == 0
    for command in ("import", "export"):
        unknown = installation.run(
            "content", command, str(site), "--theirs", "page/robbie-play-hom"
        )
        assert (unknown.code, "did you mean page/robbie-play-home" in unknown.error) == (2, True)
    for name in ("home", "pages/home"):
        wrong = installation.run("content", "import", str(site), "--ours", name)
        assert (wrong.code, "page/KEY" in wrong.error) == (2, True)
    page.write_text("name = \n")
    broken = installation.run("content", "import", str(site))
    assert broken.code == 1
    assert "content/pages/robbie-play-home.toml, line 1" in broken.error


def test_branding_is_reviewed_as_files_alone(empty_database: str, tmp_path: Path) -> None:
    """Export, difference, dry run and conflict of node_branding; rows of other kinds stay."""
    installation = Installation(home=tmp_path / "home", database_url=empty_database)
    assert installation.run("db", "init", "--demo").code == 0
    folder = tmp_path / "branding"
    assert installation.run("branding", "export", str(folder)).code == 0
    assert sorted(file.name for file in folder.iterdir()) == [
        *("aurora-town-local.toml", "collaboration-local.toml"),
        *("fluenti-local.toml", "vengeance-local.toml"),
    ]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["branding"]
    assert installation.run("branding", "diff", str(folder), "--check").code == 0
    file = folder / "vengeance-local.toml"
    file.write_text(file.read_text().replace('"#08060f"', '"{color.surface}"'))
    sql(installation, "UPDATE robbieblocks_pages SET page_name = 'Mine'")
    diff = installation.run("branding", "diff", str(folder), "--check")
    assert diff.code == 1
    assert '+"color.background" = "{color.surface}"' in diff.out
    assert "page/" not in diff.out
    tried = installation.run("branding", "apply", str(folder), "--dry-run", "--prune")
    assert tried.out == (
        "change   node/vengeance-local  (changed in the file)\ndry run: 1 changed\n"
    )
    assert installation.run("branding", "apply", str(folder)).code == 0
    sql(installation, "UPDATE robbieblocks_node_branding SET node_name = 'Mine'")
    file.write_text(file.read_text().replace("Vengeance", "Other"))
    assert "--theirs node/vengeance-local" in installation.run("branding", "apply", str(folder)).out
    missing = installation.run("branding", "apply", str(tmp_path / "nowhere"))
    assert (missing.code, "nowhere: is not a folder" in missing.error) == (1, True)


def test_tokens_go_to_design_tools_and_come_back(empty_database: str, tmp_path: Path) -> None:
    """Export, edit as a tool would, import: what no row can hold is told, the others are written,
    and a row that was changed by hand meanwhile is a conflict."""
    installation = Installation(home=tmp_path / "home", database_url=empty_database)
    assert installation.run("db", "init", "--demo").code == 0
    file = tmp_path / "site.tokens.json"
    assert installation.run("tokens", "export", str(file)).out == f"wrote  {file}\n"
    assert installation.run("tokens", "export", str(file)).out == f"as it was  {file}\n"
    document = json.loads(file.read_text())
    assert json.loads(installation.run("tokens", "export").out) == document
    same = installation.run("tokens", "import", str(file))
    assert (same.code, same.out) == (0, "nothing differs\n")
    document["color"]["link"]["$value"] = "{color.primary}"
    document["spacing"] = {"odd": {"$type": "asset", "$value": "x"}}
    file.write_text(json.dumps(document, indent=1))
    tried = installation.run("tokens", "import", str(file), "--dry-run")
    assert tried.out == "change   token/color.link  (changed in the file)\ndry run: 1 changed\n"
    assert (tried.code, "spacing.odd: it has the type `asset`" in tried.err) == (1, True)
    value = "SELECT default_value FROM robbieblocks_style_tokens WHERE token_key = 'color.link'"
    assert sql(installation, value) != [("{color.primary}",)]
    assert installation.run("tokens", "import", str(file)).code == 1
    assert sql(installation, value) == [("{color.primary}",)]
    sql(installation, "UPDATE robbieblocks_style_tokens SET default_value = 'red'")
    document["color"]["link"]["$value"] = "{color.accent}"
    file.write_text(json.dumps(document))
    conflict = installation.run("tokens", "import", str(file))
    assert "conflict token/color.link" in conflict.out
    assert sql(installation, value) == [("red",)]
    missing = installation.run("tokens", "import", str(tmp_path / "none.json"))
    assert (missing.code, "none.json: can't be read" in missing.error) == (1, True)


def test_the_demo_is_written_over_no_row_of_an_earlier_database(
    empty_database: str, tmp_path: Path
) -> None:
    """Rows of the same keys are named, nothing is written, and the exit code is 1."""
    installation = Installation(home=tmp_path / "home", database_url=empty_database)
    sql(installation, EARLIER.read_text())
    sql(
        installation,
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value) "
        "VALUES ('color.primary', 'color', '#123456') ON CONFLICT (token_key) "
        "DO UPDATE SET default_value = '#123456'; "
        "INSERT INTO robbieblocks_node_branding (node_id, node_name, style_overrides, enabled_apps)"
        " VALUES ('fluenti-local', 'Ours', '{}', '{play,work,code}') ON CONFLICT (node_id) "
        "DO UPDATE SET node_name = 'Ours', enabled_apps = '{play,work,code}'",
    )
    assert installation.run("db", "upgrade").code == 0
    tables = ("style_tokens", "node_branding", "pages", "components", "page_blocks")
    queries = [f"SELECT to_jsonb(t) FROM robbieblocks_{name} t ORDER BY id" for name in tables]
    before = [sql(installation, query) for query in queries]
    ran = installation.run("db", "init", "--demo")
    assert ran.code == 1
    assert "token/color.primary" in ran.out
    assert "node/fluenti-local" in ran.out
    assert [sql(installation, query) for query in queries] == before


def test_an_earlier_database_is_brought_up_to_date(empty_database: str, tmp_path: Path) -> None:
    """`db upgrade` says what it changes, keeps the rows, and leaves what `db verify` accepts."""
    installation = Installation(home=tmp_path / "home", database_url=empty_database)
    sql(installation, EARLIER.read_text())
    pages = sql(installation, "SELECT id, page_key FROM robbieblocks_pages ORDER BY id")
    assert installation.run("db", "verify").code == 1
    ran = installation.run("db", "upgrade")
    assert ran.code == 0, ran.out + ran.err
    assert "changed" in ran.out.splitlines()[-1]
    assert installation.run("db", "verify").code == 0
    assert sql(installation, "SELECT id, page_key FROM robbieblocks_pages ORDER BY id") == pages


UNREACHABLE = "postgresql://ed:geheim@127.0.0.1:1/cms"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("build", "--database-url", UNREACHABLE), 3, "127.0.0.1 port 1"),
        (("build", "--database-url", UNREACHABLE), 3, "start the server"),
        (("db", "verify", "--database-url", UNREACHABLE), 3, "database cms"),
        (("status", "--database-url", UNREACHABLE), 3, "as ed"),
        (("build", "--database-url", "nonsense"), 2, "postgresql://"),
        (("build", "--out", "copy"), 2, "--dry-run"),
        (("build", "--drafts"), 2, "--dry-run"),
        (("build", "--dry-run", "--at", "2026-12-24T18:00"), 2, "names no zone"),
        (("bild",), 2, "Did you mean 'build'?"),
        (("content", "exprt"), 2, "export"),
        (("build", "--format", "yaml"), 2, "markdown"),
        (("build", "--page"), 2, "--page"),
        (("serve", "--port", "x"), 2, "--port"),
        (("serve",), 2, "robbieblocks build"),
        (("serve", "--node", "vengeance-local"), 2, "vengeance-local"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_failure_is_one_clear_error(
    tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    """The right exit code, one error that names what is wrong, no traceback, no password, nothing
    on stdout."""
    ran = Installation(home=tmp_path / "home").run(*arguments)
    assert ran.code == code, ran.err
    assert said in ran.error
    assert ran.out == ""
    assert "geheim" not in ran.err


def test_unknown_names_come_with_the_nearest(installation: Installation) -> None:
    """A page, node or app that is not there is a usage error with what was probably meant."""
    for option, wrong, meant in (
        ("--page", "robbie-play-hom", "robbie-play-home"),
        ("--node", "vengeance", "vengeance-local"),
        ("--app", "plai", "play"),
    ):
        ran = installation.run("build", option, wrong)
        assert ran.code == 2
        assert f"did you mean {meant}" in ran.error
        assert ran.out == ""


def test_a_taken_port_is_told(demo: Demo) -> None:
    """`serve` on a port that somebody has says which, and takes none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = demo.installation.run("serve", "--node", "vengeance-local", "--port", str(port))
    assert ran.code == 2
    assert str(port) in ran.error


def test_the_version_is_told(tmp_path: Path) -> None:
    """`--version` prints one line and needs nothing else to work."""
    ran = Installation(home=tmp_path / "home").run("--version")
    assert ran.code == 0
    assert re.fullmatch(r"robbieblocks \S.*\n", ran.out)


def test_a_shell_completes_what_can_be_typed(tmp_path: Path) -> None:
    """What `--install-completion` puts into a shell asks the command itself, which knows commands,
    nodes and pages, and says nothing over a file with a mistake. `python -m` runs the command."""
    installation = Installation(home=tmp_path / "home")

    def completed(line: str) -> list[str]:
        words, count = f"robbieblocks {line}", str(len(line.split(" ")))
        ran = installation.run(
            _ROBBIEBLOCKS_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=count
        )
        assert ran.err == ""
        return ran.out.split()

    for file in ("node_branding/day.toml", "content/pages/home.toml", "content/pages/team.toml"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (tmp_path / "home" / "site" / "night").mkdir(parents=True)
    assert {"psql", "url", "verify"} <= set(completed("db "))
    assert completed("build --node ") == ["day", "night"]
    assert completed("build --page t") == ["team"]
    (tmp_path / "robbieblocks.toml").write_text("[")
    assert completed("build --page t") == []
    module = [sys.executable, "-m", "robbieblocks", "--version"]
    assert subprocess.check_output(module, cwd=ROOT).startswith(b"robbieblocks ")


def test_a_home_may_have_any_name_and_be_relative(tmp_path: Path, warm_cache: Path) -> None:
    """Spaces, commas, quotes and other scripts in a relative ROBBIEBLOCKS_HOME change nothing: the
    embedded database is made there, filled, and built from; commands at the same time share it."""
    folder = tmp_path / "so, a “home” of 家 & 'co'"
    folder.mkdir()
    variables = {"ROBBIEBLOCKS_HOME": "my home", "ROBBIEBLOCKS_CACHE": str(warm_cache)}
    installation = Installation(home=folder / "my home", variables=variables)
    with installation.running("db", "verify") as other:
        ran = installation.run("build", "--app", "shared", "--format", "json", cwd=folder)
        other.wait()
    assert ran.code == 0, ran.err
    assert {run["outcome"] for run in json.loads(ran.out)["runs"]} == {"published"}
    page = installation.site / "vengeance-local/shared/current/about/index.html"
    assert "One set of pages" in page.read_text()
    released(folder / "my home")


OTHER_USER = 65534


@pytest.fixture
def stranger() -> Iterator[tuple[Path, list[str], dict[str, str]]]:
    """A folder of another user, what to put before a command, and that user's environment.

    The folder is outside of pytest's own, which only their owner may enter.
    """
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root can become another user")
    folder = Path(tempfile.mkdtemp(dir="/var/tmp", prefix="robbieblocks-"))
    os.chown(folder, OTHER_USER, OTHER_USER)
    become = ["setpriv", f"--reuid={OTHER_USER}", f"--regid={OTHER_USER}", "--clear-groups"]
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {name: os.environ[name] for name in os.environ if name != "HOME"}
    environment |= {
        "HOME": "/nonexistent",
        "TMPDIR": "/var/tmp",
        "PYTHONPATH": os.pathsep.join((str(ROOT), packages)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        yield folder, [*become, _interpreter(become, environment)], environment
    finally:
        shutil.rmtree(folder)


def _interpreter(become: list[str], environment: dict[str, str]) -> str:
    """A Python that the other user may run with the packages of this one."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for program in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        # The second Python is started by the first, as the command starts its children.
        probe = "import psycopg, subprocess, sys; subprocess.check_call([sys.executable, '-c', ''])"
        done = subprocess.run(
            [*become, program, "-c", probe],
            env=environment,
            cwd="/",
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            return program
    pytest.skip("no Python here that another user may run")


def test_another_user_elsewhere_builds_the_same(
    demo: Demo,
    stranger: tuple[Path, list[str], dict[str, str]],
    toolchain: Any,
) -> None:
    """Another user, in another folder, with a database and a cache of their own, gets equal build
    hashes for every node and app."""
    folder, python, environment = stranger
    shutil.copytree(toolchain.root, folder / "toolchain" / toolchain.root.name, symlinks=True)
    environment |= {
        "ROBBIEBLOCKS_HOME": str(folder / "home"),
        "ROBBIEBLOCKS_TOOLCHAIN_CACHE": str(folder / "toolchain"),
    }
    program = "import sys; from robbieblocks.cli import main; sys.argv[0] = 'robbieblocks'; main()"
    done = subprocess.run(
        [*python, "-c", program, "build", "--format", "json"],
        env=environment,
        cwd=folder,
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert hashes(json.loads(done.stdout)) == hashes(demo.report)
    assert (folder / "home/site").stat().st_uid == OTHER_USER
    released(folder / "home")


def test_a_home_that_cannot_be_written_is_told(
    stranger: tuple[Path, list[str], dict[str, str]],
) -> None:
    """A folder without the right to write: exit code 3, one error that names the folder."""
    folder, python, environment = stranger
    os.chown(folder, 0, 0)
    folder.chmod(0o755)
    program = "import sys; from robbieblocks.cli import main; sys.argv[0] = 'robbieblocks'; main()"
    for command in (["db", "verify"], ["build"]):
        done = subprocess.run(
            [*python, "-c", program, *command],
            env=environment | {"ROBBIEBLOCKS_HOME": str(folder / "home")},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 3, done.stderr
        assert "Traceback" not in done.stderr
        assert str(folder / "home") in done.stderr


def test_a_site_root_that_cannot_be_written_is_told(installation: Installation) -> None:
    """Where the site root can't be made: exit code 3, and an error that names it."""
    (installation.home / "site").write_text("a file where a folder should be")
    ran = installation.run("build", *PLAY)
    assert ran.code == 3
    assert "Traceback" not in ran.err
    assert str(installation.site) in ran.out + ran.err


def hashes(report: dict[str, Any] | Any) -> dict[tuple[str, str], str]:
    return {(run["node"], run["app"]): run["build_hash"] for run in report["runs"]}
