"""Measures the toolchain's fonts against those that visitors have, for fallbacks of equal size.

python -m tools.font_metrics FOLDER, where FOLDER has, Regular and Bold, Arimo, Tinos and Cousine,
whose letters are as wide as those of Arial, Times New Roman and Courier New, and Android's Roboto
and NotoSerif, as their packages name the files. Writes brand/fallback_metrics.py.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from robbieblocks import toolchain
from robbieblocks.model import FontFace
from robbieblocks.settings import Settings
from robbieblocks.toolchain import Toolchain
from tests.browser.chromium import launched

if TYPE_CHECKING:
    from playwright.sync_api import Page

_MADE: Final = Path(__file__).resolve().parents[1] / "robbieblocks/brand/fallback_metrics.py"
_WEIGHTS: Final = {400: "400Regular", 700: "700Bold"}
_KINDS: Final = {"sans": "Arimo", "serif": "Tinos", "mono": "Cousine"}
_ANDROID: Final = {"sans": "Roboto", "serif": "NotoSerif"}
# English prose: each letter about as often as pages have it.
SAMPLE: Final = (
    "It was a bright cold day in early spring, and the clocks of the old town were striking nine. "
    "Everybody who lived near the harbour knew what that meant: boats would come back before noon, "
    "the market would open at ten, and for two or three hours nobody could hear a word of anything."
)
_MEASURE: Final = """
    async ([data, weight, sample]) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const face = new FontFace("measured", bytes, { weight: "1 1000" });
      document.fonts.add(await face.load());
      const context = document.createElement("canvas").getContext("2d");
      context.font = `${weight} 1000px measured`;
      const seen = context.measureText(sample);
      const line = document.createElement("div");
      line.style.cssText = `font: ${weight} 1000px measured; line-height: normal`;
      line.textContent = "x";
      document.body.append(line);
      const height = line.getBoundingClientRect().height;
      line.remove();
      document.fonts.delete(face);
      return {
        width: seen.width,
        ascent: seen.fontBoundingBoxAscent,
        descent: seen.fontBoundingBoxDescent,
        gap: Math.max(0, height - seen.fontBoundingBoxAscent - seen.fontBoundingBoxDescent),
      };
    }
"""


Widths = dict[tuple[str, int], float]


def widths_of(page: Page, folder: Path, stems: Mapping[str, str]) -> Widths:
    """How wide the sample is in the fonts of `folder`, in px, by kind and weight."""
    return {
        (kind, weight): seen(page, (folder / f"{stem}_{name}.ttf").read_bytes(), weight)["width"]
        for kind, stem in stems.items()
        for weight, name in _WEIGHTS.items()
    }


def measured(
    page: Page, widths: Widths, chosen: Toolchain
) -> dict[str, tuple[str, dict[int, tuple[float, ...]]]]:
    """By family in lower case: the kind of its fallback, and for each weight size, ascent, descent
    and gap in percent.
    """
    found: dict[str, tuple[str, dict[int, tuple[float, ...]]]] = {}
    for family, latin in latin_faces(chosen):
        kind = next((kind for kind in ("mono", "serif") if kind in family), "sans")
        rows: dict[int, tuple[float, ...]] = {}
        for weight in _WEIGHTS:
            drawn = seen(page, latin.content, weight)
            size = drawn["width"] / widths[kind, weight]
            parts = (drawn[name] / 10 / size for name in ("ascent", "descent", "gap"))
            rows[weight] = tuple(round(part, 2) for part in (size * 100, *parts))
        found[family] = kind, rows
    return found


def latin_faces(chosen: Toolchain) -> Iterator[tuple[str, FontFace]]:
    """Each family of the toolchain in lower case, with its upright latin face."""
    for package in sorted(name for name in chosen.tools if name.startswith("@fontsource")):
        family = package.rpartition("/")[2].replace("-", " ")
        faces = [face for face in chosen.fonts(family) if face.style == "normal"]
        yield family, next(face for face in faces if "-latin-wght" in face.file)


def seen(page: Page, content: bytes, weight: int) -> dict[str, float]:
    """A font's `width`, `ascent`, `descent` and `gap` at 1,000 px, as the browser has them."""
    data = base64.b64encode(content).decode()
    found: dict[str, Any] = page.evaluate(_MEASURE, [data, weight, SAMPLE])
    return found


def main() -> int:
    """Write the module."""
    folder = Path(sys.argv[1])
    with launched() as browser:
        page = browser.new_page()
        chosen = toolchain.ensure(Settings.from_environment(), lambda _text: None)
        widths = widths_of(page, folder, _KINDS)
        android = {
            key: round(width / widths[key], 4)
            for key, width in widths_of(page, folder, _ANDROID).items()
        }
        found = measured(page, widths, chosen)
    rows = "".join(
        f"    {family!r}: ({kind!r}, {rows!r}),\n" for family, (kind, rows) in found.items()
    )
    others = "".join(f"    {key!r}: {ratio!r},\n" for key, ratio in android.items())
    _MADE.write_text(
        '"""How large a font of visitors\' machines is drawn to take the place of a hosted one.\n\n'
        'Made by `python -m tools.font_metrics`.\n"""\n\nfrom __future__ import annotations\n\n'
        "from collections.abc import Mapping\nfrom typing import Final, Literal\n\n"
        'FallbackKind = Literal["sans", "serif", "mono"]\n\n'
        "# By kind and weight: how wide the letters of Android are to those of other systems.\n"
        f"ANDROID: Final[Mapping[tuple[FallbackKind, int], float]] = {{\n{others}}}\n\n"
        "# By family in lower case: what takes its place, and for each weight, in percent, the "
        "size,\n# and of that the ascent, descent and line gap.\n"
        "METRICS: Final[\n"
        "    Mapping[str, tuple[FallbackKind, Mapping[int, tuple[float, float, float, float]]]]\n"
        f"] = {{\n{rows}}}\n",
        encoding="utf-8",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
