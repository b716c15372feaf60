"""`robbieblocks sync`: joining, leaving, and what the master's owner does."""

from __future__ import annotations

from collections.abc import Sequence

import typer

from robbieblocks import sync, worker
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.database import embedded as embedded_server
from robbieblocks.messages import counted
from robbieblocks.settings import Settings


def init_master(*, name: str, database_url: str | None) -> None:
    """Make this database the master, and print what its server lacks."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        advice = sync.init_master(settings, connection, name)
    print_result(f"this database is the master {name}")
    for each in advice:
        print_result(f"to do: {each}")
    print_result(
        "next: `robbieblocks sync admit NODE`, and `robbieblocks sync run` to look after it"
    )


def admit(
    node: str,
    *,
    role: str | None,
    tables: Sequence[str],
    towns: Sequence[str],
    new_password: bool,
    take_edits: bool,
    database_url: str | None,
) -> None:
    """Let a node in, and print its address."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        admitted = sync.admit(
            connection,
            node,
            role=role,
            tables=tables,
            towns=towns,
            new_password=new_password,
            take_edits=take_edits,
        )
    print_progress(
        f"{node} may join as {admitted.role}; on the node, set ROBBIEBLOCKS_SYNC_MASTER_URL to:"
    )
    print_result(admitted.address)
    if admitted.doubt:
        print_progress(f"note: {admitted.doubt}")
    if admitted.is_let_in and not take_edits:
        print_progress(
            f"note: what was edited on {node} while it was locked out loses, and is kept: once it "
            "is back, see `robbieblocks sync conflicts list`; with --take-edits it is taken"
        )
    if not admitted.may_replicate:
        print_progress(
            f'its role has no REPLICATION, so it asks for changes: ALTER ROLE "{admitted.role}" '
            "REPLICATION (as a superuser) makes it a subscriber"
        )


def lock_out(node: str, *, database_url: str | None) -> None:
    """Shut a node out; exit 1 where a step is left to do."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        steps = sync.lock_out(connection, node)
    for step in steps:
        print_result(f"{'done' if step.is_done else 'TO DO'}: {step.what}")
        if step.detail:
            print_result(f"  -> {step.detail}")
    if not all(step.is_done for step in steps):
        raise typer.Exit(1)


def join(node: str, *, embedded: bool, database_url: str | None) -> None:
    """Make this database a node."""
    settings = Settings.from_environment(database_url=database_url)
    with session.located(settings, may_embed=embedded) as located:
        if located is not settings:
            # Its role is no superuser, and merges what the master sends.
            embedded_server.let_merge(located.database_url or "")
        with session.opened(located) as connection:
            done = sync.join(
                located,
                connection,
                node,
                log=worker.open_log(),
                progress=print_progress,
            )
    print_result(f"{node} is in step with the master: {_said(done)}")
    print_result(f"next: `robbieblocks sync run --node {node}` keeps it so")


def leave(*, force: bool, database_url: str | None) -> None:
    """Take this database out of its sync."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        left = sync.leave(settings, connection, force=force)
    print_result(f"{left.name} has left the sync; its rows stay")
    if left.why_kept:
        print_progress(
            f"the master does not know it: {left.why_kept}\n  -> run `robbieblocks sync leave` "
            f"again once it can be reached, or `robbieblocks sync lock-out {left.name}` there: "
            "what it keeps for this node fills its disk"
        )


def pause(*, paused: bool, database_url: str | None) -> None:
    """Have this node send and receive nothing, or go on."""
    with session.opened(Settings.from_environment(database_url=database_url)) as connection:
        changed = sync.pause(connection, paused=paused)
    state = "paused" if paused else "going on"
    print_result(f"the sync is {state}" if changed else f"the sync was {state} already")


def resync(table: str, *, database_url: str | None) -> None:
    """Compare a table with the master."""
    settings = Settings.from_environment(database_url=database_url)
    with session.opened(settings) as connection:
        done = sync.resync(settings, connection, table)
    print_result(f"{table}: {_said(done)}")


def _said(done: sync.Repaired) -> str:
    parts = [
        f"{counted(done.changed, 'row')} changed" if done.changed else "",
        f"{counted(done.removed, 'row')} removed" if done.removed else "",
        f"{counted(done.sent, 'row')} sent again" if done.sent else "",
        f"{counted(done.retried, 'refused change')} tried again" if done.retried else "",
        f"{counted(done.unknown, 'row')} here alone, from before the node joined"
        if done.unknown
        else "",
    ]
    return ", ".join(filter(None, parts)) or "nothing differed"
