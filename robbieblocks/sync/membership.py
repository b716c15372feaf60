"""Joining a sync and leaving it: what a node does to its own database."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg import Connection

from robbieblocks import shared_cache
from robbieblocks.database import schema, translated
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.failpoints import reached
from robbieblocks.messages import counted
from robbieblocks.settings import Settings
from robbieblocks.sync import master_slots, master_watch, subscription, way_down
from robbieblocks.sync.address import master_address
from robbieblocks.sync.comparing import compare, first_look
from robbieblocks.sync.exchange import Exchange, next_turn
from robbieblocks.sync.health import SyncHealth
from robbieblocks.sync.hints import hinted
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.node_names import without_site
from robbieblocks.sync.node_values import Repaired, Self
from robbieblocks.sync.patience import prepare_own
from robbieblocks.sync.refusals import try_again
from robbieblocks.worker import Log

# Attach this database to a sync under a name.
_START: LiteralString = "SELECT sync_start(%s, false)"
# Detach it: nothing is captured any more.
_STOP: LiteralString = "SELECT sync_stop()"
# The name by which this database has left its sync without the master's having been told.
_LEFT_UNTOLD: LiteralString = """
    SELECT node_id FROM sync_nodes WHERE metadata -> 'left_untold' = 'true' ORDER BY node_id LIMIT 1
"""
# The master has been told, or this database joins again.
_TOLD: LiteralString = """
    UPDATE sync_nodes SET metadata = metadata - 'left_untold'
     WHERE metadata -> 'left_untold' = 'true'
"""
# Hold a lock that only sessions of this database see.
_HOLD: LiteralString = "SELECT pg_advisory_lock(%s)"
# Hold it no more.
_LET_GO: LiteralString = "SELECT pg_advisory_unlock(%s)"
# Whether somebody else holds it.
_IS_HELD: LiteralString = "SELECT NOT pg_try_advisory_xact_lock(%s)"
# What subscriptions of other databases read from.
_DROP_PUBLICATION: LiteralString = "DROP PUBLICATION IF EXISTS sync_publication"
_PROGRESS_TIMEOUT_S: Final = 3600.0

Progress = Callable[[str], None]


def join(
    settings: Settings,
    connection: Connection,
    node: str,
    *,
    log: Log,
    progress: Progress,
) -> Repaired:
    """Make a database a node: its tables get the master's rows, and its edits go up from now on.

    It may be repeated, and goes on where it was interrupted. Raises UsageError, MasterUnavailable,
    RightsMissing where the master or this database refuses, and SchemaOutdated where this database
    is behind.
    """
    address = master_address(settings)
    link = MasterLink.open(settings, node)
    try:
        prepare_own(connection)
        schema.apply_for_sync(connection, settings.schema)
        own = NodeDatabase(connection)
        _check_name(own.self(), node, is_itself=_is_same(connection, link.connection))
        health = SyncHealth(node=node, progress_timeout_s=_PROGRESS_TIMEOUT_S)
        exchange = Exchange(
            node=own,
            link=link,
            address=address,
            settings=settings.sync,
            health=health,
            log=log,
        )
        # Refused before any edit is captured, where the master does not know this node, or this
        # database lacks what the master has.
        hello = exchange.begin()
        # From here on edits are captured: what is copied below meets them by the usual rule.
        with hinted("join the sync"):
            connection.execute(_START, (node,))
        reached("sync: started")
        _note_told(own)
        own.seen(hello.master)
        # First the subscription, then the copy: nothing falls between them.
        exchange.way.open(tries_at_once=True)
        progress(f"changes come by {'subscription' if exchange.way.streams else 'asking for them'}")
        done = Repaired()
        for rule in exchange.tables:
            if rule.comes_down and rule.has_deletes:
                found = first_look(own, link, rule, hello.tombstones_from)
                done += found
                progress(f"{rule.name}: {counted(found.count, 'row')}")
        exchange.way.has_all()
        if doubt := without_site(connection, node):
            progress(f"note: {doubt}")
        while exchange.push():
            pass
        return done
    finally:
        link.close()


@dataclass(frozen=True, slots=True)
class Left:
    """What a database was in its sync, and why the master still waits for it; empty: it doesn't."""

    name: str
    why_kept: str = ""


