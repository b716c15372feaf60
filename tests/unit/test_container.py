"""Dockerfile and compose file: what they name is there, and is what the commands take."""

from __future__ import annotations

import re
import shlex
import tomllib
from typing import Any

import click
import pytest
import typer.main
import yaml

from robbieblocks.cli import app
from robbieblocks.settings import SETTINGS
from tests.container import ROOT, copied, in_context, instructions, stages

DOCKERFILE = ROOT / "Dockerfile"
IGNORED = (ROOT / ".dockerignore").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
OWN = {name: each for name, each in SERVICES.items() if each["image"] == "robbieblocks"}
# An image without a host and a digest: the engine's own default is asked, or a mirror of it.
IMAGE = re.compile(r"[a-z0-9]+(?::[a-z0-9.-]+)?")


def test_what_is_copied_is_there_and_is_sent() -> None:
    """Each COPY names a file or folder of the checkout that .dockerignore lets through."""
    sources = {each for stage in stages(DOCKERFILE) for found, _ in copied(stage) for each in found}
    assert sources
    for source in sources:
        assert (ROOT / source).exists(), source
        assert in_context(source, IGNORED), source
    sent = {path.name for path in ROOT.iterdir() if in_context(path.name, IGNORED)}
    assert sent == sources, "what is sent, and what is copied"


def test_what_the_wheel_is_made_of_is_copied() -> None:
    """Everything that pyproject.toml names for the wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    wanted = {project["project"]["readme"], *project["project"]["license-files"]}
    wanted |= {*wheel["packages"], *wheel["force-include"], "pyproject.toml"}
    (build, _) = stages(DOCKERFILE)
    sources = {each for found, _ in copied(build) for each in found}
    assert {each for each in wanted if sources.isdisjoint([each, each.split("/")[0]])} == set()


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("robbieblocks/cli/app.py", True),
        ("robbieblocks/cli/__pycache__/app.pyc", False),
        (".git/config", False),
        (".env", False),
        ("tests/container.py", False),
        (".robbieblocks/site/site.json", False),
    ],
)
def test_neither_secrets_nor_sites_are_sent_to_the_engine(path: str, sent: bool) -> None:
    """.dockerignore names what is sent, and leaves out the rest."""
    assert in_context(path, IGNORED) == sent


def test_passwords_are_not_committed() -> None:
    """`.env` lies beside the compose file, in the checkout."""
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_image_runs_as_an_ordinary_user_and_tells_its_health() -> None:
    """No step behind USER is root's; the last stage has a health check and ends by SIGTERM."""
    (_, image) = stages(DOCKERFILE)
    found = {each.name: each for each in image}
    assert found["USER"].words == ["10001"]
    assert found["STOPSIGNAL"].words == ["SIGTERM"]
    assert "/healthz" in found["HEALTHCHECK"].text
    after = image[image.index(found["USER"]) :]
    assert {"RUN", "COPY"}.isdisjoint(each.name for each in after)
    variables = [word.split("=")[0] for each in image if each.name == "ENV" for word in each.words]
    assert _unknown(variables) == ["PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"]


def test_images_are_named_without_a_host() -> None:
    """Where images come from is the engine's business."""
    (base,) = [each.words[0] for each in instructions(DOCKERFILE) if each.name == "ARG"]
    named = {base.removeprefix("PYTHON="), *(each["image"] for each in SERVICES.values())}
    assert not [name for name in named if not IMAGE.fullmatch(name)]


def _unknown(variables: list[str]) -> list[str]:
    known = {each.variable for each in SETTINGS}
    return [name for name in variables if name not in known and not name.startswith("PG")]


@pytest.mark.parametrize("name", [name for name, each in OWN.items() if "entrypoint" not in each])
def test_each_service_of_the_image_runs_a_command_that_is_there(name: str) -> None:
    """The command line parses it, and its variables are settings."""
    words = OWN[name]["command"]
    command: Any = typer.main.get_command(app)
    while isinstance(command, click.Group) or hasattr(command, "commands"):
        command = command.commands[words[0]]
        words = words[1:]
    command.make_context(name, list(words))
    assert not _unknown(list(OWN[name].get("environment", {})))


def test_the_configuration_of_the_web_server_is_printed_by_a_command_that_is_there() -> None:
    """Its script names the web server's ports, and options of `webserver`."""
    (script,) = SERVICES["configuration"]["command"]
    line = next(line for line in script.splitlines() if "robbieblocks" in line)
    words = shlex.split(line.replace("$$", "$"))
    words = words[words.index("webserver") + 1 : words.index(">")]
    typer.main.get_command(app).commands["webserver"].make_context("webserver", words)  # type: ignore[attr-defined]  # it is a group
    printed = re.findall(r"^print (\S+) (\d+)$", script, re.MULTILINE)
    ports = [port.rpartition(":")[2] for port in SERVICES["web"]["ports"]]
    assert [port for _, port in printed] == ports
    nodes = {
        words[words.index("--node") + 1]
        for each in OWN.values()
        if "--node" in (words := each["command"])
    }
    assert {node for node, _ in printed} == nodes


def test_services_volumes_and_files_that_the_compose_file_names_are_there() -> None:
    """What is depended on is a service, what is mounted a volume or a file of the checkout; each
    service but the database's has a root file system that can't be written, and no capability."""
    for name, each in SERVICES.items():
        assert set(each.get("depends_on", {})) <= set(SERVICES), name
        for mounted in each.get("volumes", []):
            source = mounted.split(":")[0]
            found = (
                (ROOT / source).is_file()
                if source.startswith("./")
                else source in COMPOSE["volumes"]
            )
            assert found, mounted
        if name != "database":
            assert each["read_only"], name
            assert each["cap_drop"] == ["ALL"], name
    grace = SERVICES["worker-vengeance-local"]["stop_grace_period"]
    from robbieblocks.worker import Timing

    assert int(grace.removesuffix("s")) > Timing().grace_s
