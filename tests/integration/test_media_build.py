"""Media on pages: what is made, where it is served, and which pages an edit rewrites."""

from __future__ import annotations

import io
import json
import re
import shutil
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import brotli
import pytest
from PIL import Image

from robbieblocks import release
from robbieblocks.brand import brand
from robbieblocks.cache import Cache
from robbieblocks.checks import Checked
from robbieblocks.media import MediaMaker
from robbieblocks.model import NO_MEDIA, MediaRow, sha256
from robbieblocks.pipeline import Request, inspect
from robbieblocks.pipeline.node_icons import with_icons
from robbieblocks.release import SiteRoot, prune
from tests.building import NOW, Builder, MakeBuilder, run_of
from tests.font_files import LATIN, MORE, a_font
from tests.media_files import png

pytestmark = pytest.mark.postgres

NODE, APP = "vengeance-local", "play"
_CODE = """
import Image from "@robbieblocks/image";
export default function Hero({ picture, text, file }) {
  return <div className="hero">{picture && <Image media={picture} sizes="50vw" fit="cover" />}
    {text && <div dangerouslySetInnerHTML={text} />}{file && <a href={file.src}>Menu</a>}</div>;
}
"""
_SCHEMA = {
    "picture": {"type": "string", "format": "media"},
    "file": {"type": "string", "format": "media"},
    "text": {"type": "string", "format": "markdown"},
}
_CSS = ".hero { background: url(media:tile); }"


def _media(builder: Builder, key: str, name: str, content: bytes, **columns: Any) -> None:
    names = ", ".join(["media_key", "file_name", "media_type", "content", "content_hash", *columns])
    marks = ", ".join(["%s"] * (5 + len(columns)))
    builder.sql(
        f"INSERT INTO media_assets ({names}) VALUES ({marks})"
        " ON CONFLICT (media_key) DO UPDATE SET content = excluded.content",
        key,
        name,
        "",
        content,
        "",
        *columns.values(),
    )


def _page(builder: Builder, key: str, props: dict[str, str]) -> None:
    builder.sql(
        "WITH page AS (INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name,"
        " page_route, layout_template, status) VALUES (%s, 'play', 'P', %s, 'single-column',"
        " 'published') RETURNING id) INSERT INTO robbieblocks_page_blocks (page_id, component_id,"
        " block_order, zone, props) SELECT page.id, c.id, 1, 'main', %s::jsonb"
        " FROM page, robbieblocks_components c WHERE component_key = 'hero'",
        key,
        f"/{key}",
        json.dumps(props),
    )


@pytest.fixture
def site(builder: Builder) -> Builder:
    """A page with a picture, one with a text and a file, and one without media."""
    builder.sql(
        "INSERT INTO robbieblocks_components (component_key, component_name, component_type,"
        " react_code, css_styles, props_schema, is_published)"
        " VALUES ('hero', 'Hero', 'content', %s, %s, %s, true)",
        _CODE,
        _CSS,
        json.dumps(_SCHEMA),
    )
    _media(builder, "dawn", "dawn.png", png(700, 350), alt="Dawn & co", focal_point="50% 20%")
    _media(builder, "tile", "tile.png", png(8, 8), is_decorative=True)
    _media(builder, "menu", "menu.pdf", b"%PDF-1.7 menu")
    _media(builder, "ads", "ads.txt", b"ads", served_path="/ads.txt")
    _page(builder, "a", {"picture": "media:dawn"})
    _page(builder, "b", {"text": "![](media:dawn) [menu](media:menu)", "file": "media:menu"})
    _page(builder, "c", {})
    return builder


def _causes(report: Any) -> dict[str, list[str]]:
    pages = run_of(report, NODE, APP).pages
    return {
        page.key: [str(cause) for cause in page.causes]
        for page in pages
        if page.change == "changed"
    }


def _asset(builder: Builder, url: str) -> bytes:
    return (builder.settings.site_root / NODE / "assets" / url.removeprefix("/_rb/")).read_bytes()


