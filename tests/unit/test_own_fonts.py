"""Fonts of media: what is made of a file, and the faces that a node's CSS gets for it."""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Mapping

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.brand import brand
from robbieblocks.brand.fallback_metrics import METRICS
from robbieblocks.brand.own_fonts import OwnFace, OwnFonts
from robbieblocks.media.font_making import MadeFont, font_of
from robbieblocks.media.forms import Refused
from robbieblocks.model import FontFace, FontMeasure, Json, NodeRow, OwnFont, TokenRow
from robbieblocks.toolchain.common_letters import COMMON_RANGE, FOLDER
from tests.font_files import LATIN, MORE, a_font


@pytest.mark.parametrize("flavor", ["woff2", "woff"])
def test_the_letters_of_most_pages_become_a_file_of_their_own(flavor: str) -> None:
    """Smaller than the whole, the same each time, and measured."""
    given = a_font([*LATIN, *MORE], flavor=flavor)
    made = font_of(given, COMMON_RANGE)
    assert made == font_of(given, COMMON_RANGE)
    assert made.common is not None
    assert len(made.common) < len(given) / 2
    with TTFont(io.BytesIO(made.common)) as font:
        assert set(font.getBestCmap()) == set(LATIN)
    # 281 letters of half an em, where Arial takes 125.229.
    assert made.kind == "sans"
    assert made.measures == ((400, 112.19, 71.3, 17.83, 0.0),)


@pytest.mark.parametrize(
    ("font", "is_measured"),
    [
        (a_font(LATIN), True),
        (a_font([*LATIN, 0x416]), True),
        (a_font([*LATIN, *MORE], rights="with Reserved Font Name Own"), True),
        (a_font([*LATIN, *MORE], fsType=0x0100), True),
        (a_font(MORE), False),
    ],
    ids=["nothing else", "hardly more", "reserved name", "may not be cut", "other letters"],
)
def test_a_font_stays_whole_where_a_part_is_of_no_use_or_not_allowed(
    font: bytes, *, is_measured: bool
) -> None:
    """It is measured all the same, if it has the letters."""
    made = font_of(font, COMMON_RANGE)
    assert made.common is None
    assert bool(made.measures) is is_measured


def test_a_file_of_all_weights_is_measured_as_the_packaged_ones_are() -> None:
    """By a browser, whose kerning makes the difference."""
    file = min(FOLDER.glob("*/*wght-normal.woff2"), key=lambda each: each.stat().st_size)
    made = font_of(file.read_bytes(), COMMON_RANGE)
    kind, measured = METRICS[file.parent.name.replace("-", " ")]
    assert made.kind == kind
    for weight, *found in made.measures:
        assert found == pytest.approx(measured[weight], rel=0.01)


_BOLD = a_font(LATIN, usWeightClass=700)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"wOF2",
        b"wOF2" + bytes(200),
        _BOLD[: len(_BOLD) // 2],
        _BOLD[:60] + bytes(len(_BOLD) - 60),
        _BOLD[:16] + struct.pack(">I", 2**31) + _BOLD[20:],
    ],
    ids=["empty", "a signature", "zeros", "cut off", "no tables", "a bomb"],
)
def test_what_is_no_font_is_refused_with_a_sentence(content: bytes) -> None:
    """Whatever the library raises of it."""
    with pytest.raises(Refused, match="can't be read as a font"):
        font_of(content, COMMON_RANGE)


@given(st.integers(0, len(_BOLD) - 1), st.binary(min_size=1, max_size=8))
def test_a_damaged_font_is_made_or_refused(at: int, put: bytes) -> None:
    """Nothing else happens, whichever bytes are others."""
    damaged = _BOLD[:at] + put + _BOLD[at + len(put) :]
    with contextlib.suppress(Refused):
        assert isinstance(font_of(damaged, COMMON_RANGE), MadeFont)


# --- the faces -------------------------------------------------------------------------------

