"""ROBBIEBLOCKS_SMOKE_URL: what is served after a swap decides whether the release stays."""

from __future__ import annotations

import shutil
from contextlib import ExitStack

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


def test_a_build_asks_each_node_at_its_own_address(installation: Installation) -> None:
    """Pages of several apps and nodes; where the addresses are changed about, each node's server
    is another root, and a release that is to be kept stays live with a warning."""
    nodes = (NODE, "aurora-town-local")
    options = [word for node in nodes for word in ("--node", node)]
    project = installation.home.parent / "robbieblocks.toml"
    assert installation.run("build", *options).code == 0
    with ExitStack() as stack:
        urls = [stack.enter_context(served(installation.site, node)) for node in nodes]

        def addresses(ordered: list[str], more: str = "") -> str:
            pairs = zip(nodes, ordered, strict=True)
            lines = "".join(f'{node} = "{url}"\n' for node, url in pairs)
            return f"[site]\n{more}\n[site.urls]\n{lines}"

        def retitle(title: str) -> None:
            assert installation.database_url is not None
            with psycopg.connect(installation.database_url) as editor:
                editor.execute(
                    "UPDATE robbieblocks_pages"
                    " SET metadata = jsonb_build_object('og_title', %s::text)"
                    " WHERE page_key = 'robbie-code-home'",
                    (title,),
                )

        project.write_text(addresses(urls))
        retitle("one")
        ran = installation.run("build", *options)
        assert ran.code == 0, ran.out
        retitle("two")
        project.write_text(addresses(urls[::-1]))
        ran = installation.run("build", *options)
        assert ran.code == 3
        for node, url in zip(nodes, urls[::-1], strict=True):
            assert f"{node}/code" in ran.out
            assert f"{url}/code" in ran.out
        assert ran.out.count("(another root); swapped back to") == len(nodes)
        project.write_text(addresses(urls[::-1], 'when_not_served = "keep"'))
        ran = installation.run("build", *options)
        assert ran.code == 0, ran.out
        assert "another root" in ran.out
    for node in nodes:
        page = installation.site / node / "code" / "current" / "code" / "index.html"
        assert 'property="og:title" content="two"' in page.read_text()
