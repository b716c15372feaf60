"""Follows a document as its reader would: writes its files and runs its commands, in order.

What a fence holds stands behind its language:

    sh                   commands; each must end well
    sh fails             a command that exits 1
    sh keeps-running     a command that runs until the end of the document, or until the next
    sh after-ctrl-c      commands that are typed once those that run were ended
    LANGUAGE file=PATH   a file, whole
    diff file=PATH       lines of a file: those with - are there, and become those with +
    text file=PATH       lines of a file that is there by now
    text                 lines of what the last command printed
    text at=URL          lines that the page at an address shows, now or soon
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
from selectolax.lexbor import LexborHTMLParser

from tests import loopback
from tests.commands import Installation, Ran
from tests.workers import until

FENCE = re.compile(r"^( *)```(\S+)(?: ([^\n]*))?\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)


class Step(NamedTuple):
    """One fence: its language, the words behind it, the values of those with `=`, and its text."""

    language: str
    words: tuple[str, ...]
    values: dict[str, str]
    text: str


def steps(document: Path) -> Iterator[Step]:
    """The fences of a document."""
    for indent, language, info, text in FENCE.findall(document.read_text(encoding="utf-8")):
        words = info.split()
        values = dict(word.split("=", 1) for word in words if "=" in word)
        plain = tuple(word for word in words if "=" not in word)
        lines = (line.removeprefix(indent) for line in text.splitlines(keepends=True))
        yield Step(language, plain, values, "".join(lines))


@dataclass
class Reader:
    """Someone who follows a document in `folder`, in a shell where nothing is set."""

    folder: Path
    shell: Installation
    running: ExitStack
    last: Ran = field(default_factory=lambda: Ran(code=0, out="", err=""))
    ports: dict[int, str] = field(default_factory=dict[int, str])

    def follow(self, step: Step) -> None:
        """Do what a fence says."""
        if step.language == "sh":
            for line in step.text.splitlines():
                self._run(shlex.split(line, comments=True), step.words)
        elif step.language == "text":
            self._look(step)
        else:
            self.write(step)

    def write(self, step: Step) -> None:
        """Write the file, or change the one that is there."""
        file = self.folder / step.values["file"]
        file.parent.mkdir(parents=True, exist_ok=True)
        diff = step.language == "diff"
        file.write_text(_changed(file.read_text(), step.text) if diff else step.text)

    def _run(self, words: list[str], how: tuple[str, ...]) -> None:
        if not words:
            return
        if words[0] == "cd":
            self.folder /= words[1]
            return
        if words[0] == "rm":
            (self.folder / words[1]).unlink()
            return
        assert words[0] == "robbieblocks", words
        if "keeps-running" in how:
            self._start(words[1:])
            return
        if "after-ctrl-c" in how:
            self.running.close()
        self.last = self.shell.run(*words[1:], cwd=self.folder)
        assert self.last.code == (1 if "fails" in how else 0), f"{words}: {self.last}"

    def _start(self, words: list[str]) -> None:
        if words[0] not in ("serve", "dev"):
            self.running.enter_context(self.shell.running(*words))
            return
        server = self.running.enter_context(self.shell.running(*words, "--port", "0"))
        assert server.stdout is not None
        # Here any free ports; a person's are 8000 and the next ones, in the order of the nodes.
        self.ports.clear()
        for line in server.stdout:
            place = urlsplit(line.split()[1]).netloc
            self.ports.setdefault(8000 + len(self.ports), place)
            if len(self.ports) == len(list((self.folder / "node_branding").iterdir())):
                break

    def _look(self, step: Step) -> None:
        if address := step.values.get("at"):
            until(lambda: not _missing(step.text, self._page(address)), f"{step.text} {address}")
        elif file := step.values.get("file"):
            assert not _missing(step.text, (self.folder / file).read_text())
        else:
            assert not _missing(step.text, self.last.out + self.last.err), self.last

    def _page(self, address: str) -> str:
        asked = urlsplit(address)
        place = self.ports[asked.port or 0]
        try:
            answer = loopback.get(f"http://{place}{asked.path}")
        except httpx.TransportError:
            return ""
        body = LexborHTMLParser(answer.content).body
        return body.text() if body else ""


def _missing(lines: str, text: str) -> list[str]:
    """The lines that a text has not, whatever stands before and behind them."""
    return [line for line in lines.splitlines() if line.strip() not in text]


def _changed(text: str, diff: str) -> str:
    lines = diff.splitlines()
    old = "\n".join(line[1:] for line in lines if not line.startswith("+"))
    new = "\n".join(line[1:] for line in lines if not line.startswith("-"))
    assert text.count(old) == 1, f"not there, or not once: {old}"
    return text.replace(old, new)
