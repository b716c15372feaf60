"""What a sync that runs has found: it is in its log, and in what another process says of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from robbieblocks import sync
from robbieblocks.settings import Settings
from robbieblocks.worker import open_log
from tests.sync_sites import Clusters, Place, Thread, synced, syncing
from tests.workers import until

pytestmark = pytest.mark.postgres
_PAGE = """
    INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template)
    VALUES ('alone', 'play', 'alone', '/alone', 'default') RETURNING id::text
"""


def findings(place: Place) -> str:
    """What `robbieblocks sync status --check` prints."""
    with place.connect() as connection:
        return "\n".join(sync.status(place.settings, connection).findings)


def told(process: Thread, state: str) -> list[str]:
    """Why it has been in a state, as its log says."""
    return [str(line.get("why")) for line in process.logged("sync.state", state=state)]


def test_status_says_what_the_running_sync_has_found(
    clusters: Clusters, make_settings: Callable[..., Settings]
) -> None:
    """Rows that the node alone has, by their keys; a column that it lacks; a role that may not log
    in any more, though it was cut off before: each is said while it is so."""
    with synced(clusters, make_settings, count=1, join=False) as found:
        (node,) = found.nodes
        with node.connect() as connection:
            (key,) = connection.execute(_PAGE).fetchone() or ("",)
            sync.join(
                node.settings, connection, node.name, log=open_log("json"), progress=lambda _: None
            )
        with syncing(node) as (process,):
            process.wait_for("sync.finding", topic="unknown")
            until(lambda: f"(robbieblocks_pages {key})" in findings(node), "the row is named")
            with found.master.connect() as master:
                master.execute("ALTER TABLE robbieblocks_pages ADD COLUMN added text")
            until(lambda: "robbieblocks_pages.added is missing" in findings(node), "behind is said")
            with node.connect() as connection:
                connection.execute("ALTER TABLE robbieblocks_pages ADD COLUMN added text")
                until(lambda: "is missing" not in findings(node), "behind is over")
                connection.execute("DELETE FROM robbieblocks_pages WHERE page_key = 'alone'")
            until(lambda: key not in findings(node), "the row is named no more")
            with found.master.connect() as master:
                sync.lock_out(master, node.name)
            until(
                lambda: any("was locked out" in why for why in told(process, "cut off")),
                "the log says why it is cut off now",
            )
            assert f"sync admit {node.name} --new-password" in findings(node)
            with found.master.connect() as master:
                # Roles are the server's, which other tests have, too.
                master.execute(f'ALTER ROLE "sync_{node.name}" LOGIN'.encode())
        assert "robbieblocks sync run" in findings(node)
