"""`robbieblocks sync`: its commands and their options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import DatabaseUrl, Embedded, ResultFormat

sync = typer.Typer(
    name="sync",
    help="Keep databases of nodes in step with a master.",
    no_args_is_help=True,
)
conflicts = typer.Typer(
    name="conflicts",
    help="Versions of rows that lost, and how to bring one back.",
    no_args_is_help=True,
)
sync.add_typer(conflicts)

NodeName = Annotated[
    str, typer.Option("--node", autocompletion=node_ids, help="The node, by its node_id.")
]
ConflictId = Annotated[str, typer.Argument(metavar="ID", help="The conflict, by its id.")]


@sync.command("init-master")
def init_master(
    name: Annotated[str, typer.Option(help="What the master is called in the sync.")] = "master",
    database_url: DatabaseUrl = None,
) -> None:
    """Make this database the master of a sync, and say what its server lacks.

    Changes the schema: file 23, and triggers of the tables that are kept in step. Run again, it
    brings in what [sync.tables] of robbieblocks.toml says.

    Example: robbieblocks sync init-master
    """
    from robbieblocks.cli.sync import sync as command

    command.init_master(name=name, database_url=database_url)


@sync.command("admit")
def admit(
    node: Annotated[str, typer.Argument(help="The node, by its node_id.")],
    role: Annotated[
        str | None,
        typer.Option(
            help="Its role on the master. Default: robbieblocks_sync_NODE, with a hash where that "
            "is too long or another database has it."
        ),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this table; repeatable; * for all. Default: as before, else all.",
        ),
    ] = None,
    town: Annotated[
        list[str] | None,
        typer.Option(
            help="Only rows of this town; repeatable; * for all. Default: as before, else all.",
        ),
    ] = None,
    new_password: Annotated[
        bool,
        typer.Option(
            "--new-password", help="Give the role another password; lets a locked-out node in."
        ),
    ] = False,
    take_edits: Annotated[
        bool, typer.Option("--take-edits", help="Take edits made while it was locked out, too.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Let a node join: run on the master. Prints the address for the node, with its password.

    Changes the master's list of nodes, and makes the node's role where it is missing. The password
    is shown this once. Admitted again, a node keeps what is not said otherwise.

    Example: robbieblocks sync admit aurora-town-local
    """
    from robbieblocks.cli.sync import sync as command

    command.admit(
        node,
        role=role,
        tables=table or (),
        towns=town or (),
        new_password=new_password,
        take_edits=take_edits,
        database_url=database_url,
    )


