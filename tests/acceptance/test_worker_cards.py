"""A worker and social cards: pages go out at once, and cards follow, whatever happens meanwhile."""

from __future__ import annotations

import psycopg
import pytest

from robbieblocks import release
from robbieblocks.model import Manifest
from robbieblocks.settings import Settings
from tests.workers import NODES, Worker, edit, running, until, until_shown

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.chaos]

NODE = NODES[0]
# The child processes of the first cards are lost; then trying again is a matter of a moment.
PRELUDE = """
from robbieblocks.media import cards
from robbieblocks.pipeline import social_cards
draw, calls = cards._drawn, []
def lost(child, *rest):
    calls.append(rest)
    if len(calls) <= 6:
        child.kill()
    return draw(child, *rest)
cards._drawn, social_cards._PAUSE_S = lost, 0.1
"""


def test_cards_follow_their_pages(small_site: Settings, editor: psycopg.Connection) -> None:
    """Past a SIGKILL while they are drawn, and lost child processes; an edit waits for none."""
    editor.execute(
        "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
        " layout_template, status) SELECT 'p' || n, 'play', 'Page ' || n, '/p' || n,"
        " 'single-column', 'published' FROM generate_series(1, 20) AS n"
    )
    editor.execute(
        "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example',"
        """ settings = '{"social_card": true}', enabled_apps = '{play}' WHERE node_id = %s""",
        [NODE],
    )

    def live() -> Manifest:
        found = release.live(release.SiteRoot.of(small_site), NODE, "play")
        assert found is not None
        return found

    killed = Worker(small_site, NODE, ("--poll", "3600"), crash="card")
    with running(killed):
        killed.wait_for_exit()
    assert len(live().without_card) == len(live().pages)
    worker = Worker(small_site, NODE, ("--poll", "3600"), prelude=PRELUDE)
    with running(worker):
        worker.wait_until_ready()
        edit(editor, "play", 2)
        until_shown(small_site.site_root, NODE, 2)
        until(lambda: not live().without_card, "a card for each page")
        worker.wait_for("maintenance.failed")
    manifest = live()
    assert all(page.card in manifest.assets for page in manifest.pages)
    assert release.verify(release.SiteRoot.of(small_site), NODE, "play") == ()