def test_a_picture_is_there_in_forms_and_widths(site: Builder) -> None:
    """With its size, its words, its focal point, and a few pixels until it is loaded; the first
    one is loaded at once. Every address leads to a file, in styles and texts as well."""
    assert run_of(site.build(nodes=[NODE]), NODE, APP).error == ""
    html = site.html(NODE, APP, "a/index.html")
    for part in (
        'width="700"',
        'height="350"',
        'alt="Dawn &amp; co"',
        "object-position:50% 20%",
        'type="image/avif"',
        'type="image/webp"',
        "320w",
        "700w",
        'fetchPriority="high"',
        "background-image:url(&quot;data:image/webp;base64,",
    ):
        assert part.lower() in html.lower(), part
    text = site.html(NODE, APP, "b/index.html")
    assert '<picture style="display:contents"><source type="image/avif"' in text
    assert 'alt="Dawn &amp; co"' in text
    named = set(re.findall(r"/_rb/(?:dawn|menu|tile)-[0-9a-f]{16}\.[a-z0-9]+", html + text))
    assert len(named) == 2 * 3 + 1 + 1 + 1
    for url in named:
        assert _asset(site, url)
    (pdf,) = (url for url in named if url.endswith(".pdf"))
    assert _asset(site, pdf) == b"%PDF-1.7 menu"
    assert "media:" not in html + text


_FACE = '@font-face { font-family: "Own"; src: url(media:own) format("woff2") }'


def test_an_own_font_comes_as_two_files(site: Builder) -> None:
    """The node's CSS has a face of each, tokens that name it a fallback as large. Both are served,
    and made once. What is no font, or grows without end, is named, and nothing else is held up."""
    whole = a_font([*LATIN, *MORE])
    _media(site, "own", "own.woff2", whole)
    site.sql(
        "UPDATE robbieblocks_node_branding SET custom_css = %s,"
        ' style_overrides = style_overrides || \'{"font.heading": "Own, serif"}\''
        " WHERE node_id = %s",
        _FACE,
        NODE,
    )
    assert run_of(site.build(nodes=[NODE]), NODE, APP).error == ""
    page = site.html(NODE, APP, "c/index.html")
    first, second = re.findall(r'url\("(/_rb/own-[0-9a-f]{16}\.woff2)"\)', page)
    assert _asset(site, first) == whole
    assert 500 < len(_asset(site, second)) < len(whole) / 2
    assert re.search(rf'{re.escape(second)}"\) format\("woff2"\) ?;unicode-range:U\+0-A1', page)
    assert '--font-heading:Own, "own fallback", "own fallback android", serif' in page
    assert 'font-family:"own fallback";font-weight:1 1000;size-adjust:' in page
    library: Any = brotli
    packer, zeros = library.Compressor(quality=1), bytes(4 << 20)
    endless = b"".join(packer.process(zeros) for _ in range(384)) + packer.finish()
    size = struct.pack(">I", len(endless))
    bomb = whole[:20] + size + whole[24:48] + whole[48:100] + endless
    for content in (b"wOF2 and no more", bomb):
        _media(site, "own", "own.woff2", content)
        run = run_of(site.build(nodes=[NODE]), NODE, APP)
        assert "media:own can't be read as a font" in run.error, run.error
        assert site.html(NODE, APP, "c/index.html") == page


def test_a_file_with_an_address_is_served_there(site: Builder) -> None:
    """In the root of the site, and gone once its row is."""
    site.build(nodes=[NODE])
    assert site.html(NODE, "shared", "ads.txt") == "ads"
    site.sql("DELETE FROM media_assets WHERE media_key = 'ads'")
    site.build(nodes=[NODE])
    assert "ads.txt" not in site.files(NODE, "shared")


@pytest.mark.parametrize(
    ("name", "path", "then"),
    [("ads.html", "/ads.html", None), ("ads.txt", "/ads.txt", "/ads.js")],
    ids=["no address", "another"],
)
def test_a_file_that_lost_its_address_is_judged_anew(
    site: Builder, name: str, path: str, then: str | None
) -> None:
    """So code gets in by no way round: neither as a file of media nor at a script's address."""
    page = 'UPDATE robbieblocks_page_blocks SET props = \'{"file": "media:ads"}\''
    site.sql(page)
    ads = "UPDATE media_assets SET file_name = %s, served_path = %s WHERE media_key = 'ads'"
    site.sql(ads, name, path)
    assert run_of(site.build(nodes=[NODE], dry_run=True), NODE, APP).error == ""
    site.sql(ads, name, then)
    run = run_of(site.build(nodes=[NODE], dry_run=True), NODE, APP)
    assert "is code" in run.error or "says text/javascript" in run.error


