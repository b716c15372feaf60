"""Reads and writes the table `secrets`: its callers have values, the database what is sealed.

Every function raises DatabaseUnavailable, SchemaOutdated or RightsMissing besides what it names.
"""

from __future__ import annotations

import datetime
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg import Connection

from robbieblocks import failpoints
from robbieblocks.database import translated
from robbieblocks.errors import ContentError, Problem, SchemaOutdated, UsageError
from robbieblocks.sealed_secrets.keyring import Keyring
from robbieblocks.sealed_secrets.sealing import SecretName, opened, sealed

# Between the two statements others may remove the row, or store one.
_ATTEMPTS: Final = 5
# Row level security shows a secret to its town or user.
_BE: Final[LiteralString] = """
    SELECT set_config('app.town', coalesce(%(town)s, current_setting('app.town', true), ''), false),
           set_config('app.user_id', coalesce(%(user)s, current_setting('app.user_id', true), ''),
                      false)
"""
# Whether those whose secret it is are there: else nobody would ever see it.
_KNOWN: Final[LiteralString] = """
    SELECT CASE %(scope)s WHEN 'town' THEN EXISTS (SELECT FROM towns WHERE name = %(scope_id)s)
                          WHEN 'user' THEN EXISTS (SELECT FROM users WHERE id::text = %(scope_id)s)
                          ELSE true END
"""
_INSERT: Final[LiteralString] = """
    INSERT INTO secrets (service, key_name, scope, scope_id, key_value_encrypted, created_by)
    VALUES (%(service)s, %(key_name)s, %(scope)s, %(scope_id)s, %(stored)s, session_user)
    ON CONFLICT DO NOTHING
"""
_UPDATE: Final[LiteralString] = """
    UPDATE secrets SET key_value_encrypted = %(stored)s
     WHERE service = %(service)s AND key_name = %(key_name)s AND scope = %(scope)s
       AND scope_id IS NOT DISTINCT FROM %(scope_id)s
"""
_READ: Final[LiteralString] = """
    SELECT key_value_encrypted FROM secrets
     WHERE service = %(service)s AND key_name = %(key_name)s AND scope = %(scope)s
       AND scope_id IS NOT DISTINCT FROM %(scope_id)s
"""
_DELETE: Final[LiteralString] = """
    DELETE FROM secrets
     WHERE service = %(service)s AND key_name = %(key_name)s AND scope = %(scope)s
       AND scope_id IS NOT DISTINCT FROM %(scope_id)s
"""
_LIST: Final[LiteralString] = """
    SELECT service, key_name, scope, scope_id, key_id, updated_at FROM secrets
     ORDER BY service, key_name, scope, scope_id
"""
# What another key than the first has sealed.
_TO_ROTATE: Final[LiteralString] = """
    SELECT id, service, key_name, scope, scope_id, key_value_encrypted FROM secrets
     WHERE key_id IS DISTINCT FROM %(first)s ORDER BY id
"""
# Nothing where the value was set anew meanwhile.
_RESEAL: Final[LiteralString] = """
    UPDATE secrets SET key_value_encrypted = %(stored)s
     WHERE id = %(id)s AND key_value_encrypted = %(before)s
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """A secret without its value; `key_id` is None where it is not sealed."""

    name: SecretName
    key_id: str | None
    updated_at: datetime.datetime


@dataclass(frozen=True, slots=True)
class Rotation:
    """How many secrets were sealed anew, and what is wrong with those that were not."""

    rotated: int
    problems: tuple[Problem, ...]


def put(connection: Connection, name: SecretName, value: str, keyring: Keyring) -> bool:
    """Store a value in place of the one that is there; True where there was none.

    Raises UsageError for a town or user that is not there, and ContentError where a row has the
    secret's place that is not this secret.
    """
    given = {**_named(name), "stored": sealed(value, name, keyring)}
    with _translated(f"store the secret {name}"):
        _become(connection, name)
        if connection.execute(_KNOWN, given).fetchone() != (True,):
            raise UsageError(f"there is no {name.scope} {name.scope_id}: correct the option")
        for _ in range(_ATTEMPTS):
            if connection.execute(_INSERT, given).rowcount:
                return True
            if connection.execute(_UPDATE, given).rowcount:
                return False
    raise name.problem(
        "a row from before, of another scope, has its place",
        "set scope and scope_id of that row in the table secrets, or remove it",
    )


def get(connection: Connection, name: SecretName, keyring: Keyring) -> str:
    """The value of a secret. Raises ContentError where it is missing or does not open."""
    with _translated(f"read the secret {name}"):
        _become(connection, name)
        row = connection.execute(_READ, _named(name)).fetchone()
    if row is None:
        raise _missing(name)
    return opened(row[0], name, keyring)


def delete(connection: Connection, name: SecretName) -> None:
    """Remove a secret. Raises ContentError where there is none."""
    with _translated(f"remove the secret {name}"):
        _become(connection, name)
        if not connection.execute(_DELETE, _named(name)).rowcount:
            raise _missing(name)


def listed(connection: Connection) -> tuple[Listed, ...]:
    """The secrets that the session sees, without their values."""
    with _translated("list the secrets"):
        rows = connection.execute(_LIST).fetchall()
    return tuple(Listed(_name(*row[:4]), *row[4:]) for row in rows)


def rotate(connection: Connection, keyring: Keyring) -> Rotation:
    """Seal with the first key whatever another key has sealed, one row after the other.

    Each is committed by itself (the connection is in autocommit): after a kill the next call does
    the rest. What does not open stays as it is, and is a problem of the result.
    """
    rotated = 0
    problems: list[Problem] = []
    with _translated("rotate the secrets"):
        rows = connection.execute(_TO_ROTATE, {"first": keyring.first}).fetchall()
        for key, service, key_name, scope, scope_id, before in rows:
            name = _name(service, key_name, scope, scope_id)
            try:
                stored = sealed(opened(before, name, keyring), name, keyring)
            except ContentError as error:
                problems += error.problems
                continue
            given = {"id": key, "before": before, "stored": stored}
            rotated += connection.execute(_RESEAL, given).rowcount
            failpoints.reached("resealed")
    return Rotation(rotated, tuple(problems))


@contextmanager
def _translated(what: str) -> Generator[None]:
    """As `translated`; what is missing comes with the unified schema alone."""
    try:
        with translated(what):
            yield
    except SchemaOutdated as error:
        raise SchemaOutdated(
            f"could not {what}: the table secrets is missing, or an earlier one: run "
            "`robbieblocks db upgrade --unified`"
        ) from error


def _name(service: str, key_name: str, scope: str, scope_id: str | None) -> SecretName:
    return SecretName(service=service, key_name=key_name, scope=scope, scope_id=scope_id)


def _named(name: SecretName) -> dict[str, str | None]:
    return {
        "service": name.service,
        "key_name": name.key_name,
        "scope": name.scope,
        "scope_id": name.scope_id,
    }


def _become(connection: Connection, name: SecretName) -> None:
    town = name.scope_id if name.scope == "town" else None
    user = name.scope_id if name.scope == "user" else None
    connection.execute(_BE, {"town": town, "user": user})


def _missing(name: SecretName) -> ContentError:
    return name.problem("there is none", "`robbieblocks secrets list` shows those that there are")
