"""ROBBIEBLOCKS_SMOKE_URL: what is served after a swap decides whether the release stays."""

from __future__ import annotations

import shutil

import psycopg
import pytest

from tests.commands import Installation
from tests.sites import served

pytestmark = pytest.mark.postgres

NODE = "vengeance-local"
BUILD = ("build", "--node", NODE, "--app", "play")


def test_a_build_whose_pages_are_not_served_swaps_back(installation: Installation) -> None:
    """A web server that still sends the earlier page brings the earlier release back, and the run
    fails; one that sends the new page lets it stay."""
    assert installation.run(*BUILD).code == 0
    current = installation.site / NODE / "play" / "current"
    before = current.readlink()
    stale_site = installation.home / "stale site"
    shutil.copytree(installation.site, stale_site, symlinks=True)
    assert installation.database_url is not None
    with psycopg.connect(installation.database_url) as editor:
        editor.execute(
            "UPDATE robbieblocks_pages SET meta_title = 'Newer' WHERE page_key = 'robbie-play-home'"
        )
    with served(stale_site, NODE) as url:
        ran = installation.run(*BUILD, ROBBIEBLOCKS_SMOKE_URL=url)
    assert ran.code != 0
    assert f"swapped back to {before.name[:12]}" in ran.out
    assert "its bytes are not those of the release" in ran.out
    assert current.readlink() == before
    with psycopg.connect(installation.database_url) as editor:
        status = editor.execute(
            "SELECT deploy_status, error_message FROM robbieblocks_deploys "
            "ORDER BY started_at DESC LIMIT 1"
        ).fetchone()
    assert status is not None
    assert status[0] == "failed"
    assert "swapped back" in status[1]
    with served(installation.site, NODE) as url:
        assert installation.run(*BUILD, ROBBIEBLOCKS_SMOKE_URL=url).code == 0
    assert current.readlink() != before
    assert "<title>Newer" in (current / "play" / "index.html").read_text()
