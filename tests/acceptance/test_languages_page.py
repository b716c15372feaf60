"""A page of a group of translations in a real Chromium: direction, alternates, code and dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from robbieblocks.model import Translation
from tests import pages
from tests.browser.chromium import accessibility_violations, html_problems
from tests.pages import Press, block, component

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

_LANGUAGES = ("ar", "de", "en-US", "he", "ja", "pt-BR")
_DATES = component(
    "dates",
    """export default ({ languages }) => <>
  <h1>Dates</h1><p>At <code>/a/b/;</code></p><pre>x = 1;</pre>
  <ul>{languages.map((lang) => (
    <li key={lang} lang={lang}>
      {new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "short", timeZone: "UTC" })
        .format(new Date(0))}
    </li>
  ))}</ul>
</>;""",
)
_SEEN = """() => {
  const html = document.documentElement;
  const of = (name) => getComputedStyle(document.querySelector(name));
  return {
    lang: html.lang, dir: html.dir, list: of("ul").direction,
    code: [of("code").direction, of("code").unicodeBidi, of("pre").direction],
    alternates: [...document.querySelectorAll("link[hreflang]")].map(
      (each) => [each.hreflang, each.href]),
    scripts: [...document.scripts].filter((each) => each.src).length,
    dates: [...document.querySelectorAll("li")].map((each) => each.textContent),
    here: [...document.querySelectorAll("li")].map((each) => new Intl.DateTimeFormat(
      each.lang, { dateStyle: "full", timeStyle: "short", timeZone: "UTC" }).format(new Date(0))),
  };
}"""


def test_a_translation_is_mirrored_and_names_the_others(
    press: Press, page: Page, tmp_path: Path
) -> None:
    """It runs from right to left but for code, and its dates are Chromium's, without a script."""
    bundle = press.bundle(_DATES, base_css=press.renderer.base_css())
    group = (
        Translation(lang="ar", key="test-page", route="/", title="A"),
        Translation(lang="en", key="home", route='/a"b é/', title="B", default=True),
    )
    shown = pages.page(
        block(1, "dates", {"languages": list(_LANGUAGES)}),
        lang="ar",
        translations=group,
    )
    press.write(tmp_path, bundle, [shown], pages.node(base_url="https://site.example"))
    with pages.served(tmp_path) as address:
        page.goto(address)
        seen: dict[str, Any] = page.evaluate(_SEEN)
        assert html_problems([tmp_path / "index.html"]) == []
        assert accessibility_violations(page) == []
    assert (seen["lang"], seen["dir"], seen["list"]) == ("ar", "rtl", "rtl")
    assert seen["code"] == ["ltr", "isolate", "ltr"]
    other = "https://site.example/a%22b%20%C3%A9/"
    assert seen["alternates"] == [
        ["ar", "https://site.example/"],
        ["en", other],
        ["x-default", other],
    ]
    assert seen["scripts"] == 0
    assert seen["dates"] == seen["here"]
