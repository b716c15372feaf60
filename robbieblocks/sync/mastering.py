"""The master's side of membership: begin a sync, let nodes in, shut one out."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString
from urllib.parse import quote

from psycopg import Connection
from psycopg.sql import SQL, Identifier, Literal

from robbieblocks.database import schema, translated
from robbieblocks.errors import RightsMissing, UsageError
from robbieblocks.model import sha256
from robbieblocks.settings import Settings
from robbieblocks.sync import master_watch
from robbieblocks.sync.hints import hinted
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.node_names import without_site
from robbieblocks.sync.subscription import PUBLICATION

_PASSWORD_BYTES: Final = 24
# In the place of tables or towns: all of them.
ALL: Final = "*"
_ROLE_PREFIX: Final = "robbieblocks_sync_"
_ROLE_CHARACTERS: Final = 63
_HASH_CHARACTERS: Final = 8

# Make this database the master under a name.
_START: LiteralString = "SELECT sync_start(%s, true)"
# Whether the publication is there.
_IS_PUBLISHED: LiteralString = "SELECT 1 FROM pg_publication WHERE pubname = %s"
# Keep a table in step otherwise than by default; whether its deletes are told stays as it is.
_CONFIGURE: LiteralString = """
    SELECT sync_configure(%(table)s, %(direction)s, %(rule)s, coalesce(
        (SELECT has_deletes FROM sync_tables WHERE table_name = %(table)s), true))
"""
# Whether a node is locked out.
_IS_LOCKED_OUT: LiteralString = (
    "SELECT 1 FROM sync_nodes WHERE node_id = %s AND locked_out_at IS NOT NULL"
)
# Answer a node again that was locked out, and take what waits there, or not.
_LET_IN: LiteralString = "SELECT sync_let_in(%s, %s)"
# A node that was let in before: its role, its tables, its towns.
_KNOWN: LiteralString = "SELECT database_role, tables, towns FROM sync_nodes WHERE node_id = %s"
# Let a node in, by its role.
_ADMIT: LiteralString = "SELECT sync_admit(%s, %s, %s, %s, %s)"
# Whether a role is there, and may replicate.
_ROLE: LiteralString = "SELECT rolreplication OR rolsuper FROM pg_roles WHERE rolname = %s::name"
# Whether a role has rights in another database of this server.
_IS_ELSEWHERE: LiteralString = """
    SELECT EXISTS (SELECT FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
                    WHERE r.rolname = %s::name AND d.refclassid = 'pg_authid'::regclass
                      AND d.dbid NOT IN (0, (SELECT oid FROM pg_database
                                              WHERE datname = current_database())))
"""
# Shut a node out, step by step.
_LOCK_OUT: LiteralString = "SELECT step, is_done, detail FROM sync_lock_out(%s)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """A node that may join. `address` has the password where the role is new, this once.

    `doubt` says what may be wrong with its name; empty: nothing. `is_let_in`: it was locked out.
    """

    role: str
    address: str
    is_new: bool
    may_replicate: bool
    doubt: str = ""
    is_let_in: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of shutting a node out; `detail` says why it was not done, and the statement."""

    what: str
    is_done: bool
    detail: str | None


def init_master(settings: Settings, connection: Connection, name: str) -> tuple[str, ...]:
    """Make a database the master; returns what should be set otherwise on its server.

    It may be repeated, and brings the settings of `[sync.tables]` in. Raises DatabaseUnavailable,
    RightsMissing, and Permanent where the database is part of a sync already.
    """
    schema.apply_for_sync(connection, settings.schema)
    with connection.transaction():
        for table, (direction, rule) in settings.sync.tables.items():
            with hinted(f"set how {table} is kept in step"):
                connection.execute(
                    _CONFIGURE, {"table": table, "direction": direction, "rule": rule}
                )
        with hinted("make this database the master"):
            connection.execute(_START, (name,))
        with translated("publish the log of changes"):
            if connection.execute(_IS_PUBLISHED, (PUBLICATION,)).fetchone() is None:
                connection.execute(
                    SQL(
                        "CREATE PUBLICATION {} FOR TABLE sync_log WITH (publish = 'insert')"
                    ).format(Identifier(PUBLICATION))
                )
    return master_watch.advice(NodeDatabase(connection))


