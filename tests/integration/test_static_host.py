"""Folders for Netlify and Cloudflare Pages: files, headers, redirects, and the hosts' limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from robbieblocks.bucket import StaticHost, static_site
from robbieblocks.errors import UsageError
from robbieblocks.model import (
    HEADERS_FILE,
    REDIRECTS_FILE,
    Redirect,
    headers_text,
    redirects_text,
)
from robbieblocks.release import SiteRoot
from robbieblocks.response_headers import ONE_YEAR, SECURITY, SHOWN_WHILE_ASKED
from tests.integration.releases import NODE, assets, manifest, pages, publish, put

HOSTS: tuple[StaticHost, ...] = ("netlify", "cloudflare")


@pytest.fixture
def site_root(tmp_path: Path) -> SiteRoot:
    """A play app, and a page of the shared app whose address ends without a slash."""
    root = SiteRoot(tmp_path / "site")
    put(root, pages(1), assets(1))
    shared = {"404.html": b"nothing here", "styles-shared.css": b"a{color:red}"}
    put(root, shared, [], app="shared")
    return root


@pytest.mark.parametrize("host", HOSTS)
def test_the_folder_has_every_file_and_the_headers_of_serve(
    host: StaticHost, site_root: SiteRoot
) -> None:
    """Pages at their paths, assets below _rb/, and no header is set by two rules."""
    made = static_site(host, site_root, NODE, {})
    names = {f"_rb/{each.name}" for each in assets(1)}
    assert set(made.files) == {
        *pages(1),
        *(*names, "404.html", "styles-shared.css", "_headers"),
    }
    assert made.files["play/p1/index.html"] == pages(1)["play/p1/index.html"]
    rest, styles = made.files["_headers"].decode().split("/styles-shared.css\n")
    assert styles.splitlines() == [f"  {k}: {v}" for k, v in SHOWN_WHILE_ASKED.items()]
    all_, immutable = rest.split("/_rb/*\n")
    assert all_.splitlines() == ["/*", *(f"  {k}: {v}" for k, v in SECURITY.items())]
    assert immutable.splitlines() == [f"  {k}: {v}" for k, v in ONE_YEAR.items()]


def test_headers_that_all_apps_ask_for_are_written(site_root: SiteRoot) -> None:
    """What one app alone asks for is told, and what is sent by default stays."""
    alike = {"Referrer-Policy": "no-referrer"}
    framed = {"Content-Security-Policy": "frame-ancestors 'none'"}
    put(site_root, {**pages(1), HEADERS_FILE: headers_text({**alike, **framed})}, assets(1))
    put(site_root, {"404.html": b"", HEADERS_FILE: headers_text(alike)}, [], app="shared")
    made = static_site("netlify", site_root, NODE, {})
    wanted = {**SECURITY, **alike}
    lines = made.files["_headers"].decode().split("/_rb/*\n")[0].splitlines()
    assert lines == ["/*", *(f"  {name}: {value}" for name, value in wanted.items())]
    (note,) = made.notes
    assert note.startswith("play: ")
    assert "Content-Security-Policy" in note


def test_an_address_without_a_slash_is_a_file_of_its_name(site_root: SiteRoot) -> None:
    """`/about` is `about.html`, for which both hosts lead `/about/` there or answer it alike."""
    files = {"about/index.html": b"about"}
    made = manifest(files, [], app="shared")
    (page,) = made.pages
    object.__setattr__(page, "route", "/about")
    publish(site_root, made, files, [])
    found = static_site("netlify", site_root, NODE, {}).files
    assert found["about.html"] == b"about"
    assert "about/index.html" not in found


def test_applications_are_passed_on_where_the_host_can(site_root: SiteRoot) -> None:
    """Netlify asks public addresses; what it or Cloudflare can't is told."""
    given = {"/api": "http://api.example.org:80", "/local": "http://127.0.0.1:8001"}
    made = static_site("netlify", site_root, NODE, given)
    assert made.files["_redirects"].decode().splitlines() == [
        "/api http://api.example.org:80/api 200",
        "/api/* http://api.example.org:80/api/:splat 200",
    ]
    assert [note.partition(":")[0] for note in made.notes] == ["/local"]
    made = static_site("cloudflare", site_root, NODE, given)
    assert "_redirects" not in made.files
    assert len(made.notes) == 2


def test_redirects_follow_applications(site_root: SiteRoot) -> None:
    """What rows redirect has its lines behind those of applications."""
    put_redirects(site_root, Redirect("/old", "/play/", 301, "home"))
    made = static_site("netlify", site_root, NODE, {"/api": "http://api.example.org:80"})
    assert made.files["_redirects"].decode().splitlines()[2:] == ["/old /play/ 301"]


def test_more_redirects_than_cloudflare_takes_are_refused(site_root: SiteRoot) -> None:
    """Lines with a wildcard have a limit of their own, and the error has the number."""
    put_redirects(site_root, *(Redirect(f"/a{n}/*", "/play/", 301, "home") for n in range(101)))
    with pytest.raises(UsageError, match="101 wildcards in _redirects: cloudflare takes 100\n"):
        static_site("cloudflare", site_root, NODE, {})
    assert static_site("netlify", site_root, NODE, {}).files["_redirects"].count(b"\n") == 101
    put_redirects(site_root, *(Redirect(f"/a{n}", "/play/", 301, "home") for n in range(1_001)))
    with pytest.raises(UsageError, match=r"2,002 lines in _redirects: cloudflare takes 2,000"):
        static_site("cloudflare", site_root, NODE, {})


def test_apps_keep_their_404_pages(site_root: SiteRoot) -> None:
    """Netlify is told of them, behind what rows redirect; Cloudflare looks for them by itself."""
    lost = {"play/404.html": b"lost", "play/de/404.html": b"weg"}
    moved = redirects_text([Redirect("/play/old/*", "/play/", 301, "home")])
    put(site_root, {**pages(1), **lost, REDIRECTS_FILE: moved}, assets(1))
    made = static_site("netlify", site_root, NODE, {})
    assert made.files["_redirects"].decode().splitlines() == [
        "/play/old/* /play/ 301",
        "/play/de/* /play/de/404.html 404",
        "/play/* /play/404.html 404",
    ]
    made = static_site("cloudflare", site_root, NODE, {})
    assert b" 404\n" not in made.files["_redirects"]
    assert made.files["play/de/404.html"] == b"weg"


def put_redirects(site_root: SiteRoot, *redirects: Redirect) -> None:
    """The play app's release, with redirects."""
    put(site_root, {**pages(1), REDIRECTS_FILE: redirects_text(redirects)}, assets(1))


def test_more_than_a_host_takes_is_refused(site_root: SiteRoot) -> None:
    """The error has the number, the limit and the remedy."""
    given = {f"/a{number}": "http://api.example.org:80" for number in range(5_001)}
    with pytest.raises(UsageError, match=r"10,002 lines in _redirects: .*\n  -> name fewer"):
        static_site("netlify", site_root, NODE, given)
