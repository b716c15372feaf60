"""`robbieblocks secrets`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.options import DatabaseUrl, ResultFormat

secrets = typer.Typer(
    name="secrets",
    help="Secrets of services, sealed before the database sees them.",
    no_args_is_help=True,
)

Service = Annotated[str, typer.Argument(help="The service that the secret is for: mail.")]
Name = Annotated[str, typer.Argument(help="Which of the service's secrets: token.")]
Town = Annotated[str | None, typer.Option(help="The town's own secret, by the town's name.")]
User = Annotated[str | None, typer.Option(help="The user's own secret, by the users.id.")]


@secrets.command("set")
def secrets_set(
    service: Service,
    name: Name,
    town: Town = None,
    user: User = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Seal a value and store it. It comes from standard input, or is asked for; never an argument.

    One line end at the end of what is piped in is left out. Changes the secret's row.

    Example: robbieblocks secrets set mail token --town aurora
    """
    from robbieblocks.cli.database import secrets as command

    command.put(service, name, town=town, user=user, database_url=database_url)


@secrets.command("get")
def secrets_get(
    service: Service,
    name: Name,
    town: Town = None,
    user: User = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Print a value as it was set, without a line end where it is piped. Changes nothing.

    Example: robbieblocks secrets get mail token
    """
    from robbieblocks.cli.database import secrets as command

    command.get(service, name, town=town, user=user, database_url=database_url)


@secrets.command("list")
def secrets_list(format_: ResultFormat = "text", database_url: DatabaseUrl = None) -> None:
    """List the secrets that the database's role sees: names, keys and times, no value.

    Changes nothing.

    Example: robbieblocks secrets list
    """
    from robbieblocks.cli.database import secrets as command

    command.list_(format_=format_, database_url=database_url)


@secrets.command("delete")
def secrets_delete(
    service: Service,
    name: Name,
    town: Town = None,
    user: User = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a secret. Changes the table by that row.

    Example: robbieblocks secrets delete mail token --town aurora
    """
    from robbieblocks.cli.database import secrets as command

    command.delete(service, name, town=town, user=user, database_url=database_url)


@secrets.command("rotate")
def secrets_rotate(database_url: DatabaseUrl = None) -> None:
    """Seal with the first key of ROBBIEBLOCKS_SECRETS_KEYS what another key has sealed.

    Changes one row after the other; run again after an interruption, it does the rest. Exits with 1
    where one does not open.

    Example: robbieblocks secrets rotate
    """
    from robbieblocks.cli.database import secrets as command

    command.rotate(database_url=database_url)


@secrets.command("new-key")
def secrets_new_key() -> None:
    """Print a new key for ROBBIEBLOCKS_SECRETS_KEYS, to be put before those that are there.

    Changes nothing: without the key nobody can open what it seals, so keep it well.

    Example: robbieblocks secrets new-key
    """
    from robbieblocks.cli.database import secrets as command

    command.new_key()
