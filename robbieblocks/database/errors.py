"""Translates the driver's errors into ours, here and nowhere else (connecting: connect_errors).

the connection breaks, times out, deadlocks    DatabaseUnavailable
a table, column or function is missing         SchemaOutdated
a right is missing                             RightsMissing
a value does not fit its column                ContentError
a function or policy of the owner's own fails  Permanent, which names it
anything else                                  Permanent
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg import errors

from robbieblocks.errors import (
    ContentError,
    DatabaseUnavailable,
    Permanent,
    Problem,
    RightsMissing,
    RobbieBlocksError,
    SchemaOutdated,
)
from robbieblocks.messages import printable

# The innermost line of what Postgres tells of where an error arose.
_IN_FUNCTION: Final = re.compile(
    r'^(?:PL/\w+ function "?|SQL function ")([^\n"(]{1,200})(?:[^\n]*\bline (\d{1,9}))?',
    re.MULTILINE,
)
# How names of functions that schema files make or use begin, and what Postgres calls their blocks.
_OURS: Final = re.compile(
    r"(?:\w+\.)?(?:(?:robbieblocks|sync|media_assets|earlier_media|schema|audit)_|inline_code_block$)"
)


_TRY_AGAIN: Final = "try again; where it stays so, see the server's log"
_FULL: Final = "a disk of the database server is full: make room there, and try again"


@contextmanager
def translated(what: str) -> Generator[None]:
    """Raise our errors in place of the driver's.

    `what` completes the message "could not ...", for example `read the content`.
    """
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, what) from error


def _translate(error: psycopg.Error, what: str) -> RobbieBlocksError:
    theirs = _function_of_others(error)
    said = _first_line(error) + (f", in {theirs}" if theirs else "")
    # database.rights has added the missing grant, or the policy. Of a table in a schema that a role
    # may not use, Postgres says that it does not exist.
    noted = "".join(getattr(error, "__notes__", ()))
    match error:
        case errors.InsufficientPrivilege() if "row-level security" in said:
            return RightsMissing(
                f"could not {what}: {said}, which would hide rows as if they were deleted: ALTER "
                "TABLE ... DISABLE ROW LEVEL SECURITY, or ALTER ROLE ... BYPASSRLS for this role"
            )
        case errors.InsufficientPrivilege() | errors.UndefinedTable() if noted:
            return RightsMissing(f"could not {what}: {said}: {noted} (or apply schema/roles.sql)")
        case errors.InsufficientPrivilege():
            return RightsMissing(
                f"could not {what}: {said}: connect as a role that may, or GRANT it the right"
            )
        case errors.RaiseException() if error.diag.message_hint:
            # A schema file or a function refuses, and says what to do.
            return Permanent(f"could not {what}: {said}: {error.diag.message_hint}")
        case _ if of_others := _remedy_of_others(error, noted, theirs):
            return Permanent(f"could not {what}: {said}: {of_others}")
        case (
            errors.UndefinedTable()
            | errors.UndefinedColumn()
            | errors.UndefinedFunction()
            | errors.UndefinedObject()
            | errors.InvalidSchemaName()
        ):
            return SchemaOutdated(
                f"could not {what}: {said}: run `robbieblocks db upgrade`, or `robbieblocks db "
                "init` where the database has no RobbieBlocks tables yet"
            )
        case errors.ReadOnlySqlTransaction():
            return DatabaseUnavailable(
                f"could not {what}: {said}: the server is a read-only standby, or the session "
                "has default_transaction_read_only set; connect to the primary"
            )
        case psycopg.DataError() | psycopg.IntegrityError():
            return ContentError([_problem(error, what, said)])
        case psycopg.OperationalError() | psycopg.InterfaceError():
            remedy = _FULL if isinstance(error, errors.DiskFull) else _TRY_AGAIN
            return DatabaseUnavailable(f"could not {what}: {said}: {remedy}")
        case _:
            code = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
            return Permanent(f"could not {what}: {said}{code}")


def _remedy_of_others(error: psycopg.Error, noted: str, theirs: str) -> str:
    """What to do where a policy or a function of the owner's own failed; empty where none did."""
    if not noted and theirs and isinstance(error, psycopg.ProgrammingError | psycopg.InternalError):
        return "do as it says, or mend it, or the trigger, policy, default or view that calls it"
    return noted


def _problem(error: psycopg.Error, what: str, said: str) -> Problem:
    """The row that Postgres refused, as far as its message names table, column or constraint."""
    diagnosis = error.diag
    detail = f" ({diagnosis.message_detail})" if diagnosis.message_detail else ""
    return Problem(
        entity="table",
        key=diagnosis.table_name or "unknown",
        field=diagnosis.column_name or diagnosis.constraint_name or "",
        what=f"could not {what}: {said}{detail}",
        remedy="correct the value",
    )


def _function_of_others(error: psycopg.Error) -> str:
    """The function that the error is from, where it is none of ours; else nothing.

    Triggers on our tables, policies, defaults and views may call what their owner likes.
    """
    found = _IN_FUNCTION.search(error.diag.context or "")
    if found is None or _OURS.match(found[1]):
        return ""
    return f"the function {printable(found[1])}" + (f", line {found[2]}" if found[2] else "")


def _first_line(error: BaseException) -> str:
    """The first line of the driver's message, without its final punctuation."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".:") if text else type(error).__name__
