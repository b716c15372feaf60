"""Frames and lists of pages, from rows to what is served: what an edit rewrites, and why."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from xml.etree import ElementTree

import pytest

from robbieblocks import changes, history, release
from robbieblocks.checks import Checked, Finding, run
from robbieblocks.pipeline import (
    BreakGlass,
    BuildReport,
    Request,
    inspect,
    readers_of_changed,
)
from robbieblocks.settings import FreezeWindow
from tests.building import NOW
from tests.sites import NODE, Block, MakeSite, Site

pytestmark = pytest.mark.postgres

_LIST = """export default function List({ items = [], at }) {
  return <ul data-part={at ? `${at.number}/${at.count}` : ""}>
    {items.map((item) => <li key={item.route}><a href={item.route}>{item.title}</a></li>)}
  </ul>;
}"""
_NAV = """export default function Nav({ here }) {
  return <nav><a href="/blog/" aria-current={here === "/blog/" ? "page" : undefined}>Blog</a></nav>;
}"""
_POST = "export default function Post() { return <p>Text</p>; }"
_POSTS = {"where": {"kind": "post"}, "limit": 2, "paginate": True, "fields": ["route", "title"]}
_EDIT = """
    UPDATE robbieblocks_page_blocks b SET props = b.props || '{"more": true}'
      FROM robbieblocks_pages p WHERE p.id = b.page_id AND p.page_key = %s AND block_order = 1
