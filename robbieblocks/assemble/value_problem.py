"""A problem in a row's value, found by code that does not know which row holds the value."""

from __future__ import annotations

from dataclasses import dataclass

from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import printable


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """What is wrong with a value, where (a JSON pointer, RFC 6901), and how to fix it."""

    pointer: str
    what: str
    remedy: str = ""

    def in_row(
        self,
        entity: str,
        key: str,
        field: str,
        *,
        page: str | None = None,
        block: int | None = None,
        severity: Severity = "error",
    ) -> Problem:
        """The same as a problem of a row's field; `key` and `page` may be any text."""
        return Problem(
            entity=entity,
            key=printable(key),
            field=field,
            what=self.what,
            remedy=self.remedy,
            pointer=self.pointer,
            page="" if page is None else printable(page),
            block=block,
            severity=severity,
        )
