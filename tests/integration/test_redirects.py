"""Redirects, from rows to what a request gets."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from robbieblocks import release
from robbieblocks.checks import Checked, Finding, run
from robbieblocks.pipeline import Request, inspect
from robbieblocks.release import SiteRoot
from tests.building import NOW
from tests.sites import APP, NODE, MakeSite, Site

pytestmark = pytest.mark.postgres

_FILE = "redirects.json"
_LIST = [
    {"from": "/v1/", "to": "/old/", "status": 302},
    {"from": "/blog/*", "to": "/posts/*"},
    {"from": "/gone/", "status": 410},
]


@pytest.fixture
def site(make_site: MakeSite) -> Site:
    """A page that was moved, another one, and a frame with a list."""
    site = make_site()
    site.component("post", "export default function Post() { return <p>Text</p>; }")
    site.page("new", "post", metadata={"redirect_from": ["/old/"]})
    site.page("other", "post")
    site.page("frame", "post", route="", metadata={"frame": True, "redirects": _LIST})
    site.build()
    assert not site.problems()
    return site


def stated(site: Site) -> dict[str, str | None]:
    """What the live release redirects."""
    folder = site.builder.settings.site_root / NODE / APP / "current"
    return {each["from"]: each["to"] for each in json.loads((folder / _FILE).read_bytes())}


def metadata(site: Site, key: str, value: Any) -> None:
    query = "UPDATE robbieblocks_pages SET metadata = %s::jsonb WHERE page_key = %s"
    site.sql(query, json.dumps(value), key)


def test_a_site_without_redirects_has_no_file_of_them(make_site: MakeSite) -> None:
    """A release has the file only where a row states a redirect."""
    site = make_site()
    site.component("post", "export default function Post() { return <p>Text</p>; }")
    site.page("new", "post")
    site.build()
    assert not (site.file("/new/").parents[1] / _FILE).exists()


def test_redirects_are_served_from_what_is_live(site: Site) -> None:
    """Status, target and query are as stated, a page wins, and an edit counts when it is live."""
    with site.served() as url, httpx.Client(base_url=url) as client:

        def get(path: str) -> tuple[int, str]:
            answer = client.get(path)
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] in ("no-cache", "no-store")
            return answer.status_code, answer.headers.get("location", "")

        assert get("/old?a=1&b=2") == (301, "/new/?a=1&b=2")
        assert get("/v1/") == (302, "/new/")
        assert get("/blog/2025/caf%C3%A9/?p=1") == (301, "/posts/2025/caf%C3%A9/?p=1")
        assert get("/blog//evil.example/") == (301, "/posts/evil.example/")
        assert get("/gone/") == (410, "")
        assert get("/new/") == (200, "")
        assert get("/nowhere/") == (404, "")
        site.page("old-blog", "post", route="/blog/kept/")
        metadata(site, "new", {"redirect_from": [{"from": "/older/*", "status": 307}]})
        site.build()
        assert get("/blog/kept/") == (200, "")
        assert get("/older/x/") == (307, "/new/")
        # The frame's /v1/ led on by /old/, which nothing redirects any more.
        assert get("/v1/") == (302, "/old/")
        assert get("/old/") == (404, "")


def test_a_rollback_takes_redirects_back(site: Site) -> None:
    """They are part of a release, and its hash is of them, too."""
    before = stated(site)
    metadata(site, "frame", {"frame": True, "redirects": [{"from": "/x/", "to": "/new/"}]})
    assert site.build().runs[0].outcome == "published"
    assert stated(site) == {"/old/": "/new/", "/x/": "/new/"}
    root = SiteRoot(site.builder.settings.site_root)
    release.roll_back(root, NODE, APP, who="ada", why="no", now=NOW)
    assert stated(site) == before


def test_a_fault_keeps_what_is_live_and_nothing_else_back(site: Site) -> None:
    """A frame or page with a wrong redirect keeps its live ones; pages of others go out."""
    metadata(site, "frame", {"frame": True, "redirects": [{"from": "/new/", "to": "/other/"}]})
    metadata(site, "new", {"redirect_from": ["/old/", "/ol*d/"], "lang": "de"})
    metadata(site, "other", {"redirect_from": ["/another/"]})
    site.build()
    assert {problem.key: problem.pointer for problem in site.problems()} == {
        "frame": "/redirects/0/from",
        "new": "/redirect_from/1/from",
    }
    kept = {"/old/": "/new/", "/v1/": "/new/", "/blog/*": "/posts/*", "/gone/": None}
    assert stated(site) == {**kept, "/another/": "/other/"}
    assert 'lang="de"' not in site.file("/new/").read_text()


def test_a_moved_page_that_is_held_back_is_reached_where_it_is_live(site: Site) -> None:
    """What leads to a page leads to the route at which its last good version is."""
    site.sql("UPDATE robbieblocks_pages SET page_route = '/b/' WHERE page_key = 'new'")
    metadata(site, "new", {"redirect_from": ["/old/", "/new/"], "lang": "no language"})
    site.build()
    assert [problem.pointer for problem in site.problems()] == ["/lang"]
    assert stated(site)["/old/"] == stated(site)["/v1/"] == "/new/"
    assert "/new/" not in stated(site)
    metadata(site, "new", {"redirect_from": ["/old/", "/new/"]})
    site.build()
    assert not site.problems()
    assert stated(site)["/old/"] == stated(site)["/v1/"] == stated(site)["/new/"] == "/b/"


def test_a_check_proposes_a_redirect_for_what_moves(site: Site) -> None:
    """It compares with what is live here; once a row leads from there, it is silent."""
    site.sql("UPDATE robbieblocks_pages SET page_route = '/third/' WHERE page_key = 'other'")
    (found,) = [each for each in checked(site) if each.rule == "moved-page"]
    assert found.problem.key == "other"
    assert found.problem.remedy == 'in its metadata: redirect_from = ["/other/"]'
    metadata(site, "other", {"redirect_from": ["/other/"]})
    assert not [each for each in checked(site) if each.rule == "moved-page"]


def checked(site: Site) -> tuple[Finding, ...]:
    builder = site.builder
    inspection = inspect(
        Request(dry_run=True),
        context=builder.context,
        connection=builder.connection,
        clock=lambda: NOW,
        progress=builder.said.append,
    )
    return run(Checked(inspection=inspection, settings=builder.settings, progress=print))
