"""A picture of media in a real browser: which form it takes, its place, and what comes alive."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.media_files import png
from tests.sites import Block, MakeSite, served

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

_CODE = """
import { useState } from "react";
import Image from "@robbieblocks/image";
export default function Gallery({ first, later }) {
  const [count, setCount] = useState(0);
  return <div>
    <Image media={first} sizes="300px" />
    <button onClick={() => setCount(count + 1)}>{`clicked ${count}`}</button>
    <div style={{ height: "9000px" }} />
    <Image media={later} />
  </div>;
}
"""
_FORMAT = {"type": "string", "format": "media"}
_ROW = (
    "INSERT INTO media_assets (media_key, file_name, media_type, content, content_hash, alt)"
    " VALUES (%s, %s, 'image/png', %s, '', %s)"
)
_SHOWN = """
[...document.images].map(it => ({
    name: it.currentSrc.split("/").pop().split("-")[0], form: it.currentSrc.split(".").pop(),
    height: Math.round(it.getBoundingClientRect().height), alt: it.alt, loaded: it.complete
}))
"""
_ICONS = """
() => Promise.all([...document.querySelectorAll("link[sizes]")].map(async (link) => {
    const image = new Image();
    image.src = link.href;
    await image.decode();
    return [link.rel, link.sizes.value, image.naturalWidth];
}))
"""


def test_a_picture_in_a_browser(make_site: MakeSite, page: Page) -> None:
    """It is AVIF of the width that is needed, its place is kept, one far below is not loaded, and
    the component that shows it comes alive without a word of the console."""
    site = make_site()
    site.component("gallery", _CODE, schema={"first": _FORMAT, "later": _FORMAT})
    site.sql(_ROW, "dawn", "dawn.png", png(1400, 700), "Dawn")
    site.sql(_ROW, "dusk", "dusk.png", png(900, 300), "Dusk")
    site.page(
        "home", Block(component="gallery", props={"first": "media:dawn", "later": "media:dusk"})
    )
    site.build()
    assert site.problems(warnings=True) == []
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    with served(site.builder.settings.site_root, "vengeance-local") as address:
        page.goto(f"{address}/home/", wait_until="networkidle")
        page.get_by_role("button").click()
        page.get_by_text("clicked 1").wait_for()
        first, later = page.evaluate(_SHOWN)
        assert (first["name"], first["form"], first["alt"]) == ("dawn", "avif", "Dawn")
        assert first["height"] == page.evaluate("Math.round(document.images[0].width / 2)")
        assert later["height"] > 100
        assert not any(name.startswith("dusk") for name in asked)
        with page.expect_response(lambda answer: "/dusk-" in answer.url) as loading:
            page.evaluate("document.images[1].scrollIntoView()")
        assert (loading.value.status, loading.value.header_value("content-type")) == (
            200,
            "image/avif",
        )


def test_a_browser_installs_a_site_with_icons(make_site: MakeSite, page: Page) -> None:
    """Chromium finds nothing wrong with the manifest, and loads every icon as it is named."""
    site = make_site()
    site.component("text", "export default () => <h1>Hi</h1>;")
    site.sql(_ROW, "logo", "logo.png", png(512, 512), "Logo")
    site.sql(
        "UPDATE robbieblocks_node_branding SET settings = %s",
        json.dumps({"icons": {"source": "media:logo"}, "manifest": {"start_url": "/home/"}}),
    )
    site.page("home", "text")
    site.build()
    assert site.problems(warnings=True) == []
    with served(site.builder.settings.site_root, "vengeance-local") as address:
        page.goto(f"{address}/home/")
        session: Any = page.context.new_cdp_session(page)
        found = session.send("Page.getAppManifest")
        assert found["errors"] == []
        assert found["manifest"]["startUrl"] == f"{address}/home/"
        assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
        seen = page.evaluate(_ICONS)
    assert [rel for rel, *_ in seen] == ["icon", "apple-touch-icon"]
    assert all(named == f"{width}x{width}" for _, named, width in seen)
