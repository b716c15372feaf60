"""What takes a font's place until its file is there is as large as the font."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robbieblocks.brand.fallback_metrics import METRICS
from robbieblocks.brand.fonts import fallback_names, fallback_rules
from robbieblocks.toolchain import Toolchain
from tools.font_metrics import SAMPLE, latin_faces, seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


_DRAWN = """
    async ([rules, family, weight, sample]) => {
      const style = document.createElement("style");
      style.textContent = rules;
      document.head.append(style);
      const font = `${weight} 100px "${family}"`;
      await document.fonts.load(font, sample);
      const context = document.createElement("canvas").getContext("2d");
      context.font = font;
      const seen = context.measureText(sample);
      style.remove();
      return [seen.width, seen.fontBoundingBoxAscent, seen.fontBoundingBoxDescent];
    }
"""


def test_what_takes_the_place_of_a_font_is_as_large(toolchain: Toolchain, page: Page) -> None:
    """Each font of the toolchain was measured, and a browser that has letters of Arial's, Times
    New Roman's and Courier New's widths draws the fallback as wide and as high as the font.
    """
    faces = dict(latin_faces(toolchain))
    assert faces.keys() == METRICS.keys()
    for family, face in faces.items():
        rules = "".join(fallback_rules(family))
        for weight in METRICS[family][1]:
            drawn = seen(page, face.content, weight)
            wanted = [drawn[name] / 10 for name in ("width", "ascent", "descent")]
            name = fallback_names(family)[0]
            stands_in = page.evaluate(_DRAWN, [rules, name, weight, SAMPLE])
            assert stands_in == pytest.approx(wanted, rel=0.01, abs=1.0), (family, weight)
