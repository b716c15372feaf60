"""`robbieblocks secrets ...`."""

from __future__ import annotations

import datetime
import getpass
import sys
import uuid
from typing import Literal

import typer

from robbieblocks.cli import session
from robbieblocks.cli.output import as_json, print_exact, print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.messages import counted
from robbieblocks.settings import Settings

try:
    from robbieblocks import sealed_secrets
    from robbieblocks.sealed_secrets import Keyring, SecretName
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "cryptography":
        raise
    raise UsageError(
        "secrets need the package cryptography\n  -> pip install 'robbieblocks[secrets]'"
    ) from None


def put(
    service: str, key_name: str, *, town: str | None, user: str | None, database_url: str | None
) -> None:
    """Store the value of standard input; on a terminal it is asked for and not shown."""
    name, keyring = _name(service, key_name, town, user), Keyring.from_environment()
    value = _given()
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        new = sealed_secrets.put(connection, name, value, keyring)
    print_result(f"{'stored' if new else 'replaced'} {name}, sealed by {keyring.first}")


def get(
    service: str, key_name: str, *, town: str | None, user: str | None, database_url: str | None
) -> None:
    """Print a value."""
    name, keyring = _name(service, key_name, town, user), Keyring.from_environment()
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        print_exact(sealed_secrets.get(connection, name, keyring))


def list_(*, format_: Literal["text", "json"], database_url: str | None) -> None:
    """Print the secrets without their values."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        found = sealed_secrets.listed(connection)
    if format_ == "json":
        print_result(
            as_json(
                [
                    {
                        "service": each.name.service,
                        "key_name": each.name.key_name,
                        "scope": each.name.scope,
                        "scope_id": each.name.scope_id,
                        "key_id": each.key_id,
                        "updated_at": each.updated_at.isoformat(),
                    }
                    for each in found
                ]
            )
        )
        return
    for each in found:
        how = f"sealed by {each.key_id}" if each.key_id else "not sealed: set it anew"
        when = each.updated_at.astimezone(datetime.UTC)
        print_result(f"{each.name}  {how}  {when:%Y-%m-%d %H:%M} UTC")
    if not found:
        print_progress("no secret is there, or the database's role sees none")


def delete(
    service: str, key_name: str, *, town: str | None, user: str | None, database_url: str | None
) -> None:
    """Remove a secret."""
    name = _name(service, key_name, town, user)
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        sealed_secrets.delete(connection, name)
    print_result(f"removed {name}")


def rotate(*, database_url: str | None) -> None:
    """Seal with the first key what another one has sealed; exit 1 where one does not open."""
    keyring = Keyring.from_environment()
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        done = sealed_secrets.rotate(connection, keyring)
    for problem in done.problems:
        print_progress(str(problem))
    print_result(f"{counted(done.rotated, 'secret')} sealed anew by {keyring.first}")
    if done.problems:
        raise typer.Exit(1)


def new_key() -> None:
    """Print a new key."""
    print_result(sealed_secrets.new_key())


def _name(service: str, key_name: str, town: str | None, user: str | None) -> SecretName:
    if not service or not key_name:
        raise UsageError("a secret has a service and a name: neither may be empty")
    if town is not None and user is not None:
        raise UsageError("a secret is a town's or a user's: leave out --town or --user")
    if user is not None:
        try:
            user = str(uuid.UUID(user))
        except ValueError:
            raise UsageError("--user takes a users.id, which is a uuid") from None
        return SecretName(service=service, key_name=key_name, scope="user", scope_id=user)
    if town is not None:
        return SecretName(service=service, key_name=key_name, scope="town", scope_id=town)
    return SecretName(service=service, key_name=key_name)


def _given() -> str:
    """The value, from standard input."""
    if sys.stdin.isatty():
        value = getpass.getpass("Value (not shown): ")
    else:
        try:
            value = sys.stdin.read()
        except UnicodeDecodeError:
            raise UsageError("the value is not UTF-8: encode it, as with base64") from None
        value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise UsageError("the value is empty: pipe it in, or type it where it is asked for")
    return value
