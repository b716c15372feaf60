"""Errors whose remedy the database itself gives: the functions of file 23 know best."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import psycopg

from robbieblocks.database import translated
from robbieblocks.errors import Permanent, RightsMissing

_REFUSALS = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ObjectNotInPrerequisiteState,
    psycopg.errors.InvalidParameterValue,
    psycopg.errors.UndefinedObject,
    psycopg.errors.NoDataFound,
    psycopg.errors.ForeignKeyViolation,
    psycopg.errors.UniqueViolation,
    psycopg.errors.ProgramLimitExceeded,
)


@contextmanager
def hinted(what: str, otherwise: str = "") -> Generator[None]:
    """Raise our errors in place of the driver's, as `database.translated`, with the hint.

    `otherwise` is the remedy where the database gives none.
    """
    with translated(what):
        try:
            yield
        except _REFUSALS as error:
            remedy = error.diag.message_hint or otherwise
            if not remedy:
                raise
            kind = (
                RightsMissing
                if isinstance(error, psycopg.errors.InsufficientPrivilege)
                else Permanent
            )
            raise kind(f"could not {what}: {error.diag.message_primary}: {remedy}") from error
