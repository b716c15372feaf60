"""What the driver raises, as errors of ours: translated here and nowhere else.

connect fails                                  DatabaseUnavailable, or UsageError for a bad address
the connection breaks, times out, deadlocks    DatabaseUnavailable
a table, column or function is missing         SchemaOutdated
a right is missing                             UsageError
a value does not fit its column                ContentError
anything else                                  Permanent
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import conninfo, errors, pq

from robbieblocks.errors import (
    ContentError,
    DatabaseUnavailable,
    Permanent,
    Problem,
    RobbieBlocksError,
    SchemaOutdated,
    UsageError,
)

_MISSING = (
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.UndefinedFunction,
    errors.UndefinedObject,
    errors.InvalidSchemaName,
)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Raise our errors for the driver's; `what` completes "could not ...": `read the content`."""
    try:
        yield
    except psycopg.Error as error:
        raise _translate(error, what) from error


def _translate(error: psycopg.Error, what: str) -> RobbieBlocksError:
    said = _first_line(error)
    match error:
        case errors.InsufficientPrivilege():
            return UsageError(
                f"could not {what}: {said}: connect as a role that may, or GRANT it the right"
            )
        case errors.UndefinedTable() | errors.UndefinedColumn() | errors.UndefinedFunction():
            return _outdated(what, said)
        case errors.UndefinedObject() | errors.InvalidSchemaName():
            return _outdated(what, said)
        case errors.ReadOnlySqlTransaction():
            return DatabaseUnavailable(
                f"could not {what}: {said}: the server is a read-only standby, or the session "
                "has default_transaction_read_only set; connect to the primary"
            )
        case psycopg.DataError() | psycopg.IntegrityError():
            return ContentError([_problem(error, what)])
        case psycopg.OperationalError() | psycopg.InterfaceError():
            return DatabaseUnavailable(
                f"could not {what}: {said}: try again; where it stays so, see the server's log"
            )
        case _:
            code = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
            return Permanent(f"could not {what}: {said}{code}")


def _outdated(what: str, said: str) -> SchemaOutdated:
    return SchemaOutdated(
        f"could not {what}: {said}: run `robbieblocks db upgrade`, or `robbieblocks db init` "
        "where the database has no RobbieBlocks tables yet"
    )


def _problem(error: psycopg.Error, what: str) -> Problem:
    """The row that Postgres refused, as far as it says: table, then constraint or column."""
    diagnosis = error.diag
    detail = f" ({diagnosis.message_detail})" if diagnosis.message_detail else ""
    return Problem(
        entity="table",
        key=diagnosis.table_name or "unknown",
        field=diagnosis.column_name or diagnosis.constraint_name or "",
        what=f"could not {what}: {_first_line(error)}{detail}",
        remedy="correct the value",
    )


def _first_line(error: BaseException) -> str:
    """The driver's message without its context lines and its name for its own state."""
    text = str(error).strip()
    return text.splitlines()[0].rstrip(".:") if text else type(error).__name__


# --- connecting ------------------------------------------------------------------------------

# libpq gives connection failures no SQLSTATE, so its words decide about the remedy. In another
# language none of them is found, and the last remedy, which is always right, is given.
_REMEDIES: tuple[tuple[str, str], ...] = (
    ("password", "check the password (PGPASSWORD, ~/.pgpass or the URL) and the user"),
    ("authentication failed", "check the user and pg_hba.conf"),
    ("no pg_hba.conf entry", "let this host and user in by pg_hba.conf, or connect another way"),
    ("role ", "create the role with `createuser`, or name another user"),
    ("database ", "create it with `createdb`, or name another database"),
    ("too many", "close idle sessions, or raise max_connections"),
    ("starting up", "wait until the server has started"),
    ("shutting down", "wait until the server is back"),
    ("recovery", "wait until the server has recovered"),
    ("translate host name", "check the host name"),
    ("No such file", "start the server, or name the host that it runs on (PGHOST)"),
    ("refused", "start the server, or check host and port"),
    ("timeout", "check host, port and firewall"),
    ("SSL", "check sslmode on both sides"),
)
_ANY_REMEDY = "check that the server runs and that host, port, database and user are right"


def unreachable(error: psycopg.Error, address: str) -> DatabaseUnavailable:
    """The error for a server that does not let us in, naming host, database and user."""
    said = scrubbed(_cause(error), address)
    remedy = next((advice for sign, advice in _REMEDIES if sign in said), _ANY_REMEDY)
    return DatabaseUnavailable(f"can't connect to {described(address)}: {said}: {remedy}")


def unreadable(error: psycopg.Error, address: str) -> UsageError:
    """The error for an address that libpq can't read; libpq's words may repeat all of it."""
    return _unreadable(scrubbed(_cause(error), address))


def not_a_port(address: str) -> UsageError:
    """The error for an address whose port is no number; the port is not repeated."""
    where = "the port is not a number"
    if "://" in address:
        where += " (a password needs an @ after it, and %40 for an @ in it)"
    return _unreadable(where)


def _unreadable(cause: str) -> UsageError:
    return UsageError(
        f"the database address is not one that libpq reads: {cause}: "
        "write postgresql://user@host:port/database, or `host=... dbname=... user=...`"
    )


def described(address: str) -> str:
    """Host, port, database and user that an address and the libpq variables lead to."""
    names = {
        option.keyword.decode(): (option.val or b"").decode(errors="replace")
        for option in pq.Conninfo.get_defaults()
    }
    names |= _parts(address)
    host = names.get("host") or names.get("hostaddr") or "the local socket"
    port = names.get("port") or "5432"
    user = names.get("user") or "the current user"
    return f"database {names.get('dbname') or user} on {host} port {port} as {user}"


def _parts(address: str) -> Mapping[str, str]:
    return {key: str(value) for key, value in conninfo.conninfo_to_dict(address).items()}


_URL_SECRET = re.compile(r"(?<=//)([^/\s@:\"]*):[^\s]*@")
_KEY_SECRET = re.compile(r"(password\s*=\s*)('(?:[^'\\]|\\.)*'?|[^\s&\"]+)", re.IGNORECASE)


def scrubbed(text: str, address: str) -> str:
    """A text without the password of an address or of PGPASSWORD."""
    for secret in _secrets(address):
        text = text.replace(secret, "***")
    text = _URL_SECRET.sub(r"\1:***@", text)
    return _KEY_SECRET.sub(r"\1***", text)


def _secrets(address: str) -> list[str]:
    found = {os.environ.get("PGPASSWORD", "")}
    try:
        found.add(_parts(address).get("password", ""))
    except psycopg.Error:
        # Not parseable, so what libpq took for something else may be the password: a port, say.
        found.update(re.findall(r"//[^/\s:@]*:([^\s]*)@", address))
        found.update(re.findall(r"://[^/\s:@]*:([^\s/]*)", address))
        found.update(match[1].strip("'") for match in _KEY_SECRET.findall(address))
        found.update(part for secret in list(found) for part in re.split(r"[/@:]", secret))
    return sorted(filter(None, found), key=len, reverse=True)


def _cause(error: BaseException) -> str:
    """libpq's cause: the last line that says something, without the address in front of it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [
        line for line in lines if not line.startswith(("Multiple connection", "Is the server"))
    ]
    said = lines[-1] if lines else type(error).__name__
    said = re.sub(
        r"^connection (?:failed: )?(?:connection )?to server (?:at|on) "
        r"[^:]*(?:, port \d+)? failed: ",
        "",
        said,
    )
    said = re.sub(r"^(?:connection failed: )?", "", said)
    return re.sub(r"^FATAL:\s+", "", said)
