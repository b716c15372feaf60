"""The subscription by which changes come down: its state, and how it is made anew."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg.sql import SQL, Composed, Identifier, Literal

from robbieblocks.database import translated
from robbieblocks.errors import MasterUnavailable, RightsMissing, RobbieBlocksError
from robbieblocks.messages import counted
from robbieblocks.sync import master_slots
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.node import NodeDatabase

NAME: Final = "robbieblocks_sync"
PUBLICATION: Final = "sync_publication"
_SLOT_NAME_MAX: Final = 40
# How a server says that it does not reach the master: no line, no library, an option of the address
# that it does not know, no answer in time.
_UNCONNECTED: Final = (
    psycopg.errors.ConnectionFailure,
    psycopg.errors.SqlclientUnableToEstablishSqlconnection,
    psycopg.errors.UndefinedFile,
    psycopg.errors.SyntaxError,
    psycopg.errors.QueryCanceled,
)

# The subscription of this database: whether it is enabled, runs, and how often it failed.
_STATE: LiteralString = """
    SELECT s.subenabled, a.pid IS NOT NULL, coalesce(f.apply_error_count, 0), s.subslotname
      FROM pg_subscription s
      LEFT JOIN pg_stat_subscription a ON a.subid = s.oid AND a.relid IS NULL
      LEFT JOIN pg_stat_subscription_stats f ON f.subid = s.oid
     WHERE s.subname = %s
       AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# Whose the subscription is, where this role may not do as its owner does.
_OF_OTHERS: LiteralString = """
    SELECT pg_get_userbyid(s.subowner) FROM pg_subscription s
     WHERE s.subname = %s AND NOT pg_has_role(s.subowner, 'USAGE')
       AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
# How many subscriptions this server runs at once, how many others it runs now, and whether this
# role may make one.
_ABLE: LiteralString = """
    SELECT current_setting('max_logical_replication_workers')::integer,
           (SELECT count(DISTINCT a.subid) FROM pg_stat_subscription a
             WHERE a.pid IS NOT NULL AND a.subid NOT IN (
                   SELECT s.oid FROM pg_subscription s
                    WHERE s.subname = %s AND s.subdbid = (
                          SELECT oid FROM pg_database WHERE datname = current_database()))),
           rolsuper OR (current_setting('server_version_num')::integer >= 160000
                        AND has_database_privilege(current_database(), 'CREATE')
                        AND EXISTS (SELECT FROM pg_roles given
                                     WHERE given.rolname = 'pg_create_subscription'
                                       AND pg_has_role(current_user, given.oid, 'USAGE')))
      FROM pg_roles WHERE rolname = current_user
"""
# Have the server connect to the master as the subscription does, and change nothing.
_REFRESH = SQL("ALTER SUBSCRIPTION robbieblocks_sync REFRESH PUBLICATION WITH (copy_data = false)")
# The server that connects keeps to no time of its own: not even that of the address.
_CONNECT_IN_TIME: LiteralString = "SET statement_timeout = '15s'"
# Statements may take as long as they take.
_ANY_TIME: LiteralString = "SET statement_timeout = 0"
# Log no statement of this session, also where one fails.
_SAY_NOTHING: LiteralString = """
    SET log_min_error_statement = 'panic'; SET log_statement = 'none';
    SET log_min_duration_statement = -1
"""
# Log as the server is set to.
_SAY_AGAIN: LiteralString = """
    RESET log_min_error_statement; RESET log_statement; RESET log_min_duration_statement
"""


@dataclass(frozen=True, slots=True)
class SubscriptionState:
    """The subscription as the node's server sees it."""

    is_enabled: bool
    is_running: bool
    error_count: int
    slot_name: str | None


def slot_name(node: str) -> str:
    """The slot of a node on the master: of lower case letters, digits and underscores alone."""
    plain = re.sub(r"[^a-z0-9_]", "_", node.lower())[:_SLOT_NAME_MAX]
    return f"sync_{plain}_{hashlib.sha256(node.encode()).hexdigest()[:8]}"


def state(node: NodeDatabase) -> SubscriptionState | None:
    """The state; None where there is no subscription. Raises DatabaseUnavailable."""
    with translated("look at the subscription"):
        row = node.connection.execute(_STATE, (NAME,)).fetchone()
    return SubscriptionState(*row) if row else None


def check_owner(node: NodeDatabase) -> None:
    """See that the subscription, where there is one, is this role's to look after.

    Raises RightsMissing, and DatabaseUnavailable.
    """
    with translated("look whose the subscription is"):
        row = node.connection.execute(_OF_OTHERS, (NAME,)).fetchone()
    if row is not None:
        role = node.connection.info.user
        raise RightsMissing(
            f"the subscription {NAME} of this database belongs to the role {row[0]}, which has "
            f"joined it, and {role} may not look after it: name that role in the address of the "
            f'database, or, as a superuser, ALTER SUBSCRIPTION {NAME} OWNER TO "{role}"'
        )


