"""The icons that are drawn of one picture."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops

from robbieblocks.cache import Cache
from robbieblocks.media import IconMaker, IconSet, NoIcons, icons
from robbieblocks.media.forms import Refused
from robbieblocks.media.icon_drawing import icons_of
from robbieblocks.model import MediaForm
from tests.media_files import png

_SVG = "image/svg+xml"
_HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32">'
_DISC = _HEAD + b'<circle cx="16" cy="16" r="16" fill="#00f"/></svg>'
_ENDLESS = _HEAD + (
    b'<filter id="f"><feTurbulence numOctaves="90000000" baseFrequency="9"/></filter>'
    b'<rect filter="url(#f)" width="9" height="9"/></svg>'
)


def _opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


def test_an_icon_has_every_size_that_is_asked_for() -> None:
    """An ICO of three sizes, and PNGs from a tab's to the installed site's."""
    made = icons_of(png(600, 600), "image/png", "#ffffff").made
    assert _opened(made[0].content).info["sizes"] == {(16, 16), (32, 32), (48, 48)}
    assert [_opened(each.content).size[0] for each in made[1:]] == [48, 180, 192, 512, 512]


def test_a_drawing_is_drawn_on_the_ground_where_no_device_shows_through() -> None:
    """The corners of a disc are clear in tabs, and have the ground on home screens."""
    made = icons_of(_DISC, _SVG, "#00ff00").made
    corners = [_opened(each.content).convert("RGBA").getpixel((0, 0)) for each in made]
    clear, ground = (0, 0, 0, 0), (0, 255, 0, 255)
    assert corners == [clear, clear, ground, clear, clear, ground]
    assert _opened(made[4].content).convert("RGBA").getpixel((256, 256)) == (0, 0, 255, 255)


@pytest.mark.parametrize(
    ("content", "kind", "side"), [(_DISC, _SVG, 0.8), (png(9, 9), "image/png", 0.8 / 2**0.5)]
)
def test_nothing_is_cut_off_where_icons_are_round(content: bytes, kind: str, side: float) -> None:
    """A disc fills the circle that stays, and a square stands in it."""
    image = _opened(icons_of(content, kind, "#ffffff").made[5].content)
    ground = Image.new("RGB", image.size, "#ffffff")
    left, _, right, _ = ImageChops.difference(image, ground).getbbox() or (0, 0, 0, 0)
    assert (right - left) / 512 == pytest.approx(side, abs=0.02)


def test_a_drawing_with_text_is_refused() -> None:
    """Its look would depend on the fonts of the machine."""
    with pytest.raises(Refused, match="writes text"):
        icons_of(_HEAD + b"<text>A</text></svg>", _SVG, "#ffffff")


def test_icons_are_made_once(tmp_path: Path) -> None:
    """Another process takes them from the cache, without the picture."""
    form = MediaForm("disc.svg", _SVG, 32, 32)
    with Cache(tmp_path) as cache:
        first = IconMaker(cache).make(form, lambda: _DISC, "#ffffff")
        assert isinstance(first, IconSet)
        again = IconMaker(cache).make(form, lambda: pytest.fail("was read"), "#ffffff")
    assert again == first
    assert first.ico.name.endswith(".ico")


def test_an_endless_drawing_is_tried_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No later build waits for it."""
    monkeypatch.setattr(icons, "_TIMEOUT_S", 0.5)
    reads: list[bytes] = []

    def content() -> bytes:
        reads.append(_ENDLESS)
        return _ENDLESS

    with Cache(tmp_path) as cache:
        maker = IconMaker(cache)
        found = [maker.make(MediaForm("f.svg", _SVG), content, "#ffffff") for _ in range(2)]
    assert isinstance(found[0], NoIcons)
    assert found[0] == found[1]
    assert len(reads) == 1
