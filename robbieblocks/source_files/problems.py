"""Collects what is wrong with the files of a content folder while they are read."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

from robbieblocks.errors import Problem
from robbieblocks.file_reading import Refused, read_file
from robbieblocks.messages import json_pointer, visible_line
from robbieblocks.model import Json
from robbieblocks.source_files import exact_json
from robbieblocks.source_files.json_lines import json_lines

# What takes values apart calls itself for each level, and Python bounds that.
_DEPTH_MAX: Final = 100
_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")

# By what Python's reader says of it.
_JSON_REMEDIES: Final = {
    "property name": "write each name in double quotes, and no comma before }",
    "trailing comma": "remove the comma before the bracket",
    "',' delimiter": "put a comma between two values, or close what is open before this place",
    "':' delimiter": "put a colon between name and value",
    "Expecting value": "write a text in double quotes, a number, true, false, null, [...] or "
    "{...}, and no comma before ]",
    "Extra data": "keep one value, and remove what follows it",
    "Unterminated string": "close the text with a double quote",
    "control character": r"write a line break in a text as \n, a tab as \t",
    "": r"write JSON (RFC 8259): names and texts in double quotes, \ as \\",
}


_CURLY: Final = tuple("\u201c\u201d\u201e\u2018\u2019")
_CODE: Final = re.compile(
    r"\s*+(?:[a-z][\w$]*+[.(]|(?:export|import|const|interface|type|module)\b)"
)
_NO_NUMBER: Final = re.compile(r"-?\b(?:NaN|Infinity)\b")


@dataclass(slots=True)
class ProblemCollector:
    """The problems of one load, so that all of them are reported at once.

    Messages name files relative to `root` where they lie under it. Only what lies in the folders
    `inside` is read, wherever symlinks lead.
    """

    root: Path
    inside: tuple[Path, ...]
    problems: list[Problem] = field(default_factory=list[Problem])

    def name_of(self, file: Path) -> str:
        """A file as messages name it, on one line."""
        inside = file.is_relative_to(self.root)
        return visible_line(file.relative_to(self.root).as_posix() if inside else str(file))

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
            text = read_file(file, *self.inside).decode("utf-8")
        except UnicodeDecodeError as error:
            what = f"is not UTF-8: byte {error.start} is 0x{error.object[error.start]:02x}"
            self.add(file, what, "save the file as UTF-8")
            return None
        except OSError as error:
            what = f"can't be read: {error.strerror or error}"
            remedy = "put a file of its own there, which this user may read"
            is_large = isinstance(error, Refused) and error.errno == errno.EFBIG
            self.add(file, what, "make it smaller" if is_large else remedy)
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
        return None if text is None else self.parse_row_json(file, text)

    def parse_row_json(self, file: Path, text: str, *, first_line: int = 1) -> Json:
        """As `parse_json`; where an object has a key twice, that is a problem, too."""
        before = len(self.problems)
        value = self.parse_json(file, text, first_line=first_line)
        text = text.removeprefix("\ufeff")
        if len(self.problems) > before or not exact_json.repeats_keys(text):
            return value
        lines, twice = json_lines(text)
        for place in sorted(twice, key=lines.__getitem__):
            if any(place[:end] in twice for end in range(1, len(place))):
                continue
            what = f"has {json_pointer(*place)} twice in one object: only the last one counts"
            line, source = first_line + lines[place] - 1, source_line(text, lines[place])
            self.add(file, what, "keep one of them", line=line, source=source)
        return None

    def parse_json(self, file: Path, text: str, *, first_line: int = 1) -> Json:
        """The value of a JSON text inside a file, or None with a problem."""
        text = text.removeprefix("\ufeff")  # some editors begin each file with it
        try:
            value = exact_json.loads(text)
        except json.JSONDecodeError as error:
            self.add(
                file,
                f"is not valid JSON: {error.msg}",
                _json_remedy(text, error),
                line=first_line + error.lineno - 1,
                column=error.colno,
                source=source_line(text, error.lineno),
            )
        except (ValueError, RecursionError) as error:
            number = _NO_NUMBER.search(text) if "no JSON number" in str(error) else None
            line = first_line + text[: number.start()].count("\n") if number else None
            source = source_line(text, line - first_line + 1) if line else ""
            remedy = "write a number, or null" if number else _JSON_REMEDIES[""]
            what = f"is not valid JSON: {too_much(error)}"
            self.add(file, what, remedy, line=line, source=source)
        else:
            wrong = unstorable(value)
            if not wrong:
                return value
            self.add(file, wrong, "write another value", line=first_line)
        return None


def _json_remedy(text: str, error: json.JSONDecodeError) -> str:
    """What to do about a mistake in JSON: what is meant, where something else was pasted."""
    line = source_line(text, error.lineno).lstrip()
    if not text.strip():
        return "write {}, or remove the file"
    if text.lstrip().startswith("```"):
        return "take away the lines with ```"
    if line.startswith(("//", "/*", "#")) or text[error.pos : error.pos + 2] in ("//", "/*"):
        return "take the comment away: JSON has none"
    if text[error.pos : error.pos + 1] in _CURLY:
        return "write straight quotation marks"
    if _CODE.match(text):
        return "write JSON alone: this is code of another language"
    return next(remedy for it, remedy in _JSON_REMEDIES.items() if it in error.msg)


def too_much(error: ValueError | RecursionError) -> str:
    """What a reader means that gives up, in words for whoever wrote the file."""
    if isinstance(error, RecursionError):
        return "it nests too deeply"
    return "it has an integer of too many digits" if "digits" in str(error) else str(error)


def unstorable(value: object) -> str:
    """Why Postgres can't store a value of a file; empty where it can."""
    level = [value]
    for _ in range(_DEPTH_MAX):
        if any(isinstance(each, str) and _UNSTORABLE.search(each) for each in level):
            return "holds a NUL character or half of a surrogate pair, which Postgres can't store"
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return ""
    return f"nests more than {_DEPTH_MAX} levels deep"


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from cast("dict[object, object]", value)
        yield from cast("dict[object, object]", value).values()
    elif isinstance(value, list):
        yield from cast("list[object]", value)


def source_line(text: str, number: int | None) -> str:
    """A line of a text by its number (from 1); empty where the text has no such line."""
    lines = text.split("\n")
    return lines[number - 1].rstrip("\r") if number is not None and number <= len(lines) else ""
