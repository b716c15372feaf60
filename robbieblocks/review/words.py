"""Differences of texts: word by word for prose, line by line for code."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

_WORDS: Final = re.compile(r"\s+|\w+|[^\w\s]")
_CONTEXT: Final = 2
# Beyond this a comparison of words takes seconds.
_WORDS_MAX: Final = 4_000


class Part(NamedTuple):
    """A piece of a text that is in both, only in the one before, or only in the one after."""

    side: Literal["both", "before", "after"]
    text: str


def word_diff(before: str, after: str) -> tuple[Part, ...]:
    """Both texts as pieces in order; the pieces of one side, joined with `both`, are its text."""
    return tuple(_merged(_parts(before, after)))


def _parts(before: str, after: str) -> Iterator[Part]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if len(old) + len(new) > _WORDS_MAX:
        yield Part("before", before)
        yield Part("after", after)
        return
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, start, end, new_start, new_end in matcher.get_opcodes():
        if tag == "equal":
            yield Part("both", "".join(old[start:end]))
        else:
            yield Part("before", "".join(old[start:end]))
            yield Part("after", "".join(new[new_start:new_end]))


def _merged(parts: Iterator[Part]) -> Iterator[Part]:
    """Without empty pieces; a blank between two changes is part of both."""
    found = [part for part in parts if part.text]
    held: dict[str, str] = {"before": "", "after": ""}
    for index, part in enumerate(found):
        between = part.side == "both" and not part.text.strip() and 0 < index < len(found) - 1
        if part.side == "both" and not between:
            yield from _held(held)
            yield part
            continue
        for side in held if between else (part.side,):
            held[side] += part.text
    yield from _held(held)


def _held(held: dict[str, str]) -> Iterator[Part]:
    if held["before"]:
        yield Part("before", held["before"])
    if held["after"]:
        yield Part("after", held["after"])
    held.update(before="", after="")


def unified_diff(before: str | None, after: str | None) -> tuple[str, ...]:
    """The lines of a unified diff without its two names; empty where the texts agree."""
    lines = difflib.unified_diff(
        (before or "").splitlines(), (after or "").splitlines(), n=_CONTEXT, lineterm=""
    )
    return tuple(lines)[2:]