def test_a_change_rewrites_the_pages_that_show_it(site: Builder) -> None:
    """And names the file as the cause; other pages stay, and nothing is made twice."""
    site.build(nodes=[NODE])
    before = site.files(NODE, APP)
    site.sql("UPDATE media_assets SET alt = 'Dusk' WHERE media_key = 'dawn'")
    causes = _causes(site.build(nodes=[NODE]))
    assert causes == {"a": ["media dawn"], "b": ["media dawn"]}
    after = site.files(NODE, APP)
    assert {path for path in after if after[path] != before.get(path)} == {
        "a/index.html",
        "b/index.html",
        "manifest.json",
    }
    assert 'alt="Dusk"' in site.html(NODE, APP, "a/index.html")
    _media(site, "menu", "menu.pdf", b"%PDF-1.7 other")
    assert _causes(site.build(nodes=[NODE])) == {"b": ["media menu"]}
    assert _causes(site.build(nodes=[NODE])) == {}


def test_pages_are_shared_with_a_picture_of_media(site: Builder) -> None:
    """That of the page with its words, else that of the node; and one that can't be is named."""
    about = "UPDATE robbieblocks_pages SET metadata = %s::jsonb WHERE page_key = 'c'"
    node = (
        "UPDATE robbieblocks_node_branding SET base_url = 'https://e.example', style_overrides ="
        " style_overrides || jsonb_build_object('og_image', %s::text)"
    )
    site.sql(about, '{"og_image": "media:dawn"}')
    site.sql(
        'UPDATE robbieblocks_pages SET metadata = \'{"feed": {"forms": ["json"]}}\''
        " WHERE page_key = 'a'"
    )
    site.sql(node, "media:tile")
    assert run_of(site.build(nodes=[NODE]), NODE, APP).error == ""
    for page, key in (("c", "dawn"), ("a", "tile")):
        html = site.html(NODE, APP, f"{page}/index.html")
        found = re.findall(r'og:image" content="https://e.example(/_rb/[^"]*png)"', html)
        assert len(found) == 1
        assert _asset(site, found[0])
        assert f"/{key}-" in found[0]
        assert ('og:image:alt" content="Dawn &amp; co"' in html) == (page == "c")
        assert (found[0] in site.html(NODE, APP, "a/feed.json")) == (page == "c")
    site.sql("UPDATE media_assets SET content = %s WHERE media_key = 'dawn'", png(900, 20))
    assert _causes(site.build(nodes=[NODE]))["c"] == ["media dawn"]
    for wrong, said in (("media:gone", "there is no media:gone"), ("media:menu", "is no picture")):
        site.sql(about, json.dumps({"og_image": wrong}))
        run = run_of(site.build(nodes=[NODE], dry_run=True), NODE, APP)
        assert said in run.error
    site.sql(node, "media:gone")
    run = run_of(site.build(nodes=[NODE], dry_run=True), NODE, APP)
    assert "there is no photo media:gone" in run.error


def test_a_missing_file_holds_its_page_back(site: Builder) -> None:
    """With what to do; the last good page stays, and other pages go out."""
    site.build(nodes=[NODE])
    before = site.html(NODE, APP, "a/index.html")
    site.sql("DELETE FROM media_assets WHERE media_key = 'dawn'")
    site.sql("UPDATE robbieblocks_pages SET page_name = 'Q' WHERE page_key = 'c'")
    run = run_of(site.build(nodes=[NODE]), NODE, APP)
    assert "there is no media:dawn" in run.error
    assert "content/media/" in run.error
    assert site.html(NODE, APP, "a/index.html") == before
    assert "<title>Q" in site.html(NODE, APP, "c/index.html")
    urls = set(re.findall(r"/_rb/dawn-[0-9a-f]{16}\.[a-z0-9]+", before))
    prune(SiteRoot(site.settings.site_root), NODE, APP)
    assert all(_asset(site, url) for url in urls)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bomb.png", png(1, 1)[:16] + b"\0\0\xff\xff\0\0\xff\xff" + png(1, 1)[24:], "dawn"),
        ("cut.png", png(700, 350)[:60], "can't be read as a picture"),
        ("poly.png", b"\xff\xd8\xff<script>alert(1)</script>", "its bytes are image/jpeg"),
        ("entities.svg", b'<!DOCTYPE svg [<!ENTITY a "b">]><svg/>', "declares entities"),
        ("other.svg", b"<?xml version='1.0'?><html><svg/></html>", "is no SVG"),
    ],
    ids=range(5),
)
def test_a_hostile_file_holds_back_its_pages_alone(
    site: Builder, name: str, content: bytes, said: str
) -> None:
    """Each with what is wrong with it; the child that read it ends, and the build goes on."""
    site.sql(
        "UPDATE media_assets SET file_name = %s, content = %s WHERE media_key = 'dawn'",
        name,
        content,
    )
    run = run_of(site.build(nodes=[NODE]), NODE, APP)
    assert f"media:dawn {said}" in run.error or said in run.error
    assert {page.key for page in run.pages if page.change == "held back"} == {"a", "b"}
    assert site.html(NODE, APP, "c/index.html")


