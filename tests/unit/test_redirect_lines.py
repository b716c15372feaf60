"""Redirects as lines of `_redirects`, for hosts that read them in different ways."""

from __future__ import annotations

from robbieblocks.bucket.redirect_lines import RedirectLines, page_that_leads, redirect_lines
from robbieblocks.model import Redirect, Redirects

STATED = (
    Redirect("/old", "/new/", 301, "new"),
    Redirect("/a b:c/", "/\u00e9/", 302, "new"),
    Redirect("/gone/", "", 410, "frame"),
    Redirect("/blog/*", "https://blog.example/*", 308, "frame"),
    Redirect("/blog/2019/*", "/archive/", 301, "frame"),
)
ANSWERED = {"/", "/blog/first/", "/blog/atom.xml", "/new/"}
LEADING = {
    "/blog/first": "/blog/first/",
    "/blog/first/index.html": "/blog/first/",
    "/new": "/new/",
}


def lines(host: str, *stated: Redirect, answered: set[str] = ANSWERED) -> RedirectLines:
    return redirect_lines(host, Redirects.of(stated), answered, LEADING)  # type: ignore[arg-type] # a host's name


def test_netlify_looks_for_files_first() -> None:
    """One line for each redirect, those of one path first, then the longer wildcard."""
    made = lines("netlify", *STATED)
    assert made.exact == [
        "/a%20b%3Ac /%C3%A9/ 302",
        "/gone /404.html 410",
        "/old /new/ 301",
    ]
    assert made.below == [
        "/blog/2019/* /archive/ 301",
        "/blog/* https://blog.example/:splat 308",
    ]
    assert not made.notes


def test_cloudflare_gets_lines_for_files_below_a_wildcard() -> None:
    """It takes a line before a file: so files below a wildcard have lines, and both forms do."""
    made = lines("cloudflare", *STATED)
    assert made.exact == [
        "/a%20b%3Ac /%C3%A9/ 302",
        "/a%20b%3Ac/ /%C3%A9/ 302",
        "/old /new/ 301",
        "/old/ /new/ 301",
        "/blog/atom.xml /blog/atom.xml 200",
        "/blog/first/ /blog/first/ 200",
        "/blog/first /blog/first/ 308",
        "/blog/2019 /archive/ 301",
        "/blog https://blog.example/ 308",
    ]
    assert made.below == lines("netlify", *STATED).below
    assert [note.partition(":")[0] for note in made.notes] == ["/gone/"]


def test_a_wildcard_for_all_leaves_assets_alone() -> None:
    """Below `/*` the assets' folder has a line of its own, before it."""
    made = lines("cloudflare", Redirect("/*", "https://new.example/*", 301, "frame"))
    assert made.below == ["/_rb/* /_rb/:splat 200", "/* https://new.example/:splat 301"]
    assert "/new/ /new/ 200" in made.exact


def test_a_page_comes_before_its_redirect() -> None:
    """A path that a file answers by now has no line."""
    assert not lines("netlify", STATED[0], answered={"/old/"}).exact


def test_a_page_that_leads_on_can_hold_any_address() -> None:
    """What means something in HTML is escaped."""
    text = page_that_leads(Redirect("/old", 'https://x.example/?a="&b', 301, "new")).decode()
    assert text.count('url=https://x.example/?a=&quot;&amp;b"') == 1
