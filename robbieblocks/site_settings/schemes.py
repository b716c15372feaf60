"""Reads `schemes`: the tokens of a node for those who prefer the other theme."""

from __future__ import annotations

from typing import Final

from robbieblocks.messages import no_object
from robbieblocks.model import canonical_json
from robbieblocks.names import text_problem
from robbieblocks.site_settings.stated import Stated

_THEMES: Final = ("dark", "light")
_LONGEST: Final = 100_000


def schemes(stated: Stated) -> tuple[tuple[str, str], ...]:
    """Each theme with its tokens' values, as the JSON of an object."""
    found: list[tuple[str, str]] = []
    for theme, inner in stated.members(_THEMES).items():
        if not isinstance(inner.value, dict):
            inner.report(no_object("a scheme is", inner.value), 'such as {"color.text": "#eee"}')
            continue
        try:
            text = canonical_json(inner.value)
        except (ValueError, RecursionError):
            inner.report("nests too deep", "write tokens and their values")
            continue
        if len(text) > _LONGEST:
            inner.report(f"has {len(text):,} characters", f"use at most {_LONGEST:,}")
        elif wrong := text_problem(text):
            inner.report(f"a text in it {wrong}", "remove it")
        else:
            found.append((theme, text))
    return tuple(sorted(found))
