"""Where the command line prints: results on stdout, everything else on stderr.

All that leaves passes through here and is made safe for a terminal: rows decide much of the text.
"""

from __future__ import annotations

import json
import os
import re
import sys
import traceback
from types import TracebackType
from typing import Final

import orjson

from robbieblocks.messages import visible

_JSON: Final = orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATETIME
# What typer.style makes of the colours that tables have. Their cells are safe before.
_COLOR: Final = re.compile(r"(\x1b\[(?:0|31|32|33)m)")


def as_json(value: object) -> str:
    """Indented JSON in ASCII without controls, which every terminal can print."""
    try:
        text = orjson.dumps(value, default=str, option=_JSON).decode()
    except orjson.JSONEncodeError:
        text = ""
    # Python's json takes half a second for the pages of a hundred nodes, but escapes non-ASCII.
    text = text if text and text.isascii() else json.dumps(value, indent=2, default=str)
    return text.replace("\x7f", "\\u007f")  # the one control that JSON does not escape


def print_result(result: str, *, colored: bool = False) -> None:
    """Print a result; that the reader has stopped reading (`| head`) is no failure of the command.

    `colored` keeps the colours of a table, whose cells are `visible_line`.
    """
    parts = _COLOR.split(result) if colored else [result]
    safe = "".join(visible(part) if number % 2 == 0 else part for number, part in enumerate(parts))
    try:
        sys.stdout.write(safe + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def print_exact(value: str) -> None:
    """Print a value for another program: every character as it is, and no line end.

    On a terminal it is printed as a result.
    """
    if sys.stdout.isatty():
        print_result(value)
        return
    try:
        sys.stdout.write(value)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def print_progress(message: str) -> None:
    """Print on stderr what is being done, or what went wrong."""
    sys.stderr.write(visible(message) + "\n")
    sys.stderr.flush()


def print_crash(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """As `sys.excepthook` for an exception that nothing handles, whose text may be a row's."""
    print_progress("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"))


def discard_output() -> None:
    """Discard all further output; else Python reports an error when it flushes at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
