"""A page fetches a font's common letters alone, and looks as with the whole font."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from robbieblocks.brand import brand
from robbieblocks.model import Asset, BrandedNode, TokenRow
from robbieblocks.toolchain import Toolchain
from robbieblocks.toolchain.common_letters import PACKAGED_RANGE
from tests.unit.rows import a_node

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from robbieblocks.model import FontFace

pytestmark = pytest.mark.browser

ADDRESS = "http://letters.localhost/"
FAMILIES = (
    "Bricolage Grotesque",
    "Instrument Sans",
    "Inter",
    "JetBrains Mono",
    "Nunito Sans",
    "Space Grotesk",
    "Tektur",
)
ENGLISH = "“Well — it’s 7 × 9…” • © Tom & Ada, £3.50 (€4.20)\t1,024 items -> <b>AV To</b>\n&shy;😀"
WESTERN = "Tür, Wäsche, Ölßße, Àvé, fêté, Pâté, ¿Año?, «Vårt», Føroyar, ração, œuvre § 2, 20 °C, m²"
# Beside letters: what joins and parts them, and signs that no file has.
ODD = f"<pre style='font: inherit'>{ENGLISH}\r\n</pre>1‑2 3\u202f000 a\u00adb 👩\u200d🔧 ‣ ←→"
POLISH = "Zażółć gęślą jaźń"
RARE = "½ cup, ¶, x̄ = 3, T̈"
COMMON, WHOLE, EXTENDED = (
    f"inter-{subset}-wght-normal" for subset in ("common", "latin", "latin-ext")
)
# A file that a first one gives occasion for is asked for when the page is drawn with that.
_SETTLED = """async () => {
  for (let turn = 0; turn < 4; turn += 1) {
    await document.fonts.ready;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  }
}"""


def stem(font: Asset) -> str:
    return font.name.rpartition("-")[0]


def sheet_of(toolchain: Toolchain, *families: str, split: bool = True) -> BrandedNode:
    """A node with these families; without `split`, as the packages have them."""

    def whole(family: str) -> tuple[FontFace, ...]:
        faces = [face for face in toolchain.fonts(family) if not face.is_common]
        latin = [replace(face, unicode_range=PACKAGED_RANGE) for face in faces]
        pairs = zip(faces, latin, strict=True)
        return tuple(to if "-latin-wght" in face.file else face for face, to in pairs)

    tokens = [
        TokenRow(key=f"font.{number}", category="font", default=f"'{family}'")
        for number, family in enumerate(families)
    ]
    body = TokenRow(key="font.body", category="font", default=f"'{families[0]}'")
    return brand(a_node(), [body, *tokens], toolchain.fonts if split else whole)


class Site:
    """Serves a page with a node's styles and fonts to the browser, and notes what is fetched."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._files: dict[str, Asset] = {}
        self._html = ""
        self.fetched: list[str] = []
        page.route(f"{ADDRESS}**", self._answer)

    def open(self, node: BrandedNode, body: str, lang: str = "en") -> None:
        self._files = {font.url: font for font in node.fonts}
        self._html = (
            f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><title>Letters</title>'
            f"<style>{node.stylesheet.content.decode()}</style><body>{body}"
        )
        self.fetched.clear()
        self._page.goto(ADDRESS)
        self._page.evaluate(_SETTLED)

    def picture(self) -> bytes:
        return self._page.screenshot(full_page=True)

    def _answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(ADDRESS.rstrip("/"))
        if path == "/":
            route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
        elif path in self._files:
            self.fetched.append(stem(self._files[path]))
            route.fulfill(body=self._files[path].content, content_type="font/woff2")
        else:
            route.fulfill(status=204)


def test_each_face_draws_what_the_whole_one_draws(toolchain: Toolchain, page: Page) -> None:
    """In all weights, upright and italic, with features of letters and figures, to the pixel; with
    a rare sign, an accent of its own and letters of another alphabet beside them too."""
    site = Site(page)
    lines = "".join(
        f"<section style='font: {style} {weight} 15px \"{family}\"'>{ENGLISH} {WESTERN} "
        f"<i style='font-variant-numeric: tabular-nums'>1117 $£€</i> "
        f"<span style='font-variant: diagonal-fractions'>1/2 13/14</span> fi ffl 0x1F != === "
        f"{POLISH if weight == 400 else RARE}</section>"
        for family in FAMILIES
        for style in ("normal", "italic")
        for weight in (250, 400, 700)
    )
    pictures: list[bytes] = []
    for split in (False, True):
        node = sheet_of(toolchain, *FAMILIES, split=split)
        assert any("-common-" in font.name for font in node.fonts) == split
        site.open(node, lines)
        pictures.append(site.picture())
    assert pictures[0] == pictures[1]


@pytest.mark.parametrize(
    ("text", "lang", "more"),
    [
        (ENGLISH, "en", []),
        (ODD, "en", []),
        ("†", "en", [EXTENDED]),
        (WESTERN, "de", []),
        (POLISH, "pl", [EXTENDED]),
        ("Đường Việt Nam", "vi", [EXTENDED]),
        ("Привет, мир! Hello", "ru", []),
        (RARE, "en", [WHOLE]),
    ],
    ids=["english", "odd", "dagger", "western", "polish", "vietnamese", "cyrillic", "rare"],
)
def test_a_page_fetches_the_files_of_its_letters(
    toolchain: Toolchain, page: Page, text: str, lang: str, more: list[str]
) -> None:
    """The common letters in place of the whole file, which is fetched for
    what is rare alone; of other files those that it fetched before."""
    site = Site(page)
    body = f"<div style='font-family: Inter'>{text}</div>"
    site.open(sheet_of(toolchain, "Inter", split=False), body, lang)
    assert sorted(site.fetched) == sorted({WHOLE, *more})
    node = sheet_of(toolchain, "Inter")
    site.open(node, body, lang)
    assert sorted(site.fetched) == sorted([COMMON, *more])
