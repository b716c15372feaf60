"""Collects what is wrong with the files of a content folder while they are read."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.errors import Problem
from robbieblocks.model import Json


@dataclass(slots=True)
class ProblemCollector:
    """The problems of one load, so that all of them are reported at once.

    Messages name files relative to `root` where they lie under it.
    """

    root: Path
    problems: list[Problem] = field(default_factory=list[Problem])

    def name_of(self, file: Path) -> str:
        """A file as messages name it."""
        return (
            file.relative_to(self.root).as_posix() if file.is_relative_to(self.root) else str(file)
        )

    def add(
        self,
        file: Path,
        what: str,
        remedy: str,
        *,
        line: int | None = None,
        column: int | None = None,
        source: str = "",
    ) -> None:
        """Collect one problem; `source` is the text of the line."""
        self.problems.append(
            Problem(
                entity="file",
                key=self.name_of(file),
                what=what,
                remedy=remedy,
                line=line,
                column=column,
                source=source,
            )
        )

    def read_text(self, file: Path) -> str | None:
        """A file's UTF-8 text without newline translation, or None with a problem."""
        try:
            text = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}"
            self.add(file, what, "save the file as UTF-8")
            return None
        except OSError as error:
            what = f"can't be read: {error.strerror or error}"
            self.add(file, what, "check the file and its permissions")
            return None
        if "\0" in text:
            what = "holds a NUL character, which Postgres can't store"
            line = text[: text.index("\0")].count("\n") + 1
            self.add(file, what, "remove it", line=line)
            return None
        return text

    def read_json(self, file: Path) -> Json:
        """A JSON file's value, or None with a problem."""
        text = self.read_text(file)
        return None if text is None else self.parse_json(file, text)

    def parse_json(self, file: Path, text: str, *, first_line: int = 1) -> Json:
        """The value of a JSON text inside a file, or None with a problem."""
        try:
            value: Json = json.loads(text, parse_constant=_refuse_constant)
        except json.JSONDecodeError as error:
            self.add(
                file,
                f"is not valid JSON: {error.msg}",
                "see RFC 8259",
                line=first_line + error.lineno - 1,
                column=error.colno,
                source=source_line(text, error.lineno),
            )
        except (ValueError, RecursionError) as error:
            self.add(file, f"is not valid JSON: {error}", "see RFC 8259")
        else:
            return value
        return None


def source_line(text: str, number: int | None) -> str:
    """A line of a text by its number (from 1); empty where the text has no such line."""
    lines = text.split("\n")
    return lines[number - 1].rstrip("\r") if number is not None and number <= len(lines) else ""


def _refuse_constant(name: str) -> None:
    """Python's json accepts NaN and Infinity, which JSON does not have."""
    raise ValueError(f"{name} is no JSON number")