def test_what_a_picture_says_beside_its_pixels_is_not_served(site: Builder) -> None:
    """Neither text chunks, nor what stands behind the picture's end, nor scripts in an SVG."""
    secret = b"<?php secret place 52.5N"
    site.sql("UPDATE media_assets SET content = content || %s WHERE media_key = 'dawn'", secret)
    svg = (
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 20" onload="alert(1)">'
        b"<script>alert(1)</script><a href='javascript:x'><rect/></a><image href='http://x/'/>"
        b"<foreignObject/><circle r='5' style='fill:url(http://x)' fill='red'/>"
        b"<style>@import 'http://x'</style><use href='#a'/><use href='http://x#a'/></svg>"
    )
    site.sql(
        "UPDATE media_assets SET file_name = 'tile.svg', content = %s WHERE media_key = 'tile'", svg
    )
    assert run_of(site.build(nodes=[NODE]), NODE, APP).error == ""
    assets = (site.settings.site_root / NODE / "assets").iterdir()
    made = {file.name: file.read_bytes() for file in assets if file.name[:4] in ("dawn", "tile")}
    assert not any(secret in content for content in made.values())
    (drawing,) = (content for name, content in made.items() if name.endswith(".svg"))
    text = drawing.decode()
    assert 'width="40" height="20"' in text.replace("'", '"')
    assert 'fill="red"' in text
    for bad in ("script", "onload", "http://x", "foreignObject", "javascript", "@import"):
        assert bad not in text, bad


