"""What takes a font's place until its file is there is as large as the font."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from robbieblocks.brand.fallback_metrics import METRICS
from robbieblocks.toolchain import Toolchain
from tools.font_metrics import latin_faces, seen

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_every_font_of_the_toolchain_was_measured(toolchain: Toolchain, page: Page) -> None:
    """Each has figures, and by them its fallback's lines are as high as its own in a browser.

    That letters are as wide holds by the way in which `tools.font_metrics` finds the size: the
    fonts that it is compared with are not on every machine.
    """
    faces = dict(latin_faces(toolchain))
    assert faces.keys() == METRICS.keys()
    for family, face in faces.items():
        _, by_weight = METRICS[family]
        for weight, (size, *parts) in by_weight.items():
            drawn = seen(page, face.content, weight)
            wanted = [drawn[name] for name in ("ascent", "descent", "gap")]
            assert [part * size / 10 for part in parts] == pytest.approx(wanted, abs=1.0), family
