"""Which workers the server sees: by the names of their sessions, and who holds a node's lock."""

from __future__ import annotations

import os
import socket
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, Literal, LiteralString

from psycopg import Connection

from robbieblocks.database import sessions, translated

# Postgres cuts longer names off, with a notice. A host's name is cut so that a node's has room.
_NAME_MAX: Final = 63
_HOST_MAX: Final = 16

# Workers' sessions, how long ago each last sent something, which is hidden from other roles, and
# the first grant that its role lacks, empty where it has all that a worker can't do without.
_SESSIONS: LiteralString = """
    SELECT pid, application_name,
           extract(epoch FROM clock_timestamp() - coalesce(state_change, backend_start))::float8,
           coalesce((SELECT format('GRANT %s ON %s TO %I', needed, place, usename)
                       FROM (VALUES ('robbieblocks_pages', '{SELECT}'),
                                    ('robbieblocks_page_blocks', '{SELECT}'),
                                    ('robbieblocks_components', '{SELECT}'),
                                    ('robbieblocks_style_tokens', '{SELECT}'),
                                    ('robbieblocks_node_branding', '{SELECT}'),
                                    ('media_assets', '{SELECT}'),
                                    ('robbieblocks_deploys', '{SELECT,INSERT,UPDATE,DELETE}'),
                                    ('robbieblocks_change_triggers', '{SELECT,UPDATE,DELETE}'))
                            AS it (place, rights), unnest(rights::text[]) AS needed
                      WHERE NOT has_table_privilege(usesysid, to_regclass(place), needed)
                      LIMIT 1), '')
      FROM pg_stat_activity
     WHERE datname = current_database() AND application_name LIKE 'robbieblocks % %:% %'
     ORDER BY backend_start
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A worker of a node, as the database sees it: active, or a standby.

    `silent_s` is how long ago it last sent something, in seconds; None where that is hidden.
    `lacks` is a GRANT that its role needs and has not, or empty.
    """

    host: str
    pid: int
    state: Literal["active", "standby"]
    silent_s: float | None
    lacks: str = ""


def session_name(purpose: str, node: str, worker: str | None = None) -> str:
    """The name that pg_stat_activity shows for a session of this worker, or of another."""
    worker = worker or f"{socket.gethostname()[:_HOST_MAX].replace(' ', '_')}:{os.getpid()}"
    name = f"robbieblocks {purpose} {worker} {node}"
    return name.encode()[:_NAME_MAX].decode(errors="ignore")


def worker_lock(node: str) -> int:
    """The advisory lock that the node's active worker holds."""
    return sessions.lock_key("robbieblocks worker", node)


def workers(connection: Connection, nodes: Collection[str]) -> dict[str, tuple[WorkerSeen, ...]]:
    """The workers of each node that are connected, the oldest first. Raises DatabaseUnavailable."""
    with translated("look which workers are connected"):
        found = connection.execute(_SESSIONS).fetchall()
        holders = {
            node: {pid for pid, _ in sessions.holders(connection, worker_lock(node))}
            for node in nodes
        }
    seen: dict[str, dict[str, WorkerSeen]] = {node: {} for node in nodes}
    for session, name, silent_s, lacks in found:
        _, purpose, worker, _ = name.split(" ", 3)
        for node in nodes:
            if name != session_name(purpose, node, worker):
                continue
            before = seen[node].get(worker)
            host, _, pid = worker.rpartition(":")
            ages: list[float] = [
                each for each in (silent_s, before.silent_s if before else None) if each is not None
            ]
            active = session in holders[node] or (before is not None and before.state == "active")
            seen[node][worker] = WorkerSeen(
                host=host,
                pid=int(pid) if pid.isdecimal() else 0,
                state="active" if active else "standby",
                silent_s=round(max(0.0, min(ages)), 1) if ages else None,
                lacks=lacks,
            )
    return {node: tuple(known.values()) for node, known in seen.items()}
