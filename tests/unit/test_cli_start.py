"""What a command loads before it does anything: starting is most of a small command's time."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import typer.main
import typer.utils

from robbieblocks import cli
from robbieblocks.cli import ahead, asked
from robbieblocks.cli.output import as_json
from robbieblocks.settings import Settings

ROOT = Path(__file__).resolve().parents[2]

SERVERS = {"httpx", "uvicorn", "starlette", "structlog", "prometheus_client"}
SEEDING = {"tomllib", "robbieblocks.content", "robbieblocks.database.schema"}
BUILDING = {"robbieblocks.pipeline", "robbieblocks.bundle", "robbieblocks.assemble", "jinja2"}


def loaded(module: str) -> set[str]:
    """All that importing a module loads, in a fresh process."""
    program = f"import sys, {module}; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("robbieblocks.cli", SERVERS | SEEDING | BUILDING | {"psycopg", "importlib.metadata"}),
        ("robbieblocks.cli.ahead", SERVERS | SEEDING | BUILDING | {"psycopg"}),
        ("robbieblocks.cli.building.build", SERVERS | SEEDING | {"xml.etree.ElementTree"}),
        ("robbieblocks.cli.operating.status", SERVERS | SEEDING | BUILDING),
        (
            "robbieblocks.cli.database.database",
            SERVERS | BUILDING | {"tomllib", "robbieblocks.content"},
        ),
    ],
)
def test_a_command_loads_nothing_that_only_others_need(module: str, unneeded: set[str]) -> None:
    """Help loads the options alone, a build no server and no TOML, the rest nothing of a build."""
    found = loaded(module)
    assert module in found
    assert not found & unneeded


def test_without_a_project_no_toml_is_loaded() -> None:
    """Looking for the file is all that a command does for it where there is none."""
    read = "robbieblocks.settings; robbieblocks.settings.Settings.from_environment()"
    assert not loaded(read) & {"tomllib", "robbieblocks.source_files", "robbieblocks.model"}


def isolates() -> int:
    """How many of this process's children render."""
    children = psutil.Process().children()
    return sum(any("prerender" in word for word in child.cmdline()) for child in children)


def test_a_first_build_has_isolates_started_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing is remembered they are there before anything else is; they end with it."""
    monkeypatch.setenv("ROBBIEBLOCKS_HOME", str(tmp_path))
    settings = Settings.from_environment()
    others = isolates()
    with ahead.prerenderer(settings):
        assert isolates() > others
    assert isolates() == others
    settings.cache.mkdir()
    with ahead.prerenderer(settings):
        assert isolates() == others


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector, left as it was."""
    before = gc.isenabled()
    yield
    gc.unfreeze()
    if before:
        gc.enable()
    else:
        gc.disable()


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    """The command line, in this process."""
    monkeypatch.setattr(sys, "argv", ["robbieblocks", *words])
    with pytest.raises(SystemExit):
        cli.main()


@pytest.mark.usefixtures("collector")
def test_a_command_that_runs_for_long_collects_its_garbage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """So do a worker, a server and what writes TOML; short commands leave it for their end."""
    collecting: list[bool] = []

    def note() -> None:
        collecting.append(gc.isenabled())

    monkeypatch.setenv("ROBBIEBLOCKS_HOME", str(tmp_path))
    monkeypatch.setenv("ROBBIEBLOCKS_DATABASE_URL", "host=nowhere.invalid")
    monkeypatch.setattr("robbieblocks.worker.run", lambda *_: note())
    run(monkeypatch, "worker", "--node", "a")
    monkeypatch.setattr("robbieblocks.release.nodes", lambda _: ["a"])
    monkeypatch.setattr("robbieblocks.cli.running.serve.serve_nodes", lambda *_, **__: note())
    run(monkeypatch, "serve")
    monkeypatch.setattr("robbieblocks.cli.content.content.export", lambda *_, **__: note())
    run(monkeypatch, "content", "export")
    monkeypatch.setattr("robbieblocks.cli.database.database.verify", lambda *_, **__: note())
    run(monkeypatch, "db", "verify")
    assert collecting == [True, True, True, False]


def test_results_are_written_as_any_terminal_takes_them() -> None:
    """The same indented ASCII as ever, for texts in any script and for what UTF-8 has not got."""
    for value in ({"pages": [{"key": "a", "size": None}], "none": []}, ["é"], {"x": "\ud800"}):
        text = as_json(value)
        assert text == json.dumps(value, indent=2)
        assert text.isascii()


def lines(capsys: pytest.CaptureFixture[str], program: Any, *words: str) -> str:
    """What the command line prints for these words, on both streams."""
    with pytest.raises(SystemExit):
        program(words, prog_name="robbieblocks")
    told = capsys.readouterr()
    return told.out + told.err


def paths(group: Any, *words: str) -> Iterator[tuple[str, ...]]:
    """The words of every group and command."""
    for name, inner in group.commands.items():
        yield (*words, name)
        if hasattr(inner, "commands"):
            yield from paths(inner, *words, name)


def test_a_command_alone_tells_and_takes_what_it_does_among_all(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Of every command, group and mistake: which commands are read decides nothing else."""
    whole = typer.main.get_command(cli.app)
    asked_for = [*paths(whole)]
    assert ("sync", "join") in asked_for
    mistakes = [("bild",), ("db", "ini"), ("build", "--nope"), ("--", "status", "x"), ("--nope",)]
    for words in [("--help",), *((*each, "--help") for each in asked_for), *mistakes]:
        alone = lines(capsys, asked.only(words, cli.app), *words)
        assert alone == lines(capsys, whole, *words), words


def test_the_shell_can_ask_for_the_options_of_every_command() -> None:
    """It asks without words on the command line: then all commands are read."""
    assert asked.only((), cli.app) is cli.app


def test_of_one_command_no_other_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is why a short command starts fast."""
    read: list[object] = []
    whole = typer.utils.get_params_from_function

    def noted(function: Any) -> Any:
        read.append(function.__name__)
        return whole(function)

    monkeypatch.setattr("typer.main.get_params_from_function", noted)
    typer.main.get_command(asked.only(("db", "init", "--help"), cli.app))
    assert {"db_init", "build", "status"} & {*read} == {"db_init"}
