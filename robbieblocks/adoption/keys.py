"""Component keys for files: the file's name in kebab case, made unique by folders' names."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Final

# A key is the name of a folder on every system, which may get a number.
_LONGEST: Final = 90
_RESERVED: Final = (
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
)
# Names that say something only beside their folder's.
_GENERAL: Final = ("page", "layout", "loading", "not-found")


def keys_for(
    paths: Iterable[str], known: Mapping[str, str], taken: Collection[str], barrels: Collection[str]
) -> dict[str, str]:
    """The key of each path. `known` are those of earlier times, which stay; `taken` are others'.

    Files that would have the same key all get the name of their folder before it, so that their
    order decides nothing. A barrel gives way to other files.
    """
    keys = {path: known[path] for path in paths if path in known}
    used = {*taken, *_RESERVED, *keys.values()}
    waiting = [path for path in sorted(paths) if path not in keys]
    for is_barrel in (False, True):
        group = [path for path in waiting if (path in barrels) == is_barrel]
        keys |= _assigned({path: _candidates(path) for path in group}, used)
    return keys


def _assigned(candidates: Mapping[str, list[str]], used: set[str]) -> dict[str, str]:
    """A key of each path's candidates that nobody else has or wants; `used` is added to."""
    keys: dict[str, str] = {}
    wanted = {path: names[0] for path, names in candidates.items()}
    for number in range(1, max(map(len, candidates.values()), default=0) + 1):
        times = Counter(wanted.values())
        free = {path: key for path, key in wanted.items() if times[key] == 1 and key not in used}
        keys |= free
        used.update(free.values())
        wanted = {
            path: candidates[path][min(number, len(candidates[path]) - 1)]
            for path in wanted
            if path not in free
        }
    for path, key in wanted.items():
        # Names that differ by case or ending only.
        numbered = (f"{key}-{number}" for number in count(2))
        keys[path] = key if key not in used else next(k for k in numbered if k not in used)
        used.add(keys[path])
    return keys


def _candidates(path: str) -> list[str]:
    folder, name = posixpath.split(posixpath.splitext(path)[0])
    parts = [part for part in map(kebab, folder.split("/")) if part]
    stem = kebab(name) or "module"
    found: list[str] = []
    if stem == "index" and parts:
        found.append(parts[-1])  # `ui/index.ts` is `ui`
    elif stem not in _GENERAL or not parts:
        found.append(stem)
    found += ["-".join((*parts[-number:], stem)) for number in range(1, len(parts) + 1)]
    return [key[:_LONGEST].strip("-") for key in found]


def kebab(name: str) -> str:
    """A name in lower case with single dashes: `useHTTPCart.store` is `use-http-cart-store`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3-\2\4", plain)
    return re.sub(r"[^a-z0-9]+", "-", spaced.lower()).strip("-")
