"""Runs the steps of a workflow or a composite action of GitHub, as far as that needs no GitHub.

`run` lines go through bash; `uses` is noted and gives what it would give. Programs that install
something are stood in for: what they would install is there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.commands import COMMAND
from tests.documents import steps as fences

ARTIFACT = "https://github.example/artifacts/1"
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = re.compile(r"\b(?:failure|cancelled|always|success)\(\)")
# Those that install; each is asked for one thing that must be there, and does nothing.
_STOOD_IN = ("pip", "apt-get")


def fenced(document: Path, file: str) -> str:
    """The text of a document's fence that is a file."""
    (found,) = (each.text for each in fences(document) if each.values.get("file") == file)
    return found


def parsed(text: str) -> Any:
    """A YAML file of a forge; `on` is a name there, and true in YAML 1.1."""
    found = yaml.safe_load(text)
    assert isinstance(found, dict)
    return {"on" if key is True else key: value for key, value in found.items()}


def programs(folder: Path) -> str:
    """A PATH with `robbieblocks` as it is here, and programs that stand in."""
    folder.mkdir()
    own = " ".join(f"'{word}'" for word in COMMAND[:2])
    code = COMMAND[2].replace("'", "'\\''")
    texts = {"robbieblocks": f"exec {own} '{code}' \"$@\""}
    texts |= dict.fromkeys(_STOOD_IN, f'echo "${{0##*/}} $*" >> "{folder}/stood-in.log"')
    for name, text in texts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{Path(sys.executable).parent}:{os.environ['PATH']}"


@dataclass
class Job:
    """Steps that run in a checkout; `contexts` are `github`, `inputs` and so on.

    What is used fails where its name begins with `refused`, unless that is empty.
    """

    folder: Path
    environment: Mapping[str, str]
    contexts: dict[str, Any]
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    failed: bool = False
    outputs: dict[str, Any] = field(default_factory=dict)
    refused: str = ""

    def follow(self, steps: list[dict[str, Any]]) -> None:
        """Do each step whose condition holds."""
        files = {}
        for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
            files[name] = self.folder.parent / name
            files[name].touch()
        for step in steps:
            written = str(step.get("if", "true"))
            if not _STATUS.search(written):
                written = f"success() && ({written})"
            if not self.value(written):
                continue
            files["GITHUB_OUTPUT"].write_text("")
            done = self._use(step) if "uses" in step else self._run(step, files)
            text = files["GITHUB_OUTPUT"].read_text()
            given = dict(line.split("=", 1) for line in text.splitlines())
            if "uses" in step:
                given = {"artifact-url": ARTIFACT}
            self.failed = self.failed or not done
            self.outputs[step.get("id", "")] = {
                "outputs": given,
                "outcome": "success" if done else "failure",
            }

    @property
    def summary(self) -> str:
        return (self.folder.parent / "GITHUB_STEP_SUMMARY").read_text()

    def _use(self, step: dict[str, Any]) -> bool:
        given = {name: self.text(value) for name, value in step.get("with", {}).items()}
        self.used.append((step["uses"], given))
        if step["uses"].startswith("actions/upload-artifact"):
            assert (self.folder / given["path"]).exists()
        return not self.refused or not step["uses"].startswith(self.refused)

    def _run(self, step: dict[str, Any], files: Mapping[str, Path]) -> bool:
        assert "${{" not in step["run"], "others' texts would be code"
        own = {name: self.text(value) for name, value in step.get("env", {}).items()}
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.folder / self.text(step.get("working-directory", ".")),
            env={**self.environment, **own, **{name: str(path) for name, path in files.items()}},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        self.said.append(done.stdout + done.stderr)
        return done.returncode == 0

    def text(self, value: object) -> str:
        """A value with its expressions evaluated."""
        return _EXPRESSION.sub(lambda found: _as_text(self.value(found[1])), str(value))

    def value(self, expression: str) -> Any:
        """GitHub's expressions without brackets, but around the whole behind `&&`."""
        text = expression.strip()
        if text.startswith("success() && (") and text.endswith(")"):
            return not self.failed and self.value(text[14:-1])
        for sign in ("||", "&&"):
            if sign in text:
                values = [self.value(each) for each in text.split(sign)]
                wanted = sign == "||"
                return next((each for each in values if bool(each) == wanted), values[-1])
        for sign in ("==", "!="):
            if sign in text:
                left, right = map(self.value, text.split(sign))
                return (left == right) == (sign == "==")
        return self._atom(text)

    def _atom(self, text: str) -> Any:
        if text.startswith("'"):
            return text.strip("'")
        if text in ("true", "always()"):
            return True
        if text in ("success()", "failure()"):
            return self.failed == (text == "failure()")
        found: Any = {**self.contexts, "steps": self.outputs}
        for name in text.split("."):
            found = found.get(name) if isinstance(found, dict) else None
        return found


def _as_text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
