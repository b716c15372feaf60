"""`search-<app>.json`: which assets the index of each language has, and which pages are gone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from robbieblocks.model import ASSET_PREFIX, Json, canonical_json

_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Listing:
    """What a release says of its index.

    `key` says which pages it was made of. `languages` maps each language to the addresses of its
    parts: `wasm`, `meta`, `chunks` and `filters` by Pagefind's names of them, and
    `packs` of what results show, each after the first name in it. `gone` are addresses in the index
    that are no longer live.
    """

    key: str
    languages: dict[str, Json]
    gone: tuple[str, ...] = ()

    def text(self) -> bytes:
        """The file's bytes."""
        value: dict[str, Json] = {
            "format": _FORMAT,
            "key": self.key,
            "languages": self.languages,
            "gone": list(self.gone),
        }
        return canonical_json(value).encode() + b"\n"

    def without(self, gone: Iterable[str]) -> Listing:
        """The same index, with other addresses that are gone."""
        return Listing(self.key, self.languages, tuple(sorted(set(gone))))

    @property
    def assets(self) -> frozenset[str]:
        """The names of the index's assets."""
        return frozenset(_names(self.languages))


def read_listing(content: bytes) -> Listing | None:
    """The listing of a file's bytes; None for anything else, another version's included."""
    try:
        value: Any = json.loads(content)
        if value["format"] != _FORMAT or not isinstance(value["languages"], dict):
            return None
        return Listing(str(value["key"]), value["languages"], tuple(map(str, value["gone"])))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _names(value: Json) -> Iterable[str]:
    """Every asset that is named somewhere in it."""
    if isinstance(value, str):
        if value.startswith(ASSET_PREFIX):
            yield value.removeprefix(ASSET_PREFIX)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _names(each)
    elif isinstance(value, list):
        for each in value:
            yield from _names(each)
