"""Under which names the files of rows lie."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable

_FILE_NAME = re.compile(r"[a-z0-9_-][a-z0-9._-]{0,99}")
# Names that Windows keeps for devices, with any suffix.
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_SHORTEST_HASH = 8


def file_names(keys: Iterable[str]) -> dict[str, str]:
    """The name of the file or folder of each key: the key, where that can be one everywhere.

    Else what can be kept of it, with a hash. No two names are equal, whatever their case.
    """
    ordered = sorted(keys)
    plain = {key for key in ordered if _FILE_NAME.fullmatch(key) and not _RESERVED.fullmatch(key)}
    names = {key: key for key in plain}
    taken = set(plain)
    for key in ordered:
        if key in names:
            continue
        digest = hashlib.sha256(key.encode()).hexdigest()
        start = re.sub(r"[^a-z0-9_-]+", "-", key.lower())[:60]
        length = _SHORTEST_HASH
        while (name := f"{start}-{digest[:length]}") in taken:
            length += 1
        names[key] = name
        taken.add(name)
    return names


def stated_key(text: str, field: str) -> str:
    """The key that a file states in a field; empty where it states none, or is no TOML."""
    try:
        found = tomllib.loads(text).get(field)
    except (ValueError, RecursionError):
        return ""
    return found if isinstance(found, str) else ""
