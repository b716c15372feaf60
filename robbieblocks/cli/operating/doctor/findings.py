"""What `robbieblocks doctor` finds: one thing each, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from robbieblocks.errors import RobbieBlocksError
from robbieblocks.messages import visible_line

_ARROW: Final = "\n  -> "
_INDENT: Final = " " * 19

State: TypeAlias = Literal["ok", "note", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that commands rely on: `ok`, `broken`, or a `note` on what is not as usual.

    `why` says what comes of it, where that is not plain. All but `ok` have a remedy.
    """

    about: str
    state: State
    what: str
    why: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        lines = [f"{self.state:7} {self.about:10} {visible_line(self.what)}"]
        lines += [f"{_INDENT}{visible_line(self.why)}"] if self.why else []
        lines += [f"{_INDENT}-> {visible_line(self.remedy)}"] if self.remedy else []
        return "\n".join(lines)


def ok(about: str, what: str) -> Finding:
    """A thing that is as it should be."""
    return Finding(about=about, state="ok", what=what)


def note(about: str, what: str, remedy: str, *, why: str = "") -> Finding:
    """A thing that is not as usual."""
    return Finding(about=about, state="note", what=what, why=why, remedy=remedy)


def broken(about: str, what: str, remedy: str, *, why: str = "") -> Finding:
    """A thing that keeps commands from working."""
    return Finding(about=about, state="broken", what=what, why=why, remedy=remedy)


def failed(about: str, error: RobbieBlocksError, remedy: str) -> Finding:
    """A broken thing by its error, which may name the remedy itself."""
    what, _, named = str(error).partition(_ARROW)
    return broken(about, what, named or remedy)


def guarded(about: str, found: Iterator[Finding]) -> Iterator[Finding]:
    """What is found, and last a file on the way that can't be read."""
    try:
        yield from found
    except OSError as error:
        what = f"{error.filename} can't be read: {error.strerror}"
        yield broken(about, what, "make it a file or folder that this account may read")
