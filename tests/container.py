"""Reads the Dockerfile, and runs its steps without a container engine, in a folder instead of `/`.

Paths below `ROOTED` become paths in that folder. Accounts are not made: the steps run as whoever
runs the tests. An image's instructions are those of its last stage.
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# What the steps make and use. Of /tmp a container has its own, too.
ROOTED = ("/opt/robbieblocks", "/build", "/source", "/srv", "/var/lib/robbieblocks")
TIMEOUT = 600.0


class Instruction(NamedTuple):
    """`NAME words`, as one line."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words without options; the exec form is a list in JSON."""
        if self.text.startswith("["):
            return [str(word) for word in json.loads(self.text)]
        return [word for word in shlex.split(self.text) if not word.startswith("--")]


def instructions(dockerfile: Path) -> list[Instruction]:
    """The instructions of a Dockerfile, in order, each as one line."""
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("#")]
    text = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found = (line.partition(" ") for line in text.splitlines() if line.strip())
    return [Instruction(name, words.strip()) for name, _, words in found]


def stages(dockerfile: Path) -> list[list[Instruction]]:
    """The instructions behind each FROM."""
    made: list[list[Instruction]] = []
    for each in instructions(dockerfile):
        if each.name == "FROM":
            made.append([])
        elif made:
            made[-1].append(each)
    return made


def in_context(path: str, ignored: str) -> bool:
    """Whether a file of the context is sent: the last line of .dockerignore that fits decides.

    It fits the path or a folder above it; a line with `!` takes back.
    """
    sent = True
    parts = path.split("/")
    above = ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]
    for line in ignored.splitlines():
        pattern = line.removeprefix("!")
        if not line or line.startswith("#"):
            continue
        deep = pattern.removeprefix("**/")
        if any(
            (fnmatch.fnmatchcase(each, pattern) and each.count("/") == pattern.count("/"))
            or (deep != pattern and fnmatch.fnmatchcase(each.rpartition("/")[2], deep))
            for each in above
        ):
            sent = line.startswith("!")
    return sent


def copied(stage: list[Instruction]) -> Iterator[tuple[list[str], str]]:
    """What a stage copies out of the context, and to where."""
    for each in stage:
        if each.name == "COPY" and "--from=" not in each.text:
            *sources, target = each.words
            yield sources, target


@dataclass
class Machine:
    """A folder in the place of `/`, in which the steps of an image run one after another."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])
    python: str = ""

    def build(self, stage: list[Instruction], stand_ins: Mapping[str, str]) -> None:
        """Do what a stage says; where a command has a key of `stand_ins`, its value is run."""
        (self.folder / "source").mkdir(parents=True)
        (self.folder / "bin").mkdir()
        (self.folder / "bin/python").symlink_to(self.python or sys.executable)
        for each in stage:
            if each.name == "COPY":
                *sources, target = each.words
                for source in sources:
                    self._copy(ROOT / source, self.folder / "source" / target)
            elif each.name == "ENV":
                self.environment |= self.values(each)
            elif each.name == "RUN" and not each.text.startswith("useradd"):
                text = each.text
                for words, instead in stand_ins.items():
                    text = text.replace(words, instead)
                self.run(["sh", "-ec", self.rooted(text)], cwd="source")

    def run(
        self, command: list[str], *, cwd: str = ".", fails: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as the image would, to its end."""
        done = subprocess.run(
            command,
            cwd=self.folder / cwd,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert (done.returncode != 0) == fails, (command, done.stdout, done.stderr)
        return done

    @property
    def variables(self) -> dict[str, str]:
        """The environment of a step: nothing of the tests' own but where packages come from."""
        own = {
            name: value
            for name, value in os.environ.items()
            if name.lower().startswith(("pip_", "npm_config_", "http", "ssl_", "robbieblocks_test"))
        }
        path = f"{self.folder / 'bin'}:{os.defpath}"
        own |= {"PATH": path, "HOME": str(self.folder), "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
        return own | self.environment

    def values(self, instruction: Instruction) -> dict[str, str]:
        """What ENV sets."""
        pairs = (word.split("=", 1) for word in instruction.words)
        path = self.variables["PATH"]
        return {name: self.rooted(value).replace("$PATH", path) for name, value in pairs}

    def rooted(self, text: str) -> str:
        """A text with its paths in the folder."""
        places = "|".join(map(re.escape, ROOTED))
        return re.sub(rf"(?<![\w./-])({places})(?![\w-])", rf"{self.folder}\1", text)

    def _copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
