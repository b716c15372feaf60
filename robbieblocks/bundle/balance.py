"""Finds the bracket, string or comment of a stylesheet that is never closed, or never opened.

Browsers close what is open at the end and go on; an editor wants to know.
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
DEEPEST = 32


def fault(css: str) -> tuple[str, int] | None:
    """What is wrong and at which character, or None."""
    opened: list[tuple[str, int]] = []
    for match in _TOKEN.finditer(css):
        if match["open_comment"] is not None:
            return "this comment is never closed", match.start()
        if match["open_double"] is not None or match["open_single"] is not None:
            return "this string is never closed", match.start()
        if match["open_url"] is not None:
            return "this url( is never closed", match.start()
        bracket = match["bracket"]
        if bracket is None:
            continue
        if bracket not in _PAIRS:
            opened.append((bracket, match.start()))
            if len(opened) > DEEPEST:
                return f"brackets are nested more than {DEEPEST} deep", match.start()
        elif opened and opened[-1][0] == _PAIRS[bracket]:
            opened.pop()
        elif opened:
            return f"this {opened[-1][0]} is closed by a {bracket}", opened[-1][1]
        else:
            return f"this {bracket} closes nothing", match.start()
    if opened:
        return f"this {opened[-1][0]} is never closed", opened[-1][1]
    return None