@sync.command("lock-out")
def lock_out(
    node: Annotated[str, typer.Argument(help="The node, by its node_id.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Shut a node out, as a stolen one: run on the master.

    Changes the role, which may not log in any more; its sessions end, its slot goes. Exits with 1
    where a step needs other rights, and prints the statement.

    Example: robbieblocks sync lock-out aurora-town-local
    """
    from robbieblocks.cli.sync import sync as command

    command.lock_out(node, database_url=database_url)


@sync.command("join")
def join(node: NodeName, embedded: Embedded = False, database_url: DatabaseUrl = None) -> None:
    """Make this database a node: it gets the master's rows, and its own edits go up from now on.

    The master is the one of ROBBIEBLOCKS_SYNC_MASTER_URL. Run again after an interruption, it goes
    on. Changes rows that the master has otherwise; what they were is kept among the conflicts.

    Example: robbieblocks sync join --node aurora-town-local
    """
    from robbieblocks.cli.sync import sync as command

    command.join(node, embedded=embedded, database_url=database_url)


@sync.command("leave")
def leave(
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Give up changes that have not gone up yet; on the master, leave nodes behind.",
        ),
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Take this database out of its sync; its rows stay as they are.

    Changes the schema: the subscription, the triggers, and the slot where the master is reached go.

    Example: robbieblocks sync leave
    """
    from robbieblocks.cli.sync import sync as command

    command.leave(force=force, database_url=database_url)


@sync.command("run")
def run(
    node: NodeName,
    health: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT|off",
            help="Where to answer /healthz, /readyz and /metrics. Default: 127.0.0.1:9465, or any "
            "free port where that is taken.",
            show_default=False,
        ),
    ] = None,
    log: Annotated[
        Literal["auto", "text", "json"],
        typer.Option(help="Log lines for people or for machines; auto asks the terminal."),
    ] = "auto",
    embedded: Embedded = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Keep this database in step until told to stop: beside a worker, or on the master.

    Changes rows as they come from the master, sends edits there as they are made, and compares all
    tables every few minutes. On the master it looks after the nodes.

    Example: robbieblocks sync run --node aurora-town-local
    """
    from robbieblocks.cli.sync import running as command

    command.run(node, health=health, log_form=log, embedded=embedded, database_url=database_url)


@sync.command("status")
def status(
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Print what is not as it should be; exit with 1 where there is any."
        ),
    ] = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Show what this database is in its sync, what waits, and what is not as it should be.

    On the master: every node, when it was last seen, and what it holds back. Changes nothing.

    Example: robbieblocks sync status --check
    """
    from robbieblocks.cli.sync import showing as command

    command.status(check=check, format_=format_, database_url=database_url)


@sync.command("pause")
def pause(database_url: DatabaseUrl = None) -> None:
    """Have this node send and receive nothing; its edits wait in the outbox.

    Changes the node's state and its subscription alone.

    Example: robbieblocks sync pause
    """
    from robbieblocks.cli.sync import sync as command

    command.pause(paused=True, database_url=database_url)


@sync.command("resume")
def resume(database_url: DatabaseUrl = None) -> None:
    """Have this node send and receive again.

    Changes the node's state and its subscription; what waited goes both ways.

    Example: robbieblocks sync resume
    """
    from robbieblocks.cli.sync import sync as command

    command.pause(paused=False, database_url=database_url)


@sync.command("resync")
def resync(
    table: Annotated[str, typer.Argument(help="The table: robbieblocks_pages.")],
    database_url: DatabaseUrl = None,
) -> None:
    """Compare a table of this node with the master, and put right what differs.

    Changes what differs; edits of this node that the master lacks are sent. A running sync does so
    every few minutes.

    Example: robbieblocks sync resync robbieblocks_pages
    """
    from robbieblocks.cli.sync import sync as command

    command.resync(table, database_url=database_url)


@conflicts.command("list")
def conflicts_list(
    table: Annotated[str | None, typer.Option(help="Only this table.")] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that were put right, too.")] = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """List rows of which one version lost, the latest first: run on the master.

    Changes nothing.

    Example: robbieblocks sync conflicts list
    """
    from robbieblocks.cli.sync import showing as command

    command.conflicts(table=table, all_=all_, format_=format_, database_url=database_url)


@conflicts.command("show")
def conflicts_show(
    id_: ConflictId, format_: ResultFormat = "text", database_url: DatabaseUrl = None
) -> None:
    """Show both versions of a row, column by column where they differ. Changes nothing.

    Example: robbieblocks sync conflicts show 0b8a8f0e-...
    """
    from robbieblocks.cli.sync import showing as command

    command.conflict(id_, format_=format_, database_url=database_url)


@conflicts.command("restore")
def conflicts_restore(
    id_: ConflictId,
    force: Annotated[
        bool, typer.Option("--force", help="Write over rows that were made anew meanwhile.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Without the rows that went with it.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Bring the version that lost back as a new edit, which goes to every node: on the master.

    Changes the row. Rows that it refers to and that are gone come back, and what went with it: all
    of them or none.

    Example: robbieblocks sync conflicts restore 0b8a8f0e-...
    """
    from robbieblocks.cli.sync import showing as command

    command.restore(id_, force=force, alone=alone, database_url=database_url)
