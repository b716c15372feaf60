"""A site is not emptied by a worker that watches its tables being emptied."""

from __future__ import annotations

from typing import Any, LiteralString

import psycopg
import psycopg.types.json
import pytest

from robbieblocks.settings import Settings
from tests.acceptance.test_site_root import visited
from tests.workers import NODES, Worker, asked, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
Db = psycopg.Connection


@pytest.mark.parametrize(
    "statement", ["DELETE FROM robbieblocks_pages", "TRUNCATE robbieblocks_pages CASCADE"]
)
def test_an_emptied_table_leaves_the_site_as_it_is(
    small_site: Settings, editor: Db, statement: LiteralString
) -> None:
    """Every page is served all the time, the worker is not ready and says why, and it is well again
    once the rows are back, restored one by one."""
    pages: list[Any] = editor.execute("SELECT to_jsonb(p) FROM robbieblocks_pages p").fetchall()
    blocks: list[Any] = editor.execute(
        "SELECT to_jsonb(b) FROM robbieblocks_page_blocks b"
    ).fetchall()
    current = small_site.site_root / NODE / "play" / "current"
    with running(worker := Worker(small_site, NODE, ("--health", "127.0.0.1:0"))):
        worker.wait_until_ready()
        until(lambda: asked(worker, "/readyz").status_code == 200)
        before = current.resolve()
        with visited(small_site):
            editor.execute(statement)
            # One app after the other is held.
            until(lambda: "play" in asked(worker, "/readyz").json().get("held_apps", ()), "saying")
            answer = asked(worker, "/readyz")
            assert answer.status_code == 503
            assert "held: it would remove " in answer.json()["unready"]
            assert "robbieblocks_held_apps" in asked(worker, "/metrics").text
            assert current.resolve() == before
        with psycopg.connect(small_site.database_url or "") as restoring:
            for table, rows in (("pages", pages), ("page_blocks", blocks)):
                for (row,) in rows:
                    restoring.execute(
                        f"INSERT INTO robbieblocks_{table} SELECT * FROM"
                        f" jsonb_populate_record(NULL::robbieblocks_{table}, %s::jsonb)".encode(),
                        [psycopg.types.json.Jsonb(row)],
                    )
                    restoring.commit()
        until(lambda: asked(worker, "/readyz").status_code == 200, "its being well again")
        # A page may be restored, and go out, a moment before its blocks are.
        until(lambda: current.resolve() == before, "the whole site's being back")
