"""Redirects: what rows may state, where they lead, and what answers a request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from robbieblocks.assemble import NodeRedirects, redirects_of
from robbieblocks.model import PageRow, Redirect, Redirects, read_redirects_text, redirects_text
from tests.unit.rows import a_node, a_page, a_snapshot


def of(*pages: PageRow, frame: Any = None) -> NodeRedirects:
    frames = () if frame is None else (a_frame(frame),)
    return redirects_of(a_snapshot(*pages, frames=frames), a_node())


def a_frame(redirects: Any, key: str = "frame") -> PageRow:
    return a_page(key, route="", metadata={"frame": True, "redirects": redirects})


def moved(*sources: Any, key: str = "new", route: str = "/new/", **fields: Any) -> PageRow:
    return a_page(key, route=route, metadata={"redirect_from": [*sources]}, **fields)


def the(found: NodeRedirects) -> list[tuple[str, str, int]]:
    assert not found.problems
    return [each[:3] for each in found.by_app.get("play", ())]


@pytest.mark.parametrize(
    ("page", "pointer", "said"),
    [
        (moved("/new/"), "/redirect_from/0", "the page's own route"),
        (moved("/new/index.html"), "/redirect_from/0", "the page's own route"),
        (moved("/OTHER"), "/redirect_from/0", "that of page other"),
        (moved("/x/", "/x"), "/redirect_from/1", "this row, too"),
        (moved("/x/*", "/x/*"), "/redirect_from/1", "this row, too"),
        (moved("/a*/"), "/redirect_from/0/from", "a * stands"),
        (moved("/*/a"), "/redirect_from/0/from", "a * stands"),
        (moved("old/"), "/redirect_from/0/from", "doesn't start with /"),
        (moved("//old"), "/redirect_from/0/from", "scheme or a host"),
        (moved("/o%20d/"), "/redirect_from/0/from", "percent-encoding"),
        (moved("/o d/"), "/redirect_from/0/from", "the route holds"),
        (moved("/a/../b/"), "/redirect_from/0/from", "another folder"),
        (moved("/_rb/x"), "/redirect_from/0/from", "first part"),
        (moved("/redirects.json"), "/redirect_from/0/from", "first part"),
        (moved("/"), "/redirect_from/0/from", "always has a page"),
        (moved(3), "/redirect_from/0", "an object"),
        (moved({"status": 301}), "/redirect_from/0/from", "expected a path"),
        (moved({"from": "/x/", "status": 410}), "/redirect_from/0/status", "not that of"),
        (moved({"from": "/x/", "status": True}), "/redirect_from/0/status", "not that of"),
        (moved({"from": "/x/", "to": "/y/"}), "/redirect_from/0/to", "has no to"),
        (a_page("new", metadata={"redirect_from": "/x/"}), "/redirect_from", "a list"),
        (a_page("new", metadata={"redirects": []}), "/redirects", "stands in a page"),
        (moved(*map("/{}/".format, range(10_001))), "/redirect_from", "10,001 redirects"),
    ],
)
def test_what_is_wrong_with_redirect_from_is_told(page: PageRow, pointer: str, said: str) -> None:
    """The problem names page, place and remedy, and none of the page's redirects is taken."""
    found = of(page, a_page("other", route="/other/"))
    (problem,) = found.problems["new"]
    assert (problem.entity, problem.field, problem.pointer) == ("page", "metadata", pointer)
    assert said in problem.what
    assert problem.remedy
    assert not found.by_app


