"""Draws the pieces of products.sql as SVG, into content/media/.

    python tools/draw_pieces.py

Each piece has an outline by its kind, the colours of its glaze, and a seed from its name: the same
rows give the same drawings.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
SIZE = 400
GROUND = 352.0
GLAZES = {  # body, light, dark, what runs over the rim
    "sea": ("#3d7f96", "#8fc3cf", "#1c4658", "#d9e8e2"),
    "ash": ("#cfc8bb", "#f1ece2", "#8f887a", "#a79d8a"),
    "sand": ("#cfa877", "#ecd3ac", "#8f6a3f", "#f3e6cf"),
    "iron": ("#8a4b32", "#c98461", "#4f2417", "#d9b08c"),
    "moss": ("#6f7d51", "#aab586", "#3d4829", "#cdbf8f"),
    "night": ("#2b3350", "#6a769b", "#12162a", "#8d6f86"),
}
# Half an outline from the rim to the foot: height and radius, both as a share of the largest.
OUTLINES = {
    "bowl": [(0, 1.0), (0.25, 0.97), (0.55, 0.8), (0.82, 0.5), (0.92, 0.36), (1, 0.38)],
    "mug": [(0, 0.93), (0.3, 0.98), (0.65, 1.0), (0.9, 0.92), (1, 0.78)],
    "vase": [(0, 0.42), (0.1, 0.33), (0.22, 0.36), (0.48, 0.95), (0.66, 1.0), (0.9, 0.66), (1, 0.56)],
    "plate": [(0, 1.0), (0.35, 0.86), (0.7, 0.5), (0.85, 0.4), (1, 0.4)],
    "jug": [(0, 0.62), (0.14, 0.5), (0.3, 0.56), (0.62, 1.0), (0.85, 0.92), (1, 0.68)],
    "pot": [(0, 0.86), (0.12, 0.97), (0.5, 1.0), (0.85, 0.9), (1, 0.72)],
}
WIDTHS = {"bowl": 150, "mug": 78, "vase": 84, "plate": 172, "jug": 92, "pot": 116}
HEIGHTS = {"bowl": 128, "mug": 156, "vase": 268, "plate": 44, "jug": 224, "pot": 176}
ROW = re.compile(r"^    \('([a-z-]+)', '[^']+', '[^']+', '([a-z]+)', '([a-z]+)', \d+, (\d+),", re.M)


def smooth(points: list[tuple[float, float]]) -> str:
    """A curve through the points (Catmull-Rom, as cubic Bézier curves)."""
    parts = []
    for index in range(len(points) - 1):
        before, start = points[max(index - 1, 0)], points[index]
        end, after = points[index + 1], points[min(index + 2, len(points) - 1)]
        one = (start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6)
        two = (end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6)
        parts.append("C" + " ".join(f"{x:.1f} {y:.1f}" for x, y in (one, two, end)))
    return "".join(parts)


def draw(slug: str, kind: str, glaze: str, height_mm: int) -> str:
    """One piece."""
    chance = random.Random(slug)
    body, light, dark, run = GLAZES[glaze]
    usual = {"bowl": 85, "mug": 95, "vase": 250, "plate": 26, "jug": 180, "pot": 148}[kind]
    tall = HEIGHTS[kind] * (0.65 + 0.35 * height_mm / usual)
    wide = WIDTHS[kind] * (0.92 + chance.random() * 0.14)
    top, middle = GROUND - tall, SIZE / 2
    profile = [
        (top + at * tall, wide * radius * (1 + (chance.random() - 0.5) * 0.05))
        for at, radius in OUTLINES[kind]
    ]
    right = [(middle + radius, y) for y, radius in profile]
    left = [(middle - radius, y) for y, radius in reversed(profile)]
    rim, foot = profile[0][1], profile[-1][1]
    lip = rim * (0.2 if kind in ("bowl", "plate") else 0.17)
    outline = (
        f"M{right[0][0]:.1f} {right[0][1]:.1f}{smooth(right)}"
        f"Q{middle:.1f} {GROUND + 9:.1f} {left[0][0]:.1f} {left[0][1]:.1f}{smooth(left)}"
        f"A{rim:.1f} {lip:.1f} 0 0 0 {right[0][0]:.1f} {right[0][1]:.1f}Z"
    )
    drips, x = [], middle - rim
    depth = tall * (0.2 + chance.random() * 0.16)
    while x < middle + rim:
        step = rim * (0.16 + chance.random() * 0.2)
        low = top + depth * (0.45 + chance.random())
        drips.append(f"Q{x + step / 2:.1f} {low:.1f} {min(x + step, middle + rim):.1f} {top + depth * 0.5:.1f}")
        x += step
    over = (
        f"M{middle - rim - 40:.1f} {top - 30:.1f}L{middle - rim - 40:.1f} {top + depth * 0.5:.1f}"
        f"L{middle - rim:.1f} {top + depth * 0.5:.1f}{''.join(drips)}"
        f"L{middle + rim + 40:.1f} {top + depth * 0.5:.1f}L{middle + rim + 40:.1f} {top - 30:.1f}Z"
    )
    specks = "".join(
        f'<circle cx="{middle + (chance.random() - 0.5) * 1.7 * wide:.0f}" '
        f'cy="{top + chance.random() * tall:.0f}" r="{0.7 + chance.random() * 1.3:.1f}"/>'
        for _ in range(26 if glaze in ("sand", "ash") else 12)
    )
    handle = lid = ""
    edge = middle + wide
    if kind in ("mug", "jug"):
        start, end = top + tall * (0.2 if kind == "mug" else 0.12), top + tall * 0.74
        near = middle + wide * (0.9 if kind == "mug" else 0.55)
        handle = (
            f'<path d="M{near:.1f} {start:.1f}C{edge + 58:.1f} {start - 12:.1f} {edge + 50:.1f} '
            f'{end + 6:.1f} {middle + wide * 0.86:.1f} {end:.1f}" fill="none" stroke="{dark}" '
            f'stroke-width="17" stroke-linecap="round"/><path d="M{near:.1f} {start:.1f}C{edge + 58:.1f} '
            f'{start - 12:.1f} {edge + 50:.1f} {end + 6:.1f} {middle + wide * 0.86:.1f} {end:.1f}" '
            f'fill="none" stroke="{body}" stroke-width="11" stroke-linecap="round"/>'
        )
    if kind == "pot":
        lid = (
            f'<ellipse cx="{middle}" cy="{top:.1f}" rx="{rim:.1f}" ry="{lip:.1f}" fill="{dark}"/>'
            f'<path d="M{middle - rim:.1f} {top:.1f}Q{middle:.1f} {top - 46:.1f} {middle + rim:.1f} '
            f'{top:.1f}Q{middle:.1f} {top + lip:.1f} {middle - rim:.1f} {top:.1f}Z" fill="url(#g)"/>'
            f'<ellipse cx="{middle}" cy="{top - 30:.1f}" rx="15" ry="11" fill="{dark}"/>'
            f'<ellipse cx="{middle - 3}" cy="{top - 33:.1f}" rx="10" ry="6" fill="{body}"/>'
        )
    inside = "" if kind == "pot" else (
        f'<ellipse cx="{middle}" cy="{top:.1f}" rx="{rim:.1f}" ry="{lip:.1f}" fill="{run}"/>'
        f'<ellipse cx="{middle}" cy="{top + 2:.1f}" rx="{rim * 0.94:.1f}" ry="{lip * 0.82:.1f}" fill="{dark}"/>'
        f'<ellipse cx="{middle}" cy="{top + lip * 0.4:.1f}" rx="{rim * 0.72:.1f}" ry="{lip * 0.42:.1f}" fill="{body}" opacity=".75"/>'
    )
    spout = ""
    if kind == "jug":
        spout = (
            f'<path d="M{middle - rim * 0.98:.1f} {top + 2:.1f}Q{middle - rim - 30:.1f} {top - 14:.1f} '
            f'{middle - rim * 0.5:.1f} {top - lip * 0.8:.1f}Z" fill="{run}"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIZE}" height="{SIZE}" viewBox="0 0 {SIZE} {SIZE}">'
        f'<defs><linearGradient id="g"><stop offset="0" stop-color="{dark}"/><stop offset=".3" stop-color="{light}"/>'
        f'<stop offset=".55" stop-color="{body}"/><stop offset="1" stop-color="{dark}"/></linearGradient>'
        f'<radialGradient id="s"><stop offset="0" stop-opacity=".34"/><stop offset="1" stop-opacity="0"/></radialGradient>'
        f'<linearGradient id="v" x2="0" y2="1"><stop offset=".35" stop-color="#000" stop-opacity="0"/>'
        f'<stop offset="1" stop-color="#000" stop-opacity=".34"/></linearGradient>'
        f'<clipPath id="c"><path d="{outline}"/></clipPath></defs>'
        f'<ellipse cx="{middle + 10}" cy="{GROUND + 4:.0f}" rx="{foot * 1.7:.0f}" ry="15" fill="url(#s)"/>'
        f'{handle}<path d="{outline}" fill="url(#g)"/>'
        f'<g clip-path="url(#c)"><path d="{over}" fill="{run}" opacity=".5"/>'
        f'<g fill="{dark}" opacity=".45">{specks}</g><path d="{outline}" fill="url(#v)"/>'
        f'<ellipse cx="{middle - wide * 0.42:.0f}" cy="{top + tall * 0.5:.0f}" rx="{wide * 0.07:.0f}" '
        f'ry="{tall * 0.24:.0f}" fill="#fff" opacity=".22"/></g>{inside}{spout}{lid}</svg>\n'
    )


def main() -> None:
    """Draw every piece."""
    rows = ROW.findall((HERE / "products.sql").read_text("utf-8"))
    for slug, kind, glaze, height_mm in rows:
        target = HERE / "content" / "media" / f"{slug}.svg"
        target.write_text(draw(slug, kind, glaze, int(height_mm)), "utf-8")
        about = f'alt = "A {kind} in the glaze {glaze}"\n'
        target.with_suffix(".svg.toml").write_text(about, "utf-8")
    print(f"{len(rows)} pieces drawn")  # noqa: T201


if __name__ == "__main__":
    main()
