"""The project keeps its own promises: documents, locks, names and suppressions."""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from robbieblocks.cli import app

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "robbieblocks"
PYTHON_FILES = sorted(
    path for folder in ("robbieblocks", "tests", "tools") for path in (ROOT / folder).rglob("*.py")
)
_SQL = re.compile(r"\s*(?:--.*\n\s*)*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|LISTEN|NOTIFY)\s")
_SUPPRESSION = re.compile(r"#\s*(?:noqa\b|type:\s*ignore|pragma: no cover)(.*)$")


def read(name: str) -> str:
    """A file of the project, as text."""
    return (ROOT / name).read_text(encoding="utf-8")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by its whole name."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, click.Command]]:
        if hasattr(command, "commands"):
            for part, inner in command.commands.items():
                yield from walk(f"{name} {part}", inner)
        else:
            yield name, command

    yield from walk("robbieblocks", typer.main.get_command(app))


def shell_lines(document: str) -> list[list[str]]:
    """The words of each command line in a document's ```sh blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", document, re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def make_targets() -> dict[str, str]:
    """The Makefile's targets and what each says of itself."""
    return dict(re.findall(r"^([a-z]+):.*?(?:  ## (.*))?$", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_says_what_it_does_and_stands_in_the_readme(name: str) -> None:
    """A command has help for itself and all its options, and a line in the README's table."""
    command = dict(commands())[name]
    assert command.help
    for option in command.params:
        assert getattr(option, "help", None), f"{name} {option.name} has no help"
    assert f"| `{name}` |" in read("README.md")


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_line_a_document_tells_to_type_exists(document: str) -> None:
    """Targets, commands and options in the documents are real ones."""
    known = dict(commands())
    for words in shell_lines(read(document)):
        if words[0] == "make":
            assert words[1] in make_targets(), words
        elif words[0] == "robbieblocks":
            name = next(n for n in sorted(known, key=len, reverse=True) if _starts(words, n))
            options = {text for option in known[name].params for text in option.opts}
            assert {word for word in words if word.startswith("--")} <= options, words
        else:
            assert words[0] == "psql"
            assert (ROOT / words[-1]).is_file(), words


def _starts(words: list[str], name: str) -> bool:
    parts = name.split()
    return words[: len(parts)] == parts


def test_ci_runs_what_the_readme_tells_a_contributor_to_run() -> None:
    """CI's one command is a line of the README."""
    lines = [line for line in read(".ci/run").splitlines() if line.startswith("make")]
    assert lines == ["make test"]
    assert ["make", "test"] in shell_lines(read("README.md"))


def test_every_make_target_says_what_it_does() -> None:
    """`make help` leaves none out."""
    assert not [target for target, text in make_targets().items() if not text]


def test_links_between_documents_lead_somewhere() -> None:
    """A relative link or picture in a document is a file of the project."""
    for document in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!\w+:|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_lock_files_pin_everything_and_name_no_host() -> None:
    """A lock file works behind any mirror, and covers what pyproject.toml asks for."""
    spec = importlib.util.spec_from_file_location("lock", ROOT / "tools" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    lock = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lock)
    assert lock.problems() == []


def test_the_version_has_an_entry_in_the_changelog() -> None:
    """A release says what changed."""
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f"## [{version}]" in read("CHANGELOG.md")


def test_every_room_is_in_the_table_of_layers() -> None:
    """A newcomer finds each room's place in CONTRIBUTING.md."""
    rooms = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.stem != "__init__"
    }
    table = read("CONTRIBUTING.md")
    assert not {room for room in rooms if f"`{room}`" not in table}


def test_no_room_is_named_after_nothing() -> None:
    """A name says what the thing does."""
    empty = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
    assert not [path for path in PYTHON_FILES if {path.stem, *path.parts} & empty]


def test_every_suppression_has_its_reason_beside_it() -> None:
    """`noqa: RULE -- why`, `type: ignore[code]  # why`."""
    bare = []
    for path in PYTHON_FILES:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            found = _SUPPRESSION.search(line)
            if found and path != Path(__file__) and not re.search(r"(-|#)\s+\w+", found[1]):
                bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert not bare


def test_every_named_query_is_used() -> None:
    """SQL that nobody runs is gone."""
    named: dict[str, str] = {}
    used: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for statement in tree.body:
            for name in _query_names(statement):
                named[name] = str(path.relative_to(ROOT))
        used |= {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        used |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert named
    assert not {name: path for name, path in named.items() if name not in used}


def _query_names(statement: ast.stmt) -> list[str]:
    """The constants that a statement of a module binds to text that begins as SQL does."""
    targets: list[ast.expr] = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    value = getattr(statement, "value", None)
    if not targets or value is None:
        return []
    texts = [n.value for n in ast.walk(value) if isinstance(n, ast.Constant)]
    if not any(isinstance(text, str) and _SQL.match(text) for text in texts):
        return []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _imported() -> set[str]:
    """The distributions that the package imports, or looks for by name."""
    known = importlib.metadata.packages_distributions()
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("find_spec"):
                names = [str(ast.literal_eval(node.args[0]))]
            else:
                continue
            for name in names:
                found |= {d.lower().replace("_", "-") for d in known.get(name.split(".")[0], ())}
    return found - {"robbieblocks"}


def test_what_the_package_imports_is_what_it_depends_on() -> None:
    """A package comes along by name or not at all, and none comes along for nothing."""
    asked = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    wanted = {re.split(r"[\[<>=~! ;]", entry)[0].lower() for entry in asked}
    assert _imported() - wanted == set(), "imported, and not in pyproject.toml"
    assert wanted - _imported() == set(), "in pyproject.toml, and not imported"
