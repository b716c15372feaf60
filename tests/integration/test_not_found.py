"""404 pages of apps, from rows to what is answered where no page is."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests import loopback
from tests.sites import APP, NODE, Block, MakeSite, Site

pytestmark = pytest.mark.postgres

_WORDS = "export default function Words({ text, here }) { return <p>{text} {here}</p>; }"


def words(text: str, zone: str = "main") -> Block:
    return Block(component="words", zone=zone, props={"text": text, "here": {"$page": "route"}})


def live(site: Site, path: str, app: str = APP) -> Path:
    return site.builder.settings.site_root / NODE / app / "current" / path


def test_an_app_and_the_node_have_404_pages_of_their_own(make_site: MakeSite) -> None:
    """With the app's frame and in each language; edits go live alone; without one the node's is
    the one that is made."""
    site = make_site()
    site.sql("UPDATE robbieblocks_node_branding SET base_url = 'https://site.example/'")
    site.component("words", _WORDS)
    site.page("frame", words("the shop's header", "header"), route="", metadata={"frame": True})
    site.page("home", words("home"), route="/play/")
    site.page("start", words("Start"), route="/play/de/", metadata={"lang": "de"})
    site.page("lost", words("nothing here"), route="", metadata={"not_found": True})
    site.page("weg", words("nichts"), route="", metadata={"not_found": True, "lang": "de"})
    site.build()
    site.build(app="shared")
    assert not site.problems(warnings=True)
    assert "There is no page at" in live(site, "404.html", "shared").read_text()
    assert "404" not in live(site, "sitemap-play.xml").read_text()

    def answers(client: httpx.Client) -> dict[str, str]:
        found: dict[str, str] = {}
        for path in ("/play/none", "/play/de/none", "/none"):
            answer = client.get(path)
            assert answer.status_code == 404
            shown = re.search(r"nothing here|nichts|There is no page at|of the node", answer.text)
            assert shown is not None
            found[path] = shown[0]
        return found

    with site.served() as url, loopback.client(base_url=url) as client:
        assert answers(client) == {
            "/play/none": "nothing here",
            "/play/de/none": "nichts",
            "/none": "There is no page at",
        }
        german = client.get("/play/de/none").text
        assert "the shop&#x27;s header" in german
        assert '<html lang="de"' in german
        assert '<meta name="robots" content="noindex">' in german
        assert "canonical" not in german
        assert "hreflang" not in german
        site.page("imprint", words("imprint"), app="shared", route="/imprint/")
        node = {"not_found": True}
        site.page("nodes", words("of the node"), app="shared", route="", metadata=node)
        site.build(app="shared")
        assert not site.problems(warnings=True)
        assert answers(client)["/none"] == "of the node"
        site.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'nodes'")
        site.build(app="shared")
        assert answers(client)["/none"] == "There is no page at"
        site.sql(
            'UPDATE robbieblocks_pages SET metadata = metadata || \'{"lang": "de"}\''
            " WHERE page_key = 'lost'"
        )
        report = site.build()
        # The one that is live there keeps the place.
        assert [each.pointer for each in site.problems()] == ["/not_found"]
        (run,) = report.runs
        assert {page.key for page in run.pages if page.change == "unchanged"} >= {"home", "start"}
        assert answers(client)["/play/de/none"] == "nichts"
