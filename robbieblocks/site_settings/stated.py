"""A JSON value that a row states, with its place, as the functions that read settings take it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from robbieblocks.messages import did_you_mean, json_pointer, listed, no_object, printable
from robbieblocks.model import Json
from robbieblocks.names import text_problem

_MAX_PROBLEMS: Final = 20
_TEXT_LENGTH: Final = 2_000


class SettingProblem(NamedTuple):
    """What is wrong at a JSON pointer (RFC 6901) into `settings`, and how to fix it.

    `passing` is as in errors.Problem.
    """

    pointer: str
    what: str
    remedy: str
    passing: bool = False


class Stated:
    """A value and its place. Of many problems the first are kept, by all values of one object."""

    def __init__(
        self, value: Json, pointer: str = "", problems: list[SettingProblem] | None = None
    ) -> None:
        self.value = value
        self.pointer = pointer
        self.problems: list[SettingProblem] = [] if problems is None else problems

    def report(self, what: str, remedy: str, *, passing: bool = False) -> None:
        """Collect what is wrong with the value."""
        if len(self.problems) < _MAX_PROBLEMS:
            self.problems.append(SettingProblem(self.pointer, what, remedy, passing))

    def members(self, known: Collection[str], required: Collection[str] = ()) -> dict[str, Stated]:
        """The members of an object whose keys are `known`; nulls count as left out."""
        if not isinstance(self.value, dict):
            self.report(no_object("the value is", self.value), f"it has: {listed(sorted(known))}")
            return {}
        found: dict[str, Stated] = {}
        unknown: list[Stated] = []
        for name, value in self.value.items():
            inner = self._inner(name, value)
            if name not in known:
                # Finding what is like a name takes time, and there may be very many.
                if len(unknown) < _MAX_PROBLEMS:
                    unknown.append(inner)
                    remedy = did_you_mean(name, known)
                    inner.report(f"`{printable(name)}` is unknown here", remedy)
            elif value is not None:
                found[name] = inner
        for name in required:
            if name not in found:
                self.report(f"lacks `{name}`", "add it")
        return found

    def entries(self, most: int) -> dict[str, Stated]:
        """The members of an object that has at most so many, whatever their keys are."""
        if not isinstance(self.value, dict):
            self.report(no_object("the value is", self.value), "write an object: {...}")
            return {}
        if len(self.value) > most:
            self.report(f"has {len(self.value):,} entries", f"use at most {most:,}")
            return {}
        return {name: self._inner(name, value) for name, value in self.value.items()}

    def items(self, most: int) -> list[Stated]:
        """The items of a list that has at most so many."""
        if not isinstance(self.value, list):
            self.report("expected a list", "write it in brackets: [...]")
            return []
        if len(self.value) > most:
            self.report(f"has {len(self.value):,} entries", f"use at most {most:,}")
            return []
        return [self._inner(index, value) for index, value in enumerate(self.value)]

    def text(self, most: int = _TEXT_LENGTH) -> str:
        """A text of at most so many characters that is not blank; "" where it is none."""
        value = self.value
        if not isinstance(value, str) or not value.strip():
            self.report("expected a text", "put the value in quotes")
        elif wrong := text_problem(value):
            self.report(f"the text {wrong}", "remove it")
        elif len(value) > most:
            self.report(f"the text has {len(value):,} characters", f"use at most {most:,}")
        else:
            return value
        return ""

    def flag(self) -> bool:
        """`true` or `false`."""
        if not isinstance(self.value, bool):
            self.report("is neither true nor false", "write true or false")
        return self.value is True

    def choice(self, words: Sequence[str]) -> str:
        """One of some words; "" where it is none of them."""
        value = self.value
        if isinstance(value, str) and value in words:
            return value
        said = printable(value) if isinstance(value, str) else "what is no text"
        self.report(f"is unknown: {said}", f"write {', '.join(words[:-1])} or {words[-1]}")
        return ""

    def _inner(self, step: str | int, value: Json) -> Stated:
        return Stated(value, self.pointer + json_pointer(step), self.problems)
