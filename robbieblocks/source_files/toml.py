"""Reads a TOML file into a table; its mistakes are problems with file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from robbieblocks.source_files.lines import key_lines
from robbieblocks.source_files.problems import ProblemCollector, source_line, too_much, unstorable
from robbieblocks.source_files.table import Table

_AT_LINE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)")


def read_toml(collector: ProblemCollector, file: Path) -> Table | None:
    """A TOML file as a table to take values from, or None with a problem."""
    text = collector.read_text(file)
    return None if text is None else parse_toml(collector, file, text)


def parse_toml(collector: ProblemCollector, file: Path, text: str) -> Table | None:
    """The text of a TOML file as a table to take values from, or None with a problem."""
    text = text.removeprefix("\ufeff")  # some editors begin each file with it
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line, column, what = _syntax_place(str(error), text)
        collector.add(
            file,
            f"is not valid TOML: {what}",
            _remedy(text, what),
            line=line,
            column=column,
            source=source_line(text, line),
        )
        return None
    except (ValueError, RecursionError) as error:
        # A number of 5,000 digits, or arrays in arrays: not what tomllib calls a mistake.
        collector.add(file, f"can't be read: {too_much(error)}", "write another value")
        return None
    # A text that can't be stored is reported with its key where it is taken.
    wrong = unstorable(values)
    if "deep" in wrong:
        collector.add(file, wrong, "write another value")
        return None
    return Table(values, collector, file, text, key_lines(text), ())


def _remedy(text: str, what: str) -> str:
    if text.lstrip().startswith("```"):
        return "take away the lines with ```"
    return next(remedy for it, remedy in _TOML_REMEDIES.items() if re.search(it, what))


# By what tomllib says of it.
_TOML_REMEDIES = {
    "Invalid value": 'write a text in quotes, e.g. name = "Watering"; numbers, true and false '
    "without",
    "string|Expected '\"|Unterminated": "close the text with the quotes that opened it",
    "overwrite|twice|mutate|replace": "give each key and table once",
    "Unclosed|Expected ']": "close the bracket that is open",
    "": 'write key = value on one line; texts in quotes: key = "value" (https://toml.io/en/v1.0.0)',
}


def _syntax_place(message: str, text: str) -> tuple[int, int | None, str]:
    """Line and column from the text of tomllib's message, and the message without them."""
    match = _AT_LINE.search(message)
    what = _AT_LINE.sub("", message)
    if match is None or match[1] is None:
        return text.rstrip("\n").count("\n") + 1, None, what + " at the end of the file"
    return int(match[1]), int(match[2]), what
