"""What a file is, and which names media may have."""

from __future__ import annotations

import pytest

from robbieblocks.media import KindProblem, MediaKind, kind_of
from robbieblocks.media_names import focal_point_problem, key_problem, path_problem
from tests.media_files import png

_JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0\x00\x11\x08\x00\x10\x00\x20"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.png", png(3, 2), MediaKind("image/png", "png", 3, 2)),
        ("A.JPEG", _JPEG, MediaKind("image/jpeg", "jpg", 32, 16)),
        ("a.gif", b"GIF89a\x05\x00\x04\x00", MediaKind("image/gif", "gif", 5, 4)),
        ("a.svg", b"<?xml version='1.0'?><svg/>", MediaKind("image/svg+xml", "svg")),
        ("a.pdf", b"%PDF-1.7", MediaKind("application/pdf", "pdf")),
        ("ads.txt", b"google.com, 1", MediaKind("text/plain", "txt")),
        ("a.woff2", b"wOF2", MediaKind("font/woff2", "woff2")),
    ],
    ids=range(7),
)
def test_name_and_bytes_say_the_kind(name: str, content: bytes, kind: MediaKind) -> None:
    """Where they agree, the type, the extension and what is known of the size are told."""
    assert kind_of(name, content) == kind


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("a.png", _JPEG, "its bytes are image/jpeg"),
        ("a.jpg", b"<script>", "its bytes are something else"),
        ("a.txt", b"<svg onload='x'/>", "its bytes are image/svg+xml"),
        ("a.exe", b"MZ", "no known kind"),
        ("a", b"x", "no known kind"),
        ("a.html", b"<p>", "is code"),
        ("a.js", b"x", "is code"),
        ("a.txt", b"", "is empty"),
        ("a.xml", b"<h xmlns='http://www.w3.org/1999/xhtml'><script/></h>", "run as a page"),
        (
            "a.xml",
            b"<h xmlns='http://www.w3.org/1999/xhtm&#00000000000000000000000000000000000000000000000108;'/>",
            "run as a page",
        ),
        ("a.xml", b"<s:svg xmlns:s='http://www.w3.org/2000/svg'/>", "run as a page"),
        ("a.xml", b"<?xml-stylesheet type='text/xsl' href='a'?><a/>", "run as a page"),
        ("a.xml", b"<!DOCTYPE a [<!ATTLIST a xmlns CDATA 'x'>]><a/>", "run as a page"),
        ("a.xml", "<a/>".encode("utf-16"), "run as a page"),
        ("a.xml", b"<?xml version='1.0' encoding='utf-7'?><a/>", "run as a page"),
    ],
    ids=range(15),
)
def test_what_they_disagree_about_is_refused(name: str, content: bytes, what: str) -> None:
    """So is code, which a browser would run as the site's own."""
    found = kind_of(name, content)
    assert isinstance(found, KindProblem)
    assert what in found.what


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("IMG_0042.HEIC", "save it as jpg or png"),
        ("a.ttf", "save it as woff2"),
        ("a.mov", "save it as mp4 or webm"),
        ("a.exe", "known are avif,"),
    ],
)
def test_what_people_have_instead_has_a_remedy(name: str, remedy: str) -> None:
    """What a camera or a foundry hands out is told as what to save it."""
    found = kind_of(name, b"\0\0\0\x18ftypheic")
    assert isinstance(found, KindProblem)
    assert found.remedy.startswith(remedy)


def test_xml_that_is_data_is_taken() -> None:
    """As search engines want it, to see whose site it is."""
    content = b"<?xml version='1.0' encoding='UTF-8'?>\n<users xmlns='urn:a'>a &amp; b</users>"
    assert kind_of("BingSiteAuth.xml", content, served_path="/BingSiteAuth.xml") == MediaKind(
        "application/xml", "xml"
    )


@pytest.mark.parametrize("path", ["/a.js", "/a.html", "/a.HTML", "/a.svg", "/.well-known/a.css"])
def test_an_address_says_what_the_file_is(path: str) -> None:
    """Servers tell its type by the address: a text there would run as a script of the site."""
    found = kind_of("a.txt", b"alert(1)", served_path=path)
    assert isinstance(found, KindProblem)
    assert path in found.what
    assert kind_of("a.txt", b"a", served_path="/.well-known/a") == MediaKind("text/plain", "txt")
    assert kind_of("a.jpg", _JPEG, served_path="/a.jpeg") == MediaKind("image/jpeg", "jpg", 32, 16)


def test_a_verification_page_needs_a_fixed_address() -> None:
    """HTML is taken where it has an address of its own, as search engines ask for it."""
    found = kind_of("google1.html", b"google", served_path="/google1.html")
    assert found == MediaKind("text/html", "html")


@pytest.mark.parametrize("cut", range(40))
def test_a_file_that_ends_early_has_no_size(cut: int) -> None:
    """However short it is, nothing is raised."""
    for name, whole in (("a.png", png(3, 2)), ("a.jpg", _JPEG), ("a.gif", b"GIF89a\x05\x00\x04")):
        kind_of(name, whole[:cut])
    for form in (b"VP8X", b"VP8L", b"VP8 ", b"????"):
        kind_of("a.webp", (b"RIFF\0\0\0\0WEBP" + form + bytes(20))[:cut])
    kind_of("a.avif", (b"\0\0\0\x1cftypavif" + b"ispe" + bytes(30))[:cut])


def test_keys_points_and_addresses() -> None:
    """What is written in references, styles and addresses is held to what is safe there."""
    assert [key_problem(key) for key in ("IMG_1.v2", "a")] == [None, None]
    assert all(key_problem(key) for key in ("", ".a", "a b", "a/b", "ä", "a" * 256))
    assert focal_point_problem("50% 100%") is None
    assert all(focal_point_problem(each) for each in ("50%", "101% 0%", "1px 2px", "50% 20%;"))
    good = ("/ads.txt", "/.well-known/acme/token", "/favicon.ico", "/files/menu.pdf")
    assert [path_problem(each) for each in good] == [None] * 4
    bad = ("ads.txt", "/", "//a.txt", "/a/../b.txt", "/_rb/x.js", "/index.html", "/sitemap.xml")
    assert all(path_problem(each) for each in bad)
    assert all(path_problem(each) for each in ("/tokens.json", "/sitemap-shared.xml"))
    assert all(path_problem(each) for each in ("/a/.b.txt", "/.well-known/.a"))
    assert all(path_problem(each) for each in ("/.git/config.txt", "/a", "/a b.txt", "/ä.txt"))