def admit(
    connection: Connection,
    node: str,
    *,
    role: str | None = None,
    tables: Sequence[str] = (),
    towns: Sequence[str] = (),
    new_password: bool = False,
    take_edits: bool = False,
) -> Admitted:
    """Let a node in: its role is made where it is missing, and granted what a node needs.

    Without `role`, `tables` or `towns` a node that was let in before keeps those that it has, and
    another one gets all tables and towns; (`ALL`,) gives it all again. What was edited on a node
    while it was locked out loses to what the master has, and is kept, unless `take_edits`. Raises
    UsageError where the database is no master, RightsMissing, DatabaseUnavailable, and Permanent
    where a table, a town or the role is none that a node may have.
    """
    found = NodeDatabase(connection).self()
    if found is None or not found.is_master:
        raise UsageError(
            "this database is no master\n  -> run `robbieblocks sync init-master` first"
        )
    if found.node == node:
        raise UsageError(f"{node} is the master itself: name a node")
    known_role, known_tables, known_towns = _known(connection, node)
    role = role or known_role or _free_role(connection, node)
    with translated("look for the node's role"):
        is_locked_out = connection.execute(_IS_LOCKED_OUT, (node,)).fetchone() is not None
        found_role = connection.execute(_ROLE, (role,)).fetchone()
    is_new = found_role is None
    may_already: bool | None = found_role[0] if found_role else None
    if is_locked_out and not new_password:
        raise UsageError(
            f"{node} is locked out\n  -> with --new-password it is let in again, by an address "
            "that whoever has its old one does not know"
        )
    password = secrets.token_urlsafe(_PASSWORD_BYTES) if is_new or new_password else ""
    with connection.transaction():
        may_replicate = _make_role(connection, role, password, known=may_already)
        with hinted(f"let {node} in"):
            its = _given(tables, known_tables), _given(towns, known_towns)
            connection.execute(_ADMIT, (node, node, role, *its))
            if is_locked_out or take_edits:
                connection.execute(_LET_IN, (node, take_edits))
    return Admitted(
        role=role,
        address=_address(connection, role, password),
        is_new=is_new,
        may_replicate=may_replicate,
        doubt=without_site(connection, node),
        is_let_in=is_locked_out,
    )


def lock_out(connection: Connection, node: str) -> tuple[Step, ...]:
    """Shut a node out: nothing of it is taken or answered any more.

    Raises DatabaseUnavailable, and Permanent where there is no such node.
    """
    with hinted(f"shut {node} out", "see the nodes that there are: `robbieblocks sync status`"):
        # That its role may not log in holds once it is committed. Until then a session that was
        # ended connects again, and holds the slot.
        connection.execute(_LOCK_OUT, (node,))
        return tuple(Step(*row) for row in connection.execute(_LOCK_OUT, (node,)).fetchall())


def _known(
    connection: Connection, node: str
) -> tuple[str | None, list[str] | None, list[str] | None]:
    """Role, tables and towns of a node that was let in before; None of one that was not."""
    with translated("look for the node"):
        found = connection.execute(_KNOWN, (node,)).fetchone()
    return (found[0], found[1], found[2]) if found else (None, None, None)


def _given(wanted: Sequence[str], known: list[str] | None) -> list[str] | None:
    if ALL in wanted:
        return None
    return list(wanted) or known


def _free_role(connection: Connection, node: str) -> str:
    """The role that a node gets where nobody names one.

    Roles are the server's. One that another of its databases has would be that master's node, too:
    whoever locks it out there, or steals it, does so here.
    """
    role = _new_role(node)
    with translated("look whose the node's role is"):
        ((is_elsewhere,),) = connection.execute(_IS_ELSEWHERE, (role,)).fetchall()
    return _new_role(node, connection.info.dbname) if is_elsewhere else role


def _new_role(node: str, dbname: str = "") -> str:
    """The name of a node's role, for the master of a database where that has to be told apart.

    Of a long name the end is a hash: PostgreSQL cuts names, and two nodes can't have one role.
    """
    role = f"{_ROLE_PREFIX}{node}"
    if len(role) <= _ROLE_CHARACTERS and not dbname:
        return role
    hash_ = sha256(f"{node} {dbname}" if dbname else node)[:_HASH_CHARACTERS]
    return f"{role[: _ROLE_CHARACTERS - _HASH_CHARACTERS - 1]}_{hash_}"


def _make_role(connection: Connection, role: str, password: str, *, known: bool | None) -> bool:
    """Make the role, or give it another password; whether it may replicate.

    `known` says so of a role that is there already, and is None where there is none.
    """
    name = Identifier(role)
    # The server gets what it stores, and not the password: statements may be logged.
    sealed = (
        connection.pgconn.encrypt_password(
            password.encode(), role.encode(), b"scram-sha-256"
        ).decode()
        if password
        else ""
    )
    if known is not None:
        if password:
            with translated(f"give {role} another password"):
                connection.execute(
                    SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(name, Literal(sealed))
                )
        return known
    try:
        with translated(f"make the role {role}"), connection.transaction():
            connection.execute(
                SQL("CREATE ROLE {} LOGIN REPLICATION PASSWORD {}").format(name, Literal(sealed))
            )
    except RightsMissing:
        # Who may not give REPLICATION may still make a role: its node asks for changes.
        with translated(f"make the role {role}"):
            connection.execute(
                SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, Literal(sealed))
            )
        return False
    return True


def _address(connection: Connection, role: str, password: str) -> str:
    info = connection.info
    host = "HOST" if not info.host or info.host.startswith("/") else info.host
    secret = f":{password}" if password else ":PASSWORD"
    return (
        f"postgresql://{quote(role, safe='')}{secret}@{host}:{info.port}"
        f"/{quote(info.dbname, safe='')}?sslmode=verify-full"
    )
