"""Prints results on stdout, whose reader may stop early (`| head`)."""

from __future__ import annotations

import json
import os
import sys

import orjson


def as_json(value: object) -> str:
    """Indented JSON in ASCII, which every terminal can print."""
    try:
        text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONEncodeError:
        text = ""
    # Python's json takes half a second for the pages of a hundred nodes, but escapes non-ASCII.
    return text if text and text.isascii() else json.dumps(value, indent=2)


def print_result(result: str) -> None:
    """Print a result; that the reader has stopped reading is no failure of the command."""
    try:
        sys.stdout.write(result + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def discard_output() -> None:
    """Discard all further output; else Python reports an error when it flushes at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
