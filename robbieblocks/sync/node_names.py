"""Names of nodes, held against the rows of the sites' nodes."""

from __future__ import annotations

from typing import LiteralString

from psycopg import Connection

from robbieblocks.database import translated
from robbieblocks.messages import did_you_mean, printable

# The nodes that have sites.
_WITH_SITES: LiteralString = "SELECT node_id FROM robbieblocks_node_branding"


def without_site(connection: Connection, node: str) -> str:
    """What to say of a name that no row of robbieblocks_node_branding has; empty where one does.

    It is no error: a database may be kept in step for the sake of others. Raises
    DatabaseUnavailable.
    """
    with translated("look for the node's branding"):
        known = [name for (name,) in connection.execute(_WITH_SITES).fetchall()]
    if node in known:
        return ""
    return (
        f"robbieblocks_node_branding has no node {printable(node)}, so no worker can build for it: "
        f"{did_you_mean(node, known)} A database without a site of its own may be called so"
    )
