"""`robbieblocks forms`: its commands and options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import DatabaseUrl, Embedded, ResultFormat

forms = typer.Typer(
    name="forms",
    help="Forms of pages: receives what visitors send, shows it, and deletes it.",
    no_args_is_help=True,
)

_Form = Annotated[str | None, typer.Option("--form", help="Only of this form.")]
_Spam = Annotated[bool, typer.Option("--spam", help="With what was taken for spam.")]
_Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Ids, as `forms list` has them.")]


@forms.command("receive")
def forms_receive(
    node: Annotated[str, typer.Option(autocompletion=node_ids, help="Whose site it is.")],
    log: Annotated[
        Literal["auto", "json", "text"], typer.Option("--log", help="Form of the log on stderr.")
    ] = "auto",
    embedded: Embedded = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Take the forms of a node's pages until SIGTERM or SIGINT, where receiver.listen says.

    Changes the table form_submissions: stores what visitors send, and removes what is older than
    receiver.keep_days. Notes an event for each.

    Example: robbieblocks forms receive --node vengeance-local
    """
    from robbieblocks.cli.forms import forms as command

    command.receive(node=node, log_form=log, embedded=embedded, database_url=database_url)


@forms.command("list")
def forms_list(
    form: _Form = None,
    spam: _Spam = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """List what was sent, the newest first, without the answers. Changes nothing.

    Example: robbieblocks forms list --form contact
    """
    from robbieblocks.cli.forms import forms as command

    command.list_(form=form, spam=spam, most=limit, format_=format_, database_url=database_url)


@forms.command("show")
def forms_show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="As `forms list` has it.")],
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Print a submission with its answers. Changes nothing.

    Example: robbieblocks forms show 0b8d8f0e-5b0c-4a52-9f0b-6d3f5f4f1f5e
    """
    from robbieblocks.cli.forms import forms as command

    command.show(identity, format_=format_, database_url=database_url)


@forms.command("export")
def forms_export(form: _Form = None, spam: _Spam = False, database_url: DatabaseUrl = None) -> None:
    """Print what was sent as CSV. An answer that a spreadsheet would run begins with `'`.

    Changes nothing.

    Example: robbieblocks forms export --form contact
    """
    from robbieblocks.cli.forms import forms as command

    command.export(form=form, spam=spam, database_url=database_url)


@forms.command("delete")
def forms_delete(identities: _Ids, database_url: DatabaseUrl = None) -> None:
    """Remove submissions for good, as when somebody asks for it.

    Changes the table form_submissions by these rows. Events that tell of them may have been sent
    before, and backups keep them.

    Example: robbieblocks forms delete 0b8d8f0e-5b0c-4a52-9f0b-6d3f5f4f1f5e
    """
    from robbieblocks.cli.forms import forms as command

    command.delete(identities, database_url=database_url)