def leave(settings: Settings, connection: Connection, *, force: bool) -> Left:
    """Take a database out of its sync; its rows stay.

    It may be repeated until the master has been told. Raises UsageError where it takes no part,
    and, unless `force`, where changes have not gone up yet, or the master would leave nodes behind.
    """
    own = NodeDatabase(connection)
    untold = _left_untold(own) if own.self() is None else None
    if untold is not None:
        return Left(untold, _tell_master(settings, own, untold))
    found = _taking_part(own)
    subscription.check_owner(own)
    if found.is_master:
        behind = [
            each.node
            for each in master_watch.nodes(own)
            if not (each.has_left or each.locked_out_at)
        ]
        if behind and not force:
            raise UsageError(
                f"this is the master of {', '.join(behind)}\n"
                "  -> have each of them `robbieblocks sync leave` first, or leave them behind with "
                "--force: their edits wait until there is a master again"
            )
        with translated("end the sync"):
            connection.execute(_DROP_PUBLICATION)
            connection.execute(_STOP)
        return Left(found.node)
    waiting = own.outbox().waiting
    if waiting and not force:
        raise UsageError(
            f"{counted(waiting, 'change')} not gone up to the master yet\n"
            "  -> let `robbieblocks sync run` send them first, or give them up with --force"
        )
    turn = next_turn(own)
    # In one: what is left of half of it would go on merging, or could not be left any more.
    with translated("leave the sync"), connection.transaction():
        subscription.remove(own)
        way_down.forget(own)
        own.note("left_untold", "true")
        connection.execute(_STOP)
    reached("sync: stopped")
    return Left(found.node, _tell_master(settings, own, found.node, turn))


def _tell_master(
    settings: Settings, own: NodeDatabase, node: str, turn: dict[str, object] | None = None
) -> str:
    """Have the master keep nothing for a node that has left; why it still does, or nothing.

    The master may be gone for good: then what it keeps is its administrator's to remove. `turn` is
    what the node would say next: where a copy of its database leaves, the node itself goes on.
    """
    shared_cache.forget(settings.cache)
    try:
        link = MasterLink.open(settings, node)
        try:
            if turn and link.hello(own.clock(), turn).is_other:
                return (
                    f"another database has synced as {node} since this one did, and goes on: this "
                    "one was a copy of it, or was restored from a backup"
                )
            link.hello(own.clock(), {"has_left": True})
            master_slots.drop(link, subscription.slot_name(node))
        finally:
            link.close()
    except RobbieBlocksError as error:
        return str(error)
    _note_told(own)
    return ""


def _left_untold(own: NodeDatabase) -> str | None:
    """As which node a database has left a sync whose master does not know that yet."""
    with translated("find out whether the master was told"):
        row = own.connection.execute(_LEFT_UNTOLD).fetchone() if own.has_sync() else None
    return str(row[0]) if row else None


def _note_told(own: NodeDatabase) -> None:
    """Note that nobody has to be told that this database has left."""
    with translated("note that the master was told"):
        own.connection.execute(_TOLD)


def pause(connection: Connection, *, paused: bool) -> bool:
    """Have a node send and receive nothing, or go on; whether that changed anything.

    Raises UsageError where it takes no part in a sync, or is the master.
    """
    own = NodeDatabase(connection)
    subscription.check_owner(own)
    if _taking_part(own).is_master:
        raise UsageError(
            "this is the master, which answers and does not ask\n"
            "  -> pause the nodes that are to wait, each on its own database"
        )
    changed = own.set_paused(paused=paused)
    state = subscription.state(own)
    if state is not None and state.is_enabled == paused:
        subscription.set_enabled(own, enabled=not paused)
    return changed


def resync(settings: Settings, connection: Connection, table: str) -> Repaired:
    """Compare a table with the master and put right what differs, also what the master has lost;
    have what it refused of the table be tried again.

    Raises as `join`.
    """
    own = NodeDatabase(connection)
    prepare_own(connection)
    found = _taking_part(own)
    if found.is_master:
        raise UsageError("this is the master: run it on the node whose table differs")
    link = MasterLink.open(settings, found.node)
    try:
        hello = link.hello(own.clock(), {})
        rules = {rule.name: rule for rule in link.tables()}
        rule = rules.get(table)
        if rule is None or not (rule.comes_down and rule.has_deletes):
            known = ", ".join(n for n, r in rules.items() if r.comes_down and r.has_deletes)
            raise UsageError(
                f"{table} does not come down from the master: name one of {known or 'none'}"
            )
        done = compare(own, link, rule, hello.tombstones_from, sends_lost=True)
        return done + Repaired(retried=try_again(own, table))
    finally:
        link.close()


def _taking_part(own: NodeDatabase) -> Self:
    found = own.self()
    if found is None:
        raise UsageError(
            "this database takes no part in a sync\n"
            "  -> `robbieblocks sync join --node NODE` makes it a node, `sync init-master` a master"
        )
    return found


def _is_same(one: Connection, other: Connection) -> bool:
    """Whether two connections lead to one database, whatever their addresses are."""
    key = secrets.randbits(62)
    with translated("see whether this database is the master itself"):
        one.execute(_HOLD, (key,))
        ((is_held,),) = other.execute(_IS_HELD, (key,)).fetchall()
        one.execute(_LET_GO, (key,))
    return bool(is_held)


def _check_name(found: Self | None, node: str, *, is_itself: bool) -> None:
    if is_itself:
        raise UsageError(
            "this database is the one to which the address of the master leads\n"
            "  -> name the database of the node with --database-url"
        )
    if found is not None and (found.is_master or found.node != node):
        what = "master" if found.is_master else "node"
        raise UsageError(
            f"this database is the {what} {found.node} of a sync already\n"
            "  -> run `robbieblocks sync leave` first, with --force where it was restored from a "
            f"dump of that {what}, which goes on"
        )
