"""A worker and lists of another app's pages: they follow what is live of it, whatever happens."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import psycopg
import pytest

from robbieblocks import release
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from tests.workers import NODES, Worker, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
_LIST = """
    WITH component AS (
        INSERT INTO robbieblocks_components
               (component_key, component_name, component_type, react_code, props_schema,
                is_published)
        VALUES ('titles', 'Titles', 'text',
                'export default ({ items }) => <ul>{items.map((i) => <li>{i.title}</li>)}</ul>',
                '{}', true) RETURNING id)
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
    SELECT page.id, component.id, 3, 'main',
           '{"items": {"$pages": {"app": "play", "sort": "title", "fields": ["title"]}}}'
      FROM component, robbieblocks_pages AS page WHERE page_key = 'code'
"""
_POST = """
    INSERT INTO robbieblocks_pages
           (page_key, app_namespace, page_name, page_route, layout_template, status)
    VALUES ('post', 'play', 'post', '/play/post/', 'single-column', 'published')
"""


def test_a_list_follows_another_app(small_site: Settings, editor: psycopg.Connection) -> None:
    """A post's row waits for the app that lists it, over a kill; a rollback is seen, too."""
    editor.execute(_LIST)
    live = small_site.site_root / NODE / "code" / "current" / "code" / "index.html"

    def told() -> list[str]:
        return re.findall("<li>([a-z]+)</li>", live.read_text()) if live.exists() else []

    worker = Worker(small_site, NODE, ("--poll", "1"))
    with running(worker):
        worker.wait_until_ready()
        until(lambda: told() == ["play"])
        until(lambda: not waiting(editor))
        editor.execute(_POST)
        until(lambda: worker.logged("run.finished", changed=["post"]))
        worker.kill()
    assert told() == ["play", "post"] or waiting(editor)
    worker = Worker(small_site, NODE, ("--poll", "1"))
    with running(worker):
        until(lambda: told() == ["play", "post"])
        until(lambda: not waiting(editor))
        worker.wait_until_ready()
        root = SiteRoot(small_site.site_root)
        release.roll_back(root, NODE, "play", who="ann", why="judges", now=datetime.now(UTC))
        until(lambda: told() == ["play"])


def waiting(editor: psycopg.Connection) -> object:
    """The rows that the node has not handled."""
    return editor.execute(
        "SELECT id FROM robbieblocks_change_triggers WHERE %s <> ALL (handled_nodes)"
        " AND processed_at IS NULL AND (affected_nodes IS NULL OR %s = ANY (affected_nodes))",
        (NODE, NODE),
    ).fetchall()
