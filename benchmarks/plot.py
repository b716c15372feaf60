"""Two drawings as SVG that needs nothing but a browser, light or dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from benchmarks.targets import percentile

_WIDTH: Final = 720
_HEIGHT: Final = 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 24, 48, 56
_LINE: Final = 15.0
_STYLE: Final = """
text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #26333b; }
.title { font-size: 16px; font-weight: 600; }
.axis { stroke: #857e6c; stroke-width: 1; }
.grid { stroke: #c9c5ba; stroke-width: 0.6; }
.mark { stroke: #a33a2c; stroke-width: 1.5; stroke-dasharray: 5 4; }
@media (prefers-color-scheme: dark) {
  text { fill: #dde6ef; }
  .axis { stroke: #6d859c; }
  .grid { stroke: #2f4052; }
  .mark { stroke: #ff9486; }
}
"""
_COLOURS: Final = ("#1b5a85", "#2a8a5a", "#b4431a", "#8a4fa8", "#8a6d00", "#5b7083", "#c0397b")


def distribution(values: Sequence[float], peer: float, targets: tuple[float, float]) -> str:
    """How long commits took to go live: a histogram with p50, p95, targets and the peer's time."""
    most = max(*values, targets[1]) * 1.08
    steps = 40
    counts = [0] * steps
    for value in values:
        counts[min(steps - 1, int(value / most * steps))] += 1
    frame = _Frame(0, most, 0, max(counts) * 1.15, logarithmic=False)
    bars = []
    for index, count in enumerate(counts):
        if count:
            left, right = frame.x(index * most / steps), frame.x((index + 1) * most / steps)
            top = frame.y(count)
            bars.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left - 1:.1f}" '
                f'height="{frame.y(0) - top:.1f}" fill="{_COLOURS[0]}"/>'
            )
    marks = []
    for place, (value, label) in enumerate(
        (
            (percentile(values, 50), f"p50 {percentile(values, 50):.0f} ms"),
            (percentile(values, 95), f"p95 {percentile(values, 95):.0f} ms"),
        )
    ):
        x = frame.x(value)
        marks.append(
            f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{frame.y(0)}"/>'
        )
        # The first one's label to the left of its line, since the second's is near.
        anchor, gap = ("end", -6) if place == 0 else ("start", 6)
        marks.append(
            f'<text x="{x + gap:.1f}" y="{_TOP + 14}" text-anchor="{anchor}">{label}</text>'
        )
    title = (
        f"Commit to live, 10 pages, {len(values)} component edits (warm vite build: {peer:.0f} ms)"
    )
    return _svg(title, [*frame.axes("ms from COMMIT to the swap", "edits"), *bars, *marks])


def growth(rows: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> str:
    """Time against pages, both logarithmic: a line for each of `labels`."""
    series = {
        label: [(row["pages"], row[key]) for row in rows if key in row]
        for key, label in labels.items()
    }
    values = [value for points in series.values() for _, value in points]
    pages = [row["pages"] for row in rows]
    low, high = 10 ** math.floor(math.log10(min(values))), 10 ** math.ceil(math.log10(max(values)))
    frame = _Frame(min(pages), max(pages) * 6, low, high, logarithmic=True, last=max(pages))
    drawn = []
    ends: dict[str, float] = {}
    colours = dict(zip(series, _COLOURS, strict=False))
    for label, points in series.items():
        if not points:
            continue
        colour = colours[label]
        at = [(frame.x(size), frame.y(value)) for size, value in points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        drawn.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in at]
        if points[-1][0] == max(pages):
            ends[label] = at[-1][1] + 4
        else:  # it ends among the others, so its name stands where it begins
            drawn.append(_label(at[0][0] + 8, at[0][1] - 8, label, colour))
    side = frame.x(max(pages)) + 8
    drawn += [_label(side, y, label, colours[label]) for label, y in _apart(ends).items()]
    return _svg("Time against the size of the site", [*frame.axes("pages", "ms"), *drawn])


def _apart(wanted: Mapping[str, float]) -> dict[str, float]:
    """Where labels stand that want these heights: in the same order, none over another."""
    placed: dict[str, float] = {}
    lowest = -math.inf
    for label, y in sorted(wanted.items(), key=lambda each: each[1]):
        lowest = placed[label] = max(y, lowest + _LINE)
    return placed


def _label(x: float, y: float, text: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" style="fill:{colour}">{escape(text)}</text>'


class _Frame:
    """Where values stand in the drawing."""

    def __init__(
        self,
        left: float,
        right: float,
        low: float,
        high: float,
        *,
        logarithmic: bool,
        last: float = 0,
    ) -> None:
        self._scale = math.log10 if logarithmic else float
        self._logarithmic = logarithmic
        self._last = last or right
        self._ends = (left, right, low, high)
        self._left, self._right = self._scale(left), self._scale(right)
        self._low, self._high = self._scale(low), self._scale(high)

    def x(self, value: float) -> float:
        """Pixels from the left."""
        share = (self._scale(value) - self._left) / (self._right - self._left)
        return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        """Pixels from the top."""
        share = (self._scale(value) - self._low) / (self._high - self._low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self, across: str, up: str) -> list[str]:
        """Both axes with their ticks."""
        left, _, low, high = self._ends
        drawn = [
            f'<line class="axis" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{self.y(low):.1f}" '
            f'y2="{self.y(low):.1f}"/>',
            f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 14}" text-anchor="middle">'
            f"{across}</text>",
            f'<text x="14" y="{_TOP - 10}">{up}</text>',
        ]
        drawn += [
            f'<text x="{self.x(tick):.1f}" y="{self.y(low) + 20:.1f}" text-anchor="middle">'
            f"{tick:,.0f}</text>"
            for tick in self._ticks(left, self._last)
        ]
        drawn += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{self.y(tick):.1f}" '
            f'y2="{self.y(tick):.1f}"/><text x="{_LEFT - 8}" y="{self.y(tick) + 4:.1f}" '
            f'text-anchor="end">{tick:,.0f}</text>'
            for tick in self._ticks(low, high)
        ]
        return drawn

    def _ticks(self, low: float, high: float) -> list[float]:
        if self._logarithmic:
            first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
            return [10.0**power for power in range(first, last + 1)]
        step = 10 ** math.floor(math.log10(max(high - low, 1)))
        while (high - low) / step < 4 and step > 1:
            step /= 2
        return [low + step * number for number in range(int((high - low) / step) + 1)]


def _svg(title: str, drawn: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(title)}">\n<style>{_STYLE}</style>\n'
        f'<text class="title" x="{_LEFT}" y="24">{escape(title)}</text>\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )
