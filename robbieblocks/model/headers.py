"""Headers that settings ask for, as a release keeps them in one file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from robbieblocks.model.values import Json, canonical_json

HEADERS_FILE: Final = "headers.json"
HEADER_NAMES: Final = (
    "Content-Security-Policy",
    "Content-Security-Policy-Report-Only",
    "Permissions-Policy",
    "Referrer-Policy",
    "Reporting-Endpoints",
)
"""The headers that settings may state."""

HEADER_LINE_MAX: Final = 3_500
"""How many characters a line has at most: nginx takes 4,096 as one word of its configuration."""

_LIST: Final = "Permissions-Policy"
_LINES_MAX: Final = 2

# Without what web servers take for a variable or a placeholder: `$`, braces, backslashes.
_VALUE: Final = re.compile(r"[ !\"#%-Z\]_a-z~]+")


def header_max(name: str) -> int:
    """How many characters the value of a header has at most.

    A list may have two lines; a policy may not: of two policies a browser keeps both (CSP 3, 4.2).
    More of it and proxies in front of a server refuse the whole answer.
    """
    return HEADER_LINE_MAX * (_LINES_MAX if name == _LIST else 1)


def header_fits(name: str, value: str) -> bool:
    """Whether servers take a header's value."""
    lines = header_lines(name, value)
    return len(lines) * HEADER_LINE_MAX <= header_max(name) and all(
        len(line) <= HEADER_LINE_MAX for line in lines
    )


def header_lines(name: str, value: str) -> list[str]:
    """A value as the lines of one header, each of at most HEADER_LINE_MAX characters where the
    header is a list: its lines mean what the list does that they add up to (RFC 9110, 5.3).
    """
    if name != _LIST:
        return [value]
    lines = [""]
    for part in value.split(", "):
        joined = f"{lines[-1]}, {part}" if lines[-1] else part
        lines[-1:] = [joined] if len(joined) <= HEADER_LINE_MAX else [lines[-1], part]
    return [line for line in lines if line]


def headers_text(headers: Mapping[str, str]) -> bytes:
    """The release's file: an object with the value of each header."""
    return canonical_json(dict(headers)).encode() + b"\n"


def read_headers_text(content: bytes) -> dict[str, str]:
    """What a release's file says; what in it is no such header is left out."""
    try:
        stated: Json = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(stated, dict):
        return {}
    return {
        name: value
        for name in HEADER_NAMES
        if isinstance(value := stated.get(name), str)
        and header_fits(name, value)
        and _VALUE.fullmatch(value)
    }