def test_a_photo_is_upright_and_says_no_place(site: Builder) -> None:
    """Turned as its camera says, with none of the camera's words; GIF that moves still does."""
    photo = Image.new("RGB", (600, 400), (10, 20, 200))
    photo.paste((250, 0, 0), (0, 0, 600, 40))
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "SECRET PLACE"
    exif.get_ifd(0x8825)[2] = (52.0, 31.0, 12.0)
    written, moving = io.BytesIO(), io.BytesIO()
    photo.save(written, "JPEG", exif=exif)
    frames = [Image.new("RGB", (500, 20), color) for color in ("red", "blue", "green")]
    frames[0].save(moving, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    for key, name, content in (("dawn", "d.jpg", written), ("tile", "t.gif", moving)):
        query = "UPDATE media_assets SET file_name = %s, content = %s WHERE media_key = %s"
        site.sql(query, name, content.getvalue(), key)
    assert run_of(site.build(nodes=[NODE]), NODE, APP).error == ""
    html = site.html(NODE, APP, "a/index.html")
    assert 'width="400" height="600"' in html
    folder = site.settings.site_root / NODE / "assets"
    made = [file for file in folder.iterdir() if file.name.startswith(("dawn", "tile"))]
    assert {file.suffix for file in made} == {".avif", ".webp", ".jpg"}
    for file in made:
        with Image.open(file) as image:
            assert not image.getexif()
            assert not {"exif", "icc_profile", "xmp"} & image.info.keys()
            if file.name.startswith("tile"):
                assert getattr(image, "n_frames", 1) == 3
            else:
                right = image.convert("RGB").getpixel((image.width - 5, image.height // 2))
                assert isinstance(right, tuple)
                assert right[0] > 200 > right[2]
        assert b"SECRET" not in file.read_bytes()


def test_a_photo_with_another_view_stands_still(tmp_path: Path) -> None:
    """Phones put a second view, or a map of the light, behind a photo; an orientation that is none
    turns nothing."""
    photo, other = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    exif = Image.Exif()
    exif[0x0112] = 9
    written = io.BytesIO()
    photo.save(written, "MPO", save_all=True, append_images=[other], exif=exif)
    content = written.getvalue()
    row = MediaRow(key="a", file_name="a.jpg", type="", hash=sha256(content), size=len(content))
    with Cache(tmp_path) as cache:
        maker = MediaMaker(cache, 20)
        made = maker.make({"a": row}, ["a"], lambda _: content, NO_MEDIA).media["a"]
        assert [form.type for form in made.forms] == ["image/avif", "image/webp", "image/jpeg"]
        assert (made.width, made.height) == (60, 40)


def test_what_was_made_is_not_made_again(
    site: Builder, make_builder: MakeBuilder, warm_cache: Path, tmp_path: Path
) -> None:
    """Another process with the cache starts no child; without the cache the bytes are equal."""
    site.build(nodes=[NODE])
    first = {file.name for file in (site.settings.site_root / NODE / "assets").iterdir()}
    warm = make_builder(site.settings.database_url or "", cache=site.settings.cache)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("robbieblocks.media.child.start_child", lambda: pytest.fail("a child"))
        assert run_of(warm.build(nodes=[NODE], dry_run=True), NODE, APP).outcome == "unchanged"
    shutil.copytree(warm_cache, tmp_path / "cache")
    cold = make_builder(
        site.settings.database_url or "", cache=tmp_path / "cache", site_root=tmp_path / "site"
    )
    cold.build(nodes=[NODE])
    assert {file.name for file in (cold.settings.site_root / NODE / "assets").iterdir()} == first


def test_what_is_uploaded_is_made_before_it_is_placed(tmp_path: Path) -> None:
    """In a thread; who needs it meanwhile waits for it, and what can't be read is told then."""
    files = {"a": png(900, 30), "b": b"\x89PNG\r\n\x1a\nno picture", "c": b"%PDF-1.7"}
    rows = {
        key: MediaRow(
            key=key,
            file_name=f"{key}.pdf" if key == "c" else f"{key}.png",
            type="",
            hash=sha256(content),
            size=len(content),
        )
        for key, content in files.items()
    }
    with Cache(tmp_path) as cache:
        maker = MediaMaker(cache, 20)
        maker.ahead(rows, files.__getitem__)
        made = maker.make(rows, rows, lambda key: pytest.fail(f"{key} is read again"), NO_MEDIA)
        assert [each.width for each in made.media.values()] == [900, 0]
        assert "can't be read" in made.wrong["b"].what
        assert maker.make(rows, rows, files.__getitem__, made) is made
        maker.ahead(rows, lambda key: pytest.fail(f"{key} is made already"))
        maker.close()


def test_closing_ends_what_is_being_made(tmp_path: Path) -> None:
    """At once, and without a word; the next process makes it."""
    content = png(2500, 2500)
    row = MediaRow(key="a", file_name="a.png", type="", hash=sha256(content), size=len(content))
    with Cache(tmp_path) as cache:
        maker = MediaMaker(cache, 20)
        maker.ahead({"a": row}, lambda _: content)
        maker.close()
        again = MediaMaker(cache, 20)
        assert again.make({"a": row}, ["a"], lambda _: content, NO_MEDIA).media["a"].width == 2500
        again.close()


def test_files_at_addresses_keep_out_of_each_others_way(site: Builder) -> None:
    """A file whose address is another's, or lies in it, is not served there, nor is one at a page's
    address. A warning names each, and all else goes out."""
    _media(site, "below", "b.txt", b"below", served_path="/ads.txt/b.txt")
    _media(site, "feed", "feed.txt", b"feed", served_path="/feed.txt")
    site.sql(
        "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
        " layout_template, status) VALUES ('feed-page', 'shared', 'Feed', '/feed.txt/more',"
        " 'single-column', 'published'), ('old', 'shared', 'Old', '/old.html', 'single-column',"
        " 'published')"
    )
    _media(site, "old", "old.pdf", b"%PDF-1.7 old", served_path="/old.pdf")
    report = site.build(nodes=[NODE])
    shared = run_of(report, NODE, "shared")
    assert shared.outcome == "published"
    assert site.files(NODE, "shared")["ads.txt"] == b"ads"
    assert "feed.txt" not in site.files(NODE, "shared")
    assert "feed.txt/more/index.html" in site.files(NODE, "shared")
    told = {(p.key, p.field, p.severity) for run in report.runs for p in run.problems}
    assert ("below", "served_path", "warning") in told
    assert ("feed", "served_path", "warning") in told


def test_icons_of_a_node_are_served(site: Builder) -> None:
    """Each page and the 404 page link them, their files are there, and a new one rewrites pages."""
    _media(site, "logo", "logo.png", png(192, 192))
    _media(site, "mark", "mark.svg", _SVG)
    settings = {"icons": {"source": "media:mark", "app": ["media:logo"]}, "manifest": {}}
    query = "UPDATE robbieblocks_node_branding SET settings = %s::jsonb WHERE node_id = %s"
    site.sql(query, json.dumps(settings), NODE)
    report = site.build(nodes=(NODE,))
    assert not run_of(report, NODE, APP).error
    folder = SiteRoot(site.settings.site_root).path / NODE
    links: list[tuple[str, str]] = []
    for app, path in ((APP, "c/index.html"), ("shared", "404.html")):
        html = (folder / app / "current" / path).read_text()
        links = re.findall(r'<link rel="(icon|manifest)" href="/_rb/([^"]+)"', html)
        assert [rel for rel, _ in links] == ["icon", "manifest"]
        for _, name in links:
            assert (folder / "assets" / name).is_file()
    manifest = json.loads((folder / "assets" / links[1][1]).read_bytes())
    assert (folder / "assets" / manifest["icons"][0]["src"].removeprefix("/_rb/")).is_file()
    before = (folder / "shared" / "current" / "favicon.ico").read_bytes()
    _media(site, "mark", "mark.svg", _SVG.replace(b"1 1", b"2 2"))
    report = site.build(nodes=(NODE,))
    assert (folder / "shared" / "current" / "favicon.ico").read_bytes() != before
    assert {page.key for page in run_of(report, NODE, APP).pages} == {"a", "b", "c"}
    for apps in ((), (APP,)):
        known = _addresses(site, apps)
        assert "/favicon.ico" in known
        for app in (APP, "shared"):
            found = release.live(SiteRoot(site.settings.site_root), NODE, app)
            assert found is not None
            assert not set(release.routes_of(found)[0]) - known.keys(), apps
            assert {f"/_rb/{name}" for name in found.assets} <= known.keys() or apps
    # What a library raises over them, or over anything of its row, is this node's, and its pages
    # stay.
    raising = [
        (
            "robbieblocks.pipeline.compiling.with_icons",
            lambda branded, *rest: _raise() if branded.id == NODE else with_icons(branded, *rest),
            ", settings at /icons",
        ),
        (
            "robbieblocks.pipeline.branding.brand",
            lambda row, *rest: _raise() if row.settings and row.id == NODE else brand(row, *rest),
            "",
        ),
    ]
    for number, (name, stand_in, where) in enumerate(raising):
        site.sql("UPDATE robbieblocks_node_branding SET node_name = %s", f"New {number}")
        with patch(name, stand_in):
            report = site.build(nodes=(NODE, "aurora-town-local"))
        mine = run_of(report, NODE, APP)
        (told,) = {each for each in mine.problems if "stand-in" in each.what}
        assert told.where == f"node_branding {NODE}{where}"
        assert {page.change for page in mine.pages} == {"held back"}
        assert not run_of(report, "aurora-town-local", "shared").error


def _addresses(site: Builder, apps: tuple[str, ...]) -> Mapping[str, object]:
    """What `check` takes for what the node answers, where these apps are asked for."""
    request = Request(apps=apps, nodes=(NODE,))
    inspection = inspect(
        request,
        context=site.context,
        connection=site.connection,
        clock=lambda: NOW,
        progress=lambda _: None,
    )
    checked = Checked(
        inspection=inspection, settings=site.settings, progress=lambda _: None, request=request
    )
    return checked.addresses(NODE)


def _raise() -> None:
    raise AttributeError("a stand-in")


_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