"""


@pytest.fixture
def blog(make_site: MakeSite) -> Site:
    """A blog of three posts with a list in parts, one list of a tag, and a frame."""
    site = make_site()
    site.component("list", _LIST)
    site.component("nav", _NAV)
    site.component("post", _POST)
    nav = Block(component="nav", props={"here": {"$page": "route"}}, zone="header")
    site.page("frame", nav, route="", metadata={"frame": True})
    lists = {"items": {"$pages": _POSTS}, "at": {"$page": "pagination"}}
    site.page("blog", Block(component="list", props=lists), route="/blog/")
    site.page(
        "cats", Block(component="list", props={"items": {"$pages": {"where": {"tag": "cats"}}}})
    )
    for day, name in enumerate(("one", "two", "three")):
        post(site, name, day)
    site.build()
    assert not site.problems()
    return site


def post(site: Site, name: str, day: int, *tags: str) -> None:
    site.page(name, "post", title=name.title(), metadata={"kind": "post", "tag": [*tags]})
    at = NOW - timedelta(days=30 - day)
    site.sql("UPDATE robbieblocks_pages SET published_at = %s WHERE page_key = %s", at, name)


def titles(site: Site, route: str) -> list[str]:
    return re.findall(r"<li><a [^>]*>([^<]*)", site.file(route).read_text())


def rewritten(report: BuildReport) -> dict[str, str]:
    """What the run did to each page that it did not leave alone."""
    (run,) = report.plan.runs
    return {page.key: page.change for page in run.pages}


def test_a_list_shows_the_pages_that_it_asks_for(blog: Site) -> None:
    """In its order and its parts, which lead to each other and stand in the sitemap."""
    assert titles(blog, "/blog/") == ["Three", "Two"]
    assert titles(blog, "/blog/page/2/") == ["One"]
    assert 'data-part="2/2"' in blog.file("/blog/page/2/").read_text()
    assert titles(blog, "/cats/") == []


def test_publishing_a_page_rewrites_the_lists_that_it_enters(blog: Site) -> None:
    """And no others; an edit of what no list shows rewrites the page alone."""
    post(blog, "four", 3)
    assert rewritten(blog.build()) == {
        "blog": "changed",
        "blog.page-2": "changed",
        "four": "added",
    }
    assert titles(blog, "/blog/page/2/") == ["Two", "One"]
    post(blog, "five", 4, "cats")
    done = rewritten(blog.build())
    assert done.keys() == {"blog", "blog.page-2", "blog.page-3", "cats", "five"}
    blog.sql(_EDIT, "four")
    assert rewritten(blog.build()) == {"four": "changed"}
    blog.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'five'")
    done = rewritten(blog.build())
    assert done["blog.page-3"] == done["five"] == "removed"
    assert titles(blog, "/cats/") == []


def test_a_frame_is_edited_once_and_shown_everywhere(blog: Site) -> None:
    """Each page has its blocks, which know the page; their edit names the frame as the cause."""
    assert 'aria-current="page"' in blog.file("/blog/").read_text()
    assert "<nav><a" in blog.file("/one/").read_text()
    assert 'aria-current="page"' not in blog.file("/one/").read_text()
    blog.sql(_EDIT, "frame")
    (run,) = blog.build().plan.runs
    assert {page.key for page in run.pages} == {
        "blog",
        "blog.page-2",
        "cats",
        "one",
        "two",
        "three",
    }
    causes = {cause for page in run.pages for cause in page.causes}
    assert [(c.entity, c.key, c.field) for c in causes] == [("page_block", "frame", "1")]


def test_a_link_by_page_follows_the_page(blog: Site) -> None:
    """A new route rewrites the pages that link to it, with that page as the cause; one that is gone
    holds them back, and a link to its address is found by `check`.
    """
    show = "export default ({ text }) => <div dangerouslySetInnerHTML={text} />;"
    blog.component("text", show, schema={"text": {"type": "string", "format": "markdown"}})
    text = "[One](page:one)\n\n[Two](/two/)\n\n[Tow](/tow/) [Two](page:two#no)"
    blog.page("links", Block(component="text", props={"text": text}))
    blog.build()
    assert 'href="/one/"' in blog.file("/links/").read_text()
    (dead, fragment) = (
        each.problem for each in checked(blog, "links") if each.rule.startswith("dead")
    )
    assert (fragment.line, fragment.pointer) == (5, "/text")
    assert (dead.line, dead.remedy) == (5, "did you mean /two/?")
    blog.sql("UPDATE robbieblocks_pages SET page_route = '/first/' WHERE page_key = 'one'")
    report = blog.build()
    (run,) = report.plan.runs
    causes = {page.key: page.causes for page in run.pages}
    assert [(c.entity, c.key) for c in causes["links"]] == [("page", "one")]
    assert causes.keys() == {"links", "one", "blog.page-2"}
    assert 'href="/first/"' in blog.file("/links/").read_text()
    blog.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'one'")
    (problem,) = blog.build().problems
    assert (problem.page, problem.pointer, problem.line) == ("links", "/text", 1)


def test_a_frame_that_fails_holds_its_pages_back(blog: Site) -> None:
    """Their last good version stays; the error names the frame once."""
    before = blog.file("/one/").read_text()
    blog.sql(
        'UPDATE robbieblocks_page_blocks SET props = \'{"here": {"$page": "rout"}}\''
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'frame')"
    )
    assert set(rewritten(blog.build()).values()) == {"held back"}
    assert {(p.key, p.page, p.block) for p in blog.problems()} == {("nav", "frame", 1)}
    assert blog.file("/one/").read_text() == before


def everywhere(report: BuildReport) -> dict[str, dict[str, str]]:
    """What was done to the pages of each app."""
    return {
        run.target.app: {page.key: page.change for page in run.pages} for run in report.plan.runs
    }


def test_a_frame_of_shared_is_part_of_every_app(blog: Site) -> None:
    """Its blocks and settings are on the pages of all; an edit waits for all, and `--page` makes
    all; an error holds all back and names the frame.
    """
    blog.component("foot", "export default ({ says = 1 }) => <i>{says}</i>", css=".foot { top: 0 }")
    hosts = {"https://pictures.example": ["images"]}
    metadata = {"frame": True, "settings": {"hosts": hosts}}
    foot = Block(component="foot", zone="footer")
    blog.page("foot", foot, app="shared", route="", metadata=metadata)
    blog.page("about", "post", app="shared")
    blog.builder.build(nodes=[NODE])
    for page in (blog.file("/one/"), blog.file("/about/", app="shared")):
        assert "<i>1</i>" in page.read_text()
        assert "https://pictures.example" in page.read_text()
    around = {"play": {"blog", "blog.page-2", "cats", "one", "two", "three"}, "shared": {"about"}}
    edit = "UPDATE robbieblocks_components SET react_code = %s WHERE component_key = 'foot'"
    blog.sql(edit, "export default ({ says = 2 }) => <i>{says}</i>")
    # The one app leaves the row to the other.
    assert not blog.build(app="shared").handled
    assert changes.waiting(blog.builder.connection, NODE).groups[0].apps >= {"play", "shared"}
    done = everywhere(blog.builder.build(nodes=[NODE], pages=["foot"]))
    assert done == {"play": dict.fromkeys(around["play"], "changed"), "shared": {}}
    assert "<i>2</i>" in blog.file("/one/").read_text()
    found = history.why(blog.builder.connection, blog.builder.site_root, "/one/#i", NODE)
    assert (found.frame, found.block) == ("foot", 1)
    assert blog.builder.build(nodes=[NODE]).handled
    blog.sql(
        'UPDATE robbieblocks_page_blocks SET props = \'{"says": {"$page": "rout"}}\''
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'foot')"
    )
    report = blog.builder.build(nodes=[NODE])
    assert everywhere(report) == {
        app: dict.fromkeys(keys, "held back") for app, keys in around.items()
    }
    assert {(p.key, p.page, p.block) for p in report.problems} == {("foot", "foot", 1)}
    assert "<i>2</i>" in blog.file("/one/").read_text()
    blog.sql("DELETE FROM robbieblocks_pages WHERE page_key = 'foot'")
    blog.builder.build(nodes=[NODE])
    assert "<i>" not in blog.file("/one/").read_text()


@pytest.fixture
def news(blog: Site) -> Site:
    """The blog, and a page of another app of the node that lists its two newest posts."""
    newest = {"app": "play", "where": {"kind": "post"}, "limit": 2, "fields": ["route", "title"]}
    blog.page("news", Block(component="list", props={"items": {"$pages": newest}}), app="code")
    blog.builder.build(nodes=[NODE])
    assert told(blog) == ["Three", "Two"]
    return blog


def told(site: Site, node: str = NODE) -> list[str]:
    return re.findall(r"<li><a [^>]*>([^<]*)", site.file("/news/", node, "code").read_text())


def test_what_goes_live_of_an_app_reaches_the_lists_of_others(news: Site) -> None:
    """A queue row waits for the run that lists the post, which comes second; one of what no list
    shows waits for nobody else.
    """
    post(news, "four", 3)
    report = news.build()
    assert report.behind[NODE].reads == {"code": frozenset({"play"})}
    assert not report.handled
    rows = {row.id: {"play"} for row in report.triggers}
    assert told(news) == ["Three", "Two"]
    report = news.builder.build(nodes=[NODE], apps=["code"], built_before=rows)
    assert report.handled == rows.keys()
    assert (everywhere(report), told(news)) == ({"code": {"news": "changed"}}, ["Four", "Three"])
    news.sql(_EDIT, "four")
    assert news.build().handled
    news.sql("UPDATE robbieblocks_pages SET meta_title = 'Uno' WHERE page_key = 'one'")
    assert news.build().handled
    # Of both in one build, what lists goes out last.
    news.sql("DELETE FROM robbieblocks_pages WHERE page_key = 'four'")
    report = news.builder.build(nodes=[NODE])
    assert report.handled
    assert everywhere(report)["code"] == {"news": "changed"}
    # Another process knows of no run.
    news.builder.context.memory.finished.clear()
    news.sql(_EDIT, "one")
    assert not news.build().handled
    assert news.builder.build(nodes=[NODE]).handled


def test_lists_of_another_app_have_what_is_live_of_it(news: Site) -> None:
    """A page that is held back or pinned out is in none, nor one that a rollback took away."""
    root, context = news.builder.site_root, news.builder.context
    post(news, "four", 3)
    layout = "UPDATE robbieblocks_pages SET layout_template = %s WHERE page_key = 'four'"
    news.sql(layout, "none")
    assert "four" in {p.key for p in news.builder.build(nodes=[NODE]).problems}
    assert told(news) == ["Three", "Two"]
    news.sql(layout, "single-column")
    news.builder.build(nodes=[NODE])
    assert told(news) == ["Four", "Three"]
    assert readers_of_changed(context, root) == frozenset()
    release.roll_back(root, NODE, "play", who="ann", why="judges", now=NOW)
    assert readers_of_changed(context, root) == {"code", "shared"}
    news.build(app="code")
    assert told(news) == ["Three", "Two"]
    assert readers_of_changed(context, root) == frozenset()
    post(news, "five", 4)
    report = news.builder.build(nodes=[NODE])
    assert (told(news), report.behind[NODE].reads) == (["Three", "Two"], {})
    release.unpin(root, NODE, "play")
    assert news.builder.build(nodes=[NODE]).handled
    assert told(news) == ["Five", "Four"]


def test_an_app_asks_for_a_build_where_no_row_waits_for_it(news: Site) -> None:
    """A post became due: no row says so, and the list of another app lacks it."""
    root, context = news.builder.site_root, news.builder.context
    post(news, "four", 3)
    later = NOW + timedelta(hours=1)
    news.sql("UPDATE robbieblocks_pages SET published_at = %s WHERE page_key = 'four'", later)
    assert news.builder.build(nodes=[NODE]).handled
    assert readers_of_changed(context, root) == frozenset()
    news.builder.now = later + timedelta(hours=1)
    assert not news.build().triggers
    assert (told(news), titles(news, "/blog/")) == (["Three", "Two"], ["Four", "Three"])
    assert readers_of_changed(context, root) == {"code"}
    news.build(app="code")
    assert told(news) == ["Four", "Three"]
    assert readers_of_changed(context, root) == frozenset()


def test_a_page_that_moved_is_listed_where_it_can_be_reached(news: Site) -> None:
    """One that is held back at its old address is in no list until it is live at the new one."""
    moved = "UPDATE robbieblocks_pages SET page_route = %s, layout_template = %s"
    moved += " WHERE page_key = 'three'"
    news.sql(moved, "/elsewhere/", "none")
    report = news.builder.build(nodes=[NODE])
    assert "three" in {p.key for p in report.problems}
    assert told(news) == titles(news, "/blog/") == ["Two", "One"]
    news.sql(moved, "/elsewhere/", "single-column")
    news.builder.build(nodes=[NODE])
    assert told(news) == ["Three", "Two"]
    assert 'href="/elsewhere/"' in news.file("/news/", NODE, "code").read_text()


def test_what_a_freeze_keeps_from_going_out_is_in_no_list(news: Site) -> None:
    """The list is of another app, which goes out meanwhile; both go out during the freeze where a
    person says so.
    """
    window = FreezeWindow(
        kind="deny",
        cron="0 0 * * *",
        duration_s=86_400,
        zone="UTC",
        reason="fair",
        apps=("play",),
    )
    news.builder.settings = replace(news.builder.settings, freeze_windows=(window,))
    post(news, "four", 3)
    news.builder.build(nodes=[NODE])
    assert told(news) == ["Three", "Two"]
    by = BreakGlass(who="bob@web1", why="typo")
    news.builder.build(nodes=[NODE], during_freeze=by)
    assert told(news) == ["Four", "Three"]


def built_for(site: Site, report: BuildReport, app: str) -> BuildReport:
    """What a worker builds next for rows that an app is behind of."""
    before = {row.id: {*(row.affected_apps or ())} for row in report.triggers}
    assert not report.handled
    report = site.builder.build(nodes=[NODE], apps=[app], built_before=before)
    assert report.handled == before.keys()
    return report


def test_a_link_to_a_page_of_shared_is_followed_at_the_edit(blog: Site) -> None:
    """Its row waits for the apps that link to it, where it moves, goes or comes; an edit that
    alters no link waits for nobody.
    """
    show = "export default ({ text }) => <div dangerouslySetInnerHTML={text} />;"
    blog.component("text", show, schema={"text": {"type": "string", "format": "markdown"}})
    blog.page("hours", "post", app="shared")
    text = "[When](page:hours) and [One](page:one)"
    blog.page("links", Block(component="text", props={"text": text}))
    blog.builder.build(nodes=[NODE])
    assert 'href="/hours/"' in blog.file("/links/").read_text()
    blog.sql("UPDATE robbieblocks_pages SET page_route = '/open/' WHERE page_key = 'hours'")
    report = blog.build(app="shared")
    assert report.behind[NODE].reads == {"play": frozenset({"shared"})}
    assert rewritten(built_for(blog, report, "play")) == {"links": "changed"}
    assert 'href="/open/"' in blog.file("/links/").read_text()
    blog.sql("UPDATE robbieblocks_pages SET meta_title = 'Open' WHERE page_key = 'hours'")
    assert blog.build(app="shared").handled
    for status, done in (("archived", "held back"), ("published", "changed")):
        blog.sql(
            "UPDATE robbieblocks_pages SET status = %s, page_route = '/back/'"
            " WHERE page_key = 'hours'",
            status,
        )
        report = built_for(blog, blog.build(app="shared"), "play")
        assert rewritten(report) == {"links": done}
    assert 'href="/back/"' in blog.file("/links/").read_text()


def test_the_list_of_apps_is_followed_at_the_edit(blog: Site) -> None:
    """A row that alters where an app begins, or its title, waits for the pages of `shared` that say
    so, also where it is undone in between; one of another page waits for nobody. What another
    process does is seen, too.
    """
    context, root = blog.builder.context, blog.builder.site_root
    blog.page("about", "post", route="/code/", app="code")
    blog.builder.build(nodes=[NODE])
    index = blog.file("/", app="shared")
    title = "UPDATE robbieblocks_pages SET meta_title = %s WHERE page_key = 'about'"
    for name in ("New", "about"):
        blog.sql(title, name)
        report = blog.build(app="code")
        assert report.behind[NODE].reads.keys() == {"shared"}
        assert built_for(blog, report, "shared").runs[0].outcome == "published"
        assert name in index.read_text()
    blog.sql("UPDATE robbieblocks_pages SET meta_title = 'Uno' WHERE page_key = 'one'")
    assert blog.build().handled
    assert readers_of_changed(context, root) == frozenset()
    blog.sql(title, "Newer")
    assert not blog.build(app="code").handled
    blog.sql(title, "about")
    assert blog.build(app="code").handled
    blog.sql("DELETE FROM robbieblocks_pages WHERE page_key = 'about'")
    report = built_for(blog, blog.builder.build_approved(nodes=[NODE], apps=["code"]), "shared")
    assert "about" not in index.read_text()
    assert readers_of_changed(context, root) == frozenset()
    release.roll_back(root, NODE, "play", who="ann", why="judges", now=NOW)
    assert readers_of_changed(context, root) == {"shared"}


def test_a_route_that_another_app_frees_is_followed_at_the_edit(blog: Site) -> None:
    """The page that it kept back goes out with that row."""
    blog.page("mine", "post", route="/one/", app="code")
    blog.builder.build(nodes=[NODE])
    blog.sql("UPDATE robbieblocks_pages SET page_route = '/first/' WHERE page_key = 'one'")
    report = blog.build()
    assert report.behind[NODE].reads.keys() == {"code"}
    assert everywhere(built_for(blog, report, "code")) == {"code": {"mine": "added"}}


def test_each_node_lists_what_it_shows(news: Site) -> None:
    """Where a node does not enable the app, the list is empty, with a warning; also where both
    nodes are built at once.
    """
    other = "collaboration-local"
    news.sql(
        "UPDATE robbieblocks_node_branding SET enabled_apps = '{code}' WHERE node_id = %s", other
    )
    for outcome, pointers in (("published", ["/items"]), ("unchanged", [])):
        runs = news.builder.build(nodes=[NODE, other]).runs
        assert (told(news), told(news, other)) == (["Three", "Two"], [])
        there, here = (run for run in runs if run.app == "code")
        assert ([*here.problems], [p.pointer for p in there.problems]) == ([], pointers)
        assert (here.outcome, there.outcome) == ("unchanged", outcome)
    post(news, "four", 3)
    assert news.builder.build(nodes=[NODE, other]).handled
    assert (told(news), told(news, other)) == (["Four", "Three"], [])


def test_a_page_enters_its_lists_at_its_instant(blog: Site) -> None:
    """The plan names the instant, at which a worker looks again."""
    post(blog, "later", 3)
    at = NOW + timedelta(hours=1)
    blog.sql("UPDATE robbieblocks_pages SET published_at = %s WHERE page_key = 'later'", at)
    assert blog.build().plan.boundaries == {"play": at}
    assert titles(blog, "/blog/") == ["Three", "Two"]
    blog.builder.now = at
    assert rewritten(blog.build())["later"] == "added"
    assert titles(blog, "/blog/") == ["Later", "Three"]


def test_a_page_is_built_alone_with_its_parts_and_a_frame_with_its_pages(blog: Site) -> None:
    """`build --page` of a list makes its parts; of a frame, all that the frame is around."""
    post(blog, "four", 3)
    done = rewritten(blog.builder.build(nodes=[NODE], pages=["blog"]))
    assert done == {"blog": "changed", "blog.page-2": "changed"}
    blog.build()
    blog.sql(_EDIT, "frame")
    done = rewritten(blog.builder.build(nodes=[NODE], pages=["frame"]))
    assert done.keys() == {"blog", "blog.page-2", "cats", "one", "two", "three", "four"}


def test_a_feed_lies_beside_its_page(blog: Site) -> None:
    """Atom, RSS and JSON Feed of the posts, with absolute addresses, which the page names."""
    blog.sql("UPDATE robbieblocks_node_branding SET base_url = 'https://site.example/'")
    forms = ["atom", "rss", "json"]
    feed = {"where": {"kind": "post"}, "title": "News & more", "forms": forms}
    blog.sql(
        "UPDATE robbieblocks_pages SET metadata = %s WHERE page_key = 'blog'",
        json.dumps({"feed": feed}),
    )
    post(blog, "four", 3)
    name = "A <b> & more\x07\uffff"
    blog.sql("UPDATE robbieblocks_pages SET page_name = %s WHERE page_key = 'four'", name)
    blog.sql("UPDATE robbieblocks_pages SET meta_title = NULL WHERE page_key = 'four'")
    blog.build()
    assert not blog.problems()
    folder = blog.file("/blog/").parent
    atom = ElementTree.parse(folder / "atom.xml").getroot()  # noqa: S314 - our own
    names = {"a": "http://www.w3.org/2005/Atom"}
    titles = [entry.text for entry in atom.iterfind("a:entry/a:title", names)]
    assert titles == ["A <b> & more", "Three", "Two", "One"]
    assert atom.findtext("a:title", namespaces=names) == "News & more"
    assert atom.findtext("a:entry/a:id", namespaces=names) == "https://site.example/four/"
    rss = ElementTree.parse(folder / "rss.xml").getroot()  # noqa: S314 - our own
    assert next(item.findtext("link") for item in rss.iter("item")) == "https://site.example/four/"
    told = json.loads((folder / "feed.json").read_text())
    assert next(item["url"] for item in told["items"]) == "https://site.example/four/"
    assert told["feed_url"] == "https://site.example/blog/feed.json"
    html = blog.file("/blog/").read_text()
    assert 'type="application/atom+xml" href="https://site.example/blog/atom.xml"' in html
    assert "atom.xml" not in blog.file("/blog/page/2/").read_text()


def test_a_list_that_is_held_back_keeps_its_parts(blog: Site) -> None:
    """Its last version leads to them; once its query is right again they follow it."""
    before = blog.file("/blog/page/2/").read_text()
    blog.sql(
        "UPDATE robbieblocks_page_blocks SET props = %s"
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'blog')",
        json.dumps({"items": {"$pages": {**_POSTS, "wher": 1}}}),
    )
    assert rewritten(blog.build()) == {"blog": "held back", "blog.page-2": "held back"}
    assert blog.file("/blog/page/2/").read_text() == before
    (problem,) = blog.problems()
    assert problem.pointer == "/items/wher"
    blog.sql(
        "UPDATE robbieblocks_page_blocks SET props = %s"
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'blog')",
        json.dumps({"items": {"$pages": {**_POSTS, "limit": 5}}}),
    )
    assert rewritten(blog.build()) == {"blog": "changed", "blog.page-2": "removed"}
    blog.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'blog'")
    assert rewritten(blog.build()) == {"blog": "removed"}


def test_a_row_without_a_key_keeps_no_other_page(blog: Site) -> None:
    """Only further parts have a whole that can be at fault."""
    post(blog, "four", 3)
    blog.build()
    blog.sql("UPDATE robbieblocks_pages SET page_key = '' WHERE page_key = 'one'")
    blog.sql("UPDATE robbieblocks_pages SET status = 'archived' WHERE page_key = 'four'")
    blog.build()
    assert [problem.key for problem in blog.problems()] == ["''"]
    assert not blog.file("/four/").exists()
    assert not blog.file("/one/").exists()


def test_a_page_that_never_went_out_is_in_no_list(blog: Site) -> None:
    """Its link would lead nowhere. Once it is right it enters, and it stays while it is live."""
    post(blog, "four", 3)
    broken = (
        "UPDATE robbieblocks_page_blocks b SET props = %s FROM robbieblocks_pages p"
        " WHERE p.id = b.page_id AND p.page_key = 'four'"
    )
    blog.sql(broken, "5")
    for _ in range(2):
        assert rewritten(blog.build()) == {"four": "held back"}
        assert titles(blog, "/blog/") == ["Three", "Two"]
    blog.sql(broken, "{}")
    assert rewritten(blog.build())["four"] == "added"
    assert titles(blog, "/blog/") == ["Four", "Three"]
    blog.sql(broken, "5")
    assert rewritten(blog.build()) == {"four": "held back"}
    assert titles(blog, "/blog/") == ["Four", "Three"]


def test_check_looks_into_frames(blog: Site) -> None:
    """What is wrong in a frame's props, HTML or conditions is told with the frame and its block,
    and what its settings allow.
    """
    blog.component("menu", "export default ({ to }) => <p id='twice'><a href={to}>x</a></p>")
    nodes = {"nodes": [NODE, "nobody"]}
    menu = Block(component="menu", zone="footer", props={"to": "/nowhere/"}, conditions=nodes)
    settings = {"framed_by": ["https://*.example.org"]}
    blog.page("more", menu, route="", metadata={"frame": True, "settings": settings})
    blog.page("own", Block(component="menu", props={"to": "/"}))
    for asked in ("own", "more"):
        found = checked(blog, asked)
        for rule in ("dead-link", "unknown-node"):
            told = {(each.problem.page, each.problem.block) for each in found if each.rule == rule}
            assert ("more", 1) in told
        assert [each.problem.key for each in found if each.rule == "wide-host"] == ["more"]
        assert any("block 1 of frame more (menu)" in each.problem.what for each in found)


def test_why_knows_frames_and_parts(blog: Site) -> None:
    """A frame's block is the frame's, and a further part is from the row of its list's page."""
    builder = blog.builder
    blog.sql(_EDIT, "frame")
    found = history.why(builder.connection, builder.site_root, "/blog/page/2/#nav", NODE)
    assert (found.page.key, found.frame, found.block) == ("blog.page-2", "frame", 1)
    assert found.block_change is not None
    assert found.page_change is not None
    assert found.page_change.key == "blog"
    found = history.why(builder.connection, builder.site_root, "/blog/page/2/#ul", NODE)
    assert (found.frame, found.block) == ("", 1)


