"""The replication slot that the master keeps for a node's subscription, asked as the node's role.

Names of slots are the server's: another database of it may have one for a node of the same name.

Functions raise MasterUnavailable where the line is lost, RightsMissing where the master refuses.
"""

from __future__ import annotations

from typing import Final, LiteralString

import psycopg

from robbieblocks.errors import RightsMissing
from robbieblocks.sync.link import MasterLink, asked
from robbieblocks.sync.master_values import Slot

_WAIT: Final = "15s"

# The slot of a node's subscription.
_SLOT: LiteralString = """
    SELECT active, wal_status, pg_wal_lsn_diff(pg_current_wal_lsn(), confirmed_flush_lsn)::bigint,
           pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint
      FROM pg_replication_slots WHERE slot_name = %s AND database = current_database()
"""
# End what reads from a slot, and wait for its end: it outlives its subscription for a moment.
_END_READER: LiteralString = """
    SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots
     WHERE slot_name = %s AND database = current_database() AND active
"""
# A slot begins once all transactions have ended that write as it is made, in any database of the
# server. Meanwhile nothing else would go up or come down.
_WAIT_BRIEFLY: LiteralString = "SELECT set_config('statement_timeout', %s, false)"
# Make a slot that begins at the present.
_CREATE: LiteralString = "SELECT pg_create_logical_replication_slot(%s, 'pgoutput')"
# Remove a slot.
_DROP: LiteralString = """
    SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
     WHERE slot_name = %s AND database = current_database()
"""
# What a subscription needs of the master and of the role, and which other database has its slot.
_ABLE: LiteralString = """
    SELECT current_setting('wal_level') = 'logical',
           (SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = current_user),
           (SELECT database FROM pg_replication_slots
             WHERE slot_name = %s AND database IS DISTINCT FROM current_database())
"""


def state(link: MasterLink, name: str) -> Slot | None:
    """A slot's state; None where there is none."""
    with asked("look at the replication slot"):
        row = link.connection.execute(_SLOT, (name,)).fetchone()
    return Slot(row[0], row[1] or "lost", row[2] or 0, row[3]) if row else None


def create(link: MasterLink, name: str) -> str:
    """Make a node's slot: what is committed from now on is kept for it.

    Returns why the master makes none, where it has as many as it may have, or a transaction is in
    the way; else nothing.
    """
    with asked("make the replication slot"):
        link.connection.execute(_WAIT_BRIEFLY, (_WAIT,))
        try:
            link.connection.execute(_CREATE, (name,))
        except psycopg.errors.QueryCanceled:
            return (
                "a transaction that writes on the master's server, in whichever database, has not "
                "ended, and a replication slot begins after it (SELECT * FROM pg_stat_activity "
                "WHERE backend_xid IS NOT NULL ORDER BY xact_start)"
            )
        except psycopg.errors.ConfigurationLimitExceeded:
            return (
                "the master has no replication slot left: there, raise max_replication_slots and "
                "max_wal_senders and restart the server, or drop slots that nobody reads any more "
                "(SELECT * FROM pg_replication_slots WHERE NOT active)"
            )
        finally:
            if not link.connection.closed:
                link.connection.execute(_WAIT_BRIEFLY, ("0",))
    return ""


def drop(link: MasterLink, name: str) -> None:
    """Remove a node's slot, where it is there: else it would keep the master's WAL."""
    with asked("remove the replication slot"):
        try:
            link.connection.execute(_END_READER, (name,))
            link.connection.execute(_DROP, (name,))
        except psycopg.errors.InsufficientPrivilege as error:
            raise RightsMissing(
                "the master keeps what nobody reads, which fills its disk: the role of this node "
                "lacks REPLICATION now, and may not remove its replication slot: there, SELECT "
                f"pg_drop_replication_slot('{name}')"
            ) from error


def why_none(link: MasterLink, name: str) -> str:
    """Why the master can give no subscription by a slot of this name; empty where it can."""
    with asked("ask what the master allows"):
        row = link.connection.execute(_ABLE, (name,)).fetchone()
    is_logical, may_replicate, other = row or (False, False, None)
    if not is_logical:
        return (
            "wal_level of the master is not logical: there, ALTER SYSTEM SET wal_level = "
            "'logical', then restart the server"
        )
    if not may_replicate:
        role = link.connection.info.user
        return f'the role lacks REPLICATION: on the master, ALTER ROLE "{role}" REPLICATION'
    if other is not None:
        return (
            f"the database {other} of the master's server has the replication slot {name} for a "
            "node of the same name, and slots are the server's: give one of the two another name"
        )
    return ""
