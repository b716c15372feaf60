"""The errors for a connection that can't be opened: they name the cause and never a password."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

import psycopg
from psycopg import conninfo, pq

from robbieblocks.errors import DatabaseUnavailable, UsageError

# libpq gives connection failures no SQLSTATE, so what its message says decides, and the first row
# that fits. `{}` is what the pattern's group found. In another language than English none of them
# fits; then the last remedy is given, which is always right.
_REMEDIES: tuple[tuple[str, str], ...] = (
    # 3D000, of PostgreSQL and PgBouncer
    (
        'database "(.*)" does not exist|no such database: (.*)',
        "create it with `createdb {}`, or name another database",
    ),
    # 28000
    ('role "(.*)" does not exist', "create it with `createuser {}`, or name another user"),
    ('role "(.*)" is not permitted to log in', "ALTER ROLE {} LOGIN, or name another user"),
    # 57P03, a server that starts, recovers, stops, or is a standby that has not caught up yet.
    (
        "starting up|not yet accepting connections|in recovery mode|[Cc]onsistent recovery",
        "the server is starting: wait a moment and try again",
    ),
    ("shutting down|terminating connection due to administrator", "wait until the server is back"),
    ("not currently accepting connections", "allow connections to the database (ALTER DATABASE)"),
    # target_session_attrs
    (
        "session is read-only|server is in hot standby mode",
        "connect to the primary: this server is a read-only standby",
    ),
    ("server is not in hot standby mode|session is not read-only", "check target_session_attrs"),
    # 53300
    (
        "too many|connection slots are reserved|remaining connection slots",
        "close idle sessions, or raise max_connections or the limit of the role or database",
    ),
    # 28P01
    (
        "no password supplied|password authentication failed",
        "check the password (PGPASSWORD, ~/.pgpass or the URL) and the user",
    ),
    (
        "pg_hba.conf",
        "let this host and user in by pg_hba.conf, or connect another way (host, sslmode)",
    ),
    ("authentication failed|authentication method", "check the user and pg_hba.conf"),
    # 42501
    ('permission denied for database "(.*)"', "GRANT CONNECT ON DATABASE {} TO {user};"),
    # The network
    ("translate host name|[Nn]ame or service not known|resolution", "check the host name"),
    ("No such file", "start the server, or name the host that it runs on (PGHOST)"),
    ("Permission denied", "let this account reach the server's socket, or connect by TCP (PGHOST)"),
    ("refused", "start the server, or check host and port"),
    ("timeout|timed out|unreachable|No route", "check host, port, network and firewall"),
    (
        "SSL negotiation|closed the connection unexpectedly",
        "see that the server runs, and that it is Postgres",
    ),
    (
        "root certificate file",
        "name the certificate of whoever signed the server's by sslrootcert=FILE in the address, "
        "or sslrootcert=system where this system trusts it",
    ),
    (
        "does not match host name",
        "name the host as its certificate does, or give the server one that names this host",
    ),
    (
        "certificate verify failed",
        "the server's certificate has expired, or sslrootcert names another authority than the one "
        "that signed it (`openssl s_client -starttls postgres -connect HOST:PORT` shows it)",
    ),
    ("does not support SSL", "set ssl = on at the server, with a certificate, or see sslmode"),
    ("SSL|certificate|TLS", "check sslmode, the certificates, and the server's ssl setting"),
)
_ANY_REMEDY = "check that the server runs and that host, port, database and user are right"


def unreachable_error(error: psycopg.Error, address: str) -> DatabaseUnavailable:
    """The error for a server that can't be reached or refuses us; names host, database and user."""
    said = scrubbed(_cause(error), address)
    return DatabaseUnavailable(
        f"can't connect to {described(address)}: {said}: {_remedy(said, address)}"
    )


def _remedy(said: str, address: str) -> str:
    for pattern, advice in _REMEDIES:
        found = re.search(pattern, said)
        if found:
            names = [name for name in found.groups() if name]
            return advice.format(*names, user=_names(address).get("user") or "the user")
    return _ANY_REMEDY


def unreadable_error(error: psycopg.Error, address: str) -> UsageError:
    """The error for an address that libpq can't read, whose message may repeat all of it."""
    return _address_error(scrubbed(_cause(error), address))


def port_error(address: str) -> UsageError:
    """The error for an address whose port is no number; the port is not repeated."""
    where = "the port is not a number"
    if "://" in address:
        where += " (a password needs an @ after it, and %40 for an @ in it)"
    return _address_error(where)


def _address_error(cause: str) -> UsageError:
    return UsageError(
        f"the database address is not one that libpq reads: {cause}: "
        "write postgresql://user@host:port/database, or `host=... dbname=... user=...`"
    )


def described(address: str) -> str:
    """Host, port, database and user that an address and the libpq variables name together."""
    names = _names(address)
    host = names.get("host") or names.get("hostaddr") or "the local socket"
    port = names.get("port") or "5432"
    user = names.get("user") or "the current user"
    return f"database {names.get('dbname') or user} on {host} port {port} as {user}"


def _names(address: str) -> Mapping[str, str]:
    """What libpq connects with: its defaults and variables, and over them the address."""
    defaults = {
        option.keyword.decode(): (option.val or b"").decode(errors="replace")
        for option in pq.Conninfo.get_defaults()
    }
    return {**defaults, **_parts(address)}


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
        # The address can't be parsed, so any part of it may be the password, the port for example.
        found.update(re.findall(r"//[^/\s:@]*:([^\s]*)@", address))
        found.update(re.findall(r"://[^/\s:@]*:([^\s/]*)", address))
        found.update(match[1].strip("'") for match in _KEY_SECRET.findall(address))
        found.update(part for secret in list(found) for part in re.split(r"[/@:]", secret))
    return sorted(filter(None, found), key=len, reverse=True)


# What libpq says beside its reason; the last is of a certificate that is not there.
_NO_REASON = ("Multiple connection", "Is the server", "DETAIL:", "HINT:", "Either provide the file")


def _cause(error: BaseException) -> str:
    """The cause that libpq gives: its last line with content, without the address before it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith(_NO_REASON)]
    said = lines[-1] if lines else type(error).__name__
    said = re.sub(
        r"^connection (?:failed: )?(?:connection )?to server (?:at|on) "
        r"[^:]*(?:, port \d+)? failed: ",
        "",
        said,
    )
    said = re.sub(r"^(?:connection failed: )?", "", said)
    return re.sub(r"^FATAL:\s+", "", said)
