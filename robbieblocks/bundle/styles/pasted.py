"""Finds what was stored around a stylesheet by mistake, of which a parser would say many things."""

from __future__ import annotations

import re
from typing import Final

# Comments may say anything.
_PASTED: Final = re.compile(
    r"/\*.*?(?:\*/|\Z)"
    r"|\"(?:[^\"\\\n]|\\.)*+\"?+|'(?:[^'\\\n]|\\.)*+'?+"
    r"|(?P<interpolated>#\{)|(?P<json>\A\s*+\{\s*+(?=\"))"
    r"|^[ \t]*+(?:(?P<fence>```|~~~)|(?P<tag></?style\b)|(?P<conflict><{7}|={7}|>{7}))",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
_SAID: Final = {
    "fence": ("this is a code fence of Markdown, and no CSS", "take away the lines with ```"),
    "tag": ("this is HTML around the CSS", "store the CSS alone, without <style> around it"),
    "interpolated": ("#{...} is Sass's, and no CSS", "write what it stands for"),
    "json": ("this is JSON, and no CSS", "write rules, such as .card { color: red }"),
    "conflict": (
        "git found two versions here, and nobody has chosen one",
        "keep one of them, and take away the lines with <<<<<<<, ======= and >>>>>>>",
    ),
}


def pasted_around(css: str) -> tuple[int, str, str] | None:
    """The first such place: its offset, what stands there, and what to do. None where none is."""
    for found in _PASTED.finditer(css):
        if found.lastgroup is not None:
            return found.start(found.lastgroup), *_SAID[found.lastgroup]
    return None
