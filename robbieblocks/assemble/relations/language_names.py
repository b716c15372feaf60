"""The names of languages as their speakers write them: `Deutsch`, `العربية`."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

from robbieblocks.messages import printable


def own_name(tag: str) -> str:
    """The name of a language in itself, by its BCP 47 tag: `Deutsch (Österreich)` for `de-AT`.

    A part of the tag that has no name stays as it is: `Deutsch (1996)`.
    """
    names = _names()
    known = tag.lower()
    while known and known not in names:
        known = known.rpartition("-")[0]
    rest = tag[len(known) :].lstrip("-")
    if not known:
        return printable(tag)
    return f"{names[known]} ({printable(rest)})" if rest else names[known]


@functools.cache
def _names() -> Mapping[str, str]:
    lines = Path(__file__).with_name("language_names.txt").read_text("utf-8").splitlines()
    pairs = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {tag.lower(): name for tag, _, name in pairs}
