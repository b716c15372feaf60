"""Styles at a fixed address in a browser: what visitors see after an edit of a token."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.sites import NODE, MakeSite

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

_EDIT = """
    UPDATE robbieblocks_node_branding
       SET style_overrides = jsonb_set(style_overrides, '{color.primary}', to_jsonb(%s::text))
"""
_CODE = "export default () => <p style={{ color: 'var(--color-primary)' }}>Now</p>;"
_LOADED = """() => performance.getEntriesByType("resource")
  .map((each) => each.name).filter((name) => name.includes("/_rb/reload-"))"""
_SHOWN = "() => getComputedStyle(document.querySelector('p')).color"


def test_a_reload_shows_the_colours_of_now(make_site: MakeSite, page: Page) -> None:
    """So does the page that is visited next. Without a reload one view may be old."""
    site = make_site()
    site.builder.context.use(replace(site.builder.settings, styles="fixed"), lambda _: None)
    site.component("word", _CODE)
    site.page("one", "word")
    site.page("two", "word")

    def publish(color: str) -> None:
        site.sql(_EDIT, color)
        site.build()
        assert site.problems(warnings=True) == []

    with site.served() as address:
        publish("#ff0000")
        before = site.file("/one/").read_bytes()
        page.goto(f"{address}/one/")
        assert page.evaluate(_SHOWN) == "rgb(255, 0, 0)"
        publish("#00ff00")
        assert site.file("/one/").read_bytes() == before
        # It is younger than ten seconds, so this browser does not ask.
        page.goto(f"{address}/two/")
        assert page.evaluate(_SHOWN) == "rgb(255, 0, 0)"
        link = page.locator("link[rel=stylesheet]").get_attribute("href")
        # What exchanges styles is loaded by those who reload.
        assert page.evaluate(_LOADED) == []
        page.reload()
        page.wait_for_function(f"() => ({_SHOWN})() === 'rgb(0, 255, 0)'")
        assert page.evaluate("document.querySelectorAll('link[rel=stylesheet]').length") == 1
        page.goto(f"{address}/one/")
        assert page.evaluate(_SHOWN) == "rgb(0, 255, 0)"
        # What is as it is shown is not exchanged.
        page.reload(wait_until="networkidle")
        assert len(page.evaluate(_LOADED)) == 1
        assert page.locator("link[rel=stylesheet]").get_attribute("href") == link
    assert NODE in str(site.file("/one/"))
