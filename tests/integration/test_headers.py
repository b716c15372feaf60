"""Headers that settings ask for, from rows to what a request gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from robbieblocks import serve
from robbieblocks.model import HEADERS_FILE
from robbieblocks.pipeline import BuildReport
from tests import loopback
from tests.sites import APP, NODE, MakeSite

pytestmark = pytest.mark.postgres


def test_headers_go_live_and_stay_with_what_is_right(make_site: MakeSite) -> None:
    """Without settings there is no file; an edit writes it alone; a mistake leaves what is live."""
    site = make_site()
    site.component("post", "export default function Post() { return <p>Text</p>; }")
    site.page("new", "post")
    site.page("frame", "post", route="", metadata={"frame": True})
    site.build()
    folder = site.builder.settings.site_root / NODE / APP / "current"
    assert not (folder / HEADERS_FILE).exists()

    def frame(settings: dict[str, Any]) -> BuildReport:
        query = "UPDATE robbieblocks_pages SET metadata = %s::jsonb WHERE page_key = 'frame'"
        site.sql(query, json.dumps({"frame": True, "settings": settings}))
        return site.build()

    report = frame({"framed_by": ["https://portal.example"], "referrer": "origin"})
    assert not site.problems()
    (run,) = report.runs
    assert (run.outcome, run.files_written) == ("published", 1)
    assert not [page for page in run.pages if page.change != "unchanged"]
    with site.served() as url, loopback.client(base_url=url) as client:

        def sent(path: str) -> tuple[str, str]:
            headers = client.get(path).headers
            return headers["content-security-policy"], headers["referrer-policy"]

        ours = "frame-ancestors 'self' https://portal.example", "origin"
        assert sent("/new/") == ours
        usual = serve.SECURITY["Content-Security-Policy"], serve.SECURITY["Referrer-Policy"]
        assert sent("/nowhere/") == usual
        frame({"framed_by": [], "referrer": "a\r\nb"})
        (problem,) = site.problems()
        assert "page frame, metadata at /settings/referrer" in str(problem)
        assert sent("/new/") == ours
        frame({"framed_by": []})
        assert sent("/new/") == ("frame-ancestors 'none'", usual[1])
        long = [f"https://{'a' * 60}.{'b' * 60}.{'c' * 60}.x{n}.example" for n in range(20)]
        report = frame({"framed_by": long, "referrer": "origin"})
        (problem,) = site.problems()
        assert "settings at /framed_by: the header Content-Security-Policy of play" in str(problem)
        assert "the live one is sent on" in str(problem)
        assert sent("/new/") == ("frame-ancestors 'none'", "origin")
        frame({"framed_by": []})
        frame({})
        assert sent("/new/") == usual
    assert not (folder / HEADERS_FILE).exists()