@pytest.mark.parametrize(
    ("redirect", "name", "said"),
    [
        ({"from": "/x/"}, "/to", "not where it leads"),
        ({"from": "/x/", "to": "//evil.example/"}, "/to", "neither a route"),
        ({"from": "/x/", "to": "http://evil.example/"}, "/to", "neither a route"),
        ({"from": "/x/", "to": "https://a@evil.example/"}, "/to", "neither a route"),
        ({"from": "/x/", "to": "https://a.example/\r\nSet-Cookie: a"}, "/to", "neither a route"),
        ({"from": "/x/", "to": "https://a.example/$uri"}, "/to", "neither a route"),
        ({"from": "/x/", "to": "javascript:alert(1)"}, "/to", "neither a route"),
        ({"from": "/x/", "to": "/new/*"}, "/to", "needs one in `from`"),
        ({"from": "/x/*", "to": "/*/new"}, "/to", "a * stands"),
        ({"from": "/x/*", "to": "https://a.example*"}, "/to", "a * stands"),
        ({"from": "/x/*", "to": "https://a.example/x?y=/*"}, "/to", "a * stands"),
        ({"from": "/x/", "to": "/new/", "status": 410}, "/to", "leads nowhere"),
        ({"from": "/x/", "to": "/x"}, "/to", "in a circle"),
        ({"from": "/x/*", "to": "/x/y/"}, "/to", "in a circle"),
        ({"from": "/x/*", "to": "/x/y/*"}, "/to", "redirected again"),
        ({"from": "/x/y/*", "to": "/x/*"}, "/to", "redirected again"),
    ],
)
def test_what_is_wrong_with_a_frames_list_is_told(redirect: Any, name: str, said: str) -> None:
    """The problem is the frame's, and names the place in its metadata."""
    (problem,) = of(a_page("new", route="/new/"), frame=[redirect]).problems["frame"]
    assert problem.pointer == f"/redirects/0{name}"
    assert said in problem.what
    assert problem.remedy


def test_circles_and_clashes_between_rows_are_found() -> None:
    """Each row in a circle has a problem; of two rows with one source the second one has it."""
    circle = [{"from": "/a/", "to": "/b/x/"}, {"from": "/b/*", "to": "/c/*"}]
    found = of(frame=[*circle, {"from": "/c/x/", "to": "/a/"}])
    assert [each.pointer for each in found.problems["frame"]] == [
        "/redirects/0/to",
        "/redirects/2/to",
    ]
    clash = of(moved("/x/", key="one", route="/1/"), moved("/x", key="two", route="/2/"))
    assert [*clash.problems] == ["two"]
    assert [each.row for each in clash.by_app["play"]] == ["one"]


def test_an_url_of_the_node_itself_can_lead_in_a_circle() -> None:
    """It counts as its path there, and on another node as what it is."""
    url = "https://day.example"
    stated = [
        {"from": "/a/", "to": f"{url}/b/"},
        {"from": "/b/", "to": "/a/"},
        {"from": "/c/", "to": f"{url}/new/"},
        {"from": "/d/", "to": f"{url}//evil.example/"},
    ]
    snapshot = a_snapshot(a_page("new", route="/new/"), frames=(a_frame(stated),))
    found = redirects_of(snapshot, a_node(base_url=url))
    assert [each.pointer for each in found.problems["frame"]] == [
        "/redirects/0/to",
        "/redirects/1/to",
    ]
    snapshot = a_snapshot(a_page("new", route="/new/"), frames=(a_frame(stated[2:]),))
    assert the(redirects_of(snapshot, a_node(base_url=url))) == [
        ("/c/", "/new/", 301),
        ("/d/", f"{url}//evil.example/", 301),
    ]
    assert the(redirects_of(snapshot, a_node()))[0] == ("/c/", f"{url}/new/", 301)


def test_a_chain_is_made_short() -> None:
    """What leads to a path that is redirected itself leads to the end, whatever is on the way."""
    chain = [
        {"from": "/v1/", "to": "/v2/", "status": 302},
        {"from": "/v2/*", "to": "/v3/*"},
        {"from": "/far/", "to": "/away/x/"},
        {"from": "/away/*", "to": "https://away.example/*"},
    ]
    found = of(moved("/v3/"), frame=chain)
    assert the(found) == [
        ("/v1/", "/new/", 302),
        ("/v2/*", "/v3/*", 301),
        ("/far/", "https://away.example/x/", 301),
        ("/away/*", "https://away.example/*", 301),
        ("/v3/", "/new/", 301),
    ]