def test_what_differs_in_a_part_is_in_its_lists_row(blog: Site) -> None:
    """Causes and problems name rows that there are, each problem once."""
    post(blog, "four", 3)
    (run,) = blog.build().plan.runs
    causes = {page.key: page.causes for page in run.pages}
    assert causes["blog"] == causes["blog.page-2"]
    blog.component("list2", _LIST, schema={"more": {"type": "number", "default": 1}})
    blog.sql(
        "UPDATE robbieblocks_page_blocks SET component_id = (SELECT id FROM robbieblocks_components"
        " WHERE component_key = 'list2'), props = props || '{\"more\": \"x\"}'"
        " WHERE page_id = (SELECT id FROM robbieblocks_pages WHERE page_key = 'blog')"
    )
    assert rewritten(blog.build()) == {"blog": "held back", "blog.page-2": "held back"}
    (problem,) = blog.problems()
    assert (problem.page, problem.block) == ("blog", 1)


def test_what_a_list_takes_ends_a_hold(blog: Site) -> None:
    """A held list would lead to pages and parts that are gone; one that is as it was stays held."""
    root = blog.builder.site_root
    for page in ("blog", "cats"):
        release.hold_page(root, NODE, "play", page, who="ann", why="judges", now=NOW)
    post(blog, "four", 3)
    assert {"blog", "blog.page-2"} <= rewritten(blog.build()).keys()
    assert release.holds(root, NODE, "play").keys() == {"cats"}


def checked(site: Site, *pages: str) -> tuple[Finding, ...]:
    builder = site.builder
    request = Request(dry_run=True, nodes=(NODE,), pages=pages)
    inspection = inspect(
        request,
        context=builder.context,
        connection=builder.connection,
        clock=lambda: NOW,
        progress=builder.said.append,
    )
    return run(
        Checked(
            inspection=inspection,
            settings=builder.settings,
            progress=builder.said.append,
            request=request,
        )
    )
