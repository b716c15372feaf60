"""A worker and the owner's own tables: an update of one row is one page rewritten."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from robbieblocks import changes, database
from robbieblocks.settings import Settings, read_project_file
from tests.workers import NODES, Worker, running, until

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NODE = NODES[0]
_NEVER = "3600"
_PROJECT = """
[collections.goods]
view = "shop_goods"
route = "/goods/{slug}"
template_page = "good"
"""
_TABLES = """
    CREATE TABLE goods (slug text, version text);
    CREATE VIEW shop_goods AS SELECT slug, version FROM goods;
    INSERT INTO goods SELECT 'g' || n, 'one' FROM generate_series(1, 5) AS n;
    WITH page AS (
        INSERT INTO robbieblocks_pages
               (page_key, app_namespace, page_name, page_route, layout_template, status)
        VALUES ('good', 'play', '{$row.slug}', '', 'single-column', 'published') RETURNING id)
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
    SELECT page.id, component.id, 1, 'main', '{"version": {"$row": "version"}}'
      FROM page, robbieblocks_components AS component WHERE component_key = 'label'
"""


def test_an_updated_row_is_one_page_rewritten(
    small_site: Settings,
    editor: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Within the worker's stride: it reads the row that the trigger names, and nothing else."""
    project = tmp_path / "robbieblocks.toml"
    project.write_text(_PROJECT)
    monkeypatch.chdir(tmp_path)
    editor.execute(_TABLES)
    (source,) = read_project_file(project).collections
    with database.connect(small_site, application_name="test") as connection:
        changes.install_capture(connection, changes.collection_capture(connection, source))
    live = small_site.site_root / NODE / "play" / "current" / "goods"
    worker = Worker(small_site, NODE, ("--poll", _NEVER))
    with running(worker):
        worker.wait_until_ready()
        until(lambda: 'data-version="one"' in (live / "g3" / "index.html").read_text())
        before = len(worker.logged("run.finished", app="play"))
        editor.execute("UPDATE goods SET version = 'two' WHERE slug = 'g3'")
        until(lambda: 'data-version="two"' in (live / "g3" / "index.html").read_text())
        worker.wait_for("run.finished", before + 1, app="play")
        run = worker.logged("run.finished", app="play")[before]
        assert run["changed"] == ["good--g3"]
        assert run["causes"] == ["collection goods/g3"]
        editor.execute("DROP VIEW shop_goods")
        editor.execute("UPDATE goods SET version = 'three'")
        worker.wait_for("run.finished", before + 2, app="play")
        run = worker.logged("run.finished", app="play")[before + 1]
        assert run["outcome"] == "failed"
        assert 'data-version="two"' in (live / "g3" / "index.html").read_text()