def test_only_what_a_node_shows_now_counts() -> None:
    """A page that is not due, one of another app, and a further part of a list state nothing."""
    later = moved("/x/", published_at=a_snapshot().taken_at.replace(year=2099))
    part = moved("/z/", key="new.page-2", part_of="new")
    assert the(of(later, moved("/y/", key="other", app="work"), part)) == []
    due = a_page("due", route="/x/", published_at=later.published_at)
    assert the(of(moved("/x/"), due)) == [("/x/", "/new/", 301)]


TABLE = Redirects.of(
    [
        Redirect("/old/", "/new/", 301, "a"),
        Redirect("/file.html", "/caf\u00e9/", 302, "a"),
        Redirect("/blog/*", "/posts/*", 301, "a"),
        Redirect("/blog/old/*", "/", 301, "a"),
        Redirect("/away/*", "https://away.example/x/*", 308, "a"),
        Redirect("/ask/", "https://away.example/?a=1#there", 301, "a"),
        Redirect("/gone/", "", 410, "a"),
    ]
)


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/old/", "", "/new/"),
        ("/old", "a=1&b=%20", "/new/?a=1&b=%20"),
        ("/old/index.html", "", "/new/"),
        ("/file.html", "", "/caf%C3%A9/"),
        ("/blog", "", "/posts/"),
        ("/blog/a b/\u00e9", "", "/posts/a%20b/%C3%A9"),
        ("/blog/old/x", "q", "/?q"),
        ("/blog/older", "", "/posts/older"),
        ("/blog///evil.example/", "", "/posts/evil.example/"),
        ("/blog/\r\nSet-Cookie: a", "", "/posts/%0D%0ASet-Cookie%3A%20a"),
        ("/away/a%2Fb/", "", "https://away.example/x/a%252Fb/"),
        ("/away/../y", "", "https://away.example/x/../y"),
        ("/ask/", "b=2", "https://away.example/?a=1&b=2#there"),
        ("/gone/", "", ""),
    ],
)
def test_a_request_is_led_with_its_rest_and_its_query(path: str, query: str, location: str) -> None:
    """A path alone comes before wildcards, a longer wildcard before a shorter one."""
    found = TABLE.find(path)
    assert found is not None
    assert found.location(path, query if found.target else "") == location


def test_a_wildcard_for_everything_leads_to_no_other_host() -> None:
    """What is put behind a target never makes it name a host."""
    table = Redirects.of([Redirect("/*", "/new/*", 301, "a"), Redirect("/x/*", "/*", 301, "a")])
    for path in ("/x//evil.example", "/x////evil.example/", "/x/\\evil.example"):
        found = table.find(path)
        assert found is not None
        assert found.location(path, "") in ("/evil.example", "/evil.example/", "/%5Cevil.example")
    assert table.find("/" * 100_000 + "x") is not None


@pytest.mark.parametrize("path", ["/", "/olden/", "/blo/", "/x/old/", "/Old/"])
def test_other_paths_are_not_led_anywhere(path: str) -> None:
    """Nothing but a stated path, or one below a wildcard, is redirected."""
    assert TABLE.find(path) is None


def test_a_releases_file_is_read_back_as_it_was_written() -> None:
    """The file says all that requests need; what in it is no redirect is passed over."""
    written = sorted((*TABLE.exact.values(), *TABLE.below.values()))
    assert [*read_redirects_text(redirects_text(written))] == written
    for wrong in (b"", b"{", b"null", b"[1, {}]", b'[{"from": "/a/", "to": "/b/", "status": 200}]'):
        assert read_redirects_text(wrong) == ()
    lost = [{"from": "/a/", "to": None, "status": 301, "row": ""}, {"from": 1, "to": "/b/"}]
    assert read_redirects_text(json.dumps(lost).encode()) == ()
