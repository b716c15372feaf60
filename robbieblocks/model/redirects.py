"""Redirects: paths of an address that lead elsewhere, as a release keeps them in one file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, Self, cast
from urllib.parse import quote

from robbieblocks.model.values import Json, canonical_json

REDIRECTS_FILE: Final = "redirects.json"
GONE: Final = 410
"""The status of an address whose page is gone for good."""

WILDCARD: Final = "/*"
"""How a source ends that stands for all paths below it, and a target that gets their rest."""

_STATUSES: Final = frozenset({301, 302, 307, 308, GONE})


class Redirect(NamedTuple):
    """One redirect. `source` is a path in plain letters, at its end perhaps WILDCARD.

    `target` is such a path or an https URL; empty where `status` is GONE. `row` is the key of the
    page or frame that states it, `page` the key of the page to which it leads, where it is one.
    """

    source: str
    target: str
    status: int
    row: str
    page: str = ""

    @property
    def covers_all(self) -> bool:
        """Whether the source stands for all paths below it."""
        return self.source.endswith(WILDCARD)

    def target_of(self, path: str) -> str:
        """Where a path leads that the source covers; a target's wildcard gets the path's rest.

        The rest never begins with a slash: `//host` would name another host.
        """
        if not self.target.endswith(WILDCARD):
            return self.target
        rest = path[len(self.source) - 1 :].lstrip("/")
        return self.target[:-1] + (quote(rest) if self.target.startswith("https:") else rest)

    def location(self, path: str, query: str) -> str:
        """The `Location` for a request, with its query."""
        target = self.target_of(path)
        url = target if target.startswith("https:") else quote(target)
        if not query:
            return url
        bare, mark, fragment = url.partition("#")
        return f"{bare}{'&' if '?' in bare else '?'}{query}{mark}{fragment}"


def bare_path(path: str) -> str:
    """A path without what makes no difference: `/play/index.html` and `/play/` are `/play`."""
    if path.endswith("/index.html"):
        path = path.removesuffix("index.html")
    return path.rstrip("/")


@dataclass(frozen=True, slots=True)
class Redirects:
    """Finds the redirect of a path: one for the path alone first, then the longest wildcard."""

    exact: Mapping[str, Redirect]
    below: Mapping[str, Redirect]

    @classmethod
    def of(cls, redirects: Iterable[Redirect]) -> Self:
        """Of these; of two with one source the first."""
        exact: dict[str, Redirect] = {}
        below: dict[str, Redirect] = {}
        for each in redirects:
            if each.covers_all:
                below.setdefault(each.source.removesuffix(WILDCARD), each)
            else:
                exact.setdefault(bare_path(each.source), each)
        return cls(exact, below)

    def find(self, path: str) -> Redirect | None:
        """The redirect of a path, which is decoded."""
        bare = bare_path(path)
        return self.exact.get(bare) or self.find_below(bare)

    def find_below(self, bare: str) -> Redirect | None:
        """The longest wildcard that covers a bare path."""
        if not self.below:
            return None
        # A long path of slashes would be cut again and again.
        longest = max(map(len, self.below))
        if len(bare) > longest:
            bare = bare[: longest + 1].rpartition("/")[0]
        while True:
            if (found := self.below.get(bare)) is not None:
                return found
            if not bare:
                return None
            bare = bare.rpartition("/")[0]


def redirects_text(redirects: Iterable[Redirect]) -> bytes:
    """The release's file: a list of objects with from, to, status and row, by their source."""
    stated: list[Json] = [
        {
            "from": each.source,
            "to": each.target or None,
            "status": each.status,
            "row": each.row,
        }
        for each in sorted(redirects)
    ]
    return canonical_json(stated).encode() + b"\n"


def read_redirects_text(content: bytes) -> tuple[Redirect, ...]:
    """What a release's file says; what in it is no redirect is left out."""
    try:
        stated: Json = json.loads(content)
    except ValueError:
        return ()
    if not isinstance(stated, list):
        return ()
    found = [_read(each) for each in stated if isinstance(each, dict)]
    return tuple([each for each in found if each is not None])


def _read(stated: Mapping[str, Json]) -> Redirect | None:
    source, target, row = stated.get("from"), stated.get("to") or "", stated.get("row", "")
    status = stated.get("status")
    if not (isinstance(source, str) and isinstance(target, str) and isinstance(row, str)):
        return None
    if status not in _STATUSES or bool(target) != (status != GONE):
        return None
    return Redirect(source, target, cast("int", status), row)
