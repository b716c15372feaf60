"""`[search]` in robbieblocks.toml: which apps have an index that visitors search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ALL_APPS: Final = "*"


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """The apps that have an index; `*` stands for all of them."""

    apps: frozenset[str] = frozenset()

    @classmethod
    def of(cls, in_file: Mapping[str, str]) -> SearchSettings:
        """What a project's file says; no app where it says nothing."""
        return cls(frozenset(in_file.get("search.apps", "").replace(",", " ").split()))

    def has(self, app: str) -> bool:
        """Whether the app has an index."""
        return app in self.apps or ALL_APPS in self.apps
