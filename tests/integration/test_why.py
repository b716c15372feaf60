"""From a rendered element to the rows, the person and the run that it comes from."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import psycopg
import pytest

from robbieblocks import history, release
from robbieblocks.errors import UsageError
from tests.building import Builder
from tests.commands import Installation

pytestmark = pytest.mark.postgres

NODE = "vengeance-local"


def test_an_element_is_traced_to_its_rows(seeded: Builder) -> None:
    """It has its block, components, tokens, what sets them, who changed them, and its run."""
    with psycopg.connect(
        seeded.settings.database_url or "", autocommit=True, application_name="psql"
    ) as editor:
        editor.execute(
            'UPDATE robbieblocks_page_blocks SET props = props || \'{"title": "Hi"}\''
            " WHERE block_order = 2 AND page_id = (SELECT id FROM robbieblocks_pages"
            " WHERE page_key = 'robbie-play-home')"
        )
        editor.execute(
            "UPDATE robbieblocks_style_tokens SET default_value = '2rem'"
            " WHERE token_key = 'spacing.lg'"
        )
    report = seeded.build(nodes=[NODE])
    found = history.why(seeded.connection, seeded.site_root, "http://127.0.0.1:8000/play#h1", NODE)
    assert (found.page.key, found.block, found.element) == ("robbie-play-home", 2, "<h1>")
    assert [key for key, _ in found.components] == ["page-hero"]
    assert found.block_change is not None
    assert found.block_change.by is not None
    assert found.block_change.by.endswith("(psql)")
    tokens = {token.key: token for token in found.tokens}
    assert tokens["color.primary"].set_by == f"branding of {NODE}"
    assert (tokens["spacing.lg"].value, tokens["spacing.lg"].set_by) == ("2rem", "its default")
    assert tokens["spacing.lg"].change is not None
    assert "color.card-back" not in tokens
    run = next(run for run in report.runs if run.app == "play")
    assert found.run is not None
    assert (found.build_hash, found.run.build_hash) == (run.build_hash, run.build_hash)
    assert found.block_change.id in found.run.change_ids
    seeded.build(nodes=["collaboration-local"])
    for address, node, why in (
        ("/plya", None, "did you mean /play/"),
        ("/play/", None, "live on collaboration-local, vengeance-local: --node"),
        ("/play/#.nothing", NODE, "no element .nothing"),
        ("/play/#>>>", NODE, "is no CSS selector|no element"),
        ("/play/", "nowhere", "nothing is live on the node nowhere"),
        ("http://[::1/play/", NODE, "is no URL: Invalid IPv6 URL"),
    ):
        with pytest.raises(UsageError, match=why):
            history.why(seeded.connection, seeded.site_root, address, node)
    seeded.connection.execute(
        "UPDATE robbieblocks_node_branding SET base_url = CASE node_id WHEN %s"
        " THEN 'https://Play.example' ELSE 'http://[' END",
        (NODE,),
    )
    named = history.why(seeded.connection, seeded.site_root, "https://play.EXAMPLE/play/", None)
    assert named.node == NODE
    assert not named.waits(found.block_change)
    release.pin_live(seeded.site_root, NODE, "play", who="ann", why="judges", now=datetime.now(UTC))
    with psycopg.connect(seeded.settings.database_url or "", autocommit=True) as editor:
        editor.execute(
            "UPDATE robbieblocks_pages SET meta_title = 'New' WHERE page_key = 'robbie-play-home'"
        )
    layout = history.why(seeded.connection, seeded.site_root, "/play/#main", NODE)
    assert (layout.element, layout.block, layout.components) == ("<main> main", None, ())
    installation = Installation(
        home=seeded.settings.home,
        database_url=seeded.settings.database_url,
        variables={"ROBBIEBLOCKS_SITE_ROOT": str(seeded.settings.site_root)},
    )
    told = installation.run("why", "/play/#h1", "--node", NODE)
    assert "is pinned by ann" in told.out
    assert ", not live yet)" in told.out.splitlines()[0]
    assert "<h1>: block 2: last changed" in told.out
    made = json.loads(installation.run("why", "/play/", "--node", NODE, "--format", "json").out)
    assert made["why"]["page"]["key"] == "robbie-play-home"
    assert made["why"]["page"]["change"]["waits"] is True
    assert ": judges" in made["why"]["held"][0]
