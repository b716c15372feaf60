"""What a library raises over one row's text becomes a problem with that row.

A parser meets texts that its authors never saw, and raises what it likes. Whoever hands it a row's
text does so inside `blame`: the row is at fault, its pages are held back, and all others go on.
"""

from __future__ import annotations

import errno
import logging
import traceback
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final

from robbieblocks.errors import Problem, RobbieBlocksError
from robbieblocks.messages import printable

# A command has no log; the worker's takes these records.
LOGGER: Final = logging.getLogger(__name__)
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False

_FRAMES: Final = 20
_SHORT: Final = "see what this machine is short of: the next build reads the row again"
_ODD: Final = "write it in another way"
# What a row may ask too much of; as likely others have used it up.
_SHORTAGES: Final = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.EIO}
)


def is_fault(error: BaseException) -> bool:
    """Whether an exception is a library's failure over what it was given.

    Errors of our own tree say themselves what they concern. A Rust library's panic is no
    `Exception` (PyO3 derives it from BaseException); KeyboardInterrupt and SystemExit are neither.
    A MemoryError counts: one row that asks for too much must not end every build, and where it is
    the machine that has no memory, the next build reads the row again.
    """
    if isinstance(error, Exception):
        return not isinstance(error, RobbieBlocksError)
    return type(error).__module__ == "pyo3_runtime"


class blame:  # noqa: N801 - used as a statement: `with blame(...):`
    """Reports a fault in the body as a problem with one row, and goes on behind the body.

    `report` gets the problem, which names the exception; `key` and `page` may be any text. The
    trace is logged. What is not a fault (`is_fault`) passes through.
    """

    __slots__ = ("_place", "_report")

    def __init__(
        self,
        report: Callable[[Problem], object],
        entity: str,
        key: str,
        field: str = "",
        *,
        pointer: str = "",
        page: str = "",
        block: int | None = None,
    ) -> None:
        self._report = report
        self._place = (entity, key, field, pointer, page, block)

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is None or not is_fault(error):
            return False
        entity, key, field, pointer, page, block = self._place
        passing = _is_shortage(error)
        problem = Problem(
            entity=entity,
            key=printable(key),
            field=field,
            pointer=pointer,
            page=printable(page) if page else "",
            block=block,
            what=f"reading it failed: {_named(error)}",
            remedy=f"{_SHORT if passing else _ODD}; the worker's log has the trace",
            passing=passing,
        )
        frames = "".join(traceback.format_tb(trace, limit=-_FRAMES))
        LOGGER.error("%s: %s", problem.where, problem.what, extra={"trace": frames})
        self._report(problem)
        return True


def is_passing(problems: Iterable[Problem]) -> bool:
    """Whether one of them may be gone with the next look, so that nobody may keep what came of it.

    The rows are as they were then: who reads only what has changed would never look again.
    """
    return any(problem.passing for problem in problems)


def _is_shortage(error: BaseException) -> bool:
    is_full = isinstance(error, OSError) and error.errno in _SHORTAGES
    return is_full or isinstance(error, MemoryError)


def _named(error: BaseException) -> str:
    """An exception's name and message on one line: `ValueError: too long`."""
    return printable(" ".join(traceback.format_exception_only(error)[-1].split()))