def why_not(node: NodeDatabase, link: MasterLink) -> str:
    """Why there can't be a subscription; empty where there can be one."""
    with translated("ask what this server allows"):
        row = node.connection.execute(_ABLE, (NAME,)).fetchone()
    at_once, others, may = row or (0, 0, False)
    if at_once == 0:
        return (
            "this server runs no subscription (max_logical_replication_workers is 0): set it to 4 "
            "and restart it; the embedded one can't"
        )
    if not may:
        role = node.connection.info.user
        return (
            f'the role {role} may make no subscription: GRANT pg_create_subscription TO "{role}" '
            "and CREATE on the database (from PostgreSQL 16 on; before, only a superuser may)"
        )
    if others >= at_once:
        return (
            f"this server runs {counted(at_once, 'subscription')} at once, and others have them "
            "all: raise max_logical_replication_workers (and max_worker_processes, which is to be "
            "larger) and restart it"
        )
    return master_slots.why_none(link, slot_name(link.node))


def create(
    node: NodeDatabase, link: MasterLink, address: str, name: str
) -> RobbieBlocksError | None:
    """Make the subscription and its slot; what is left of an earlier one is removed first.

    It begins at the master's present: what was before has to be compared. Returns why this
    database's server can't subscribe to the master, and has then left nothing there. Raises
    DatabaseUnavailable and RightsMissing.
    """
    remove(node)
    master_slots.drop(link, name)
    # Its server connects with this statement, and then waits. The slot is not made by it: where one
    # server has both databases, the slot would wait for the end of the statement's transaction, and
    # that for the slot.
    statement = SQL(
        "CREATE SUBSCRIPTION {name} CONNECTION {address} PUBLICATION {publication} WITH "
        "(copy_data = false, create_slot = false, enabled = false, slot_name = {slot})"
    ).format(
        name=Identifier(NAME),
        address=Literal(address),
        publication=Identifier(PUBLICATION),
        slot=Literal(name),
    )
    with translated("make the subscription"), _unlogged(node):
        error = _connected(node, statement)
    if error is not None:
        return error
    try:
        why_none = master_slots.create(link, name)
        if why_none:
            remove(node)
            return RightsMissing(why_none)
        set_enabled(node, enabled=True)
    except RobbieBlocksError:
        # Without its slot it would fail for ever; without a reader the slot keeps the master's WAL.
        with suppress(RobbieBlocksError):
            remove(node)
            master_slots.drop(link, name)
        raise
    return None


def why_unconnected(node: NodeDatabase) -> RobbieBlocksError | None:
    """Why this database's server can't reach the master by its subscription; None where it can."""
    with translated("ask whether the subscription reaches the master"):
        return _connected(node, _REFRESH)


def remove(node: NodeDatabase) -> None:
    """Remove the subscription and leave its slot, which may be gone or out of reach."""
    if state(node) is None:
        return
    with translated("remove the subscription"):
        for action in ("DISABLE", "SET (slot_name = NONE)"):
            node.connection.execute(_altered(action))
        node.connection.execute(SQL("DROP SUBSCRIPTION {}").format(Identifier(NAME)))


def set_enabled(node: NodeDatabase, *, enabled: bool) -> None:
    """Have the subscription go on, or wait."""
    with translated("enable the subscription" if enabled else "disable the subscription"):
        node.connection.execute(_altered("ENABLE" if enabled else "DISABLE"))


def set_address(node: NodeDatabase, address: str) -> RobbieBlocksError | None:
    """Have the subscription connect by another address; returns why its server can't use that."""
    statement = SQL("ALTER SUBSCRIPTION {} CONNECTION {}").format(
        Identifier(NAME), Literal(address)
    )
    with translated("change the subscription's address"), _unlogged(node):
        return _connected(node, statement)


def _connected(node: NodeDatabase, statement: Composed | SQL) -> RobbieBlocksError | None:
    """Run a statement for which the node's server itself connects to the master.

    Returns why it could not connect. While it tries it asks nobody how long it may.
    """
    node.connection.execute(_CONNECT_IN_TIME)
    try:
        node.connection.execute(statement)
    except psycopg.errors.ProhibitedSqlStatementAttempted as error:
        return RightsMissing(_of_the_server(error))
    except _UNCONNECTED as error:
        return MasterUnavailable(_of_the_server(error))
    finally:
        if not node.connection.closed:
            node.connection.execute(_ANY_TIME)
    return None


def _of_the_server(error: psycopg.Error) -> str:
    said = " ".join(filter(None, (error.diag.message_primary, error.diag.message_detail)))
    if isinstance(error, psycopg.errors.QueryCanceled):
        said = "it has no answer after 15 s"
    return (
        f"the server of this database can't subscribe to the master by its address: {said}: it "
        "connects by itself, so host, port and files in the address are as it sees them, and the "
        'master must ask its role for a password; with `sync.transport` = "poll" it need not'
    )


@contextmanager
def _unlogged(node: NodeDatabase) -> Generator[None]:
    """Keep statements out of the server's log, where the role may: the address has a password."""
    with suppress(psycopg.errors.InsufficientPrivilege):
        node.connection.execute(_SAY_NOTHING)
    try:
        yield
    finally:
        with suppress(psycopg.Error):
            node.connection.execute(_SAY_AGAIN)


def _altered(action: LiteralString) -> SQL:
    return SQL("ALTER SUBSCRIPTION " + NAME + " " + action)
