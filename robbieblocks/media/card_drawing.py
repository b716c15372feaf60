"""Draws the card that social networks show of a page, by Pillow: it is an extra."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFont

from robbieblocks.media.forms import Forms, Made, Refused

# What Open Graph's readers show without cutting (1.91 : 1).
WIDTH: Final = 1200
HEIGHT: Final = 630
_MARGIN: Final = 80
_BAR: Final = 20
_SITE_PX: Final = 34
_SITE_BASELINE: Final = 134
_TITLE_PX: Final = (80, 68, 56)
_TITLE_LINES: Final = 3
_TITLE_WEIGHT: Final = 700
_TEXT_PX: Final = 34
_TEXT_LINES: Final = 2
_TEXT_WEIGHT: Final = 400
# The longest line of a title comes within 1/64 of the shortest that it can be.
_BALANCED_STEPS: Final = 6
_BETWEEN: Final = 34
_LINE_TITLE: Final = 1.14
_LINE_TEXT: Final = 1.36
# No font has it (Unicode 23.7, noncharacters): it is drawn as what a font lacks.
_LACKING: Final = "\uffff"
# How many steps of an ink lead from the ground to it. With three inks that makes 16 colours, which
# take half a byte each; with more steps nobody sees a difference.
_STEPS: Final = 5
# They say how an emoji looks.
_LOOKS: Final = "\ufe0e\ufe0f\u20e3"


class _Face:
    """A font file in one size and weight."""

    def __init__(self, content: bytes, size: int, weight: int) -> None:
        self.font = ImageFont.truetype(io.BytesIO(content), size)
        try:
            axes = self.font.get_variation_axes()
        except OSError:
            axes = []
        if axes:
            self.font.set_variation_by_axes([_at(axis, weight) for axis in axes])
        self._lacking = self._drawn(_LACKING)
        self._has: dict[str, bool] = {" ": True}

    def has(self, letter: str) -> bool:
        known = self._has.get(letter)
        if known is None:
            known = self._has[letter] = self._drawn(letter) != self._lacking
        return known

    def _drawn(self, letter: str) -> tuple[float, tuple[int, int], bytes]:
        # Its types are not all told.
        mask: Any = self.font.getmask(letter)
        return self.font.getlength(letter), mask.size, bytes(mask)


class _Writing:
    """Text in fonts of one size: each letter in the first that has it."""

    def __init__(self, fonts: Iterable[bytes], size: int, weight: int) -> None:
        self.size = size
        opened = (_face(font, size, weight) for font in fonts)
        self._faces = [face for face in opened if face is not None]
        self._face_by_letter: dict[str, _Face | None] = {}

    def written(self, text: str) -> str | None:
        """The text as it can be drawn, without emoji and signs; None where a letter is missing."""
        letters: list[str] = []
        for letter in " ".join(unicodedata.normalize("NFC", text).split()):
            if unicodedata.bidirectional(letter) in ("R", "AL"):
                return None
            if unicodedata.category(letter)[0] == "C" or letter in _LOOKS:
                continue
            if self._face_of(letter) is not None:
                letters.append(letter)
            elif unicodedata.category(letter)[0] != "S":
                return None
        return " ".join("".join(letters).split())

    def lines(self, text: str, most: int) -> tuple[list[str], bool]:
        """The text in lines, and whether it fits: no word is broken, and nothing left out."""
        found: list[str] = []
        fits, line = True, ""
        for word in text.split():
            if self._is_short(f"{line} {word}".strip()):
                line = f"{line} {word}".strip()
                continue
            found += [line] if line else []
            line = word
            while len(found) <= most and not self._is_short(line):
                fits = False
                length = self._fitting(line)
                found.append(line[:length])
                line = line[length:]
            if len(found) > most:
                break
        found += [line] if line else []
        if len(found) <= most:
            return found, fits
        return [*found[: most - 1], self._cut(found[most - 1])], False

    def balanced(self, lines: list[str]) -> list[str]:
        """The same words in as many lines, of which the longest is as short as can be."""
        words = " ".join(lines).split()
        shortest, longest = 0.0, float(WIDTH - 2 * _MARGIN)
        best = lines
        for _ in range(_BALANCED_STEPS if len(lines) > 1 else 0):
            middle = (shortest + longest) / 2
            tried = self._within(words, middle)
            if len(tried) <= len(lines):
                best, longest = tried, middle
            else:
                shortest = middle
        return best

    def _within(self, words: list[str], width: float) -> list[str]:
        """Lines of words, none longer than a width but for a single word."""
        lines: list[str] = []
        for word in words:
            longer = f"{lines[-1]} {word}" if lines else ""
            if longer and self._length(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def draw(self, on: ImageDraw.ImageDraw, x: float, baseline: float, text: str) -> None:
        for face, run in self._runs(text):
            on.text((x, baseline), run, fill=255, font=face.font, anchor="ls")
            x += face.font.getlength(run)

    def _is_short(self, text: str) -> bool:
        return len(text) == 1 or self._length(text) <= WIDTH - 2 * _MARGIN

    def _length(self, text: str) -> float:
        return sum(face.font.getlength(run) for face, run in self._runs(text))

    def _fitting(self, text: str) -> int:
        """How many letters of a text that is too long stand in a line: at least one."""
        fits, too_many = 1, len(text)
        while too_many - fits > 1:
            middle = (fits + too_many) // 2
            if self._is_short(text[:middle]):
                fits = middle
            else:
                too_many = middle
        return fits

    def _cut(self, line: str) -> str:
        end = "…" if self._face_of("…") else "..."
        while line and not self._is_short(line + end):
            line = line[:-1]
        return line.rstrip(" ,;:.-") + end

    def _runs(self, text: str) -> Iterator[tuple[_Face, str]]:
        run, within = "", self._faces[0]
        for letter in text:
            face = self._face_of(letter) or within
            if run and face is not within:
                yield within, run
                run = ""
            within = face
            run += letter
        if run:
            yield within, run

    def _face_of(self, letter: str) -> _Face | None:
        if letter not in self._face_by_letter:
            found = next((face for face in self._faces if face.has(letter)), None)
            self._face_by_letter[letter] = found
        return self._face_by_letter[letter]


class _Canvas:
    """A ground on which each ink has a layer of its own: how much of it stands where.

    So the colours of the picture are known beforehand; to look for them takes a third of the time.
    """

    def __init__(self, ground: str) -> None:
        self._ground = ground
        self._layers: dict[str, Image.Image] = {}

    def ink(self, color: str) -> ImageDraw.ImageDraw:
        """What draws with a colour, where 255 is all of it. No ink may stand on another."""
        if color not in self._layers:
            self._layers[color] = Image.new("L", (WIDTH, HEIGHT))
        return ImageDraw.Draw(self._layers[color])

    def png(self) -> bytes:
        """The picture."""
        whole = Image.new("L", (WIDTH, HEIGHT))
        ground = ImageColor.getrgb(self._ground)
        palette = [*ground]
        for number, (color, layer) in enumerate(self._layers.items()):
            steps = [round(amount * _STEPS / 255) for amount in range(256)]
            places = [step and number * _STEPS + step for step in steps]
            # Pillow leaves open what a table of its own may hold.
            inked = layer.point(places)  # pyright: ignore[reportUnknownMemberType]
            whole = ImageChops.lighter(whole, inked)
            ink = ImageColor.getrgb(color)
            for step in range(1, _STEPS + 1):
                palette += [
                    round(a + (b - a) * step / _STEPS) for a, b in zip(ground, ink, strict=True)
                ]
        whole.putpalette(palette)
        written = io.BytesIO()
        whole.save(written, "PNG")
        return written.getvalue()


def card_of(
    card: dict[str, str], title_fonts: Sequence[bytes], text_fonts: Sequence[bytes]
) -> Forms:
    """The card: `title`, `description`, `site`, and the colours of `model.CardStyle`.

    Raises Refused where the fonts lack a letter of the title, or nothing of it can be drawn.
    """
    title, size, lines = _title(card["title"], title_fonts)
    small = _Writing(text_fonts, _TEXT_PX, _TEXT_WEIGHT)
    about, _ = small.lines(small.written(card["description"]) or "", _TEXT_LINES)
    canvas = _Canvas(card["background"])
    accent, heading, ink = (canvas.ink(card[part]) for part in ("accent", "heading", "text"))
    accent.rectangle((0, 0, WIDTH, _BAR - 1), fill=255)
    of_site = _Writing(text_fonts, _SITE_PX, _TITLE_WEIGHT)
    site, _ = of_site.lines(of_site.written(card["site"]) or "", 1)
    for line in site:
        of_site.draw(accent, _MARGIN, _SITE_BASELINE, line)
    baseline = HEIGHT - _MARGIN - (len(about) - 1) * _TEXT_PX * _LINE_TEXT
    for number, line in enumerate(about):
        small.draw(ink, _MARGIN, baseline + number * _TEXT_PX * _LINE_TEXT, line)
    if about:
        baseline -= _TEXT_PX + _BETWEEN
    else:
        baseline = HEIGHT - _MARGIN
    baseline -= (len(lines) - 1) * size * _LINE_TITLE
    for number, line in enumerate(lines):
        title.draw(heading, _MARGIN, baseline + number * size * _LINE_TITLE, line)
    return Forms(WIDTH, HEIGHT, (Made("image/png", WIDTH, HEIGHT, canvas.png()),))


def _title(text: str, fonts: Sequence[bytes]) -> tuple[_Writing, int, list[str]]:
    """The title in the largest size in which it fits, or cut in the smallest."""
    for size in _TITLE_PX:
        writing = _Writing(fonts, size, _TITLE_WEIGHT)
        written = writing.written(text)
        if not written:
            raise Refused("the fonts lack a letter of the title")
        lines, fits = writing.lines(written, _TITLE_LINES)
        if fits or size == _TITLE_PX[-1]:
            return writing, size, writing.balanced(lines) if fits else lines
    raise AssertionError("there are sizes")


def _at(axis: Any, weight: int) -> float:
    """Where a font stands on an axis: of weight at the one that is nearest, else where it does."""
    if axis["name"] != b"Weight":
        return float(axis["default"])
    return float(min(max(weight, axis["minimum"]), axis["maximum"]))


@lru_cache(maxsize=100)
def _face(content: bytes, size: int, weight: int) -> _Face | None:
    """A font file; None where it can't be opened: the next one then has its letters."""
    try:
        return _Face(content, size, weight)
    except (OSError, ValueError):
        return None
