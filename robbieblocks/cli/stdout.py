"""The stream that carries results, and whoever stops reading it (`| head`)."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import orjson


def as_json(value: Any) -> str:
    """JSON for people and programs: indented, and in ASCII, whatever the terminal takes."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        text = ""
    # Python's own takes half a second for the pages of a hundred nodes.
    return text if text and text.isascii() else json.dumps(value, indent=2)


def tell(result: str) -> None:
    """Print a result; a reader who has had enough is no failure of the command's work."""
    try:
        sys.stdout.write(result + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        hang_up()


def hang_up() -> None:
    """Send the rest nowhere, or Python would complain when it flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
