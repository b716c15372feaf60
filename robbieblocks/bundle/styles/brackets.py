"""Finds the bracket, string or comment of a stylesheet that is never closed, or never opened.

Browsers close at the end of a stylesheet what is still open, without an error; an editor needs one.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"/\*.*?(?:\*/|(?P<open_comment>\Z))"
    r"|\\(?:\r\n|.)"
    r"|\"(?:[^\"\\\n]|\\.)*(?:\"|(?P<open_double>\n|\Z))"
    r"|'(?:[^'\\\n]|\\.)*(?:'|(?P<open_single>\n|\Z))"
    r"|url\(\s*(?![\s\"'])(?:[^)\\]|\\.)*(?:\)|(?P<open_url>\Z))"
    r"|(?P<bracket>[][(){}])",
    re.DOTALL | re.IGNORECASE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPEN = {
    "open_comment": "comment",
    "open_double": "string",
    "open_single": "string",
    "open_url": "url(",
}
_MAX_DEPTH = 32


def bracket_problem(css: str) -> tuple[str, int] | None:
    """What is wrong, and the offset of the character where; None where all is closed."""
    opened: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(css):
        if match.lastgroup is None:
            continue
        if match.lastgroup in _OPEN:
            return f"this {_OPEN[match.lastgroup]} is never closed", match.start()
        bracket = match[0]
        if bracket not in _PAIRS:
            opened.append((bracket, match.start()))
            if len(opened) > _MAX_DEPTH:
                return f"brackets are nested more than {_MAX_DEPTH} deep", match.start()
        elif not opened:
            return f"this {bracket} closes nothing", match.start()
        elif (last := opened.pop())[0] != _PAIRS[bracket]:
            return f"this {last[0]} is closed by a {bracket}", last[1]
    if opened:
        return f"this {opened[-1][0]} is never closed", opened[-1][1]
    return None