URL = "/_rb/own-1.woff2"
_MEASURE = FontMeasure(400, 112.19, 71.3, 17.83, 0.0)
_OWN = OwnFont("/_rb/own-2.woff2", "U+0-FF", "sans", (_MEASURE,))
_FALLBACK = (
    '@font-face{font-family:"own fallback";font-weight:400;size-adjust:112.19%;'
    "ascent-override:71.3%;descent-override:17.83%;line-gap-override:0%;src:local("
)
_FACE = f'@font-face {{ font-family: "Own"; font-weight: 400; src: url("{URL}") format("woff2") }}'
_COMMON = (
    '@font-face { font-family: "Own"; font-weight: 400; src: url("/_rb/own-2.woff2")'
    ' format("woff2") ;unicode-range:U+0-FF}'
)


def _own(css: str, font: OwnFont = _OWN) -> OwnFonts:
    return OwnFonts.of(css, {URL: font})


def test_a_face_has_its_common_letters_behind_it_and_a_fallback() -> None:
    """On the same line, so that messages name the lines that were written."""
    found = _own(f"h1 {{ color: red }}\n{_FACE}\np {{}}")
    before, faces, after = found.css.split("\n")
    assert (before, after) == ("h1 { color: red }", "p {}")
    assert faces.startswith(_FACE + _COMMON + _FALLBACK)
    assert found.fallbacks == {"own": ("own fallback", "own fallback android")}


@pytest.mark.parametrize(
    ("css", "adds"),
    [
        (_FACE.replace("src:", "unicode-range: U+0-7F; src:"), [_FALLBACK]),
        (_FACE.replace("src:", "font-style: italic; src:"), ["unicode-range:U+0-FF"]),
        (_FACE.replace("font-weight: 400;", ""), [_COMMON.replace("font-weight: 400;", "")]),
        (_FACE.replace('"Own"', "/* the */ Own"), ["unicode-range:U+0-FF"]),
        (f"/* {_FACE} */", []),
        (_FACE.replace(URL, "/_rb/else.woff2"), None),
        (_FACE.replace("}", ""), None),
        ("@font-face {}", None),
        ("p { color: red }", None),
    ],
)
def test_other_faces(css: str, adds: list[str] | None) -> None:
    """One that says its letters, that is slanted, or has no weight; what is none stays as it is."""
    found = _own(css)
    if adds is None:
        assert found.css == css
    else:
        assert all(part in found.css for part in adds)
    assert found.css.count("\n") == css.count("\n")


def test_a_font_that_was_not_measured_has_no_fallback() -> None:
    """Nor one of which nothing was cut a second face; its family is known."""
    found = _own(_FACE, OwnFont("", "U+0-FF", None, ()))
    assert found == OwnFonts(_FACE, {"own": ()}, {"own": (OwnFace(URL, "400"),)})


def _branded(fonts: Mapping[str, OwnFont], stack: str) -> tuple[str, list[str]]:
    """The tokens' stylesheet, and what is wrong; the toolchain has Inter, and cards are drawn."""
    inter = FontFace(
        family="Inter", style="normal", weight="400", unicode_range="", content=b"", file="i.woff2"
    )
    settings: Json = {"social_card": True}
    node = NodeRow(
        id="one",
        name="One",
        enabled_apps=("play",),
        custom_css=_FACE,
        base_url="https://one.example",
        settings=settings,
    )
    token = TokenRow(key="font.heading", category="font", default=stack)
    made = brand(node, [token], lambda name: (inter,) if name == "Inter" else (), fonts)
    return made.stylesheet.content.decode(), [each.what for each in made.problems]


def test_a_token_that_names_the_family_gets_its_fallback() -> None:
    """Behind the font, and without a warning that the toolchain lacks it. Cards are drawn with it;
    where its face names no media, with the next font of the stack, whose fallback shows where the
    own one was not measured."""
    css, problems = _branded({URL: _OWN}, '"Own", Inter, sans-serif')
    assert problems == []
    own = '"own fallback", "own fallback android"'
    assert f'--font-heading:"Own", {own}, Inter, sans-serif;' in css
    css, problems = _branded({}, '"Own", Inter, sans-serif')
    assert ["can't be drawn in own" in each for each in problems] == [True]
    assert '--font-heading:"Own", Inter, "inter fallback", "inter fallback android", ' in css
    _, problems = _branded({URL: _OWN}, '"Else", Inter, sans-serif')
    assert "has no font `Else`" in problems[0]
