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

HEADER_MAX: Final = 3_500
"""How many characters a value has at most: nginx takes 4,096 as one word of its configuration."""

# Without what web servers take for a variable or a placeholder: `$`, braces, backslashes.
_VALUE: Final = re.compile(rf"[ !\"#%-Z\]_a-z~]{{1,{HEADER_MAX}}}")


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
        if isinstance(value := stated.get(name), str) and _VALUE.fullmatch(value)
    }
